"""Blocks come when tasks wait and go when nothing needs them: several blocks of one slot each, on this machine."""
from harness import FarfieldTest, main, wait_for


class Elastic(FarfieldTest):
    slots = 1
    endpoint_settings = ("init_blocks=0", "max_blocks=3", "idle_block_s=1")

    def managers(self):
        return self.ff.pids("farfield-manager")

    def wait_managers(self, count):
        wait_for(lambda: len(self.managers()) == count, f"{count} managers; there are {self.managers()}")

    def hold(self):
        return self.ff.submit("fault", {"do": "sleep", "seconds": 3600})

    def test_blocks_follow_the_tasks_and_go_when_idle(self):
        self.ff.up("fault", "echo")
        self.assertEqual(self.managers(), [])
        tasks = [self.hold() for _ in range(2)]
        for task in tasks:
            self.ff.wait_task(task, "running")
        self.assertEqual(len(self.managers()), 2)
        # Beyond the limit a task waits.
        tasks += [self.hold() for _ in range(2)]
        self.ff.wait_task(tasks[2], "running")
        self.assertEqual(len(self.managers()), 3)
        self.ff.run("task", "cancel", tasks[0])
        self.ff.wait_task(tasks[3], "running")
        self.assertEqual(len(self.managers()), 3)
        # What is empty goes, and what works stays.
        for task in tasks[1:3]:
            self.ff.run("task", "cancel", task)
        self.wait_managers(1)
        self.assertEqual(self.ff.show(tasks[3])["state"], "running")
        self.assertEqual(self.ff.show(tasks[3])["attempt"], 1)
        self.ff.run("task", "cancel", tasks[3])
        self.wait_managers(0)
        # And all of it begins anew.
        self.assertEqual(self.ff.call("echo", "again")["result"], "again")

    def test_no_block_goes_while_tasks_come_within_the_idle_time(self):
        self.ff.up("fault")
        self.ff.call("fault", {"do": "succeed"})
        before = self.managers()
        for _ in range(6):
            self.ff.call("fault", {"do": "sleep", "seconds": 0.4})
        self.assertEqual(self.managers(), before)
        self.wait_managers(0)

    def test_what_lives_of_an_earlier_agent_counts(self):
        self.ff.up("fault")
        tasks = [self.hold() for _ in range(3)]
        for task in tasks:
            self.ff.wait_task(task, "running")
        before = self.managers()
        self.ff.kill(self.ff.agent_pid())
        self.ff.start_endpoint()
        waiting = self.hold()
        wait_for(lambda: self.ff.show(waiting)["waiting_because"], "a reason")
        self.assertEqual(self.managers(), before)
        for task in [*tasks, waiting]:
            self.ff.run("task", "cancel", task)
        self.wait_managers(0)


if __name__ == "__main__":
    main()

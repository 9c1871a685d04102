"""Blocks come when tasks wait and go when nothing needs them: several blocks of one slot each, on this machine."""
import os
import signal
import time

from harness import WRONG_USE, FarfieldTest, main, wait_for


class Elastic(FarfieldTest):
    slots = 1
    endpoint_settings = ("init_blocks=0", "max_blocks=3", "idle_block_s=1")

    def managers(self):
        """The blocks whose managers live; a child of one counts as the same until it is another program."""
        return sorted({line.split()[-1] for line in self.ff.processes("farfield-manager").values()})

    def log(self):
        return self.ff.run("endpoint", "logs", "local", "--lines", 1000).out

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
        wait_for(lambda: "no more than 3 blocks at a time" in (self.ff.show(tasks[3])["waiting_because"] or ""), "the reason")
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

    def test_a_block_that_has_not_said_what_it_holds_is_not_taken_for_idle(self):
        self.ff.up("fault")
        task = self.hold()
        self.ff.wait_task(task, "running")
        manager = self.ff.pids("farfield-manager")[0]
        self.ff.kill(self.ff.agent_pid())
        self.ff.kill(manager, signal.SIGSTOP)
        self.ff.start_endpoint()
        time.sleep(2)  # the idle time is 1 s
        self.ff.kill(manager, signal.SIGCONT)
        self.ff.run("task", "stop", task)
        ended = self.ff.wait_task(task)
        self.assertEqual((ended["state"], ended["result"], ended["attempt"]), ("success", "stopped", 1), ended)

    def test_blocks_that_end_as_soon_as_they_are_up_are_failures(self):
        self.ff.up("fault")
        task = self.ff.submit("fault", {"do": "sleep", "seconds": 3600}, "--retries", 20)
        for number in (1, 2, 3):
            self.ff.wait_attempt(task, number)
            self.ff.kill(self.ff.pids("farfield-manager")[0])
        wait_for(lambda: "ended as soon as it was up" in self.log(), "the failures")
        self.ff.wait_attempt(task, 4)
        self.ff.run("task", "stop", task)
        self.assertEqual(self.ff.wait_task(task)["result"], "stopped")

    def test_a_warm_reserve_is_kept_until_it_is_ended(self):
        self.ff.up("fault")
        self.assertEqual(self.managers(), [])
        said = self.ff.json("endpoint", "warm", "local", 2, "--until", "+1h")
        self.assertEqual((said["warm_blocks"], said["told"]), (2, True))
        self.wait_managers(2)
        before = self.managers()
        self.ff.call("fault", {"do": "sleep", "seconds": 1.5})
        self.assertEqual(self.managers(), before)
        self.assert_says(self.ff.run("endpoint", "status", "local"), "2 blocks are kept until")
        # The next agent keeps it, and what is set while none runs counts, too.
        self.ff.kill(self.ff.agent_pid())
        said = self.ff.json("endpoint", "warm", "local", 3, "--until", "+1h")
        self.assertFalse(said["told"])
        self.assert_says(self.ff.run("endpoint", "status", "local"), "3 blocks are kept until")
        self.ff.start_endpoint()
        self.wait_managers(3)
        self.ff.run("endpoint", "warm", "local", 0)
        self.wait_managers(0)
        self.assertFalse(self.ff.json("endpoint", "status", "local")["warm_blocks"])

    def test_a_warm_reserve_ends_by_itself(self):
        self.ff.up()
        self.ff.run("endpoint", "warm", "local", 1, "--until", "+0.05m")
        wait_for(lambda: "the warm reserve is over" in self.log(), "its end")
        self.wait_managers(0)
        self.assertIn("is asked for", self.log())
        self.assertFalse(os.path.exists(os.path.join(self.ff.home, "endpoints", "local", "warm")))

    def test_a_wrong_reserve_is_refused_in_words(self):
        self.ff.start_service()
        self.ff.configure()
        self.assert_says(self.ff.run("endpoint", "warm", "local", 4, "--until", "+1h", status=None), "3 at most", "max_blocks")
        self.assert_says(self.ff.run("endpoint", "warm", "local", 1, status=WRONG_USE), "--until")
        self.assert_says(self.ff.run("endpoint", "warm", "local", 1, "--until", "2020-01-01 00:00", status=WRONG_USE), "past")
        self.assert_says(self.ff.run("endpoint", "warm", "local", 1, "--until", "soon", status=WRONG_USE), "no date")
        self.assert_says(self.ff.run("endpoint", "warm", "local", "some", status=WRONG_USE), "number of blocks")
        self.assertFalse(os.path.exists(os.path.join(self.ff.home, "endpoints", "local", "warm")))


if __name__ == "__main__":
    main()

"""kill -9 of the manager of a node: its tasks begin anew on the next one, and nothing of the old one is left."""
from harness import FarfieldTest, alive, main, wait_for


class Manager(FarfieldTest):
    def test_its_tasks_run_again(self):
        self.ff.up("fault", "echo")
        task = self.ff.submit("fault", {"do": "sleep", "seconds": 3600})
        self.ff.wait_task(task, "running")
        runners = self.ff.pids("farfield-runner")
        for pid in self.ff.pids("farfield-manager"):
            self.ff.kill(pid)
        wait_for(lambda: not any(alive(pid) for pid in runners), "the runners of the dead manager to end")
        self.ff.wait_attempt(task, 2)
        self.ff.run("task", "stop", task)
        ended = self.ff.wait_task(task)
        self.assertEqual((ended["state"], ended["result"], ended["attempt"]), ("success", "stopped", 2), ended)
        self.assert_alive()

    def test_manager_and_agent_at_once(self):
        self.ff.up("fault", "echo")
        task = self.ff.submit("fault", {"do": "sleep", "seconds": 0.5})
        self.ff.wait_task(task, "running")
        for pid in [self.ff.agent_pid(), *self.ff.pids("farfield-manager")]:
            self.ff.kill(pid)
        self.ff.start_endpoint()
        ended = self.ff.wait_task(task)
        self.assertEqual((ended["state"], ended["result"]), ("success", "slept"), ended)
        self.assertEqual(ended["attempt"], 2)
        self.assert_alive()


if __name__ == "__main__":
    main()

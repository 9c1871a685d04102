"""kill -9 of the agent: what runs is not disturbed, and its result arrives after the next start."""
import os

from harness import SIEMENS, FarfieldTest, main, wait_for


class Agent(FarfieldTest):
    def test_a_running_reconstruction_does_not_notice(self):
        self.ff.up("reconstruct")
        task = self.ff.submit("reconstruct", {"input": SIEMENS, "output": os.path.join(self.ff.folder, "o.h5"),
                                              "epochs": 900000})
        self.ff.wait_task(task, "running")
        wait_for(lambda: self.ff.epochs(task) >= 1, "an epoch")
        runners, managers = self.ff.pids("farfield-runner"), self.ff.pids("farfield-manager")
        self.ff.kill(self.ff.agent_pid())
        self.ff.start_endpoint()
        self.assertEqual(self.ff.pids("farfield-manager"), managers)
        self.assertEqual(self.ff.pids("farfield-runner"), runners)
        before = self.ff.epochs(task)
        wait_for(lambda: self.ff.epochs(task) > before, "further epochs")
        self.ff.run("task", "stop", task)
        ended = self.ff.wait_task(task)
        self.assertEqual((ended["state"], ended["attempt"], ended["result"]["stopped"]), ("success", 1, "asked"), ended)

    def test_a_task_that_ends_while_no_agent_is_there(self):
        self.ff.up("fault")
        mark = os.path.join(self.ff.folder, "ended")
        self.ff.run("function", "register", "wait", "--shell", f"until [ -e '{mark}' ]; do sleep 0.02; done; echo done")
        task = self.ff.submit("wait")
        self.ff.wait_task(task, "running")
        self.ff.kill(self.ff.agent_pid())
        with open(mark, "w", encoding="ascii"):
            pass
        self.ff.start_endpoint()
        ended = self.ff.wait_task(task)
        self.assertEqual((ended["state"], ended["attempt"], ended["result"]["stdout"]), ("success", 1, "done\n"), ended)

    def test_tasks_that_waited_at_the_agent_are_delivered_again(self):
        self.ff.up("fault", "echo")
        blocking = [self.ff.submit("fault", {"do": "sleep", "seconds": 3600}) for _ in range(self.slots)]
        for task in blocking:
            self.ff.wait_task(task, "running")
        waiting = [self.ff.submit("echo", n) for n in range(5)]
        self.ff.kill(self.ff.agent_pid())
        self.ff.start_endpoint()
        for task in blocking:
            self.ff.run("task", "stop", task)
        self.assertEqual([self.ff.wait_task(task)["result"] for task in waiting], list(range(5)))
        for task in blocking:
            ended = self.ff.wait_task(task)
            self.assertEqual((ended["state"], ended["attempt"]), ("success", 1), ended)

    def test_killed_again_and_again(self):
        self.ff.up("fault", "echo")
        task = self.ff.submit("fault", {"do": "sleep", "seconds": 3600})
        self.ff.wait_task(task, "running")
        for _ in range(3):
            self.ff.kill(self.ff.agent_pid())
            self.ff.start_endpoint()
        self.ff.run("task", "stop", task)
        ended = self.ff.wait_task(task)
        self.assertEqual((ended["result"], ended["attempt"]), ("stopped", 1), ended)
        self.assert_alive()


if __name__ == "__main__":
    main()

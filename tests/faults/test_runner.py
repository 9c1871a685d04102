"""kill -9 of the process that runs a function."""
import os

from harness import SIEMENS, FarfieldTest, alive, main, tool, wait_for


class Runner(FarfieldTest):
    def runner_of(self, task):
        """The pid of the runner that runs the task, the only one that has loaded a function."""
        self.ff.wait_task(task, "running")
        return wait_for(self.ff.busy_runners, "a runner")[0]  # what it forked comes after it

    def test_a_killed_reconstruction_goes_on_and_gives_the_same_bits(self):
        self.ff.up("reconstruct")
        settings = {"input": SIEMENS, "epochs": 60, "checkpoint_every": 5}
        whole = {**settings, "output": os.path.join(self.ff.folder, "whole.h5")}
        broken = {**settings, "output": os.path.join(self.ff.folder, "broken.h5")}
        self.assertEqual(self.ff.call("reconstruct", whole)["state"], "success")
        task = self.ff.submit("reconstruct", broken)
        wait_for(lambda: self.ff.epochs(task) >= 8, "eight epochs")
        self.ff.kill(self.runner_of(task))
        wait_for(lambda: self.ff.show(task)["attempt"] == 2, "the second attempt")
        ended = self.ff.wait_task(task)
        self.assertEqual((ended["state"], ended["attempt"], ended["result"]["epochs"]), ("success", 2, 60), ended)
        for dataset in ("/object", "/probe"):
            self.assertEqual(tool("hdf5_tool", "digest", whole["output"], dataset),
                             tool("hdf5_tool", "digest", broken["output"], dataset), dataset)

    def test_a_task_whose_runner_is_always_killed_fails_after_its_retries(self):
        self.ff.up("fault", "echo")
        task = self.ff.submit("fault", {"do": "sleep", "seconds": 3600})
        for attempt in (1, 2, 3):
            self.ff.wait_attempt(task, attempt)
            self.ff.kill(self.runner_of(task))
        ended = self.ff.wait_task(task)
        self.assertEqual((ended["state"], ended["error"]["code"], ended["attempt"]), ("failed", "RUNNER_LOST", 3), ended)
        self.assert_alive()

    def test_a_kill_between_calls_costs_nobody_an_attempt(self):
        self.ff.up("echo")
        self.assertEqual(self.ff.call("echo", 1)["result"], 1)
        for pid in self.ff.pids("farfield-runner"):
            self.ff.kill(pid)
        task = self.ff.call("echo", 2)
        self.assertEqual((task["result"], task["attempt"]), (2, 1), task)

    def test_what_a_killed_runner_started_is_killed_too(self):
        self.ff.up("fault")
        pid_file = os.path.join(self.ff.folder, "orphan")
        task = self.ff.submit("fault", {"do": "orphan", "pid_file": pid_file, "seconds": 3600})
        wait_for(lambda: os.path.exists(pid_file) and os.path.getsize(pid_file) > 1, "the grandchild")
        with open(pid_file, encoding="ascii") as file:
            orphan = int(file.read())
        self.ff.kill(self.runner_of(task))
        wait_for(lambda: not alive(orphan), "the grandchild to be killed")
        self.ff.run("task", "cancel", task)
        self.ff.wait_task(task)


if __name__ == "__main__":
    main()

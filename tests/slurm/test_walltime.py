"""Jobs that Slurm ends after a minute: what runs in them goes on in the next one, and is not charged for it."""
import os

import slurm
from harness import SIEMENS, wait_for


class Walltime(slurm.EndpointTest):
    nodes = 2
    slots = 2
    settings = ("walltime=1m",)

    def test_the_end_of_a_job_costs_no_attempt(self):
        self.up("reconstruct", "fault")
        mark = os.path.join(self.ff.folder, "mark")
        self.ff.run("function", "register", "wait", "--shell", f"until [ -e '{mark}' ]; do sleep 0.02; done; echo done")
        scan = self.submit("reconstruct", {"input": SIEMENS, "output": os.path.join(self.ff.folder, "o.h5"),
                                           "epochs": 900000, "checkpoint_every": 100000}, "--retries", 0)
        wait = self.submit("wait", None, "--retries", 0)
        for task in (scan, wait):
            self.ff.wait_task(task, "running")
        wait_for(lambda: self.ff.show(scan)["attempt"] == 2, "the reconstruction to leave its job", 120)
        self.ff.wait_attempt(wait, 2)
        reached = self.ff.epochs(scan)
        self.ff.wait_attempt(scan, 2)
        wait_for(lambda: self.ff.epochs(scan) > reached, "further epochs")
        self.ff.run("task", "stop", scan)
        with open(mark, "w", encoding="ascii"):
            pass
        ended = self.ff.wait_task(scan)
        self.assertEqual((ended["state"], ended["attempt"], ended["result"]["stopped"]), ("success", 2, "asked"), ended)
        # Asked before the end, it wrote a checkpoint that was not due, and went on from there.
        self.assertGreater(ended["result"]["resumed_at"], 0, ended)
        self.assertLess(ended["result"]["resumed_at"], 100000, ended)
        ended = self.ff.wait_task(wait)
        self.assertEqual((ended["state"], ended["attempt"], ended["result"]["stdout"]), ("success", 2, "done\n"), ended)


if __name__ == "__main__":
    slurm.main()

"""The controller of Slurm away for FF_SLURM_OUTAGE seconds (12), with jobs that run and one that waits: no job more, no task lost,
and said once."""
import os
import time

import slurm
from harness import wait_for

OUTAGE_S = int(os.environ.get("FF_SLURM_OUTAGE", "12"))


class Outage(slurm.EndpointTest):
    nodes = 2
    slots = 1

    def log(self):
        with open(os.path.join(self.ff.home, "endpoints", "elastic", "log"), encoding="utf-8") as file:
            return file.read()

    def test_nothing_happens_while_the_controller_is_away(self):
        before = set(self.cluster.all_jobs())
        self.up("fault", "echo", settings=["slots=1", "max_blocks=3"])
        tasks = [self.submit("fault", {"do": "sleep", "seconds": 3600}) for _ in range(3)]
        for task in tasks[:2]:
            self.ff.wait_task(task, "running")
        wait_for(lambda: len(self.cluster.jobs()) == 3, "a job that waits for a node")
        self.cluster.stop("slurmctld")
        late = []
        until = time.monotonic() + OUTAGE_S
        while time.monotonic() < until:  # work goes on coming
            late.append(self.submit("echo", len(late)))
            time.sleep(1)
        self.assertEqual([self.ff.show(task)["state"] for task in tasks[:2]], ["running"] * 2)
        said = self.log()
        self.assertEqual(said.count("does not tell how the jobs are"), 1)
        self.cluster.up()
        wait_for(lambda: "tells again how the jobs are" in self.log(), "an answer")
        for task in tasks:
            self.ff.wait_task(task, "running")
            self.ff.run("task", "stop", task)
        self.assertEqual([self.ff.wait_task(task)["result"] for task in late], list(range(len(late))))
        self.assertEqual([self.ff.show(task)["attempt"] for task in tasks], [1, 1, 1])
        more = len(set(self.cluster.all_jobs()) - before) - 3
        self.assertEqual(more, 0)
        print(f"controller away for {OUTAGE_S} s: {more} jobs more, {len(late) + 3} of {len(late) + 3} tasks done, "
              f"{self.log().count('does not tell')} line about it, in all {len(said.splitlines())} lines")


if __name__ == "__main__":
    slurm.main()

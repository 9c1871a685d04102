"""Two endpoints whose jobs share one node: of two users where root runs the tests, else of one with two homes."""
import os

import slurm
from harness import COMMAND, Farfield

NOBODY = 65534


class Users(slurm.EndpointTest):
    nodes = 1
    slots = 1
    settings = ("gpus_per_node=1",)

    def setUp(self):
        super().setUp()
        user = NOBODY if os.getuid() == 0 else None
        self.other = Farfield(self.slots, user=user)
        self.addCleanup(self.other.remove)
        self.other.environment.update(self.variables())
        # One registry of the node for both.
        self.ff.registry = self.other.registry = os.path.join(self.cluster.outer, "gpus-%n")
        self.addCleanup(os.remove, self.ff.registry.replace("%n", "n0"))
        self.pretend()

    def end_all(self):
        left = self.other.stop()
        super().end_all()
        self.assertEqual(left, {}, "processes left behind")

    def test_each_has_its_device_and_none_disturbs_the_other(self):
        if self.other.run("--version", status=None).status != 0:
            self.skipTest(f"another user cannot run {COMMAND}")
        sleepers = {}
        for farfield in (self.ff, self.other):
            self.up("fault", farfield=farfield)
            task = farfield.submit("fault", {"do": "sleep", "seconds": 3600}, "--gpus", 1, endpoint="elastic")
            sleepers[farfield] = farfield.wait_task(task, "running")
        self.assertEqual([shown["node"] for shown in sleepers.values()], ["n0", "n0"])
        self.assertEqual(len({tuple(shown["devices"]) for shown in sleepers.values()}), 2)
        self.assertEqual(len(self.leased()), 2)
        self.assertEqual(len({job["user"] for job in self.cluster.jobs().values()}), 2 if self.other.before else 1)

        # The end of the one's job is none of the other's business.
        self.ff.run("endpoint", "stop", "elastic")
        self.assertEqual(len(self.leased()), 1)
        task = sleepers[self.other]["task_id"]
        self.assertEqual(self.other.show(task)["state"], "running")
        self.other.run("task", "stop", task)
        ended = self.other.wait_task(task)
        self.assertEqual((ended["result"], ended["attempt"]), ("stopped", 1), ended)


if __name__ == "__main__":
    slurm.main()

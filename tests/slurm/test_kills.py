"""Kills processes and jobs at random, from a seed, while tasks run on Slurm: none is lost, none is answered twice, and
nothing is left: no process, no lease of a GPU, no job, no file (the base class looks).

FF_SLURM_SEED=N repeats one seed; FF_SLURM_KILLS=N kills so often (default 15; the full number is 100).
"""
import os
import random
import signal

import slurm
from harness import wait_for

SEED = int(os.environ.get("FF_SLURM_SEED", "6"))
KILLS = int(os.environ.get("FF_SLURM_KILLS", "15"))
TASKS = 300


class Kills(slurm.EndpointTest):
    nodes = 3
    slots = 2
    settings = ("submit_rate=600", "agent_lost_limit_ms=20000")

    def kill_pid(self, pids, chance):
        """One of these, perhaps; it may end by itself in between."""
        if not pids:
            return False
        try:
            os.kill(chance.choice(sorted(pids)), signal.SIGKILL)
        except ProcessLookupError:
            return False
        return True

    def kill_one(self, chance):
        """What was killed; None when there was nothing of the kind."""
        what = chance.choice(["agent", "manager", "runner", "runner", "slurmd", "job"])
        if what == "agent":
            self.ff.kill(self.ff.agent_pid("elastic"))
            self.ff.start_endpoint("elastic")
        elif what == "slurmd":
            name = "slurmd-" + chance.choice(self.cluster.names)
            self.cluster.stop(name, signal.SIGKILL)
            self.cluster.up()
        elif what == "job":
            jobs = sorted(self.cluster.jobs())
            if not jobs:
                return None
            self.cluster.attempt("scancel", chance.choice(jobs))
        elif not self.kill_pid(self.ff.pids(f"farfield-{what}"), chance):
            return None
        return what

    def test_none_is_lost_and_none_is_answered_twice(self):
        chance = random.Random(SEED)
        killed = []
        self.up("fault")
        calls = [{"do": "sleep", "seconds": round(chance.uniform(0.05, 0.4), 3)} for _ in range(TASKS)]
        group, tasks = self.ff.submit_group("elastic", "fault", calls, max_retries=50, gpus=1)

        def ended():
            return len(self.ff.group_results(group))

        def what():
            return f"seed {SEED}, killed {killed}, ended {ended()}"

        while len(killed) < KILLS:
            due = TASKS * len(killed) // (KILLS + 1)
            wait_for(lambda: ended() >= due, f"{due} results ({what()})", 120)
            found = self.kill_one(chance)
            if found is not None:
                killed.append(found)
        wait_for(lambda: ended() == TASKS, f"{TASKS} results ({what()})", 120)
        results = self.ff.group_results(group)
        self.assertEqual(set(results), set(tasks))
        self.assertEqual({(entry["state"], entry["result"]) for entry in results.values()}, {("success", "slept")}, what())


if __name__ == "__main__":
    slurm.main()

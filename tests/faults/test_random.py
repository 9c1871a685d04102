"""Kills processes at random, from a seed, while tasks flow: none is lost, none is answered twice.

FF_FAULT_SEED=N repeats one seed; FF_FAULT_KILLS=N kills so often (default 12).
"""
import os
import random

from harness import FarfieldTest, main, wait_for

SEED = int(os.environ.get("FF_FAULT_SEED", "20"))
KILLS = int(os.environ.get("FF_FAULT_KILLS", "12"))


class Random(FarfieldTest):
    def submit_some(self, chance):
        values = [f"{chance.random()}" for _ in range(chance.randrange(1, 60))]
        group, tasks = self.ff.submit_group("local", "echo", values, max_retries=KILLS + 1)
        self.group.append(group)
        self.expected.update(zip(tasks, values))

    def kill_one(self, chance):
        what = chance.choice(["service", "agent", "manager", "runner", "runner"])
        if what == "service":
            self.ff.kill(self.ff.service_pid())
            self.ff.start_service()
        elif what == "agent":
            self.ff.kill(self.ff.agent_pid())
            self.ff.start_endpoint()
        else:
            victims = self.ff.pids(f"farfield-{what}")
            if victims:
                try:
                    self.ff.kill(chance.choice(victims))
                except AssertionError:
                    pass  # it ended by itself in between
        return what

    def test_none_is_lost_and_none_is_answered_twice(self):
        chance = random.Random(SEED)
        self.group, self.expected, killed = [], {}, []
        self.ff.up("echo")
        for _ in range(KILLS):
            for _ in range(chance.randrange(1, 4)):
                self.submit_some(chance)
            killed.append(self.kill_one(chance))
        what = f"seed {SEED}, killed {killed}"

        def ended():
            return sum(len(self.ff.group_results(group)) for group in self.group) == len(self.expected)

        wait_for(ended, f"{len(self.expected)} results ({what})", seconds=120)
        for group in self.group:
            for task, entry in self.ff.group_results(group).items():
                self.assertEqual((entry["state"], entry["result"]), ("success", self.expected[task]), what)


if __name__ == "__main__":
    main()

"""An endpoint that takes its nodes from Slurm: tasks run, wait with a reason, and survive what befalls jobs and nodes."""
import os
import signal
import time

import slurm
from harness import SIEMENS, tool, wait_for


class OnSlurm(slurm.EndpointTest):
    nodes = 2
    slots = 2

    def setUp(self):
        super().setUp()
        self.before = set(self.cluster.all_jobs())

    def new_jobs(self):
        """Every job that the test has brought about, also those that have ended."""
        return sorted(set(self.cluster.all_jobs()) - self.before)

    def sleeper(self, seconds=3600, *words):
        """A task that runs; (task, job that it runs in)."""
        task = self.submit("fault", {"do": "sleep", "seconds": seconds}, *words)
        node = self.ff.wait_task(task, "running")["node"]
        return task, next(job for job, row in self.cluster.jobs().items() if row["nodes"] == node)

    def finish(self, task, attempt, result="stopped"):
        """Lets a sleeping task end in its n-th attempt."""
        self.ff.wait_attempt(task, attempt)
        self.ff.run("task", "stop", task)
        ended = self.ff.wait_task(task)
        self.assertEqual((ended["state"], ended["result"], ended["attempt"]), ("success", result, attempt), ended)
        return ended

    def test_tasks_run_and_the_blocks_are_given_back(self):
        self.up("echo", settings=["idle_block_s=1"])
        tasks = [self.submit("echo", number) for number in range(20)]
        self.assertEqual([self.ff.wait_task(task)["result"] for task in tasks], list(range(20)))
        wait_for(lambda: not self.cluster.jobs(), "the idle blocks to be given back")
        self.assertEqual(self.ff.call("echo", "again", endpoint="elastic")["result"], "again")

    def test_a_task_sees_the_devices_of_its_job(self):
        self.up("fault", settings=["gpus_per_node=1", "slots=1"])
        tasks = [self.submit("fault", {"do": "environment", "name": "CUDA_VISIBLE_DEVICES"}, "--gpus", 1)
                 for _ in range(4)]
        for task in tasks:
            ended = self.ff.wait_task(task)
            self.assertEqual((ended["state"], [ended["result"]]), ("success", ended["devices"]), ended)

    def test_a_task_that_no_node_can_run_fails_at_once(self):
        self.up("fault", settings=["gpus_per_node=1"])
        ended = self.ff.wait_task(self.submit("fault", {"do": "succeed"}, "--gpus", 2))
        self.assertEqual(ended["state"], "failed", ended)
        self.assertIn("no node of endpoint elastic has more than 1", ended["error"]["message"])
        self.assertEqual(self.new_jobs(), [])

    def test_nodes_that_have_less_than_they_should_are_told_of(self):
        for node in self.cluster.names:
            self.ff.run("gpu", "pretend", 0, "--registry", self.ff.registry.replace("%n", node))
        self.up("fault", settings=["idle_block_s=1"])
        task = self.submit("fault", {"do": "succeed"}, "--gpus", 2)
        wait_for(lambda: "needs 2 GPUs, and no node that came had more than 0: gpus_per_node" in
                 (self.ff.show(task)["waiting_because"] or ""),
                 "the words")
        self.ff.run("task", "cancel", task)

    def test_a_call_on_more_nodes_than_any_block_has_gets_one_that_is_wide_enough(self):
        """Where small blocks reach the limit they are closed, and what comes for it is not given to younger tasks."""
        self.up("fault")
        self.ff.run("function", "register", "hosts", "--shell", "echo $FARFIELD_NODELIST")
        busy = [self.submit("fault", {"do": "sleep", "seconds": 3600}) for _ in range(4)]
        for task in busy:
            self.ff.wait_task(task, "running")
        gang = self.submit("hosts", None, "--nodes", 2)
        younger = [self.submit("fault", {"do": "sleep", "seconds": 3600}) for _ in range(4)]
        wait_for(lambda: "makes room for a larger one" in self.ff.run("endpoint", "logs", "elastic").out, "room")
        for task in busy:
            self.ff.run("task", "stop", task)
        ended = self.ff.wait_task(gang)
        self.assertEqual(ended["state"], "success", ended)
        self.assertEqual(sorted(ended["result"]["stdout"].strip().split(",")), sorted(self.cluster.names), ended)
        self.assertEqual([self.ff.wait_task(task)["attempt"] for task in busy], [1, 1, 1, 1])
        for task in younger:
            self.ff.run("task", "cancel", task)

    def test_a_cancelled_job_costs_its_tasks_an_attempt(self):
        self.up("fault")
        task, job = self.sleeper()
        self.cluster.run("scancel", job)
        self.finish(task, 2)
        self.assertNotIn(job, self.cluster.jobs())

    def test_a_task_that_cannot_checkpoint_begins_anew(self):
        self.up()
        mark = os.path.join(self.ff.folder, "mark")
        self.ff.run("function", "register", "wait", "--shell", f"until [ -e '{mark}' ]; do sleep 0.02; done; echo done")
        task = self.submit("wait")
        self.ff.wait_task(task, "running")
        self.cluster.run("scancel", *self.cluster.jobs())
        self.ff.wait_attempt(task, 2)
        with open(mark, "w", encoding="ascii"):
            pass
        self.assertEqual(self.ff.wait_task(task)["result"]["stdout"], "done\n")

    def test_a_reconstruction_goes_on_in_another_job_and_gives_the_same_bits(self):
        self.up("reconstruct", settings=["cores_per_node=2", "slots=1"])
        settings = {"input": SIEMENS, "epochs": 60, "checkpoint_every": 5}
        whole, broken = ({**settings, "output": os.path.join(self.ff.folder, name)} for name in ("whole.h5", "broken.h5"))
        self.assertEqual(self.ff.call("reconstruct", whole, endpoint="elastic")["state"], "success")
        task = self.submit("reconstruct", broken)
        wait_for(lambda: self.ff.epochs(task) >= 8, "eight epochs")
        self.cluster.run("scancel", *self.cluster.jobs())
        ended = self.ff.wait_task(task)
        self.assertEqual((ended["state"], ended["attempt"], ended["result"]["epochs"]), ("success", 2, 60), ended)
        for dataset in ("/object", "/probe"):
            self.assertEqual(*(tool("hdf5_tool", "digest", each["output"], dataset) for each in (whole, broken)), dataset)

    def test_a_gang_of_nodes_and_the_end_of_its_job(self):
        self.up(settings=["nodes_per_block=2"])
        mark = os.path.join(self.ff.folder, "mark")
        self.ff.run("function", "register", "gang", "--shell",
                    f"echo $FARFIELD_NODELIST; until [ -e '{mark}' ]; do sleep 0.02; done")
        task = self.submit("gang", None, "--nodes", 2)
        self.ff.wait_task(task, "running")
        (job,) = self.cluster.jobs()
        self.assertEqual(self.cluster.jobs()[job]["nodes"], "n[0-1]")
        self.cluster.run("scancel", job)
        self.ff.wait_attempt(task, 2)
        with open(mark, "w", encoding="ascii"):
            pass
        ended = self.ff.wait_task(task)
        self.assertEqual((ended["state"], ended["result"]["stdout"]), ("success", "n0,n1\n"), ended)
        self.assertEqual(len(self.new_jobs()), 2)

    def test_a_node_that_goes_down(self):
        self.up("fault")
        task, _ = self.sleeper()
        node = self.ff.show(task)["node"]
        self.cluster.set_node(node, "DOWN")
        self.assertNotEqual(self.finish(task, 2)["node"], node)

    def test_the_controller_is_away_for_ten_seconds(self):
        self.up("fault", "echo", settings=["slots=1"])
        task, _ = self.sleeper()
        self.cluster.stop("slurmctld")
        late = [self.submit("echo", number) for number in range(4)]
        until = time.monotonic() + 10
        wait_for(lambda: time.monotonic() > until, "ten seconds to pass")
        self.assertEqual(self.ff.show(task)["state"], "running")
        self.cluster.up()
        self.assertEqual([self.ff.wait_task(each)["result"] for each in late], list(range(4)))
        self.finish(task, 1)
        self.assertEqual(len(self.new_jobs()), 2)

    def test_the_daemon_of_a_node_is_killed(self):
        self.up("fault")
        task, _ = self.sleeper()
        self.cluster.stop("slurmd-" + self.ff.show(task)["node"], signal.SIGKILL)
        self.finish(task, 1)
        self.cluster.up()
        self.assertEqual(len(self.new_jobs()), 1)

    def test_a_full_queue(self):
        other = self.cluster.submit("sleep 600", f"--nodes={self.nodes}", "--exclusive", "--job-name=other")
        self.cluster.wait_state(other, "RUNNING")
        self.up("echo")
        task = self.submit("echo", 1)
        wait_for(lambda: "busy" in (self.ff.show(task)["waiting_because"] or ""), "the scheduler's reason on the task")
        self.assertEqual([row["state"] for job, row in self.cluster.jobs().items() if job != other], ["PENDING"])
        wait_for(lambda: "busy" in self.ff.run("endpoint", "status", "elastic").out, "the same on the endpoint")
        self.cluster.run("scancel", other)
        self.assertEqual(self.ff.wait_task(task)["result"], 1)
        self.assertEqual(len(self.new_jobs()), 2)

    def test_a_block_whose_workers_do_not_start(self):
        self.up("echo", settings=["worker_init=echo this site is broken >&2; sleep 600", "block_start_limit_s=10"])
        task = self.submit("echo", 1)
        wait_for(lambda: "this site is broken" in (self.ff.show(task)["waiting_because"] or ""), "its words on the task")

    def test_a_job_that_is_cancelled_while_it_waits_is_asked_for_again(self):
        other = self.cluster.submit("sleep 600", f"--nodes={self.nodes}", "--exclusive", "--job-name=other")
        self.cluster.wait_state(other, "RUNNING")
        self.up("echo")
        task = self.submit("echo", 1)

        def ours():
            return [job for job in self.cluster.jobs() if job != other]

        first = wait_for(ours, "a job")[0]
        self.cluster.run("scancel", first)
        wait_for(lambda: [job for job in ours() if job != first], "another job")
        self.cluster.run("scancel", other)
        self.assertEqual(self.ff.wait_task(task)["result"], 1)

    def test_a_killed_agent_finds_its_jobs_again(self):
        self.up("echo")
        blocks = os.path.join(self.ff.home, "endpoints", "elastic", "blocks")
        moments = (lambda: os.path.isdir(blocks) and os.listdir(blocks), self.new_jobs, self.cluster.processes)
        task = self.submit("echo", 1)
        for moment in moments:
            wait_for(moment, "a moment to kill the agent in")
            self.ff.kill(self.ff.agent_pid("elastic"))
            self.ff.start_endpoint("elastic")
        self.assertEqual(self.ff.wait_task(task)["result"], 1)
        self.assertEqual(len(self.new_jobs()), 1)

    def test_workers_leave_when_their_agent_does_not_come_back(self):
        self.up("fault", settings=["agent_lost_limit_ms=2000"])
        task, _ = self.sleeper(3600, "--gpus", 1)
        self.assertEqual(len(self.leased()), 1)
        self.ff.kill(self.ff.agent_pid("elastic"))
        wait_for(lambda: not self.cluster.jobs(), "the job to end")
        wait_for(lambda: not self.cluster.processes(), "its processes to end")
        self.assertEqual(self.leased(), [])
        self.assertEqual(os.listdir(os.path.join(self.ff.home, "endpoints", "elastic", "blocks")), [])
        self.ff.start_endpoint("elastic")
        self.finish(task, 2)

    def test_stop_takes_jobs_that_wait_along(self):
        other = self.cluster.submit("sleep 600", f"--nodes={self.nodes}", "--exclusive", "--job-name=other")
        self.cluster.wait_state(other, "RUNNING")
        self.up("echo")
        self.submit("echo", 1)
        wait_for(self.new_jobs, "a job that waits")
        self.ff.run("endpoint", "stop", "elastic")
        self.assertEqual(list(self.cluster.jobs()), [other])
        self.cluster.run("scancel", other)


if __name__ == "__main__":
    slurm.main()

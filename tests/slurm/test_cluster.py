"""deploy/slurm itself: the cluster does what the tests of providers rely on, also when it is broken, and leaves nothing."""
import os
import signal
import subprocess
import unittest

import slurm
from harness import alive, wait_for

NOBODY = 65534


class TheCluster(slurm.ClusterTest):
    nodes = 3

    def mark(self, name):
        """A file for a job to write; its path has no spaces."""
        path = os.path.join(self.cluster.outer, name)
        self.addCleanup(lambda: os.path.exists(path) and os.remove(path))
        return path

    @staticmethod
    def text(path):
        if not os.path.exists(path):
            return ""
        with open(path, encoding="utf-8") as file:
            return file.read()

    def running_job(self, *options):
        """A job that sleeps; its id, and its processes."""
        job = self.cluster.submit("exec sleep 600", *options)
        wait_for(lambda: list(self.cluster.processes().values()) == ["sleep 600 "], "its process")
        self.assertEqual(self.cluster.state(job), "RUNNING")
        return job, set(self.cluster.processes())

    def test_one_job_on_two_nodes(self):
        said = self.cluster.run("srun", "--nodes=2", "--gpus-per-node=2", "sh", "-c",
                                "echo $SLURMD_NODENAME $CUDA_VISIBLE_DEVICES")
        self.assertEqual(sorted(said.splitlines()), ["n0 0,1", "n1 0,1"])

    def test_two_jobs_on_one_node_get_different_devices(self):
        paths = [self.mark(f"devices{number}") for number in range(2)]
        jobs = [self.cluster.submit(f"echo $CUDA_VISIBLE_DEVICES >{path}; sleep 600", "--gpus=1", "--nodelist=n1")
                for path in paths]
        wait_for(lambda: all(map(self.text, paths)), "both jobs to run")
        self.assertEqual(sorted(self.text(path).strip() for path in paths), ["0", "1"])
        self.cluster.run("scancel", *jobs)

    def test_more_than_there_is_waits_with_a_reason(self):
        first = self.cluster.submit("sleep 600", "--nodes=3", "--exclusive")
        self.cluster.wait_state(first, "RUNNING")
        second = self.cluster.submit("sleep 600")
        wait_for(lambda: self.cluster.jobs()[second]["reason"] in ("Resources", "Priority"), "a reason")
        self.assertEqual(self.cluster.state(second), "PENDING")
        self.cluster.run("scancel", first)
        self.cluster.wait_state(second, "RUNNING")
        self.cluster.run("scancel", second)

    def test_a_cancelled_job_ends_with_its_processes(self):
        job = self.cluster.submit("srun sleep 600 & sleep 600; wait", "--nodes=2")
        wait_for(lambda: sum("sleep 600" in line for line in self.cluster.processes().values()) >= 3, "its processes")
        self.cluster.run("scancel", job)
        self.cluster.wait_state(job, "")
        wait_for(lambda: not self.cluster.processes(), "its processes to end")

    def test_a_signal_comes_before_the_end(self):
        path = self.mark("signal")
        script = f"trap 'echo USR1 >{path}; kill $!; exit' USR1; sleep 600 & while :; do wait; done"
        job = self.cluster.submit(script, "--time=1", "--signal=B:USR1@55")
        wait_for(lambda: self.text(path), "the signal")
        self.cluster.wait_state(job, "")

    def test_a_job_whose_node_goes_down_begins_anew_elsewhere(self):
        path = self.mark("places")
        job = self.cluster.submit(f"echo $SLURMD_NODENAME >>{path}; sleep 600", "--requeue")
        wait_for(lambda: self.text(path), "the job to run")
        first = self.text(path).strip()
        self.cluster.set_node(first, "DOWN")
        self.assertEqual(self.cluster.node_states()[first], "down")
        wait_for(lambda: len(self.text(path).split()) == 2, "the job to run again", 120)
        self.assertNotEqual(self.text(path).split()[1], first)
        self.cluster.run("scancel", job)

    def test_a_job_does_not_notice_that_the_controller_is_away(self):
        job, before = self.running_job()
        self.cluster.stop("slurmctld")
        failed = self.cluster.attempt("squeue", "--noheader")
        self.assertNotEqual(failed.returncode, 0, failed.stdout)
        self.assertEqual(set(self.cluster.processes()), before)
        self.cluster.up()
        self.assertEqual(self.cluster.state(job), "RUNNING")
        self.assertEqual(set(self.cluster.processes()), before)
        self.cluster.run("scancel", job)

    def test_a_job_outlives_the_daemon_of_its_node(self):
        job, before = self.running_job("--nodelist=n2")
        self.cluster.stop("slurmd-n2", signal.SIGKILL)
        self.cluster.up()
        self.assertEqual(self.cluster.state(job), "RUNNING")
        self.assertEqual(set(self.cluster.processes()), before)
        self.cluster.run("scancel", job)

    @unittest.skipIf(os.getuid() != 0, "only root can become another user")
    def test_jobs_of_another_user(self):
        self.assertEqual(self.cluster.run("srun", "id", "-u", user=NOBODY), str(NOBODY))

    def test_up_again_changes_nothing(self):
        daemons = ("munged", "slurmctld", *(f"slurmd-{name}" for name in self.cluster.names))
        pids = {name: self.cluster.pid(name) for name in daemons}
        self.assertNotIn(None, pids.values())
        self.assertIn("SLURM_CONF=" + self.cluster.environment["SLURM_CONF"], self.cluster.up())
        self.assertEqual({name: self.cluster.pid(name) for name in daemons}, pids)


class TwoClusters(unittest.TestCase):
    def cluster(self, **shape):
        cluster = slurm.Cluster(**shape)
        self.addCleanup(cluster.down)
        return cluster

    def test_side_by_side_and_gone_without_a_trace(self):
        one, other = self.cluster(nodes=1), self.cluster(nodes=2, gpus=0)
        one.up()
        other.up()
        job = one.submit("(setsid sleep 600 &); sleep 600")  # one process that Slurm loses sight of
        one.wait_state(job, "RUNNING")
        wait_for(lambda: len(one.processes()) >= 2, "the processes of the job")
        self.assertEqual(other.jobs(), {})
        pids = [one.pid(name) for name in ("munged", "slurmctld", "slurmd-n0")] + list(one.processes())
        one.down()
        self.assertFalse(any(alive(pid) for pid in pids))
        self.assertFalse(os.path.exists(one.folder))
        self.assertEqual(other.run("srun", "--nodes=2", "echo", "here").split(), ["here", "here"])
        self.assertIn("no Slurm", one.down())

    def test_a_folder_of_somebody_else_is_left_alone(self):
        cluster = self.cluster(nodes=1)
        os.mkdir(cluster.folder)
        path = os.path.join(cluster.folder, "mine")
        with open(path, "w", encoding="ascii"):
            pass
        for verb, status in (("up", 1), ("down", 0)):
            done = subprocess.run([slurm.SCRIPT, verb, "--folder", cluster.folder], capture_output=True, text=True,
                                  timeout=60, env=cluster.environment, check=False)
            self.assertEqual(done.returncode, status, done.stdout + done.stderr)
            self.assertEqual(os.listdir(cluster.folder), ["mine"])
            self.assertIn("no deploy/slurm made it" if verb == "up" else "no Slurm", done.stdout + done.stderr)

    def test_it_comes_up_after_its_processes_were_killed(self):
        cluster = self.cluster(nodes=2)
        cluster.up()
        for name in ("munged", "slurmctld", "slurmd-n0", "slurmd-n1"):
            cluster.stop(name, signal.SIGKILL)
        cluster.up()
        self.assertEqual(cluster.run("srun", "--nodes=2", "echo", "here").split(), ["here", "here"])


if __name__ == "__main__":
    slurm.main()

"""A real Slurm of one test file's own (deploy/slurm), and how to break it.

`ClusterTest` brings one cluster up for the tests of a class, makes it whole after each, and takes it down; whatever a
test leaves on it (a job, a process of a job) fails that test.
"""
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

import harness
from harness import DEADLINE, SOURCE, alive, wait_for

SCRIPT = os.path.join(SOURCE, "deploy", "slurm")
COMMANDS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "srun", "sinfo", "scontrol")
SKIPPED = 77


def missing():
    """The commands of Slurm that are not installed."""
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
    return [name for name in COMMANDS if shutil.which(name, path=path) is None]


class Cluster:
    """Nodes n0, n1, …, in a folder of their own."""

    def __init__(self, nodes=4, gpus=2, cpus=8):
        self.shape = ["--nodes", str(nodes), "--gpus", str(gpus), "--cpus", str(cpus)]
        self.names = [f"n{number}" for number in range(nodes)]
        self.outer = tempfile.mkdtemp(prefix="ff-slurm-")  # short: sockets lie below it
        os.chmod(self.outer, 0o755)
        self.folder = os.path.join(self.outer, "s")
        self.environment = {name: value for name, value in os.environ.items()
                            if not name.startswith(("SLURM", "SBATCH", "SQUEUE", "SINFO", "CUDA_"))}
        self.environment["SLURM_CONF"] = os.path.join(self.folder, "slurm.conf")

    def script(self, verb):
        """Runs deploy/slurm; what it said."""
        words = self.shape if verb == "up" else []
        done = subprocess.run([SCRIPT, verb, "--folder", self.folder, *words], capture_output=True, text=True,
                              timeout=2 * DEADLINE, env=self.environment, check=False)
        if done.returncode != 0:
            raise AssertionError(f"deploy/slurm {verb}: exit status {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def up(self):
        """Brings it up, or up again what of it does not run."""
        return self.script("up")

    def down(self):
        said = self.script("down")
        shutil.rmtree(self.outer, ignore_errors=True)
        return said

    # Its commands

    def attempt(self, *words, user=None):
        """Runs a command of Slurm, perhaps as another user; the ended process."""
        before = [] if user is None else ["setpriv", "--reuid", str(user), "--regid", str(user), "--clear-groups"]
        return subprocess.run([*before, *map(str, words)], capture_output=True, text=True, timeout=DEADLINE,
                              env=self.environment, cwd=self.outer, check=False)

    def run(self, *words, user=None):
        """Runs a command of Slurm that must succeed; what it printed."""
        done = self.attempt(*words, user=user)
        if done.returncode != 0:
            raise AssertionError(f"{' '.join(map(str, words))}: exit status {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout.strip()

    def submit(self, script, *options):
        """Submits a script of the shell; the id of the job."""
        return int(self.run("sbatch", "--parsable", "--output=/dev/null", *options, "--wrap", script))

    def jobs(self):
        """{id: {"name", "state", "reason", "nodes", "user"}} of what squeue shows."""
        found = {}
        for line in self.run("squeue", "--noheader", "--format=%A|%j|%T|%r|%N|%u").splitlines():
            number, name, state, reason, nodes, user = line.strip().split("|")
            found[int(number)] = {"name": name, "state": state, "reason": reason, "nodes": nodes, "user": user}
        return found

    def all_jobs(self):
        """The ids of all jobs that the controller remembers: also those that ended in the last minutes."""
        return [int(line) for line in self.run("squeue", "--noheader", "--states=all", "--format=%A").split()]

    def state(self, job):
        """The state of a job, "" when squeue does not show it (any more)."""
        return self.jobs().get(job, {}).get("state", "")

    def wait_state(self, job, state, seconds=DEADLINE):
        wait_for(lambda: self.state(job) == state, f"job {job} to become {state or 'absent'}", seconds)

    def node_states(self):
        """{name: state} of the nodes."""
        lines = self.run("sinfo", "--noheader", "--Node", "--partition=main", "--format=%N %T").splitlines()
        return dict(line.split() for line in lines)

    def set_node(self, name, state):
        self.run("scontrol", "update", f"NodeName={name}", f"State={state}", "Reason=test")

    # Its processes

    def pid(self, daemon):
        """The pid of `munged`, `slurmctld` or `slurmd-NODE`, None when it does not run."""
        try:
            with open(os.path.join(self.folder, "run", daemon), encoding="ascii") as file:
                pid, start = map(int, file.read().split())
            return pid if alive(pid) and harness.started(pid) == start else None
        except FileNotFoundError:
            return None

    def stop(self, daemon, number=signal.SIGTERM):
        """Ends one of its processes; `up` brings it back."""
        pid = self.pid(daemon)
        os.kill(pid, number)
        wait_for(lambda: not alive(pid), f"{daemon} to end")

    def processes(self):
        """{pid: command line} of the living processes of its jobs."""
        found = {}
        mark = b"SLURM_CONF=" + self.environment["SLURM_CONF"].encode()
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/environ", "rb") as file:
                    words = file.read().split(b"\0")
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    line = file.read().replace(b"\0", b" ").decode("utf-8", "replace")
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue
            if mark in words and any(word.startswith(b"SLURMD_NODENAME=") for word in words) and alive(int(pid)):
                found[int(pid)] = line
        return found

    def logs(self):
        """The end of each of its logs, for the report of a failure."""
        text, folder = [], os.path.join(self.folder, "log")
        for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
            with open(os.path.join(folder, name), "rb") as file:
                lines = [line for line in file.read().decode("utf-8", "replace").splitlines() if "pmix" not in line]
            if lines:
                text.append(f"--- {name}\n" + "\n".join(lines[-30:]))
        return "\n".join(text)

    # Between tests

    def idle(self):
        return not self.jobs() and set(self.node_states().values()) == {"idle"}

    def clear(self):
        """Brings everything back: daemons run, nodes are idle, no job is there. Returns the jobs that had to go."""
        self.up()
        left = self.jobs()
        if left:
            self.run("scancel", *left)
        wait_for(self.idle, "an idle cluster")
        return left


class ClusterTest(unittest.TestCase):
    """A test on a cluster of its class's own, in `self.cluster`."""

    nodes, gpus, cpus = 4, 2, 8

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.cluster = Cluster(cls.nodes, cls.gpus, cls.cpus)
        cls.addClassCleanup(cls.cluster.down)
        cls.cluster.up()

    def setUp(self):
        super().setUp()
        self.addCleanup(self.make_whole)

    def make_whole(self):
        """Last of a test: nothing of it may be on the cluster."""
        jobs = self.cluster.clear()
        processes = {}

        def none():
            processes.clear()
            processes.update(self.cluster.processes())
            return not processes

        try:
            wait_for(none, "the processes of jobs to end", 10)
        except AssertionError:
            for pid in processes:
                os.kill(pid, signal.SIGKILL)
        self.assertEqual((jobs, processes), ({}, {}), "jobs and processes of jobs left behind")


class EndpointTest(ClusterTest, harness.FarfieldTest):
    """A test with a service in `self.ff`, whose endpoints take their nodes from the cluster. Each node has its own
    registry with as many pretend GPUs as Slurm believes."""

    settings = ()  # of every endpoint of the class

    def setUp(self):
        super().setUp()
        self.ff.environment.update(self.variables())
        self.ff.environment["TMPDIR"] = self.temporary = os.path.join(self.ff.folder, "tmp")
        os.mkdir(self.temporary)
        self.ff.registry = os.path.join(self.ff.folder, "gpus-%n")
        self.pretend()

    def variables(self):
        return {name: value for name, value in self.cluster.environment.items() if name.startswith("SLURM")}

    def pretend(self):
        """Enters the devices of each node into the registry."""
        for node in self.cluster.names:
            self.ff.run("gpu", "pretend", self.gpus, "--registry", self.ff.registry.replace("%n", node))

    def configure(self, name="elastic", *settings, farfield=None):
        """An endpoint that starts without blocks and asks for one node at a time."""
        farfield = farfield or self.ff
        given = dict(setting.split("=", 1) for setting in (
            "init_blocks=0", f"max_blocks={self.nodes}", f"gpus_per_node={self.gpus}", f"cores_per_node={self.slots}",
            "agent_host=127.0.0.1", "status_interval_s=1", *self.settings, *settings))
        return farfield.configure(name, settings=[f"{key}={value}" for key, value in given.items()], provider="slurm")

    def up(self, *functions, settings=(), farfield=None):
        farfield = farfield or self.ff
        farfield.start_service()
        for function in functions:
            farfield.register(function)
        self.configure("elastic", *settings, farfield=farfield)
        farfield.start_endpoint("elastic")

    def submit(self, function, arguments=None, *words):
        return self.ff.submit(function, arguments, *words, endpoint="elastic")

    def leased(self):
        """The devices of all nodes that somebody holds."""
        found = []
        for node in self.cluster.names:
            listed = self.ff.json("gpu", "list", "--registry", self.ff.registry.replace("%n", node))
            found += [(node, device["uuid"]) for device in listed["devices"] if not device["free"]]
        return found

    def end_all(self):
        super().end_all()
        if not self.failed():
            self.assertEqual(self.leased(), [], "devices left behind")
            self.assertEqual(self.files(self.temporary), [], "temporary files left behind")
            folder = os.path.join(self.ff.home, "endpoints")
            for name in os.listdir(folder) if os.path.isdir(folder) else ():
                for below in ("blocks", "tasks"):
                    self.assertEqual(self.files(os.path.join(folder, name, below)), [], f"files left in {name}/{below}")


def main():
    if missing():
        print(f"skipped: Slurm is not installed ({', '.join(missing())}): deploy/install-packages slurm")
        sys.exit(SKIPPED)
    harness.main()

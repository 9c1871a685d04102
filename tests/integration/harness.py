"""What the process tests share: a Farfield of their own, driven through the shipped command.

Each test has a fresh FARFIELD_HOME and a GPU registry file of its own. Every process below that home is found by
its environment, and none may be left when the test ends. Nothing waits on the clock: `wait_for` waits for a
condition, with a deadline after which the test fails. When a test fails, the logs of its programs are shown.
"""
import http.client
import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import time
import unittest

STAGE = os.environ.get("FF_STAGE", "")
SOURCE = os.environ.get("FF_SOURCE", "")
BUILD = os.environ.get("FF_BUILD", "")
COMMAND = os.path.join(STAGE, "bin", "farfield")
FUNCTIONS = os.path.join(STAGE, "lib", "farfield", "functions")
SIEMENS = os.path.join(SOURCE, "tests", "data", "siemens-star.cxi")
SLOWNESS = 6 if os.environ.get("FF_SANITIZER") else 1
DEADLINE = 60 * SLOWNESS

DONE, TASK_FAILED, WRONG_USE, UNREACHABLE, CANCELLED, REFUSED = range(6)
TERMINAL = ("success", "failed", "cancelled")


def wait_for(condition, what, seconds=DEADLINE):
    """The first true value of condition(); fails, naming what was waited for, when the deadline passes."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s in vain for {what}")
        time.sleep(0.01)


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rpartition(")")[2].split()[0] not in ("Z", "X")
    except (FileNotFoundError, ProcessLookupError):
        return False


def started(pid):
    """When a process started, in clock ticks after boot."""
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
        return int(file.read().rpartition(")")[2].split()[19])


def tool(name, *words):
    """Runs a program of tests/integration/tools and returns what it printed."""
    done = subprocess.run([os.path.join(BUILD, "tests", "tools", name), *words], capture_output=True, text=True,
                          timeout=DEADLINE, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{name} {' '.join(words)}: {done.stderr}")
    return done.stdout.strip()


class Outcome:
    """What a command said and how it ended."""

    def __init__(self, words, status, out, err):
        self.words, self.status, self.out, self.err = words, status, out, err

    def __str__(self):
        return (f"farfield {' '.join(self.words)}\nexit status {self.status}\n"
                f"--- output\n{self.out}\n--- error\n{self.err}")

    @property
    def document(self):
        """Standard output as one JSON document."""
        try:
            return json.loads(self.out)
        except ValueError as error:
            raise AssertionError(f"not one JSON document: {error}: {self}") from None

    @property
    def lines(self):
        """Standard output as JSON lines."""
        try:
            return [json.loads(line) for line in self.out.splitlines()]
        except ValueError as error:
            raise AssertionError(f"not JSON lines ({error}): {self}") from None


class Farfield:
    """One state folder, and the command on it."""

    def __init__(self, slots=2, endpoint_settings=(), user=None):
        """`user`: the number of another user, as whom everything runs; only root can do that."""
        self.folder = tempfile.mkdtemp(prefix="farfield test ")  # a path with spaces is part of every test
        self.before = []
        if user is not None:
            os.chown(self.folder, user, user)
            self.before = ["setpriv", "--reuid", str(user), "--regid", str(user), "--clear-groups"]
        self.home = os.path.join(self.folder, "home")
        self.registry = os.path.join(self.folder, "gpus")
        self.slots = slots
        self.endpoint_settings = list(endpoint_settings)
        self.environment = {name: value for name, value in os.environ.items()
                            if not name.startswith(("FARFIELD_", "CUDA_", "PYTHON"))}
        self.environment["FARFIELD_HOME"] = self.home

    # The command

    def run(self, *words, status=DONE, timeout=DEADLINE, stdin=None, environment=None):
        """Runs `farfield WORDS…` and checks its exit status (None: any)."""
        done = subprocess.run([*self.before, COMMAND, *map(str, words)], capture_output=True, timeout=timeout, input=stdin,
                              env={**self.environment, **(environment or {})}, cwd=self.folder, check=False)
        outcome = Outcome(list(map(str, words)), done.returncode, done.stdout.decode(), done.stderr.decode())
        if status is not None and done.returncode != status:
            raise AssertionError(f"expected exit status {status}: {outcome}")
        return outcome

    def start(self, *words):
        """Starts `farfield WORDS…` and returns the process."""
        return subprocess.Popen([*self.before, COMMAND, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                stdin=subprocess.DEVNULL, env=self.environment, cwd=self.folder, text=True)

    def json(self, *words, status=DONE, **options):
        return self.run(*words, "--json", status=status, **options).document

    # Service and endpoint

    def start_service(self):
        return self.run("service", "start")

    def configure(self, name="local", slots=None, settings=(), provider="local"):
        words = ["--set", f"gpu_registry={self.registry}", "--set", "drain_limit_ms=2000"]
        for setting in [*self.endpoint_settings, *settings]:
            words += ["--set", setting]
        return self.run("endpoint", "configure", name, "--provider", provider, "--slots", slots or self.slots, *words)

    def start_endpoint(self, name="local"):
        return self.run("endpoint", "start", name)

    def up(self, *functions):
        """Service, endpoint `local`, and these shipped functions registered."""
        self.start_service()
        for name in functions:
            self.register(name)
        self.configure()
        self.start_endpoint()
        return self

    def register(self, name):
        """Registers a shipped function; its id."""
        path = os.path.join(FUNCTIONS, name + ".so")
        return self.json("function", "register", name, "--native", path)["function_uuid"]

    # Tasks

    def submit(self, function, arguments=None, *words, endpoint="local"):
        """Submits and returns the task's id at once."""
        given = [] if arguments is None else ["--args", json.dumps(arguments)]
        return self.json("run", function, "--endpoint", endpoint, *given, *words, "--detach")["task_id"]

    def call(self, function, arguments=None, *words, endpoint="local"):
        """Submits, waits, and returns the task as `task show` has it."""
        return self.wait_task(self.submit(function, arguments, *words, endpoint=endpoint))

    def show(self, task):
        return self.json("task", "show", task)

    def wait_task(self, task, *states, seconds=DEADLINE):
        """The task once it is in one of these states (default: has ended)."""
        shown = {}

        def reached():
            shown.update(self.show(task))
            if shown["state"] in TERMINAL and shown["state"] not in (states or TERMINAL):
                raise AssertionError(f"the task ended instead of becoming {states}: {shown}")
            return shown["state"] in (states or TERMINAL)

        wait_for(reached, f"task {task} to become {' or '.join(states or TERMINAL)}; newest: {shown}", seconds)
        return shown

    def wait_attempt(self, task, number):
        """Until that attempt runs."""

        def runs():
            shown = self.show(task)
            if shown["state"] in TERMINAL:
                raise AssertionError(f"the task ended before its attempt {number}: {shown}")
            return shown["attempt"] == number and shown["state"] == "running"

        wait_for(runs, f"attempt {number} of {task} to run")

    def epochs(self, task):
        """How many epochs a running reconstruction has reported."""
        return (self.show(task)["progress"] or {}).get("epoch") or 0

    # Processes

    def process(self, *path):
        """The pid that a process file of the home names: process("service") or process("endpoints", NAME)."""
        with open(os.path.join(self.home, *path, "run", "process"), encoding="ascii") as file:
            return int(file.read().split()[0])

    def service_pid(self):
        return self.process("service")

    def agent_pid(self, name="local"):
        return self.process("endpoints", name)

    def processes(self, program=None):
        """Every living process of this home, by its environment; {pid: command line}."""
        found = {}
        mark = f"FARFIELD_HOME={self.home}".encode()
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/environ", "rb") as file:
                    ours = mark in file.read().split(b"\0")
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    line = file.read().split(b"\0")
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue
            name = os.path.basename(line[0].decode("utf-8", "replace"))
            if ours and alive(int(pid)) and program in (None, name):
                found[int(pid)] = b" ".join(line).decode("utf-8", "replace")
        return found

    def pids(self, program):
        return sorted(self.processes(program))

    def busy_runners(self):
        """The runners that have loaded a function, oldest first; others are started ahead."""
        found = []
        for pid in self.pids("farfield-runner"):
            try:
                with open(f"/proc/{pid}/maps", encoding="utf-8", errors="replace") as file:
                    if "/cache/objects/" in file.read():
                        found.append((started(pid), pid))
            except (FileNotFoundError, ProcessLookupError):
                pass
        return [pid for _, pid in sorted(found)]

    def kill(self, pid, number=signal.SIGKILL):
        """Sends a signal to a process of this home, and waits for its end when that is what the signal means."""
        if pid not in self.processes():
            raise AssertionError(f"{pid} is no process of {self.home}")
        os.kill(pid, number)
        if number == signal.SIGKILL:
            wait_for(lambda: not alive(pid), f"process {pid} to end")

    # The HTTPS API, where the command does not reach

    def config(self):
        """url, certificate and token as config.yaml names them."""
        with open(os.path.join(self.home, "config.yaml"), encoding="utf-8") as file:
            text = file.read()
        found = dict(re.findall(r"^\s*(url|certificate|token):\s*[\"']?([^\"'\n]+?)[\"']?\s*$", text, re.MULTILINE))
        found["certificate"] = os.path.join(self.home, found["certificate"])
        with open(os.path.join(self.home, found["token"]), encoding="ascii") as file:
            found["token"] = file.read().strip()
        return found

    def ports(self):
        """(HTTPS, ROUTER) of the service."""
        with open(os.path.join(self.home, "service", "run", "ports"), encoding="ascii") as file:
            return tuple(int(word) for word in file.read().split()[:2])

    def tls(self):
        """What trusts the certificate of this service and no other."""
        context = ssl.create_default_context(cafile=self.config()["certificate"])
        context.check_hostname = False
        return context

    def bearer(self):
        return {"Authorization": "Bearer " + self.config()["token"]}

    def connection(self, timeout=DEADLINE):
        return http.client.HTTPSConnection("127.0.0.1", self.ports()[0], context=self.tls(), timeout=timeout)

    def rest(self, method, path, body=None):
        """(HTTP status, document)."""
        connection = self.connection()
        data = None if body is None else json.dumps(body).encode()
        connection.request(method, path, body=data, headers={**self.bearer(), "Content-Type": "application/json"})
        reply = connection.getresponse()
        text = reply.read()
        connection.close()
        return reply.status, json.loads(text) if text else None

    def submit_group(self, endpoint, function, values, **resources):
        """Submits a call for each value in one request; (id of the group, ids of the tasks)."""
        status, reply = self.rest("POST", f"/v3/endpoints/{endpoint}/submit",
                                  {"tasks": {function: values}, "resource_specification": resources})
        if status != 200:
            raise AssertionError(f"not accepted: {status} {reply}")
        return reply["task_group_id"], next(iter(reply["tasks"].values()))

    def group_results(self, group):
        """{id: task} of the ended tasks of a group; one that is there twice raises AssertionError."""
        found, after = {}, 0
        while True:
            page = self.rest("GET", f"/v3/taskgroups/{group}/results?after={after}&limit=500")[1]
            if not page["results"]:
                return found
            for entry in page["results"]:
                if entry["task_id"] in found:
                    raise AssertionError(f"answered twice: {entry}")
                found[entry["task_id"]] = entry
                after = entry["seq"]

    # The end

    def stop(self):
        """Ends everything, in order where that works, and returns what had to be ended by force."""
        folder = os.path.join(self.home, "endpoints")
        for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
            if os.path.exists(os.path.join(folder, name, "run", "process")):
                self.run("endpoint", "stop", name, status=None, timeout=4 * DEADLINE)
        if os.path.isdir(os.path.join(self.home, "service")):
            self.run("service", "stop", status=None)
        try:
            wait_for(lambda: not self.processes(), "every process to end")
        except AssertionError:
            pass
        left = self.processes()
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        return left

    def logs(self):
        """The end of every log below the home, for the report of a failure."""
        text = []
        for folder, _, names in os.walk(self.home):
            for name in names:
                if name == "log":
                    path = os.path.join(folder, name)
                    with open(path, "rb") as file:
                        lines = file.read().decode("utf-8", "replace").splitlines()
                    text.append(f"--- {os.path.relpath(path, self.home)}\n" + "\n".join(lines[-60:]))
        return "\n".join(text)

    def remove(self):
        for folder, below, _ in os.walk(self.folder):
            for name in below:
                os.chmod(os.path.join(folder, name), 0o700)
        shutil.rmtree(self.folder, ignore_errors=True)


class FarfieldTest(unittest.TestCase):
    """A test with a Farfield of its own in `self.ff`."""

    slots = 2
    endpoint_settings = ()
    alive_afterwards = False  # whether service and endpoint must still work when the test ends

    def setUp(self):
        self.ff = Farfield(self.slots, self.endpoint_settings)
        self.addCleanup(self.ff.remove)
        self.maxDiff = None

    def tearDown(self):
        try:
            if self.alive_afterwards and not self.failed():
                self.assert_alive()
        finally:
            self.end_all()

    def end_all(self):
        failed = self.failed()
        if failed:
            print(f"\n=== {self.id()}: processes {self.ff.processes()}\n{self.ff.logs()}", file=sys.stderr)
        left = self.ff.stop()
        logs = self.ff.logs()
        for sign in ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "runtime error:", "WARNING: ThreadSanitizer"):
            if sign in logs:
                self.fail("a sanitizer found something:\n" + logs)
        if left and not failed:
            self.fail(f"these processes were left behind: {left}\n{logs}")

    def failed(self):
        outcome = self._outcome
        if hasattr(outcome, "errors"):  # until Python 3.10
            return any(error for _, error in outcome.errors)
        return bool(outcome.result.errors or outcome.result.failures) and \
            any(test is self for test, _ in outcome.result.errors + outcome.result.failures)

    def assert_says(self, outcome, *words):
        """Its messages hold all these words, whatever the case."""
        said = (outcome.err + outcome.out).lower()
        for word in words:
            self.assertIn(str(word).lower(), said, str(outcome))

    def assert_alive(self):
        """The service answers, and the same endpoint still runs a task."""
        self.ff.json("service", "status")
        task = self.ff.call("echo", {"still": "here"})
        self.assertEqual((task["state"], task["result"]), ("success", {"still": "here"}))

    def files(self, folder):
        return sorted(os.path.relpath(os.path.join(where, name), folder)
                      for where, _, names in os.walk(folder) for name in names)


def main():
    if not os.path.exists(COMMAND):
        sys.exit(f"{COMMAND} is not there: run this through ctest, or set FF_STAGE, FF_SOURCE and FF_BUILD")
    unittest.main(verbosity=2)

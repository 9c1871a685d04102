"""Runs of the two programs as children, each with its epochs, its start and its peak of memory."""
import json
import os
import subprocess
import time

HERE = os.path.dirname(os.path.abspath(__file__))
WRONG_USE = 2


class NotThere(Exception):
    """The installed program refuses a setting: it does not know it, or not yet."""


class Failed(Exception):
    """A run that ended badly, with what it said."""


def run(words, environment, log):
    """Runs a child that prints JSON lines. Returns (exit status, [(line, seconds after the start)], peak bytes).

    The peak is what the kernel counted for this child alone (ru_maxrss); its own error output goes into `log`.
    """
    begin = time.monotonic()
    with open(log, "w", encoding="utf-8") as errors, \
            subprocess.Popen(words, stdout=subprocess.PIPE, stderr=errors, stdin=subprocess.DEVNULL, text=True,
                             env={**os.environ, **environment}) as child:
        lines = [(json.loads(line), time.monotonic() - begin) for line in child.stdout if line.startswith("{")]
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    return child.returncode, lines, usage.ru_maxrss * 1024


def said(log):
    with open(log, encoding="utf-8", errors="replace") as file:
        return [line for line in file.read().splitlines() if line.strip()]


def figures(lines, peak, result):
    """What `table.summary` takes: the ends of the epochs, the time until the first one began, the peak."""
    epochs = [(line["seconds"], at) for line, at in lines if line.get("type") == "epoch"]
    return {"ends": [seconds for seconds, _ in epochs], "start_s": epochs[0][1] - epochs[0][0], "peak_bytes": peak,
            "result": result}


def simulate(command, folder, patterns, size):
    """The path of a simulated scan in `folder`, made where it is not there yet."""
    path = os.path.join(folder, f"simulated-{patterns}-{size}.cxi")
    if not os.path.exists(path):
        begun = path + ".begun.cxi"
        words = [command, "simulate", "--output", begun, "--size", str(size), "--patterns", str(patterns),
                 "--seed", "1", "--json"]
        status, _, _ = run(words, {"FARFIELD_HOME": os.path.join(folder, "home")}, path + ".log")
        if status != 0:
            raise Failed("farfield simulate: " + "\n".join(said(path + ".log")[-5:]))
        os.rename(begun, path)
    return path


def reconstruct(command, folder, key, scan, settings):
    """`farfield reconstruct SCAN` with "KEY=VALUE" settings, afresh unless they say otherwise.

    Returns (lines with their times, peak bytes, path of the result), which lies in `folder` under the name `key`.
    """
    result, log = os.path.join(folder, key + ".h5"), os.path.join(folder, key + ".log")
    words = [command, "reconstruct", scan, "--output", result, "--json"]
    for setting in ["resume=never", *settings]:
        words += ["--set", setting]
    status, lines, peak = run(words, {"FARFIELD_HOME": os.path.join(folder, "home")}, log)
    if status == WRONG_USE:
        raise NotThere(said(log)[0])
    if status != 0:
        raise Failed("\n".join(said(log)[-5:]))
    return lines, peak, result


class Ours:
    """`farfield reconstruct` with some settings."""

    def __init__(self, command, folder, name, settings):
        self.command, self.folder, self.settings = command, folder, settings
        self.key = "farfield-" + name

    def run(self, scan, case):
        settings = [f"{name}={case[name]}" for name in ("modes", "batches", "epochs", "threads")]
        return figures(*reconstruct(self.command, self.folder, self.key, scan, settings + self.settings))


class Peer:
    """The package ptychi with one of its algorithms. `keep_heap` has the C library keep the memory that is freed,
    which spares the package the kernel's work for the same pages in every batch."""

    def __init__(self, python, folder, name, keep_heap):
        self.python, self.folder, self.name, self.keep_heap = python, folder, name, keep_heap
        self.key = "ptychi-" + name

    def run(self, scan, case):
        result = os.path.join(self.folder, f"{self.key}.npz")
        wanted = {**case, "scan": scan, "algorithm": self.name, "output": result}
        environment = {"OMP_NUM_THREADS": str(case["threads"]), "PYTHONDONTWRITEBYTECODE": "1"}
        if self.keep_heap:
            environment.update(MALLOC_MMAP_THRESHOLD_=str(1 << 32), MALLOC_TRIM_THRESHOLD_=str(1 << 33),
                               MALLOC_TOP_PAD_=str(1 << 28))
        log = os.path.join(self.folder, f"{self.key}.log")
        status, lines, peak = run([self.python, os.path.join(HERE, "peer.py"), json.dumps(wanted)], environment, log)
        if status != 0:
            raise Failed("\n".join(said(log)[-5:]))
        found = figures(lines, peak, result)
        found["imported_bytes"] = lines[0][0]["bytes"]
        return found


def costs(python, scan, result):
    """What evaluate.py says of a result: {"own", "bilinear", "fourier"}."""
    done = subprocess.run([python, os.path.join(HERE, "evaluate.py"), scan, result], capture_output=True, text=True,
                          env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}, check=False)
    if done.returncode != 0:
        raise Failed(f"the evaluation of {result} failed:\n{done.stderr.strip()}")
    return json.loads(done.stdout)

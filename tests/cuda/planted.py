#!/usr/bin/env python3
"""planted.py --build FOLDER --generator NAME --readme FILE [--write] [TEXT…]

Plants the faults of planted_faults.py in the CUDA backend, one at a time: a copy of the source with the fault is compiled by
the command of ff_cuda_on_cpu, the test program is linked with it in front of the library, whose own member is then not
taken, and run. It must fail, in the way that the table says; without a fault it must pass. The folder is that of a
finished build, of which nothing is changed.
  TEXT      only faults whose name or file has it
  --write   puts the list of the faults into the README, between two marks; else it must stand there
Exit status 0: each fault was caught; 1: not, or the table is out of date; 77: the build is not one of Ninja.
"""
import argparse
import collections
import concurrent.futures
import os
import re
import resource
import shlex
import shutil
import subprocess
import sys
import time

from planted_faults import CALL, CHECK, CRASH, ENDLESS, FAULTS, NUMBERS, SILENCE, STANDIN

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SOURCES = "functions/reconstruct/backends/cuda"
BEGIN, END = "<!-- planted: begin -->", "<!-- planted: end -->"
PATIENCE_S = 150  # for a program that takes a few seconds: then it hangs
AT_ONCE = 2
# What a test program says, and how it then fails: the first that is found. After a failed test things may not have been given back.
MARKS = (
    (STANDIN, r"^CUDA stand-in: (?!not given back)"),
    (CRASH, r"Test failed with exception: "),
    (CALL, r"^ERROR: .*device \d+: \w+: .*\(cu"),
    (SILENCE, r"^ERROR: .*nothing said so"),
    (NUMBERS, r"^ERROR: |not equal|!=|differ"),
    (CHECK, r"error: Failure"),
    (STANDIN, r"^CUDA stand-in: "),
)

Outcome = collections.namedtuple("Outcome", "how text")


class Failed(Exception):
    """What is wrong with a fault of the table, or with the build."""


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def swap(text, old, new):
    """`text` with `new` for `old`, which must be there."""
    if old not in text:
        raise Failed(f"this command has no {old}: {text}")
    return text.replace(old, new)


class Build:
    """The commands of a build, by what they make."""

    def __init__(self, folder, programs):
        self.folder = folder
        self.commands = {}
        said = subprocess.run(["ninja", "-t", "commands", *sorted(programs)], cwd=folder, capture_output=True, text=True,
                              check=True).stdout
        for line in said.splitlines():
            made = re.search(r" -o (\S+)", line)
            if made:
                self.commands[made.group(1)] = line

    def command_of(self, made):
        if made not in self.commands:
            raise Failed(f"the build makes no {made}")
        return self.commands[made]

    def run(self, command):
        done = subprocess.run(command, shell=True, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, check=False)
        if done.returncode != 0:
            raise Failed(f"the command of the build failed:\n{done.stdout}")

    def compile(self, name, planted, room):
        """The object of ff_cuda_on_cpu from source `name` of the backend. What there is in the tree `planted` comes first."""
        source = os.path.join(planted, SOURCES, name)
        if not os.path.exists(source):
            source = os.path.join(ROOT, SOURCES, name)
        made = f"tests/cuda/CMakeFiles/ff_cuda_on_cpu.dir/__/__/{SOURCES}/{name}.o"
        own = os.path.join(room, name + ".o")
        command = swap(self.command_of(made), made, shlex.quote(own))
        command = swap(command, f" -c {ROOT}/{SOURCES}/{name}", f" -c {shlex.quote(source)}")
        self.run(swap(command, f" -I{ROOT} ", f" -I{shlex.quote(planted)} -I{ROOT} ") + " -Wno-error")
        return own

    def link(self, program, objects, room):
        made = f"tests/cuda/{program}"
        own = os.path.join(room, program)
        first = " ".join(map(shlex.quote, objects))
        self.run(swap(self.command_of(made), f" -o {made} ", f" {first} -o {shlex.quote(own)} "))
        return own


def run_test(program, arguments):
    """None where it passes."""
    try:
        done = subprocess.run([program, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PATIENCE_S,
                              check=False)
    except subprocess.TimeoutExpired:
        return Outcome(ENDLESS, f"stopped after {PATIENCE_S} s")
    if done.returncode == 0:
        return None
    lines = done.stdout.decode(errors="replace").splitlines()
    for how, mark in MARKS:
        for line in lines:
            if re.search(mark, line):
                return Outcome(how, line.strip())
    return Outcome(CRASH, f"exit status {done.returncode}")


def plant(fault):
    """The text of the source with the fault."""
    text = read(os.path.join(ROOT, SOURCES, fault.file))
    if text.count(fault.old) != 1:
        raise Failed(f"{fault.file} has this {text.count(fault.old)} times, not once; the table is out of date:\n{fault.old}")
    return text.replace(fault.old, fault.new)


def try_fault(build, fault):
    """What the tests say of it; raises Failed where none fails."""
    room = os.path.join(build.folder, "tests/cuda/planted", re.sub(r"\W+", "_", fault.name))
    shutil.rmtree(room, ignore_errors=True)
    planted = os.path.join(room, "planted")
    write(os.path.join(planted, SOURCES, fault.file), plant(fault))
    objects = [build.compile(name, planted, room) for name in fault.compiled or [fault.file]]
    program, *arguments = fault.test.split()
    outcome = run_test(build.link(program, objects, room), arguments)
    if outcome is None:
        raise Failed(f"{fault.test} passes all the same")
    if outcome.how != fault.how:
        raise Failed(f"{fault.test} was to fail by {fault.how}, but: {outcome.text} ({outcome.how})")
    shutil.rmtree(room)
    return outcome


def try_sound(build, test):
    program, *arguments = test.split()
    outcome = run_test(os.path.join(build.folder, "tests/cuda", program), arguments)
    if outcome is not None:
        raise Failed(f"{test} fails without a fault: {outcome.text}")
    return Outcome("", "passes without a fault")


def try_all(work):
    """`work`: (name, function, its arguments). How many failed."""
    failed = 0

    def timed(function, *arguments):
        began = time.monotonic()
        try:
            return function(*arguments).text, True, time.monotonic() - began
        except Failed as error:
            return str(error), False, time.monotonic() - began

    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        jobs = [(name, pool.submit(timed, function, *arguments)) for name, function, *arguments in work]
        for name, job in jobs:
            text, good, seconds = job.result()
            failed += not good
            print(f"{'caught' if good else 'FAILED'} {seconds:4.0f} s  {name}: {text}", flush=True)
    return failed


def listing():
    rows = [f"| {fault.name} | `{fault.file}` | {fault.how} | `{fault.test}` |" for fault in FAULTS]
    return "\n".join([BEGIN, "| fault | in | caught by | test |", "|---|---|---|---|", *rows, END])


def check_listing(path, rewrite):
    text = read(path)
    begin, end = text.index(BEGIN), text.index(END) + len(END)
    if rewrite:
        write(path, text[:begin] + listing() + text[end:])
    elif text[begin:end] != listing():
        raise Failed(f"{path} lists other faults; planted.py --write, or the target cuda_planted_list, puts them there")


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    for name in ("build", "generator", "readme"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("text", nargs="*")
    options = parser.parse_args()
    if options.generator != "Ninja":
        print(f"The commands of a build by {options.generator} are not known")
        return 77
    check_listing(options.readme, options.write)
    if options.write:
        return 0
    faults = [fault for fault in FAULTS if not options.text or any(text in fault.name + fault.file for text in options.text)]
    if not faults:
        raise Failed(f"no fault has {' or '.join(options.text)}")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    tests = sorted({fault.test for fault in faults})
    build = Build(os.path.abspath(options.build), {test.split()[0] for test in tests})
    failed = try_all([(test, try_sound, build, test) for test in tests])
    failed += try_all([(fault.name, try_fault, build, fault) for fault in faults])
    print(f"{len(faults)} faults, {failed} tries failed")
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failed as error:
        sys.exit(f"planted: {error}")

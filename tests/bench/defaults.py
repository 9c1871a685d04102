#!/usr/bin/env python3
"""tests/bench/defaults.py [--farfield PATH] [--epochs 10,40] [--scans near,weak] [LABEL:SETTINGS]…

What settings of `farfield reconstruct` reach on simulated scans whose object is known: the error of the object
relative to the truth (after the best factor, shift and phase ramp), in percent, after each number of epochs,
and the cost per pixel after the last. SETTINGS are words as --set takes them, joined by commas; without any,
every algorithm with its own defaults. Prints a table.

    tests/bench/defaults.py lstsq:algorithm=lstsq "careful lstsq:algorithm=lstsq,alpha=0.5"

functions/reconstruct/solvers/README.md has the table that the defaults were chosen by.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

# What each scan is like, as the settings of `farfield simulate`.
SCANS = {
    "near": ["object=siemens", "counts=1e6", "overlap=0.7"],
    "strong": ["object=coins", "counts=1e7", "overlap=0.8"],
    "weak": ["object=siemens", "counts=1e4", "overlap=0.7"],
    "sparse": ["object=coins", "counts=1e5", "overlap=0.6"],
    "modes": ["object=coins", "counts=1e6", "overlap=0.7", "modes=3"],
    "unknown": ["object=siemens", "counts=1e5", "overlap=0.7", "modes=3", "guess=none"],
    "few": ["object=siemens", "counts=1e6", "overlap=0.7", "patterns=100"],
    "many": ["object=coins", "counts=1e5", "overlap=0.7", "patterns=1600"],
}
ALGORITHMS = ("lstsq", "rpie", "epie", "cgrad", "ml", "dm", "raar")


def words(command, settings):
    return [*command, *(word for setting in settings for word in ("--set", setting))]


def simulate(farfield, name, folder):
    path = os.path.join(folder, f"{name}.cxi")
    subprocess.run([*words([farfield, "simulate"], SCANS[name]), "--output", path], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return path


def last_line(command):
    """The last JSON line of a command, or None when it failed, which is told on standard error."""
    done = subprocess.run([*command, "--json"], stdout=subprocess.PIPE, text=True, check=False)
    return json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else None


def measure(farfield, scan, settings, epochs, folder):
    """(error of the object, cost per pixel) after so many epochs."""
    output = os.path.join(folder, "result.h5")
    modes = next((word for word in SCANS[scan] if word.startswith("modes=")), "modes=1")
    path = os.path.join(folder, f"{scan}.cxi")
    result = last_line([*words([farfield, "reconstruct", path], [modes, f"epochs={epochs}", *settings]),
                        "--output", output])
    if result is None:
        return None
    near = last_line([farfield, "compare", output, path, *([] if scan == "unknown" else ["--keep-hand"])])
    return None if near is None else (near["object_error"], result["cost"])


def cell(found):
    """"6.5 4.3 · .266": the errors, and the last cost."""
    errors = " ".join("failed" if one is None else f"{100 * one[0]:.1f}" for one in found)
    return errors if found[-1] is None else f"{errors} · {found[-1][1]:.3g}".replace("· 0.", "· .")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--farfield", default="build/stage/bin/farfield")
    parser.add_argument("--epochs", default="10,40")
    parser.add_argument("--scans", default=",".join(SCANS))
    parser.add_argument("candidates", nargs="*", metavar="LABEL:SETTINGS")
    given = parser.parse_args()
    candidates = [(label, settings.split(",")) for label, _, settings in
                  (word.partition(":") for word in given.candidates)]
    candidates = candidates or [(name, [f"algorithm={name}"]) for name in ALGORITHMS]
    scans = given.scans.split(",")
    counts = [int(number) for number in given.epochs.split(",")]
    print("| | " + " | ".join(scans) + " |")
    print("|---|" + "---|" * len(scans))
    with tempfile.TemporaryDirectory() as folder:
        for scan in scans:
            simulate(given.farfield, scan, folder)
        for label, settings in candidates:
            cells = [cell([measure(given.farfield, scan, settings, count, folder) for count in counts])
                     for scan in scans]
            print(f"| {label} | " + " | ".join(cells) + " |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

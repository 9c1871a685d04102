#!/usr/bin/env python3
"""Farfield beside the Python package ptychi: same data, algorithm, batches and threads, on this CPU, in one run.

  tests/bench/side_by_side.py                      the whole table, a few minutes
  tests/bench/side_by_side.py --quick              the Siemens star with one mode alone, few epochs
  tests/bench/side_by_side.py --algorithms rpie --json

Everything it needs is made in its folder (default: bench/ in the build folder): the environment with the packages
that requirements.txt pins, the simulated scan, the results. The programs take turns, round after round. Exit status:
0 every required figure holds or its row was skipped, 1 one is missed or a run failed, 2 wrong use.
"""
import argparse
import datetime
import json
import os
import platform
import sys

sys.dont_write_bytecode = True

from environment import SIEMENS, Refused, farfield_command, python_with_packages, work_folder
from programs import Failed, NotThere, Ours, Peer, costs, simulate
from table import compare, misses, summary, text_table

# What stands in a row: our settings, and the algorithm of theirs that does the same.
CONTESTS = {
    "lstsq": ("lstsq, step=position", ["algorithm=lstsq", "step=position"], "lstsq"),
    "default": ("default settings", [], "lstsq"),
    "untouched": ("the same, its own batches", ["batches=0"], "lstsq"),
    "rpie": ("rpie", ["algorithm=rpie"], "rpie"),
    "epie": ("epie", ["algorithm=epie"], "epie"),
}
SHOWN = {"lstsq": "LSQML", "rpie": "RPIE", "epie": "EPIE"}
# The epochs are enough for the cost to have fallen to where methods differ, and no more.
CASES = [
    {"scan": "siemens", "modes": 1, "batches": 5, "epochs": 10},
    {"scan": "siemens", "modes": 5, "batches": 5, "epochs": 10},
    {"scan": "simulated", "modes": 1, "batches": 10, "epochs": 5},
]
# Times faster than theirs at the same batches, which is what our program promises.
REQUIRED_RATIO = {("lstsq", "siemens", 1): 25, ("lstsq", "siemens", 5): 16, ("lstsq", "simulated", 1): 28,
                  ("default", "siemens", 1): 30, ("default", "siemens", 5): 20, ("default", "simulated", 1): 40}
REQUIRED_PEAK_SHARE, REQUIRED_START_S = 0.1, 0.2


def words_of(text):
    return [word for word in text.split(",") if word]


def command_line():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--farfield", metavar="PROGRAM", help="the command (default: the build's, else that of PATH)")
    parser.add_argument("--folder", help="where environment, data and results go (default: bench/ in the build folder)")
    parser.add_argument("--quick", action="store_true", help="one scan, one mode, one round of four epochs")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of the table")
    parser.add_argument("--algorithms", type=words_of, default=["lstsq", "default", "untouched", "rpie"], metavar="A,B",
                        help=f"of {', '.join(CONTESTS)} (default: all but epie)")
    parser.add_argument("--scans", type=words_of, default=["siemens", "simulated"], metavar="A,B",
                        help="of siemens, simulated (1,000 patterns of 256 × 256)")
    parser.add_argument("--modes", type=lambda text: [int(word) for word in words_of(text)], metavar="1,5",
                        help="only the cases of these numbers of modes")
    parser.add_argument("--epochs", type=int, help="of every run (default: 10, and 5 for the simulated scan)")
    parser.add_argument("--rounds", type=int, default=2, help="how often the programs take turns (default: 2)")
    parser.add_argument("--threads", type=int, default=2, help="of both programs (default: 2)")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting more of ours")
    parser.add_argument("--keep-heap", action="store_true",
                        help="ptychi with an allocator that keeps freed memory, which is faster than as installed")
    given = parser.parse_args()
    if not given.algorithms or not set(given.algorithms) <= set(CONTESTS):
        parser.error(f"--algorithms takes some of {', '.join(CONTESTS)}")
    if not set(given.scans) <= {case["scan"] for case in CASES}:
        parser.error("--scans takes some of siemens, simulated")
    if given.rounds < 1 or given.threads < 1 or (given.epochs is not None and given.epochs < 1):
        parser.error("--rounds, --threads and --epochs are at least 1")
    if given.quick:
        given.scans, given.modes, given.rounds, given.epochs = ["siemens"], [1], 1, given.epochs or 4
    return given


def scan_file(name, command, folder):
    if name == "siemens":
        return SIEMENS
    return simulate(command, folder, 1000, 256)


def say(given, text):
    print(text, file=sys.stderr if given.json else sys.stdout, flush=True)


def case_name(case):
    return f"{case['scan']}, {case['modes']} mode{'' if case['modes'] == 1 else 's'}"


def contestants(given, command, python, folder):
    """{contest: ours}, {algorithm: theirs}: each program is run once a round, however many rows it stands in."""
    ours = {name: Ours(command, folder, name, CONTESTS[name][1] + given.set)
            for name in given.algorithms}
    theirs = {CONTESTS[name][2]: Peer(python, folder, CONTESTS[name][2], given.keep_heap) for name in given.algorithms}
    return ours, theirs


def measure(given, case, scan, ours, theirs):
    """Rounds of one case: {contestant: [runs]} and {contestant: why it was skipped}."""
    runs, skipped = {}, {}
    for turn in range(given.rounds):
        for name, program in ours.items():
            peer = theirs[CONTESTS[name][2]]
            for one in (program, peer):
                if one in skipped or len(runs.get(one, [])) > turn or (one is peer and program in skipped):
                    continue
                say(given, f"  {case_name(case)}, round {turn + 1}: {one.key}")
                try:
                    runs.setdefault(one, []).append(one.run(scan, case))
                except NotThere as why:
                    skipped[one] = str(why)
    return runs, skipped


def rows_of(given, case, scan, ours, theirs, python):
    runs, skipped = measure(given, case, scan, ours, theirs)
    sums = {}
    for one, some in runs.items():
        if some:
            sums[one] = {**summary(some), "costs": costs(python, scan, some[-1]["result"])}
            if "imported_bytes" in some[-1]:
                sums[one]["imported_bytes"] = some[-1]["imported_bytes"]
    for name, program in ours.items():
        row = {"case": case, "contest": name, "ours": CONTESTS[name][0], "theirs": SHOWN[CONTESTS[name][2]]}
        if program in skipped:
            yield {**row, "skipped": skipped[program]}
            continue
        peer = theirs[CONTESTS[name][2]]
        required = {"peak_share": REQUIRED_PEAK_SHARE, "start_s": REQUIRED_START_S}
        if (name, case["scan"], case["modes"]) in REQUIRED_RATIO:
            required["ratio"] = REQUIRED_RATIO[name, case["scan"], case["modes"]]
        yield {**row, "figures": {"ours": sums[program], "theirs": sums[peer]},
               **compare(sums[program], sums[peer], required)}


def shown_cost(value):
    return "NaN" if value is None else f"{value:.3f}"


def shown(row):
    """A row of the table: ours and theirs, best and median epochs, and what was required in brackets."""
    begin = [row["case"]["scan"], row["case"]["modes"], row["ours"], row["theirs"]]
    if "skipped" in row:
        return begin + ["-"] * 9
    ours, theirs = row["figures"]["ours"], row["figures"]["theirs"]
    ratio = f"{row['ratio']:.0f} / {row['ratio_of_medians']:.0f}"
    if "ratio" in row["required"]:
        ratio += f" (≥ {row['required']['ratio']}: {row['verdicts']['ratio']})"
    return begin + [
        f"{1e3 * ours['epoch_s']:.1f} / {1e3 * ours['epoch_median_s']:.1f}",
        f"{1e3 * theirs['epoch_s']:.0f} / {1e3 * theirs['epoch_median_s']:.0f}", ratio,
        f"{ours['peak_bytes'] / 1e6:.0f}", f"{theirs['peak_bytes'] / 1e6:.0f}",
        f"{row['peak_share']:.3f} (≤ {REQUIRED_PEAK_SHARE}: {row['verdicts']['peak_share']})",
        f"{ours['start_s']:.2f} (≤ {REQUIRED_START_S}: {row['verdicts']['start_s']})", f"{theirs['start_s']:.2f}",
        f"{shown_cost(ours['costs']['own'])} / {shown_cost(theirs['costs']['own'])} after {row['case']['epochs']}"]


HEAD = ["scan", "modes", "Farfield", "ptychi", "ms/epoch", "theirs", "times faster", "peak MB", "theirs", "share",
        "start s", "theirs", "cost, theirs"]


def machine():
    """What computed, in words."""
    model = platform.machine()
    with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
        for line in file:
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    return {"cpu": model, "cores": os.cpu_count(), "load_before": os.getloadavg()[0]}


def bench(given):
    host = machine()
    folder = work_folder(given.folder)
    command = farfield_command(given.farfield)
    python = python_with_packages(folder)
    if host["load_before"] > 0.5:
        say(given, f"something else runs here (load {host['load_before']:.1f}): both programs will look slower, and "
                   "theirs more, whose threads wait for each other in loops")
    ours, theirs = contestants(given, command, python, folder)
    rows = []
    for case in CASES:
        if case["scan"] in given.scans and (given.modes is None or case["modes"] in given.modes):
            case = {**case, "epochs": given.epochs or case["epochs"], "threads": given.threads}
            rows += rows_of(given, case, scan_file(case["scan"], command, folder), ours, theirs, python)
    return {"type": "side-by-side", "when": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
            "machine": host, "threads": given.threads, "keep_heap": given.keep_heap, "rows": rows}


def main():
    given = command_line()
    try:
        document = bench(given)
    except (Refused, Failed) as why:
        print(f"side_by_side.py: {why}", file=sys.stderr)
        return 1
    if given.json:
        print(json.dumps(document, ensure_ascii=False))
    else:
        print(text_table(HEAD, [shown(row) for row in document["rows"]]))
        for row in document["rows"]:
            if "skipped" in row:
                print(f"skipped: {case_name(row['case'])}, {row['ours']}: {row['skipped']}")
    return 1 if misses(document["rows"]) else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""The figures that Farfield promises beside its speed, at full size, through the shipped command.

  tests/bench/quality.py                        all of them: about half an hour, 6 GB of disk
  tests/bench/quality.py --rows costs,devices   some of: costs, memory, large, kills, devices
  tests/bench/quality.py --quick                the small ones, with few kills and devices: a minute or two

Scans and results lie in its folder (default: bench/ in the build folder). A row whose settings the installed program
does not know is skipped, with the program's words. Needs nothing but Python and the build, whose tests/tools/hdf5_tool
reads results. Exit status: 0 none missed, 1 one missed or a run failed, 2 wrong use.
"""
import argparse
import json
import os
import random
import subprocess
import sys
import time

sys.dont_write_bytecode = True

from environment import BUILD, SIEMENS, Refused, farfield_command, work_folder
from programs import Failed, NotThere, reconstruct, run, simulate
from table import MISSES, text_table, verdict

ALGORITHMS = ["lstsq", "rpie", "epie", "dm", "raar", "ml", "cgrad"]
STATE = ["/object", "/probe", "/probe_position_y_m", "/probe_position_x_m"]
# What is run on the Siemens star, and the most that the final cost may be.
COSTS = [
    (["modes=5", "positions=on", "epochs=100"], 0.215),
    (["epochs=10"], 0.335),
    (["epochs=40"], 0.325),
    (["positions=on", "epochs=40"], 0.312),
    (["algorithm=rpie", "epochs=40"], 0.351),
    (["algorithm=rpie", "modes=5", "epochs=40"], 0.249),
]
BEST_OTHER_COST, BEST_OTHER_WITHIN_S = 0.227, 5
MEMORY_SLACK, PLAN_SLACK, LARGE_BYTES = 1.25, 0.15, 12 << 30
DIFFERENCE_MOST = 1e-4


class Bench:
    """What every row uses, and the rows so far."""

    def __init__(self, given):
        self.folder = work_folder(given.folder)
        self.command = farfield_command(given.farfield)
        self.given, self.rows, self.random = given, [], random.Random(given.seed)

    def say(self, text):
        print(text, file=sys.stderr if self.given.json else sys.stdout, flush=True)

    def add(self, what, figure, required, word, value=None):
        self.rows.append({"what": what, "figure": figure, "required": required, "verdict": word, "value": value})
        self.say(f"  {what}: {figure} ({required}): {word}")

    def skip(self, what, why):
        self.add(what, "", "", f"skipped: {why}")

    def reconstruct(self, key, scan, settings):
        return reconstruct(self.command, self.folder, key, scan, [f"threads={self.given.threads}", *settings])

    def digests(self, result):
        return [tool("digest", result, name) for name in STATE]


def tool(*words):
    done = subprocess.run([os.path.join(BUILD, "tests", "tools", "hdf5_tool"), *words], capture_output=True, text=True,
                          check=False)
    if done.returncode != 0:
        raise Failed(done.stderr.strip())
    return done.stdout.strip()


def costs(bench):
    for settings, most in COSTS:
        what = "siemens, " + (" ".join(settings))
        try:
            lines, _, _ = bench.reconstruct("quality-cost", SIEMENS, settings)
        except NotThere as why:
            bench.skip(what, why)
            continue
        cost = lines[-1][0]["cost"]
        bench.add(what, f"cost {cost:.4f}", f"≤ {most}", verdict(cost, most=most), cost)
        if settings is COSTS[0][0]:
            best_other(bench, lines)


def best_other(bench, lines):
    """How long after its start the program reports what the best other code reaches in minutes."""
    reached = [at for line, at in lines if line.get("type") == "epoch" and line["cost"] <= BEST_OTHER_COST]
    bench.add(f"the same, cost {BEST_OTHER_COST}", f"after {reached[0]:.1f} s" if reached else "never",
              f"≤ {BEST_OTHER_WITHIN_S} s", verdict(reached[0], most=BEST_OTHER_WITHIN_S) if reached else MISSES,
              reached[0] if reached else None)


def memory_needed(plan, settings, patterns, size):
    """Bytes of counts (2 a pixel), object and probes, and with them what a batch needs: N_O and W, N_P and V, and χ_0
    of the patterns that step=position keeps (4 a pixel)."""
    rows, columns = plan["object_px"]
    modes, pixels = plan["settings"]["modes"], size * size
    held = 2 * patterns * pixels + 8 * rows * columns + 8 * modes * pixels
    sample = min(patterns, max(128, patterns // 32)) if "step=position" in settings else 0
    return held, held + 12 * rows * columns + (8 * modes + 4) * pixels + 4 * sample * pixels


def memory_of(bench, scan, settings):
    what = "8,000 × 256², " + " ".join(settings)
    try:
        _, peak, _ = bench.reconstruct("quality-memory", scan, ["epochs=2", *settings])
    except NotThere as why:
        bench.skip(what, why)
        return
    words = [bench.command, "reconstruct", scan, "--plan", "--json"]
    for setting in [f"threads={bench.given.threads}", "epochs=2", *settings]:
        words += ["--set", setting]
    _, lines, _ = run(words, {"FARFIELD_HOME": os.path.join(bench.folder, "home")},
                      os.path.join(bench.folder, "quality-plan.log"))
    plan = lines[0][0]
    held, needed = memory_needed(plan, settings, 8000, 256)
    bench.add(what, f"peak {peak / 1e6:.0f} MB, {peak / needed:.3f} of what it must hold, "
                    f"{peak / held:.3f} of counts, object and probes",
              f"≤ {MEMORY_SLACK}", verdict(peak / needed, most=MEMORY_SLACK), peak / needed)
    told = plan["memory_bytes"] / peak
    bench.add(what + ", its plan", f"{told:.3f} of the peak", f"1 ± {PLAN_SLACK}",
              verdict(abs(told - 1), most=PLAN_SLACK), told)


def memory(bench):
    scan = simulate(bench.command, bench.folder, 8000, 256)
    for algorithm in (["algorithm=rpie"], ["algorithm=lstsq", "step=batch"], ["algorithm=lstsq", "step=position"]):
        for modes in (1, 5):
            memory_of(bench, scan, [*algorithm, f"modes={modes}"])


def large(bench):
    scan = simulate(bench.command, bench.folder, 32000, 256)
    lines, peak, _ = bench.reconstruct("quality-large", scan, ["epochs=2"])
    ends = [line["seconds"] for line, _ in lines if line.get("type") == "epoch"]
    bench.add("32,000 × 256², 2 epochs", f"peak {peak / 2**30:.2f} GiB, epochs of {ends[0]:.0f} and "
                                         f"{ends[1] - ends[0]:.0f} s, {lines[-1][1]:.0f} s in all",
              "≤ 12 GiB", verdict(peak, most=LARGE_BYTES), peak)


def known(bench, what, settings):
    """Whether the program takes these settings; a row says so when it does not."""
    try:
        bench.reconstruct("quality-known", SIEMENS, [*settings, "epochs=1"])
    except NotThere as why:
        bench.skip(what, why)
        return False
    return True


def kill_once(bench, settings, whole_s):
    """Runs, kills at a random moment, goes on, and returns (the digests, the epoch it went on from), or None where
    the run had ended before. Nothing is left of an earlier one."""
    result = os.path.join(bench.folder, "quality-killed.h5")
    for path in (result, result + ".checkpoint"):
        if os.path.exists(path):
            os.remove(path)
    words = [bench.command, "reconstruct", SIEMENS, "--output", result, "--json"]
    for setting in [f"threads={bench.given.threads}", *settings]:
        words += ["--set", setting]
    environment = {**os.environ, "FARFIELD_HOME": os.path.join(bench.folder, "home")}
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment) as child:
        time.sleep(bench.random.uniform(0, whole_s))
        ended = child.poll() is not None
        child.kill()
    if ended:
        return None
    lines, _, _ = bench.reconstruct("quality-killed", SIEMENS, [*settings, "resume=auto"])
    return bench.digests(result), lines[-1][0]["resumed_at"]


def kills(bench):
    plain = ["epochs=40", "checkpoint_every=3"]
    kinds = [[f"algorithm={name}"] for name in ALGORITHMS] + [["modes=3", "positions=on", "opr_modes=1"],
                                                                ["positions=on", "affine=on", "positions_search=2"]]
    wholes = []
    for kind in kinds:
        settings = [*kind, *plain]
        if known(bench, "kill -9 and resume, " + " ".join(kind), kind):
            lines, _, result = bench.reconstruct("quality-whole", SIEMENS, settings)
            wholes.append((settings, lines[-1][1], bench.digests(result)))
    same = resumed = done = 0
    wanted = 4 if bench.given.quick else 50
    while wholes and done < wanted:
        settings, whole_s, digests = wholes[done % len(wholes)]
        found = kill_once(bench, settings, whole_s)
        if found is not None:
            done += 1
            same += found[0] == digests
            resumed += found[1] > 0
    if wholes:
        bench.add(f"kill -9 at {wanted} random moments, {len(wholes)} kinds of run",
                  f"{same} bit-identical ({resumed} from a checkpoint)", f"{wanted}", verdict(same, least=wanted), same)


def devices_of(bench, what, settings, counts):
    """The largest difference to one device, and whether twice the same number gave the same bits."""
    _, _, one = bench.reconstruct("quality-one-device", SIEMENS, [*settings, "devices=cpu"])
    worst, repeated = 0.0, True
    for count in counts:
        twice = []
        for _ in range(2):
            _, _, many = bench.reconstruct("quality-devices", SIEMENS, [*settings, f"devices=cpu:{count}"])
            twice.append(bench.digests(many))
        worst = max(worst, float(tool("difference", many, one, "/object")))
        repeated = repeated and twice[0] == twice[1]
    bench.add(what, f"difference {worst:.1e}, {'the same' if repeated else 'other'} bits again",
              f"≤ {DIFFERENCE_MOST:.0e}, the same", verdict(worst, most=DIFFERENCE_MOST) if repeated else MISSES, worst)


def devices(bench):
    counts = [2, 3] if bench.given.quick else [2, 3, 4, 5, 8]
    kinds = [[f"algorithm={name}"] for name in ALGORITHMS] + [["modes=3", "positions=on", "opr_modes=1"],
                                                                ["positions=on", "affine=on", "positions_search=2"]]
    for kind in kinds:
        what = f"devices 1, {', '.join(map(str, counts))}: {' '.join(kind)}"
        if known(bench, what, [*kind, "devices=cpu:2"]):
            devices_of(bench, what, [*kind, "epochs=20"], counts)


ROWS = {"costs": costs, "memory": memory, "large": large, "kills": kills, "devices": devices}
QUICK = ["costs", "kills", "devices"]


def command_line():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--farfield", metavar="PROGRAM", help="the command (default: the build's, else that of PATH)")
    parser.add_argument("--folder", help="where scans and results go (default: bench/ in the build folder)")
    parser.add_argument("--rows", type=lambda text: text.split(","), metavar="A,B", help=f"of {', '.join(ROWS)}")
    parser.add_argument("--quick", action="store_true", help="the small rows, with few kills and devices")
    parser.add_argument("--seed", type=int, default=0, help="of the moments of the kills (default: 0)")
    parser.add_argument("--threads", type=int, default=2, help="of the program (default: 2)")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of the table")
    given = parser.parse_args()
    given.rows = given.rows or (QUICK if given.quick else list(ROWS))
    if not set(given.rows) <= set(ROWS):
        parser.error(f"--rows takes some of {', '.join(ROWS)}")
    return given


def main():
    given = command_line()
    try:
        bench = Bench(given)
        for name in given.rows:
            ROWS[name](bench)
    except (Refused, Failed) as why:
        print(f"quality.py: {why}", file=sys.stderr)
        return 1
    if given.json:
        print(json.dumps({"type": "quality", "rows": bench.rows}, ensure_ascii=False))
    else:
        print(text_table(["what", "figure", "required", ""], [[row["what"], row["figure"], row["required"],
                                                               row["verdict"]] for row in bench.rows]))
    return 1 if any(row["verdict"] == MISSES for row in bench.rows) else 0


if __name__ == "__main__":
    sys.exit(main())

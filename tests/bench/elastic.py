#!/usr/bin/env python3
"""What taking nodes from a scheduler costs: equal tasks on 1, 2 and 4 nodes of a real Slurm (deploy/slurm).

  tests/bench/elastic.py                  168 tasks of 1 s on 1, 2, 4 nodes of 2 slots: about three minutes
  tests/bench/elastic.py --quick          40 tasks of 0.25 s: twenty seconds
  tests/bench/elastic.py --paper          168 tasks of 5 s on 1 and 8 nodes of 8 slots: two and a half minutes
  tests/bench/elastic.py --nodes 2,8 --slots 4 --tasks 400 --seconds 0.5

An idle endpoint gets all tasks in one submission, asks Slurm for its nodes, and gives them back. Of the total, from the
submission to the last stored result,
  tasks    is what the tasks themselves need: whole rounds of them on all slots
  start    is the scheduler's: by how much longer they take, handed out ideally, when the slots of each job are there from
           when its script began, and not from the submission
  others   is all else: starting workers, handing out, results; its share of the total is shown
`next` is the time from the end of a task to the start of the next one on the same slot (median, and the 90th percentile);
`faster` how many times faster than the first row it is, from the submission, and without the scheduler's start. --paper is
the published run of 168 views (100 iterations of 1 s) in a twentieth of the time; Slurm's start is not scaled, so it is
`faster` without it that must be 6.7 (whole rounds allow 7).
Slurm must be installed: deploy/install-packages slurm. Exit status: 0 none missed, 1 one missed, 2 wrong use.
"""
import argparse
import heapq
import json
import math
import os
import statistics
import sys
import time
from datetime import datetime

sys.dont_write_bytecode = True

from environment import BUILD, SOURCE
from table import MISSES, text_table, verdict

os.environ.setdefault("FF_STAGE", os.path.join(BUILD, "stage"))
os.environ.setdefault("FF_SOURCE", SOURCE)
os.environ.setdefault("FF_BUILD", BUILD)
sys.path.insert(0, os.path.join(SOURCE, "tests", "integration"))

import harness
import slurm

TOTAL_MOST, NEXT_MOST_MS, PAPER_LEAST = 1.05, 1.0, 6.7


def seconds_of(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def gaps(tasks, slots):
    """Seconds from the end of a task to the start of the one that took its slot, for tasks {node, started, ended}."""
    found = []
    for node in {task["node"] for task in tasks}:
        free = []  # ends of tasks whose slot nobody has taken since
        busy = sorted((task["started"], task["ended"]) for task in tasks if task["node"] == node)
        for number, (start, end) in enumerate(busy):
            if number >= slots:
                found.append(start - heapq.heappop(free))
            heapq.heappush(free, end)
    return sorted(found)


def ideal(begun, slots, tasks, seconds):
    """When the last of equal tasks ends that are handed out without delay to the slots of jobs which begin then."""
    free = sorted(begin for begin in begun for _ in range(slots))
    last = 0.0
    for _ in range(tasks):
        end = heapq.heappop(free) + seconds
        heapq.heappush(free, end)
        last = max(last, end)
    return last


def all_ended(farfield, group, tasks):
    """Whether all results are there, asked so seldom that the asking costs nothing."""
    time.sleep(0.5)
    return len(farfield.group_results(group)) == tasks


def measure(cluster, given, nodes):
    """One row: `given.tasks` tasks on so many nodes."""
    farfield = harness.Farfield(given.slots)
    try:
        farfield.environment.update(SLURM_CONF=cluster.environment["SLURM_CONF"])
        marks = os.path.join(farfield.folder, "begun")
        os.mkdir(marks)
        farfield.start_service()
        farfield.register("fault")
        settings = [f"max_blocks={nodes}", "init_blocks=0", "exclusive=true", "idle_block_s=1",
                    "agent_host=127.0.0.1", "status_interval_s=1", f"worker_init=date +%s.%N >'{marks}'/$SLURM_JOB_ID"]
        farfield.configure("elastic", settings=settings, provider="slurm")
        farfield.start_endpoint("elastic")
        call = {"do": "doze", "seconds": given.seconds}
        group, ids = farfield.submit_group("elastic", "fault", [call] * given.tasks)
        limit = 120 + 2 * given.tasks * given.seconds
        harness.wait_for(lambda: all_ended(farfield, group, given.tasks), "the results", limit)
        harness.wait_for(lambda: not cluster.jobs(), "the nodes to be given back", 60)
        tasks = []
        for each in ids:
            shown = farfield.show(each)
            if shown["state"] != "success":
                raise AssertionError(f"a task failed: {shown}")
            times = {name: seconds_of(shown["timings"][name]) for name in ("submitted", "started", "ended", "stored")}
            tasks.append({"node": shown["node"], **times})
        begun = []
        for name in os.listdir(marks):
            with open(os.path.join(marks, name), encoding="ascii") as file:
                begun.append(float(file.read()))
    finally:
        left = farfield.stop()
        farfield.remove()
    if left:
        raise AssertionError(f"processes were left behind: {left}")
    return row_of(tasks, begun, nodes, given)


def row_of(tasks, begun, nodes, given):
    submitted = min(task["submitted"] for task in tasks)
    total = max(task["stored"] for task in tasks) - submitted
    needed = math.ceil(given.tasks / (nodes * given.slots)) * given.seconds
    start = ideal([begin - submitted for begin in begun], given.slots, given.tasks, given.seconds) - needed
    others = total - start - needed
    between = gaps(tasks, given.slots)
    row = {"nodes": nodes, "slots": nodes * given.slots, "jobs": len(begun), "total_s": total, "tasks_s": needed,
           "start_s": start, "others_s": others, "others_share": others / total,
           "next_p50_ms": 1e3 * statistics.median(between), "next_p90_ms": 1e3 * between[len(between) * 9 // 10]}
    row["total_verdict"] = verdict(total, most=TOTAL_MOST * needed + start)
    row["next_verdict"] = verdict(row["next_p50_ms"], most=NEXT_MOST_MS)
    return row


def compare(rows, given):
    """Adds how much faster each row is than the first."""
    first = rows[0]
    for row in rows:
        row["faster"] = first["total_s"] / row["total_s"]
        row["faster_without_start"] = (first["total_s"] - first["start_s"]) / (row["total_s"] - row["start_s"])
    rows[-1]["faster_verdict"] = verdict(rows[-1]["faster_without_start"], least=PAPER_LEAST if given.paper else None)


def show(rows):
    head = ["nodes", "slots", "jobs", "total s", "tasks s", "start s", "others s", "others", "total",
            "next ms: p50", "p90", "p50", "faster", "without start", ""]
    lines = [[row["nodes"], row["slots"], row["jobs"], f"{row['total_s']:.2f}", f"{row['tasks_s']:.2f}",
              f"{row['start_s']:.2f}", f"{row['others_s']:.2f}", f"{100 * row['others_share']:.1f} %",
              row["total_verdict"], f"{row['next_p50_ms']:.2f}", f"{row['next_p90_ms']:.2f}", row["next_verdict"],
              f"{row['faster']:.2f}", f"{row['faster_without_start']:.2f}", row.get("faster_verdict", "")]
             for row in rows]
    print(text_table(head, lines))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", help="numbers of nodes, with commas")
    parser.add_argument("--slots", type=int, help="tasks at once on a node")
    parser.add_argument("--tasks", type=int)
    parser.add_argument("--seconds", type=float, help="how long a task takes")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--paper", action="store_true")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    given = parser.parse_args()
    given.tasks = given.tasks or (40 if given.quick else 168)
    given.seconds = given.seconds or (0.25 if given.quick else 5.0 if given.paper else 1.0)
    given.slots = given.slots or (8 if given.paper else 2)
    given.nodes = given.nodes or ("1,8" if given.paper else "1,2,4")
    try:
        given.nodes = [int(word) for word in given.nodes.split(",")]
    except ValueError:
        parser.error("--nodes takes numbers with commas")
    if min([given.slots, given.tasks, *given.nodes]) < 1 or given.seconds <= 0:
        parser.error("nodes, slots, tasks and seconds are above 0")
    if given.tasks <= max(given.nodes) * given.slots:
        parser.error("there must be more tasks than slots")
    return given


def main():
    given = arguments()
    if slurm.missing():
        sys.exit(f"Slurm is not installed ({', '.join(slurm.missing())}): deploy/install-packages slurm")
    cluster = slurm.Cluster(max(given.nodes), 0, max(8, given.slots))
    try:
        cluster.up()
        rows = [measure(cluster, given, nodes) for nodes in given.nodes]
    finally:
        cluster.down()
    compare(rows, given)
    if given.json:
        print(json.dumps({"tasks": given.tasks, "seconds": given.seconds, "rows": rows}, indent=1))
    else:
        show(rows)
    sys.exit(any(MISSES in row.values() for row in rows))


if __name__ == "__main__":
    main()

"""The benches without what they measure: their arithmetic, their children, and what they refuse."""
import os
import sys
import tempfile
import unittest

import elastic
import environment
import programs
import quality
import side_by_side
import table

FAKE = """#!/bin/sh
case "$*" in *algorithm=unheard*) echo "farfield reconstruct: 'algorithm' cannot be 'unheard'" >&2; exit 2 ;; esac
case "$*" in *algorithm=broken*) echo "farfield reconstruct: no such light" >&2; exit 1 ;; esac
echo '{"type":"epoch","epoch":1,"seconds":0.5}'
echo '{"type":"epoch","epoch":2,"seconds":0.75}'
echo '{"type":"epoch","epoch":3,"seconds":1.0}'
echo '{"type":"result"}'
"""
CASE = {"scan": "siemens", "modes": 1, "batches": 5, "epochs": 3, "threads": 2}


def run(ends, peak=100, start=0.1):
    return {"ends": ends, "peak_bytes": peak, "start_s": start}


class Arithmetic(unittest.TestCase):
    def test_the_warm_epochs_do_not_count_where_others_are_left(self):
        self.assertEqual(table.epoch_seconds([5.0, 9.0, 10.0, 12.0]), [1.0, 2.0])
        self.assertEqual(table.epoch_seconds([5.0, 9.0]), [5.0, 4.0])

    def test_runs_are_summed_up(self):
        sums = table.summary([run([1, 2, 3, 5], 200, 0.3), run([1, 2, 6, 7], 300, 0.1)])
        self.assertEqual((sums["epoch_s"], sums["epoch_median_s"]), (1, 1.5))
        self.assertEqual((sums["peak_bytes"], sums["start_s"], sums["starts_s"]), (300, 0.1, [0.3, 0.1]))

    def test_ratios_and_verdicts(self):
        ours = table.summary([run([1, 2, 3, 4], 100, 0.1)])
        theirs = table.summary([run([10, 20, 50, 82], 1100, 4)])
        self.assertEqual(table.compare(ours, theirs, {"ratio": 30.5})["verdicts"]["ratio"], table.MISSES)
        row = table.compare(ours, theirs, {"ratio": 30, "peak_share": 0.1, "start_s": 0.05})
        self.assertEqual((row["ratio"], row["ratio_of_medians"]), (30, 31))
        self.assertAlmostEqual(row["peak_share"], 1 / 11)
        self.assertEqual(row["verdicts"], {"ratio": table.HOLDS, "peak_share": table.HOLDS, "start_s": table.MISSES})
        self.assertEqual(table.misses([row, {"skipped": "why"}]), 1)
        self.assertEqual(table.compare(ours, theirs, {})["verdicts"]["ratio"], table.UNKNOWN)
        self.assertEqual(table.verdict(None, least=1), table.UNKNOWN)

    def test_a_table_has_columns(self):
        lines = table.text_table(["name", "s"], [["a", "1.5"], ["longer", "10"]]).splitlines()
        self.assertEqual(lines, ["name      s", "------  ---", "a       1.5", "longer   10"])

    def test_every_figure_required_belongs_to_a_row(self):
        rows = {(name, case["scan"], case["modes"]) for name in side_by_side.CONTESTS for case in side_by_side.CASES}
        self.assertLessEqual(set(side_by_side.REQUIRED_RATIO), rows)

    def test_a_row_is_shown_with_what_was_required(self):
        ours = {**table.summary([run([1, 2, 3], 5e7, 0.15)]), "costs": {"own": 0.25}}
        theirs = {**table.summary([run([40, 80, 120], 1e9, 5)]), "costs": {"own": None}}
        row = {"case": CASE, "contest": "lstsq", "ours": "lstsq", "theirs": "LSQML",
               "figures": {"ours": ours, "theirs": theirs},
               **table.compare(ours, theirs, {"ratio": 41, "peak_share": 0.1, "start_s": 0.2})}
        cells = side_by_side.shown(row)
        self.assertEqual(len(cells), len(side_by_side.HEAD))
        self.assertIn("40 / 40 (≥ 41: misses)", cells)
        self.assertIn("0.250 / NaN after 3", cells)
        self.assertEqual(len(side_by_side.shown({**row, "skipped": "why"})), len(side_by_side.HEAD))


class Quality(unittest.TestCase):
    class Notes:
        """A bench that only keeps what is added."""

        def add(self, *row):
            self.row = row

    def test_what_memory_must_hold(self):
        plan = {"object_px": [100, 200], "settings": {"modes": 3}}
        held = 2 * 500000 + 8 * 20000 + 8 * 3 * 100
        sums = 12 * 20000 + (8 * 3 + 4) * 100
        self.assertEqual(quality.memory_needed(plan, ["algorithm=rpie"], 5000, 10), (held, held + sums))
        self.assertEqual(quality.memory_needed(plan, ["step=position"], 5000, 10), (held, held + sums + 4 * 156 * 100))
        _, small = quality.memory_needed(plan, ["step=position"], 50, 10)
        self.assertEqual(small, held - 2 * 495000 + sums + 4 * 50 * 100)

    def test_when_a_cost_is_reached(self):
        for costs, word in (([(0.3, 1), (0.22, 4.5), (0.21, 9)], table.HOLDS), ([(0.3, 4), (0.22, 5.5)], table.MISSES),
                            ([(0.3, 4)], table.MISSES)):
            notes = self.Notes()
            quality.best_other(notes, [({"type": "epoch", "cost": cost}, at) for cost, at in costs])
            self.assertEqual(notes.row[3], word)


class Children(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.folder = place.name
        self.command = os.path.join(self.folder, "farfield")
        with open(self.command, "w", encoding="utf-8") as file:
            file.write(FAKE)
        os.chmod(self.command, 0o700)

    def ours(self, *settings):
        return programs.Ours(self.command, self.folder, "lstsq", list(settings))

    def test_a_run_has_epochs_a_start_and_a_peak(self):
        found = self.ours("algorithm=rpie").run("scan.cxi", CASE)
        self.assertEqual(found["ends"], [0.5, 0.75, 1.0])
        self.assertGreater(found["peak_bytes"], 100_000)
        self.assertEqual(found["result"], os.path.join(self.folder, "farfield-lstsq.h5"))

    def test_the_peak_is_the_childs(self):
        words = [sys.executable, "-c", "import json; held = b'x' * 300_000_000; print(json.dumps({}))"]
        status, lines, peak = programs.run(words, {}, os.path.join(self.folder, "log"))
        self.assertEqual((status, len(lines)), (0, 1))
        self.assertTrue(300e6 < peak < 400e6, peak)

    def test_what_is_refused_is_skipped_and_what_breaks_is_not(self):
        with self.assertRaisesRegex(programs.NotThere, "cannot be 'unheard'"):
            self.ours("algorithm=unheard").run("scan.cxi", CASE)
        with self.assertRaisesRegex(programs.Failed, "no such light"):
            self.ours("algorithm=broken").run("scan.cxi", CASE)

    def test_nothing_is_made_in_the_source(self):
        with self.assertRaises(environment.Refused):
            environment.work_folder(os.path.join(environment.SOURCE, "tests", "bench", "made"))
        self.assertFalse(os.path.exists(os.path.join(environment.SOURCE, "tests", "bench", "made")))
        self.assertEqual(environment.work_folder(self.folder), os.path.realpath(self.folder))

    def test_every_package_is_pinned(self):
        with open(environment.REQUIREMENTS, encoding="utf-8") as file:
            lines = [line.strip() for line in file if line.strip() and not line.startswith("#")]
        self.assertIn("ptychi==2.2.0", lines)
        self.assertEqual([line for line in lines if line.count("==") != 1], [])


class Elastic(unittest.TestCase):
    def test_ideal_is_greedy(self):
        self.assertEqual(elastic.ideal([0.0], 2, 5, 1.0), 3.0)
        self.assertEqual(elastic.ideal([0.0, 2.0], 1, 4, 1.0), 3.0)  # two before the second comes, one on each after
        self.assertEqual(elastic.ideal([0.0, 9.0], 1, 4, 1.0), 4.0)  # all before the second comes

    def test_a_slot_is_taken_by_the_next_that_starts(self):
        tasks = [{"node": "a", "started": start, "ended": end}
                 for start, end in ((0.0, 1.0), (0.5, 2.0), (1.25, 3.0), (2.5, 4.0))]
        self.assertEqual(elastic.gaps([*tasks, {"node": "b", "started": 0.0, "ended": 9.0}], 2), [0.25, 0.5])


if __name__ == "__main__":
    unittest.main(verbosity=2)

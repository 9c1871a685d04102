"""farfield reconstruct while it runs: interrupted, killed and gone on with, on any number of threads."""
import json
import os
import signal
import unittest

from harness import CANCELLED, DONE, SIEMENS, TASK_FAILED, WRONG_USE, FarfieldTest, main, tool

with open("/proc/cpuinfo", encoding="ascii") as cpuinfo:
    HAS_VECTOR_TRANSFORM = " avx2 " in cpuinfo.read()


class Reconstruct(FarfieldTest):
    def path(self, name):
        return os.path.join(self.ff.folder, name)

    def digest(self, name):
        return tool("hdf5_tool", "digest", self.path(name), "/object")

    def start(self, name, epochs, *words):
        return self.ff.start("reconstruct", SIEMENS, "--output", self.path(name), "--set", f"epochs={epochs}", *words,
                             "--json")

    def wait_epoch(self, process, epoch):
        """Reads the lines of the process up to that epoch."""
        for line in process.stdout:
            if json.loads(line).get("epoch") == epoch:
                return
        self.fail(f"ended before epoch {epoch}: {process.stderr.read()}")

    def end(self, process):
        out, err = process.communicate(timeout=60)
        return [json.loads(line) for line in out.splitlines()], err

    def test_an_interrupt_ends_and_keeps_the_result(self):
        process = self.start("near.h5", 100000)
        self.wait_epoch(process, 3)
        process.send_signal(signal.SIGINT)
        lines, err = self.end(process)
        self.assertEqual(process.returncode, DONE, err)
        self.assertEqual((lines[-1]["type"], lines[-1]["stopped"]), ("result", "asked"))
        self.assertEqual(self.ff.json("show", self.path("near.h5"))["epochs"], lines[-1]["epochs"])

    def test_a_kill_is_gone_on_from_as_if_nothing_had_happened(self):
        self.end(self.start("whole.h5", 100))
        process = self.start("killed.h5", 100, "--set", "checkpoint_every=5")
        self.wait_epoch(process, 12)
        process.kill()
        process.communicate()
        self.assertFalse(os.path.exists(self.path("killed.h5")))
        self.assertTrue(os.path.exists(self.path("killed.h5.checkpoint")))
        lines, err = self.end(self.start("killed.h5", 100, "--set", "threads=1"))
        self.assertGreaterEqual(lines[0]["epoch"], 6, err)
        self.assertGreaterEqual(lines[-1]["resumed_at"], 5)
        self.assertEqual(self.digest("killed.h5"), self.digest("whole.h5"))
        self.assertFalse(os.path.exists(self.path("killed.h5.checkpoint")))

    def test_positions_that_were_never_corrected_have_no_scale(self):
        for epochs, corrected in ((2, False), (3, True)):
            lines, err = self.end(self.start("moved.h5", epochs, "--set", "positions=on", "--set", "positions_start=3"))
            self.assertEqual(lines[-1]["epochs"], epochs, err)
            self.assertEqual("none was corrected" in err, not corrected, err)
            self.assertEqual("positions: scale" in err, corrected, err)
            self.assertEqual(self.ff.json("show", self.path("moved.h5"))["positions_corrected"], corrected)

    @unittest.skipUnless(HAS_VECTOR_TRANSFORM, "this CPU has FFTW alone")
    def test_another_transform_is_gone_on_with_to_rounding(self):
        process = self.start("other.h5", 100, "--set", "checkpoint_every=5")
        self.wait_epoch(process, 12)
        process.kill()
        process.communicate()
        lines, err = self.end(self.start("other.h5", 100, "--set", "transform=fftw"))
        self.assertGreaterEqual(lines[-1]["resumed_at"], 5)
        self.assertIn("rounding", err)
        self.assert_says(self.ff.run("show", self.path("other.h5")), "fftw")

    def test_threads_do_not_change_a_bit(self):
        for threads in (1, 2, 3):
            self.end(self.start(f"{threads}.h5", 4, "--set", f"threads={threads}"))
        self.assertEqual(len({self.digest(f"{threads}.h5") for threads in (1, 2, 3)}), 1)

    def test_two_interrupts_give_up(self):
        process = self.start("near.h5", 100000, "--set", "modes=32", "--set", "threads=1")
        self.wait_epoch(process, 1)
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)  # a second of the same might be merged with the first
        self.end(process)
        self.assertEqual(process.returncode, CANCELLED)
        self.assertFalse(os.path.exists(self.path("near.h5")))

    def test_wrong_use_says_what_is_near(self):
        self.assert_says(self.ff.run("reconstruct", SIEMENS, "--set", "epoch=4", status=WRONG_USE), "epochs")
        self.assert_says(self.ff.run("reconstruct", SIEMENS, "--set", "momentum=1", status=WRONG_USE), "momentum")
        self.assert_says(self.ff.run("reconstruct", SIEMENS, "--step-objekt", "1", status=WRONG_USE), "step_object")
        self.assert_says(self.ff.run("reconstruct", SIEMENS, SIEMENS, status=WRONG_USE), "one file")
        self.assert_says(self.ff.run("reconstruct", status=WRONG_USE), "input")

    def test_the_plan_computes_nothing(self):
        plan = self.ff.json("reconstruct", SIEMENS, "--plan", "--set", "modes=5")
        self.assertEqual((plan["patterns"], plan["settings"]["modes"]), (516, 5))
        self.assertAlmostEqual(plan["energy_eV"], 8800, places=3)
        self.assertTrue(0.7 < plan["overlap"] < 0.85, plan)
        self.assertGreater(plan["memory_bytes"], 1 << 20)
        self.assertEqual([name for name in os.listdir(self.ff.folder) if name.endswith((".h5", ".png"))], [])

    # Within a sixth, and what a process of some tens of megabytes does by the way: a preview, the heap, the libraries.
    @unittest.skipIf(os.environ.get("FF_SANITIZER"), "a sanitizer's own memory is many times that")
    def test_the_plan_tells_the_memory_of_the_run(self):
        for settings in (["algorithm=rpie"], ["algorithm=lstsq", "step=position", "modes=5"],
                         ["algorithm=lstsq", "step=position", "devices=cpu:4"], ["algorithm=cgrad"],
                         ["algorithm=dm", "modes=5", "devices=cpu:4"]):
            words = [word for setting in ["epochs=2", "threads=2", *settings] for word in ("--set", setting)]
            planned = self.ff.json("reconstruct", SIEMENS, "--plan", *words)["memory_bytes"]
            process = self.ff.start("reconstruct", SIEMENS, "--output", self.path("near.h5"), *words)
            with process:
                err = process.stdout.read() + process.stderr.read()
                _, status, usage = os.wait4(process.pid, 0)
                process.returncode = os.waitstatus_to_exitcode(status)
            self.assertEqual(process.returncode, DONE, err)
            peak = usage.ru_maxrss * 1024
            self.assertLess(abs(planned - peak), peak / 6 + (8 << 20), (settings, planned, peak))

    def test_settings_from_a_file(self):
        with open(self.path("settings.yaml"), "w", encoding="utf-8") as file:
            file.write("epochs: 2\nmodes: 2\n")
        self.ff.run("reconstruct", SIEMENS, "--config", self.path("settings.yaml"), "--output", self.path("near.h5"))
        shown = self.ff.json("show", self.path("near.h5"))
        self.assertEqual((shown["epochs"], shown["modes"], shown["settings"]["modes"]), (2, 2, 2))

    def test_show_draws_in_half_blocks(self):
        self.ff.run("reconstruct", SIEMENS, "--set", "epochs=1", "--output", self.path("near.h5"))
        self.assertNotIn("\u2580", self.ff.run("show", self.path("near.h5")).out)
        drawn = self.ff.run("show", self.path("near.h5"), "--picture", environment={"COLUMNS": "40"}).out
        rows = [line.count("\u2580") for line in drawn.splitlines() if "\u2580" in line]
        self.assertTrue(len(rows) > 10 and len(set(rows)) == 1 and 20 < rows[0] <= 40, rows)

    def test_show_of_text_that_is_none(self):
        self.ff.run("reconstruct", SIEMENS, "--set", "epochs=1", "--output", self.path("near.h5"))
        with open(self.path("near.h5"), "rb") as file:
            spoilt = file.read().replace(b"siemens-star.cxi\0", b"siemens-\xe4tar.cxi\0")
        with open(self.path("near.h5"), "wb") as file:
            file.write(spoilt)
        self.assertEqual(self.ff.json("show", self.path("near.h5"))["input"], "(not UTF-8)")

    def test_inspect_says_what_is_in_a_file_that_is_no_scan(self):
        self.ff.run("reconstruct", SIEMENS, "--set", "epochs=1", "--output", self.path("near.h5"))
        found = self.ff.run("inspect", self.path("near.h5"), "--json", status=TASK_FAILED).document
        self.assertIn("/object", [entry["path"] for entry in found["contents"]])
        self.assertEqual((found["error"]["code"], found["scan"]), ("INPUT_INVALID", None))

    def test_the_benches_print_their_figures(self):
        line = self.ff.run("bench", "reconstruct", SIEMENS, "--modes", "1", "--threads", "1", "--json").document
        self.assertEqual((line["algorithm"], line["patterns"], line["size"], line["modes"]), ("lstsq", 516, 128, 1))
        self.assertGreater(line["fft_share"], 0)  # by FFTW, above 1 where the vector transform made the epoch
        self.assertIn(line["transform"], line["devices"])
        self.assertAlmostEqual(line["fft_share"], line["fft_seconds_per_epoch"] / line["seconds_per_epoch"], places=3)
        self.assertGreater(line["peak_bytes"], 1 << 20)
        lines = self.ff.run("bench", "fft", "--size", "64", "--threads", "1", "--json").lines
        self.assertTrue(lines[0]["transform"].startswith("fftw"), lines)
        for line in lines[1:]:  # as many as this CPU has
            self.assertTrue(line["transform"].startswith("vector"), lines)
        for line in lines:
            self.assertGreater(line["us_per_transform"], 0)

    def test_the_bench_models_gpus_without_one(self):
        words = ("bench", "reconstruct", "--model", "a100-40", "--patterns", "400", "--size", "64", "--devices", "1,2")
        assumptions, one, two = self.ff.run(*words, "--json").lines
        self.assertEqual((assumptions["type"], assumptions["bandwidth"]), ("assumptions", 1555e9))
        self.assertEqual((one["devices"], one["efficiency"], one["exchanged_bytes"]), (1, 1, 0))
        self.assertEqual((two["devices"], two["patterns"], two["size"], two["modes"]), (2, 400, 64, 1))
        self.assertGreater(two["exchanged_bytes"], 0)
        self.assertAlmostEqual(two["efficiency"], one["seconds_per_epoch"] / two["seconds_per_epoch"] / 2, places=4)
        self.assertEqual(one["bytes_by_kernel"]["transforms"], 64)
        self.assert_says(self.ff.run(*words), "Modelled, not measured", "400 patterns of 64²", "form_waves", "300 GB/s")
        slower = self.ff.run(*words, "--bandwidth_GBs", "100", "--json").lines[1]
        self.assertGreater(slower["seconds_per_epoch"], 2 * one["seconds_per_epoch"])
        self.assert_says(self.ff.run("bench", "reconstruct", "--model", "h100", "--help"), "overlap", "nvswitch")
        self.ff.run("bench", "reconstruct", "--model", "a1000", status=2)

    def test_help_lists_every_setting(self):
        for words in ((), ("settings",), ("man",)):
            self.assert_says(self.ff.run("reconstruct", "--help", *words), "epochs", "probe_start", "checkpoint_every")


if __name__ == "__main__":
    main()

"""The verbs that need no service: reconstruct, inspect, show, simulate."""
import os

from harness import SIEMENS, TASK_FAILED, FarfieldTest, main


class Here(FarfieldTest):
    def reconstruct(self, name, epochs, *words):
        """The JSON lines of a reconstruction of the measured scan."""
        return self.ff.run("reconstruct", SIEMENS, "--output", os.path.join(self.ff.folder, name), "--set",
                           f"epochs={epochs}", *words, "--json").lines

    def test_json_lines_tell_each_epoch_and_last_the_result(self):
        lines = self.reconstruct("near.h5", 4)
        self.assertEqual([line["epoch"] for line in lines if line["type"] == "epoch"], [1, 2, 3, 4])
        self.assertEqual(lines[-1]["type"], "result")
        self.assertEqual((lines[-1]["epochs"], lines[-1]["stopped"]), (4, "done"))
        self.assertEqual(lines[-1]["output"], os.path.join(self.ff.folder, "near.h5"))

    def test_the_figures_of_the_reference_are_reached(self):
        last = self.reconstruct("near.h5", 40, "--set", "algorithm=rpie")[-1]
        self.assertLessEqual(last["cost"], 0.351)
        self.assertLessEqual(last["r"], 0.112)
        last = self.reconstruct("five.h5", 40, "--set", "algorithm=rpie", "--set", "modes=5")[-1]
        self.assertLessEqual(last["cost"], 0.249)
        self.assertLessEqual(last["r"], 0.094)

    def test_the_default_settings_are_good_and_fast(self):
        self.assertLessEqual(self.reconstruct("ten.h5", 10)[-1]["cost"], 0.335)
        self.assertLessEqual(self.reconstruct("forty.h5", 40)[-1]["cost"], 0.325)
        self.assertLessEqual(self.reconstruct("moved.h5", 40, "--set", "positions=on")[-1]["cost"], 0.312)
        last = self.reconstruct("five.h5", 20, "--set", "positions=on", "--set", "modes=5")[-1]
        self.assertLessEqual(last["cost"], 0.227)

    def test_several_devices_give_the_answer_of_one(self):
        for algorithm in ("lstsq", "raar"):
            self.reconstruct("one.h5", 20, "--set", f"algorithm={algorithm}")
            self.reconstruct("three.h5", 20, "--set", f"algorithm={algorithm}", "--set", "devices=cpu:3")
            one, three = (os.path.join(self.ff.folder, name) for name in ("one.h5", "three.h5"))
            found = self.ff.json("compare", three, one, "--region", "all", "--keep-hand")
            self.assertLessEqual(found["object_error"], 1e-4, algorithm)

    def test_pictures_lie_beside_the_result(self):
        lines = self.reconstruct("near.h5", 3)
        self.assertEqual(lines[-1]["epochs"], 3)
        pictures = [name for name in os.listdir(self.ff.folder) if name.endswith(".png")]
        for kind in ("phase", "amplitude", "probe", "cost"):
            name = next((name for name in pictures if kind in name), None)
            self.assertIsNotNone(name, f"no picture of {kind} among {pictures}")
            with open(os.path.join(self.ff.folder, name), "rb") as file:
                self.assertEqual(file.read(8), b"\x89PNG\r\n\x1a\n", name)

    def test_show_and_inspect(self):
        self.reconstruct("near.h5", 2)
        output = os.path.join(self.ff.folder, "near.h5")
        self.assertIn("516", self.ff.run("inspect", SIEMENS).out)
        shown = self.ff.json("show", output)
        self.assertEqual(shown["epochs"], 2)
        self.assertGreater(shown["cost"], 0)
        self.assert_says(self.ff.run("show", output), "cost")

    def test_inspect_tries_the_orientations_when_asked(self):
        self.assertNotIn("orientation", self.ff.json("inspect", SIEMENS))
        found = self.ff.json("inspect", SIEMENS, "--orientation")["orientation"]
        self.assertEqual((found["best"], found["twin"], found["clear"]), ("as-is", "both-reversed", True))
        self.assertEqual(len(found["costs"]), 8)
        others = [cost for name, cost in found["costs"].items() if name not in ("as-is", "both-reversed")]
        self.assertAlmostEqual(found["margin"], min(others) / found["costs"]["as-is"], 6)
        self.assert_says(self.ff.run("inspect", SIEMENS, "--orientation"), "its twin both-reversed")

    def test_inspect_names_the_formats_and_the_dose(self):
        found = self.ff.json("inspect", SIEMENS)
        self.assertEqual([(entry["name"], entry["fits"]) for entry in found["formats"]][:1], [("cxi", True)])
        scan = found["scan"]
        # All counts on the field that the probe's half-light circle passed: more than the scanned area holds.
        area = scan["scanned_m"][0] * scan["scanned_m"][1] / scan["object_pixel_m"][0] ** 2
        total = scan["counts_per_pattern"] * scan["patterns"]
        self.assertTrue(total / area / 3 < scan["counts_per_object_px"] < total / area, scan)
        said = self.ff.run("inspect", SIEMENS)
        self.assert_says(said, "counts for each object pixel", "fits")
        self.reconstruct("near.h5", 1)
        said = self.ff.run("inspect", os.path.join(self.ff.folder, "near.h5"), status=1)
        self.assert_says(said, "product", "no frames: for positions_file")

    def test_inspect_takes_what_the_file_does_not_tell(self):
        scan = os.path.join(self.ff.folder, "made.h5")
        self.ff.run("simulate", "--output", scan, "--set", "format=aps-9id", "--set", "size=64", "--set", "patterns=64",
                    "--set", "jitter=0")
        words = ["inspect", scan, "--set", "positions_file=" + os.path.join(self.ff.folder, "made.csv"),
                 "--energy-eV", "8800", "--distance-m=1.92"]
        said = self.ff.run(*words, "--json", status=1).document
        self.assertEqual([entry["name"] for entry in said["formats"] if entry["fits"]], ["aps-9id"])
        self.assertIn("detector_pixel_um", said["error"]["hint"])
        found = self.ff.json(*words, "--set", "detector_pixel_um=75")
        self.assertAlmostEqual(found["scan"]["energy_eV"], 8800, 3)
        self.assertTrue(any("regular grid" in doubt for doubt in found["doubts"]), found["doubts"])
        self.assert_says(self.ff.run("inspect", scan, "--set", "affine=on", status=2), "'affine' has no effect")
        self.assert_says(self.ff.run("inspect", scan, "--set", "energy_ev=8800", status=2), "did you mean")

    def test_a_simulated_scan_can_be_reconstructed(self):
        scan = os.path.join(self.ff.folder, "made.cxi")
        self.ff.run("simulate", "--object", "siemens", "--output", scan)
        last = self.ff.run("reconstruct", scan, "--output", os.path.join(self.ff.folder, "made.h5"), "--set", "epochs=3",
                           "--json").lines[-1]
        self.assertEqual((last["type"], last["epochs"]), ("result", 3))

    def test_simulate_names_its_files_and_what_a_reader_needs(self):
        scan = os.path.join(self.ff.folder, "fly_master.h5")
        last = self.ff.run("simulate", "--format", "velociprobe", "--output", scan, "--size", "32", "--patterns", "30",
                           "--set", "frames_per_file=20", "--set", "dropped=2", "--json").lines[-1]
        self.assertEqual((last["type"], last["output"], last["patterns"]), ("result", scan, 28))
        self.assertEqual(last["reader"], {"positions_file": os.path.join(self.ff.folder, "fly.csv")})
        for name in ("fly_master.h5", "fly_data_000001.h5", "fly_data_000002.h5", "fly.csv"):
            self.assertTrue(os.path.exists(os.path.join(self.ff.folder, name)), name)
        last = self.ff.run("simulate", "--format", "tike", "--size", "32", "--patterns", "20", "--fly", "3",
                           "--json").lines[-1]
        self.assertEqual(os.path.basename(last["output"]), "simulated.npz")
        self.assertEqual(last["reader"], {"energy_eV": 8800, "distance_m": 1.92, "detector_pixel_um": 75, "fly": 3})
        self.assertTrue(os.path.exists(os.path.join(self.ff.folder, "simulated.truth.h5")))

    def test_show_refuses_what_is_no_result(self):
        self.assert_says(self.ff.run("show", SIEMENS, status=TASK_FAILED), SIEMENS)


if __name__ == "__main__":
    main()

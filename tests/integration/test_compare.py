"""farfield compare: results, simulations and other objects; what cannot be compared is refused in words."""
import os
import shutil
import struct
import zipfile

from harness import SIEMENS, TASK_FAILED, WRONG_USE, FarfieldTest, main


def write_npy(path, rows, columns, values, kind="<c8", shape=None):
    """An array as numpy.save writes it; `values` are floats."""
    head = str({"descr": kind, "fortran_order": False, "shape": shape or (rows, columns)})
    head += " " * (63 - (len(head) + 10) % 64) + "\n"
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode())
        file.write(struct.pack(f"<{len(values)}f", *values))


class Compare(FarfieldTest):
    def path(self, name):
        return os.path.join(self.ff.folder, name)

    def simulated(self):
        """A scan whose truth is known, and what is made of it."""
        scan, result = self.path("scan.cxi"), self.path("found.h5")
        self.ff.run("simulate", "--output", scan, "--set", "size=64", "--set", "patterns=100", "--set", "counts=1e7")
        self.ff.run("reconstruct", scan, "--output", result, "--set", "epochs=30")
        return scan, result

    def test_what_is_no_object_is_told_what_would_be(self):
        picture = self.path("phase.png")
        with open(picture, "wb") as file:
            file.write(b"\x89PNG\r\n\x1a\n" + bytes(64))
        self.assert_says(self.ff.run("compare", picture, picture, status=TASK_FAILED), "not an HDF5 file", ".tiff", ".npy")

    def test_a_result_against_the_truth(self):
        scan, result = self.simulated()
        found = self.ff.json("compare", result, scan)
        self.assertLess(found["object_error"], 0.5)
        self.assertLess(found["probe"]["error"], 0.5)
        self.assertGreater(found["region"]["pixels"], 64)
        self.assertEqual(len(found["frc"]["correlation"]), len(found["frc"]["threshold"]))
        for axis in range(2):
            self.assertLess(abs(found["removed"]["shift_beside_positions_px"][axis]), 2)
        said = self.ff.run("compare", result, scan)
        self.assert_says(said, "object error", "probe error", "removed")

    def test_a_result_is_itself(self):
        _, result = self.simulated()
        for other in (result, result + "::/object"):
            found = self.ff.json("compare", result, other)
            self.assertLess(found["object_error"], 1e-6)
            self.assertAlmostEqual(found["ssim"], 1, places=6)
            self.assertTrue(found["frc"]["reaches_nyquist"])
            self.assertFalse(found["removed"]["twin"])

    def test_the_curve_is_drawn(self):
        _, result = self.simulated()
        picture = self.path("curve.png")
        self.assertEqual(self.ff.json("compare", result, result, "--output", picture)["picture"], picture)
        with open(picture, "rb") as file:
            self.assertEqual(file.read(8), b"\x89PNG\r\n\x1a\n")
        said = self.ff.run("compare", result, result, "--output", self.path("no/such/curve.png"), status=TASK_FAILED)
        self.assert_says(said, "no/such")

    def test_arrays_of_numpy(self):
        rows, columns = 40, 48
        values = []
        for i in range(rows * columns):
            inside = 12 < i // columns < 25 and 15 < i % columns < 30
            values += [0.6, 0.5] if inside else [1.0, 0.0]
        write_npy(self.path("a.npy"), rows, columns, values)
        shifted = values[-4 * columns:] + values[:-4 * columns]  # down by two rows
        write_npy(self.path("b.npy"), rows, columns, shifted)
        found = self.ff.json("compare", self.path("a.npy"), self.path("b.npy"))
        self.assertAlmostEqual(found["removed"]["shift_px"][0], 2, places=2)
        self.assertAlmostEqual(found["removed"]["shift_px"][1], 0, places=2)
        self.assertLess(found["object_error"], 1e-2)
        self.assertEqual(found["probe"], None)

    def test_tiffs_hold_the_object(self):
        result = self.path("found.h5")
        made = self.ff.run("reconstruct", SIEMENS, "--output", result, "--set", "epochs=2", "--set", "tiff=on", "--json")
        names = [os.path.basename(name) for name in made.lines[-1]["pictures"] if name.endswith(".tif")]
        self.assertEqual(names, ["found-phase.tif", "found-phase-unwrapped.tif", "found-amplitude.tif", "found-probe.tif"])
        for name in ("found-phase.tif", "found-amplitude.tif"):
            found = self.ff.json("compare", self.path(name), result)
            self.assertLess(found["object_error"], 1e-5)
            self.assertEqual(found["removed"]["pixel_scale"], [1, 1])

    def test_a_region(self):
        _, result = self.simulated()
        found = self.ff.json("compare", result, result, "--region", "30:60,32:70")
        self.assertEqual(found["region"], {"rows": [30, 60], "columns": [32, 70], "pixels": 30 * 38})
        for wrong in ("30:20,1:2", "a", "1:2", "-4:9,1:20"):
            self.assert_says(self.ff.run("compare", result, result, "--region", wrong, status=WRONG_USE), wrong)
        self.assert_says(self.ff.run("compare", result, result, "--region", "900:950,3:60", status=TASK_FAILED),
                         "region")

    def test_wrong_use(self):
        self.assert_says(self.ff.run("compare", status=WRONG_USE), "compare")
        self.assert_says(self.ff.run("compare", "a.h5", status=WRONG_USE), "with what")
        self.assert_says(self.ff.run("compare", "a.h5", "b.h5", "c.h5", status=WRONG_USE), "c.h5")
        self.assert_says(self.ff.run("compare", "a.h5", "b.h5", "--regoin", "all", status=WRONG_USE), "--regoin")

    def test_files_that_hold_nothing_to_compare(self):
        _, result = self.simulated()
        said = self.ff.run("compare", SIEMENS, result, status=TASK_FAILED)
        self.assert_says(said, SIEMENS, "::/")
        self.assert_says(self.ff.run("compare", result, self.path("nothing.h5"), status=TASK_FAILED), "nothing.h5")
        self.assert_says(self.ff.run("compare", result, result + "::/loss_values", status=TASK_FAILED), "loss_values")
        for name in ("text.h5", "text.npy", "text.tif", "empty.npy", "empty.tif"):
            with open(self.path(name), "wb") as file:
                file.write(b"no picture\n" * 50 if name.startswith("text") else b"")
            self.assert_says(self.ff.run("compare", result, self.path(name), status=TASK_FAILED), name)
        shutil.copy(result, self.path("short.h5"))
        os.truncate(self.path("short.h5"), 20000)
        self.assert_says(self.ff.run("compare", self.path("short.h5"), result, status=TASK_FAILED), "short.h5")

    def test_an_archive_is_told_from_hdf5(self):
        write_npy(self.path("image.npy"), 20, 20, [1.0, 0.5] * 400)
        with zipfile.ZipFile(self.path("image.npz"), "w") as archive:
            archive.write(self.path("image.npy"), "image.npy")
        said = self.ff.run("compare", self.path("image.npz"), self.path("image.npy"), status=TASK_FAILED)
        self.assert_says(said, "neither a result nor a simulation", "image.npz::/PATH")
        self.assertNotIn("HDF5", said.err)
        found = self.ff.json("compare", self.path("image.npz") + "::/image", self.path("image.npy"))
        self.assertLess(found["object_error"], 1e-6)

    def test_hostile_arrays(self):
        good = [1.0, 0.0] * 400
        write_npy(self.path("good.npy"), 20, 20, good)
        write_npy(self.path("claims.npy"), 20, 20, good, shape=(100000, 100000))
        write_npy(self.path("axis.npy"), 20, 20, good, shape=(400,))
        write_npy(self.path("kind.npy"), 20, 20, good, kind="|O")
        write_npy(self.path("nan.npy"), 20, 20, good[:100] + [float("nan")] + good[101:])
        for name, word in (("claims.npy", "claims"), ("axis.npy", "wanted"), ("kind.npy", "wanted"),
                           ("nan.npy", "finite")):
            said = self.ff.run("compare", self.path(name), self.path("good.npy"), status=TASK_FAILED)
            self.assert_says(said, name, word)


if __name__ == "__main__":
    main()

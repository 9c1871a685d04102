"""Every format from end to end: what simulate writes in it, reconstruct reads by itself, as the same scan."""
import csv
import os

from harness import TASK_FAILED, WRONG_USE, FarfieldTest, main

GEOMETRY = ["energy_eV=8800", "distance_m=1.92", "detector_pixel_um=75"]

# Format, the ending of the main file (a pattern for a series), that of the positions, and whether the geometry is told.
FORMATS = [
    ("cxi", ".h5", None, True),
    ("flow", ".h5", None, False),
    ("ptychodus", ".h5", None, False),
    ("ptychodus-npz", ".h5", None, False),
    ("velociprobe", ".h5", ".csv", True),
    ("aps-2idd", "_*.h5", ".csv", False),
    ("aps-9id", ".h5", ".csv", False),
    ("lynx", ".h5", ".dat", True),
    ("csaxs", ".h5", ".dat", True),
    ("nanomax", ".h5", None, False),
    ("nsls2", ".h5", None, True),
    ("holoptycho", ".h5", None, True),
    ("slac", ".h5", None, False),
    ("tike", ".h5", None, False),
    ("ptyd", ".h5", None, True),
    ("ptychoshelves", ".h5", None, True),
]

# Which of them hold a probe to begin with, and which only whole pixels for positions; the others hold the same.
WITH_PROBE = {"cxi", "flow", "ptychodus-npz", "slac", "tike"}
WHOLE_PIXELS = {"ptychoshelves"}


class Formats(FarfieldTest):
    def path(self, name):
        return os.path.join(self.ff.folder, name)

    def settings(self, *settings):
        return [word for setting in settings for word in ("--set", setting)]

    def simulate(self, form, *settings):
        self.ff.run("simulate", "--output", self.path(f"{form}.h5"),
                    *self.settings(f"format={form}", "size=64", "patterns=36", *settings))

    def words(self, form, main_file, positions, told, *settings):
        """What reads the files of a format."""
        words = list(settings)
        if positions is not None:
            words.append(f"positions_file={self.path(form + positions)}")
        if not told:
            words += GEOMETRY
        return ("reconstruct", self.path(form + main_file), *self.settings(*words))

    def read(self, form, main_file, positions, told, *settings):
        return self.ff.json(*self.words(form, main_file, positions, told, *settings), "--plan")

    def reconstruct(self, result, *reading):
        """The cost after ten epochs, with the object in a file."""
        return self.ff.run(*self.words(*reading, "epochs=10", "preview_every=0", "checkpoint_every=0"), "--output",
                           self.path(result), "--json").lines[-1]["cost"]

    def object_error(self, result, reference):
        return self.ff.json("compare", self.path(result), self.path(reference))["object_error"]

    def test_every_format_is_the_same_scan(self):
        wanted = None
        for form, main_file, positions, told in FORMATS:
            with self.subTest(form):
                self.simulate(form)
                found = self.read(form, main_file, positions, told)
                wanted = wanted or found
                self.assertEqual(found["format"], form)
                for key in ("patterns", "frame_px", "counts_per_pattern", "greatest_count", "zero_share"):
                    self.assertEqual(found[key], wanted[key], key)
                for key in ("scanned_m", "object_pixel_m", "detector_pixel_m"):
                    for one, other in zip(found[key], wanted[key]):
                        # PtychoShelves rounds positions to pixels.
                        close = .05 if form == "ptychoshelves" else 1e-5
                        self.assertAlmostEqual(one / other, 1, delta=close)
                self.assertAlmostEqual(found["energy_eV"] / 8800, 1, delta=1e-6)

    def whole_pixels(self, scan):
        """A table of the scan's positions, to the nearest pixel of the object from the least one on, from a CSV file of
        the Velociprobe (nanometres; rows upside down)."""
        with open(self.path("velociprobe.csv"), encoding="utf-8") as file:
            places = [(-float(row[5]), float(row[1])) for row in csv.reader(file)]
        pixels = [1e9 * size for size in scan["object_pixel_m"]]
        low = [min(axis) for axis in zip(*places)]
        with open(self.path("whole.csv"), "w", encoding="utf-8") as file:
            file.write("y,x\n")
            for place in places:
                file.write(",".join(str(round((at - first) / pixel))
                                    for at, first, pixel in zip(place, low, pixels)) + "\n")
        return self.path("whole.csv")

    def check_same(self, found, wanted):
        """Costs and objects, by name of the result, are those of `wanted`."""
        for result, cost in found.items():
            with self.subTest(result):
                self.assertAlmostEqual(cost / found[wanted], 1, delta=1e-4)
                # What is left is the rounding of positions to float or to decimals in the file.
                self.assertLess(self.object_error(result, wanted), 1e-4)

    def test_every_format_gives_the_same_object(self):
        with_probe, without, whole = {}, {}, {}
        for reading in FORMATS:
            form = reading[0]
            self.simulate(form, "size=32")
            group = with_probe if form in WITH_PROBE else whole if form in WHOLE_PIXELS else without
            group[f"{form}-found.h5"] = self.reconstruct(f"{form}-found.h5", *reading)
        self.assertEqual((len(with_probe), len(without), len(whole)), (5, 10, 1))
        self.check_same(with_probe, "cxi-found.h5")
        self.check_same(without, "nanomax-found.h5")
        # Measured .104, .176, .217: the probe is worth something, and so are parts of a pixel.
        for result, bound in (("cxi-found.h5", .135), ("nanomax-found.h5", .23), ("ptychoshelves-found.h5", .28)):
            self.assertLess(self.object_error(result, "cxi.h5"), bound, result)
        # What PtychoShelves loses is the rounding of its positions and nothing else: another format with rounded ones
        # loses the same.
        nanomax = next(reading for reading in FORMATS if reading[0] == "nanomax")
        rounded = self.whole_pixels(self.read(*nanomax))
        whole["rounded.h5"] = self.reconstruct("rounded.h5", *nanomax, f"positions_file={rounded}", "positions_unit=px")
        self.check_same(whole, "ptychoshelves-found.h5")
        self.assertGreater(whole["rounded.h5"], 2 * without["nanomax-found.h5"])

    def test_packed_frames(self):
        wanted = None
        for packing in ("none", "gzip", "bitshuffle"):
            with self.subTest(packing):
                self.simulate("nsls2" if packing == "none" else "cxi", f"compression={packing}")
                found = self.read("nsls2" if packing == "none" else "cxi", ".h5", None, True)
                wanted = wanted or found
                self.assertEqual(found["greatest_count"], wanted["greatest_count"])

    def test_bad_pixels_that_nothing_names_are_found(self):
        """Dead and hot pixels of the data cost nothing, with the same figure as where the file names them."""
        masked = {}
        for told in ("file", "none"):
            self.simulate("cxi", "patterns=100", "dead_percent=1", "hot_percent=0.5", f"mask={told}")
            masked[told] = self.read("cxi", ".h5", None, True)["masked_px"]
        self.assertGreater(masked["file"], 20)
        self.assertGreater(masked["none"], .9 * masked["file"])
        self.assertLessEqual(masked["none"], masked["file"])
        scan = self.path("cxi.h5")
        words = ("reconstruct", scan, "--output", self.path("out.h5"), "--set", "epochs=1")
        self.assert_says(self.ff.run(*words), "dead or stuck", "not used")
        self.assertEqual(self.read("cxi", ".h5", None, True, "mask=none")["masked_px"], 0)
        self.assert_says(self.ff.run(*words, "--set", "mask=none"), "used all the same", "'mask'")

    def test_a_description_of_ones_own(self):
        self.simulate("nanomax")
        description = self.path("own.yaml")
        with open(description, "w", encoding="utf-8") as file:
            file.write("frames: [/none, /entry/measurement/eiger1m/frames]\n"
                       "positions_y: /entry/measurement/pseudo/y um\n"
                       "positions_x: /entry/measurement/pseudo/x um\n"
                       "energy: 8.8 keV\ndistance: 1920 mm\npixel_rows: 75 um\n")
        found = self.read("nanomax", ".h5", None, True, f"format={description}")
        self.assertEqual(found["format"], description)
        self.assertAlmostEqual(found["energy_eV"] / 8800, 1, delta=1e-6)
        with open(description, "a", encoding="utf-8") as file:
            file.write("distanse: 2 m\n")
        said = self.ff.run("reconstruct", self.path("nanomax.h5"), *self.settings(f"format={description}"),
                           status=WRONG_USE)
        self.assert_says(said, "own.yaml, line 7", "distanse", "distance")

    def test_where_a_scan_goes_is_said_by_its_option(self):
        self.assert_says(self.ff.run("simulate", "scan.h5", status=WRONG_USE), "'scan.h5'", "--output")
        nowhere = self.path("nowhere/scan.h5")
        said = self.ff.run("simulate", "--output", nowhere, status=TASK_FAILED)
        self.assert_says(said, f"cannot create {nowhere}: ", "a folder that exists")

    def test_what_is_missing_is_named(self):
        self.simulate("ptychodus")
        said = self.ff.run("reconstruct", self.path("ptychodus.h5"), status=TASK_FAILED)
        self.assert_says(said, "photon energy", "energy_eV")
        self.simulate("lynx")
        said = self.ff.run("reconstruct", self.path("lynx.h5"), status=TASK_FAILED)
        self.assert_says(said, "no positions", "positions_file")


if __name__ == "__main__":
    main()

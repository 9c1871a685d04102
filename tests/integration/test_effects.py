"""Every effect of a measurement that simulate makes: the setting for it brings the known object back, and without the
setting the object is clearly worse or the scan refused."""
import os

from harness import TASK_FAILED, FarfieldTest, main

EPOCHS = 40

# The effect; what simulate is told; what reconstruct is told of it; what it is told where the effect is ignored; the
# greatest error of the object with the effect told: 1.3 times what was measured.
EFFECTS = [
    ("incoherent modes", ["modes=3"], ["modes=3"], [], .175),
    ("a probe that varies", ["eigenprobes=1", "variation_percent=20"], ["opr_modes=1"], [], .0165),
    ("intensities", ["fluctuation_percent=20"], ["intensities=on"], [], .032),
    ("few photons", ["counts=3e4"], ["noise=poisson"], [], .077),
    ("few photons, dm", ["counts=3e4"], ["algorithm=dm", "noise=poisson"], ["algorithm=dm"], .24),
    ("few photons, raar", ["counts=3e4"], ["algorithm=raar", "noise=poisson"], ["algorithm=raar"], .38),
    ("dead and hot pixels", ["dead_percent=1", "hot_percent=0.5", "mask=none"], [], ["mask=none"], .0175),
    ("a beam stop", ["stop_px=3", "mask=none"], ["mask=rows 29:36 columns 29:36"], ["mask=none"], .02),
    ("position errors", ["position_error_px=1", "object=smooth", "guess=exact"], ["positions=on"], [], .033),
    ("a scan too large", ["scale_error_percent=3", "object=smooth"], ["positions=on", "affine=on"], [], .024),
    ("another orientation", ["orientation=transposed"], [], ["orientation=as-is"], .019),
    ("a near field", ["field=near"], ["near_field=on"], ["object_pixel_nm=1000"], .085),
    ("positions between pixels", ["subpixel=fourier"], ["subpixel=fourier"], [], .0124),
    ("empty and bright frames", ["empty=3", "bright=3"], [], ["keep_frames=all"], .037),
]

# The error without the setting is at least so many times that with it.
CLEARLY = 1.5


class Effects(FarfieldTest):
    def path(self, name):
        return os.path.join(self.ff.folder, name)

    def settings(self, settings):
        return [word for setting in settings for word in ("--set", setting)]

    def simulate(self, name, *settings):
        self.ff.run("simulate", "--output", self.path(name), *self.settings(["size=64", "patterns=64", *settings]))

    def words(self, name, settings):
        always = [f"epochs={EPOCHS}", "preview_every=0", "checkpoint_every=0"]
        return ("reconstruct", self.path(name), "--output", self.path("found.h5"), *self.settings([*always, *settings]))

    def object_error(self, name, settings):
        """Of what is reconstructed, against the truth in the scan."""
        self.ff.run(*self.words(name, settings))
        return self.ff.json("compare", self.path("found.h5"), self.path(name))["object_error"]

    def check(self, name, told, ignored, bound):
        error = self.object_error(name, told)
        self.assertLess(error, bound)
        self.assertGreater(self.object_error(name, ignored), CLEARLY * error)

    def test_the_setting_brings_the_object_back(self):
        for effect, simulated, told, ignored, bound in EFFECTS:
            with self.subTest(effect):
                self.simulate("scan.h5", *simulated)
                self.check("scan.h5", told, ignored, bound)

    def test_a_stage_that_moves(self):
        """Where fly is not told, a file with more positions than frames is refused; one that numbers them by frame gives
        the middle of each exposure."""
        moving = ("fly=4", "fly_steps=1")
        self.simulate("scan.h5", *moving)
        error = self.object_error("scan.h5", ["fly=4"])
        self.assertLess(error, .108)
        self.assert_says(self.ff.run(*self.words("scan.h5", []), status=TASK_FAILED), "256 positions", "fly=4")
        self.simulate("numbered.h5", "format=velociprobe", *moving)
        told = [f"positions_file={self.path('numbered.csv')}", f"initial_probe={self.path('scan.h5')}"]
        ignored = self.object_error("numbered.h5", told)
        self.assertGreater(ignored, 3 * error)
        # The path between exposures is nearly the one within them.
        self.assertLess(self.object_error("numbered.h5", [*told, "fly=4"]), .9 * ignored)

    def test_a_detector_larger_than_the_probe(self):
        self.simulate("scan.h5", "pad=16")
        self.assertLess(self.object_error("scan.h5", ["pad=16"]), .0172)
        self.assert_says(self.ff.run(*self.words("scan.h5", []), status=TASK_FAILED), "pad=16")

    def test_gaps_cost_nothing(self):
        """Their pixels say the largest number there is, and no setting is needed."""
        self.simulate("scan.h5", "gaps=1", "mask=none")
        self.assertLess(self.object_error("scan.h5", []), .0186)

    def test_lost_frames_are_told_of(self):
        """Nothing in the file says which they are."""
        self.simulate("scan.h5", "dropped=5")
        self.assert_says(self.ff.run(*self.words("scan.h5", []), status=TASK_FAILED), "64 positions", "59 frames",
                         "trigger number")


if __name__ == "__main__":
    main()

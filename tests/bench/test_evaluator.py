"""The bench's evaluator on answers that are known. Needs numpy; without it the test is skipped (exit status 77)."""
import sys
import unittest

try:
    import numpy as np
except ImportError:
    sys.exit(77)

import evaluator

SIDE = 16


class Evaluator(unittest.TestCase):
    def setUp(self):
        random = np.random.default_rng(1)
        self.image = random.normal(size=(40, 44)) + 1j * random.normal(size=(40, 44))
        self.probe = random.normal(size=(2, SIDE, SIDE)) + 1j * random.normal(size=(2, SIDE, SIDE))
        self.corners = random.uniform(2, 20, size=(20, 2))
        self.measured = np.ones((SIDE, SIDE), bool)

    def model(self, subpixel="bilinear"):
        return evaluator.intensities(self.image, self.probe, self.corners, subpixel)

    def cost(self, counts, subpixel="bilinear"):
        return evaluator.cost(counts, self.measured, self.image, self.probe, self.corners, subpixel)

    def test_what_fits_costs_nothing(self):
        for subpixel in evaluator.SUBPIXELS:
            self.assertLess(self.cost(self.model(subpixel), subpixel), 1e-20)
        self.assertGreater(self.cost(self.model("fourier"), "bilinear"), 1e-3)

    def test_amplitudes_that_are_off_by_a_half_cost_a_quarter(self):
        counts = (np.sqrt(self.model()) + 0.5) ** 2
        self.assertAlmostEqual(self.cost(counts), 0.25, places=10)
        counts[3:5] = (np.sqrt(counts[3:5]) + 1) ** 2  # two of twenty patterns off by 1.5
        self.assertAlmostEqual(self.cost(counts), (18 * 0.25 + 2 * 2.25) / 20, places=10)

    def test_what_was_not_measured_has_no_say(self):
        counts = (np.sqrt(self.model()) + 0.5) ** 2
        self.measured[4:6, :] = False
        counts[:, 4:6, :] = 1e9
        self.assertAlmostEqual(self.cost(counts), 0.25, places=10)

    def test_flat_light_falls_into_the_middle_pixel_and_none_is_lost(self):
        flat = evaluator.intensities(np.ones((30, 30), complex), np.full((1, SIDE, SIDE), 2.0 + 0j),
                                     np.array([[3.3, 5.6]]), "bilinear")[0]
        self.assertAlmostEqual(flat[SIDE // 2, SIDE // 2], 4 * SIDE * SIDE, places=8)
        self.assertAlmostEqual(flat.sum(), 4 * SIDE * SIDE, places=8)

    def test_modes_add_their_intensities(self):
        each = [evaluator.intensities(self.image, self.probe[m:m + 1], self.corners, "fourier") for m in (0, 1)]
        np.testing.assert_allclose(self.model("fourier"), each[0] + each[1], rtol=1e-10, atol=1e-10)

    def test_between_pixels_the_object_is_interpolated(self):
        rows, columns = np.mgrid[:40, :44]
        slope = 3 * rows - 2j * columns
        patch = evaluator.bilinear_patch(slope, np.array([5.25, 7.5]), (SIDE, SIDE))
        np.testing.assert_allclose(patch, 3 * (rows[:SIDE, :SIDE] + 5.25) - 2j * (columns[:SIDE, :SIDE] + 7.5))

    def test_between_pixels_the_probe_is_moved(self):
        rows, columns = np.mgrid[:SIDE, :SIDE]

        def waves(by_row, by_column):
            return np.exp(2j * np.pi * (2 * (rows - by_row) - 3 * (columns - by_column)) / SIDE)[None]

        np.testing.assert_allclose(evaluator.moved(waves(0, 0), (0.3, -0.4)), waves(0.3, -0.4), atol=1e-12)

    def test_both_ways_agree_at_whole_pixels(self):
        self.corners = np.floor(self.corners)
        np.testing.assert_allclose(self.model("bilinear"), self.model("fourier"), rtol=1e-9, atol=1e-9)

    def test_another_way_is_refused(self):
        with self.assertRaises(ValueError):
            self.model("nearest")


if __name__ == "__main__":
    unittest.main(verbosity=2)

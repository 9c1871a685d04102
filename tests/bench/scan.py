"""A CXI scan as arrays, and a Farfield result as what the evaluator takes. Runs in the bench's own environment."""
import json

import h5py
import numpy as np

DETECTOR = "entry_1/instrument_1/detector_1/"
SOURCE = "entry_1/instrument_1/source_1/"
GOOD_ALTHOUGH_FLAGGED = 0x1000  # CXI: this bit alone only says that there is signal
MARGIN = 8  # pixels of object around the scan


class Scan:
    """Patterns, positions in pixels of the object, and the probe to begin with."""

    def __init__(self, path):
        with h5py.File(path, "r") as file:
            self.counts = file[DETECTOR + "data"][()]
            self.probe = file[SOURCE + "illumination"][()].astype(np.complex64)
            self.wavelength_m = float(file[SOURCE + "wavelength"][()])
            distance = float(file[DETECTOR + "distance"][()])
            pixel = [float(file[DETECTOR + name][()]) for name in ("y_pixel_size", "x_pixel_size")]
            axes = file[DETECTOR + "basis_vectors"][()].astype(float)
            moves = file["entry_1/sample_1/geometry_1/translation"][()].astype(float)
            mask = file[DETECTOR + "mask"][()] if DETECTOR + "mask" in file else None
        shape = np.array(self.counts.shape[1:])
        self.measured = np.ones(shape, bool) if mask is None else (mask == 0) | (mask == GOOD_ALTHOUGH_FLAGGED)
        self.pixel_m = self.wavelength_m * distance / (shape * np.array(pixel))
        # The file tells how the sample moves; the probe moves the other way.
        axes /= np.linalg.norm(axes, axis=1, keepdims=True)
        self.positions = -(moves @ axes.T) / self.pixel_m
        extent = np.ptp(self.positions, axis=0)
        self.object_shape = tuple(int(np.ceil(e)) + int(s) + 2 * MARGIN for e, s in zip(extent, shape))
        if self.probe.ndim == 2:
            self.probe = self.probe[None]


def read_result(path):
    """(object, probe, corners, subpixel) of a result of `farfield reconstruct`, which has the product layout."""
    with h5py.File(path, "r") as file:
        image, probe = file["object"][0], file["probe"][0]
        shape = np.array(image.shape)
        corners = []
        for axis, name in enumerate("yx"):
            pixel = file["object"].attrs["pixel_height_m" if axis == 0 else "pixel_width_m"]
            centre = file["object"].attrs[f"center_{name}_m"]
            at = (file[f"probe_position_{name}_m"][()] - centre) / pixel
            corners.append(at + shape[axis] / 2 - probe.shape[-2 + axis] / 2)
        settings = json.loads(bytes(file.attrs["farfield_settings"]))
    return image, probe, np.stack(corners, axis=1), settings.get("subpixel", "bilinear")

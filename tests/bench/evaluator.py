"""The cost of a reconstruction, from its object, probe and positions alone: one measure for every program.

The forward model is that of the papers: the exit wave of each mode is the probe times the patch of the object at
the scan's position, the detector sees the sum over modes of |FFT|² (orthonormal), and the cost is the mean over
all measured pixels of (√I − √d)². Programs differ in what a position between pixels means, so both ways are here:
`bilinear` interpolates the object, `fourier` moves the probe by the rest of the position.
"""
import numpy as np

SUBPIXELS = ("bilinear", "fourier")
FRAMES_AT_ONCE = 16


def bilinear_patch(image, corner, shape):
    """The patch whose first pixel lies at `corner` (row, column), interpolated between the four around each."""
    row, column = (int(np.floor(at)) for at in corner)
    part_r, part_c = corner[0] - row, corner[1] - column
    block = image[row:row + shape[0] + 1, column:column + shape[1] + 1]
    rows = block[:-1] * (1 - part_r) + block[1:] * part_r
    return rows[:, :-1] * (1 - part_c) + rows[:, 1:] * part_c


def moved(probe, by):
    """The modes of a probe moved by a fraction of a pixel, (rows, columns), through their spectra."""
    ramp = [np.exp(-2j * np.pi * np.fft.fftfreq(n) * shift) for n, shift in zip(probe.shape[1:], by)]
    return np.fft.ifft2(np.fft.fft2(probe) * ramp[0][:, None] * ramp[1])


def exit_waves(image, probe, corner, subpixel):
    """(modes, rows, columns) of one pattern."""
    shape = probe.shape[1:]
    if subpixel == "bilinear":
        return probe * bilinear_patch(image, corner, shape)
    whole = np.round(corner)
    row, column = whole.astype(int)
    return moved(probe, corner - whole) * image[row:row + shape[0], column:column + shape[1]]


def intensities(image, probe, corners, subpixel):
    """Modelled patterns (N, rows, columns), DC in the middle as the measured ones have it."""
    if subpixel not in SUBPIXELS:
        raise ValueError(f"subpixel is one of {SUBPIXELS}, not {subpixel!r}")
    waves = np.stack([exit_waves(image, probe, corner, subpixel) for corner in corners])
    power = np.abs(np.fft.fft2(waves, norm="ortho")) ** 2
    return np.fft.fftshift(power.sum(axis=1), axes=(-2, -1))


def cost(counts, measured, image, probe, corners, subpixel):
    """Mean over the measured pixels of (√I − √d)².

    counts (N, H, W), DC in the middle; measured (H, W), true where a pixel counts; image (rows, columns) complex;
    probe (modes, H, W) complex; corners (N, 2): row and column of the image where each patch begins, in pixels.
    """
    total = 0.0
    for begin in range(0, len(counts), FRAMES_AT_ONCE):
        some = slice(begin, begin + FRAMES_AT_ONCE)
        model = np.sqrt(intensities(image, probe, corners[some], subpixel))
        difference = model - np.sqrt(counts[some].astype(np.float64))
        total += float((difference[:, measured] ** 2).sum())
    return total / (len(counts) * int(measured.sum()))

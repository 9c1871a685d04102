"""evaluate.py SCAN RESULT: prints the costs of a result, {"own": …, "bilinear": …, "fourier": …}, by evaluator.py.

RESULT is an HDF5 product of `farfield reconstruct`, or what peer.py wrote (.npz). `own` is the cost by the way of
looking between pixels that the result was made with.
"""
import json
import math
import sys

import numpy as np

from evaluator import SUBPIXELS, cost
from scan import Scan, read_result


def main():
    scan = Scan(sys.argv[1])
    if sys.argv[2].endswith(".npz"):
        with np.load(sys.argv[2]) as file:
            image, probe, corners, own = file["object"], file["probe"], file["corners"], "fourier"
    else:
        image, probe, corners, own = read_result(sys.argv[2])
    costs = {way: cost(scan.counts, scan.measured, image, probe, corners, way) for way in SUBPIXELS}
    costs["own"] = costs[own]
    print(json.dumps({way: value if math.isfinite(value) else None for way, value in costs.items()}))


if __name__ == "__main__":
    main()

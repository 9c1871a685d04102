"""peer.py JSON: reconstructs a scan with the package ptychi and prints JSON lines, as `farfield reconstruct` does.

The settings are those that its documentation and its own tests use: SGD with steps of 1, random batches, Gaussian
noise, Hermite modes of 2 % beside the first. It begins with what Farfield begins with: an object of ones and the
probe of the file. Where the package's
update adds up a batch (the PIE family), a step of 1 diverges and .1 is taken.

JSON: {"scan", "algorithm", "modes", "batches", "epochs", "threads", "output"}.
"""
import json
import resource
import sys
import time

import numpy as np
import torch

import ptychi.api as api
from ptychi.api.task import PtychographyTask
from ptychi.utils import orthogonalize_initial_probe, rescale_probe

from scan import Scan

OPTIONS = {"lstsq": api.LSQMLOptions, "rpie": api.RPIEOptions, "epie": api.EPIEOptions}
STEPS = {"lstsq": 1, "rpie": 0.1, "epie": 0.1}


def say(**what):
    print(json.dumps(what), flush=True)


def first_probe(scan, modes):
    """(1, modes, H, W): the file's guess, with as much power as the patterns have."""
    probe = torch.zeros((1, modes, *scan.probe.shape[1:]), dtype=torch.complex64)
    probe[0, 0] = torch.from_numpy(scan.probe[0])
    if modes > 1:
        probe = orthogonalize_initial_probe(probe)
    return rescale_probe(probe, scan.counts.astype(np.float32))


def options(wanted, scan):
    made = OPTIONS[wanted["algorithm"]]()
    made.data_options.wavelength_m = scan.wavelength_m
    made.object_options.pixel_size_m = float(scan.pixel_m[1])
    for part in (made.object_options, made.probe_options):
        part.optimizable = True
        part.optimizer = api.Optimizers.SGD
        part.step_size = STEPS[wanted["algorithm"]]
    reconstructor = made.reconstructor_options
    reconstructor.num_epochs = wanted["epochs"]
    reconstructor.batch_size = -(-len(scan.counts) // wanted["batches"])
    reconstructor.batching_mode = api.BatchingModes.RANDOM
    reconstructor.default_device = api.Devices.CPU
    reconstructor.random_seed = 0
    return made


def main():
    wanted = json.loads(sys.argv[1])
    torch.set_num_threads(wanted["threads"])
    say(type="imported", bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
    scan = Scan(wanted["scan"])
    middle = (scan.positions.max(axis=0) + scan.positions.min(axis=0)) / 2
    rows, columns = (scan.positions - middle).astype(np.float32).T
    task = PtychographyTask(
        options(wanted, scan), diffraction_data=scan.counts.astype(np.float32),
        object_data=np.ones((1, *scan.object_shape), np.complex64),
        probe_data=first_probe(scan, wanted["modes"]), probe_position_y_px=rows, probe_position_x_px=columns,
        valid_pixel_mask=scan.measured)
    begin = time.monotonic()
    for epoch in range(wanted["epochs"]):
        task.run(1)
        say(type="epoch", epoch=epoch + 1, seconds=time.monotonic() - begin)
    # It centres patches on its positions, and its transforms are not orthonormal.
    probe = task.get_data_to_cpu("probe", as_numpy=True)[0]
    shape = np.array(probe.shape[1:])
    at = np.stack([task.get_probe_positions_y(as_numpy=True), task.get_probe_positions_x(as_numpy=True)], axis=1)
    corners = at + task.object.pos_origin_coords.cpu().numpy() - (shape - 1) / 2
    np.savez(wanted["output"], object=task.get_data_to_cpu("object", as_numpy=True)[0],
             probe=probe * np.sqrt(shape.prod()), corners=corners)
    say(type="result", output=wanted["output"])


if __name__ == "__main__":
    main()

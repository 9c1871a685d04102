/*
 * functions/simulate/write.h: a simulation as files that `reconstruct` reads, in the format that
 * the settings name (format.h), with the truth beside it:
 *
 *     /simulation/object          complex64 (rows, columns)
 *     /simulation/probe           complex64 (h, w), or (modes, h, w); its power is that of `counts`,
 *                                 divided by `fly`
 *     /simulation/positions_px    float64 (N, 2): row and column of the minimum corner of a patch,
 *                                 in the middle of the exposure
 *     /simulation/places_px       float64 (N, fly, 2): likewise, all places of a fly scan; only then
 *     /simulation/stated_px       float64 (N, fly, 2): what the file says of them, with its errors
 *     /simulation/object_pixel_m  float64
 *     /simulation/eigenprobes     complex64 (C, h, w); only with eigenprobes, and so are
 *     /simulation/weights         float64 (N, C)
 *     /simulation/intensities     float64 (N)
 *     /simulation/measured        uint8 (size, size): 1 where a pixel counts light
 *     /simulation/faults          uint8 (N): 0 whole, 1 dropped, 2 empty, 3 over-bright
 *     /simulation/frames          int64 (n): the pattern of each frame
 *     /simulation/settings        text: the settings as JSON
 *
 * It is in the main file where that is HDF5, else in NAME.truth.h5, NAME being the output without
 * its ending. In fly scans the file holds a position for each place, `fly` of them for each frame.
 */
#ifndef FF_SIMULATE_WRITE_H
#define FF_SIMULATE_WRITE_H

#include "functions/simulate/simulation.h"

/* Called after each frame, in order; false ends the writing. */
typedef bool ff_simulation_step(void *user, size_t done);

/*
 * Some frames at a time, made by as many threads as the settings say, so memory does not grow with
 * their number. Space is reserved where it is known, so a full disk shows before the first pattern
 * is computed; frames that are not packed go to their place with plain writes. Files appear under
 * their names only when all are whole: on failure, and when `step` said to end (then
 * FF_TASK_CANCELLED), nothing is left behind.
 */
int ff_simulation_write(struct ff_simulation *simulation, const char *path,
                        ff_simulation_step *step, void *user, struct ff_error *error) FF_MUST_USE;

#endif

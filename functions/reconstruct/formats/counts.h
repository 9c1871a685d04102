/*
 * functions/reconstruct/formats/counts.h: frames from a file into counts as solvers want them.
 *
 * Frames are cropped about the beam, shifted so that the DC lies at the corner (but for a near
 * field), and kept as 16 bit as long as that is lossless; the first value that is not turns all of
 * them into float. Amplitudes are squared; a square that is a whole number up to rounding is taken
 * for that number. A pixel that is NaN, infinite, negative, or at the top of the file's integer
 * type (or that of 32 bit) in any frame is left out of all frames, with a note; where that would be more than a quarter
 * of the pixels the file is refused, because then the numbers mean something else. Pixels that are
 * dead or stuck (outliers.h) are left out likewise.
 */
#ifndef FF_RECONSTRUCT_FORMATS_COUNTS_H
#define FF_RECONSTRUCT_FORMATS_COUNTS_H

#include "functions/reconstruct/formats/frames.h"

/* What is kept of a frame. */
struct ff_window {
    size_t whole[2];  /* rows and columns of a frame */
    size_t extent[2]; /* of what is kept */
    size_t centre[2]; /* the pixel that the beam hits, which becomes element 0 */
    bool wraps;       /* the beam hits element 0, and what lies before it is at the end */
    bool shifts;      /* else the kept part stays as it lies on the detector */
};

/* By the settings, the description and the beam's place in the files. */
int ff_window_choose(const struct ff_reading *reading, const struct ff_frames *frames,
                     struct ff_window *window, struct ff_error *error) FF_MUST_USE;

/*
 * Fills rows, columns, counts, measured and total_counts of the measurement, whose patterns are
 * known. `slots` tells the pattern that each frame becomes, or SIZE_MAX; `mask` is of a whole frame
 * as it is used, 1 = use, or NULL. *sums is the sum of each pattern; the caller frees it.
 */
int ff_counts_read(const struct ff_reading *reading, struct ff_frames *frames,
                   const struct ff_window *window, const size_t *slots, const uint8_t *mask,
                   struct ff_measurement *measurement, double **sums,
                   struct ff_error *error) FF_MUST_USE;

/* Drops patterns that are empty or far too bright from counts and positions, with a note, unless
 * the settings keep them; FF_INPUT_INVALID when all are empty. */
int ff_counts_drop(const struct ff_reading *reading, const double *sums,
                   struct ff_measurement *measurement, struct ff_error *error) FF_MUST_USE;

#endif

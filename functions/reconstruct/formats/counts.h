/*
 * functions/reconstruct/formats/counts.h: frames from a file into counts as solvers want them.
 *
 * Frames are read in blocks, cropped about their middle, shifted so that the DC lies at the corner,
 * and kept as 16 bit as long as that is lossless; the first value that is not turns all of them
 * into float. A pixel that is NaN, infinite, negative, or at the top of the file's integer type in
 * any frame is left out of all frames, with a note; where that would be more than a quarter of the
 * pixels the file is refused, because then the numbers mean something else.
 */
#ifndef FF_RECONSTRUCT_FORMATS_COUNTS_H
#define FF_RECONSTRUCT_FORMATS_COUNTS_H

#include "functions/reconstruct/formats/hdf5.h"
#include "functions/reconstruct/formats/measurement.h"

/* The mask as a file means it: whether a pixel with this value may be used. */
typedef bool ff_mask_rule(double value);

/* Fills patterns, rows, columns, counts, measured and total_counts. `dataset` is (N, H, W); `mask`
 * is (H, W) as in the file, 1 = use, or NULL; `crop` is 0 or the extent to keep. */
int ff_counts_read(const struct ff_hdf5_dataset *dataset, const uint8_t *mask, size_t crop,
                   struct ff_measurement *measurement, struct ff_buffer *notes,
                   struct ff_error *error) FF_MUST_USE;

#endif

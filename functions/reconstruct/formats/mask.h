/*
 * functions/reconstruct/formats/mask.h: the pixels that are not to be used: those that the input
 * names, those that a description names, and those of the setting `mask`.
 *
 *     mask=bad.h5            a file with one image: HDF5, NPY or NPZ
 *     mask=bad.h5:/eiger/m   a dataset of it
 *     mask=rows 10:20; columns 255,256; rows 100: columns 30:32
 *                            ranges as in Python, from 0, without their end: whole rows, whole
 *                            columns, or where both meet
 *     mask=none              nothing more than what the input names: dead pixels are kept, too
 */
#ifndef FF_RECONSTRUCT_FORMATS_MASK_H
#define FF_RECONSTRUCT_FORMATS_MASK_H

#include "functions/reconstruct/formats/frames.h"

#define FF_MASK_NONE "none"

/* *mask is (rows, columns) of a whole frame as it is used, 1 = use; NULL where all are. The caller
 * frees. */
int ff_mask_read(const struct ff_reading *reading, const struct ff_frames *frames, uint8_t **mask,
                 struct ff_error *error) FF_MUST_USE;

/* Whether a value of the setting names a file: it is neither ranges, nor "none", nor nothing. */
bool ff_mask_is_file(const char *setting);

/* Sets 0 where the ranges say so. FF_INVALID_SETTING names the part that is not understood. */
int ff_mask_ranges(const char *text, size_t rows, size_t columns, uint8_t *mask,
                   struct ff_error *error) FF_MUST_USE;

#endif

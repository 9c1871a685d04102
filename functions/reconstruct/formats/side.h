/*
 * functions/reconstruct/formats/side.h: the file that the setting positions_file names, and how it
 * is to be read.
 */
#ifndef FF_RECONSTRUCT_FORMATS_SIDE_H
#define FF_RECONSTRUCT_FORMATS_SIDE_H

#include "functions/reconstruct/formats/reading.h"

/* Fills side and side_description, once the description of the input is known; nothing without the
 * setting. */
int ff_side_open(struct ff_reading *reading, struct ff_error *error) FF_MUST_USE;

/* Whether a file has what a value of a description names. */
bool ff_side_exists(const struct ff_hdf5_file *file, const char *text);

#endif

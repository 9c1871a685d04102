/*
 * functions/reconstruct/formats/table.h: a table of numbers in text as an HDF5 file in memory; see
 * store.h.
 */
#ifndef FF_RECONSTRUCT_FORMATS_TABLE_H
#define FF_RECONSTRUCT_FORMATS_TABLE_H

#include "functions/reconstruct/formats/hdf5.h"

/* FF_INPUT_INVALID names the line that has another number of columns, or none that is a number. */
struct ff_hdf5_file *ff_table_open(const char *path, struct ff_error *error) FF_MUST_USE;

#endif

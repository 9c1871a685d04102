/*
 * functions/reconstruct/formats/store.h: files that hold arrays by name, whatever their format.
 *
 * HDF5 is read as it is. An NPZ or NPY file, or a table in text, becomes an HDF5 file in memory
 * whose datasets lie where they were: at their place in the NPZ file as far as it holds them
 * uncompressed, else in memory, unpacked. So one set of functions (hdf5.h) reads all of them.
 *
 *     NPZ      /NAME for each array of numbers
 *     NPY      /array
 *     table    /1 … /C, a dataset for each column, also under its heading; /table is (rows, C)
 */
#ifndef FF_RECONSTRUCT_FORMATS_STORE_H
#define FF_RECONSTRUCT_FORMATS_STORE_H

#include "functions/reconstruct/formats/hdf5.h"

/* Opens HDF5, NPZ or NPY. */
struct ff_hdf5_file *ff_store_open(const char *path, struct ff_error *error) FF_MUST_USE;

/* Opens a table in text as well: numbers with commas, semicolons or blanks between them. What
 * stands above them is a title and, in its last line, their headings; # begins a remark. */
struct ff_hdf5_file *ff_store_open_any(const char *path, struct ff_error *error) FF_MUST_USE;

#endif

/*
 * functions/reconstruct/formats/npz.h: NPZ (a zip archive of NPY arrays) and NPY files as an HDF5
 * file in memory; see store.h.
 */
#ifndef FF_RECONSTRUCT_FORMATS_NPZ_H
#define FF_RECONSTRUCT_FORMATS_NPZ_H

#include "functions/reconstruct/formats/hdf5.h"

struct ff_hdf5_file *ff_npz_open(const char *path, struct ff_error *error) FF_MUST_USE;
struct ff_hdf5_file *ff_npy_open(const char *path, struct ff_error *error) FF_MUST_USE;

#endif

/*
 * functions/reconstruct/formats/npy.h: the header of an array that numpy wrote (NEP 1, versions 1
 * to 3).
 */
#ifndef FF_RECONSTRUCT_FORMATS_NPY_H
#define FF_RECONSTRUCT_FORMATS_NPY_H

#include "functions/reconstruct/formats/hdf5.h"

enum { FF_NPY_HEADER_MAX = 1 << 16 };

struct ff_npy {
    char kind; /* 'b', 'i', 'u', 'f', 'c' */
    bool big_endian;
    bool fortran_order;
    size_t element_size;
    int rank;
    size_t shape[FF_HDF5_RANK_MAX];
    size_t header_bytes; /* the values begin there */
    size_t bytes;        /* of the values */
};

/* From the first `size` bytes of the file (all of it, or FF_NPY_HEADER_MAX). -1: it is no such
 * header, is damaged, claims a size beyond all memory, or holds something else than numbers. */
int ff_npy_parse(const void *data, size_t size, struct ff_npy *array) FF_MUST_USE;

/* The type of its elements; the caller closes it. */
hid_t ff_npy_type(const struct ff_npy *array);

/* Values from FORTRAN order (`from`) into C order (`to`), both of array->bytes. */
void ff_npy_to_rows(const struct ff_npy *array, const void *from, void *to);

#endif

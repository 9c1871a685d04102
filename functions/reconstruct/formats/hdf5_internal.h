/* functions/reconstruct/formats/hdf5_internal.h: shared by the hdf5*.c and listing.c alone. */
#ifndef FF_RECONSTRUCT_FORMATS_HDF5_INTERNAL_H
#define FF_RECONSTRUCT_FORMATS_HDF5_INTERNAL_H

#include "functions/reconstruct/formats/hdf5.h"

struct ff_hdf5_file {
    hid_t id; /* -1: not open */
    char *path;
};

/* FF_HDF5_OTHER for every type that is not among the usual ones, whatever its class. */
enum ff_hdf5_kind ff_hdf5_kind_of(hid_t type);

#endif

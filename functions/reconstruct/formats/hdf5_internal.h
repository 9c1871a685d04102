/* functions/reconstruct/formats/hdf5_internal.h: shared by hdf5*.c, memory_file.c, listing.c. */
#ifndef FF_RECONSTRUCT_FORMATS_HDF5_INTERNAL_H
#define FF_RECONSTRUCT_FORMATS_HDF5_INTERNAL_H

#include "functions/reconstruct/formats/hdf5.h"

struct ff_hdf5_file {
    hid_t id; /* -1: not open */
    char *path;

    /* A file in memory (memory_file.h), whose shapes and sizes were checked when it was made. */
    bool is_memory;
    int memory;          /* descriptor of the arrays' room, or -1 */
    size_t memory_bytes; /* its size */
    size_t memory_start; /* of the room that was made last */
};

/* FF_HDF5_OTHER for every type that is not among the usual ones, whatever its class. */
enum ff_hdf5_kind ff_hdf5_kind_of(hid_t type);

/* Refuses a dataset that claims more than is stored, or whose storage cannot be read: chunks that
 * are too large, filters that are not installed, other files that are absent. */
int ff_hdf5_check_storage(const struct ff_hdf5_dataset *dataset,
                          struct ff_error *error) FF_MUST_USE;

#endif

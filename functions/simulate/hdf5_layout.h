/*
 * functions/simulate/hdf5_layout.h: what the child of hdf5_files.h does: making HDF5 files.
 */
#ifndef FF_SIMULATE_HDF5_LAYOUT_H
#define FF_SIMULATE_HDF5_LAYOUT_H

#include "functions/simulate/plan.h"

#include <hdf5.h>

/* A file being laid out; `failed` is looked at once, at the end. */
struct ff_hdf5_layout {
    hid_t file;
    bool failed;
};

/* Everything of file `number` but its frames, whose datasets go into `datasets` (one for each
 * segment of the plan); the caller closes them and the file. */
void ff_hdf5_layout_make(struct ff_hdf5_layout *layout, const struct ff_simulate_plan *plan,
                         size_t number, hid_t *datasets);

#endif

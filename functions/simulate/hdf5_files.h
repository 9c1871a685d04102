/*
 * functions/simulate/hdf5_files.h: the HDF5 files of a plan, laid out in a process of their own.
 *
 * The HDF5 library does not get over a file that it could not write, and takes the process with it
 * at its end; so it writes in a child. The child makes the files with all but the frames, says
 * where those will lie, and is gone; frames that are packed in chunks are sent to it one by one.
 */
#ifndef FF_SIMULATE_HDF5_FILES_H
#define FF_SIMULATE_HDF5_FILES_H

#include "functions/simulate/plan.h"

struct ff_simulate_hdf5;

/* Fills the offsets of the plan's segments. To be called before there are other threads. NULL with
 * FF_OUTPUT_FAILED, or FF_DISK_FULL. */
struct ff_simulate_hdf5 *ff_simulate_hdf5_start(struct ff_simulate_plan *plan,
                                                struct ff_error *error) FF_MUST_USE;

/* Frame `index` of a segment, packed as its chunk. False: the child is gone, and
 * ff_simulate_hdf5_finish tells why. */
bool ff_simulate_hdf5_send(struct ff_simulate_hdf5 *hdf5, size_t segment, size_t index,
                           const void *chunk, size_t size);

/* Ends the writing well, and frees also on failure. */
int ff_simulate_hdf5_finish(struct ff_simulate_hdf5 *hdf5, struct ff_error *error) FF_MUST_USE;

/* Ends it in the middle. */
void ff_simulate_hdf5_abandon(struct ff_simulate_hdf5 *hdf5);

#endif

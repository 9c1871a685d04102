/*
 * functions/reconstruct/formats/guard.h: damage that the HDF5 library does not survive.
 *
 * The library trusts much of what a file says about itself, and a damaged file can make it crash or
 * run for ever. Whoever opens a file here wants a message instead, so a child process goes first.
 */
#ifndef FF_RECONSTRUCT_FORMATS_GUARD_H
#define FF_RECONSTRUCT_FORMATS_GUARD_H

#include "protocol/core/error.h"

/* Opens the file and every object in it (up to some thousands) in a child; -1 with FF_INPUT_INVALID
 * when that did not live to its end. A file that HDF5 refuses in words passes: the caller will hear
 * them. */
int ff_hdf5_try(const char *path, struct ff_error *error) FF_MUST_USE;

#endif

/*
 * functions/reconstruct/formats/listing.h: what an HDF5 file holds, for a person who looks for it.
 */
#ifndef FF_RECONSTRUCT_FORMATS_LISTING_H
#define FF_RECONSTRUCT_FORMATS_LISTING_H

#include "functions/reconstruct/formats/hdf5.h"

#include <jansson.h>

/* At most so many datasets are listed: a file may hold millions. */
enum { FF_LISTING_MAX = 256 };

/* A new array of {"path", "shape", "type"}, one a dataset, in the order of their names; NULL when
 * memory is out or the file cannot be walked. */
json_t *ff_hdf5_listing(const struct ff_hdf5_file *file, struct ff_error *error) FF_MUST_USE;

#endif

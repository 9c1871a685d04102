/*
 * functions/reconstruct/formats/paths.h: paths with `*` in them, and quantities in a file.
 */
#ifndef FF_RECONSTRUCT_FORMATS_PATHS_H
#define FF_RECONSTRUCT_FORMATS_PATHS_H

#include "functions/reconstruct/formats/hdf5.h"
#include "functions/reconstruct/formats/quantity.h"

/* Every path in the file that fits `pattern`, in the order of the numbers in them ("data_2" before
 * "data_10"), dangling links among them. None fits: an empty list. */
int ff_paths_expand(const struct ff_hdf5_file *file, const char *pattern, char ***paths,
                    size_t *count, struct ff_error *error) FF_MUST_USE;
void ff_paths_free(char **paths, size_t count);

/* Where a quantity is: the first alternative of `text` that exists in `file`, its pattern made one
 * path; a number exists always. *found tells whether there is one. */
int ff_paths_find(const struct ff_hdf5_file *file, const char *text, struct ff_quantity *place,
                  bool *found, struct ff_error *error) FF_MUST_USE;

#endif

/*
 * functions/reconstruct/formats/input.h: what the setting `input` names: a file, a pattern
 * ("scan/fly_*.h5"), or several files with commas between them. They are one scan, in the order of
 * the numbers in their names or in that of the list.
 */
#ifndef FF_RECONSTRUCT_FORMATS_INPUT_H
#define FF_RECONSTRUCT_FORMATS_INPUT_H

#include "functions/reconstruct/formats/hdf5.h"
#include "protocol/core/digest.h"

struct ff_input;

struct ff_input *ff_input_create(const char *input, struct ff_error *error) FF_MUST_USE;
void ff_input_destroy(struct ff_input *input);

size_t ff_input_count(const struct ff_input *input);
const char *ff_input_path(const struct ff_input *input, size_t index);

/* The first file stays open; of the others only the one asked for last. */
struct ff_hdf5_file *ff_input_file(struct ff_input *input, size_t index,
                                   struct ff_error *error) FF_MUST_USE;

/* That of the file and what it links to (linked.h); of several the digest of their digests. */
int ff_input_digest(const char *input, struct ff_digest *digest,
                    struct ff_error *error) FF_MUST_USE;

#endif

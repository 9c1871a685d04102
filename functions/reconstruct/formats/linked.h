/*
 * functions/reconstruct/formats/linked.h: the digest of an HDF5 file and of all that it links to.
 */
#ifndef FF_RECONSTRUCT_FORMATS_LINKED_H
#define FF_RECONSTRUCT_FORMATS_LINKED_H

#include "protocol/core/digest.h"

/*
 * SHA-256 of the file at `path`. Where it has external links, or virtual datasets, that lead to other
 * files, and these to others: of the digests of all of them, in the order in which they are met. A
 * file that is not there, or no regular file, does not count, so it counts when it comes. Files that
 * are not HDF5 link to nothing.
 */
int ff_linked_digest(const char *path, struct ff_digest *digest,
                     struct ff_error *error) FF_MUST_USE;

#endif

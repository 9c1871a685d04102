/*
 * functions/reconstruct/formats/zip.h: the directory of a zip archive (APPNOTE 6.3, with ZIP64),
 * and unpacking one member. Every size is checked against the file before it is believed.
 */
#ifndef FF_RECONSTRUCT_FORMATS_ZIP_H
#define FF_RECONSTRUCT_FORMATS_ZIP_H

#include "protocol/core/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FF_ZIP_NAME_SIZE = 256, FF_ZIP_MEMBERS_MAX = 65536 };

struct ff_zip_member {
    char name[FF_ZIP_NAME_SIZE];
    bool is_packed;      /* DEFLATE; else as it is */
    size_t packed_bytes; /* in the file */
    size_t bytes;        /* unpacked */
    size_t offset;       /* of the packed bytes in the file */
    uint32_t crc;
};

/* The members in the order of the directory, at most FF_ZIP_MEMBERS_MAX, without those whose name
 * is too long or whose packing is not known. The caller frees *members. `path` is for messages. */
int ff_zip_list(int fd, const char *path, struct ff_zip_member **members, size_t *count,
                struct ff_error *error) FF_MUST_USE;

/* The first `size` ≤ member->bytes bytes of a member; all of them are checked against its CRC. */
int ff_zip_read(int fd, const char *path, const struct ff_zip_member *member, void *to, size_t size,
                struct ff_error *error) FF_MUST_USE;

#endif

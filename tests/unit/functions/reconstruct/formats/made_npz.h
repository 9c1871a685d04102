/*
 * tests/unit/functions/reconstruct/formats/made_npz.h: NPZ and NPY files, written by hand.
 */
#ifndef FF_TESTS_MADE_NPZ_H
#define FF_TESTS_MADE_NPZ_H

#include "tests/unit/check.h"

#include "protocol/core/file.h"

#include <zlib.h>

struct made_member {
    const char *name;  /* "data": data.npy in the archive */
    const char *type;  /* "<u2" */
    const char *shape; /* "(12, 16, 20)" */
    const void *values;
    size_t bytes;
    bool fortran, packed;
};

static inline void made_append_number(struct ff_buffer *to, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        uint8_t byte = (uint8_t)(i < 8 ? value >> 8 * i : 0);
        ff_buffer_append(to, &byte, 1);
    }
}

static inline void made_append_npy(struct ff_buffer *to, const struct made_member *member)
{
    char header[256];
    int length =
        snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': %s, 'shape': %s, }\n",
                 member->type, member->fortran ? "True" : "False", member->shape);
    ff_buffer_append(to, "\x93NUMPY\x01\x00", 8);
    made_append_number(to, (uint64_t)length, 2);
    ff_buffer_append(to, header, (size_t)length);
    ff_buffer_append(to, member->values, member->bytes);
}

static inline void made_pack(struct ff_buffer *to, struct ff_span bytes)
{
    z_stream stream = {0};
    assert_int_equal(deflateInit2(&stream, 6, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
    size_t room = deflateBound(&stream, bytes.size);
    stream.next_in = (Bytef *)(uintptr_t)bytes.data;
    stream.avail_in = (uInt)bytes.size;
    stream.next_out = ff_buffer_reserve(to, room);
    stream.avail_out = (uInt)room;
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    to->size += stream.total_out;
    deflateEnd(&stream);
}

/* Signature, then what the local header and the directory have alike. */
static inline void made_append_head(struct ff_buffer *to, const struct made_member *member,
                                    uint32_t crc, size_t packed, size_t bytes)
{
    made_append_number(to, 20, 2); /* version */
    made_append_number(to, 0, 2);
    made_append_number(to, member->packed ? 8 : 0, 2);
    made_append_number(to, 0, 4);
    made_append_number(to, crc, 4);
    made_append_number(to, packed, 4);
    made_append_number(to, bytes, 4);
    made_append_number(to, strlen(member->name) + 4, 2);
}

static inline void made_append_name(struct ff_buffer *to, const struct made_member *member)
{
    ff_buffer_append(to, member->name, strlen(member->name));
    ff_buffer_append(to, ".npy", 4);
}

static inline void made_npz(const char *path, const struct made_member *members, size_t count)
{
    struct ff_error error = {0};
    struct ff_buffer archive;
    struct ff_buffer directory;
    struct ff_buffer array;
    ff_buffer_init(&archive, 1 << 24);
    ff_buffer_init(&directory, 1 << 20);
    ff_buffer_init(&array, 1 << 24);
    for (size_t i = 0; i < count; i++) {
        const struct made_member *member = &members[i];
        struct ff_buffer body;
        size_t offset = archive.size;
        ff_buffer_init(&body, 1 << 24);
        ff_buffer_clear(&array);
        made_append_npy(&array, member);
        if (member->packed)
            made_pack(&body, ff_buffer_span(&array));
        else
            ff_buffer_append(&body, array.data, array.size);
        uint32_t crc = (uint32_t)crc32(0, array.data, (uInt)array.size);
        made_append_number(&archive, 0x04034b50, 4);
        made_append_head(&archive, member, crc, body.size, array.size);
        made_append_number(&archive, 0, 2);
        made_append_name(&archive, member);
        ff_buffer_append(&archive, body.data, body.size);
        made_append_number(&directory, 0x02014b50, 4);
        made_append_number(&directory, 20, 2);
        made_append_head(&directory, member, crc, body.size, array.size);
        made_append_number(&directory, 0, 2 + 2 + 2 + 2 + 4);
        made_append_number(&directory, offset, 4);
        made_append_name(&directory, member);
        ff_buffer_dispose(&body);
    }
    size_t start = archive.size;
    ff_buffer_append(&archive, directory.data, directory.size);
    made_append_number(&archive, 0x06054b50, 4);
    made_append_number(&archive, 0, 4);
    made_append_number(&archive, count, 2);
    made_append_number(&archive, count, 2);
    made_append_number(&archive, directory.size, 4);
    made_append_number(&archive, start, 4);
    made_append_number(&archive, 0, 2);
    assert_ok(ff_file_write(path, ff_buffer_span(&archive), 0600, &error), error);
    ff_buffer_dispose(&archive);
    ff_buffer_dispose(&directory);
    ff_buffer_dispose(&array);
}

#endif

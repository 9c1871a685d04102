#include "functions/simulate/npz_file.h"

#include "protocol/core/bytes.h"
#include "protocol/core/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* APPNOTE.TXT of PKWARE, 4.3: the records of an archive. Sizes are always in the ZIP64 extra
 * field, so that a member may be of any size. */
enum {
    LOCAL_RECORD = 0x04034b50,
    CENTRAL_RECORD = 0x02014b50,
    END_64_RECORD = 0x06064b50,
    END_64_LOCATOR = 0x07064b50,
    END_RECORD = 0x06054b50,
    VERSION = 45,
    EXTRA_64 = 1,
    LOCAL_HEADER_BYTES = 30,
    CRC_PLACE = 14, /* in a local header */
    MEMBERS_MAX = 16,
    NPY_ALIGNMENT = 64,
    RECORDS_LIMIT = 1 << 16,
    DATE = 33 /* the first of January 1980: no time of writing, so that equal scans are equal */
};

struct member {
    char name[48];
    uint64_t offset, bytes;
    uint32_t crc;
};

struct ff_npz_file {
    int fd;
    const char *path;
    struct member members[MEMBERS_MAX];
    size_t count;
    uint64_t end; /* the next free byte */
    uint64_t frames_bytes;
};

static void put_little(struct ff_buffer *buffer, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        uint8_t byte = (uint8_t)(value >> (8 * i));
        ff_buffer_append(buffer, &byte, 1);
    }
}

static int write_buffer(struct ff_npz_file *npz, struct ff_buffer *buffer, uint64_t place,
                        struct ff_error *error)
{
    int result = ff_buffer_check(buffer, "the records of an archive", error);
    if (result == 0 && ff_pwrite_all(npz->fd, ff_buffer_span(buffer), (off_t)place) < 0)
        result = ff_fail_errno(error, FF_OUTPUT_FAILED, errno, "cannot write %s", npz->path);
    ff_buffer_dispose(buffer);
    return result;
}

/* What a local header and an entry of the directory have in common, from the version on. */
static void put_common(struct ff_buffer *buffer, const struct member *member, size_t extra)
{
    put_little(buffer, VERSION, 2);
    put_little(buffer, 0, 2); /* flags */
    put_little(buffer, 0, 2); /* stored */
    put_little(buffer, 0, 2); /* time */
    put_little(buffer, DATE, 2);
    put_little(buffer, member->crc, 4);
    put_little(buffer, UINT32_MAX, 4); /* both sizes: see the extra field */
    put_little(buffer, UINT32_MAX, 4);
    put_little(buffer, strlen(member->name), 2);
    put_little(buffer, extra, 2);
}

static void put_local(struct ff_buffer *buffer, const struct member *member)
{
    put_little(buffer, LOCAL_RECORD, 4);
    put_common(buffer, member, 20);
    ff_buffer_append_text(buffer, member->name);
    put_little(buffer, EXTRA_64, 2);
    put_little(buffer, 16, 2);
    put_little(buffer, member->bytes, 8);
    put_little(buffer, member->bytes, 8);
}

static void put_central(struct ff_buffer *buffer, const struct member *member)
{
    put_little(buffer, CENTRAL_RECORD, 4);
    put_little(buffer, VERSION, 2);
    put_common(buffer, member, 28);
    put_little(buffer, 0, 2); /* no comment */
    put_little(buffer, 0, 2); /* the first disk */
    put_little(buffer, 0, 2);
    put_little(buffer, 0, 4);
    put_little(buffer, UINT32_MAX, 4); /* the offset: see the extra field */
    ff_buffer_append_text(buffer, member->name);
    put_little(buffer, EXTRA_64, 2);
    put_little(buffer, 24, 2);
    put_little(buffer, member->bytes, 8);
    put_little(buffer, member->bytes, 8);
    put_little(buffer, member->offset, 8);
}

static void put_ends(struct ff_buffer *buffer, size_t count, uint64_t start, uint64_t size)
{
    put_little(buffer, END_64_RECORD, 4);
    put_little(buffer, 44, 8); /* the rest of this record */
    put_little(buffer, VERSION, 2);
    put_little(buffer, VERSION, 2);
    put_little(buffer, 0, 8); /* disks */
    put_little(buffer, count, 8);
    put_little(buffer, count, 8);
    put_little(buffer, size, 8);
    put_little(buffer, start, 8);
    put_little(buffer, END_64_LOCATOR, 4);
    put_little(buffer, 0, 4);
    put_little(buffer, start + size, 8);
    put_little(buffer, 1, 4);
    put_little(buffer, END_RECORD, 4);
    put_little(buffer, 0, 4); /* disks */
    put_little(buffer, count, 2);
    put_little(buffer, count, 2);
    put_little(buffer, UINT32_MAX, 4);
    put_little(buffer, UINT32_MAX, 4);
    put_little(buffer, 0, 2);
}

/* The header of NPY 1.0 for values of a numpy type. */
static void put_npy_header(struct ff_buffer *buffer, const char *type, int rank,
                           const size_t *shape)
{
    char text[256];
    int length =
        snprintf(text, sizeof text, "{'descr': '%s', 'fortran_order': False, 'shape': (", type);
    for (int i = 0; i < rank; i++)
        length += snprintf(text + length, sizeof text - (size_t)length, "%zu, ", shape[i]);
    length += snprintf(text + length, sizeof text - (size_t)length, "), }");
    size_t whole = (10 + (size_t)length + 1 + NPY_ALIGNMENT - 1) / NPY_ALIGNMENT * NPY_ALIGNMENT;
    ff_buffer_append(buffer, "\x93NUMPY\x01\0", 8);
    put_little(buffer, whole - 10, 2);
    ff_buffer_append(buffer, text, (size_t)length);
    for (size_t i = 10 + (size_t)length; i + 1 < whole; i++)
        ff_buffer_append_text(buffer, " ");
    ff_buffer_append_text(buffer, "\n");
}

/* Puts the headers of a member at the end, and leaves `bytes` behind them. Its CRC is that of the
 * NPY header until the values add theirs. */
static struct member *begin_member(struct ff_npz_file *npz, const char *name, const char *type,
                                   int rank, const size_t *shape, uint64_t bytes,
                                   struct ff_error *error)
{
    struct ff_buffer header;
    struct ff_buffer record;
    struct member *member = &npz->members[npz->count++];
    *member = (struct member){.offset = npz->end};
    snprintf(member->name, sizeof member->name, "%s.npy", name);
    ff_buffer_init(&header, RECORDS_LIMIT);
    ff_buffer_init(&record, RECORDS_LIMIT);
    put_npy_header(&header, type, rank, shape);
    member->crc = (uint32_t)crc32_z(0, header.data, header.size);
    member->bytes = header.size + bytes;
    put_local(&record, member);
    ff_buffer_append(&record, header.data, header.size);
    npz->end += record.size + bytes;
    ff_buffer_dispose(&header);
    return write_buffer(npz, &record, member->offset, error) == 0 ? member : NULL;
}

static int put_crc(struct ff_npz_file *npz, const struct member *member, struct ff_error *error)
{
    struct ff_buffer crc;
    ff_buffer_init(&crc, RECORDS_LIMIT);
    put_little(&crc, member->crc, 4);
    return write_buffer(npz, &crc, member->offset + CRC_PLACE, error);
}

static int add_array(struct ff_npz_file *npz, const char *name,
                     const struct ff_simulate_array *array, struct ff_error *error)
{
    static const char *const types[] = {
        [FF_ELEMENT_U8] = "|u1",  [FF_ELEMENT_U32] = "<u4", [FF_ELEMENT_I64] = "<i8",
        [FF_ELEMENT_F32] = "<f4", [FF_ELEMENT_F64] = "<f8", [FF_ELEMENT_COMPLEX] = "<c8",
    };
    size_t bytes = ff_simulate_array_elements(array) * ff_simulate_element_bytes(array->element);
    struct member *member =
        begin_member(npz, name, types[array->element], array->rank, array->shape, bytes, error);
    if (member == NULL)
        return -1;
    if (ff_pwrite_all(npz->fd, (struct ff_span){array->values, bytes}, (off_t)(npz->end - bytes)) <
        0)
        return ff_fail_errno(error, FF_OUTPUT_FAILED, errno, "cannot write %s", npz->path);
    member->crc = (uint32_t)crc32_z(member->crc, array->values, bytes);
    return put_crc(npz, member, error);
}

static int add_fields(struct ff_npz_file *npz, const struct ff_simulate_plan *plan,
                      struct ff_error *error)
{
    const struct ff_simulate_entry *field = plan->format->fields;
    for (; field->path != NULL; field++) {
        struct ff_simulate_array array;
        if (ff_simulate_quantity(plan->simulation, field, NULL, &array, error) < 0)
            return -1;
        int result = array.values != NULL ? add_array(npz, field->path, &array, error) : 0;
        free(array.owned);
        if (result < 0)
            return -1;
    }
    return 0;
}

static int add_frames(struct ff_npz_file *npz, struct ff_simulate_plan *plan,
                      struct ff_error *error)
{
    static const char *const types[] = {
        [FF_SIMULATE_U16] = "<u2", [FF_SIMULATE_U32] = "<u4", [FF_SIMULATE_FLOAT] = "<f4"};
    const struct ff_simulation *simulation = plan->simulation;
    const size_t shape[] = {1, simulation->frame_count, simulation->size, simulation->size};
    bool leads = plan->format->leading > 0;
    npz->frames_bytes = simulation->frame_count * plan->frame_bytes;
    if (begin_member(npz, plan->format->frames, types[simulation->settings.type], leads ? 4 : 3,
                     leads ? shape : shape + 1, npz->frames_bytes, error) == NULL)
        return -1;
    plan->segments[0].offset = (off_t)(npz->end - npz->frames_bytes);
    return 0;
}

struct ff_npz_file *ff_npz_file_start(struct ff_simulate_plan *plan, struct ff_error *error)
{
    const struct ff_simulate_file *file = ff_simulate_plan_find(plan, FF_ROLE_MAIN);
    struct ff_npz_file *npz = calloc(1, sizeof *npz);
    if (npz == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory to write %s", file->path);
        return NULL;
    }
    npz->fd = file->fd;
    npz->path = file->path;
    if (add_fields(npz, plan, error) == 0 && add_frames(npz, plan, error) == 0)
        return npz;
    ff_npz_file_abandon(npz);
    return NULL;
}

int ff_npz_file_finish(struct ff_npz_file *npz, uint32_t crc, struct ff_error *error)
{
    struct ff_buffer directory;
    struct member *frames = &npz->members[npz->count - 1];
    ff_buffer_init(&directory, RECORDS_LIMIT);
    frames->crc = (uint32_t)crc32_combine(frames->crc, crc, (z_off_t)npz->frames_bytes);
    for (size_t i = 0; i < npz->count; i++)
        put_central(&directory, &npz->members[i]);
    put_ends(&directory, npz->count, npz->end, directory.size);
    int result = put_crc(npz, frames, error);
    if (result == 0)
        result = write_buffer(npz, &directory, npz->end, error);
    else
        ff_buffer_dispose(&directory);
    ff_npz_file_abandon(npz);
    return result;
}

void ff_npz_file_abandon(struct ff_npz_file *npz)
{
    free(npz);
}

#include "functions/reconstruct/formats/zip.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum {
    END_BYTES = 22,
    END64_BYTES = 56,
    LOCATOR_BYTES = 20,
    ENTRY_BYTES = 46,
    LOCAL_BYTES = 30,
    COMMENT_MAX = 65535,
    DIRECTORY_MAX = 16 << 20,
    PIECE = 1 << 16,
    /* DEFLATE packs at most 1032 to 1. */
    PACKING_MAX = 1032,
};

struct directory {
    uint64_t offset, size, count;
};

static uint64_t number(const uint8_t *at, size_t bytes)
{
    uint64_t value = 0;
    for (size_t i = bytes; i-- > 0;)
        value = value << 8 | at[i];
    return value;
}

static bool begins(const uint8_t *at, uint32_t signature)
{
    return number(at, 4) == signature;
}

static int refuse(const char *path, const char *what, struct ff_error *error)
{
    ff_fail(error, FF_INPUT_INVALID, "%s is a damaged zip archive: %s", path, what);
    return ff_hint(error, "copy it again from where it was written");
}

static int read_at(int fd, const char *path, void *to, size_t size, uint64_t offset,
                   struct ff_error *error)
{
    for (size_t done = 0; done < size;) {
        ssize_t got = pread(fd, (char *)to + done, size - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return ff_fail_errno(error, FF_IO, errno, "cannot read %s", path);
        if (got == 0)
            return refuse(path, "it ends too early", error);
        done += (size_t)got;
    }
    return 0;
}

/* The record of ZIP64 stands before that of the end, with a pointer to it between them. */
static int find_directory64(int fd, const char *path, uint64_t end, uint64_t file_size,
                            struct directory *directory, struct ff_error *error)
{
    uint8_t record[END64_BYTES];
    if (end < LOCATOR_BYTES ||
        read_at(fd, path, record, LOCATOR_BYTES, end - LOCATOR_BYTES, error) < 0)
        return refuse(path, "its end is not whole", error);
    uint64_t at = number(record + 8, 8);
    if (!begins(record, 0x07064b50) || at > file_size || file_size - at < END64_BYTES)
        return refuse(path, "its end is not whole", error);
    if (read_at(fd, path, record, END64_BYTES, at, error) < 0)
        return -1;
    if (!begins(record, 0x06064b50))
        return refuse(path, "its end is not whole", error);
    *directory = (struct directory){.offset = number(record + 48, 8),
                                    .size = number(record + 40, 8),
                                    .count = number(record + 32, 8)};
    return 0;
}

static int find_directory(int fd, const char *path, uint64_t file_size, struct directory *directory,
                          struct ff_error *error)
{
    size_t size = file_size < END_BYTES + COMMENT_MAX ? (size_t)file_size : END_BYTES + COMMENT_MAX;
    uint8_t *tail = malloc(size + 1);
    if (tail == NULL)
        return ff_fail(error, FF_NO_MEMORY, "no memory for the directory of %s", path);
    int result = read_at(fd, path, tail, size, file_size - size, error);
    size_t at = size >= END_BYTES ? size - END_BYTES + 1 : 0;
    while (result == 0 && at > 0 && !begins(tail + at - 1, 0x06054b50))
        at--;
    if (result == 0 && at == 0)
        result = refuse(path, "it has no end", error);
    if (result == 0) {
        const uint8_t *end = tail + at - 1;
        *directory = (struct directory){.offset = number(end + 16, 4),
                                        .size = number(end + 12, 4),
                                        .count = number(end + 10, 2)};
        if (directory->offset == UINT32_MAX || directory->count == UINT16_MAX)
            result =
                find_directory64(fd, path, file_size - size + at - 1, file_size, directory, error);
    }
    free(tail);
    if (result == 0 &&
        (directory->size > DIRECTORY_MAX || directory->count > FF_ZIP_MEMBERS_MAX ||
         directory->offset > file_size || file_size - directory->offset < directory->size))
        result = refuse(path, "its directory is beyond its end", error);
    return result;
}

/* Sizes that did not fit stand in the extra field 1, in this order, only those that are needed. */
static void take_extra(const uint8_t *extra, size_t size, uint64_t *bytes, uint64_t *packed,
                       uint64_t *offset)
{
    uint64_t *const wide[] = {bytes, packed, offset};
    while (size >= 4) {
        size_t length = (size_t)number(extra + 2, 2);
        if (length > size - 4)
            return;
        const uint8_t *at = extra + 4;
        for (size_t i = 0; number(extra, 2) == 1 && i < 3; i++) {
            if (*wide[i] != UINT32_MAX || at + 8 > extra + 4 + length)
                continue;
            *wide[i] = number(at, 8);
            at += 8;
        }
        extra += 4 + length;
        size -= 4 + length;
    }
}

/* From one entry of the directory; false when it is none that can be read. */
static bool describe(const uint8_t *entry, uint64_t file_size, struct ff_zip_member *member)
{
    size_t name = (size_t)number(entry + 28, 2);
    size_t extra = (size_t)number(entry + 30, 2);
    uint64_t method = number(entry + 10, 2);
    uint64_t packed = number(entry + 20, 4);
    uint64_t bytes = number(entry + 24, 4);
    uint64_t offset = number(entry + 42, 4);
    take_extra(entry + ENTRY_BYTES + name, extra, &bytes, &packed, &offset);
    bool encrypted = number(entry + 8, 2) & 1;
    if (name >= FF_ZIP_NAME_SIZE || (method != 0 && method != 8) || encrypted)
        return false;
    if (offset > file_size || packed > file_size || bytes > PACKING_MAX * packed + PACKING_MAX ||
        (method == 0 && bytes != packed))
        return false;
    *member = (struct ff_zip_member){.is_packed = method == 8,
                                     .packed_bytes = (size_t)packed,
                                     .bytes = (size_t)bytes,
                                     .offset = (size_t)offset,
                                     .crc = (uint32_t)number(entry + 16, 4)};
    memcpy(member->name, entry + ENTRY_BYTES, name);
    return true;
}

/* From the member's own header to its bytes, which must lie in the file. */
static bool find_bytes(int fd, const char *path, uint64_t file_size, struct ff_zip_member *member)
{
    uint8_t local[LOCAL_BYTES];
    if (read_at(fd, path, local, sizeof local, member->offset, NULL) < 0 ||
        !begins(local, 0x04034b50))
        return false;
    member->offset += LOCAL_BYTES + (size_t)number(local + 26, 2) + (size_t)number(local + 28, 2);
    return member->offset <= file_size && file_size - member->offset >= member->packed_bytes;
}

static size_t take_members(int fd, const char *path, uint64_t file_size, const uint8_t *entries,
                           size_t size, struct ff_zip_member *members, size_t count)
{
    size_t taken = 0;
    uint64_t together = 0;
    for (size_t i = 0; i < count && size >= ENTRY_BYTES && begins(entries, 0x02014b50); i++) {
        size_t length = ENTRY_BYTES + (size_t)number(entries + 28, 2) +
                        (size_t)number(entries + 30, 2) + (size_t)number(entries + 32, 2);
        if (length > size)
            break;
        struct ff_zip_member *member = &members[taken];
        /* Members that share bytes would unpack to more than a file of this size can hold. */
        if (describe(entries, file_size, member) && find_bytes(fd, path, file_size, member) &&
            together + member->packed_bytes <= file_size) {
            together += member->packed_bytes;
            taken++;
        }
        entries += length;
        size -= length;
    }
    return taken;
}

int ff_zip_list(int fd, const char *path, struct ff_zip_member **members, size_t *count,
                struct ff_error *error)
{
    struct stat info;
    struct directory directory = {0};
    if (fstat(fd, &info) < 0)
        return ff_fail_errno(error, FF_IO, errno, "cannot look at %s", path);
    uint64_t file_size = (uint64_t)info.st_size;
    if (find_directory(fd, path, file_size, &directory, error) < 0)
        return -1;
    uint64_t most = directory.size / ENTRY_BYTES;
    size_t room = (size_t)(directory.count < most ? directory.count : most);
    uint8_t *entries = malloc((size_t)directory.size + 1);
    struct ff_zip_member *list = calloc(room + 1, sizeof *list);
    int result = 0;
    if (entries == NULL || list == NULL)
        result = ff_fail(error, FF_NO_MEMORY, "no memory for the directory of %s", path);
    if (result == 0)
        result = read_at(fd, path, entries, (size_t)directory.size, directory.offset, error);
    if (result == 0) {
        *count = take_members(fd, path, file_size, entries, (size_t)directory.size, list, room);
        *members = list;
        list = NULL;
    }
    free(entries);
    free(list);
    return result;
}

static int unpack(int fd, const char *path, const struct ff_zip_member *member, void *to,
                  size_t size, struct ff_error *error)
{
    uint8_t piece[PIECE];
    size_t taken = 0;
    size_t done = 0;
    int status = Z_OK;
    int result = 0;
    z_stream stream = {0};
    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK)
        return ff_fail(error, FF_NO_MEMORY, "no memory to unpack %s", path);
    while (result == 0 && done < size && status == Z_OK) {
        if (stream.avail_in == 0) {
            size_t left = member->packed_bytes - taken;
            size_t count = left < sizeof piece ? left : sizeof piece;
            if (count == 0)
                break;
            result = read_at(fd, path, piece, count, member->offset + taken, error);
            stream.next_in = piece;
            stream.avail_in = (uInt)count;
            taken += count;
        }
        size_t room = size - done < PIECE * 16 ? size - done : PIECE * 16;
        stream.next_out = (uint8_t *)to + done;
        stream.avail_out = (uInt)room;
        if (result == 0)
            status = inflate(&stream, Z_NO_FLUSH);
        done += room - stream.avail_out;
    }
    inflateEnd(&stream);
    if (result == 0 && done < size)
        result = refuse(path, "a member does not unpack", error);
    return result;
}

int ff_zip_read(int fd, const char *path, const struct ff_zip_member *member, void *to, size_t size,
                struct ff_error *error)
{
    int result = member->is_packed ? unpack(fd, path, member, to, size, error)
                                   : read_at(fd, path, to, size, member->offset, error);
    if (result == 0 && size == member->bytes && crc32_z(0, to, size) != member->crc)
        result = refuse(path, "a member's checksum is wrong", error);
    return result;
}

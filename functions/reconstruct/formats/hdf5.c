#include "functions/reconstruct/formats/hdf5.h"

#include "functions/reconstruct/formats/filters.h"
#include "functions/reconstruct/formats/guard.h"
#include "functions/reconstruct/formats/hdf5_internal.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static herr_t note_truncation(unsigned depth, const H5E_error2_t *entry, void *user)
{
    (void)depth;
    if (entry->min_num == H5E_TRUNCATED)
        *(bool *)user = true;
    return 0;
}

static bool failed_by_truncation(void)
{
    bool truncated = false;
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_DOWNWARD, note_truncation, &truncated);
    return truncated;
}

/* What the file is instead of HDF5, for the message. */
static int refuse_foreign(const char *path, int fd, struct ff_error *error)
{
    char head[25] = {0};
    ssize_t got = pread(fd, head, sizeof head - 1, 0);
    bool printable = got > 0;
    for (ssize_t i = 0; i < got; i++) {
        if (head[i] == '\n' || head[i] == '\r')
            head[i] = ' ';
        printable = printable && isprint((unsigned char)head[i]);
    }
    if (got == 0) {
        ff_fail(error, FF_INPUT_INVALID, "%s is empty", path);
        return ff_hint(error, "was it written, and copied completely?");
    }
    if (printable)
        ff_fail(error, FF_INPUT_INVALID, "%s is not an HDF5 file: it begins with the text \"%s\"",
                path, head);
    else
        ff_fail(error, FF_INPUT_INVALID, "%s is not an HDF5 file", path);
    return ff_hint(error, "give a file in a format that builds on HDF5; was it copied completely?");
}

static int check_file(const char *path, struct ff_error *error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        int failure = errno;
        ff_fail_errno(error, FF_INPUT_MISSING, failure, "cannot open %s", path);
        return failure == ENOENT
                   ? ff_hint(error, "check the path; relative ones begin at the current folder")
                   : -1;
    }
    struct stat info;
    int result = 0;
    if (fstat(fd, &info) < 0) {
        result = ff_fail_errno(error, FF_IO, errno, "cannot look at %s", path);
    } else if (S_ISDIR(info.st_mode)) {
        ff_fail(error, FF_INPUT_INVALID, "%s is a folder, not a file", path);
        result = ff_hint(error, "name the file inside it");
    } else if (!S_ISREG(info.st_mode)) {
        result = ff_fail(error, FF_INPUT_INVALID, "%s is not a regular file", path);
    } else if (H5Fis_hdf5(path) <= 0) {
        result = refuse_foreign(path, fd, error);
    }
    close(fd);
    return result;
}

static hid_t open_unlocked(const char *path)
{
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    /* Locks fail on read-only and on many parallel file systems, and a reader needs none. */
    H5Pset_file_locking(access, false, true);
    hid_t id = H5Fopen(path, H5F_ACC_RDONLY, access);
    bool truncated = id < 0 && failed_by_truncation();
    H5Pclose(access);
    return truncated ? -2 : id;
}

struct ff_hdf5_file *ff_hdf5_open(const char *path, struct ff_error *error)
{
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    ff_filters_register();
    if (check_file(path, error) < 0 || ff_hdf5_try(path, error) < 0)
        return NULL;
    struct ff_hdf5_file *file = calloc(1, sizeof *file);
    if (file == NULL || (file->path = strdup(path)) == NULL) {
        free(file);
        ff_fail(error, FF_NO_MEMORY, "no memory to open %s", path);
        return NULL;
    }
    file->memory = -1;
    file->id = open_unlocked(path);
    if (file->id >= 0)
        return file;
    if (file->id == -2) {
        ff_fail(error, FF_INPUT_INVALID, "%s is truncated: its end is missing", path);
        ff_hint(error, "copy it again, or wait until it is written");
    } else {
        ff_fail(error, FF_INPUT_INVALID, "%s is a damaged HDF5 file", path);
        ff_hint(error, "copy it again, or repair it with h5clear or h5repack");
    }
    ff_hdf5_close(file);
    return NULL;
}

void ff_hdf5_close(struct ff_hdf5_file *file)
{
    if (file == NULL)
        return;
    if (file->id >= 0)
        H5Fclose(file->id);
    if (file->memory >= 0)
        close(file->memory);
    free(file->path);
    free(file);
}

const char *ff_hdf5_path(const struct ff_hdf5_file *file)
{
    return file->path;
}

bool ff_hdf5_exists(const struct ff_hdf5_file *file, const char *path)
{
    char prefix[FF_HDF5_PATH_SIZE];
    size_t length = strlen(path);
    if (length >= sizeof prefix)
        return false;
    if (strcmp(path, "/") == 0)
        return true;
    /* H5Lexists fails on a path whose parents are absent, so each parent is asked for in turn. */
    for (size_t i = 1; i <= length; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        memcpy(prefix, path, i);
        prefix[i] = '\0';
        if (H5Lexists(file->id, prefix, H5P_DEFAULT) <= 0 ||
            H5Oexists_by_name(file->id, prefix, H5P_DEFAULT) <= 0)
            return false;
    }
    return true;
}

hid_t ff_hdf5_group(const struct ff_hdf5_file *file, const char *path)
{
    return H5Gopen2(file->id, path, H5P_DEFAULT);
}

const char *ff_hdf5_first(const struct ff_hdf5_file *file, const char *const *paths)
{
    for (size_t i = 0; paths[i] != NULL; i++)
        if (ff_hdf5_exists(file, paths[i]))
            return paths[i];
    return NULL;
}

void ff_hdf5_shape_text(const struct ff_hdf5_dataset *dataset, char *text, size_t size)
{
    snprintf(text, size, dataset->rank == 0 ? "a single value" : "%zu", dataset->shape[0]);
    for (int i = 1; i < dataset->rank; i++) {
        size_t used = strlen(text);
        snprintf(text + used, size - used, " × %zu", dataset->shape[i]);
    }
}

/*
 * A type is a description in the file, too, and the library trusts it when it converts: one with
 * bits beyond its size makes it read and write out of bounds. So only the usual ones are used.
 */
static bool is_plain_integer(hid_t type)
{
    size_t size = H5Tget_size(type);
    H5T_order_t order = H5Tget_order(type);
    return H5Tget_class(type) == H5T_INTEGER &&
           (size == 1 || size == 2 || size == 4 || size == 8) &&
           (order == H5T_ORDER_LE || order == H5T_ORDER_BE) && H5Tget_offset(type) == 0 &&
           H5Tget_precision(type) == 8 * size;
}

static bool is_plain_float(hid_t type)
{
    return H5Tequal(type, H5T_IEEE_F32LE) > 0 || H5Tequal(type, H5T_IEEE_F64LE) > 0 ||
           H5Tequal(type, H5T_IEEE_F32BE) > 0 || H5Tequal(type, H5T_IEEE_F64BE) > 0;
}

static bool has_complex_names(hid_t type)
{
    static const char *const names[][2] = {{"r", "i"}, {"re", "im"}, {"real", "imag"}};
    char *first = H5Tget_member_name(type, 0);
    char *second = H5Tget_member_name(type, 1);
    bool found = false;
    for (size_t i = 0; first != NULL && second != NULL && i < sizeof names / sizeof names[0]; i++)
        found = found || (strcmp(first, names[i][0]) == 0 && strcmp(second, names[i][1]) == 0);
    H5free_memory(first);
    H5free_memory(second);
    return found;
}

/* Two floats of one kind, one behind the other, and nothing else. */
static bool is_complex(hid_t type)
{
    if (H5Tget_nmembers(type) != 2 || !has_complex_names(type))
        return false;
    hid_t first = H5Tget_member_type(type, 0);
    hid_t second = H5Tget_member_type(type, 1);
    bool usable = first >= 0 && second >= 0 && is_plain_float(first) &&
                  H5Tequal(first, second) > 0 && H5Tget_member_offset(type, 0) == 0 &&
                  H5Tget_member_offset(type, 1) == H5Tget_size(first) &&
                  H5Tget_size(type) == 2 * H5Tget_size(first);
    if (first >= 0)
        H5Tclose(first);
    if (second >= 0)
        H5Tclose(second);
    return usable;
}

/* Truth values are written as enumerations of whole numbers. */
static bool is_plain_enumeration(hid_t type)
{
    hid_t base = H5Tget_super(type);
    bool usable = base >= 0 && is_plain_integer(base) && H5Tget_size(base) == H5Tget_size(type);
    if (base >= 0)
        H5Tclose(base);
    return usable;
}

enum ff_hdf5_kind ff_hdf5_kind_of(hid_t type)
{
    switch (H5Tget_class(type)) {
    case H5T_INTEGER:
        return is_plain_integer(type) ? FF_HDF5_INTEGER : FF_HDF5_OTHER;
    case H5T_FLOAT:
        return is_plain_float(type) ? FF_HDF5_FLOAT : FF_HDF5_OTHER;
    case H5T_ENUM:
        return is_plain_enumeration(type) ? FF_HDF5_INTEGER : FF_HDF5_OTHER;
    case H5T_STRING:
        return FF_HDF5_TEXT;
    case H5T_COMPOUND:
        return is_complex(type) ? FF_HDF5_COMPLEX : FF_HDF5_OTHER;
    default:
        return FF_HDF5_OTHER;
    }
}

static void describe_type(struct ff_hdf5_dataset *dataset)
{
    hid_t type = H5Dget_type(dataset->id);
    dataset->element_size = H5Tget_size(type);
    dataset->kind = ff_hdf5_kind_of(type);
    dataset->is_signed = H5Tget_class(type) == H5T_INTEGER && H5Tget_sign(type) == H5T_SGN_2;
    H5Tclose(type);
}

static int describe_shape(struct ff_hdf5_dataset *dataset, struct ff_error *error)
{
    hid_t space = H5Dget_space(dataset->id);
    int rank = H5Sget_simple_extent_ndims(space);
    hsize_t extent[H5S_MAX_RANK] = {0};
    bool usable = rank >= 0 && rank <= FF_HDF5_RANK_MAX &&
                  H5Sget_simple_extent_type(space) != H5S_NULL &&
                  H5Sget_simple_extent_dims(space, extent, NULL) >= 0;
    H5Sclose(space);
    const char *path = dataset->file->path;
    if (!usable)
        return ff_fail(error, FF_INPUT_INVALID,
                       "%s: %s has %d axes or no extent; up to %d are read", path, dataset->name,
                       rank, FF_HDF5_RANK_MAX);
    dataset->rank = rank;
    dataset->elements = 1;
    size_t bytes = 0;
    for (int i = 0; i < rank; i++) {
        dataset->shape[i] = (size_t)extent[i];
        if (__builtin_mul_overflow(dataset->elements, dataset->shape[i], &dataset->elements))
            return ff_fail(error, FF_INPUT_INVALID, "%s: %s claims a shape beyond all memory", path,
                           dataset->name);
    }
    if (__builtin_mul_overflow(dataset->elements, dataset->element_size + sizeof(ff_complex),
                               &bytes))
        return ff_fail(error, FF_INPUT_INVALID, "%s: %s claims a size beyond all memory", path,
                       dataset->name);
    return 0;
}

/* The file that an external link of `file` names, as the library looks for it: beside that file, else
 * from the current folder. "" where there is none. */
static void find_linked_file(const struct ff_hdf5_file *file, const char *name, char *path,
                             size_t size)
{
    const char *slash = strrchr(file->path, '/');
    int folder = slash != NULL && name[0] != '/' ? (int)(slash + 1 - file->path) : 0;
    snprintf(path, size, "%.*s%s", folder, file->path, name);
    if (access(path, F_OK) == 0)
        return;
    snprintf(path, size, "%s", access(name, F_OK) == 0 ? name : "");
}

bool ff_hdf5_dangles(const struct ff_hdf5_file *file, const char *path, struct ff_hdf5_link *link)
{
    char prefix[FF_HDF5_PATH_SIZE];
    char value[1024];
    H5L_info_t info;
    size_t length = strlen(path);
    for (size_t i = 1; i <= length && length < sizeof prefix; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        memcpy(prefix, path, i);
        prefix[i] = '\0';
        if (H5Lexists(file->id, prefix, H5P_DEFAULT) <= 0)
            return false;
        if (H5Oexists_by_name(file->id, prefix, H5P_DEFAULT) > 0)
            continue;
        if (H5Lget_info(file->id, prefix, &info, H5P_DEFAULT) < 0 ||
            (info.type != H5L_TYPE_EXTERNAL && info.type != H5L_TYPE_SOFT) ||
            info.u.val_size >= sizeof value ||
            H5Lget_val(file->id, prefix, value, sizeof value, H5P_DEFAULT) < 0)
            return false;
        value[sizeof value - 1] = '\0';
        const char *target = value;
        const char *other = "";
        if (info.type == H5L_TYPE_EXTERNAL &&
            H5Lunpack_elink_val(value, info.u.val_size, NULL, &other, &target) < 0)
            return false;
        *link = (struct ff_hdf5_link){.target = ""};
        snprintf(link->target, sizeof link->target, "%s%s%s", other, other[0] != '\0' ? ":" : "",
                 target);
        if (other[0] != '\0')
            find_linked_file(file, other, link->file, sizeof link->file);
        return true;
    }
    return false;
}

/* The other file is there: what is wrong with it is said as of any file. */
static int refuse_linked_file(const struct ff_hdf5_link *link, struct ff_error *error)
{
    struct ff_hdf5_file *other = ff_hdf5_open(link->file, error);
    if (other == NULL)
        return -1;
    ff_hdf5_close(other);
    ff_fail(error, FF_INPUT_INVALID, "there is no such object in %s", link->file);
    return ff_hint(error, "was that file written completely, and by the same scan?");
}

static int refuse_link(const struct ff_hdf5_file *file, const char *path,
                       const struct ff_hdf5_link *link, struct ff_error *error)
{
    if (link->file[0] != '\0' && refuse_linked_file(link, error) < 0)
        return ff_fail_prefix(error, "%s: %s is a link to %s: ", file->path, path, link->target);
    ff_fail(error, FF_INPUT_INVALID, "%s: %s is a link to %s, which is not there", file->path, path,
            link->target);
    return ff_hint(error, "put the file that the link names beside this one");
}

static int refuse_absent(const struct ff_hdf5_file *file, const char *const *paths,
                         struct ff_error *error)
{
    char list[512] = "";
    struct ff_hdf5_link link;
    for (size_t i = 0; paths[i] != NULL; i++) {
        if (ff_hdf5_dangles(file, paths[i], &link))
            return refuse_link(file, paths[i], &link, error);
        size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, "%s%s", i > 0 ? " or " : "", paths[i]);
    }
    return ff_fail(error, FF_INPUT_INVALID, "%s has no dataset %s", file->path, list);
}

int ff_hdf5_find(const struct ff_hdf5_file *file, const char *const *paths,
                 struct ff_hdf5_dataset *dataset, struct ff_error *error)
{
    const char *name = ff_hdf5_first(file, paths);
    if (name == NULL)
        return refuse_absent(file, paths, error);
    struct ff_hdf5_dataset found = {.file = file};
    snprintf(found.name, sizeof found.name, "%s", name);
    found.id = H5Dopen2(file->id, name, H5P_DEFAULT);
    if (found.id < 0)
        return ff_fail(error, FF_INPUT_INVALID, "%s: %s is not a dataset that can be read",
                       file->path, name);
    describe_type(&found);
    if (describe_shape(&found, error) < 0 || ff_hdf5_check_storage(&found, error) < 0) {
        H5Dclose(found.id);
        return -1;
    }
    *dataset = found;
    return 0;
}

void ff_hdf5_dataset_close(struct ff_hdf5_dataset *dataset)
{
    if (dataset->id > 0)
        H5Dclose(dataset->id);
    dataset->id = 0;
}

static bool is_numeric(const struct ff_hdf5_dataset *dataset)
{
    return dataset->kind == FF_HDF5_INTEGER || dataset->kind == FF_HDF5_FLOAT;
}

int ff_hdf5_expect(const struct ff_hdf5_dataset *dataset, int rank, const size_t *shape,
                   struct ff_error *error)
{
    if (!is_numeric(dataset)) {
        ff_fail(error, FF_INPUT_INVALID, "%s: %s holds no real numbers of a usual type",
                dataset->file->path, dataset->name);
        return ff_hint(error, "integers of 8 to 64 bit and floats of 32 and 64 bit are read");
    }
    bool fits = dataset->rank == rank;
    for (int i = 0; fits && i < rank; i++)
        fits = dataset->shape[i] > 0 && (shape[i] == 0 || dataset->shape[i] == shape[i]);
    if (fits)
        return 0;
    char has[128];
    char wanted[128] = "";
    ff_hdf5_shape_text(dataset, has, sizeof has);
    for (int i = 0; i < rank; i++) {
        size_t used = strlen(wanted);
        if (shape[i] == 0)
            snprintf(wanted + used, sizeof wanted - used, "%sn", i > 0 ? " × " : "");
        else
            snprintf(wanted + used, sizeof wanted - used, "%s%zu", i > 0 ? " × " : "", shape[i]);
    }
    return ff_fail(error, FF_INPUT_INVALID, "%s: %s has the shape %s; wanted is %s",
                   dataset->file->path, dataset->name, has, wanted);
}

#include "functions/reconstruct/formats/filters.h"
#include "functions/reconstruct/formats/hdf5_internal.h"
#include "protocol/core/text.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * What a dataset may claim beyond what is stored. DEFLATE packs at most 1032 to 1; the allowance on
 * top is for small datasets of filters that pack better. CHUNK_BYTES_MAX bounds what the library
 * allocates for one chunk.
 */
enum {
    PACKING_MAX = 1100,
    UNPACKED_ALLOWANCE = 16 << 20,
    CHUNK_BYTES_MAX = 512 << 20,
    SOURCES_MAX = 1 << 16,
    NESTING_MAX = 4
};

static int check_filters(const struct ff_hdf5_dataset *dataset, hid_t plist, struct ff_error *error)
{
    int count = H5Pget_nfilters(plist);
    for (unsigned i = 0; count > 0 && i < (unsigned)count; i++) {
        unsigned flags;
        unsigned values[FF_PIPELINE_VALUES_MAX] = {0};
        size_t count_of_values = FF_PIPELINE_VALUES_MAX;
        char name[64] = "";
        H5Z_filter_t filter =
            H5Pget_filter2(plist, i, &flags, &count_of_values, values, sizeof name, name, NULL);
        if (filter >= 0 && !ff_filter_knows(filter, count_of_values, values)) {
            ff_fail(error, FF_INPUT_INVALID,
                    "%s: %s is packed by bitshuffle with something else than LZ4",
                    dataset->file->path, dataset->name);
            return ff_hint(error, "rewrite the file with h5repack -f GZIP=1 where its plugin is "
                                  "installed");
        }
        if (filter < 0 || H5Zfilter_avail(filter) > 0)
            continue;
        ff_fail(error, FF_INPUT_INVALID,
                "%s: %s is compressed by filter %d (%s), which is not installed here",
                dataset->file->path, dataset->name, (int)filter,
                name[0] != '\0' ? name : "unnamed");
        const char *package = ff_filter_package(filter);
        if (package != NULL)
            return ff_hint(error,
                           "install the Debian package %s, or rewrite the file with "
                           "h5repack -f GZIP=1",
                           package);
        return ff_hint(error, "no Debian package has it: install that HDF5 filter and set "
                              "HDF5_PLUGIN_PATH, or rewrite the file with h5repack -f GZIP=1");
    }
    return 0;
}

static int check_chunk(const struct ff_hdf5_dataset *dataset, hid_t plist, struct ff_error *error)
{
    hsize_t chunk[FF_HDF5_RANK_MAX] = {0};
    size_t bytes = dataset->element_size;
    bool fits = H5Pget_chunk(plist, FF_HDF5_RANK_MAX, chunk) == dataset->rank;
    for (int i = 0; fits && i < dataset->rank; i++)
        fits = !__builtin_mul_overflow(bytes, (size_t)chunk[i], &bytes) && bytes <= CHUNK_BYTES_MAX;
    if (fits)
        return 0;
    ff_fail(error, FF_INPUT_INVALID, "%s: %s is stored in chunks of more than %d MiB",
            dataset->file->path, dataset->name, CHUNK_BYTES_MAX >> 20);
    return ff_hint(error, "rewrite it with one frame a chunk (h5repack -l CHUNK=…)");
}

/* The bytes in the dataset's own file that may hold its values. */
static uint64_t stored_bytes(const struct ff_hdf5_dataset *dataset)
{
    uint64_t stored = H5Dget_storage_size(dataset->id);
    hid_t owner = H5Iget_file_id(dataset->id);
    hsize_t whole = 0;
    if (owner < 0 || H5Fget_filesize(owner, &whole) < 0)
        whole = 0;
    if (owner >= 0)
        H5Fclose(owner);
    return stored < whole ? stored : whole;
}

/* Whether `stored` bytes can hold what the dataset claims. */
static int check_claim(const struct ff_hdf5_dataset *dataset, uint64_t stored, bool packed,
                       struct ff_error *error)
{
    uint64_t claimed = (uint64_t)dataset->elements * dataset->element_size;
    uint64_t excess = claimed < UNPACKED_ALLOWANCE ? 0 : claimed - UNPACKED_ALLOWANCE;
    bool covered = packed ? stored > 0 && stored >= excess / PACKING_MAX : stored >= claimed;
    if (covered || claimed == 0)
        return 0;
    char claims[32];
    char holds[32];
    ff_text_bytes(claimed, claims, sizeof claims);
    ff_text_bytes(stored, holds, sizeof holds);
    ff_fail(error, FF_INPUT_INVALID, "%s: %s claims %s of values and only %s are stored",
            dataset->file->path, dataset->name, claims, holds);
    return ff_hint(error, "the file is damaged or was never written to its end");
}

/* A virtual dataset is made of those of other files; each must be there, whole and readable. */
struct sources {
    const struct ff_hdf5_dataset *dataset;
    char folder[PATH_MAX];          /* of the file that holds the virtual dataset */
    char file[PATH_MAX], name[256]; /* the source before this one */
    uint64_t bytes;                 /* of all sources */
};

static int refuse_source(const struct sources *sources, const char *what, struct ff_error *error)
{
    ff_fail_prefix(error, "%s: %s is made of several files, and %s: ", sources->dataset->file->path,
                   sources->dataset->name, what);
    return ff_hint(error, "put the files of the frames beside it, or gather the frames in one file "
                          "with h5repack");
}

static int check_source(struct sources *sources, const char *file, const char *name,
                        struct ff_error *error)
{
    char path[2 * PATH_MAX];
    if (strcmp(file, sources->file) == 0 && strcmp(name, sources->name) == 0)
        return 0;
    snprintf(sources->file, sizeof sources->file, "%s", file);
    snprintf(sources->name, sizeof sources->name, "%s", name);
    snprintf(path, sizeof path, "%s%s", file[0] == '/' ? "" : sources->folder, file);
    struct ff_hdf5_file *source = ff_hdf5_open(path, error);
    if (source == NULL)
        return refuse_source(sources, "one cannot be opened", error);
    struct ff_hdf5_dataset dataset;
    const char *const paths[] = {name, NULL};
    int result = ff_hdf5_find(source, paths, &dataset, error);
    if (result == 0) {
        sources->bytes += (uint64_t)dataset.elements * dataset.element_size;
        ff_hdf5_dataset_close(&dataset);
    }
    ff_hdf5_close(source);
    return result == 0 ? 0 : refuse_source(sources, "one cannot be read", error);
}

static int check_mapping(struct sources *sources, hid_t plist, size_t index, struct ff_error *error)
{
    char file[PATH_MAX];
    char name[sizeof sources->name];
    ssize_t file_size = H5Pget_virtual_filename(plist, index, file, sizeof file);
    ssize_t name_size = H5Pget_virtual_dsetname(plist, index, name, sizeof name);
    bool usable = file_size > 0 && (size_t)file_size < sizeof file && name_size > 0 &&
                  (size_t)name_size < sizeof name;
    if (!usable || strchr(file, '%') != NULL || strchr(name, '%') != NULL) {
        ff_fail(error, FF_INPUT_INVALID, "the names of the files are a pattern, or too long");
        return refuse_source(sources, "they cannot be told", error);
    }
    if (strcmp(file, ".") == 0) {
        ff_fail(error, FF_INPUT_INVALID, "it is made of the file itself");
        return refuse_source(sources, "that is not read", error);
    }
    return check_source(sources, file, name, error);
}

static int check_virtual(const struct ff_hdf5_dataset *dataset, hid_t plist, struct ff_error *error)
{
    static int depth;
    struct sources sources = {.dataset = dataset};
    size_t count = 0;
    ssize_t length = H5Fget_name(dataset->id, sources.folder, sizeof sources.folder);
    char *slash = strrchr(sources.folder, '/');
    if (slash != NULL)
        slash[1] = '\0';
    else
        sources.folder[0] = '\0';
    if (length <= 0 || H5Pget_virtual_count(plist, &count) < 0 || count > SOURCES_MAX ||
        depth >= NESTING_MAX)
        return ff_fail(error, FF_INPUT_INVALID,
                       "%s: %s is made of more files, or more deeply nested, than are read",
                       dataset->file->path, dataset->name);
    int result = 0;
    depth++;
    for (size_t i = 0; result == 0 && i < count; i++)
        result = check_mapping(&sources, plist, i, error);
    depth--;
    if (result < 0)
        return -1;
    return check_claim(dataset, sources.bytes, false, error);
}

int ff_hdf5_check_storage(const struct ff_hdf5_dataset *dataset, struct ff_error *error)
{
    if (dataset->file->is_memory)
        return 0;
    hid_t plist = H5Dget_create_plist(dataset->id);
    H5D_layout_t layout = H5Pget_layout(plist);
    bool packed = layout == H5D_CHUNKED && H5Pget_nfilters(plist) > 0;
    int result = 0;
    if (layout == H5D_CONTIGUOUS && H5Pget_external_count(plist) > 0) {
        ff_fail(error, FF_INPUT_INVALID, "%s: the values of %s lie in other files, without HDF5",
                dataset->file->path, dataset->name);
        result = ff_hint(error, "gather the frames in one file, for example with h5repack");
    } else if (layout == H5D_CHUNKED) {
        result = check_chunk(dataset, plist, error) < 0 ? -1 : check_filters(dataset, plist, error);
    }
    if (result == 0)
        result = layout == H5D_VIRTUAL ? check_virtual(dataset, plist, error)
                                       : check_claim(dataset, stored_bytes(dataset), packed, error);
    H5Pclose(plist);
    return result;
}

#include "functions/reconstruct/formats/linked.h"

#include "functions/reconstruct/arrays.h"
#include "functions/reconstruct/formats/guard.h"

#include <hdf5.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { FILES_MAX = 4096, LINK_SIZE_MAX = 4096 };

/* Files in the order in which they are met, each once and by its true name. */
struct files {
    char **paths;
    size_t count;
    size_t current; /* the one that is walked through */
    bool failed;    /* memory is out, or they are too many */
};

static void add(struct files *files, const char *path)
{
    char truth[PATH_MAX];
    struct stat info;
    if (realpath(path, truth) == NULL || stat(truth, &info) < 0 || !S_ISREG(info.st_mode))
        return;
    for (size_t i = 0; i < files->count; i++)
        if (strcmp(files->paths[i], truth) == 0)
            return;
    char *copy = files->count < FILES_MAX ? strdup(truth) : NULL;
    char **more = copy != NULL ? realloc(files->paths, (files->count + 1) * sizeof *more) : NULL;
    if (more == NULL) {
        free(copy);
        files->failed = true;
        return;
    }
    files->paths = more;
    more[files->count++] = copy;
}

/* As the library looks for it: beside the file that names it, and from the current folder. */
static void add_named(struct files *files, const char *name)
{
    char path[2 * PATH_MAX];
    const char *own = files->paths[files->current];
    size_t before = files->count;
    if (name[0] != '/') {
        snprintf(path, sizeof path, "%.*s%s", (int)(strrchr(own, '/') + 1 - own), own, name);
        add(files, path);
    }
    if (files->count == before)
        add(files, name);
}

static herr_t visit_link(hid_t root, const char *name, const H5L_info_t *info, void *user)
{
    struct files *files = user;
    char value[LINK_SIZE_MAX];
    const char *file;
    const char *object;
    if (info->type == H5L_TYPE_EXTERNAL && info->u.val_size <= sizeof value &&
        H5Lget_val(root, name, value, sizeof value, H5P_DEFAULT) >= 0 &&
        H5Lunpack_elink_val(value, info->u.val_size, NULL, &file, &object) >= 0)
        add_named(files, file);
    return files->failed;
}

static herr_t visit_object(hid_t root, const char *name, const H5O_info_t *info, void *user)
{
    struct files *files = user;
    char file[PATH_MAX];
    hid_t dataset = info->type == H5O_TYPE_DATASET ? H5Dopen2(root, name, H5P_DEFAULT) : -1;
    if (dataset < 0)
        return 0;
    hid_t plist = H5Dget_create_plist(dataset);
    size_t count = 0;
    if (H5Pget_layout(plist) == H5D_VIRTUAL && H5Pget_virtual_count(plist, &count) < 0)
        count = 0;
    for (size_t i = 0; i < count && !files->failed; i++) {
        ssize_t size = H5Pget_virtual_filename(plist, i, file, sizeof file);
        if (size > 0 && (size_t)size < sizeof file && strcmp(file, ".") != 0)
            add_named(files, file);
    }
    H5Pclose(plist);
    H5Dclose(dataset);
    return files->failed;
}

static void walk(struct files *files)
{
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_file_locking(access, false, true);
    hid_t file = H5Fopen(files->paths[files->current], H5F_ACC_RDONLY, access);
    H5Pclose(access);
    if (file < 0)
        return;
    H5Lvisit(file, H5_INDEX_NAME, H5_ITER_INC, visit_link, files);
    H5Ovisit2(file, H5_INDEX_NAME, H5_ITER_INC, visit_object, files, H5O_INFO_BASIC);
    H5Fclose(file);
}

/* The first was tried when it was read. */
static int collect(struct files *files, const char *path, struct ff_error *error)
{
    add(files, path);
    for (; !files->failed && files->count > 0; files->current++) {
        if (files->current == files->count)
            return 0;
        const char *current = files->paths[files->current];
        if (H5Fis_hdf5(current) > 0 && (files->current == 0 || ff_hdf5_try(current, error) == 0))
            walk(files);
    }
    return files->count == 0 ? 0
                             : ff_fail(error, FF_INPUT_INVALID, "%s links to more than %d files",
                                       path, FILES_MAX);
}

int ff_linked_digest(const char *path, struct ff_digest *digest, struct ff_error *error)
{
    struct files files = {0};
    uint64_t size;
    int result = collect(&files, path, error);
    /* What is no regular file, or gone, is refused by name. */
    if (result == 0 && files.count < 2) {
        result = ff_digest_of_file(path, digest, &size, error);
    } else if (result == 0) {
        struct ff_digest *each =
            ff_array_create(files.count, sizeof *each, "the digests of linked files", error);
        result = each != NULL ? 0 : -1;
        for (size_t i = 0; result == 0 && i < files.count; i++)
            result = ff_digest_of_file(files.paths[i], &each[i], &size, error);
        if (result == 0)
            result =
                ff_digest_of((struct ff_span){each, files.count * sizeof *each}, digest, error);
        free(each);
    }
    for (size_t i = 0; i < files.count; i++)
        free(files.paths[i]);
    free(files.paths);
    return result;
}

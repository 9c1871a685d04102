#include "functions/reconstruct/formats/paths.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATHS_MAX = 1 << 16 };

struct path_list {
    char **paths;
    size_t count, room;
    bool failed;
};

static void append(struct path_list *list, const char *folder, const char *name)
{
    if (list->count == list->room) {
        size_t room = list->room > 0 ? 2 * list->room : 16;
        char **more = room <= PATHS_MAX ? realloc(list->paths, room * sizeof *more) : NULL;
        list->failed = list->failed || more == NULL;
        if (more == NULL)
            return;
        list->paths = more;
        list->room = room;
    }
    if (asprintf(&list->paths[list->count], "%s/%s", folder, name) < 0)
        list->failed = true;
    else
        list->count++;
}

struct matching {
    struct path_list *list;
    const char *folder, *pattern;
};

static herr_t match(hid_t group, const char *name, const H5L_info_t *info, void *user)
{
    const struct matching *matching = user;
    (void)group;
    (void)info;
    if (fnmatch(matching->pattern, name, FNM_PERIOD) == 0)
        append(matching->list, matching->folder, name);
    return matching->list->failed;
}

/* One more name of the pattern behind each of the folders found so far. */
static void expand_name(const struct ff_hdf5_file *file, const struct path_list *folders,
                        const char *pattern, struct path_list *list)
{
    for (size_t i = 0; i < folders->count && !list->failed; i++) {
        const char *folder = folders->paths[i];
        if (strpbrk(pattern, "*?[") == NULL) {
            append(list, folder, pattern);
            continue;
        }
        struct matching matching = {list, folder, pattern};
        if (!ff_hdf5_exists(file, folder[0] != '\0' ? folder : "/"))
            continue;
        hid_t group = ff_hdf5_group(file, folder[0] != '\0' ? folder : "/");
        hsize_t place = 0;
        if (group >= 0) {
            H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, &place, match, &matching);
            H5Gclose(group);
        }
    }
}

static int compare(const void *a, const void *b)
{
    return strverscmp(*(char *const *)a, *(char *const *)b);
}

void ff_paths_free(char **paths, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(paths[i]);
    free(paths);
}

/* Those of names without a pattern that are not there, dangling links apart, are no paths. */
static void keep_existing(const struct ff_hdf5_file *file, struct path_list *list)
{
    size_t kept = 0;
    struct ff_hdf5_link link;
    for (size_t i = 0; i < list->count; i++) {
        if (ff_hdf5_exists(file, list->paths[i]) || ff_hdf5_dangles(file, list->paths[i], &link))
            list->paths[kept++] = list->paths[i];
        else
            free(list->paths[i]);
    }
    list->count = kept;
}

int ff_paths_expand(const struct ff_hdf5_file *file, const char *pattern, char ***paths,
                    size_t *count, struct ff_error *error)
{
    struct path_list list = {0};
    char name[FF_HDF5_PATH_SIZE];
    size_t length;
    append(&list, "", "");
    if (!list.failed)
        list.paths[0][0] = '\0'; /* the root, in front of the first / */
    for (const char *at = pattern; *at != '\0' && !list.failed; at += length) {
        struct path_list longer = {0};
        at += strspn(at, "/");
        length = strcspn(at, "/");
        snprintf(name, sizeof name, "%.*s", (int)length, at);
        if (length == 0)
            break;
        expand_name(file, &list, name, &longer);
        longer.failed = longer.failed || list.failed;
        ff_paths_free(list.paths, list.count);
        list = longer;
    }
    if (list.failed) {
        ff_paths_free(list.paths, list.count);
        return ff_fail(error, FF_INPUT_INVALID, "%s: more than %d paths fit %s", ff_hdf5_path(file),
                       PATHS_MAX / 2, pattern);
    }
    keep_existing(file, &list);
    if (list.count > 0)
        qsort(list.paths, list.count, sizeof *list.paths, compare);
    *paths = list.paths;
    *count = list.count;
    return 0;
}

/* Makes the path one that exists; false where there is none. */
static int settle(const struct ff_hdf5_file *file, struct ff_quantity *place, bool *found,
                  struct ff_error *error)
{
    char **paths = NULL;
    size_t count = 0;
    double value;
    *found = false;
    if (strpbrk(place->path, "*?[") != NULL) {
        if (ff_paths_expand(file, place->path, &paths, &count, error) < 0)
            return -1;
        if (count > 0)
            snprintf(place->path, sizeof place->path, "%s", paths[0]);
        ff_paths_free(paths, count);
        if (count == 0)
            return 0;
    }
    *found = ff_hdf5_exists(file, place->path) &&
             (place->attribute[0] == '\0' ||
              ff_hdf5_attribute_number(file, place->path, place->attribute, &value) == 0);
    return 0;
}

int ff_paths_find(const struct ff_hdf5_file *file, const char *text, struct ff_quantity *place,
                  bool *found, struct ff_error *error)
{
    *found = false;
    *place = (struct ff_quantity){.path = ""};
    while (*text != '\0' && !*found) {
        if (ff_quantity_next(&text, place, error) < 0)
            return -1;
        if (place->path[0] == '\0')
            *found = true;
        else if (settle(file, place, found, error) < 0)
            return -1;
    }
    return 0;
}

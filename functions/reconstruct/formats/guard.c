#include "functions/reconstruct/formats/guard.h"

#include <errno.h>
#include <hdf5.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OBJECTS_MAX = 4096, PATIENCE_S = 30, LINK_SIZE_MAX = 4096, ODD_LINK = 2 };

/* Where the library would wait for a writer: it opens what a link names whatever it is. */
static bool is_odd(const char *folder, const char *name)
{
    char path[2 * LINK_SIZE_MAX];
    struct stat info;
    snprintf(path, sizeof path, "%s%s", name[0] == '/' ? "" : folder, name);
    return stat(path, &info) == 0 && S_ISFIFO(info.st_mode);
}

/* Ends the child where an external link leads to what is no file. */
static void check_link(hid_t root, const char *name, const H5L_info_t *info)
{
    char value[LINK_SIZE_MAX];
    char folder[LINK_SIZE_MAX] = "";
    const char *file;
    const char *object;
    if (info->u.val_size > sizeof value ||
        H5Lget_val(root, name, value, sizeof value, H5P_DEFAULT) < 0 ||
        H5Lunpack_elink_val(value, info->u.val_size, NULL, &file, &object) < 0)
        return;
    H5Fget_name(root, folder, sizeof folder);
    char *slash = strrchr(folder, '/');
    if (slash != NULL)
        slash[1] = '\0';
    else
        folder[0] = '\0';
    if (is_odd(folder, file) || is_odd("", file))
        _exit(ODD_LINK);
}

static herr_t try_attribute(hid_t object, const char *name, const H5A_info_t *info, void *user)
{
    (void)info;
    (void)user;
    hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
    if (attribute >= 0)
        H5Aclose(attribute);
    return 0;
}

/* All that the readers ask of a dataset before they read its values. */
static void try_dataset(hid_t dataset)
{
    hsize_t extent[H5S_MAX_RANK];
    hid_t type = H5Dget_type(dataset);
    hid_t space = H5Dget_space(dataset);
    hid_t list = H5Dget_create_plist(dataset);
    H5Sget_simple_extent_dims(space, extent, NULL);
    H5Dget_storage_size(dataset);
    H5Pclose(list);
    H5Sclose(space);
    H5Tclose(type);
}

/* A positive answer ends the walk. */
static herr_t try_object(hid_t root, const char *name, const H5O_info_t *info, void *user)
{
    unsigned *count = user;
    hid_t object = H5Oopen(root, name, H5P_DEFAULT);
    if (object < 0)
        return 0;
    hsize_t place = 0;
    H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_INC, &place, try_attribute, NULL);
    if (info->type == H5O_TYPE_DATASET)
        try_dataset(object);
    H5Oclose(object);
    return ++*count >= OBJECTS_MAX;
}

/* What an external link leads to is read like the file's own. */
static herr_t try_link(hid_t root, const char *name, const H5L_info_t *info, void *user)
{
    unsigned *count = user;
    if (info->type != H5L_TYPE_EXTERNAL)
        return 0;
    check_link(root, name, info);
    hid_t object = H5Oopen(root, name, H5P_DEFAULT);
    if (object < 0)
        return 0;
    if (H5Iget_type(object) == H5I_DATASET)
        try_dataset(object);
    else if (H5Iget_type(object) == H5I_GROUP)
        H5Ovisit2(object, H5_INDEX_NAME, H5_ITER_INC, try_object, count, H5O_INFO_BASIC);
    H5Oclose(object);
    return ++*count >= OBJECTS_MAX;
}

static void try_file(const char *path)
{
    unsigned count = 0;
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_file_locking(access, false, true);
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, access);
    if (file >= 0) {
        H5Ovisit2(file, H5_INDEX_NAME, H5_ITER_INC, try_object, &count, H5O_INFO_BASIC);
        H5Lvisit(file, H5_INDEX_NAME, H5_ITER_INC, try_link, &count);
        H5Fclose(file);
    }
}

/* No report of a crash either: the parent says what is to be said. */
static void become_quiet(void)
{
    static const int deadly[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGALRM, SIGTERM};
    for (size_t i = 0; i < sizeof deadly / sizeof deadly[0]; i++)
        signal(deadly[i], SIG_DFL);
    alarm(PATIENCE_S);
}

int ff_hdf5_try(const char *path, struct ff_error *error)
{
    int status = 0;
    pid_t child = fork();
    if (child < 0)
        return ff_fail_errno(error, FF_IO, errno, "no process to try %s in", path);
    if (child == 0) {
        become_quiet();
        try_file(path);
        _exit(0);
    }
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return 0; /* somebody else reaps this process's children: nothing was learned */
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) == ODD_LINK) {
        ff_fail(error, FF_INPUT_INVALID, "%s has a link to a pipe instead of a file", path);
        return ff_hint(error, "put the file that the link names in its place");
    }
    ff_fail(error, FF_INPUT_INVALID, "%s is so damaged that the HDF5 library cannot read it", path);
    return ff_hint(error, "copy it again from where it was measured");
}

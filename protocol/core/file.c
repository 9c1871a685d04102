#include "protocol/core/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int ff_write_all(int fd, struct ff_span data)
{
    const char *at = data.data;
    for (size_t done = 0; done < data.size;) {
        ssize_t written = write(fd, at + done, data.size - done);
        if (written < 0 && errno != EINTR)
            return -1;
        done += written > 0 ? (size_t)written : 0;
    }
    return 0;
}

int ff_pwrite_all(int fd, struct ff_span data, off_t offset)
{
    const char *at = data.data;
    for (size_t done = 0; done < data.size;) {
        ssize_t written = pwrite(fd, at + done, data.size - done, offset + (off_t)done);
        if (written < 0 && errno != EINTR)
            return -1;
        done += written > 0 ? (size_t)written : 0;
    }
    return 0;
}

static int sync_folder_of(const char *path)
{
    char *copy = strdup(path);
    if (copy == NULL)
        return -1;
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(copy);
    if (fd < 0)
        return -1;
    int result = fsync(fd);
    close(fd);
    /* Some file systems refuse to sync a folder; the rename is as durable there as they make it. */
    return result == 0 || errno == EINVAL || errno == ENOTSUP ? 0 : -1;
}

int ff_file_write_begin(struct ff_file_writer *writer, const char *path, mode_t mode,
                        struct ff_error *error)
{
    static unsigned serial;
    unsigned number = __atomic_fetch_add(&serial, 1, __ATOMIC_RELAXED);
    *writer = (struct ff_file_writer){.fd = -1, .path = strdup(path)};
    if (writer->path == NULL ||
        asprintf(&writer->beside, "%s.%d-%u.tmp", path, (int)getpid(), number) < 0) {
        free(writer->path);
        return ff_fail(error, FF_NO_MEMORY, "no memory for the name of a file");
    }
    writer->fd = open(writer->beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    if (writer->fd >= 0)
        return 0;
    (void)ff_fail_errno(error, FF_IO, errno, "cannot create %s", writer->beside);
    free(writer->beside);
    free(writer->path);
    return -1;
}

int ff_file_write_piece(struct ff_file_writer *writer, struct ff_span piece, struct ff_error *error)
{
    if (ff_write_all(writer->fd, piece) == 0)
        return 0;
    return ff_fail_errno(error, FF_IO, errno, "cannot write %s", writer->path);
}

/* Synced and in its place: 0, or the errno of what failed. */
static int put_in_place(struct ff_file_writer *writer)
{
    int failure = fsync(writer->fd) < 0 ? errno : 0;
    if (close(writer->fd) < 0 && failure == 0)
        failure = errno;
    writer->fd = -1;
    if (failure == 0 && rename(writer->beside, writer->path) < 0)
        failure = errno;
    return failure;
}

int ff_file_write_end(struct ff_file_writer *writer, bool whole, struct ff_error *error)
{
    int result = 0;
    int failure = whole ? put_in_place(writer) : 0;
    if (writer->fd >= 0)
        close(writer->fd);
    if (!whole || failure != 0)
        unlink(writer->beside);
    if (failure != 0)
        result = ff_fail_errno(error, FF_IO, failure, "cannot write %s", writer->path);
    else if (whole && sync_folder_of(writer->path) < 0)
        result = ff_fail_errno(error, FF_IO, errno, "cannot sync the folder of %s", writer->path);
    free(writer->beside);
    free(writer->path);
    return result;
}

int ff_file_write(const char *path, struct ff_span data, mode_t mode, struct ff_error *error)
{
    struct ff_file_writer writer;
    if (ff_file_write_begin(&writer, path, mode, error) < 0)
        return -1;
    int written = ff_file_write_piece(&writer, data, error);
    struct ff_error ending;
    int ended = ff_file_write_end(&writer, written == 0, written == 0 ? error : &ending);
    return written == 0 && ended == 0 ? 0 : -1;
}

int ff_file_map(const char *path, struct ff_span *bytes, struct ff_error *error)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return ff_fail_errno(error, errno == ENOENT ? FF_INPUT_MISSING : FF_IO, errno,
                             "cannot read %s", path);
    void *memory = MAP_FAILED;
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0)
        memory = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (memory == MAP_FAILED)
        return ff_fail(error, FF_INPUT_INVALID, "%s is no file with content", path);
    *bytes = (struct ff_span){memory, (size_t)status.st_size};
    return 0;
}

void ff_file_unmap(struct ff_span bytes)
{
    if (bytes.data != NULL)
        munmap((void *)(uintptr_t)bytes.data, bytes.size);
}

static int read_opened(int fd, const char *path, size_t limit, char **data, size_t *size,
                       struct ff_error *error)
{
    struct stat info;
    if (fstat(fd, &info) < 0)
        return ff_fail_errno(error, FF_IO, errno, "cannot look at %s", path);
    if (S_ISDIR(info.st_mode))
        return ff_fail(error, FF_INPUT_INVALID, "%s is a folder, not a file", path);
    if (!S_ISREG(info.st_mode))
        return ff_fail(error, FF_INPUT_INVALID, "%s is not a regular file", path);
    if ((uint64_t)info.st_size > limit)
        return ff_fail(error, FF_TOO_LARGE, "%s has %lld bytes; at most %zu are read here", path,
                       (long long)info.st_size, limit);
    size_t capacity = (size_t)info.st_size;
    char *block = malloc(capacity + 1);
    if (block == NULL)
        return ff_fail(error, FF_NO_MEMORY, "no memory for the %zu bytes of %s", capacity, path);
    size_t used = 0;
    while (used < capacity) {
        ssize_t got = read(fd, block + used, capacity - used);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            free(block);
            return ff_fail_errno(error, FF_IO, errno, "cannot read %s", path);
        }
        if (got == 0)
            break;
        used += (size_t)got;
    }
    block[used] = '\0';
    *data = block;
    *size = used;
    return 0;
}

int ff_file_read(const char *path, size_t limit, char **data, size_t *size, struct ff_error *error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return ff_fail_errno(error, errno == ENOENT ? FF_INPUT_MISSING : FF_IO, errno,
                             "cannot open %s", path);
    int result = read_opened(fd, path, limit, data, size, error);
    close(fd);
    return result;
}

int ff_folder_make(const char *path, mode_t mode, struct ff_error *error)
{
    char work[PATH_MAX];
    if (strlen(path) >= sizeof work)
        return ff_fail(error, FF_INVALID_ARGUMENT, "the path is too long: %s", path);
    snprintf(work, sizeof work, "%s", path);
    for (char *slash = work + 1; *slash != '\0'; slash++) {
        if (*slash != '/')
            continue;
        *slash = '\0';
        if (mkdir(work, 0700) < 0 && errno != EEXIST)
            return ff_fail_errno(error, FF_IO, errno, "cannot make the folder %s", work);
        *slash = '/';
    }
    if (mkdir(work, mode) == 0)
        return 0;
    if (errno != EEXIST)
        return ff_fail_errno(error, FF_IO, errno, "cannot make the folder %s", work);
    struct stat info;
    if (stat(work, &info) < 0 || !S_ISDIR(info.st_mode))
        return ff_fail(error, FF_IO, "%s is there and is not a folder", work);
    return 0;
}

static int remove_entries(int fd)
{
    DIR *folder = fdopendir(fd);
    if (folder == NULL) {
        close(fd);
        return -1;
    }
    int result = 0;
    struct dirent *entry;
    while ((entry = readdir(folder)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (unlinkat(dirfd(folder), entry->d_name, 0) == 0)
            continue;
        int child =
            openat(dirfd(folder), entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (child < 0 || remove_entries(child) < 0 ||
            unlinkat(dirfd(folder), entry->d_name, AT_REMOVEDIR) < 0)
            result = -1;
    }
    closedir(folder);
    return result;
}

int ff_folder_remove(const char *path, struct ff_error *error)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return 0;
    if (fd < 0 || remove_entries(fd) < 0 || rmdir(path) < 0)
        return ff_fail_errno(error, FF_IO, errno, "cannot remove %s", path);
    return 0;
}

char *ff_path_join(const char *folder, const char *name)
{
    char *path = NULL;
    if (asprintf(&path, "%s/%s", folder, name) < 0)
        return NULL;
    return path;
}

char *ff_home(struct ff_error *error)
{
    const char *set = getenv("FARFIELD_HOME");
    char *path = NULL;
    if (set != NULL && set[0] == '/') {
        path = strdup(set);
    } else if (set != NULL && set[0] != '\0') {
        char here[PATH_MAX];
        if (getcwd(here, sizeof here) != NULL)
            path = ff_path_join(here, set);
    } else {
        const char *home = getenv("HOME");
        if (home == NULL || home[0] != '/') {
            const struct passwd *entry = getpwuid(getuid());
            home = entry != NULL ? entry->pw_dir : NULL;
        }
        if (home == NULL) {
            ff_fail(error, FF_INVALID_ARGUMENT, "neither FARFIELD_HOME nor HOME is set");
            ff_hint(error, "set FARFIELD_HOME to the folder where Farfield may keep its state");
            return NULL;
        }
        path = ff_path_join(home, ".farfield");
    }
    if (path == NULL)
        ff_fail(error, FF_NO_MEMORY, "no memory for the path of FARFIELD_HOME");
    return path;
}

/* PREFIX of PREFIX/bin/program or PREFIX/libexec/farfield/program. */
static char *installation_prefix(struct ff_error *error)
{
    char path[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    if (length <= 0) {
        ff_fail_errno(error, FF_IO, errno, "cannot tell where this program lies");
        return NULL;
    }
    path[length] = '\0';
    for (char *slash = strrchr(path, '/'); slash != NULL; slash = strrchr(path, '/')) {
        *slash = '\0';
        char probe[PATH_MAX + 32];
        snprintf(probe, sizeof probe, "%s/libexec/farfield", path);
        if (access(probe, X_OK) == 0)
            return strdup(path);
    }
    ff_fail(error, FF_IO, "this program does not lie in a Farfield installation");
    ff_hint(error, "run it from where `cmake --install` put it");
    return NULL;
}

static char *installed_folder(const char *below, struct ff_error *error)
{
    char *prefix = installation_prefix(error);
    if (prefix == NULL)
        return NULL;
    char *folder = ff_path_join(prefix, below);
    free(prefix);
    if (folder == NULL)
        ff_fail(error, FF_NO_MEMORY, "no memory for a path");
    return folder;
}

char *ff_program_folder(struct ff_error *error)
{
    return installed_folder("libexec/farfield", error);
}

char *ff_function_folder(struct ff_error *error)
{
    return installed_folder("lib/farfield/functions", error);
}

char *ff_backend_folder(struct ff_error *error)
{
    return installed_folder("lib/farfield/backends", error);
}

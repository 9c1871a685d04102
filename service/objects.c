#include "service/objects.h"

#include "protocol/core/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { UNUSED_SECONDS = 86400 };

struct ff_objects {
    char *folder;
    char *incoming; /* folder/incoming: pieces of what is not whole yet */
    pthread_mutex_t lock;
    pthread_cond_t idle;
    unsigned finishing; /* threads that still run */
    unsigned serial;
};

struct ff_upload {
    struct ff_objects *objects;
    struct ff_digest digest;
    struct ff_digester *digester;
    int fd;
    uint64_t size;
    char path[PATH_MAX];
    ff_upload_done *done;
    void *user;
};

struct ff_objects *ff_objects_create(const char *folder, struct ff_error *error)
{
    struct ff_objects *objects = calloc(1, sizeof *objects);
    if (objects == NULL || (objects->folder = strdup(folder)) == NULL ||
        (objects->incoming = ff_path_join(folder, "incoming")) == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory for the objects");
        goto failed;
    }
    pthread_mutex_init(&objects->lock, NULL);
    pthread_cond_init(&objects->idle, NULL);
    if (ff_folder_remove(objects->incoming, error) < 0 ||
        ff_folder_make(objects->incoming, 0700, error) < 0)
        goto failed;
    return objects;
failed:
    ff_objects_destroy(objects);
    return NULL;
}

void ff_objects_destroy(struct ff_objects *objects)
{
    if (objects == NULL)
        return;
    pthread_mutex_lock(&objects->lock);
    while (objects->finishing > 0)
        pthread_cond_wait(&objects->idle, &objects->lock);
    pthread_mutex_unlock(&objects->lock);
    pthread_cond_destroy(&objects->idle);
    pthread_mutex_destroy(&objects->lock);
    free(objects->incoming);
    free(objects->folder);
    free(objects);
}

/* folder/ab/cdef…; false where the path is too long. */
static bool path_of(const struct ff_objects *objects, const struct ff_digest *digest,
                    char path[PATH_MAX])
{
    char text[FF_DIGEST_TEXT_SIZE];
    ff_digest_text(digest, text);
    int length = snprintf(path, PATH_MAX, "%s/%.2s/%s", objects->folder, text, text + 2);
    return length > 0 && length < PATH_MAX;
}

bool ff_objects_size(const struct ff_objects *objects, const struct ff_digest *digest,
                     uint64_t *size)
{
    char path[PATH_MAX];
    struct stat info;
    if (!path_of(objects, digest, path) || stat(path, &info) < 0 || !S_ISREG(info.st_mode))
        return false;
    *size = (uint64_t)info.st_size;
    /* Best effort: on a read-only file system nothing is swept either. */
    if (utimensat(AT_FDCWD, path, NULL, 0) < 0)
        return errno != ENOENT;
    return true;
}

int ff_objects_open(const struct ff_objects *objects, const struct ff_digest *digest,
                    uint64_t *size, struct ff_error *error)
{
    char path[PATH_MAX];
    char text[FF_DIGEST_TEXT_SIZE];
    struct stat info;
    ff_digest_text(digest, text);
    int fd = path_of(objects, digest, path) ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
    if (fd < 0 && errno != ENOENT)
        return ff_fail_errno(error, FF_IO, errno, "cannot open the object %s", text);
    if (fd < 0)
        return ff_fail(error, FF_OBJECT_NOT_FOUND, "there is no object %s", text);
    if (fstat(fd, &info) < 0) {
        int failure = errno;
        close(fd);
        return ff_fail_errno(error, FF_IO, failure, "cannot look at the object %s", text);
    }
    *size = (uint64_t)info.st_size;
    return fd;
}

/* ---- arriving ---- */

struct ff_upload *ff_upload_create(struct ff_objects *objects, const struct ff_digest *digest,
                                   struct ff_error *error)
{
    struct ff_upload *upload = calloc(1, sizeof *upload);
    if (upload == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory for an upload");
        return NULL;
    }
    unsigned serial = __atomic_fetch_add(&objects->serial, 1, __ATOMIC_RELAXED);
    upload->objects = objects;
    upload->digest = *digest;
    upload->fd = -1;
    int length = snprintf(upload->path, sizeof upload->path, "%s/%u", objects->incoming, serial);
    upload->digester = ff_digester_create(error);
    if (upload->digester != NULL && length < PATH_MAX) {
        upload->fd = open(upload->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (upload->fd < 0)
            ff_fail_errno(error, FF_IO, errno, "cannot create %s", upload->path);
    }
    if (upload->fd < 0) {
        ff_upload_destroy(upload);
        return NULL;
    }
    return upload;
}

int ff_upload_add(struct ff_upload *upload, struct ff_span piece, struct ff_error *error)
{
    if (ff_write_all(upload->fd, piece) < 0)
        return ff_fail_errno(error, FF_IO, errno, "cannot write the object");
    ff_digester_update(upload->digester, piece);
    upload->size += piece.size;
    return 0;
}

uint64_t ff_upload_size(const struct ff_upload *upload)
{
    return upload->size;
}

static int sync_folder(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    int result = fsync(fd) < 0 && errno != EINVAL && errno != ENOTSUP ? -1 : 0;
    close(fd);
    return result;
}

/* Renames the finished file to its place; all of it is durable afterwards. */
static int put_in_place(struct ff_upload *upload, struct ff_error *error)
{
    char path[PATH_MAX];
    char folder[PATH_MAX];
    if (!path_of(upload->objects, &upload->digest, path))
        return ff_fail(error, FF_IO, "the path of the service's folder is too long");
    snprintf(folder, sizeof folder, "%s", path);
    *strrchr(folder, '/') = '\0';
    bool new_folder = mkdir(folder, 0700) == 0;
    if (!new_folder && errno != EEXIST)
        return ff_fail_errno(error, FF_IO, errno, "cannot make the folder %s", folder);
    if (fsync(upload->fd) < 0 || rename(upload->path, path) < 0 || sync_folder(folder) < 0 ||
        (new_folder && sync_folder(upload->objects->folder) < 0))
        return ff_fail_errno(error, FF_IO, errno, "cannot keep the object %s", path);
    upload->path[0] = '\0';
    return 0;
}

static int keep(struct ff_upload *upload, struct ff_error *error)
{
    struct ff_digest actual;
    uint64_t size;
    if (ff_digester_finish(upload->digester, &actual, error) < 0)
        return -1;
    if (memcmp(actual.bytes, upload->digest.bytes, FF_DIGEST_SIZE) != 0) {
        char text[FF_DIGEST_TEXT_SIZE];
        ff_digest_text(&actual, text);
        ff_fail(error, FF_INVALID_ARGUMENT, "the SHA-256 of the %llu bytes that came is %s",
                (unsigned long long)upload->size, text);
        return ff_hint(error, "the object was changed or cut on its way: send it again");
    }
    if (ff_objects_size(upload->objects, &upload->digest, &size))
        return 0;
    return put_in_place(upload, error);
}

static void *finish(void *argument)
{
    struct ff_upload *upload = argument;
    struct ff_objects *objects = upload->objects;
    struct ff_error error;
    int kept = keep(upload, &error);
    upload->done(upload->user, upload->size, kept < 0 ? &error : NULL);
    ff_upload_destroy(upload);
    pthread_mutex_lock(&objects->lock);
    objects->finishing--;
    pthread_cond_signal(&objects->idle);
    pthread_mutex_unlock(&objects->lock);
    return NULL;
}

void ff_upload_finish(struct ff_upload *upload, ff_upload_done *done, void *user)
{
    struct ff_objects *objects = upload->objects;
    pthread_t thread;
    pthread_attr_t attributes;
    upload->done = done;
    upload->user = user;
    pthread_mutex_lock(&objects->lock);
    objects->finishing++;
    pthread_mutex_unlock(&objects->lock);
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    if (pthread_create(&thread, &attributes, finish, upload) != 0)
        finish(upload);
    pthread_attr_destroy(&attributes);
}

void ff_upload_destroy(struct ff_upload *upload)
{
    if (upload == NULL)
        return;
    if (upload->fd >= 0) {
        close(upload->fd);
        if (upload->path[0] != '\0')
            unlink(upload->path);
    }
    ff_digester_destroy(upload->digester);
    free(upload);
}

int ff_objects_store(struct ff_objects *objects, struct ff_span data,
                     const struct ff_digest *digest, struct ff_error *error)
{
    uint64_t size;
    if (ff_objects_size(objects, digest, &size))
        return 0;
    struct ff_upload *upload = ff_upload_create(objects, digest, error);
    int result =
        upload != NULL && ff_upload_add(upload, data, error) == 0 && keep(upload, error) == 0 ? 0
                                                                                              : -1;
    ff_upload_destroy(upload);
    return result;
}

/* ---- removing ---- */

static void sweep_folder(const char *folder, const char *prefix, ff_object_is_used *is_used,
                         void *user)
{
    DIR *entries = opendir(folder);
    time_t now = time(NULL);
    if (entries == NULL)
        return;
    for (struct dirent *entry = readdir(entries); entry != NULL; entry = readdir(entries)) {
        char text[FF_DIGEST_TEXT_SIZE + 256];
        struct ff_digest digest;
        struct stat info;
        int length = snprintf(text, sizeof text, "%s%s", prefix, entry->d_name);
        if (ff_digest_parse(text, (size_t)length, &digest) == 0 &&
            fstatat(dirfd(entries), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
            now - info.st_mtime > UNUSED_SECONDS && !is_used(user, &digest))
            unlinkat(dirfd(entries), entry->d_name, 0);
    }
    closedir(entries);
}

void ff_objects_sweep(struct ff_objects *objects, ff_object_is_used *is_used, void *user)
{
    for (int i = 0; i < 256; i++) {
        char folder[PATH_MAX];
        char prefix[3];
        snprintf(prefix, sizeof prefix, "%02x", i);
        int length = snprintf(folder, sizeof folder, "%s/%s", objects->folder, prefix);
        if (length < PATH_MAX)
            sweep_folder(folder, prefix, is_used, user);
    }
}

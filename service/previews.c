#include "service/previews.h"

#include "protocol/core/file.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME_LIMIT = 80, MEDIA_LIMIT = 64 };

/* Letters, digits, '.', '_' and '-' stand for themselves (but not a first dot), all else as %XX: a
 * safe file name, and different for different names up to the limit. */
static bool safe_name(struct ff_span name, char safe[3 * NAME_LIMIT + 1])
{
    const unsigned char *at = name.data;
    size_t size = 0;
    if (name.size == 0 || name.size > NAME_LIMIT)
        return false;
    for (size_t i = 0; i < name.size; i++) {
        bool plain = isalnum(at[i]) || at[i] == '_' || at[i] == '-' || (at[i] == '.' && i > 0);
        size += (size_t)snprintf(safe + size, 4, plain ? "%c" : "%%%02X", at[i]);
    }
    return true;
}

static int path_of(const char *previews, const struct ff_id *task, struct ff_span name,
                   char path[PATH_MAX], struct ff_error *error)
{
    char id[FF_ID_TEXT_SIZE];
    char safe[3 * NAME_LIMIT + 1];
    ff_id_text(task, id);
    if (!safe_name(name, safe) ||
        snprintf(path, PATH_MAX, "%s/%s/%s", previews, id, safe) >= PATH_MAX)
        return ff_fail(error, FF_INVALID_ARGUMENT,
                       "the name of the preview is empty or longer than "
                       "%d bytes",
                       NAME_LIMIT);
    return 0;
}

int ff_preview_write(const char *previews, const struct ff_id *task,
                     const struct ff_preview *preview, struct ff_error *error)
{
    char path[PATH_MAX];
    char beside[PATH_MAX + 4];
    char head[MEDIA_LIMIT + 2];
    if (path_of(previews, task, preview->name, path, error) < 0)
        return -1;
    snprintf(beside, sizeof beside, "%s.new", path);
    char *slash = strrchr(path, '/');
    *slash = '\0';
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return ff_fail_errno(error, FF_IO, errno, "cannot make the folder %s", path);
    *slash = '/';
    int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return ff_fail_errno(error, FF_IO, errno, "cannot create %s", beside);
    snprintf(head, sizeof head, "%.*s\n", (int)preview->media_type.size,
             (const char *)preview->media_type.data);
    int failure = 0;
    if (ff_write_all(fd, ff_span_of(head)) < 0 || ff_write_all(fd, preview->data) < 0 ||
        rename(beside, path) < 0)
        failure = errno;
    close(fd);
    if (failure == 0)
        return 0;
    unlink(beside);
    return ff_fail_errno(error, FF_IO, failure, "cannot write %s", path);
}

int ff_preview_read(const char *previews, const struct ff_id *task, struct ff_span name,
                    char **data, size_t *size, size_t *data_at, char media_type[65],
                    struct ff_error *error)
{
    char path[PATH_MAX];
    if (path_of(previews, task, name, path, error) < 0)
        return -1;
    if (access(path, F_OK) != 0)
        return ff_fail(error, FF_NOT_FOUND, "the task has no preview \"%.*s\"", (int)name.size,
                       (const char *)name.data);
    if (ff_file_read(path, FF_PREVIEW_LIMIT + MEDIA_LIMIT + 1, data, size, error) < 0)
        return -1;
    const char *line = memchr(*data, '\n', *size);
    size_t length = line != NULL ? (size_t)(line - *data) : 0;
    if (line == NULL || length > MEDIA_LIMIT) {
        free(*data);
        return ff_fail(error, FF_IO, "%s is damaged", path);
    }
    *data_at = length + 1;
    snprintf(media_type, 65, "%.*s", (int)length, *data);
    return 0;
}

void ff_previews_sweep(const char *previews, ff_preview_is_known *is_known, void *user)
{
    DIR *folder = opendir(previews);
    if (folder == NULL)
        return;
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        struct ff_id task;
        char path[PATH_MAX];
        if (ff_id_parse(entry->d_name, strlen(entry->d_name), &task) < 0 || is_known(user, &task))
            continue;
        if (snprintf(path, sizeof path, "%s/%s", previews, entry->d_name) < PATH_MAX &&
            ff_folder_remove(path, NULL) < 0)
            continue; /* tried again with the next sweep */
    }
    closedir(folder);
}

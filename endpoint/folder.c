#include "endpoint/folder.h"

#include "protocol/core/file.h"
#include "protocol/core/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int ff_folder_locate(struct ff_folder *folder, const char *name, struct ff_error *error)
{
    folder->lock_fd = -1;
    if (!ff_text_is_name(name)) {
        ff_fail(error, FF_INVALID_ARGUMENT, "\"%.80s\" cannot be the name of an endpoint", name);
        return ff_hint(error, "use 1 to 64 letters, digits, dots, hyphens and underscores");
    }
    char *home = ff_home(error);
    if (home == NULL)
        return -1;
    snprintf(folder->name, sizeof folder->name, "%s", name);
    int length = snprintf(folder->root, sizeof folder->root, "%s/endpoints/%s", home, name);
    free(home);
    if (length < 0 || (size_t)length >= sizeof folder->root)
        return ff_fail(error, FF_INVALID_ARGUMENT, "the path of FARFIELD_HOME is too long");
    return 0;
}

void ff_folder_path(const struct ff_folder *folder, char path[PATH_MAX], const char *format, ...)
{
    va_list arguments;
    int length = snprintf(path, PATH_MAX, "%s/", folder->root);
    va_start(arguments, format);
    vsnprintf(path + length, (size_t)(PATH_MAX - length), format, arguments);
    va_end(arguments);
}

int ff_folder_check(const struct ff_folder *folder, struct ff_error *error)
{
    char path[PATH_MAX];
    struct stat status;
    ff_folder_path(folder, path, "config.yaml");
    if (stat(path, &status) == 0)
        return 0;
    ff_fail(error, FF_ENDPOINT_NOT_FOUND, "there is no endpoint \"%s\" here (%s is missing)",
            folder->name, path);
    return ff_hint(error, "farfield endpoint configure %s", folder->name);
}

static int name_holder(const struct ff_folder *folder, struct ff_error *error)
{
    char path[PATH_MAX];
    char host[256] = "?";
    struct ff_process_id holder = {0};
    ff_folder_path(folder, path, "run/process");
    if (ff_process_file_read(path, &holder, host, sizeof host, NULL) < 0)
        return ff_fail(error, FF_ENDPOINT_IN_USE, "another process runs endpoint \"%s\"",
                       folder->name);
    ff_fail(error, FF_ENDPOINT_IN_USE, "endpoint \"%s\" is run by process %d on host %s",
            folder->name, (int)holder.pid, host);
    return ff_hint(error, "farfield endpoint stop %s", folder->name);
}

/* The instance that wrote run/instance, when its process was on this host and is dead. */
static void find_previous(const struct ff_folder *folder, struct ff_id *previous)
{
    char path[PATH_MAX];
    char host[256] = "";
    char here[256] = "";
    char *text = NULL;
    size_t size = 0;
    struct ff_process_id before = {0};
    memset(previous, 0, sizeof *previous);
    gethostname(here, sizeof here - 1);
    ff_folder_path(folder, path, "run/process");
    if (ff_process_file_read(path, &before, host, sizeof host, NULL) < 0 ||
        strcmp(host, here) != 0 || ff_process_alive(before))
        return;
    ff_folder_path(folder, path, "run/instance");
    if (ff_file_read(path, 256, &text, &size, NULL) < 0)
        return;
    if (size < FF_ID_TEXT_SIZE - 1 || ff_id_parse(text, FF_ID_TEXT_SIZE - 1, previous) < 0)
        memset(previous, 0, sizeof *previous);
    free(text);
}

int ff_folder_lock(struct ff_folder *folder, const struct ff_id *instance, struct ff_id *previous,
                   struct ff_error *error)
{
    char path[PATH_MAX];
    char text[FF_ID_TEXT_SIZE];
    ff_folder_path(folder, path, "run");
    if (ff_folder_make(path, 0700, error) < 0)
        return -1;
    char process[PATH_MAX];
    ff_folder_path(folder, path, "run/lock");
    ff_folder_path(folder, process, "run/process");
    folder->lock_fd = ff_process_lock(path, process);
    if (folder->lock_fd < 0 && (errno == EAGAIN || errno == EACCES))
        return name_holder(folder, error);
    /* A file system without locks decides nothing; the service's lease does. */
    if (folder->lock_fd < 0 && errno != ENOLCK && errno != EOPNOTSUPP)
        return ff_fail_errno(error, FF_IO, errno, "cannot lock %s", path);
    find_previous(folder, previous);
    ff_id_text(instance, text);
    ff_folder_path(folder, path, "run/instance");
    if (ff_file_write(path, ff_span_of(text), 0600, error) < 0)
        return -1;
    ff_folder_path(folder, path, "run/process");
    return ff_process_file_write(path, error);
}

void ff_folder_unlock(struct ff_folder *folder)
{
    char path[PATH_MAX];
    if (folder->lock_fd < 0)
        return;
    ff_folder_path(folder, path, "run/process");
    unlink(path);
    close(folder->lock_fd);
    folder->lock_fd = -1;
}

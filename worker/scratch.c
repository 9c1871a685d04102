#include "worker/scratch.h"

#include "protocol/core/file.h"
#include "protocol/core/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct ff_scratch {
    char tasks[PATH_MAX - 256];
    char lent[PATH_MAX - 128]; /* tasks/runner-NODE-PID */
    char path[PATH_MAX];
    char checkpoint[PATH_MAX];
    bool has_lent; /* the lent folder is there, and untouched so far */
    bool is_lent;  /* the call that runs is in it */
};

void ff_scratch_lent_path(const char *tasks, const char *node, pid_t pid, char *path, size_t size)
{
    snprintf(path, size, "%s/runner-%s-%d", tasks, node, (int)pid);
}

void ff_scratch_sweep(const char *tasks, const char *node)
{
    char prefix[300];
    char path[PATH_MAX];
    snprintf(prefix, sizeof prefix, "runner-%s-", node);
    DIR *folder = opendir(tasks);
    const struct dirent *entry;
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        int64_t pid;
        if (strncmp(entry->d_name, prefix, strlen(prefix)) != 0 ||
            ff_text_integer(entry->d_name + strlen(prefix), 1, INT32_MAX, &pid) < 0 ||
            kill((pid_t)pid, 0) == 0 || errno != ESRCH)
            continue;
        ff_scratch_lent_path(tasks, node, (pid_t)pid, path, sizeof path);
        (void)!ff_folder_remove(path, NULL);
    }
    if (folder != NULL)
        closedir(folder);
}

struct ff_scratch *ff_scratch_create(const char *tasks, const char *node, struct ff_error *error)
{
    struct ff_scratch *scratch = calloc(1, sizeof *scratch);
    if (scratch == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory for a scratch folder");
        return NULL;
    }
    if (strlen(tasks) + strlen(node) >= sizeof scratch->tasks) {
        free(scratch);
        ff_fail(error, FF_INVALID_ARGUMENT, "the path of the task folders is too long: %s", tasks);
        return NULL;
    }
    snprintf(scratch->tasks, sizeof scratch->tasks, "%s", tasks);
    ff_scratch_lent_path(tasks, node, getpid(), scratch->lent, sizeof scratch->lent);
    return scratch;
}

/* A time that no change can give a folder: whatever happens in it makes it younger. */
static const struct timespec untouched[2] = {{1, 0}, {1, 0}};

static bool is_untouched(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && info.st_mtim.tv_sec == untouched[1].tv_sec &&
           info.st_mtim.tv_nsec == 0;
}

static int make_lent(struct ff_scratch *scratch, struct ff_error *error)
{
    if (ff_folder_make(scratch->path, 0700, error) < 0)
        return -1;
    if (utimensat(AT_FDCWD, scratch->path, untouched, 0) < 0 ||
        utimensat(AT_FDCWD, scratch->lent, untouched, 0) < 0)
        return ff_fail_errno(error, FF_IO, errno, "cannot set up %s", scratch->path);
    scratch->has_lent = true;
    return 0;
}

static int copy_path(char *to, size_t size, struct ff_span path, struct ff_error *error)
{
    if (path.size >= size)
        return ff_fail(error, FF_INVALID_ARGUMENT, "a path of %zu bytes is too long", path.size);
    memcpy(to, path.data, path.size);
    to[path.size] = '\0';
    return 0;
}

int ff_scratch_enter(struct ff_scratch *scratch, struct ff_span path, struct ff_span checkpoint,
                     struct ff_error *error)
{
    scratch->is_lent = path.size == 0;
    if (!scratch->is_lent) {
        if (copy_path(scratch->path, sizeof scratch->path, path, error) < 0 ||
            copy_path(scratch->checkpoint, sizeof scratch->checkpoint, checkpoint, error) < 0)
            return -1;
    } else {
        snprintf(scratch->path, sizeof scratch->path, "%s/scratch", scratch->lent);
        snprintf(scratch->checkpoint, sizeof scratch->checkpoint, "%s/checkpoint", scratch->lent);
        if (!scratch->has_lent && make_lent(scratch, error) < 0)
            return -1;
    }
    if (chdir(scratch->path) < 0)
        return ff_fail_errno(error, FF_IO, errno, "cannot enter the scratch folder %s",
                             scratch->path);
    return 0;
}

const char *ff_scratch_path(const struct ff_scratch *scratch)
{
    return scratch->path;
}

const char *ff_scratch_checkpoint(const struct ff_scratch *scratch)
{
    return scratch->checkpoint;
}

void ff_scratch_leave(struct ff_scratch *scratch, const char *task_id)
{
    if (!scratch->is_lent || (is_untouched(scratch->path) && is_untouched(scratch->lent)))
        return;
    char own[PATH_MAX];
    snprintf(own, sizeof own, "%s/%s", scratch->tasks, task_id);
    if (rename(scratch->lent, own) < 0)
        (void)!ff_folder_remove(scratch->lent,
                                NULL); /* the task has a folder, of an older attempt */
    scratch->has_lent = false;
}

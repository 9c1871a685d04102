#include "worker/gpu/use.h"

#include "protocol/core/file.h"

#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t start(const char *path, bool json, int output, struct ff_error *error)
{
    char name[] = "farfield-doctor";
    char gpus[] = "--gpus";
    char as_json[] = "--json";
    char *const argv[] = {name, gpus, json ? as_json : NULL, NULL};
    posix_spawn_file_actions_t actions;
    pid_t pid = -1;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    int failed = posix_spawn(&pid, path, &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failed != 0) {
        ff_fail_errno(error, FF_IO, failed, "cannot run %s", path);
        ff_hint(error, "build and install all of Farfield again");
        return -1;
    }
    return pid;
}

/* Its document is one line, which ends as a part of another one. */
static void relay(int from, bool json)
{
    char text[4096];
    ssize_t got;
    while ((got = read(from, text, sizeof text)) > 0 || (got < 0 && errno == EINTR))
        for (ssize_t i = 0; i < got; i++)
            if (!json || text[i] != '\n')
                putchar(text[i]);
}

static int run(const char *path, bool json, struct ff_error *error)
{
    int ends[2];
    int status = -1;
    if (pipe(ends) < 0)
        return ff_fail_errno(error, FF_IO, errno, "cannot ask about the GPUs");
    pid_t pid = start(path, json, ends[1], error);
    close(ends[1]);
    if (pid > 0)
        relay(ends[0], json);
    close(ends[0]);
    if (pid < 0)
        return -1;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (WIFEXITED(status) && WEXITSTATUS(status) <= 1) /* 1: something is to be mended */
        return 0;
    return ff_fail(error, FF_INTERNAL, "farfield doctor --gpus ended with status %d", status);
}

int ff_gpu_use_print(bool json, struct ff_error *error)
{
    char *folder = ff_program_folder(error);
    char *path = folder != NULL ? ff_path_join(folder, "farfield-doctor") : NULL;
    free(folder);
    if (path == NULL)
        return -1;
    int result = run(path, json, error);
    free(path);
    return result;
}

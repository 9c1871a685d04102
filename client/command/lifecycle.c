#include "client/command/lifecycle.h"

#include "client/command/output.h"
#include "protocol/core/bytes.h"
#include "protocol/core/clock.h"
#include "protocol/core/file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CAPTURE_LIMIT = 65536, TICK_MS = 250, SECOND_ASK_MS = 100 };

char *ff_home_path(struct ff_error *error, const char *format, ...)
{
    char *home = ff_home(error);
    if (home == NULL)
        return NULL;
    char *below = NULL;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&below, format, arguments);
    va_end(arguments);
    char *path = length >= 0 ? ff_path_join(home, below) : NULL;
    if (length >= 0)
        free(below);
    free(home);
    if (path == NULL)
        ff_fail(error, FF_NO_MEMORY, "no memory for a path");
    return path;
}

int ff_running_read(const char *process_path, struct ff_running *running, struct ff_error *error)
{
    struct ff_running found = {.here = false};
    struct ff_error why;
    if (ff_process_file_read(process_path, &found.id, found.host, sizeof found.host, &why) < 0) {
        if (why.code == FF_INPUT_MISSING) {
            *running = found;
            return 0;
        }
        if (error != NULL)
            *error = why;
        return -1;
    }
    char host[FF_HOST_SIZE] = "";
    gethostname(host, sizeof host - 1);
    if (strcmp(host, found.host) == 0)
        found.here = ff_process_alive(found.id);
    else
        found.elsewhere = true;
    *running = found;
    return 0;
}

int ff_running_stop(const struct ff_running *running, const char *what, bool now, int limit_ms,
                    struct ff_error *error)
{
    if (ff_process_signal(running->id, SIGTERM, error) < 0)
        return -1;
    struct ff_error why;
    if (now && ff_process_wait_gone(running->id, SECOND_ASK_MS, &why) < 0 &&
        ff_process_signal(running->id, SIGTERM, error) < 0)
        return -1;
    int64_t start_ns = ff_monotonic_ns();
    while (ff_process_wait_gone(running->id, TICK_MS, &why) < 0) {
        int64_t passed_ms = (ff_monotonic_ns() - start_ns) / 1000000;
        if (passed_ms > limit_ms) {
            ff_progress_clear();
            ff_fail(error, FF_TIMED_OUT, "%s (process %d) has not ended within %d s", what,
                    (int)running->id.pid, limit_ms / 1000);
            return ff_hint(error, "it still works on something; by force: kill -9 %d",
                           (int)running->id.pid);
        }
        char line[160];
        snprintf(line, sizeof line, "waiting for %s to end (%lld s)", what,
                 (long long)(passed_ms / 1000));
        ff_progress_show(line);
    }
    ff_progress_clear();
    return 0;
}

static int read_all(int fd, struct ff_buffer *buffer, struct ff_error *error)
{
    for (;;) {
        char piece[4096];
        ssize_t got = read(fd, piece, sizeof piece);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return ff_fail_errno(error, FF_IO, errno, "cannot read what a program prints");
        if (got == 0)
            return ff_buffer_check(buffer, "what the program prints", error);
        ff_buffer_append(buffer, piece, (size_t)got);
    }
}

int ff_capture(const char *const argv[], char **printed, int *status, struct ff_error *error)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return ff_fail_errno(error, FF_IO, errno, "cannot make a pipe");
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        if (dup2(ends[1], STDOUT_FILENO) >= 0)
            execv(argv[0], (char *const *)argv);
        _exit(127);
    }
    int failure = errno;
    close(ends[1]);
    if (child < 0) {
        close(ends[0]);
        return ff_fail_errno(error, FF_IO, failure, "cannot run %s", argv[0]);
    }
    struct ff_buffer buffer;
    ff_buffer_init(&buffer, CAPTURE_LIMIT);
    int result = read_all(ends[0], &buffer, error);
    close(ends[0]);
    int ended = 0;
    while (waitpid(child, &ended, 0) < 0 && errno == EINTR)
        continue;
    char *text = result == 0 ? ff_span_copy(ff_buffer_span(&buffer)) : NULL;
    ff_buffer_dispose(&buffer);
    if (result == 0 && text == NULL)
        return ff_fail(error, FF_NO_MEMORY, "no memory for what %s prints", argv[0]);
    if (result < 0)
        return -1;
    *printed = text;
    *status = WIFEXITED(ended) ? WEXITSTATUS(ended) : 128 + WTERMSIG(ended);
    return 0;
}

#include "protocol/core/log.h"

#include "protocol/core/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LINE_SIZE = 4096 };

static const char *log_process = "farfield";
static char log_path[4096];
static atomic_int log_fd = STDERR_FILENO;
static enum ff_log_level log_floor = FF_LOG_INFO;

static const char *const level_names[] = {"debug", "info", "warning", "error"};

const char *ff_log_level_name(enum ff_log_level level)
{
    return (unsigned)level < 4 ? level_names[level] : "info";
}

static int open_log_file(void)
{
    return open(log_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
}

int ff_log_open(const char *process, const char *path, enum ff_log_level floor,
                struct ff_error *error)
{
    log_process = process;
    log_floor = floor;
    log_path[0] = '\0';
    if (path == NULL) {
        log_fd = STDERR_FILENO;
        return 0;
    }
    if (strlen(path) >= sizeof log_path)
        return ff_fail(error, FF_INVALID_ARGUMENT, "the path of the log is too long: %s", path);
    snprintf(log_path, sizeof log_path, "%s", path);
    int fd = open_log_file();
    if (fd < 0)
        return ff_fail_errno(error, FF_IO, errno, "cannot open the log %s", path);
    log_fd = fd;
    return 0;
}

void ff_log_reopen(void)
{
    if (log_path[0] == '\0')
        return;
    int fd = open_log_file();
    if (fd < 0)
        return;
    /* dup3 replaces the old file under the same number, so a thread that is writing never meets a
     * closed one. */
    if (dup3(fd, log_fd, O_CLOEXEC) < 0)
        log_fd = fd;
    else
        close(fd);
}

void ff_log(enum ff_log_level level, const char *format, ...)
{
    if (level < log_floor)
        return;
    char line[LINE_SIZE];
    char now[FF_TIME_TEXT_SIZE];
    ff_time_text(ff_wall_ns(), now);
    int head = snprintf(line, sizeof line, "%s %s %s[%d] ", now, ff_log_level_name(level),
                        log_process, (int)getpid());
    size_t used = head > 0 ? (size_t)head : 0;
    va_list arguments;
    va_start(arguments, format);
    int body = vsnprintf(line + used, sizeof line - used - 1, format, arguments);
    va_end(arguments);
    size_t end = used + (body > 0 ? (size_t)body : 0);
    if (end > sizeof line - 2)
        end = sizeof line - 2;
    for (size_t i = used; i < end; i++) /* what came from outside may not forge a line */
        if ((unsigned char)line[i] < ' ' || line[i] == 127)
            line[i] = ' ';
    line[end] = '\n';
    ssize_t written = write(log_fd, line, end + 1);
    (void)written; /* a log that cannot be written must not stop the program */
}

void ff_log_error(const char *what, const struct ff_error *error)
{
    ff_log(FF_LOG_ERROR, "%s: %s%s%s%s [%s]", what, error->message, error->hint[0] ? " (" : "",
           error->hint, error->hint[0] ? ")" : "", ff_error_name(error->code));
}

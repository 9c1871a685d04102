/* The end of a log file, and what is added to it. */
#include "client/command/command.h"
#include "client/command/lifecycle.h"
#include "client/command/output.h"
#include "protocol/core/bytes.h"
#include "protocol/core/text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

/* A change made on another host of a shared file system gives no notice, so the file is looked at all the same. */
enum { PIECE = 65536, LOOK_MS = 1000, LINE_LIMIT = 1 << 20 };

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

/* Where the last `lines` lines begin: reads backwards. */
static off_t tail_start(int fd, off_t size, long lines)
{
    char piece[4096];
    off_t at = size;
    long seen = 0;
    while (at > 0) {
        off_t from = at > (off_t)sizeof piece ? at - (off_t)sizeof piece : 0;
        ssize_t got = pread(fd, piece, (size_t)(at - from), from);
        if (got <= 0)
            return at;
        for (ssize_t i = got - 1; i >= 0; i--) {
            /* The newline at the very end closes the last line and begins none. */
            if (piece[i] == '\n' && from + i + 1 < size && ++seen == lines)
                return from + i + 1;
        }
        at = from;
    }
    return 0;
}

/* What is printed of a log, and how. */
struct printing {
    int fd;
    off_t at;
    bool json;
    struct ff_buffer line; /* with json: the part of a line that is not ended yet */
};

static int print_json_lines(struct printing *printing, const char *piece, size_t size,
                            struct ff_error *error)
{
    ff_buffer_append(&printing->line, piece, size);
    const uint8_t *newline;
    while (printing->line.size > 0 &&
           (newline = memchr(printing->line.data, '\n', printing->line.size)) != NULL) {
        size_t length = (size_t)(newline - printing->line.data);
        json_t *text = json_stringn((const char *)printing->line.data, length);
        json_t *line = json_pack("{s:s, s:o}", "type", "log", "text",
                                 text != NULL ? text : json_string("(not UTF-8)"));
        int result = ff_output_json_line(line, error);
        json_decref(line);
        if (result < 0)
            return -1;
        ff_buffer_consume(&printing->line, length + 1);
    }
    return ff_buffer_check(&printing->line, "a line of the log", error);
}

/* Prints to the end as it is now. A file that has become shorter was rotated: then from its start. */
static int print_rest(struct printing *printing, struct ff_error *error)
{
    struct stat info;
    if (fstat(printing->fd, &info) == 0 && info.st_size < printing->at)
        printing->at = 0;
    static char piece[PIECE];
    for (;;) {
        ssize_t got = pread(printing->fd, piece, sizeof piece, printing->at);
        if (got < 0)
            return ff_fail_errno(error, FF_IO, errno, "cannot read the log");
        if (got == 0)
            return ff_output_flush(error);
        if (!printing->json)
            ff_text_print(stdout, piece, (size_t)got);
        else if (print_json_lines(printing, piece, (size_t)got, error) < 0)
            return -1;
        printing->at += got;
    }
}

static int follow_file(const char *path, struct printing *printing, struct ff_error *error)
{
    struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND};
    sigaction(SIGINT, &action, NULL);
    int notices = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (notices >= 0 && inotify_add_watch(notices, path, IN_MODIFY) < 0) {
        close(notices);
        notices = -1;
    }
    int result = 0;
    while (!interrupted && result == 0) {
        struct pollfd wait = {.fd = notices, .events = POLLIN};
        char events[4096];
        if (poll(&wait, 1, LOOK_MS) > 0 && read(notices, events, sizeof events) < 0 &&
            errno != EAGAIN)
            result = ff_fail_errno(error, FF_IO, errno, "cannot watch %s", path);
        if (result == 0)
            result = print_rest(printing, error);
    }
    if (notices >= 0)
        close(notices);
    return result;
}

int ff_log_show(const char *path, long lines, bool follow, bool json, struct ff_error *error)
{
    struct printing printing = {.json = json};
    printing.fd = open(path, O_RDONLY | O_CLOEXEC);
    if (printing.fd < 0 && errno == ENOENT) {
        ff_fail(error, FF_INPUT_MISSING, "there is no log yet: %s", path);
        return ff_hint(error, "it is made at the first start");
    }
    if (printing.fd < 0)
        return ff_fail_errno(error, FF_IO, errno, "cannot open the log %s", path);
    ff_buffer_init(&printing.line, LINE_LIMIT);
    struct stat info;
    int result = 0;
    if (fstat(printing.fd, &info) < 0)
        result = ff_fail_errno(error, FF_IO, errno, "cannot look at the log %s", path);
    else
        printing.at = lines > 0 ? tail_start(printing.fd, info.st_size, lines) : info.st_size;
    if (result == 0)
        result = print_rest(&printing, error);
    if (result == 0 && follow)
        result = follow_file(path, &printing, error);
    ff_buffer_dispose(&printing.line);
    close(printing.fd);
    return result < 0 ? -1 : interrupted ? FF_EXIT_INTERRUPTED : 0;
}

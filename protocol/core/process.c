#include "protocol/core/process.h"

#include "protocol/core/bytes.h"
#include "protocol/core/clock.h"
#include "protocol/core/file.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { READY_FD = 3 };

/* Fills state and start time from /proc/PID/stat; the name in parentheses may hold anything, so
 * parse behind it. */
static int read_stat(pid_t pid, char *state, uint64_t *start_ticks)
{
    char path[64];
    char text[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t got = read(fd, text, sizeof text - 1);
    close(fd);
    if (got <= 0)
        return -1;
    text[got] = '\0';
    char *behind = strrchr(text, ')');
    if (behind == NULL || behind[1] == '\0')
        return -1;
    *state = behind[2];
    /* Behind the name stand state (field 3) and then the rest; field 22 is the start time. */
    char *cursor = behind + 2;
    for (int field = 3; field < 22; field++) {
        cursor = strchr(cursor, ' ');
        if (cursor == NULL)
            return -1;
        cursor++;
    }
    *start_ticks = strtoull(cursor, NULL, 10);
    return 0;
}

int ff_process_identify(pid_t pid, struct ff_process_id *id)
{
    char state;
    uint64_t start_ticks;
    if (pid <= 0 || read_stat(pid, &state, &start_ticks) < 0)
        return -1;
    id->pid = pid;
    id->start_ticks = start_ticks;
    return 0;
}

bool ff_process_alive(struct ff_process_id id)
{
    char state;
    uint64_t start_ticks;
    return id.pid > 0 && read_stat(id.pid, &state, &start_ticks) == 0 &&
           start_ticks == id.start_ticks && state != 'Z' && state != 'X';
}

/* In the child: becomes the program. Only async-signal-safe calls here. */
static void become_daemon(const char *const argv[], int log_fd, int null_fd, int ready_fd)
{
    setsid();
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (dup2(null_fd, STDIN_FILENO) < 0 || dup2(log_fd, STDOUT_FILENO) < 0 ||
        dup2(log_fd, STDERR_FILENO) < 0 || dup2(ready_fd, READY_FD) < 0)
        _exit(127);
    close_range(READY_FD + 1, ~0U, 0);
    execv(argv[0], (char *const *)argv);
    static const char text[] = "cannot execute the program\n";
    ssize_t written = write(READY_FD, text, sizeof text - 1);
    (void)written;
    _exit(127);
}

/* Reads what the program says until it closes the pipe or the time is over. Returns the bytes read,
 * -1 on time-out. */
static ssize_t listen_for_ready(int fd, int timeout_ms, char *text, size_t size)
{
    int64_t deadline = ff_monotonic_ns() + (int64_t)timeout_ms * 1000000;
    size_t used = 0;
    for (;;) {
        int64_t left = (deadline - ff_monotonic_ns()) / 1000000;
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        int ready = left > 0 ? poll(&wait, 1, (int)left) : 0;
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready <= 0)
            return -1;
        ssize_t got = read(fd, text + used, size - 1 - used);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0 || used + (size_t)got >= size - 1) {
            used += got > 0 ? (size_t)got : 0;
            text[used] = '\0';
            return (ssize_t)used;
        }
        used += (size_t)got;
    }
}

static int judge_start(pid_t child, ssize_t heard, char *text, int timeout_ms, const char *program,
                       const char *log_path, struct ff_process_id *id, struct ff_error *error)
{
    if (heard < 0) {
        kill(child, SIGTERM);
        ff_fail(error, FF_TIMED_OUT, "%s did not become ready within %d s", program,
                timeout_ms / 1000);
        return ff_hint(error, "look into its log: %s", log_path);
    }
    char *newline = strchr(text, '\n');
    if (newline != NULL && newline[1] == '\0')
        *newline = '\0';
    if (strncmp(text, "ready", 5) == 0 && ff_process_identify(child, id) == 0)
        return 0;
    waitpid(child, NULL, 0);
    if (text[0] == '\0') {
        ff_fail(error, FF_INTERNAL, "%s ended before it was ready", program);
        return ff_hint(error, "look into its log: %s", log_path);
    }
    /* "CODE\tmessage\thint", as ff_process_say_failed wrote it. */
    char *message = strchr(text, '\t');
    if (message == NULL)
        return ff_fail(error, FF_INTERNAL, "%s: %s", program, text);
    *message++ = '\0';
    char *hint = strchr(message, '\t');
    if (hint != NULL)
        *hint++ = '\0';
    ff_fail(error, ff_error_code_from_name(text, strlen(text)), "%s", message);
    if (hint != NULL && hint[0] != '\0')
        ff_hint(error, "%s", hint);
    return -1;
}

int ff_process_start_daemon(const char *const argv[], const char *log_path, int timeout_ms,
                            struct ff_process_id *id, char *said, size_t said_size,
                            struct ff_error *error)
{
    if (access(argv[0], X_OK) < 0)
        return ff_fail_errno(error, FF_IO, errno, "cannot run %s", argv[0]);
    int log_fd = open(log_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (log_fd < 0)
        return ff_fail_errno(error, FF_IO, errno, "cannot open the log %s", log_path);
    int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int pipe_fds[2] = {-1, -1};
    if (null_fd < 0 || pipe2(pipe_fds, O_CLOEXEC) < 0) {
        int failure = errno;
        close(log_fd);
        if (null_fd >= 0)
            close(null_fd);
        return ff_fail_errno(error, FF_IO, failure, "cannot start %s", argv[0]);
    }
    /* dup2 onto descriptor 3 would be a no-op that keeps close-on-exec, so keep the pipe away from
     * it. */
    int ready_fd = fcntl(pipe_fds[1], F_DUPFD_CLOEXEC, 10);
    pid_t child = ready_fd >= 0 ? fork() : -1;
    if (child == 0)
        become_daemon(argv, log_fd, null_fd, ready_fd);
    int failure = errno;
    close(log_fd);
    close(null_fd);
    close(pipe_fds[1]);
    if (ready_fd >= 0)
        close(ready_fd);
    if (child < 0) {
        close(pipe_fds[0]);
        return ff_fail_errno(error, FF_IO, failure, "cannot start %s", argv[0]);
    }
    char text[FF_ERROR_MESSAGE_SIZE + FF_ERROR_HINT_SIZE + 64] = "";
    ssize_t heard = listen_for_ready(pipe_fds[0], timeout_ms, text, sizeof text);
    close(pipe_fds[0]);
    if (judge_start(child, heard, text, timeout_ms, argv[0], log_path, id, error) < 0)
        return -1;
    if (said != NULL && said_size > 0)
        snprintf(said, said_size, "%s", strlen(text) > 6 ? text + 6 : "");
    return 0;
}

static void say(const char *text)
{
    /* Descriptor 3 is the starter's pipe only if it is a pipe; else nobody waits. */
    if (lseek(READY_FD, 0, SEEK_CUR) >= 0 || errno != ESPIPE)
        return;
    ssize_t written = write(READY_FD, text, strlen(text));
    (void)written;
    close(READY_FD);
}

int ff_process_spawn(const char *path, char *const argv[],
                     const posix_spawn_file_actions_t *actions, pid_t *pid)
{
    posix_spawnattr_t attributes;
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    int failure = posix_spawn(pid, path, actions, &attributes, argv, environ);
    posix_spawnattr_destroy(&attributes);
    return failure;
}

void ff_process_say_ready(const char *text)
{
    char line[FF_ERROR_MESSAGE_SIZE];
    snprintf(line, sizeof line, "ready %s\n", text);
    say(line);
}

void ff_process_say_failed(const struct ff_error *error)
{
    char line[FF_ERROR_MESSAGE_SIZE + FF_ERROR_HINT_SIZE + 64];
    snprintf(line, sizeof line, "%s\t%s\t%s\n", ff_error_name(error->code), error->message,
             error->hint);
    say(line);
}

int ff_process_file_write_of(const char *path, struct ff_process_id id, struct ff_error *error)
{
    char host[256] = "";
    char line[512];
    gethostname(host, sizeof host - 1);
    snprintf(line, sizeof line, "%d %llu %s\n", (int)id.pid, (unsigned long long)id.start_ticks,
             host);
    return ff_file_write(path, ff_span_of(line), 0600, error);
}

int ff_process_file_write(const char *path, struct ff_error *error)
{
    struct ff_process_id self;
    if (ff_process_identify(getpid(), &self) < 0)
        return ff_fail(error, FF_INTERNAL, "cannot read /proc/self/stat");
    return ff_process_file_write_of(path, self, error);
}

int ff_process_file_read(const char *path, struct ff_process_id *id, char *host, size_t host_size,
                         struct ff_error *error)
{
    char *text = NULL;
    size_t size = 0;
    if (ff_file_read(path, 1024, &text, &size, error) < 0)
        return -1;
    int pid = 0;
    unsigned long long start_ticks = 0;
    char name[256] = "";
    int fields = sscanf(text, "%d %llu %255s", &pid, &start_ticks, name);
    free(text);
    if (fields != 3 || pid <= 0) {
        ff_fail(error, FF_IO, "%s does not name a process", path);
        return ff_hint(
            error, "it was damaged: end the process by hand if it still runs, and remove the file");
    }
    id->pid = pid;
    id->start_ticks = start_ticks;
    if (host != NULL)
        snprintf(host, host_size, "%s", name);
    return 0;
}

/* A pidfd that is certain to mean this process, or -1 when it is gone. */
static int open_pidfd(struct ff_process_id id)
{
    int fd = pidfd_open(id.pid, 0);
    if (fd >= 0 && !ff_process_alive(id)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

int ff_process_signal(struct ff_process_id id, int signal_number, struct ff_error *error)
{
    int fd = open_pidfd(id);
    if (fd < 0)
        return 0;
    int result = pidfd_send_signal(fd, signal_number, NULL, 0);
    int failure = errno;
    close(fd);
    if (result < 0 && failure != ESRCH)
        return ff_fail_errno(error, FF_IO, failure, "cannot signal process %d", (int)id.pid);
    return 0;
}

int ff_process_wait_gone(struct ff_process_id id, int timeout_ms, struct ff_error *error)
{
    int fd = open_pidfd(id);
    if (fd < 0)
        return 0;
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    int ready = poll(&wait, 1, timeout_ms);
    close(fd);
    if (ready <= 0 && ff_process_alive(id))
        return ff_fail(error, FF_TIMED_OUT, "process %d did not end within %d ms", (int)id.pid,
                       timeout_ms);
    return 0;
}

static bool died_here(const char *process_path)
{
    struct ff_process_id id;
    char host[256];
    char here[256] = "";
    gethostname(here, sizeof here - 1);
    return ff_process_file_read(process_path, &id, host, sizeof host, NULL) == 0 &&
           strcmp(host, here) == 0 && !ff_process_alive(id);
}

int ff_process_lock(const char *lock_path, const char *process_path)
{
    const struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    const struct timespec moment = {0, 5000000};
    int64_t end_ns = ff_monotonic_ns() + FF_LOCK_PATIENCE_MS * 1000000ll;
    int fd = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    while (fd >= 0 && fcntl(fd, F_OFD_SETLK, &whole) < 0) {
        int failure = errno;
        if ((failure == EAGAIN || failure == EACCES) && died_here(process_path) &&
            ff_monotonic_ns() < end_ns) {
            nanosleep(&moment, NULL);
            continue;
        }
        close(fd);
        errno = failure;
        return -1;
    }
    return fd;
}

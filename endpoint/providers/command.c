#include "endpoint/providers/command.h"

#include "protocol/core/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PIECE = 16384, KILLED_WAIT_MS = 200 };

struct stream {
    struct ff_command *command;
    int fd;
    struct ff_watch *watch;
    struct ff_buffer text;
    bool truncated;
};

struct ff_command {
    struct ff_command *next;
    struct ff_commands *commands;
    ff_command_done *done; /* NULL: nobody waits any more; it is only to be reaped */
    void *user;
    pid_t pid;
    int pidfd;
    size_t output_limit;
    struct ff_watch *watch;
    struct ff_timer *timer;
    struct stream streams[2];
};

struct ff_commands {
    struct ff_loop *loop;
    struct ff_command *first;
};

struct ff_commands *ff_commands_create(struct ff_loop *loop, struct ff_error *error)
{
    struct ff_commands *commands = calloc(1, sizeof *commands);
    if (commands == NULL)
        ff_fail(error, FF_NO_MEMORY, "no memory for commands");
    else
        commands->loop = loop;
    return commands;
}

/* ---- the end of one ---- */

static void close_stream(struct stream *stream)
{
    ff_watch_destroy(stream->watch);
    stream->watch = NULL;
    if (stream->fd >= 0)
        close(stream->fd);
    stream->fd = -1;
}

static void free_command(struct ff_command *command)
{
    struct ff_command **at = &command->commands->first;
    while (*at != NULL && *at != command)
        at = &(*at)->next;
    if (*at == command)
        *at = command->next;
    for (int i = 0; i < 2; i++) {
        close_stream(&command->streams[i]);
        ff_buffer_dispose(&command->streams[i].text);
    }
    ff_watch_destroy(command->watch);
    ff_timer_destroy(command->timer);
    if (command->pidfd >= 0)
        close(command->pidfd);
    free(command);
}

/* With all that is in its session and has not left it. */
static void kill_session(const struct ff_command *command)
{
    if (command->pid > 0)
        kill(-command->pid, SIGKILL);
}

static void kill_and_reap(struct ff_command *command)
{
    struct pollfd wait = {.fd = command->pidfd, .events = POLLIN};
    kill_session(command);
    /* One that hangs in the kernel stays behind; init takes it when it comes back. */
    if (command->pid > 0 && (command->pidfd < 0 || poll(&wait, 1, KILLED_WAIT_MS) > 0))
        waitpid(command->pid, NULL, command->pidfd < 0 ? 0 : WNOHANG);
}

/* False when there is nothing more for now. A pipe that other processes hold open is left with what it had. */
static bool read_piece(struct stream *stream)
{
    char piece[PIECE];
    ssize_t got;
    do
        got = read(stream->fd, piece, sizeof piece);
    while (got < 0 && errno == EINTR);
    if (got <= 0) {
        if (got == 0 || errno != EAGAIN)
            close_stream(stream);
        return false;
    }
    size_t room = stream->command->output_limit - stream->text.size;
    size_t taken = (size_t)got < room ? (size_t)got : room;
    ff_buffer_append(&stream->text, piece, taken);
    stream->truncated = stream->truncated || taken < (size_t)got;
    return true;
}

static void stream_ready(void *user, uint32_t events)
{
    (void)events;
    read_piece(user);
}

static void tell(struct ff_command *command, int status, bool timed_out)
{
    struct stream *out = &command->streams[0];
    struct stream *error = &command->streams[1];
    const struct ff_command_result result = {
        .status = !timed_out && WIFEXITED(status) ? WEXITSTATUS(status) : -1,
        .signal = !timed_out && WIFSIGNALED(status) ? WTERMSIG(status) : 0,
        .timed_out = timed_out,
        .truncated = out->truncated || error->truncated,
        .out = ff_buffer_text(&out->text),
        .out_size = out->text.size,
        .error = ff_buffer_text(&error->text),
    };
    ff_command_done *done = command->done;
    command->done = NULL;
    done(command->user, &result);
}

static void process_ended(void *user, uint32_t events)
{
    struct ff_command *command = user;
    int status = 0;
    (void)events;
    if (waitpid(command->pid, &status, WNOHANG) != command->pid)
        return;
    command->pid = -1;
    for (int i = 0; i < 2; i++)
        while (command->streams[i].fd >= 0 && !command->streams[i].truncated &&
               read_piece(&command->streams[i]))
            ;
    if (command->done != NULL)
        tell(command, status, false);
    free_command(command);
}

/* Told at once: a process that hangs in the kernel may outlive even SIGKILL. It is reaped when it ends. */
static void time_is_up(void *user)
{
    struct ff_command *command = user;
    kill_session(command);
    for (int i = 0; i < 2; i++)
        close_stream(&command->streams[i]);
    tell(command, 0, true);
}

pid_t ff_command_pid(const struct ff_command *command)
{
    return command->pid;
}

void ff_command_cancel(struct ff_command *command)
{
    kill_and_reap(command);
    free_command(command);
}

void ff_commands_destroy(struct ff_commands *commands)
{
    if (commands == NULL)
        return;
    while (commands->first != NULL)
        ff_command_cancel(commands->first);
    free(commands);
}

/* ---- the start of one ---- */

int ff_command_find(const char *name, char path[PATH_MAX], struct ff_error *error)
{
    const char *folders = getenv("PATH");
    struct stat status;
    if (strchr(name, '/') != NULL)
        folders = "";
    else if (folders == NULL)
        folders = "/usr/bin:/bin";
    for (const char *at = folders; at != NULL;) {
        size_t length = strcspn(at, ":");
        int used = length > 0 ? snprintf(path, PATH_MAX, "%.*s/%s", (int)length, at, name)
                              : snprintf(path, PATH_MAX, "%s", name);
        if (used > 0 && used < PATH_MAX && stat(path, &status) == 0 && S_ISREG(status.st_mode) &&
            access(path, X_OK) == 0)
            return 0;
        at = at[length] == ':' ? at + length + 1 : NULL;
    }
    return ff_fail(error, FF_NOT_FOUND, "there is no program %s in PATH", name);
}

static int spawn(struct ff_command *command, const char *path, const char *const *arguments,
                 const int ends[2], struct ff_error *error)
{
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, ends[0], 1);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 2);
    posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    int failure = ff_process_spawn(path, (char *const *)arguments, &actions, &command->pid);
    posix_spawn_file_actions_destroy(&actions);
    if (failure != 0) {
        command->pid = -1;
        return ff_fail_errno(error, FF_IO, failure, "cannot start %s", path);
    }
    return 0;
}

static int open_streams(struct ff_command *command, int ends[2], struct ff_error *error)
{
    for (int i = 0; i < 2; i++) {
        int pair[2];
        if (pipe2(pair, O_CLOEXEC) < 0)
            return ff_fail_errno(error, FF_IO, errno, "cannot make a pipe");
        command->streams[i].fd = pair[0];
        ends[i] = pair[1];
        if (fcntl(pair[0], F_SETFL, O_NONBLOCK) < 0)
            return ff_fail_errno(error, FF_IO, errno, "cannot make a pipe");
    }
    return 0;
}

static int watch(struct ff_command *command, struct ff_error *error)
{
    struct ff_loop *loop = command->commands->loop;
    for (int i = 0; i < 2; i++) {
        struct stream *stream = &command->streams[i];
        stream->watch = ff_watch_create(loop, stream->fd, EPOLLIN, stream_ready, stream, error);
        if (stream->watch == NULL)
            return -1;
    }
    command->timer = ff_timer_create(loop, time_is_up, command, error);
    return command->timer != NULL ? 0 : -1;
}

/* From here on the program may have done its work. What fails now fails before it was started. */
static int open_command(struct ff_command *command, const struct ff_command_question *question,
                        struct ff_error *error)
{
    char path[PATH_MAX];
    int ends[2] = {-1, -1};
    int result = ff_command_find(question->arguments[0], path, error);
    if (result == 0)
        result = open_streams(command, ends, error);
    if (result == 0)
        result = watch(command, error);
    if (result == 0)
        result = spawn(command, path, question->arguments, ends, error);
    for (int i = 0; i < 2; i++)
        if (ends[i] >= 0)
            close(ends[i]);
    return result;
}

struct ff_command *ff_command_start(struct ff_commands *commands,
                                    const struct ff_command_question *question,
                                    struct ff_error *error)
{
    struct ff_command *command = calloc(1, sizeof *command);
    if (command == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory for a command");
        return NULL;
    }
    command->commands = commands;
    command->done = question->done;
    command->user = question->user;
    command->output_limit = question->output_limit;
    command->pid = command->pidfd = -1;
    for (int i = 0; i < 2; i++) {
        command->streams[i].command = command;
        command->streams[i].fd = -1;
        ff_buffer_init(&command->streams[i].text, question->output_limit + 1);
    }
    if (open_command(command, question, error) < 0) {
        free_command(command);
        return NULL;
    }
    command->next = commands->first;
    commands->first = command;
    command->pidfd = pidfd_open(command->pid, 0);
    if (command->pidfd >= 0)
        command->watch =
            ff_watch_create(commands->loop, command->pidfd, EPOLLIN, process_ended, command, error);
    /* Without a watch its end is not seen; its time limit is, and that says what is true: nobody knows. */
    ff_timer_set_after(command->timer, command->watch != NULL ? question->limit_ms : 1);
    return command;
}

/* ---- for those who may wait ---- */

struct waiting {
    const struct ff_command_question *question;
    struct ff_loop *loop;
};

static void pass_on(void *user, const struct ff_command_result *result)
{
    struct waiting *waiting = user;
    waiting->question->done(waiting->question->user, result);
    ff_loop_stop(waiting->loop);
}

int ff_command_run(const struct ff_command_question *question, struct ff_error *error)
{
    struct waiting waiting = {question, ff_loop_create(error)};
    struct ff_command_question inner = *question;
    inner.done = pass_on;
    inner.user = &waiting;
    if (waiting.loop == NULL)
        return -1;
    struct ff_commands *commands = ff_commands_create(waiting.loop, error);
    int result = -1;
    if (commands != NULL && ff_command_start(commands, &inner, error) != NULL)
        result = ff_loop_run(waiting.loop, error);
    ff_commands_destroy(commands);
    ff_loop_destroy(waiting.loop);
    return result;
}

/* "sbatch: error: Batch job submission failed: Invalid account" → "Batch job submission failed: Invalid account" */
static const char *skip_name(const char *line, const char *name)
{
    size_t length = strlen(name);
    if (strncmp(line, name, length) == 0 && strncmp(line + length, ": ", 2) == 0)
        line += length + 2;
    if (strncmp(line, "error: ", 7) == 0)
        line += 7;
    return line;
}

static void take_lines(const char *text, const char *name, char *words, size_t size)
{
    size_t used = 0;
    words[0] = '\0';
    while (*text != '\0' && used + 1 < size) {
        const char *line = skip_name(text, name);
        size_t length = strcspn(line, "\n");
        if (length > 0) {
            int wrote = snprintf(words + used, size - used, "%s%.*s", used > 0 ? "; " : "",
                                 (int)length, line);
            used = wrote > 0 && (size_t)wrote < size - used ? used + (size_t)wrote : size - 1;
        }
        text = line[length] == '\n' ? line + length + 1 : line + length;
    }
    for (char *at = words; *at != '\0'; at++)
        if ((unsigned char)*at < ' ' || (unsigned char)*at >= 0x7f)
            *at = '?'; /* it becomes part of messages, which are UTF-8 */
}

void ff_command_words(const struct ff_command_result *result, const char *name, char *words,
                      size_t size)
{
    char said[512];
    take_lines(result->error, name, said, sizeof said);
    if (said[0] == '\0' && result->status > 0)
        take_lines(result->out, name, said, sizeof said);
    if (result->timed_out)
        snprintf(words, size, "%s does not answer%s%s", name, said[0] != '\0' ? ": " : "", said);
    else if (said[0] != '\0')
        snprintf(words, size, "%s: %s", name, said);
    else if (result->signal != 0)
        snprintf(words, size, "%s was killed by signal %d", name, result->signal);
    else if (result->truncated)
        snprintf(words, size, "%s printed more than it should", name);
    else
        snprintf(words, size, "%s ended with status %d", name, result->status);
}

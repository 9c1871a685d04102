/*
 * shell: runs a registered command template with /bin/sh.
 *
 * The command runs in a process group of its own, in the scratch folder. Its lines travel to the
 * user while it runs; head and tail of both streams are kept for the result:
 *
 *     {"exit_status": 0, "signal": null, "stdout": …, "stderr": …, "stdout_bytes": n,
 *      "stderr_bytes": n, "seconds": s}
 *
 * An exit status other than 0 fails the task; the value stays with it.
 */
#include "functions/function.h"
#include "functions/shell/output.h"
#include "functions/shell/template.h"
#include "protocol/core/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    COMMAND_LIMIT = (128 << 10) - 1, /* the kernel's, for one argument of a program */
    STREAMS = 2,
    TICK_MS = 50,
    STOP_GRACE_MS = 2000,
    SIGNALS_MS = 200 /* at most, from the first signal of a scheduler to the last */
};

struct command {
    pid_t pid;
    int pid_fd; /* readable when the shell has ended; -1 where the kernel has none: ticks do */
    int pipes[STREAMS]; /* standard output and error; -1 when at its end */
    struct ff_shell_output *outputs[STREAMS];
    int64_t started_ns;
    int64_t stop_asked_ns;
};

static int start(struct command *command, const char *text, struct ff_error *error)
{
    int out[2];
    int err[2];
    if (pipe2(out, O_CLOEXEC) < 0)
        return ff_fail_errno(error, FF_IO, errno, "cannot make a pipe");
    if (pipe2(err, O_CLOEXEC) < 0) {
        int failure = errno;
        close(out[0]);
        close(out[1]);
        return ff_fail_errno(error, FF_IO, failure, "cannot make a pipe");
    }
    command->started_ns = ff_monotonic_ns();
    pid_t pid = fork();
    if (pid == 0) {
        int null_fd = open("/dev/null", O_RDONLY);
        setpgid(0, 0);
        if (null_fd < 0 || dup2(null_fd, STDIN_FILENO) < 0 || dup2(out[1], STDOUT_FILENO) < 0 ||
            dup2(err[1], STDERR_FILENO) < 0)
            _exit(126);
        execl("/bin/sh", "sh", "-c", text, (char *)NULL);
        _exit(127);
    }
    int failure = errno;
    close(out[1]);
    close(err[1]);
    command->pid = pid;
    command->pipes[0] = out[0];
    command->pipes[1] = err[0];
    if (pid > 0) {
        setpgid(pid, pid); /* here too, so that a stop finds the group, however early it comes */
        command->pid_fd = pidfd_open(pid, 0);
        return 0;
    }
    return ff_fail_errno(error, FF_IO, failure, "cannot start /bin/sh"); /* the caller closes */
}

/* Takes what one read gives; the number of bytes. */
static size_t drain(struct command *command, int stream)
{
    char piece[16384];
    ssize_t got = read(command->pipes[stream], piece, sizeof piece);
    if (got < 0 && errno == EINTR)
        return 0;
    if (got > 0) {
        ff_shell_output_add(command->outputs[stream], piece, (size_t)got);
        return (size_t)got;
    }
    close(command->pipes[stream]);
    command->pipes[stream] = -1;
    return 0;
}

/* Takes what lies in the pipe now, and no more: a child in the background may write for ever. */
static void drain_rest(struct command *command, int stream)
{
    int lying = 0;
    if (command->pipes[stream] >= 0)
        ioctl(command->pipes[stream], FIONREAD, &lying);
    while (lying > 0 && command->pipes[stream] >= 0)
        lying -= (int)drain(command, stream);
    ff_shell_output_end(command->outputs[stream]);
}

/* Asked to stop, the group gets SIGTERM first and SIGKILL after a grace. */
static void pass_on_stop(struct ff_call *call, struct command *command)
{
    if (ff_call_should_stop(call) == FF_GO_ON)
        return;
    if (command->stop_asked_ns == 0) {
        command->stop_asked_ns = ff_monotonic_ns();
        kill(-command->pid, SIGTERM);
    } else if (ff_monotonic_ns() - command->stop_asked_ns > STOP_GRACE_MS * 1000000ll) {
        kill(-command->pid, SIGKILL);
    }
}

/* Reads both streams until the shell has ended. That they are closed does not end it: a command may
 * close its output and go on; nor need they be closed then: a child in the background keeps them. */
static int follow(struct ff_call *call, struct command *command)
{
    int status = 0;
    while (waitpid(command->pid, &status, WNOHANG) != command->pid) {
        pass_on_stop(call, command);
        struct pollfd waits[STREAMS + 1] = {{.fd = command->pipes[0], .events = POLLIN},
                                            {.fd = command->pipes[1], .events = POLLIN},
                                            {.fd = command->pid_fd, .events = POLLIN}};
        if (poll(waits, STREAMS + 1, TICK_MS) <= 0)
            continue;
        for (int i = 0; i < STREAMS; i++)
            if (waits[i].revents != 0)
                drain(command, i);
    }
    for (int i = 0; i < STREAMS; i++)
        drain_rest(command, i);
    return status;
}

/* A scheduler that ends a job signals all its processes, one after the other, and this command may be among the first. Then it
 * has not failed: its manager knows that as soon as it has been signalled too, and shall hear of this afterwards. */
static void let_others_be_signalled(const struct command *command, int status)
{
    static const int signals[] = {SIGTERM, SIGUSR1, SIGUSR2};
    struct timespec rest = {0, SIGNALS_MS * 1000000};
    int number =
        WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status) - 128; /* as a shell says it */
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        while (command->stop_asked_ns == 0 && number == signals[i] && nanosleep(&rest, &rest) < 0)
            continue; /* this process is among them */
}

static json_t *describe(const struct command *command, int status)
{
    json_t *result = json_object();
    json_object_set_new(result, "exit_status",
                        WIFEXITED(status) ? json_integer(WEXITSTATUS(status)) : json_null());
    json_object_set_new(result, "signal",
                        WIFSIGNALED(status) ? json_integer(WTERMSIG(status)) : json_null());
    json_object_set_new(result, "stdout", ff_shell_output_json(command->outputs[0]));
    json_object_set_new(result, "stderr", ff_shell_output_json(command->outputs[1]));
    json_object_set_new(result, "stdout_bytes",
                        json_integer((json_int_t)ff_shell_output_bytes(command->outputs[0])));
    json_object_set_new(result, "stderr_bytes",
                        json_integer((json_int_t)ff_shell_output_bytes(command->outputs[1])));
    double seconds = (double)(ff_monotonic_ns() - command->started_ns) / 1e9;
    json_object_set_new(result, "seconds", json_real(seconds));
    return result;
}

static int report(struct ff_call *call, const struct command *command, int status)
{
    json_t *result = describe(command, status);
    char *text = json_dumps(result, JSON_COMPACT);
    json_decref(result);
    if (text == NULL)
        return ff_call_fail(call, "NO_MEMORY", "no memory for the result", "");
    int outcome = ff_call_succeed(call, text, strlen(text));
    free(text);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return outcome;
    char message[512];
    const char *last = ff_shell_output_last_line(command->outputs[1]);
    if (WIFSIGNALED(status))
        snprintf(message, sizeof message, "the command was ended by signal %d (%s)",
                 WTERMSIG(status), strsignal(WTERMSIG(status)));
    else
        snprintf(message, sizeof message, "the command ended with exit status %d%s%s",
                 WEXITSTATUS(status), last[0] != '\0' ? ": " : "", last);
    const char *task = ff_call_facts(call)->task_id;
    char hint[160];
    snprintf(hint, sizeof hint,
             "its output is kept: farfield task result %s, farfield task logs %s", task, task);
    return ff_call_fail(call, "TASK_FAILED", message, hint);
}

static int run_command(struct ff_call *call, const char *text)
{
    struct ff_error error;
    struct command command = {.pid_fd = -1, .pipes = {-1, -1}};
    int outcome = FF_OUTCOME_FAILURE;
    command.outputs[0] = ff_shell_output_create(call, FF_CALL_INFO);
    command.outputs[1] = ff_shell_output_create(call, FF_CALL_WARNING);
    if (command.outputs[0] == NULL || command.outputs[1] == NULL)
        outcome = ff_call_fail(call, "NO_MEMORY", "no memory for the command's output", "");
    else if (start(&command, text, &error) < 0)
        outcome = ff_call_fail(call, ff_error_name(error.code), error.message, "");
    else {
        int status = follow(call, &command);
        outcome = report(call, &command, status);
        let_others_be_signalled(&command, status);
    }
    for (int i = 0; i < STREAMS; i++) {
        if (command.pipes[i] >= 0)
            close(command.pipes[i]);
        ff_shell_output_destroy(command.outputs[i]);
    }
    if (command.pid_fd >= 0)
        close(command.pid_fd);
    return outcome;
}

static int invoke(struct ff_call *call)
{
    const struct ff_call_facts *facts = ff_call_facts(call);
    if (facts->body == NULL)
        return ff_call_fail(call, "FUNCTION_INVALID", "this call has no command to run",
                            "register one: farfield function register NAME --shell 'COMMAND'");
    struct ff_error error;
    struct ff_buffer command;
    ff_buffer_init(&command, COMMAND_LIMIT);
    json_t *arguments = json_loadb(facts->arguments, facts->arguments_size, JSON_DECODE_ANY, NULL);
    int outcome;
    if (ff_shell_expand(facts->body, arguments, &command, &error) < 0)
        outcome = ff_call_fail(call, ff_error_name(error.code), error.message, error.hint);
    else
        outcome = run_command(call, ff_buffer_text(&command));
    json_decref(arguments);
    ff_buffer_dispose(&command);
    return outcome;
}

FF_FUNCTION_EXPORT const struct ff_function farfield_function = {
    .abi = FF_FUNCTION_ABI,
    .size = sizeof(struct ff_function),
    .name = "shell",
    .version = FF_VERSION,
    .summary = "runs a registered command template",
    .flags = FF_FUNCTION_OWN_PROCESS | FF_FUNCTION_CAN_STOP,
    .invoke = invoke,
};

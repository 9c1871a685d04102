#include "worker/child.h"

#include "protocol/core/process.h"
#include "worker/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHANNEL_FD = 3, TURN_FD = 4, FIRST_FREE_FD = 5, APART = 10 };

/* The ends that the child gets, kept apart from the numbers that they become in it. */
struct ends {
    int null;
    int output;
    int channel;
    int turn;
};

static int spawn(const char *runner, const struct ends *ends, pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends->null, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, ends->output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, ends->output, STDERR_FILENO);
    posix_spawn_file_actions_adddup2(&actions, ends->channel, CHANNEL_FD);
    posix_spawn_file_actions_adddup2(&actions, ends->turn, TURN_FD);
    posix_spawn_file_actions_addclosefrom_np(&actions, FIRST_FREE_FD);
    char *const argv[] = {(char *)"farfield-runner", NULL};
    int failure = ff_process_spawn(runner, argv, &actions, pid);
    posix_spawn_file_actions_destroy(&actions);
    return failure;
}

static int move_apart(int fd)
{
    if (fd < 0 || fd >= APART)
        return fd;
    int moved = fcntl(fd, F_DUPFD_CLOEXEC, APART);
    close(fd);
    return moved;
}

static void close_ends(struct ends *ends)
{
    const int fds[] = {ends->null, ends->output, ends->channel, ends->turn};
    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

/* Everything of a child but its process. */
static int make_ends(struct ff_child *child, struct ends *ends, struct ff_error *error)
{
    int channel[2];
    int output[2];
    ends->null = move_apart(open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel) < 0)
        return ff_fail_errno(error, FF_IO, errno, "cannot make the channel of a runner");
    ends->channel = move_apart(channel[1]);
    child->channel = ff_channel_create(channel[0], error);
    if (child->channel == NULL) {
        close(channel[0]);
        return -1;
    }
    if (pipe2(output, O_CLOEXEC) < 0)
        return ff_fail_errno(error, FF_IO, errno, "cannot make the output pipe of a runner");
    child->output = output[0];
    ends->output = move_apart(output[1]);
    if (fcntl(child->output, F_SETFL, O_NONBLOCK) < 0 || ends->null < 0 || ends->output < 0 ||
        ends->channel < 0)
        return ff_fail_errno(error, FF_IO, errno, "cannot set up a runner");
    child->turn = ff_turn_create(&ends->turn, error);
    ends->turn = move_apart(ends->turn);
    return child->turn != NULL && ends->turn >= 0 ? 0 : -1;
}

struct ff_child *ff_child_start(const char *runner, struct ff_error *error)
{
    struct ends ends = {-1, -1, -1, -1};
    struct ff_child *child = calloc(1, sizeof *child);
    if (child == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory for a runner");
        return NULL;
    }
    child->output = -1;
    int result = make_ends(child, &ends, error);
    if (result == 0) {
        int failure = spawn(runner, &ends, &child->pid);
        if (failure != 0)
            result = ff_fail_errno(error, FF_IO, failure, "cannot start %s", runner);
    }
    close_ends(&ends);
    if (result == 0)
        return child;
    ff_child_destroy(child);
    return NULL;
}

void ff_child_kill(const struct ff_child *child)
{
    ff_tree_kill(child->pid);
}

void ff_child_destroy(struct ff_child *child)
{
    if (child == NULL)
        return;
    ff_channel_destroy(child->channel);
    ff_turn_close(child->turn);
    if (child->output >= 0)
        close(child->output);
    free(child);
}

void ff_child_describe_end(int status, char *text, size_t size)
{
    if (WIFSIGNALED(status))
        snprintf(text, size, "was ended by signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    else
        snprintf(text, size, "ended with exit status %d", WEXITSTATUS(status));
}

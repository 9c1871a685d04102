/*
 * farfield-runner: runs the calls of one function for one user, one at a time, for the manager that started it.
 *
 * Descriptor 3 is the channel to the manager, 4 the page shared with it (turn.h). Standard output and error go to the
 * manager, too: what a function prints is shown to the user.
 */
#include "protocol/core/log.h"
#include "worker/host.h"
#include "worker/loader.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { CHANNEL_FD = 3, TURN_FD = 4 };

struct runner {
    struct ff_runner_link *link;
    struct ff_turn *turn;
    struct ff_host_setup setup;
    int lease; /* held, never used: the devices are free when no process has it any more */
    int *cores;
    char *device_text;
    const char **devices;
};

/* "0,1,5" → numbers; also binds the process to them, and all threads that it will start. */
static int take_cores(struct runner *runner, struct ff_span text, struct ff_error *error)
{
    char *copy = ff_span_copy(text);
    runner->cores = calloc(text.size / 2 + 1, sizeof runner->cores[0]);
    if (copy == NULL || runner->cores == NULL) {
        free(copy);
        return ff_fail(error, FF_NO_MEMORY, "no memory for the list of cores");
    }
    cpu_set_t set;
    CPU_ZERO(&set);
    for (char *from = copy, *end; *from != '\0'; from = *end == ',' ? end + 1 : end) {
        long core = strtol(from, &end, 10);
        if (end == from || core < 0 || core >= CPU_SETSIZE)
            break;
        CPU_SET((size_t)core, &set);
        runner->cores[runner->setup.core_count++] = (int)core;
    }
    free(copy);
    runner->setup.cores = runner->cores;
    if (runner->setup.core_count > 0 && sched_setaffinity(0, sizeof set, &set) < 0)
        return ff_fail_errno(error, FF_IO, errno, "cannot run on the cores of the slot");
    return 0;
}

static int take_devices(struct runner *runner, struct ff_span text, struct ff_error *error)
{
    runner->device_text = ff_span_copy(text);
    runner->devices = calloc(FF_NODE_DEVICES + 1, sizeof runner->devices[0]);
    if (runner->device_text == NULL || runner->devices == NULL)
        return ff_fail(error, FF_NO_MEMORY, "no memory for the list of devices");
    /* Empty, not unset: a call without a lease sees no GPU. */
    setenv("CUDA_VISIBLE_DEVICES", runner->device_text, 1);
    setenv("CUDA_DEVICE_ORDER", "PCI_BUS_ID", 1);
    char *rest = runner->device_text;
    char *device;
    while ((device = strsep(&rest, ",")) != NULL && runner->setup.device_count < FF_NODE_DEVICES)
        if (device[0] != '\0')
            runner->devices[runner->setup.device_count++] = device;
    runner->setup.devices = runner->devices;
    return 0;
}

static int take_setup(struct runner *runner, struct ff_span frame, struct ff_error *error)
{
    struct ff_decoder decoder;
    union ff_item item;
    if (ff_decode_open(&decoder, frame, error) < 0)
        return -1;
    if (decoder.type != FF_MSG_RUNNER_SETUP || ff_decode_next(&decoder, &item, error) != 1)
        return ff_fail(error, FF_PROTOCOL, "a runner's first message must be RUNNER_SETUP");
    char *path = ff_span_copy(item.setup.function);
    char *name = ff_span_copy(item.setup.name);
    char *cache = ff_span_copy(item.setup.cache);
    char *tasks = ff_span_copy(item.setup.tasks);
    char *node = ff_span_copy(item.setup.node);
    if (path == NULL || name == NULL || cache == NULL || tasks == NULL || node == NULL)
        return ff_fail(error, FF_NO_MEMORY, "no memory for a runner"); /* which ends now */
    runner->lease = ff_runner_link_take_fd(runner->link);
    if (runner->lease >= 0)
        fcntl(runner->lease, F_SETFD, 0); /* a child that computes on the devices holds them, too */
    runner->setup.cache = cache;
    runner->setup.tasks = tasks;
    runner->setup.node = node;
    setenv("FARFIELD_NODE", node, 1);
    if (take_cores(runner, item.setup.cores, error) < 0 ||
        take_devices(runner, item.setup.devices, error) < 0)
        return -1;
    int result = ff_function_load(path, name, &runner->setup.function, error);
    free(path);
    free(name);
    return result;
}

static void send_ready(struct runner *runner, const struct ff_error *error)
{
    struct ff_encoder encoder;
    struct ff_buffer frame;
    struct ff_ready ready = {.pid = (uint64_t)getpid()};
    if (error != NULL) {
        ready.code = ff_span_of(ff_error_name(error->code));
        ready.message = ff_span_of(error->message);
        ready.hint = ff_span_of(error->hint);
    } else {
        ready.abi = runner->setup.function->abi;
        ready.flags = runner->setup.function->flags;
    }
    ff_buffer_init(&frame, FF_MESSAGE_LIMIT);
    ff_encode_begin(&encoder, &frame, FF_MSG_RUNNER_READY);
    ff_encode_ready(&encoder, &ready);
    if (ff_encode_end(&encoder, NULL) == 0)
        ff_runner_link_send(runner->link, ff_buffer_span(&frame));
    ff_buffer_dispose(&frame);
}

static int serve(struct runner *runner, struct ff_error *error)
{
    struct ff_host *host = ff_host_create(runner->link, runner->turn, &runner->setup, error);
    if (host == NULL)
        return -1;
    for (;;) {
        struct ff_decoder decoder;
        union ff_item item;
        struct ff_span frame = ff_runner_link_next(runner->link);
        if (ff_decode_open(&decoder, frame, error) < 0 ||
            ff_decode_next(&decoder, &item, error) < 0)
            return -1;
        if (decoder.type == FF_MSG_RUNNER_CALL &&
            ff_turn_take(runner->turn, (uint32_t)item.invocation.serial))
            ff_host_run(host, &item.invocation);
    }
}

static int run(struct runner *runner, struct ff_error *error)
{
    fcntl(CHANNEL_FD, F_SETFD, FD_CLOEXEC);
    fcntl(TURN_FD, F_SETFD, FD_CLOEXEC);
    runner->turn = ff_turn_open(TURN_FD, error);
    if (runner->turn == NULL)
        return -1;
    runner->link = ff_runner_link_open(CHANNEL_FD, error);
    if (runner->link == NULL)
        return -1;
    if (take_setup(runner, ff_runner_link_next(runner->link), error) < 0) {
        send_ready(runner, error);
        return 0; /* the manager has been told */
    }
    send_ready(runner, NULL);
    return serve(runner, error);
}

/* A scheduler that ends a job signals all its processes. What runs here is the manager's to end: it asks for a checkpoint
 * first. A handler and not SIG_IGN, which commands of the function would inherit. */
static void leave_to_manager(int signal_number)
{
    (void)signal_number;
}

static void outlive_signals(void)
{
    static const int signals[] = {SIGTERM, SIGUSR1, SIGUSR2};
    struct sigaction action = {.sa_handler = leave_to_manager, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        sigaction(signals[i], &action, NULL);
}

int main(void)
{
    static struct runner runner = {.lease = -1};
    struct ff_error error;
    /* Orphans of a function become children of its runner, so that they can be found and ended. */
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    /* The second thread ends the runner when the manager is gone; a stopped one must wake for that. */
    prctl(PR_SET_PDEATHSIG, SIGCONT);
    outlive_signals();
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (run(&runner, &error) == 0)
        return 0;
    fprintf(stderr, "farfield-runner: %s\n", error.message);
    return 1;
}

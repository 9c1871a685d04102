#include "worker/runner_link.h"

#include "protocol/core/clock.h"
#include "worker/call_channel.h"
#include "worker/tree.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { STACK = 1 << 18, PERIOD_NS = 1000000000 / FF_PROGRESS_PER_SECOND, FRAME_LIMIT = 1 << 15 };

struct ff_runner_link {
    struct ff_channel
        *channel; /* its sending half under the lock; received by the main thread alone */
    pthread_mutex_t lock;
    int bell; /* eventfd: there is progress to be sent later */
    int64_t next_progress_ns;
    bool is_pending;
    struct ff_buffer pending; /* an encoded PROGRESS */
};

/* Without a manager a runner is nobody's: it ends, and all that it started with it. */
static void end_without_manager(void)
{
    ff_tree_kill(getpid());
    _exit(0);
}

static void flush_locked(struct ff_runner_link *link)
{
    int state;
    while ((state = ff_channel_flush(link->channel)) > 0) {
        struct pollfd wait = {.fd = ff_channel_fd(link->channel), .events = POLLOUT};
        (void)poll(&wait, 1, -1);
    }
    if (state < 0)
        end_without_manager();
}

static void send_locked(struct ff_runner_link *link, struct ff_span frame)
{
    if (ff_channel_put(link->channel, frame, NULL) == 0)
        flush_locked(link);
}

/* Sends what is pending once its time has come; milliseconds until then, or -1. */
static int pass_progress(struct ff_runner_link *link)
{
    int wait_ms = -1;
    pthread_mutex_lock(&link->lock);
    if (link->is_pending) {
        int64_t left_ns = link->next_progress_ns - ff_monotonic_ns();
        if (left_ns <= 0) {
            send_locked(link, ff_buffer_span(&link->pending));
            link->next_progress_ns = ff_monotonic_ns() + PERIOD_NS;
            link->is_pending = false;
        } else {
            wait_ms = (int)(left_ns / 1000000) + 1;
        }
    }
    pthread_mutex_unlock(&link->lock);
    return wait_ms;
}

static void *watch(void *user)
{
    struct ff_runner_link *link = user;
    for (;;) {
        struct pollfd waits[2] = {{.fd = ff_channel_fd(link->channel), .events = POLLRDHUP},
                                  {.fd = link->bell, .events = POLLIN}};
        int ready = poll(waits, 2, pass_progress(link));
        if (ready < 0 && errno != EINTR)
            end_without_manager();
        if (ready <= 0)
            continue;
        if ((waits[0].revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0)
            end_without_manager();
        uint64_t count;
        if ((waits[1].revents & POLLIN) != 0 && read(link->bell, &count, sizeof count) < 0)
            continue;
    }
    return NULL;
}

static int start_watch(struct ff_runner_link *link)
{
    pthread_attr_t attributes;
    pthread_t thread;
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the function's */
    int result = pthread_create(&thread, &attributes, watch, link);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return result == 0 ? 0 : -1;
}

struct ff_runner_link *ff_runner_link_open(int fd, struct ff_error *error)
{
    struct ff_runner_link *link = calloc(1, sizeof *link);
    if (link == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory for a runner");
        return NULL;
    }
    pthread_mutex_init(&link->lock, NULL);
    ff_buffer_init(&link->pending, FRAME_LIMIT);
    link->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    link->channel = ff_channel_create(fd, error);
    if (link->channel != NULL && link->bell >= 0 && start_watch(link) == 0)
        return link;
    if (link->channel != NULL)
        ff_fail(error, FF_NO_MEMORY, "cannot start a thread of a runner");
    return NULL; /* the process ends at once; nothing is worth freeing */
}

struct ff_span ff_runner_link_next(struct ff_runner_link *link)
{
    struct ff_span frame;
    for (;;) {
        int got = ff_channel_next(link->channel, &frame, NULL);
        if (got > 0)
            return frame;
        int state = got < 0 ? -1 : ff_channel_fill(link->channel);
        if (state < 0)
            end_without_manager();
        struct pollfd wait = {.fd = ff_channel_fd(link->channel), .events = POLLIN};
        if (state == 0)
            (void)poll(&wait, 1, -1);
    }
}

int ff_runner_link_take_fd(struct ff_runner_link *link)
{
    return ff_channel_take_fd(link->channel);
}

void ff_runner_link_send(struct ff_runner_link *link, struct ff_span frame)
{
    pthread_mutex_lock(&link->lock);
    send_locked(link, frame);
    pthread_mutex_unlock(&link->lock);
}

void ff_runner_link_progress(struct ff_runner_link *link, const struct ff_progress *progress)
{
    struct ff_encoder encoder;
    pthread_mutex_lock(&link->lock);
    bool was_pending = link->is_pending;
    ff_encode_begin(&encoder, &link->pending, FF_MSG_PROGRESS);
    ff_encode_progress(&encoder, progress);
    link->is_pending = ff_encode_end(&encoder, NULL) == 0;
    bool is_due = ff_monotonic_ns() >= link->next_progress_ns;
    pthread_mutex_unlock(&link->lock);
    if (is_due) {
        pass_progress(link);
    } else if (!was_pending) {
        const uint64_t one = 1;
        ssize_t written = write(link->bell, &one, sizeof one);
        (void)written; /* a counter that is full has rung */
    }
}

void ff_runner_link_flush_progress(struct ff_runner_link *link)
{
    pthread_mutex_lock(&link->lock);
    if (link->is_pending)
        send_locked(link, ff_buffer_span(&link->pending));
    link->is_pending = false;
    pthread_mutex_unlock(&link->lock);
}

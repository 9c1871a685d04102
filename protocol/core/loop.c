#include "protocol/core/loop.h"

#include "protocol/core/clock.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

/*
 * What is destroyed inside a callback may still stand in the events at hand or in a list that is being walked.
 * So it is only marked dead, and freed between two sleeps, when nothing refers to it any more.
 */

enum {
    EVENTS_AT_ONCE = 64,
    PREPARE_ROUNDS =
        8, /* then a look at descriptors and timers, so that a busy socket starves nobody */
    NO_SLOT = -1,
};

struct ff_watch {
    struct ff_loop *loop;
    struct ff_watch *next;
    int fd;
    bool dead;
    ff_watch_ready *ready;
    void *user;
};

struct ff_timer {
    struct ff_loop *loop;
    struct ff_timer *next;
    int64_t at_ns;
    int slot; /* in the heap, or NO_SLOT */
    bool dead;
    ff_timer_due *due;
    void *user;
};

struct ff_prepare {
    struct ff_loop *loop;
    struct ff_prepare *next;
    bool dead;
    ff_prepare_run *run;
    void *user;
};

struct ff_loop {
    int epoll_fd;
    int wake_fd;
    int signal_fd;
    atomic_bool stopped;
    atomic_bool woken; /* since the prepares ran last: another wake would change nothing */
    bool has_dead;
    struct ff_watch *watches;
    struct ff_timer *timers;
    struct ff_prepare *prepares;
    struct ff_timer **heap; /* the timers that are set; the earliest first */
    int heap_used;
    int heap_room; /* as many as there are timers, so that setting one cannot fail */
    int timer_count;
    ff_signal_caught *caught;
    void *caught_user;
};

static void take_wake(void *user, uint32_t events)
{
    struct ff_loop *loop = user;
    uint64_t count;
    (void)events;
    ssize_t got = read(loop->wake_fd, &count, sizeof count);
    (void)got;
    atomic_store(&loop->woken, false);
}

struct ff_loop *ff_loop_create(struct ff_error *error)
{
    struct ff_loop *loop = calloc(1, sizeof *loop);
    if (loop == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory for the event loop");
        return NULL;
    }
    loop->signal_fd = -1;
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (loop->epoll_fd < 0 || loop->wake_fd < 0) {
        ff_fail_errno(error, FF_IO, errno, "cannot make the event loop");
        ff_loop_destroy(loop);
        return NULL;
    }
    if (ff_watch_create(loop, loop->wake_fd, EPOLLIN, take_wake, loop, error) == NULL) {
        ff_loop_destroy(loop);
        return NULL;
    }
    return loop;
}

/* ---- watches ---- */

struct ff_watch *ff_watch_create(struct ff_loop *loop, int fd, uint32_t events,
                                 ff_watch_ready *ready, void *user, struct ff_error *error)
{
    struct ff_watch *watch = calloc(1, sizeof *watch);
    if (watch == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory to watch a descriptor");
        return NULL;
    }
    watch->loop = loop;
    watch->fd = fd;
    watch->ready = ready;
    watch->user = user;
    struct epoll_event event = {.events = events, .data.ptr = watch};
    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) {
        ff_fail_errno(error, FF_IO, errno, "cannot watch descriptor %d", fd);
        free(watch);
        return NULL;
    }
    watch->next = loop->watches;
    loop->watches = watch;
    return watch;
}

void ff_watch_set(struct ff_watch *watch, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = watch};
    epoll_ctl(watch->loop->epoll_fd, EPOLL_CTL_MOD, watch->fd, &event);
}

void ff_watch_destroy(struct ff_watch *watch)
{
    if (watch == NULL || watch->dead)
        return;
    epoll_ctl(watch->loop->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
    watch->dead = true;
    watch->loop->has_dead = true;
}

/* ---- timers: a binary heap by time ---- */

static void heap_place(struct ff_loop *loop, int slot, struct ff_timer *timer)
{
    loop->heap[slot] = timer;
    timer->slot = slot;
}

static void heap_up(struct ff_loop *loop, int slot, struct ff_timer *timer)
{
    while (slot > 0 && loop->heap[(slot - 1) / 2]->at_ns > timer->at_ns) {
        heap_place(loop, slot, loop->heap[(slot - 1) / 2]);
        slot = (slot - 1) / 2;
    }
    heap_place(loop, slot, timer);
}

static void heap_down(struct ff_loop *loop, int slot, struct ff_timer *timer)
{
    for (;;) {
        int child = 2 * slot + 1;
        if (child + 1 < loop->heap_used && loop->heap[child + 1]->at_ns < loop->heap[child]->at_ns)
            child++;
        if (child >= loop->heap_used || loop->heap[child]->at_ns >= timer->at_ns)
            break;
        heap_place(loop, slot, loop->heap[child]);
        slot = child;
    }
    heap_place(loop, slot, timer);
}

static void heap_remove(struct ff_timer *timer)
{
    struct ff_loop *loop = timer->loop;
    int slot = timer->slot;
    if (slot == NO_SLOT)
        return;
    timer->slot = NO_SLOT;
    struct ff_timer *last = loop->heap[--loop->heap_used];
    if (last == timer)
        return;
    if (slot > 0 && loop->heap[(slot - 1) / 2]->at_ns > last->at_ns)
        heap_up(loop, slot, last);
    else
        heap_down(loop, slot, last);
}

struct ff_timer *ff_timer_create(struct ff_loop *loop, ff_timer_due *due, void *user,
                                 struct ff_error *error)
{
    struct ff_timer *timer = calloc(1, sizeof *timer);
    if (timer != NULL && loop->timer_count == loop->heap_room) {
        int room = loop->heap_room == 0 ? 16 : 2 * loop->heap_room;
        struct ff_timer **heap = realloc(loop->heap, (size_t)room * sizeof(struct ff_timer *));
        if (heap == NULL) {
            free(timer);
            timer = NULL;
        } else {
            loop->heap = heap;
            loop->heap_room = room;
        }
    }
    if (timer == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory for a timer");
        return NULL;
    }
    timer->loop = loop;
    timer->slot = NO_SLOT;
    timer->due = due;
    timer->user = user;
    timer->next = loop->timers;
    loop->timers = timer;
    loop->timer_count++;
    return timer;
}

void ff_timer_set(struct ff_timer *timer, int64_t at_monotonic_ns)
{
    heap_remove(timer);
    if (at_monotonic_ns == FF_TIMER_OFF)
        return;
    timer->at_ns = at_monotonic_ns;
    timer->loop->heap_used++;
    heap_up(timer->loop, timer->loop->heap_used - 1, timer);
}

void ff_timer_set_after(struct ff_timer *timer, int64_t after_ms)
{
    ff_timer_set(timer, ff_monotonic_ns() + after_ms * 1000000);
}

void ff_timer_destroy(struct ff_timer *timer)
{
    if (timer == NULL || timer->dead)
        return;
    heap_remove(timer);
    timer->dead = true;
    timer->loop->has_dead = true;
}

/* Milliseconds until the earliest timer, rounded up; -1 for ever. */
static int time_to_sleep(const struct ff_loop *loop)
{
    enum { LONGEST_MS = 3600000 };
    if (loop->heap_used == 0)
        return -1;
    int64_t left = loop->heap[0]->at_ns - ff_monotonic_ns();
    int64_t left_ms = left <= 0 ? 0 : (left + 999999) / 1000000;
    return left_ms > LONGEST_MS ? LONGEST_MS : (int)left_ms;
}

/* Calls what is due now. A timer that sets itself to the present again waits for the next turn. */
static void run_timers(struct ff_loop *loop)
{
    if (loop->heap_used == 0)
        return;
    int64_t now = ff_monotonic_ns();
    int turns = loop->heap_used;
    while (turns-- > 0 && loop->heap_used > 0 && loop->heap[0]->at_ns <= now) {
        struct ff_timer *timer = loop->heap[0];
        heap_remove(timer);
        timer->due(timer->user);
    }
}

/* ---- prepares ---- */

struct ff_prepare *ff_prepare_create(struct ff_loop *loop, ff_prepare_run *run, void *user,
                                     struct ff_error *error)
{
    struct ff_prepare *prepare = calloc(1, sizeof *prepare);
    if (prepare == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory for the event loop");
        return NULL;
    }
    prepare->loop = loop;
    prepare->run = run;
    prepare->user = user;
    /* At the end: they run in the order in which they were made. */
    struct ff_prepare **end = &loop->prepares;
    while (*end != NULL)
        end = &(*end)->next;
    *end = prepare;
    return prepare;
}

void ff_prepare_destroy(struct ff_prepare *prepare)
{
    if (prepare == NULL || prepare->dead)
        return;
    prepare->dead = true;
    prepare->loop->has_dead = true;
}

/* true: there may be more to do, so do not sleep. */
static bool run_prepares(struct ff_loop *loop)
{
    bool busy = true;
    for (int round = 0; busy && round < PREPARE_ROUNDS; round++) {
        busy = false;
        for (struct ff_prepare *at = loop->prepares; at != NULL; at = at->next)
            if (!at->dead && at->run(at->user))
                busy = true;
    }
    return busy;
}

/* ---- signals ---- */

static void take_signals(void *user, uint32_t events)
{
    struct ff_loop *loop = user;
    struct signalfd_siginfo info;
    (void)events;
    while (read(loop->signal_fd, &info, sizeof info) == (ssize_t)sizeof info)
        loop->caught(loop->caught_user, (int)info.ssi_signo);
}

int ff_loop_signals(struct ff_loop *loop, const int *signals, ff_signal_caught *caught, void *user,
                    struct ff_error *error)
{
    sigset_t set;
    sigemptyset(&set);
    for (; *signals != 0; signals++)
        sigaddset(&set, *signals);
    if (loop->signal_fd >= 0)
        return ff_fail(error, FF_INTERNAL, "the loop has its signals already");
    loop->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (loop->signal_fd < 0 || pthread_sigmask(SIG_BLOCK, &set, NULL) != 0)
        return ff_fail_errno(error, FF_IO, errno, "cannot take signals");
    loop->caught = caught;
    loop->caught_user = user;
    return ff_watch_create(loop, loop->signal_fd, EPOLLIN, take_signals, loop, error) != NULL ? 0
                                                                                              : -1;
}

/* ---- the loop ---- */

/* Takes the dead (or everything) out of the list of one kind and frees it. */
#define FF_LOOP_BURY(kind, list, all)                                                              \
    for (struct kind **at = &(list); *at != NULL;) {                                               \
        struct kind *here = *at;                                                                   \
        if (!here->dead && !(all)) {                                                               \
            at = &here->next;                                                                      \
            continue;                                                                              \
        }                                                                                          \
        *at = here->next;                                                                          \
        free(here);                                                                                \
    }

static void bury(struct ff_loop *loop, bool all)
{
    FF_LOOP_BURY(ff_watch, loop->watches, all)
    FF_LOOP_BURY(ff_prepare, loop->prepares, all)
    FF_LOOP_BURY(ff_timer, loop->timers, all)
    loop->timer_count = 0;
    for (const struct ff_timer *at = loop->timers; at != NULL; at = at->next)
        loop->timer_count++;
    loop->has_dead = false;
}

int ff_loop_run(struct ff_loop *loop, struct ff_error *error)
{
    struct epoll_event events[EVENTS_AT_ONCE];
    while (!atomic_load(&loop->stopped)) {
        bool busy = run_prepares(loop);
        if (loop->has_dead)
            bury(loop, false);
        if (atomic_load(&loop->stopped))
            break;
        int got =
            epoll_wait(loop->epoll_fd, events, EVENTS_AT_ONCE, busy ? 0 : time_to_sleep(loop));
        if (got < 0 && errno != EINTR)
            return ff_fail_errno(error, FF_IO, errno, "the event loop cannot wait");
        for (int i = 0; i < got; i++) {
            struct ff_watch *watch = events[i].data.ptr;
            if (!watch->dead)
                watch->ready(watch->user, events[i].events);
        }
        run_timers(loop);
    }
    atomic_store(&loop->stopped, false);
    return 0;
}

void ff_loop_stop(struct ff_loop *loop)
{
    atomic_store(&loop->stopped, true);
    ff_loop_wake(loop);
}

void ff_loop_wake(struct ff_loop *loop)
{
    int failure = errno;
    uint64_t one = 1;
    if (atomic_exchange(&loop->woken, true))
        return;
    ssize_t written = write(loop->wake_fd, &one, sizeof one);
    (void)written; /* fails only when it is full of wakes already */
    errno = failure;
}

void ff_loop_destroy(struct ff_loop *loop)
{
    if (loop == NULL)
        return;
    bury(loop, true);
    free(loop->heap);
    if (loop->signal_fd >= 0)
        close(loop->signal_fd);
    if (loop->wake_fd >= 0)
        close(loop->wake_fd);
    if (loop->epoll_fd >= 0)
        close(loop->epoll_fd);
    free(loop);
}

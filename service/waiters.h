/*
 * service/waiters.h: requests that wait for something to happen to a task or group. Guarded by the
 * lock of the service.
 *
 * A waiter is linked into the list of what it waits for and into the list of all waiters, by which
 * the longest wait is bounded: ff_waiters_expire is called when the time ff_waiters_next has come.
 */
#ifndef FF_SERVICE_WAITERS_H
#define FF_SERVICE_WAITERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ff_waiter;

struct ff_wait_list {
    struct ff_waiter *first;
};

struct ff_waiter {
    struct ff_wait_list *list; /* NULL: waits for nothing */
    struct ff_waiter *next, *previous;
    struct ff_waiter *all_next, *all_previous;
    bool only_end; /* not woken by events */
    bool expired;
    int64_t deadline_ns;
    /* Called under the lock, when it is in no list any more. */
    void (*wake)(struct ff_waiter *waiter);
};

/* All waiters of a service. */
struct ff_waiters {
    struct ff_waiter *first;
    bool closed; /* nobody may wait any more */
};

/* false: closed. */
bool ff_waiters_add(struct ff_waiters *all, struct ff_wait_list *list, struct ff_waiter *waiter);

/* Wakes those of a list; `event`: only those that wait for events. */
void ff_wait_list_wake(struct ff_waiters *all, struct ff_wait_list *list, bool event);

/* Wakes those whose time is over; returns the next deadline, INT64_MAX for none. */
int64_t ff_waiters_expire(struct ff_waiters *all, int64_t now_ns);

/* Wakes one that waits, as if its time were over. */
void ff_waiter_expire(struct ff_waiters *all, struct ff_waiter *waiter);

/* Wakes all, for good. */
void ff_waiters_close(struct ff_waiters *all);

#endif

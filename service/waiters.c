#include "service/waiters.h"

bool ff_waiters_add(struct ff_waiters *all, struct ff_wait_list *list, struct ff_waiter *waiter)
{
    if (all->closed)
        return false;
    waiter->expired = false;
    waiter->list = list;
    waiter->previous = NULL;
    waiter->next = list->first;
    if (list->first != NULL)
        list->first->previous = waiter;
    list->first = waiter;
    waiter->all_previous = NULL;
    waiter->all_next = all->first;
    if (all->first != NULL)
        all->first->all_previous = waiter;
    all->first = waiter;
    return true;
}

static void unlink_waiter(struct ff_waiters *all, struct ff_waiter *waiter)
{
    if (waiter->previous != NULL)
        waiter->previous->next = waiter->next;
    else
        waiter->list->first = waiter->next;
    if (waiter->next != NULL)
        waiter->next->previous = waiter->previous;
    if (waiter->all_previous != NULL)
        waiter->all_previous->all_next = waiter->all_next;
    else
        all->first = waiter->all_next;
    if (waiter->all_next != NULL)
        waiter->all_next->all_previous = waiter->all_previous;
    waiter->list = NULL;
}

static void wake(struct ff_waiters *all, struct ff_waiter *waiter)
{
    unlink_waiter(all, waiter);
    waiter->wake(waiter);
}

void ff_wait_list_wake(struct ff_waiters *all, struct ff_wait_list *list, bool event)
{
    struct ff_waiter *next = NULL;
    for (struct ff_waiter *at = list->first; at != NULL; at = next) {
        next = at->next;
        if (!event || !at->only_end)
            wake(all, at);
    }
}

int64_t ff_waiters_expire(struct ff_waiters *all, int64_t now_ns)
{
    int64_t soonest = INT64_MAX;
    struct ff_waiter *next = NULL;
    for (struct ff_waiter *at = all->first; at != NULL; at = next) {
        next = at->all_next;
        if (at->deadline_ns <= now_ns) {
            ff_waiter_expire(all, at);
        } else if (at->deadline_ns < soonest) {
            soonest = at->deadline_ns;
        }
    }
    return soonest;
}

void ff_waiter_expire(struct ff_waiters *all, struct ff_waiter *waiter)
{
    waiter->expired = true;
    wake(all, waiter);
}

void ff_waiters_close(struct ff_waiters *all)
{
    all->closed = true;
    while (all->first != NULL)
        ff_waiter_expire(all, all->first);
}

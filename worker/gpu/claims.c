/*
 * Who gets devices, and when. A claim that cannot be served at once stands in the table's queue by its ticket. It may be
 * served when no living claim before it may have any of the same devices, and enough of its own are free.
 */
#include "worker/gpu/registry_internal.h"

#include "protocol/core/clock.h"
#include "worker/gpu/links.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

struct ff_gpu_claim {
    struct ff_gpus *gpus;
    struct ff_gpu_claim *next;
    uint32_t wanted;
    uint64_t ticket; /* 0: not in the queue */
    uint64_t behind; /* the ticket of another's claim right before, when last looked; 0: none */
    char task[FF_GPU_TASK_TEXT];
};

/* ---- the queue ---- */

static bool is_own(const struct ff_gpus *gpus, uint64_t ticket)
{
    for (const struct ff_gpu_claim *claim = gpus->claims; claim != NULL; claim = claim->next)
        if (claim->ticket == ticket)
            return true;
    return false;
}

/* A description does not see its own locks, so claims of this process are known by their tickets. */
static bool is_alive(const struct ff_gpus *gpus, uint64_t ticket)
{
    return is_own(gpus, ticket) ||
           ff_gpu_byte_is_locked(gpus->fd, FF_GPU_WAITER_AT + (int64_t)ticket);
}

static void remove_waiter(struct ff_gpu_table *table, uint32_t at)
{
    table->waiter_count--;
    memmove(&table->waiters[at], &table->waiters[at + 1],
            (table->waiter_count - at) * sizeof table->waiters[0]);
}

static int find_waiter(const struct ff_gpu_table *table, uint64_t ticket)
{
    for (uint32_t i = 0; ticket != 0 && i < table->waiter_count; i++)
        if (table->waiters[i].ticket == ticket)
            return (int)i;
    return -1;
}

/* The last living claim before `ticket` (0: before the end) that may have one of the same devices; 0: none. */
static uint64_t find_before(const struct ff_gpus *gpus, const struct ff_gpu_table *table,
                            uint64_t ticket, uint32_t mask)
{
    for (uint32_t i = table->waiter_count; i-- > 0;) {
        const struct ff_gpu_waiter *waiter = &table->waiters[i];
        if ((ticket == 0 || waiter->ticket < ticket) && (waiter->mask & mask) != 0 &&
            is_alive(gpus, waiter->ticket))
            return waiter->ticket;
    }
    return 0;
}

/* Puts the claim into the queue, by its ticket: a claim that a rebuilt table forgot gets its old place. */
static int enqueue(struct ff_gpu_claim *claim, struct ff_gpu_table *table, uint32_t mask,
                   struct ff_error *error)
{
    struct ff_gpus *gpus = claim->gpus;
    for (uint32_t i = table->waiter_count; i-- > 0;)
        if (!is_alive(gpus, table->waiters[i].ticket))
            remove_waiter(table, i);
    if (table->waiter_count >= FF_GPU_WAITERS) {
        ff_fail(error, FF_BUSY, "%d claims wait for the GPUs of this node already", FF_GPU_WAITERS);
        return ff_hint(error, "try again when some have been served");
    }
    if (claim->ticket == 0)
        claim->ticket = table->next_ticket;
    if (table->next_ticket <= claim->ticket)
        table->next_ticket = claim->ticket + 1;
    if (ff_gpu_byte_lock(gpus->fd, FF_GPU_WAITER_AT + (int64_t)claim->ticket) < 0) {
        /* Only a rebuilt table can give a ticket twice. */
        claim->ticket = 0;
        table->next_ticket++;
        return ff_gpu_table_write(gpus->fd, table, error);
    }
    uint32_t at = table->waiter_count;
    while (at > 0 && table->waiters[at - 1].ticket > claim->ticket)
        at--;
    memmove(&table->waiters[at + 1], &table->waiters[at],
            (table->waiter_count - at) * sizeof table->waiters[0]);
    table->waiters[at] = (struct ff_gpu_waiter){claim->ticket, mask, claim->wanted};
    table->waiter_count++;
    return ff_gpu_table_write(gpus->fd, table, error);
}

/* Watches for closed descriptions while a claim waits. True when the watch is new: then look once more, because what
 * happened before was not seen. */
static bool begin_watch(struct ff_gpus *gpus)
{
    if (gpus->watch >= 0)
        return false;
    if (gpus->notices < 0)
        gpus->notices = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", gpus->fd);
    if (gpus->notices >= 0)
        gpus->watch = inotify_add_watch(gpus->notices, path, IN_CLOSE_WRITE);
    gpus->looks = 0;
    return gpus->watch >= 0;
}

static void end_watch(struct ff_gpus *gpus)
{
    if (gpus->stays)
        return;
    for (const struct ff_gpu_claim *claim = gpus->claims; claim != NULL; claim = claim->next)
        if (claim->ticket != 0)
            return;
    if (gpus->watch >= 0)
        inotify_rm_watch(gpus->notices, gpus->watch);
    gpus->watch = -1;
    ff_gpus_drain(gpus);
}

/* Under the lock. */
static void leave_queue(struct ff_gpu_claim *claim, struct ff_gpu_table *table)
{
    int at = find_waiter(table, claim->ticket);
    if (at >= 0)
        remove_waiter(table, (uint32_t)at);
    if (claim->ticket != 0)
        ff_gpu_byte_unlock(claim->gpus->fd, FF_GPU_WAITER_AT + (int64_t)claim->ticket);
    claim->ticket = 0;
}

/* ---- claims ---- */

struct ff_gpu_claim *ff_gpus_claim(struct ff_gpus *gpus, uint32_t count, const char *task,
                                   struct ff_error *error)
{
    int allowed = ff_gpus_allowed(gpus, error);
    if (allowed < 0)
        return NULL;
    if (count == 0 || (int)count > allowed) {
        ff_fail(error, FF_NO_DEVICE, "%u GPUs are asked for; this job may have %d on this node",
                count, allowed);
        ff_hint(error, "farfield gpu list shows what is there");
        return NULL;
    }
    struct ff_gpu_claim *claim = calloc(1, sizeof *claim);
    if (claim == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory for a claim");
        return NULL;
    }
    claim->gpus = gpus;
    claim->wanted = count;
    snprintf(claim->task, sizeof claim->task, "%s", task);
    claim->next = gpus->claims;
    gpus->claims = claim;
    return claim;
}

/* Under the lock, with the devices chosen: locks them, writes the holder down, leaves the queue. */
static int serve(struct ff_gpu_claim *claim, struct ff_gpu_table *table, uint32_t set,
                 uint32_t free_mask, struct ff_gpu_lease **lease, struct ff_error *error)
{
    struct ff_gpus *gpus = claim->gpus;
    struct ff_gpu_lease *made = ff_gpu_lease_create(gpus, table, set, error);
    if (made == NULL)
        return -1;
    struct ff_gpu_holder holder = ff_gpu_holder_of(claim->task);
    for (uint32_t i = 0; i < table->device_count; i++)
        if ((set >> i & 1) != 0)
            table->devices[i].holder = holder;
    leave_queue(claim, table);
    if (ff_gpu_table_write(gpus->fd, table, error) < 0) {
        ff_gpu_lease_release(made);
        return -1;
    }
    if (table->waiter_count > 0 && (free_mask & ~set) != 0)
        ff_gpus_ring(gpus->fd); /* the next in the queue may be served, too */
    *lease = made;
    return 1;
}

static int try_locked(struct ff_gpu_claim *claim, struct ff_gpu_lease **lease,
                      struct ff_error *error)
{
    struct ff_gpus *gpus = claim->gpus;
    struct ff_gpu_table table;
    ff_gpu_table_read(gpus->fd, &table);
    uint32_t mask = ff_gpus_mask(gpus, &table);
    do {
        claim->behind = find_before(gpus, &table, claim->ticket, mask);
        if (claim->behind != 0)
            continue;
        uint32_t free_mask = ff_gpus_free(gpus, &table, mask);
        uint32_t set = ff_gpu_choose(table.links, free_mask, claim->wanted);
        if (set != 0)
            return serve(claim, &table, set, free_mask, lease, error);
    } while (begin_watch(gpus));
    int at = find_waiter(&table, claim->ticket);
    if (at < 0)
        return enqueue(claim, &table, mask, error);
    if (table.waiters[at].mask == mask)
        return 0;
    table.waiters[at].mask = mask;
    return ff_gpu_table_write(gpus->fd, &table, error);
}

/* Without the lock: whether it is plain that there is nothing to be had yet. When many wait, each end of a lease wakes
 * all of them, and all but the first see here, by one look at one lock, that it is not their turn. */
static bool must_wait(struct ff_gpu_claim *claim)
{
    struct ff_gpus *gpus = claim->gpus;
    if (claim->ticket == 0)
        return false;
    if (claim->behind != 0 && is_alive(gpus, claim->behind))
        return true;
    struct ff_gpu_table table;
    ff_gpu_table_read(gpus->fd, &table);
    int at = find_waiter(&table, claim->ticket);
    if (at < 0)
        return false;
    uint32_t mask = table.waiters[at].mask;
    claim->behind = find_before(gpus, &table, claim->ticket, mask);
    if (claim->behind != 0)
        return true;
    uint32_t free_mask = ff_gpus_free(gpus, &table, mask);
    return (uint32_t)__builtin_popcount(free_mask) < claim->wanted;
}

int ff_gpu_claim_try(struct ff_gpu_claim *claim, struct ff_gpu_lease **lease,
                     struct ff_error *error)
{
    struct ff_gpus *gpus = claim->gpus;
    if (must_wait(claim))
        return 0;
    if (ff_gpus_lock(gpus, error) < 0)
        return -1;
    int result = try_locked(claim, lease, error);
    ff_gpus_unlock(gpus);
    if (result == 1)
        end_watch(gpus);
    return result;
}

int ff_gpu_claim_wait(struct ff_gpu_claim *claim, int timeout_ms, struct ff_gpu_lease **lease,
                      struct ff_error *error)
{
    int64_t deadline = ff_monotonic_ns() + (int64_t)timeout_ms * 1000000;
    for (;;) {
        int result = ff_gpu_claim_try(claim, lease, error);
        if (result != 0)
            return result < 0 ? -1 : 0;
        int wait_ms = ff_gpus_recheck_ms(claim->gpus);
        if (timeout_ms >= 0) {
            int64_t left = (deadline - ff_monotonic_ns() + 999999) / 1000000;
            if (left <= 0)
                return ff_fail(error, FF_TIMED_OUT, "no %u GPUs became free within %d ms",
                               claim->wanted, timeout_ms);
            if (wait_ms < 0 || wait_ms > left)
                wait_ms = (int)left;
        }
        struct pollfd wait = {.fd = claim->gpus->notices, .events = POLLIN};
        if (poll(&wait, 1, wait_ms) > 0)
            ff_gpus_drain(claim->gpus);
    }
}

/* These look without the lock, as must_wait() does: a claim that is just being queued is seen at the next look. */
bool ff_gpu_claim_is_next(struct ff_gpu_claim *claim)
{
    struct ff_gpu_table table;
    ff_gpu_table_read(claim->gpus->fd, &table);
    return claim->ticket != 0 &&
           find_before(claim->gpus, &table, claim->ticket, ff_gpus_mask(claim->gpus, &table)) == 0;
}

bool ff_gpus_are_wanted(struct ff_gpus *gpus)
{
    struct ff_gpu_table table;
    ff_gpu_table_read(gpus->fd, &table);
    return find_before(gpus, &table, 0, ff_gpus_mask(gpus, &table)) != 0;
}

void ff_gpu_claim_why(struct ff_gpu_claim *claim, char *text, size_t size)
{
    struct ff_gpu_table table;
    ff_gpu_table_read(claim->gpus->fd, &table);
    uint32_t mask = ff_gpus_mask(claim->gpus, &table);
    uint32_t free_mask = ff_gpus_free(claim->gpus, &table, mask);
    unsigned before = 0;
    for (uint32_t i = 0; i < table.waiter_count && table.waiters[i].ticket < claim->ticket; i++)
        before +=
            (table.waiters[i].mask & mask) != 0 && is_alive(claim->gpus, table.waiters[i].ticket);
    snprintf(text, size, "waits for %u GPU%s: %d of %d are free, %u claim%s before it",
             claim->wanted, claim->wanted == 1 ? "" : "s", __builtin_popcount(free_mask),
             __builtin_popcount(mask), before, before == 1 ? " is" : "s are");
}

void ff_gpu_claim_destroy(struct ff_gpu_claim *claim)
{
    if (claim == NULL)
        return;
    struct ff_gpus *gpus = claim->gpus;
    if (claim->ticket != 0) {
        struct ff_gpu_table table;
        /* Without the lock the entry stays until the next claim finds it dead. */
        if (ff_gpus_lock(gpus, NULL) == 0) {
            ff_gpu_table_read(gpus->fd, &table);
            leave_queue(claim, &table);
            (void)!ff_gpu_table_write(gpus->fd, &table, NULL);
            ff_gpus_unlock(gpus);
        }
        if (claim->ticket != 0)
            ff_gpu_byte_unlock(gpus->fd, FF_GPU_WAITER_AT + (int64_t)claim->ticket);
        claim->ticket = 0;
        ff_gpus_ring(gpus->fd);
    }
    struct ff_gpu_claim **link = &gpus->claims;
    while (*link != claim)
        link = &(*link)->next;
    *link = claim->next;
    end_watch(gpus);
    free(claim);
}

void ff_gpus_watch(struct ff_gpus *gpus)
{
    gpus->stays = true;
    (void)begin_watch(gpus);
}

int ff_gpus_fd(const struct ff_gpus *gpus)
{
    return gpus->notices;
}

void ff_gpus_drain(struct ff_gpus *gpus)
{
    char events[4096];
    while (gpus->notices >= 0 && read(gpus->notices, events, sizeof events) > 0)
        gpus->looks = 0;
}

int ff_gpus_recheck_ms(struct ff_gpus *gpus)
{
    static const int waits_ms[] = {2, 20, 200, 1000};
    enum { WAITS = sizeof waits_ms / sizeof waits_ms[0] };
    if (gpus->watch < 0)
        return 20; /* no notices here: look by the clock */
    return gpus->looks < WAITS ? waits_ms[gpus->looks++] : -1;
}

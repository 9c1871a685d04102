/*
 * Works that wait for GPUs. Each has a claim in the node's registry, so the order among all processes of the node is
 * that of the registry; this room asks again when the registry says that something changed.
 */
#include "worker/leases.h"

#include "worker/manager.h"
#include "worker/uplink.h"
#include "worker/warm.h"

#include "protocol/core/clock.h"
#include "protocol/core/log.h"
#include "protocol/limits.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { KEPT_MS = 2000 };

struct kept {
    struct kept *next;
    struct ff_gpu_lease *lease;
    struct ff_id task;
    bool rests; /* for no task */
    int64_t until_ns;
};

struct ff_leases {
    struct ff_manager *manager;
    struct ff_gpus *gpus; /* NULL: cannot be opened; `why` says it */
    struct ff_error why;
    struct ff_watch *watch; /* of the registry's notices */
    unsigned taken;         /* as the agent was told last */
    struct ff_timer *timer;
    struct kept *kept;
    struct ff_timer *kept_timer;
};

static void try_all(struct ff_leases *leases);
static void arm(struct ff_leases *leases);

static void notices_came(void *user, uint32_t events)
{
    struct ff_leases *leases = user;
    (void)events;
    ff_gpus_drain(leases->gpus);
    try_all(leases);
}

static void look_again(void *user)
{
    try_all(user);
}

/* ---- leases between two attempts ---- */

static struct ff_gpu_lease *take_kept(struct kept **link)
{
    struct kept *kept = *link;
    struct ff_gpu_lease *lease = kept->lease;
    *link = kept->next;
    free(kept);
    return lease;
}

static void release_kept(void *user)
{
    struct ff_leases *leases = user;
    int64_t now_ns = ff_monotonic_ns();
    int64_t next_ns = INT64_MAX;
    struct kept **link = &leases->kept;
    while (*link != NULL) {
        if ((*link)->until_ns <= now_ns) {
            ff_gpu_lease_release(take_kept(link));
            continue;
        }
        if ((*link)->until_ns < next_ns)
            next_ns = (*link)->until_ns;
        link = &(*link)->next;
    }
    ff_timer_set(leases->kept_timer, next_ns != INT64_MAX ? next_ns : FF_TIMER_OFF);
}

static void keep(struct ff_leases *leases, struct ff_gpu_lease *lease, const struct ff_id *task,
                 int ms)
{
    struct kept *kept = calloc(1, sizeof *kept);
    if (kept == NULL) {
        ff_gpu_lease_release(lease);
        return;
    }
    kept->lease = lease;
    kept->rests = task == NULL;
    if (task != NULL)
        kept->task = *task;
    kept->until_ns = ff_monotonic_ns() + ms * 1000000ll;
    kept->next = leases->kept;
    leases->kept = kept;
    release_kept(leases); /* sets the timer */
}

void ff_leases_keep(struct ff_leases *leases, struct ff_gpu_lease *lease, const struct ff_id *task)
{
    keep(leases, lease, task, KEPT_MS);
}

void ff_leases_rest(struct ff_leases *leases, struct ff_gpu_lease *lease)
{
    ff_gpu_lease_set_task(lease, "none (a call was lost on it)");
    keep(leases, lease, NULL, FF_GPU_REST_MS);
}

/* The lease of an earlier attempt of this task, or NULL. */
static struct ff_gpu_lease *find_kept(struct ff_leases *leases, const struct ff_work *work)
{
    for (struct kept **link = &leases->kept; *link != NULL; link = &(*link)->next)
        if (!(*link)->rests && ff_id_equal(&(*link)->task, &work->order.task) &&
            ff_gpu_lease_count((*link)->lease) == work->order.devices)
            return take_kept(link);
    return NULL;
}

/* ---- claims ---- */

struct ff_leases *ff_leases_create(struct ff_manager *manager, struct ff_error *error)
{
    struct ff_leases *leases = calloc(1, sizeof *leases);
    if (leases == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory for GPU leases");
        return NULL;
    }
    leases->manager = manager;
    leases->timer = ff_timer_create(manager->loop, look_again, leases, error);
    leases->kept_timer = ff_timer_create(manager->loop, release_kept, leases, error);
    if (leases->timer == NULL || leases->kept_timer == NULL) {
        ff_leases_destroy(leases);
        return NULL;
    }
    /* Without a registry, tasks that need no GPU run all the same. */
    leases->gpus = ff_gpus_open(manager->settings.gpu_registry, &leases->why);
    if (leases->gpus == NULL) {
        ff_log_error("no GPU registry", &leases->why);
        return leases;
    }
    if (ff_leases_devices(leases) > 0)
        ff_gpus_watch(leases->gpus);
    leases->taken = ff_leases_taken(leases);
    arm(leases);
    return leases;
}

void ff_leases_destroy(struct ff_leases *leases)
{
    if (leases == NULL)
        return;
    ff_watch_destroy(leases->watch);
    ff_timer_destroy(leases->timer);
    ff_timer_destroy(leases->kept_timer);
    while (leases->kept != NULL)
        ff_gpu_lease_release(take_kept(&leases->kept));
    ff_gpus_close(leases->gpus);
    free(leases);
}

unsigned ff_leases_devices(const struct ff_leases *leases)
{
    int count = leases->gpus != NULL ? ff_gpus_allowed(leases->gpus, NULL) : 0;
    return count > 0 ? (unsigned)count : 0;
}

unsigned ff_leases_taken(struct ff_leases *leases)
{
    struct ff_gpu_info list[FF_GPU_CAPACITY];
    struct ff_error error;
    uint32_t waiting;
    int count = leases->gpus != NULL ? ff_gpus_list(leases->gpus, list, &waiting, &error) : 0;
    unsigned taken = 0;
    for (int i = 0; i < count; i++)
        taken += list[i].allowed && list[i].leased &&
                 (list[i].entry.holder.pid != getpid() || !list[i].holder_alive);
    for (const struct kept *at = leases->kept; at != NULL; at = at->next)
        taken += at->rests ? ff_gpu_lease_count(at->lease) : 0;
    return taken;
}

/* The agent hears at once what the next heartbeat would say. */
static void tell_taken(struct ff_leases *leases)
{
    unsigned taken = ff_leases_taken(leases);
    if (taken != leases->taken && leases->manager->uplink != NULL)
        ff_uplink_beat(leases->manager->uplink);
    leases->taken = taken;
}

/* Sleeps on the registry's notices. */
static void arm(struct ff_leases *leases)
{
    struct ff_error error;
    bool waits = leases->manager->leasing.first != NULL;
    int fd = leases->gpus != NULL ? ff_gpus_fd(leases->gpus) : -1;
    if (fd >= 0 && leases->watch == NULL) {
        leases->watch =
            ff_watch_create(leases->manager->loop, fd, EPOLLIN, notices_came, leases, &error);
        if (leases->watch == NULL)
            ff_log_error("the GPU registry cannot be watched", &error);
    }
    int again_ms = waits || fd >= 0 ? ff_gpus_recheck_ms(leases->gpus) : -1;
    if (again_ms >= 0)
        ff_timer_set_after(leases->timer, again_ms);
    else
        ff_timer_set(leases->timer, FF_TIMER_OFF);
}

static void report_waiting(struct ff_work *work)
{
    char why[160];
    struct ff_report report = {
        .task = work->order.task,
        .attempt = work->order.attempt,
        .state = FF_TASK_WAITING_FOR_LAUNCH,
        .node = ff_span_of(work->manager->settings.node),
        .block = ff_span_of(work->manager->settings.block),
        .time_ns = (uint64_t)ff_wall_ns(),
    };
    ff_gpu_claim_why(work->claim, why, sizeof why);
    report.why = ff_span_of(why);
    ff_uplink_report(work->manager->uplink, &report);
}

/* 1: it has its devices and is ready. 0: it waits. -1: it has ended. */
static int try_one(struct ff_work *work)
{
    struct ff_error error;
    struct ff_gpu_lease *lease = NULL;
    int got = ff_gpu_claim_try(work->claim, &lease, &error);
    if (got == 0 || (got < 0 && error.code == FF_BUSY))
        return 0; /* a registry that stays locked is tried again */
    ff_gpu_claim_destroy(work->claim);
    work->claim = NULL;
    if (got < 0) {
        ff_work_fail(work, &error);
        return -1;
    }
    work->lease = lease;
    ff_work_ready(work, false);
    return 1;
}

static void try_all(struct ff_leases *leases)
{
    struct ff_work *next;
    for (struct ff_work *work = leases->manager->leasing.first; work != NULL; work = next) {
        next = work->next;
        (void)try_one(work);
    }
    tell_taken(leases);
    arm(leases);
}

void ff_leases_want(struct ff_leases *leases, struct ff_work *work)
{
    struct ff_error error;
    char task[FF_ID_TEXT_SIZE];
    if (leases->gpus == NULL) {
        error = leases->why;
        error.code = FF_NO_DEVICE;
        ff_work_fail(work, &error);
        return;
    }
    work->lease = find_kept(leases, work);
    if (work->lease != NULL) {
        ff_work_ready(work, false);
        return;
    }
    if (ff_warm_take(leases->manager, work))
        return;
    ff_id_text(&work->order.task, task);
    work->claim = ff_gpus_claim(leases->gpus, (uint32_t)work->order.devices, task, &error);
    if (work->claim == NULL) {
        ff_work_fail(work, &error);
        return;
    }
    ff_work_move(work, &leases->manager->leasing, FF_WORK_LEASING);
    if (try_one(work) == 0) {
        report_waiting(work);
        ff_warm_end(leases->manager);
    }
    arm(leases);
}

bool ff_leases_are_wanted(struct ff_leases *leases)
{
    return leases->gpus != NULL && ff_gpus_are_wanted(leases->gpus);
}

struct ff_work *ff_leases_next(struct ff_leases *leases, const struct ff_group *group)
{
    for (struct ff_work *work = leases->manager->leasing.first; work != NULL; work = work->next) {
        if (work->group != group || !ff_gpu_claim_is_next(work->claim))
            continue;
        ff_leases_forget(leases, work);
        return work;
    }
    return NULL;
}

void ff_leases_forget(struct ff_leases *leases, struct ff_work *work)
{
    (void)leases;
    ff_gpu_claim_destroy(work->claim);
    work->claim = NULL;
}

void ff_leases_release(struct ff_leases *leases, struct ff_gpu_lease *lease)
{
    (void)leases;
    ff_gpu_lease_release(lease);
}

/*
 * Runners in slots: started, fed, killed, buried.
 */
#include "worker/slot.h"

#include "worker/call.h"
#include "worker/leases.h"
#include "worker/manager.h"
#include "worker/scratch.h"
#include "worker/slot_output.h"
#include "worker/speech.h"
#include "worker/tree.h"

#include "protocol/core/chores.h"
#include "protocol/core/clock.h"
#include "protocol/core/file.h"
#include "protocol/core/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FILLS = 8 /* reads from one runner before others have their turn */ };

static int flush(struct ff_slot *slot)
{
    int state = ff_channel_flush(slot->child->channel);
    if ((state > 0) != slot->watches_out) {
        slot->watches_out = state > 0;
        ff_watch_set(slot->channel_watch, slot->watches_out ? EPOLLIN | EPOLLOUT : EPOLLIN);
    }
    return state;
}

void ff_slots_flush(struct ff_manager *manager)
{
    for (size_t i = 0; i < manager->slot_count; i++) {
        struct ff_slot *slot = &manager->slots[i];
        if (slot->child != NULL && slot->channel_watch != NULL && !slot->watches_out &&
            ff_channel_pending(slot->child->channel) > 0)
            (void)flush(slot); /* a runner that is gone is noticed by its end of file */
    }
}

static void channel_ready(void *user, uint32_t events)
{
    struct ff_slot *slot = user;
    if ((events & EPOLLOUT) != 0)
        (void)flush(slot);
    int state = 1;
    for (int i = 0; i < FILLS && state > 0; i++) {
        state = ff_channel_fill(slot->child->channel);
        if (ff_slot_take_frames(slot) < 0)
            state = -1;
    }
    if (state >= 0)
        return;
    /* The end of file: it is dead or dying. SIGCHLD tells the rest; until then nothing is to be heard. */
    ff_watch_destroy(slot->channel_watch);
    slot->channel_watch = NULL;
    ff_slot_kill(slot, NULL);
}

/* ---- starting and ending runners ---- */

static void output_ready(void *user, uint32_t events)
{
    (void)events;
    ff_slot_read_output(user);
}

static struct ff_child *take_child(struct ff_manager *manager, struct ff_error *error)
{
    struct ff_child *child = manager->spare;
    manager->spare = NULL;
    return child != NULL ? child : ff_child_start(manager->runner, error);
}

/* The cores of the slot and of those lent to it. */
static void list_cores(const struct ff_slot *slot, struct ff_buffer *text)
{
    const struct ff_manager *manager = slot->manager;
    for (size_t i = 0; i < manager->slot_count; i++) {
        const struct ff_slot *at = &manager->slots[i];
        if (at != slot && (at->state != FF_SLOT_LENT || at->lent_to != slot))
            continue;
        for (size_t j = 0; j < at->core_count; j++)
            ff_buffer_printf(text, "%s%d", text->size > 0 ? "," : "",
                             manager->cores[at->core_begin + j]);
    }
}

static int put_frame(struct ff_slot *slot, struct ff_encoder *encoder, struct ff_error *error)
{
    if (ff_encode_end(encoder, error) < 0)
        return -1;
    return ff_channel_put(slot->child->channel, ff_buffer_span(&slot->manager->frame), error);
}

static int send_setup(struct ff_slot *slot, struct ff_error *error)
{
    const struct ff_manager *manager = slot->manager;
    struct ff_encoder encoder;
    struct ff_buffer cores;
    ff_buffer_init(&cores, 8192);
    list_cores(slot, &cores);
    struct ff_setup setup = {
        .function = ff_span_of(slot->group->function_path),
        .name = ff_span_of(slot->group->name),
        .cache = ff_span_of(manager->cache),
        .tasks = ff_span_of(manager->tasks),
        .cores = ff_span_of(ff_buffer_text(&cores)),
        .node = ff_span_of(manager->settings.node),
    };
    if (slot->lease != NULL) {
        setup.devices = ff_span_of(ff_gpu_lease_uuids(slot->lease));
        ff_channel_attach(slot->child->channel, ff_gpu_lease_fd(slot->lease));
    }
    ff_encode_begin(&encoder, &slot->manager->frame, FF_MSG_RUNNER_SETUP);
    ff_encode_setup(&encoder, &setup);
    int result = put_frame(slot, &encoder, error);
    ff_buffer_dispose(&cores);
    return result;
}

static void return_lent(struct ff_slot *slot)
{
    for (size_t i = 0; i < slot->manager->slot_count; i++) {
        struct ff_slot *lent = &slot->manager->slots[i];
        if (lent->lent_to != slot)
            continue;
        lent->lent_to = NULL;
        ff_slot_move(&lent->state,
                     lent->child != NULL ? FF_SLOT_RETURN_IDLE : FF_SLOT_RETURN_EMPTY);
    }
    slot->slots_taken = 1;
}

/* Back to empty, after the death of the runner. */
static void clear(struct ff_slot *slot)
{
    ff_watch_destroy(slot->channel_watch);
    ff_watch_destroy(slot->output_watch);
    ff_child_destroy(slot->child);
    ff_timer_set(slot->timer, FF_TIMER_OFF);
    slot->channel_watch = slot->output_watch = NULL;
    slot->child = NULL;
    slot->timer_set = slot->watches_out = slot->is_reaped = false;
    slot->group = NULL;
    slot->sent = slot->flags = 0;
    slot->kill_ns = 0;
    slot->loss[0] = '\0';
    slot->line_size = 0;
    return_lent(slot);
    if (slot->lease != NULL && slot->lost_on_devices)
        ff_leases_rest(slot->manager->leases, slot->lease);
    else
        ff_leases_release(slot->manager->leases, slot->lease);
    slot->lease = NULL;
    slot->lost_on_devices = false;
}

int ff_slot_start(struct ff_slot *slot, struct ff_group *group, struct ff_gpu_lease *lease,
                  struct ff_error *error)
{
    struct ff_loop *loop = slot->manager->loop;
    slot->child = take_child(slot->manager, error);
    if (slot->child == NULL) {
        return_lent(slot);
        return -1;
    }
    slot->group = group;
    slot->lease = lease;
    slot->channel_watch = ff_watch_create(loop, ff_channel_fd(slot->child->channel), EPOLLIN,
                                          channel_ready, slot, error);
    if (slot->channel_watch != NULL)
        slot->output_watch =
            ff_watch_create(loop, slot->child->output, EPOLLIN, output_ready, slot, error);
    ff_slot_move(&slot->state, FF_SLOT_START);
    slot->head_ns = ff_monotonic_ns();
    if (slot->output_watch != NULL && send_setup(slot, error) == 0)
        return 0;
    slot->lease = NULL; /* stays the caller's */
    ff_slot_kill(slot, NULL);
    return -1;
}

void ff_slot_kill(struct ff_slot *slot, const char *why)
{
    if (slot->child == NULL || slot->state == FF_SLOT_ENDING)
        return;
    snprintf(slot->loss, sizeof slot->loss, "%s", why != NULL ? why : "");
    slot->was_starting = slot->state == FF_SLOT_STARTING;
    if (!slot->is_reaped)
        ff_child_kill(slot->child);
    ff_slot_move(&slot->state, FF_SLOT_KILL);
}

/* Removing a tree can take long. */
struct removal {
    struct ff_chore chore;
    char path[PATH_MAX];
};

static void run_removal(struct ff_chore *chore)
{
    (void)!ff_folder_remove(((struct removal *)chore)->path, NULL);
}

/* What was not removed goes when the next manager on this node begins. */
static void removal_done(struct ff_chore *chore, bool closing)
{
    (void)closing;
    free(chore);
}

static void remove_folder(struct ff_manager *manager, const char *path)
{
    struct removal *removal = calloc(1, sizeof *removal);
    if (removal == NULL)
        return;
    removal->chore.run = run_removal;
    removal->chore.done = removal_done;
    snprintf(removal->path, sizeof removal->path, "%s", path);
    ff_chores_give(manager->removals, &removal->chore);
}

/* The folder that the dead runner lent: the call that ran in it may have left something for its next attempt. */
static void settle_lent_folder(const struct ff_slot *slot, const struct ff_work *lost)
{
    char lent[PATH_MAX];
    char own[PATH_MAX];
    char task[FF_ID_TEXT_SIZE];
    ff_scratch_lent_path(slot->manager->tasks, slot->manager->settings.node, slot->child->pid, lent,
                         sizeof lent);
    if (access(lent, F_OK) < 0)
        return;
    if (lost != NULL) {
        ff_id_text(&lost->order.task, task);
        snprintf(own, sizeof own, "%s/%s", slot->manager->tasks, task);
        if (rename(lent, own) == 0)
            return;
    }
    remove_folder(slot->manager, lent);
}

static void died(struct ff_slot *slot, int status)
{
    slot->is_reaped = true;
    /* What it said before its end still counts, unless it was killed. */
    while (slot->state != FF_SLOT_ENDING && ff_channel_fill(slot->child->channel) > 0)
        if (ff_slot_take_frames(slot) < 0)
            break;
    ff_slot_read_output(slot);
    ff_slot_end_output(slot);
    if (slot->state != FF_SLOT_ENDING)
        slot->was_starting = slot->state == FF_SLOT_STARTING;
    struct ff_work *head = slot->calls.first;
    bool begun =
        head != NULL && (slot->was_starting || ff_turn_taken(slot->child->turn) >= head->serial);
    while (slot->calls.last != NULL && (slot->calls.last != head || !begun)) {
        struct ff_work *work = slot->calls.last;
        bool cancelled = work->cancelled;
        work->slot = NULL;
        ff_work_ready(work, true);
        if (cancelled)
            ff_work_cancel(work);
    }
    if (slot->state != FF_SLOT_LENT)
        settle_lent_folder(slot, begun ? head : NULL);
    if (begun) {
        head->slot = NULL;
        struct ff_id task = head->order.task;
        bool comes_again = !head->cancelled && !head->limited && !slot->manager->draining;
        ff_handed_lost(head, slot, status);
        /* The next attempt gets the same devices, when it comes soon. */
        if (slot->lease != NULL && comes_again) {
            ff_leases_keep(slot->manager->leases, slot->lease, &task);
            slot->lease = NULL;
        }
    }
    ff_slot_move(&slot->state, FF_SLOT_DEAD);
    clear(slot);
    slot->manager->dispatch_wanted = true;
}

static void bury(struct ff_manager *manager, pid_t pid, int status)
{
    for (size_t i = 0; i < manager->slot_count; i++) {
        struct ff_slot *slot = &manager->slots[i];
        if (slot->child == NULL || slot->child->pid != pid)
            continue;
        died(slot, status);
        return;
    }
    if (manager->spare == NULL || manager->spare->pid != pid)
        return; /* something that a runner had started */
    char end[128];
    ff_child_describe_end(status, end, sizeof end);
    ff_log(FF_LOG_WARNING, "a runner that was started ahead %s", end);
    ff_child_destroy(manager->spare);
    manager->spare = NULL;
    manager->spare_failed = true;
}

static bool is_runner(void *user, pid_t pid)
{
    const struct ff_manager *manager = user;
    if (manager->spare != NULL && manager->spare->pid == pid)
        return true;
    for (size_t i = 0; i < manager->slot_count; i++)
        if (manager->slots[i].child != NULL && manager->slots[i].child->pid == pid)
            return true;
    return false;
}

void ff_slots_reap(struct ff_manager *manager)
{
    int status;
    pid_t pid;
    bool any = false;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        bury(manager, pid, status);
        any = true;
    }
    /* What a dead runner had started has fallen to the manager. */
    if (any)
        ff_tree_kill_children(is_runner, manager);
}

/* ---- all slots ---- */

static void timer_due(void *user)
{
    struct ff_slot *slot = user;
    slot->timer_set = false;
    ff_slot_check(slot);
}

int ff_slots_open(struct ff_manager *manager, struct ff_error *error)
{
    manager->slots = calloc(manager->slot_count, sizeof(struct ff_slot));
    if (manager->slots == NULL)
        return ff_fail(error, FF_NO_MEMORY, "no memory for %zu slots", manager->slot_count);
    manager->removals = ff_chores_create(manager->loop, error);
    if (manager->removals == NULL)
        return -1;
    for (size_t i = 0; i < manager->slot_count; i++) {
        struct ff_slot *slot = &manager->slots[i];
        slot->manager = manager;
        slot->number = (unsigned)i;
        slot->slots_taken = 1;
        slot->core_begin =
            ff_slot_cores(i, manager->slot_count, manager->core_count, &slot->core_count);
        slot->timer = ff_timer_create(manager->loop, timer_due, slot, error);
        if (slot->timer == NULL)
            return -1;
    }
    return 0;
}

void ff_slots_close(struct ff_manager *manager)
{
    for (size_t i = 0; manager->slots != NULL && i < manager->slot_count; i++) {
        struct ff_slot *slot = &manager->slots[i];
        if (slot->child != NULL)
            ff_child_kill(slot->child);
        if (slot->timer != NULL)
            clear(slot);
        ff_timer_destroy(slot->timer);
    }
    free(manager->slots);
    ff_chores_destroy(manager->removals);
}

/*
 * A call in a slot: it is handed over, has its clock, is asked to end, and ends.
 */
#include "worker/call.h"
#include "worker/leaving.h"

#include "worker/manager.h"
#include "worker/slot.h"
#include "worker/uplink.h"

#include "functions/function.h"
#include "protocol/core/clock.h"
#include "protocol/core/file.h"

#include <stdio.h>
#include <string.h>

enum {
    REPORT_NS = 2000000, /* a call that is shorter is never reported as running */
    STUCK_NS = 20000000, /* calls behind one that takes so long go elsewhere */
    SHORT_NS = 2000000   /* calls that are shorter get no folder of their own before they need it */
};

#define LOAD_LIMIT_NS 60000000000ll
#define GRACE_NS      (FF_KILL_GRACE_MS * 1000000ll)

static void report_running(struct ff_work *work)
{
    const struct ff_slot *slot = work->slot;
    struct ff_report report = {
        .task = work->order.task,
        .attempt = work->order.attempt,
        .state = FF_TASK_RUNNING,
        .node = ff_span_of(slot->manager->settings.node),
        .block = ff_span_of(slot->manager->settings.block),
        .pid = (uint64_t)slot->child->pid,
        .time_ns = (uint64_t)ff_wall_ns(),
        .can_checkpoint = ff_work_can_checkpoint(work),
    };
    if (slot->lease != NULL)
        report.devices = ff_span_of(ff_gpu_lease_uuids(slot->lease));
    ff_uplink_report(slot->manager->uplink, &report);
    work->reported = true;
}

/* A runner that waits for its processor has not begun with what was sent: that runs anew elsewhere, uncharged, if it dies. */
static bool has_taken(const struct ff_slot *slot, const struct ff_work *head)
{
    return ff_turn_taken(slot->child->turn) >= head->serial;
}

void ff_slot_recall(struct ff_slot *slot)
{
    const struct ff_work *head = slot->calls.first;
    /* A first call that is recalled would be dropped there and waited for here. What is taken stays taken, so the question
     * may come before the recall. */
    if (head == NULL || !has_taken(slot, head))
        return;
    uint32_t taken = ff_turn_recall(slot->child->turn, slot->sent);
    /* The page is within reach of the function: believed only within what can be. */
    if (slot->state == FF_SLOT_BUSY && taken < head->serial)
        taken = head->serial;
    while (slot->calls.last != head && slot->calls.last->serial > taken) {
        struct ff_work *work = slot->calls.last;
        work->slot = NULL;
        ff_work_ready(work, true);
    }
}

/* Asks the call to end; ff_slot_check kills it when it does not. */
static void end_call(struct ff_slot *slot, const struct ff_work *work)
{
    if (slot->state == FF_SLOT_BUSY && (slot->flags & FF_FUNCTION_CAN_STOP) != 0) {
        ff_turn_ask(slot->child->turn, work->serial, FF_STOP_AND_KEEP);
        slot->kill_ns = ff_monotonic_ns() + GRACE_NS;
    } else {
        ff_slot_kill(slot, NULL);
    }
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* When the time limit of the call is due; it is ended when that has passed. */
static int64_t check_limit(struct ff_slot *slot, struct ff_work *head, int64_t now_ns)
{
    enum { LONGEST_MS = 1 << 30 }; /* twelve days */
    uint64_t limit_ms = head->order.time_limit_ms;
    if (limit_ms == 0 || head->limited)
        return INT64_MAX;
    int64_t due_ns =
        slot->head_ns + (int64_t)(limit_ms < LONGEST_MS ? limit_ms : LONGEST_MS) * 1000000;
    if (now_ns < due_ns)
        return due_ns;
    head->limited = true;
    end_call(slot, head);
    return INT64_MAX;
}

/* Returns when to look again. */
static int64_t check_running(struct ff_slot *slot, int64_t now_ns)
{
    struct ff_work *head = slot->calls.first;
    int64_t next_ns = check_limit(slot, head, now_ns);
    if (slot->kill_ns != 0 && now_ns >= slot->kill_ns)
        ff_slot_kill(slot, NULL);
    if (slot->state != FF_SLOT_BUSY)
        return INT64_MAX;
    const int64_t lasts_ns = now_ns - slot->head_ns;
    if (!head->reported && lasts_ns >= REPORT_NS && has_taken(slot, head))
        report_running(head);
    if (slot->calls.count > 1 && now_ns - slot->head_ns >= STUCK_NS)
        ff_slot_recall(slot);
    if (!head->reported)
        next_ns =
            earlier(next_ns, slot->head_ns + (lasts_ns < REPORT_NS ? REPORT_NS : 2 * lasts_ns));
    if (slot->calls.count > 1)
        next_ns = earlier(next_ns, now_ns - slot->head_ns < STUCK_NS ? slot->head_ns + STUCK_NS
                                                                     : now_ns + STUCK_NS);
    if (slot->kill_ns != 0)
        next_ns = earlier(next_ns, slot->kill_ns);
    return next_ns;
}

/* The timer is not set anew for every call, but looks, when it is due, at the call that is first by then. */
void ff_slot_check(struct ff_slot *slot)
{
    int64_t now_ns = ff_monotonic_ns();
    int64_t next_ns = INT64_MAX;
    if (slot->state == FF_SLOT_BUSY)
        next_ns = check_running(slot, now_ns);
    else if (slot->state == FF_SLOT_STARTING)
        next_ns = slot->head_ns + LOAD_LIMIT_NS;
    if (slot->state == FF_SLOT_STARTING && now_ns >= next_ns) {
        ff_slot_kill(slot, "the function did not load within 60 s");
        return;
    }
    slot->timer_set = next_ns != INT64_MAX;
    ff_timer_set(slot->timer, slot->timer_set ? next_ns : FF_TIMER_OFF);
}

void ff_slot_begin_head(struct ff_slot *slot)
{
    const struct ff_work *head = slot->calls.first;
    slot->head_ns = ff_monotonic_ns();
    if (!head->cancelled && !head->limited)
        slot->kill_ns = 0;
    if (head->stop != FF_GO_ON)
        ff_turn_ask(slot->child->turn, head->serial, head->stop);
    if (head->cancelled)
        end_call(slot, head);
    if (!slot->timer_set || head->order.time_limit_ms > 0 || slot->kill_ns != 0)
        ff_slot_check(slot);
}

/* ---- handing over ---- */

static int put_frame(struct ff_slot *slot, struct ff_encoder *encoder, struct ff_error *error)
{
    if (ff_encode_end(encoder, error) < 0)
        return -1;
    return ff_channel_put(slot->child->channel, ff_buffer_span(&slot->manager->frame), error);
}

/* Short calls share a folder that their runner lends, until one uses it. */
static int make_folder(const struct ff_work *work, char *scratch, char *checkpoint,
                       struct ff_error *error)
{
    const struct ff_group *group = work->group;
    char task[FF_ID_TEXT_SIZE];
    scratch[0] = checkpoint[0] = '\0';
    if (group->known && !group->own_process && group->run_ns >= 0 && group->run_ns < SHORT_NS &&
        work->order.number <= 1)
        return 0;
    ff_id_text(&work->order.task, task);
    snprintf(scratch, PATH_MAX, "%s/%s/scratch", work->manager->tasks, task);
    snprintf(checkpoint, PATH_MAX, "%s/%s/checkpoint", work->manager->tasks, task);
    return ff_folder_make(scratch, 0700, error);
}

static int send_call(struct ff_slot *slot, struct ff_work *work, struct ff_error *error)
{
    char scratch[PATH_MAX];
    char checkpoint[PATH_MAX];
    struct ff_encoder encoder;
    if (make_folder(work, scratch, checkpoint, error) < 0)
        return -1;
    struct ff_invocation invocation = {
        .serial = slot->sent + 1,
        .task = work->order.task,
        .attempt = work->order.attempt,
        .number = work->order.number,
        .arguments = work->order.arguments,
        .arguments_path = ff_span_of(work->arguments_path),
        .body = {work->group->body, work->group->body_size},
        .scratch = ff_span_of(scratch),
        .checkpoint = ff_span_of(checkpoint),
        .time_limit_ms = work->order.time_limit_ms,
        .node_list = work->order.node_list,
    };
    ff_encode_begin(&encoder, &slot->manager->frame, FF_MSG_RUNNER_CALL);
    ff_encode_invocation(&encoder, &invocation);
    return put_frame(slot, &encoder, error);
}

void ff_slot_hand(struct ff_slot *slot, struct ff_work *work)
{
    struct ff_error error;
    if (send_call(slot, work, &error) < 0) {
        ff_work_fail(work, &error);
        if (slot->calls.first == NULL && slot->state == FF_SLOT_STARTING)
            ff_slot_kill(slot, NULL); /* it was started for this call */
        return;
    }
    if (slot->state != FF_SLOT_STARTING)
        ff_slot_move(&slot->state, FF_SLOT_HAND);
    work->serial = ++slot->sent;
    work->slot = slot;
    work->handed_ns = ff_monotonic_ns();
    slot->used_ns = work->handed_ns;
    ff_work_move(work, &slot->calls, FF_WORK_HANDED);
    if (work == slot->calls.first)
        ff_slot_begin_head(slot);
    else if (!slot->timer_set)
        ff_slot_check(slot); /* which recalls it when the one before takes long */
}

/* ---- what is asked of a call ---- */

void ff_handed_cancel(struct ff_work *work)
{
    struct ff_slot *slot = work->slot;
    work->cancelled = true;
    if (slot->state == FF_SLOT_ENDING)
        return;
    ff_slot_recall(slot);
    if (work->place == FF_WORK_READY)
        ff_work_cancel(work);
    else if (work == slot->calls.first) /* another one is ended when it comes to be first */
        end_call(slot, work);
    ff_slot_check(slot);
}

bool ff_handed_recall(struct ff_work *work)
{
    if (work->slot->state == FF_SLOT_ENDING)
        return false;
    ff_slot_recall(work->slot);
    if (work->place != FF_WORK_READY)
        return false;
    ff_work_give_back(work, false, "the task was called back before it began");
    return true;
}

void ff_handed_ask(struct ff_work *work, int stop)
{
    struct ff_slot *slot = work->slot;
    if (slot->state == FF_SLOT_ENDING)
        return;
    if (stop == FF_CHECKPOINT) {
        if (ff_handed_recall(work))
            return;
        if (slot->state == FF_SLOT_BUSY && (slot->flags & FF_FUNCTION_CAN_CHECKPOINT) == 0)
            return;
    }
    work->stop = stop;
    if (work == slot->calls.first)
        ff_turn_ask(slot->child->turn, work->serial, stop);
}

/* ---- ends ---- */

/* Whether the function stopped by itself or was killed: it did not end in its time. */
static void describe_limit(const struct ff_work *work, struct ff_outcome *outcome)
{
    char *text = work->manager->text;
    snprintf(text, sizeof work->manager->text, "the task reached its time limit of %.3f s",
             1e-3 * (double)work->order.time_limit_ms);
    outcome->state = FF_TASK_FAILED_STATE;
    outcome->lost = outcome->uncharged = false;
    outcome->code = ff_span_of(ff_error_name(FF_TIME_LIMIT));
    outcome->message = ff_span_of(text);
    outcome->hint = ff_span_of("give it more time, or less to do");
}

/* What runs is cut off when its worker has to leave; the attempt is not charged. */
static void describe_cut(const struct ff_work *work, const struct ff_slot *slot, char *text,
                         size_t size)
{
    const struct ff_manager *manager = slot->manager;
    bool could = (slot->flags & FF_FUNCTION_CAN_CHECKPOINT) != 0;
    snprintf(text, size, "%s on %s; %s %s",
             manager->block_ends ? "the time of the block was over" : "the worker had to leave",
             manager->settings.node, work->group->name,
             could ? "had written no checkpoint by then"
                   : "writes no checkpoints, so it begins anew");
}

void ff_handed_answered(struct ff_work *work, struct ff_outcome *outcome)
{
    ff_works_well(work->manager);
    if (work->cancelled) {
        ff_work_cancel(work);
        return;
    }
    if (work->limited) {
        describe_limit(work, outcome);
    } else if (outcome->state != FF_TASK_SUCCESS) {
        outcome->state = FF_TASK_FAILED_STATE;
        /* A scheduler that ends a block signals all its processes, commands of shell functions too. */
        if (ff_manager_is_signalled(work->manager))
            outcome->lost = outcome->uncharged = true;
    }
    if (outcome->value.size > FF_INLINE_LIMIT)
        ff_work_end_large(work, outcome);
    else
        ff_work_end(work, outcome);
}

void ff_handed_lost(struct ff_work *work, const struct ff_slot *slot, int status)
{
    char end[128];
    char message[512];
    char hint[96];
    if (work->cancelled) {
        ff_work_cancel(work);
        return;
    }
    struct ff_outcome outcome = {.state = FF_TASK_FAILED_STATE};
    if (work->limited) {
        describe_limit(work, &outcome);
    } else if (slot->manager->hurried) {
        describe_cut(work, slot, message, sizeof message);
        ff_work_give_back(work, true, message);
        return;
    } else {
        ff_child_describe_end(status, end, sizeof end);
        if (slot->loss[0] != '\0')
            snprintf(message, sizeof message, "%s", slot->loss);
        else
            snprintf(message, sizeof message, "the process that ran %s %s%s", work->group->name,
                     end, slot->was_starting ? " while the function was loaded" : "");
        outcome.lost = true;
        outcome.code = ff_span_of(ff_error_name(FF_RUNNER_LOST));
        outcome.message = ff_span_of(message);
        char task[FF_ID_TEXT_SIZE];
        ff_id_text(&work->order.task, task);
        snprintf(hint, sizeof hint, "farfield task logs %s shows what it said last", task);
        outcome.hint = ff_span_of(hint);
    }
    if (slot->lease != NULL)
        outcome.devices = ff_span_of(ff_gpu_lease_uuids(slot->lease));
    ff_work_end(work, &outcome);
}

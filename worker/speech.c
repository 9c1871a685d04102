/*
 * What a runner says. A function can write anything to its channel: whatever does not fit what the slot expects ends the
 * runner.
 */
#include "worker/speech.h"

#include "worker/call.h"
#include "worker/manager.h"
#include "worker/slot.h"
#include "worker/uplink.h"
#include "worker/warm.h"

#include "worker/slot_output.h"

#include "functions/function.h"
#include "protocol/core/clock.h"

#include <stdio.h>

static void after_last_answer(struct ff_slot *slot, bool well)
{
    ff_slot_move(&slot->state, FF_SLOT_ANSWERED);
    slot->kill_ns = 0;
    /* One with lent cores ends because they go back. One whose call failed on devices may have broken what it has there:
     * after many an error CUDA refuses everything until the process ends. */
    if (slot->group->own_process || slot->slots_taken > 1 || (slot->lease != NULL && !well))
        ff_slot_kill(slot, NULL);
    else if (slot->lease != NULL)
        ff_warm_after(slot);
}

static int take_outcome(struct ff_slot *slot, struct ff_outcome *outcome)
{
    struct ff_work *work = slot->calls.first;
    if (slot->state != FF_SLOT_BUSY || work == NULL ||
        !ff_id_equal(&outcome->task, &work->order.task) ||
        !ff_attempt_equal(outcome->attempt, work->order.attempt))
        return -1;
    ff_slot_read_output(slot); /* what it printed comes before its end */
    bool well = outcome->state == FF_TASK_SUCCESS;
    struct ff_group *group = slot->group;
    int64_t run_ns =
        (int64_t)(outcome->run_us < (1ull << 40) ? outcome->run_us : 1ull << 40) * 1000;
    group->run_ns = group->run_ns < 0 ? run_ns : (7 * group->run_ns + run_ns) / 8;
    if (slot->lease != NULL) {
        outcome->devices = ff_span_of(ff_gpu_lease_uuids(slot->lease));
        slot->lost_on_devices = outcome->lost && !outcome->uncharged;
    }
    work->slot = NULL;
    ff_handed_answered(work, outcome);
    slot->used_ns = ff_monotonic_ns();
    if (slot->calls.first != NULL)
        ff_slot_begin_head(slot);
    else
        after_last_answer(slot, well);
    slot->manager->dispatch_wanted = true;
    return 0;
}

static int take_ready(struct ff_slot *slot, const struct ff_ready *ready)
{
    struct ff_error error;
    if (slot->state != FF_SLOT_STARTING)
        return -1;
    if (ready->code.size == 0) {
        slot->flags = (uint32_t)ready->flags;
        slot->group->known = true;
        if ((slot->flags & FF_FUNCTION_OWN_PROCESS) != 0)
            slot->group->own_process = true;
        ff_slot_move(&slot->state, FF_SLOT_READY);
        ff_timer_set(slot->timer, FF_TIMER_OFF);
        slot->timer_set = false;
        ff_slot_begin_head(slot);
        return 0;
    }
    ff_fail(&error, ff_error_code_from_name(ready->code.data, ready->code.size), "%.*s",
            (int)ready->message.size, (const char *)ready->message.data);
    ff_hint(&error, "%.*s", (int)ready->hint.size, (const char *)ready->hint.data);
    while (slot->calls.first != NULL) {
        struct ff_work *work = slot->calls.first;
        work->slot = NULL;
        ff_work_fail(work, &error);
    }
    ff_slot_kill(slot, NULL);
    return 0;
}

/* Only the call that runs has something to say; what comes late, of one before, is dropped. */
static bool is_of_head(const struct ff_slot *slot, const struct ff_id *task)
{
    return slot->calls.first != NULL && ff_id_equal(&slot->calls.first->order.task, task);
}

static bool may_preview(struct ff_work *work)
{
    enum { BURST = 16, PER_SECOND = 8 };
    int64_t now_ns = ff_monotonic_ns();
    if (work->previewed_ns != 0)
        work->preview_tokens += 1e-9 * (double)(now_ns - work->previewed_ns) * PER_SECOND;
    work->previewed_ns = now_ns;
    if (work->preview_tokens > BURST)
        work->preview_tokens = BURST;
    if (work->preview_tokens < 1)
        return false;
    work->preview_tokens -= 1;
    return true;
}

static int take_item(struct ff_slot *slot, const struct ff_decoder *decoder, union ff_item *item,
                     struct ff_span frame)
{
    switch (decoder->type) {
    case FF_MSG_RUNNER_READY:
        return take_ready(slot, &item->ready);
    case FF_MSG_OUTCOMES:
        return take_outcome(slot, &item->outcome);
    case FF_MSG_PROGRESS:
        if (is_of_head(slot, &item->progress.task))
            ff_uplink_progress(slot->manager->uplink, decoder->raw);
        return 0;
    case FF_MSG_LOG:
        if (is_of_head(slot, &item->line.task))
            ff_work_log(slot->calls.first, item->line.level, item->line.text);
        return 0;
    case FF_MSG_PREVIEW:
        if (is_of_head(slot, &item->preview.task) && may_preview(slot->calls.first))
            ff_uplink_preview(slot->manager->uplink, frame);
        return 0;
    default:
        return -1;
    }
}

static int take_frame(struct ff_slot *slot, struct ff_span frame, struct ff_error *error)
{
    struct ff_decoder decoder;
    union ff_item item;
    int got;
    if (ff_decode_open(&decoder, frame, error) < 0)
        return -1;
    while ((got = ff_decode_next(&decoder, &item, error)) > 0) {
        if (slot->state == FF_SLOT_ENDING)
            return 0; /* what a killed one says no longer counts */
        if (take_item(slot, &decoder, &item, frame) < 0)
            return ff_fail(error, FF_PROTOCOL, "an unexpected %s", ff_message_name(decoder.type));
    }
    return got;
}

int ff_slot_take_frames(struct ff_slot *slot)
{
    struct ff_error error;
    struct ff_span frame;
    char why[256];
    int got;
    while ((got = ff_channel_next(slot->child->channel, &frame, &error)) > 0) {
        if (take_frame(slot, frame, &error) == 0)
            continue;
        got = -1;
        break;
    }
    if (got == 0)
        return 0;
    snprintf(why, sizeof why, "the function's process broke the protocol: %.180s", error.message);
    ff_slot_kill(slot, why);
    return -1;
}

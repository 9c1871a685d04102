#include "worker/slot_output.h"

#include "worker/manager.h"
#include "worker/uplink.h"

#include "functions/function.h"
#include "protocol/core/clock.h"
#include "protocol/core/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { READS = 4, READ_SIZE = 65536 };

static void send_line(struct ff_work *work, uint64_t level, struct ff_span text)
{
    struct ff_line line = {
        .task = work->order.task,
        .attempt = work->order.attempt,
        .level = level,
        .text = text,
        .time_ns = (uint64_t)ff_wall_ns(),
    };
    ff_uplink_line(work->manager->uplink, &line);
}

void ff_work_log(struct ff_work *work, uint64_t level, struct ff_span text)
{
    unsigned left_out = 0;
    if (work->tail == NULL)
        work->tail = ff_log_tail_create();
    if (work->tail == NULL || !ff_log_tail_add(work->tail, text, ff_monotonic_ns(), &left_out))
        return;
    if (left_out > 0) {
        char note[64];
        snprintf(note, sizeof note, "(%u lines came too fast and are left out here)", left_out);
        send_line(work, FF_CALL_WARNING, ff_span_of(note));
    }
    send_line(work, level, text);
}

/* A line belongs to the call that runs; without one, to the log of the manager. */
static void take_line(struct ff_slot *slot, struct ff_span text)
{
    if (slot->calls.first != NULL)
        ff_work_log(slot->calls.first, FF_CALL_INFO, text);
    else if (text.size > 0)
        ff_log(FF_LOG_INFO, "a runner says: %.*s", (int)text.size, (const char *)text.data);
}

static void take_bytes(struct ff_slot *slot, const char *bytes, size_t size)
{
    while (size > 0) {
        const char *newline = memchr(bytes, '\n', size);
        size_t length = newline != NULL ? (size_t)(newline - bytes) : size;
        if (newline != NULL && slot->line_size == 0) {
            take_line(slot, (struct ff_span){bytes, length});
        } else {
            size_t room = sizeof slot->line - slot->line_size;
            size_t part = length < room ? length : room;
            memcpy(slot->line + slot->line_size, bytes, part);
            slot->line_size += part;
            if (newline == NULL && part == length)
                return;
            take_line(slot, (struct ff_span){slot->line, slot->line_size});
            slot->line_size = 0;
            if (part < length) { /* a line beyond all bounds is cut */
                bytes += part;
                size -= part;
                continue;
            }
        }
        bytes += length + 1;
        size -= length + 1;
    }
}

void ff_slot_read_output(struct ff_slot *slot)
{
    char bytes[READ_SIZE];
    for (int i = 0; i < READS && slot->child->output >= 0; i++) {
        ssize_t got = read(slot->child->output, bytes, sizeof bytes);
        if (got < 0)
            return;
        if (got == 0) {
            ff_watch_destroy(slot->output_watch);
            slot->output_watch = NULL;
            close(slot->child->output);
            slot->child->output = -1;
            return;
        }
        take_bytes(slot, bytes, (size_t)got);
        if ((size_t)got < sizeof bytes)
            return;
    }
}

void ff_slot_end_output(struct ff_slot *slot)
{
    if (slot->line_size > 0)
        take_line(slot, (struct ff_span){slot->line, slot->line_size});
    slot->line_size = 0;
}

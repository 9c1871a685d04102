#include "service/trace.h"

#include "protocol/limits.h"

#include <stdlib.h>
#include <string.h>

enum { TRACE_BYTES_LIMIT = 1 << 20 };

struct ff_trace {
    struct ff_event *events; /* oldest first */
    size_t count, capacity;
    uint64_t last;
    size_t bytes;
    bool lines_lost;
};

struct ff_trace *ff_trace_create(void)
{
    return calloc(1, sizeof(struct ff_trace));
}

void ff_trace_destroy(struct ff_trace *trace)
{
    if (trace == NULL)
        return;
    for (size_t i = 0; i < trace->count; i++)
        free(trace->events[i].text);
    free(trace->events);
    free(trace);
}

static void drop(struct ff_trace *trace, size_t index)
{
    struct ff_event *event = &trace->events[index];
    trace->lines_lost |= event->type == FF_EVENT_LOG;
    trace->bytes -= strlen(event->text) + 1;
    free(event->text);
    trace->count--;
    memmove(event, event + 1, (trace->count - index) * sizeof *event);
}

/* The oldest progress, but never the newest one; else the oldest of the others. */
static size_t choose_victim(const struct ff_trace *trace)
{
    size_t oldest = trace->count;
    for (size_t i = 0; i < trace->count; i++) {
        if (trace->events[i].type != FF_EVENT_PROGRESS)
            continue;
        if (oldest < trace->count)
            return oldest;
        oldest = i;
    }
    return oldest == 0 && trace->count > 1 ? 1 : 0;
}

/* Makes room for one more event of `size` bytes: old progress goes first, then what is oldest. */
static void make_room(struct ff_trace *trace, size_t size)
{
    while (trace->count > 0 &&
           (trace->count >= FF_EVENTS_KEPT || trace->bytes + size > TRACE_BYTES_LIMIT)) {
        drop(trace, choose_victim(trace));
    }
}

static bool grow(struct ff_trace *trace)
{
    if (trace->count < trace->capacity)
        return true;
    size_t capacity = trace->capacity == 0 ? 8 : 2 * trace->capacity;
    struct ff_event *events = realloc(trace->events, capacity * sizeof *events);
    if (events == NULL)
        return false;
    trace->events = events;
    trace->capacity = capacity;
    return true;
}

void ff_trace_add(struct ff_trace *trace, const struct ff_event *event, struct ff_span text)
{
    make_room(trace, text.size + 1);
    char *copy = ff_span_copy(text);
    if (copy == NULL || !grow(trace)) {
        free(copy);
        return;
    }
    struct ff_event *kept = &trace->events[trace->count++];
    *kept = *event;
    kept->seq = ++trace->last;
    kept->text = copy;
    trace->bytes += strlen(copy) + 1;
}

size_t ff_trace_count(const struct ff_trace *trace)
{
    return trace->count;
}

const struct ff_event *ff_trace_at(const struct ff_trace *trace, size_t index)
{
    return &trace->events[index];
}

uint64_t ff_trace_last(const struct ff_trace *trace)
{
    return trace->last;
}

size_t ff_trace_bytes(const struct ff_trace *trace)
{
    return trace->bytes + trace->capacity * sizeof(struct ff_event);
}

void ff_trace_log(const struct ff_trace *trace, size_t limit, struct ff_buffer *text,
                  bool *truncated)
{
    size_t from = trace->count;
    size_t total = 0;
    *truncated = trace->lines_lost;
    while (from > 0) {
        const struct ff_event *event = &trace->events[from - 1];
        size_t size = event->type == FF_EVENT_LOG ? strlen(event->text) + 1 : 0;
        if (total + size > limit) {
            *truncated = true;
            break;
        }
        total += size;
        from--;
    }
    for (size_t i = from; i < trace->count; i++) {
        const struct ff_event *event = &trace->events[i];
        if (event->type != FF_EVENT_LOG)
            continue;
        size_t size = strlen(event->text);
        ff_buffer_append(text, event->text, size);
        if (size == 0 || event->text[size - 1] != '\n')
            ff_buffer_append_text(text, "\n");
    }
}

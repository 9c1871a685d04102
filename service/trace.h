/*
 * service/trace.h: what happened to a task, as its owner can follow it: states, progress, log
 * lines, previews.
 *
 * A trace exists only for a task that has said something, or that somebody watches. It keeps
 * FF_EVENTS_KEPT events; beyond that the oldest progress goes first, then the oldest line. Guarded
 * by the lock of the service.
 */
#ifndef FF_SERVICE_TRACE_H
#define FF_SERVICE_TRACE_H

#include "protocol/core/bytes.h"
#include "protocol/task_state.h"

enum ff_event_type {
    FF_EVENT_STATE,
    FF_EVENT_PROGRESS,
    FF_EVENT_LOG,
    FF_EVENT_PREVIEW,
};

struct ff_event {
    uint64_t seq;
    int64_t time_ns;
    enum ff_event_type type;
    uint32_t number; /* state: the state; log: the level; preview: bytes */
    uint32_t attempt;
    double fraction;
    const char *node; /* state; not owned */
    char *text;       /* why, numbers, the line, or the name; terminated */
};

struct ff_trace;

struct ff_trace *ff_trace_create(void) FF_MUST_USE;
void ff_trace_destroy(struct ff_trace *trace);

/* Numbers and keeps a copy of the event with `text`. Without memory the event is lost, never the
 * task. */
void ff_trace_add(struct ff_trace *trace, const struct ff_event *event, struct ff_span text);

size_t ff_trace_count(const struct ff_trace *trace);
const struct ff_event *ff_trace_at(const struct ff_trace *trace, size_t index);
/* The number of the newest event; 0 when there is none. */
uint64_t ff_trace_last(const struct ff_trace *trace);
size_t ff_trace_bytes(const struct ff_trace *trace);

/* Appends the newest log text, at most `limit` bytes, and tells whether older text is missing. */
void ff_trace_log(const struct ff_trace *trace, size_t limit, struct ff_buffer *text,
                  bool *truncated);

#endif

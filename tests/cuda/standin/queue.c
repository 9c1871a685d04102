/* Streams: operations in the order they were queued, and what runs when. A head that waits for a mark is ready once
 * the mark is done; a mark is always queued before what waits for it, so something is always ready. */
#include "machine.h"
#include "sanitizer.h"

#include <stdlib.h>

static unsigned streams_made;

struct mark *standin_mark_hold(struct mark *mark)
{
    mark->holders++;
    return mark;
}

void standin_mark_drop(struct mark *mark)
{
    if (mark != NULL && --mark->holders == 0 && !UNDER_THREAD_SANITIZER)
        free(mark);
}

struct stream *standin_stream_create(unsigned device)
{
    struct stream *stream = standin_allocate(1, sizeof *stream);
    *stream = (struct stream){.next = standin_machine.streams,
                              .device = device,
                              .number = ++streams_made,
                              .rank = standin_random(UINT32_MAX),
                              .fiber = THREAD_CREATE()};
    standin_machine.streams = stream;
    return stream;
}

void standin_stream_destroy(struct stream *stream)
{
    standin_finish(stream);
    THREAD_ACQUIRE(&stream->sync);
    for (struct stream **at = &standin_machine.streams; *at != NULL; at = &(*at)->next) {
        if (*at == stream) {
            *at = stream->next;
            break;
        }
    }
    standin_forget_stream(stream);
    THREAD_DESTROY(stream->fiber);
    free(stream);
}

static bool is_ready(const struct stream *stream)
{
    return stream->first != NULL && !stream->busy &&
           (stream->first->waits_for == NULL || stream->first->waits_for->done);
}

/* After so many operations a device may be lost, where a test asked for it. */
static void age(struct device *device)
{
    if (device->operations_left > 0 && --device->operations_left == 0)
        device->lost = device->lose_with;
}

/* Runs the operation as its stream: for the thread sanitizer a thread of its own, which knows of the host only what
 * came before the call that queued it. */
static void run_as_stream(struct operation *operation)
{
    struct stream *stream = operation->stream;
    void *here = THREAD_HERE();
    (void)here;
    THREAD_SWITCH(stream->fiber);
    THREAD_ACQUIRE(&operation->sync);
    if (operation->waits_for != NULL)
        THREAD_ACQUIRE(&operation->waits_for->sync);
    if (operation->run != NULL)
        operation->run(operation);
    THREAD_RELEASE(&stream->sync);
    THREAD_SWITCH(here);
}

static void run_first(struct stream *stream)
{
    struct operation *operation = stream->first;
    struct device *device = &standin_machine.device[stream->device];
    if (!operation->of_host)
        age(device);
    standin_machine.tick++;
    stream->busy = true;
    if (device->lost == cudaSuccess || operation->of_host) {
        standin_gate_running(operation->name, (int)stream->device);
        if (operation->of_host)
            standin_unlock();
        run_as_stream(operation);
        if (operation->of_host)
            standin_lock();
        standin_gate_running(NULL, -1);
    }
    stream->busy = false;
    stream->first = operation->next;
    if (stream->first == NULL)
        stream->last = NULL;
    standin_mark_drop(operation->waits_for);
    if (operation->destroy != NULL)
        operation->destroy(operation);
    else if (!UNDER_THREAD_SANITIZER)
        free(operation);
}

/* The stream itself, or the one whose work it waits for first; NULL: another thread runs that now. */
static struct stream *first_in_the_way(struct stream *stream)
{
    while (stream->first != NULL && !stream->busy && !is_ready(stream))
        stream = stream->first->waits_for->stream;
    if (stream->busy)
        return NULL;
    if (stream->first == NULL)
        standin_fault("deadlock: stream %u waits for an event that nothing will record",
                      stream->number);
    return stream;
}

/* Streams have ranks by chance, which seldom change: a stream that lags far behind another shows more than a fair mix. */
static struct stream *any_ready(const struct stream *except)
{
    unsigned count = 0;
    for (struct stream *s = standin_machine.streams; s != NULL; s = s->next)
        count += s != except && is_ready(s);
    if (count == 0)
        return NULL;
    unsigned chosen = standin_machine.order == STANDIN_SEEDED ? standin_random(count) : 0;
    for (struct stream *s = standin_machine.streams; s != NULL; s = s->next)
        if (s != except && is_ready(s) && chosen-- == 0)
            return s;
    return NULL;
}

/* What runs next when the host waits for `stream`. */
static struct stream *choose(struct stream *stream)
{
    struct stream *other = NULL;
    if (standin_machine.order == STANDIN_MIRROR)
        other = any_ready(stream);
    else if (standin_machine.order == STANDIN_SEEDED)
        other = any_ready(NULL);
    return other != NULL ? other : first_in_the_way(stream);
}

static void advance(struct stream *stream)
{
    struct stream *next = choose(stream);
    if (next != NULL)
        run_first(next);
    else
        standin_pause();
}

void standin_finish(struct stream *stream)
{
    while (stream->first != NULL)
        advance(stream);
}

void standin_finish_mark(struct mark *mark)
{
    while (!mark->done)
        advance(mark->stream);
}

void standin_finish_device(unsigned device)
{
    for (struct stream *s = standin_machine.streams; s != NULL;) {
        if (s->device == device && s->first != NULL) {
            standin_finish(s);
            s = standin_machine.streams; /* the list may have changed while a host function ran */
        } else {
            s = s->next;
        }
    }
    for (struct stream *s = standin_machine.streams; s != NULL; s = s->next)
        if (s->device == device)
            THREAD_ACQUIRE(&s->sync);
}

void standin_run_a_little(struct stream *stream)
{
    if (stream->first != NULL)
        advance(stream);
}

void standin_queue(struct stream *stream, struct operation *operation)
{
    THREAD_RELEASE(&operation->sync);
    operation->stream = stream;
    operation->next = NULL;
    if (stream->last != NULL)
        stream->last->next = operation;
    else
        stream->first = operation;
    stream->last = operation;
    if (standin_machine.order == STANDIN_EAGER)
        standin_finish(stream);
    if (standin_machine.order == STANDIN_SEEDED)
        for (unsigned n = standin_random(1 + standin_machine.haste); n > 0; n--) {
            struct stream *ready = any_ready(NULL);
            if (ready != NULL)
                run_first(ready);
        }
}

/*
 * functions/reconstruct/bench/model/timeline.h: how long launches on streams of several devices take that share memory and
 * links. Knows nothing of what is computed.
 *
 * A launch takes as long as its slowest part: the launch itself, what it moves in its own device's memory, what it reads over
 * each link. Launches of a stream follow each other; events order streams. What runs at the same time on a device shares its
 * memory evenly; reads share the link, the port they come in by and the one they leave by, and take their part of the memory
 * that they read.
 */
#ifndef FF_RECONSTRUCT_BENCH_MODEL_TIMELINE_H
#define FF_RECONSTRUCT_BENCH_MODEL_TIMELINE_H

#include "functions/reconstruct/bench/model/machine.h"

/* The streams of a device, as in backends/cuda. */
enum ff_model_stream {
    FF_STREAM_WORK,
    FF_STREAM_COPIES,
    FF_STREAM_ANSWERS,
    FF_STREAM_EXCHANGE,
    FF_STREAM_COPYING,
    FF_STREAM_BESIDE,
    FF_STREAM_LATE,
    FF_STREAMS,
};

/* One launch, as it is queued. */
struct ff_model_launch {
    const char *name;
    double bytes;                 /* in the memory of its device, both directions */
    double from[FF_MODEL_PLACES]; /* that it reads of other devices, or of the host */
};

/* What came of it; seconds from the beginning. */
struct ff_model_played {
    struct ff_model_launch launch;
    unsigned device;
    enum ff_model_stream stream;
    bool is_mark; /* an event, which takes no time */
    double start, end;
};

struct ff_timeline;

/* NULL with FF_NO_MEMORY. The machine must outlive it. */
struct ff_timeline *ff_timeline_create(const struct ff_model_machine *machine, unsigned devices,
                                       struct ff_error *error) FF_MUST_USE;
void ff_timeline_destroy(struct ff_timeline *timeline);

void ff_timeline_queue(struct ff_timeline *timeline, unsigned device, enum ff_model_stream stream,
                       const struct ff_model_launch *launch);
/* An event: when the stream has come here. */
size_t ff_timeline_record(struct ff_timeline *timeline, unsigned device,
                          enum ff_model_stream stream);
/* What is queued on the stream from here on comes after the event. Of another device it is known later by the link's latency. */
void ff_timeline_wait(struct ff_timeline *timeline, unsigned device, enum ff_model_stream stream,
                      size_t event);
/* The host waits for the working streams of all devices before it queues anything more. */
void ff_timeline_host_waits(struct ff_timeline *timeline);

/* Plays all that was queued. Fails where memory ran out since the beginning. */
int ff_timeline_play(struct ff_timeline *timeline, struct ff_error *error) FF_MUST_USE;

/* After it: what was queued, in that order, and when the last of it ended. */
size_t ff_timeline_count(const struct ff_timeline *timeline);
const struct ff_model_played *ff_timeline_at(const struct ff_timeline *timeline, size_t index);
double ff_timeline_seconds(const struct ff_timeline *timeline);

#endif

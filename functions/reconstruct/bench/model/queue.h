/*
 * functions/reconstruct/bench/model/queue.h: what the CUDA backend queues, stage by stage, in its order and on its streams. It
 * follows backends/cuda: batch.c, gradients.c, exchange.c, step.c. When one of these changes, so must this.
 */
#ifndef FF_RECONSTRUCT_BENCH_MODEL_QUEUE_H
#define FF_RECONSTRUCT_BENCH_MODEL_QUEUE_H

#include "functions/reconstruct/bench/model/launches.h"

enum ff_model_algorithm { FF_MODEL_RPIE, FF_MODEL_LSTSQ };

/* Bytes of sums that were read of other devices, as the backend counts them. */
struct ff_model_queued {
    double exchanged_bytes;
};

/* An epoch of all batches with one step each, and the cost of it at the end. */
int ff_model_queue_epoch(struct ff_timeline *timeline, const struct ff_model_machine *machine,
                         const struct ff_model_epoch *epoch, size_t size, size_t modes,
                         enum ff_model_algorithm algorithm, struct ff_model_queued *queued,
                         struct ff_error *error) FF_MUST_USE;

#endif

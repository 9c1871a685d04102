/*
 * functions/reconstruct/bench/model/model.h: the modelled time of an epoch on CUDA devices: counted bytes and launches, played as a
 * timeline. Nothing is measured, and no device is needed.
 */
#ifndef FF_RECONSTRUCT_BENCH_MODEL_MODEL_H
#define FF_RECONSTRUCT_BENCH_MODEL_MODEL_H

#include "functions/reconstruct/bench/model/queue.h"

/* What is modelled. */
struct ff_model_case {
    struct ff_model_machine machine;
    enum ff_model_algorithm algorithm;
    size_t patterns, size, modes, batches;
    double step; /* pixels from a pattern to the next */
};

enum { FF_MODEL_KERNELS = 16 };

struct ff_model_kernel {
    const char *name;
    size_t launches;
    double bytes; /* in device memory, and over links */
};

struct ff_model_result {
    unsigned devices; /* as many as there are tiles */
    size_t object;    /* pixels of a side of the object */
    double seconds;
    double exchanged_bytes;                           /* in the epoch, over all devices */
    struct ff_model_kernel kernels[FF_MODEL_KERNELS]; /* over all devices, in order of first use */
    size_t kernel_count;
    double beside_bytes; /* of all kernels but transforms */
    /* Parts of the seconds, mean of all devices: of its working stream the launches that memory bounds, those that take
     * what a launch takes at least, and when it waits for others. */
    double moving_s, launching_s, waiting_s;
    double uneven; /* patterns of a batch on the device with most, over the mean */
};

/* Patterns of a device that are at work at once, at most. */
size_t ff_model_at_once(const struct ff_model_case *model);

int ff_model_run(const struct ff_model_case *model, unsigned devices,
                 struct ff_model_result *result, struct ff_error *error) FF_MUST_USE;

#endif

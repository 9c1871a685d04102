/*
 * functions/reconstruct/bench/model/launches.h: what the kernels of backends/cuda move in device memory: sectors of 32 bytes, each
 * once a launch and direction, whatever of them is still in a cache. Far field, no eigenprobes, bilinear taps, counts of 16
 * bits on the device, all pixels measured.
 */
#ifndef FF_RECONSTRUCT_BENCH_MODEL_LAUNCHES_H
#define FF_RECONSTRUCT_BENCH_MODEL_LAUNCHES_H

#include "functions/reconstruct/bench/model/scan.h"
#include "functions/reconstruct/bench/model/timeline.h"

/* Of a device. */
struct ff_model_shape {
    size_t pixels; /* of a pattern, and of the probe */
    size_t modes;
    size_t tile; /* pixels of its part of the object */
};

/* Launches that all move the same: a transform has FF_MODEL_PASSES of them. */
enum { FF_MODEL_PASSES = 2 };

struct ff_model_launch ff_model_weigh(const struct ff_model_shape *shape, size_t patterns);
/* `is_first`: of the chunks of a batch, which sets the sums of the probe. */
struct ff_model_launch ff_model_form_waves(const struct ff_model_shape *shape,
                                           const struct ff_model_chunk *chunk, bool is_first);
struct ff_model_launch ff_model_transform_pass(const struct ff_model_shape *shape,
                                               const struct ff_model_chunk *chunk);
struct ff_model_launch ff_model_modulus(const struct ff_model_shape *shape,
                                        const struct ff_model_chunk *chunk);
struct ff_model_launch ff_model_sum_exit_waves(const struct ff_model_shape *shape,
                                               const struct ff_model_chunk *chunk, bool is_first);
struct ff_model_launch ff_model_gather_numbers(const struct ff_model_shape *shape, size_t patterns);
struct ff_model_launch ff_model_take_costs(size_t patterns);
struct ff_model_launch ff_model_step(const struct ff_model_shape *shape);
/* Of so many pixels of the object alone, with their sums at home. */
double ff_model_step_bytes(size_t pixels);
/* `owned`: pixels of the tile that count. */
struct ff_model_launch ff_model_length_pieces(const struct ff_model_shape *shape, size_t owned);
struct ff_model_launch ff_model_add_pieces(void);

/* Bytes of the probe, or of N_P; and of V. */
double ff_model_probe_bytes(const struct ff_model_shape *shape);
double ff_model_power_bytes(const struct ff_model_shape *shape);

#endif

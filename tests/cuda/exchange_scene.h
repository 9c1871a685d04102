/*
 * tests/cuda/exchange_scene.h: several devices whose partial sums are numbers by chance, and the whole sums that the exchange must
 * make of them, to the bit. Rounds follow each other without the host waiting; before each the sums are spoilt, so that whoever
 * reads the last ones too late shows.
 */
#ifndef FF_TESTS_CUDA_EXCHANGE_SCENE_H
#define FF_TESTS_CUDA_EXCHANGE_SCENE_H

#include "functions/reconstruct/backends/cuda/exchange.h"
#include "functions/reconstruct/devices/tiles.h"
#include "tests/cuda/fault.h"

enum { EXCHANGE_ROUNDS = 3 };

struct exchange_options {
    unsigned devices;
    uint64_t seed;
    size_t probe_rows; /* 0: more than devices */
    bool narrow_halo;  /* the second device takes its first overlap for a column less than it is */
    bool all;          /* every round wants the probe too, not all but the second */
    bool backwards;    /* the host waits for the last device first */
    bool late;         /* the object is offered with the rest, not before it */
    /* Between the object and the rest every device's work stream does this; NULL: nothing. */
    cudaHostFn_t between;
    void *between_data;
};

/* Where the numbers of a device lie in one block of floats. */
struct exchange_layout {
    size_t object, weight, probe, power, greatest, size;
};

struct exchange_member {
    struct ff_cuda_calls calls;
    struct ff_cuda_memory memory;
    cudaStream_t stream, beside; /* W comes by a stream of its own */
    cudaEvent_t begun;           /* the round, on `stream` */
    struct ff_link *links;
    struct exchange_layout layout;
    float *sums; /* on the device */
    struct ff_cuda_exchange *exchange;
    float *given[EXCHANGE_ROUNDS], *found[EXCHANGE_ROUNDS]; /* pinned */
    size_t first_row[EXCHANGE_ROUNDS], end_row[EXCHANGE_ROUNDS];
};

struct exchange_scene {
    struct exchange_options options;
    struct ff_tiles *tiles;
    unsigned count;
    size_t probes, powers, rows, columns;
    unsigned want[EXCHANGE_ROUNDS];
    struct exchange_member member[FF_CUDA_DEVICES];
    struct ff_cuda_exchange *peers[FF_CUDA_DEVICES];
};

/* The machine has begun, with its links. */
void make_exchange_scene(struct exchange_scene *scene, const struct exchange_options *options);
/* The stages, one member at a time; a host thread for each may call them, with a barrier between. */
void exchange_form(struct exchange_scene *scene, unsigned number, unsigned round);
void exchange_settle(struct exchange_scene *scene, unsigned number);
void exchange_spread(struct exchange_scene *scene, unsigned number, unsigned round);
/* All stages of all rounds, then waits. */
void run_exchange(struct exchange_scene *scene);
void wait_for_exchange(struct exchange_scene *scene);
/* How many numbers are wrong. */
size_t exchange_wrong(const struct exchange_scene *scene);
/* Fails the test where a call failed. */
void end_exchange_scene(struct exchange_scene *scene);

/* Bytes of sums that `reader` must read of `source` in all rounds: of what it shares, and to settle and to spread the probe. */
uint64_t exchange_object_bytes(const struct exchange_scene *scene, unsigned reader,
                               unsigned source);
uint64_t exchange_share_bytes(const struct exchange_scene *scene, unsigned reader);
/* Rounds that wanted the probe. */
unsigned exchange_probe_rounds(const struct exchange_scene *scene);

#endif

/*
 * functions/reconstruct/backends/cuda/exchange.h: the exchange between devices: settle(), spread() and take_steps() of backends/backend.h.
 *
 * Every sum is made whole by one device, in the order of the devices' numbers: pixels of the object that several have are cut into
 * cells, each of which one of its sharers owns, and of the probe each device has its share of the rows. The owner reads the partial
 * sums of a peer where they lie, if it has access to the peer's memory; else a copy in page-locked memory of the host, which the
 * peer makes of just what is read. Whole sums stand in the owner's tile, and are read there in the same way.
 *
 * The weights W and V need no χ: they are settled while χ is still made. What becomes of N_O and N_P depends on what they are for.
 *
 *   - Sums that must stand whole in every tile (all but FF_WANT_STEP): owners settle them, spread takes the others' from there.
 *   - A step, where those who share have more work behind the patterns that share pixels, or do not read each other: owners step their
 *     cells meanwhile, with partial sums that they add up as they read them; the others then fetch what became of the object.
 *   - A step that everything waits for: all step what they have, with the partial sums of all, in one launch.
 *
 * N_P is settled by shares, or, where it is no more than what a link carries in the time of a launch, read of all by the step.
 *
 * Nothing waits on the host. All devices have called a stage before any calls the next, so an event that is waited for has
 * been recorded:
 *
 *     beside            W
 *     work stream       first waves | V … | shared N_O … | other N_O, N_P | a step of what nobody shares | next batch
 *     exchange stream        settle W and V | owners' step | fetch
 *     late stream                                                          settle N_P | step of the probe
 *
 *   - W and V are settled when all have formed them, the object when those who share it have; offer early;
 *   - the work stream goes on when this device has all;
 *   - before anything that others read is written anew, all must have taken it: ff_cuda_exchange_await_taken().
 */
#ifndef FF_RECONSTRUCT_BACKENDS_CUDA_EXCHANGE_H
#define FF_RECONSTRUCT_BACKENDS_CUDA_EXCHANGE_H

#include "functions/reconstruct/backends/backend.h"
#include "functions/reconstruct/backends/cuda/memory.h"
#include "functions/reconstruct/backends/cuda/whole.h"

/* The sums of a device, on it; they stay where they are. */
struct ff_cuda_partial {
    float2 *object;       /* (tile rows, tile columns): N_O */
    float *weight;        /* likewise: W */
    float2 *probe;        /* (probes, rows, columns): N_P, then N_E */
    float *power;         /* (powers, rows, columns): V */
    const float2 *values; /* of the tile: O */
    size_t probes, powers, rows, columns;
};

struct ff_cuda_exchange;

/* The device of `calls` is the current one, and is again when this returns. Both and the plan's problem must outlive the
 * exchange; its memory is the caller's. */
struct ff_cuda_exchange *ff_cuda_exchange_create(struct ff_cuda_calls *calls,
                                                 struct ff_cuda_memory *memory,
                                                 const struct ff_backend_plan *plan,
                                                 const struct ff_cuda_partial *sums,
                                                 struct ff_error *error) FF_MUST_USE;
/* Waits for all devices, which may read what is about to be freed. Before the memory is given back. Takes NULL. */
void ff_cuda_exchange_destroy(struct ff_cuda_exchange *exchange);

/* --- offers: every gradients() and overlap() makes those of what it wants, in this order --- */

/* Kernels of `stream` from here on may write what others read. */
void ff_cuda_exchange_await_taken(struct ff_cuda_exchange *exchange, cudaStream_t stream);
/* Sums of `want` begin. Of the pixels that are shared the batch touches rows [first_row, end_row) of the tile; the sums outside are
 * zero, and nobody reads them. (1 + powers) bits of max W and max V of each will stand at `greatest`, and become those of all
 * devices. */
void ff_cuda_exchange_begin(struct ff_cuda_exchange *exchange, unsigned want, size_t first_row,
                            size_t end_row, unsigned *greatest);
/* W, and V, are as this device leaves them when `stream` has come here. */
void ff_cuda_exchange_offer_weight(struct ff_cuda_exchange *exchange, cudaStream_t stream);
void ff_cuda_exchange_offer_power(struct ff_cuda_exchange *exchange, cudaStream_t stream);
/* N_O of all pixels that are shared likewise, those of the plan's links. `is_early`: the rest is still to be formed, and reads
 * none of them. */
void ff_cuda_exchange_offer_object(struct ff_cuda_exchange *exchange, cudaStream_t stream,
                                   bool is_early);
/* N_P and N_E likewise. */
void ff_cuda_exchange_offer_probe(struct ff_cuda_exchange *exchange, cudaStream_t stream);

/* --- what is made of them --- */

/* `peers` are those of all devices by number. */
void ff_cuda_exchange_settle(struct ff_cuda_exchange *exchange,
                             struct ff_cuda_exchange *const *peers);
/* What is settled, once all devices have called settle(). One of done(), spread(), and the pair of step() and take_steps() follows. */
struct ff_cuda_settled ff_cuda_exchange_settled(struct ff_cuda_exchange *exchange);
/* Nothing is taken: kernels of `stream` may write all sums anew. */
void ff_cuda_exchange_done(struct ff_cuda_exchange *exchange, cudaStream_t stream);
/* Puts whole sums and the maxima of all in the place of this device's own, on `stream`. Not of sums for FF_WANT_STEP. */
void ff_cuda_exchange_spread(struct ff_cuda_exchange *exchange,
                             const struct ff_cuda_settled *settled, cudaStream_t stream);
/* A step with sums for FF_WANT_STEP. When all devices have called step(), take_steps() brings what others stepped: then kernels
 * of `stream` find all of it. */
void ff_cuda_exchange_step(struct ff_cuda_exchange *exchange, const struct ff_cuda_settled *settled,
                           const struct ff_cuda_settled_step *step, cudaStream_t stream);
void ff_cuda_exchange_take_steps(struct ff_cuda_exchange *exchange, struct ff_cuda_settled *settled,
                                 const struct ff_cuda_settled_step *step, cudaStream_t stream);

/* Bytes of sums, and of the object, that this device has read from others, beside (1 + powers) maxima of each in every exchange. */
uint64_t ff_cuda_exchange_bytes(const struct ff_cuda_exchange *exchange);
/* Whether it reads the memory of another without the host. */
bool ff_cuda_exchange_reads(const struct ff_cuda_exchange *exchange, unsigned peer);

#endif

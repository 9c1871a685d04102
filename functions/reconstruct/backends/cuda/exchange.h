/*
 * functions/reconstruct/backends/cuda/exchange.h: the exchange between devices: settle() and spread() of backends/backend.h.
 *
 * Every device forms whole sums of what it shares, in the order of the devices' numbers: of the regions where tiles
 * overlap, and of its share of the probe's rows. It reads the partial sums of a peer where they lie, if it has access to the
 * peer's memory; else a copy in page-locked memory of the host, which the peer makes of just what is read. Each number
 * is read over a link once. Then it takes the other devices' shares.
 *
 * Nothing waits on the host. All devices have called a stage before any calls the next, so an event that is waited for has
 * been recorded:
 *
 *     work stream        … sums of the regions | other sums …                     | spread, or a step
 *     exchange stream             settle: regions of peers | share of the probe
 *
 *   - the regions are settled when those who share them have offered them, while other sums are still formed: offer early;
 *   - the share of the probe, when all have offered the rest;
 *   - the work stream goes on when all have settled: until then they read this device's partial sums. Then it puts the
 *     settled sums in their place, or takes a step with them where they lie (struct ff_cuda_settled);
 *   - settle() begins when all have done so the last time: until then they read this device's share.
 */
#ifndef FF_RECONSTRUCT_BACKENDS_CUDA_EXCHANGE_H
#define FF_RECONSTRUCT_BACKENDS_CUDA_EXCHANGE_H

#include "functions/reconstruct/backends/backend.h"
#include "functions/reconstruct/backends/cuda/memory.h"
#include "functions/reconstruct/backends/cuda/whole.h"

/* The sums of a device, on it; they stay where they are. */
struct ff_cuda_partial {
    float2 *object; /* (tile rows, tile columns): N_O */
    float *weight;  /* likewise: W */
    float2 *probe;  /* (probes, rows, columns): N_P, then N_E */
    float *power;   /* (powers, rows, columns): V */
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

/* The sums of all pixels that are shared, those of the plan's links, are as this device leaves them when `stream` has come
 * here. Its batch touched rows [first_row, end_row) of the tile; the sums outside are zero, and nobody reads them. `is_early`: the rest is still
 * to be formed, so that the regions are worth settling before it. */
void ff_cuda_exchange_offer_object(struct ff_cuda_exchange *exchange, cudaStream_t stream,
                                   size_t first_row, size_t end_row, bool is_early);
/* All others that `want` asks for, likewise, and (1 + powers) bits of max W and max V of each, which become those of all
 * devices. Every gradients() and overlap() ends so, after ff_cuda_exchange_offer_object() where the object is wanted. */
void ff_cuda_exchange_offer(struct ff_cuda_exchange *exchange, cudaStream_t stream, unsigned want,
                            unsigned *greatest);

/* `peers` are those of all devices by number. */
void ff_cuda_exchange_settle(struct ff_cuda_exchange *exchange,
                             struct ff_cuda_exchange *const *peers);
/* What is settled, for kernels of `stream`, which come when it is, and before ff_cuda_exchange_done(). */
struct ff_cuda_settled ff_cuda_exchange_settled(struct ff_cuda_exchange *exchange,
                                                struct ff_cuda_exchange *const *peers,
                                                cudaStream_t stream);
/* Nothing that is queued later on `stream` reads it any more. Once for every exchange. */
void ff_cuda_exchange_done(struct ff_cuda_exchange *exchange, cudaStream_t stream);
/* Puts whole sums and the maxima of all in the place of this device's own, and is done. */
void ff_cuda_exchange_spread(struct ff_cuda_exchange *exchange,
                             const struct ff_cuda_settled *settled, cudaStream_t stream);

/* Bytes of sums that this device has read from others, beside (1 + powers) maxima of each in every exchange. */
uint64_t ff_cuda_exchange_bytes(const struct ff_cuda_exchange *exchange);
/* Whether it reads the memory of another without the host. */
bool ff_cuda_exchange_reads(const struct ff_cuda_exchange *exchange, unsigned peer);

#endif

/*
 * functions/reconstruct/backends/cpu/sums.h: where the sums of a batch lie, for the exchange between devices.
 *
 * When gradients() or overlap() returns, the lanes have been merged (merge.c) into `sums` of the backend; a row of the
 * object that no pattern of the batch touched has none. Coordinates are those of the tile: row 0 is the object's row
 * tile.row.
 *
 * settle() of every device may read the merged sums of all, and writes none of them: what it forms it keeps beside,
 * until spread() puts it in place. With one device there is nothing to do; merging has found the maxima.
 */
#ifndef FF_RECONSTRUCT_BACKENDS_CPU_SUMS_H
#define FF_RECONSTRUCT_BACKENDS_CPU_SUMS_H

#include "functions/reconstruct/backends/cpu/state.h"

/* One row of N_O and W, from column 0 of the tile. `re` is NULL where no pattern touched the row. */
struct sum_row {
    ff_real *re, *im, *weight;
};

struct sum_row ff_cpu_sum_row(const struct ff_backend *backend, size_t row);

/* The same; a row that had none is zeroed and from now on has sums, which update() uses. */
struct sum_row ff_cpu_claim_row(struct ff_backend *backend, size_t row);

/*
 * The rest is in struct ff_backend, of which sums.h exposes by contract:
 *   want                      set of enum ff_want that the sums were formed for
 *   sums.probe[i]             N_P of mode i, then N_E: planes of (rows, width)
 *   sums.power[p]             V of the probes whose ff_cpu_power_of() is p < powers: (rows, width), columns valid
 *   greatest_object           max W over the tile
 *   greatest_probe[p]         its maximum
 *   tile, owned, links        the plan's
 *   exchanged                 bytes read from others
 */

/* Which V is that of probe i (modes, then eigenprobes): what varies together has one of its own, the last. */
static inline size_t ff_cpu_power_of(const struct ff_backend *backend, size_t i)
{
    return i == 0 || i >= backend->modes ? backend->powers - 1 : 0;
}

/* exchange.c. Create allocates what settle() keeps beside. Destroy comes before the blocks are freed; also where there
 * was no create. */
int ff_cpu_exchange_create(struct ff_backend *backend, struct ff_error *error) FF_MUST_USE;
void ff_cpu_exchange_destroy(struct ff_backend *backend);
void ff_cpu_settle(struct ff_backend *backend, struct ff_backend *const *peers);
void ff_cpu_spread(struct ff_backend *backend, struct ff_backend *const *peers);

#endif

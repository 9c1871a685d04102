/*
 * functions/reconstruct/solvers/batches.h: which patterns go together.
 *
 * Each run of neighbours is dealt out to different batches, so that every batch covers the whole object
 * evenly. Batches of many patterns cover also the tiles of all devices evenly: neighbours there are those of
 * devices/tiles.h, so that no device has to wait for another. For batches of few they are those of the scan's order, which
 * is less even, and better at finding positions that are far off (solvers/README.md); which of them gets which is drawn anew each epoch, and so is the
 * order of the batches. Evenly covering batches converge better than random ones, because no part
 * of the object waits for its turn.
 *
 * Epochs may differ in their number of batches: many small ones bring a rough object quickly, few
 * large ones then average out what is left.
 */
#ifndef FF_RECONSTRUCT_SOLVERS_BATCHES_H
#define FF_RECONSTRUCT_SOLVERS_BATCHES_H

#include "functions/reconstruct/solvers/random.h"
#include "functions/reconstruct/solvers/solver.h"

struct ff_batches;

/* The patterns of the problem in batches as the settings say; more batches than patterns are as many as
 * patterns. */
struct ff_batches *ff_batches_create(const struct ff_problem *problem,
                                     const struct ff_solver_settings *settings,
                                     struct ff_error *error) FF_MUST_USE;
void ff_batches_destroy(struct ff_batches *batches);

/* Most patterns that any batch of any epoch can have. */
size_t ff_batches_limit(const struct ff_batches *batches);

/* Deals for epoch `epoch`, counted from 1, and returns the number of its batches. */
size_t ff_batches_deal(struct ff_batches *batches, size_t epoch, struct ff_random *random);

/* Batch `index` of this epoch; borrowed until the next deal. */
struct ff_batch ff_batches_at(const struct ff_batches *batches, size_t index);

#endif

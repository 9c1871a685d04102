/*
 * functions/reconstruct/refine/search.h: positions that are further off than the detail of the object is wide.
 *
 * The gradient then leads to the next detail that looks alike. So positions are also tried out: first all of them, in a
 * disc that shrinks from epoch to epoch while the object takes shape (annealing: Maiden et al., Ultramicroscopy 120, 64
 * (2012)); later only those whose pattern fits much worse than most, in the whole disc around where the others say that
 * it should be. A trial that fits better is taken.
 *
 * An object that grew around wrong positions holds them where they are. So this goes in stages, each with a narrower
 * disc, and after each but the last object and probe begin anew at the positions found.
 */
#ifndef FF_RECONSTRUCT_REFINE_SEARCH_H
#define FF_RECONSTRUCT_REFINE_SEARCH_H

#include "functions/reconstruct/devices/devices.h"
#include "functions/reconstruct/state.h"

struct ff_search;

/* `radius_px`: how far a position may be off; `batch_limit`: most patterns that the devices take at once; `epochs`:
 * those of the run. The problem must outlive it. */
struct ff_search *ff_search_create(const struct ff_problem *problem, double radius_px,
                                   size_t batch_limit, size_t epochs, uint64_t seed,
                                   struct ff_error *error) FF_MUST_USE;
void ff_search_destroy(struct ff_search *search);

/* Moves the positions of `state` and on the devices, whose FF_TERMS_COSTS are those of the last pass over all patterns;
 * what was moved has its velocity set to 0. `epoch` counts from 1, as that of the run. The trials of an epoch
 * are the same for the same seed. */
int ff_search_move(struct ff_search *search, size_t epoch, struct ff_devices *devices,
                   struct ff_state *state, struct ff_error *error) FF_MUST_USE;

/* Stages that a run of so many epochs has room for. */
size_t ff_search_stages(size_t epochs);

/* Which epoch of its stage an epoch is, from 1: before the first of a stage, object and probe begin anew. The last stage
 * goes on to the end of the run. */
size_t ff_search_since(const struct ff_search *search, size_t epoch);
bool ff_search_is_in_last_stage(const struct ff_search *search, size_t epoch);

#endif

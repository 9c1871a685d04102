/*
 * functions/reconstruct/orientation_trial.h: which orientation of the scan fits the patterns.
 *
 * Transposed or mirrored positions are the commonest silent failure of ptychography: nothing in a
 * file contradicts them, and the reconstruction merely becomes bad. The data tell: a few epochs on a
 * small part of the scan cost far less in the orientation that fits.
 *
 * One pair cannot be told apart by cost: twins (orientation.h). Only a probe that is known can tell.
 */
#ifndef FF_RECONSTRUCT_ORIENTATION_TRIAL_H
#define FF_RECONSTRUCT_ORIENTATION_TRIAL_H

#include "functions/reconstruct/orientation.h"
#include "functions/reconstruct/run.h"

struct ff_orientation_trial {
    double cost[FF_ORIENTATIONS]; /* after the same few epochs; infinite: not tried, or diverged */
    unsigned best;
    /* Cost of the best that is neither the best nor its twin, over that of the best; and of the twin
     * over the best. What is near 1 says nothing. */
    double margin, twin_margin;
    size_t patterns; /* that were tried on */
};

/* What a margin must be to be believed. */
#define FF_ORIENTATION_MARGIN      1.15
#define FF_ORIENTATION_TWIN_MARGIN 1.02

/* Every orientation; and one pair that is enough to see whether the first of them can be right. */
enum { FF_ORIENTATION_ALL = 0xff, FF_ORIENTATION_QUICK = 0x03 };

/* Epochs that tell: of a look at all, and of the glance at the pair. */
enum { FF_ORIENTATION_EPOCHS = 12, FF_ORIENTATION_QUICK_EPOCHS = 4 };

/* Tries those of `tried` (a bit each) for `epochs` on up to a hundred neighbouring patterns of the
 * problem. Of the settings only threads, cores and cache folder are used. Twins are told apart with
 * the first probe held fixed, if the problem was given one. */
int ff_orientation_try(const struct ff_problem *problem, const struct ff_run_settings *settings,
                       unsigned tried, size_t epochs, struct ff_orientation_trial *trial,
                       struct ff_error *error) FF_MUST_USE;

#endif

/*
 * functions/reconstruct/metrics/compare_probe.h: what positions and probes add to a comparison of
 * objects.
 */
#ifndef FF_RECONSTRUCT_METRICS_COMPARE_PROBE_H
#define FF_RECONSTRUCT_METRICS_COMPARE_PROBE_H

#include "functions/reconstruct/metrics/comparison.h"

/* How far the reference's positions lie from the estimate's, in pixels: the mean; false where they
 * are not those of one scan (another count, or some pixels apart from each other). */
bool ff_compare_offset(const struct ff_estimate *estimate, const struct ff_estimate *reference,
                       double apart[2]);

/*
 * Fills apart_px and the probe's part of the comparison, whose registration stands. Exit waves are
 * the same in both, so with O_ref(x) = c e^{ik·x} O(x - s) and positions r_ref = r + d it is
 * P_ref(u) = e^{-ik·u} P(u - (s - d)) / c, but for a phase of each position.
 */
int ff_compare_probe(const struct ff_estimate *estimate, const struct ff_estimate *reference,
                     struct ff_comparison *comparison, struct ff_error *error) FF_MUST_USE;

#endif

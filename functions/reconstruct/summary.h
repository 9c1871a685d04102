/*
 * functions/reconstruct/summary.h: a scan in figures, for `--plan` and `farfield inspect`.
 */
#ifndef FF_RECONSTRUCT_SUMMARY_H
#define FF_RECONSTRUCT_SUMMARY_H

#include "functions/reconstruct/problem.h"
#include "functions/reconstruct/run.h"
#include "functions/reconstruct/settings.h"

#include <jansson.h>

/* What the scan is: geometry, pixel size, overlap, dose. NULL when memory is out. */
json_t *ff_summary_of_scan(const struct ff_problem *problem) FF_MUST_USE;

/* The same, and what would be done with it, by what, in how much memory. */
json_t *ff_summary_of_plan(const struct ff_problem *problem, const struct ff_settings *settings,
                           const struct ff_run_footprint *footprint) FF_MUST_USE;

/* What looks odd in the summary of a scan but may be right, as an array of sentences. */
json_t *ff_summary_of_doubts(const json_t *scan) FF_MUST_USE;

#endif

/*
 * functions/reconstruct/build.h: a file and the settings into a problem.
 */
#ifndef FF_RECONSTRUCT_BUILD_H
#define FF_RECONSTRUCT_BUILD_H

#include "functions/reconstruct/formats/measurement.h"
#include "functions/reconstruct/settings.h"

/*
 * Reads settings->input (format, crop, initial_probe, modes), checks it, and sets it up: positions
 * in pixels, an object of ones around the scan (place.h), the first probe.
 * `notes` collects remarks for the user.
 */
struct ff_problem *ff_problem_create(const struct ff_settings *settings, struct ff_buffer *notes,
                                     struct ff_error *error) FF_MUST_USE;

/* The same from a measurement that was filled otherwise; its arrays move into the problem, also on
 * failure. */
struct ff_problem *ff_problem_of_measurement(struct ff_measurement *measurement, const char *source,
                                             const struct ff_settings *settings,
                                             struct ff_error *error) FF_MUST_USE;

#endif

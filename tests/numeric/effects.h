/*
 * tests/numeric/effects.h: what runs are tried with: every algorithm as it is by itself, everything that moves between
 * epochs, and each effect of a measurement.
 */
#ifndef FF_TESTS_NUMERIC_EFFECTS_H
#define FF_TESTS_NUMERIC_EFFECTS_H

#include "functions/reconstruct/algorithms.h"
#include "functions/reconstruct/run.h"
#include "tests/numeric/scene.h"

/* What the algorithm does with so many patterns where the user says nothing: on one device, with two threads. */
struct ff_run_settings algorithm_settings(enum ff_algorithm algorithm, size_t patterns,
                                          size_t epochs);

/* The problem then needs a travel_px. */
extern const struct ff_refine_settings all_refinements;

/* Each changes the problem and the counts of a scene, or the settings. */
struct effect {
    const char *label;
    enum ff_algorithm algorithm;
    void (*apply)(struct scene *scene, struct ff_run_settings *settings);
};

/* Ended by one without a label. */
extern const struct effect effects[];

/* Applies it to the scene, and gives the settings of its run. */
struct ff_run_settings effect_settings(const struct effect *effect, struct scene *scene,
                                       size_t epochs);

#endif

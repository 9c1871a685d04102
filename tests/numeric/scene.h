/*
 * tests/numeric/scene.h: a small problem with a known answer: a smooth complex object, a round
 * probe, a jittered scan, noiseless or Poisson counts. Built from the formulas of problem.h in
 * double precision, by a direct transform, so that it shares no code with what it tests.
 */
#ifndef FF_TESTS_NUMERIC_SCENE_H
#define FF_TESTS_NUMERIC_SCENE_H

#include "functions/reconstruct/backends/backend.h"

struct scene_shape {
    size_t rows, columns; /* of a pattern */
    size_t grid;          /* grid × grid positions */
    double step;          /* between them, pixels */
    size_t modes;         /* of the true probe */
    double photons;       /* in the mean pattern */
    bool whole_counts;    /* u16, rounded; else f32, exact */
};

struct scene {
    struct ff_problem *problem; /* starts from ones and a blurred probe */
    ff_complex *object;         /* the truth */
    ff_complex *probe;          /* the truth, (modes, rows, columns) */
};

void scene_create(struct scene *scene, struct scene_shape shape);
void scene_destroy(struct scene *scene);

/* Fills the counts anew with what the truth gives of the problem as it is now. */
void scene_measure(struct scene *scene);

/* Makes the probe to start from another than the true one: out of focus, as a guess is. */
void scene_blur_probe(struct scene *scene);

/* |found - truth| / |truth| where the scan's light falls, after the best common factor, phase ramp
 * and shift: metrics/comparison.h. */
double scene_object_error(const struct scene *scene, const ff_complex *found);

/* One device with the whole of the problem, its positions, object and probe put, scales 1; NULL where it was refused. Of the plan
 * it takes modes, limits, needs and what only some backends have: modes 0 are the problem's, threads 0 are one,
 * batch_limit 0 is all patterns. */
struct ff_backend *scene_try_open(const struct scene *scene,
                                  const struct ff_backend_operations *operations,
                                  struct ff_backend_plan plan, struct ff_error *error);
/* The same, which must not be refused. */
struct ff_backend *scene_open(const struct scene *scene,
                              const struct ff_backend_operations *operations,
                              struct ff_backend_plan plan);

/* Intensity of pattern n under object and probe, (rows, columns), DC at the corner. */
void scene_intensity(const struct ff_problem *problem, const ff_complex *object,
                     const ff_complex *probe, size_t modes, size_t pattern, double *intensity);

#endif

/*
 * tests/numeric/stand.h: a small problem with any of the effects, as a model and on one device of a backend, each in
 * the same state. Object, probe, counts and the rest are pseudo-random, and far from an answer.
 */
#ifndef FF_TESTS_NUMERIC_STAND_H
#define FF_TESTS_NUMERIC_STAND_H

#include "tests/numeric/model.h"

struct stand_case {
    const char *name;
    size_t rows, columns;             /* of a pattern */
    size_t probe_rows, probe_columns; /* 0: the same */
    size_t patterns;
    size_t fly; /* 0: 1 */
    size_t modes;
    size_t eigenprobes;
    bool near_field, masked, scaled;
    enum ff_noise noise;
    enum ff_subpixel subpixel;
};

/* What float may leave of a result that sums or transforms some hundreds of numbers. */
#define STAND_FLOAT 2e-5
/* And of χ that a backend in float may keep in 16 bits. */
#define STAND_KEPT 1e-3

/* Each effect alone, and all that go together; ended by a case without a name. */
extern const struct stand_case stand_cases[];

struct stand {
    const struct stand_case *effects;
    struct ff_problem *problem;
    struct model model;
    const struct ff_backend_operations *operations;
    struct ff_backend *backend;
    size_t object_elements, probe_elements;
    uint32_t all[32]; /* the numbers of the patterns */
    struct ff_batch batch;
};

void stand_open(struct stand *stand, const struct stand_case *effects,
                const struct ff_backend_operations *operations, unsigned needs);
/* The same in two steps: the model and its counts, which may be changed before they come to a device, as it may copy
 * them. */
void stand_make(struct stand *stand, const struct stand_case *effects);
void stand_place(struct stand *stand, const struct ff_backend_operations *operations,
                 unsigned needs);
void stand_close(struct stand *stand);

/* Everything of the model to the device. */
void stand_put(struct stand *stand);
void stand_put_field(struct stand *stand, enum ff_field field, const model_complex *values);
void stand_get_field(struct stand *stand, enum ff_field field, model_complex *values);
size_t stand_elements(const struct stand *stand, enum ff_field field);
/* FF_WAVES of patterns [first, first + count). */
void stand_put_waves(struct stand *stand, size_t first, size_t count, const model_complex *values);
void stand_get_waves(const struct stand *stand, size_t first, size_t count, model_complex *values);
size_t stand_wave_elements(const struct stand *stand, size_t count);

/* gradients(), or overlap(), of all patterns, settled. */
void stand_gradients(struct stand *stand, unsigned want);
void stand_overlap(struct stand *stand, unsigned want);
struct ff_cost stand_take_cost(struct stand *stand);

/* Zeroed, never NULL. */
void *stand_array(size_t count, size_t size);
/* Values in [-1, 1] from a state that begins anywhere but at 0. */
double stand_random(uint64_t *state);
model_complex *stand_random_field(size_t count, uint64_t *state);
/* Re Σ a* b */
double stand_product(const model_complex *a, const model_complex *b, size_t count);

/* |found - expected| ≤ tolerance × size, else fails with the names. `tolerance` is that of a backend in double; one in
 * float is let off with STAND_FLOAT where that is more. */
void stand_check(const struct stand *stand, const char *what, double found, double expected,
                 double size, double tolerance);
/* ‖found - expected‖ ≤ tolerance × ‖expected‖, likewise. */
void stand_check_values(const struct stand *stand, const char *what, const model_complex *found,
                        const model_complex *expected, size_t count, double tolerance);

#endif

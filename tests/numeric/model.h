/*
 * tests/numeric/model.h: what backends must compute, from the formulas of problem.h and backend.h in double precision,
 * by direct transforms, so that it shares no code with what it tests.
 */
#ifndef FF_TESTS_NUMERIC_MODEL_H
#define FF_TESTS_NUMERIC_MODEL_H

#include "functions/reconstruct/backends/backend.h"

typedef _Complex double model_complex;

/* Counts and mask are the problem's; the rest is owned by whoever fills it. */
struct model {
    const struct ff_problem *problem;
    size_t modes, eigenprobes;
    enum ff_noise noise;
    enum ff_subpixel subpixel;
    model_complex *object; /* (object_rows, object_columns) */
    model_complex *probe;  /* (modes + eigenprobes, probe_rows, probe_columns) */
    double *positions;     /* as in problem.h */
    double *scales;        /* (patterns); NULL: all 1 */
    double *weights;       /* (patterns, eigenprobes) */
};

/* S_nk: (probe_rows, probe_columns), with the scale of the pattern. */
void model_patch(const struct model *model, const model_complex *object, size_t pattern, size_t k,
                 model_complex *patch);

/* Mode m, or eigenprobe m - modes, of `probe` as position k of the pattern sees it: varied by the eigenprobes where m
 * is 0, and shifted where the patch is of whole pixels. */
void model_probe(const struct model *model, const model_complex *probe, size_t pattern, size_t k,
                 size_t m, model_complex *seen);

/* The wave at the detector (rows, columns) of an exit wave (probe_rows, probe_columns), and the adjoint of that. */
void model_propagate(const struct ff_problem *problem, const model_complex *exit,
                     model_complex *wave);

/* I_n, (rows, columns). */
void model_intensity(const struct model *model, size_t pattern, double *intensity);

/* Of one pattern, or of all. */
struct ff_cost model_cost_of(const struct model *model, size_t pattern);
struct ff_cost model_cost(const struct model *model);

#endif

/*
 * functions/reconstruct/backends/cpu/plan.h: the transforms, by FFTW or the vector transform
 * (vector_fft.h), with plans that every process agrees on.
 *
 * The vector transform has nothing to choose: its instruction set tells its bits. FFTW's measured plans differ from run to run, and so do their roundings. The plan of a shape is
 * therefore measured once for a CPU model and user and kept as wisdom in the cache folder; whoever
 * needs it, first or later, runs what the file says. Rows are padded by 8 complex values, which
 * keeps the columns of power-of-two sizes out of one cache set.
 */
#ifndef FF_RECONSTRUCT_BACKENDS_CPU_PLAN_H
#define FF_RECONSTRUCT_BACKENDS_CPU_PLAN_H

#include "functions/reconstruct/arrays.h"
#include "functions/reconstruct/backends/cpu/real.h"
#include "protocol/core/bytes.h"

struct ff_plan;
struct ff_vector_code;

/* Transforms of (rows, columns), in place, rows `stride` complex values apart, unnormalised: by the
 * vector transform with `vector`, which then must take that shape and has its own layout of waves
 * (vector_fft.h); by FFTW, which interleaves real and imaginary parts, where that is NULL. */
struct ff_plan_shape {
    const struct ff_vector_code *vector;
    size_t rows, columns, stride;
};

/* Not to be called from two threads at once. `same_as` is the text of a plan whose bits are wanted
 * again (ff_plan_text), or empty; where this CPU cannot follow it, and without one, the cache folder
 * decides, and without a usable folder FFTW's estimate, which is always the same. */
struct ff_plan *ff_plan_create(const struct ff_plan_shape *shape, const char *cache_folder,
                               struct ff_span same_as, struct ff_error *error) FF_MUST_USE;

/* Whether a text is that of a plan by the vector transform with this code. */
bool ff_plan_text_is_vector(struct ff_span text, const struct ff_vector_code *vector);

/* What makes the same plan again, here or in another process: opaque text, borrowed. A plan that
 * follows `same_as` has just that text. */
struct ff_span ff_plan_text(const struct ff_plan *plan);

/* `wave` is aligned to FF_ALIGNMENT. Any thread. */
void ff_plan_forward(const struct ff_plan *plan, ff_real *wave);
void ff_plan_inverse(const struct ff_plan *plan, ff_real *wave);
void ff_plan_destroy(struct ff_plan *plan);

#endif

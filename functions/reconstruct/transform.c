#include "functions/reconstruct/transform.h"

/* complex.h first: then fftwf_complex is the complex type of C. */
#include <complex.h>

#include <fftw3.h>
#include <math.h>
#include <stdlib.h>

struct ff_transform {
    fftwf_plan forward;
    fftwf_plan inverse;
    size_t elements;
    float scale;
};

struct ff_transform *ff_transform_create(size_t rows, size_t columns, struct ff_error *error)
{
    struct ff_transform *transform = calloc(1, sizeof *transform);
    ff_complex *work = transform != NULL ? ff_array_create(ff_array_elements(rows, columns, 1),
                                                           sizeof *work, "a transform", error)
                                         : NULL;
    if (work == NULL) {
        ff_transform_destroy(transform);
        ff_fail(error, FF_NO_MEMORY, "no memory for a transform of %zu × %zu", rows, columns);
        return NULL;
    }
    transform->elements = rows * columns;
    transform->scale = (float)(1 / sqrt((double)transform->elements));
    /* Estimated plans leave the wisdom of the solvers alone and cost nothing to make. */
    transform->forward =
        fftwf_plan_dft_2d((int)rows, (int)columns, work, work, FFTW_FORWARD, FFTW_ESTIMATE);
    transform->inverse =
        fftwf_plan_dft_2d((int)rows, (int)columns, work, work, FFTW_BACKWARD, FFTW_ESTIMATE);
    free(work);
    if (transform->forward != NULL && transform->inverse != NULL)
        return transform;
    ff_transform_destroy(transform);
    ff_fail(error, FF_INTERNAL, "no plan for a transform of %zu × %zu", rows, columns);
    return NULL;
}

void ff_transform_destroy(struct ff_transform *transform)
{
    if (transform == NULL)
        return;
    if (transform->forward != NULL)
        fftwf_destroy_plan(transform->forward);
    if (transform->inverse != NULL)
        fftwf_destroy_plan(transform->inverse);
    free(transform);
}

void ff_transform_run(const struct ff_transform *transform, enum ff_transform_direction direction,
                      ff_complex *values)
{
    fftwf_execute_dft(direction == FF_TRANSFORM_FORWARD ? transform->forward : transform->inverse,
                      values, values);
    for (size_t i = 0; i < transform->elements; i++)
        values[i] *= transform->scale;
}

static void roll(const ff_complex *from, size_t rows, size_t columns, size_t down, size_t right,
                 ff_complex *to)
{
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < columns; c++)
            to[(r + down) % rows * columns + (c + right) % columns] = from[r * columns + c];
}

void ff_shift_to_middle(const ff_complex *from, size_t rows, size_t columns, ff_complex *to)
{
    roll(from, rows, columns, rows / 2, columns / 2, to);
}

void ff_shift_to_corner(const ff_complex *from, size_t rows, size_t columns, ff_complex *to)
{
    roll(from, rows, columns, rows - rows / 2, columns - columns / 2, to);
}

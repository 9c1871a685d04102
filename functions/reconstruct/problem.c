#include "functions/reconstruct/problem.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>

void ff_problem_destroy(struct ff_problem *problem)
{
    if (problem == NULL)
        return;
    /* The counts are const for their readers; here ends their life. */
    free((void *)(uintptr_t)problem->counts.u16);
    free((void *)(uintptr_t)problem->counts.f32);
    free(problem->measured);
    free(problem->positions);
    free(problem->positions_m);
    free(problem->object);
    free(problem->probe);
    free(problem->source);
    free(problem->format);
    free(problem);
}

static const char *name_of(const struct ff_problem *problem)
{
    return problem->source != NULL ? problem->source : "the problem";
}

static int check_shapes(const struct ff_problem *problem, struct ff_error *error)
{
    if (problem->patterns == 0 || problem->rows == 0 || problem->columns == 0 ||
        problem->modes == 0 || problem->fly == 0)
        return ff_fail(error, FF_INPUT_INVALID,
                       "%s: %zu patterns of %zu × %zu pixels with %zu modes", name_of(problem),
                       problem->patterns, problem->rows, problem->columns, problem->modes);
    if (problem->probe_rows == 0 || problem->probe_columns == 0 ||
        problem->probe_rows > problem->rows || problem->probe_columns > problem->columns)
        return ff_fail(error, FF_INPUT_INVALID,
                       "%s: a probe of %zu × %zu pixels with patterns of %zu × %zu",
                       name_of(problem), problem->probe_rows, problem->probe_columns, problem->rows,
                       problem->columns);
    if ((problem->counts.u16 != NULL) == (problem->counts.f32 != NULL))
        return ff_fail(error, FF_INTERNAL, "%s: the counts are in no form or in two",
                       name_of(problem));
    if (problem->positions == NULL || problem->positions_m == NULL || problem->probe == NULL)
        return ff_fail(error, FF_INTERNAL, "%s: the problem is incomplete", name_of(problem));
    if (ff_array_elements(problem->patterns, problem->rows, problem->columns) == SIZE_MAX ||
        ff_array_elements(problem->patterns, problem->fly, 2) == SIZE_MAX ||
        ff_array_elements(problem->modes, problem->probe_rows, problem->probe_columns) ==
            SIZE_MAX ||
        ff_array_elements(problem->object_rows, problem->object_columns, 1) == SIZE_MAX)
        return ff_fail(error, FF_INPUT_INVALID, "%s: more elements than memory can hold",
                       name_of(problem));
    return 0;
}

static int check_counts(const struct ff_problem *problem, struct ff_error *error)
{
    size_t pixels = problem->rows * problem->columns;
    for (size_t i = 0; problem->measured != NULL && i < pixels; i++)
        if (problem->measured[i] > 1)
            return ff_fail(error, FF_INTERNAL, "%s: pixel %zu of the mask is %u", name_of(problem),
                           i, problem->measured[i]);
    if (!(problem->total_counts > 0) || !isfinite(problem->total_counts))
        return ff_fail(error, FF_INPUT_INVALID, "%s: the frames hold %g counts together",
                       name_of(problem), problem->total_counts);
    for (size_t i = 0; problem->counts.f32 != NULL && i < problem->patterns * pixels; i++)
        if (!(problem->counts.f32[i] >= 0) || !isfinite(problem->counts.f32[i]))
            return ff_fail(error, FF_INPUT_INVALID, "%s: pattern %zu, pixel %zu counts %g",
                           name_of(problem), i / pixels, i % pixels,
                           (double)problem->counts.f32[i]);
    return 0;
}

static int check_positions(const struct ff_problem *problem, struct ff_error *error)
{
    const size_t window[2] = {problem->probe_rows, problem->probe_columns};
    const size_t object[2] = {problem->object_rows, problem->object_columns};
    for (size_t n = 0; n < problem->patterns * problem->fly; n++) {
        const double *at = problem->positions + 2 * n;
        const double *at_m = problem->positions_m + 2 * n;
        bool inside = isfinite(at_m[0]) && isfinite(at_m[1]);
        for (int axis = 0; axis < 2; axis++)
            inside =
                inside && at[axis] - problem->travel_px >= 1 &&
                at[axis] + problem->travel_px + (double)window[axis] + 1 <= (double)object[axis];
        if (inside)
            continue;
        ff_fail(error, FF_INPUT_INVALID,
                "%s: position %zu (row %.2f, column %.2f, in pixels) leaves the object of %zu × "
                "%zu pixels",
                name_of(problem), n, at[0], at[1], object[0], object[1]);
        return ff_hint(error, "correct the position, or give a larger object");
    }
    return 0;
}

static int check_finite(const struct ff_problem *problem, const ff_complex *values, size_t count,
                        const char *what, struct ff_error *error)
{
    double power = 0;
    for (size_t i = 0; i < count; i++) {
        double re = (double)crealf(values[i]);
        double im = (double)cimagf(values[i]);
        if (!isfinite(re) || !isfinite(im))
            return ff_fail(error, FF_INPUT_INVALID, "%s: %s is not finite at element %zu",
                           name_of(problem), what, i);
        power += re * re + im * im;
    }
    if (power > 0)
        return 0;
    return ff_fail(error, FF_INPUT_INVALID, "%s: %s is zero everywhere", name_of(problem), what);
}

int ff_problem_check(const struct ff_problem *problem, struct ff_error *error)
{
    if (check_shapes(problem, error) < 0 || check_counts(problem, error) < 0 ||
        check_positions(problem, error) < 0)
        return -1;
    if (problem->object != NULL &&
        check_finite(problem, problem->object, problem->object_rows * problem->object_columns,
                     "the first object", error) < 0)
        return -1;
    return check_finite(problem, problem->probe,
                        problem->modes * problem->probe_rows * problem->probe_columns,
                        "the first probe", error);
}

#include "tests/numeric/scene.h"

#include "functions/reconstruct/metrics/comparison.h"
#include "tests/numeric/model.h"
#include "tests/unit/check.h"

#include <complex.h>
#include <math.h>

typedef _Complex double complex_double;

static double next_unit(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (double)(*state >> 11) * 0x1p-53;
}

static complex_double polar(double size, double angle)
{
    return size * (cos(angle) + sin(angle) * (complex_double)I);
}

static void *make(size_t count, size_t size)
{
    void *array = calloc(count, size);
    assert_non_null(array);
    return array;
}

static model_complex *widen(const ff_complex *values, size_t count)
{
    model_complex *wide = make(count, sizeof *wide);
    for (size_t i = 0; i < count; i++)
        wide[i] = (model_complex)values[i];
    return wide;
}

void scene_intensity(const struct ff_problem *problem, const ff_complex *object,
                     const ff_complex *probe, size_t modes, size_t pattern, double *intensity)
{
    struct model model = {.problem = problem, .modes = modes, .positions = problem->positions};
    model.object = widen(object, problem->object_rows * problem->object_columns);
    model.probe = widen(probe, modes * problem->probe_rows * problem->probe_columns);
    model_intensity(&model, pattern, intensity);
    free(model.object);
    free(model.probe);
}

static void make_truth(struct scene *scene, const struct scene_shape *shape)
{
    struct ff_problem *problem = scene->problem;
    scene->object = make(problem->object_rows * problem->object_columns, sizeof(ff_complex));
    for (size_t r = 0; r < problem->object_rows; r++) {
        for (size_t c = 0; c < problem->object_columns; c++) {
            double y = (double)r;
            double x = (double)c;
            double size = 0.8 + 0.2 * cos(0.31 * y) * sin(0.23 * x + 1);
            double angle = 0.6 * sin(0.19 * y + 0.4) + 0.5 * cos(0.27 * x + 0.11 * y);
            scene->object[r * problem->object_columns + c] = (ff_complex)polar(size, angle);
        }
    }
    size_t pixels = shape->rows * shape->columns;
    scene->probe = make(shape->modes * pixels, sizeof(ff_complex));
    double power = 0;
    for (size_t m = 0; m < shape->modes; m++) {
        for (size_t r = 0; r < shape->rows; r++) {
            for (size_t c = 0; c < shape->columns; c++) {
                double y = ((double)r - 0.5 * (double)shape->rows) / (double)shape->rows;
                double x = ((double)c - 0.5 * (double)shape->columns) / (double)shape->columns;
                double size = exp(-22 * (x * x + y * y)) * (m == 0 ? 1 : 2.5 * (m == 1 ? x : y));
                double angle = 9 * (x * x + y * y) + 2 * x;
                scene->probe[m * pixels + r * shape->columns + c] = (ff_complex)polar(size, angle);
                power += size * size;
            }
        }
    }
    float scale = (float)sqrt(shape->photons / power);
    for (size_t i = 0; i < shape->modes * pixels; i++)
        scene->probe[i] *= scale;
}

void scene_measure(struct scene *scene)
{
    struct ff_problem *problem = scene->problem;
    size_t pixels = problem->rows * problem->columns;
    uint16_t *whole = (uint16_t *)(uintptr_t)problem->counts.u16;
    float *exact = (float *)(uintptr_t)problem->counts.f32;
    double *intensity = make(pixels, sizeof *intensity);
    problem->total_counts = 0;
    for (size_t n = 0; n < problem->patterns; n++) {
        scene_intensity(problem, scene->object, scene->probe, problem->modes, n, intensity);
        for (size_t i = 0; i < pixels; i++) {
            double counts = whole != NULL ? floor(intensity[i] + 0.5) : intensity[i];
            assert_true(whole == NULL || counts <= UINT16_MAX);
            if (whole != NULL)
                whole[n * pixels + i] = (uint16_t)counts;
            else
                exact[n * pixels + i] = (float)counts;
            problem->total_counts += counts;
        }
    }
    free(intensity);
}

void scene_create(struct scene *scene, struct scene_shape shape)
{
    struct ff_problem *problem = make(1, sizeof *problem);
    uint64_t random = 0x1234567u;
    scene->problem = problem;
    problem->patterns = shape.grid * shape.grid;
    problem->fly = 1;
    problem->rows = problem->probe_rows = shape.rows;
    problem->columns = problem->probe_columns = shape.columns;
    problem->positions = make(2 * problem->patterns, sizeof(double));
    problem->positions_m = make(2 * problem->patterns, sizeof(double));
    double most = 0;
    for (size_t n = 0; n < problem->patterns; n++) {
        /* Jittered, so that there is no raster pathology. */
        double y = 2 + shape.step * ((double)(n / shape.grid) + 0.4 * next_unit(&random));
        double x = 2 + shape.step * ((double)(n % shape.grid) + 0.4 * next_unit(&random));
        problem->positions[2 * n] = y;
        problem->positions[2 * n + 1] = x;
        most = fmax(most, fmax(y, x));
    }
    problem->object_rows = (size_t)most + shape.rows + 4;
    problem->object_columns = (size_t)most + shape.columns + 4;
    problem->modes = shape.modes;
    make_truth(scene, &shape);
    size_t area = problem->object_rows * problem->object_columns;
    problem->object = make(area, sizeof(ff_complex));
    for (size_t i = 0; i < area; i++)
        problem->object[i] = 1;
    size_t probe_size = shape.modes * shape.rows * shape.columns;
    problem->probe = make(probe_size, sizeof(ff_complex));
    memcpy(problem->probe, scene->probe, probe_size * sizeof(ff_complex));
    size_t counts = problem->patterns * shape.rows * shape.columns;
    if (shape.whole_counts)
        problem->counts.u16 = make(counts, sizeof(uint16_t));
    else
        problem->counts.f32 = make(counts, sizeof(float));
    scene_measure(scene);
}

void scene_blur_probe(struct scene *scene)
{
    const struct ff_problem *problem = scene->problem;
    for (size_t m = 0; m < problem->modes; m++)
        for (size_t r = 0; r < problem->rows; r++)
            for (size_t c = 0; c < problem->columns; c++) {
                double y = ((double)r - 0.5 * (double)problem->rows) / (double)problem->rows;
                double x = ((double)c - 0.5 * (double)problem->columns) / (double)problem->columns;
                problem->probe[(m * problem->rows + r) * problem->columns + c] *=
                    (ff_complex)polar(1, 2 * (x * x + y * y));
            }
}

void scene_destroy(struct scene *scene)
{
    struct ff_problem *problem = scene->problem;
    free((void *)problem->counts.u16);
    free((void *)problem->counts.f32);
    free(problem->measured);
    free(problem->positions);
    free(problem->positions_m);
    free(problem->object);
    free(problem->probe);
    free(problem);
    free(scene->object);
    free(scene->probe);
}

double scene_object_error(const struct scene *scene, const ff_complex *found)
{
    const struct ff_problem *problem = scene->problem;
    const struct ff_comparison_options options = {.keep_hand = true};
    struct ff_estimate_source source = {
        .object = found,
        .rows = problem->object_rows,
        .columns = problem->object_columns,
        .positions = problem->positions,
        .count = problem->patterns,
        .probe = scene->probe,
        .modes = problem->modes,
        .probe_rows = problem->probe_rows,
        .probe_columns = problem->probe_columns,
    };
    struct ff_error error = {0};
    struct ff_estimate estimate;
    struct ff_estimate truth;
    struct ff_comparison comparison;
    assert_ok(ff_estimate_create(&estimate, &source, &error), error);
    source.object = scene->object;
    assert_ok(ff_estimate_create(&truth, &source, &error), error);
    assert_ok(ff_compare(&estimate, &truth, &options, &comparison, &error), error);
    double relative = comparison.object.relative;
    ff_comparison_dispose(&comparison);
    ff_estimate_dispose(&estimate);
    ff_estimate_dispose(&truth);
    return relative;
}

struct ff_backend *scene_try_open(const struct scene *scene,
                                  const struct ff_backend_operations *operations,
                                  struct ff_backend_plan plan, struct ff_error *error)
{
    const struct ff_problem *problem = scene->problem;
    const struct ff_area whole = {0, 0, problem->object_rows, problem->object_columns};
    uint32_t *patterns = make(problem->patterns, sizeof *patterns);
    for (size_t i = 0; i < problem->patterns; i++)
        patterns[i] = (uint32_t)i;
    plan.problem = problem;
    plan.patterns = patterns;
    plan.pattern_count = problem->patterns;
    plan.tile = whole;
    plan.owned = &whole;
    plan.owned_count = plan.count = 1;
    plan.modes = plan.modes > 0 ? plan.modes : problem->modes;
    plan.threads = plan.threads > 0 ? plan.threads : 1;
    plan.batch_limit = plan.batch_limit > 0 ? plan.batch_limit : problem->patterns;
    struct ff_backend *backend = operations->create(&plan, error);
    free(patterns);
    if (backend == NULL)
        return NULL;
    double *scales = make(problem->patterns, sizeof *scales);
    for (size_t i = 0; i < problem->patterns; i++)
        scales[i] = 1;
    operations->put_rows(backend, FF_SCALES, 0, problem->patterns, scales);
    free(scales);
    operations->put_rows(backend, FF_POSITIONS, 0, problem->patterns, problem->positions);
    operations->put(backend, FF_OBJECT, problem->object);
    operations->put(backend, FF_PROBE, problem->probe);
    return backend;
}

struct ff_backend *scene_open(const struct scene *scene,
                              const struct ff_backend_operations *operations,
                              struct ff_backend_plan plan)
{
    struct ff_error error;
    struct ff_backend *backend = scene_try_open(scene, operations, plan, &error);
    if (backend == NULL)
        fail_msg("%s", error.message);
    return backend;
}

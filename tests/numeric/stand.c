#include "tests/numeric/stand.h"

#include "tests/unit/check.h"

#include <complex.h>
#include <math.h>

const struct stand_case stand_cases[] = {
    {.name = "plain", .rows = 12, .columns = 17, .patterns = 4, .modes = 1},
    {.name = "modes", .rows = 16, .columns = 16, .patterns = 4, .modes = 3},
    {.name = "mask", .rows = 12, .columns = 18, .patterns = 4, .modes = 2, .masked = true},
    {.name = "poisson",
     .rows = 12,
     .columns = 18,
     .patterns = 4,
     .modes = 2,
     .noise = FF_NOISE_POISSON},
    {.name = "scales", .rows = 12, .columns = 18, .patterns = 4, .modes = 2, .scaled = true},
    {.name = "fly", .rows = 12, .columns = 18, .patterns = 3, .modes = 2, .fly = 3},
    {.name = "pad",
     .rows = 16,
     .columns = 20,
     .probe_rows = 12,
     .probe_columns = 13,
     .patterns = 4,
     .modes = 2},
    {.name = "near", .rows = 15, .columns = 20, .patterns = 4, .modes = 2, .near_field = true},
    {.name = "near pad",
     .rows = 20,
     .columns = 33,
     .probe_rows = 15,
     .probe_columns = 17,
     .patterns = 3,
     .modes = 2,
     .near_field = true},
    {.name = "eigenprobes", .rows = 12, .columns = 18, .patterns = 4, .modes = 2, .eigenprobes = 2},
    {.name = "one mode, eigenprobe",
     .rows = 12,
     .columns = 18,
     .patterns = 4,
     .modes = 1,
     .eigenprobes = 1},
    {.name = "fourier",
     .rows = 12,
     .columns = 17,
     .patterns = 4,
     .modes = 2,
     .subpixel = FF_SUBPIXEL_FOURIER},
    {.name = "all, bilinear",
     .rows = 18,
     .columns = 21,
     .probe_rows = 12,
     .probe_columns = 14,
     .patterns = 3,
     .fly = 2,
     .modes = 2,
     .eigenprobes = 1,
     .near_field = true,
     .masked = true,
     .scaled = true,
     .noise = FF_NOISE_POISSON},
    {.name = "all, fourier",
     .rows = 18,
     .columns = 21,
     .probe_rows = 12,
     .probe_columns = 14,
     .patterns = 3,
     .fly = 2,
     .modes = 2,
     .eigenprobes = 2,
     .masked = true,
     .scaled = true,
     .noise = FF_NOISE_POISSON,
     .subpixel = FF_SUBPIXEL_FOURIER},
    /* Shapes that the vector transform takes. */
    {.name = "vector", .rows = 32, .columns = 32, .patterns = 3, .modes = 2},
    {.name = "vector near",
     .rows = 32,
     .columns = 64,
     .patterns = 2,
     .modes = 1,
     .near_field = true},
    {.name = "all, vector",
     .rows = 64,
     .columns = 64,
     .probe_rows = 32,
     .probe_columns = 32,
     .patterns = 2,
     .fly = 2,
     .modes = 2,
     .eigenprobes = 1,
     .masked = true,
     .scaled = true,
     .subpixel = FF_SUBPIXEL_FOURIER},
    /* More of everything than is done at once. */
    {.name = "many",
     .rows = 15,
     .columns = 13,
     .patterns = 20,
     .fly = 2,
     .modes = 5,
     .eigenprobes = 5,
     .scaled = true},
    {.name = "many, fourier",
     .rows = 15,
     .columns = 13,
     .patterns = 20,
     .fly = 2,
     .modes = 5,
     .eigenprobes = 5,
     .scaled = true,
     .subpixel = FF_SUBPIXEL_FOURIER},
    {.name = "large",
     .rows = 64,
     .columns = 63,
     .probe_rows = 60,
     .probe_columns = 51,
     .patterns = 2,
     .modes = 1,
     .eigenprobes = 1},
    {.name = NULL},
};

double stand_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (double)(*state >> 11) * 0x1p-52 - 1;
}

void *stand_array(size_t count, size_t size)
{
    void *array = calloc(count + 1, size);
    assert_non_null(array);
    return array;
}

model_complex *stand_random_field(size_t count, uint64_t *state)
{
    model_complex *values = stand_array(count, sizeof *values);
    for (size_t i = 0; i < count; i++) {
        double re = stand_random(state);
        values[i] = re + stand_random(state) * (model_complex)I;
    }
    return values;
}

double stand_product(const model_complex *a, const model_complex *b, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += creal(a[i]) * creal(b[i]) + cimag(a[i]) * cimag(b[i]);
    return sum;
}

static void make_problem(struct stand *stand)
{
    const struct stand_case *effects = stand->effects;
    struct ff_problem *problem = stand_array(1, sizeof *problem);
    stand->problem = problem;
    problem->patterns = effects->patterns;
    problem->fly = effects->fly > 0 ? effects->fly : 1;
    problem->rows = effects->rows;
    problem->columns = effects->columns;
    problem->probe_rows = effects->probe_rows > 0 ? effects->probe_rows : effects->rows;
    problem->probe_columns = effects->probe_columns > 0 ? effects->probe_columns : effects->columns;
    problem->near_field = effects->near_field;
    problem->object_rows = problem->probe_rows + 11;
    problem->object_columns = problem->probe_columns + 13;
    problem->geometry = (struct ff_geometry){
        .wavelength_m = 1e-10, .distance_m = 0.02, .object_pixel_m = {5e-7, 6e-7}};
    stand->object_elements = problem->object_rows * problem->object_columns;
    if (effects->masked) {
        problem->measured = stand_array(problem->rows * problem->columns, 1);
        for (size_t i = 0; i < problem->rows * problem->columns; i++)
            problem->measured[i] = i % 5 != 2;
    }
}

static void make_model(struct stand *stand, uint64_t *state)
{
    const struct stand_case *effects = stand->effects;
    const struct ff_problem *problem = stand->problem;
    struct model *model = &stand->model;
    size_t places = problem->patterns * problem->fly;
    *model = (struct model){.problem = problem,
                            .modes = effects->modes,
                            .eigenprobes = effects->eigenprobes,
                            .noise = effects->noise,
                            .subpixel = effects->subpixel};
    size_t probes = effects->modes + effects->eigenprobes;
    stand->probe_elements = probes * problem->probe_rows * problem->probe_columns;
    model->object = stand_random_field(stand->object_elements, state);
    model->probe = stand_random_field(stand->probe_elements, state);
    for (size_t i = 0; i < stand->object_elements; i++)
        model->object[i] = 1 + 0.4 * model->object[i];
    for (size_t i = 0; i < stand->probe_elements; i++)
        model->probe[i] *= 8;
    model->positions = stand_array(2 * places, sizeof(double));
    for (size_t i = 0; i < places; i++) { /* fractions far from 0, where taps change */
        model->positions[2 * i] =
            1.5 + floor(4 + 4 * stand_random(state)) + 0.3 * stand_random(state);
        model->positions[2 * i + 1] =
            1.5 + floor(5 + 5 * stand_random(state)) + 0.3 * stand_random(state);
    }
    model->scales = stand_array(problem->patterns, sizeof(double));
    model->weights = stand_array(problem->patterns * effects->eigenprobes + 1, sizeof(double));
    for (size_t n = 0; n < problem->patterns; n++)
        model->scales[n] = effects->scaled ? 1 + 0.3 * stand_random(state) : 1;
    for (size_t i = 0; i < problem->patterns * effects->eigenprobes; i++)
        model->weights[i] = stand_random(state);
}

static void make_counts(struct stand *stand, uint64_t *state)
{
    struct ff_problem *problem = stand->problem;
    size_t pixels = problem->rows * problem->columns;
    float *counts = stand_array(problem->patterns * pixels, sizeof *counts);
    double *intensity = stand_array(pixels, sizeof *intensity);
    for (size_t n = 0; n < problem->patterns; n++) {
        model_intensity(&stand->model, n, intensity);
        for (size_t i = 0; i < pixels; i++)
            counts[n * pixels + i] = (float)(intensity[i] * (1 + 0.6 * stand_random(state)));
    }
    for (size_t n = 0; problem->measured != NULL && n < problem->patterns; n++)
        for (size_t i = 0; i < pixels; i++)
            if (!problem->measured[i])
                counts[n * pixels + i] = i % 3 == 0 ? NAN : i % 3 == 1 ? -5e30f : INFINITY;
    free(intensity);
    problem->counts.f32 = counts;
}

static void open_backend(struct stand *stand, unsigned needs)
{
    struct ff_error error;
    const struct ff_problem *problem = stand->problem;
    const struct ff_area whole = {0, 0, problem->object_rows, problem->object_columns};
    for (size_t i = 0; i < problem->patterns; i++)
        stand->all[i] = (uint32_t)i;
    stand->batch = (struct ff_batch){stand->all, problem->patterns};
    const struct ff_backend_plan plan = {
        .problem = problem,
        .patterns = stand->all,
        .pattern_count = problem->patterns,
        .tile = whole,
        .owned = &whole,
        .owned_count = 1,
        .count = 1,
        .modes = stand->model.modes,
        .eigenprobes = stand->model.eigenprobes,
        .batch_limit = problem->patterns,
        .needs = needs,
        .noise = stand->model.noise,
        .subpixel = stand->model.subpixel,
        .threads = 2,
    };
    stand->backend = stand->operations->create(&plan, &error);
    if (stand->backend == NULL)
        fail_msg("%s: %s", stand->effects->name, error.message);
}

void stand_make(struct stand *stand, const struct stand_case *effects)
{
    uint64_t state = 0x9e3779b97f4a7c15u;
    *stand = (struct stand){.effects = effects};
    make_problem(stand);
    make_model(stand, &state);
    make_counts(stand, &state);
}

void stand_place(struct stand *stand, const struct ff_backend_operations *operations,
                 unsigned needs)
{
    stand->operations = operations;
    open_backend(stand, needs);
    stand_put(stand);
}

void stand_open(struct stand *stand, const struct stand_case *effects,
                const struct ff_backend_operations *operations, unsigned needs)
{
    stand_make(stand, effects);
    stand_place(stand, operations, needs);
}

void stand_close(struct stand *stand)
{
    stand->operations->destroy(stand->backend);
    free((void *)(uintptr_t)stand->problem->counts.f32);
    free(stand->problem->measured);
    free(stand->problem);
    free(stand->model.object);
    free(stand->model.probe);
    free(stand->model.positions);
    free(stand->model.scales);
    free(stand->model.weights);
}

size_t stand_elements(const struct stand *stand, enum ff_field field)
{
    return field < FF_PROBE ? stand->object_elements : stand->probe_elements;
}

static bool is_double(const struct stand *stand)
{
    return stand->operations->real_bytes == sizeof(double);
}

static ff_complex *narrowed(const model_complex *values, size_t count)
{
    ff_complex *narrow = stand_array(count, sizeof *narrow);
    for (size_t i = 0; i < count; i++)
        narrow[i] = (ff_complex)values[i];
    return narrow;
}

static void widen(const ff_complex *narrow, size_t count, model_complex *values)
{
    for (size_t i = 0; i < count; i++)
        values[i] = (model_complex)narrow[i];
}

void stand_put_field(struct stand *stand, enum ff_field field, const model_complex *values)
{
    if (is_double(stand)) {
        stand->operations->put(stand->backend, field, values);
        return;
    }
    ff_complex *narrow = narrowed(values, stand_elements(stand, field));
    stand->operations->put(stand->backend, field, narrow);
    free(narrow);
}

void stand_get_field(struct stand *stand, enum ff_field field, model_complex *values)
{
    if (is_double(stand)) {
        stand->operations->get(stand->backend, field, values);
        return;
    }
    size_t count = stand_elements(stand, field);
    ff_complex *narrow = stand_array(count, sizeof *narrow);
    stand->operations->get(stand->backend, field, narrow);
    widen(narrow, count, values);
    free(narrow);
}

size_t stand_wave_elements(const struct stand *stand, size_t count)
{
    const struct ff_problem *problem = stand->problem;
    return count * problem->fly * stand->model.modes * problem->rows * problem->columns;
}

void stand_put_waves(struct stand *stand, size_t first, size_t count, const model_complex *values)
{
    if (is_double(stand)) {
        stand->operations->put_rows(stand->backend, FF_WAVES, first, count, values);
        return;
    }
    ff_complex *narrow = narrowed(values, stand_wave_elements(stand, count));
    stand->operations->put_rows(stand->backend, FF_WAVES, first, count, narrow);
    free(narrow);
}

void stand_get_waves(const struct stand *stand, size_t first, size_t count, model_complex *values)
{
    if (is_double(stand)) {
        stand->operations->get_rows(stand->backend, FF_WAVES, first, count, values);
        return;
    }
    ff_complex *narrow = stand_array(stand_wave_elements(stand, count), sizeof *narrow);
    stand->operations->get_rows(stand->backend, FF_WAVES, first, count, narrow);
    widen(narrow, stand_wave_elements(stand, count), values);
    free(narrow);
}

void stand_put(struct stand *stand)
{
    const struct model *model = &stand->model;
    size_t patterns = stand->problem->patterns;
    stand_put_field(stand, FF_OBJECT, model->object);
    stand_put_field(stand, FF_PROBE, model->probe);
    stand->operations->put_rows(stand->backend, FF_POSITIONS, 0, patterns, model->positions);
    stand->operations->put_rows(stand->backend, FF_SCALES, 0, patterns, model->scales);
    stand->operations->put_rows(stand->backend, FF_WEIGHTS, 0, patterns, model->weights);
}

static void settle(struct stand *stand)
{
    stand->operations->settle(stand->backend, &stand->backend);
    stand->operations->spread(stand->backend, &stand->backend);
}

void stand_gradients(struct stand *stand, unsigned want)
{
    stand->operations->gradients(stand->backend, stand->batch, want);
    settle(stand);
}

void stand_overlap(struct stand *stand, unsigned want)
{
    stand->operations->overlap(stand->backend, stand->batch, want);
    settle(stand);
}

struct ff_cost stand_take_cost(struct stand *stand)
{
    struct ff_error error;
    struct ff_cost cost;
    assert_ok(stand->operations->take_cost(stand->backend, &cost, &error), error);
    return cost;
}

void stand_check(const struct stand *stand, const char *what, double found, double expected,
                 double size, double tolerance)
{
    double allowed = is_double(stand) ? tolerance : fmax(tolerance, STAND_FLOAT);
    if (!(fabs(found - expected) <= allowed * fabs(size)))
        fail_msg("%s, %s: found %.15g, expected %.15g, off by %.2g of %.3g where %.2g is allowed",
                 stand->effects->name, what, found, expected, fabs((found - expected) / size),
                 fabs(size), allowed);
}

void stand_check_values(const struct stand *stand, const char *what, const model_complex *found,
                        const model_complex *expected, size_t count, double tolerance)
{
    double apart = 0;
    for (size_t i = 0; i < count; i++)
        apart += pow(cabs(found[i] - expected[i]), 2);
    stand_check(stand, what, sqrt(apart), 0, sqrt(stand_product(expected, expected, count)),
                tolerance);
}

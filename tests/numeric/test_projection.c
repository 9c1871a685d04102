/* Projections on kept exit waves, against the model. */
#include "tests/unit/check.h"

#include "tests/numeric/backend.h"
#include "tests/numeric/stand.h"

#include <complex.h>
#include <math.h>

static size_t exit_pixels(const struct stand *stand)
{
    return stand->problem->probe_rows * stand->problem->probe_columns;
}

/* P S of the model, or with an object or a probe in the place of its own: (fly, modes, probe rows, columns). */
static model_complex *exit_waves(const struct stand *stand, const model_complex *object,
                                 const model_complex *probe, size_t pattern)
{
    const struct model *model = &stand->model;
    size_t pixels = exit_pixels(stand);
    model_complex *waves = stand_array(stand->problem->fly * model->modes * pixels, sizeof *waves);
    model_complex *patch = stand_array(pixels, sizeof *patch);
    for (size_t k = 0; k < stand->problem->fly; k++) {
        model_patch(model, object, pattern, k, patch);
        for (size_t m = 0; m < model->modes; m++) {
            model_complex *wave = waves + (k * model->modes + m) * pixels;
            model_probe(model, probe, pattern, k, m, wave);
            for (size_t i = 0; i < pixels; i++)
                wave[i] *= patch[i];
        }
    }
    free(patch);
    return waves;
}

/* What is kept of a pattern, without the zeros around it. */
static model_complex *kept_waves(const struct stand *stand, size_t pattern)
{
    const struct ff_problem *problem = stand->problem;
    size_t count = problem->fly * stand->model.modes;
    size_t frame = problem->rows * problem->columns;
    model_complex *whole = stand_array(count * frame, sizeof *whole);
    model_complex *waves = stand_array(count * exit_pixels(stand), sizeof *waves);
    stand_get_waves(stand, pattern, 1, whole);
    for (size_t i = 0; i < count; i++)
        for (size_t r = 0; r < problem->probe_rows; r++)
            memcpy(waves + i * exit_pixels(stand) + r * problem->probe_columns,
                   whole + i * frame + r * problem->columns,
                   problem->probe_columns * sizeof *waves);
    free(whole);
    return waves;
}

/* The amplitude nearest to `own` that agrees with `counts` by the noise: where the derivative of its minimum's function,
 * which rises with the amplitude, passes zero. */
static double projected(enum ff_noise noise, double own, double counts)
{
    double low = 0;
    double high = own + sqrt(counts) + 1;
    if (noise == FF_NOISE_GAUSSIAN)
        return sqrt(counts);
    for (int i = 0; i < 200; i++) {
        double z = (low + high) / 2;
        bool beyond = 2 * z - 2 * counts / z + 2 * FF_POISSON_PROXIMAL * (z - own) > 0;
        *(beyond ? &high : &low) = z;
    }
    return (low + high) / 2;
}

/* The waves of the pattern at the detector are brought to what was measured, where it was. */
static void project_on_measured(const struct stand *stand, size_t pattern, model_complex *waves)
{
    const struct ff_problem *problem = stand->problem;
    size_t count = problem->fly * stand->model.modes;
    size_t frame = problem->rows * problem->columns;
    for (size_t i = 0; i < frame; i++) {
        double intensity = 0;
        if (problem->measured != NULL && !problem->measured[i])
            continue;
        for (size_t w = 0; w < count; w++)
            intensity += pow(cabs(waves[w * frame + i]), 2);
        for (size_t w = 0; w < count; w++)
            waves[w * frame + i] *=
                fmin(1 + FF_CHI_BOUND, projected(stand->model.noise, sqrt(intensity),
                                                 (double)problem->counts.f32[pattern * frame + i]) /
                                           sqrt(intensity));
    }
}

/* <probing, back(modulus(forward(mixed)))>, as <forward(probing), modulus(forward(mixed))>: no second way back is needed
 * to know whether the first one is right. */
static double product_after_modulus(const struct stand *stand, size_t pattern,
                                    const model_complex *mixed, const model_complex *probing)
{
    const struct ff_problem *problem = stand->problem;
    size_t count = problem->fly * stand->model.modes;
    size_t frame = problem->rows * problem->columns;
    model_complex *waves = stand_array(count * frame, sizeof *waves);
    model_complex *other = stand_array(count * frame, sizeof *other);
    for (size_t i = 0; i < count; i++) {
        model_propagate(problem, mixed + i * exit_pixels(stand), waves + i * frame);
        model_propagate(problem, probing + i * exit_pixels(stand), other + i * frame);
    }
    project_on_measured(stand, pattern, waves);
    double product = stand_product(other, waves, count * frame);
    free(waves);
    free(other);
    return product;
}

/* Ψ = P S of another object, so that it is not P S when the step begins. */
static void start_elsewhere(struct stand *stand, uint64_t *state)
{
    model_complex *kept = stand->model.object;
    size_t values = stand->problem->fly * stand->model.modes * exit_pixels(stand);
    stand->model.object = stand_random_field(stand->object_elements, state);
    stand_put(stand);
    stand->operations->start_waves(stand->backend, stand->batch);
    for (size_t n = 0; n < stand->problem->patterns; n++) {
        model_complex *started = kept_waves(stand, n);
        model_complex *expected = exit_waves(stand, stand->model.object, stand->model.probe, n);
        stand_check_values(stand, "P S", started, expected, values, 1e-12);
        free(started);
        free(expected);
    }
    free(stand->model.object);
    stand->model.object = kept;
    stand_put(stand);
}

/* The step of one pattern from `before`. */
static void check_projected(struct stand *stand, size_t pattern, const struct ff_projection *p,
                            const model_complex *before, uint64_t *state)
{
    size_t values = stand->problem->fly * stand->model.modes * exit_pixels(stand);
    model_complex *ps = exit_waves(stand, stand->model.object, stand->model.probe, pattern);
    model_complex *after = kept_waves(stand, pattern);
    model_complex *probing = stand_random_field(values, state);
    model_complex *mixed = stand_array(values, sizeof *mixed);
    for (size_t i = 0; i < values; i++)
        mixed[i] = (1 - p->c) * before[i] + p->c * ps[i];
    double expected = stand_product(probing, before, values) * (1 - p->a - p->b) +
                      stand_product(probing, ps, values) * p->a +
                      product_after_modulus(stand, pattern, mixed, probing) * p->b;
    double size = sqrt(stand_product(probing, probing, values) * stand_product(ps, ps, values));
    stand_check(stand, "a projected wave", stand_product(probing, after, values), expected, size,
                1e-9);
    free(ps);
    free(after);
    free(probing);
    free(mixed);
}

static void check_project(struct stand *stand, uint64_t *state)
{
    const struct ff_projection p = {-0.7, 0.9, 1.6};
    size_t patterns = stand->problem->patterns;
    model_complex **before = stand_array(patterns, sizeof *before);
    start_elsewhere(stand, state);
    for (size_t n = 0; n < patterns; n++)
        before[n] = kept_waves(stand, n);
    (void)stand_take_cost(stand);
    stand->operations->project(stand->backend, stand->batch, &p);
    struct ff_cost cost = stand_take_cost(stand);
    double expected = model_cost(&stand->model).amplitude;
    stand_check(stand, "cost of P S", cost.amplitude, expected, expected, 1e-9);
    for (size_t n = 0; n < patterns; n++) {
        check_projected(stand, n, &p, before[n], state);
        free(before[n]);
    }
    free(before);
}

static void test_projections_are_their_formula(void **unused)
{
    (void)unused;
    uint64_t state = 11;
    for (const struct stand_case *effects = stand_cases; effects->name != NULL; effects++) {
        struct stand stand;
        stand_open(&stand, effects, numeric_backend(), FF_NEED_WAVES);
        check_project(&stand, &state);
        stand_close(&stand);
    }
}

/* N_O and N_P of Ψ - P S: their products with any change of object or probe are those of the exit waves. */
static void check_overlap(struct stand *stand, enum ff_part part, uint64_t *state)
{
    bool of_object = part == FF_PART_OBJECT;
    enum ff_field field = of_object ? FF_OBJECT_GRADIENT : FF_PROBE_GRADIENT;
    size_t count = stand_elements(stand, field);
    size_t values = stand->problem->fly * stand->model.modes * exit_pixels(stand);
    model_complex *change = stand_random_field(count, state);
    model_complex *gradient = stand_array(count, sizeof *gradient);
    double expected = 0;
    double size = 0;
    stand->operations->turn(stand->backend, part, 0.1, 0);
    stand_get_field(stand, field, gradient);
    for (size_t n = 0; n < stand->problem->patterns; n++) {
        model_complex *chi = kept_waves(stand, n);
        model_complex *ps = exit_waves(stand, stand->model.object, stand->model.probe, n);
        model_complex *changed = of_object ? exit_waves(stand, change, stand->model.probe, n)
                                           : exit_waves(stand, stand->model.object, change, n);
        for (size_t i = 0; i < values; i++)
            chi[i] -= ps[i];
        expected += stand_product(changed, chi, values);
        size += sqrt(stand_product(changed, changed, values) * stand_product(chi, chi, values));
        free(chi);
        free(ps);
        free(changed);
    }
    stand_check(stand, "the overlap's sums", stand_product(change, gradient, count), expected, size,
                1e-11);
    free(change);
    free(gradient);
}

static void test_overlap_is_the_adjoint_of_exit_waves(void **unused)
{
    (void)unused;
    uint64_t state = 12;
    for (const struct stand_case *effects = stand_cases; effects->name != NULL; effects++) {
        struct stand stand;
        stand_open(&stand, effects, numeric_backend(), FF_NEED_WAVES | FF_NEED_DIRECTIONS);
        stand.operations->start_waves(stand.backend, stand.batch);
        for (size_t i = 0; i < stand.object_elements; i++)
            stand.model.object[i] += 0.2 * stand_random(&state);
        stand_put(&stand);
        uint64_t before = stand.operations->transforms_done(stand.backend);
        stand_overlap(&stand, FF_WANT_OBJECT | FF_WANT_PROBE);
        if (stand.model.subpixel == FF_SUBPIXEL_BILINEAR)
            assert_true(stand.operations->transforms_done(stand.backend) == before);
        check_overlap(&stand, FF_PART_OBJECT, &state);
        check_overlap(&stand, FF_PART_PROBE, &state);
        stand_close(&stand);
    }
}

/* Waves that are put are those that are got: to the precision of the backend, and from then on to the bit. */
static void test_waves_can_be_put_back(void **unused)
{
    (void)unused;
    uint64_t state = 13;
    for (const struct stand_case *effects = stand_cases; effects->name != NULL; effects++) {
        struct stand stand;
        stand_open(&stand, effects, numeric_backend(), FF_NEED_WAVES);
        size_t patterns = stand.problem->patterns;
        size_t count = stand_wave_elements(&stand, patterns);
        model_complex *put = stand_random_field(count, &state);
        model_complex *got = stand_array(count, sizeof *got);
        model_complex *again = stand_array(count, sizeof *again);
        stand_put_waves(&stand, 0, patterns, put);
        stand_get_waves(&stand, 0, patterns, got);
        for (size_t i = 0; i < count; i++)
            assert_true(cabs(got[i] - put[i]) <= 1e-7);
        stand_put_waves(&stand, 0, patterns, got);
        stand_get_waves(&stand, 0, patterns, again);
        assert_memory_equal(got, again, count * sizeof *got);
        free(put);
        free(got);
        free(again);
        stand_close(&stand);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_projections_are_their_formula),
        cmocka_unit_test(test_overlap_is_the_adjoint_of_exit_waves),
        cmocka_unit_test(test_waves_can_be_put_back),
    };
    return cmocka_run_group_tests(tests, numeric_begin, numeric_end);
}

/* Steps with settled sums: their weights, lengths, momentum, and the pair of steps of each pattern. */
#include "tests/unit/check.h"

#include "tests/numeric/backend.h"
#include "tests/numeric/stand.h"

#include <complex.h>
#include <math.h>

static model_complex *fetch(struct stand *stand, enum ff_field field)
{
    model_complex *values = stand_array(stand_elements(stand, field), sizeof *values);
    stand_get_field(stand, field, values);
    return values;
}

/* What update() adds to a field of the model. */
static model_complex *step_of(struct stand *stand, enum ff_field field,
                              const struct ff_update *update)
{
    size_t count = stand_elements(stand, field);
    stand_put(stand);
    stand->operations->update(stand->backend, update);
    model_complex *step = fetch(stand, field);
    const model_complex *from = field == FF_OBJECT ? stand->model.object : stand->model.probe;
    for (size_t i = 0; i < count; i++)
        step[i] -= from[i];
    return step;
}

/* Adds the illumination of one position, through its taps. */
static void add_light(const struct stand *stand, size_t pattern, size_t k, double *light)
{
    const struct ff_problem *problem = stand->problem;
    const struct model *model = &stand->model;
    size_t columns = problem->probe_columns;
    size_t width = problem->object_columns;
    const double *position = model->positions + 2 * (pattern * problem->fly + k);
    bool whole = model->subpixel == FF_SUBPIXEL_FOURIER;
    double y = whole ? 0 : position[0] - floor(position[0]);
    double x = whole ? 0 : position[1] - floor(position[1]);
    model_complex *probe = stand_array(problem->probe_rows * columns, sizeof *probe);
    for (size_t m = 0; m < model->modes; m++) {
        model_probe(model, model->probe, pattern, k, m, probe);
        for (size_t i = 0; i < problem->probe_rows * columns; i++) {
            double power = pow(cabs(probe[i]) * model->scales[pattern], 2);
            double *at = light + ((size_t)position[0] + i / columns) * width + (size_t)position[1] +
                         i % columns;
            at[0] += (1 - y) * (1 - x) * power;
            at[1] += (1 - y) * x * power;
            at[width] += y * (1 - x) * power;
            at[width + 1] += y * x * power;
        }
    }
    free(probe);
}

/* 1 + Σ_c w_nc² */
static double shared_weight(const struct model *model, size_t pattern)
{
    double sum = 1;
    for (size_t c = 0; c < model->eigenprobes; c++)
        sum += pow(model->weights[pattern * model->eigenprobes + c], 2);
    return sum;
}

/* W of the object, or V of the modes and the eigenprobes behind them, by definition. */
static double *weights_of(const struct stand *stand, enum ff_field field)
{
    const struct ff_problem *problem = stand->problem;
    const struct model *model = &stand->model;
    size_t pixels = problem->probe_rows * problem->probe_columns;
    double *weights = stand_array(stand_elements(stand, field), sizeof *weights);
    model_complex *patch = stand_array(pixels, sizeof *patch);
    for (size_t n = 0; n < problem->patterns; n++) {
        for (size_t k = 0; k < problem->fly; k++) {
            if (field == FF_OBJECT) {
                add_light(stand, n, k, weights);
                continue;
            }
            model_patch(model, model->object, n, k, patch);
            for (size_t i = 0; i < model->modes + model->eigenprobes; i++) {
                double share = i == 0 || i >= model->modes ? shared_weight(model, n) : 1;
                for (size_t at = 0; at < pixels; at++)
                    weights[i * pixels + at] += share * pow(cabs(patch[at]), 2);
            }
        }
    }
    free(patch);
    return weights;
}

/* D of each value: the maximum is of the object, or of what a probe has for V. */
static double *divisors_of(const struct stand *stand, enum ff_field field, double alpha)
{
    size_t count = stand_elements(stand, field);
    size_t pixels = stand->problem->probe_rows * stand->problem->probe_columns;
    size_t part = field == FF_OBJECT ? count : pixels;
    double *weights = weights_of(stand, field);
    for (size_t first = 0; first < count; first += part) {
        double most = 0;
        for (size_t i = first; i < first + part; i++)
            most = fmax(most, weights[i]);
        for (size_t i = first; i < first + part; i++)
            weights[i] = (1 - alpha) * weights[i] + alpha * most;
    }
    return weights;
}

static void check_step(struct stand *stand, enum ff_field field,
                       const struct ff_length_terms *lengths)
{
    const struct ff_update update = {0.3, 0.2, 0.9, 0.7, 0, false};
    bool of_object = field == FF_OBJECT;
    size_t count = stand_elements(stand, field);
    double length = of_object ? update.step_object : update.step_probe;
    model_complex *gradient = fetch(stand, of_object ? FF_OBJECT_GRADIENT : FF_PROBE_GRADIENT);
    model_complex *step = step_of(stand, field, &update);
    double *weights = weights_of(stand, field);
    double *divisors =
        divisors_of(stand, field, of_object ? update.alpha_object : update.alpha_probe);
    double slope = 0;
    double curve = 0;
    double most = sqrt(stand_product(step, step, count) / (double)count);
    for (size_t i = 0; i < count; i++) {
        double power = pow(cabs(gradient[i]), 2);
        stand_check(stand, of_object ? "a step of the object" : "a step of the probe",
                    cabs(step[i] - length * gradient[i] / divisors[i]), 0, most, 1e-9);
        slope += power / divisors[i];
        curve += power * weights[i] / (divisors[i] * divisors[i]);
    }
    stand_check(stand, "slope", of_object ? lengths->object_slope : lengths->probe_slope, slope,
                slope, 1e-9);
    stand_check(stand, "curve", of_object ? lengths->object_curve : lengths->probe_curve, curve,
                curve, 1e-9);
    free(gradient);
    free(step);
    free(weights);
    free(divisors);
}

static void test_steps_are_gradients_over_weights(void **unused)
{
    (void)unused;
    const struct ff_update update = {0.3, 0.2, 1, 1, 0, false};
    for (const struct stand_case *effects = stand_cases; effects->name != NULL; effects++) {
        struct stand stand;
        stand_open(&stand, effects, numeric_backend(), FF_NEED_DIRECTIONS);
        stand_gradients(&stand, FF_WANT_OBJECT | FF_WANT_PROBE);
        stand.operations->turn(stand.backend, FF_PART_OBJECT, 0.1, 0);
        stand.operations->turn(stand.backend, FF_PART_PROBE, 0.1, 0);
        struct ff_length_terms lengths = stand.operations->lengths(stand.backend, &update);
        check_step(&stand, FF_OBJECT, &lengths);
        check_step(&stand, FF_PROBE, &lengths);
        stand_close(&stand);
    }
}

/* The second step with momentum μ is the first, times 1 + μ, when the sums stay. */
static void test_momentum_keeps_a_part_of_the_step(void **unused)
{
    (void)unused;
    const struct ff_update update = {0.3, 0.2, 0.9, 0.7, 0.4, false};
    for (const struct stand_case *effects = stand_cases; effects->name != NULL; effects++) {
        for (enum ff_field field = FF_OBJECT; field <= FF_PROBE; field += FF_PROBE) {
            struct stand stand;
            stand_open(&stand, effects, numeric_backend(), FF_NEED_VELOCITIES);
            size_t count = stand_elements(&stand, field);
            stand_gradients(&stand, FF_WANT_OBJECT | FF_WANT_PROBE);
            model_complex *first = step_of(&stand, field, &update);
            model_complex *second = step_of(&stand, field, &update);
            model_complex *velocity =
                fetch(&stand, field == FF_OBJECT ? FF_OBJECT_VELOCITY : FF_PROBE_VELOCITY);
            assert_true(stand_product(first, first, count) > 0);
            stand_check_values(&stand, "a velocity", velocity, second, count, 1e-10);
            for (size_t i = 0; i < count; i++)
                first[i] *= 1 + update.momentum;
            stand_check_values(&stand, "momentum", second, first, count, 1e-10);
            free(first);
            free(second);
            free(velocity);
            stand_close(&stand);
        }
    }
}

/* u and v of a position from the steps of object and probe, by the model. */
static void add_powers(const struct stand *stand, size_t pattern, size_t k,
                       const model_complex *object_step, const model_complex *probe_step,
                       double sums[4])
{
    const struct model *model = &stand->model;
    size_t pixels = stand->problem->probe_rows * stand->problem->probe_columns;
    model_complex *waves[4];
    for (int i = 0; i < 4; i++) {
        waves[i] = stand_array(pixels, sizeof **waves);
    }
    model_patch(model, object_step, pattern, k, waves[0]);
    model_probe(model, model->probe, pattern, k, 0, waves[1]);
    model_patch(model, model->object, pattern, k, waves[2]);
    model_probe(model, probe_step, pattern, k, 0, waves[3]);
    for (size_t i = 0; i < pixels; i++) {
        model_complex u = waves[0][i] * waves[1][i];
        model_complex v = waves[2][i] * waves[3][i];
        model_complex cross = u * conj(v);
        sums[0] += pow(cabs(u), 2);
        sums[1] += pow(cabs(v), 2);
        sums[2] += creal(cross);
        sums[3] += cimag(cross);
    }
    for (int i = 0; i < 4; i++)
        free(waves[i]);
}

/* For one mode, Σ_n Re Σ u* χ_0 is <D_O, N_O> and Σ_n Re Σ v* χ_0 is <D_P,0, N_P,0> + Σ_c <D_E,c, N_E,c>. */
static void check_fit(struct stand *stand)
{
    const struct ff_update update = {0.3, 0.2, 1, 1, 0, true};
    size_t probe_elements = stand_elements(stand, FF_PROBE);
    model_complex *steps[2] = {step_of(stand, FF_OBJECT, &update),
                               step_of(stand, FF_PROBE, &update)};
    model_complex *gradients[2] = {fetch(stand, FF_OBJECT_GRADIENT),
                                   fetch(stand, FF_PROBE_GRADIENT)};
    double terms[32][6];
    double slopes[2] = {0, 0};
    stand_put(stand);
    stand->operations->fit(stand->backend, stand->batch);
    stand->operations->get_terms(stand->backend, FF_TERMS_STEPS, terms[0]);
    for (size_t n = 0; n < stand->problem->patterns; n++) {
        double sums[4] = {0};
        for (size_t k = 0; k < stand->problem->fly; k++)
            add_powers(stand, n, k, steps[0], steps[1], sums);
        for (int i = 0; i < 4; i++)
            stand_check(stand, "a term of a step", terms[n][i], sums[i], sums[0] + sums[1], 1e-8);
        slopes[0] += terms[n][4];
        slopes[1] += terms[n][5];
    }
    if (stand->model.modes == 1) {
        double object = stand_product(steps[0], gradients[0], stand->object_elements);
        double probe = stand_product(steps[1], gradients[1], probe_elements);
        double tolerance = stand->operations->real_bytes == sizeof(double) ? 1e-9 : STAND_KEPT;
        stand_check(stand, "the slope of the object's step", slopes[0], object, object, tolerance);
        stand_check(stand, "the slope of the probe's step", slopes[1], probe, probe, tolerance);
    }
    for (int i = 0; i < 2; i++) {
        free(steps[i]);
        free(gradients[i]);
    }
}

/* Other steps follow from it. */
static void brighten(struct stand *stand)
{
    for (size_t i = 0; i < stand->probe_elements; i++)
        stand->model.probe[i] *= 1.25;
    stand_put(stand);
}

/* Of a second batch too: nothing is left of the steps of the first. */
static void test_the_second_pass_fits_each_pattern(void **unused)
{
    (void)unused;
    const struct ff_update update = {0.3, 0.2, 1, 1, 0, false};
    for (const struct stand_case *effects = stand_cases; effects->name != NULL; effects++) {
        struct stand stand;
        stand_open(&stand, effects, numeric_backend(), FF_NEED_EXIT | FF_NEED_DIRECTIONS);
        for (int batch = 0; batch < 2; batch++) {
            stand_gradients(&stand, FF_WANT_OBJECT | FF_WANT_PROBE | FF_WANT_EXIT);
            stand.operations->turn(stand.backend, FF_PART_OBJECT, 0.1, 0);
            stand.operations->turn(stand.backend, FF_PART_PROBE, 0.1, 0);
            stand.operations->normalise(stand.backend, &update);
            check_fit(&stand);
            brighten(&stand);
        }
        stand_close(&stand);
    }
}

/* A part that does not move has no step. */
static void test_the_second_pass_of_one_part_alone(void **unused)
{
    (void)unused;
    const struct ff_update update = {0.3, 0.2, 1, 1, 0, false};
    for (unsigned part = 0; part < 2; part++) {
        struct stand stand;
        double terms[32][6];
        stand_open(&stand, &stand_cases[0], numeric_backend(), FF_NEED_EXIT);
        stand_gradients(&stand, FF_WANT_EXIT | FF_WANT_OBJECT | FF_WANT_PROBE);
        stand_gradients(&stand, FF_WANT_EXIT | (part == 0 ? FF_WANT_OBJECT : FF_WANT_PROBE));
        stand.operations->normalise(stand.backend, &update);
        stand.operations->fit(stand.backend, stand.batch);
        stand.operations->get_terms(stand.backend, FF_TERMS_STEPS, terms[0]);
        assert_true(terms[0][part] > 0 && terms[0][4 + part] > 0);
        assert_true(terms[0][1 - part] == 0.0 && terms[0][5 - part] == 0.0);
        stand_close(&stand);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steps_are_gradients_over_weights),
        cmocka_unit_test(test_momentum_keeps_a_part_of_the_step),
        cmocka_unit_test(test_the_second_pass_fits_each_pattern),
        cmocka_unit_test(test_the_second_pass_of_one_part_alone),
    };
    return cmocka_run_group_tests(tests, numeric_begin, numeric_end);
}

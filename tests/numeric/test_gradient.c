/* Costs and their derivatives, of every part and with every effect, against finite differences of the model. */
#include "tests/unit/check.h"

#include "tests/numeric/backend.h"
#include "tests/numeric/stand.h"

#include <complex.h>
#include <math.h>

static const unsigned everything = FF_WANT_OBJECT | FF_WANT_PROBE | FF_WANT_POSITIONS |
                                   FF_WANT_SCALES | FF_WANT_WEIGHTS | FF_WANT_STRAINS;

/* N of the object or the probe: what turn() keeps. */
static model_complex *kept_gradient(struct stand *stand, enum ff_part part)
{
    enum ff_field field = part == FF_PART_OBJECT ? FF_OBJECT_GRADIENT : FF_PROBE_GRADIENT;
    model_complex *gradient = stand_array(stand_elements(stand, field), sizeof *gradient);
    stand->operations->turn(stand->backend, part, 0.1, 0);
    stand_get_field(stand, field, gradient);
    return gradient;
}

/* The derivative of the objective along `direction` of values, by the model. */
static double slope_along(struct stand *stand, model_complex *values,
                          const model_complex *direction, size_t count)
{
    const double h = 1e-5;
    double cost[2];
    for (int side = 0; side < 2; side++) {
        for (size_t i = 0; i < count; i++)
            values[i] += (side == 0 ? h : -2 * h) * direction[i];
        cost[side] = model_cost(&stand->model).objective;
    }
    for (size_t i = 0; i < count; i++)
        values[i] += h * direction[i];
    return (cost[0] - cost[1]) / (2 * h);
}

/* The derivative of f by the conjugate is -N, or that of half the likelihood; so along d it is -2 Re <N, d>. */
static double factor_of(const struct stand *stand)
{
    return stand->model.noise == FF_NOISE_POISSON ? -4 : -2;
}

static void check_part(struct stand *stand, enum ff_part part, uint64_t *state)
{
    model_complex *gradient = kept_gradient(stand, part);
    bool of_object = part == FF_PART_OBJECT;
    size_t count = of_object ? stand->object_elements : stand->probe_elements;
    size_t step = of_object ? count : stand->problem->probe_rows * stand->problem->probe_columns;
    for (size_t first = 0; first < count; first += step) { /* each mode and eigenprobe of its own */
        model_complex *values = (of_object ? stand->model.object : stand->model.probe) + first;
        model_complex *direction = stand_random_field(step, state);
        double expected = slope_along(stand, values, direction, step);
        double found = factor_of(stand) * stand_product(gradient + first, direction, step);
        double size = 2 * sqrt(stand_product(gradient + first, gradient + first, step) *
                               stand_product(direction, direction, step));
        stand_check(stand, of_object ? "the object's gradient" : "the probe's gradient", found,
                    expected, size, 1e-7);
        free(direction);
    }
    free(gradient);
}

static void test_gradients_are_derivatives(void **unused)
{
    (void)unused;
    uint64_t state = 77;
    for (const struct stand_case *effects = stand_cases; effects->name != NULL; effects++) {
        struct stand stand;
        stand_open(&stand, effects, numeric_backend(), FF_NEED_DIRECTIONS);
        struct ff_cost expected = model_cost(&stand.model);
        stand_gradients(&stand, everything);
        struct ff_cost found = stand_take_cost(&stand);
        stand_check(&stand, "amplitude", found.amplitude, expected.amplitude, expected.amplitude,
                    1e-10);
        stand_check(&stand, "objective", found.objective, expected.objective, expected.objective,
                    1e-10);
        check_part(&stand, FF_PART_OBJECT, &state);
        check_part(&stand, FF_PART_PROBE, &state);
        stand.operations->cost(stand.backend, stand.batch);
        struct ff_cost alone = stand_take_cost(&stand);
        assert_true(alone.amplitude == found.amplitude && alone.objective == found.objective);
        stand_close(&stand);
    }
}

static double slope_by(struct stand *stand, double *value, size_t pattern)
{
    const double h = 1e-5;
    double kept = *value;
    *value = kept + h;
    double up = model_cost_of(&stand->model, pattern).objective;
    *value = kept - h;
    double down = model_cost_of(&stand->model, pattern).objective;
    *value = kept;
    return (up - down) / (2 * h);
}

/* ∂_a S P of all modes at a position, one after the other, by finite differences of the model; where it shifts the
 * probe, by the difference to the next pixel. */
static model_complex *moved_waves(struct stand *stand, size_t pattern, size_t k, int axis)
{
    bool shifted = stand->model.subpixel == FF_SUBPIXEL_FOURIER;
    const double h = shifted ? 1 : 1e-5;
    const double from = shifted ? 0 : -h;
    size_t pixels = stand->problem->probe_rows * stand->problem->probe_columns;
    model_complex *moved = stand_array(stand->model.modes * pixels, sizeof *moved);
    model_complex *patch = stand_array(pixels, sizeof *patch);
    model_complex *probe = stand_array(pixels, sizeof *probe);
    double *position =
        &stand->model.positions[2 * (pattern * stand->problem->fly + k) + (size_t)axis];
    double kept = *position;
    for (int side = -1; side <= 1; side += 2) {
        *position = kept + (side < 0 ? from : h);
        model_patch(&stand->model, stand->model.object, pattern, k, patch);
        *position = kept;
        for (size_t m = 0; m < stand->model.modes; m++) {
            model_probe(&stand->model, stand->model.probe, pattern, k, m, probe);
            for (size_t i = 0; i < pixels; i++)
                moved[m * pixels + i] += side * patch[i] * probe[i] / (h - from);
        }
    }
    free(patch);
    free(probe);
    return moved;
}

static void check_position(struct stand *stand, size_t pattern, size_t k, const double *terms)
{
    static const char *const names[5] = {"b_y", "b_x", "A_yy", "A_yx", "A_xx"};
    size_t values = stand->model.modes * stand->problem->probe_rows * stand->problem->probe_columns;
    double *position = &stand->model.positions[2 * (pattern * stand->problem->fly + k)];
    model_complex *by_row = moved_waves(stand, pattern, k, 0);
    model_complex *by_column = moved_waves(stand, pattern, k, 1);
    const double expected[5] = {
        slope_by(stand, position, pattern) / factor_of(stand),
        slope_by(stand, position + 1, pattern) / factor_of(stand),
        stand_product(by_row, by_row, values),
        stand_product(by_row, by_column, values),
        stand_product(by_column, by_column, values),
    };
    for (int i = 0; i < 5; i++) {
        double size = i < 2 ? fabs(expected[0]) + fabs(expected[1]) : expected[2] + expected[4];
        stand_check(stand, names[i], terms[i], expected[i], size, 1e-6);
    }
    free(by_row);
    free(by_column);
}

static void check_scale(struct stand *stand, size_t pattern, const double *terms)
{
    const struct ff_problem *problem = stand->problem;
    size_t pixels = problem->rows * problem->columns;
    double *intensity = stand_array(pixels, sizeof *intensity);
    double expected[2] = {0, 0};
    model_intensity(&stand->model, pattern, intensity);
    for (size_t i = 0; i < pixels; i++) {
        if (problem->measured != NULL && !problem->measured[i])
            continue;
        expected[0] += sqrt(intensity[i] * (double)problem->counts.f32[pattern * pixels + i]);
        expected[1] += intensity[i];
    }
    stand_check(stand, "Σ √(I d)", terms[0], expected[0], expected[0], 1e-10);
    stand_check(stand, "Σ I", terms[1], expected[1], expected[1], 1e-10);
    free(intensity);
}

/* S E_c, (fly, pixels) */
static model_complex *eigenwaves(const struct stand *stand, size_t pattern, size_t c)
{
    const struct ff_problem *problem = stand->problem;
    const struct model *model = &stand->model;
    size_t pixels = problem->probe_rows * problem->probe_columns;
    model_complex *waves = stand_array(problem->fly * pixels, sizeof *waves);
    model_complex *probe = stand_array(pixels, sizeof *probe);
    for (size_t k = 0; k < problem->fly; k++) {
        model_patch(model, model->object, pattern, k, waves + k * pixels);
        model_probe(model, model->probe, pattern, k, model->modes + c, probe);
        for (size_t i = 0; i < pixels; i++)
            waves[k * pixels + i] *= probe[i];
    }
    free(probe);
    return waves;
}

/* `terms` of the pattern: a slope for each eigenprobe, then the pairs. */
static void check_weight(struct stand *stand, size_t pattern, size_t c, const double *terms)
{
    const struct ff_problem *problem = stand->problem;
    size_t count = stand->model.eigenprobes;
    size_t values = problem->fly * problem->probe_rows * problem->probe_columns;
    model_complex *own = eigenwaves(stand, pattern, c);
    double power = stand_product(own, own, values);
    double slope = slope_by(stand, &stand->model.weights[pattern * count + c], pattern);
    stand_check(stand, "the slope by a weight", terms[c], slope / factor_of(stand), power, 1e-8);
    for (size_t d = 0; d <= c; d++) {
        model_complex *other = eigenwaves(stand, pattern, d);
        stand_check(stand, "the product of two eigenprobes", terms[count + c * (c + 1) / 2 + d],
                    stand_product(own, other, values), power, 1e-10);
        free(other);
    }
    free(own);
}

/* What a small deformation of the object about the middle of the patch does to the cost. Where a patch lies between
 * pixels it has no such object; the same kernel is then checked by the moves. */
static void check_strain(struct stand *stand, size_t pattern, const double *terms)
{
    static const char *const names[4] = {"b_yy", "b_yx", "b_xy", "b_xx"};
    const double h = 1e-5;
    const struct ff_problem *problem = stand->problem;
    const double *position = stand->model.positions + 2 * pattern;
    size_t width = problem->object_columns;
    size_t pixels = problem->object_rows * width;
    double size = fabs(terms[0]) + fabs(terms[1]) + fabs(terms[2]) + fabs(terms[3]);
    model_complex *kept = stand->model.object;
    model_complex *deformed = stand_array(pixels, sizeof *deformed);
    for (int i = 0; i < 4; i++) {
        double cost[2];
        for (int side = 0; side < 2; side++) {
            memcpy(deformed, kept, pixels * sizeof *deformed);
            for (size_t r = 0; r + 1 < problem->object_rows; r++) {
                for (size_t c = 0; c + 1 < width; c++) {
                    double y =
                        (double)r - floor(position[0]) - (double)(problem->probe_rows - 1) / 2;
                    double x =
                        (double)c - floor(position[1]) - (double)(problem->probe_columns - 1) / 2;
                    const model_complex *at = kept + r * width + c;
                    model_complex slope = (i < 2 ? at[width] : at[1]) - at[0];
                    deformed[r * width + c] += (side == 0 ? -h : h) * (i % 2 == 0 ? y : x) * slope;
                }
            }
            stand->model.object = deformed;
            cost[side] = model_cost_of(&stand->model, pattern).objective;
        }
        stand->model.object = kept;
        stand_check(stand, names[i], terms[i], (cost[1] - cost[0]) / (2 * h) / factor_of(stand),
                    size, 1e-5);
    }
    free(deformed);
}

static double *terms_of(const struct stand *stand, enum ff_terms terms, size_t *width)
{
    *width = ff_terms_width(terms, stand->problem->fly, stand->model.eigenprobes);
    double *values = stand_array(stand->problem->patterns * *width + 1, sizeof *values);
    stand->operations->get_terms(stand->backend, terms, values);
    return values;
}

static void test_terms_of_patterns_are_derivatives(void **unused)
{
    (void)unused;
    for (const struct stand_case *effects = stand_cases; effects->name != NULL; effects++) {
        struct stand stand;
        size_t widths[5];
        stand_open(&stand, effects, numeric_backend(), 0);
        stand_gradients(&stand, everything);
        double *positions = terms_of(&stand, FF_TERMS_POSITIONS, &widths[0]);
        double *scales = terms_of(&stand, FF_TERMS_SCALES, &widths[1]);
        double *weights = terms_of(&stand, FF_TERMS_WEIGHTS, &widths[2]);
        double *strains = terms_of(&stand, FF_TERMS_STRAINS, &widths[3]);
        double *costs = terms_of(&stand, FF_TERMS_COSTS, &widths[4]);
        for (size_t n = 0; n < stand.problem->patterns; n++) {
            double cost = model_cost_of(&stand.model, n).amplitude;
            stand_check(&stand, "the cost", costs[n], cost, cost, 1e-9);
            if (stand.problem->fly == 1 && stand.model.subpixel == FF_SUBPIXEL_FOURIER)
                check_strain(&stand, n, strains + n * widths[3]);
            for (size_t k = 0; k < stand.problem->fly; k++)
                check_position(&stand, n, k, positions + n * widths[0] + 5 * k);
            check_scale(&stand, n, scales + n * widths[1]);
            for (size_t c = 0; c < stand.model.eigenprobes; c++)
                check_weight(&stand, n, c, weights + n * widths[2]);
        }
        free(positions);
        free(scales);
        free(weights);
        free(strains);
        free(costs);
        stand_close(&stand);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gradients_are_derivatives),
        cmocka_unit_test(test_terms_of_patterns_are_derivatives),
    };
    return cmocka_run_group_tests(tests, numeric_begin, numeric_end);
}

/* The backend in float, with every instruction set that this CPU has, against the one in double. */
#include "tests/unit/check.h"

#include "functions/reconstruct/backends/cpu/state.h"
#include "tests/numeric/stand.h"

#include <complex.h>
#include <math.h>

static const unsigned needs =
    FF_NEED_WAVES | FF_NEED_DIRECTIONS | FF_NEED_LINE | FF_NEED_JOINT_LINE | FF_NEED_EXIT;
static const unsigned want = FF_WANT_OBJECT | FF_WANT_PROBE | FF_WANT_POSITIONS | FF_WANT_SCALES |
                             FF_WANT_WEIGHTS | FF_WANT_STRAINS | FF_WANT_WAVES | FF_WANT_EXIT;

enum { KINDS = FF_TERMS_STEPS + 1 };

/* All that a batch leaves behind. */
struct figures {
    struct ff_cost cost;
    model_complex *object, *probe; /* the directions after a turn */
    double *terms[KINDS];
    struct ff_line_terms line;
    model_complex *waves; /* of a projection */
};

static model_complex *fetch(struct stand *stand, enum ff_field field)
{
    model_complex *values = stand_array(stand_elements(stand, field), sizeof *values);
    stand_get_field(stand, field, values);
    return values;
}

static size_t wave_values(const struct stand *stand)
{
    return stand->problem->patterns * stand->problem->fly * stand->model.modes *
           stand->problem->rows * stand->problem->columns;
}

static model_complex *fetch_waves(struct stand *stand)
{
    size_t count = wave_values(stand);
    model_complex *waves = stand_array(count, sizeof *waves);
    stand->operations->get_rows(stand->backend, FF_WAVES, 0, stand->problem->patterns, waves);
    if (stand->operations->real_bytes == sizeof(float)) /* from the end on, in place */
        for (size_t i = count; i-- > 0;) {
            ff_complex narrow;
            memcpy(&narrow, (char *)waves + i * sizeof narrow, sizeof narrow);
            waves[i] = (model_complex)narrow;
        }
    return waves;
}

static struct figures run(struct stand *stand)
{
    const struct ff_backend_operations *operations = stand->operations;
    const struct ff_update update = {0.3, 0.3, 1, 1, 0, false};
    const struct ff_projection projection = {-1, 1, 2};
    struct figures figures;
    stand_gradients(stand, want);
    figures.cost = stand_take_cost(stand);
    operations->turn(stand->backend, FF_PART_OBJECT, 0.1, 0);
    operations->turn(stand->backend, FF_PART_PROBE, 0.1, 0);
    operations->normalise(stand->backend, &update);
    operations->fit(stand->backend, stand->batch);
    for (int kind = 0; kind < KINDS; kind++) {
        size_t width =
            ff_terms_width((enum ff_terms)kind, stand->problem->fly, stand->model.eigenprobes);
        figures.terms[kind] = stand_array(stand->problem->patterns * width + 1, sizeof(double));
        operations->get_terms(stand->backend, (enum ff_terms)kind, figures.terms[kind]);
    }
    figures.object = fetch(stand, FF_OBJECT_DIRECTION);
    figures.probe = fetch(stand, FF_PROBE_DIRECTION);
    operations->line(stand->backend, stand->batch, FF_PART_OBJECT | FF_PART_PROBE);
    figures.line = operations->line_terms(stand->backend, 0.1);
    operations->start_waves(stand->backend, stand->batch);
    operations->project(stand->backend, stand->batch, &projection);
    figures.waves = fetch_waves(stand);
    return figures;
}

static void dispose(struct figures *figures)
{
    free(figures->object);
    free(figures->probe);
    free(figures->waves);
    for (int kind = 0; kind < KINDS; kind++)
        free(figures->terms[kind]);
}

static void check_field(const struct stand *stand, const char *what, const model_complex *found,
                        const model_complex *expected, size_t count)
{
    double error = 0;
    for (size_t i = 0; i < count; i++)
        error += pow(cabs(found[i] - expected[i]), 2);
    stand_check(stand, what, sqrt(error), 0, sqrt(stand_product(expected, expected, count)), 2e-5);
}

/* Each kind's numbers against the greatest of the kind: χ of a step is kept in 16 bits. */
static void check_terms(const struct stand *stand, int kind, const double *found,
                        const double *expected)
{
    static const char *const names[KINDS] = {"positions",    "scales", "weights",
                                             "deformations", "costs",  "steps"};
    size_t width =
        ff_terms_width((enum ff_terms)kind, stand->problem->fly, stand->model.eigenprobes);
    double most = 0;
    for (size_t i = 0; i < stand->problem->patterns * width; i++)
        most = fmax(most, fabs(expected[i]));
    for (size_t i = 0; i < stand->problem->patterns * width; i++)
        stand_check(stand, names[kind], found[i], expected[i], most,
                    kind == FF_TERMS_STEPS ? 1e-3 : 2e-5);
}

static void compare(const struct stand *stand, const struct figures *found,
                    const struct figures *expected)
{
    stand_check(stand, "amplitude", found->cost.amplitude, expected->cost.amplitude,
                expected->cost.amplitude, 1e-5);
    stand_check(stand, "objective", found->cost.objective, expected->cost.objective,
                expected->cost.objective, 1e-5);
    check_field(stand, "the object's direction", found->object, expected->object,
                stand->object_elements);
    check_field(stand, "the probe's direction", found->probe, expected->probe,
                stand->probe_elements);
    check_field(stand, "projected waves", found->waves, expected->waves, wave_values(stand));
    for (int kind = 0; kind < KINDS; kind++)
        check_terms(stand, kind, found->terms[kind], expected->terms[kind]);
    double size =
        fabs(expected->line.value) + fabs(expected->line.slope) + fabs(expected->line.curve);
    stand_check(stand, "value", found->line.value, expected->line.value, size, 1e-4);
    stand_check(stand, "slope", found->line.slope, expected->line.slope, size, 1e-4);
    stand_check(stand, "curve", found->line.curve, expected->line.curve, size, 1e-4);
    stand_check(stand, "majoriser", found->line.majoriser, expected->line.majoriser, size, 1e-4);
}

static void test_float_agrees_with_double(void **unused)
{
    (void)unused;
    unsigned with_vector_transform = 0;
    for (const struct stand_case *effects = stand_cases; effects->name != NULL; effects++) {
        struct stand exact;
        bool runs = false;
        const struct ff_kernels *kernels;
        stand_open(&exact, effects, &ff_backend_cpu_double, needs);
        struct figures expected = run(&exact);
        for (unsigned k = 0; (kernels = ff_kernels_at(k, &runs)) != NULL; k++) {
            struct stand stand;
            if (!runs)
                continue;
            stand_open(&stand, effects, &ff_backend_cpu, needs);
            /* The vector transform has loops of its own, which no others can stand in for. */
            with_vector_transform += stand.backend->kernels->vector != NULL;
            if (stand.backend->kernels->vector == NULL && kernels->vector == NULL)
                stand.backend->kernels = kernels;
            struct figures found = run(&stand);
            compare(&stand, &found, &expected);
            dispose(&found);
            stand_close(&stand);
        }
        dispose(&expected);
        stand_close(&exact);
    }
    assert_true(with_vector_transform > 0 || ff_kernels_vector() == NULL);
}

/* Whatever lies under the mask: not one bit of anything changes. */
static void test_what_lies_under_the_mask_changes_nothing(void **unused)
{
    (void)unused;
    for (const struct stand_case *effects = stand_cases; effects->name != NULL; effects++) {
        struct figures figures[2];
        struct stand stands[2];
        if (!effects->masked)
            continue;
        for (int other = 0; other < 2; other++) {
            struct stand *stand = &stands[other];
            stand_open(stand, effects, &ff_backend_cpu, needs);
            size_t frame = stand->problem->rows * stand->problem->columns;
            float *counts = (float *)(uintptr_t)stand->problem->counts.f32;
            for (size_t i = 0; other == 1 && i < stand->problem->patterns * frame; i++)
                if (!stand->problem->measured[i % frame])
                    counts[i] = i % 2 == 0 ? -1e20f : 7;
            figures[other] = run(stand);
        }
        const struct stand *stand = &stands[0];
        assert_true(isfinite(figures[0].cost.objective));
        assert_memory_equal(&figures[0].cost, &figures[1].cost, sizeof figures[0].cost);
        assert_memory_equal(&figures[0].line, &figures[1].line, sizeof figures[0].line);
        assert_memory_equal(figures[0].object, figures[1].object,
                            stand->object_elements * sizeof(model_complex));
        assert_memory_equal(figures[0].probe, figures[1].probe,
                            stand->probe_elements * sizeof(model_complex));
        assert_memory_equal(figures[0].waves, figures[1].waves,
                            wave_values(stand) * sizeof(model_complex));
        for (int kind = 0; kind < KINDS; kind++) {
            size_t width =
                ff_terms_width((enum ff_terms)kind, stand->problem->fly, stand->model.eigenprobes);
            assert_memory_equal(figures[0].terms[kind], figures[1].terms[kind],
                                stand->problem->patterns * width * sizeof(double));
        }
        for (int other = 0; other < 2; other++) {
            dispose(&figures[other]);
            stand_close(&stands[other]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_float_agrees_with_double),
        cmocka_unit_test(test_what_lies_under_the_mask_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

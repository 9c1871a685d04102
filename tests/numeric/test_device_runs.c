/* Whole runs on several devices: the answer of one, whatever the algorithm and the effects, the same
 * bits each time, and after an interruption. */
#include "tests/unit/check.h"

#include "functions/reconstruct/run.h"
#include "tests/numeric/apart.h"
#include "tests/numeric/backend.h"
#include "tests/numeric/effects.h"
#include "tests/numeric/keep.h"
#include "tests/numeric/scene.h"

#include <math.h>

static const unsigned counts[] = {2, 3, 4, 5, 8};
static const unsigned few_counts[] = {5}; /* where the plain case was tried on all */
enum {
    COUNTS = sizeof counts / sizeof counts[0],
    FEW_COUNTS = sizeof few_counts / sizeof few_counts[0],
};

static struct scene_shape shape = {24, 20, 7, 3, 2, 2e5, true};
static const struct scene_shape smaller = {18, 16, 5, 3, 2, 2e5, true};
static size_t epochs = 20;

static struct ff_run_settings settings_of(enum ff_algorithm algorithm)
{
    struct ff_run_settings settings =
        algorithm_settings(algorithm, shape.grid * shape.grid, epochs);
    settings.operations = numeric_backend();
    return settings;
}

static struct ff_run_result run(const struct ff_problem *problem,
                                const struct ff_run_settings *settings,
                                const struct ff_run_watch *watch, struct ff_span resume)
{
    struct ff_run_result result;
    struct ff_error error;
    if (ff_run(problem, settings, watch, resume, &result, &error) < 0)
        fail_msg("%s on %u devices: %s", settings->algorithm, settings->devices, error.message);
    return result;
}

static void check_same_run(const struct ff_problem *problem, const struct ff_run_result *a,
                           const struct ff_run_result *b)
{
    assert_memory_equal(a->state->object, b->state->object,
                        ff_state_object_elements(problem) * sizeof(ff_complex));
    assert_memory_equal(a->state->probe, b->state->probe,
                        ff_state_probe_elements(problem, a->state) * sizeof(ff_complex));
    assert_memory_equal(a->state->positions, b->state->positions,
                        2 * problem->patterns * problem->fly * sizeof(double));
    assert_memory_equal(a->state->scales, b->state->scales, problem->patterns * sizeof(double));
    if (a->state->eigenprobes > 0)
        assert_memory_equal(a->state->weights, b->state->weights,
                            problem->patterns * a->state->eigenprobes * sizeof(double));
    assert_memory_equal(a->costs, b->costs, a->epochs * sizeof(double));
}

/* ‖ψ_N - ψ_1‖ / ‖ψ_1‖ ≤ 1e-4, and twice the same N gives the same bits. */
static void try_run(const struct ff_problem *problem, struct ff_run_settings settings,
                    const char *label, const unsigned *numbers, size_t count)
{
    const struct ff_span fresh = {NULL, 0};
    settings.devices = 1;
    struct ff_run_result one = run(problem, &settings, NULL, fresh);
    size_t positions = 2 * problem->patterns * problem->fly;
    assert_true(one.costs[epochs - 1] < one.costs[0]);
    assert_int_equal(settings.refine.positions, memcmp(one.state->positions, problem->positions,
                                                       positions * sizeof(double)) != 0);
    for (size_t i = 0; i < count; i++) {
        settings.devices = numbers[i];
        struct ff_run_result many = run(problem, &settings, NULL, fresh);
        struct ff_run_result again = run(problem, &settings, NULL, fresh);
        check_same_run(problem, &many, &again);
        double found =
            apart_complex(many.state->object, one.state->object, ff_state_object_elements(problem));
        print_message("%s, %s, on %u devices: %.1e\n", settings.algorithm, label, numbers[i],
                      found);
        apart_check(found, 1e-4, settings.algorithm, numbers[i]);
        apart_check(apart_real(many.state->positions, one.state->positions, positions), 1e-5,
                    "positions", numbers[i]);
        apart_check(fabs(many.cost / one.cost - 1), 1e-3, "the final cost", numbers[i]);
        ff_run_result_dispose(&many);
        ff_run_result_dispose(&again);
    }
    ff_run_result_dispose(&one);
}

static void every_algorithm_on_any_number(void **state)
{
    (void)state;
    struct scene scene;
    scene_create(&scene, shape);
    for (int i = 0; i < FF_ALGORITHMS; i++)
        try_run(scene.problem, settings_of((enum ff_algorithm)i), "plain", counts, COUNTS);
    scene_destroy(&scene);
}

static void every_algorithm_with_all_refinements(void **state)
{
    (void)state;
    struct scene scene;
    scene_create(&scene, shape);
    scene.problem->travel_px = 1;
    for (int i = 0; i < FF_ALGORITHMS; i++) {
        struct ff_run_settings settings = settings_of((enum ff_algorithm)i);
        settings.refine = all_refinements;
        try_run(scene.problem, settings, "refined", few_counts, FEW_COUNTS);
    }
    scene_destroy(&scene);
}

static void with_every_effect(void **state)
{
    (void)state;
    for (const struct effect *effect = effects; effect->label != NULL; effect++) {
        struct scene scene;
        scene_create(&scene, shape);
        struct ff_run_settings settings = effect_settings(effect, &scene, epochs);
        settings.operations = numeric_backend();
        try_run(scene.problem, settings, effect->label, few_counts, FEW_COUNTS);
        scene_destroy(&scene);
    }
}

/* --- interrupted --- */

struct notes {
    unsigned rounding; /* notes that the bits will differ */
};

static void read_note(void *user, const char *text)
{
    struct notes *notes = user;
    notes->rounding += strstr(text, "not bit for bit") != NULL;
}

/* Goes on after so many epochs of three devices with others, as the run that was not interrupted. */
static void check_resumed(const struct ff_problem *problem, struct ff_run_settings settings,
                          size_t after, unsigned devices, const struct ff_run_result *whole)
{
    struct keeper keeper;
    struct notes notes = {0};
    const struct ff_run_watch reader = {.user = &notes, .note = read_note};
    struct ff_run_watch watch = keeper_begin(&keeper, after);
    struct ff_run_result first = run(problem, &settings, &watch, (struct ff_span){NULL, 0});
    assert_int_equal(first.end, FF_RUN_YIELDED);
    bool same = devices == settings.devices;
    settings.devices = devices;
    struct ff_run_result rest = run(problem, &settings, &reader, keeper_span(&keeper));
    assert_int_equal(rest.resumed_at, after);
    assert_int_equal(notes.rounding, same ? 0 : 1);
    if (same)
        check_same_run(problem, &rest, whole);
    apart_check(
        apart_complex(rest.state->object, whole->state->object, ff_state_object_elements(problem)),
        1e-4, settings.algorithm, devices);
    ff_run_result_dispose(&first);
    ff_run_result_dispose(&rest);
    keeper_dispose(&keeper);
}

static void a_run_goes_on_with_as_many_or_others(void **state)
{
    (void)state;
    struct scene scene;
    scene_create(&scene, shape);
    scene.problem->travel_px = 1;
    for (int i = 0; i < FF_ALGORITHMS; i++) {
        struct ff_run_settings settings = settings_of((enum ff_algorithm)i);
        settings.devices = 3;
        struct ff_run_result plain = run(scene.problem, &settings, NULL, (struct ff_span){NULL, 0});
        check_resumed(scene.problem, settings, 7, 3, &plain);
        check_resumed(scene.problem, settings, 7, 1, &plain);
        ff_run_result_dispose(&plain);
        settings.refine = all_refinements;
        settings.refine.search_px = 1;
        struct ff_run_result refined =
            run(scene.problem, &settings, NULL, (struct ff_span){NULL, 0});
        check_resumed(scene.problem, settings, 8, 3, &refined);
        ff_run_result_dispose(&refined);
    }
    scene_destroy(&scene);
}

/* Between two stages of the search object and probe begin anew, and so must the solver, wherever it was interrupted. */
static void a_search_goes_on_where_it_begins_anew(void **state)
{
    (void)state;
    static const enum ff_algorithm kinds[] = {FF_ALGORITHM_LSTSQ, FF_ALGORITHM_CGRAD,
                                              FF_ALGORITHM_DM};
    struct scene scene;
    scene_create(&scene, shape);
    scene.problem->travel_px = 1;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct ff_run_settings settings = settings_of(kinds[i]);
        settings.solver.epochs = 100;
        settings.solver.momentum = kinds[i] == FF_ALGORITHM_LSTSQ ? 0.3 : 0;
        settings.refine = all_refinements;
        settings.refine.search_px = 1;
        struct ff_run_result plain = run(scene.problem, &settings, NULL, (struct ff_span){NULL, 0});
        check_resumed(scene.problem, settings, 40, 1, &plain);
        ff_run_result_dispose(&plain);
    }
    scene_destroy(&scene);
}

static void more_devices_than_patterns(void **state)
{
    (void)state;
    const struct scene_shape few = {24, 20, 2, 3, 1, 2e5, true};
    struct scene scene;
    scene_create(&scene, few);
    struct ff_run_settings settings = settings_of(FF_ALGORITHM_RPIE);
    settings.solver.batches = 2;
    struct ff_run_result one = run(scene.problem, &settings, NULL, (struct ff_span){NULL, 0});
    settings.devices = 8;
    struct ff_run_result many = run(scene.problem, &settings, NULL, (struct ff_span){NULL, 0});
    assert_non_null(strstr(many.device, numeric_backend()->is_apart ? "4 × " : "4 devices"));
    apart_check(apart_complex(many.state->object, one.state->object,
                              ff_state_object_elements(scene.problem)),
                1e-4, "the object", 8);
    ff_run_result_dispose(&one);
    ff_run_result_dispose(&many);
    scene_destroy(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_algorithm_on_any_number),
        cmocka_unit_test(every_algorithm_with_all_refinements),
        cmocka_unit_test(with_every_effect),
        cmocka_unit_test(a_run_goes_on_with_as_many_or_others),
        cmocka_unit_test(a_search_goes_on_where_it_begins_anew),
        cmocka_unit_test(more_devices_than_patterns),
    };
    if (numeric_is_slow()) {
        shape = smaller;
        epochs = 10;
    }
    return cmocka_run_group_tests_name("runs on devices", tests, numeric_begin, numeric_end);
}

/*
 * The same bits whenever streams run: every algorithm on three devices, with everything that moves between epochs, in
 * every order that the stand-in knows and by chance from several seeds, which permute threads and blocks too.
 * FF_ORDERS_SEEDS=1000 in the environment tries so many.
 */
#include "numeric_backend.h"
#include "tests/unit/check.h"

#include "tests/numeric/backend.h"
#include "tests/numeric/effects.h"
#include "tests/numeric/scene.h"

enum { SEEDS = 4, DEVICES = 3, EPOCHS = 2 };

static const struct scene_shape shape = {16, 16, 4, 3, 2, 2e5, true};

static unsigned long seeds_asked(void)
{
    const char *text = getenv("FF_ORDERS_SEEDS");
    return text != NULL ? strtoul(text, NULL, 10) : SEEDS;
}

static struct ff_run_result run_in(const struct ff_problem *problem,
                                   const struct ff_run_settings *settings, enum standin_order order,
                                   uint64_t seed)
{
    struct ff_run_result result;
    struct ff_error error;
    numeric_machine_begin(order, seed);
    if (ff_run(problem, settings, NULL, (struct ff_span){NULL, 0}, &result, &error) < 0)
        fail_msg("%s: %s", settings->algorithm, error.message);
    numeric_machine_end();
    return result;
}

static void check_same(const struct ff_problem *problem, const struct ff_run_settings *settings,
                       const struct ff_run_result *expected, enum standin_order order,
                       uint64_t seed)
{
    static const char *const names[] = {"lazy", "mirror", "eager", "seeded"};
    const size_t positions = 2 * problem->patterns * problem->fly * sizeof(double);
    struct ff_run_result found = run_in(problem, settings, order, seed);
    const struct ff_state *a = found.state;
    const struct ff_state *b = expected->state;
    if (memcmp(a->object, b->object, ff_state_object_elements(problem) * sizeof *a->object) != 0 ||
        memcmp(a->probe, b->probe, ff_state_probe_elements(problem, b) * sizeof *a->probe) != 0 ||
        memcmp(a->positions, b->positions, positions) != 0 ||
        memcmp(a->scales, b->scales, problem->patterns * sizeof *a->scales) != 0 ||
        memcmp(a->weights, b->weights, problem->patterns * b->eigenprobes * sizeof *a->weights) !=
            0 ||
        memcmp(found.costs, expected->costs, found.epochs * sizeof *found.costs) != 0)
        fail_msg("%s: not the same bits in the order %s:%llu", settings->algorithm, names[order],
                 (unsigned long long)seed);
    ff_run_result_dispose(&found);
}

static void the_same_bits_in_every_order(void **state)
{
    (void)state;
    const unsigned long seeds = seeds_asked();
    struct scene scene;
    scene_create(&scene, shape);
    scene.problem->travel_px = 1;
    for (int i = 0; i < FF_ALGORITHMS; i++) {
        struct ff_run_settings settings =
            algorithm_settings((enum ff_algorithm)i, scene.problem->patterns, EPOCHS);
        settings.operations = numeric_backend();
        settings.devices = DEVICES;
        settings.refine = all_refinements;
        settings.refine.positions_start = 1;
        struct ff_run_result expected = run_in(scene.problem, &settings, STANDIN_LAZY, 0);
        check_same(scene.problem, &settings, &expected, STANDIN_MIRROR, 0);
        check_same(scene.problem, &settings, &expected, STANDIN_EAGER, 0);
        for (uint64_t seed = 1; seed <= seeds; seed++)
            check_same(scene.problem, &settings, &expected, STANDIN_SEEDED, seed);
        print_message("%s: the same bits in %lu orders\n", settings.algorithm, 3 + seeds);
        ff_run_result_dispose(&expected);
    }
    scene_destroy(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_bits_in_every_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

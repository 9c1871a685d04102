/* What algorithms keep of every pattern lies on the host where the device has no room for it: the same bits, whatever
 * fits. */
#include "tests/unit/check.h"

#include "functions/reconstruct/backends/cuda/cuda.h"
#include "numeric_backend.h"
#include "tests/numeric/effects.h"

#include <string.h>

enum { DEVICES = 3, EPOCHS = 3 };

static const struct scene_shape shape = {18, 16, 5, 3, 2, 2e5, true};

/* A run on devices of so many bytes each; 0: of enough. */
static int run_in(const struct scene *scene, struct ff_run_settings settings, unsigned devices,
                  size_t memory, struct ff_run_result *result, struct ff_error *error)
{
    settings.operations = &ff_backend_cuda;
    settings.devices = devices;
    numeric_machine_begin(STANDIN_SEEDED, memory);
    for (unsigned i = 0; i < devices && memory > 0; i++)
        standin_set_memory(i, memory);
    int outcome = ff_run(scene->problem, &settings, NULL, (struct ff_span){NULL, 0}, result, error);
    numeric_machine_end();
    return outcome;
}

static void check_same(const struct scene *scene, const struct ff_run_result *found,
                       const struct ff_run_result *expected)
{
    const struct ff_state *state = expected->state;
    assert_memory_equal(found->state->object, state->object,
                        ff_state_object_elements(scene->problem) * sizeof(ff_complex));
    assert_memory_equal(found->state->probe, state->probe,
                        ff_state_probe_elements(scene->problem, state) * sizeof(ff_complex));
    assert_memory_equal(&found->cost, &expected->cost, sizeof found->cost);
}

/* Less and less memory, until a device has none for what must lie there. */
static unsigned overflows(const struct scene *scene, const struct ff_run_settings *settings,
                          unsigned devices)
{
    struct ff_run_result whole;
    struct ff_run_result found;
    struct ff_error error;
    unsigned count = 0;
    if (run_in(scene, *settings, devices, 0, &whole, &error) < 0)
        fail_msg("%s: %s", settings->algorithm, error.message);
    assert_null(strstr(whole.device, "from the host"));
    for (size_t memory = whole.device_bytes / devices * 2; memory > 0; memory = memory * 7 / 8) {
        if (run_in(scene, *settings, devices, memory, &found, &error) < 0) {
            assert_int_equal(error.code, FF_NO_MEMORY);
            break;
        }
        count += strstr(found.device, "data of all patterns from the host") != NULL;
        check_same(scene, &found, &whole);
        ff_run_result_dispose(&found);
    }
    ff_run_result_dispose(&whole);
    return count;
}

static void test_algorithms_that_keep_waves(void **state)
{
    static const enum ff_algorithm algorithms[] = {FF_ALGORITHM_CGRAD, FF_ALGORITHM_DM,
                                                   FF_ALGORITHM_RAAR, FF_ALGORITHM_ML};
    struct scene scene;
    (void)state;
    scene_create(&scene, shape);
    for (size_t i = 0; i < sizeof algorithms / sizeof algorithms[0]; i++)
        for (unsigned devices = 1; devices <= DEVICES; devices += DEVICES - 1) {
            const struct ff_run_settings settings =
                algorithm_settings(algorithms[i], scene.problem->patterns, EPOCHS);
            unsigned count = overflows(&scene, &settings, devices);
            print_message("%s on %u: %u runs with data on the host\n", settings.algorithm, devices,
                          count);
            assert_true(count > 1);
        }
    scene_destroy(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_algorithms_that_keep_waves)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

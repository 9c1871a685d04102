/* Counts that do not fit on the device come from the host: the same bits, however little fits, in every order of streams. */
#include "functions/reconstruct/backends/cuda/cuda.h"
#include "functions/reconstruct/backends/cuda/plans.h"
#include "tests/cuda/fault.h"
#include "tests/numeric/stand.h"

#include <string.h>

static const unsigned want = FF_WANT_OBJECT | FF_WANT_PROBE | FF_WANT_SCALES;
enum { PASSES = 3 };

static const struct stand_case effects = {
    .name = "feed", .rows = 33, .columns = 35, .patterns = 7, .modes = 2, .fly = 2};

/* What a run leaves: object and probe, one behind the other. */
struct outcome {
    model_complex *values;
    size_t count;
    struct ff_cost cost;
    size_t held; /* bytes of the device */
    bool fed;    /* from the host, as it says */
};

static struct outcome run(void)
{
    struct stand stand;
    struct outcome outcome;
    const struct ff_update update = {0.3, 0.3, 1, 1, 0, false};
    stand_open(&stand, &effects, &ff_backend_cuda, 0);
    for (int pass = 0; pass < PASSES; pass++) {
        stand_gradients(&stand, want);
        stand.operations->update(stand.backend, &update);
    }
    stand.operations->cost(stand.backend, stand.batch);
    outcome.cost = stand_take_cost(&stand);
    outcome.count = stand.object_elements + stand.probe_elements;
    outcome.values = stand_array(outcome.count, sizeof *outcome.values);
    stand_get_field(&stand, FF_OBJECT, outcome.values);
    stand_get_field(&stand, FF_PROBE, outcome.values + stand.object_elements);
    outcome.fed =
        strstr(stand.operations->describe(stand.backend), ", counts from the host,") != NULL;
    size_t available = 0;
    size_t total = 0;
    assert_int_equal(cudaMemGetInfo(&available, &total), cudaSuccess);
    outcome.held = total - available;
    stand_close(&stand);
    ff_cuda_plans_drop();
    return outcome;
}

/* Waves of two patterns. */
enum { CHUNK = 2 * 2 * 2 * 33 * 35 * 8 };

static void check(enum standin_order order, uint64_t seed, const struct outcome *whole)
{
    standin_begin(1, order, seed);
    standin_set_cache(0, 2 * CHUNK);    /* chunks of two patterns: four in a batch */
    standin_set_memory(0, whole->held); /* the counts would fit, but nothing would be left */
    struct outcome fed = run();
    assert_true(fed.fed);
    assert_memory_equal(fed.values, whole->values, whole->count * sizeof *whole->values);
    assert_memory_equal(&fed.cost, &whole->cost, sizeof whole->cost);
    free(fed.values);
    standin_end();
}

static void test_same_bits(void **state)
{
    (void)state;
    standin_begin(1, STANDIN_LAZY, 0);
    standin_set_cache(0, 2 * CHUNK);
    struct outcome whole = run();
    assert_false(whole.fed);
    standin_end();
    check(STANDIN_LAZY, 0, &whole);
    check(STANDIN_MIRROR, 0, &whole);
    check(STANDIN_EAGER, 0, &whole);
    for (uint64_t seed = 1; seed < 8; seed++)
        check(STANDIN_SEEDED, seed, &whole);
    free(whole.values);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_same_bits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

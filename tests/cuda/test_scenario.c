/*
 * A small run of the CUDA backend against the CPU's, on one device and on several, in chunks, with counts on the device or
 * from the host, with peers that read each other's memory or do not: the same within rounding, and the same bits in every
 * order of streams. And every launch that fails is told. Most of what can be forgotten between streams, blocks and devices
 * shows here: planted.py.
 */
#include "functions/reconstruct/backends/cuda/cuda.h"
#include "functions/reconstruct/backends/cuda/plans.h"
#include "tests/cuda/fault.h"
#include "tests/cuda/scenario.h"

enum { SEEDS = 2 };
#define APART_MOST 2e-5 /* of float after ten batches; anything that is wrong is worse by far */

/* The machine of a test. */
struct machine {
    unsigned devices;
    size_t chunk;          /* patterns at work at once; 0: all */
    bool is_joined;        /* devices read each other's memory */
    size_t memory;         /* bytes of each device; 0: enough */
    bool is_driven_by_one; /* thread of the host; else each device has its own */
};

static void begin(const struct machine *machine, enum standin_order order, uint64_t seed)
{
    standin_begin(machine->devices, order, seed);
    for (unsigned i = 0; i < machine->devices; i++) {
        if (machine->chunk > 0) /* the waves of a chunk have half of the cache */
            standin_set_cache(i, 2 * machine->chunk * SCENARIO_PATTERN_BYTES);
        if (machine->memory > 0)
            standin_set_memory(i, machine->memory);
        for (unsigned j = 0; j < machine->devices; j++)
            if (j != i)
                standin_set_link(i, j, machine->is_joined, 0);
    }
}

static void end(void)
{
    ff_cuda_plans_drop();
    standin_end();
}

/* On the machine that there is. */
static struct outcome play_here(const struct scenario *scenario, const struct machine *machine)
{
    struct ff_backend_operations operations = ff_backend_cuda;
    struct outcome outcome;
    struct ff_error error;
    operations.is_apart = !machine->is_driven_by_one;
    if (play_scenario(scenario, &operations, machine->devices, &outcome, &error) < 0)
        fail_msg("%s", error.message);
    assert_int_equal(outcome.is_fed, machine->memory > 0);
    return outcome;
}

static struct outcome play(const struct scenario *scenario, const struct machine *machine,
                           enum standin_order order, uint64_t seed)
{
    begin(machine, order, seed);
    struct outcome outcome = play_here(scenario, machine);
    end();
    return outcome;
}

static void check_same(const struct scenario *scenario, const struct machine *machine,
                       const struct outcome *expected, enum standin_order order, uint64_t seed)
{
    static const char *const orders[] = {"lazy", "mirror", "eager", "seeded"};
    struct outcome found = play(scenario, machine, order, seed);
    const char *differs = outcome_differs(&found, expected);
    if (differs != NULL)
        fail_msg("not the same bits in the order %s:%u: %s", orders[order], (unsigned)seed,
                 differs);
    end_outcome(&found);
}

static void check_in_orders(const struct scenario *scenario, const struct machine *machine,
                            const struct outcome *expected)
{
    check_same(scenario, machine, expected, STANDIN_MIRROR, 0);
    check_same(scenario, machine, expected, STANDIN_EAGER, 0);
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        check_same(scenario, machine, expected, STANDIN_SEEDED, seed);
}

/* Against the CPU in one order, and all others against that. */
static void check(const struct machine *machine)
{
    struct scenario scenario;
    struct outcome of_cpu;
    struct ff_error error;
    const char *name = "";
    make_scenario(&scenario);
    assert_ok(play_scenario(&scenario, &ff_backend_cpu, 1, &of_cpu, &error), error);
    struct outcome first = play(&scenario, machine, STANDIN_LAZY, 0);
    double apart = outcome_apart(&first, &of_cpu, &name);
    if (!(apart <= APART_MOST))
        fail_msg("%s: %g from those of the CPU", name, apart);
    check_in_orders(&scenario, machine, &first);
    end_outcome(&first);
    end_outcome(&of_cpu);
    end_scenario(&scenario);
}

static void test_one_device(void **state)
{
    (void)state;
    const struct machine at_once = {.devices = 1};
    const struct machine in_chunks = {.devices = 1, .chunk = 3};
    check(&at_once);
    check(&in_chunks);
}

/* All that it held with the counts there is too little: some must be left free. */
static void test_counts_from_the_host(void **state)
{
    (void)state;
    struct machine machine = {.devices = 1, .chunk = 3};
    struct scenario scenario;
    make_scenario(&scenario);
    struct outcome whole = play(&scenario, &machine, STANDIN_LAZY, 0);
    machine.memory = whole.bytes_apart;
    check_same(&scenario, &machine, &whole, STANDIN_LAZY, 0);
    check_in_orders(&scenario, &machine, &whole);
    end_outcome(&whole);
    end_scenario(&scenario);
}

static void test_several_devices(void **state)
{
    (void)state;
    const struct machine machine = {.devices = SCENARIO_DEVICES, .chunk = 2, .is_joined = true};
    check(&machine);
}

static void test_several_without_links(void **state)
{
    (void)state;
    const struct machine machine = {
        .devices = SCENARIO_DEVICES, .chunk = 2, .is_driven_by_one = true};
    check(&machine);
}

/* What comes after finds the devices and the plans as they were left. */
static void test_left_at_work(void **state)
{
    (void)state;
    const struct machine machine = {.devices = SCENARIO_DEVICES, .chunk = 2, .is_joined = true};
    struct scenario scenario;
    make_scenario(&scenario);
    struct outcome alone = play(&scenario, &machine, STANDIN_LAZY, 0);
    for (int order = STANDIN_LAZY; order <= STANDIN_MIRROR; order++) {
        begin(&machine, (enum standin_order)order, 0);
        leave_scenario(&scenario, &ff_backend_cuda, machine.devices);
        struct outcome after = play_here(&scenario, &machine);
        end();
        assert_null(outcome_differs(&after, &alone));
        end_outcome(&after);
    }
    end_outcome(&alone);
    end_scenario(&scenario);
}

/* --- failures --- */

/* The n-th call of that name fails. False when there were not so many. */
static bool try_failure(const struct scenario *scenario, const char *call, unsigned n)
{
    const struct machine machine = {.devices = 1};
    struct outcome outcome;
    struct ff_error error;
    begin(&machine, STANDIN_LAZY, 0);
    standin_fail_call(call, n, cudaErrorUnknown);
    bool failed = play_scenario(scenario, &ff_backend_cuda, 1, &outcome, &error) < 0;
    if (failed && strstr(error.message, "device 0: ") == NULL)
        fail_msg("%s:%u: it says: %s", call, n, error.message);
    end_outcome(&outcome);
    end();
    return failed;
}

static void test_failures_are_told(void **state)
{
    (void)state;
    static const char *const calls[] = {"launch", "cufftExecC2C", "cudaMemcpyAsync",
                                        "cudaEventRecord"};
    static const unsigned least[] = {60, 20, 10, 30}; /* of each there are, and more */
    struct scenario scenario;
    make_scenario(&scenario);
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        unsigned n = 1;
        while (try_failure(&scenario, calls[i], n))
            n += 1 + n / 4;
        if (n <= least[i])
            fail_msg("%s:%u failed, and nothing said so", calls[i], n);
    }
    end_scenario(&scenario);
}

/* An argument is the name of the one test to run. */
int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_device),      cmocka_unit_test(test_counts_from_the_host),
        cmocka_unit_test(test_several_devices), cmocka_unit_test(test_several_without_links),
        cmocka_unit_test(test_left_at_work),    cmocka_unit_test(test_failures_are_told),
    };
    if (count > 1)
        cmocka_set_test_filter(arguments[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tests/cuda/scenario.h"

#include "functions/reconstruct/devices/devices.h"
#include "functions/reconstruct/solvers/random.h"
#include "tests/numeric/apart.h"
#include "tests/unit/check.h"

#include <complex.h>

/* Patterns and window fill no block of threads, the object no row of blocks. */
enum {
    ROWS = 14,
    COLUMNS = 75,
    OBJECT_ROWS = 93,
    OBJECT_COLUMNS = 99,
    MODES = 2,
    PROBES = 3,
    PIXELS = ROWS * COLUMNS,
    OBJECT_PIXELS = OBJECT_ROWS * OBJECT_COLUMNS,
};

static void *make(size_t count, size_t size)
{
    void *array = calloc(count, size);
    assert_non_null(array);
    return array;
}

/* --- the scene --- */

/* In [-0.5, 0.5). */
static double chance(struct ff_random *random)
{
    return ff_random_unit(random) - 0.5;
}

static ff_complex *make_complex(size_t count, double mean, double size, struct ff_random *random)
{
    ff_complex *values = make(count, sizeof *values);
    for (size_t i = 0; i < count; i++) {
        float re = (float)(mean + size * chance(random));
        values[i] = re + (float)(size * chance(random)) * I;
    }
    return values;
}

/* As many as a far field of such probes has in the mean. */
static uint16_t *make_counts(struct ff_random *random)
{
    uint16_t *counts = make((size_t)SCENARIO_PATTERNS * PIXELS, sizeof *counts);
    for (size_t i = 0; i < (size_t)SCENARIO_PATTERNS * PIXELS; i++)
        counts[i] = (uint16_t)(40 + ff_random_below(random, 160));
    return counts;
}

/* Rows have a step, and windows are one row shorter than some steps: so many a window ends where the tile of another device begins, a
 * row before its patterns do, and only the row that its taps reach further is there. Every other one likewise ends with a
 * block of the object. */
static double *make_positions(struct ff_random *random)
{
    enum { STEP = 5, SIDE = 32 };
    double *positions = make((size_t)2 * SCENARIO_PATTERNS, sizeof *positions);
    for (size_t i = 0; i < SCENARIO_PATTERNS; i++) {
        double *position = positions + 2 * i;
        position[0] = 1 + STEP * ff_random_below(random, (OBJECT_ROWS - ROWS - 2) / STEP);
        position[1] = 1 + ff_random_below(random, OBJECT_COLUMNS - COLUMNS - 2);
        if (i % 4 == 1)
            position[0] = 2 * SIDE - ROWS;
        if (i % 4 == 3)
            position[1] = 3 * SIDE - COLUMNS;
        position[0] += 0.2 + 0.6 * ff_random_unit(random);
        position[1] += 0.2 + 0.6 * ff_random_unit(random);
    }
    return positions;
}

static void shuffle(uint32_t *order, struct ff_random *random)
{
    for (uint32_t i = 0; i < SCENARIO_PATTERNS; i++)
        order[i] = i;
    for (uint32_t i = SCENARIO_PATTERNS; i > 1; i--) {
        uint32_t other = ff_random_below(random, i);
        uint32_t last = order[i - 1];
        order[i - 1] = order[other];
        order[other] = last;
    }
}

void make_scenario(struct scenario *scenario)
{
    struct ff_random random = ff_random_seed(11);
    *scenario = (struct scenario){.problem = {.patterns = SCENARIO_PATTERNS,
                                              .fly = 1,
                                              .rows = ROWS,
                                              .columns = COLUMNS,
                                              .probe_rows = ROWS,
                                              .probe_columns = COLUMNS,
                                              .object_rows = OBJECT_ROWS,
                                              .object_columns = OBJECT_COLUMNS,
                                              .modes = MODES}};
    scenario->problem.counts.u16 = make_counts(&random);
    scenario->problem.positions = make_positions(&random);
    scenario->problem.object = make_complex(OBJECT_PIXELS, 1, 0.8, &random);
    scenario->probe = make_complex((size_t)PROBES * PIXELS, 0, 20, &random);
    for (size_t i = 0; i < SCENARIO_PATTERNS; i++) {
        scenario->scales[0][i] = 1 + 0.2 * chance(&random);
        scenario->scales[1][i] = 1 + 0.4 * chance(&random);
        scenario->weights[i] = chance(&random);
    }
    shuffle(scenario->order, &random);
}

void end_scenario(struct scenario *scenario)
{
    free((void *)(uintptr_t)scenario->problem.counts.u16);
    free(scenario->problem.positions);
    free(scenario->problem.object);
    free(scenario->probe);
}

/* --- what is done --- */

enum {
    SUMS = FF_WANT_OBJECT | FF_WANT_PROBE,
    TERMS = FF_WANT_POSITIONS | FF_WANT_SCALES | FF_WANT_WEIGHTS,
};

/* More batches than the backend lets be on their way at once; those of few patterns leave devices without any. */
static const struct {
    size_t first, count;
    unsigned want;
} batches[] = {
    {0, 40, SUMS | TERMS | FF_WANT_STEP},
    {0, 9, SUMS},
    {9, 3, SUMS | FF_WANT_POSITIONS | FF_WANT_STEP},
    {12, 1, SUMS | FF_WANT_STEP},
    {13, 12, SUMS | FF_WANT_STEP},
    {3, 21, FF_WANT_OBJECT | FF_WANT_STEP},
    {25, 15, FF_WANT_PROBE | FF_WANT_STEP},
    {5, 2, SUMS},
    {20, 20, SUMS},
    {20, 20, SUMS | FF_WANT_STEP},
    {31, 2, FF_WANT_OBJECT | FF_WANT_STEP},
    {8, 3, FF_WANT_OBJECT | FF_WANT_STEP},
};
enum {
    BATCHES = sizeof batches / sizeof *batches,
    NEW_SCALES = 4,
    FIRST_FITTED = 10,
    END_FITTED = 21
};

static const struct ff_update update = {
    .alpha_object = 0.3, .alpha_probe = 0.2, .step_object = 0.5, .step_probe = 0.3};

static void take_steps(struct ff_devices *devices, const struct scenario *scenario)
{
    for (size_t i = 0; i < BATCHES; i++) {
        const struct ff_batch batch = {scenario->order + batches[i].first, batches[i].count};
        if (i == NEW_SCALES)
            ff_devices_put(devices, FF_SCALES, scenario->scales[1]);
        ff_devices_gradients(devices, batch, batches[i].want);
        ff_devices_update(devices, &update);
    }
}

/* The second pass of LSQ-ML, for some patterns of a batch. */
static void fit(struct ff_devices *devices, const struct scenario *scenario)
{
    const struct ff_batch batch = {scenario->order + 7, 26};
    const struct ff_batch sample = {scenario->order + FIRST_FITTED, END_FITTED - FIRST_FITTED};
    ff_devices_sample(devices, sample);
    ff_devices_gradients(devices, batch, SUMS | FF_WANT_EXIT);
    ff_devices_normalise(devices, &update);
    ff_devices_fit(devices, sample);
}

/* Of the object alone: each part more is many blocks. */
static struct ff_length_terms find_lengths(struct ff_devices *devices,
                                           const struct scenario *scenario)
{
    ff_devices_gradients(devices, (struct ff_batch){scenario->order + 30, 5}, FF_WANT_OBJECT);
    return ff_devices_lengths(devices, &update);
}

/* --- what comes of it --- */

static const char *const names[OUTCOME_PARTS] = {
    "the object",         "the probe",  "the costs",        "the step lengths",
    "terms of positions", "the scales", "terms of weights", "the fit"};
enum { OBJECT, PROBE, COSTS, LENGTHS, FIRST_TERMS };

static const enum ff_terms kinds[] = {FF_TERMS_POSITIONS, FF_TERMS_SCALES, FF_TERMS_WEIGHTS,
                                      FF_TERMS_STEPS};

static double *make_part(struct outcome *outcome, int part, size_t count)
{
    outcome->counts[part] = count;
    outcome->values[part] = make(count, sizeof(double));
    return outcome->values[part];
}

static void take_field(struct ff_devices *devices, struct outcome *outcome, int part,
                       enum ff_field field, const ff_complex *first, size_t count)
{
    double *values = make_part(outcome, part, 2 * count);
    ff_complex *found = make(count, sizeof *found);
    memcpy(found, first, count * sizeof *found);
    ff_devices_get(devices, field, found);
    for (size_t i = 0; i < count; i++) {
        values[2 * i] = (double)crealf(found[i]);
        values[2 * i + 1] = (double)cimagf(found[i]);
    }
    free(found);
}

static void take_outcome(struct ff_devices *devices, const struct scenario *scenario,
                         struct outcome *outcome)
{
    take_field(devices, outcome, OBJECT, FF_OBJECT, scenario->problem.object, OBJECT_PIXELS);
    take_field(devices, outcome, PROBE, FF_PROBE, scenario->probe, (size_t)PROBES * PIXELS);
    for (int i = 0; FIRST_TERMS + i < OUTCOME_PARTS; i++)
        ff_devices_get_terms(devices, kinds[i],
                             make_part(outcome, FIRST_TERMS + i,
                                       SCENARIO_PATTERNS * ff_terms_width(kinds[i], 1, 1)));
    outcome->bytes_apart = ff_devices_bytes_apart(devices);
    outcome->is_fed = strstr(ff_devices_describe(devices), "counts from the host") != NULL;
}

/* Rows of patterns that were not asked for are none. */
static void forget_unfitted(const struct scenario *scenario, struct outcome *outcome)
{
    enum { WIDTH = 6 };
    for (size_t i = 0; i < SCENARIO_PATTERNS; i++)
        if (i < FIRST_FITTED || i >= END_FITTED)
            memset(outcome->values[OUTCOME_PARTS - 1] + WIDTH * scenario->order[i], 0,
                   WIDTH * sizeof(double));
}

static void put_scenario(struct ff_devices *devices, const struct scenario *scenario)
{
    ff_devices_put(devices, FF_OBJECT, scenario->problem.object);
    ff_devices_put(devices, FF_PROBE, scenario->probe);
    ff_devices_put(devices, FF_SCALES, scenario->scales[0]);
    ff_devices_put(devices, FF_WEIGHTS, scenario->weights);
}

static int play(struct ff_devices *devices, const struct scenario *scenario,
                struct outcome *outcome, struct ff_error *error)
{
    struct ff_cost cost;
    put_scenario(devices, scenario);
    take_steps(devices, scenario);
    ff_devices_cost(devices, (struct ff_batch){scenario->order + 4, 30});
    int result = ff_devices_take_cost(devices, &cost, error);
    fit(devices, scenario);
    struct ff_length_terms lengths = find_lengths(devices, scenario);
    struct ff_cost last = {0, 0};
    if (result == 0)
        result = ff_devices_take_cost(devices, &last, error);
    if (result < 0)
        return -1;
    memcpy(make_part(outcome, LENGTHS, 4), &lengths, sizeof lengths);
    double *costs = make_part(outcome, COSTS, 2);
    costs[0] = cost.amplitude;
    costs[1] = last.amplitude;
    take_outcome(devices, scenario, outcome);
    forget_unfitted(scenario, outcome);
    return 0;
}

static struct ff_devices *open_devices(const struct scenario *scenario,
                                       const struct ff_backend_operations *operations,
                                       unsigned count, struct ff_error *error)
{
    const struct ff_devices_plan plan = {
        .problem = &scenario->problem,
        .operations = operations,
        .count = count,
        .modes = MODES,
        .eigenprobes = 1,
        .batch_limit = SCENARIO_PATTERNS,
        .needs = FF_NEED_EXIT,
        .threads = 1,
    };
    return ff_devices_create(&plan, error);
}

int play_scenario(const struct scenario *scenario, const struct ff_backend_operations *operations,
                  unsigned count, struct outcome *outcome, struct ff_error *error)
{
    *outcome = (struct outcome){.is_fed = false};
    struct ff_devices *devices = open_devices(scenario, operations, count, error);
    if (devices == NULL)
        return -1;
    int result = play(devices, scenario, outcome, error);
    ff_devices_destroy(devices);
    return result;
}

void leave_scenario(const struct scenario *scenario, const struct ff_backend_operations *operations,
                    unsigned count)
{
    struct ff_error error;
    struct ff_devices *devices = open_devices(scenario, operations, count, &error);
    if (devices == NULL)
        fail_msg("%s", error.message);
    put_scenario(devices, scenario);
    take_steps(devices, scenario);
    ff_devices_destroy(devices);
}

void end_outcome(struct outcome *outcome)
{
    for (int i = 0; i < OUTCOME_PARTS; i++)
        free(outcome->values[i]);
}

double outcome_apart(const struct outcome *found, const struct outcome *expected, const char **name)
{
    double most = -1;
    for (int i = 0; i < OUTCOME_PARTS; i++) {
        double apart = apart_real(found->values[i], expected->values[i], expected->counts[i]);
        if (apart <= most)
            continue;
        most = apart;
        *name = names[i];
        if (!(apart <= 1)) /* no number, or far off: nothing is worse */
            break;
    }
    return most;
}

const char *outcome_differs(const struct outcome *a, const struct outcome *b)
{
    for (int i = 0; i < OUTCOME_PARTS; i++)
        if (memcmp(a->values[i], b->values[i], a->counts[i] * sizeof(double)) != 0)
            return names[i];
    return NULL;
}

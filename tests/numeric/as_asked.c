#include "tests/numeric/as_asked.h"

#include "tests/numeric/backend.h"
#include "tests/unit/check.h"

#include "functions/reconstruct/build.h"
#include "functions/reconstruct/run_settings.h"

/* The simulation borrows its settings: those of the last one are kept. */
struct ff_simulation *simulate_as_asked(const char *const *asked)
{
    static struct ff_simulate_settings settings;
    struct ff_error error = {0};
    ff_options_dispose(&ff_simulate_table, &settings);
    assert_ok(ff_options_init(&ff_simulate_table, &settings, &error), error);
    for (size_t i = 0; asked[i] != NULL; i++)
        assert_ok(ff_options_assign(&ff_simulate_table, &settings, asked[i], &error), error);
    struct ff_simulation *simulation = ff_simulation_create(&settings, &error);
    if (simulation == NULL)
        fail_msg("%s", error.message);
    return simulation;
}

static struct ff_settings *settings_of(const char *const *asked)
{
    struct ff_error error = {0};
    struct ff_settings *settings = ff_settings_create(&error);
    assert_non_null(settings);
    for (size_t i = 0; asked[i] != NULL; i++)
        assert_ok(ff_options_assign(&ff_settings_table, settings, asked[i], &error), error);
    return settings;
}

struct ff_problem *problem_as_asked(struct ff_simulation *simulation, const char *const *asked)
{
    struct ff_error error = {0};
    struct ff_measurement measurement;
    struct ff_settings *settings = settings_of(asked);
    assert_ok(ff_simulation_measure(simulation, &measurement, &error), error);
    struct ff_problem *problem =
        ff_problem_of_measurement(&measurement, "the simulation", settings, &error);
    if (problem == NULL)
        fail_msg("%s", error.message);
    ff_settings_destroy(settings);
    return problem;
}

struct ff_run_result run_as_asked(const struct ff_problem *problem, const char *const *asked)
{
    struct ff_error error = {0};
    struct ff_run_result result;
    struct ff_settings *settings = settings_of(asked);
    struct ff_run_settings run = ff_run_settings_of(settings, problem->patterns);
    run.operations = numeric_backend();
    run.threads = 2;
    if (ff_run(problem, &run, NULL, (struct ff_span){0}, &result, &error) < 0)
        fail_msg("%s: %s", asked[0], error.message);
    ff_settings_destroy(settings);
    return result;
}

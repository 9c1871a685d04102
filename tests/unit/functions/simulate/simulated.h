/*
 * tests/unit/functions/simulate/simulated.h: small simulations from the settings as a user writes
 * them.
 */
#ifndef FF_TESTS_SIMULATED_H
#define FF_TESTS_SIMULATED_H

#include "tests/unit/check.h"

#include "functions/simulate/simulation.h"

enum { SIMULATED_SIZE = 16, SIMULATED_PATTERNS = 12 };

/* The settings that all of these tests begin with, then `assignments` (KEY=VALUE with blanks between
 * them). Dispose of them after the simulation. */
static inline void simulated_settings(struct ff_simulate_settings *settings,
                                      const char *assignments)
{
    static const char usual[] = "size=16 patterns=12 threads=1 defocus_um=20";
    struct ff_error error = {0};
    memset(settings, 0, sizeof *settings);
    assert_ok(ff_options_init(&ff_simulate_table, settings, &error), error);
    const char *const texts[] = {usual, assignments};
    for (size_t i = 0; i < 2; i++) {
        char *copy = strdup(texts[i]);
        char *rest = copy;
        for (char *word; (word = strsep(&rest, " ")) != NULL;)
            if (*word != '\0')
                assert_ok(ff_options_assign(&ff_simulate_table, settings, word, &error), error);
        free(copy);
    }
}

static inline struct ff_simulation *simulated(struct ff_simulate_settings *settings,
                                              const char *assignments)
{
    struct ff_error error = {0};
    simulated_settings(settings, assignments);
    struct ff_simulation *simulation = ff_simulation_create(settings, &error);
    if (simulation == NULL)
        fail_msg("%s: %s", assignments, error.message);
    return simulation;
}

static inline void simulated_end(struct ff_simulation *simulation,
                                 struct ff_simulate_settings *settings)
{
    ff_simulation_destroy(simulation);
    ff_options_dispose(&ff_simulate_table, settings);
}

#endif

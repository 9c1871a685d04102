#include "functions/reconstruct/algorithms.h"

const char *const ff_algorithm_names[] = {"lstsq", "rpie", "epie", "cgrad",
                                          "dm",    "raar", "ml",   NULL};

/* In a batch at the least: what fewer agree on is noise. */
enum { PATTERNS_A_BATCH = 4 };

/* A complex number, and the coefficients of a polynomial of second and of fourth order. */
enum { WAVE = 8, QUADRATIC = 12, QUARTIC = 20 };

const struct ff_algorithm_facts ff_algorithms[FF_ALGORITHMS] = {
    [FF_ALGORITHM_LSTSQ] = {.name = "lstsq",
                            .alpha = 0.1,
                            .early_alpha = 0.2,
                            .step_object = 0.8,
                            .step_probe = 0.9,
                            .probe_start = 1,
                            .early_batches = 40,
                            .early_epochs = 16,
                            .batches = 5,
                            .has_alpha = true,
                            .has_momentum = true,
                            .has_step = true},
    [FF_ALGORITHM_RPIE] = {.name = "rpie",
                           .alpha = 0.1,
                           .early_alpha = 0.2,
                           .step_object = 1,
                           .step_probe = 1,
                           .probe_start = 1,
                           .early_batches = 40,
                           .early_epochs = 16,
                           .batches = 5,
                           .has_alpha = true,
                           .has_momentum = true},
    [FF_ALGORITHM_EPIE] = {.name = "epie",
                           .alpha = 1,
                           .step_object = 1,
                           .step_probe = 1,
                           .probe_start = 2,
                           .batches = 20,
                           .has_momentum = true},
    [FF_ALGORITHM_CGRAD] = {.name = "cgrad",
                            .alpha = 0.05,
                            .step_object = 1,
                            .step_probe = 1,
                            .probe_start = 2,
                            .has_alpha = true,
                            .bytes_a_mode = 2 * WAVE,
                            .bytes_a_pixel = QUADRATIC},
    [FF_ALGORITHM_DM] = {.name = "dm",
                         .alpha = 0.6,
                         .step_object = 1,
                         .step_probe = 1,
                         .probe_start = 2,
                         .has_alpha = true,
                         .bytes_a_mode = WAVE},
    [FF_ALGORITHM_RAAR] = {.name = "raar",
                           .alpha = 0.7,
                           .step_object = 1,
                           .step_probe = 1,
                           .probe_start = 2,
                           .has_alpha = true,
                           .bytes_a_mode = WAVE},
    [FF_ALGORITHM_ML] = {.name = "ml",
                         .alpha = 0.05,
                         .step_object = 1,
                         .step_probe = 1,
                         .probe_start = 1,
                         .has_alpha = true,
                         .bytes_a_mode = WAVE,
                         .bytes_a_pixel = QUARTIC},
};

static size_t at_most(size_t count, size_t limit)
{
    return count < limit ? count : limit;
}

static size_t batches_of(size_t wanted, size_t patterns)
{
    size_t most = patterns / PATTERNS_A_BATCH;
    return wanted == 0 || most == 0 ? 1 : at_most(wanted, most);
}

struct ff_batch_counts ff_algorithm_batches(enum ff_algorithm algorithm, size_t wanted,
                                            size_t patterns, size_t epochs)
{
    const struct ff_algorithm_facts *facts = &ff_algorithms[algorithm];
    if (wanted > 0)
        return (struct ff_batch_counts){.count = wanted};
    struct ff_batch_counts counts = {.count = batches_of(facts->batches, patterns)};
    if (facts->early_epochs > 0) {
        counts.early_count = batches_of(facts->early_batches, patterns);
        counts.early_epochs = at_most(facts->early_epochs, epochs * 4 / 5);
    }
    return counts;
}

#include "functions/reconstruct/idle.h"

#include "functions/reconstruct/formats/mask.h"

#include <string.h>

static const struct ff_algorithm_facts *facts_of(const struct ff_settings *settings)
{
    return &ff_algorithms[settings->algorithm];
}

static bool has_no_alpha(const struct ff_settings *settings)
{
    return !facts_of(settings)->has_alpha;
}

/* One batch is what such an algorithm takes anyway. */
static bool has_no_batches(const struct ff_settings *settings)
{
    return facts_of(settings)->batches == 0 && settings->batches > 1;
}

static bool has_no_momentum(const struct ff_settings *settings)
{
    return !facts_of(settings)->has_momentum;
}

static bool has_no_step(const struct ff_settings *settings)
{
    return !facts_of(settings)->has_step;
}

static bool keeps_probe(const struct ff_settings *settings)
{
    return settings->step_probe <= 0; /* not where it is NaN */
}

static bool keeps_positions(const struct ff_settings *settings)
{
    return settings->positions == 0;
}

static bool never_stops(const struct ff_settings *settings)
{
    return settings->stop_when <= 0;
}

static bool has_no_positions_file(const struct ff_settings *settings)
{
    return settings->positions_file[0] == '\0';
}

static bool has_no_mask_file(const struct ff_settings *settings)
{
    return !ff_mask_is_file(settings->mask);
}

static bool has_initial_probe(const struct ff_settings *settings)
{
    return settings->initial_probe[0] != '\0';
}

static bool has_no_zone_plate(const struct ff_settings *settings)
{
    return settings->zone_plate_um <= 0;
}

static bool is_near_field(const struct ff_settings *settings)
{
    return settings->near_field != 0;
}

static bool computes_on_gpus(const struct ff_settings *settings)
{
    struct ff_device_wish wish;
    return ff_settings_devices(settings, &wish, NULL) == 0 && wish.kind == FF_DEVICES_CUDA;
}

/* What a setting does nothing with. */
struct idleness {
    const char *key;
    bool (*is_idle)(const struct ff_settings *settings);
    const char *with; /* "with" or "without" something; NULL: with the algorithm that is set */
};

static const struct idleness table[] = {
    {"alpha", has_no_alpha, NULL},
    {"batches", has_no_batches, NULL},
    {"momentum", has_no_momentum, NULL},
    {"step", has_no_step, NULL},
    {"probe_start", keeps_probe, "with step_probe=0"},
    {"positions_search", keeps_positions, "without positions=on"},
    {"affine", keeps_positions, "without positions=on"},
    {"positions_start", keeps_positions, "without positions=on"},
    {"step_positions", keeps_positions, "without positions=on"},
    {"stop_window", never_stops, "without stop_when"},
    {"positions_columns", has_no_positions_file, "without positions_file"},
    {"mask_means", has_no_mask_file, "without a file as mask"},
    {"zone_plate_um", has_initial_probe, "with initial_probe"},
    {"outer_zone_nm", has_no_zone_plate, "without zone_plate_um"},
    {"central_stop_um", has_no_zone_plate, "without zone_plate_um"},
    {"defocus_um", has_no_zone_plate, "without zone_plate_um"},
    {"object_pixel_nm", is_near_field, "with near_field=on"},
    {"transform", computes_on_gpus, "on GPUs"},
};

int ff_settings_check_idle(const struct ff_settings *settings, struct ff_error *error)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        const struct idleness *entry = &table[i];
        if (!ff_options_is_set(&ff_settings_table, settings, entry->key) ||
            !entry->is_idle(settings))
            continue;
        if (entry->with == NULL) {
            ff_fail(error, FF_INVALID_SETTING, "the setting '%s' has no meaning for algorithm %s",
                    entry->key, facts_of(settings)->name);
            return ff_hint(error, "leave it out, or choose another algorithm");
        }
        ff_fail(error, FF_INVALID_SETTING, "the setting '%s' has no effect %s", entry->key,
                entry->with);
        return ff_hint(error, "leave it out, or change the other");
    }
    return 0;
}

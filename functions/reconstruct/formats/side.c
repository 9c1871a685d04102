#include "functions/reconstruct/formats/side.h"

#include "functions/reconstruct/formats/paths.h"
#include "functions/reconstruct/formats/preset.h"
#include "functions/reconstruct/formats/store.h"

#include <stdio.h>
#include <string.h>

/* positions_columns: "Y,X", each the number or heading of a column or a dataset, or one dataset. */
static int take_columns(const char *columns, struct ff_description *description,
                        struct ff_error *error)
{
    char value[512];
    const char *comma = strchr(columns, ',');
    const char *keys[2] = {comma != NULL ? "positions_y" : "positions", "positions_x"};
    const char *texts[2] = {columns, comma != NULL ? comma + 1 : NULL};
    for (int i = 0; i < 2 && texts[i] != NULL; i++) {
        const char *text = texts[i] + strspn(texts[i], " ");
        snprintf(value, sizeof value, "%s%.*s", text[0] == '/' ? "" : "/", (int)strcspn(text, ","),
                 text);
        if (ff_options_set(&ff_description_table, description, keys[i], value, error) < 0)
            return -1;
    }
    return 0;
}

bool ff_side_exists(const struct ff_hdf5_file *file, const char *text)
{
    struct ff_quantity place;
    bool found = false;
    return text[0] != '\0' && ff_paths_find(file, text, &place, &found, NULL) == 0 && found;
}

static bool has_positions(const struct ff_hdf5_file *file, const struct ff_description *description)
{
    return ff_side_exists(file, description->positions) ||
           (ff_side_exists(file, description->positions_y) &&
            ff_side_exists(file, description->positions_x));
}

/* What of a description says how positions are meant. */
static int copy_positions(const struct ff_description *from, struct ff_description *to,
                          struct ff_error *error)
{
    static const char *const keys[] = {
        "positions", "position_columns", "positions_y",  "positions_x",  "flip_positions",
        "moves",     "basis_vectors",    "position_ids", "repeated_ids", "stage_angle",
        NULL};
    json_t *values = ff_options_to_json(&ff_description_table, from);
    int result = values != NULL ? 0 : ff_fail(error, FF_NO_MEMORY, "no memory for a description");
    for (size_t i = 0; result == 0 && keys[i] != NULL; i++)
        result = ff_options_set(&ff_description_table, to, keys[i],
                                json_string_value(json_object_get(values, keys[i])), error);
    json_decref(values);
    return result;
}

/* The side file by its own preset. */
static int recognise_side(struct ff_reading *reading, struct ff_error *error)
{
    struct ff_candidate candidates[FF_CANDIDATES_MAX];
    size_t count = ff_preset_candidates(reading->side, candidates);
    struct ff_description *description = &reading->side_description;
    for (size_t i = 0; i < count; i++) {
        if (candidates[i].missing[0] != '\0')
            continue;
        ff_description_dispose(description);
        if (ff_description_init(description, error) < 0 ||
            ff_preset_describe(candidates[i].preset, description, error) < 0)
            return -1;
        if (has_positions(reading->side, description))
            return 0;
    }
    ff_description_dispose(description);
    if (ff_description_init(description, error) < 0 ||
        ff_options_assign(&ff_description_table, description, "positions_y=/y m | /2 m", error) < 0)
        return -1;
    return ff_options_assign(&ff_description_table, description, "positions_x=/x m | /1 m", error);
}

/* Positions in a file of their own: where the setting says, else where the input's format has them,
 * else where the file's own format has them. */
int ff_side_open(struct ff_reading *reading, struct ff_error *error)
{
    const struct ff_settings *settings = reading->settings;
    if (settings->positions_file[0] == '\0')
        return 0;
    reading->side = ff_store_open_any(settings->positions_file, error);
    if (reading->side == NULL)
        return ff_fail_prefix(error, "the positions: ");
    struct ff_description *description = &reading->side_description;
    bool by_input = has_positions(reading->side, &reading->description);
    if (!by_input && recognise_side(reading, error) < 0)
        return -1;
    if (by_input && copy_positions(&reading->description, description, error) < 0)
        return -1;
    if (settings->positions_columns[0] == '\0')
        return 0;
    if (ff_options_set(&ff_description_table, description, "positions", "", error) < 0)
        return -1;
    return take_columns(settings->positions_columns, description, error);
}

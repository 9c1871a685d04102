#include "functions/reconstruct/formats/description.h"

#include "functions/reconstruct/formats/quantity.h"
#include "protocol/core/yaml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const flips[] = {"none", "rows", "columns", "both", NULL};
static const char *const kinds[] = {"intensity", "amplitude", NULL};
static const char *const beams[] = {"middle", "corner", NULL};
static const char *const meanings[] = {"bad", "good", "cxi", NULL};
static const char *const movers[] = {"probe", "sample", NULL};
static const char *const repeats[] = {"refuse", "mean", "ends", NULL};

#define AT(field) offsetof(struct ff_description, field)
#define TEXT(key, initial, help)                                                                   \
    {                                                                                              \
#key, FF_OPTION_TEXT, AT(key), NULL, initial, 0, 0, NULL, help                             \
    }
#define CHOICE(key, initial, choices, help)                                                        \
    {                                                                                              \
#key, FF_OPTION_CHOICE, AT(key), NULL, initial, 0, 0, choices, help                        \
    }

static const struct ff_option keys[] = {
    TEXT(needs, "", "Paths, with blanks between them, by which a file of this kind is known"),
    TEXT(frames, "", "The dataset of frames, or several of them one after the other"),
    TEXT(frame_axes, "frame row column",
         "The axes of that dataset in order; any finds the axis of frames by the number of "
         "positions"),
    CHOICE(flip_frames, "none", flips, "Which axes of a frame are reversed"),
    CHOICE(values, "intensity", kinds, "What a value of a frame is; amplitudes are squared"),
    CHOICE(beam, "middle", beams, "Where the beam hits a frame: its middle (n / 2), or element 0"),
    TEXT(beam_row, "", "The row that the beam hits, where it is not the middle"),
    TEXT(beam_column, "", "The column that the beam hits, where it is not the middle"),
    {"crop", FF_OPTION_INTEGER, AT(crop), "px", "0", 0, 16384, NULL,
     "Use so many rows and columns about the beam; 0 as many as there are"},
    TEXT(frame_ids, "", "A number for each frame, by which it is paired with its position"),
    TEXT(mask, "", "The dataset that says which pixels may be used"),
    CHOICE(mask_means, "bad", meanings,
           "What a mask's value other than 0 says of a pixel; cxi takes the bits of CXI"),
    TEXT(bad_pixels, "", "Ranges of pixels that are not used, as the setting mask takes them"),
    TEXT(positions, "",
         "A dataset of positions with all coordinates, and its unit (px: pixels "
         "of the object)"),
    TEXT(position_columns, "x y z", "Which coordinates that dataset holds, in order"),
    TEXT(positions_y, "", "The coordinate along the rows, where each has a dataset of its own"),
    TEXT(positions_x, "", "The coordinate along the columns, likewise"),
    CHOICE(flip_positions, "none", flips, "Which coordinates change their sign"),
    CHOICE(moves, "probe", movers,
           "What the positions are those of; a sample that moves turns both signs"),
    TEXT(basis_vectors, "",
         "A dataset (2, 3): the steps along the slow and the fast axis of a frame"),
    TEXT(stage_angle, "",
         "The angle of the stage about the vertical; x is multiplied by its "
         "cosine"),
    TEXT(position_ids, "", "A number for each position, by which it is paired with its frame"),
    CHOICE(repeated_ids, "refuse", repeats,
           "Several positions of one number: their mean, or the mean of the first and the last"),
    TEXT(energy, "", "Photon energy"),
    TEXT(wavelength, "", "Wavelength, where there is no energy"),
    TEXT(distance, "", "Distance from sample to detector"),
    TEXT(pixel_rows, "", "Size of a detector pixel along the rows"),
    TEXT(pixel_columns, "", "Size of a detector pixel along the columns"),
    TEXT(object_pixel, "", "Size of an object pixel, where the geometry is not told"),
    TEXT(probe, "", "A first guess of the probe: complex, or in two parts"),
    TEXT(probe_axes, "row column", "The last two axes of the probe in order"),
};

const struct ff_option_table ff_description_table = {
    .owner = "a format description",
    .options = keys,
    .count = sizeof keys / sizeof keys[0],
};

/* Those whose value is a quantity. */
static const size_t quantities[] = {
    AT(beam_row),    AT(beam_column), AT(positions),     AT(positions_y),
    AT(positions_x), AT(stage_angle), AT(energy),        AT(wavelength),
    AT(distance),    AT(pixel_rows),  AT(pixel_columns), AT(object_pixel),
};

int ff_description_init(struct ff_description *description, struct ff_error *error)
{
    memset(description, 0, sizeof *description);
    return ff_options_init(&ff_description_table, description, error);
}

void ff_description_dispose(struct ff_description *description)
{
    ff_options_dispose(&ff_description_table, description);
}

/* One word of blank-separated text; NULL at its end. */
static const char *next_word(const char *text, size_t *length)
{
    text += strspn(text, " ,\t");
    *length = strcspn(text, " ,\t");
    return *length > 0 ? text : NULL;
}

int ff_description_axes(const char *text, const char *const *names, size_t count, size_t *axes)
{
    size_t found = 0;
    size_t length;
    for (size_t k = 0; k < count; k++)
        axes[k] = SIZE_MAX;
    for (const char *word = text; (word = next_word(word, &length)) != NULL; word += length) {
        size_t k = 0;
        while (k < count && (strlen(names[k]) != length || memcmp(names[k], word, length) != 0))
            k++;
        if (k == count || axes[k] != SIZE_MAX)
            return -1;
        axes[k] = found++;
    }
    return 0;
}

static int refuse_axes(const char *key, const char *value, const char *wanted,
                       struct ff_error *error)
{
    ff_fail(error, FF_INVALID_SETTING, "'%s' cannot be '%.64s'", key, value);
    return ff_hint(error, "write %s in the order of the dataset", wanted);
}

static int check_axes(const struct ff_description *description, struct ff_error *error)
{
    static const char *const frame[] = {"frame", "row", "column"};
    static const char *const probe[] = {"row", "column"};
    static const char *const position[] = {"y", "x", "z"};
    size_t axes[3];
    bool any = strcmp(description->frame_axes, "any") == 0;
    if (!any && (ff_description_axes(description->frame_axes, frame, 3, axes) < 0 ||
                 axes[0] == SIZE_MAX || axes[1] == SIZE_MAX || axes[2] == SIZE_MAX))
        return refuse_axes("frame_axes", description->frame_axes, "frame, row and column", error);
    if (ff_description_axes(description->probe_axes, probe, 2, axes) < 0 || axes[0] == SIZE_MAX ||
        axes[1] == SIZE_MAX)
        return refuse_axes("probe_axes", description->probe_axes, "row and column", error);
    if (ff_description_axes(description->position_columns, position, 3, axes) < 0 ||
        axes[0] == SIZE_MAX || axes[1] == SIZE_MAX)
        return refuse_axes("position_columns", description->position_columns,
                           "y and x (and z, where there is one)", error);
    return 0;
}

static int check_quantities(const struct ff_description *description, struct ff_error *error)
{
    for (size_t i = 0; i < sizeof quantities / sizeof quantities[0]; i++) {
        const char *text =
            *(char *const *)(const void *)((const char *)description + quantities[i]);
        struct ff_quantity quantity;
        while (*text != '\0')
            if (ff_quantity_next(&text, &quantity, error) < 0)
                return -1;
    }
    return 0;
}

struct description_reading {
    const char *path;
    struct ff_description *description;
    char last_key[64]; /* a list gives its key again and again */
    int last_line;
};

static int take_pair(void *user, const char *key, const char *value, int line,
                     struct ff_error *error)
{
    struct description_reading *reading = user;
    struct ff_description *description = reading->description;
    const struct ff_option *option = NULL;
    char *joined = NULL;
    for (size_t i = 0; i < ff_description_table.count; i++)
        if (strcmp(keys[i].key, key) == 0)
            option = &keys[i];
    bool again =
        option != NULL && option->type == FF_OPTION_TEXT && strcmp(reading->last_key, key) == 0;
    if (again && asprintf(&joined, "%s | %s",
                          *(char **)(void *)((char *)description + option->offset), value) < 0)
        return ff_fail(error, FF_NO_MEMORY, "no memory for %s", reading->path);
    snprintf(reading->last_key, sizeof reading->last_key, "%s", key);
    int result = ff_options_set(&ff_description_table, description, key,
                                joined != NULL ? joined : value, error);
    free(joined);
    if (result == 0)
        result = check_axes(description, error);
    if (result == 0)
        result = check_quantities(description, error);
    return result == 0 ? 0 : ff_fail_prefix(error, "%s, line %d: ", reading->path, line);
}

int ff_description_read(const char *path, struct ff_description *description,
                        struct ff_error *error)
{
    struct description_reading reading = {.path = path, .description = description};
    if (ff_yaml_read(path, take_pair, &reading, error) < 0)
        return -1;
    if (description->frames[0] != '\0')
        return 0;
    ff_fail(error, FF_INVALID_SETTING, "%s does not say where the frames are", path);
    return ff_hint(error, "give the key 'frames' a dataset's path, for example /entry/data/data");
}

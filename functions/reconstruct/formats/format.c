#include "functions/reconstruct/formats/format.h"

#include "functions/reconstruct/formats/counts.h"
#include "functions/reconstruct/formats/linked.h"
#include "functions/reconstruct/formats/mask.h"
#include "functions/reconstruct/formats/preset.h"
#include "functions/reconstruct/formats/side.h"
#include "functions/reconstruct/formats/store.h"
#include "protocol/core/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_description_file(const char *format)
{
    size_t length = strlen(format);
    return (length > 5 && strcmp(format + length - 5, ".yaml") == 0) ||
           (length > 4 && strcmp(format + length - 4, ".yml") == 0);
}

static int refuse_unknown_name(const char *name, struct ff_error *error)
{
    const char *names[FF_CANDIDATES_MAX] = {"auto"};
    size_t count = 1;
    for (const struct ff_preset *preset = ff_presets; preset->name != NULL; preset++)
        if (count < FF_CANDIDATES_MAX)
            names[count++] = preset->name;
    const char *nearest = ff_text_nearest(name, names, count);
    ff_fail(error, FF_INVALID_SETTING,
            "the setting 'format' cannot be '%.64s'; it takes auto, the name of a preset, or a "
            "YAML file",
            name);
    if (nearest != NULL)
        return ff_hint(error, "did you mean '%s'?", nearest);
    return ff_hint(error, "`farfield reconstruct --help settings` lists the presets");
}

/* `best` is the preset that the file is nearest to, or NULL. */
static int refuse_unknown_file(const struct ff_hdf5_file *file, const struct ff_candidate *best,
                               struct ff_error *error)
{
    const char *path = ff_hdf5_path(file);
    const struct ff_preset *nearest = best != NULL ? best->preset : NULL;
    if (nearest != NULL && best->missing[0] == '\0') {
        ff_fail(error, FF_INPUT_INVALID, "%s looks like a result (%s), not like a scan", path,
                nearest->title);
        return ff_hint(error,
                       "give the frames as input and this file as positions_file or "
                       "initial_probe; farfield show %s shows it",
                       path);
    }
    ff_fail(error, FF_INPUT_INVALID, "%s is in none of the layouts that are known here", path);
    if (nearest != NULL)
        return ff_hint(error,
                       "it is nearest to format=%s, but there is no %s; describe it with "
                       "format=FILE.yaml",
                       nearest->name, best->missing);
    return ff_hint(error, "CXI has the group /entry_1 with instrument_1 and sample_1 in it; other "
                          "layouts can be described with format=FILE.yaml");
}

/* Fills the description of the input, and `format` with what it is called. */
static int choose(struct ff_reading *reading, char format[FF_FORMAT_NAME_SIZE],
                  struct ff_error *error)
{
    const char *name = reading->settings->format;
    if (is_description_file(name)) {
        snprintf(format, FF_FORMAT_NAME_SIZE, "%s", name);
        return ff_description_read(name, &reading->description, error);
    }
    const struct ff_preset *preset = ff_preset_find(name);
    if (strcmp(name, "auto") == 0) {
        struct ff_candidate candidates[FF_CANDIDATES_MAX];
        size_t count = ff_preset_candidates(reading->file, candidates);
        for (size_t i = 0; preset == NULL && i < count; i++)
            if (candidates[i].missing[0] == '\0' && candidates[i].has_frames)
                preset = candidates[i].preset;
        if (preset == NULL)
            return refuse_unknown_file(reading->file, count > 0 ? candidates : NULL, error);
    }
    if (preset == NULL)
        return refuse_unknown_name(name, error);
    snprintf(format, FF_FORMAT_NAME_SIZE, "%s", preset->name);
    if (ff_preset_describe(preset, &reading->description, error) < 0)
        return -1;
    if (reading->description.frames[0] != '\0')
        return 0;
    ff_fail(error, FF_INVALID_SETTING, "format=%s has no frames", name);
    return ff_hint(error, "give such a file as positions_file or initial_probe");
}

/* Positions in pixels of the object become metres, now that these are known. */
static void scale(const struct ff_points *points, struct ff_measurement *measurement)
{
    size_t places = measurement->patterns * measurement->fly;
    for (size_t n = 0; points->in_pixels && n < places; n++)
        for (size_t axis = 0; axis < 2; axis++)
            measurement->positions_m[2 * n + axis] *= measurement->object_pixel_m[axis];
}

/* Pixels of the object are those of whole frames, as the file's writer saw them. */
static int read_patterns(const struct ff_reading *reading, struct ff_points *points,
                         struct ff_frames *frames, double object_pixel_m,
                         struct ff_measurement *measurement, struct ff_error *error)
{
    struct ff_window window;
    size_t *slots = NULL;
    uint8_t *mask = NULL;
    double *sums = NULL;
    int result = ff_points_pair(reading, points, ff_frames_count(frames), &slots,
                                &measurement->positions_m, measurement, error);
    if (result == 0)
        result = ff_window_choose(reading, frames, &window, error);
    if (result == 0) {
        measurement->rows = window.whole[0];
        measurement->columns = window.whole[1];
        result = ff_geometry_complete(reading, window.whole, object_pixel_m, measurement, error);
    }
    if (result == 0) {
        scale(points, measurement);
        measurement->rows = window.extent[0];
        measurement->columns = window.extent[1];
        result = ff_geometry_complete(reading, window.whole, object_pixel_m, measurement, error);
    }
    if (result == 0)
        result = ff_mask_read(reading, frames, &mask, error);
    if (result == 0)
        result = ff_counts_read(reading, frames, &window, slots, mask, measurement, &sums, error);
    if (result == 0)
        result = ff_counts_drop(reading, sums, measurement, error);
    free(slots);
    free(mask);
    free(sums);
    return result;
}

/* What is small comes first, so that most refusals cost nothing. */
static int read_all(const struct ff_reading *reading, struct ff_measurement *measurement,
                    struct ff_error *error)
{
    double object_pixel_m;
    struct ff_points points;
    measurement->near_field = reading->settings->near_field != 0;
    if (ff_geometry_read(reading, measurement, &object_pixel_m, error) < 0 ||
        ff_points_read(reading, &points, error) < 0)
        return -1;
    struct ff_frames *frames = NULL;
    int result = ff_reading_probe(reading->file, &reading->description, measurement, error);
    if (result == 0 && measurement->probe == NULL && reading->side != NULL)
        result = ff_reading_probe(reading->side, &reading->side_description, measurement, error);
    if (result == 0 && (frames = ff_frames_create(reading, points.count, error)) == NULL)
        result = -1;
    if (result == 0)
        result = read_patterns(reading, &points, frames, object_pixel_m, measurement, error);
    ff_frames_destroy(frames);
    ff_points_dispose(&points);
    return result;
}

static int open_and_read(struct ff_reading *reading, char format[FF_FORMAT_NAME_SIZE],
                         struct ff_measurement *measurement, struct ff_error *error)
{
    if (ff_description_init(&reading->description, error) < 0 ||
        ff_description_init(&reading->side_description, error) < 0)
        return -1;
    reading->input = ff_input_create(reading->settings->input, error);
    if (reading->input == NULL)
        return -1;
    reading->file = ff_input_file(reading->input, 0, error);
    if (reading->file == NULL || choose(reading, format, error) < 0 ||
        ff_side_open(reading, error) < 0)
        return -1;
    return read_all(reading, measurement, error);
}

int ff_format_read(const struct ff_settings *settings, char format[FF_FORMAT_NAME_SIZE],
                   struct ff_measurement *measurement, struct ff_buffer *notes,
                   struct ff_error *error)
{
    struct ff_reading reading = {.settings = settings, .notes = notes};
    memset(measurement, 0, sizeof *measurement);
    int result = open_and_read(&reading, format, measurement, error);
    ff_hdf5_close(reading.side);
    ff_input_destroy(reading.input);
    ff_description_dispose(&reading.description);
    ff_description_dispose(&reading.side_description);
    if (result < 0)
        ff_measurement_dispose(measurement);
    return result;
}

/* The first format whose probe the file has. */
int ff_format_read_probe(const char *path, struct ff_measurement *measurement,
                         struct ff_error *error)
{
    struct ff_hdf5_file *file = ff_store_open(path, error);
    if (file == NULL)
        return -1;
    bool found = false;
    int result = 0;
    for (const struct ff_preset *preset = ff_presets; result == 0 && !found && preset->name != NULL;
         preset++) {
        struct ff_description description;
        result = ff_description_init(&description, error);
        if (result == 0)
            result = ff_preset_describe(preset, &description, error);
        found = result == 0 && ff_side_exists(file, description.probe);
        if (found)
            result = ff_reading_probe(file, &description, measurement, error);
        ff_description_dispose(&description);
    }
    ff_hdf5_close(file);
    if (result < 0 || found)
        return result;
    ff_fail(error, FF_INPUT_INVALID, "%s has no probe: there is no dataset /probe", path);
    return ff_hint(error, "give a result, or a scan that has a probe in it");
}

int ff_format_digest(const struct ff_settings *settings, struct ff_digest *digest,
                     struct ff_error *error)
{
    struct ff_digest both[2];
    if (ff_input_digest(settings->input, digest, error) < 0)
        return -1;
    if (settings->positions_file[0] == '\0')
        return 0;
    both[0] = *digest;
    if (ff_linked_digest(settings->positions_file, &both[1], error) < 0)
        return -1;
    return ff_digest_of((struct ff_span){both, sizeof both}, digest, error);
}

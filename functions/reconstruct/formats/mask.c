#include "functions/reconstruct/formats/mask.h"

#include "functions/reconstruct/formats/paths.h"
#include "functions/reconstruct/formats/store.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One of "rows 10:20,30" and "columns 5". */
struct selection {
    uint8_t *chosen; /* a flag for each row or column */
    bool given;
};

static int refuse(const char *at, struct ff_error *error)
{
    ff_fail(error, FF_INVALID_SETTING, "the ranges of a mask cannot have '%.48s'", at);
    return ff_hint(error, "write for example: rows 10:20; columns 255,256; rows 100: columns 30:32 "
                          "(from 0, without the end)");
}

/* "7", "7:", ":7" or "7:9" at *text; the range is cut at `extent`. */
static int take_range(const char **text, size_t extent, uint8_t *chosen, struct ff_error *error)
{
    const char *at = *text;
    char *end;
    unsigned long long first = 0;
    if (*at != ':') {
        if (*at < '0' || *at > '9')
            return refuse(at, error);
        first = strtoull(at, &end, 10);
        at = end;
    }
    unsigned long long last = first + 1;
    if (*at == ':') {
        at++;
        last = extent;
        if (*at >= '0' && *at <= '9') {
            last = strtoull(at, &end, 10);
            at = end;
        }
    }
    if (first >= last || first >= extent || last > extent) {
        ff_fail(error, FF_INVALID_SETTING,
                "the range %.*s of the mask is empty or leaves the %zu "
                "rows or columns of a frame",
                (int)(at - *text), *text, extent);
        return ff_hint(error, "ranges begin at 0 and do not contain their end");
    }
    memset(chosen + first, 1, (size_t)(last - first));
    *text = at;
    return 0;
}

static int take_ranges(const char **text, size_t extent, struct selection *selection,
                       struct ff_error *error)
{
    if (selection->given)
        return refuse(*text, error);
    selection->given = true;
    for (;;) {
        *text += strspn(*text, " ");
        if (take_range(text, extent, selection->chosen, error) < 0)
            return -1;
        *text += strspn(*text, " ");
        if (**text != ',')
            return 0;
        ++*text;
    }
}

/* Up to the next ; or the end. */
static int take_item(const char **text, const size_t extent[2], struct selection selections[2],
                     struct ff_error *error)
{
    static const char *const words[2] = {"rows ", "columns "};
    while (**text != '\0' && **text != ';') {
        int axis = strncmp(*text, words[0], 5) == 0 ? 0 : strncmp(*text, words[1], 8) == 0 ? 1 : -1;
        if (axis < 0)
            return refuse(*text, error);
        *text += strlen(words[axis]);
        if (take_ranges(text, extent[axis], &selections[axis], error) < 0)
            return -1;
    }
    return 0;
}

int ff_mask_ranges(const char *text, size_t rows, size_t columns, uint8_t *mask,
                   struct ff_error *error)
{
    const size_t extent[2] = {rows, columns};
    uint8_t *flags = calloc(rows + columns, 1);
    int result =
        flags != NULL ? 0 : ff_fail(error, FF_NO_MEMORY, "no memory for the ranges of a mask");
    while (result == 0 && *(text += strspn(text, " ;")) != '\0') {
        struct selection selections[2] = {{flags, false}, {flags + rows, false}};
        memset(flags, 0, rows + columns);
        result = take_item(&text, extent, selections, error);
        for (size_t r = 0; result == 0 && r < rows; r++)
            for (size_t c = 0; c < columns; c++)
                if ((!selections[0].given || flags[r]) && (!selections[1].given || flags[rows + c]))
                    mask[r * columns + c] = 0;
    }
    free(flags);
    return result;
}

/* CXI 1.6, section on pixel masks: 0 is a good pixel; the bit 0x1000 only says that there is signal
 * above the background. */
static bool may_use(double value, int meaning)
{
    bool is_zero = !(value < 0) && !(value > 0);
    if (meaning == FF_MASK_GOOD)
        return !is_zero;
    return is_zero || (meaning == FF_MASK_CXI && !(value < 0x1000) && !(value > 0x1000));
}

/* Adds the image of a dataset to the mask; more axes of extent 1 may stand in front. */
static int add_dataset(const struct ff_hdf5_dataset *dataset, int meaning,
                       const struct ff_frames *frames, uint8_t *mask, struct ff_error *error)
{
    size_t extent[2];
    ff_frames_stored(frames, extent);
    int skipped = 0;
    while (dataset->rank - skipped > 2 && dataset->shape[skipped] == 1)
        skipped++;
    if (dataset->rank - skipped != 2 || dataset->shape[skipped] != extent[0] ||
        dataset->shape[skipped + 1] != extent[1])
        return ff_hdf5_expect(dataset, 2, extent, error) < 0
                   ? -1
                   : ff_fail(error, FF_INPUT_INVALID, "%s has an odd shape", dataset->name);
    size_t pixels = extent[0] * extent[1];
    double *values = NULL;
    if (ff_hdf5_read_doubles(dataset, pixels, &values, error) < 0)
        return -1;
    uint8_t *stored = ff_array_create(2 * pixels, 1, "the mask", error);
    for (size_t i = 0; stored != NULL && i < pixels; i++)
        stored[i] = may_use(values[i], meaning);
    if (stored != NULL)
        ff_frames_turn(frames, stored, stored + pixels);
    for (size_t i = 0; stored != NULL && i < pixels; i++)
        mask[i] = mask[i] && stored[pixels + i];
    free(values);
    int result = stored != NULL ? 0 : -1;
    free(stored);
    return result;
}

static int add_place(const struct ff_hdf5_file *file, const char *text, int meaning,
                     const struct ff_frames *frames, uint8_t *mask, bool *found,
                     struct ff_error *error)
{
    struct ff_quantity place;
    struct ff_hdf5_dataset dataset;
    if (ff_paths_find(file, text, &place, found, error) < 0)
        return -1;
    if (!*found)
        return 0;
    const char *const paths[] = {place.path, NULL};
    if (ff_hdf5_find(file, paths, &dataset, error) < 0)
        return -1;
    int result = add_dataset(&dataset, meaning, frames, mask, error);
    ff_hdf5_dataset_close(&dataset);
    return result;
}

/* Where masks usually lie. */
static const char usual_places[] =
    "/mask | /pixel_mask | /bad_pixels | /array | /entry_1/instrument_1/detector_1/mask"
    " | /entry/instrument/detector/detectorSpecific/pixel_mask";

static int add_file(const char *setting, int meaning, const struct ff_frames *frames, uint8_t *mask,
                    struct ff_error *error)
{
    char path[4096];
    const char *place = usual_places;
    bool found;
    snprintf(path, sizeof path, "%s", setting);
    char *colon = strstr(path, ":/");
    if (colon != NULL && access(path, F_OK) < 0) {
        *colon = '\0';
        place = setting + (colon - path) + 1;
    }
    struct ff_hdf5_file *file = ff_store_open(path, error);
    if (file == NULL)
        return ff_fail_prefix(error, "the mask: ");
    int result = add_place(file, place, meaning, frames, mask, &found, error);
    if (result == 0 && !found) {
        ff_fail(error, FF_INPUT_INVALID, "%s has no mask: there is no dataset %s", path, place);
        result = ff_hint(error, "name the dataset behind the file: mask=%s:/DATASET", path);
    }
    ff_hdf5_close(file);
    return result;
}

static bool are_ranges(const char *setting)
{
    return strncmp(setting, "rows ", 5) == 0 || strncmp(setting, "columns ", 8) == 0;
}

bool ff_mask_is_file(const char *setting)
{
    return setting[0] != '\0' && strcmp(setting, FF_MASK_NONE) != 0 && !are_ranges(setting);
}

int ff_mask_read(const struct ff_reading *reading, const struct ff_frames *frames, uint8_t **mask,
                 struct ff_error *error)
{
    const struct ff_description *description = &reading->description;
    const char *setting = reading->settings->mask;
    size_t extent[2];
    bool found = false;
    ff_frames_extent(frames, extent);
    *mask = NULL;
    if (description->mask[0] == '\0' && description->bad_pixels[0] == '\0' &&
        !are_ranges(setting) && !ff_mask_is_file(setting))
        return 0;
    uint8_t *block = ff_array_create(extent[0] * extent[1], 1, "the mask", error);
    if (block == NULL)
        return -1;
    memset(block, 1, extent[0] * extent[1]);
    int result = add_place(reading->file, description->mask, description->mask_means, frames, block,
                           &found, error);
    if (result == 0)
        result = ff_mask_ranges(description->bad_pixels, extent[0], extent[1], block, error);
    if (result == 0 && are_ranges(setting))
        result = ff_mask_ranges(setting, extent[0], extent[1], block, error);
    else if (result == 0 && ff_mask_is_file(setting))
        result = add_file(setting, reading->settings->mask_means, frames, block, error);
    if (result < 0) {
        free(block);
        return -1;
    }
    *mask = block;
    return 0;
}

/* What is kept of a frame. */
#include "functions/reconstruct/formats/counts.h"

#include <math.h>
#include <string.h>

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Where the beam hits the detector; false where nothing says so. */
static int read_centre(const struct ff_reading *reading, struct ff_window *window, bool *told,
                       struct ff_error *error)
{
    static const size_t keys[2] = {offsetof(struct ff_description, beam_row),
                                   offsetof(struct ff_description, beam_column)};
    *told = false;
    double at[2];
    for (size_t axis = 0; axis < 2; axis++) {
        struct ff_quantity place;
        const struct ff_hdf5_file *file;
        if (ff_reading_number(reading, keys[axis], &at[axis], &place, &file, error) < 0)
            return -1;
        if (file == NULL)
            return 0;
        if (at[axis] >= 1 && at[axis] < (double)window->whole[axis] - 1)
            continue;
        ff_fail(error, FF_INPUT_INVALID,
                "%s: the beam is said to hit %s %g, and a frame has %zu of them",
                ff_hdf5_path(file), axis == 0 ? "row" : "column", at[axis], window->whole[axis]);
        return ff_hint(error, "correct %s, or describe the format (format=FILE.yaml)", place.path);
    }
    for (size_t axis = 0; axis < 2; axis++)
        window->centre[axis] = (size_t)lround(at[axis]);
    *told = true;
    return 0;
}

static int apply_crop(const struct ff_reading *reading, size_t crop, const struct ff_frames *frames,
                      struct ff_window *window, struct ff_error *error)
{
    for (size_t axis = 0; axis < 2; axis++) {
        size_t half = crop / 2;
        bool fits = crop <= window->whole[axis] &&
                    (window->wraps || (half <= window->centre[axis] &&
                                       crop - half <= window->whole[axis] - window->centre[axis]));
        window->extent[axis] = crop;
        if (fits)
            continue;
        ff_fail(error, FF_INVALID_SETTING,
                "the setting 'crop' is %zu and the frames of %s have %zu × %zu pixels, with the "
                "beam at row %zu, column %zu",
                crop, ff_hdf5_path(reading->file), window->whole[0], window->whole[1],
                window->centre[0], window->centre[1]);
        (void)frames;
        return ff_hint(error, "crop to at most what lies about the beam");
    }
    return 0;
}

/* The largest square about a beam that does not hit the middle. */
static void fit_square(const struct ff_reading *reading, struct ff_window *window)
{
    size_t side = SIZE_MAX;
    for (size_t axis = 0; axis < 2; axis++)
        side = least(side,
                     2 * least(window->centre[axis], window->whole[axis] - window->centre[axis]));
    window->extent[0] = window->extent[1] = side;
    ff_buffer_printf(reading->notes,
                     "the beam hits row %zu, column %zu of %zu × %zu pixels; %zu × %zu about it "
                     "are used\n",
                     window->centre[0], window->centre[1], window->whole[0], window->whole[1], side,
                     side);
}

int ff_window_choose(const struct ff_reading *reading, const struct ff_frames *frames,
                     struct ff_window *window, struct ff_error *error)
{
    const struct ff_settings *settings = reading->settings;
    int64_t crop = settings->crop > 0 ? settings->crop : reading->description.crop;
    bool told = false;
    memset(window, 0, sizeof *window);
    ff_frames_extent(frames, window->whole);
    memcpy(window->extent, window->whole, sizeof window->extent);
    window->shifts = settings->near_field == 0;
    window->wraps = window->shifts && reading->description.beam == FF_BEAM_CORNER;
    for (size_t axis = 0; axis < 2; axis++)
        window->centre[axis] = window->wraps ? 0 : window->whole[axis] / 2;
    if (window->shifts && !window->wraps && read_centre(reading, window, &told, error) < 0)
        return -1;
    if (crop > 0)
        return apply_crop(reading, (size_t)crop, frames, window, error);
    if (told &&
        (window->centre[0] != window->whole[0] / 2 || window->centre[1] != window->whole[1] / 2))
        fit_square(reading, window);
    return 0;
}

#include "functions/simulate/detector.h"

#include <math.h>

/* The largest number of a type marks what is no pixel, so counts end below it. */
static double top_of(int type)
{
    return type == FF_SIMULATE_U16   ? UINT16_MAX
           : type == FF_SIMULATE_U32 ? UINT32_MAX
                                     : (double)INFINITY;
}

/* Gaps cross the frame beside its middle, where the beam is. */
static bool in_gap(const struct ff_simulate_settings *settings, size_t at)
{
    for (int64_t g = 0; g < settings->gaps; g++) {
        int64_t from =
            (int64_t)((double)settings->size * ((double)g + 0.3) / (double)settings->gaps);
        if ((int64_t)at >= from && (int64_t)at < from + settings->gap_px)
            return true;
    }
    return false;
}

static enum ff_simulate_pixel pixel_at(const struct ff_simulate_settings *settings, size_t index)
{
    size_t size = (size_t)settings->size;
    struct ff_random random = ff_simulate_stream(settings->seed, index, FF_DRAW_PIXEL);
    double chance = 100 * ff_random_unit(&random);
    if (in_gap(settings, index / size) || in_gap(settings, index % size))
        return FF_PIXEL_GAP;
    if (chance < settings->dead_percent)
        return FF_PIXEL_DEAD;
    if (chance < settings->dead_percent + settings->hot_percent)
        return FF_PIXEL_HOT;
    double y = (double)(index / size) - (double)(size / 2);
    double x = (double)(index % size) - (double)(size / 2);
    return hypot(y, x) < settings->stop_px ? FF_PIXEL_STOPPED : FF_PIXEL_GOOD;
}

uint8_t *ff_simulate_pixels(const struct ff_simulate_settings *settings, struct ff_error *error)
{
    size_t count = (size_t)(settings->size * settings->size);
    uint8_t *pixels = ff_array_create(count, 1, "the pixels of the detector", error);
    for (size_t i = 0; pixels != NULL && i < count; i++)
        pixels[i] = (uint8_t)pixel_at(settings, i);
    return pixels;
}

/* Between a half and the whole of what 16 bit hold; the same in every frame. */
static double hot_count(const struct ff_simulate_settings *settings, size_t index)
{
    struct ff_random random = ff_simulate_stream(settings->seed + 1, index, FF_DRAW_PIXEL);
    return floor((0.5 + 0.5 * ff_random_unit(&random)) * (UINT16_MAX - 1));
}

static double count_of(const struct ff_simulate_settings *settings, struct ff_random *random,
                       double mean)
{
    if (settings->noise == FF_SIMULATE_POISSON)
        return ff_simulate_poisson(random, mean);
    return settings->type == FF_SIMULATE_FLOAT ? mean : round(mean);
}

size_t ff_simulate_detect(const struct ff_simulate_settings *settings, const uint8_t *pixels,
                          struct ff_random *random, double *values)
{
    size_t count = (size_t)(settings->size * settings->size);
    double limit = top_of(settings->type) - 1;
    size_t cut = 0;
    if (settings->full_well > 0)
        limit = fmin(limit, settings->full_well);
    for (size_t i = 0; i < count; i++) {
        if (pixels[i] == FF_PIXEL_GAP) {
            values[i] = NAN;
        } else if (pixels[i] == FF_PIXEL_HOT) {
            values[i] = fmin(hot_count(settings, i), limit);
        } else if (pixels[i] == FF_PIXEL_DEAD) {
            values[i] = 0;
        } else {
            double mean = pixels[i] == FF_PIXEL_STOPPED ? settings->background
                                                        : values[i] + settings->background;
            double counted = count_of(settings, random, mean);
            cut += counted > limit;
            values[i] = fmin(counted, limit);
        }
    }
    return cut;
}

size_t ff_simulate_type_bytes(int type)
{
    return type == FF_SIMULATE_U16 ? sizeof(uint16_t) : sizeof(uint32_t);
}

void ff_simulate_store(int type, const double *values, size_t count, void *to)
{
    if (type == FF_SIMULATE_U16) {
        uint16_t *numbers = to;
        for (size_t i = 0; i < count; i++)
            numbers[i] = isnan(values[i]) ? UINT16_MAX : (uint16_t)values[i];
    } else if (type == FF_SIMULATE_U32) {
        uint32_t *numbers = to;
        for (size_t i = 0; i < count; i++)
            numbers[i] = isnan(values[i]) ? UINT32_MAX : (uint32_t)values[i];
    } else {
        float *numbers = to;
        for (size_t i = 0; i < count; i++)
            numbers[i] = (float)values[i];
    }
}

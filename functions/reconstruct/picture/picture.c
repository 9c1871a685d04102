#include "functions/reconstruct/picture/picture.h"

#include "functions/reconstruct/picture/draw.h"

#include <complex.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    MODES_A_ROW = 8,
    GAP = 8,
    LABEL_ROOM = 16,
    PROBE_SIDE_WANTED = 256, /* small probes are enlarged to about this */
};

struct ff_picture *ff_picture_create(size_t width, size_t height, struct ff_colour paper,
                                     struct ff_error *error)
{
    struct ff_picture *picture = ff_array_create(1, sizeof *picture, "a picture", error);
    if (picture == NULL)
        return NULL;
    picture->width = width;
    picture->height = height;
    picture->pixels = ff_array_create(ff_array_elements(width, height, 1), sizeof *picture->pixels,
                                      "a picture", error);
    if (picture->pixels == NULL) {
        free(picture);
        return NULL;
    }
    for (size_t i = 0; i < width * height; i++)
        picture->pixels[i] = paper;
    return picture;
}

void ff_picture_destroy(struct ff_picture *picture)
{
    if (picture == NULL)
        return;
    free(picture->pixels);
    free(picture);
}

static uint8_t byte_of(float share)
{
    float held = share > 0 ? (share < 1 ? share : 1) : 0;
    return (uint8_t)(255.0f * held + 0.5f);
}

static uint8_t between(uint8_t a, uint8_t b, float share)
{
    return byte_of(((1 - share) * (float)a + share * (float)b) / 255.0f);
}

struct ff_colour ff_colour_of_phase(float share)
{
    /* Viridis (Smith and van der Walt, 2015), every 17th entry. */
    static const struct ff_colour stops[] = {
        {68, 1, 84},    {72, 26, 108},  {71, 47, 125},  {65, 68, 135},
        {57, 86, 140},  {49, 104, 142}, {42, 120, 142}, {35, 136, 142},
        {31, 152, 139}, {34, 168, 132}, {53, 183, 121}, {84, 197, 104},
        {122, 209, 81}, {165, 219, 54}, {210, 226, 27}, {253, 231, 37},
    };
    enum { LAST = sizeof stops / sizeof stops[0] - 1 };
    if (isnan(share))
        return (struct ff_colour){128, 128, 128};
    /* In 256 steps, so that the file can name them by a byte each. */
    float place = (float)byte_of(share) / 255.0f * (float)LAST;
    int below = place < (float)LAST ? (int)place : LAST - 1;
    const struct ff_colour a = stops[below];
    const struct ff_colour b = stops[below + 1];
    float part = place - (float)below;
    return (struct ff_colour){between(a.red, b.red, part), between(a.green, b.green, part),
                              between(a.blue, b.blue, part)};
}

struct ff_colour ff_colour_of_amplitude(float share)
{
    uint8_t level = isnan(share) ? 128 : byte_of(share);
    return (struct ff_colour){level, level, level};
}

struct ff_colour ff_colour_of_wave(float phase, float brightness)
{
    /* Three cosines a third of a turn apart: a hue circle without the edges of HSV. */
    float parts[3];
    for (int i = 0; i < 3; i++)
        parts[i] = brightness * (0.5f + 0.5f * cosf(phase - (float)i * (float)(2 * M_PI / 3)));
    return (struct ff_colour){byte_of(parts[0]), byte_of(parts[1]), byte_of(parts[2])};
}

static struct ff_picture *picture_of(const struct ff_view *view, const float *values, float low,
                                     float high, struct ff_colour (*colour)(float share),
                                     struct ff_error *error)
{
    const struct ff_colour paper = {0, 0, 0};
    struct ff_picture *picture = ff_picture_create(view->columns, view->rows, paper, error);
    for (size_t i = 0; picture != NULL && i < view->rows * view->columns; i++)
        picture->pixels[i] = colour((values[i] - low) / (high - low));
    return picture;
}

struct ff_picture *ff_picture_of_phase(const struct ff_view *view, struct ff_error *error)
{
    return picture_of(view, view->phase, view->phase_low, view->phase_high, ff_colour_of_phase,
                      error);
}

struct ff_picture *ff_picture_of_amplitude(const struct ff_view *view, struct ff_error *error)
{
    return picture_of(view, view->amplitude, view->amplitude_low, view->amplitude_high,
                      ff_colour_of_amplitude, error);
}

static double power_of(const ff_complex *mode, size_t pixels, float *greatest)
{
    double power = 0;
    *greatest = 0;
    for (size_t i = 0; i < pixels; i++) {
        float size = cabsf(mode[i]);
        power += (double)size * (double)size;
        *greatest = size > *greatest ? size : *greatest;
    }
    return power;
}

/* A mode into the picture: `enlarge` pixels for one, or every `skip`-th pixel. */
static void paint_mode(struct ff_picture *picture, size_t top, size_t left, const ff_complex *mode,
                       size_t columns, size_t height, size_t width, size_t enlarge, size_t skip,
                       float greatest)
{
    for (size_t y = 0; y < height; y++)
        for (size_t x = 0; x < width; x++) {
            ff_complex value = mode[y / enlarge * skip * columns + x / enlarge * skip];
            float share = greatest > 0 ? cabsf(value) / greatest : 0;
            picture->pixels[(top + y) * picture->width + left + x] =
                ff_colour_of_wave(cargf(value), share);
        }
}

struct ff_picture *ff_picture_of_probe(const ff_complex *probe, size_t modes, size_t rows,
                                       size_t columns, struct ff_error *error)
{
    const struct ff_colour paper = {24, 24, 24};
    const struct ff_colour ink = {220, 220, 220};
    size_t longer = rows > columns ? rows : columns;
    size_t enlarge = longer < PROBE_SIDE_WANTED ? PROBE_SIDE_WANTED / longer : 1;
    size_t skip = longer > 2 * PROBE_SIDE_WANTED ? longer / PROBE_SIDE_WANTED : 1;
    size_t height = rows / skip * enlarge;
    size_t width = columns / skip * enlarge;
    size_t across = modes < MODES_A_ROW ? modes : MODES_A_ROW;
    size_t down = (modes + across - 1) / across;
    struct ff_picture *picture = ff_picture_create(
        across * (width + GAP) + GAP, down * (height + GAP + LABEL_ROOM) + GAP, paper, error);
    if (picture == NULL)
        return NULL;
    size_t pixels = rows * columns;
    double total = 0;
    float greatest;
    for (size_t m = 0; m < modes; m++)
        total += power_of(probe + m * pixels, pixels, &greatest);
    for (size_t m = 0; m < modes; m++) {
        size_t top = GAP + m / across * (height + GAP + LABEL_ROOM);
        size_t left = GAP + m % across * (width + GAP);
        double share = power_of(probe + m * pixels, pixels, &greatest) / total;
        char label[32];
        paint_mode(picture, top, left, probe + m * pixels, columns, height, width, enlarge, skip,
                   greatest);
        snprintf(label, sizeof label, "%.3g %%", 100 * share);
        ff_draw_text(picture, left, top + height + 4, label, ink);
    }
    return picture;
}

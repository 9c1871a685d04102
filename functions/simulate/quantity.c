#include "functions/simulate/quantity.h"

#include "functions/reconstruct/constants.h"
#include "functions/simulate/detector.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

size_t ff_simulate_element_bytes(enum ff_simulate_element element)
{
    static const size_t bytes[] = {
        [FF_ELEMENT_U8] = sizeof(uint8_t),  [FF_ELEMENT_U32] = sizeof(uint32_t),
        [FF_ELEMENT_I64] = sizeof(int64_t), [FF_ELEMENT_F32] = sizeof(float),
        [FF_ELEMENT_F64] = sizeof(double),  [FF_ELEMENT_COMPLEX] = sizeof(ff_complex),
    };
    return bytes[element];
}

size_t ff_simulate_array_elements(const struct ff_simulate_array *array)
{
    size_t elements = 1;
    for (int i = 0; i < array->rank; i++)
        elements *= array->shape[i];
    return elements;
}

static void describe(struct ff_simulate_array *array, enum ff_simulate_element element, int rank,
                     const size_t *shape)
{
    *array = (struct ff_simulate_array){.element = element, .rank = rank};
    for (int i = 0; i < rank; i++)
        array->shape[i] = shape[i];
}

/* Room for values that have to be made. */
static void *room(struct ff_simulate_array *array, enum ff_simulate_element element, int rank,
                  const size_t *shape, struct ff_error *error)
{
    describe(array, element, rank, shape);
    array->owned = ff_array_create(ff_simulate_array_elements(array),
                                   ff_simulate_element_bytes(element), "an array", error);
    array->values = array->owned;
    return array->owned;
}

/* What the simulation has already, or has not. */
static int lend(struct ff_simulate_array *array, enum ff_simulate_element element, int rank,
                const size_t *shape, const void *values)
{
    describe(array, element, rank, shape);
    array->values = values;
    return 0;
}

static int single(struct ff_simulate_array *array, enum ff_simulate_element element,
                  const void *value, struct ff_error *error)
{
    void *values = room(array, element, 0, NULL, error);
    if (values == NULL)
        return -1;
    memcpy(values, value, ff_simulate_element_bytes(element));
    return 0;
}

/* --- single values --- */

static bool number_of(const struct ff_simulation *simulation, enum ff_simulate_what what,
                      double *value)
{
    const struct ff_simulate_settings *settings = &simulation->settings;
    switch (what) {
    case FF_SAY_ENERGY_J:
        *value = settings->energy_eV * FF_ELECTRON_V_J;
        return true;
    case FF_SAY_ENERGY_EV:
        *value = settings->energy_eV;
        return true;
    case FF_SAY_WAVELENGTH_M:
        *value = simulation->wavelength_m;
        return true;
    case FF_SAY_DISTANCE_M:
        *value = settings->distance_m;
        return true;
    case FF_SAY_PIXEL_M:
        *value = settings->pixel_um * 1e-6;
        return true;
    case FF_SAY_OBJECT_PIXEL_M:
        *value = simulation->object_pixel_m;
        return true;
    case FF_SAY_BEAM_PX:
        *value = (double)(simulation->size / 2);
        return true;
    default:
        return false;
    }
}

static bool integer_of(const struct ff_simulation *simulation,
                       const struct ff_simulate_entry *field, int64_t *value)
{
    if (field->what == FF_SAY_SIZE)
        *value = (int64_t)simulation->size;
    else if (field->what == FF_SAY_FRAME_COUNT)
        *value = (int64_t)simulation->frame_count;
    else if (field->what == FF_SAY_NUMBER)
        *value = (int64_t)field->unit;
    else
        return false;
    return true;
}

/* --- positions --- */

/* How the coordinates of a place lie in an array: which come first, and whether together. */
struct coordinates {
    enum ff_simulate_what what;
    int width;    /* of one place */
    int from[3];  /* the axis that each is: 0 y, 1 x, 2 nothing */
    bool apart;   /* (width, P) instead of (P, width) */
    bool pixels;  /* from the smallest on */
    bool leading; /* an axis of extent 1 in front */
    enum ff_simulate_element element;
};

static const struct coordinates layouts[] = {
    {FF_SAY_Y_M, 1, {0}, false, false, false, FF_ELEMENT_F64},
    {FF_SAY_X_M, 1, {1}, false, false, false, FF_ELEMENT_F64},
    {FF_SAY_Y_PX, 1, {0}, false, true, false, FF_ELEMENT_F64},
    {FF_SAY_X_PX, 1, {1}, false, true, false, FF_ELEMENT_F64},
    {FF_SAY_YX_M, 2, {0, 1}, false, false, false, FF_ELEMENT_F64},
    {FF_SAY_XYZ_M, 3, {1, 0, 2}, false, false, false, FF_ELEMENT_F64},
    {FF_SAY_GRID_PX, 2, {0, 1}, false, true, false, FF_ELEMENT_U32},
    {FF_SAY_SCAN_PX, 2, {0, 1}, false, true, true, FF_ELEMENT_F32},
    {FF_SAY_Y_X_M, 2, {0, 1}, true, false, false, FF_ELEMENT_F64},
    {FF_SAY_X_Y_M, 2, {1, 0}, true, false, false, FF_ELEMENT_F64},
};

static const struct coordinates *layout_of(enum ff_simulate_what what)
{
    for (size_t i = 0; i < sizeof layouts / sizeof layouts[0]; i++)
        if (layouts[i].what == what)
            return &layouts[i];
    return NULL;
}

static void put_number(struct ff_simulate_array *array, size_t index, double value)
{
    if (array->element == FF_ELEMENT_U32)
        ((uint32_t *)array->owned)[index] = (uint32_t)lround(value);
    else if (array->element == FF_ELEMENT_F32)
        ((float *)array->owned)[index] = (float)value;
    else
        ((double *)array->owned)[index] = value;
}

/* The pattern of number `n` of a part. */
static size_t pattern_of(const struct ff_simulation *simulation,
                         const struct ff_simulate_part *part, size_t n)
{
    return part != NULL ? simulation->frames[part->first + n] : n;
}

static int say_positions(const struct ff_simulation *simulation, const struct coordinates *layout,
                         const struct ff_simulate_part *part, double unit,
                         struct ff_simulate_array *array, struct ff_error *error)
{
    size_t fly = simulation->fly;
    size_t places = (part != NULL ? part->count : simulation->patterns) * fly;
    size_t width = (size_t)layout->width;
    const size_t shape[] = {1, layout->apart ? width : places, layout->apart ? places : width};
    double low[3] = {0, 0, 0};
    int rank = (layout->leading ? 1 : 0) + (width > 1 ? 2 : 1);
    if (room(array, layout->element, rank, layout->leading ? shape : shape + 1, error) == NULL)
        return -1;
    for (size_t i = 0; layout->pixels && i < 2 * simulation->patterns * fly; i++)
        low[i % 2] = fmin(i < 2 ? INFINITY : low[i % 2], simulation->stated[i]);
    double scale = (layout->pixels ? 1 : simulation->object_pixel_m) / unit;
    for (size_t p = 0; p < places; p++) {
        size_t place = pattern_of(simulation, part, p / fly) * fly + p % fly;
        for (size_t k = 0; k < width; k++) {
            int axis = layout->from[k];
            double at = axis < 2 ? simulation->stated[2 * place + (size_t)axis] - low[axis] : 0;
            put_number(array, layout->apart ? k * places + p : p * width + k, scale * at);
        }
    }
    return 0;
}

/* The numbers of the patterns, of each frame or (`fly` times) of each place. */
static int say_numbers(const struct ff_simulation *simulation, const struct ff_simulate_part *part,
                       bool places, struct ff_simulate_array *array, struct ff_error *error)
{
    const struct ff_simulate_part all = {0, simulation->frame_count};
    size_t times = places ? simulation->fly : 1;
    if (!places && part == NULL)
        part = &all;
    size_t count = part != NULL ? part->count : simulation->patterns;
    int64_t *numbers = room(array, FF_ELEMENT_I64, 1, (const size_t[]){count * times}, error);
    for (size_t i = 0; numbers != NULL && i < count * times; i++)
        numbers[i] = (int64_t)pattern_of(simulation, part, i / times);
    return numbers != NULL ? 0 : -1;
}

/* --- arrays of pixels --- */

static int say_mask(const struct ff_simulation *simulation, bool good,
                    struct ff_simulate_array *array, struct ff_error *error)
{
    size_t size = simulation->size;
    uint8_t *mask = room(array, FF_ELEMENT_U8, 2, (const size_t[]){size, size}, error);
    for (size_t i = 0; mask != NULL && i < size * size; i++)
        mask[i] = (simulation->pixels[i] == FF_PIXEL_GOOD) == good;
    return mask != NULL ? 0 : -1;
}

static int say_empty_object(const struct ff_simulation *simulation, struct ff_simulate_array *array,
                            struct ff_error *error)
{
    ff_complex *object = room(array, FF_ELEMENT_COMPLEX, 2,
                              (const size_t[]){simulation->rows, simulation->columns}, error);
    for (size_t i = 0; object != NULL && i < simulation->rows * simulation->columns; i++)
        object[i] = 1;
    return object != NULL ? 0 : -1;
}

/* (modes, h, w) with `axes` of them: one mode has no axis of modes where two are asked for. */
static int say_probe(const struct ff_simulation *simulation, const ff_complex *probe, int rank,
                     struct ff_simulate_array *array)
{
    const size_t shape[] = {1, simulation->modes, simulation->probe_size, simulation->probe_size};
    return lend(array, FF_ELEMENT_COMPLEX, rank, shape + 4 - rank, probe);
}

static int say_pixels(const struct ff_simulation *simulation, enum ff_simulate_what what,
                      struct ff_simulate_array *array, struct ff_error *error)
{
    int usual = simulation->modes > 1 ? 3 : 2;
    bool told = simulation->settings.mask == FF_SIMULATE_MASK_IN_FILE;
    switch (what) {
    case FF_SAY_BAD:
        return told ? say_mask(simulation, false, array, error) : 0;
    case FF_SAY_GOOD:
        return told ? say_mask(simulation, true, array, error) : 0;
    case FF_SAY_MEASURED:
        return say_mask(simulation, true, array, error);
    case FF_SAY_GUESS:
        return say_probe(simulation, simulation->guess, usual, array);
    case FF_SAY_GUESS_4:
        return say_probe(simulation, simulation->guess, 4, array);
    case FF_SAY_GUESS_1:
        return say_probe(simulation, simulation->guess, 2, array);
    case FF_SAY_PROBE:
        return say_probe(simulation, simulation->probe, usual, array);
    case FF_SAY_EMPTY_OBJECT:
        return say_empty_object(simulation, array, error);
    default:
        return lend(array, FF_ELEMENT_COMPLEX, 2,
                    (const size_t[]){simulation->rows, simulation->columns}, simulation->object);
    }
}

/* --- the truth of each pattern --- */

static int say_series(const struct ff_simulation *simulation, enum ff_simulate_what what,
                      struct ff_simulate_array *array)
{
    size_t patterns = simulation->patterns;
    size_t side = simulation->probe_size;
    const size_t pairs[] = {patterns, 2};
    const size_t places[] = {patterns, simulation->fly, 2};
    switch (what) {
    case FF_SAY_POSITIONS:
        return lend(array, FF_ELEMENT_F64, 2, pairs, simulation->positions);
    case FF_SAY_ALL_PLACES:
        return lend(array, FF_ELEMENT_F64, 3, places,
                    simulation->fly > 1 ? simulation->places : NULL);
    case FF_SAY_STATED:
        return lend(array, FF_ELEMENT_F64, 3, places, simulation->stated);
    case FF_SAY_EIGENPROBES:
        return lend(array, FF_ELEMENT_COMPLEX, 3,
                    (const size_t[]){simulation->eigenprobe_count, side, side},
                    simulation->eigenprobes);
    case FF_SAY_WEIGHTS:
        return lend(array, FF_ELEMENT_F64, 2,
                    (const size_t[]){patterns, simulation->eigenprobe_count}, simulation->weights);
    case FF_SAY_INTENSITIES:
        return lend(array, FF_ELEMENT_F64, 1, pairs, simulation->intensities);
    default:
        return lend(array, FF_ELEMENT_U8, 1, pairs, simulation->faults);
    }
}

int ff_simulate_quantity(const struct ff_simulation *simulation,
                         const struct ff_simulate_entry *field, const struct ff_simulate_part *part,
                         struct ff_simulate_array *array, struct ff_error *error)
{
    enum ff_simulate_what what = field->what;
    const struct coordinates *layout = layout_of(what);
    double number;
    int64_t integer;
    *array = (struct ff_simulate_array){.values = NULL};
    if (number_of(simulation, what, &number)) {
        number /= field->unit;
        return single(array, FF_ELEMENT_F64, &number, error);
    }
    if (integer_of(simulation, field, &integer))
        return single(array, FF_ELEMENT_I64, &integer, error);
    if (layout != NULL)
        return say_positions(simulation, layout, part, field->unit, array, error);
    if (what == FF_SAY_FRAMES || what == FF_SAY_PLACES)
        return say_numbers(simulation, part, what == FF_SAY_PLACES, array, error);
    if (what == FF_SAY_BASIS) {
        double pixel_m = simulation->settings.pixel_um * 1e-6;
        const double basis[] = {0, pixel_m, 0, pixel_m, 0, 0};
        double *values = room(array, FF_ELEMENT_F64, 2, (const size_t[]){2, 3}, error);
        if (values != NULL)
            memcpy(values, basis, sizeof basis);
        return values != NULL ? 0 : -1;
    }
    if (what < FF_SAY_POSITIONS)
        return say_pixels(simulation, what, array, error);
    return say_series(simulation, what, array);
}

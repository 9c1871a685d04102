#include "functions/reconstruct/picture/unwrap.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { DIGIT_BITS = 16, DIGITS = 1 << DIGIT_BITS };

static const float turn = (float)(2 * M_PI);

struct unwrapping {
    float *phase;
    size_t rows, columns;
    float *reliability; /* of each pixel */
    uint32_t *pairs;    /* 2 × pixel + axis: with the next one along that axis */
    uint32_t *spare;    /* for sorting */
    size_t count;       /* of pairs */
    uint32_t *parent;   /* groups, as trees of pixels */
    int32_t *turns;     /* of a pixel beside its parent */
};

/* A difference of phases, brought into -π … π. */
static float wrapped(float difference)
{
    return difference - turn * rintf(difference / turn);
}

/* The second difference of a pixel between its neighbours at -step and +step. */
static float bend(const float *at, ptrdiff_t step)
{
    return wrapped(at[-step] - at[0]) - wrapped(at[0] - at[step]);
}

/* Pixels of the edge have no second differences: they are joined last. */
static void rate(const struct unwrapping *own)
{
    ptrdiff_t width = (ptrdiff_t)own->columns;
    for (size_t r = 1; r + 1 < own->rows; r++)
        for (size_t c = 1; c + 1 < own->columns; c++) {
            const float *at = own->phase + r * own->columns + c;
            const float bends[] = {bend(at, width), bend(at, 1), bend(at, width + 1),
                                   bend(at, width - 1)};
            float square = 0;
            for (size_t i = 0; i < sizeof bends / sizeof bends[0]; i++)
                square += bends[i] * bends[i];
            own->reliability[r * own->columns + c] = 1 / (sqrtf(square) + 1e-6f);
        }
}

static size_t other_of(const struct unwrapping *own, uint32_t pair)
{
    return pair / 2 + (pair % 2 == 0 ? own->columns : 1);
}

/* Positive floats are in the order of their bits; the complement puts the greatest first. */
static uint32_t key_of(const struct unwrapping *own, uint32_t pair)
{
    float sum = own->reliability[pair / 2] + own->reliability[other_of(own, pair)];
    uint32_t bits;
    memcpy(&bits, &sum, sizeof bits);
    return ~bits;
}

static void list_pairs(struct unwrapping *own)
{
    for (size_t r = 0; r < own->rows; r++)
        for (size_t c = 0; c < own->columns; c++) {
            uint32_t pixel = (uint32_t)(r * own->columns + c);
            if (r + 1 < own->rows)
                own->pairs[own->count++] = 2 * pixel;
            if (c + 1 < own->columns)
                own->pairs[own->count++] = 2 * pixel + 1;
        }
}

/* By counting, digit by digit: in linear time, and equal keys keep their order. */
static int sort_pairs(struct unwrapping *own, struct ff_error *error)
{
    size_t *places = ff_array_create(DIGITS, sizeof *places, "the unwrapping", error);
    if (places == NULL)
        return -1;
    for (unsigned shift = 0; shift < 32; shift += DIGIT_BITS) {
        memset(places, 0, DIGITS * sizeof *places);
        for (size_t i = 0; i < own->count; i++)
            places[key_of(own, own->pairs[i]) >> shift & (DIGITS - 1)]++;
        for (size_t digit = 0, before = 0; digit < DIGITS; digit++) {
            size_t here = places[digit];
            places[digit] = before;
            before += here;
        }
        for (size_t i = 0; i < own->count; i++)
            own->spare[places[key_of(own, own->pairs[i]) >> shift & (DIGITS - 1)]++] =
                own->pairs[i];
        uint32_t *sorted = own->spare;
        own->spare = own->pairs;
        own->pairs = sorted;
    }
    free(places);
    return 0;
}

/* The root of a pixel's group and the turns beside it; halves the way for the next time. */
static uint32_t root_of(const struct unwrapping *own, uint32_t pixel, int32_t *turns)
{
    *turns = 0;
    while (own->parent[pixel] != pixel) {
        uint32_t above = own->parent[pixel];
        if (own->parent[above] != above) {
            own->turns[pixel] += own->turns[above];
            own->parent[pixel] = own->parent[above];
        }
        *turns += own->turns[pixel];
        pixel = own->parent[pixel];
    }
    return pixel;
}

/* `size` of a group stands at its root: the smaller joins the larger. */
static void join(const struct unwrapping *own, uint32_t *size)
{
    for (size_t i = 0; i < own->count; i++) {
        uint32_t a = own->pairs[i] / 2;
        uint32_t b = (uint32_t)other_of(own, own->pairs[i]);
        int32_t turns_a;
        int32_t turns_b;
        uint32_t root_a = root_of(own, a, &turns_a);
        uint32_t root_b = root_of(own, b, &turns_b);
        if (root_a == root_b)
            continue;
        /* What the root of b must turn beside that of a, so that the two pixels are near. */
        int32_t turns = turns_a - turns_b + (int32_t)lrintf((own->phase[a] - own->phase[b]) / turn);
        bool down = size[root_a] >= size[root_b];
        uint32_t above = down ? root_a : root_b;
        uint32_t below = down ? root_b : root_a;
        own->parent[below] = above;
        own->turns[below] = down ? turns : -turns;
        size[above] += size[below];
    }
}

static void apply(const struct unwrapping *own)
{
    size_t pixels = own->rows * own->columns;
    double sum = 0;
    for (size_t i = 0; i < pixels; i++) {
        int32_t turns;
        root_of(own, (uint32_t)i, &turns);
        own->phase[i] += turn * (float)turns;
        sum += (double)own->phase[i];
    }
    float offset = turn * rintf((float)(sum / (double)pixels) / turn);
    for (size_t i = 0; i < pixels; i++)
        own->phase[i] -= offset;
}

int ff_unwrap(float *phase, size_t rows, size_t columns, struct ff_error *error)
{
    size_t pixels = ff_array_elements(rows, columns, 1);
    if (pixels > UINT32_MAX / 2)
        return ff_fail(error, FF_TOO_LARGE, "a phase of %zu × %zu pixels is too large to unwrap",
                       rows, columns);
    struct unwrapping own = {.rows = rows, .columns = columns};
    own.phase = phase;
    own.reliability = ff_array_create(pixels, sizeof(float), "the unwrapping", error);
    own.pairs = ff_array_create(2 * pixels, sizeof(uint32_t), "the unwrapping", error);
    own.spare = ff_array_create(2 * pixels, sizeof(uint32_t), "the unwrapping", error);
    own.parent = ff_array_create(pixels, sizeof(uint32_t), "the unwrapping", error);
    own.turns = ff_array_create(pixels, sizeof(int32_t), "the unwrapping", error);
    int result = -1;
    if (own.reliability != NULL && own.pairs != NULL && own.spare != NULL && own.parent != NULL &&
        own.turns != NULL) {
        rate(&own);
        list_pairs(&own);
        result = sort_pairs(&own, error);
    }
    if (result == 0) {
        for (size_t i = 0; i < pixels; i++) {
            own.parent[i] = (uint32_t)i;
            own.spare[i] = 1;
        }
        join(&own, own.spare);
        apply(&own);
    }
    free(own.reliability);
    free(own.pairs);
    free(own.spare);
    free(own.parent);
    free(own.turns);
    return result;
}

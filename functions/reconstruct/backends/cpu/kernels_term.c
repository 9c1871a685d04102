/* Numbers of one pattern: inner products of waves with what would change them. */
#include "functions/reconstruct/backends/cpu/vector.h"

/* The derivatives of the taps by a move. */
INLINE struct pair moved_by_row(struct ff_planes object, struct ff_taps taps, size_t r, size_t c,
                                vf sum)
{
    const ff_real *re = object.re + r * object.stride + c;
    const ff_real *im = object.im + r * object.stride + c;
    size_t s = object.stride;
    return (struct pair){
        sum * (taps.x0 * (load(re + s) - load(re)) + taps.x1 * (load(re + s + 1) - load(re + 1))),
        sum * (taps.x0 * (load(im + s) - load(im)) + taps.x1 * (load(im + s + 1) - load(im + 1)))};
}

INLINE struct pair moved_by_column(struct ff_planes object, struct ff_taps taps, size_t r, size_t c)
{
    const ff_real *re = object.re + r * object.stride + c;
    const ff_real *im = object.im + r * object.stride + c;
    size_t s = object.stride;
    return (struct pair){
        taps.y0 * (load(re + 1) - load(re)) + taps.y1 * (load(re + s + 1) - load(re + s)),
        taps.y0 * (load(im + 1) - load(im)) + taps.y1 * (load(im + s + 1) - load(im + s))};
}

/* The lanes' sums of some rows: adding lanes after each row would take as long as the rows. */
struct lane_sums {
    vf sums[5];
};

INLINE void add_products(struct lane_sums *five, struct pair a, struct pair b, struct pair x,
                         vf light)
{
    five->sums[0] += real_product(a, x);
    five->sums[1] += real_product(b, x);
    five->sums[2] += light * real_product(a, a);
    five->sums[3] += light * real_product(a, b);
    five->sums[4] += light * real_product(b, b);
}

/* At the end of every block of rows, and of all. */
INLINE void add_lanes(struct lane_sums *five, size_t row, size_t rows, double *sums, unsigned count)
{
    if ((row + 1) % BLOCK != 0 && row + 1 < rows)
        return;
    for (unsigned i = 0; i < count; i++) {
        sums[i] += sum_of(five->sums[i]);
        five->sums[i] = (vf){0};
    }
}

/* `taps` as in gather: the y weights hold the scale of the pattern, and so their sum is it. */
static void positions(struct ff_planes object, struct ff_taps taps, size_t rows, size_t width,
                      struct ff_planes tile, const ff_real *light, double sums[5])
{
    const vf scale = all(taps.y0 + taps.y1);
    struct lane_sums five = {0};
    for (size_t r = 0; r < rows; r++) {
        for (size_t c = 0; c < width; c += L)
            add_products(&five, moved_by_row(object, taps, r, c, scale),
                         moved_by_column(object, taps, r, c), load_planes(tile, r, c),
                         load(light + r * tile.stride + c));
        add_lanes(&five, r, rows, sums, 5);
    }
}

static void probe_slopes(struct ff_planes patch, struct ff_planes by_row,
                         struct ff_planes by_column, struct ff_wave wave, double sums[2])
{
    struct lane_sums two = {0};
    for (size_t r = 0; r < wave.rows; r++) {
        for (size_t c = 0; c < wave.width; c += L) {
            struct pair s = load_planes(patch, r, c);
            struct pair x = load_pair(wave.values + 2 * (r * wave.stride + c));
            two.sums[0] += real_product(times(s, load_planes(by_row, r, c)), x);
            two.sums[1] += real_product(times(s, load_planes(by_column, r, c)), x);
        }
        add_lanes(&two, r, wave.rows, sums, 2);
    }
}

/* Sums along a row: of the slopes by y and x, and of the curvatures yy, yx, xx, each with the powers of the
 * distance to the middle column. */
struct strain_row {
    vf slopes[2][2];
    vf curves[3][3];
};

INLINE void add_strain(struct strain_row *row, struct pair a, struct pair b, struct pair x,
                       vf light, vf distance)
{
    const vf slopes[2] = {real_product(a, x), real_product(b, x)};
    const vf curves[3] = {light * real_product(a, a), light * real_product(a, b),
                          light * real_product(b, b)};
    for (unsigned i = 0; i < 2; i++) {
        row->slopes[i][0] += slopes[i];
        row->slopes[i][1] += slopes[i] * distance;
    }
    for (unsigned i = 0; i < 3; i++) {
        vf moved = curves[i] * distance;
        row->curves[i][0] += curves[i];
        row->curves[i][1] += moved;
        row->curves[i][2] += moved * distance;
    }
}

/* Adds a row at `distance` from the middle one, in the order of FF_TERMS_STRAINS. */
INLINE void add_strain_row(const struct strain_row *row, vf distance, vf sums[19])
{
    for (unsigned i = 0; i < 2; i++) {
        sums[2 * i] += row->slopes[i][0] * distance;
        sums[2 * i + 1] += row->slopes[i][1];
    }
    for (unsigned i = 0; i < 3; i++) {
        sums[4 + 2 * i] += row->curves[i][0] * distance;
        sums[5 + 2 * i] += row->curves[i][1];
        sums[10 + 3 * i] += row->curves[i][0] * distance * distance;
        sums[11 + 3 * i] += row->curves[i][1] * distance;
        sums[12 + 3 * i] += row->curves[i][2];
    }
}

static void strains(struct ff_planes object, struct ff_taps taps, size_t rows, size_t columns,
                    struct ff_planes tile, const ff_real *light, double sums[19])
{
    const vf scale = all(taps.y0 + taps.y1);
    const ff_real middle = (ff_real)(columns - 1) / 2;
    vf lanes[19] = {{0}};
    vf first;
    for (size_t i = 0; i < L; i++)
        first[i] = (ff_real)i - middle;
    for (size_t r = 0; r < rows; r++) {
        struct strain_row row = {0};
        vf distance = first;
        for (size_t c = 0; c < columns; c += L) {
            add_strain(&row, moved_by_row(object, taps, r, c, scale),
                       moved_by_column(object, taps, r, c), load_planes(tile, r, c),
                       load(light + r * tile.stride + c), distance);
            distance += (ff_real)L;
        }
        add_strain_row(&row, all((ff_real)r - (ff_real)(rows - 1) / 2), lanes);
        for (unsigned i = 0; ((r + 1) % BLOCK == 0 || r + 1 == rows) && i < 19; i++) {
            sums[i] += sum_of(lanes[i]);
            lanes[i] = (vf){0};
        }
    }
}

/* So many pairs (c, d) share the reading of S and E_c. */
enum { PAIRS_AT_ONCE = 4 };

/* Rows of one eigenprobe `own` against `pairs` others, and where `sum` is not NULL against χ. */
INLINE void weights_block(struct ff_planes patch, struct ff_planes own,
                          const struct ff_planes *others, unsigned pairs, struct ff_wave wave,
                          size_t first, size_t end, double *sum, double *products)
{
    vf block[PAIRS_AT_ONCE] = {{0}};
    vf slope = {0};
    for (size_t r = first; r < end; r++) {
        for (size_t c = 0; c < wave.width; c += L) {
            struct pair s = load_planes(patch, r, c);
            struct pair e = load_planes(own, r, c);
            vf light = real_product(s, s);
            struct pair lit = {light * e.re, light * e.im};
            if (sum != NULL)
                slope +=
                    real_product(times(s, e), load_pair(wave.values + 2 * (r * wave.stride + c)));
            for (unsigned i = 0; i < pairs; i++)
                block[i] += real_product(lit, load_planes(others[i], r, c));
        }
    }
    if (sum != NULL)
        *sum += sum_of(slope);
    for (unsigned i = 0; i < pairs; i++)
        products[i] += sum_of(block[i]);
}

/* Rows by blocks, so that the eigenprobes are in cache for all pairs. */
static void weights(struct ff_planes patch, const struct ff_planes *eigenprobes, size_t count,
                    struct ff_wave wave, double *sums)
{
    for (size_t first = 0; first < wave.rows; first += BLOCK) {
        size_t end = first + BLOCK < wave.rows ? first + BLOCK : wave.rows;
        double *products = sums + count;
        for (size_t c = 0; c < count; c++) {
            for (size_t d = 0; d <= c; d += PAIRS_AT_ONCE) {
                size_t pairs = c + 1 - d < PAIRS_AT_ONCE ? c + 1 - d : PAIRS_AT_ONCE;
                double *slope = d == 0 ? sums + c : NULL;
                const struct ff_planes *own = eigenprobes + c;
                if (pairs == PAIRS_AT_ONCE)
                    weights_block(patch, *own, eigenprobes + d, PAIRS_AT_ONCE, wave, first, end,
                                  slope, products);
                else if (pairs == 3)
                    weights_block(patch, *own, eigenprobes + d, 3, wave, first, end, slope,
                                  products);
                else if (pairs == 2)
                    weights_block(patch, *own, eigenprobes + d, 2, wave, first, end, slope,
                                  products);
                else
                    weights_block(patch, *own, eigenprobes + d, 1, wave, first, end, slope,
                                  products);
                products += pairs;
            }
        }
    }
}

/* So many words ahead fit() asks for what comes from memory; else it waits for that as long as it computes. */
enum { KEPT_AHEAD = 1024 };

/*
 * χ for fit(). Its sums over a whole pattern do not need 24 bits of each value: in float the upper halves of both
 * parts, rounded, share a word, which halves what goes through memory. In double it is one word a part. They lie in the
 * order in which steps() reads them, so that memory is read straight on.
 */
#ifdef FF_REAL_DOUBLE
INLINE void store_kept(void *kept, size_t at, struct pair value)
{
    store_pair((ff_real *)kept + 2 * at, value.re, value.im);
}

INLINE struct pair load_kept(const void *kept, size_t at)
{
    return load_pair((const ff_real *)kept + 2 * at);
}
#else
#if FF_KERNEL_LANES == 16
INLINE void store_past(ff_word *to, vi value)
{
    _mm512_stream_si512((void *)to, (__m512i)value);
}
#elif FF_KERNEL_LANES == 8
INLINE void store_past(ff_word *to, vi value)
{
    _mm256_stream_si256((void *)to, (__m256i)value);
}
#else
INLINE void store_past(ff_word *to, vi value)
{
    _mm_stream_si128((void *)to, (__m128i)value);
}
#endif

/* To the nearest that has zeros in its lower half, ties to even. */
INLINE vi upper_half(vf value)
{
    vi bits = (vi)value;
    bits += 0x7fff + ((bits >> 16) & 1);
    return bits & ~0xffff;
}

INLINE void store_kept(void *kept, size_t at, struct pair value)
{
    store_past((ff_word *)kept + at,
               upper_half(value.re) | ((upper_half(value.im) >> 16) & 0xffff));
}

INLINE struct pair load_kept(const void *kept, size_t at)
{
    vi word;
    memcpy(&word, (const ff_word *)kept + at, sizeof word);
    return (struct pair){(vf)(word & ~0xffff), (vf)(word << 16)};
}
#endif

static void keep(struct ff_wave wave, void *kept)
{
    size_t at = 0;
    for (size_t first = 0; first < wave.rows; first += BLOCK) {
        size_t end = first + BLOCK < wave.rows ? first + BLOCK : wave.rows;
        for (size_t c = 0; c < wave.width; c += L) {
            for (size_t r = first; r < end; r++) {
                store_kept(kept, at, load_pair(wave.values + 2 * (r * wave.stride + c)));
                at += L;
            }
        }
    }
    _mm_sfence();
}

/* One row of a plane through the horizontal taps. */
INLINE struct pair tap_row(struct ff_planes planes, size_t row, size_t column, vf x0, vf x1)
{
    size_t at = row * planes.stride + column;
    return (struct pair){blend_taps(planes.re + at, x0, x1), blend_taps(planes.im + at, x0, x1)};
}

INLINE struct pair mix(struct pair above, vf y0, struct pair below, vf y1)
{
    return (struct pair){y0 * above.re + y1 * below.re, y0 * above.im + y1 * below.im};
}

/* Rows first … end-1. Both patches are formed on the way: storing and loading them would cost more than the taps. */
INLINE void steps_block(const struct ff_steps *steps, const void *kept, size_t first, size_t end,
                        size_t width, double sums[6])
{
    const struct ff_taps taps = steps->taps;
    const vf x0 = all(taps.x0), x1 = all(taps.x1), y0 = all(taps.y0), y1 = all(taps.y1);
    vf block[6] = {{0}};
    size_t at = first * width;
    for (size_t c = 0; c < width; c += L) {
        struct pair object = tap_row(steps->object, first, c, x0, x1);
        struct pair change = tap_row(steps->object_step, first, c, x0, x1);
        for (size_t r = first; r < end; r++) {
            struct pair object_below = tap_row(steps->object, r + 1, c, x0, x1);
            struct pair change_below = tap_row(steps->object_step, r + 1, c, x0, x1);
            struct pair u =
                times(mix(change, y0, change_below, y1), load_planes(steps->probe, r, c));
            struct pair v =
                times(mix(object, y0, object_below, y1), load_planes(steps->probe_step, r, c));
            __builtin_prefetch((const ff_word *)kept + at + KEPT_AHEAD);
            struct pair x = load_kept(kept, at);
            at += L;
            struct pair cross = conjugate_times(v, u);
            block[0] += real_product(u, u);
            block[1] += real_product(v, v);
            block[2] += cross.re;
            block[3] += cross.im;
            block[4] += real_product(u, x);
            block[5] += real_product(v, x);
            object = object_below;
            change = change_below;
        }
    }
    for (unsigned i = 0; i < 6; i++)
        sums[i] += sum_of(block[i]);
}

static void steps(const struct ff_steps *factors, const void *kept, size_t rows, size_t width,
                  double sums[6])
{
    for (size_t r = 0; r < rows; r += BLOCK)
        steps_block(factors, kept, r, r + BLOCK < rows ? r + BLOCK : rows, width, sums);
}

const struct ff_term_kernels FF_KERNEL(ff_term_kernels) = {
    .positions = positions,
    .probe_slopes = probe_slopes,
    .strains = strains,
    .weights = weights,
    .keep = keep,
    .steps = steps,
};

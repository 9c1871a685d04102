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

/* Σ of a, b, aa, ab, bb along a row. */
struct five {
    vf sums[5];
};

INLINE void add_five(struct five *five, double sums[5])
{
    for (unsigned i = 0; i < 5; i++)
        sums[i] += sum_of(five->sums[i]);
}

/* `taps` as in gather: the y weights hold the scale of the pattern, and so their sum is it. */
static void positions(struct ff_planes object, struct ff_taps taps, size_t rows, size_t width,
                      struct ff_planes tile, const ff_real *light, double sums[5])
{
    const vf scale = all(taps.y0 + taps.y1);
    for (size_t r = 0; r < rows; r++) {
        struct five five = {0};
        for (size_t c = 0; c < width; c += L) {
            struct pair by_row = moved_by_row(object, taps, r, c, scale);
            struct pair by_column = moved_by_column(object, taps, r, c);
            struct pair t = load_planes(tile, r, c);
            vf l = load(light + r * tile.stride + c);
            five.sums[0] += real_product(by_row, t);
            five.sums[1] += real_product(by_column, t);
            five.sums[2] += l * real_product(by_row, by_row);
            five.sums[3] += l * real_product(by_row, by_column);
            five.sums[4] += l * real_product(by_column, by_column);
        }
        add_five(&five, sums);
    }
}

static void probe_positions(struct ff_planes patch, struct ff_planes by_row,
                            struct ff_planes by_column, struct ff_wave wave, double sums[5])
{
    for (size_t r = 0; r < wave.rows; r++) {
        struct five five = {0};
        for (size_t c = 0; c < wave.width; c += L) {
            struct pair s = load_planes(patch, r, c);
            struct pair x = load_pair(wave.values + 2 * (r * wave.stride + c));
            struct pair a = times(s, load_planes(by_row, r, c));
            struct pair b = times(s, load_planes(by_column, r, c));
            five.sums[0] += real_product(a, x);
            five.sums[1] += real_product(b, x);
            five.sums[2] += real_product(a, a);
            five.sums[3] += real_product(a, b);
            five.sums[4] += real_product(b, b);
        }
        add_five(&five, sums);
    }
}

static void weights(struct ff_planes patch, struct ff_planes eigenprobe, struct ff_wave wave,
                    double sums[2])
{
    for (size_t r = 0; r < wave.rows; r++) {
        vf slope = {0};
        vf own = {0};
        for (size_t c = 0; c < wave.width; c += L) {
            struct pair e = times(load_planes(patch, r, c), load_planes(eigenprobe, r, c));
            struct pair x = load_pair(wave.values + 2 * (r * wave.stride + c));
            slope += real_product(e, x);
            own += real_product(e, e);
        }
        sums[0] += sum_of(slope);
        sums[1] += sum_of(own);
    }
}

/*
 * χ for fit(). Its sums over a whole pattern do not need 24 bits of each value: in float the upper halves of both
 * parts, rounded, share a word, which halves what goes through memory. In double it is one word a part.
 */
#ifdef FF_REAL_DOUBLE
static void keep(struct ff_wave wave, void *kept)
{
    for (size_t r = 0; r < wave.rows; r++)
        memcpy((ff_real *)kept + 2 * r * wave.width, wave.values + 2 * r * wave.stride,
               2 * wave.width * sizeof(ff_real));
}

INLINE struct pair load_kept(const void *kept, size_t at)
{
    return load_pair((const ff_real *)kept + 2 * at);
}
#else
#if FF_KERNEL_LANES == 16
INLINE void store_past(void *to, vi value)
{
    _mm512_stream_si512(to, (__m512i)value);
}
#elif FF_KERNEL_LANES == 8
INLINE void store_past(void *to, vi value)
{
    _mm256_stream_si256(to, (__m256i)value);
}
#else
INLINE void store_past(void *to, vi value)
{
    _mm_stream_si128(to, (__m128i)value);
}
#endif

/* To the nearest that has zeros in its lower half, ties to even. */
INLINE vi upper_half(vf value)
{
    vi bits = (vi)value;
    bits += 0x7fff + ((bits >> 16) & 1);
    return bits & ~0xffff;
}

static void keep(struct ff_wave wave, void *kept)
{
    char *to = kept;
    for (size_t r = 0; r < wave.rows; r++) {
        for (size_t c = 0; c < wave.width; c += L) {
            struct pair x = load_pair(wave.values + 2 * (r * wave.stride + c));
            store_past(to, upper_half(x.re) | ((upper_half(x.im) >> 16) & 0xffff));
            to += sizeof(vi);
        }
    }
    _mm_sfence();
}

INLINE struct pair load_kept(const void *kept, size_t at)
{
    vi word;
    memcpy(&word, (const ff_word *)kept + at, sizeof word);
    return (struct pair){(vf)(word & ~0xffff), (vf)(word << 16)};
}
#endif

static void steps(const struct ff_planes factors[4], const void *kept, size_t rows, size_t width,
                  double sums[6])
{
    for (size_t r = 0; r < rows; r++) {
        vf row[6] = {{0}};
        for (size_t c = 0; c < width; c += L) {
            struct pair u = times(load_planes(factors[0], r, c), load_planes(factors[1], r, c));
            struct pair v = times(load_planes(factors[2], r, c), load_planes(factors[3], r, c));
            struct pair x = load_kept(kept, r * width + c);
            struct pair cross = conjugate_times(v, u);
            row[0] += real_product(u, u);
            row[1] += real_product(v, v);
            row[2] += cross.re;
            row[3] += cross.im;
            row[4] += real_product(u, x);
            row[5] += real_product(v, x);
        }
        for (unsigned i = 0; i < 6; i++)
            sums[i] += sum_of(row[i]);
    }
}

const struct ff_term_kernels FF_KERNEL(ff_term_kernels) = {
    .positions = positions,
    .probe_positions = probe_positions,
    .weights = weights,
    .keep = keep,
    .steps = steps,
};

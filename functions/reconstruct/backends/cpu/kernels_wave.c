/* From object and probe to waves, and the way back. */
#include "functions/reconstruct/backends/cpu/vector.h"

/* The horizontal half of the taps' adjoint. */
INLINE vf blend_back(const ff_real *at, vf here, vf next)
{
    return here * load(at) + next * load(at - 1);
}

INLINE void gather_block(struct ff_planes object, struct ff_taps taps, size_t first, size_t end,
                         size_t width, struct ff_planes patch, ff_real *power)
{
    const vf x0 = all(taps.x0), x1 = all(taps.x1), y0 = all(taps.y0), y1 = all(taps.y1);
    for (size_t c = 0; c < width; c += L) {
        const ff_real *from_re = object.re + first * object.stride + c;
        const ff_real *from_im = object.im + first * object.stride + c;
        vf re = blend_taps(from_re, x0, x1);
        vf im = blend_taps(from_im, x0, x1);
        for (size_t r = first; r < end; r++) {
            from_re += object.stride;
            from_im += object.stride;
            vf below_re = blend_taps(from_re, x0, x1);
            vf below_im = blend_taps(from_im, x0, x1);
            vf s_re = y0 * re + y1 * below_re;
            vf s_im = y0 * im + y1 * below_im;
            store(patch.re + r * patch.stride + c, s_re);
            store(patch.im + r * patch.stride + c, s_im);
            if (power != NULL) {
                ff_real *to = power + r * width + c;
                store(to, load(to) + s_re * s_re + s_im * s_im);
            }
            re = below_re;
            im = below_im;
        }
    }
}

static void gather(struct ff_planes object, struct ff_taps taps, size_t rows, size_t width,
                   struct ff_planes patch, ff_real *power)
{
    for (size_t r = 0; r < rows; r += BLOCK) {
        size_t end = r + BLOCK < rows ? r + BLOCK : rows;
        if (power != NULL)
            gather_block(object, taps, r, end, width, patch, power);
        else
            gather_block(object, taps, r, end, width, patch, NULL);
    }
}

INLINE void exit_wave_of(struct ff_planes probe, struct ff_planes patch, struct ff_wave wave,
                         bool add)
{
    for (size_t r = 0; r < wave.rows; r++) {
        for (size_t c = 0; c < wave.width; c += L) {
            ff_real *to = wave.values + 2 * (r * wave.stride + c);
            struct pair x = times(load_planes(probe, r, c), load_planes(patch, r, c));
            if (add) {
                struct pair old = load_pair(to);
                x.re += old.re;
                x.im += old.im;
            }
            store_pair(to, x.re, x.im);
        }
    }
}

static void exit_wave(struct ff_planes probe, struct ff_planes patch, struct ff_wave wave)
{
    exit_wave_of(probe, patch, wave, false);
}

static void add_exit_wave(struct ff_planes probe, struct ff_planes patch, struct ff_wave wave)
{
    exit_wave_of(probe, patch, wave, true);
}

INLINE void add_to_planes(struct ff_planes sum, size_t row, size_t column, struct pair value)
{
    struct pair old = load_planes(sum, row, column);
    store_planes(sum, row, column, (struct pair){old.re + value.re, old.im + value.im});
}

INLINE void products_of(struct ff_planes probe, struct ff_planes patch, struct ff_wave wave,
                        bool add, struct ff_planes tile, struct ff_planes sum)
{
    for (size_t r = 0; r < wave.rows; r++) {
        for (size_t c = 0; c < wave.width; c += L) {
            struct pair x = load_pair(wave.values + 2 * (r * wave.stride + c));
            struct pair t = conjugate_times(load_planes(probe, r, c), x);
            if (add) {
                struct pair old = load_planes(tile, r, c);
                t.re += old.re;
                t.im += old.im;
            }
            store_planes(tile, r, c, t);
            if (sum.re != NULL)
                add_to_planes(sum, r, c, conjugate_times(load_planes(patch, r, c), x));
        }
    }
}

static void products(struct ff_planes probe, struct ff_planes patch, struct ff_wave wave, bool add,
                     struct ff_planes tile, struct ff_planes sum)
{
    if (add)
        products_of(probe, patch, wave, true, tile, sum);
    else
        products_of(probe, patch, wave, false, tile, sum);
}

static void add_product(struct ff_planes patch, struct ff_wave wave, ff_real factor,
                        struct ff_planes sum)
{
    for (size_t r = 0; r < wave.rows; r++) {
        for (size_t c = 0; c < wave.width; c += L) {
            struct pair x = load_pair(wave.values + 2 * (r * wave.stride + c));
            struct pair s = conjugate_times(load_planes(patch, r, c), x);
            add_to_planes(sum, r, c, (struct pair){factor * s.re, factor * s.im});
        }
    }
}

/* Rows first … end-1 of one plane: row r of the target gets from rows r-1 and r of the tile. */
INLINE void scatter_block(const ff_real *tile, size_t tile_stride, struct ff_taps taps,
                          size_t first, size_t end, size_t columns, ff_real *out, size_t out_stride)
{
    const vf x0 = all(taps.x0), x1 = all(taps.x1), y0 = all(taps.y0), y1 = all(taps.y1);
    for (size_t c = 0; c <= columns; c += L) {
        const ff_real *from = tile + first * tile_stride + c;
        ff_real *to = out + first * out_stride + c;
        vf above = blend_back(from - tile_stride, x0, x1);
        for (size_t r = first; r < end; r++) {
            vf here = blend_back(from, x0, x1);
            store(to, load(to) + y0 * here + y1 * above);
            above = here;
            from += tile_stride;
            to += out_stride;
        }
    }
}

static void scatter(struct ff_planes tile, const ff_real *light, struct ff_taps taps,
                    struct ff_taps light_taps, size_t rows, size_t columns, struct ff_planes out,
                    ff_real *weight)
{
    for (size_t r = 0; r <= rows; r += BLOCK) {
        size_t end = r + BLOCK < rows + 1 ? r + BLOCK : rows + 1;
        scatter_block(tile.re, tile.stride, taps, r, end, columns, out.re, out.stride);
        scatter_block(tile.im, tile.stride, taps, r, end, columns, out.im, out.stride);
        scatter_block(light, tile.stride, light_taps, r, end, columns, weight, out.stride);
    }
}

static void light(struct ff_planes probe, size_t rows, size_t width, const ff_real *base,
                  ff_real *to, size_t to_stride)
{
    for (size_t r = 0; r < rows; r++) {
        for (size_t c = 0; c < width; c += L) {
            struct pair p = load_planes(probe, r, c);
            vf power = real_product(p, p);
            if (base != NULL)
                power += load(base + r * to_stride + c);
            store(to + r * to_stride + c, power);
        }
    }
}

static void filter(struct ff_wave wave, struct ff_planes factor, bool conjugate)
{
    const vf sign = all(conjugate ? -1 : 1);
    for (size_t r = 0; r < wave.rows; r++) {
        for (size_t c = 0; c < wave.width; c += L) {
            ff_real *at = wave.values + 2 * (r * wave.stride + c);
            struct pair h = load_planes(factor, r, c);
            h.im *= sign;
            struct pair x = times(h, load_pair(at));
            store_pair(at, x.re, x.im);
        }
    }
}

static void ramp(struct ff_wave wave, const ff_real *row_re, const ff_real *row_im,
                 const ff_real *column_re, const ff_real *column_im, bool conjugate)
{
    const vf sign = all(conjugate ? -1 : 1);
    for (size_t r = 0; r < wave.rows; r++) {
        const struct pair row = {all(row_re[r]), all(row_im[r])};
        for (size_t c = 0; c < wave.width; c += L) {
            ff_real *at = wave.values + 2 * (r * wave.stride + c);
            struct pair h = times(row, (struct pair){load(column_re + c), load(column_im + c)});
            h.im *= sign;
            struct pair x = times(h, load_pair(at));
            store_pair(at, x.re, x.im);
        }
    }
}

static void join(struct ff_planes planes, struct ff_wave wave)
{
    for (size_t r = 0; r < wave.rows; r++) {
        for (size_t c = 0; c < wave.width; c += L) {
            struct pair x = load_planes(planes, r, c);
            store_pair(wave.values + 2 * (r * wave.stride + c), x.re, x.im);
        }
    }
}

static void split(struct ff_wave wave, ff_real factor, struct ff_planes planes)
{
    for (size_t r = 0; r < wave.rows; r++) {
        for (size_t c = 0; c < wave.width; c += L) {
            struct pair x = load_pair(wave.values + 2 * (r * wave.stride + c));
            store_planes(planes, r, c, (struct pair){factor * x.re, factor * x.im});
        }
    }
}

static void copy(struct ff_wave from, ff_real factor, struct ff_wave to)
{
    for (size_t r = 0; r < to.rows; r++)
        for (size_t c = 0; c < 2 * to.width; c += L)
            store(to.values + 2 * r * to.stride + c,
                  factor * load(from.values + 2 * r * from.stride + c));
}

static void blend(struct ff_wave to, ff_real own, ff_real a, struct ff_wave from)
{
    for (size_t r = 0; r < to.rows; r++) {
        for (size_t c = 0; c < 2 * to.width; c += L) {
            ff_real *at = to.values + 2 * r * to.stride + c;
            store(at, own * load(at) + a * load(from.values + 2 * r * from.stride + c));
        }
    }
}

const struct ff_wave_kernels FF_KERNEL(ff_wave_kernels) = {
    .gather = gather,
    .exit_wave = exit_wave,
    .add_exit_wave = add_exit_wave,
    .products = products,
    .add_product = add_product,
    .scatter = scatter,
    .light = light,
    .filter = filter,
    .ramp = ramp,
    .join = join,
    .split = split,
    .copy = copy,
    .blend = blend,
};

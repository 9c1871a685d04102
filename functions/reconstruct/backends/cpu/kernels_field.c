/* Steps in object and probe. */
#include "functions/reconstruct/backends/cpu/vector.h"

static void add(ff_real *to, const ff_real *from, size_t count)
{
    for (size_t i = 0; i < count; i += L)
        store(to + i, load(to + i) + load(from + i));
}

static void add_scaled(ff_real *to, const ff_real *from, ff_real factor, size_t count)
{
    for (size_t i = 0; i < count; i += L)
        store(to + i, load(to + i) + factor * load(from + i));
}

static ff_real greatest(const ff_real *values, size_t count)
{
    vf most = {0};
    for (size_t i = 0; i < count; i += L)
        most = larger(most, load(values + i));
    ff_real result = 0;
    for (unsigned i = 0; i < L; i++)
        result = most[i] > result ? most[i] : result;
    return result;
}

INLINE vf divisor_at(struct ff_divisor divisor, const ff_real *weight)
{
    return divisor.share * load(weight) + divisor.floor;
}

static void update(ff_real *value, const ff_real *sum, const ff_real *weight, size_t count,
                   ff_real step, struct ff_divisor divisor)
{
    for (size_t i = 0; i < count; i += L)
        store(value + i, load(value + i) + step * load(sum + i) / divisor_at(divisor, weight + i));
}

static void normalise(ff_real *to, const ff_real *sum, const ff_real *weight, size_t count,
                      struct ff_divisor divisor)
{
    for (size_t i = 0; i < count; i += L)
        store(to + i, load(sum + i) / divisor_at(divisor, weight + i));
}

static void accelerate(ff_real *value, ff_real *velocity, const ff_real *sum, const ff_real *weight,
                       size_t count, ff_real step, ff_real momentum, struct ff_divisor divisor)
{
    for (size_t i = 0; i < count; i += L) {
        vf push = step * load(sum + i);
        if (weight != NULL)
            push /= divisor_at(divisor, weight + i);
        vf moved = momentum * load(velocity + i) + push;
        store(velocity + i, moved);
        store(value + i, load(value + i) + moved);
    }
}

static void lengths(const ff_real *re, const ff_real *im, const ff_real *weight, size_t count,
                    struct ff_divisor divisor, double sums[2])
{
    vf slope = {0};
    vf curve = {0};
    for (size_t i = 0; i < count; i += L) {
        vf n_re = load_part(re + i, count - i);
        vf n_im = load_part(im + i, count - i);
        vf w = load_part(weight + i, count - i);
        vf inverse = 1 / (divisor.share * w + divisor.floor);
        vf product = (n_re * n_re + n_im * n_im) * inverse;
        slope += product;
        curve += product * w * inverse;
    }
    sums[0] += sum_of(slope);
    sums[1] += sum_of(curve);
}

/* 1 / √(w² + floor²) */
INLINE vf preconditioner(vf w, ff_real floor)
{
    return reciprocal_root(larger(w * w + floor * floor, all(TINY)));
}

static void turn_terms(const struct ff_turn_rows *rows, size_t count, ff_real floor, double sums[3])
{
    vf zg = {0};
    vf z_last = {0};
    vf dg = {0};
    for (size_t i = 0; i < count; i += L) {
        size_t left = count - i;
        struct pair now = {load_part(rows->now_re + i, left), load_part(rows->now_im + i, left)};
        struct pair last = {load_part(rows->last_re + i, left), load_part(rows->last_im + i, left)};
        struct pair direction = {load_part(rows->direction_re + i, left),
                                 load_part(rows->direction_im + i, left)};
        vf z = rows->gain * preconditioner(load_part(rows->weight + i, left), floor);
        zg += z * real_product(now, now);
        z_last += z * real_product(now, last);
        dg += real_product(direction, now);
    }
    sums[0] += sum_of(zg);
    sums[1] += sum_of(z_last);
    sums[2] += sum_of(dg);
}

static void turn(const struct ff_turn_rows *rows, size_t count, ff_real floor, ff_real beta)
{
    for (size_t i = 0; i < count; i += L) {
        vf z = rows->gain * preconditioner(load(rows->weight + i), floor);
        vf re = load(rows->now_re + i);
        vf im = load(rows->now_im + i);
        store(rows->direction_re + i, z * re + beta * load(rows->direction_re + i));
        store(rows->direction_im + i, z * im + beta * load(rows->direction_im + i));
        store(rows->last_re + i, re);
        store(rows->last_im + i, im);
    }
}

const struct ff_field_kernels FF_KERNEL(ff_field_kernels) = {
    .add = add,
    .add_scaled = add_scaled,
    .greatest = greatest,
    .update = update,
    .normalise = normalise,
    .accelerate = accelerate,
    .lengths = lengths,
    .turn_terms = turn_terms,
    .turn = turn,
};

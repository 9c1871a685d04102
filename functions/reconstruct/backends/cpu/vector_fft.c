#include "functions/reconstruct/backends/cpu/vector_fft.h"

#include "functions/reconstruct/arrays.h"
#include "functions/reconstruct/backends/cpu/kernels.h"
#include "functions/reconstruct/backends/cpu/vector_code.h"

#include <math.h>
#include <stdlib.h>

struct ff_vector_fft {
    const struct ff_vector_code *code;
    struct ff_vector_shape shape;
    struct ff_vector_axis column, row;
    float *twiddles; /* of all stages */
};

/* Where the next table of factors goes. */
struct tables {
    float *at;
};

/* exp(-2πi numerator / denominator) */
static void put_root(float *to, size_t step, size_t numerator, size_t denominator)
{
    double angle = -2 * M_PI * (double)(numerator % denominator) / (double)denominator;
    to[0] = (float)cos(angle);
    to[step] = (float)sin(angle);
}

/* exp(-2πi jk / (count × radix)) */
static const float *stage_twiddles(struct tables *tables, size_t count, unsigned radix)
{
    float *first = tables->at;
    for (size_t j = 0; j < count; j++)
        for (size_t k = 0; k < radix; k++)
            put_root(first + 2 * (j * radix + k), 1, j * k, count * radix);
    tables->at = first + 2 * count * radix;
    return first;
}

/* exp(-2πi lane × k / length), an element for each k. */
static const float *lane_twiddles(struct tables *tables, size_t length, size_t lanes)
{
    float *first = tables->at;
    for (size_t k = 0; k < length / lanes; k++)
        for (size_t lane = 0; lane < lanes; lane++)
            put_root(first + 2 * k * lanes + lane, lanes, lane * k, length);
    tables->at = first + 2 * length;
    return first;
}

/* The radices of 16 … 1024 elements, first to last, by measurement: small enough for the registers,
 * and no more passes than that needs. */
static unsigned radices_of(size_t elements, unsigned radices[FF_VECTOR_STAGES])
{
    static const unsigned char table[][FF_VECTOR_STAGES] = {
        {4, 4}, {4, 8}, {8, 8}, {4, 4, 8}, {4, 8, 8}, {8, 8, 8}, {8, 16, 8},
    };
    size_t row = 0;
    while ((size_t)16 << row < elements)
        row++;
    for (unsigned i = 0; i < FF_VECTOR_STAGES; i++)
        radices[i] = table[row][i];
    return radices[2] > 0 ? 3 : 2;
}

/*
 * Element n = M n1 + C n2 + n3 goes to k = k1 + A k2 + A B k3, with A × B × C elements and M = B C;
 * B is 1 where there are two stages. Elements lie `from` floats apart, then `between` in the
 * scratch, then `to`.
 */
static void plan_stages(struct ff_vector_axis *axis, size_t elements, size_t from, size_t between,
                        size_t to, struct tables *tables)
{
    unsigned radices[FF_VECTOR_STAGES];
    const unsigned count = radices_of(elements, radices);
    const size_t a = radices[0];
    const size_t b = count == 3 ? radices[1] : 1;
    const size_t m = elements / a;
    const size_t c = m / b;
    axis->stage_count = count;
    axis->stages[0] = (struct ff_vector_stage){
        .radix = radices[0],
        .groups = 1,
        .count = m,
        .from = {.each = from, .step = m * from},
        .to = {.each = between, .step = m * between},
        .twiddles = stage_twiddles(tables, m, radices[0]),
    };
    if (count == 3) {
        const struct ff_vector_strides inside = {m * between, between, c * between};
        const float *twiddles = stage_twiddles(tables, c, radices[1]);
        axis->stages[1] = (struct ff_vector_stage){radices[1], a, c, inside, inside, twiddles};
    }
    axis->stages[count - 1] = (struct ff_vector_stage){
        .radix = radices[count - 1],
        .groups = a,
        .count = b,
        .from = {.group = m * between, .each = c * between, .step = between},
        .to = {.group = to, .each = a * to, .step = a * b * to},
    };
}

/* In the order of ff_kernels_at, whose plain x86-64 has no vector transform: FFTW is faster there. */
static const struct ff_vector_code *const codes[] = {
    NULL,
    &ff_vector_code_avx2,
    &ff_vector_code_avx512,
};

const struct ff_vector_code *ff_vector_code_at(unsigned index, bool *runs)
{
    const unsigned at = index + 1;
    return at < sizeof codes / sizeof codes[0] && ff_kernels_at(at, runs) != NULL ? codes[at]
                                                                                  : NULL;
}

const struct ff_vector_code *ff_vector_code_choose(void)
{
    const struct ff_vector_code *widest = NULL;
    const struct ff_vector_code *code;
    bool runs;
    for (unsigned i = 0; (code = ff_vector_code_at(i, &runs)) != NULL; i++)
        if (runs)
            widest = code;
    return widest;
}

const char *ff_vector_code_name(const struct ff_vector_code *code)
{
    return code->name;
}

size_t ff_vector_code_lanes(const struct ff_vector_code *code)
{
    return code->lanes;
}

static bool is_taken(size_t length)
{
    return length >= FF_VECTOR_LENGTH_LEAST && length <= FF_VECTOR_LENGTH_MOST &&
           (length & (length - 1)) == 0;
}

bool ff_vector_fft_takes(size_t rows, size_t columns)
{
    return is_taken(rows) && is_taken(columns);
}

static int plan(struct ff_vector_fft *fft, struct ff_error *error)
{
    const size_t rows = fft->shape.rows;
    const size_t columns = fft->shape.columns;
    const size_t lanes = fft->code->lanes;
    /* At most two tables of its length for the stages of an axis, and one for the lanes. */
    fft->twiddles = ff_array_create(4 * rows + 6 * columns, sizeof(float), "the roots", error);
    if (fft->twiddles == NULL)
        return -1;
    struct tables tables = {fft->twiddles};
    fft->row.lane_twiddles = lane_twiddles(&tables, columns, lanes);
    fft->row.length = columns;
    fft->column.length = rows;
    if (columns / lanes > lanes)
        plan_stages(&fft->row, columns / lanes, 2 * lanes, 2 * lanes, 2 * lanes, &tables);
    plan_stages(&fft->column, rows, 2 * fft->shape.stride, 2 * lanes, 2 * fft->shape.stride,
                &tables);
    return 0;
}

struct ff_vector_fft *ff_vector_fft_create(const struct ff_vector_code *code, size_t rows,
                                           size_t columns, size_t stride, struct ff_error *error)
{
    struct ff_vector_fft *fft = calloc(1, sizeof *fft);
    if (fft == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory for a transform of %zu × %zu", rows, columns);
        return NULL;
    }
    fft->code = code;
    fft->shape = (struct ff_vector_shape){rows, columns, stride};
    if (plan(fft, error) == 0)
        return fft;
    ff_vector_fft_destroy(fft);
    return NULL;
}

void ff_vector_fft_forward(const struct ff_vector_fft *fft, float *wave)
{
    fft->code->columns(&fft->column, fft->shape, wave, false);
    fft->code->rows(&fft->row, fft->shape, wave, false);
}

void ff_vector_fft_inverse(const struct ff_vector_fft *fft, float *wave)
{
    fft->code->rows(&fft->row, fft->shape, wave, true);
    fft->code->columns(&fft->column, fft->shape, wave, true);
}

void ff_vector_fft_destroy(struct ff_vector_fft *fft)
{
    if (fft == NULL)
        return;
    free(fft->twiddles);
    free(fft);
}

#include "functions/reconstruct/metrics/fourier.h"

/* complex.h first: then fftw_complex is the complex type of C. */
#include <complex.h>

#include <fftw3.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>

struct ff_fourier {
    fftw_plan forward, inverse;
    size_t elements;
};

struct ff_fourier *ff_fourier_create(size_t rows, size_t columns, struct ff_error *error)
{
    struct ff_fourier *fourier = calloc(1, sizeof *fourier);
    ff_complex_double *work = NULL;
    if (fourier != NULL && rows <= INT_MAX && columns <= INT_MAX)
        work =
            ff_array_create(ff_array_elements(rows, columns, 1), sizeof *work, "a transform", NULL);
    if (work != NULL) {
        fourier->elements = rows * columns;
        fourier->forward =
            fftw_plan_dft_2d((int)rows, (int)columns, work, work, FFTW_FORWARD, FFTW_ESTIMATE);
        fourier->inverse =
            fftw_plan_dft_2d((int)rows, (int)columns, work, work, FFTW_BACKWARD, FFTW_ESTIMATE);
        free(work);
        if (fourier->forward != NULL && fourier->inverse != NULL)
            return fourier;
    }
    ff_fourier_destroy(fourier);
    ff_fail(error, FF_NO_MEMORY, "no memory for a transform of %zu × %zu", rows, columns);
    return NULL;
}

void ff_fourier_destroy(struct ff_fourier *fourier)
{
    if (fourier == NULL)
        return;
    if (fourier->forward != NULL)
        fftw_destroy_plan(fourier->forward);
    if (fourier->inverse != NULL)
        fftw_destroy_plan(fourier->inverse);
    free(fourier);
}

void ff_fourier_forward(const struct ff_fourier *fourier, ff_complex_double *values)
{
    fftw_execute_dft(fourier->forward, values, values);
}

void ff_fourier_inverse(const struct ff_fourier *fourier, ff_complex_double *values)
{
    fftw_execute_dft(fourier->inverse, values, values);
    for (size_t i = 0; i < fourier->elements; i++)
        values[i] /= (double)fourier->elements;
}

size_t ff_fourier_size(size_t least)
{
    for (size_t size = least > 0 ? least : 1;; size++) {
        size_t left = size;
        for (size_t prime = 2; prime <= 7; prime++)
            while (left % prime == 0)
                left /= prime;
        if (left == 1)
            return size;
    }
}

double ff_fourier_frequency(size_t index, size_t count)
{
    double cycles = index <= count / 2 ? (double)index : (double)index - (double)count;
    return cycles / (double)count;
}

static ff_complex_double move_factor(size_t index, size_t count, double move)
{
    if (2 * index == count)
        return cos(M_PI * move);
    return ff_turn(-2 * M_PI * ff_fourier_frequency(index, count) * move);
}

void ff_fourier_move(struct ff_image *spectrum, const double move[2])
{
    for (size_t c = 0; c < spectrum->columns; c++) {
        ff_complex_double factor = move_factor(c, spectrum->columns, move[1]);
        for (size_t r = 0; r < spectrum->rows; r++)
            spectrum->values[r * spectrum->columns + c] *= factor;
    }
    for (size_t r = 0; r < spectrum->rows; r++) {
        ff_complex_double factor = move_factor(r, spectrum->rows, move[0]);
        for (size_t c = 0; c < spectrum->columns; c++)
            spectrum->values[r * spectrum->columns + c] *= factor;
    }
}

/* --- peaks between the pixels --- */

enum { SIDE = 5 }; /* places tried an axis and a zoom */

static double sign_at(size_t index, size_t count, enum ff_peak_kind kind)
{
    return kind == FF_PEAK_OF_IMAGE ? -(double)index
                                    : 2 * M_PI * ff_fourier_frequency(index, count);
}

/* sums[r][q] = Σ_c t[r][c] e^{i s_c (place + offset_q)}: the columns, which the rows then share. */
static void sum_columns(const struct ff_image *terms, enum ff_peak_kind kind, double place,
                        double spacing, ff_complex_double *sums, ff_complex_double *turns)
{
    for (size_t c = 0; c < terms->columns; c++)
        for (int q = 0; q < SIDE; q++)
            turns[c * SIDE + (size_t)q] =
                ff_turn(sign_at(c, terms->columns, kind) * (place + (q - SIDE / 2) * spacing));
    for (size_t r = 0; r < terms->rows; r++) {
        ff_complex_double row[SIDE] = {0};
        for (size_t c = 0; c < terms->columns; c++)
            for (int q = 0; q < SIDE; q++)
                row[q] += terms->values[r * terms->columns + c] * turns[c * SIDE + (size_t)q];
        for (int q = 0; q < SIDE; q++)
            sums[r * SIDE + (size_t)q] = row[q];
    }
}

/* The best of SIDE × SIDE places around the present one takes its place. */
static void zoom(const struct ff_image *terms, enum ff_peak_kind kind, const double spacing[2],
                 double place[2], ff_complex_double *sums, ff_complex_double *turns)
{
    static const int order[SIDE] = {2, 1, 3, 0, 4}; /* among equals the nearest place stands */
    const double middle[2] = {place[0], place[1]};
    double best = -1;
    sum_columns(terms, kind, middle[1], spacing[1], sums, turns);
    for (int i = 0; i < SIDE; i++) {
        double row_place = middle[0] + (order[i] - SIDE / 2) * spacing[0];
        ff_complex_double total[SIDE] = {0};
        for (size_t r = 0; r < terms->rows; r++) {
            ff_complex_double turn = ff_turn(sign_at(r, terms->rows, kind) * row_place);
            for (int q = 0; q < SIDE; q++)
                total[q] += turn * sums[r * SIDE + (size_t)q];
        }
        for (int k = 0; k < SIDE; k++)
            if (ff_power(total[order[k]]) > best) {
                best = ff_power(total[order[k]]);
                place[0] = row_place;
                place[1] = middle[1] + (order[k] - SIDE / 2) * spacing[1];
            }
    }
}

int ff_fourier_peak(const struct ff_image *terms, enum ff_peak_kind kind, double place[2],
                    struct ff_error *error)
{
    ff_complex_double *sums = ff_array_create(terms->rows * SIDE, sizeof *sums, "a search", error);
    ff_complex_double *turns =
        ff_array_create(terms->columns * SIDE, sizeof *turns, "a search", error);
    if (sums != NULL && turns != NULL)
        /* The peak lies within one pixel: of the image, or of its transform. */
        for (double step = 0.5; step > 1e-3; step *= 0.4) {
            double spacing[2] = {step, step};
            if (kind == FF_PEAK_OF_IMAGE) {
                spacing[0] = step * 2 * M_PI / (double)terms->rows;
                spacing[1] = step * 2 * M_PI / (double)terms->columns;
            }
            zoom(terms, kind, spacing, place, sums, turns);
        }
    int result = sums != NULL && turns != NULL ? 0 : -1;
    free(sums);
    free(turns);
    return result;
}

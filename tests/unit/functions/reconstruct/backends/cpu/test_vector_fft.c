/* The vector transform against FFTW, and what every transform must hold. */
#include "tests/unit/check.h"

#include "functions/reconstruct/arrays.h"
#include "functions/reconstruct/backends/cpu/vector_fft.h"

#include <complex.h>
#include <fftw3.h>
#include <math.h>

enum { PADDING = 8 };

struct subject {
    const struct ff_vector_code *code;
    struct ff_vector_fft *fft;
    size_t rows, columns, stride, lanes;
    float *wave;
};

static float *wave_create(const struct subject *subject)
{
    struct ff_error error;
    float *wave =
        ff_array_create(subject->rows * subject->stride, 2 * sizeof(float), "a wave", &error);
    assert_non_null(wave);
    return wave;
}

static struct subject subject_create(const struct ff_vector_code *code, size_t rows, size_t columns)
{
    struct ff_error error;
    struct subject subject = {
        code, NULL, rows, columns, columns + PADDING, ff_vector_code_lanes(code), NULL};
    subject.fft = ff_vector_fft_create(code, rows, columns, subject.stride, &error);
    if (subject.fft == NULL)
        fail_msg("%s", error.message);
    subject.wave = wave_create(&subject);
    return subject;
}

static void subject_destroy(struct subject *subject)
{
    ff_vector_fft_destroy(subject->fft);
    free(subject->wave);
}

/* Where the real part of a pixel lies; its imaginary part is `lanes` behind. */
static size_t place(const struct subject *subject, size_t row, size_t column)
{
    size_t lane = column % subject->lanes;
    return 2 * (row * subject->stride + column - lane) + lane;
}

static float complex value(const struct subject *subject, const float *wave, size_t row,
                           size_t column)
{
    size_t at = place(subject, row, column);
    return CMPLXF(wave[at], wave[at + subject->lanes]);
}

static double random_value(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (double)(int32_t)(*state >> 32) / 2147483648.0;
}

static void fill(const struct subject *subject, float *wave, uint64_t seed)
{
    for (size_t r = 0; r < subject->rows; r++) {
        for (size_t c = 0; c < subject->columns; c++) {
            size_t at = place(subject, r, c);
            wave[at] = (float)random_value(&seed);
            wave[at + subject->lanes] = (float)random_value(&seed);
        }
    }
}

static float complex *dense_of(const struct subject *subject, const float *wave)
{
    float complex *dense = fftwf_malloc(subject->rows * subject->columns * sizeof *dense);
    assert_non_null(dense);
    for (size_t r = 0; r < subject->rows; r++)
        for (size_t c = 0; c < subject->columns; c++)
            dense[r * subject->columns + c] = value(subject, wave, r, c);
    return dense;
}

/* ‖wave - factor × dense‖ / ‖factor × dense‖ */
static double difference(const struct subject *subject, const float *wave,
                         const float complex *dense, double factor)
{
    double apart = 0, whole = 0;
    for (size_t r = 0; r < subject->rows; r++) {
        for (size_t c = 0; c < subject->columns; c++) {
            double complex expected = factor * dense[r * subject->columns + c];
            double complex error = value(subject, wave, r, c) - expected;
            apart += creal(error * conj(error));
            whole += creal(expected * conj(expected));
        }
    }
    return sqrt(apart / whole);
}

static void check_against_fftw(const struct ff_vector_code *code, size_t rows, size_t columns,
                               int sign)
{
    struct subject subject = subject_create(code, rows, columns);
    fill(&subject, subject.wave, 7 * rows + columns);
    float complex *dense = dense_of(&subject, subject.wave);
    fftwf_plan plan = fftwf_plan_dft_2d((int)rows, (int)columns, dense, dense, sign, FFTW_ESTIMATE);
    fftwf_execute(plan);
    if (sign == FFTW_FORWARD)
        ff_vector_fft_forward(subject.fft, subject.wave);
    else
        ff_vector_fft_inverse(subject.fft, subject.wave);
    double error = difference(&subject, subject.wave, dense, 1);
    if (!(error <= 5e-7))
        fail_msg("%s, %zu × %zu: %g", ff_vector_code_name(code), rows, columns, error);
    fftwf_destroy_plan(plan);
    fftwf_free(dense);
    subject_destroy(&subject);
}

/* Σ|F|² = N Σ|f|², and what comes back is N times what went in. */
static void check_parseval_and_round_trip(const struct ff_vector_code *code, size_t rows,
                                          size_t columns)
{
    const double pixels = (double)(rows * columns);
    struct subject subject = subject_create(code, rows, columns);
    fill(&subject, subject.wave, 3);
    float complex *before = dense_of(&subject, subject.wave);
    double energy = 0, spectrum = 0;
    for (size_t i = 0; i < rows * columns; i++)
        energy += pow(cabs(before[i]), 2);
    ff_vector_fft_forward(subject.fft, subject.wave);
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < columns; c++)
            spectrum += pow(cabs(value(&subject, subject.wave, r, c)), 2);
    assert_true(fabs(spectrum / (pixels * energy) - 1) < 1e-6);
    ff_vector_fft_inverse(subject.fft, subject.wave);
    assert_true(difference(&subject, subject.wave, before, pixels) <= 5e-7);
    fftwf_free(before);
    subject_destroy(&subject);
}

static void check_linearity(const struct ff_vector_code *code, size_t rows, size_t columns)
{
    struct subject subject = subject_create(code, rows, columns);
    float *a = wave_create(&subject), *b = wave_create(&subject);
    fill(&subject, a, 11);
    fill(&subject, b, 12);
    const size_t count = 2 * rows * subject.stride;
    for (size_t i = 0; i < count; i++)
        subject.wave[i] = 0.75f * a[i] - 2 * b[i];
    ff_vector_fft_forward(subject.fft, a);
    ff_vector_fft_forward(subject.fft, b);
    ff_vector_fft_forward(subject.fft, subject.wave);
    for (size_t i = 0; i < count; i++)
        a[i] = 0.75f * a[i] - 2 * b[i];
    float complex *expected = dense_of(&subject, a);
    assert_true(difference(&subject, subject.wave, expected, 1) <= 5e-7);
    fftwf_free(expected);
    free(a);
    free(b);
    subject_destroy(&subject);
}

/* The columns between rows belong to somebody else. */
static void check_padding(const struct ff_vector_code *code, size_t rows, size_t columns)
{
    struct subject subject = subject_create(code, rows, columns);
    fill(&subject, subject.wave, 5);
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 2 * columns; i < 2 * subject.stride; i++)
            subject.wave[2 * r * subject.stride + i] = NAN;
    ff_vector_fft_forward(subject.fft, subject.wave);
    ff_vector_fft_inverse(subject.fft, subject.wave);
    for (size_t r = 0; r < rows; r++) {
        for (size_t i = 0; i < 2 * subject.stride; i++) {
            bool padding = i >= 2 * columns;
            assert_int_equal(isnan(subject.wave[2 * r * subject.stride + i]) != 0, padding);
        }
    }
    subject_destroy(&subject);
}

/* Every table and shape that this CPU can run. */
static void each(void (*check)(const struct ff_vector_code *code, size_t rows, size_t columns))
{
    static const size_t shapes[][2] = {{32, 32},   {64, 32},   {32, 256},  {128, 128}, {64, 512},
                                       {256, 256}, {512, 128}, {1024, 64}, {32, 1024}, {512, 1024}};
    const struct ff_vector_code *code;
    bool runs;
    for (unsigned i = 0; (code = ff_vector_code_at(i, &runs)) != NULL; i++)
        for (size_t k = 0; runs && k < sizeof shapes / sizeof shapes[0]; k++)
            check(code, shapes[k][0], shapes[k][1]);
}

static void check_both_ways(const struct ff_vector_code *code, size_t rows, size_t columns)
{
    check_against_fftw(code, rows, columns, FFTW_FORWARD);
    check_against_fftw(code, rows, columns, FFTW_BACKWARD);
}

static void agrees_with_fftw(void **state)
{
    (void)state;
    const struct ff_vector_code *code;
    bool runs;
    for (unsigned i = 0; (code = ff_vector_code_at(i, &runs)) != NULL; i++)
        for (size_t rows = 32; runs && rows <= 1024; rows *= 2)
            for (size_t columns = 32; columns <= 1024; columns *= 2)
                if (rows * columns <= 1 << 18)
                    check_both_ways(code, rows, columns);
    each(check_both_ways);
}

static void keeps_energy_and_comes_back(void **state)
{
    (void)state;
    each(check_parseval_and_round_trip);
}

static void is_linear(void **state)
{
    (void)state;
    each(check_linearity);
}

static void leaves_padding_alone(void **state)
{
    (void)state;
    each(check_padding);
}

static void takes_powers_of_two(void **state)
{
    (void)state;
    assert_true(ff_vector_fft_takes(32, 1024));
    assert_false(ff_vector_fft_takes(16, 64));
    assert_false(ff_vector_fft_takes(64, 2048));
    assert_false(ff_vector_fft_takes(96, 64));
    assert_false(ff_vector_fft_takes(64, 100));
    assert_false(ff_vector_fft_takes(0, 64));
}

static void chooses_what_runs(void **state)
{
    (void)state;
    const struct ff_vector_code *widest = NULL, *code;
    bool runs;
    for (unsigned i = 0; (code = ff_vector_code_at(i, &runs)) != NULL; i++)
        widest = runs ? code : widest;
    assert_ptr_equal(ff_vector_code_choose(), widest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_fftw),    cmocka_unit_test(keeps_energy_and_comes_back),
        cmocka_unit_test(is_linear),           cmocka_unit_test(leaves_padding_alone),
        cmocka_unit_test(takes_powers_of_two), cmocka_unit_test(chooses_what_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

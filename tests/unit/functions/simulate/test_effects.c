/* Every effect of a simulated measurement against the formula of problem.h in double precision,
 * written out here: sums over pixels, and Fourier transforms from their definition. */
#include "tests/unit/functions/simulate/simulated.h"

#include "functions/simulate/crew.h"
#include "functions/simulate/detector.h"
#include "functions/simulate/measurement.h"
#include "functions/simulate/variation.h"

#include <complex.h>
#include <math.h>

enum { SIZE = SIMULATED_SIZE, PIXELS = SIZE * SIZE };

typedef double complex field[SIZE][SIZE];

/* out[k] = Σ_j in[j] exp(sign 2πi jk / n) / √n along both axes, of the first n × n. */
static void fourier(const field in, size_t n, double sign, field out)
{
    static field half;
    for (size_t r = 0; r < n; r++)
        for (size_t k = 0; k < n; k++) {
            half[r][k] = 0;
            for (size_t c = 0; c < n; c++)
                half[r][k] +=
                    in[r][c] * cexp(sign * 2 * M_PI * I * (double)(c * k % n) / (double)n);
        }
    for (size_t k = 0; k < n; k++)
        for (size_t c = 0; c < n; c++) {
            out[k][c] = 0;
            for (size_t r = 0; r < n; r++)
                out[k][c] +=
                    half[r][c] * cexp(sign * 2 * M_PI * I * (double)(r * k % n) / (double)n);
            out[k][c] /= (double)n;
        }
}

static double frequency(size_t k, size_t n)
{
    return k < (n + 1) / 2 ? (double)k : (double)k - (double)n;
}

/* Moves what the first n × n hold by (row, column) pixels. */
static void move(field wave, size_t n, double row, double column)
{
    static field spectrum;
    fourier(wave, n, -1, spectrum);
    for (size_t r = 0; r < n; r++)
        for (size_t c = 0; c < n; c++)
            spectrum[r][c] *= cexp(-2 * M_PI * I *
                                   (frequency(r, n) * row + frequency(c, n) * column) / (double)n);
    fourier(spectrum, n, 1, wave);
}

static double complex object_at(const struct ff_simulation *s, double row, double column)
{
    double r = floor(row);
    double c = floor(column);
    double complex sum = 0;
    for (int down = 0; down < 2; down++)
        for (int right = 0; right < 2; right++) {
            double weight = (down ? row - r : 1 - row + r) * (right ? column - c : 1 - column + c);
            if (weight > 0)
                sum += weight * (double complex)s->object[((size_t)r + (size_t)down) * s->columns +
                                                          (size_t)c + (size_t)right];
        }
    return sum;
}

static void probe_of(const struct ff_simulation *s, size_t pattern, size_t mode, field probe)
{
    size_t n = s->probe_size;
    memset(probe, 0, sizeof(field));
    for (size_t i = 0; i < n * n; i++) {
        double complex value = (double complex)s->probe[mode * n * n + i];
        for (size_t c = 0; mode == 0 && c < s->eigenprobe_count; c++)
            value += s->weights[pattern * s->eigenprobe_count + c] *
                     (double complex)s->eigenprobes[c * n * n + i];
        probe[i / n][i % n] = value;
    }
}

static void exit_wave(const struct ff_simulation *s, const field probe, double row, double column,
                      field wave)
{
    size_t pad = (SIZE - s->probe_size) / 2;
    memset(wave, 0, sizeof(field));
    for (size_t r = 0; r < s->probe_size; r++)
        for (size_t c = 0; c < s->probe_size; c++)
            wave[r + pad][c + pad] =
                probe[r][c] * object_at(s, row + (double)r, column + (double)c);
}

/* The wave on the detector, DC at the corner in the far field. */
static void propagate(const struct ff_simulation *s, const field wave, field out)
{
    static field spectrum;
    if (s->settings.field == FF_SIMULATE_FAR_FIELD) {
        fourier(wave, SIZE, -1, out);
        return;
    }
    double step = 1 / ((double)SIZE * s->object_pixel_m);
    fourier(wave, SIZE, -1, spectrum);
    for (size_t r = 0; r < SIZE; r++)
        for (size_t c = 0; c < SIZE; c++) {
            double y = frequency(r, SIZE) * step;
            double x = frequency(c, SIZE) * step;
            spectrum[r][c] *=
                cexp(-M_PI * I * s->wavelength_m * s->settings.distance_m * (y * y + x * x));
        }
    fourier(spectrum, SIZE, 1, out);
}

static void reference(const struct ff_simulation *s, size_t pattern, double *intensity)
{
    static field probe;
    static field wave;
    static field out;
    bool far = s->settings.field == FF_SIMULATE_FAR_FIELD;
    bool moves = s->settings.subpixel == FF_SIMULATE_FOURIER;
    memset(intensity, 0, PIXELS * sizeof *intensity);
    for (size_t m = 0; m < s->modes; m++)
        for (size_t k = 0; k < s->fly; k++) {
            const double *place = s->places + 2 * (pattern * s->fly + k);
            double row = moves ? floor(place[0]) : place[0];
            double column = moves ? floor(place[1]) : place[1];
            probe_of(s, pattern, m, probe);
            if (moves)
                move(probe, s->probe_size, place[0] - row, place[1] - column);
            exit_wave(s, probe, row, column, wave);
            propagate(s, wave, out);
            if (moves && !far)
                move(out, SIZE, row - place[0], column - place[1]);
            for (size_t i = 0; i < PIXELS; i++) {
                size_t r = (i / SIZE + (far ? SIZE / 2 : 0)) % SIZE;
                size_t c = (i % SIZE + (far ? SIZE / 2 : 0)) % SIZE;
                double complex value = out[i / SIZE][i % SIZE];
                intensity[r * SIZE + c] += s->intensities[pattern] * creal(value * conj(value));
            }
        }
}

static void test_patterns_are_those_of_the_formula(void **state)
{
    (void)state;
    static const char *const effects[] = {
        "modes=1",
        "modes=3",
        "fly=4",
        "fly=3 path=spiral fly_steps=1",
        "eigenprobes=2 variation_percent=40",
        "eigenprobes=3 modes=2 fly=2",
        "fluctuation_percent=30",
        "pad=0 subpixel=fourier",
        "field=near",
        "field=near subpixel=fourier modes=2",
        "probe=gaussian object=smooth modes=2",
        "probe=diffuser object=coins",
        "size=16 path=spiral",
    };
    for (size_t e = 0; e < sizeof effects / sizeof effects[0]; e++) {
        struct ff_simulate_settings settings;
        struct ff_simulation *s = simulated(&settings, effects[e]);
        double expected[PIXELS];
        double found[PIXELS];
        for (size_t n = 0; n < s->patterns; n += 5) {
            double peak = 0;
            reference(s, n, expected);
            ff_simulation_intensity(s->worker, n, found);
            for (size_t i = 0; i < PIXELS; i++)
                peak = fmax(peak, expected[i]);
            assert_true(peak > 1);
            for (size_t i = 0; i < PIXELS; i++)
                if (!(fabs(found[i] - expected[i]) < 2e-6 * peak))
                    fail_msg("%s: pattern %zu, pixel %zu: %g, not %g", effects[e], n, i, found[i],
                             expected[i]);
        }
        simulated_end(s, &settings);
    }
}

/* A window of the probe that is smaller than the frame. */
static void test_a_detector_may_be_larger_than_the_probe(void **state)
{
    (void)state;
    struct ff_simulate_settings settings;
    struct ff_simulation *s = simulated(&settings, "size=48 pad=32 modes=2");
    double *frame = calloc(48 * 48, sizeof *frame);
    assert_int_equal(s->probe_size, 16);
    ff_simulation_intensity(s->worker, 3, frame);
    /* Parseval: zeros around the wave change nothing of its power. */
    double power = 0;
    double sum = 0;
    for (size_t m = 0; m < 2; m++)
        for (size_t i = 0; i < PIXELS; i++) {
            double complex wave =
                (double complex)s->probe[m * PIXELS + i] *
                object_at(s, s->places[6] + (double)(i / SIZE), s->places[7] + (double)(i % SIZE));
            power += creal(wave * conj(wave));
        }
    for (size_t i = 0; i < 48 * 48; i++)
        sum += frame[i];
    assert_true(fabs(sum - power) < 1e-5 * power);
    free(frame);
    simulated_end(s, &settings);
}

static void test_eigenprobes_are_orthogonal_and_as_strong_as_the_first_mode(void **state)
{
    (void)state;
    struct ff_simulate_settings settings;
    struct ff_simulation *s =
        simulated(&settings, "eigenprobes=4 variation_percent=10 patterns=200");
    const ff_complex *all[] = {s->probe, s->eigenprobes, s->eigenprobes + PIXELS,
                               s->eigenprobes + 2 * PIXELS, s->eigenprobes + 3 * PIXELS};
    double power = 0;
    for (size_t i = 0; i < PIXELS; i++)
        power += creal((double complex)s->probe[i] * conj((double complex)s->probe[i]));
    for (size_t a = 0; a < 5; a++)
        for (size_t b = 0; b < 5; b++) {
            double complex product = 0;
            for (size_t i = 0; i < PIXELS; i++)
                product += (double complex)all[a][i] * conj((double complex)all[b][i]);
            assert_true(cabs(product - (a == b ? power : 0)) < 1e-4 * power);
        }
    for (size_t c = 0; c < 4; c++) {
        double squares = 0;
        for (size_t n = 0; n < 200; n++)
            squares += s->weights[n * 4 + c] * s->weights[n * 4 + c];
        assert_true(fabs(sqrt(squares / 200) - 0.1) < 0.02);
    }
    simulated_end(s, &settings);
}

static void test_intensities_change_as_much_as_asked(void **state)
{
    (void)state;
    struct ff_simulate_settings settings;
    struct ff_simulation *s = simulated(&settings, "fluctuation_percent=10 patterns=1000");
    double sum = 0;
    double squares = 0;
    for (size_t n = 0; n < 1000; n++) {
        sum += s->intensities[n];
        squares += s->intensities[n] * s->intensities[n];
    }
    double mean = sum / 1000;
    assert_true(fabs(mean - 1) < 0.015);
    assert_true(fabs(sqrt(squares / 1000 - mean * mean) - 0.1) < 0.015);
    simulated_end(s, &settings);
}

/* --- positions --- */

static void test_the_file_says_wrong_positions_and_the_truth_stays(void **state)
{
    (void)state;
    struct ff_simulate_settings settings;
    struct ff_simulate_settings right;
    struct ff_simulation *s = simulated(
        &settings, "patterns=400 position_error_px=2 scale_error_percent=1.5 rotation_error_deg=3");
    struct ff_simulation *without = simulated(&right, "patterns=400");
    assert_memory_equal(s->positions, without->positions, 800 * sizeof(double));
    double middle[2] = {0, 0};
    double squares = 0;
    for (size_t i = 0; i < 800; i++)
        middle[i % 2] += s->positions[i] / 400;
    for (size_t n = 0; n < 400; n++) {
        double y = s->positions[2 * n] - middle[0];
        double x = s->positions[2 * n + 1] - middle[1];
        double angle = 3 * M_PI / 180;
        double off_y = s->stated[2 * n] - middle[0] - 1.015 * (cos(angle) * y - sin(angle) * x);
        double off_x = s->stated[2 * n + 1] - middle[1] - 1.015 * (sin(angle) * y + cos(angle) * x);
        squares += (off_y * off_y + off_x * off_x) / 800;
    }
    assert_true(fabs(sqrt(squares) - 2) < 0.2);
    simulated_end(without, &right);
    simulated_end(s, &settings);
}

static void test_shear_moves_columns_by_rows(void **state)
{
    (void)state;
    struct ff_simulate_settings settings;
    struct ff_simulation *s = simulated(&settings, "shear_error_percent=10");
    double first = s->stated[1] - s->positions[1] - 0.1 * s->positions[0];
    for (size_t n = 0; n < s->patterns; n++) {
        assert_true(fabs(s->stated[2 * n] - s->positions[2 * n]) < 1e-9);
        assert_true(fabs(s->stated[2 * n + 1] - s->positions[2 * n + 1] -
                         0.1 * s->positions[2 * n] - first) < 1e-9);
    }
    simulated_end(s, &settings);
}

/* What the setting names, done to the file's positions, gives the right ones. */
static void test_each_orientation_is_undone_by_what_it_names(void **state)
{
    (void)state;
    static const char *const names[] = {"as-is",
                                        "rows-reversed",
                                        "columns-reversed",
                                        "both-reversed",
                                        "transposed",
                                        "transposed-rows-reversed",
                                        "transposed-columns-reversed",
                                        "transposed-both-reversed"};
    for (size_t o = 0; o < 8; o++) {
        char assignment[64];
        struct ff_simulate_settings settings;
        snprintf(assignment, sizeof assignment, "orientation=%s", names[o]);
        struct ff_simulation *s = simulated(&settings, assignment);
        bool transposed = strstr(names[o], "transposed") != NULL;
        bool both = strstr(names[o], "both") != NULL;
        double sign_y = both || strstr(names[o], "rows") != NULL ? -1 : 1;
        double sign_x = both || strstr(names[o], "columns") != NULL ? -1 : 1;
        for (size_t n = 0; n < s->patterns; n++) {
            const double *stated = s->stated + 2 * n;
            assert_true(fabs(sign_y * stated[transposed ? 1 : 0] - s->positions[2 * n]) < 1e-9);
            assert_true(fabs(sign_x * stated[transposed ? 0 : 1] - s->positions[2 * n + 1]) < 1e-9);
        }
        simulated_end(s, &settings);
    }
}

static void test_a_fly_scan_moves_along_its_way(void **state)
{
    (void)state;
    struct ff_simulate_settings settings;
    struct ff_simulation *s = simulated(&settings, "fly=5 jitter=0 fly_steps=1");
    for (size_t n = 0; n + 1 < 4; n++) { /* within the first row of four */
        const double *place = s->places + 2 * 5 * n;
        double step = s->positions[2 * n + 3] - s->positions[2 * n + 1];
        for (size_t k = 0; k < 5; k++) {
            assert_true(fabs(place[2 * k] - place[0]) < 1e-9);
            assert_true(fabs(place[2 * k + 1] - place[1] - step * (double)k / 5) < 1e-9);
        }
        assert_true(fabs(place[5] - s->positions[2 * n + 1]) < 1e-9);
    }
    simulated_end(s, &settings);
}

/* One step² of area for each position, and no two too near. */
static void test_a_spiral_is_even(void **state)
{
    (void)state;
    struct ff_simulate_settings settings;
    struct ff_simulation *s = simulated(&settings, "path=spiral patterns=300 overlap=0");
    double step = sqrt(M_PI / 300) / 2 * (double)(s->rows - SIZE - 2 * FF_SIMULATION_MARGIN);
    for (size_t a = 0; a < 300; a++)
        for (size_t b = 0; b < a; b++)
            assert_true(hypot(s->positions[2 * a] - s->positions[2 * b],
                              s->positions[2 * a + 1] - s->positions[2 * b + 1]) > 0.5 * step);
    simulated_end(s, &settings);
}

/* --- the detector --- */

static size_t count_pixels(const struct ff_simulation *s, enum ff_simulate_pixel kind)
{
    size_t count = 0;
    for (size_t i = 0; i < s->size * s->size; i++)
        count += s->pixels[i] == kind;
    return count;
}

static void test_bad_pixels_are_as_they_are_asked_for(void **state)
{
    (void)state;
    struct ff_simulate_settings settings;
    struct ff_simulation *s = simulated(
        &settings, "size=64 patterns=4 gaps=2 gap_px=3 dead_percent=2 hot_percent=1 stop_px=3");
    double *frame = calloc(64 * 64, sizeof *frame);
    double *other = calloc(64 * 64, sizeof *other);
    ff_simulation_frame(s->worker, 1, frame);
    ff_simulation_frame(s->worker, 2, other);
    assert_int_equal(count_pixels(s, FF_PIXEL_GAP), 64 * 64 - 58 * 58);
    assert_true(count_pixels(s, FF_PIXEL_DEAD) > 40 && count_pixels(s, FF_PIXEL_DEAD) < 100);
    assert_true(count_pixels(s, FF_PIXEL_HOT) > 15 && count_pixels(s, FF_PIXEL_HOT) < 60);
    assert_true(count_pixels(s, FF_PIXEL_STOPPED) > 20);
    for (size_t i = 0; i < 64 * 64; i++) {
        if (s->pixels[i] == FF_PIXEL_GAP)
            assert_true(isnan(frame[i]));
        if (s->pixels[i] == FF_PIXEL_DEAD || s->pixels[i] == FF_PIXEL_STOPPED)
            assert_true(frame[i] <= 0);
        if (s->pixels[i] == FF_PIXEL_HOT)
            assert_true(frame[i] > 30000 && frame[i] >= other[i] && frame[i] <= other[i]);
    }
    free(frame);
    free(other);
    simulated_end(s, &settings);
}

static void test_numbers_end_below_what_marks_a_gap(void **state)
{
    (void)state;
    const double values[] = {0, 1, 65534, NAN};
    uint16_t u16[4];
    uint32_t u32[4];
    float f32[4];
    ff_simulate_store(FF_SIMULATE_U16, values, 4, u16);
    ff_simulate_store(FF_SIMULATE_U32, values, 4, u32);
    ff_simulate_store(FF_SIMULATE_FLOAT, values, 4, f32);
    assert_true(u16[1] == 1 && u16[2] == 65534 && u16[3] == UINT16_MAX);
    assert_true(u32[1] == 1 && u32[2] == 65534 && u32[3] == UINT32_MAX);
    assert_true(f32[1] >= 1 && f32[1] <= 1 && isnan(f32[3]));
}

static void test_bright_light_saturates(void **state)
{
    (void)state;
    struct ff_simulate_settings settings;
    struct ff_simulation *s = simulated(&settings, "counts=1e8 full_well=5000 noise=none");
    double frame[PIXELS];
    double mean[PIXELS];
    size_t cut = ff_simulation_frame(s->worker, 0, frame);
    size_t above = 0;
    ff_simulation_intensity(s->worker, 0, mean);
    for (size_t i = 0; i < PIXELS; i++) {
        above += round(mean[i]) > 5000;
        assert_true(fabs(frame[i] - fmin(5000, round(mean[i]))) < 0.5);
    }
    assert_true(above > 10);
    assert_int_equal(cut, above);
    simulated_end(s, &settings);
}

static void test_background_adds_to_every_pixel(void **state)
{
    (void)state;
    struct ff_simulate_settings settings;
    struct ff_simulation *s =
        simulated(&settings, "background=7 stop_px=2 noise=none type=float empty=1");
    double frame[PIXELS];
    double mean[PIXELS];
    for (size_t n = 0; n < s->patterns; n++) {
        ff_simulation_frame(s->worker, n, frame);
        ff_simulation_intensity(s->worker, n, mean);
        for (size_t i = 0; i < PIXELS; i++) {
            bool dark = s->faults[n] == FF_SIMULATE_EMPTY || s->pixels[i] == FF_PIXEL_STOPPED;
            assert_true(fabs(frame[i] - 7 - (dark ? 0 : mean[i])) < 1e-9);
        }
    }
    simulated_end(s, &settings);
}

static void test_faulty_frames_are_as_many_as_asked(void **state)
{
    (void)state;
    struct ff_simulate_settings settings;
    struct ff_simulation *s =
        simulated(&settings, "patterns=40 dropped=5 empty=3 bright=2 noise=none type=float");
    size_t counts[4] = {0};
    double frame[PIXELS];
    double mean[PIXELS];
    for (size_t n = 0; n < 40; n++) {
        counts[s->faults[n]]++;
        ff_simulation_frame(s->worker, n, frame);
        ff_simulation_intensity(s->worker, n, mean);
        double factor = s->faults[n] == FF_SIMULATE_EMPTY    ? 0
                        : s->faults[n] == FF_SIMULATE_BRIGHT ? 10
                                                             : 1;
        for (size_t i = 0; i < PIXELS; i++)
            assert_true(fabs(frame[i] - factor * mean[i]) < 1e-6);
    }
    assert_true(counts[1] == 5 && counts[2] == 3 && counts[3] == 2);
    assert_int_equal(s->frame_count, 35);
    for (size_t i = 0; i < 35; i++) {
        assert_int_not_equal(s->faults[s->frames[i]], FF_SIMULATE_DROPPED);
        assert_true(i == 0 || s->frames[i] > s->frames[i - 1]);
    }
    simulated_end(s, &settings);
}

/* --- as a measurement --- */

static void test_a_measurement_has_every_effect(void **state)
{
    (void)state;
    struct ff_error error = {0};
    struct ff_measurement measurement;
    struct ff_simulate_settings settings;
    struct ff_simulation *s = simulated(
        &settings, "size=32 pad=16 fly=3 gaps=1 dropped=2 scale_error_percent=10 type=u32 "
                   "modes=2 threads=3");
    assert_ok(ff_simulation_measure(s, &measurement, &error), error);
    assert_int_equal(measurement.patterns, SIMULATED_PATTERNS - 2);
    assert_int_equal(measurement.fly, 3);
    assert_int_equal(measurement.probe_rows, 16);
    assert_int_equal(measurement.probe_modes, 2);
    assert_null(measurement.counts.u16);
    double frame[32 * 32];
    double total = 0;
    for (size_t n = 0; n < measurement.patterns; n++) {
        ff_simulation_frame(s->worker, s->frames[n], frame);
        for (size_t i = 0; i < 32 * 32; i++) {
            size_t from = (i / 32 + 16) % 32 * 32 + (i % 32 + 16) % 32;
            bool bad = s->pixels[from] != FF_PIXEL_GOOD;
            assert_int_equal(measurement.measured[i], !bad);
            double count = bad ? 0 : frame[from];
            assert_true(fabs((double)measurement.counts.f32[n * 32 * 32 + i] - count) < 0.5);
            total += count;
        }
        for (size_t i = 0; i < 6; i++)
            assert_true(fabs(measurement.positions_m[6 * n + i] -
                             s->stated[6 * s->frames[n] + i] * s->object_pixel_m) < 1e-15);
    }
    assert_true(fabs(measurement.total_counts - total) < 1e-6 * total);
    ff_measurement_dispose(&measurement);
    simulated_end(s, &settings);
}

static void test_a_near_field_lies_as_on_the_detector(void **state)
{
    (void)state;
    struct ff_error error = {0};
    struct ff_measurement measurement;
    struct ff_simulate_settings settings;
    struct ff_simulation *s = simulated(&settings, "field=near mask=none");
    double frame[PIXELS];
    assert_ok(ff_simulation_measure(s, &measurement, &error), error);
    assert_true(measurement.near_field);
    assert_null(measurement.measured);
    assert_true(fabs(measurement.detector_pixel_m[0] - s->object_pixel_m) < 1e-15);
    ff_simulation_frame(s->worker, 4, frame);
    for (size_t i = 0; i < PIXELS; i++)
        assert_int_equal(measurement.counts.u16[4 * PIXELS + i], (int)frame[i]);
    ff_measurement_dispose(&measurement);
    simulated_end(s, &settings);
}

static void test_threads_change_nothing(void **state)
{
    (void)state;
    struct ff_error error = {0};
    static const char *const threads[] = {"threads=1", "threads=2", "threads=5"};
    struct ff_measurement measurements[3];
    for (size_t t = 0; t < 3; t++) {
        struct ff_simulate_settings settings;
        struct ff_simulation *s = simulated(&settings, threads[t]);
        assert_ok(ff_simulation_measure(s, &measurements[t], &error), error);
        assert_memory_equal(measurements[t].counts.u16, measurements[0].counts.u16,
                            SIMULATED_PATTERNS * PIXELS * sizeof(uint16_t));
        simulated_end(s, &settings);
    }
    for (size_t t = 0; t < 3; t++)
        ff_measurement_dispose(&measurements[t]);
}

static void test_what_contradicts_itself_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"pad=10", "dropped=4 empty=4", "format=tike field=near",
                                        "format=slac compression=gzip"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct ff_error error = {0};
        struct ff_simulate_settings settings;
        simulated_settings(&settings, wrong[i]);
        assert_null(ff_simulation_create(&settings, &error));
        assert_int_equal(error.code, FF_INVALID_SETTING);
        ff_options_dispose(&ff_simulate_table, &settings);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_patterns_are_those_of_the_formula),
        cmocka_unit_test(test_a_detector_may_be_larger_than_the_probe),
        cmocka_unit_test(test_eigenprobes_are_orthogonal_and_as_strong_as_the_first_mode),
        cmocka_unit_test(test_intensities_change_as_much_as_asked),
        cmocka_unit_test(test_the_file_says_wrong_positions_and_the_truth_stays),
        cmocka_unit_test(test_shear_moves_columns_by_rows),
        cmocka_unit_test(test_each_orientation_is_undone_by_what_it_names),
        cmocka_unit_test(test_a_fly_scan_moves_along_its_way),
        cmocka_unit_test(test_a_spiral_is_even),
        cmocka_unit_test(test_bad_pixels_are_as_they_are_asked_for),
        cmocka_unit_test(test_numbers_end_below_what_marks_a_gap),
        cmocka_unit_test(test_bright_light_saturates),
        cmocka_unit_test(test_background_adds_to_every_pixel),
        cmocka_unit_test(test_faulty_frames_are_as_many_as_asked),
        cmocka_unit_test(test_a_measurement_has_every_effect),
        cmocka_unit_test(test_a_near_field_lies_as_on_the_detector),
        cmocka_unit_test(test_threads_change_nothing),
        cmocka_unit_test(test_what_contradicts_itself_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

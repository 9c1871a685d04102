#include "functions/reconstruct/summary.h"

#include "functions/reconstruct/constants.h"
#include "protocol/core/json_text.h"

#include <complex.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* What a window of the scan shares with its neighbours, and how the counts are spread. */
struct scan_figures {
    double spacing_px;     /* median distance to the nearest other position */
    double overlap;        /* 1 - spacing / width of the probe */
    double probe_width_px; /* within which half of the light falls, as a diameter */
    double greatest_count;
    double zero_share; /* pixels without a count */
    double edge_share; /* counts in the outermost eighth of the frame */
    size_t empty_patterns;
    size_t masked;
};

/* The neighbour is looked for among those next in the order of rows; NEAR of them on either side
 * hold it in any scan but a pathological one, and the work stays linear. */
static double median_spacing(const struct ff_problem *problem)
{
    enum { NEAR = 256 };
    size_t count = problem->patterns;
    double *nearest = calloc(count, sizeof *nearest);
    if (nearest == NULL)
        return NAN;
    for (size_t n = 0; n < count; n++) {
        double least = INFINITY;
        size_t first = n > NEAR ? n - NEAR : 0;
        for (size_t k = first; k < count && k <= n + NEAR; k++) {
            double distance = hypot(problem->positions[2 * n] - problem->positions[2 * k],
                                    problem->positions[2 * n + 1] - problem->positions[2 * k + 1]);
            if (k != n && distance < least)
                least = distance;
        }
        nearest[n] = least;
    }
    ff_array_sort(nearest, count);
    double median = nearest[count / 2];
    free(nearest);
    return median;
}

/* The diameter of the circle about the centre of mass that holds half of the light. */
static double probe_width(const struct ff_problem *problem)
{
    size_t pixels = problem->rows * problem->columns;
    size_t reach = problem->rows + problem->columns;
    double *rings = calloc(reach, sizeof *rings);
    double sum = 0;
    double row = 0;
    double column = 0;
    if (rings == NULL)
        return NAN;
    for (size_t i = 0; i < pixels; i++) {
        double light = pow((double)cabsf(problem->probe[i]), 2);
        sum += light;
        row += light * (double)(i / problem->columns);
        column += light * (double)(i % problem->columns);
    }
    for (size_t i = 0; i < pixels; i++) {
        double distance = hypot((double)(i / problem->columns) - row / sum,
                                (double)(i % problem->columns) - column / sum);
        size_t ring = (size_t)distance;
        rings[ring < reach ? ring : reach - 1] += pow((double)cabsf(problem->probe[i]), 2);
    }
    double inside = 0;
    size_t radius = 0;
    while (radius < reach && inside < sum / 2)
        inside += rings[radius++];
    free(rings);
    return 2 * (double)radius;
}

static double count_at(const struct ff_problem *problem, size_t at)
{
    return problem->counts.u16 != NULL ? (double)problem->counts.u16[at]
                                       : (double)problem->counts.f32[at];
}

/* Patterns have their DC at the corner, so the edge of the detector lies in the middle. */
static bool at_edge(size_t index, size_t extent)
{
    return index >= extent / 2 - extent / 16 && index < extent / 2 + extent / 16;
}

static void count_pixels(const struct ff_problem *problem, struct scan_figures *figures)
{
    size_t pixels = problem->rows * problem->columns;
    size_t zeros = 0;
    size_t measured = 0;
    double edge = 0;
    for (size_t i = 0; i < pixels; i++)
        figures->masked += problem->measured != NULL && problem->measured[i] == 0;
    for (size_t n = 0; n < problem->patterns; n++) {
        double sum = 0;
        for (size_t i = 0; i < pixels; i++) {
            if (problem->measured != NULL && problem->measured[i] == 0)
                continue;
            double count = count_at(problem, n * pixels + i);
            measured++;
            zeros += count <= 0;
            sum += count;
            figures->greatest_count = fmax(figures->greatest_count, count);
            if (at_edge(i / problem->columns, problem->rows) ||
                at_edge(i % problem->columns, problem->columns))
                edge += count;
        }
        figures->empty_patterns += sum <= 0;
    }
    figures->zero_share = (double)zeros / (double)measured;
    figures->edge_share = edge / problem->total_counts;
}

static struct scan_figures figures_of(const struct ff_problem *problem)
{
    struct scan_figures figures = {0};
    figures.spacing_px = median_spacing(problem);
    figures.probe_width_px = probe_width(problem);
    figures.overlap = fmax(0, 1 - figures.spacing_px / figures.probe_width_px);
    count_pixels(problem, &figures);
    return figures;
}

static void set_real(json_t *scan, const char *key, double value)
{
    json_object_set_new(scan, key, isfinite(value) ? json_real(value) : json_null());
}

static void set_count(json_t *scan, const char *key, size_t value)
{
    json_object_set_new(scan, key, json_integer((json_int_t)value));
}

/* Rows and columns. */
static void set_reals(json_t *scan, const char *key, const double values[2])
{
    json_object_set_new(scan, key, json_pack("[f, f]", values[0], values[1]));
}

static void set_counts(json_t *scan, const char *key, size_t rows, size_t columns)
{
    json_object_set_new(scan, key, json_pack("[I, I]", (json_int_t)rows, (json_int_t)columns));
}

static void set_source(json_t *scan, const struct ff_problem *problem)
{
    char digest[FF_DIGEST_TEXT_SIZE];
    ff_digest_text(&problem->digest, digest);
    json_object_set_new(scan, "input", ff_json_text(problem->source));
    json_object_set_new(scan, "format", json_string(problem->format));
    json_object_set_new(scan, "sha256", json_string(digest));
    set_count(scan, "patterns", problem->patterns);
    set_counts(scan, "frame_px", problem->rows, problem->columns);
}

static void set_geometry(json_t *scan, const struct ff_problem *problem)
{
    const struct ff_geometry *geometry = &problem->geometry;
    double scanned[2];
    for (size_t axis = 0; axis < 2; axis++) {
        double low = INFINITY;
        double high = -INFINITY;
        for (size_t n = 0; n < problem->patterns; n++) {
            low = fmin(low, problem->positions_m[2 * n + axis]);
            high = fmax(high, problem->positions_m[2 * n + axis]);
        }
        scanned[axis] = high - low;
    }
    set_real(scan, "energy_eV", geometry->energy_J / FF_ELECTRON_V_J);
    set_real(scan, "wavelength_m", geometry->wavelength_m);
    set_real(scan, "distance_m", geometry->distance_m);
    set_reals(scan, "detector_pixel_m", geometry->detector_pixel_m);
    set_reals(scan, "object_pixel_m", geometry->object_pixel_m);
    set_reals(scan, "scanned_m", scanned);
    set_counts(scan, "object_px", problem->object_rows, problem->object_columns);
}

json_t *ff_summary_of_scan(const struct ff_problem *problem)
{
    const struct scan_figures figures = figures_of(problem);
    json_t *scan = json_object();
    if (scan == NULL)
        return NULL;
    set_source(scan, problem);
    set_geometry(scan, problem);
    set_real(scan, "spacing_px", figures.spacing_px);
    json_object_set_new(scan, "probe_given", json_boolean(problem->probe_was_given));
    set_real(scan, "probe_width_px", figures.probe_width_px);
    set_real(scan, "overlap", figures.overlap);
    set_real(scan, "counts_per_pattern", problem->total_counts / (double)problem->patterns);
    set_real(scan, "greatest_count", figures.greatest_count);
    set_real(scan, "zero_share", figures.zero_share);
    set_real(scan, "edge_share", figures.edge_share);
    set_count(scan, "masked_px", figures.masked);
    set_count(scan, "empty_patterns", figures.empty_patterns);
    return scan;
}

/* As the CPU backend allocates: planes of the object and sums for each lane, waves of the probe. */
static double memory_of(const struct ff_problem *problem, const struct ff_settings *settings)
{
    enum { PATTERNS_A_LANE = 24, LANES_MAX = 32 };
    double pixels = (double)problem->rows * (double)problem->columns;
    double object = (double)problem->object_rows * (double)problem->object_columns;
    double counts = (double)problem->patterns * pixels * (problem->counts.u16 != NULL ? 2 : 4);
    double probe = (double)settings->modes * pixels * sizeof(ff_complex);
    const struct ff_algorithm_facts *facts = &ff_algorithms[settings->algorithm];
    size_t batches = ff_settings_batches(settings, problem->patterns).count;
    double kept =
        (double)problem->patterns * pixels *
        ((double)settings->modes * (double)facts->bytes_a_mode + (double)facts->bytes_a_pixel);
    double lanes = (double)problem->patterns / (double)batches / PATTERNS_A_LANE;
    lanes = fmax(1, fmin(LANES_MAX, floor(lanes)));
    return counts + kept + object * (3 * sizeof(ff_complex) + lanes * 3 * sizeof(float)) +
           probe * (4 + lanes);
}

json_t *ff_summary_of_plan(const struct ff_problem *problem, const struct ff_settings *settings)
{
    json_t *plan = ff_summary_of_scan(problem);
    if (plan == NULL)
        return NULL;
    struct ff_batch_counts batches = ff_settings_batches(settings, problem->patterns);
    json_object_set_new(plan, "doubts", ff_summary_of_doubts(plan));
    set_count(plan, "batches", batches.count);
    if (batches.early_epochs > 0) {
        set_count(plan, "early_batches", batches.early_count);
        set_count(plan, "early_epochs", batches.early_epochs);
    }
    json_object_set_new(plan, "memory_bytes",
                        json_integer((json_int_t)memory_of(problem, settings)));
    json_object_set_new(plan, "settings", ff_options_to_json(&ff_settings_table, settings));
    return plan;
}

static double number(const json_t *scan, const char *key)
{
    return json_number_value(json_object_get(scan, key));
}

static void doubt(json_t *doubts, const char *format, ...) FF_PRINTF(2, 3);

static void doubt(json_t *doubts, const char *format, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    json_array_append_new(doubts, json_string(text));
}

json_t *ff_summary_of_doubts(const json_t *scan)
{
    json_t *doubts = json_array();
    if (doubts == NULL)
        return NULL;
    if (number(scan, "overlap") < 0.5)
        doubt(doubts, "the overlap of neighbours is only %.2f; 0.6 to 0.7 is usual",
              number(scan, "overlap"));
    if (number(scan, "empty_patterns") > 0)
        doubt(doubts, "%.0f patterns hold no counts: shutter or beam loss?",
              number(scan, "empty_patterns"));
    if (number(scan, "edge_share") > 0.02)
        doubt(doubts,
              "%.1f %% of the counts lie at the edge of the frame: is the beam in its middle, and "
              "the detector wide enough?",
              100 * number(scan, "edge_share"));
    if (number(scan, "greatest_count") < 10)
        doubt(doubts, "no pixel counts more than %.0f: a very weak beam, or scaled counts?",
              number(scan, "greatest_count"));
    double energy = number(scan, "energy_eV");
    if (energy < 50 || energy > 200e3)
        doubt(doubts, "the photon energy is %.4g eV", energy);
    const json_t *pixel = json_object_get(scan, "object_pixel_m");
    double ratio =
        json_number_value(json_array_get(pixel, 0)) / json_number_value(json_array_get(pixel, 1));
    if (ratio < 0.8 || ratio > 1.25)
        doubt(doubts, "object pixels are %.2f times as high as wide", ratio);
    return doubts;
}

#include "functions/reconstruct/summary.h"

#include "functions/reconstruct/constants.h"
#include "functions/reconstruct/spacing.h"
#include "protocol/core/json_text.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How the counts are spread. */
struct scan_figures {
    double greatest_count;
    double zero_share; /* pixels without a count */
    double edge_share; /* counts in the outermost eighth of the frame */
    size_t empty_patterns;
    size_t masked;
};

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
    double low[2];
    double high[2];
    ff_array_box(problem->positions_m, problem->patterns * problem->fly, low, high);
    const double scanned[2] = {high[0] - low[0], high[1] - low[1]};
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
    struct ff_spacing spacing;
    json_t *scan = json_object();
    if (scan == NULL || ff_spacing_of(problem, &spacing, NULL) < 0) {
        json_decref(scan);
        return NULL;
    }
    set_source(scan, problem);
    set_geometry(scan, problem);
    set_real(scan, "spacing_px", spacing.step_px);
    json_object_set_new(scan, "probe_given", json_boolean(problem->probe_was_given));
    set_real(scan, "probe_width_px", spacing.probe_width_px);
    set_real(scan, "overlap", spacing.overlap);
    set_real(scan, "window_px", spacing.window_px);
    set_real(scan, "extent_px", spacing.extent_px);
    json_object_set_new(scan, "raster", json_boolean(spacing.is_raster));
    set_real(scan, "counts_per_pattern", problem->total_counts / (double)problem->patterns);
    set_real(scan, "counts_per_object_px", problem->total_counts / spacing.lit_px);
    set_real(scan, "greatest_count", figures.greatest_count);
    set_real(scan, "zero_share", figures.zero_share);
    set_real(scan, "edge_share", figures.edge_share);
    set_count(scan, "masked_px", figures.masked);
    set_count(scan, "empty_patterns", figures.empty_patterns);
    return scan;
}

json_t *ff_summary_of_plan(const struct ff_problem *problem, const struct ff_settings *settings,
                           const struct ff_run_footprint *footprint)
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
    json_object_set_new(plan, "device", json_string(footprint->device));
    set_count(plan, "memory_bytes", footprint->bytes);
    if (footprint->device_bytes > 0)
        set_count(plan, "device_memory_bytes", footprint->device_bytes);
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

static void add_spacing(json_t *doubts, const struct ff_spacing *spacing)
{
    struct ff_buffer lines;
    ff_buffer_init(&lines, 4096);
    ff_spacing_doubts(spacing, &lines);
    for (const char *at = ff_buffer_text(&lines); *at != '\0';) {
        size_t length = strcspn(at, "\n");
        json_array_append_new(doubts, json_stringn(at, length));
        at += length + (at[length] == '\n');
    }
    ff_buffer_dispose(&lines);
}

json_t *ff_summary_of_doubts(const json_t *scan)
{
    json_t *doubts = json_array();
    if (doubts == NULL)
        return NULL;
    const struct ff_spacing spacing = {
        .step_px = number(scan, "spacing_px"),
        .probe_width_px = number(scan, "probe_width_px"),
        .overlap = number(scan, "overlap"),
        .window_px = number(scan, "window_px"),
        .probe_was_given = json_is_true(json_object_get(scan, "probe_given")),
        .extent_px = number(scan, "extent_px"),
        .is_raster = json_is_true(json_object_get(scan, "raster")),
    };
    add_spacing(doubts, &spacing);
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

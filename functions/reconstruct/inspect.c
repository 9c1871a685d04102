/* farfield inspect: what a scan file holds, and whether it can be reconstructed. */
#include "functions/local/program.h"
#include "functions/reconstruct/build.h"
#include "functions/reconstruct/formats/input.h"
#include "functions/reconstruct/formats/listing.h"
#include "functions/reconstruct/formats/preset.h"
#include "functions/reconstruct/orientation_trial.h"
#include "functions/reconstruct/summary.h"

#include "protocol/core/json_text.h"
#include "protocol/core/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: farfield inspect FILE [--orientation] [--set KEY=VALUE]… [--config FILE] [--json]\n"
    "\n"
    "Shows what is in a scan file: its datasets, the formats it fits or nearly fits, geometry,\n"
    "overlap and dose, and what looks odd. Nothing is written. What the file does not tell, or "
    "tells\n"
    "wrongly, is set as for reconstruct: positions_file, format, energy_eV, distance_m, mask, …\n"
    "(farfield reconstruct --help settings); settings of the solver change nothing here.\n"
    "\n"
    "  --orientation  also try the eight ways the positions can lie against the frames, for a few\n"
    "                 epochs on a small part of the scan, and tell which fits and how clearly\n"
    "\n"
    "  farfield inspect scan.cxi\n"
    "  farfield inspect scan.cxi --orientation\n"
    "  farfield inspect frames.h5 --set positions_file=motors.csv --set energy_eV=8800 \\\n"
    "      --set distance_m=1.92 --set detector_pixel_um=75\n"
    "  farfield inspect scan.cxi --json | jq .scan.overlap\n"
    "\n"
    "Exit status: 0 it can be reconstructed, 1 it cannot (and why), 2 wrong use.\n";

struct inspection {
    bool try_orientation;
    json_t *contents; /* of the file, or the first of several */
    json_t *formats;  /* that it is near to, the best first */
    json_t *scan, *doubts, *notes;
    json_t *orientation;     /* NULL: not tried */
    struct ff_error failure; /* why there is no scan */
};

/* The formats by which the file could be read, and what it lacks for each. */
static json_t *formats_of(const struct ff_hdf5_file *file)
{
    struct ff_candidate candidates[FF_CANDIDATES_MAX];
    size_t count = ff_preset_candidates(file, candidates);
    json_t *formats = json_array();
    for (size_t i = 0; i < count; i++) {
        const struct ff_candidate *candidate = &candidates[i];
        json_array_append_new(
            formats,
            json_pack("{s:s, s:s, s:b, s:b, s:i, s:i, s:o}", "name", candidate->preset->name,
                      "title", candidate->preset->title, "fits", candidate->missing[0] == '\0',
                      "has_frames", candidate->has_frames, "found", (int)candidate->found, "needed",
                      (int)candidate->needed, "missing",
                      candidate->missing[0] != '\0' ? json_string(candidate->missing)
                                                    : json_null()));
    }
    return formats;
}

static int list_contents(struct inspection *inspection, const char *path)
{
    struct ff_input *input = ff_input_create(path, &inspection->failure);
    struct ff_hdf5_file *file =
        input != NULL ? ff_input_file(input, 0, &inspection->failure) : NULL;
    if (file != NULL) {
        inspection->contents = ff_hdf5_listing(file, &inspection->failure);
        inspection->formats = formats_of(file);
    }
    ff_input_destroy(input); /* and its files */
    return inspection->contents != NULL ? 0 : -1;
}

/* What did not converge has no cost: null. */
static json_t *costs_of(const struct ff_orientation_trial *trial)
{
    json_t *costs = json_object();
    for (unsigned i = 0; i < FF_ORIENTATIONS; i++)
        json_object_set_new(costs, ff_orientations[i].name,
                            isfinite(trial->cost[i]) ? json_real(trial->cost[i]) : json_null());
    return costs;
}

static json_t *real_or_null(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static int try_orientation(struct inspection *inspection, const struct ff_problem *problem)
{
    const struct ff_run_settings settings = {.threads = 0};
    struct ff_orientation_trial trial;
    if (ff_orientation_try(problem, &settings, FF_ORIENTATION_ALL, FF_ORIENTATION_EPOCHS, &trial,
                           &inspection->failure) < 0)
        return -1;
    inspection->orientation = json_pack(
        "{s:s, s:s, s:b, s:b, s:o, s:o, s:I, s:i, s:o}", "best", ff_orientations[trial.best].name,
        "twin", ff_orientations[ff_orientation_twin(trial.best)].name, "clear",
        trial.margin >= FF_ORIENTATION_MARGIN, "twin_excluded",
        trial.twin_margin >= FF_ORIENTATION_TWIN_MARGIN, "margin", real_or_null(trial.margin),
        "twin_margin", real_or_null(trial.twin_margin), "patterns", (json_int_t)trial.patterns,
        "epochs", FF_ORIENTATION_EPOCHS, "costs", costs_of(&trial));
    return 0;
}

static int read_scan(struct inspection *inspection, const struct ff_settings *settings)
{
    struct ff_buffer notes;
    int result = 0;
    ff_buffer_init(&notes, FF_NOTES_BYTES_MAX);
    struct ff_problem *problem = ff_problem_create(settings, &notes, &inspection->failure);
    inspection->notes = ff_json_text(ff_buffer_text(&notes));
    if (problem != NULL) {
        inspection->scan = ff_summary_of_scan(problem);
        inspection->doubts = ff_summary_of_doubts(inspection->scan);
    }
    if (problem != NULL && inspection->try_orientation)
        result = try_orientation(inspection, problem);
    ff_problem_destroy(problem);
    ff_buffer_dispose(&notes);
    return inspection->scan != NULL ? result : -1;
}

static double number(const json_t *scan, const char *key)
{
    return json_number_value(json_object_get(scan, key));
}

static double number_at(const json_t *scan, const char *key, size_t index)
{
    return json_number_value(json_array_get(json_object_get(scan, key), index));
}

static void print_contents(const json_t *contents)
{
    size_t index;
    json_t *entry;
    printf("contents\n");
    json_array_foreach(contents, index, entry)
    {
        char shape[128] = "";
        int width = 18; /* in bytes, of which × has two */
        size_t axis;
        json_t *extent;
        json_array_foreach(json_object_get(entry, "shape"), axis, extent)
        {
            size_t used = strlen(shape);
            snprintf(shape + used, sizeof shape - used, "%s%lld", axis > 0 ? " × " : "",
                     (long long)json_integer_value(extent));
            width += axis > 0;
        }
        ff_text_printf(
            stdout, "  %-56s %-*s %s\n", json_string_value(json_object_get(entry, "path")), width,
            shape[0] != '\0' ? shape : "single", json_string_value(json_object_get(entry, "type")));
    }
    if (json_array_size(contents) == FF_LISTING_MAX)
        printf("  … (the first %d)\n", FF_LISTING_MAX);
}

static void print_formats(const json_t *formats)
{
    size_t index;
    json_t *entry;
    printf("formats\n");
    if (json_array_size(formats) == 0)
        printf("  none that is known; format=FILE.yaml describes another\n");
    json_array_foreach(formats, index, entry)
    {
        const char *missing = json_string_value(json_object_get(entry, "missing"));
        bool has_frames = json_is_true(json_object_get(entry, "has_frames"));
        printf("  %-20s ", json_string_value(json_object_get(entry, "name")));
        if (missing != NULL)
            ff_text_printf(stdout, "has %.0f of %.0f; there is no %s\n", number(entry, "found"),
                           number(entry, "needed"), missing);
        else
            printf("%s\n", has_frames ? "fits"
                                      : "fits, but has no frames: for positions_file or "
                                        "initial_probe");
    }
}

static void print_scan(const json_t *scan)
{
    printf("scan\n");
    printf("  %-20s %s\n", "format", json_string_value(json_object_get(scan, "format")));
    printf("  %-20s %.0f of %.0f × %.0f pixels, %.0f counts each, at most %.0f in one pixel\n",
           "patterns", number(scan, "patterns"), number_at(scan, "frame_px", 0),
           number_at(scan, "frame_px", 1), number(scan, "counts_per_pattern"),
           number(scan, "greatest_count"));
    printf("  %-20s %.1f %% hold no count; %.0f are masked\n", "pixels",
           100 * number(scan, "zero_share"), number(scan, "masked_px"));
    printf("  %-20s %.6g eV (%.4g nm)\n", "photon energy", number(scan, "energy_eV"),
           1e9 * number(scan, "wavelength_m"));
    printf("  %-20s %.4g m away, pixels of %.4g × %.4g µm\n", "detector",
           number(scan, "distance_m"), 1e6 * number_at(scan, "detector_pixel_m", 0),
           1e6 * number_at(scan, "detector_pixel_m", 1));
    printf("  %-20s %.4g × %.4g nm\n", "object pixel", 1e9 * number_at(scan, "object_pixel_m", 0),
           1e9 * number_at(scan, "object_pixel_m", 1));
    printf("  %-20s %.4g × %.4g µm, an object of %.0f × %.0f pixels\n", "scanned",
           1e6 * number_at(scan, "scanned_m", 0), 1e6 * number_at(scan, "scanned_m", 1),
           number_at(scan, "object_px", 0), number_at(scan, "object_px", 1));
    printf("  %-20s %s, half of its light within %.0f pixels\n", "probe",
           json_is_true(json_object_get(scan, "probe_given")) ? "in the file" : "estimated",
           number(scan, "probe_width_px"));
    printf("  %-20s %.2f (neighbours are %.1f pixels apart)\n", "overlap", number(scan, "overlap"),
           number(scan, "spacing_px"));
    printf("  %-20s %.4g counts for each object pixel within reach of the probe\n", "dose",
           number(scan, "counts_per_object_px"));
    printf("  %-20s %s\n", "sha256", json_string_value(json_object_get(scan, "sha256")));
}

static void print_orientation(const json_t *found)
{
    const json_t *costs = json_object_get(found, "costs");
    const char *best = json_string_value(json_object_get(found, "best"));
    const char *twin = json_string_value(json_object_get(found, "twin"));
    printf("orientation of the positions (%.0f patterns, %.0f epochs)\n", number(found, "patterns"),
           number(found, "epochs"));
    for (unsigned i = 0; i < FF_ORIENTATIONS; i++) {
        const char *name = ff_orientations[i].name;
        const json_t *cost = json_object_get(costs, name);
        if (json_is_real(cost))
            printf("  %-28s cost %.4g%s\n", name, json_real_value(cost),
                   strcmp(name, best) == 0   ? ", best"
                   : strcmp(name, twin) == 0 ? ", its twin"
                                             : "");
        else
            printf("  %-28s diverged\n", name);
    }
    if (json_is_null(json_object_get(found, "margin")))
        printf("  %s fits: the others diverged\n", best);
    else if (json_is_true(json_object_get(found, "clear")))
        printf("  %s fits: the next costs %.2f times as much\n", best, number(found, "margin"));
    else
        printf("  none fits clearly better than the others (margin %.2f)\n",
               number(found, "margin"));
    printf("  its twin %s %s\n", twin,
           json_is_true(json_object_get(found, "twin_excluded"))
               ? "is excluded by the probe of the file"
               : "explains the patterns as well: nothing here tells them apart");
}

static void print_text(const struct inspection *inspection, const char *path)
{
    size_t index;
    json_t *sentence;
    if (inspection->contents == NULL)
        return;
    printf("%s\n", path);
    print_contents(inspection->contents);
    print_formats(inspection->formats);
    if (inspection->scan == NULL)
        return;
    print_scan(inspection->scan);
    const char *notes = json_string_value(inspection->notes);
    if (json_array_size(inspection->doubts) > 0 || (notes != NULL && notes[0] != '\0'))
        printf("worth a look\n");
    json_array_foreach(inspection->doubts, index, sentence)
    {
        ff_text_printf(stdout, "  %s\n", json_string_value(sentence));
    }
    for (const char *at = notes; at != NULL && *at != '\0';) {
        int length = (int)strcspn(at, "\n");
        ff_text_printf(stdout, "  %.*s\n", length, at);
        at += length + (at[length] == '\n');
    }
    if (inspection->orientation != NULL)
        print_orientation(inspection->orientation);
}

static void set_or_null(json_t *line, const char *key, json_t *value)
{
    json_object_set_new(line, key, value != NULL ? json_incref(value) : json_null());
}

static void print_json(struct inspection *inspection, const char *path)
{
    json_t *line = json_object();
    json_object_set_new(line, "file", ff_json_text(path));
    set_or_null(line, "contents", inspection->contents);
    set_or_null(line, "formats", inspection->formats);
    set_or_null(line, "scan", inspection->scan);
    set_or_null(line, "doubts", inspection->doubts);
    set_or_null(line, "notes", inspection->notes);
    if (inspection->try_orientation)
        set_or_null(line, "orientation", inspection->orientation);
    if (inspection->scan == NULL ||
        (inspection->try_orientation && inspection->orientation == NULL))
        json_object_set_new(line, "error",
                            json_pack("{s:s, s:o, s:o}", "code",
                                      ff_error_name(inspection->failure.code), "message",
                                      ff_json_text(inspection->failure.message), "hint",
                                      ff_json_text(inspection->failure.hint)));
    json_dumpf(line, stdout, JSON_COMPACT | JSON_REAL_PRECISION(9));
    putchar('\n');
    json_decref(line);
}

static int inspect(const struct ff_local_arguments *arguments, const struct ff_settings *settings)
{
    struct inspection inspection = {.try_orientation = arguments->has_extra};
    int result = list_contents(&inspection, arguments->file);
    if (result == 0)
        result = read_scan(&inspection, settings);
    if (arguments->json)
        print_json(&inspection, arguments->file);
    else
        print_text(&inspection, arguments->file);
    fflush(stdout);
    int status = result == 0 ? 0 : ff_local_report("inspect", false, &inspection.failure);
    json_decref(inspection.contents);
    json_decref(inspection.formats);
    json_decref(inspection.scan);
    json_decref(inspection.doubts);
    json_decref(inspection.notes);
    json_decref(inspection.orientation);
    return status;
}

/* The settings with the file as their input, checked as reconstruct does. */
static int read_command_line(int argc, char **argv, struct ff_local_arguments *arguments,
                             struct ff_error *error)
{
    struct ff_settings *settings = arguments->values;
    if (ff_local_arguments_read("inspect", argc, argv, arguments, error) < 0)
        return -1;
    if (arguments->help)
        return 0;
    if (ff_options_set(arguments->table, settings, "input", arguments->file, error) < 0)
        return -1;
    return ff_settings_complete(settings, error);
}

int main(int argc, char **argv)
{
    struct ff_error error = {0};
    struct ff_settings *settings = ff_settings_create(&error);
    if (settings == NULL)
        return ff_local_report("inspect", false, &error);
    struct ff_local_arguments arguments = {
        .extra = "--orientation", .table = &ff_settings_table, .values = settings};
    int status = 0;
    if (read_command_line(argc, argv, &arguments, &error) < 0)
        status = ff_local_report("inspect", arguments.json, &error);
    else if (arguments.help)
        fputs(usage, stdout);
    else
        status = inspect(&arguments, settings);
    ff_settings_destroy(settings);
    return status;
}

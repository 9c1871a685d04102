/*
 * simulate: the native function. Arguments are the settings (settings.c); the result is
 *
 *     {"output": …, "patterns": n, "size": px, "object_px": [rows, columns], "object_pixel_m": m,
 *      "reader": {…}, "seconds": s}
 *
 * `output` is the file to read, the first of a series; `reader` are the settings of `reconstruct`
 * that say what its format has no place for.
 */
#include "functions/function.h"
#include "functions/simulate/plan.h"
#include "functions/simulate/write.h"
#include "protocol/core/clock.h"
#include "protocol/core/file.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct work {
    struct ff_call *call;
    struct ff_simulate_settings settings;
    struct ff_simulation *simulation;
    int64_t started_ns;
};

static double seconds_of(const struct work *work)
{
    return (double)(ff_monotonic_ns() - work->started_ns) / 1e9;
}

/* A scan that was ended half-way is no scan, so a stop leaves nothing. */
static bool on_step(void *user, size_t done)
{
    enum { TELL_EVERY = 16 };
    const struct work *work = user;
    size_t patterns = work->simulation->frame_count;
    if (done % TELL_EVERY == 0 || done == patterns) {
        char numbers[128];
        snprintf(numbers, sizeof numbers,
                 "{\"pattern\": %zu, \"patterns\": %zu, \"seconds\": %.3f}", done, patterns,
                 seconds_of(work));
        ff_call_progress(work->call, (double)done / (double)patterns, numbers);
    }
    return ff_call_should_stop(work->call) == FF_GO_ON;
}

static int make_absolute(char **path, struct ff_error *error)
{
    char here[PATH_MAX];
    if ((*path)[0] == '/')
        return 0;
    if (getcwd(here, sizeof here) == NULL)
        return ff_fail_errno(error, FF_OUTPUT_FAILED, errno, "cannot tell the current folder");
    char *absolute = ff_path_join(here, *path);
    if (absolute == NULL)
        return ff_fail(error, FF_NO_MEMORY, "no memory for the output's name");
    free(*path);
    *path = absolute;
    return 0;
}

static int read_settings(struct work *work, struct ff_error *error)
{
    size_t size;
    const char *arguments = ff_call_arguments(work->call, &size);
    if (ff_options_init(&ff_simulate_table, &work->settings, error) < 0 ||
        ff_options_read_json(&ff_simulate_table, &work->settings, arguments, size, error) < 0)
        return -1;
    char usual[64];
    snprintf(usual, sizeof usual, "simulated%s", ff_simulate_format(work->settings.format)->ending);
    if (work->settings.output[0] == '\0' &&
        ff_options_set(&ff_simulate_table, &work->settings, "output", usual, error) < 0)
        return -1;
    if (work->settings.threads == 0 && ff_call_facts(work->call)->core_count > 0)
        work->settings.threads = (int64_t)ff_call_facts(work->call)->core_count;
    if (ff_call_facts(work->call)->task_id[0] != '\0' && work->settings.output[0] != '/') {
        ff_fail(error, FF_INVALID_SETTING, "the output '%s' is not absolute",
                work->settings.output);
        return ff_hint(error, "a task has no folder of its own that lasts: give the whole path");
    }
    return make_absolute(&work->settings.output, error);
}

static int simulate(struct work *work, struct ff_error *error)
{
    if (read_settings(work, error) < 0)
        return -1;
    work->simulation = ff_simulation_create(&work->settings, error);
    if (work->simulation == NULL)
        return -1;
    return ff_simulation_write(work->simulation, work->settings.output, on_step, work, error);
}

/* What the format has no place for. */
static json_t *for_the_reader(const struct work *work)
{
    const struct ff_simulate_settings *settings = &work->simulation->settings;
    json_t *reader = json_object();
    char *table = ff_simulate_table_path(settings, settings->output);
    if (ff_simulate_format(settings->format)->lacks_geometry) {
        json_object_set_new(reader, "energy_eV", json_real(settings->energy_eV));
        json_object_set_new(reader, "distance_m", json_real(settings->distance_m));
        json_object_set_new(reader, "detector_pixel_um", json_real(settings->pixel_um));
    }
    if (table != NULL)
        json_object_set_new(reader, "positions_file", json_string(table));
    if (settings->fly > 1)
        json_object_set_new(reader, "fly", json_integer(settings->fly));
    if (settings->field == FF_SIMULATE_NEAR_FIELD)
        json_object_set_new(reader, "near_field", json_string("on"));
    if (settings->pad > 0)
        json_object_set_new(reader, "pad", json_integer(settings->pad));
    free(table);
    return reader;
}

static json_t *describe(const struct work *work)
{
    const struct ff_simulation *simulation = work->simulation;
    char *main_path = ff_simulate_main_path(&simulation->settings, simulation->settings.output);
    json_t *json = json_pack(
        "{s:s*, s:I, s:I, s:[I, I], s:f, s:o*, s:f}", "output", main_path, "patterns",
        (json_int_t)simulation->frame_count, "size", (json_int_t)simulation->size, "object_px",
        (json_int_t)simulation->rows, (json_int_t)simulation->columns, "object_pixel_m",
        simulation->object_pixel_m, "reader", for_the_reader(work), "seconds", seconds_of(work));
    free(main_path);
    return json;
}

static int answer(const struct work *work)
{
    const struct ff_simulation *simulation = work->simulation;
    if (simulation->saturated > 0) {
        char text[128];
        snprintf(text, sizeof text, "%zu pixels counted more than they can and are cut off",
                 simulation->saturated);
        ff_call_log(work->call, FF_CALL_WARNING, text);
    }
    json_t *json = describe(work);
    char *text = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;
    json_decref(json);
    if (text == NULL)
        return ff_call_fail(work->call, "NO_MEMORY", "no memory for the answer", "");
    int outcome = ff_call_succeed(work->call, text, strlen(text));
    free(text);
    return outcome;
}

static int invoke(struct ff_call *call)
{
    struct ff_error error = {0};
    struct work work = {.call = call, .started_ns = ff_monotonic_ns()};
    int outcome = simulate(&work, &error) == 0
                      ? answer(&work)
                      : ff_call_fail(call, ff_error_name(error.code), error.message, error.hint);
    ff_simulation_destroy(work.simulation);
    ff_options_dispose(&ff_simulate_table, &work.settings);
    return outcome;
}

FF_FUNCTION_EXPORT const struct ff_function farfield_function = {
    .abi = FF_FUNCTION_ABI,
    .size = sizeof(struct ff_function),
    .name = "simulate",
    .version = FF_VERSION,
    .summary = "makes a ptychographic scan whose truth is known",
    .flags = FF_FUNCTION_CAN_STOP,
    .invoke = invoke,
};

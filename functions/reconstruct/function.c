/*
 * reconstruct: the native function. Arguments are the settings (settings.c) as a JSON object; the
 * result says where the files are, how good they are, and where the time went:
 *
 *     {"output": …, "pictures": […], "epochs": n, "cost": c, "r": r, "seconds": s, "stopped": …,
 *      "device": …, "resumed_at": n, "bytes": n, "device_bytes": n, "timings": {"read_s": …, …}}
 *
 * `farfield reconstruct` calls it in its own process, `farfield run reconstruct` on an endpoint.
 */
#include "functions/function.h"
#include "functions/reconstruct/build.h"
#include "functions/reconstruct/device_choice.h"
#include "functions/reconstruct/orientation_trial.h"
#include "functions/reconstruct/outputs.h"
#include "functions/reconstruct/place.h"
#include "functions/reconstruct/run_settings.h"
#include "functions/reconstruct/spacing.h"
#include "protocol/core/clock.h"
#include "protocol/core/file.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A task's time limit kills: so much before it the run ends by itself and keeps its result. */
static const double reserve_s = 2;

struct reconstruction {
    struct ff_call *call;
    const struct ff_call_facts *facts;
    struct ff_settings *settings;
    struct ff_problem *problem;
    struct ff_device_choice choice;
    struct ff_run_result result;
    int64_t started_ns;
    double read_seconds;
    int orientation; /* number in ff_orientations */
    struct ff_buffer preview;
    struct ff_file_writer checkpoint; /* while one is written */
    int64_t preview_due_ns;           /* none is made before */
};

static double seconds_since(int64_t start_ns)
{
    return (double)(ff_monotonic_ns() - start_ns) / 1e9;
}

/* One log line for each line of `notes`. */
static void log_notes(struct ff_call *call, struct ff_buffer *notes)
{
    const char *at = ff_buffer_text(notes);
    while (*at != '\0') {
        char line[1024];
        size_t length = strcspn(at, "\n");
        snprintf(line, sizeof line, "%.*s", (int)(length < 1000 ? length : 1000), at);
        ff_call_log(call, FF_CALL_WARNING, line);
        at += length + (at[length] == '\n');
    }
    ff_buffer_clear(notes);
}

/* --- what the run tells and asks --- */

static void on_epoch(void *user, const struct ff_run_epoch *epoch)
{
    struct reconstruction *own = user;
    char numbers[256];
    snprintf(numbers, sizeof numbers,
             "{\"epoch\": %zu, \"epochs\": %zu, \"cost\": %.9g, \"r\": %.9g, \"seconds\": %.6f}",
             epoch->epoch, epoch->epochs, epoch->cost, epoch->r, epoch->seconds);
    ff_call_progress(own->call, (double)epoch->epoch / (double)epoch->epochs, numbers);
}

/* Quick epochs would spend more on pictures than on themselves: they get a fiftieth of the time. */
static void on_preview(void *user, const struct ff_run_view *view)
{
    struct reconstruction *own = user;
    struct ff_error error;
    int64_t start = ff_monotonic_ns();
    if (start < own->preview_due_ns)
        return;
    ff_buffer_clear(&own->preview);
    if (ff_outputs_preview(view->problem, view->state->object, &own->preview, &error) == 0)
        ff_call_preview(own->call, "phase.png", "image/png", own->preview.data, own->preview.size);
    else
        ff_call_log(own->call, FF_CALL_WARNING, error.message);
    int64_t end = ff_monotonic_ns();
    own->preview_due_ns = end + 49 * (end - start);
}

static void on_note(void *user, const char *text)
{
    struct reconstruction *own = user;
    ff_call_log(own->call, FF_CALL_INFO, text);
}

static enum ff_run_order on_asked(void *user)
{
    const struct reconstruction *own = user;
    switch (ff_call_should_stop(own->call)) {
    case FF_STOP_AND_KEEP:
        return FF_RUN_STOP;
    case FF_CHECKPOINT:
        return FF_RUN_CHECKPOINT;
    case FF_GO_ON:
        break;
    }
    return FF_RUN_ON;
}

static int on_checkpoint_begin(void *user, struct ff_error *error)
{
    struct reconstruction *own = user;
    return ff_file_write_begin(&own->checkpoint, own->facts->checkpoint_path, 0600, error);
}

static int on_checkpoint_piece(void *user, struct ff_span piece, struct ff_error *error)
{
    struct reconstruction *own = user;
    return ff_file_write_piece(&own->checkpoint, piece, error);
}

static int on_checkpoint_end(void *user, bool whole, struct ff_error *error)
{
    struct reconstruction *own = user;
    return ff_file_write_end(&own->checkpoint, whole, error);
}

/* --- before the run --- */

/* Makes the output absolute. The working folder of a task is its scratch folder, which goes with
 * the task, so a relative output of a task means beside the input. */
static int place_output(struct reconstruction *own, struct ff_error *error)
{
    struct ff_settings *settings = own->settings;
    char here[PATH_MAX];
    if (settings->output[0] == '/')
        return 0;
    if (getcwd(here, sizeof here) == NULL)
        return ff_fail_errno(error, FF_OUTPUT_FAILED, errno, "cannot tell the current folder");
    const char *slash = strrchr(settings->input, '/');
    if (own->facts->task_id[0] != '\0' && slash != NULL)
        snprintf(here, sizeof here, "%.*s", (int)(slash - settings->input), settings->input);
    char *output = ff_path_join(here, settings->output);
    if (output == NULL)
        return ff_fail(error, FF_NO_MEMORY, "no memory for the output's name");
    free(settings->output);
    settings->output = output;
    return 0;
}

static int read_settings(struct reconstruction *own, struct ff_error *error)
{
    size_t size;
    const char *arguments = ff_call_arguments(own->call, &size);
    own->settings = ff_settings_create(error);
    if (own->settings == NULL ||
        ff_options_read_json(&ff_settings_table, own->settings, arguments, size, error) < 0 ||
        ff_settings_complete(own->settings, error) < 0)
        return -1;
    return place_output(own, error);
}

static int log_spacing(struct reconstruction *own, struct ff_error *error)
{
    struct ff_spacing spacing;
    struct ff_buffer lines;
    if (ff_spacing_of(own->problem, &spacing, error) < 0)
        return -1;
    ff_buffer_init(&lines, FF_NOTES_BYTES_MAX);
    ff_spacing_doubts(&spacing, &lines);
    log_notes(own->call, &lines);
    ff_buffer_dispose(&lines);
    return 0;
}

static int read_problem(struct reconstruction *own, struct ff_error *error)
{
    int64_t start = ff_monotonic_ns();
    struct ff_buffer notes;
    if (ff_outputs_check(own->settings->output, own->settings->input, error) < 0)
        return -1;
    ff_buffer_init(&notes, FF_NOTES_BYTES_MAX);
    own->problem = ff_problem_create(own->settings, &notes, error);
    log_notes(own->call, &notes);
    ff_buffer_dispose(&notes);
    if (own->problem == NULL || log_spacing(own, error) < 0)
        return -1;
    own->read_seconds = seconds_since(start);
    return 0;
}

static int choose_devices(struct reconstruction *own, struct ff_error *error)
{
    const struct ff_device_choice *choice = &own->choice;
    if (ff_device_choice_make(own->settings, own->facts->device_count, &own->choice, error) < 0)
        return -1;
    if (choice->note[0] != '\0')
        ff_call_log(own->call, choice->is_trouble ? FF_CALL_WARNING : FF_CALL_INFO, choice->note);
    return 0;
}

/* What is left for the run of the user's limit and of the task's; 0 where there is neither. */
static double time_limit(const struct reconstruction *own)
{
    double asked = own->settings->time_limit_s > 0 ? own->settings->time_limit_s : INFINITY;
    double until_killed = own->facts->seconds_left;
    double until_kept = until_killed - fmax(reserve_s, 0.05 * until_killed);
    double limit = isfinite(until_killed) ? fmin(asked, until_kept) : asked;
    return isfinite(limit) ? fmax(limit - seconds_since(own->started_ns), 1e-3) : 0;
}

static struct ff_run_settings run_settings(const struct reconstruction *own)
{
    struct ff_run_settings settings = ff_run_settings_of(own->settings, own->problem->patterns);
    ff_device_choice_apply(&own->choice, &settings);
    settings.cores = own->facts->cores;
    settings.core_count = own->facts->core_count;
    settings.cache_folder = own->facts->cache_folder;
    settings.time_limit_s = time_limit(own);
    return settings;
}

/* Says what was found and lays the positions so, where the margin is clear. */
static int take_orientation(struct reconstruction *own, const struct ff_orientation_trial *trial,
                            struct ff_error *error)
{
    const struct ff_orientation *best = &ff_orientations[trial->best];
    bool twins = trial->twin_margin < FF_ORIENTATION_TWIN_MARGIN;
    char text[512];
    if (trial->margin < FF_ORIENTATION_MARGIN) {
        snprintf(
            text, sizeof text,
            "orientation: %zu patterns fit no way clearly better than the others (margin %.2f); "
            "the positions are taken as they are",
            trial->patterns, trial->margin);
        ff_call_log(own->call, FF_CALL_WARNING, text);
        return 0;
    }
    if (trial->best == 0 || (twins && ff_orientation_twin(trial->best) == 0))
        return 0;
    snprintf(text, sizeof text,
             "orientation: the positions fit %s, by a factor of %.2f in the cost; taken so%s%s",
             best->name, trial->margin, twins ? "; its twin, which fits alike, is " : "",
             twins ? ff_orientations[ff_orientation_twin(trial->best)].name : "");
    ff_call_log(own->call, FF_CALL_WARNING, text);
    own->orientation = (int)trial->best;
    ff_orientation_apply(best, own->problem->positions_m,
                         own->problem->patterns * own->problem->fly);
    return ff_problem_place(own->problem, own->settings->positions != 0, error);
}

/* Whether the positions lie as the file says; where a part of the patterns fits another way clearly
 * better, they are laid so. */
static int settle_orientation(struct reconstruction *own, struct ff_error *error)
{
    const struct ff_run_settings settings = run_settings(own);
    struct ff_orientation_trial trial;
    own->orientation = own->settings->orientation > 0 ? own->settings->orientation - 1 : 0;
    /* An object to begin with belongs to the positions as they are. */
    if (own->settings->orientation > 0 || own->settings->initial_object[0] != '\0')
        return 0;
    if (ff_orientation_try(own->problem, &settings, FF_ORIENTATION_QUICK,
                           FF_ORIENTATION_QUICK_EPOCHS, &trial, error) < 0)
        return -1;
    if (trial.best == 0 && trial.margin >= FF_ORIENTATION_MARGIN)
        return 0;
    if (ff_orientation_try(own->problem, &settings, FF_ORIENTATION_ALL, FF_ORIENTATION_EPOCHS,
                           &trial, error) < 0)
        return -1;
    return take_orientation(own, &trial, error);
}

/* --- the run --- */

/* The checkpoint to go on from: empty where there is none and none was asked for by name. */
static int open_checkpoint(const struct reconstruction *own, struct ff_span *bytes,
                           struct ff_error *error)
{
    const char *resume = own->settings->resume;
    bool automatic = strcmp(resume, "auto") == 0;
    const char *path = automatic ? own->facts->checkpoint_path : resume;
    *bytes = (struct ff_span){NULL, 0};
    if (strcmp(resume, "never") == 0 || path == NULL || ff_file_map(path, bytes, error) == 0)
        return 0;
    if (!automatic)
        return ff_fail_prefix(error, "no checkpoint to go on from: ");
    if (error->code != FF_INPUT_MISSING)
        ff_call_log(own->call, FF_CALL_WARNING, error->message);
    return 0;
}

static int run(struct reconstruction *own, struct ff_error *error)
{
    const struct ff_run_settings settings = run_settings(own);
    const struct ff_checkpoint_sink sink = {own, on_checkpoint_begin, on_checkpoint_piece,
                                            on_checkpoint_end};
    const struct ff_run_watch watch = {
        .user = own,
        .epoch = on_epoch,
        .preview = on_preview,
        .note = on_note,
        .asked = on_asked,
        .checkpoint = own->facts->checkpoint_path != NULL ? &sink : NULL,
    };
    struct ff_span bytes;
    if (open_checkpoint(own, &bytes, error) < 0)
        return -1;
    int result = ff_run(own->problem, &settings, &watch, bytes, &own->result, error);
    if (result < 0 && bytes.size > 0 && error->code == FF_INPUT_INVALID &&
        strcmp(own->settings->resume, "auto") == 0) {
        char text[FF_ERROR_MESSAGE_SIZE + 32];
        snprintf(text, sizeof text, "starting afresh: %s", error->message);
        ff_call_log(own->call, FF_CALL_WARNING, text);
        result = ff_run(own->problem, &settings, &watch, (struct ff_span){0}, &own->result, error);
    }
    ff_file_unmap(bytes);
    return result;
}

/* The pool pins its other threads; the calling one is pinned here, for as long as it computes. */
static int run_pinned(struct reconstruction *own, struct ff_error *error)
{
    cpu_set_t before;
    cpu_set_t own_core;
    bool pin = own->facts->cores != NULL && own->facts->core_count > 0 &&
               pthread_getaffinity_np(pthread_self(), sizeof before, &before) == 0;
    if (pin) {
        CPU_ZERO(&own_core);
        CPU_SET((size_t)own->facts->cores[0], &own_core);
        pthread_setaffinity_np(pthread_self(), sizeof own_core, &own_core);
    }
    int result = run(own, error);
    if (pin)
        pthread_setaffinity_np(pthread_self(), sizeof before, &before);
    return result;
}

/* --- after the run --- */

static char *settings_text(const struct ff_settings *settings)
{
    json_t *json = ff_options_to_json(&ff_settings_table, settings);
    char *text = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;
    json_decref(json);
    return text;
}

static int write_outputs(struct reconstruction *own, json_t *pictures, struct ff_error *error)
{
    const struct ff_run_result *result = &own->result;
    bool corrected =
        own->settings->positions != 0 && result->epochs >= (size_t)own->settings->positions_start;
    char *settings = settings_text(own->settings);
    if (settings == NULL)
        return ff_fail(error, FF_NO_MEMORY, "no memory for the record of the settings");
    const struct ff_result_content content = {
        .problem = own->problem,
        .object = result->state->object,
        .probe = result->state->probe,
        .modes = result->state->modes,
        .positions = corrected ? result->state->positions : NULL,
        .eigenprobe_count = result->state->eigenprobes,
        .varied_modes = 1,
        .eigenprobes = result->state->probe + result->state->modes * own->problem->probe_rows *
                                                  own->problem->probe_columns,
        .orientation = ff_orientations[own->orientation].name,
        .opr_weights = result->state->eigenprobes > 0 ? result->state->weights : NULL,
        .scales = own->settings->intensities ? result->state->scales : NULL,
        .costs = result->costs,
        .epochs = result->epochs,
        .resumed_at = result->resumed_at,
        .cost = result->cost,
        .r = result->r,
        .stopped = ff_run_end_name(result->end),
        .settings = settings,
        .device = result->device,
        .read_seconds = own->read_seconds,
        .plan_seconds = result->plan_seconds,
        .iterate_seconds = result->iterate_seconds,
    };
    struct ff_buffer notes;
    ff_buffer_init(&notes, FF_NOTES_BYTES_MAX);
    int outcome = ff_outputs_write(own->settings->output, &content, pictures, &notes, error);
    if (outcome == 0 && own->settings->tiff)
        ff_outputs_write_tiffs(own->settings->output, &content, pictures, &notes);
    log_notes(own->call, &notes);
    ff_buffer_dispose(&notes);
    free(settings);
    return outcome;
}

static json_t *describe(const struct reconstruction *own, json_t *pictures, double write_seconds)
{
    const struct ff_run_result *result = &own->result;
    return json_pack(
        "{s:s, s:O, s:I, s:f, s:f, s:f, s:s, s:s, s:I, s:I, s:I, s:{s:f, s:f, s:f, s:f, s:f, s:f}}",
        "output", own->settings->output, "pictures", pictures, "epochs", (json_int_t)result->epochs,
        "cost", result->cost, "r", result->r, "seconds", result->iterate_seconds, "stopped",
        ff_run_end_name(result->end), "device", result->device, "resumed_at",
        (json_int_t)result->resumed_at, "bytes", (json_int_t)result->bytes, "device_bytes",
        (json_int_t)result->device_bytes, "timings", "read_s", own->read_seconds, "plan_s",
        result->plan_seconds, "iterate_s", result->iterate_seconds, "figures_s",
        result->final_seconds, "write_s", write_seconds, "total_s", seconds_since(own->started_ns));
}

static int conclude(struct reconstruction *own, struct ff_error *error)
{
    int64_t start = ff_monotonic_ns();
    json_t *pictures = json_array();
    char *text = NULL;
    int result = pictures != NULL ? write_outputs(own, pictures, error)
                                  : ff_fail(error, FF_NO_MEMORY, "no memory for the answer");
    if (result == 0) {
        json_t *json = describe(own, pictures, seconds_since(start));
        text = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;
        json_decref(json);
        if (text == NULL)
            result = ff_fail(error, FF_NO_MEMORY, "no memory for the answer");
    }
    json_decref(pictures);
    int outcome = result == 0 ? ff_call_succeed(own->call, text, strlen(text)) : -1;
    free(text);
    return outcome;
}

/* Leased GPUs that are not there or fail are no fault of the task: other ones may take it on, from its checkpoint. */
static bool is_of_devices(const struct reconstruction *own, const struct ff_error *error)
{
    const struct ff_backend_operations *operations = own->choice.operations;
    bool ran_on_them = operations != NULL && operations->is_apart;
    return own->facts->device_count > 0 &&
           (error->code == FF_NO_DEVICE || (ran_on_them && error->code == FF_NO_MEMORY));
}

static int fail(const struct reconstruction *own, const struct ff_error *error)
{
    const char *code = ff_error_name(error->code);
    if (is_of_devices(own, error))
        return ff_call_lost(own->call, code, error->message, error->hint);
    return ff_call_fail(own->call, code, error->message, error->hint);
}

static int invoke(struct ff_call *call)
{
    struct ff_error error = {0};
    struct reconstruction own = {
        .call = call, .facts = ff_call_facts(call), .started_ns = ff_monotonic_ns()};
    ff_buffer_init(&own.preview, FF_PICTURE_BYTES_MAX);
    int outcome = -1;
    if (read_settings(&own, &error) == 0 && read_problem(&own, &error) == 0 &&
        choose_devices(&own, &error) == 0 && settle_orientation(&own, &error) == 0 &&
        run_pinned(&own, &error) == 0)
        outcome = own.result.end == FF_RUN_YIELDED ? ff_call_yield(call) : conclude(&own, &error);
    if (outcome < 0)
        outcome = fail(&own, &error);
    ff_run_result_dispose(&own.result);
    ff_problem_destroy(own.problem);
    ff_settings_destroy(own.settings);
    ff_buffer_dispose(&own.preview);
    return outcome;
}

FF_FUNCTION_EXPORT const struct ff_function farfield_function = {
    .abi = FF_FUNCTION_ABI,
    .size = sizeof(struct ff_function),
    .name = "reconstruct",
    .version = FF_VERSION,
    .summary = "turns ptychographic diffraction patterns into an image",
    .flags = FF_FUNCTION_CAN_STOP | FF_FUNCTION_CAN_CHECKPOINT,
    .invoke = invoke,
};

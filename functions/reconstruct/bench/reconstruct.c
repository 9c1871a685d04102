/*
 * farfield bench reconstruct: seconds of an epoch, beside the same transforms alone.
 *
 * The epochs are those of a real run; the best of several counts, because whatever else the machine
 * did can only have made one slower. fft_seconds_per_epoch is the time of the same transforms by
 * FFTW with padded rows, on the same threads, in this process, whatever made them in the run; on
 * GPUs that of cuFFT on the same devices.
 */
#include "functions/local/program.h"
#include "functions/reconstruct/bench/model/report.h"
#include "functions/reconstruct/build.h"
#include "functions/reconstruct/device_choice.h"
#include "functions/reconstruct/run_settings.h"
#include "functions/simulate/measurement.h"
#include "protocol/core/file.h"
#include "protocol/core/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static const char help[] =
    "usage: farfield bench reconstruct [FILE] [--set KEY=VALUE]… [--modes 1,5] [--threads N]\n"
    "                                  [--devices cpu:2|cuda:4|…] [--json]\n"
    "\n"
    "Times an epoch of a reconstruction, and the same Fourier transforms alone. Without FILE it\n"
    "simulates 516 patterns of 128 × 128 pixels. --set takes the settings of reconstruct.\n"
    "\n"
    "  farfield bench reconstruct scan.cxi --modes 1,5 --threads 2\n"
    "  farfield bench reconstruct --model a100-40    modelled on GPUs\n"
    "\n"
    "Exit status: 0 done, 1 failed, 2 wrong use.\n";

enum { MODES_MAX = 16, EPOCHS = 18, EARLY_EPOCHS = 4, TRANSFORM_ROUNDS = 7, SIMULATED = 516 };

struct bench {
    struct ff_settings *settings;
    size_t modes[MODES_MAX];
    size_t mode_count;
    bool json, help;
    char *cache_folder;
    struct ff_device_choice choice;
};

/* What a run of one number of modes gave. */
struct figures {
    double epoch_s, transforms_s;
    double early_s; /* of one of the first epochs, which may have more batches */
    double last_s;  /* when the last epoch ended */
    char device[160];
};

/* --- the command line --- */

static int take_modes(struct bench *bench, const char *list, struct ff_error *error)
{
    bench->mode_count = 0;
    for (const char *at = list; *at != '\0';) {
        char number[16];
        int64_t modes;
        size_t length = strcspn(at, ",");
        snprintf(number, sizeof number, "%.*s", (int)(length < 15 ? length : 15), at);
        if (bench->mode_count == MODES_MAX || ff_text_integer(number, 1, 64, &modes) < 0)
            return ff_fail(error, FF_INVALID_ARGUMENT,
                           "--modes takes up to %d numbers of 1 … 64, as in 1,5", MODES_MAX);
        bench->modes[bench->mode_count++] = (size_t)modes;
        at += length + (at[length] == ',');
    }
    return 0;
}

static int take(struct bench *bench, const char *option, const char *value, struct ff_error *error)
{
    const struct ff_option_table *table = &ff_settings_table;
    if (value == NULL)
        return ff_fail(error, FF_INVALID_ARGUMENT, "%s needs a value", option);
    if (strcmp(option, "--modes") == 0)
        return take_modes(bench, value, error);
    if (strcmp(option, "--threads") == 0 || strcmp(option, "--devices") == 0)
        return ff_options_set(table, bench->settings, option + 2, value, error);
    if (strcmp(option, "--set") == 0)
        return ff_options_assign(table, bench->settings, value, error);
    ff_fail(error, FF_INVALID_ARGUMENT, "'%s' means nothing here", option);
    return ff_hint(error, "farfield bench reconstruct --help shows how it is called");
}

static int read_command_line(struct bench *bench, int argc, char **argv, struct ff_error *error)
{
    for (int i = 1; i < argc; i++) {
        int result = 0;
        if (strcmp(argv[i], "--json") == 0)
            bench->json = true;
        else if (strcmp(argv[i], "--help") == 0)
            bench->help = true;
        else if (argv[i][0] != '-')
            result = ff_options_set(&ff_settings_table, bench->settings, "input", argv[i], error);
        else {
            result = take(bench, argv[i], i + 1 < argc ? argv[i + 1] : NULL, error);
            i++;
        }
        if (result < 0)
            return -1;
    }
    if (bench->mode_count == 0)
        bench->modes[bench->mode_count++] = (size_t)bench->settings->modes;
    struct ff_device_wish wish;
    return ff_settings_devices(bench->settings, &wish, error);
}

/* --- the problem --- */

static struct ff_problem *simulate(const struct ff_settings *settings, struct ff_error *error)
{
    struct ff_simulate_settings wanted = {0};
    struct ff_measurement measurement = {0};
    struct ff_problem *problem = NULL;
    struct ff_simulation *simulation = NULL;
    if (ff_options_init(&ff_simulate_table, &wanted, error) == 0) {
        wanted.patterns = SIMULATED;
        simulation = ff_simulation_create(&wanted, error);
    }
    if (simulation != NULL && ff_simulation_measure(simulation, &measurement, error) == 0)
        problem = ff_problem_of_measurement(&measurement, "the simulation", settings, error);
    ff_measurement_dispose(&measurement);
    ff_simulation_destroy(simulation);
    ff_options_dispose(&ff_simulate_table, &wanted);
    return problem;
}

static struct ff_problem *make_problem(const struct bench *bench, struct ff_error *error)
{
    if (bench->settings->input[0] == '\0')
        return simulate(bench->settings, error);
    struct ff_buffer notes;
    ff_buffer_init(&notes, FF_NOTES_BYTES_MAX);
    struct ff_problem *problem = ff_problem_create(bench->settings, &notes, error);
    ff_buffer_dispose(&notes);
    return problem;
}

/* --- the measurement --- */

static void on_epoch(void *user, const struct ff_run_epoch *epoch)
{
    struct figures *figures = user;
    double *least = epoch->epoch <= EARLY_EPOCHS ? &figures->early_s : &figures->epoch_s;
    *least = fmin(*least, epoch->seconds - figures->last_s);
    figures->last_s = epoch->seconds;
}

/* Epochs of a real run, without what a user sees of it. The first ones, in which a run fills the
 * caches, may leave the probe alone and may have more batches, are fewer than the user's. */
static struct ff_run_settings run_settings(const struct bench *bench,
                                           const struct ff_problem *problem)
{
    struct ff_run_settings settings = ff_run_settings_of(bench->settings, problem->patterns);
    ff_device_choice_apply(&bench->choice, &settings);
    settings.solver.epochs = EPOCHS;
    if (settings.solver.early_epochs > EARLY_EPOCHS)
        settings.solver.early_epochs = EARLY_EPOCHS;
    settings.cache_folder = bench->cache_folder;
    settings.preview_every = settings.checkpoint_every = 0;
    settings.time_limit_s = 0;
    return settings;
}

static int time_transforms(const struct ff_problem *problem, const struct ff_run_settings *settings,
                           struct figures *figures, struct ff_error *error)
{
    const struct ff_devices_plan plan = {
        .problem = problem,
        .operations = settings->operations,
        .count = settings->devices,
        .modes = problem->modes,
        .batch_limit = 1,
        .engine = FF_ENGINE_LIBRARY,
        .threads = settings->threads,
        .cache_folder = settings->cache_folder,
    };
    struct ff_devices *devices = ff_devices_create(&plan, error);
    if (devices == NULL)
        return -1;
    for (int i = 0; i < TRANSFORM_ROUNDS; i++)
        figures->transforms_s =
            fmin(figures->transforms_s, ff_devices_time_transforms(devices, problem->patterns));
    ff_devices_destroy(devices);
    return 0;
}

/* Transforms before and after the epochs, so that both meet the same machine. */
static int measure(const struct bench *bench, const struct ff_problem *problem,
                   struct figures *figures, struct ff_error *error)
{
    const struct ff_run_settings settings = run_settings(bench, problem);
    const struct ff_run_watch watch = {.user = figures, .epoch = on_epoch};
    struct ff_run_result result;
    *figures = (struct figures){.epoch_s = INFINITY, .early_s = INFINITY, .transforms_s = INFINITY};
    if (time_transforms(problem, &settings, figures, error) < 0 ||
        ff_run(problem, &settings, &watch, (struct ff_span){0}, &result, error) < 0)
        return -1;
    snprintf(figures->device, sizeof figures->device, "%s", result.device);
    ff_run_result_dispose(&result);
    return time_transforms(problem, &settings, figures, error);
}

/* The last part of a device's description. */
static const char *transform_of(const char *device)
{
    const char *comma = strrchr(device, ',');
    return comma != NULL ? comma + 1 + strspn(comma + 1, " ") : device;
}

static void print(const struct bench *bench, const struct ff_problem *problem,
                  const struct figures *figures)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    double share = figures->transforms_s / figures->epoch_s;
    if (!bench->json) {
        printf("%lld mode%s: %.2f ms an epoch (%.2f one of the first), its transforms alone by %s "
               "%.2f ms (share %.2f), %s\n",
               (long long)bench->settings->modes, bench->settings->modes == 1 ? "" : "s",
               1e3 * figures->epoch_s, 1e3 * figures->early_s,
               bench->choice.operations->is_apart ? "cuFFT" : "FFTW", 1e3 * figures->transforms_s,
               share, figures->device);
        return;
    }
    json_t *line = json_pack(
        "{s:s, s:I, s:I, s:I, s:s, s:f, s:f, s:f, s:f, s:I, s:s}", "algorithm",
        ff_settings_algorithm_name(bench->settings), "patterns", (json_int_t)problem->patterns,
        "size", (json_int_t)problem->rows, "modes", (json_int_t)bench->settings->modes, "devices",
        figures->device, "seconds_per_epoch", figures->epoch_s, "early_seconds_per_epoch",
        figures->early_s, "fft_seconds_per_epoch", figures->transforms_s, "fft_share", share,
        "peak_bytes", (json_int_t)usage.ru_maxrss * 1024, "transform",
        transform_of(figures->device));
    json_dumpf(line, stdout, JSON_COMPACT | JSON_REAL_PRECISION(6));
    putchar('\n');
    fflush(stdout);
    json_decref(line);
}

static int run(struct bench *bench, struct ff_error *error)
{
    char *home = ff_home(error);
    bench->cache_folder = home != NULL ? ff_path_join(home, "cache") : NULL;
    free(home);
    int result = bench->cache_folder != NULL
                     ? ff_device_choice_make(bench->settings, 0, &bench->choice, error)
                     : -1;
    if (result == 0 && bench->choice.note[0] != '\0')
        fprintf(stderr, "%s\n", bench->choice.note);
    for (size_t i = 0; result == 0 && i < bench->mode_count; i++) {
        struct figures figures;
        bench->settings->modes = (int64_t)bench->modes[i];
        struct ff_problem *problem = make_problem(bench, error);
        result = problem != NULL ? measure(bench, problem, &figures, error) : -1;
        if (result == 0)
            print(bench, problem, &figures);
        ff_problem_destroy(problem);
    }
    free(bench->cache_folder);
    return result;
}

int main(int argc, char **argv)
{
    if (ff_model_is_asked(argc, argv))
        return ff_model_program(argc, argv);
    struct ff_error error = {0};
    struct bench bench = {.settings = ff_settings_create(&error)};
    int result = bench.settings != NULL ? read_command_line(&bench, argc, argv, &error) : -1;
    if (result == 0 && bench.help)
        fputs(help, stdout);
    else if (result == 0)
        result = run(&bench, &error);
    ff_settings_destroy(bench.settings);
    return result == 0 ? 0 : ff_local_report("bench reconstruct", bench.json, &error);
}

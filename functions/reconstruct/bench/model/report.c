#include "functions/reconstruct/bench/model/report.h"

#include "functions/local/program.h"
#include "functions/reconstruct/bench/model/settings.h"
#include "protocol/core/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char usage[] =
    "usage: farfield bench reconstruct --model a100-40|a100-80|h100 [--scan coin|catalyst]\n"
    "                                  [--devices 1,2,4,8] [--KEY VALUE]… [--json]\n"
    "\n"
    "The modelled time of an epoch on CUDA devices, from counted bytes and launches: nothing is\n"
    "measured, and no device is needed. Bytes, seconds, efficiency against one device, and the\n"
    "assumptions.\n"
    "\n"
    "  farfield bench reconstruct --model a100-40\n"
    "  farfield bench reconstruct --model h100 --scan catalyst --devices 1,4 --links pairs\n"
    "  farfield bench reconstruct --model a100-40 --patterns 500 --size 512 --modes 4\n"
    "\n"
    "Exit status: 0 done, 1 failed, 2 wrong use.\n";

enum { COUNTS_MAX = 16 };

struct report {
    struct ff_model_settings settings;
    struct ff_model_case model;
    bool json, help;
};

int ff_model_is_asked(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--model") == 0 || strncmp(argv[i], "--model=", 8) == 0)
            return 1;
    return 0;
}

static int read_command_line(struct report *report, int argc, char **argv, struct ff_error *error)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0)
            report->json = true;
        else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            report->help = true;
        else if (strncmp(argv[i], "--", 2) != 0) {
            ff_fail(error, FF_INVALID_ARGUMENT, "'%s' means nothing here", argv[i]);
            return ff_hint(error, "a model takes no file: --patterns, --size and --overlap say "
                                  "what is scanned");
        } else if (ff_local_take_setting(&ff_model_table, &report->settings, argc, argv, &i,
                                         error) < 0)
            return -1;
    }
    return 0;
}

static int print_help(void)
{
    struct ff_buffer text;
    ff_buffer_init(&text, 1 << 20);
    ff_options_help(&ff_model_table, &text);
    printf("%s\n%.*s", usage, (int)text.size, text.data != NULL ? (const char *)text.data : "");
    ff_buffer_dispose(&text);
    return 0;
}

/* --- for people --- */

static void print_assumptions(const struct report *report, size_t object)
{
    const struct ff_model_case *model = &report->model;
    const struct ff_model_machine *machine = &model->machine;
    printf(
        "Modelled, not measured: %s on %s, %s: %zu patterns of %zu², %zu mode%s, %zu batches.\n"
        "It is assumed that\n"
        "  patterns lie on a raster with steps of %.4g px, over an object of %zu² px;\n"
        "  the far field, bilinear taps, counts of 16 bits that all fit the device, no\n"
        "  eigenprobes and no refinement; batches as in the first epoch with seed 0;\n"
        "  a launch takes max(bytes / (%.3g × %.5g GB/s), %.3g µs), with bytes in sectors of 32,\n"
        "  each once a launch and direction, whatever of them the second cache of %.3g MB still\n"
        "  has; it says that %zu patterns are at work at once;\n"
        "  a transform takes two launches, which each read and write all waves;\n"
        "  devices are joined by %s: %.4g GB/s in one direction, of a link and of all that a\n"
        "  device reads; %.4g GB/s to the host; a device knows %.3g µs later what another has\n"
        "  done; what runs at once shares memory and links evenly;\n"
        "  the host queues ahead of the devices, and where it waits for them it needs %.3g µs to\n"
        "  go on; what a run does between two epochs is not in it.\n\n",
        ff_model_algorithm_name(&report->settings), ff_model_machine_names[report->settings.model],
        ff_model_scan_name(&report->settings), model->patterns, model->size, model->modes,
        model->modes == 1 ? "" : "s", model->batches, model->step, object, machine->reached,
        machine->bandwidth / 1e9, machine->launch_s * 1e6, (double)machine->cache / 0x1p20,
        ff_model_at_once(model), ff_model_links_name(&report->settings), machine->link / 1e9,
        machine->host_link / 1e9, machine->latency_s * 1e6, machine->wait_s * 1e6);
}

/* Pixels of all patterns, a mode. */
static double values_of(const struct ff_model_case *model)
{
    return (double)(model->patterns * model->modes) * (double)(model->size * model->size);
}

static void print_bytes(const struct report *report, const struct ff_model_result *result)
{
    double values = values_of(&report->model);
    printf("On %u device%s  launches  bytes a pattern pixel and mode\n", result->devices,
           result->devices == 1 ? " " : "s");
    for (size_t i = 0; i < result->kernel_count; i++) {
        const struct ff_model_kernel *kernel = &result->kernels[i];
        printf("  %-14s  %7zu  %8.2f\n", kernel->name, kernel->launches, kernel->bytes / values);
    }
    printf("  beside the transforms     %8.2f\n\n", result->beside_bytes / values);
}

static double efficiency(const struct ff_model_result *one, const struct ff_model_result *many)
{
    return one->seconds / (many->devices * many->seconds);
}

static void print_result(const struct ff_model_result *one, const struct ff_model_result *result)
{
    char exchanged[32];
    ff_text_bytes((uint64_t)result->exchanged_bytes, exchanged, sizeof exchanged);
    printf("  %7u  %9.3f  %8.1f %%  %10s  %6.1f %%  %7.1f %%  %6.1f %%  %6.1f %%\n",
           result->devices, 1e3 * result->seconds, 100 * efficiency(one, result), exchanged,
           100 * result->moving_s / result->seconds, 100 * result->launching_s / result->seconds,
           100 * result->waiting_s / result->seconds, 100 * (result->uneven - 1));
}

/* --- for programs --- */

static void print_line(json_t *line)
{
    json_dumpf(line, stdout, JSON_COMPACT | JSON_REAL_PRECISION(6));
    putchar('\n');
    json_decref(line);
}

static void print_json_assumptions(const struct report *report)
{
    const struct ff_model_case *model = &report->model;
    const struct ff_model_machine *machine = &model->machine;
    print_line(json_pack("{s:s, s:s, s:f, s:f, s:I, s:f, s:f, s:f, s:f, s:f, s:f, s:I, s:I, s:I}",
                         "type", "assumptions", "links", ff_model_links_name(&report->settings),
                         "bandwidth", machine->bandwidth, "reached", machine->reached,
                         "cache_bytes", (json_int_t)machine->cache, "link", machine->link,
                         "host_link", machine->host_link, "launch_s", machine->launch_s,
                         "latency_s", machine->latency_s, "wait_s", machine->wait_s, "step_px",
                         model->step, "sector_bytes", (json_int_t)32, "transform_bytes",
                         (json_int_t)64, "patterns_at_once", (json_int_t)ff_model_at_once(model)));
}

static void print_json_result(const struct report *report, const struct ff_model_result *one,
                              const struct ff_model_result *result)
{
    const struct ff_model_case *model = &report->model;
    json_t *kernels = json_object();
    for (size_t i = 0; i < result->kernel_count; i++)
        json_object_set_new(kernels, result->kernels[i].name,
                            json_real(result->kernels[i].bytes / values_of(model)));
    print_line(json_pack(
        "{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:f, s:f, s:f, s:f, s:f, "
        "s:f, "
        "s:o}",
        "type", "modelled", "model", ff_model_machine_names[report->settings.model], "scan",
        ff_model_scan_name(&report->settings), "algorithm",
        ff_model_algorithm_name(&report->settings), "patterns", (json_int_t)model->patterns, "size",
        (json_int_t)model->size, "modes", (json_int_t)model->modes, "batches",
        (json_int_t)model->batches, "object", (json_int_t)result->object, "devices",
        (json_int_t)result->devices, "seconds_per_epoch", result->seconds, "efficiency",
        efficiency(one, result), "exchanged_bytes", result->exchanged_bytes,
        "bytes_beside_transforms", result->beside_bytes / values_of(model), "moving",
        result->moving_s / result->seconds, "launching", result->launching_s / result->seconds,
        "waiting", result->waiting_s / result->seconds, "uneven", result->uneven - 1,
        "bytes_by_kernel", kernels));
}

/* --- all of it --- */

static int print_all(const struct report *report, const struct ff_model_result *one,
                     const unsigned *devices, size_t count, struct ff_error *error)
{
    if (report->json)
        print_json_assumptions(report);
    else {
        print_assumptions(report, one->object);
        print_bytes(report, one);
        printf("  devices    epoch ms  efficiency   exchanged    moving  launching  waiting   "
               "uneven\n");
    }
    for (size_t i = 0; i < count; i++) {
        struct ff_model_result result;
        if (ff_model_run(&report->model, devices[i], &result, error) < 0)
            return -1;
        if (report->json)
            print_json_result(report, one, &result);
        else
            print_result(one, &result);
    }
    if (!report->json)
        printf("\nEfficiency against one device. Shares of an epoch, mean of the devices: kernels "
               "that move bytes,\nkernels that take what a launch takes, waiting for others or "
               "the host. Uneven: by how much the\ndevice with most patterns of a batch has more "
               "than the mean.\n");
    return 0;
}

static int run(const struct report *report, struct ff_error *error)
{
    unsigned devices[COUNTS_MAX];
    struct ff_model_result one;
    int count = ff_model_devices_of(&report->settings, devices, COUNTS_MAX, error);
    if (count < 0 || ff_model_run(&report->model, 1, &one, error) < 0)
        return -1;
    return print_all(report, &one, devices, (size_t)count, error);
}

int ff_model_program(int argc, char **argv)
{
    struct ff_error error = {0};
    struct report report = {0};
    int result = ff_options_init(&ff_model_table, &report.settings, &error);
    if (result == 0)
        result = read_command_line(&report, argc, argv, &error);
    if (result == 0 && report.help)
        result = print_help();
    else if (result == 0) {
        report.model = ff_model_case_of(&report.settings);
        result = run(&report, &error);
    }
    ff_options_dispose(&ff_model_table, &report.settings);
    return result == 0 ? 0 : ff_local_report("bench reconstruct", report.json, &error);
}

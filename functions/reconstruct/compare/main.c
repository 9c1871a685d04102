/* farfield compare: how near two results are, or a result and the truth. */
#include "functions/local/program.h"
#include "functions/reconstruct/compare/input.h"
#include "functions/reconstruct/compare/report.h"
#include "functions/reconstruct/picture/plot.h"
#include "functions/reconstruct/picture/terminal.h"
#include "functions/reconstruct/result.h"
#include "protocol/core/json_text.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
    "usage: farfield compare A B [--region REGION] [--output FILE.png] [--keep-hand] [--json]\n"
    "\n"
    "Tells how near the object of A is to that of B, once all is taken away that ptychography\n"
    "cannot know: a factor, a phase ramp, a shift, and whether it is the twin (conjugate, rotated\n"
    "by 180°). Prints the error relative to B, amplitude and phase, the resolution by Fourier "
    "ring\n"
    "correlation with the half-bit threshold (half a period), the similarity of the phases "
    "(SSIM),\n"
    "and how near the probes are.\n"
    "\n"
    "A and B are results, scans of `farfield simulate` (their truth), FILE.h5::/PATH for any\n"
    "object, FILE.npy, or a pair X-phase.tif, X-amplitude.tif, of which one is named.\n"
    "\n"
    "  farfield compare scan-recon.h5 scan.cxi\n"
    "  farfield compare half1.h5 half2.h5 --output frc.png\n"
    "  farfield compare scan-recon.h5 other.h5::/entry/object --region 100:400,120:420\n"
    "\n"
    "  --region REGION  what of B counts: scanned (default), all, or ROW:ROW,COLUMN:COLUMN\n"
    "  --output FILE    also draws the correlation into a PNG\n"
    "  --keep-hand      never takes A for the twin\n"
    "  --json           one JSON document\n"
    "Exit status: 0 done, 1 they cannot be compared (and why), 2 wrong use.\n";

struct command {
    const char *names[2];
    size_t count;
    struct ff_comparison_options options;
    const char *output;
    bool json, help;
};

static int misuse(struct ff_error *error)
{
    return ff_hint(error, "farfield compare --help shows how it is called");
}

static int read_region(const char *text, struct ff_comparison_options *options,
                       struct ff_error *error)
{
    struct ff_box *box = &options->box;
    int used = 0;
    if (strcmp(text, "scanned") == 0) {
        options->region = FF_REGION_SCANNED;
        return 0;
    }
    if (strcmp(text, "all") == 0) {
        options->region = FF_REGION_ALL;
        return 0;
    }
    options->region = FF_REGION_BOX;
    if (strchr(text, '-') == NULL &&
        sscanf(text, "%zu:%zu,%zu:%zu%n", &box->from[0], &box->to[0], &box->from[1], &box->to[1],
               &used) == 4 &&
        text[used] == '\0' && box->from[0] < box->to[0] && box->from[1] < box->to[1])
        return 0;
    ff_fail(error, FF_INVALID_ARGUMENT, "'%s' is no region", text);
    return ff_hint(error, "scanned, all, or rows and columns as 100:400,120:420");
}

static int read_option(struct command *command, const char *option, const char *value,
                       struct ff_error *error)
{
    if (strcmp(option, "--region") != 0 && strcmp(option, "--output") != 0) {
        ff_fail(error, FF_INVALID_ARGUMENT, "'%s' means nothing here", option);
        return misuse(error);
    }
    if (value == NULL) {
        ff_fail(error, FF_INVALID_ARGUMENT, "%s needs a value", option);
        return misuse(error);
    }
    if (strcmp(option, "--region") == 0)
        return read_region(value, &command->options, error);
    command->output = value;
    return 0;
}

static int read_command_line(struct command *command, int argc, char **argv, struct ff_error *error)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            command->help = true;
        else if (strcmp(argv[i], "--json") == 0)
            command->json = true;
        else if (strcmp(argv[i], "--keep-hand") == 0)
            command->options.keep_hand = true;
        else if (argv[i][0] == '-') {
            if (read_option(command, argv[i], i + 1 < argc ? argv[i + 1] : NULL, error) < 0)
                return -1;
            i++;
        } else if (command->count < 2)
            command->names[command->count++] = argv[i];
        else {
            ff_fail(error, FF_INVALID_ARGUMENT, "two at a time: '%s' is one too many", argv[i]);
            return misuse(error);
        }
    }
    if (command->help || command->count == 2)
        return 0;
    ff_fail(error, FF_INVALID_ARGUMENT, "%s",
            command->count == 0 ? "compare what?" : "compare it with what?");
    return misuse(error);
}

static struct ff_curves curves_of(const struct ff_comparison *comparison)
{
    const struct ff_frc *frc = &comparison->frc;
    return (struct ff_curves){frc->rings, frc->frequency, frc->correlation, frc->threshold};
}

static int write_picture(const char *path, const struct ff_comparison *comparison,
                         struct ff_error *error)
{
    const struct ff_curves curves = curves_of(comparison);
    struct ff_buffer png;
    ff_buffer_init(&png, FF_PICTURE_BYTES_MAX);
    struct ff_picture *picture = ff_picture_of_correlation(&curves, error);
    int result = picture != NULL ? ff_picture_encode(picture, &png, error) : -1;
    if (result == 0)
        result = ff_result_write_file(path, ff_buffer_span(&png), error);
    ff_picture_destroy(picture);
    ff_buffer_dispose(&png);
    return result;
}

/* On a terminal, three characters wide for two high. */
static int draw(const struct ff_comparison *comparison, struct ff_error *error)
{
    const struct ff_curves curves = curves_of(comparison);
    size_t width = ff_terminal_columns(STDOUT_FILENO);
    struct ff_picture *picture = ff_picture_of_correlation_small(&curves, width, width / 3, error);
    struct ff_buffer text;
    ff_buffer_init(&text, FF_PICTURE_BYTES_MAX);
    int result = -1;
    if (picture != NULL) {
        ff_terminal_draw(picture, ff_terminal_has_all_colours(), &text);
        result = ff_buffer_check(&text, "the curve", error);
    }
    if (result == 0) {
        fputs(ff_buffer_text(&text), stdout);
        printf("ring correlation 0 … 1 (blue) and the half-bit threshold, over frequency 0 … "
               "Nyquist's\n");
    }
    ff_buffer_dispose(&text);
    ff_picture_destroy(picture);
    return result;
}

static int report(const struct command *command, const struct ff_comparison *comparison,
                  struct ff_error *error)
{
    const struct ff_report all = {command->names[0], command->names[1], comparison,
                                  command->output};
    if (command->output != NULL && write_picture(command->output, comparison, error) < 0)
        return -1;
    if (!command->json) {
        if (isatty(STDOUT_FILENO) == 1 && draw(comparison, error) < 0)
            return -1;
        ff_report_print(&all);
        return 0;
    }
    json_t *json = ff_report_json(&all);
    if (json == NULL)
        return ff_fail(error, FF_NO_MEMORY, "no memory for the report");
    if (ff_json_print(json, false, stdout) == 0)
        putchar('\n');
    json_decref(json);
    return 0;
}

static int compare(const struct command *command, struct ff_error *error)
{
    struct ff_estimate sides[2] = {{.count = 0}, {.count = 0}};
    struct ff_comparison comparison;
    int result = ff_compare_input(command->names[0], &sides[0], error);
    if (result == 0)
        result = ff_compare_input(command->names[1], &sides[1], error);
    if (result == 0) {
        result = ff_compare(&sides[0], &sides[1], &command->options, &comparison, error);
        if (result == 0) {
            result = report(command, &comparison, error);
            ff_comparison_dispose(&comparison);
        } else {
            ff_fail_prefix(error, "%s and %s: ", command->names[0], command->names[1]);
        }
    }
    ff_estimate_dispose(&sides[0]);
    ff_estimate_dispose(&sides[1]);
    return result;
}

int main(int argc, char **argv)
{
    struct command command = {.count = 0};
    struct ff_error error = {0};
    if (read_command_line(&command, argc, argv, &error) < 0)
        return ff_local_report("compare", command.json, &error);
    if (command.help) {
        fputs(usage, stdout);
        return 0;
    }
    return compare(&command, &error) == 0 ? 0 : ff_local_report("compare", command.json, &error);
}

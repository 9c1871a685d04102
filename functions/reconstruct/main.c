/* farfield reconstruct: the function `reconstruct`, here and now. */
#include "functions/local/program.h"
#include "functions/reconstruct/build.h"
#include "functions/reconstruct/device_choice.h"
#include "functions/reconstruct/run_settings.h"
#include "functions/reconstruct/summary.h"
#include "protocol/core/text.h"

#include <stdio.h>
#include <stdlib.h>

static const char usage[] =
    "usage: farfield reconstruct FILE [--output FILE] [--set KEY=VALUE]… [--config FILE] [--plan] "
    "[--json]\n"
    "\n"
    "Turns the diffraction patterns of a scan into an image of the object, on this machine.\n"
    "Ctrl-C ends after the present epoch and keeps the result; a second one gives up at once.\n"
    "\n"
    "  farfield reconstruct scan.cxi\n"
    "  farfield reconstruct scan.cxi --output star.h5 --set epochs=40 --set modes=5\n"
    "  farfield reconstruct scan.cxi --config settings.yaml --json\n"
    "  farfield reconstruct scan.cxi --plan              what would be done, and the memory for "
    "it\n"
    "\n"
    "  --plan          reads and checks the input, says what would be done, and ends\n"
    "  --json          JSON lines: one an epoch, one of type result\n"
    "  --help settings the settings alone; --help man: as a section of a manual page\n"
    "Exit status: 0 done, 1 failed, 2 wrong use, 4 given up.\n";

static json_t *plan(const void *values, struct ff_error *error)
{
    /* The values belong to the caller; completing them fills in the output's name. */
    struct ff_settings *settings = (struct ff_settings *)(uintptr_t)values;
    struct ff_buffer notes;
    if (ff_settings_complete(settings, error) < 0)
        return NULL;
    ff_buffer_init(&notes, FF_NOTES_BYTES_MAX);
    struct ff_problem *problem = ff_problem_create(settings, &notes, error);
    fputs(ff_buffer_text(&notes), stderr);
    ff_buffer_dispose(&notes);
    struct ff_device_choice choice = {0};
    struct ff_run_footprint footprint;
    json_t *json = NULL;
    int result = -1;
    if (problem != NULL && ff_device_choice_make(settings, 0, &choice, error) == 0) {
        struct ff_run_settings run = ff_run_settings_of(settings, problem->patterns);
        ff_device_choice_apply(&choice, &run);
        result = ff_run_measure_footprint(problem, &run, &footprint, error);
    }
    if (choice.note[0] != '\0')
        fprintf(stderr, "%s\n", choice.note);
    if (result == 0 && (json = ff_summary_of_plan(problem, settings, &footprint)) == NULL)
        ff_fail(error, FF_NO_MEMORY, "no memory for the plan");
    ff_problem_destroy(problem);
    return json;
}

static char *checkpoint(const void *values)
{
    struct ff_settings *settings = (struct ff_settings *)(uintptr_t)values;
    char *path = NULL;
    if (ff_settings_complete(settings, NULL) < 0 ||
        asprintf(&path, "%s.checkpoint", settings->output) < 0)
        return NULL;
    return path;
}

static void show(const json_t *result)
{
    char seconds[32];
    const json_t *pictures = json_object_get(result, "pictures");
    const char *stopped = json_string_value(json_object_get(result, "stopped"));
    size_t index;
    json_t *picture;
    ff_text_duration(json_number_value(json_object_get(result, "seconds")), seconds,
                     sizeof seconds);
    printf("cost %.4f per pixel, R %.4f after %lld epochs in %s (%s)\n",
           json_number_value(json_object_get(result, "cost")),
           json_number_value(json_object_get(result, "r")),
           (long long)json_integer_value(json_object_get(result, "epochs")), seconds, stopped);
    printf("%s\n", json_string_value(json_object_get(result, "output")));
    json_array_foreach(pictures, index, picture) printf("%s\n", json_string_value(picture));
}

int main(int argc, char **argv)
{
    static const struct ff_local_program program = {
        .verb = "reconstruct",
        .usage = usage,
        .table = &ff_settings_table,
        .values_size = sizeof(struct ff_settings),
        .argument = "input",
        .function = &farfield_function,
        .plan = plan,
        .checkpoint = checkpoint,
        .show = show,
    };
    return ff_local_program_run(&program, argc, argv);
}

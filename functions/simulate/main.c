/* farfield simulate: the function `simulate`, here and now. */
#include "functions/local/program.h"
#include "functions/simulate/settings.h"

#include <stdio.h>

static const char usage[] =
    "usage: farfield simulate [--object siemens|coins|smooth|IMAGE.png] [--format FORMAT] "
    "[--output "
    "FILE] [--set KEY=VALUE]… [--json]\n"
    "\n"
    "Makes a ptychographic scan whose truth is known, with every effect that a measurement has: a\n"
    "file that `farfield reconstruct` reads, with the true object, probe and positions beside it\n"
    "under /simulation (of a format that is not HDF5: in NAME.truth.h5).\n"
    "\n"
    "  farfield simulate --object siemens --output star.cxi\n"
    "  farfield simulate --object face.png --output face.cxi --size 256 --patterns 900 --counts "
    "1e7\n"
    "  farfield simulate --format velociprobe --output fly_master.h5 --compression bitshuffle\n"
    "  farfield simulate --output drifted.cxi --position_error_px 2 --scale_error_percent 1.5\n"
    "\n"
    "Exit status: 0 done, 1 failed, 2 wrong use, 4 given up.\n";

/* The settings that a reader needs, ready to be copied. */
static void show_reader(json_t *reader)
{
    const char *key;
    json_t *value;
    if (json_object_size(reader) == 0)
        return;
    printf("  read it with");
    json_object_foreach(reader, key, value)
    {
        if (json_is_string(value))
            printf(" --set '%s=%s'", key, json_string_value(value));
        else
            printf(" --set %s=%g", key, json_number_value(value));
    }
    printf("\n");
}

static void show(const json_t *result)
{
    const json_t *object = json_object_get(result, "object_px");
    printf("%s: %lld patterns of %lld × %lld pixels, of an object of %lld × %lld pixels\n",
           json_string_value(json_object_get(result, "output")),
           (long long)json_integer_value(json_object_get(result, "patterns")),
           (long long)json_integer_value(json_object_get(result, "size")),
           (long long)json_integer_value(json_object_get(result, "size")),
           (long long)json_integer_value(json_array_get(object, 0)),
           (long long)json_integer_value(json_array_get(object, 1)));
    show_reader(json_object_get(result, "reader"));
}

int main(int argc, char **argv)
{
    static const struct ff_local_program program = {
        .verb = "simulate",
        .usage = usage,
        .table = &ff_simulate_table,
        .values_size = sizeof(struct ff_simulate_settings),
        .argument = NULL,
        .function = &farfield_function,
        .show = show,
    };
    return ff_local_program_run(&program, argc, argv);
}

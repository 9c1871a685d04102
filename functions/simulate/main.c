/* farfield simulate: the function `simulate`, here and now. */
#include "functions/local/program.h"
#include "functions/simulate/settings.h"

#include <stdio.h>

static const char usage[] = "usage: farfield simulate [--object siemens|coins|IMAGE.png] [--output "
                            "FILE.cxi] [--set KEY=VALUE]… [--json]\n"
                            "\n"
                            "Makes a ptychographic scan whose truth is known: a CXI file that "
                            "`farfield reconstruct` reads,\n"
                            "with the true object and probe beside it under /simulation.\n"
                            "\n"
                            "  farfield simulate --object siemens --output star.cxi\n"
                            "  farfield simulate --object face.png --output face.cxi --size 256 "
                            "--patterns 900 --counts 1e7\n"
                            "\n"
                            "Exit status: 0 done, 1 failed, 2 wrong use, 4 given up.\n";

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

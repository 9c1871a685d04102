#include "functions/local/program.h"

#include "protocol/core/json_text.h"
#include "protocol/core/text.h"

#include <stdio.h>
#include <string.h>

int ff_local_report(const char *verb, bool json, const struct ff_error *error)
{
    ff_text_printf(stderr, "farfield %s: %s\n", verb, error->message);
    if (error->hint[0] != '\0')
        ff_text_printf(stderr, "  %s\n", error->hint);
    if (json) {
        json_t *line =
            json_pack("{s:s, s:s, s:o, s:o}", "type", "error", "code", ff_error_name(error->code),
                      "message", ff_json_text(error->message), "hint", ff_json_text(error->hint));
        json_dumpf(line, stdout, JSON_COMPACT);
        putchar('\n');
        json_decref(line);
    }
    return ff_error_exit_status(error->code);
}

static int misuse(const char *verb, const char *argument, bool second, struct ff_error *error)
{
    ff_fail(error, FF_INVALID_ARGUMENT,
            second ? "one file at a time: '%s' is one too many" : "'%s' means nothing here",
            argument);
    return ff_hint(error, "farfield %s --help shows how it is called", verb);
}

int ff_local_arguments_read(const char *verb, int argc, char **argv, const char *extra,
                            struct ff_local_arguments *arguments, struct ff_error *error)
{
    *arguments = (struct ff_local_arguments){0};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            arguments->help = true;
        else if (strcmp(argv[i], "--json") == 0)
            arguments->json = true;
        else if (extra != NULL && strcmp(argv[i], extra) == 0)
            arguments->extra = true;
        else if (argv[i][0] == '-' || arguments->file != NULL)
            return misuse(verb, argv[i], arguments->file != NULL && argv[i][0] != '-', error);
        else
            arguments->file = argv[i];
    }
    if (arguments->file != NULL || arguments->help)
        return 0;
    ff_fail(error, FF_INVALID_ARGUMENT, "which file?");
    return ff_hint(error, "farfield %s FILE; farfield %s --help tells more", verb, verb);
}

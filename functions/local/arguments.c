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

/* The value of option `*at`: what follows "=", else the next argument. */
static const char *value_of(int argc, char **argv, int *at, struct ff_error *error)
{
    const char *equals = strchr(argv[*at], '=');
    if (equals != NULL)
        return equals + 1;
    if (*at + 1 < argc)
        return argv[++*at];
    ff_fail(error, FF_INVALID_ARGUMENT, "%s needs a value", argv[*at]);
    ff_hint(error, "write %s VALUE, or %s=VALUE", argv[*at], argv[*at]);
    return NULL;
}

static bool is_option(const char *argument, const char *name)
{
    size_t length = strlen(name);
    return strncmp(argument, name, length) == 0 &&
           (argument[length] == '\0' || argument[length] == '=');
}

int ff_local_take_setting(const struct ff_option_table *table, void *values, int argc, char **argv,
                          int *at, struct ff_error *error)
{
    const char *argument = argv[*at];
    const char *value = value_of(argc, argv, at, error);
    if (value == NULL)
        return -1;
    if (is_option(argument, "--set"))
        return ff_options_assign(table, values, value, error);
    if (is_option(argument, "--config"))
        return ff_options_read_yaml(table, values, value, error);
    char key[64];
    snprintf(key, sizeof key, "%.*s", (int)strcspn(argument + 2, "="), argument + 2);
    for (char *letter = key; *letter != '\0'; letter++)
        *letter = *letter == '-' ? '_' : *letter;
    return ff_options_set(table, values, key, value, error);
}

int ff_local_arguments_read(const char *verb, int argc, char **argv,
                            struct ff_local_arguments *arguments, struct ff_error *error)
{
    for (int i = 1; i < argc; i++) {
        bool setting = arguments->table != NULL && strncmp(argv[i], "--", 2) == 0;
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            arguments->help = true;
            return 0;
        }
        if (strcmp(argv[i], "--json") == 0)
            arguments->json = true;
        else if (arguments->extra != NULL && strcmp(argv[i], arguments->extra) == 0)
            arguments->has_extra = true;
        else if (setting) {
            if (ff_local_take_setting(arguments->table, arguments->values, argc, argv, &i, error) <
                0)
                return -1;
        } else if (argv[i][0] == '-' || arguments->file != NULL)
            return misuse(verb, argv[i], arguments->file != NULL && argv[i][0] != '-', error);
        else
            arguments->file = argv[i];
    }
    if (arguments->file != NULL)
        return 0;
    ff_fail(error, FF_INVALID_ARGUMENT, "which file?");
    return ff_hint(error, "farfield %s FILE; farfield %s --help tells more", verb, verb);
}

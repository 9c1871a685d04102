/* The manual page and the completion name every verb and every option that the command has. */
#include "tests/unit/check.h"

#include "client/command/command.h"
#include "client/command/exec.h"
#include "client/command/parse.h"
#include "protocol/core/file.h"

static char *read_source(const char *name)
{
    const char *source = getenv("FF_SOURCE");
    assert_non_null(source);
    char *path = ff_path_join(source, name);
    char *text = NULL;
    size_t size = 0;
    struct ff_error error;
    assert_ok(ff_file_read(path, 1 << 20, &text, &size, &error), error);
    free(path);
    return text;
}

/* Without what roff puts between letters. */
static char *read_manual(void)
{
    char *text = read_source("deploy/man/farfield.1");
    char *to = text;
    for (const char *from = text; *from != '\0'; from++)
        if (*from != '\\' && *from != '"')
            *to++ = *from;
    *to = '\0';
    return text;
}

static void names(const char *text, const char *what, const char *where)
{
    if (strstr(text, what) == NULL)
        fail_msg("%s does not name %s", where, what);
}

static void test_every_verb_and_option(void **state)
{
    (void)state;
    char *manual = read_manual();
    char *completion = read_source("deploy/completions/farfield.bash");
    for (size_t i = 0; ff_commands[i] != NULL; i++)
        for (const struct ff_command *command = ff_commands[i]; command->name != NULL; command++) {
            char title[64];
            ff_command_title(command, title, sizeof title);
            names(manual, title, "the manual page");
            names(completion, command->name, "the completion");
            const struct ff_command_option *option = command->options;
            for (; option != NULL && option->name != NULL; option++) {
                char dashed[64];
                snprintf(dashed, sizeof dashed, "--%s", option->name);
                names(manual, dashed, "the manual page");
                if (strcmp(option->name, "python") != 0)
                    names(completion, dashed, "the completion");
            }
        }
    for (const struct ff_external *verb = ff_externals; verb->name != NULL; verb++) {
        names(manual, verb->name, "the manual page");
        names(completion, verb->name, "the completion");
    }
    free(completion);
    free(manual);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_verb_and_option)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * farfield: the command. Finds the verb, reads its options, runs it, and prints what went wrong.
 *
 * Read next: command.h (what a verb is), parse.h, output.h, then a verb: service.c is the plainest, run.c the longest.
 */
#include "client/command/command.h"
#include "client/command/exec.h"
#include "client/command/help.h"
#include "client/command/output.h"
#include "client/command/parse.h"
#include "protocol/core/text.h"
#include "protocol/limits.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { NAMES_MAX = 64, EXIT_WRONG_USE = 2 };

/* The error for people on standard error; for programs that asked for JSON also as JSON. */
static int report(const struct ff_error *error, bool json, bool lines)
{
    ff_output_error(error);
    if (json)
        ff_output_json_error(error, lines);
    return ff_error_exit_status(error->code);
}

static int unknown(const char *what, const char *name, const char *const *names, size_t count,
                   const char *prefix)
{
    struct ff_error error;
    ff_fail(&error, FF_INVALID_ARGUMENT, "there is no %s '%s'", what, name);
    const char *nearest = ff_text_nearest(name, names, count);
    if (nearest != NULL)
        ff_hint(&error, "did you mean `farfield %s%s`?", prefix, nearest);
    else
        ff_hint(&error, "farfield %s--help lists them", prefix);
    return report(&error, false, false);
}

static int unknown_verb(const char *name)
{
    const char *names[NAMES_MAX] = {"help", "version"};
    size_t count = 2;
    for (size_t i = 0; ff_commands[i] != NULL && count < NAMES_MAX; i++)
        names[count++] =
            ff_commands[i]->group != NULL ? ff_commands[i]->group : ff_commands[i]->name;
    for (const struct ff_external *verb = ff_externals; verb->name != NULL && count < NAMES_MAX;
         verb++)
        names[count++] = verb->name;
    return unknown(name[0] == '-' ? "option" : "verb", name, names, count, "");
}

static int unknown_in_group(const struct ff_command *group, const char *name)
{
    const char *names[NAMES_MAX];
    size_t count = 0;
    for (const struct ff_command *command = group; command->name != NULL && count < NAMES_MAX;
         command++)
        names[count++] = command->name;
    char what[64];
    char prefix[64];
    snprintf(what, sizeof what, "verb of `farfield %s` called", group->group);
    snprintf(prefix, sizeof prefix, "%s ", group->group);
    return unknown(what, name, names, count, prefix);
}

static bool is_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0;
}

static bool asks_for_json(int count, char *const arguments[])
{
    for (int i = 0; i < count && strcmp(arguments[i], "--") != 0; i++)
        if (strcmp(arguments[i], "--json") == 0)
            return true;
    return false;
}

static int run_command(const struct ff_command *command, int count, char *const arguments[])
{
    struct ff_error error = {.code = FF_OK};
    struct ff_invocation invocation;
    int status = ff_parse(command, count, arguments, &invocation, &error);
    if (status == 0 && invocation.help)
        ff_help_command(stdout, command);
    else if (status == 0)
        status = command->run(&invocation, &error);
    ff_invocation_dispose(&invocation);
    if (status < 0)
        status = report(&error, asks_for_json(count, arguments), command->lines);
    if (ff_output_flush(&error) < 0)
        return report(&error, false, false);
    return status;
}

static int run_group(const struct ff_command *group, int count, char *const arguments[])
{
    if (group->group == NULL)
        return run_command(group, count, arguments);
    if (count == 0) {
        ff_help_group(stderr, group);
        return EXIT_WRONG_USE;
    }
    if (is_help(arguments[0])) {
        ff_help_group(stdout, group);
        return 0;
    }
    for (const struct ff_command *command = group; command->name != NULL; command++)
        if (strcmp(command->name, arguments[0]) == 0)
            return run_command(command, count - 1, arguments + 1);
    return unknown_in_group(group, arguments[0]);
}

static int print_version(bool json)
{
    if (json)
        printf("{\"farfield\": \"%s\", \"protocol\": {\"min\": %d, \"max\": %d}}\n", FF_VERSION,
               FF_PROTOCOL_MIN, FF_PROTOCOL_MAX);
    else
        printf("farfield %s\n", FF_VERSION);
    return 0;
}

/* `farfield help task show` is `farfield task show --help`. */
static int help_about(int count, char *const arguments[], int (*run)(int, char *const[]))
{
    char help[] = "--help";
    char *words[4] = {NULL};
    int used = 0;
    for (; used < count && used < 2; used++)
        words[used] = arguments[used];
    words[used++] = help;
    return run(used, words);
}

static int run_words(int count, char *const arguments[])
{
    const char *verb = arguments[0];
    if (is_help(verb) && count > 1 && !is_help(arguments[1]))
        return help_about(count - 1, arguments + 1, run_words);
    if (is_help(verb)) {
        ff_help_overview(stdout);
        return 0;
    }
    if (strcmp(verb, "version") == 0 || strcmp(verb, "--version") == 0)
        return print_version(asks_for_json(count - 1, arguments + 1));
    for (size_t i = 0; ff_commands[i] != NULL; i++) {
        const char *name =
            ff_commands[i]->group != NULL ? ff_commands[i]->group : ff_commands[i]->name;
        if (strcmp(name, verb) == 0)
            return run_group(ff_commands[i], count - 1, arguments + 1);
    }
    const struct ff_external *external = ff_external_find(verb);
    if (external == NULL)
        return unknown_verb(verb);
    struct ff_error error;
    ff_external_run(external, count - 1, arguments + 1, &error);
    return report(&error, false, false);
}

int main(int argc, char *argv[])
{
    signal(SIGPIPE, SIG_IGN);
    if (argc < 2) {
        ff_help_overview(stderr);
        return EXIT_WRONG_USE;
    }
    return run_words(argc - 1, argv + 1);
}

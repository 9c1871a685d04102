#include "functions/local/program.h"

#include "functions/local/host.h"
#include "functions/local/progress.h"
#include "protocol/core/json_text.h"
#include "protocol/core/text.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HELP_LIMIT = 1 << 16, EXIT_CANCELLED = 4, KEY_WIDTH = 24 };

struct command {
    const struct ff_local_program *program;
    void *values;
    bool json, plan;
    const char *help; /* "", or what help is wanted of; NULL: none */
};

/* --- the command line --- */

static int take_option(struct command *command, int argc, char **argv, int *at,
                       struct ff_error *error)
{
    const char *argument = argv[*at];
    if (strcmp(argument, "--json") == 0) {
        command->json = true;
        return 0;
    }
    if (strcmp(argument, "--plan") == 0 && command->program->plan != NULL) {
        command->plan = true;
        return 0;
    }
    return ff_local_take_setting(command->program->table, command->values, argc, argv, at, error);
}

static int take_argument(struct command *command, const char *argument, struct ff_error *error)
{
    const char *key = command->program->argument;
    if (key != NULL && argument[0] != '-')
        return ff_options_set(command->program->table, command->values, key, argument, error);
    ff_fail(error, FF_INVALID_ARGUMENT, "'%s' means nothing here", argument);
    if (argument[0] != '-')
        return ff_hint(error,
                       "a file to write is named by --output, a setting by --set KEY=VALUE; "
                       "farfield %s --help tells more",
                       command->program->verb);
    return ff_hint(error, "farfield %s --help shows how it is called", command->program->verb);
}

static int read_command_line(struct command *command, int argc, char **argv, struct ff_error *error)
{
    bool given = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            command->help = i + 1 < argc ? argv[i + 1] : "";
            return 0;
        }
        bool option = strncmp(argv[i], "--", 2) == 0;
        if (!option && given) {
            ff_fail(error, FF_INVALID_ARGUMENT, "one file at a time: '%s' is one too many",
                    argv[i]);
            return ff_hint(error, "farfield %s --help shows how it is called",
                           command->program->verb);
        }
        given = given || !option;
        int result = option ? take_option(command, argc, argv, &i, error)
                            : take_argument(command, argv[i], error);
        if (result < 0)
            return -1;
    }
    return 0;
}

static int print_help(const struct command *command)
{
    struct ff_buffer text;
    ff_buffer_init(&text, HELP_LIMIT);
    if (strcmp(command->help, "man") == 0) {
        ff_options_manual(command->program->table, &text);
    } else {
        if (strcmp(command->help, "settings") != 0)
            ff_buffer_printf(&text, "%s\nSettings, each as --set KEY=VALUE:\n",
                             command->program->usage);
        ff_options_help(command->program->table, &text);
    }
    fputs(ff_buffer_text(&text), stdout);
    ff_buffer_dispose(&text);
    return 0;
}

/* --- the run --- */

static struct ff_local_host *interrupted_host;
static bool interrupted_by_person; /* standard error is a terminal */

/* For a person at a terminal; a signal handler can do no more than write. */
static void say(const char *text)
{
    if (interrupted_by_person && write(STDERR_FILENO, text, strlen(text)) < 0)
        return; /* nobody there to be told */
}

static void on_signal(int number)
{
    (void)number;
    static volatile sig_atomic_t before;
    if (before++) {
        say("\ngiven up\n");
        _exit(EXIT_CANCELLED);
    }
    ff_local_host_stop(interrupted_host);
    say("\nending soon, and keeping the result; once more to give up at once\n");
}

static void catch_signals(struct ff_local_host *host)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    interrupted_host = host;
    interrupted_by_person = isatty(STDERR_FILENO) == 1;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    /* A file beyond the limit on its size is then an error in words. */
    signal(SIGXFSZ, SIG_IGN);
}

static char *arguments_of(const struct command *command, struct ff_error *error)
{
    json_t *json = ff_options_to_json(command->program->table, command->values);
    char *text = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;
    json_decref(json);
    if (text == NULL)
        ff_fail(error, FF_INVALID_ARGUMENT, "a setting holds bytes that are not UTF-8 text");
    return text;
}

static void print_result(const struct command *command, const char *text)
{
    json_t *result = json_loads(text, 0, NULL);
    if (command->json) {
        json_t *line = json_pack("{s:s}", "type", "result");
        json_object_update(line, result);
        if (ff_json_print(line, false, stdout) == 0)
            putchar('\n');
        json_decref(line);
    } else {
        command->program->show(result);
    }
    json_decref(result);
}

static int run_with(const struct command *command, const char *arguments, const char *checkpoint,
                    struct ff_error *error)
{
    struct ff_progress *progress = ff_progress_create(command->json, error);
    if (progress == NULL)
        return -1;
    const struct ff_local_watch watch = ff_progress_watch(progress);
    struct ff_local_host *host = ff_local_host_create(arguments, checkpoint, &watch, error);
    int result = -1;
    if (host != NULL) {
        catch_signals(host);
        result = ff_local_host_run(host, command->program->function, error);
        ff_progress_end(progress);
    }
    if (result == 0) {
        print_result(command, ff_local_host_result(host));
        if (checkpoint != NULL)
            unlink(checkpoint);
    }
    ff_progress_destroy(progress);
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    ff_local_host_destroy(host);
    return result;
}

static int run(const struct command *command, struct ff_error *error)
{
    char *arguments = arguments_of(command, error);
    if (arguments == NULL)
        return -1;
    char *checkpoint =
        command->program->checkpoint != NULL ? command->program->checkpoint(command->values) : NULL;
    int result = run_with(command, arguments, checkpoint, error);
    free(checkpoint);
    free(arguments);
    return result;
}

static void print_plan_value(const char *key, const json_t *value)
{
    size_t length = strlen(key);
    if (json_is_string(value)) {
        printf("%s", json_string_value(value)[0] != '\0' ? json_string_value(value) : "-");
    } else if (json_is_real(value)) {
        printf("%.6g", json_real_value(value));
    } else if (json_is_integer(value) && length > 6 && strcmp(key + length - 6, "_bytes") == 0) {
        char text[32];
        ff_text_bytes((uint64_t)json_integer_value(value), text, sizeof text);
        printf("%s", text);
    } else if (json_is_integer(value)) {
        printf("%lld", (long long)json_integer_value(value));
    } else if (json_is_boolean(value)) {
        printf("%s", json_is_true(value) ? "yes" : "no");
    }
}

/* A line a value, those of a list side by side if they are numbers, and of an object below each other. */
static void print_plan_line(const char *key, const json_t *value, int indent)
{
    const char *inner;
    json_t *part;
    size_t index;
    if (json_is_array(value) && json_array_size(value) == 0)
        return;
    printf("%*s%-*s ", indent, "", KEY_WIDTH - indent, key);
    json_array_foreach(value, index, part)
    {
        if (index > 0 && json_is_string(part))
            printf("\n%*s", KEY_WIDTH + 1, "");
        else if (index > 0)
            printf(" × ");
        print_plan_value(key, part);
    }
    print_plan_value(key, value);
    putchar('\n');
    json_object_foreach((json_t *)value, inner, part) print_plan_line(inner, part, indent + 2);
}

static int print_plan(const struct command *command, struct ff_error *error)
{
    json_t *plan = command->program->plan(command->values, error);
    if (plan == NULL)
        return -1;
    if (command->json) {
        json_dumpf(plan, stdout, JSON_COMPACT | JSON_REAL_PRECISION(9));
        putchar('\n');
    } else {
        const char *key;
        json_t *value;
        json_object_foreach(plan, key, value) print_plan_line(key, value, 2);
    }
    json_decref(plan);
    return 0;
}

int ff_local_program_run(const struct ff_local_program *program, int argc, char **argv)
{
    struct ff_error error = {0};
    struct command command = {.program = program, .values = calloc(1, program->values_size)};
    int result = command.values != NULL ? ff_options_init(program->table, command.values, &error)
                                        : ff_fail(&error, FF_NO_MEMORY, "no memory to begin");
    if (result == 0)
        result = read_command_line(&command, argc, argv, &error);
    if (result == 0 && command.help != NULL)
        result = print_help(&command);
    else if (result == 0)
        result = command.plan ? print_plan(&command, &error) : run(&command, &error);
    int status = result == 0 ? 0 : ff_local_report(program->verb, command.json, &error);
    if (command.values != NULL)
        ff_options_dispose(program->table, command.values);
    free(command.values);
    return status;
}

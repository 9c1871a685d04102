/*
 * farfield-endpoint: the agent of an endpoint, and the verbs about its folder.
 */
#include "endpoint/agent.h"
#include "endpoint/doctor.h"
#include "endpoint/init.h"
#include "endpoint/probe.h"
#include "endpoint/providers/provider.h"
#include "endpoint/warm.h"
#include "protocol/core/log.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NOTES_LIMIT = 16384 };

static const char usage[] =
    "usage: farfield-endpoint init NAME [--provider P] [--slots N] [--set KEY=VALUE]...\n"
    "       farfield-endpoint key NAME\n"
    "       farfield-endpoint run NAME [--take-over] [--patient]\n"
    "       farfield-endpoint doctor NAME [--json] [--submit-test]\n"
    "       farfield-endpoint probe FOLDER URL\n"
    "       farfield-endpoint warm NAME BLOCKS [--until DATE] [--json]\n"
    "\n"
    "init makes the folder of an endpoint and prints its public key; key prints it again, and "
    "makes\n"
    "a new one where the file was removed. run is the agent, in the foreground; --take-over moves "
    "the\n"
    "endpoint here from another host, --patient waits for a service that cannot be reached. "
    "doctor\n"
    "looks for what is in the way; with --submit-test it runs a job of a minute, which calls probe "
    "on a node. warm keeps blocks until a date. People use `farfield endpoint`, which calls this "
    "program.\n";

static int complain(const struct ff_error *error)
{
    fprintf(stderr, "farfield-endpoint: %s\n", error->message);
    if (error->hint[0] != '\0')
        fprintf(stderr, "  %s\n", error->hint);
    return ff_error_exit_status(error->code);
}

static int wrong_use(const char *what)
{
    fprintf(stderr, "farfield-endpoint: %s\n%s", what, usage);
    return 2;
}

/* Z85 has neither quotes nor backslashes. */
static int print_key(const struct ff_curve_keys *keys)
{
    printf("{\"public_key\": \"%s\"}\n", keys->public_key);
    return 0;
}

/* "KEY=VALUE" into the settings. */
static int set_pair(struct ff_config *config, const char *pair, struct ff_error *error)
{
    char key[64];
    const char *equals = strchr(pair, '=');
    if (equals == NULL || (size_t)(equals - pair) >= sizeof key)
        return ff_fail(error, FF_INVALID_ARGUMENT, "\"%.80s\" is not KEY=VALUE", pair);
    snprintf(key, sizeof key, "%.*s", (int)(equals - pair), pair);
    return ff_config_set(config, key, equals + 1, error);
}

/* The settings that were given, over what `config` has. */
static int set_given(struct ff_config *config, int count, char **arguments, struct ff_error *error)
{
    for (int i = 0; i + 1 < count; i += 2) {
        int result;
        if (strcmp(arguments[i], "--provider") == 0)
            result = ff_config_set(config, "provider", arguments[i + 1], error);
        else if (strcmp(arguments[i], "--slots") == 0)
            result = ff_config_set(config, "slots", arguments[i + 1], error);
        else
            result = set_pair(config, arguments[i + 1], error);
        if (result < 0)
            return -1;
    }
    return 0;
}

/* What was given needs no reason. */
static void drop_given(int count, char **arguments, struct ff_buffer *notes)
{
    char *text = ff_span_copy(ff_buffer_span(notes));
    ff_buffer_clear(notes);
    for (const char *line = text; line != NULL && *line != '\0';) {
        size_t length = strcspn(line, "\n") + 1;
        bool given = false;
        for (int i = 0; i + 1 < count; i += 2) {
            const char *pair = arguments[i + 1];
            size_t key = strcspn(pair, "=");
            given = given || (strcmp(arguments[i], "--set") == 0 && pair[key] == '=' &&
                              strncmp(pair, line, key) == 0 && line[key] == ':');
        }
        if (!given)
            ff_buffer_append(notes, line, length);
        line += length;
    }
    free(text);
}

/* Defaults; for a scheduler, what goes well with what it has; then what was given. */
static int make_config(struct ff_config *config, int count, char **arguments,
                       struct ff_buffer *notes, struct ff_error *error)
{
    struct ff_config given;
    ff_config_defaults(config);
    ff_config_defaults(&given);
    if (set_given(&given, count, arguments, error) < 0)
        return -1;
    if (ff_provider_find(given.provider)->scheduler != NULL) {
        snprintf(config->provider, sizeof config->provider, "%s", given.provider);
        snprintf(config->partition, sizeof config->partition, "%s", given.partition);
        if (ff_init_propose(config, notes, error) < 0)
            return -1;
        drop_given(count, arguments, notes);
    }
    return set_given(config, count, arguments, error) == 0 ? ff_config_check(config, error) : -1;
}

static int init_endpoint(const char *name, int count, char **arguments, struct ff_buffer *notes,
                         struct ff_error *error)
{
    struct ff_folder folder;
    struct ff_config config;
    struct ff_curve_keys keys;
    if (ff_folder_locate(&folder, name, error) < 0 || ff_init_check_new(&folder, error) < 0 ||
        make_config(&config, count, arguments, notes, error) < 0 ||
        ff_init_endpoint(&folder, &config, ff_buffer_text(notes), &keys, error) < 0)
        return -1;
    fputs(ff_buffer_text(notes), stderr);
    return print_key(&keys);
}

static int run_init(const char *name, int count, char **arguments)
{
    struct ff_error error;
    struct ff_buffer notes;
    for (int i = 0; i < count; i += 2) {
        if (i + 1 >= count)
            return wrong_use("an option lacks its value");
        if (strcmp(arguments[i], "--provider") != 0 && strcmp(arguments[i], "--slots") != 0 &&
            strcmp(arguments[i], "--set") != 0)
            return wrong_use("init does not know such an option");
    }
    ff_buffer_init(&notes, NOTES_LIMIT);
    int result = init_endpoint(name, count, arguments, &notes, &error);
    ff_buffer_dispose(&notes);
    return result < 0 ? complain(&error) : 0;
}

static int run_key(const char *name, int count, char **arguments)
{
    struct ff_folder folder;
    struct ff_curve_keys keys;
    struct ff_error error;
    char path[PATH_MAX];
    (void)arguments;
    if (count > 0)
        return wrong_use("key takes no option");
    if (ff_folder_locate(&folder, name, &error) < 0 || ff_folder_check(&folder, &error) < 0)
        return complain(&error);
    ff_folder_path(&folder, path, "curve");
    return ff_curve_load_or_make(path, &keys, &error) < 0 ? complain(&error) : print_key(&keys);
}

static int run_agent(const char *name, int count, char **arguments)
{
    bool take_over = false;
    bool patient = false;
    struct ff_error error;
    for (int i = 0; i < count; i++) {
        if (strcmp(arguments[i], "--take-over") == 0)
            take_over = true;
        else if (strcmp(arguments[i], "--patient") == 0)
            patient = true;
        else
            return wrong_use("run does not know such an option");
    }
    if (ff_log_open("endpoint", NULL, FF_LOG_INFO, &error) < 0 ||
        ff_agent_run(name, take_over, patient, &error) < 0) {
        ff_log_error("the agent ends", &error);
        return ff_error_exit_status(error.code);
    }
    ff_log(FF_LOG_INFO, "stopped");
    return 0;
}

static int run_doctor(const char *name, int count, char **arguments)
{
    struct ff_folder folder;
    struct ff_error error;
    bool json = false;
    bool submit_test = false;
    for (int i = 0; i < count; i++) {
        if (strcmp(arguments[i], "--json") == 0)
            json = true;
        else if (strcmp(arguments[i], "--submit-test") == 0)
            submit_test = true;
        else
            return wrong_use("doctor does not know such an option");
    }
    if (ff_folder_locate(&folder, name, &error) < 0 || ff_folder_check(&folder, &error) < 0)
        return complain(&error);
    return ff_doctor_run(&folder, json, submit_test) ? 0 : 1;
}

/* On a node, as the test job of doctor. */
static int run_probe(const char *folder, int count, char **arguments)
{
    struct ff_error error;
    if (count != 1)
        return wrong_use("probe takes a folder and an address");
    return ff_probe_run(folder, arguments[0], &error) < 0 ? complain(&error) : 0;
}

static int run_warm(const char *name, int count, char **arguments)
{
    struct ff_folder folder;
    struct ff_error error;
    const char *until = NULL;
    bool json = false;
    if (count < 1)
        return wrong_use("warm needs the number of blocks");
    for (int i = 1; i < count; i++) {
        if (strcmp(arguments[i], "--json") == 0)
            json = true;
        else if (strcmp(arguments[i], "--until") == 0 && i + 1 < count)
            until = arguments[++i];
        else
            return wrong_use("warm does not know such an option");
    }
    if (ff_folder_locate(&folder, name, &error) < 0 || ff_folder_check(&folder, &error) < 0 ||
        ff_warm_command(&folder, arguments[0], until, json, &error) < 0)
        return complain(&error);
    return 0;
}

int main(int count, char **arguments)
{
    static const struct {
        const char *verb;
        int (*run)(const char *name, int count, char **arguments);
    } verbs[] = {{"init", run_init},     {"key", run_key},     {"run", run_agent},
                 {"doctor", run_doctor}, {"probe", run_probe}, {"warm", run_warm}};
    if (count == 2 && strcmp(arguments[1], "--help") == 0)
        return fputs(usage, stdout) < 0 ? 1 : 0;
    if (count < 3)
        return wrong_use("a verb and the name of an endpoint are needed");
    ff_providers_clear_environment();
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        if (strcmp(arguments[1], verbs[i].verb) == 0)
            return verbs[i].run(arguments[2], count - 3, arguments + 3);
    return wrong_use("there is no such verb");
}

/* farfield endpoint configure|start|stop|restart|status|logs|list|delete|doctor: the rows, and those that change an
 * endpoint. endpoint_view.c shows them. */
#include "client/command/endpoint_folder.h"
#include "client/command/endpoint_view.h"
#include "client/command/exec.h"
#include "client/command/lifecycle.h"
#include "client/command/output.h"
#include "client/command/parse.h"
#include "client/farfield.h"
#include "protocol/core/file.h"
#include "protocol/core/text.h"
#include "protocol/limits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A drain may be configured longer than its default; by then a person looks. */
enum { STOP_LIMIT_MS = 3600000, NOW_LIMIT_MS = 20000, LOG_LINES = 50 };

/* `farfield-endpoint init`, whose own refusals go to standard error as they are. */
static int make_folder(const struct ff_invocation *invocation, struct ff_error *error)
{
    const char **argv = calloc(2 * invocation->given_count + 8, sizeof *argv);
    char *program = ff_program_path("farfield-endpoint", error);
    if (argv == NULL || program == NULL) {
        free(program);
        free(argv);
        return argv == NULL ? ff_fail(error, FF_NO_MEMORY, "no memory for a command line") : -1;
    }
    const char *provider = ff_given_text(invocation, "provider");
    size_t used = 0;
    argv[used++] = program;
    argv[used++] = "init";
    argv[used++] = invocation->operands[0];
    argv[used++] = "--provider";
    argv[used++] = provider != NULL ? provider : "local";
    for (size_t i = 0; i < invocation->given_count; i++) {
        const struct ff_given *given = &invocation->given[i];
        bool slots = strcmp(given->option->name, "slots") == 0;
        if (!slots && strcmp(given->option->name, "set") != 0)
            continue;
        argv[used++] = slots ? "--slots" : "--set";
        argv[used++] = given->value;
    }
    char *printed = NULL;
    int status = 0;
    int result = ff_capture(argv, &printed, &status, error);
    free(printed);
    free(program);
    free(argv);
    return result < 0 ? -1 : status;
}

static int tell_configured(const struct ff_invocation *invocation,
                           const struct ff_endpoint_folder *folder, const json_t *registration,
                           struct ff_error *error)
{
    const char *name = invocation->operands[0];
    const char *id = json_string_value(json_object_get(registration, "endpoint_id"));
    if (invocation->json) {
        json_t *document =
            json_pack("{s:s, s:s, s:s}", "name", name, "endpoint_id", id, "folder", folder->path);
        int result = ff_output_json(document, error);
        json_decref(document);
        return result;
    }
    printf("endpoint %s is configured: %s\n"
           "  its settings: %s/config.yaml\n"
           "  start it:     farfield endpoint start %s\n",
           name, id, folder->path, name);
    return 0;
}

static int run_configure(const struct ff_invocation *invocation, struct ff_error *error)
{
    if (ff_endpoint_name_check(invocation->operands[0], error) < 0)
        return -1;
    /* The service first: an endpoint that nobody knows is of no use. */
    struct ff_session *session = ff_session_open(NULL, error);
    if (session == NULL)
        return -1;
    json_t *service = NULL;
    json_t *registration = NULL;
    struct ff_endpoint_folder folder = {.path = NULL};
    int status = ff_service_status(session, &service, error);
    if (status == 0)
        status = make_folder(invocation, error);
    if (status == 0)
        status = ff_endpoint_folder_open(invocation->operands[0], &folder, error);
    if (status == 0)
        status = ff_endpoint_folder_register(session, invocation->operands[0], &folder,
                                             &registration, error);
    if (status == 0)
        status = tell_configured(invocation, &folder, registration, error);
    ff_endpoint_folder_dispose(&folder);
    json_decref(registration);
    json_decref(service);
    ff_session_close(session);
    return status;
}

/* The address of the router may have moved since the last start. */
static int register_again(const char *name, const struct ff_endpoint_folder *folder,
                          struct ff_error *error)
{
    struct ff_session *session = ff_session_open(NULL, error);
    if (session == NULL)
        return -1;
    json_t *registration = NULL;
    int result = ff_endpoint_folder_register(session, name, folder, &registration, error);
    json_decref(registration);
    ff_session_close(session);
    return result;
}

/* For a supervisor: becomes the agent, which waits for the service as long as it takes. */
static int become_agent(const char *name, const struct ff_endpoint_folder *folder, bool take_over,
                        struct ff_error *error)
{
    struct ff_error why;
    if (register_again(name, folder, &why) < 0) {
        char *registration = ff_path_join(folder->path, "registration");
        bool known = registration != NULL && access(registration, R_OK) == 0;
        free(registration);
        if (why.code != FF_UNREACHABLE || !known) {
            if (error != NULL)
                *error = why;
            return -1;
        }
    }
    const char *argv[] = {NULL, "run", name, "--patient", take_over ? "--take-over" : NULL, NULL};
    return ff_exec_program("farfield-endpoint", argv, error);
}

static int start_agent(const char *name, const struct ff_endpoint_folder *folder, bool take_over,
                       struct ff_process_id *id, struct ff_error *error)
{
    char *program = ff_program_path("farfield-endpoint", error);
    char *log = ff_path_join(folder->path, "log");
    int result = -1;
    if (program != NULL && log == NULL)
        ff_fail(error, FF_NO_MEMORY, "no memory for a path");
    if (program != NULL && log != NULL) {
        const char *argv[] = {program, "run", name, take_over ? "--take-over" : NULL, NULL};
        result = ff_process_start_daemon(argv, log, FF_START_LIMIT_MS, id, NULL, 0, error);
    }
    free(log);
    free(program);
    return result;
}

static int tell_started(const struct ff_invocation *invocation, const char *what, pid_t pid,
                        struct ff_error *error)
{
    const char *name = invocation->operands[0];
    if (!invocation->json) {
        printf("endpoint %s %s (process %d)\n", name, what, (int)pid);
        return 0;
    }
    json_t *document = json_pack("{s:s, s:i, s:b}", "name", name, "pid", (int)pid, "started", 1);
    int result = ff_output_json(document, error);
    json_decref(document);
    return result;
}

static int refuse_second(const char *name, const struct ff_running *running, struct ff_error *error)
{
    ff_fail(error, FF_ENDPOINT_IN_USE, "endpoint %s runs already, on %s (process %d)", name,
            running->host, (int)running->id.pid);
    return ff_hint(error, "farfield endpoint status %s, or farfield endpoint restart %s", name,
                   name);
}

static int start(const struct ff_invocation *invocation, const struct ff_endpoint_folder *folder,
                 struct ff_error *error)
{
    const char *name = invocation->operands[0];
    bool take_over = ff_given(invocation, "take-over");
    if (ff_given(invocation, "foreground"))
        return become_agent(name, folder, take_over, error);
    struct ff_process_id id = {.pid = 0};
    if (register_again(name, folder, error) < 0 ||
        start_agent(name, folder, take_over, &id, error) < 0)
        return -1;
    return tell_started(invocation, "is connected", id.pid, error);
}

static int run_start(const struct ff_invocation *invocation, struct ff_error *error)
{
    struct ff_endpoint_folder folder;
    int status = ff_endpoint_folder_open(invocation->operands[0], &folder, error);
    if (status == 0 && folder.running.here)
        status = refuse_second(invocation->operands[0], &folder.running, error);
    if (status == 0)
        status = start(invocation, &folder, error);
    ff_endpoint_folder_dispose(&folder);
    return status;
}

/* Ends the agent where it runs on this host; content where it does not run. */
static int stop(const char *name, const struct ff_running *running, bool now,
                struct ff_error *error)
{
    if (running->elsewhere) {
        ff_fail(error, FF_ENDPOINT_IN_USE, "endpoint %s runs on %s, and this is another host", name,
                running->host);
        return ff_hint(error, "ssh %s farfield endpoint stop %s", running->host, name);
    }
    if (!running->here)
        return 0;
    char what[FF_NAME_LIMIT + 16];
    snprintf(what, sizeof what, "endpoint %s", name);
    return ff_running_stop(running, what, now, now ? NOW_LIMIT_MS : STOP_LIMIT_MS, error);
}

static int run_stop(const struct ff_invocation *invocation, struct ff_error *error)
{
    const char *name = invocation->operands[0];
    struct ff_endpoint_folder folder;
    int status = ff_endpoint_folder_open(name, &folder, error);
    if (status == 0)
        status = stop(name, &folder.running, ff_given(invocation, "now"), error);
    bool ran = folder.running.here;
    ff_endpoint_folder_dispose(&folder);
    if (status != 0)
        return status;
    if (!invocation->json) {
        printf("endpoint %s %s\n", name, ran ? "has ended" : "does not run");
        return 0;
    }
    json_t *document = json_pack("{s:s, s:b}", "name", name, "stopped", (int)ran);
    status = ff_output_json(document, error);
    json_decref(document);
    return status;
}

static int run_restart(const struct ff_invocation *invocation, struct ff_error *error)
{
    struct ff_endpoint_folder folder;
    int status = ff_endpoint_folder_open(invocation->operands[0], &folder, error);
    if (status == 0)
        status = stop(invocation->operands[0], &folder.running, ff_given(invocation, "now"), error);
    if (status == 0)
        status = start(invocation, &folder, error);
    ff_endpoint_folder_dispose(&folder);
    return status;
}

/* Off the service's list; that it is not there, or that no service is there with --force, is no obstacle. */
static int forget(const char *name, bool force, struct ff_error *error)
{
    struct ff_error why;
    struct ff_session *session = ff_session_open(NULL, &why);
    int result = session != NULL ? ff_endpoint_delete(session, name, &why) : -1;
    ff_session_close(session);
    if (result == 0 || why.code == FF_ENDPOINT_NOT_FOUND || force)
        return 0;
    if (error != NULL)
        *error = why;
    return -1;
}

static int run_delete(const struct ff_invocation *invocation, struct ff_error *error)
{
    const char *name = invocation->operands[0];
    bool force = ff_given(invocation, "force");
    struct ff_endpoint_folder folder;
    int status = ff_endpoint_folder_open(name, &folder, error);
    if (status == 0 && !force && (folder.running.here || folder.running.elsewhere)) {
        ff_fail(error, FF_ENDPOINT_IN_USE, "endpoint %s runs on %s (process %d)", name,
                folder.running.host, (int)folder.running.id.pid);
        status = ff_hint(error, "farfield endpoint stop %s first, or --force", name);
    }
    if (status == 0 && folder.running.here)
        status = stop(name, &folder.running, true, error);
    if (status == 0)
        status = forget(name, force, error);
    if (status == 0)
        status = ff_folder_remove(folder.path, error);
    ff_endpoint_folder_dispose(&folder);
    if (status != 0)
        return status;
    if (!invocation->json) {
        printf("endpoint %s is deleted\n", name);
        return 0;
    }
    json_t *document = json_pack("{s:s, s:b}", "name", name, "deleted", 1);
    status = ff_output_json(document, error);
    json_decref(document);
    return status;
}

static int run_logs(const struct ff_invocation *invocation, struct ff_error *error)
{
    int64_t lines;
    if (ff_given_integer(invocation, "lines", 0, 1000000, LOG_LINES, &lines, error) < 0)
        return -1;
    struct ff_endpoint_folder folder;
    int status = ff_endpoint_folder_open(invocation->operands[0], &folder, error);
    char *path = status == 0 ? ff_path_join(folder.path, "log") : NULL;
    if (path != NULL)
        status =
            ff_log_show(path, (long)lines, ff_given(invocation, "follow"), invocation->json, error);
    free(path);
    ff_endpoint_folder_dispose(&folder);
    return status;
}

static int run_doctor(const struct ff_invocation *invocation, struct ff_error *error)
{
    const char *argv[] = {NULL, "doctor", invocation->operands[0], NULL, NULL, NULL};
    size_t used = 3;
    if (invocation->json)
        argv[used++] = "--json";
    if (ff_given(invocation, "submit-test"))
        argv[used++] = "--submit-test";
    return ff_exec_program("farfield-endpoint", argv, error);
}

static int run_warm(const struct ff_invocation *invocation, struct ff_error *error)
{
    const char *argv[8] = {NULL, "warm", invocation->operands[0], invocation->operands[1]};
    int count = 4;
    const char *until = ff_given_text(invocation, "until");
    if (until != NULL) {
        argv[count++] = "--until";
        argv[count++] = until;
    }
    if (invocation->json)
        argv[count++] = "--json";
    return ff_exec_program("farfield-endpoint", argv, error);
}

static const struct ff_command_option configure_options[] = {
    {"provider", '\0', "P",
     "where its nodes come from: local, or a scheduler: slurm, which is asked what it has, pbs, "
     "cobalt (local)"},
    {"slots", '\0', "N", "calls that run at once on a node (one a core)"},
    {"set", '\0', "KEY=VALUE", "any other setting of its config.yaml; may be given several times"},
    {NULL, '\0', NULL, NULL},
};

static const struct ff_command_option start_options[] = {
    {"foreground", '\0', NULL, "become the agent, as a supervisor such as systemd wants it"},
    {"take-over", '\0', NULL, "take the endpoint from the host that ran it last"},
    {NULL, '\0', NULL, NULL},
};

static const struct ff_command_option stop_options[] = {
    {"now", '\0', NULL, "do not let running tasks finish"},
    {NULL, '\0', NULL, NULL},
};

static const struct ff_command_option restart_options[] = {
    {"now", '\0', NULL, "do not let running tasks finish"},
    {"take-over", '\0', NULL, "take the endpoint from the host that ran it last"},
    {NULL, '\0', NULL, NULL},
};

static const struct ff_command_option logs_options[] = {
    {"follow", 'f', NULL, "go on with what is added, until Ctrl-C"},
    {"lines", 'n', "N", "begin with the last N lines (50)"},
    {NULL, '\0', NULL, NULL},
};

static const struct ff_command_option doctor_options[] = {
    {"submit-test", '\0', NULL, "run a job of a minute, and tell what its node can do"},
    {NULL, '\0', NULL, NULL},
};

static const struct ff_command_option delete_options[] = {
    {"force", '\0', NULL, "even while it runs, and where the service cannot be reached"},
    {NULL, '\0', NULL, NULL},
};

static const struct ff_command_option warm_options[] = {
    {"until", '\0', "DATE", "its end: 2026-11-28T18:00, 18:00 (the next one), +4h, +2d"},
    {NULL, '\0', NULL, NULL},
};

#define ONE_ENDPOINT .group = "endpoint", .operands = "NAME", .least = 1, .most = 1

const struct ff_command ff_endpoint_commands[] = {
    {ONE_ENDPOINT, .name = "configure",
     .summary = "make an endpoint on this host and register it with the service",
     .options = configure_options,
     .examples = "  farfield endpoint configure local\n"
                 "  farfield endpoint configure beamline --slots 4 --set drain_limit_ms=60000\n"
                 "  farfield endpoint configure cluster --provider slurm --set partition=gpu "
                 "--set walltime=2h\n",
     .run = run_configure},
    {ONE_ENDPOINT, .name = "start",
     .summary = "start an endpoint; returns when it is connected, or says why not",
     .options = start_options,
     .examples = "  farfield endpoint start local\n"
                 "  farfield endpoint start beamline --take-over\n",
     .run = run_start},
    {ONE_ENDPOINT, .name = "stop", .summary = "let an endpoint finish what runs, and end it",
     .options = stop_options,
     .examples = "  farfield endpoint stop local\n"
                 "  farfield endpoint stop local --now\n",
     .run = run_stop},
    {ONE_ENDPOINT, .name = "restart", .summary = "stop an endpoint and start it again",
     .options = restart_options, .examples = "  farfield endpoint restart local\n",
     .run = run_restart},
    {ONE_ENDPOINT, .name = "status",
     .summary = "tell how an endpoint is, as its host and as the service see it",
     .examples = "  farfield endpoint status local\n", .run = ff_endpoint_run_status},
    {ONE_ENDPOINT, .name = "logs", .summary = "print the log of an endpoint of this host",
     .options = logs_options, .examples = "  farfield endpoint logs local -f\n", .lines = true,
     .run = run_logs},
    {.group = "endpoint",
     .name = "list",
     .operands = "",
     .summary = "list the endpoints that you may use, and those configured here",
     .examples = "  farfield endpoint list\n"
                 "  farfield endpoint list --json | jq '.endpoints[].name'\n",
     .run = ff_endpoint_run_list},
    {ONE_ENDPOINT, .name = "delete",
     .summary = "remove an endpoint, its folder here and its name at the service",
     .options = delete_options, .examples = "  farfield endpoint delete beamline\n",
     .run = run_delete},
    {ONE_ENDPOINT, .name = "doctor",
     .summary = "check service, keys, clock, disk, GPUs and scheduler, and say what to do",
     .options = doctor_options,
     .examples = "  farfield endpoint doctor local\n"
                 "  farfield endpoint doctor cluster --submit-test\n",
     .run = run_doctor},
    {.group = "endpoint",
     .name = "warm",
     .operands = "NAME BLOCKS",
     .least = 2,
     .most = 2,
     .summary = "keep so many blocks of nodes until a date, with or without tasks; 0 ends that",
     .options = warm_options,
     .examples = "  farfield endpoint warm beamline 4 --until 18:00\n"
                 "  farfield endpoint warm beamline 2 --until +3d\n"
                 "  farfield endpoint warm beamline 0\n",
     .run = run_warm},
    {.name = NULL},
};

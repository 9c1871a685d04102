/* farfield service start|stop|status|logs */
#include "client/command/exec.h"
#include "client/command/lifecycle.h"
#include "client/command/output.h"
#include "client/command/parse.h"
#include "client/farfield.h"
#include "protocol/core/file.h"
#include "protocol/core/text.h"
#include "protocol/limits.h"

#include <stdlib.h>
#include <string.h>

enum { STOP_LIMIT_MS = 20000, LOG_LINES = 50 };

static int find_service(struct ff_running *running, struct ff_error *error)
{
    char *path = ff_home_path(error, "service/run/process");
    if (path == NULL)
        return -1;
    int result = ff_running_read(path, running, error);
    free(path);
    return result;
}

static int tell(const struct ff_invocation *invocation, bool started, const char *url, pid_t pid,
                struct ff_error *error)
{
    if (invocation->json) {
        json_t *document =
            json_pack("{s:s, s:i, s:b}", "url", url, "pid", (int)pid, "started", (int)started);
        int result = ff_output_json(document, error);
        json_decref(document);
        return result;
    }
    if (started)
        printf("the service runs: %s (process %d)\n", url, (int)pid);
    else
        printf("the service runs already: %s (process %d)\n", url, (int)pid);
    return 0;
}

static int tell_running(const struct ff_invocation *invocation, const struct ff_running *running,
                        struct ff_error *error)
{
    struct ff_session *session = ff_session_open(NULL, error);
    if (session == NULL)
        return -1;
    int result = tell(invocation, false, ff_session_url(session), running->id.pid, error);
    ff_session_close(session);
    return result;
}

/* Fills argv[1…] with those of the start's options that farfield-service takes as well. */
static size_t pass_options(const struct ff_invocation *invocation, const char *argv[])
{
    static const char *const names[] = {"host", "https-port", "router-port"};
    static const char *const switches[] = {"--host", "--https-port", "--router-port"};
    size_t used = 1;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = ff_given_text(invocation, names[i]);
        if (value == NULL)
            continue;
        argv[used++] = switches[i];
        argv[used++] = value;
    }
    return used;
}

static int start_daemon(const char *argv[], char *url, size_t url_size, struct ff_process_id *id,
                        struct ff_error *error)
{
    char *folder = ff_home_path(error, "service");
    char *log = ff_home_path(error, "service/log");
    char *program = ff_program_path("farfield-service", error);
    int result = -1;
    if (folder != NULL && log != NULL && program != NULL) {
        argv[0] = program;
        result = ff_folder_make(folder, 0700, error);
        if (result == 0)
            result =
                ff_process_start_daemon(argv, log, FF_START_LIMIT_MS, id, url, url_size, error);
    }
    free(program);
    free(log);
    free(folder);
    return result;
}

static int run_start(const struct ff_invocation *invocation, struct ff_error *error)
{
    const char *argv[8] = {NULL};
    pass_options(invocation, argv);
    if (ff_given(invocation, "foreground"))
        return ff_exec_program("farfield-service", argv, error);
    struct ff_running running;
    if (find_service(&running, error) < 0)
        return -1;
    if (running.here)
        return tell_running(invocation, &running, error);
    char url[256] = "";
    struct ff_process_id id = {.pid = 0};
    if (start_daemon(argv, url, sizeof url, &id, error) < 0)
        return -1;
    return tell(invocation, true, url, id.pid, error);
}

static int run_stop(const struct ff_invocation *invocation, struct ff_error *error)
{
    struct ff_running running;
    if (find_service(&running, error) < 0)
        return -1;
    if (running.elsewhere) {
        ff_fail(error, FF_BUSY, "the service runs on %s, and this is another host", running.host);
        return ff_hint(error, "ssh %s farfield service stop", running.host);
    }
    if (running.here && ff_running_stop(&running, "the service", false, STOP_LIMIT_MS, error) < 0)
        return -1;
    if (invocation->json) {
        json_t *document = json_pack("{s:b}", "stopped", (int)running.here);
        int result = ff_output_json(document, error);
        json_decref(document);
        return result;
    }
    puts(running.here ? "the service has ended" : "the service does not run");
    return 0;
}

static void print_counts(const char *name, const json_t *counts)
{
    char line[512] = "";
    size_t used = 0;
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)counts, key, value)
    {
        if (json_integer_value(value) == 0 || used >= sizeof line)
            continue;
        used += (size_t)snprintf(line + used, sizeof line - used, "%s%lld %s", used > 0 ? ", " : "",
                                 (long long)json_integer_value(value), key);
    }
    ff_output_field(stdout, name, used > 0 ? line : "none");
}

static void print_bytes(const char *name, const json_t *value)
{
    if (!json_is_integer(value))
        return;
    char text[32];
    ff_text_bytes((uint64_t)json_integer_value(value), text, sizeof text);
    ff_output_field(stdout, name, text);
}

static void print_status(const struct ff_session *session, const json_t *status)
{
    char text[128];
    ff_output_field(stdout, "service", ff_session_url(session));
    ff_output_field(stdout, "version", json_string_value(json_object_get(status, "version")));
    snprintf(text, sizeof text, "%lld, router port %lld",
             (long long)json_integer_value(json_object_get(status, "pid")),
             (long long)json_integer_value(json_object_get(status, "router_port")));
    ff_output_field(stdout, "process", text);
    ff_text_duration(json_number_value(json_object_get(status, "uptime_s")), text, sizeof text);
    ff_output_field(stdout, "up for", text);
    print_counts("tasks", json_object_get(status, "tasks"));
    print_counts("endpoints", json_object_get(status, "endpoints"));
    print_bytes("memory", json_object_get(status, "resident_bytes"));
    print_bytes("store", json_object_get(status, "store_bytes"));
}

static int run_status(const struct ff_invocation *invocation, struct ff_error *error)
{
    struct ff_session *session = ff_session_open(NULL, error);
    if (session == NULL)
        return -1;
    json_t *status = NULL;
    int result = ff_service_status(session, &status, error);
    if (result == 0 && invocation->json) {
        json_object_set_new(status, "url", json_string(ff_session_url(session)));
        result = ff_output_json(status, error);
    } else if (result == 0) {
        print_status(session, status);
    }
    json_decref(status);
    ff_session_close(session);
    return result;
}

static int run_logs(const struct ff_invocation *invocation, struct ff_error *error)
{
    int64_t lines;
    if (ff_given_integer(invocation, "lines", 0, 1000000, LOG_LINES, &lines, error) < 0)
        return -1;
    char *path = ff_home_path(error, "service/log");
    if (path == NULL)
        return -1;
    int result =
        ff_log_show(path, (long)lines, ff_given(invocation, "follow"), invocation->json, error);
    free(path);
    return result;
}

static const struct ff_command_option start_options[] = {
    {"host", '\0', "H", "the address to listen on and to name in the certificate (127.0.0.1)"},
    {"https-port", '\0', "N", "the port of the API (any free one at first, then the same)"},
    {"router-port", '\0', "N", "the port for endpoints (likewise)"},
    {"foreground", '\0', NULL, "become the service, as a supervisor such as systemd wants it"},
    {NULL, '\0', NULL, NULL},
};

static const struct ff_command_option logs_options[] = {
    {"follow", 'f', NULL, "go on with what is added, until Ctrl-C"},
    {"lines", 'n', "N", "begin with the last N lines (50)"},
    {NULL, '\0', NULL, NULL},
};

const struct ff_command ff_service_commands[] = {
    {.group = "service",
     .name = "start",
     .operands = "",
     .summary = "start the service on this host",
     .details =
         "The first start makes its keys and certificate, and the configuration with which the\n"
         "other verbs find it. Where it runs already this says so and is content.",
     .options = start_options,
     .examples = "  farfield service start\n"
                 "  farfield service start --host login1.example.org --https-port 8443\n",
     .run = run_start},
    {.group = "service",
     .name = "stop",
     .operands = "",
     .summary = "end the service; every accepted task stays in its ledger",
     .examples = "  farfield service stop\n",
     .run = run_stop},
    {.group = "service",
     .name = "status",
     .operands = "",
     .summary = "tell how the service is, or why it cannot be reached",
     .examples = "  farfield service status\n"
                 "  farfield service status --json | jq .tasks\n",
     .run = run_status},
    {.group = "service",
     .name = "logs",
     .operands = "",
     .summary = "print the log of the service on this host",
     .options = logs_options,
     .lines = true,
     .examples = "  farfield service logs -n 100\n"
                 "  farfield service logs -f\n",
     .run = run_logs},
    {.name = NULL},
};

#include "client/command/endpoint_view.h"

#include "client/command/endpoint_blocks.h"
#include "client/command/endpoint_folder.h"
#include "client/command/listing.h"
#include "client/command/output.h"
#include "client/farfield.h"
#include "protocol/core/text.h"

#include <string.h>

enum { LINE_SIZE = 2048 };

/* The entry of the service, or NULL with the reason. */
static json_t *ask_service(const char *name, struct ff_error *why)
{
    struct ff_session *session = ff_session_open(NULL, why);
    json_t *entry = NULL;
    if (session != NULL && ff_endpoint_show(session, name, &entry, why) < 0)
        entry = NULL;
    ff_session_close(session);
    return entry;
}

static void add_missing(json_t *to, const json_t *from)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)from, key, value)
    {
        if (json_object_get(to, key) == NULL)
            json_object_set(to, key, value);
    }
}

/* {"name","alive","pid","host", what the agent tells…, "service": entry or null, "service_error"} */
static json_t *describe(const char *name, const struct ff_endpoint_folder *folder,
                        const json_t *entry, const struct ff_error *why)
{
    const struct ff_running *running = &folder->running;
    json_t *document = json_pack("{s:s, s:b}", "name", name, "alive", (int)running->here);
    if (running->here || running->elsewhere) {
        json_object_set_new(document, "pid", json_integer(running->id.pid));
        json_object_set_new(document, "host", json_string(running->host));
    }
    json_t *state = running->here || running->elsewhere ? ff_endpoint_folder_state(folder) : NULL;
    add_missing(document, state);
    json_decref(state);
    ff_endpoint_folder_add_warm(folder, document);
    if (json_object_get(document, "connected") == NULL)
        json_object_set_new(document, "connected", json_false());
    json_object_set_new(document, "service", entry != NULL ? json_deep_copy(entry) : json_null());
    if (entry == NULL)
        json_object_set_new(document, "service_error", json_string(why->message));
    return document;
}

static void print_running(const struct ff_running *running)
{
    char line[LINE_SIZE];
    if (running->here)
        snprintf(line, sizeof line, "runs, process %d", (int)running->id.pid);
    else if (running->elsewhere)
        snprintf(line, sizeof line, "runs on %s, process %d, if it lives", running->host,
                 (int)running->id.pid);
    else
        snprintf(line, sizeof line, "does not run here");
    ff_output_field(stdout, "agent", line);
}

static long long count_of(const json_t *state, const char *key)
{
    return (long long)json_integer_value(json_object_get(state, key));
}

/* What the agent tells about itself (protocol/STATE.md, run/state). */
static void print_state(const json_t *state)
{
    char line[LINE_SIZE];
    if (state == NULL)
        return;
    bool connected = json_is_true(json_object_get(state, "connected"));
    const char *since = ff_output_text_of(state, "since");
    const char *why = ff_output_text_of(state, "why");
    char time[FF_SHORT_TIME_SIZE];
    ff_output_time(since, time);
    snprintf(line, sizeof line, "%s since %s%s", connected ? "connected" : "not connected", time,
             json_is_true(json_object_get(state, "draining")) ? ", draining" : "");
    ff_output_field(stdout, "link", line);
    long long managers = count_of(state, "managers");
    long long slots = count_of(state, "slots");
    long long gpus = count_of(state, "gpus");
    snprintf(line, sizeof line, "%lld manager%s with %lld slot%s and %lld GPU%s", managers,
             managers == 1 ? "" : "s", slots, slots == 1 ? "" : "s", gpus, gpus == 1 ? "" : "s");
    ff_output_field(stdout, "workers", line);
    snprintf(line, sizeof line, "%lld running, %lld waiting%s%s", count_of(state, "running"),
             count_of(state, "waiting"), why != NULL && why[0] != '\0' ? ": " : "",
             why != NULL ? why : "");
    ff_output_field(stdout, "tasks", line);
}

static void print_entry(const json_t *entry, const struct ff_error *missing)
{
    char line[LINE_SIZE];
    if (entry == NULL) {
        ff_output_field(stdout, "service", missing->message);
        return;
    }
    const json_t *details = json_object_get(entry, "details");
    const char *why = ff_output_text_of(details, "why");
    long long tasks = count_of(details, "outstanding_tasks") + count_of(details, "pending_tasks");
    snprintf(
        line, sizeof line, "%s, %lld of %lld slots idle, %lld task%s without result%s%s",
        ff_output_text_of(entry, "status") != NULL ? ff_output_text_of(entry, "status") : "unknown",
        count_of(details, "idle_workers"), count_of(details, "total_workers"), tasks,
        tasks == 1 ? "" : "s", why != NULL && why[0] != '\0' ? ": " : "", why != NULL ? why : "");
    ff_output_field(stdout, "service", line);
    ff_output_field(stdout, "id", ff_output_text_of(entry, "endpoint_id"));
    ff_output_time(ff_output_text_of(entry, "last_seen"), line);
    ff_output_field(stdout, "last seen", line);
}

/* An endpoint of another host is known to the service alone. */
static int show_remote(const struct ff_invocation *invocation, struct ff_error *error)
{
    struct ff_error why = {.code = FF_OK};
    json_t *entry = ask_service(invocation->operands[0], &why);
    if (entry == NULL) {
        if (error != NULL && why.code != FF_ENDPOINT_NOT_FOUND && why.code != FF_UNREACHABLE)
            *error = why;
        return -1;
    }
    int result = 0;
    if (invocation->json) {
        json_t *document = json_pack("{s:s, s:b, s:b, s:O}", "name", invocation->operands[0],
                                     "alive", 0, "connected",
                                     ff_output_text_of(entry, "status") != NULL &&
                                         strcmp(ff_output_text_of(entry, "status"), "online") == 0,
                                     "service", entry);
        result = ff_output_json(document, error);
        json_decref(document);
    } else {
        ff_output_field(stdout, "endpoint", invocation->operands[0]);
        ff_output_field(stdout, "host", ff_output_text_of(entry, "host"));
        print_entry(entry, &why);
    }
    json_decref(entry);
    return result;
}

int ff_endpoint_run_status(const struct ff_invocation *invocation, struct ff_error *error)
{
    const char *name = invocation->operands[0];
    struct ff_endpoint_folder folder;
    struct ff_error missing;
    if (ff_endpoint_folder_open(name, &folder, &missing) < 0) {
        ff_endpoint_folder_dispose(&folder);
        if (error != NULL)
            *error = missing;
        return missing.code == FF_ENDPOINT_NOT_FOUND ? show_remote(invocation, error) : -1;
    }
    struct ff_error why = {.code = FF_OK};
    json_t *entry = ask_service(name, &why);
    int result = 0;
    if (invocation->json) {
        json_t *document = describe(name, &folder, entry, &why);
        result = ff_output_json(document, error);
        json_decref(document);
    } else {
        json_t *state = folder.running.here ? ff_endpoint_folder_state(&folder) : NULL;
        json_t *warm = json_object();
        ff_endpoint_folder_add_warm(&folder, warm);
        ff_output_field(stdout, "endpoint", name);
        ff_output_field(stdout, "folder", folder.path);
        print_running(&folder.running);
        print_state(state);
        ff_endpoint_print_blocks(state, warm);
        json_decref(warm);
        print_entry(entry, &why);
        json_decref(state);
    }
    json_decref(entry);
    ff_endpoint_folder_dispose(&folder);
    return result;
}

static bool is_listed(const json_t *endpoints, const char *name)
{
    size_t index;
    json_t *entry;
    json_array_foreach(endpoints, index, entry)
    {
        const char *listed = ff_output_text_of(entry, "name");
        if (listed != NULL && strcmp(listed, name) == 0)
            return true;
    }
    return false;
}

/* Adds those that are configured here and that the service does not list. */
static int add_local(json_t *endpoints, struct ff_error *error)
{
    char **names = NULL;
    size_t count = 0;
    if (ff_endpoint_folder_names(&names, &count, error) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (!is_listed(endpoints, names[i]))
            json_array_append_new(endpoints, json_pack("{s:n, s:s, s:s}", "endpoint_id", "name",
                                                       names[i], "status", "unregistered"));
    ff_endpoint_folder_names_free(names, count);
    return 0;
}

static int add_row(struct ff_table *table, const json_t *entry, struct ff_error *error)
{
    const json_t *details = json_object_get(entry, "details");
    char slots[48] = "";
    char tasks[48] = "";
    if (json_is_object(details)) {
        snprintf(slots, sizeof slots, "%lld/%lld",
                 (long long)json_integer_value(json_object_get(details, "idle_workers")),
                 (long long)json_integer_value(json_object_get(details, "total_workers")));
        snprintf(tasks, sizeof tasks, "%lld",
                 count_of(details, "outstanding_tasks") + count_of(details, "pending_tasks"));
    }
    const char *const cells[] = {ff_output_text_of(entry, "name"),
                                 ff_output_text_of(entry, "status"),
                                 ff_output_text_of(entry, "host"),
                                 slots,
                                 tasks,
                                 ff_output_text_of(entry, "endpoint_id")};
    return ff_table_add(table, cells, error);
}

static int fetch_all(struct ff_session *session, json_t **reply, struct ff_error *error)
{
    if (ff_endpoint_list(session, reply, error) < 0)
        return -1;
    json_t *endpoints = json_object_get(*reply, "endpoints");
    if (!json_is_array(endpoints))
        return ff_fail(error, FF_PROTOCOL, "the service answered without endpoints");
    return add_local(endpoints, error);
}

int ff_endpoint_run_list(const struct ff_invocation *invocation, struct ff_error *error)
{
    static const char *const titles[] = {"NAME", "STATUS", "HOST", "IDLE", "TASKS", "ID"};
    static const struct ff_listing listing = {
        .fetch = fetch_all,
        .entries = "endpoints",
        .titles = titles,
        .columns = 6,
        .row = add_row,
        .nothing = "no endpoints; the first: farfield endpoint configure local"};
    return ff_listing_run(&listing, invocation, error);
}

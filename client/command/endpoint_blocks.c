#include "client/command/endpoint_blocks.h"

#include "client/command/output.h"
#include "protocol/core/clock.h"
#include "protocol/core/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { LINE_SIZE = 1024, DURATION_SIZE = 64, SHOWN = 16 };

FF_PRINTF(3, 4) static void add(char *line, size_t size, const char *format, ...)
{
    size_t used = strlen(line);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line + used, size - used, format, arguments);
    va_end(arguments);
}

/* Seconds of the wall clock; 0: there is no such time. */
static int64_t time_of(const json_t *block, const char *key)
{
    const char *text = ff_output_text_of(block, key);
    struct tm parts = {0};
    if (text == NULL || strptime(text, "%Y-%m-%dT%H:%M:%S", &parts) == NULL)
        return 0;
    return (int64_t)timegm(&parts);
}

/* " for 3 min 12 s", with the sign of time. */
static void add_duration(char *line, size_t size, const char *what, int64_t seconds)
{
    char text[DURATION_SIZE];
    ff_text_duration((double)(seconds > 0 ? seconds : 0), text, sizeof text);
    add(line, size, "%s %s", what, text);
}

static void add_count(char *line, size_t size, long long count, const char *what)
{
    add(line, size, "%lld %s%s", count, what, count == 1 ? "" : "s");
}

static long long count_of(const json_t *block, const char *key)
{
    return (long long)json_integer_value(json_object_get(block, key));
}

static void add_up(const json_t *block, char *line, size_t size)
{
    long long nodes = count_of(block, "nodes");
    add(line, size, ": ");
    add_count(line, size, count_of(block, "tasks"), "task");
    add(line, size, " on ");
    add_count(line, size, count_of(block, "managers"), "node");
    if (count_of(block, "managers") != nodes)
        add(line, size, " of %lld", nodes);
}

/* What it does, where `state` is one that this release knows. */
static const char *verb_of(const char *state)
{
    static const struct {
        const char *state, *verb;
    } verbs[] = {{"submitting", "is being submitted"},
                 {"pending", "waits in the queue"},
                 {"starting", "is starting"},
                 {"up", "is up"},
                 {"leaving", "is leaving"}};
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        if (strcmp(state, verbs[i].state) == 0)
            return verbs[i].verb;
    return state;
}

void ff_endpoint_block_words(const json_t *block, int64_t now_ns, char *line, size_t size)
{
    const char *id = ff_output_text_of(block, "id");
    const char *state = ff_output_text_of(block, "state");
    const char *job = ff_output_text_of(block, "job");
    const char *why = ff_output_text_of(block, "why");
    const int64_t now = now_ns / 1000000000;
    const int64_t since = time_of(block, "since");
    state = state != NULL ? state : "";
    snprintf(line, size, "%s", id != NULL ? id : "?");
    /* One word is a scheduler's id; several begin with a process. */
    size_t word = job != NULL ? strcspn(job, " ") : 0;
    if (word > 0)
        add(line, size, " (%s %.*s)", job[word] == '\0' ? "job" : "process", (int)word, job);
    add(line, size, " %s", verb_of(state));
    if (since > 0)
        add_duration(line, size, " for", now - since);
    if (strcmp(state, "up") == 0)
        add_up(block, line, size);
    else if (strcmp(state, "starting") == 0)
        add(line, size, ": its workers have not called back%s",
            json_is_true(json_object_get(block, "late")) ? ", and should have long since" : " yet");
    if (strcmp(state, "leaving") != 0 && why != NULL && why[0] != '\0')
        add(line, size, "%s%s", strcmp(state, "pending") == 0 ? ": " : "; ", why);
    if (time_of(block, "expected") > 0)
        add_duration(line, size, "; expected to start in", time_of(block, "expected") - now);
    if (time_of(block, "ends") > 0)
        add_duration(line, size, "; ends in", time_of(block, "ends") - now);
    if (time_of(block, "unknown_since") > 0)
        add_duration(line, size, "; the scheduler has not told how it is for",
                     now - time_of(block, "unknown_since"));
}

void ff_endpoint_blocks_summary(const json_t *state, char *line, size_t size)
{
    static const char *const states[] = {"up", "starting", "pending", "submitting", "leaving"};
    const json_t *blocks = json_object_get(state, "blocks");
    line[0] = '\0';
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        size_t index;
        json_t *block;
        unsigned count = 0;
        json_array_foreach(blocks, index, block)
        {
            const char *is = ff_output_text_of(block, "state");
            count += is != NULL && strcmp(is, states[i]) == 0 ? 1 : 0;
        }
        if (count > 0)
            add(line, size, "%s%u %s", line[0] != '\0' ? ", " : "", count, states[i]);
    }
    if (line[0] == '\0')
        snprintf(line, size, "none");
}

static void print_warm(const json_t *document)
{
    char line[LINE_SIZE] = "";
    char until[FF_SHORT_TIME_SIZE];
    long long blocks = count_of(document, "warm_blocks");
    if (blocks == 0)
        return;
    ff_output_time(ff_output_text_of(document, "warm_until"), until);
    snprintf(line, sizeof line, "%lld block%s %s kept until %s", blocks, blocks == 1 ? "" : "s",
             blocks == 1 ? "is" : "are", until);
    ff_output_field(stdout, "warm", line);
}

void ff_endpoint_print_blocks(const json_t *state, const json_t *document)
{
    char line[LINE_SIZE];
    const json_t *blocks = json_object_get(state, "blocks");
    long long count = count_of(state, "block_count");
    size_t index;
    json_t *block;
    if (json_is_array(blocks)) {
        ff_endpoint_blocks_summary(state, line, sizeof line);
        ff_output_field(stdout, "blocks", line);
    }
    json_array_foreach(blocks, index, block)
    {
        if (index == SHOWN) {
            snprintf(line, sizeof line, "and %lld more: --json has all of them", count - SHOWN);
            ff_output_field(stdout, "", line);
            break;
        }
        ff_endpoint_block_words(block, ff_wall_ns(), line, sizeof line);
        ff_output_field(stdout, "", line);
    }
    print_warm(document);
}

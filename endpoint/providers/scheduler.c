#include "endpoint/providers/scheduler.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void ff_words_add(struct ff_words *words, const char *format, ...)
{
    va_list arguments;
    char *word = NULL;
    if (words->count + 2 > words->capacity) {
        size_t capacity = words->capacity > 0 ? 2 * words->capacity : 32;
        char **items = realloc(words->items, capacity * sizeof *items);
        if (items == NULL) {
            words->failed = true;
            return;
        }
        words->items = items;
        words->capacity = capacity;
    }
    va_start(arguments, format);
    if (vasprintf(&word, format, arguments) < 0)
        word = NULL;
    va_end(arguments);
    words->failed = words->failed || word == NULL;
    words->items[words->count] = word;
    words->count += word != NULL ? 1 : 0;
    words->items[words->count] = NULL;
}

void ff_words_add_option(struct ff_words *words, const char *option, const char *value)
{
    if (value[0] == '\0')
        return;
    ff_words_add(words, "%s", option);
    ff_words_add(words, "%s", value);
}

void ff_words_dispose(struct ff_words *words)
{
    for (size_t i = 0; i < words->count; i++)
        free(words->items[i]);
    free(words->items);
    memset(words, 0, sizeof *words);
}

void ff_shell_quote(struct ff_buffer *buffer, const char *text)
{
    ff_buffer_append_text(buffer, "'");
    for (const char *at = text; *at != '\0'; at++)
        if (*at == '\'')
            ff_buffer_append_text(buffer, "'\\''");
        else
            ff_buffer_append(buffer, at, 1);
    ff_buffer_append_text(buffer, "'");
}

void ff_each_line(const char *text, void (*take)(void *user, const char *line, size_t length),
                  void *user)
{
    while (*text != '\0') {
        size_t length = strcspn(text, "\n");
        if (length > 0)
            take(user, text, length);
        text += text[length] == '\n' ? length + 1 : length;
    }
}

int64_t ff_job_time_ns(int64_t seconds)
{
    const int64_t year_2200 = 7258118400;
    return seconds > 0 && seconds < year_2200 ? seconds * 1000000000 : 0;
}

/* Schedulers get new states with their releases: one must not make the answer about all others worthless. */
int ff_job_row_unclear(struct ff_job_row *row, const char *state, const char *alphabet)
{
    if (state[0] == '\0' || state[strspn(state, alphabet)] != '\0')
        return -1;
    row->unclear = true;
    row->state = FF_BLOCK_PENDING;
    snprintf(row->why, sizeof row->why, "its state is \"%.40s\", which this release does not know",
             state);
    return 0;
}

struct ff_job_row *ff_job_rows_add(struct ff_job_rows *rows)
{
    if (rows->count >= FF_ROWS_MAX)
        return NULL;
    if (rows->count == rows->capacity) {
        size_t capacity = rows->capacity > 0 ? 2 * rows->capacity : 16;
        struct ff_job_row *items = realloc(rows->items, capacity * sizeof *items);
        if (items == NULL)
            return NULL;
        rows->items = items;
        rows->capacity = capacity;
    }
    struct ff_job_row *row = &rows->items[rows->count++];
    memset(row, 0, sizeof *row);
    return row;
}

void ff_job_rows_dispose(struct ff_job_rows *rows)
{
    free(rows->items);
    memset(rows, 0, sizeof *rows);
}

int ff_job_table_read(const struct ff_job_table *table, const char *out, struct ff_job_rows *rows,
                      struct ff_error *error)
{
    for (const char *line = out; *line != '\0';) {
        size_t length = strcspn(line, "\n");
        if (line[length] != '\n')
            return ff_fail(error, FF_PROTOCOL, "%s's answer has no end", table->program);
        if (length > 0 && !table->is_title(line, length)) {
            struct ff_job_row *row = ff_job_rows_add(rows);
            if (row == NULL)
                return ff_fail(error, FF_PROTOCOL, "%s lists too many jobs", table->program);
            if (table->read(line, length, row) < 0)
                return ff_fail(error, FF_PROTOCOL, "%s's answer is not understood: \"%.*s\"",
                               table->program, (int)(length < 120 ? length : 120), line);
        }
        line += length + 1;
    }
    return 0;
}

int ff_scheduler_succeeded(const struct ff_command_result *result, const char *program,
                           struct ff_error *error)
{
    char words[600];
    if (result->status == 0 && !result->truncated)
        return 0;
    ff_command_words(result, program, words, sizeof words);
    return ff_fail(error, FF_UNREACHABLE, "%s", words);
}

int ff_scheduler_refuse_slurm_keys(const char *scheduler, const struct ff_config *config,
                                   struct ff_error *error)
{
    const struct {
        const char *key;
        const char *value;
    } keys[] = {{"qos", config->qos},
                {"constraint", config->constraint},
                {"reservation", config->reservation}};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        if (keys[i].value[0] == '\0')
            continue;
        ff_fail(error, FF_INVALID_SETTING, "provider %s knows no %s", scheduler, keys[i].key);
        return ff_hint(error, "write what you need of it as scheduler_options");
    }
    return 0;
}

/* ---- the script ---- */

/* Words before the manager's that start one on each of $FARFIELD_NODES nodes. A dead manager must not end the others, and
 * none is bound to a single core. */
static const struct {
    const char *name;
    const char *words;
} launchers[] = {
    {"none", ""},
    {"srun", "srun --nodes=$FARFIELD_NODES --ntasks=$FARFIELD_NODES --ntasks-per-node=1 "
             "--kill-on-bad-exit=0 --no-kill --wait=0 --cpu-bind=none "},
    {"mpiexec", "mpiexec -n $FARFIELD_NODES --ppn 1 "},
    {"pbsdsh", "pbsdsh -- env \"FARFIELD_HOME=$FARFIELD_HOME\" "
               "\"FARFIELD_BLOCK_ENDS=$FARFIELD_BLOCK_ENDS\" "}, /* it passes no environment on */
    {"cobalt", "mpirun --hostfile \"$COBALT_NODEFILE\" -n $FARFIELD_NODES -N 1 "},
};

struct lines {
    struct ff_buffer *script;
    const char *before;
    bool quoted;
};

static void write_line(void *user, const char *line, size_t length)
{
    const struct lines *lines = user;
    char text[FF_CONFIG_LINES_SIZE];
    snprintf(text, sizeof text, "%.*s", (int)length, line);
    bool whole = lines->before[0] == '#' && text[0] == '#'; /* it has its directive already */
    ff_buffer_printf(lines->script, "%s", whole ? "" : lines->before);
    if (lines->quoted)
        ff_shell_quote(lines->script, text);
    else
        ff_buffer_append_text(lines->script, text);
    ff_buffer_append_text(lines->script, "\n");
}

static void write_lines(struct ff_buffer *script, const char *before, bool quoted, const char *text)
{
    struct lines lines = {script, before, quoted};
    ff_each_line(text, write_line, &lines);
}

/* From the variable, else from the walltime, else by asking; 0 where nobody tells. */
static void write_end(const struct ff_launch *launch, const struct ff_config *config,
                      struct ff_buffer *script)
{
    ff_buffer_append_text(script, "FARFIELD_BLOCK_ENDS=");
    if (launch->job_ends != NULL)
        ff_buffer_printf(script, "${%s:-", launch->job_ends);
    if (config->walltime > 0)
        ff_buffer_printf(script, "$(($(date +%%s) + %lld))", (long long)config->walltime);
    else if (launch->ask_end != NULL)
        ff_buffer_printf(script, "$(%s)", launch->ask_end);
    if (launch->job_ends != NULL)
        ff_buffer_append_text(script, "}");
    ff_buffer_append_text(script, "\ncase $FARFIELD_BLOCK_ENDS in '' | *[!0-9]*) "
                                  "FARFIELD_BLOCK_ENDS=0 ;; esac\nexport FARFIELD_BLOCK_ENDS\n");
}

static void write_launch(const struct ff_launch *launch, const struct ff_job_order *order,
                         const struct ff_config *config, struct ff_buffer *script)
{
    const char *launcher = config->launcher;
    const char *words = NULL;
    if (strcmp(launcher, "auto") == 0)
        launcher = order->nodes > 1 ? launch->many : "none";
    for (size_t i = 0; i < sizeof launchers / sizeof launchers[0]; i++)
        if (strcmp(launcher, launchers[i].name) == 0)
            words = launchers[i].words;
    ff_buffer_append_text(script, "exec ");
    ff_buffer_append_text(script, words != NULL ? words : launcher);
    ff_buffer_append_text(script, words != NULL ? "" : " ");
    for (size_t i = 0; order->command[i] != NULL; i++) {
        ff_buffer_append_text(script, i > 0 ? " " : "");
        ff_shell_quote(script, order->command[i]);
    }
    ff_buffer_append_text(script, "\n");
}

void ff_scheduler_script(const struct ff_scheduler *scheduler, const struct ff_job_order *order,
                         const struct ff_config *config, struct ff_buffer *script)
{
    /* Modules are there in login shells only, at many sites. */
    ff_buffer_printf(script, "#!/bin/bash%s\n", config->modules[0] != '\0' ? " -l" : "");
    char before[32];
    snprintf(before, sizeof before, "%s ", scheduler->launch.directive);
    write_lines(script, before, false, config->scheduler_options);
    ff_buffer_append_text(script, "\n# The endpoint removes this folder when it has given the "
                                  "block up.\n[ -d ");
    ff_shell_quote(script, order->folder);
    ff_buffer_append_text(script, " ] || exit 0\n");
    if (scheduler->launch.own_log) {
        ff_buffer_append_text(script, "exec >>");
        ff_shell_quote(script, order->folder);
        ff_buffer_append_text(script, "/log 2>&1\n");
    }
    ff_buffer_append_text(script, "export FARFIELD_HOME=");
    ff_shell_quote(script, order->home);
    ff_buffer_printf(script, "\nexport FARFIELD_NODES=%u\n", order->nodes);
    write_end(&scheduler->launch, config, script);
    write_lines(script, "module load ", true, config->modules);
    write_lines(script, "", false, config->worker_init);
    write_launch(&scheduler->launch, order, config, script);
}

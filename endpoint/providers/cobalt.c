/* Cobalt, as on ThetaGPU: qsub, qstat, qdel. */
#include "endpoint/providers/batch.h"
#include "endpoint/providers/scheduler.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* ---- submit ---- */

/* Nodes are given whole, with all their cores and GPUs. */
static void submit(const struct ff_job_order *order, const struct ff_config *config,
                   const char *script, struct ff_words *words)
{
    ff_words_add(words, "qsub");
    ff_words_add(words, "-n");
    ff_words_add(words, "%u", order->nodes);
    ff_words_add(words, "-t");
    ff_words_add(words, "%lld", (long long)(config->walltime / 60)); /* minutes */
    ff_words_add_option(words, "-q", config->partition);
    ff_words_add_option(words, "-A", config->account);
    ff_words_add_option(words, "--jobname", order->name);
    ff_words_add(words, "-O");
    ff_words_add(words, "%s/cobalt", order->folder);
    ff_words_add_option(words, "--cwd", order->home);
    ff_words_add_option(words, "--mode", "script");
    ff_words_add(words, "%s", script);
}

/* The last line is the id; before it stands to which queue the job was routed, and the like. */
static int read_id(const char *out, char id[FF_JOB_ID_SIZE], struct ff_error *error)
{
    size_t end = strlen(out);
    while (end > 0 && isspace((unsigned char)out[end - 1]))
        end--;
    size_t start = end;
    while (start > 0 && isdigit((unsigned char)out[start - 1]))
        start--;
    size_t length = end - start;
    if (length == 0 || length > 20 || (start > 0 && out[start - 1] != '\n'))
        return ff_fail(error, FF_PROTOCOL, "qsub printed no id of a job but \"%.80s\"", out);
    snprintf(id, FF_JOB_ID_SIZE, "%.*s", (int)length, out + start);
    return 0;
}

/* ---- status ---- */

static void status(const struct ff_job_question *question, struct ff_words *words)
{
    (void)question; /* all of the user: one that has ended would make the question fail */
    ff_words_add(words, "sh");
    ff_words_add(words, "-c");
    ff_words_add(words, "exec qstat --header=JobID:State:JobName -u \"$(id -un)\"");
}

static const struct {
    const char *name;
    enum ff_block_state state;
    const char *words;
} states[] = {
    {"queued", FF_BLOCK_PENDING, "it waits in the queue"},
    {"starting", FF_BLOCK_PENDING, "its nodes are being started"},
    {"pending", FF_BLOCK_PENDING, "its nodes are being started"},
    {"user_hold", FF_BLOCK_PENDING, "it is held by its user"},
    {"admin_hold", FF_BLOCK_PENDING, "it is held by an administrator"},
    {"dep_hold", FF_BLOCK_PENDING, "it depends on another job"},
    {"dep_fail", FF_BLOCK_PENDING, "the job that it depends on failed"},
    {"maxrun_hold", FF_BLOCK_PENDING, "you have as many jobs as you may"},
    {"preempted", FF_BLOCK_PENDING, "the job was preempted by another"},
    {"running", FF_BLOCK_RUNNING, ""},
    {"exiting", FF_BLOCK_RUNNING, "it is ending"},
    {"killing", FF_BLOCK_RUNNING, "it is being killed"},
};

/* The title and the rule below it. */
static bool is_title(const char *line, size_t length)
{
    return (length >= 5 && strncasecmp(line, "JobID", 5) == 0) ||
           (length > 0 && strspn(line, "= \t\r") >= length);
}

/* The next word of a line, cut to `size`. */
static const char *take_word(const char *at, const char *end, char *word, size_t size)
{
    size_t used = 0;
    while (at < end && isspace((unsigned char)*at))
        at++;
    for (; at < end && !isspace((unsigned char)*at); at++)
        if (used + 1 < size)
            word[used++] = isprint((unsigned char)*at) ? *at : '?';
    word[used] = '\0';
    return at;
}

static int read_row(const char *line, size_t length, struct ff_job_row *row)
{
    char state[32];
    const char *end = line + length;
    const char *at = take_word(line, end, row->id, sizeof row->id);
    at = take_word(at, end, state, sizeof state);
    take_word(at, end, row->name, sizeof row->name);
    if (row->id[0] == '\0' || row->id[strspn(row->id, "0123456789")] != '\0' ||
        row->name[0] == '\0')
        return -1;
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++)
        if (strcasecmp(state, states[i].name) == 0) {
            row->state = states[i].state;
            snprintf(row->why, sizeof row->why, "%s", states[i].words);
            return 0;
        }
    return ff_job_row_unclear(row, state, "abcdefghijklmnopqrstuvwxyz_*");
}

static const struct ff_job_table table = {"qstat", is_title, read_row};

static int read_status(const struct ff_command_result *result, struct ff_job_rows *rows,
                       struct ff_error *error)
{
    if (ff_scheduler_succeeded(result, "qstat", error) < 0)
        return -1;
    /* A manager of the queue that is not there is complained of, with status 0. */
    if (result->error[0] != '\0' || strlen(result->out) != result->out_size) {
        char words[600];
        ff_command_words(result, "qstat", words, sizeof words);
        return ff_fail(error, FF_PROTOCOL, "%s", words);
    }
    return ff_job_table_read(&table, result->out, rows, error);
}

static void cancel(const char *id, struct ff_words *words)
{
    ff_words_add(words, "qdel");
    ff_words_add(words, "%s", id);
}

static int check(const struct ff_config *config, struct ff_error *error)
{
    if (config->walltime < 60) {
        ff_fail(error, FF_INVALID_SETTING, "provider cobalt needs a walltime");
        return ff_hint(error, "set walltime: 1h");
    }
    return ff_scheduler_refuse_slurm_keys("cobalt", config, error);
}

static const char *const version[] = {"qstat", "--version", NULL};

const struct ff_scheduler ff_scheduler_cobalt = {
    .name = "cobalt",
    .submit_program = "qsub",
    .status_program = "qstat",
    .cancel_program = "qdel",
    .launch = {.directive = "#COBALT",
               .job_ends = "COBALT_ENDTIME",
               .many = "cobalt",
               .own_log = true},
    .submit = submit,
    .read_id = read_id,
    .status = status,
    .read_status = read_status,
    .cancel = cancel,
    .check = check,
    .version = version,
};

const struct ff_provider ff_provider_cobalt = FF_BATCH_PROVIDER("cobalt", &ff_scheduler_cobalt);

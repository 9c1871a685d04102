/* PBS Professional and OpenPBS: qsub, qselect, qstat, qdel. (Torque, which shares the names, has another language.) */
#include "endpoint/providers/batch.h"
#include "endpoint/providers/scheduler.h"
#include "endpoint/walltime.h"
#include "protocol/core/json_scan.h"
#include "protocol/core/text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- submit ---- */

static void add_place(const struct ff_job_order *order, const struct ff_config *config,
                      struct ff_words *words)
{
    const char *place = order->nodes > 1 ? (config->exclusive ? "scatter:excl" : "scatter")
                                         : (config->exclusive ? "excl" : "");
    if (place[0] != '\0') {
        ff_words_add(words, "-l");
        ff_words_add(words, "place=%s", place);
    }
}

static void submit(const struct ff_job_order *order, const struct ff_config *config,
                   const char *script, struct ff_words *words)
{
    char walltime[FF_WALLTIME_SIZE];
    char select[128];
    int used = snprintf(select, sizeof select, "select=%u", order->nodes);
    if (config->cores_per_node > 0)
        used += snprintf(select + used, sizeof select - (size_t)used, ":ncpus=%lld",
                         (long long)config->cores_per_node);
    if (config->gpus_per_node > 0)
        used += snprintf(select + used, sizeof select - (size_t)used, ":ngpus=%lld",
                         (long long)config->gpus_per_node);
    snprintf(select + used, sizeof select - (size_t)used, ":mpiprocs=1");
    ff_words_add(words, "qsub");
    ff_words_add_option(words, "-N", order->name);
    ff_words_add_option(words, "-l", select);
    add_place(order, config, words);
    if (config->walltime > 0) {
        ff_walltime_text(config->walltime, walltime);
        ff_words_add(words, "-l");
        ff_words_add(words, "walltime=%s", walltime);
    }
    ff_words_add_option(words, "-q", config->partition);
    ff_words_add_option(words, "-A", config->account);
    /* Whoever lost a job asks for another when there is work for it. */
    ff_words_add_option(words, "-r", "n");
    /* PBS brings output back when a job has ended; the script writes its own as it comes. */
    ff_words_add_option(words, "-j", "oe");
    ff_words_add_option(words, "-o", "/dev/null");
    ff_words_add(words, "%s", script);
}

/* "1234.server" on a line of its own */
static int read_id(const char *out, char id[FF_JOB_ID_SIZE], struct ff_error *error)
{
    size_t line = strcspn(out, "\n");
    size_t digits = strspn(out, "0123456789");
    size_t length = digits;
    if (out[length] == '.')
        while (isalnum((unsigned char)out[length]) ||
               (out[length] != '\0' && strchr("._-", out[length]) != NULL))
            length++;
    const char *rest = out + line + strspn(out + line, "\n");
    if (digits == 0 || length != line || length >= FF_JOB_ID_SIZE || *rest != '\0')
        return ff_fail(error, FF_PROTOCOL, "qsub printed no id of a job but \"%.*s\"",
                       (int)(line < 80 ? line : 80), out);
    snprintf(id, FF_JOB_ID_SIZE, "%.*s", (int)length, out);
    return 0;
}

/* ---- status ---- */

/* Ids, and behind "--" the names of those whose id is not known, which qselect finds while they have not ended. -x tells also
 * of jobs that have ended; a server that keeps no history refuses it, and there absence has to do. */
static const char ask[] =
    "all=\n"
    "while [ \"$1\" != -- ]; do all=\"$all $1\"; shift; done\n"
    "shift\n"
    "for name; do found=$(qselect -N \"$name\") || exit 1; all=\"$all $(echo $found)\"; done\n"
    "[ -n \"$(echo $all)\" ] || { echo '{\"Jobs\":{}}'; exit 0; }\n"
    "{ said=$(qstat -x -f -F json $all 2>&1 >&3 3>&-); status=$?; } 3>&1\n"
    "case $said in *'job history'* | *job_history*) exec qstat -f -F json $all ;; esac\n"
    "[ -z \"$said\" ] || echo \"$said\" >&2\n"
    "exit $status\n";

static void status(const struct ff_job_question *question, struct ff_words *words)
{
    ff_words_add(words, "sh");
    ff_words_add(words, "-c");
    ff_words_add(words, "%s", ask);
    ff_words_add(words, "sh");
    for (size_t i = 0; i < question->count; i++)
        if (question->ids[i][0] != '\0')
            ff_words_add(words, "%s", question->ids[i]);
    ff_words_add(words, "--");
    for (size_t i = 0; i < question->count; i++)
        if (question->ids[i][0] == '\0')
            ff_words_add(words, "%s", question->names[i]);
}

/* What a job's object holds that is of use. */
struct fields {
    struct ff_span name, state, comment, exit_status, start, walltime, estimated;
};

/* A string without its quotes; anything else as it stands. */
static void copy_value(struct ff_span value, char *text, size_t size)
{
    const char *from = value.data;
    size_t left = value.size;
    size_t used = 0;
    if (left >= 2 && from[0] == '"') {
        from++;
        left -= 2;
    }
    for (; left > 0 && used + 1 < size; left--, from++) {
        if (*from == '\\' && left > 1) {
            from++;
            left--;
        }
        text[used++] = isprint((unsigned char)*from) ? *from : '?';
    }
    text[used] = '\0';
}

static bool is_key(struct ff_span key, const char *name)
{
    return ff_span_equal(key, ff_span_of(name));
}

/* The member of an object that is itself a value; the span stays empty where it is not there. */
static int take_inner(struct ff_span object, const char *name, struct ff_span *value,
                      struct ff_error *error)
{
    struct ff_json json;
    struct ff_span key;
    struct ff_span at;
    int got;
    ff_json_open(&json, object);
    if (ff_json_enter(&json, '{', error) < 0)
        return -1;
    while ((got = ff_json_member(&json, &key, error)) > 0) {
        if (ff_json_value(&json, &at, error) < 0)
            return -1;
        if (is_key(key, name))
            *value = at;
    }
    return got;
}

static int take_fields(struct ff_span job, struct fields *fields, struct ff_error *error)
{
    const struct {
        const char *name;
        struct ff_span *to;
    } plain[] = {
        {"Job_Name", &fields->name},   {"job_state", &fields->state},
        {"comment", &fields->comment}, {"Exit_status", &fields->exit_status},
        {"stime", &fields->start},
    };
    struct ff_json json;
    struct ff_span key;
    struct ff_span value;
    int got;
    ff_json_open(&json, job);
    if (ff_json_enter(&json, '{', error) < 0)
        return -1;
    while ((got = ff_json_member(&json, &key, error)) > 0) {
        if (ff_json_value(&json, &value, error) < 0)
            return -1;
        for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++)
            if (is_key(key, plain[i].name))
                *plain[i].to = value;
        if (is_key(key, "Resource_List") &&
            take_inner(value, "walltime", &fields->walltime, error) < 0)
            return -1;
        if (is_key(key, "estimated") &&
            take_inner(value, "start_time", &fields->estimated, error) < 0)
            return -1;
    }
    return got;
}

/* "Wed Nov 25 17:00:00 2026", or seconds, as wall clock; 0 where it is neither. */
static int64_t read_time(struct ff_span value)
{
    char text[64];
    int64_t seconds;
    struct tm parts = {.tm_isdst = -1};
    copy_value(value, text, sizeof text);
    if (ff_text_integer(text, 0, INT64_MAX, &seconds) == 0)
        return ff_job_time_ns(seconds);
    const char *rest = strptime(text, "%a %b %d %H:%M:%S %Y", &parts);
    if (rest == NULL || *rest != '\0')
        return 0;
    return ff_job_time_ns(mktime(&parts));
}

static void describe_end(const struct fields *fields, struct ff_job_row *row)
{
    char text[32];
    int64_t code = 0;
    copy_value(fields->exit_status, text, sizeof text);
    bool known = ff_text_integer(text, INT32_MIN, INT32_MAX, &code) == 0;
    if (known && code == -29)
        snprintf(row->why, sizeof row->why, "the job has reached its walltime");
    else if (known && code > 256)
        snprintf(row->why, sizeof row->why, "the job was ended by signal %lld",
                 (long long)code - 256);
    else if (known && code != 0)
        snprintf(row->why, sizeof row->why, "the job failed (Exit_status %lld)", (long long)code);
    else
        snprintf(row->why, sizeof row->why, "the job has ended");
}

static void describe_waiting(const struct fields *fields, const char *words, struct ff_job_row *row)
{
    static const char before[] = "Not Running: ";
    char comment[256];
    copy_value(fields->comment, comment, sizeof comment);
    const char *reason =
        strncmp(comment, before, sizeof before - 1) == 0 ? comment + sizeof before - 1 : comment;
    snprintf(row->why, sizeof row->why, "%s", reason[0] != '\0' ? reason : words);
}

static int take_state(const struct fields *fields, struct ff_job_row *row)
{
    static const struct {
        char letter;
        enum ff_block_state state;
        const char *words;
    } states[] = {
        {'Q', FF_BLOCK_PENDING, "it waits in the queue"},
        {'H', FF_BLOCK_PENDING, "it is held"},
        {'W', FF_BLOCK_PENDING, "its time to begin has not come"},
        {'T', FF_BLOCK_PENDING, "it is being moved"},
        {'M', FF_BLOCK_PENDING, "it was moved to another server"},
        {'R', FF_BLOCK_RUNNING, ""},
        {'E', FF_BLOCK_RUNNING, "it is ending"},
        {'S', FF_BLOCK_RUNNING, "the scheduler has suspended it"},
        {'U', FF_BLOCK_RUNNING, "it is suspended while the machine is used"},
        {'F', FF_BLOCK_ENDED, NULL},
        {'X', FF_BLOCK_ENDED, NULL},
    };
    char letter[4];
    copy_value(fields->state, letter, sizeof letter);
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        if (letter[0] != states[i].letter || letter[1] != '\0')
            continue;
        row->state = states[i].state;
        if (row->state == FF_BLOCK_ENDED)
            describe_end(fields, row);
        else if (row->state == FF_BLOCK_PENDING)
            describe_waiting(fields, states[i].words, row);
        else
            snprintf(row->why, sizeof row->why, "%s", states[i].words);
        return 0;
    }
    return letter[0] != '\0' && letter[1] == '\0'
               ? ff_job_row_unclear(row, letter, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
               : -1;
}

static int take_job(struct ff_span id, struct ff_span job, struct ff_job_rows *rows,
                    struct ff_error *error)
{
    struct fields fields = {0};
    char walltime[64];
    int64_t limit_s;
    if (take_fields(job, &fields, error) < 0)
        return -1;
    struct ff_job_row *row = ff_job_rows_add(rows);
    if (row == NULL)
        return ff_fail(error, FF_PROTOCOL, "qstat lists too many jobs");
    copy_value(id, row->id, sizeof row->id);
    copy_value(fields.name, row->name, sizeof row->name);
    if (take_state(&fields, row) < 0)
        return ff_fail(error, FF_PROTOCOL, "job %s has no state that PBS documents", row->id);
    copy_value(fields.walltime, walltime, sizeof walltime);
    bool running = row->state == FF_BLOCK_RUNNING;
    row->starts_ns = read_time(running ? fields.start : fields.estimated);
    if (running && row->starts_ns > 0 && ff_walltime_read(walltime, &limit_s) == 0 && limit_s > 0)
        row->ends_ns = ff_job_time_ns(row->starts_ns / 1000000000 + limit_s);
    return 0;
}

static int take_jobs(struct ff_json *json, struct ff_job_rows *rows, struct ff_error *error)
{
    struct ff_span id;
    struct ff_span job;
    int got;
    if (ff_json_enter(json, '{', error) < 0)
        return -1;
    while ((got = ff_json_member(json, &id, error)) > 0)
        if (ff_json_value(json, &job, error) < 0 || take_job(id, job, rows, error) < 0)
            return -1;
    return got;
}

static int take_answer(struct ff_span text, struct ff_job_rows *rows, struct ff_error *error)
{
    struct ff_json json;
    struct ff_span key;
    struct ff_span value;
    bool found = false;
    int got;
    ff_json_open(&json, text);
    if (ff_json_enter(&json, '{', error) < 0)
        return -1;
    while ((got = ff_json_member(&json, &key, error)) > 0) {
        bool jobs = is_key(key, "Jobs");
        found = found || jobs;
        if (jobs ? take_jobs(&json, rows, error) < 0 : ff_json_value(&json, &value, error) < 0)
            return -1;
    }
    if (got < 0 || ff_json_finish(&json, error) < 0)
        return -1;
    return found ? 0 : ff_fail(error, FF_PROTOCOL, "it holds no Jobs");
}

/* A question that names a purged job fails, and says of all others how they are: that is a good answer if it complains of
 * nothing else. */
static bool only_unknown_jobs(const char *said)
{
    static const char unknown[] = "qstat: Unknown Job Id";
    if (said[0] == '\0')
        return false;
    while (*said != '\0') {
        size_t length = strcspn(said, "\n");
        if (length > 0 && strncmp(said, unknown, sizeof unknown - 1) != 0)
            return false;
        said += said[length] == '\n' ? length + 1 : length;
    }
    return true;
}

static int read_status(const struct ff_command_result *result, struct ff_job_rows *rows,
                       struct ff_error *error)
{
    const struct ff_span text = {result->out, result->out_size};
    bool purged = result->status > 0 && !result->truncated && only_unknown_jobs(result->error);
    if (!purged && ff_scheduler_succeeded(result, "qstat", error) < 0)
        return -1;
    if (purged && text.size == 0) /* it knows none of them */
        return 0;
    if (take_answer(text, rows, error) < 0)
        return ff_fail_prefix(error, "qstat's answer is not understood: ");
    return 0;
}

static void cancel(const char *id, struct ff_words *words)
{
    ff_words_add(words, "qdel");
    ff_words_add(words, "%s", id);
}

static int check(const struct ff_config *config, struct ff_error *error)
{
    return ff_scheduler_refuse_slurm_keys("pbs", config, error);
}

static const char *const version[] = {"qstat", "--version", NULL};

const struct ff_scheduler ff_scheduler_pbs = {
    .name = "pbs",
    .submit_program = "qsub",
    .status_program = "qstat",
    .cancel_program = "qdel",
    .launch = {.directive = "#PBS", .many = "mpiexec", .own_log = true},
    .submit = submit,
    .read_id = read_id,
    .status = status,
    .read_status = read_status,
    .cancel = cancel,
    .check = check,
    .version = version,
};

const struct ff_provider ff_provider_pbs = FF_BATCH_PROVIDER("pbs", &ff_scheduler_pbs);

/* Slurm, 20.02 and later: sbatch, squeue, scancel. */
#include "endpoint/providers/batch.h"
#include "endpoint/providers/scheduler.h"
#include "endpoint/providers/survey.h"
#include "endpoint/walltime.h"
#include "protocol/core/text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* ---- submit ---- */

static void add_text(struct ff_words *words, const char *option, const char *value)
{
    if (value[0] != '\0')
        ff_words_add(words, "%s=%s", option, value);
}

/* In names of files Slurm replaces %j and the like. */
static void add_output(struct ff_words *words, const char *folder)
{
    char path[2 * PATH_MAX];
    size_t used = 0;
    for (const char *at = folder; *at != '\0' && used + 8 < sizeof path; at++) {
        if (*at == '%')
            path[used++] = '%';
        path[used++] = *at;
    }
    path[used] = '\0';
    ff_words_add(words, "--output=%s/log", path);
}

static void submit(const struct ff_job_order *order, const struct ff_config *config,
                   const char *script, struct ff_words *words)
{
    char walltime[FF_WALLTIME_SIZE];
    ff_words_add(words, "sbatch");
    ff_words_add(words, "--parsable");
    ff_words_add(words, "--job-name=%s", order->name);
    ff_words_add(words, "--nodes=%u", order->nodes);
    ff_words_add(words, "--ntasks-per-node=1");
    add_text(words, "--partition", config->partition);
    add_text(words, "--account", config->account);
    add_text(words, "--qos", config->qos);
    add_text(words, "--constraint", config->constraint);
    add_text(words, "--reservation", config->reservation);
    if (config->gpus_per_node > 0)
        ff_words_add(words, "--gres=gpu:%lld", (long long)config->gpus_per_node);
    if (config->cores_per_node > 0)
        ff_words_add(words, "--cpus-per-task=%lld", (long long)config->cores_per_node);
    if (config->exclusive)
        ff_words_add(words, "--exclusive");
    if (config->walltime > 0) {
        ff_walltime_text(config->walltime, walltime);
        ff_words_add(words, "--time=%s", walltime);
    }
    /* Whoever lost a job asks for another when there is work for it; one that Slurm starts anew nobody waits for. */
    ff_words_add(words, "--no-requeue");
    ff_words_add(words, "--open-mode=append");
    add_output(words, order->folder);
    ff_words_add(words, "--chdir=%s", order->home);
    ff_words_add(words, "%s", script);
}

/* "1234", or "1234;cluster" */
static int read_id(const char *out, char id[FF_JOB_ID_SIZE], struct ff_error *error)
{
    size_t digits = strspn(out, "0123456789");
    size_t line = strcspn(out, "\n");
    const char *rest = out + line + strspn(out + line, "\n");
    if (digits == 0 || digits > 20 || (out[digits] != ';' && digits != line) || *rest != '\0')
        return ff_fail(error, FF_PROTOCOL, "sbatch printed no id of a job but \"%.*s\"",
                       (int)(line < 80 ? line : 80), out);
    snprintf(id, FF_JOB_ID_SIZE, "%.*s", (int)digits, out);
    return 0;
}

/* ---- status ---- */

/* Times come as seconds of the wall clock. */
static void status(const struct ff_job_question *question, struct ff_words *words)
{
    struct ff_buffer names;
    ff_words_add(words, "env");
    ff_words_add(words, "SLURM_TIME_FORMAT=%%s");
    ff_words_add(words, "squeue");
    ff_words_add(words, "--me");
    ff_words_add(words, "--noheader");
    ff_words_add(words, "--states=all"); /* also those that have just ended, with the reason */
    /* %F, not %i: the elements of an array, which a site's options may make of a job, count as that job. */
    ff_words_add(words, "--format=%%F|%%T|%%S|%%e|%%j|%%r");
    ff_buffer_init(&names, question->count * (FF_JOB_NAME_SIZE + 1) + 1);
    for (size_t i = 0; i < question->count; i++)
        ff_buffer_printf(&names, "%s%s", i > 0 ? "," : "", question->names[i]);
    ff_words_add(words, "--name=%s", ff_buffer_text(&names));
    words->failed = words->failed || names.failed;
    ff_buffer_dispose(&names);
}

struct state {
    const char *name;
    enum ff_block_state state;
    const char *words; /* NULL: the reason tells more */
};

static const struct state states[] = {
    {"PENDING", FF_BLOCK_PENDING, NULL},
    {"CONFIGURING", FF_BLOCK_PENDING, "its nodes are being started"},
    {"REQUEUED", FF_BLOCK_PENDING, "it was put back into the queue"},
    {"REQUEUE_FED", FF_BLOCK_PENDING, "it was put back into the queue"},
    {"REQUEUE_HOLD", FF_BLOCK_PENDING, "it was put back into the queue and is held"},
    {"SPECIAL_EXIT", FF_BLOCK_PENDING, "it was put back into the queue and is held"},
    {"RESV_DEL_HOLD", FF_BLOCK_PENDING, "its reservation was deleted; it is held"},
    {"RUNNING", FF_BLOCK_RUNNING, ""},
    {"COMPLETING", FF_BLOCK_RUNNING, "it is ending"},
    {"RESIZING", FF_BLOCK_RUNNING, ""},
    {"SIGNALING", FF_BLOCK_RUNNING, ""},
    {"STAGE_OUT", FF_BLOCK_RUNNING, "it is ending"},
    {"STOPPED", FF_BLOCK_RUNNING, "it was stopped by a signal"},
    {"SUSPENDED", FF_BLOCK_RUNNING, "the scheduler has suspended it"},
    {"COMPLETED", FF_BLOCK_ENDED, "the job has ended"},
    {"CANCELLED", FF_BLOCK_ENDED, "the job was cancelled"},
    {"FAILED", FF_BLOCK_ENDED, "the job failed"},
    {"TIMEOUT", FF_BLOCK_ENDED, "the job has reached its walltime"},
    {"NODE_FAIL", FF_BLOCK_ENDED, "a node of the job failed"},
    {"BOOT_FAIL", FF_BLOCK_ENDED, "a node of the job did not start"},
    {"DEADLINE", FF_BLOCK_ENDED, "the job has reached its deadline"},
    {"PREEMPTED", FF_BLOCK_ENDED, "the job was preempted by another"},
    {"OUT_OF_MEMORY", FF_BLOCK_ENDED, "the job used more memory than it may"},
    {"REVOKED", FF_BLOCK_ENDED, "the job was revoked"},
};

/* Reasons for which nothing has to be looked up, in words. */
static const struct {
    const char *reason;
    const char *words;
} reasons[] = {
    {"Resources", "the nodes it needs are busy"},
    {"Priority", "jobs of higher priority come first"},
    {"Dependency", "it depends on another job"},
    {"BeginTime", "its time to begin has not come"},
    {"JobHeldUser", "it is held by its user"},
    {"JobHeldAdmin", "it is held by an administrator"},
    {"PartitionConfig", "it asks for more than its partition has"},
    {"PartitionDown", "its partition is down"},
    {"PartitionInactive", "its partition does not start jobs"},
    {"PartitionNodeLimit", "it asks for more nodes than its partition allows"},
    {"PartitionTimeLimit", "its walltime is longer than its partition allows"},
    {"ReqNodeNotAvail", "nodes it needs are reserved, drained or down"},
    {"Reservation", "its reservation has not begun"},
    {"BadConstraints", "no nodes have what it asks for"},
    {"QOSMaxJobsPerUserLimit", "you have as many jobs as your QOS allows"},
    {"AssocGrpCpuLimit", "your account uses as many cores as it may"},
    {"MaxJobsPerUser", "you have as many jobs as you may"},
};

struct field {
    const char *text;
    size_t length;
};

/* Splits a line at '|' into exactly six; the last one may hold more of them. */
static int split(const char *line, size_t length, struct field fields[6])
{
    for (int i = 0; i < 6; i++) {
        const char *bar = i < 5 ? memchr(line, '|', length) : NULL;
        if (i < 5 && bar == NULL)
            return -1;
        fields[i].text = line;
        fields[i].length = bar != NULL ? (size_t)(bar - line) : length;
        if (bar != NULL) {
            length -= fields[i].length + 1;
            line = bar + 1;
        }
    }
    return 0;
}

static void copy(const struct field *field, char *text, size_t size)
{
    size_t length = field->length < size - 1 ? field->length : size - 1;
    for (size_t i = 0; i < length; i++)
        text[i] = isprint((unsigned char)field->text[i]) ? field->text[i] : '?';
    text[length] = '\0';
}

/* Seconds; "N/A" and the like are not known. */
static int64_t read_time(const struct field *field)
{
    char text[24];
    int64_t seconds;
    if (field->length >= sizeof text)
        return 0;
    copy(field, text, sizeof text);
    return ff_text_integer(text, 0, INT64_MAX, &seconds) == 0 ? ff_job_time_ns(seconds) : 0;
}

static void describe(struct ff_job_row *row, const struct state *state, const struct field *reason)
{
    char given[256];
    copy(reason, given, sizeof given);
    bool has = given[0] != '\0' && strcmp(given, "None") != 0 && strcmp(given, "(null)") != 0;
    const char *words = state->words;
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0] && words == NULL; i++) {
        size_t length = strlen(reasons[i].reason);
        if (strncmp(given, reasons[i].reason, length) == 0 &&
            !isalnum((unsigned char)given[length]))
            words = reasons[i].words;
    }
    if (words == NULL)
        snprintf(row->why, sizeof row->why, "%s", has ? given : "it waits in the queue");
    else if (has && row->state != FF_BLOCK_RUNNING)
        snprintf(row->why, sizeof row->why, "%s (%s)", words, given);
    else
        snprintf(row->why, sizeof row->why, "%s", words);
}

static int read_row(const char *line, size_t length, struct ff_job_row *row)
{
    struct field fields[6];
    char name[32];
    if (split(line, length, fields) < 0 || fields[0].length == 0 ||
        fields[0].length >= sizeof row->id || !isdigit((unsigned char)fields[0].text[0]))
        return -1;
    copy(&fields[0], row->id, sizeof row->id);
    copy(&fields[1], name, sizeof name);
    copy(&fields[4], row->name, sizeof row->name);
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        if (strcmp(name, states[i].name) != 0)
            continue;
        row->state = states[i].state;
        row->starts_ns = read_time(&fields[2]);
        row->ends_ns = row->state == FF_BLOCK_RUNNING ? read_time(&fields[3]) : 0;
        describe(row, &states[i], &fields[5]);
        return 0;
    }
    return ff_job_row_unclear(row, name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_");
}

/* Of a question about several clusters. */
static bool is_header(const char *line, size_t length)
{
    return length >= 9 && strncmp(line, "CLUSTER: ", 9) == 0;
}

static const struct ff_job_table table = {"squeue", is_header, read_row};

static int read_status(const struct ff_command_result *result, struct ff_job_rows *rows,
                       struct ff_error *error)
{
    if (ff_scheduler_succeeded(result, "squeue", error) < 0)
        return -1;
    if (strlen(result->out) != result->out_size || strstr(result->error, "error") != NULL) {
        char words[600];
        ff_command_words(result, "squeue", words, sizeof words);
        return ff_fail(error, FF_PROTOCOL, "%s", words);
    }
    return ff_job_table_read(&table, result->out, rows, error);
}

static void cancel(const char *id, struct ff_words *words)
{
    ff_words_add(words, "scancel");
    ff_words_add(words, "%s", id);
}

static const char *const version[] = {"sbatch", "--version", NULL};

static const char *const variables[] = {"SBATCH_", "SQUEUE_", "SCANCEL_", "SINFO_", NULL};

const struct ff_scheduler ff_scheduler_slurm = {
    .name = "slurm",
    .submit_program = "sbatch",
    .status_program = "squeue",
    .cancel_program = "scancel",
    .launch = {.directive = "#SBATCH",
               .job_ends = "SLURM_JOB_END_TIME", /* of newer releases */
               .ask_end =
                   "SLURM_TIME_FORMAT=%s squeue --noheader --jobs=\"$SLURM_JOB_ID\" --format=%e",
               .many = "srun"},
    .submit = submit,
    .read_id = read_id,
    .status = status,
    .read_status = read_status,
    .cancel = cancel,
    .variables = variables,
    .version = version,
    .survey = ff_slurm_survey,
};

const struct ff_provider ff_provider_slurm = FF_BATCH_PROVIDER("slurm", &ff_scheduler_slurm);

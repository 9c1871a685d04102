#include "endpoint/providers/batch.h"

#include "endpoint/providers/scheduler.h"
#include "protocol/core/clock.h"
#include "protocol/core/file.h"
#include "protocol/core/log.h"
#include "protocol/core/process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    STATUS_LIMIT = 8 * 1024 * 1024, /* bytes of an answer about all jobs */
    WORDS_LIMIT = 64 * 1024,        /* of any other */
    SCRIPT_LIMIT = 64 * 1024,
    LOOK_MS = 200, /* after an event of the job itself, which the scheduler may not have seen yet */
    OUTAGE_LONGEST_MS = 30000,
    CANCEL_LONGEST_MS = 60000,
};

static const struct ff_batch_pace usual = {
    .first_ms = 1000,
    .limit_ms = 30000,
    .submit_limit_ms = 60000,
};

struct ff_provider_job {
    struct ff_provider_job *next;
    struct ff_provider_site *site;
    struct ff_provider_events events;
    struct ff_job_report report;
    char name[FF_JOB_NAME_SIZE];
    char *submitting; /* path of the file that names the submit under way */
    struct ff_command *submit;
    struct ff_command *cancel;
    bool seen;          /* in an answer, ever */
    bool refused;       /* plainly: one look at the queue is enough */
    unsigned absences;  /* in good answers, in a row */
    int64_t settled_ns; /* when submit had ended; absence counts in questions asked later */
    bool cancel_wanted;
    int cancel_pause_ms; /* between the last cancel and the next one, if the job still stands there */
    int64_t cancel_again_ns; /* not before then; 0: at once */
};

struct ff_provider_site {
    struct ff_loop *loop;
    const struct ff_scheduler *scheduler;
    const struct ff_config *config;
    struct ff_batch_pace pace;
    struct ff_commands *commands;
    struct ff_command *question;
    struct ff_timer *timer;
    int64_t asked_ns; /* when the question under way was asked */
    int interval_ms;
    int64_t
        soon_ns; /* something was done: not later than this the next question is due; 0: nothing was */
    int64_t unknown_since_ns;
    struct ff_provider_job *first;
};

/* ---- asking ---- */

static void ask(void *user);

static int longest_ms(const struct ff_provider_site *site)
{
    return site->pace.longest_ms > 0 ? site->pace.longest_ms
                                     : (int)(1000 * site->config->status_interval_s);
}

/* Something was done: the next look is soon, and those after it come in quick succession again. */
static void look_soon(struct ff_provider_site *site, int after_ms)
{
    int64_t at_ns = ff_monotonic_ns() + (int64_t)after_ms * 1000000;
    if (site->soon_ns == 0 || at_ns < site->soon_ns)
        site->soon_ns = at_ns;
    site->interval_ms = site->pace.first_ms;
    if (site->question == NULL)
        ff_timer_set(site->timer, site->soon_ns);
}

static void look_later(struct ff_provider_site *site, bool answered)
{
    int longest = answered ? longest_ms(site) : OUTAGE_LONGEST_MS;
    int64_t at_ns = site->soon_ns;
    if (site->first == NULL)
        return;
    if (at_ns == 0) {
        site->interval_ms += answered ? site->interval_ms / 2 : site->interval_ms;
        if (site->interval_ms > longest)
            site->interval_ms = longest;
        at_ns = ff_monotonic_ns() + (int64_t)site->interval_ms * 1000000;
    }
    ff_timer_set(site->timer, at_ns);
}

static void tell(struct ff_provider_job *job)
{
    job->events.changed(job->events.user);
}

/* The jobs as they were: one that is told of may be released meanwhile, with others. */
static void for_each(struct ff_provider_site *site,
                     void (*visit)(struct ff_provider_job *job, const void *with), const void *with)
{
    size_t count = 0;
    for (const struct ff_provider_job *at = site->first; at != NULL; at = at->next)
        count++;
    struct ff_provider_job **jobs = calloc(count + 1, sizeof(struct ff_provider_job *));
    if (jobs == NULL)
        return;
    count = 0;
    for (struct ff_provider_job *at = site->first; at != NULL; at = at->next)
        jobs[count++] = at;
    for (size_t i = 0; i < count; i++) {
        const struct ff_provider_job *at = site->first;
        while (at != NULL && at != jobs[i])
            at = at->next;
        if (at != NULL)
            visit(jobs[i], with);
    }
    free(jobs);
}

static void mark_unknown(struct ff_provider_job *job, const void *with)
{
    if (job->report.state == FF_BLOCK_ENDED || job->report.unknown_since_ns != 0)
        return;
    job->report.unknown_since_ns = job->site->unknown_since_ns;
    (void)with;
    tell(job);
}

static void no_answer(struct ff_provider_site *site, const struct ff_error *why)
{
    if (site->unknown_since_ns == 0) {
        site->unknown_since_ns = ff_monotonic_ns();
        ff_log(FF_LOG_WARNING,
               "%s does not tell how the jobs are; nothing changes until it does: %s",
               site->scheduler->name, why->message);
    }
    for_each(site, mark_unknown, NULL);
    site->soon_ns = 0; /* it would not be answered */
    look_later(site, false);
}

/* ---- answers ---- */

static void end_job(struct ff_provider_job *job, const char *why)
{
    job->report.state = FF_BLOCK_ENDED;
    job->report.unknown_since_ns = 0;
    if (why != NULL)
        snprintf(job->report.why, sizeof job->report.why, "%s", why);
    tell(job);
}

/* By id where it has one: somebody may have used the name again. Of several rows the one that has not ended counts. */
static const struct ff_job_row *find_row(const struct ff_provider_job *job,
                                         const struct ff_job_rows *rows)
{
    const struct ff_job_row *found = NULL;
    for (size_t i = 0; i < rows->count; i++) {
        const struct ff_job_row *row = &rows->items[i];
        bool its = job->report.handle[0] != '\0' ? strcmp(row->id, job->report.handle) == 0
                                                 : strcmp(row->name, job->name) == 0;
        if (its && (found == NULL || found->state == FF_BLOCK_ENDED))
            found = row;
    }
    return found;
}

static bool same_report(const struct ff_job_report *a, const struct ff_job_report *b)
{
    return a->state == b->state && a->starts_ns == b->starts_ns && a->ends_ns == b->ends_ns &&
           a->unknown_since_ns == b->unknown_since_ns && strcmp(a->handle, b->handle) == 0 &&
           strcmp(a->why, b->why) == 0;
}

/* Whether the submit of an earlier agent is still under way. One on another machine is, until it must have ended. */
static bool is_submitting(const struct ff_provider_job *job)
{
    struct ff_process_id id;
    struct stat status;
    char host[256] = "";
    char here[256] = "";
    gethostname(here, sizeof here - 1);
    if (ff_process_file_read(job->submitting, &id, host, sizeof host, NULL) < 0 ||
        stat(job->submitting, &status) < 0)
        return false;
    if (strcmp(host, here) == 0)
        return ff_process_alive(id);
    return ff_wall_ns() / 1000000000 - status.st_mtime < job->site->pace.submit_limit_ms / 1000;
}

/* Whether that was the end of it. A scheduler that has just come back may answer well with a list that lacks something: it
 * takes two such answers, and none will do while the job's workers speak. */
static bool is_gone(struct ff_provider_job *job)
{
    if (job->submit != NULL || job->site->asked_ns < job->settled_ns)
        return false;
    if (job->events.lives != NULL && job->events.lives(job->events.user))
        return false;
    if (job->report.handle[0] == '\0' && is_submitting(job)) {
        look_soon(job->site, job->site->pace.first_ms);
        return false;
    }
    job->absences++;
    bool gone = job->absences >= (job->refused ? 1U : 2U);
    if (!gone)
        look_soon(job->site, job->site->pace.first_ms);
    return gone;
}

static void end_absent(struct ff_provider_job *job)
{
    if (job->seen || job->report.handle[0] != '\0')
        end_job(job, "the scheduler does not know the job any more");
    else
        end_job(job, job->report.why[0] != '\0' ? NULL : "it was never submitted");
}

static void cancel_if_due(struct ff_provider_job *job);

/* The scheduler has the job; how it is, only this release cannot tell. */
static void keep_state(struct ff_job_report *report)
{
    if (report->state == FF_BLOCK_SUBMITTING)
        report->state = FF_BLOCK_PENDING;
    if (report->unknown_since_ns == 0)
        report->unknown_since_ns = ff_monotonic_ns();
}

static void take_state(struct ff_provider_job *job, const struct ff_job_row *row)
{
    struct ff_job_report *report = &job->report;
    if (report->state == FF_BLOCK_RUNNING && row->state == FF_BLOCK_PENDING)
        ff_log(FF_LOG_WARNING, "job %s (%s) was put back into the queue", row->id, job->name);
    report->state = row->state;
    report->starts_ns = row->starts_ns;
    report->ends_ns = row->ends_ns;
    report->unknown_since_ns = 0;
}

static void take_row(struct ff_provider_job *job, const struct ff_job_row *row)
{
    const struct ff_job_report before = job->report;
    struct ff_job_report *report = &job->report;
    job->seen = true;
    job->absences = 0;
    if (row->unclear)
        keep_state(report);
    else
        take_state(job, row);
    snprintf(report->handle, sizeof report->handle, "%s", row->id);
    snprintf(report->why, sizeof report->why, "%s", row->why);
    if (before.state != report->state)
        look_soon(job->site, job->site->pace.first_ms);
    if (job->cancel_wanted && report->state != FF_BLOCK_ENDED)
        cancel_if_due(job);
    if (!same_report(&before, report))
        tell(job);
}

static void take_answer(struct ff_provider_job *job, const void *with)
{
    if (job->report.state == FF_BLOCK_ENDED)
        return;
    const struct ff_job_row *row = find_row(job, with);
    bool was_unknown = job->report.unknown_since_ns != 0;
    if (row != NULL) {
        take_row(job, row);
        return;
    }
    job->report.unknown_since_ns = 0;
    if (is_gone(job))
        end_absent(job);
    else if (was_unknown)
        tell(job);
}

static void answered(void *user, const struct ff_command_result *result)
{
    struct ff_provider_site *site = user;
    struct ff_job_rows rows = {0};
    struct ff_error error;
    site->question = NULL;
    if (site->scheduler->read_status(result, &rows, &error) < 0) {
        no_answer(site, &error);
    } else {
        if (site->unknown_since_ns != 0)
            ff_log(FF_LOG_INFO, "%s tells again how the jobs are", site->scheduler->name);
        site->unknown_since_ns = 0;
        for_each(site, take_answer, &rows);
        look_later(site, true);
    }
    ff_job_rows_dispose(&rows);
}

static int start_question(struct ff_provider_site *site, const struct ff_words *words,
                          struct ff_error *error)
{
    const struct ff_command_question question = {
        .arguments = (const char *const *)words->items,
        .limit_ms = site->pace.limit_ms,
        .output_limit = STATUS_LIMIT,
        .done = answered,
        .user = site,
    };
    if (words->failed)
        return ff_fail(error, FF_NO_MEMORY, "no memory for a question");
    site->asked_ns = ff_monotonic_ns();
    site->question = ff_command_start(site->commands, &question, error);
    return site->question != NULL ? 0 : -1;
}

static void ask(void *user)
{
    struct ff_provider_site *site = user;
    struct ff_words words = {0};
    struct ff_error error;
    size_t count = 0;
    for (const struct ff_provider_job *at = site->first; at != NULL; at = at->next)
        count++;
    if (count == 0 || site->question != NULL)
        return;
    const char **names = calloc(2 * count, sizeof(const char *));
    int result = names == NULL ? ff_fail(&error, FF_NO_MEMORY, "no memory for a question") : 0;
    if (result == 0) {
        struct ff_job_question question = {names, names + count, 0};
        for (const struct ff_provider_job *at = site->first; at != NULL; at = at->next) {
            if (at->report.state == FF_BLOCK_ENDED)
                continue;
            names[question.count] = at->name;
            names[count + question.count++] = at->report.handle;
        }
        site->soon_ns = 0;
        if (question.count > 0) {
            site->scheduler->status(&question, &words);
            result = start_question(site, &words, &error);
        }
    }
    if (result < 0)
        no_answer(site, &error);
    ff_words_dispose(&words);
    free(names);
}

/* ---- submitting ---- */

/* What has its job in the queue all the same, perhaps. */
static bool may_have_worked(const struct ff_command_result *result)
{
    return result->timed_out || result->signal != 0 || result->status == 0 ||
           strcasestr(result->error, "timed out") != NULL ||
           strcasestr(result->error, "timeout") != NULL ||
           strcasestr(result->error, "contact") != NULL ||
           strcasestr(result->error, "connect") != NULL;
}

/* With what the command said beside it: --test-only of a site's options, a filter that lets nothing through. */
static int read_id(const struct ff_provider_site *site, const struct ff_command_result *result,
                   char id[FF_JOB_ID_SIZE], struct ff_error *error)
{
    char words[300];
    if (ff_scheduler_succeeded(result, site->scheduler->submit_program, error) < 0)
        return -1;
    if (site->scheduler->read_id(result->out, id, error) == 0)
        return 0;
    if (result->error[0] == '\0')
        return -1;
    ff_command_words(result, site->scheduler->submit_program, words, sizeof words);
    return ff_fail(error, FF_PROTOCOL, "no job was made: %s", words);
}

static void submitted(void *user, const struct ff_command_result *result)
{
    struct ff_provider_job *job = user;
    struct ff_provider_site *site = job->site;
    struct ff_error error;
    char id[FF_JOB_ID_SIZE];
    job->submit = NULL;
    job->settled_ns = ff_monotonic_ns();
    if (read_id(site, result, id, &error) == 0) {
        snprintf(job->report.handle, sizeof job->report.handle, "%s", id);
        job->report.state = FF_BLOCK_PENDING;
        snprintf(job->report.why, sizeof job->report.why, "it was submitted just now");
        look_soon(site, site->pace.first_ms);
    } else {
        snprintf(job->report.why, sizeof job->report.why, "%.500s", error.message);
        job->refused = !may_have_worked(result);
        look_soon(site, job->refused ? 0 : site->pace.first_ms);
    }
    tell(job);
}

static struct ff_provider_job *make_job(struct ff_provider_site *site,
                                        const struct ff_job_order *order,
                                        const struct ff_provider_events *events,
                                        struct ff_error *error)
{
    struct ff_provider_job *job = calloc(1, sizeof *job);
    if (job != NULL && asprintf(&job->submitting, "%s/submitting", order->folder) < 0)
        job->submitting = NULL;
    if (job == NULL || job->submitting == NULL) {
        free(job);
        ff_fail(error, FF_NO_MEMORY, "no memory for a job");
        return NULL;
    }
    job->site = site;
    job->events = *events;
    snprintf(job->name, sizeof job->name, "%s", order->name);
    job->next = site->first;
    site->first = job;
    return job;
}

static int write_script(const struct ff_provider_site *site, const struct ff_job_order *order,
                        const char *path, struct ff_error *error)
{
    struct ff_buffer script;
    ff_buffer_init(&script, SCRIPT_LIMIT);
    ff_scheduler_script(site->scheduler, order, site->config, &script);
    int result = ff_buffer_check(&script, "the script of a job", error);
    if (result == 0)
        result = ff_file_write(path, ff_buffer_span(&script), 0700, error);
    ff_buffer_dispose(&script);
    return result;
}

/* A failure costs only what the file is for. */
static void name_submit(const struct ff_provider_job *job)
{
    struct ff_process_id id;
    struct ff_error error;
    if (ff_process_identify(ff_command_pid(job->submit), &id) == 0 &&
        ff_process_file_write_of(job->submitting, id, &error) < 0)
        ff_log_error("the submission of a job is not noted", &error);
}

static int start_submit(struct ff_provider_job *job, const struct ff_job_order *order,
                        struct ff_error *error)
{
    struct ff_provider_site *site = job->site;
    struct ff_words words = {0};
    char script[PATH_MAX];
    snprintf(script, sizeof script, "%s/script", order->folder);
    if (write_script(site, order, script, error) < 0)
        return -1;
    site->scheduler->submit(order, site->config, script, &words);
    const struct ff_command_question question = {
        .arguments = (const char *const *)words.items,
        .limit_ms = site->pace.submit_limit_ms,
        .output_limit = WORDS_LIMIT,
        .done = submitted,
        .user = job,
    };
    if (words.failed)
        ff_fail(error, FF_NO_MEMORY, "no memory for a command line");
    else
        job->submit = ff_command_start(site->commands, &question, error);
    ff_words_dispose(&words);
    if (job->submit == NULL)
        return -1;
    name_submit(job);
    return 0;
}

struct ff_provider_job *ff_batch_submit(struct ff_provider_site *site,
                                        const struct ff_job_order *order,
                                        const struct ff_provider_events *events,
                                        struct ff_error *error)
{
    struct ff_provider_job *job = make_job(site, order, events, error);
    if (job != NULL && start_submit(job, order, error) < 0) {
        ff_batch_release(job);
        return NULL;
    }
    return job;
}

/* What becomes of it is told when the scheduler has answered. */
struct ff_provider_job *ff_batch_adopt(struct ff_provider_site *site,
                                       const struct ff_job_order *order, const char *handle,
                                       const struct ff_provider_events *events,
                                       struct ff_error *error)
{
    struct ff_provider_job *job = make_job(site, order, events, error);
    if (job == NULL)
        return NULL;
    job->settled_ns = ff_monotonic_ns();
    job->report.unknown_since_ns = job->settled_ns;
    snprintf(job->report.handle, sizeof job->report.handle, "%s", handle);
    job->report.state = handle[0] != '\0' ? FF_BLOCK_PENDING : FF_BLOCK_SUBMITTING;
    look_soon(site, 0);
    return job;
}

const struct ff_job_report *ff_batch_report(const struct ff_provider_job *job)
{
    return &job->report;
}

void ff_batch_look(struct ff_provider_job *job)
{
    if (job->report.state != FF_BLOCK_ENDED)
        look_soon(job->site, LOOK_MS);
}

/* ---- cancelling ---- */

/* Whether it worked shows the queue: as long as the job stands there, it is cancelled again, ever more seldom. One may stand
 * there for hours after its end, where its node is down. */
static void cancelled(void *user, const struct ff_command_result *result)
{
    struct ff_provider_job *job = user;
    struct ff_provider_site *site = job->site;
    bool first = job->cancel_pause_ms == 0;
    (void)result;
    job->cancel = NULL;
    job->cancel_pause_ms = first ? 2 * site->pace.first_ms : 2 * job->cancel_pause_ms;
    if (job->cancel_pause_ms > CANCEL_LONGEST_MS)
        job->cancel_pause_ms = CANCEL_LONGEST_MS;
    job->cancel_again_ns = ff_monotonic_ns() + (int64_t)job->cancel_pause_ms * 1000000;
    if (first)
        look_soon(site, site->pace.first_ms);
}

static void cancel_now(struct ff_provider_job *job)
{
    struct ff_provider_site *site = job->site;
    struct ff_words words = {0};
    struct ff_error error;
    site->scheduler->cancel(job->report.handle, &words);
    const struct ff_command_question question = {
        .arguments = (const char *const *)words.items,
        .limit_ms = site->pace.limit_ms,
        .output_limit = WORDS_LIMIT,
        .done = cancelled,
        .user = job,
    };
    if (!words.failed)
        job->cancel = ff_command_start(site->commands, &question, &error);
    if (job->cancel == NULL)
        look_soon(site, site->pace.first_ms);
    ff_words_dispose(&words);
}

static void cancel_if_due(struct ff_provider_job *job)
{
    if (job->cancel == NULL && ff_monotonic_ns() >= job->cancel_again_ns)
        cancel_now(job);
}

void ff_batch_cancel(struct ff_provider_job *job, bool at_once)
{
    if (job->report.state == FF_BLOCK_ENDED)
        return;
    job->cancel_wanted = true;
    (void)at_once; /* how long a job may take to end is for the scheduler to say */
    if (job->report.handle[0] != '\0')
        cancel_if_due(job);
}

void ff_batch_release(struct ff_provider_job *job)
{
    struct ff_provider_job **at = &job->site->first;
    while (*at != job)
        at = &(*at)->next;
    *at = job->next;
    if (job->submit != NULL)
        ff_command_cancel(job->submit);
    if (job->cancel != NULL)
        ff_command_cancel(job->cancel);
    free(job->submitting);
    free(job);
}

/* ---- the site ---- */

struct ff_provider_site *ff_batch_open(const struct ff_provider *provider, struct ff_loop *loop,
                                       const struct ff_config *config, struct ff_error *error)
{
    struct ff_provider_site *site = calloc(1, sizeof *site);
    if (site == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory for a provider");
        return NULL;
    }
    site->loop = loop;
    site->scheduler = provider->scheduler;
    site->config = config;
    site->pace = usual;
    site->interval_ms = usual.first_ms;
    site->commands = ff_commands_create(loop, error);
    site->timer = site->commands != NULL ? ff_timer_create(loop, ask, site, error) : NULL;
    if (site->timer == NULL) {
        ff_batch_close(site);
        return NULL;
    }
    return site;
}

void ff_batch_set_pace(struct ff_provider_site *site, const struct ff_batch_pace *pace)
{
    site->pace = *pace;
    site->interval_ms = pace->first_ms;
}

void ff_batch_close(struct ff_provider_site *site)
{
    if (site == NULL)
        return;
    ff_commands_destroy(site->commands);
    ff_timer_destroy(site->timer);
    free(site);
}

/* ---- for the doctor ---- */

int ff_batch_check(const struct ff_config *config, struct ff_error *error)
{
    const struct ff_scheduler *scheduler = ff_provider_find(config->provider)->scheduler;
    const char *const programs[] = {scheduler->submit_program, scheduler->status_program,
                                    scheduler->cancel_program};
    char path[PATH_MAX];
    for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++)
        if (ff_command_find(programs[i], path, error) < 0)
            return ff_hint(error,
                           "load the module of %s before the endpoint is started, or start "
                           "it on a login node",
                           scheduler->name);
    return 0;
}

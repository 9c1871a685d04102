/*
 * endpoint/providers/batch.h: the provider operations of every batch scheduler: asks by child processes, and believes only
 * what was answered well.
 *
 *  - One question about all jobs is under way at a time, a second after something was done, then ever more seldom up to
 *    status_interval_s.
 *  - A question that fails, hangs, or is answered with what is not wholly understood changes nothing but
 *    `unknown_since_ns`. It is logged when that begins and when it ends.
 *  - A job has ended when the scheduler says so, or when a good answer to a question that was asked after its submit had
 *    ended does not hold it: twice, unless it was seen before or the scheduler has plainly refused it.
 *  - Submit is called once for a job, never again. Whatever it says, the queue is looked at under the job's name before the
 *    job counts as refused: a submit that timed out may have done its work.
 *  - The submit of an agent that was killed may still run. It is named in FOLDER/submitting (PID START_TICKS HOST), and
 *    until it has ended no absence counts.
 */
#ifndef FF_ENDPOINT_PROVIDERS_BATCH_H
#define FF_ENDPOINT_PROVIDERS_BATCH_H

#include "endpoint/providers/provider.h"

/* How it takes its time; tests are quicker. */
struct ff_batch_pace {
    int first_ms;   /* before the first question after something was done */
    int longest_ms; /* between two questions while nothing changes; 0: as the configuration says */
    int limit_ms;   /* for an answer */
    int submit_limit_ms;
};

struct ff_provider_site *ff_batch_open(const struct ff_provider *provider, struct ff_loop *loop,
                                       const struct ff_config *config, struct ff_error *error);
void ff_batch_set_pace(struct ff_provider_site *site, const struct ff_batch_pace *pace);
void ff_batch_close(struct ff_provider_site *site);
struct ff_provider_job *ff_batch_submit(struct ff_provider_site *site,
                                        const struct ff_job_order *order,
                                        const struct ff_provider_events *events,
                                        struct ff_error *error);
struct ff_provider_job *ff_batch_adopt(struct ff_provider_site *site,
                                       const struct ff_job_order *order, const char *handle,
                                       const struct ff_provider_events *events,
                                       struct ff_error *error);
const struct ff_job_report *ff_batch_report(const struct ff_provider_job *job);
void ff_batch_look(struct ff_provider_job *job);
void ff_batch_cancel(struct ff_provider_job *job, bool at_once);
void ff_batch_release(struct ff_provider_job *job);
int ff_batch_check(const struct ff_config *config, struct ff_error *error);

/* The row of a scheduler in the table of providers. */
#define FF_BATCH_PROVIDER(its_name, its_scheduler)                                                 \
    {                                                                                              \
        .name = (its_name), .grows = true, .scheduler = (its_scheduler), .open = ff_batch_open,    \
        .close = ff_batch_close, .submit = ff_batch_submit, .adopt = ff_batch_adopt,               \
        .report = ff_batch_report, .look = ff_batch_look, .cancel = ff_batch_cancel,               \
        .release = ff_batch_release, .check = ff_batch_check,                                      \
    }

#endif

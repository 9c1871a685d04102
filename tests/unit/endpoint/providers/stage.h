/*
 * tests/unit/endpoint/providers/stage.h: the engine against stand-in commands: a scheduler of files in a folder. `queue` holds
 * the answer of squeue, `submit`, `status` and `cancel` are the scripts that play sbatch, squeue and scancel; each call
 * leaves a line in `calls`.
 */
#ifndef FF_TESTS_UNIT_ENDPOINT_PROVIDERS_STAGE_H
#define FF_TESTS_UNIT_ENDPOINT_PROVIDERS_STAGE_H

#include "endpoint/config.h"
#include "endpoint/providers/batch.h"

#include <sys/types.h>

struct stage {
    char *folder;
    char *path; /* of the environment, before */
    struct ff_config config;
    struct ff_loop *loop;
    struct ff_timer *tick;
    struct ff_provider_site *site;
    int64_t until_ns;
    bool (*reached)(struct stage *stage);
    bool met;
};

struct watched {
    struct ff_provider_job *job;
    struct stage *stage;
    unsigned changes;
    bool ended;
    bool speaks; /* its workers do */
    struct ff_job_report last;
};

/* The job that the conditions below are about. */
extern struct watched *stage_one;

/* A file of the folder, replaced at once. */
void stage_put(const struct stage *stage, const char *name, mode_t mode, const char *text);

/* How often a command was called; `name` may go on with its first arguments. */
unsigned stage_count_calls(const struct stage *stage, const char *name);

/* Runs the loop until the condition is true, or fails. */
void stage_wait_until(struct stage *stage, bool (*reached)(struct stage *stage));

/* Until `more` questions were asked after this, and the last but one was answered. */
void stage_wait_questions(struct stage *stage, unsigned more);

/* The stage has a site; a second one is that of the next agent. */
void stage_open_site(struct stage *stage);
void stage_open(struct stage *stage);
void stage_close(struct stage *stage);

/* The events of a watched job. */
void stage_note(void *user);
bool job_lives(void *user);

struct ff_job_order stage_order_of(const struct stage *stage, const char *name);
void stage_submit(struct stage *stage, struct watched *watched, const char *name);
void stage_adopt(struct stage *stage, struct watched *watched, const char *name,
                 const char *handle);

/* Conditions, of stage_one as it was told last. */
bool job_has_ended(struct stage *stage);
bool job_is_running(struct stage *stage);
bool job_is_pending(struct stage *stage);
bool job_is_unknown(struct stage *stage);
bool job_is_known(struct stage *stage);
bool submit_has_ended(struct stage *stage);
bool was_cancelled(struct stage *stage);

#endif

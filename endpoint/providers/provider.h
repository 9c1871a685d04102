/*
 * endpoint/providers/provider.h: what starts blocks: one table of operations for each way to get nodes.
 *
 * A block is a job of the provider that runs farfield-manager on each of its nodes. Two questions and one order: submit,
 * report, cancel. Nothing here may block the loop: a provider that has to ask another program (sbatch, squeue) does so in a
 * child and tells the result later. What it needs to find a job again after a restart of the agent is the job's name, and
 * the handle, a line of text that the agent keeps.
 *
 * Unknown is not gone: a job is ENDED when the provider knows that it is over. While it cannot tell, the report stays as it
 * was, with `unknown_since_ns`.
 */
#ifndef FF_ENDPOINT_PROVIDERS_PROVIDER_H
#define FF_ENDPOINT_PROVIDERS_PROVIDER_H

#include "protocol/core/loop.h"

#include <stddef.h>

struct ff_config;
struct ff_scheduler;

enum { FF_HANDLE_SIZE = 256, FF_WHY_SIZE = 512, FF_JOB_NAME_SIZE = 64 };

/*
 *     submitting ──it has an id──► pending ──► running ──► ended
 *         └──refused──► ended         ▲────requeued──┘
 */
enum ff_block_state {
    FF_BLOCK_SUBMITTING, /* asked for; whether the scheduler has it is not known yet */
    FF_BLOCK_PENDING,    /* the scheduler has it and has not started it */
    FF_BLOCK_RUNNING,
    FF_BLOCK_ENDED, /* for whatever reason; nothing follows */
};

/* What is known of a job. Times are of the wall clock; 0: not known, or never. */
struct ff_job_report {
    enum ff_block_state state;
    int64_t starts_ns;           /* expected (pending), or when it was (running) */
    int64_t ends_ns;             /* when the scheduler ends it */
    int64_t unknown_since_ns;    /* monotonic: since then nobody could tell; 0: it is known */
    char handle[FF_HANDLE_SIZE]; /* "" while it has none */
    char why[FF_WHY_SIZE];       /* what it waits for, or why it ended, in words */
};

/* What a job is to be. All paths are absolute. */
struct ff_job_order {
    const char *name;           /* no other job has it: ff-ENDPOINT-BLOCK */
    const char *folder;         /* of the block; its output is appended to FOLDER/log */
    const char *home;           /* FARFIELD_HOME of its processes */
    const char *const *command; /* NULL-ended, absolute program first: started on each node */
    unsigned nodes;
};

/* One job, and all jobs of one agent, as the provider keeps them. */
struct ff_provider_job;
struct ff_provider_site;

struct ff_provider_events {
    void *user; /* of the job */
    /* The report has changed. Never called from inside an operation. */
    void (*changed)(void *user);
    /* Whether the job's workers speak: then it lives, whatever the scheduler lists. NULL: nobody would know. */
    bool (*lives)(void *user);
};

struct ff_provider {
    const char *name;
    /* Whether its jobs are on other machines: nodes may come that have more than any node seen so far, and they live on when
     * this machine does not. */
    bool grows;
    const struct ff_scheduler *scheduler; /* whose commands are asked, or NULL */

    /* `config` is borrowed until close. */
    struct ff_provider_site *(*open)(const struct ff_provider *provider, struct ff_loop *loop,
                                     const struct ff_config *config, struct ff_error *error);
    /* After all jobs were released. */
    void (*close)(struct ff_provider_site *site);

    /* Starts a job. A failure here means that none exists, and none will. */
    struct ff_provider_job *(*submit)(struct ff_provider_site *site,
                                      const struct ff_job_order *order,
                                      const struct ff_provider_events *events,
                                      struct ff_error *error);

    /* Finds a job of an earlier agent again (its state may be unknown at first), by `handle`, or where that is "" by the order's
     * name. NULL with FF_NOT_FOUND when it is known to be over, with FF_UNREACHABLE when this machine can never tell. */
    struct ff_provider_job *(*adopt)(struct ff_provider_site *site,
                                     const struct ff_job_order *order, const char *handle,
                                     const struct ff_provider_events *events,
                                     struct ff_error *error);

    const struct ff_job_report *(*report)(const struct ff_provider_job *job);

    /* Something has happened that concerns it, such as the end of its managers: its state is to be looked at soon. */
    void (*look)(struct ff_provider_job *job);

    /* Ends the job: in order, or at once. The report tells when it has ended. May be called again. */
    void (*cancel)(struct ff_provider_job *job, bool at_once);

    /* Forgets the job without touching it. */
    void (*release)(struct ff_provider_job *job);

    /* For the doctor: whether this provider can work here. May wait. */
    int (*check)(const struct ff_config *config, struct ff_error *error);
};

/* By name, from the table in providers.c; NULL: there is none. */
const struct ff_provider *ff_provider_find(const char *name);

/* The names in it, by number; NULL behind the last. */
const char *ff_provider_name(size_t index);

/* Removes variables of the environment that add options to the commands of schedulers: one left in the shell of whoever starts
 * an agent would make two jobs of one, or hide jobs from the question after them. While there is one thread. */
void ff_providers_clear_environment(void);

/* The rows of that table. */
extern const struct ff_provider ff_provider_local;
extern const struct ff_provider ff_provider_slurm;
extern const struct ff_provider ff_provider_pbs;
extern const struct ff_provider ff_provider_cobalt;

#endif

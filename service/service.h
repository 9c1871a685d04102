/*
 * service/service.h: the whole service as one value: what main.c runs, and what tests run in their
 * own process.
 *
 * Threads: the loop (router, timers, signals), one HTTP thread for each port, the store's thread
 * (committer), ZeroMQ's own, and for the end of a large upload one for a moment. One lock guards
 * everything in memory (catalog, tokens, ledger, waiters). No file is written and nothing synced
 * under it, and of the store only one thing read: the arguments of a task about to be sent, where
 * so many wait that memory does not hold them.
 * Memory is handed over whole: a submission or a message of outcomes belongs to the committer
 * until it is durable.
 */
#ifndef FF_SERVICE_SERVICE_H
#define FF_SERVICE_SERVICE_H

#include "protocol/core/loop.h"
#include "service/catalog.h"
#include "service/config.h"
#include "service/identity.h"
#include "service/ledger.h"
#include "service/objects.h"
#include "service/recent.h"
#include "service/store/committer.h"
#include "service/tokens.h"

#include <pthread.h>
#include <stdatomic.h>

struct ff_router;
struct ff_retention;
struct ff_http;

struct ff_service {
    char *home, *folder;          /* FARFIELD_HOME and its service/ */
    char *ledger_path, *previews; /* previews/: the newest preview images of tasks */
    struct ff_config config;
    struct ff_identity identity;
    struct ff_id instance;
    uint64_t epoch;
    int64_t started_wall_ns, started_ns;
    int https_port, router_port;
    int lock_fd;

    pthread_mutex_t lock; /* of the next ten */
    struct ff_catalog *catalog;
    struct ff_tokens *tokens;
    struct ff_ledger *ledger;
    struct ff_waiters waiters;
    struct ff_recent recent;
    int64_t expiry_at_ns;     /* when the loop looks for waits that are over */
    unsigned previews_coming; /* on their way to their files */
    struct ff_job *failed;    /* outcomes whose commit failed; they are tried again */
    bool receipts_timed;      /* the router looks by itself for receipts that wait */
    bool stopping;

    struct ff_loop *loop;
    struct ff_timer *expiry, *retry;
    int64_t expiry_set_ns; /* what the timer is set to; the loop's alone */
    bool retry_set;        /* under the lock */
    struct ff_retention *retention;
    struct ff_prepare *prepare;
    struct ff_committer *committer;
    struct ff_objects *objects;
    struct ff_router *router;
    struct ff_http *http, *compat;
    atomic_int_least64_t next_task;
    atomic_int_least64_t next_seq;
};

/* What the command line says over the configuration; NULL or -1: nothing. */
struct ff_service_options {
    const char *host;
    int64_t https_port, router_port;
};

/* Starts all of it on the home: loads, binds both ports, publishes. It serves as soon as the loop
 * runs. */
struct ff_service *ff_service_create(const char *home, const struct ff_service_options *options,
                                     struct ff_error *error) FF_MUST_USE;

/* Runs until ff_service_stop, which any thread and signal handler may call. */
int ff_service_run(struct ff_service *service, struct ff_error *error) FF_MUST_USE;
void ff_service_stop(struct ff_service *service);

/* Reads the configuration again. */
int ff_service_reload(struct ff_service *service, struct ff_error *error) FF_MUST_USE;

/* Commits what was accepted, answers what waits, and closes. NULL is fine. */
void ff_service_destroy(struct ff_service *service);

/* Where clients find it: "https://HOST:PORT". */
void ff_service_url(const struct ff_service *service, char *url, size_t size);

/* Makes the loop look for waits that are over at this time. Under the lock. */
void ff_service_expire_at(struct ff_service *service, int64_t at_ns);

/* For jobs that must be written in the end (outcomes): tries again in a second. From `done` of the
 * job. false: the service is stopping, and the job is its owner's again. */
bool ff_service_retry(struct ff_service *service, struct ff_job *job, const struct ff_error *error);

#endif

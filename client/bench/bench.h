/*
 * client/bench/bench.h: farfield-bench-dispatch: how fast tasks go through service, endpoint and worker, and back.
 *
 * Everything is measured as a user meets it: real processes, TLS, a durable ledger. stand.c puts up a service and an
 * endpoint in a state folder of their own and takes them down in every case; the other files measure one thing each.
 */
#ifndef FF_CLIENT_BENCH_BENCH_H
#define FF_CLIENT_BENCH_BENCH_H

#include "client/farfield.h"

#include <stdint.h>
#include <sys/types.h>

struct ff_stand;

/* A service and a configured endpoint `bench` of `slots` slots under a fresh temporary FARFIELD_HOME, which this
 * process's environment then names; echo and fault are registered. The endpoint is not started yet. */
struct ff_stand *ff_stand_create(int slots, struct ff_error *error) FF_MUST_USE;

/* Ends what runs and removes the folder. NULL is fine. */
void ff_stand_destroy(struct ff_stand *stand);

/* The endpoint fresh: ended, where it runs, and started again. Returns when it is connected. */
int ff_stand_restart_endpoint(struct ff_stand *stand, struct ff_error *error) FF_MUST_USE;

/* Service and endpoint fresh. Sessions stay valid: the ports are the same. */
int ff_stand_restart_all(struct ff_stand *stand, struct ff_error *error) FF_MUST_USE;

/* Whether somebody asked the bench to end (Ctrl-C, SIGTERM): everything then fails soon, and is taken down. */
bool ff_stand_interrupted(void);

/* A session with the service of the stand, interrupted likewise. */
struct ff_session *ff_stand_session(const struct ff_stand *stand,
                                    struct ff_error *error) FF_MUST_USE;

#define FF_STAND_ENDPOINT "bench"

/* The processes of the stand by their environment. `name` NULL: all. At most `room` are given; returns how many. */
struct ff_stand_process {
    pid_t pid;
    char name[32];
};
enum { FF_STAND_PROCESSES = 64 };
size_t ff_stand_processes(const struct ff_stand *stand, const char *name,
                          struct ff_stand_process *found, size_t room);

/* What the modes take from the command line. */
struct ff_bench_options {
    int64_t tasks;
    int64_t calls;
    int64_t idle_seconds;
};

/* Each gives its line of JSON, which the caller owns. */
typedef int ff_bench_mode(struct ff_stand *stand, const struct ff_bench_options *options,
                          json_t **line, struct ff_error *error);
ff_bench_mode ff_bench_cold;
ff_bench_mode ff_bench_single;
ff_bench_mode ff_bench_batch;
ff_bench_mode ff_bench_kill_runner;
ff_bench_mode ff_bench_idle;

/* Sorts, and gives the value below which the fraction lies (0.5: the median). `count` ≥ 1. */
double ff_bench_quantile(double *values, size_t count, double fraction);

/* The median time, in µs, in which the disk under the stand makes 4 KB durable. */
int ff_bench_sync_us(double *p50, struct ff_error *error) FF_MUST_USE;

/* Submits one task of a function (arguments: borrowed) and gives its id. */
int ff_bench_submit(struct ff_session *session, const char *function, const json_t *arguments,
                    char task_id[40], struct ff_error *error) FF_MUST_USE;

/* Fails with what the task says where it has not succeeded. */
int ff_bench_expect_success(const json_t *task, struct ff_error *error) FF_MUST_USE;

#endif

/*
 * tests/unit/endpoint/day.h: a day of an endpoint in simulated time: arrivals that a seed makes up, the real scaling and the
 * real placement, and a scheduler in whose queue jobs wait, fail, are preempted, end at their walltime and at whose controller
 * nobody answers now and then. The simulation stops with a message at the first promise that is broken (day.c: `require`).
 */
#ifndef FF_TESTS_UNIT_ENDPOINT_DAY_H
#define FF_TESTS_UNIT_ENDPOINT_DAY_H

#include "endpoint/scaling.h"

#include <stddef.h>

enum { DAY_KINDS = 4, DAY_OUTAGES = 3, DAY_WAITS = 24 };

/* Tasks of one function: what each needs and how long it takes. */
struct day_kind {
    unsigned devices;
    unsigned cores;
    double mean_s;
    bool steady; /* all take the same time; else exponential */
};

struct day_arrival {
    int64_t at_ns;
    int64_t lasts_ns;
    unsigned kind;
};

struct day_pattern {
    uint64_t seed;
    struct ff_scaling_limits limits;
    struct ff_scaling_shape node;
    bool told; /* what nodes have stands in the settings; else it is seen when one comes */
    struct day_kind kinds[DAY_KINDS];
    unsigned kind_count;
    struct day_arrival *arrivals;
    size_t arrival_count, arrival_capacity;
    /* The scheduler. */
    double queue_mean_s; /* exponential */
    double boot_s;       /* from the start of a job to the HELLO of its managers */
    double ending_s;     /* from the order to cancel to the end of the job */
    double walltime_s;   /* 0: none */
    double fails;     /* share of the jobs that end before any manager comes; never four in a row */
    double preempted; /* share of the jobs that are killed at some time in their first two hours */
    struct {
        int64_t from_ns, to_ns;
    } outages[DAY_OUTAGES];
    unsigned outage_count;
};

struct day_report {
    size_t tasks, gangs;             /* gangs: tasks that need all eight GPUs of a node */
    unsigned submitted, refused;     /* jobs; refused: the controller did not answer */
    unsigned failed, lost, given_up; /* did not come up; walltime or preempted; ended by scaling */
    unsigned most_jobs, most_a_minute;
    double worst_wait_s, worst_gang_wait_s;
    unsigned gang_waits[DAY_WAITS]; /* how many waited up to 2^i s and longer than half of that */
    double worst_gang_share;        /* of what it may take at most, see day.c */
    double busy_s, had_s;           /* of nodes: what worked, what was there */
    double last_end_s;              /* of the last task, from the beginning of the day */
    size_t events;
};

/* Makes one up. Dispose of it. */
void day_make(struct day_pattern *pattern, uint64_t seed);
void day_add(struct day_pattern *pattern, double at_s, unsigned kind, double lasts_s);
void day_dispose(struct day_pattern *pattern);

/* Until nothing happens any more; in the end without min_blocks and warm reserve. */
void day_run(const struct day_pattern *pattern, struct day_report *report);

#endif

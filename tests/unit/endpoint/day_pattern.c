/* The patterns of arrivals: what people do with an endpoint in a day. */
#include "tests/unit/endpoint/day.h"
#include "tests/unit/endpoint/day_random.h"

#include <stdlib.h>
#include <string.h>

static const double day_s = 86400;
enum { MOST_TASKS = 600 };

void day_add(struct day_pattern *pattern, double at_s, unsigned kind, double lasts_s)
{
    if (pattern->arrival_count == pattern->arrival_capacity) {
        pattern->arrival_capacity = pattern->arrival_capacity * 2 + 64;
        pattern->arrivals =
            reallocarray(pattern->arrivals, pattern->arrival_capacity, sizeof *pattern->arrivals);
        if (pattern->arrivals == NULL)
            abort();
    }
    pattern->arrivals[pattern->arrival_count++] =
        (struct day_arrival){(int64_t)(at_s * 1e9), (int64_t)(lasts_s * 1e9) + 1, kind};
}

void day_dispose(struct day_pattern *pattern)
{
    free(pattern->arrivals);
    pattern->arrivals = NULL;
}

static void make_endpoint(struct day_pattern *pattern, uint64_t *state)
{
    static const unsigned devices[] = {0, 1, 2, 4, 8, 8, 8, 8};
    struct ff_scaling_limits *limits = &pattern->limits;
    unsigned has = devices[day_below(state, 8)];
    pattern->node.devices = has;
    pattern->node.slots = has > 0 ? has * (1 + day_below(state, 2)) : 1 + day_below(state, 16);
    pattern->node.cores = pattern->node.slots * (1 + day_below(state, 8));
    pattern->node.seen = true;
    pattern->told = day_below(state, 3) > 0;
    limits->max_blocks = 1 + day_below(state, 16);
    limits->nodes_per_block = day_below(state, 4) == 0 ? 2 : 1;
    limits->submit_rate = 1 + day_below(state, 30);
    limits->min_blocks = day_below(state, 4) == 0 ? day_below(state, limits->max_blocks + 1) : 0;
    limits->init_blocks = day_below(state, 2);
    limits->idle_limit_ns = (int64_t)(day_between(state, 30, 1800) * 1e9);
    if (day_below(state, 5) == 0) {
        limits->warm_blocks = 1 + day_below(state, limits->max_blocks);
        limits->warm_until_ns = (int64_t)(day_between(state, 3600, day_s) * 1e9);
    }
}

static void make_scheduler(struct day_pattern *pattern, uint64_t *state)
{
    pattern->queue_mean_s = day_below(state, 3) == 0 ? 0.5 : day_spread(state, 1, 3600);
    pattern->boot_s = day_spread(state, 0.5, 60);
    pattern->ending_s = day_spread(state, 0.1, 30);
    pattern->walltime_s = day_below(state, 2) == 0 ? 0 : day_between(state, 1800, 14400);
    pattern->fails = day_below(state, 3) == 0 ? day_between(state, 0, 0.5) : 0;
    pattern->preempted = day_below(state, 3) == 0 ? day_between(state, 0, 0.5) : 0;
    pattern->outage_count = day_below(state, DAY_OUTAGES + 1);
    for (unsigned i = 0; i < pattern->outage_count; i++) {
        double from_s = day_between(state, 0, day_s);
        pattern->outages[i].from_ns = (int64_t)(from_s * 1e9);
        pattern->outages[i].to_ns = (int64_t)((from_s + day_spread(state, 10, 1800)) * 1e9);
    }
}

static void make_kinds(struct day_pattern *pattern, uint64_t *state)
{
    pattern->kind_count = 1 + day_below(state, DAY_KINDS);
    for (unsigned i = 0; i < pattern->kind_count; i++) {
        struct day_kind *kind = &pattern->kinds[i];
        const struct ff_scaling_shape *node = &pattern->node;
        unsigned whole = day_below(state, 3);
        kind->devices = whole == 0 ? node->devices : day_below(state, node->devices + 1);
        kind->cores = day_below(state, 3) == 0 ? 1 + day_below(state, node->cores) : 1;
        kind->mean_s = day_spread(state, 0.01, 7200);
        kind->steady = day_below(state, 2) == 0;
    }
}

static double duration_of(const struct day_kind *kind, uint64_t *state)
{
    return kind->steady ? kind->mean_s : day_exponential(state, kind->mean_s);
}

/* One of the ways in which tasks come, of one kind. */
static void make_stream(struct day_pattern *pattern, uint64_t *state, unsigned kind, size_t most)
{
    double at_s = day_between(state, 0, day_s / 2);
    double every_s = day_spread(state, 10, 3600);
    unsigned together = 1;
    unsigned way = day_below(state, 4);
    if (way == 1) /* a scan of several pieces, again and again */
        together = 1 + day_below(state, 32);
    if (way == 2) { /* all of a night at once */
        together = 1 + day_below(state, 200);
        every_s = day_s / 4;
    }
    while (pattern->arrival_count < most && at_s < day_s) {
        for (unsigned i = 0; i < together && pattern->arrival_count < most; i++)
            day_add(pattern, at_s, kind, duration_of(&pattern->kinds[kind], state));
        at_s += way == 0 ? day_exponential(state, every_s) : every_s;
    }
}

static int compare_arrivals(const void *a, const void *b)
{
    const struct day_arrival *x = a;
    const struct day_arrival *y = b;
    return (x->at_ns > y->at_ns) - (x->at_ns < y->at_ns);
}

/* An endpoint that is asked for more than it can ever do tells nothing about its scaling. */
static void limit_load(struct day_pattern *pattern)
{
    double asked_s = 0;
    double most_s = 0.5 * day_s * pattern->limits.max_blocks * pattern->limits.nodes_per_block;
    for (size_t i = 0; i < pattern->arrival_count; i++) {
        const struct day_kind *kind = &pattern->kinds[pattern->arrivals[i].kind];
        double part = 1.0 / pattern->node.slots;
        if (kind->devices > 0 && (double)kind->devices / pattern->node.devices > part)
            part = (double)kind->devices / pattern->node.devices;
        if ((double)kind->cores / pattern->node.cores > part)
            part = (double)kind->cores / pattern->node.cores;
        asked_s += part * 1e-9 * (double)pattern->arrivals[i].lasts_ns;
    }
    for (size_t i = 0; i < pattern->arrival_count && asked_s > most_s; i++)
        pattern->arrivals[i].lasts_ns =
            (int64_t)((double)pattern->arrivals[i].lasts_ns * most_s / asked_s) + 1;
}

void day_make(struct day_pattern *pattern, uint64_t seed)
{
    uint64_t state = seed;
    memset(pattern, 0, sizeof *pattern);
    pattern->seed = seed;
    make_endpoint(pattern, &state);
    make_scheduler(pattern, &state);
    make_kinds(pattern, &state);
    size_t most = 1 + day_below(&state, MOST_TASKS);
    for (unsigned i = 0; i < pattern->kind_count; i++)
        make_stream(pattern, &state, i, most * (i + 1) / pattern->kind_count);
    limit_load(pattern);
    if (pattern->arrival_count > 0)
        qsort(pattern->arrivals, pattern->arrival_count, sizeof *pattern->arrivals,
              compare_arrivals);
}

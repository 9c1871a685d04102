#include "tests/unit/endpoint/day.h"

#include "tests/unit/check.h"
#include "tests/unit/endpoint/day_events.h"
#include "tests/unit/endpoint/day_random.h"

#include "endpoint/placement.h"

#include <stdlib.h>

enum { NODES = 2, ROWS = 64, EVENT_LIMIT = 5000000, GANG = 8 };

static const int64_t second_ns = 1000000000;
static const int64_t begin_ns = 1000000000000; /* of the day: the clock never stands at 0 */
static const int64_t margin_ns = 60000000000;  /* before the walltime nothing is begun */

struct node;

struct task {
    struct ff_held held;
    const struct day_arrival *arrival;
    struct task *next; /* of those that wait, or that run on the node */
    struct node *node;
    int64_t left_ns; /* what is still to be done */
    unsigned run;    /* how often it was begun */
    bool begun;
    int64_t bound_ns; /* of a gang: how long it may wait for its first begin, see bound_of */
};

struct node {
    struct ff_room room;
    struct task *tasks;
};

struct job {
    unsigned serial;
    unsigned node_count;
    struct node nodes[NODES];
    bool come, leaving;
    int64_t submitted_ns, came_ns, ends_ns, used_ns, idle_since_ns;
};

struct day {
    const struct day_pattern *pattern;
    struct day_report *report;
    struct ff_scaling_limits limits;
    struct ff_scaling_memory memory;
    struct ff_scaling_shape seen;
    struct ff_pace pace;
    uint64_t random;
    int64_t now_ns, look_ns; /* look_ns 0: not set */
    bool scale_needed;
    struct task *tasks;
    struct task *waiting[DAY_KINDS];
    size_t done;
    struct job *jobs[ROWS]; /* those that exist, as they were asked for */
    unsigned job_count, next_serial, failed_in_a_row;
    int64_t *submitted_ns;
    struct day_events events;
    int64_t fresh_block_ns, longest_task_ns, slowest_start_ns;
    double justified; /* blocks that there were reasons to ask for */
    int64_t last_arrival_ns;
    unsigned of_last_arrival;
};

#define require(day, condition, ...)                                                               \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            print_message("seed %llu, after %.3f s: ", (unsigned long long)(day)->pattern->seed,   \
                          1e-9 * (double)((day)->now_ns - begin_ns));                              \
            fail_msg(__VA_ARGS__);                                                                 \
        }                                                                                          \
    } while (0)

/* ---- events ---- */

/* When the controller answers again; now, when it does. */
static int64_t answers_ns(const struct day *day, int64_t at_ns)
{
    for (unsigned i = 0; i < day->pattern->outage_count; i++) {
        int64_t from_ns = begin_ns + day->pattern->outages[i].from_ns;
        int64_t to_ns = begin_ns + day->pattern->outages[i].to_ns;
        if (at_ns >= from_ns && at_ns < to_ns)
            return answers_ns(day, to_ns);
    }
    return at_ns;
}

static int64_t after(const struct day *day, double seconds)
{
    return day->now_ns + (int64_t)(seconds * 1e9) + 1;
}

/* ---- tasks ---- */

static struct ff_needs needs_of(const struct day *day, unsigned kind)
{
    struct ff_id function = {.bytes = {(unsigned char)(kind + 1)}};
    uint64_t pace_us = ff_pace_of(&day->pace, &function);
    const struct ff_needs needs = {
        .devices = day->pattern->kinds[kind].devices,
        .cores = day->pattern->kinds[kind].cores,
        .nodes = 1,
        .cost_us = pace_us < UINT32_MAX ? (uint32_t)pace_us : UINT32_MAX,
        .lasts_ns = (int64_t)pace_us * 1000,
    };
    return needs;
}

static bool is_gang(const struct day *day, const struct task *task)
{
    return day->pattern->kinds[task->arrival->kind].devices == GANG;
}

/* The part of a node that a task takes. */
static double part_of(const struct day *day, const struct task *task)
{
    const struct day_kind *kind = &day->pattern->kinds[task->arrival->kind];
    const struct ff_scaling_shape *node = &day->pattern->node;
    double part = 1.0 / node->slots;
    if (kind->devices > 0 && (double)kind->devices / node->devices > part)
        part = (double)kind->devices / node->devices;
    return (double)kind->cores / node->cores > part ? (double)kind->cores / node->cores : part;
}

/* How long a gang may wait for its first begin, without what the scheduler does meanwhile: one node alone does all that came
 * before, half of it empty, and then waits for the longest task that may have been begun there. */
static int64_t bound_of(const struct day *day, const struct task *gang)
{
    double ahead_ns = 0;
    for (const struct task *at = day->tasks; at < gang; at++)
        ahead_ns += part_of(day, at) * (double)at->left_ns;
    return (int64_t)(2 * ahead_ns) + 2 * day->longest_task_ns;
}

static void put_behind(struct day *day, struct task *task)
{
    struct task **at = &day->waiting[task->arrival->kind];
    while (*at != NULL && *at < task)
        at = &(*at)->next;
    task->next = *at;
    *at = task;
}

static void arrive(struct day *day, struct task *task)
{
    const struct day_kind *kind = &day->pattern->kinds[task->arrival->kind];
    task->held.devices = kind->devices;
    task->held.cores = kind->cores;
    task->held.nodes = 1;
    task->held.since_ns = day->now_ns;
    task->left_ns = task->arrival->lasts_ns;
    if (task->left_ns > day->longest_task_ns)
        day->longest_task_ns = task->left_ns;
    if (is_gang(day, task))
        task->bound_ns = bound_of(day, task);
    put_behind(day, task);
    /* Every task is a reason for one block, as long as there may be as many. */
    if (day->now_ns != day->last_arrival_ns)
        day->of_last_arrival = 0;
    day->last_arrival_ns = day->now_ns;
    /* With a walltime every task may need a block of its own: what is left of the others is too short. */
    if (day->of_last_arrival++ < day->limits.max_blocks || day->pattern->walltime_s > 0)
        day->justified++;
}

/* The longest that a job has waited for its start so far, those that still do included. */
static int64_t slowest_start_ns(struct day *day)
{
    for (unsigned i = 0; i < day->job_count; i++) {
        int64_t waits_ns = day->now_ns - day->jobs[i]->submitted_ns;
        if (!day->jobs[i]->come && waits_ns > day->slowest_start_ns)
            day->slowest_start_ns = waits_ns;
    }
    return day->slowest_start_ns;
}

static void note_begin(struct day *day, struct task *task)
{
    struct day_report *report = day->report;
    int64_t waited_ns = day->now_ns - task->held.since_ns;
    double waited_s = 1e-9 * (double)waited_ns;
    task->begun = true;
    report->worst_wait_s = fmax(report->worst_wait_s, waited_s);
    if (!is_gang(day, task))
        return;
    /* What the scheduler took: the slowest start and all that failed, was lost or refused, and the times without an answer. */
    int64_t start_ns = slowest_start_ns(day);
    int64_t scheduler_ns = start_ns + 120 * second_ns;
    unsigned mishaps = report->failed + report->lost + report->refused;
    scheduler_ns += (int64_t)mishaps * (start_ns + 300 * second_ns);
    for (unsigned i = 0; i < day->pattern->outage_count; i++)
        scheduler_ns += day->pattern->outages[i].to_ns - day->pattern->outages[i].from_ns;
    double share = waited_s / (1e-9 * (double)(task->bound_ns + scheduler_ns));
    report->gangs++;
    unsigned row = waited_s > 1 ? (unsigned)ceil(log2(waited_s)) : 0;
    report->gang_waits[row < DAY_WAITS ? row : DAY_WAITS - 1]++;
    report->worst_gang_wait_s = fmax(report->worst_gang_wait_s, waited_s);
    report->worst_gang_share = fmax(report->worst_gang_share, share);
    require(day, share <= 1, "a gang of %d has waited %.0f s; at most %.0f s are as it should be",
            GANG, waited_s, waited_s / share);
}

static void begin(struct day *day, struct node *node, const struct ff_needs *needs,
                  struct task *task)
{
    day->waiting[task->arrival->kind] = task->next;
    ff_room_take(&node->room, needs, &task->held, day->now_ns);
    task->next = node->tasks;
    node->tasks = task;
    task->node = node;
    task->run++;
    if (!task->begun)
        note_begin(day, task);
    day_will(&day->events, day->now_ns + task->left_ns, ENDS, (unsigned)(task - day->tasks),
             task->run);
}

static void leave_node(struct task *task)
{
    struct task **at = &task->node->tasks;
    while (*at != task)
        at = &(*at)->next;
    *at = task->next;
    ff_room_give_back(&task->node->room, &task->held);
}

static struct job *job_of(const struct day *day, const struct node *node)
{
    for (unsigned i = 0; i < day->job_count; i++)
        if (node >= day->jobs[i]->nodes && node < day->jobs[i]->nodes + NODES)
            return day->jobs[i];
    return NULL;
}

static void end_task(struct day *day, struct task *task)
{
    struct ff_id function = {.bytes = {(unsigned char)(task->arrival->kind + 1)}};
    struct job *job = job_of(day, task->node);
    leave_node(task);
    job->used_ns = day->now_ns;
    ff_pace_learn(&day->pace, &function, (uint64_t)task->left_ns / 1000);
    day->report->busy_s += 1e-9 * (double)task->left_ns * part_of(day, task);
    day->report->last_end_s = 1e-9 * (double)(day->now_ns - begin_ns);
    day->done++;
    if (task->node->tasks == NULL)
        day->scale_needed = true;
    task->node = NULL;
}

/* ---- placement, as endpoint/handout.c drives it ---- */

static struct node *choose(struct day *day, const struct ff_needs *needs, enum ff_verdict *verdict)
{
    struct node *best = NULL;
    uint64_t best_score = 0;
    bool none = true;
    *verdict = FF_NOT_OPEN;
    for (unsigned i = 0; i < day->job_count; i++)
        for (unsigned j = 0; day->jobs[i]->come && j < day->jobs[i]->node_count; j++) {
            struct node *node = &day->jobs[i]->nodes[j];
            enum ff_verdict here = ff_placement_judge(&node->room, needs, day->now_ns);
            uint64_t score =
                here <= FF_FITS_AHEAD ? ff_placement_score(&node->room, needs, here) : 0;
            if (here <= FF_FITS_AHEAD && (best == NULL || score > best_score)) {
                best = node;
                best_score = score;
            }
            if (none || here < *verdict)
                *verdict = here;
            none = false;
        }
    return best;
}

static void promise(struct day *day, const struct ff_needs *needs)
{
    struct ff_release releases[ROWS];
    struct ff_promise best = {.made = false};
    struct node *of = NULL;
    size_t best_ends = 0;
    for (unsigned i = 0; i < day->job_count; i++)
        for (unsigned j = 0; day->jobs[i]->come && j < day->jobs[i]->node_count; j++) {
            struct node *node = &day->jobs[i]->nodes[j];
            enum ff_verdict verdict = ff_placement_judge(&node->room, needs, day->now_ns);
            if (ff_verdict_is_never(verdict) || verdict == FF_NOT_OPEN ||
                verdict == FF_ENDS_TOO_SOON)
                continue;
            size_t count = 0;
            size_t ends;
            for (const struct task *at = node->tasks; at != NULL && count < ROWS; at = at->next)
                releases[count++] = (struct ff_release){
                    ff_placement_end(at->held.given_ns, at->held.lasts_ns, day->now_ns), 1,
                    at->held.devices, at->held.cores > 1 ? at->held.cores : 1};
            const struct ff_promise made =
                ff_placement_soonest(&node->room, needs, releases, count, day->now_ns, &ends);
            if (made.made && (of == NULL || made.at_ns < best.at_ns ||
                              (made.at_ns == best.at_ns && ends < best_ends))) {
                of = node;
                best = made;
                best_ends = ends;
            }
        }
    if (of != NULL)
        of->room.promise = best;
}

static void place(struct day *day)
{
    bool blocked[DAY_KINDS] = {false};
    bool promised = false;
    for (unsigned i = 0; i < day->job_count; i++)
        for (unsigned j = 0; j < day->jobs[i]->node_count; j++)
            day->jobs[i]->nodes[j].room.promise.made = false;
    for (;;) {
        struct task *first = NULL;
        for (unsigned kind = 0; kind < DAY_KINDS; kind++)
            if (!blocked[kind] && day->waiting[kind] != NULL &&
                (first == NULL || day->waiting[kind] < first))
                first = day->waiting[kind];
        if (first == NULL)
            return;
        struct ff_needs needs = needs_of(day, first->arrival->kind);
        enum ff_verdict verdict;
        struct node *node = choose(day, &needs, &verdict);
        if (node == NULL && verdict == FF_ENDS_TOO_SOON && needs.lasts_ns > day->fresh_block_ns) {
            needs.lasts_ns = 0;
            node = choose(day, &needs, &verdict);
        }
        if (node != NULL) {
            begin(day, node, &needs, first);
            continue;
        }
        blocked[first->arrival->kind] = true;
        day->scale_needed = true;
        if (!promised && (needs.devices > 0 || needs.cores > 1)) {
            promise(day, &needs);
            promised = true;
        }
    }
}

/* ---- jobs ---- */

static struct job *find_job(const struct day *day, unsigned serial)
{
    for (unsigned i = 0; i < day->job_count; i++)
        if (day->jobs[i]->serial == serial)
            return day->jobs[i];
    return NULL;
}

static void note_submission(struct day *day)
{
    struct day_report *report = day->report;
    unsigned in_a_minute = 1;
    unsigned count = report->submitted + report->refused;
    day->submitted_ns =
        reallocarray(day->submitted_ns, (size_t)count + 1, sizeof *day->submitted_ns);
    assert_non_null(day->submitted_ns);
    day->submitted_ns[count] = day->now_ns;
    for (; count > 0 && day->submitted_ns[count - 1] > day->now_ns - 60 * second_ns; count--)
        in_a_minute++;
    if (in_a_minute > report->most_a_minute)
        report->most_a_minute = in_a_minute;
    require(day, in_a_minute <= day->limits.submit_rate, "%u submissions in a minute; %u may be",
            in_a_minute, day->limits.submit_rate);
}

/* false: the controller did not answer. */
static bool submit(struct day *day, unsigned nodes)
{
    const struct day_pattern *pattern = day->pattern;
    note_submission(day);
    ff_scaling_submitted(&day->memory, day->now_ns);
    if (answers_ns(day, day->now_ns) != day->now_ns) {
        day->report->refused++;
        day->justified++;
        ff_scaling_failed(&day->memory, day->now_ns, day->now_ns);
        return false;
    }
    day->report->submitted++;
    require(day, day->job_count < day->limits.max_blocks, "job %u is submitted; %u may exist",
            day->job_count + 1, day->limits.max_blocks);
    struct job *job = calloc(1, sizeof *job);
    assert_non_null(job);
    job->serial = day->next_serial++;
    job->node_count = nodes;
    job->submitted_ns = day->now_ns;
    day->jobs[day->job_count++] = job;
    if (day->job_count > day->report->most_jobs)
        day->report->most_jobs = day->job_count;
    int64_t at_ns = after(day, day_exponential(&day->random, pattern->queue_mean_s));
    day_will(&day->events, answers_ns(day, at_ns), STARTS, job->serial, 0);
    return true;
}

static void remove_job(struct day *day, struct job *job)
{
    unsigned at = 0;
    (void)slowest_start_ns(day); /* one that never comes has waited, too */
    while (day->jobs[at] != job)
        at++;
    day->job_count--;
    memmove(&day->jobs[at], &day->jobs[at + 1], (day->job_count - at) * sizeof(struct job *));
    if (job->came_ns > 0)
        day->report->had_s += 1e-9 * (double)(day->now_ns - job->came_ns) * job->node_count;
    free(job);
    day->scale_needed = true;
}

static void start_job(struct day *day, const struct job *job)
{
    const struct day_pattern *pattern = day->pattern;
    if (job->leaving)
        return;
    if (day->failed_in_a_row < 3 && day_part(&day->random) < pattern->fails) {
        day->failed_in_a_row++;
        day_will(&day->events, after(day, pattern->boot_s / 2), DOES_NOT_COME, job->serial, 0);
        return;
    }
    day->failed_in_a_row = 0;
    day_will(&day->events, after(day, pattern->boot_s), COMES, job->serial, 0);
    if (pattern->walltime_s > 0)
        day_will(&day->events, after(day, pattern->walltime_s), IS_LOST, job->serial, 0);
    if (day_part(&day->random) < pattern->preempted)
        day_will(&day->events, after(day, day_between(&day->random, 0, 7200)), IS_LOST, job->serial,
                 1);
}

static void bring_up(struct day *day, struct job *job)
{
    const struct day_pattern *pattern = day->pattern;
    if (job->leaving)
        return;
    job->come = true;
    job->came_ns = day->now_ns;
    if (pattern->walltime_s > 0)
        job->ends_ns = after(day, pattern->walltime_s - pattern->boot_s) - margin_ns;
    int64_t lives_ns = job->ends_ns > 0 ? job->ends_ns - day->now_ns : INT64_MAX;
    day->fresh_block_ns = lives_ns;
    if (day->now_ns - job->submitted_ns > day->slowest_start_ns)
        day->slowest_start_ns = day->now_ns - job->submitted_ns;
    for (unsigned i = 0; i < job->node_count; i++)
        job->nodes[i].room = (struct ff_room){.slots = pattern->node.slots,
                                              .devices = pattern->node.devices,
                                              .cores = pattern->node.cores,
                                              .open = true,
                                              .ends_ns = job->ends_ns};
    ff_scaling_came(&day->memory);
    day->seen = pattern->node;
    day->scale_needed = true;
}

/* Walltime: what runs is told to leave before, and goes on from its checkpoint; preempted, it begins anew. */
static void lose_job(struct day *day, struct job *job, bool preempted)
{
    unsigned returned = 0;
    for (unsigned i = 0; i < job->node_count; i++)
        while (job->nodes[i].tasks != NULL) {
            struct task *task = job->nodes[i].tasks;
            int64_t ran_ns = day->now_ns - task->held.given_ns;
            leave_node(task);
            task->node = NULL;
            task->run++;
            day->report->busy_s += 1e-9 * (double)ran_ns * part_of(day, task);
            if (!preempted)
                task->left_ns = task->left_ns > ran_ns ? task->left_ns - ran_ns : 1;
            put_behind(day, task);
            returned++;
        }
    day->report->lost++;
    day->justified += 1 + (returned < day->limits.max_blocks ? returned : day->limits.max_blocks);
    if (!job->come) {
        day->report->failed++;
        ff_scaling_failed(&day->memory, job->submitted_ns, day->now_ns);
    }
    remove_job(day, job);
}

static void end_job(struct day *day, struct job *job)
{
    for (unsigned i = 0; i < job->node_count; i++) {
        require(day, job->nodes[i].tasks == NULL, "a block is ended that holds work");
        job->nodes[i].room.open = false;
    }
    require(day, answers_ns(day, day->now_ns) == day->now_ns,
            "a block is ended of which nobody knows how it is");
    job->leaving = true;
    day->report->given_up++;
    day_will(&day->events, answers_ns(day, after(day, day->pattern->ending_s)), IS_GONE,
             job->serial, 0);
}

/* ---- scaling, as endpoint/elastic.c drives it ---- */

struct rows {
    struct ff_scaling_demand demand[DAY_KINDS];
    struct ff_scaling_block blocks[ROWS];
    struct ff_scaling_node nodes[ROWS * NODES];
};

static void see_demand(const struct day *day, struct ff_scaling_input *input)
{
    for (unsigned kind = 0; kind < DAY_KINDS; kind++) {
        const struct task *first = day->waiting[kind];
        if (first == NULL)
            continue;
        struct ff_needs needs = needs_of(day, kind);
        if (needs.lasts_ns > day->fresh_block_ns)
            needs.lasts_ns = 0;
        struct ff_scaling_demand *demand = &input->demand[input->demands++];
        *demand = (struct ff_scaling_demand){.devices = needs.devices,
                                             .cores = needs.cores,
                                             .cost_us = needs.cost_us,
                                             .lasts_ns = needs.lasts_ns,
                                             .waited_ns = day->now_ns - first->held.since_ns};
        for (; first != NULL; first = first->next)
            demand->count++;
    }
}

static void see_job(const struct day *day, struct job *job, struct ff_scaling_input *input)
{
    struct ff_scaling_block *block = &input->blocks[input->block_count];
    block->nodes = job->node_count;
    block->come = job->come;
    block->leaving = job->leaving;
    block->unknown = answers_ns(day, day->now_ns) != day->now_ns;
    block->idle_since_ns = job->idle_since_ns;
    if (job->idle_since_ns > 0 && job->used_ns > job->idle_since_ns)
        block->idle_since_ns = job->used_ns;
    for (unsigned i = 0; i < job->node_count; i++) {
        struct ff_scaling_node *node = &input->nodes[input->node_count++];
        node->block = input->block_count;
        node->come = job->come;
        node->has = job->come ? day->pattern->node : input->shape;
        node->free = ff_scaling_all_of(&node->has);
        if (job->ends_ns > 0)
            node->left_ns = job->ends_ns > day->now_ns ? job->ends_ns - day->now_ns : 1;
        for (const struct task *at = job->nodes[i].tasks; at != NULL; at = at->next) {
            block->tasks++;
            ff_scaling_occupy(&node->free, ff_scaling_weight_of(at->held.cost_us), at->held.devices,
                              at->held.cores);
        }
    }
    input->block_count++;
}

static void look(struct day *day)
{
    static struct rows rows;
    memset(&rows, 0, sizeof rows);
    struct ff_scaling_input input = {
        .now_ns = day->now_ns,
        .limits = day->limits,
        .shape = day->pattern->told || day->seen.seen
                     ? day->pattern->node
                     : (struct ff_scaling_shape){.slots = day->pattern->node.slots},
        .demand = rows.demand,
        .blocks = rows.blocks,
        .nodes = rows.nodes,
    };
    day->scale_needed = false;
    see_demand(day, &input);
    for (unsigned i = 0; i < day->job_count; i++)
        see_job(day, day->jobs[i], &input);
    const struct ff_scaling_orders orders = ff_scaling_plan(&input, &day->memory);
    day->look_ns = orders.look_again_ns;
    for (unsigned i = 0; i < input.block_count; i++) {
        day->jobs[i]->idle_since_ns = input.blocks[i].idle_since_ns;
        if (input.blocks[i].end)
            end_job(day, day->jobs[i]);
    }
    require(day, orders.start == 0 || input.block_count == 0 || !input.blocks[0].unknown,
            "jobs are submitted although it is not known how others are");
    for (unsigned i = 0; i < orders.start; i++)
        if (!submit(day, orders.nodes[i])) {
            day->look_ns = day->now_ns + ff_scaling_pause_ns(day->memory.failures);
            return;
        }
}

/* ---- the day ---- */

static void take(struct day *day, const struct day_event *event)
{
    struct task *task = &day->tasks[event->subject];
    struct job *job = find_job(day, event->subject);
    if (event->what == ARRIVES)
        arrive(day, task);
    else if (event->what == CONTROLLER_CHANGES)
        day->scale_needed = true;
    else if (event->what == ENDS && task->run == event->run)
        end_task(day, task);
    else if (event->what == ENDS || job == NULL)
        return; /* what it is about is over */
    else if (event->what == STARTS)
        start_job(day, job);
    else if (event->what == COMES)
        bring_up(day, job);
    else if (event->what == IS_LOST)
        lose_job(day, job, event->run == 1);
    else if (event->what == IS_GONE)
        remove_job(day, job);
    else if (!job->leaving) {
        day->report->failed++;
        day->justified++;
        ff_scaling_failed(&day->memory, job->submitted_ns, day->now_ns);
        remove_job(day, job);
    }
}

/* The next time at which something happens; false: nothing does any more. */
static bool move_on(struct day *day)
{
    const struct day_event *next = day_next(&day->events);
    if (next == NULL && day->look_ns == 0)
        return false;
    int64_t next_ns = next != NULL ? next->at_ns : day->look_ns;
    if (day->look_ns > 0 && day->look_ns < next_ns)
        next_ns = day->look_ns;
    require(day, next_ns >= day->now_ns, "it shall look again in the past");
    day->now_ns = next_ns;
    if (day->look_ns == next_ns)
        day->scale_needed = true;
    for (; next != NULL && next->at_ns == next_ns; next = day_next(&day->events)) {
        const struct day_event event = day_take(&day->events);
        take(day, &event);
    }
    require(day, ++day->report->events < EVENT_LIMIT, "it does not come to rest");
    return true;
}

static void open_day(struct day *day)
{
    const struct day_pattern *pattern = day->pattern;
    day->limits = pattern->limits;
    if (day->limits.warm_until_ns > 0)
        day->limits.warm_until_ns += begin_ns;
    day->random = pattern->seed ^ UINT64_C(0x5851f42d4c957f2d);
    day->now_ns = begin_ns;
    day->scale_needed = true;
    day->tasks = calloc(pattern->arrival_count + 1, sizeof *day->tasks);
    assert_non_null(day->tasks);
    for (size_t i = 0; i < pattern->arrival_count; i++) {
        day->tasks[i].arrival = &pattern->arrivals[i];
        day_will(&day->events, begin_ns + pattern->arrivals[i].at_ns, ARRIVES, (unsigned)i, 0);
    }
    for (unsigned i = 0; i < pattern->outage_count; i++) {
        day_will(&day->events, begin_ns + pattern->outages[i].from_ns, CONTROLLER_CHANGES, 0, 0);
        day_will(&day->events, begin_ns + pattern->outages[i].to_ns, CONTROLLER_CHANGES, 0, 0);
    }
    unsigned least = day->limits.min_blocks;
    least = day->limits.init_blocks > least ? day->limits.init_blocks : least;
    least = day->limits.warm_blocks > least ? day->limits.warm_blocks : least;
    day->justified = least;
    day->report->tasks = pattern->arrival_count;
}

void day_run(const struct day_pattern *pattern, struct day_report *report)
{
    static struct day day;
    memset(&day, 0, sizeof day);
    memset(report, 0, sizeof *report);
    day.pattern = pattern;
    day.report = report;
    open_day(&day);
    do {
        place(&day);
        if (day.done == pattern->arrival_count)
            day.limits.min_blocks = day.limits.init_blocks = day.limits.warm_blocks = 0;
        if (day.scale_needed || day.done == pattern->arrival_count)
            look(&day);
    } while (move_on(&day));
    require(&day, day.done == pattern->arrival_count, "%zu of %zu tasks have ended", day.done,
            pattern->arrival_count);
    require(&day, day.job_count == 0, "%u jobs stay although nothing is to be done", day.job_count);
    require(&day, report->submitted + report->refused <= day.justified,
            "%u blocks were asked for; there were reasons for %.0f",
            report->submitted + report->refused, day.justified);
    free(day.tasks);
    free(day.events.heap);
    free(day.submitted_ns);
}

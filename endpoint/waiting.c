/* The words of dispatch.h: why tasks wait, told to the service, and to whoever asks for the endpoint. */
#include "endpoint/ahead.h"
#include "endpoint/dispatch.h"
#include "endpoint/downlink.h"
#include "endpoint/elastic.h"
#include "endpoint/gang.h"
#include "endpoint/manager.h"
#include "endpoint/scaling.h"
#include "endpoint/uplink.h"
#include "protocol/core/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TELL_AGAIN_MS = 1000, NEWS_MS = 2000, WORDS_SIZE = 1024, CLOSE = 10 };

/* Where nodes have come that are less than the settings say, no more are asked for. */
static bool say_short(const struct ff_agent *agent, const struct ff_shape *shape, char *text,
                      size_t size)
{
    const struct ff_scaling_shape *seen = ff_elastic_seen(agent->elastic);
    const bool devices = shape->devices > seen->devices;
    if (!seen->seen || (!devices && shape->cores <= seen->cores))
        return false;
    snprintf(text, size,
             "needs %u %s, and no node that came had more than %u: %s in config.yaml is wrong, or "
             "%s",
             devices ? shape->devices : shape->cores, devices ? "GPUs" : "cores",
             devices ? seen->devices : seen->cores, devices ? "gpus_per_node" : "cores_per_node",
             devices ? "the GPUs cannot be used (`farfield doctor` in a job says why)"
                     : "jobs get fewer than they ask for");
    return true;
}

static void say_why(const struct ff_agent *agent, const struct ff_shape *shape, char *text,
                    size_t size)
{
    unsigned nodes = 0;
    unsigned slots = 0;
    unsigned devices = 0;
    for (const struct ff_manager *at = ff_downlink_first(agent->downlink); at != NULL;
         at = at->next) {
        nodes++;
        slots += at->room.slots;
        devices += at->room.devices;
    }
    switch (shape->reason) {
    case FF_WAIT_SLOT:
        snprintf(text, size, "all %u slots of %u node%s are busy", slots, nodes,
                 nodes == 1 ? "" : "s");
        break;
    case FF_WAIT_DEVICES:
        snprintf(text, size, "waits for %u free GPU%s on one node; there are %u on %u node%s",
                 shape->devices, shape->devices == 1 ? "" : "s", devices, nodes,
                 nodes == 1 ? "" : "s");
        break;
    case FF_WAIT_CORES:
        snprintf(text, size, "waits for %u free cores on one node", shape->cores);
        break;
    case FF_WAIT_GANG:
        nodes = ff_gang_most_nodes(agent, &slots);
        snprintf(text, size,
                 "waits for %u wholly free nodes of one block; there are %u, of which %u free",
                 shape->nodes, nodes, slots);
        break;
    case FF_WAIT_PROMISED:
        snprintf(text, size, "what is free is kept for an older task that needs more of it");
        break;
    case FF_WAIT_ENDS:
        snprintf(text, size, "waits for a block that does not end before the task would");
        break;
    default:
        if (agent->phase >= FF_AGENT_DRAINING)
            snprintf(text, size, "the endpoint is stopping");
        else if (!say_short(agent, shape, text, size))
            snprintf(text, size, "waits for a node to start");
    }
    if (agent->phase >= FF_AGENT_DRAINING)
        return;
    char coming[FF_ELASTIC_WORDS];
    ff_elastic_say(agent->elastic, coming, sizeof coming);
    size_t used = strlen(text);
    if (coming[0] != '\0')
        snprintf(text + used, size - used, "%s%s", shape->reason == FF_WAIT_NODE ? ": " : "; ",
                 coming);
}

void ff_dispatch_why(const struct ff_agent *agent, char *text, size_t size)
{
    const struct ff_shape *oldest = NULL;
    text[0] = '\0';
    for (const struct ff_shape *at = ff_queue_shapes(agent->queue); at != NULL; at = at->next)
        if (oldest == NULL || at->list.first->sequence < oldest->list.first->sequence)
            oldest = at;
    if (oldest != NULL)
        say_why(agent, oldest, text, size);
}

/* Whether the words about blocks on their way are others than those told last; looked at only now and then, for a scheduler
 * may expect another start every few seconds, and ten thousand tasks may wait. */
static bool has_news(struct ff_agent *agent, int64_t now_ns)
{
    char coming[FF_ELASTIC_WORDS];
    if (now_ns < agent->said_ns + NEWS_MS * INT64_C(1000000))
        return false;
    agent->said_ns = now_ns;
    ff_elastic_say(agent->elastic, coming, sizeof coming);
    uint64_t sum = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
    for (const char *at = coming; *at != '\0'; at++)
        sum = (sum ^ (unsigned char)*at) * UINT64_C(0x100000001b3);
    bool news = sum != agent->said;
    agent->said = sum;
    return news;
}

/* ---- telling ---- */

bool ff_dispatch_moved_on(uint32_t told, uint32_t behind)
{
    if (behind < CLOSE)
        return behind != told;
    return behind <= told / 2 || behind / 2 >= told;
}

static void tell(struct ff_agent *agent, struct ff_held *held, const char *why, uint32_t behind)
{
    char text[WORDS_SIZE + 64];
    snprintf(text, sizeof text, "behind %u task%s: %s", behind, behind == 1 ? "" : "s", why);
    const struct ff_report report = {
        .task = held->task,
        .attempt = held->attempt,
        .state = FF_TASK_WAITING_FOR_NODES,
        .why = ff_span_of(behind > 0 ? text : why),
        .time_ns = (uint64_t)ff_wall_ns(),
    };
    ff_uplink_report(agent->uplink, &report);
    held->reported = (uint8_t)held->shape->reason;
    held->told_behind = behind;
}

/* Says to all of a shape why they wait whom something else was told last. `behind`: tasks that come before the first. */
static void tell_shape(struct ff_agent *agent, const struct ff_shape *shape, uint32_t behind,
                       bool news, int64_t now_ns)
{
    char why[WORDS_SIZE];
    say_why(agent, shape, why, sizeof why);
    for (struct ff_held *at = shape->list.first; at != NULL; at = at->next, behind++) {
        bool same = at->reported == shape->reason && !news &&
                    !ff_dispatch_moved_on(at->told_behind, behind);
        if (!same && now_ns - at->since_ns >= (int64_t)FF_TELL_AFTER_MS * 1000000)
            tell(agent, at, why, behind);
    }
}

static int compare(const void *a, const void *b)
{
    const struct ff_shape *const *left = a;
    const struct ff_shape *const *right = b;
    return ff_shape_comes_before(*right, *left) - ff_shape_comes_before(*left, *right);
}

/* All shapes in the order in which they get their turn, NULL-ended; NULL without memory. */
static const struct ff_shape **sort_shapes(struct ff_queue *queue)
{
    size_t count = 0;
    for (const struct ff_shape *at = ff_queue_shapes(queue); at != NULL; at = at->next)
        count++;
    const struct ff_shape **shapes = calloc(count + 1, sizeof(const struct ff_shape *));
    if (shapes == NULL)
        return NULL;
    count = 0;
    for (const struct ff_shape *at = ff_queue_shapes(queue); at != NULL; at = at->next)
        shapes[count++] = at;
    qsort(shapes, count, sizeof(const struct ff_shape *), compare);
    return shapes;
}

void ff_dispatch_report_waiting(struct ff_agent *agent)
{
    int64_t now_ns = ff_monotonic_ns();
    uint32_t behind = 0;
    bool waits = ff_queue_count(agent->queue, FF_HELD_WAITING) > 0;
    bool ahead = ff_ahead_check(agent, now_ns);
    agent->telling = waits || ahead;
    if (!agent->telling)
        return;
    ff_timer_set_after(agent->wait_timer, TELL_AGAIN_MS);
    /* What was about to end may be overdue by now. */
    agent->dispatch_needed = agent->dispatch_needed || waits;
    if (!waits || !ff_uplink_is_announced(agent->uplink))
        return;
    bool news = has_news(agent, now_ns);
    const struct ff_shape **shapes = sort_shapes(agent->queue);
    for (size_t i = 0; shapes != NULL && shapes[i] != NULL; i++) {
        tell_shape(agent, shapes[i], behind, news, now_ns);
        behind += shapes[i]->list.count;
    }
    free(shapes);
}

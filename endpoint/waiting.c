/* The words of dispatch.h: why tasks wait, told to the service, and to whoever asks for the endpoint. */
#include "endpoint/dispatch.h"
#include "endpoint/downlink.h"
#include "endpoint/elastic.h"
#include "endpoint/gang.h"
#include "endpoint/manager.h"
#include "endpoint/uplink.h"
#include "protocol/core/clock.h"

#include <stdio.h>
#include <string.h>

enum { TELL_AFTER_MS = 500, TELL_AGAIN_MS = 1000, NEWS_MS = 2000, WORDS_SIZE = 1024 };

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
        snprintf(text, size, "%s",
                 agent->phase >= FF_AGENT_DRAINING ? "the endpoint is stopping"
                                                   : "waits for a node to start");
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

void ff_dispatch_report_waiting(struct ff_agent *agent)
{
    char why[WORDS_SIZE];
    int64_t now = ff_monotonic_ns();
    agent->telling = ff_queue_count(agent->queue, FF_HELD_WAITING) > 0;
    if (!agent->telling)
        return;
    ff_timer_set_after(agent->wait_timer, TELL_AGAIN_MS);
    agent->dispatch_needed = true; /* what was about to end may be overdue by now */
    if (!ff_uplink_is_announced(agent->uplink))
        return;
    bool news = has_news(agent, now);
    for (struct ff_shape *shape = ff_queue_shapes(agent->queue); shape != NULL;
         shape = shape->next) {
        say_why(agent, shape, why, sizeof why);
        for (struct ff_held *at = shape->list.first; at != NULL; at = at->next) {
            if ((at->reported == shape->reason && !news) ||
                now - at->since_ns < (int64_t)TELL_AFTER_MS * 1000000)
                continue;
            const struct ff_report report = {
                .task = at->task,
                .attempt = at->attempt,
                .state = FF_TASK_WAITING_FOR_NODES,
                .why = ff_span_of(why),
                .time_ns = (uint64_t)ff_wall_ns(),
            };
            ff_uplink_report(agent->uplink, &report);
            at->reported = (uint8_t)shape->reason;
        }
    }
}

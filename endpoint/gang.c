#include "endpoint/gang.h"

#include "endpoint/downlink.h"
#include "endpoint/manager.h"
#include "protocol/core/bytes.h"

#include <stdlib.h>
#include <string.h>

static bool fits(const struct ff_manager *manager, const struct ff_needs *needs, int64_t now_ns)
{
    return ff_placement_judge(&manager->room, needs, now_ns) == FF_FITS_SLOT;
}

static unsigned count_fitting(const struct ff_agent *agent, const struct ff_block *block,
                              const struct ff_needs *needs, int64_t now_ns)
{
    unsigned count = 0;
    for (const struct ff_manager *at = ff_downlink_first(agent->downlink); at != NULL;
         at = at->next)
        count += at->block == block && fits(at, needs, now_ns);
    return count;
}

/* Nodes stand in the order in which people read their names, and the call runs on the first: n2, n10. */
static bool is_named_before(const struct ff_manager *one, const struct ff_manager *other)
{
    return strverscmp(one->node, other->node) < 0;
}

struct ff_manager *ff_gang_choose(const struct ff_agent *agent, const struct ff_needs *needs,
                                  int64_t now_ns, enum ff_verdict *verdict)
{
    struct ff_manager *best = NULL;
    unsigned best_count = 0;
    bool none = true;
    *verdict = FF_NOT_OPEN;
    for (struct ff_manager *at = ff_downlink_first(agent->downlink); at != NULL; at = at->next) {
        enum ff_verdict here = ff_placement_judge(&at->room, needs, now_ns);
        unsigned count = here == FF_FITS_SLOT ? count_fitting(agent, at->block, needs, now_ns) : 0;
        if (here <= FF_FITS_AHEAD) /* not enough of them */
            here = FF_BUSY_SLOTS;
        if (none || here < *verdict)
            *verdict = here;
        none = false;
        if (count >= needs->nodes && (best == NULL || count < best_count ||
                                      (at->block == best->block && is_named_before(at, best)))) {
            best = at;
            best_count = count;
        }
    }
    return best;
}

static void book(struct ff_manager *manager, struct ff_held *held)
{
    manager->gang = held;
    manager->room.whole = true;
}

/* The next node of the block that the call can have; what is booked does not fit any more. */
static struct ff_manager *next_node(const struct ff_agent *agent, const struct ff_manager *first,
                                    const struct ff_needs *needs, int64_t now_ns)
{
    struct ff_manager *next = NULL;
    for (struct ff_manager *at = ff_downlink_first(agent->downlink); at != NULL; at = at->next)
        if (at != first && at->block == first->block && fits(at, needs, now_ns) &&
            (next == NULL || is_named_before(at, next)))
            next = at;
    return next;
}

int ff_gang_take(struct ff_agent *agent, struct ff_manager *first, const struct ff_needs *needs,
                 struct ff_held *held, int64_t now_ns)
{
    struct ff_buffer names;
    unsigned left = needs->nodes - 1;
    struct ff_manager *at = NULL;
    ff_buffer_init(&names, FF_NODE_LIST_LIMIT);
    ff_buffer_append_text(&names, first->node);
    for (; left > 0 && (at = next_node(agent, first, needs, now_ns)) != NULL; left--) {
        ff_buffer_append_text(&names, ",");
        ff_buffer_append_text(&names, at->node);
        book(at, held);
    }
    char *list = names.failed ? NULL : strdup(ff_buffer_text(&names));
    ff_buffer_dispose(&names);
    if (left > 0 || list == NULL) {
        ff_gang_give_back(agent, held);
        free(list);
        return -1;
    }
    book(first, held);
    free(held->node_list);
    held->node_list = list;
    return 0;
}

/* Whether a name stands in a list with commas between. */
static bool is_in_list(const char *list, const char *name)
{
    size_t size = strlen(name);
    for (const char *at = list; at != NULL && *at != '\0';) {
        const char *end = strchrnul(at, ',');
        if ((size_t)(end - at) == size && memcmp(at, name, size) == 0)
            return true;
        at = *end != '\0' ? end + 1 : end;
    }
    return false;
}

static bool belongs(const struct ff_manager *manager, const struct ff_held *held)
{
    const struct ff_manager *first = held->manager;
    return held->nodes > 1 && held->node_list != NULL && manager->gang == NULL &&
           manager->block == first->block && is_in_list(held->node_list, manager->node);
}

void ff_gang_resume(struct ff_agent *agent, struct ff_held *held)
{
    for (struct ff_manager *at = ff_downlink_first(agent->downlink); at != NULL; at = at->next)
        if (belongs(at, held))
            book(at, held);
}

void ff_gang_came(struct ff_agent *agent, struct ff_manager *manager)
{
    for (struct ff_manager *at = ff_downlink_first(agent->downlink); at != NULL; at = at->next)
        for (struct ff_held *held = at->given.first; held != NULL; held = held->next)
            if (belongs(manager, held))
                book(manager, held);
}

void ff_gang_give_back(struct ff_agent *agent, const struct ff_held *held)
{
    for (struct ff_manager *at = ff_downlink_first(agent->downlink); at != NULL; at = at->next) {
        if (at->gang != held)
            continue;
        at->gang = NULL;
        at->room.whole = false;
    }
}

unsigned ff_gang_most_nodes(const struct ff_agent *agent, unsigned *free_nodes)
{
    unsigned most = 0;
    *free_nodes = 0;
    for (const struct ff_block *block = ff_blocks_first(agent->blocks); block != NULL;
         block = block->next) {
        unsigned nodes = 0;
        unsigned free_here = 0;
        for (const struct ff_manager *at = ff_downlink_first(agent->downlink); at != NULL;
             at = at->next) {
            nodes += at->block == block;
            free_here +=
                at->block == block && at->room.open && at->room.given == 0 && !at->room.whole;
        }
        if (nodes > most || (nodes == most && free_here > *free_nodes)) {
            most = nodes;
            *free_nodes = free_here;
        }
    }
    return most;
}

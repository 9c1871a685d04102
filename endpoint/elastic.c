#include "endpoint/elastic.h"

#include "endpoint/block_words.h"
#include "endpoint/booking.h"
#include "endpoint/downlink.h"
#include "endpoint/manager.h"
#include "endpoint/scaling.h"
#include "endpoint/warm.h"
#include "protocol/core/clock.h"
#include "protocol/core/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A look goes over all that waits, all that runs and all nodes: not after each of ten thousand results a second. */
static const int64_t rest_ns = 10000000;
static const int64_t second_ns = 1000000000;
/* A block that ends sooner, without a task that has ended there, counts as one that did not come up. */
static const int64_t proof_ns = 10000000000;

struct ff_elastic {
    struct ff_agent *agent;
    struct ff_timer *timer;
    struct ff_scaling_memory memory;
    struct ff_scaling_shape seen; /* most that a node had */
    struct ff_warm warm;
    unsigned news;
    enum ff_scaling_limit limit; /* that stood against more blocks at the last look */
    int64_t begun_ns;
    int64_t looked_ns;
    char why[544];
};

/* What one look sees: the rows of scaling.h, in one piece of memory each. */
struct look {
    struct ff_scaling_input input;
    struct ff_block **blocks; /* of input.blocks */
};

static void look_due(void *user)
{
    ff_elastic_run(user);
}

struct ff_elastic *ff_elastic_create(struct ff_agent *agent, struct ff_error *error)
{
    struct ff_elastic *elastic = calloc(1, sizeof *elastic);
    if (elastic == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory for the scaling of blocks");
        return NULL;
    }
    elastic->agent = agent;
    elastic->begun_ns = ff_monotonic_ns();
    elastic->timer = ff_timer_create(agent->loop, look_due, elastic, error);
    if (elastic->timer == NULL) {
        free(elastic);
        return NULL;
    }
    return elastic;
}

void ff_elastic_reload(struct ff_elastic *elastic)
{
    struct ff_error error;
    struct ff_warm warm;
    if (ff_warm_read(&elastic->agent->folder, &warm, &error) < 0) {
        ff_log_error("the warm reserve stays as it was", &error);
        return;
    }
    if (warm.blocks != elastic->warm.blocks || warm.until_ns != elastic->warm.until_ns) {
        char until[FF_TIME_TEXT_SIZE];
        ff_time_text(warm.until_ns, until);
        if (warm.blocks > 0)
            ff_log(FF_LOG_INFO, "%u blocks are kept until %s", warm.blocks, until);
        else
            ff_log(FF_LOG_INFO, "no blocks are kept warm");
    }
    elastic->warm = warm;
    elastic->news++;
    elastic->agent->scale_needed = true;
}

const struct ff_warm *ff_elastic_warm(const struct ff_elastic *elastic)
{
    return &elastic->warm;
}

void ff_elastic_destroy(struct ff_elastic *elastic)
{
    if (elastic == NULL)
        return;
    ff_timer_destroy(elastic->timer);
    free(elastic);
}

/* ---- what the rooms tell ---- */

void ff_elastic_note_news(struct ff_elastic *elastic)
{
    elastic->news++;
}

const struct ff_scaling_shape *ff_elastic_seen(const struct ff_elastic *elastic)
{
    return &elastic->seen;
}

unsigned ff_elastic_news(const struct ff_elastic *elastic)
{
    return elastic->news;
}

/* Of two times, of which 0 is none. */
static int64_t earlier(int64_t a, int64_t b)
{
    return a == 0 || (b != 0 && b < a) ? b : a;
}

static unsigned larger(unsigned a, unsigned b)
{
    return a > b ? a : b;
}

void ff_elastic_manager_came(struct ff_elastic *elastic, const struct ff_manager *manager)
{
    /* One of an earlier agent may have been asked for with other settings. */
    if (!manager->block->adopted) {
        elastic->seen.slots = larger(elastic->seen.slots, manager->room.slots);
        elastic->seen.devices = larger(elastic->seen.devices, manager->room.devices);
        elastic->seen.cores = larger(elastic->seen.cores, manager->room.cores);
        elastic->seen.seen = true;
    }
    if (manager->block->came == 0)
        manager->block->came_ns = ff_monotonic_ns();
    manager->block->came = larger(manager->block->came, manager->block->managers);
    /* After failures it has to last, too: see look_for_proof. */
    if (elastic->memory.failures == 0)
        ff_scaling_came(&elastic->memory);
    elastic->why[0] = '\0';
}

/* Whether a block that came up was of use: a task has ended there, or it has lasted. */
static bool has_proved(const struct ff_block *block)
{
    return block->used_ns > 0 || ff_monotonic_ns() - block->came_ns >= proof_ns;
}

/* A block that did not come up, or not yet, with the end of what its workers have written. */
static void note_failure(struct ff_elastic *elastic, const struct ff_block *block, const char *how)
{
    char words[240];
    ff_block_last_words(block, words, sizeof words);
    ff_scaling_failed(&elastic->memory, block->submitted_ns, ff_monotonic_ns());
    snprintf(elastic->why, sizeof elastic->why, "block %s %s%s%s", block->id, how,
             words[0] != '\0' ? "; its log ends with: " : "", words);
    ff_log(FF_LOG_WARNING, "%s", elastic->why);
}

void ff_elastic_block_ended(struct ff_elastic *elastic, const struct ff_block *block)
{
    char how[256];
    elastic->news++;
    /* Whether managers of an adopted one came to an earlier agent is not known here. */
    if (block->stopping || block->adopted || (block->had_manager && has_proved(block)))
        return;
    snprintf(how, sizeof how, "%s: %.220s",
             block->had_manager ? "ended as soon as it was up" : "did not come up", block->why);
    note_failure(elastic, block, how);
}

/* The one that is nearest to being up: started before pending, and of those the one that is expected first. */
static bool is_nearer(const struct ff_block *one, const struct ff_block *than)
{
    if (than == NULL || one->state != than->state)
        return than == NULL || one->state > than->state;
    if (one->expected_ns != than->expected_ns)
        return one->expected_ns > 0 &&
               (than->expected_ns == 0 || one->expected_ns < than->expected_ns);
    return one->submitted_ns < than->submitted_ns;
}

/* Why no more blocks are asked for, "" where nothing stands against it. */
static void say_limit(const struct ff_elastic *elastic, char *text, size_t size)
{
    const struct ff_config *config = &elastic->agent->config;
    const int64_t left_ns = elastic->memory.failed_ns +
                            ff_scaling_pause_ns(elastic->memory.failures) - ff_monotonic_ns();
    char time[FF_TIME_TEXT_SIZE];
    text[0] = '\0';
    switch (elastic->limit) {
    case FF_SCALING_MAX_BLOCKS:
        if (elastic->agent->provider->scheduler == NULL && config->max_blocks == 1)
            break; /* one machine; nobody expects more */
        snprintf(text, size, "no more than %lld block%s at a time (max_blocks)",
                 (long long)config->max_blocks, config->max_blocks == 1 ? "" : "s");
        break;
    case FF_SCALING_SUBMIT_RATE:
        snprintf(text, size, "no more than %lld jobs are submitted in a minute (submit_rate)",
                 (long long)config->submit_rate);
        break;
    case FF_SCALING_PAUSE:
        if (left_ns <= 0)
            break; /* one is on its way, on trial */
        ff_time_text(ff_wall_ns() + left_ns, time);
        snprintf(text, size, "the next block is tried at %.10s %.5sZ", time, time + 11);
        break;
    case FF_SCALING_UNKNOWN:
        snprintf(text, size, "none is asked for before the scheduler tells how the others are");
        break;
    default:
        break;
    }
}

void ff_elastic_say(const struct ff_elastic *elastic, char *text, size_t size)
{
    char limit[160];
    const struct ff_block *nearest = NULL;
    unsigned coming = 0;
    for (const struct ff_block *at = ff_blocks_first(elastic->agent->blocks); at != NULL;
         at = at->next) {
        if (at->state == FF_BLOCK_ENDED || at->stopping || at->draining || at->late ||
            ff_block_is_up(at))
            continue;
        coming++;
        if (is_nearer(at, nearest))
            nearest = at;
    }
    text[0] = '\0';
    if (nearest != NULL)
        ff_block_say(nearest, text, size);
    size_t used = strlen(text);
    if (coming > 1)
        snprintf(text + used, size - used, "; %u more %s on the way", coming - 1,
                 coming == 2 ? "is" : "are");
    say_limit(elastic, limit, sizeof limit);
    used = strlen(text);
    if (limit[0] != '\0')
        snprintf(text + used, size - used, "%s%s", used > 0 ? "; " : "", limit);
    used = strlen(text);
    if (elastic->why[0] != '\0')
        snprintf(text + used, size - used, "%s%s", used > 0 ? "; before: " : "", elastic->why);
}

/* ---- looking ---- */

static struct ff_scaling_limits limits_of(const struct ff_elastic *elastic)
{
    const struct ff_agent *agent = elastic->agent;
    const struct ff_config *config = &agent->config;
    const int64_t warm_ns = elastic->warm.blocks > 0 ? elastic->warm.until_ns - ff_wall_ns() : 0;
    const struct ff_scaling_limits limits = {
        .warm_blocks = elastic->warm.blocks,
        .warm_until_ns = warm_ns > 0 ? elastic->looked_ns + warm_ns : 0,
        .min_blocks = (unsigned)config->min_blocks,
        .max_blocks = (unsigned)config->max_blocks,
        .init_blocks = (unsigned)config->init_blocks,
        .nodes_per_block = (unsigned)config->nodes_per_block,
        .submit_rate = agent->provider->scheduler != NULL ? (unsigned)config->submit_rate : 0,
        .idle_limit_ns = config->idle_block_s * second_ns,
    };
    return limits;
}

/* What the nodes of a new block will have. */
static struct ff_scaling_shape shape_of(const struct ff_elastic *elastic)
{
    const struct ff_config *config = &elastic->agent->config;
    struct ff_scaling_shape shape = {.slots = ff_config_slots(config)};
    /* What came, even if it is less than the settings say: else what is too large for it would bring block after block. */
    if (elastic->seen.seen)
        return elastic->seen;
    if (elastic->agent->provider->scheduler == NULL)
        return shape;
    shape.devices = (unsigned)config->gpus_per_node;
    shape.cores = (unsigned)config->cores_per_node;
    /* Without `slots` a node has as many as cores, and no fewer than GPUs. */
    shape.slots = config->slots > 0 ? (unsigned)config->slots : larger(shape.cores, shape.devices);
    return shape;
}

/* Since when its workers could have called back. */
static int64_t awaited_since_ns(const struct ff_elastic *elastic, const struct ff_block *block)
{
    return block->started_ns > elastic->begun_ns ? block->started_ns : elastic->begun_ns;
}

unsigned ff_elastic_nodes_to_come(const struct ff_elastic *elastic, const struct ff_block *block)
{
    int64_t limit_ns = elastic->agent->config.block_start_limit_s * second_ns;
    if (block->state != FF_BLOCK_RUNNING && block->managers == 0)
        return block->nodes;
    if (block->came >= block->nodes ||
        elastic->looked_ns - awaited_since_ns(elastic, block) >= limit_ns)
        return 0;
    return block->nodes - block->came;
}

static int make_rows(const struct ff_elastic *elastic, struct look *look)
{
    const struct ff_agent *agent = elastic->agent;
    size_t demands = 1; /* calloc of nothing may give NULL */
    size_t blocks = 1;
    size_t nodes = 1;
    for (const struct ff_shape *at = ff_queue_shapes(agent->queue); at != NULL; at = at->next)
        demands++;
    for (const struct ff_block *at = ff_blocks_first(agent->blocks); at != NULL; at = at->next) {
        blocks++;
        nodes += ff_elastic_nodes_to_come(elastic, at);
    }
    for (const struct ff_manager *at = ff_downlink_first(agent->downlink); at != NULL;
         at = at->next)
        nodes++;
    look->input.demand = calloc(demands, sizeof *look->input.demand);
    look->input.blocks = calloc(blocks, sizeof *look->input.blocks);
    look->input.nodes = calloc(nodes, sizeof *look->input.nodes);
    look->blocks = calloc(blocks, sizeof *look->blocks);
    return look->input.demand != NULL && look->input.blocks != NULL && look->input.nodes != NULL &&
                   look->blocks != NULL
               ? 0
               : -1;
}

static void free_rows(struct look *look)
{
    free(look->input.demand);
    free(look->input.blocks);
    free(look->input.nodes);
    free(look->blocks);
}

static void see_demand(const struct ff_agent *agent, struct ff_scaling_input *input)
{
    for (const struct ff_shape *at = ff_queue_shapes(agent->queue); at != NULL; at = at->next) {
        const struct ff_needs needs = ff_booking_needs_of_shape(agent, at);
        input->demand[input->demands++] = (struct ff_scaling_demand){
            .count = at->list.count,
            .priority = at->priority,
            .devices = needs.devices,
            .cores = needs.cores,
            .nodes = needs.nodes,
            .cost_us = needs.cost_us,
            /* What no block outlives is begun anywhere, and goes on in the next. */
            .lasts_ns = needs.lasts_ns <= agent->fresh_block_ns ? needs.lasts_ns : 0,
            .waited_ns = input->now_ns - at->list.first->since_ns,
        };
    }
}

/* Whether managers of an earlier agent's block have not said yet what they hold. */
static bool may_hold_more(const struct ff_elastic *elastic, const struct ff_block *block)
{
    bool queued = block->state == FF_BLOCK_PENDING && block->unknown_since_ns == 0;
    return block->adopted && !queued && (!block->announced || block->managers < block->nodes) &&
           elastic->looked_ns - elastic->begun_ns <
               elastic->agent->config.block_start_limit_s * second_ns;
}

/* The list of blocks begins with the one asked for last, the rows end with it. */
static void see_blocks(const struct ff_elastic *elastic, struct look *look)
{
    const struct ff_agent *agent = elastic->agent;
    unsigned count = 0;
    for (struct ff_block *at = ff_blocks_first(agent->blocks); at != NULL; at = at->next)
        if (at->state != FF_BLOCK_ENDED)
            look->blocks[count++] = at;
    for (unsigned i = 0; i < count / 2; i++) {
        struct ff_block *swapped = look->blocks[i];
        look->blocks[i] = look->blocks[count - 1 - i];
        look->blocks[count - 1 - i] = swapped;
    }
    for (unsigned row = 0; row < count; row++) {
        const struct ff_block *at = look->blocks[row];
        look->input.blocks[row] = (struct ff_scaling_block){
            .nodes = at->nodes,
            .tasks = may_hold_more(elastic, at) ? 1 : 0,
            .come = at->managers > 0 || (at->had_manager && at->state == FF_BLOCK_RUNNING),
            .unknown = at->unknown_since_ns > 0,
            .leaving = at->stopping || at->draining,
            .late = at->late && at->managers == 0,
            .idle_since_ns = at->idle_since_ns,
        };
    }
    look->input.block_count = count;
}

static struct ff_scaling_node *add_node(struct ff_scaling_input *input, unsigned block, bool come,
                                        const struct ff_scaling_shape *has)
{
    struct ff_scaling_node *node = &input->nodes[input->node_count++];
    node->block = block;
    node->come = come;
    node->has = *has;
    node->free = ff_scaling_all_of(has);
    return node;
}

/* What runs there now or soon, what others of the machine hold, and what ends with the block. */
static void see_room(struct ff_scaling_node *node, const struct ff_manager *manager, int64_t now_ns)
{
    const struct ff_room *room = &manager->room;
    if (room->whole)
        memset(&node->free, 0, sizeof node->free);
    for (const struct ff_held *at = manager->given.first; at != NULL; at = at->next)
        ff_scaling_occupy(&node->free, ff_scaling_weight_of(at->cost_us), at->devices, at->cores);
    uint64_t taken = (uint64_t)room->devices_taken * FF_SCALING_UNIT;
    node->free.devices = taken < node->free.devices ? node->free.devices - taken : 0;
    if (room->ends_ns > 0)
        node->left_ns = room->ends_ns > now_ns ? room->ends_ns - now_ns : 1;
}

static void see_manager(struct look *look, const struct ff_manager *manager)
{
    const struct ff_room *room = &manager->room;
    const struct ff_scaling_shape has = {room->slots, room->devices, room->cores, true};
    struct ff_scaling_input *input = &look->input;
    for (unsigned row = 0; row < input->block_count; row++) {
        if (look->blocks[row] != manager->block)
            continue;
        input->blocks[row].tasks += manager->given.count;
        if (manager->draining)
            return;
        see_room(add_node(input, row, true, &has), manager, input->now_ns);
        return;
    }
}

static int see(const struct ff_elastic *elastic, struct look *look)
{
    const struct ff_agent *agent = elastic->agent;
    memset(look, 0, sizeof *look);
    look->input.now_ns = elastic->looked_ns;
    look->input.limits = limits_of(elastic);
    look->input.shape = shape_of(elastic);
    if (make_rows(elastic, look) < 0)
        return -1;
    see_demand(agent, &look->input);
    see_blocks(elastic, look);
    for (const struct ff_manager *at = ff_downlink_first(agent->downlink); at != NULL;
         at = at->next)
        see_manager(look, at);
    for (unsigned row = 0; row < look->input.block_count; row++) {
        struct ff_scaling_block *block = &look->input.blocks[row];
        for (unsigned i = ff_elastic_nodes_to_come(elastic, look->blocks[row]); i > 0; i--)
            add_node(&look->input, row, false, &look->input.shape);
        if (block->idle_since_ns > 0 && look->blocks[row]->used_ns > block->idle_since_ns)
            block->idle_since_ns = look->blocks[row]->used_ns;
    }
    return 0;
}

/* ---- doing ---- */

static int start_block(struct ff_elastic *elastic, unsigned nodes)
{
    struct ff_agent *agent = elastic->agent;
    struct ff_error error;
    int64_t now_ns = ff_monotonic_ns();
    ff_scaling_submitted(&elastic->memory, now_ns);
    elastic->news++;
    struct ff_block *block = ff_blocks_start(agent->blocks, nodes, &agent->endpoint_id, &error);
    if (block != NULL) {
        ff_log(FF_LOG_INFO, "block %s of %u node%s is asked for", block->id, nodes,
               nodes == 1 ? "" : "s");
        return 0;
    }
    ff_log_error("cannot start a block", &error);
    ff_scaling_failed(&elastic->memory, now_ns, now_ns);
    snprintf(elastic->why, sizeof elastic->why, "no block can be asked for: %.250s", error.message);
    return -1;
}

/* Closed to tasks before it is ended: a manager that calls back meanwhile gets none. */
static void leave(struct ff_elastic *elastic, struct ff_block *block)
{
    elastic->news++;
    ff_downlink_drain_block(elastic->agent->downlink, block);
    ff_block_cancel(block, false);
}

static void end_block(struct ff_elastic *elastic, struct ff_block *block)
{
    ff_log(FF_LOG_INFO, "block %s is not needed any more and ends", block->id);
    leave(elastic, block);
}

static void close_block(struct ff_elastic *elastic, struct ff_block *block)
{
    ff_log(FF_LOG_INFO, "block %s gets no more tasks: it makes room for a larger one", block->id);
    elastic->news++;
    ff_downlink_drain_block(elastic->agent->downlink, block);
}

static int64_t carry_out(struct ff_elastic *elastic, const struct look *look,
                         const struct ff_scaling_orders *orders)
{
    for (unsigned row = 0; row < look->input.block_count; row++) {
        look->blocks[row]->idle_since_ns = look->input.blocks[row].idle_since_ns;
        if (look->input.blocks[row].end)
            end_block(elastic, look->blocks[row]);
        else if (look->input.blocks[row].close)
            close_block(elastic, look->blocks[row]);
        else if (look->blocks[row]->draining && look->input.blocks[row].tasks == 0 &&
                 !look->blocks[row]->stopping)
            ff_block_cancel(look->blocks[row], false);
    }
    for (unsigned i = 0; i < orders->start; i++)
        if (start_block(elastic, orders->nodes[i]) < 0)
            return elastic->looked_ns + ff_scaling_pause_ns(elastic->memory.failures);
    return orders->look_again_ns;
}

/* A block that runs, and whose workers should have called back long since, is told of, and ended after as long again. Returns
 * when it is to be looked at again. */
static int64_t examine(struct ff_elastic *elastic, struct ff_block *block)
{
    char how[160];
    size_t word = strcspn(block->handle, " ");
    const int64_t limit_s = elastic->agent->config.block_start_limit_s * (block->late ? 2 : 1);
    const int64_t due_ns = awaited_since_ns(elastic, block) + limit_s * second_ns;
    if (elastic->looked_ns < due_ns)
        return due_ns;
    snprintf(how, sizeof how,
             "(job %.*s) has started, and its workers have not called back in %lld s%s", (int)word,
             block->handle, (long long)limit_s, block->late ? ": it is ended" : "");
    note_failure(elastic, block, how);
    if (block->late)
        leave(elastic, block);
    block->late = true;
    return due_ns + limit_s * second_ns;
}

/* All of those; the earliest time, or 0. */
static int64_t examine_silent(struct ff_elastic *elastic)
{
    int64_t again_ns = 0;
    for (struct ff_block *at = ff_blocks_first(elastic->agent->blocks); at != NULL; at = at->next) {
        if (at->state != FF_BLOCK_RUNNING && at->managers == 0)
            at->came = 0; /* where it was put back into the queue */
        if (at->state != FF_BLOCK_RUNNING || at->had_manager || at->stopping ||
            at->unknown_since_ns > 0)
            continue;
        again_ns = earlier(again_ns, examine(elastic, at));
    }
    return again_ns;
}

/* After failures: a block that came up since, and has proved, ends the pause. When to look again for that, or 0. */
static int64_t look_for_proof(struct ff_elastic *elastic)
{
    int64_t again_ns = 0;
    for (const struct ff_block *at = ff_blocks_first(elastic->agent->blocks);
         at != NULL && elastic->memory.failures > 0; at = at->next) {
        const int64_t failed_ns = elastic->memory.failed_ns;
        if (at->managers == 0 || (at->used_ns <= failed_ns && at->came_ns <= failed_ns))
            continue;
        int64_t at_ns = at->came_ns + proof_ns;
        if (at->used_ns > failed_ns || elastic->looked_ns >= at_ns)
            ff_scaling_came(&elastic->memory);
        else
            again_ns = earlier(again_ns, at_ns);
    }
    return again_ns;
}

static void end_warm(struct ff_elastic *elastic)
{
    struct ff_error error;
    memset(&elastic->warm, 0, sizeof elastic->warm);
    elastic->news++;
    ff_log(FF_LOG_INFO, "the warm reserve is over");
    if (ff_warm_write(&elastic->agent->folder, &elastic->warm, &error) < 0)
        ff_log_error("its file stays", &error);
}

void ff_elastic_run(struct ff_elastic *elastic)
{
    struct look look;
    const int64_t now_ns = ff_monotonic_ns();
    elastic->agent->scale_needed = false;
    if (elastic->agent->phase >= FF_AGENT_DRAINING)
        return;
    if (now_ns < elastic->looked_ns + rest_ns) {
        ff_timer_set(elastic->timer, elastic->looked_ns + rest_ns);
        return;
    }
    elastic->looked_ns = now_ns;
    if (elastic->warm.blocks > 0 && elastic->warm.until_ns <= ff_wall_ns())
        end_warm(elastic);
    int64_t extra_ns = earlier(examine_silent(elastic), look_for_proof(elastic));
    if (see(elastic, &look) == 0) {
        const struct ff_scaling_orders orders = ff_scaling_plan(&look.input, &elastic->memory);
        int64_t again_ns = earlier(carry_out(elastic, &look, &orders), extra_ns);
        elastic->news += elastic->limit != orders.limit ? 1 : 0;
        elastic->limit = orders.limit;
        ff_timer_set(elastic->timer, again_ns);
    } else {
        ff_log(FF_LOG_WARNING, "no memory to look whether there are enough blocks");
        ff_timer_set(elastic->timer, now_ns + 100 * rest_ns);
    }
    free_rows(&look);
}

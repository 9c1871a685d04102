#include "endpoint/downlink.h"

#include "endpoint/address.h"
#include "endpoint/manager.h"
#include "protocol/core/clock.h"
#include "protocol/core/file.h"
#include "protocol/core/log.h"
#include "protocol/core/yaml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SLOTS_LIMIT = 4096, CORES_LIMIT = 65536 };

struct ff_downlink {
    struct ff_agent *agent;
    struct ff_downlink_events events;
    struct ff_peers *peers;
    struct ff_manager *first;
    struct ff_buffer buffer;
};

/* ---- managers ---- */

static void send_to(void *user, enum ff_message_type type, struct ff_span frame)
{
    struct ff_manager *manager = user;
    (void)type;
    if (manager->peer != NULL)
        ff_peer_send(manager->peer, frame);
}

static void destroy_manager(struct ff_manager *manager)
{
    ff_timer_destroy(manager->lost_timer);
    ff_gather_dispose(&manager->tasks);
    ff_gather_dispose(&manager->receipts);
    ff_gather_dispose(&manager->controls);
    free(manager);
}

/* It does not come back. */
static void give_up(struct ff_manager *manager, const char *why)
{
    struct ff_downlink *downlink = manager->agent->downlink;
    struct ff_block *block = manager->block;
    struct ff_manager **at = &downlink->first;
    while (*at != manager)
        at = &(*at)->next;
    *at = manager->next;
    ff_log(FF_LOG_INFO, "manager on %s (block %s) is gone: %s", manager->node, block->id, why);
    downlink->events.lost(downlink->events.user, manager, why);
    destroy_manager(manager);
    block->managers--;
    downlink->events.gone(downlink->events.user, block);
}

static void away_too_long(void *user)
{
    give_up(user, "it has not come back");
}

static struct ff_manager *find_manager(const struct ff_downlink *downlink,
                                       const struct ff_block *block, const struct ff_id *instance)
{
    for (struct ff_manager *at = downlink->first; at != NULL; at = at->next)
        if (at->block == block && ff_id_equal(&at->instance, instance))
            return at;
    return NULL;
}

static struct ff_manager *make_manager(struct ff_downlink *downlink, struct ff_block *block,
                                       const struct ff_hello *hello, struct ff_error *error)
{
    struct ff_manager *manager = calloc(1, sizeof *manager);
    if (manager == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory for another manager");
        return NULL;
    }
    manager->lost_timer = ff_timer_create(downlink->agent->loop, away_too_long, manager, error);
    if (manager->lost_timer == NULL) {
        free(manager);
        return NULL;
    }
    manager->agent = downlink->agent;
    manager->block = block;
    manager->instance = hello->instance;
    ff_gather_init(&manager->tasks, FF_MSG_TASKS, send_to, manager);
    ff_gather_init(&manager->receipts, FF_MSG_RECEIPTS, send_to, manager);
    ff_gather_init(&manager->controls, FF_MSG_CONTROL, send_to, manager);
    manager->next = downlink->first;
    downlink->first = manager;
    block->managers++;
    return manager;
}

static unsigned at_most(uint64_t value, unsigned limit)
{
    return value < limit ? (unsigned)value : limit;
}

/* ---- the link ---- */

static bool allows(void *user, const char public_key[FF_CURVE_TEXT_SIZE])
{
    struct ff_downlink *downlink = user;
    return ff_blocks_find_key(downlink->agent->blocks, public_key) != NULL;
}

/* When the manager will have to leave, on our clock. */
static int64_t end_of(const struct ff_hello *hello)
{
    uint64_t wall_ns = hello->leaves_ns > 0 ? hello->leaves_ns : hello->ends_ns;
    if (wall_ns == 0 || wall_ns > INT64_MAX)
        return 0;
    return ff_monotonic_ns() + ((int64_t)wall_ns - ff_wall_ns());
}

static int take_hello(void *user, struct ff_peer *peer, const struct ff_hello *hello,
                      struct ff_peer *replaced, struct ff_welcome *welcome, void **peer_user,
                      bool *final, struct ff_error *error)
{
    struct ff_downlink *downlink = user;
    const struct ff_agent *agent = downlink->agent;
    struct ff_block *block = ff_blocks_find_key(agent->blocks, ff_peer_key(peer));
    (void)replaced;
    if (block == NULL)
        return ff_fail(error, FF_FORBIDDEN, "this key belongs to no block of endpoint %s",
                       agent->folder.name);
    struct ff_manager *manager = find_manager(downlink, block, &hello->instance);
    if (manager == NULL)
        manager = make_manager(downlink, block, hello, error);
    if (manager == NULL) {
        *final = false;
        return -1;
    }
    manager->peer = peer;
    manager->ready = false;
    manager->draining = block->draining;
    ff_timer_set(manager->lost_timer, FF_TIMER_OFF);
    snprintf(manager->node, sizeof manager->node, "%.*s", (int)hello->node.size,
             (const char *)hello->node.data);
    manager->room.slots = at_most(hello->slots, SLOTS_LIMIT);
    manager->room.cores = at_most(hello->cores, CORES_LIMIT);
    manager->room.devices = at_most(hello->devices, FF_NODE_DEVICES);
    manager->room.window = at_most(hello->window, UINT32_MAX);
    manager->room.open = false;
    manager->room.ends_ns = end_of(hello);
    downlink->events.came(downlink->events.user, manager);
    *peer_user = manager;
    welcome->instance = agent->instance;
    welcome->name = ff_span_of(agent->folder.name);
    welcome->software = ff_span_of(FF_VERSION);
    ff_log(FF_LOG_INFO, "manager on %s (block %s): %u slots, %u cores, %u GPUs", manager->node,
           block->id, manager->room.slots, manager->room.cores, manager->room.devices);
    return 0;
}

static void peer_gone(void *user, struct ff_peer *peer, const char *why)
{
    struct ff_downlink *downlink = user;
    struct ff_manager *manager = ff_peer_user(peer);
    if (manager->peer != peer)
        return; /* it has come back already */
    manager->peer = NULL;
    manager->ready = false;
    manager->room.open = false;
    ff_gather_drop(&manager->tasks);
    ff_gather_drop(&manager->receipts);
    ff_gather_drop(&manager->controls);
    downlink->events.away(downlink->events.user, manager);
    if (manager->block->state == FF_BLOCK_ENDED || ff_peer_has_left(peer)) {
        give_up(manager, why);
        return;
    }
    ff_log(FF_LOG_WARNING, "manager on %s (block %s) is away: %s", manager->node,
           manager->block->id, why);
    ff_timer_set_after(manager->lost_timer, FF_PEER_LOST_MS);
}

static int take_message(void *user, struct ff_peer *peer, struct ff_decoder *decoder,
                        struct ff_error *error)
{
    struct ff_downlink *downlink = user;
    struct ff_manager *manager = ff_peer_user(peer);
    if (manager->peer != peer)
        return 0;
    return downlink->events.message(downlink->events.user, manager, decoder, error);
}

/* ---- for the other rooms ---- */

static void send_item(struct ff_manager *manager, struct ff_encoder *encoder)
{
    struct ff_error error;
    if (ff_encode_end(encoder, &error) < 0)
        ff_log_error("a message to a manager", &error);
    else
        send_to(manager, encoder->type, ff_buffer_span(encoder->buffer));
}

void ff_manager_send_part(struct ff_manager *manager, enum ff_message_type type,
                          const struct ff_part *part)
{
    struct ff_downlink *downlink = manager->agent->downlink;
    struct ff_encoder encoder;
    ff_encode_begin(&encoder, &downlink->buffer, type);
    ff_encode_part(&encoder, part);
    send_item(manager, &encoder);
    ff_buffer_dispose(&downlink->buffer);
    ff_buffer_init(&downlink->buffer, FF_MESSAGE_LIMIT);
}

static void drain_manager(struct ff_manager *manager, const char *reason)
{
    const struct ff_farewell farewell = {.reason = ff_span_of(reason)};
    struct ff_encoder encoder;
    ff_encode_begin(&encoder, &manager->agent->downlink->buffer, FF_MSG_DRAIN);
    ff_encode_farewell(&encoder, &farewell);
    send_item(manager, &encoder);
    manager->draining = true;
    manager->room.open = false;
}

void ff_downlink_drain(struct ff_downlink *downlink, const char *reason)
{
    for (struct ff_manager *at = downlink->first; at != NULL; at = at->next)
        drain_manager(at, reason);
}

void ff_downlink_drain_block(struct ff_downlink *downlink, struct ff_block *block)
{
    block->draining = true;
    for (struct ff_manager *at = downlink->first; at != NULL; at = at->next)
        if (at->block == block)
            drain_manager(at, "the block ends");
}

bool ff_downlink_flush(struct ff_downlink *downlink)
{
    bool did = false;
    for (struct ff_manager *at = downlink->first; at != NULL; at = at->next) {
        did = ff_gather_flush(&at->receipts) || did;
        did = ff_gather_flush(&at->tasks) || did;
        did = ff_gather_flush(&at->controls) || did;
    }
    return did;
}

struct ff_manager *ff_downlink_first(const struct ff_downlink *downlink)
{
    return downlink->first;
}

void ff_downlink_block_ended(struct ff_downlink *downlink, struct ff_block *block)
{
    struct ff_manager *next = NULL;
    for (struct ff_manager *at = downlink->first; at != NULL; at = next) {
        next = at->next;
        /* One that is still connected has sent more, which is read before its connection ends. */
        if (at->block == block && at->peer == NULL)
            give_up(at, block->why);
    }
}

/* Where managers find this agent: read at each of their attempts. */
static int write_address(const struct ff_agent *agent, const char *host, int port,
                         const struct ff_curve_keys *keys, struct ff_error *error)
{
    char path[PATH_MAX];
    char address[FF_ADDRESS_SIZE + 32];
    struct ff_buffer buffer;
    snprintf(address, sizeof address, "tcp://%s:%d", host, port);
    ff_buffer_init(&buffer, 4096);
    ff_buffer_append_text(&buffer, "address: ");
    ff_yaml_quote(&buffer, address);
    ff_buffer_append_text(&buffer, "\nkey: ");
    ff_yaml_quote(&buffer, keys->public_key);
    ff_buffer_append_text(&buffer, "\n");
    ff_folder_path(&agent->folder, path, "run/agent");
    int result = ff_file_write(path, ff_buffer_span(&buffer), 0600, error);
    ff_buffer_dispose(&buffer);
    return result;
}

struct ff_downlink *ff_downlink_create(struct ff_agent *agent,
                                       const struct ff_downlink_events *events,
                                       struct ff_error *error)
{
    struct ff_downlink *downlink = calloc(1, sizeof *downlink);
    char path[PATH_MAX];
    char host[FF_ADDRESS_SIZE];
    struct ff_curve_keys keys;
    int port = (int)agent->config.agent_port;
    if (downlink == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory for the downlink");
        return NULL;
    }
    const struct ff_peers_events of_peers = {
        .user = downlink,
        .by_instance = true,
        .allows = allows,
        .hello = take_hello,
        .message = take_message,
        .gone = peer_gone,
    };
    downlink->agent = agent;
    downlink->events = *events;
    ff_buffer_init(&downlink->buffer, FF_MESSAGE_LIMIT);
    ff_folder_path(&agent->folder, path, "run/agent_curve");
    if (ff_curve_load_or_make(path, &keys, error) == 0 &&
        ff_address_find(agent->config.agent_host, agent->provider->grows, host, error) == 0)
        downlink->peers =
            ff_peers_create(agent->loop, agent->context, host, &port, &keys, &of_peers, error);
    if (downlink->peers == NULL || write_address(agent, host, port, &keys, error) < 0) {
        ff_downlink_destroy(downlink, NULL);
        return NULL;
    }
    return downlink;
}

void ff_downlink_destroy(struct ff_downlink *downlink, const char *farewell)
{
    if (downlink == NULL)
        return;
    ff_peers_destroy(downlink->peers, farewell);
    while (downlink->first != NULL) {
        struct ff_manager *next = downlink->first->next;
        destroy_manager(downlink->first);
        downlink->first = next;
    }
    ff_buffer_dispose(&downlink->buffer);
    free(downlink);
}

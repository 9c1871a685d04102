#include "service/router/parts.h"

#include "protocol/core/clock.h"
#include "protocol/core/log.h"
#include "service/save.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

/* ---- notes: what an endpoint is told with the next turn of the loop ---- */

static bool grow(void **list, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity)
        return true;
    size_t wanted = *capacity == 0 ? 64 : 2 * *capacity;
    void *grown = realloc(*list, wanted * size);
    if (grown == NULL)
        return false;
    *list = grown;
    *capacity = wanted;
    return true;
}

void ff_router_note_receipt(struct ff_endpoint *endpoint, const struct ff_id *task,
                            struct ff_attempt attempt, bool ended)
{
    struct ff_endpoint_link *link = &endpoint->link;
    void *list = link->receipts;
    /* Without a peer, or memory, the endpoint sends the outcome again and is answered then. */
    if (link->peer == NULL ||
        !grow(&list, link->receipt_count, &link->receipt_capacity, sizeof *link->receipts))
        return;
    link->receipts = list;
    link->receipts[link->receipt_count++] =
        (struct ff_receipt){.task = *task, .attempt = attempt, .ended = ended};
}

static void note_control(struct ff_endpoint *endpoint, const struct ff_id *task,
                         struct ff_attempt attempt, enum ff_control_action action)
{
    struct ff_endpoint_link *link = &endpoint->link;
    void *list = link->controls;
    if (link->peer == NULL ||
        !grow(&list, link->control_count, &link->control_capacity, sizeof *link->controls))
        return;
    link->controls = list;
    link->controls[link->control_count++] =
        (struct ff_control){.task = *task, .attempt = attempt, .action = action};
}

void ff_router_note_control(struct ff_endpoint *endpoint, const struct ff_task *task,
                            enum ff_control_action action)
{
    note_control(endpoint, &task->id, task->attempt, action);
}

void ff_router_note_cancel(struct ff_endpoint *endpoint, const struct ff_id *task,
                           struct ff_attempt attempt)
{
    note_control(endpoint, task, attempt, FF_CONTROL_CANCEL);
}

static void send_receipts(struct ff_router *router, struct ff_endpoint *endpoint)
{
    struct ff_endpoint_link *link = &endpoint->link;
    size_t sent = 0;
    while (sent < link->receipt_count) {
        struct ff_encoder encoder;
        ff_encode_begin(&encoder, &router->message, FF_MSG_RECEIPTS);
        while (sent < link->receipt_count && ff_encode_receipt(&encoder, &link->receipts[sent]))
            sent++;
        if (ff_encode_end(&encoder, NULL) < 0 ||
            !ff_peer_send(link->peer, ff_buffer_span(&router->message)))
            break;
    }
    link->receipt_count = 0;
}

void ff_router_time_receipts(struct ff_router *router)
{
    if (router->service->receipts_timed)
        return;
    router->service->receipts_timed = true;
    ff_timer_set_after(router->receipt_timer, FF_RECEIPT_WAIT_MS);
}

static void receipts_due(void *user)
{
    struct ff_router *router = user;
    pthread_mutex_lock(&router->service->lock);
    router->service->receipts_timed = false;
    pthread_mutex_unlock(&router->service->lock);
    router->receipts_due = true;
}

/* Receipts are gathered for a moment: alone each would wake three processes while the next call is
 * on its way. What waits counts in the window. */
static void pass_receipts(struct ff_router *router, struct ff_endpoint *endpoint)
{
    const struct ff_endpoint_link *link = &endpoint->link;
    bool window_full = ff_lanes_wait(endpoint) && ff_lanes_next(endpoint) == NULL;
    if (link->receipt_count == 0)
        return;
    if (router->receipts_due || window_full || link->draining ||
        link->receipt_count >= FF_RECEIPTS_AT_ONCE)
        send_receipts(router, endpoint);
    else
        ff_router_time_receipts(router);
}

static void send_controls(struct ff_router *router, struct ff_endpoint *endpoint)
{
    struct ff_endpoint_link *link = &endpoint->link;
    size_t sent = 0;
    while (sent < link->control_count) {
        struct ff_encoder encoder;
        ff_encode_begin(&encoder, &router->message, FF_MSG_CONTROL);
        while (sent < link->control_count && ff_encode_control(&encoder, &link->controls[sent]))
            sent++;
        if (ff_encode_end(&encoder, NULL) < 0 ||
            !ff_peer_send(link->peer, ff_buffer_span(&router->message)))
            break;
    }
    link->control_count = 0;
}

static bool prepare(void *user)
{
    struct ff_router *router = user;
    struct ff_service *service = router->service;
    bool did = false;
    pthread_mutex_lock(&service->lock);
    for (size_t i = ff_catalog_endpoint_count(service->catalog); i-- > 0;) {
        struct ff_endpoint *endpoint = ff_catalog_endpoint_at(service->catalog, i);
        if (endpoint->link.peer == NULL)
            continue;
        pass_receipts(router, endpoint);
        /* Orders before controls, so that a control never overtakes its order. */
        if (ff_lanes_wait(endpoint))
            did |= ff_router_dispatch(router, endpoint);
        if (endpoint->link.control_count > 0)
            send_controls(router, endpoint);
        if (endpoint->deleted) {
            struct ff_error error;
            ff_fail(&error, FF_ENDPOINT_NOT_FOUND, "the endpoint %s was deleted", endpoint->name);
            ff_peer_refuse(endpoint->link.peer, &error, true);
        }
    }
    router->receipts_due = false;
    pthread_mutex_unlock(&service->lock);
    return ff_router_transfers_run(router) || did;
}

/* ---- who is let in ---- */

static bool allows(void *user, const char public_key[FF_CURVE_TEXT_SIZE])
{
    struct ff_router *router = user;
    struct ff_service *service = router->service;
    pthread_mutex_lock(&service->lock);
    bool known = ff_catalog_endpoint_of_key(service->catalog, public_key) != NULL;
    pthread_mutex_unlock(&service->lock);
    return known;
}

/* The lease: one living instance is the endpoint. */
static int check_lease(struct ff_service *service, struct ff_endpoint *endpoint,
                       const struct ff_hello *hello, const struct ff_peer *present,
                       struct ff_error *error)
{
    int64_t silence_ms = present != NULL ? ff_peer_silence_ms(present)
                                         : (ff_monotonic_ns() - endpoint->heard_ns) / 1000000;
    if (ff_id_is_zero(&endpoint->holder) || ff_id_equal(&endpoint->holder, &hello->instance) ||
        ff_id_equal(&endpoint->holder, &hello->previous) || hello->take_over ||
        silence_ms >= service->config.lost_ms)
        return 0;
    ff_fail(error, FF_ENDPOINT_IN_USE, "endpoint %s runs already on host %s (process %lld)",
            endpoint->name, endpoint->holder_host, (long long)endpoint->holder_pid);
    return ff_hint(
        error,
        "stop it there, or move it here: farfield endpoint start %s --take-over; if that "
        "process is dead, wait %lld s",
        endpoint->name, (long long)((service->config.lost_ms - silence_ms) / 1000 + 1));
}

static void forget_held(void *user, struct ff_task *task)
{
    (void)user;
    task->held = false;
}

static void open_link(struct ff_service *service, struct ff_endpoint *endpoint,
                      struct ff_peer *peer, const struct ff_hello *hello)
{
    struct ff_endpoint_link *link = &endpoint->link;
    uint64_t most = (uint64_t)service->config.endpoint_window;
    link->peer = peer;
    link->announced = false;
    link->draining = false;
    link->generation++;
    link->held = 0;
    link->held_bytes = 0;
    link->receipt_count = 0;
    link->control_count = 0;
    link->window = hello->window == 0 || hello->window > most ? most : hello->window;
    link->window_bytes = hello->window_bytes == 0 ? FF_WINDOW_BYTES : hello->window_bytes;
    link->slots = hello->slots;
    link->devices = hello->devices;
    link->why[0] = '\0';
    ff_ledger_each_of(service->ledger, endpoint, forget_held, NULL);
    bool same = ff_id_equal(&endpoint->holder, &hello->instance);
    endpoint->holder = hello->instance;
    snprintf(endpoint->holder_host, sizeof endpoint->holder_host, "%.*s", (int)hello->host.size,
             (const char *)hello->host.data);
    endpoint->holder_pid = (int64_t)hello->pid;
    endpoint->heard_ns = ff_monotonic_ns();
    endpoint->seen_ns = ff_wall_ns();
    if (!same)
        ff_endpoint_save_lease(service, endpoint);
}

static int greet(struct ff_service *service, struct ff_peer *peer, const struct ff_hello *hello,
                 struct ff_peer *replaced, struct ff_endpoint **found, struct ff_error *error)
{
    struct ff_endpoint *endpoint = ff_catalog_endpoint_of_key(service->catalog, ff_peer_key(peer));
    if (endpoint == NULL) {
        ff_fail(error, FF_FORBIDDEN, "the key of this endpoint is not registered here");
        return ff_hint(error, "register it anew: farfield endpoint configure");
    }
    if (!ff_id_equal(&endpoint->id, &hello->endpoint)) {
        char id[FF_ID_TEXT_SIZE];
        ff_id_text(&endpoint->id, id);
        ff_fail(error, FF_FORBIDDEN,
                "this key belongs to the endpoint %s (%s), not to the one that "
                "said hello",
                endpoint->name, id);
        return ff_hint(error, "register it anew: farfield endpoint configure %s", endpoint->name);
    }
    if (ff_id_is_zero(&hello->instance))
        return ff_fail(error, FF_PROTOCOL, "a HELLO without instance");
    if (check_lease(service, endpoint, hello, replaced, error) < 0)
        return -1;
    if (replaced != NULL && !ff_id_equal(&endpoint->holder, &hello->instance)) {
        struct ff_error moved;
        ff_fail(&moved, FF_ENDPOINT_IN_USE,
                "endpoint %s was taken over by host %.*s (process %llu)", endpoint->name,
                (int)hello->host.size, (const char *)hello->host.data,
                (unsigned long long)hello->pid);
        ff_peer_refuse(replaced, &moved, true);
    }
    open_link(service, endpoint, peer, hello);
    *found = endpoint;
    return 0;
}

static int said_hello(void *user, struct ff_peer *peer, const struct ff_hello *hello,
                      struct ff_peer *replaced, struct ff_welcome *welcome, void **peer_user,
                      bool *final, struct ff_error *error)
{
    struct ff_router *router = user;
    struct ff_service *service = router->service;
    struct ff_endpoint *endpoint = NULL;
    *final = true;
    pthread_mutex_lock(&service->lock);
    int result = greet(service, peer, hello, replaced, &endpoint, error);
    pthread_mutex_unlock(&service->lock);
    if (result < 0) {
        ff_log(FF_LOG_WARNING, "an endpoint was refused: %s", error->message);
        return -1;
    }
    *peer_user = endpoint;
    welcome->epoch = service->epoch;
    welcome->instance = service->instance;
    welcome->name = ff_span_of(endpoint->name);
    welcome->software = ff_span_of(FF_VERSION);
    welcome->max_retries = (uint64_t)service->config.max_retries;
    ff_log(FF_LOG_INFO, "endpoint=%s connected from host %s (process %lld)", endpoint->name,
           endpoint->holder_host, (long long)endpoint->holder_pid);
    return 0;
}

static void gone(void *user, struct ff_peer *peer, const char *why)
{
    struct ff_router *router = user;
    struct ff_service *service = router->service;
    struct ff_endpoint *endpoint = ff_peer_user(peer);
    pthread_mutex_lock(&service->lock);
    bool ours = endpoint->link.peer == peer;
    if (ours) {
        endpoint->link.peer = NULL;
        endpoint->link.announced = false;
        endpoint->link.receipt_count = 0;
        endpoint->link.control_count = 0;
        endpoint->link.idle = 0;
        endpoint->seen_ns = ff_wall_ns() - ff_peer_silence_ms(peer) * 1000000;
        endpoint->heard_ns = ff_monotonic_ns() - ff_peer_silence_ms(peer) * 1000000;
        if (ff_peer_has_left(peer))
            memset(&endpoint->holder, 0, sizeof endpoint->holder);
        ff_endpoint_save_lease(service, endpoint);
    }
    pthread_mutex_unlock(&service->lock);
    ff_router_transfers_drop(router, endpoint);
    if (ours)
        ff_log(FF_LOG_INFO, "endpoint=%s disconnected: %s", endpoint->name, why);
}

/* ---- what comes in ---- */

static void take_heartbeat(struct ff_endpoint *endpoint, const struct ff_heartbeat *heartbeat)
{
    struct ff_endpoint_link *link = &endpoint->link;
    link->managers = heartbeat->managers;
    link->slots = heartbeat->slots;
    link->idle = heartbeat->idle;
    link->devices = heartbeat->devices;
    snprintf(link->why, sizeof link->why, "%.*s", (int)heartbeat->why.size,
             (const char *)heartbeat->why.data);
}

static int take_plain(struct ff_router *router, struct ff_endpoint *endpoint,
                      struct ff_decoder *decoder, struct ff_error *error)
{
    union ff_item item;
    enum ff_message_type type = decoder->type;
    int got = ff_decode_next(decoder, &item, error);
    if (got < 0)
        return -1;
    if (type == FF_MSG_HEARTBEAT && got > 0)
        take_heartbeat(endpoint, &item.heartbeat);
    else if (type == FF_MSG_HOLDING_END)
        ff_router_holding_end(router, endpoint);
    else if (type == FF_MSG_DRAIN)
        endpoint->link.draining = true;
    return 0;
}

static int take_locked(struct ff_router *router, struct ff_endpoint *endpoint,
                       struct ff_decoder *decoder, struct ff_error *error)
{
    switch (decoder->type) {
    case FF_MSG_HEARTBEAT:
    case FF_MSG_HOLDING_END:
    case FF_MSG_DRAIN:
        return take_plain(router, endpoint, decoder, error);
    case FF_MSG_HOLDING:
        return ff_router_holding(router, endpoint, decoder, error);
    case FF_MSG_STATES:
        return ff_router_states(router, endpoint, decoder, error);
    case FF_MSG_PROGRESS:
        return ff_router_progress(router, endpoint, decoder, error);
    case FF_MSG_PREVIEW:
        return ff_router_preview(router, endpoint, decoder, error);
    case FF_MSG_LOG:
        return ff_router_log(router, endpoint, decoder, error);
    case FF_MSG_OUTCOMES:
        return ff_router_outcomes(router, endpoint, decoder, error);
    default:
        return ff_fail(error, FF_PROTOCOL, "an endpoint does not send %s",
                       ff_message_name(decoder->type));
    }
}

static int take_message(void *user, struct ff_peer *peer, struct ff_decoder *decoder,
                        struct ff_error *error)
{
    struct ff_router *router = user;
    struct ff_endpoint *endpoint = ff_peer_user(peer);
    int result;
    if (decoder->type == FF_MSG_OBJECT_WANT)
        return ff_router_want(router, peer, decoder, error);
    if (decoder->type == FF_MSG_OBJECT_STORE)
        return ff_router_store(router, endpoint, peer, decoder, error);
    pthread_mutex_lock(&router->service->lock);
    result = take_locked(router, endpoint, decoder, error);
    pthread_mutex_unlock(&router->service->lock);
    return result;
}

struct ff_task *ff_router_current(struct ff_router *router, const struct ff_endpoint *endpoint,
                                  const struct ff_id *id, struct ff_attempt attempt)
{
    struct ff_task *task = ff_ledger_find(router->service->ledger, id);
    bool current = task != NULL && task->batch->endpoint == endpoint && !task->queued &&
                   ff_attempt_equal(task->attempt, attempt);
    return current ? task : NULL;
}

/* ---- life ---- */

struct ff_router *ff_router_create(struct ff_service *service, struct ff_error *error)
{
    struct ff_router *router = calloc(1, sizeof *router);
    struct ff_peers_events events = {.user = router,
                                     .allows = allows,
                                     .hello = said_hello,
                                     .message = take_message,
                                     .gone = gone};
    if (router == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory for the router");
        return NULL;
    }
    router->service = service;
    ff_buffer_init(&router->message, FF_MESSAGE_BUFFER);
    ff_buffer_init(&router->arguments, FF_INLINE_LIMIT + 1);
    router->context = zmq_ctx_new();
    router->store = ff_store_sqlite.open(service->ledger_path, FF_STORE_READER, NULL, error);
    if (router->store != NULL)
        router->peers =
            ff_peers_create(service->loop, router->context, service->config.host,
                            &service->router_port, &service->identity.curve, &events, error);
    if (router->peers != NULL) {
        ff_peers_set_times(router->peers, service->config.heartbeat_ms, service->config.lost_ms);
        router->receipt_timer = ff_timer_create(service->loop, receipts_due, router, error);
    }
    if (router->receipt_timer != NULL)
        router->prepare = ff_prepare_create(service->loop, prepare, router, error);
    if (router->prepare == NULL) {
        ff_router_destroy(router);
        return NULL;
    }
    return router;
}

void ff_router_destroy(struct ff_router *router)
{
    if (router == NULL)
        return;
    ff_prepare_destroy(router->prepare);
    ff_timer_destroy(router->receipt_timer);
    ff_router_transfers_destroy(router);
    ff_peers_destroy(router->peers, "the service is stopping");
    if (router->context != NULL)
        zmq_ctx_term(router->context);
    if (router->store != NULL)
        router->store->ops->close(router->store);
    ff_buffer_dispose(&router->message);
    ff_buffer_dispose(&router->arguments);
    free(router);
}

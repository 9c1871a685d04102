/*
 * service/catalog.h: functions and endpoints, all in memory: few in number, looked up by every
 * request.
 *
 * Entries are never freed before the service ends, and what of them can be seen by others (id,
 * key, name, owner) never changes: a pointer to one may be kept, and these members read, without
 * the lock. Everything else is guarded by the lock of the service.
 */
#ifndef FF_SERVICE_CATALOG_H
#define FF_SERVICE_CATALOG_H

#include "protocol/curve.h"
#include "protocol/messages.h"
#include "service/store/store.h"

struct ff_function {
    int64_t key;
    struct ff_id id;
    char *name, *kind, *owner, *description, *metadata;
    struct ff_digest digest;
    uint64_t size;
    bool is_public, deleted;
    int64_t created_ns, deleted_ns;
};

/* Tasks in a row, oldest first. */
struct ff_task;
struct ff_lane;
struct ff_queue {
    struct ff_task *first, *last;
};

struct ff_peer;

/* What the router knows of an endpoint beside its registration (service/router.h). */
struct ff_endpoint_link {
    struct ff_peer *peer; /* NULL: not connected */
    bool announced;       /* HOLDING_END came: tasks may be given */
    bool draining;        /* it wants no new tasks */
    uint32_t generation;  /* of the connection: which tasks were announced in it */
    uint64_t window, window_bytes;
    uint64_t held, held_bytes;               /* attempts without receipt at the endpoint */
    uint64_t managers, slots, idle, devices; /* of its last heartbeat */
    char why[1025];
    /* What is to be sent with the next turn of the loop. */
    struct ff_receipt *receipts;
    size_t receipt_count, receipt_capacity;
    struct ff_control *controls;
    size_t control_count, control_capacity;
};

struct ff_endpoint {
    int64_t key;
    struct ff_id id;
    char *name, *owner;
    char *display_name, *metadata;
    char public_key[FF_CURVE_TEXT_SIZE];
    bool deleted;
    int64_t created_ns, deleted_ns;
    /* The lease: which running agent is this endpoint. */
    struct ff_id holder;
    char holder_host[257];
    int64_t holder_pid;
    int64_t seen_ns;       /* wall clock, for display */
    int64_t heard_ns;      /* monotonic clock: the lease lapses lost_ms after it */
    struct ff_lane *lanes; /* what waits for the window (service/lanes.h) */
    uint64_t live;         /* its tasks without result */
    struct ff_endpoint_link link;
    const char **nodes; /* names seen, each once, kept for ever */
    size_t node_count;
};

struct ff_catalog;

struct ff_catalog *ff_catalog_create(struct ff_error *error) FF_MUST_USE;
void ff_catalog_destroy(struct ff_catalog *catalog);

/* Rows of the store; a row whose key is known already updates what may change: of an endpoint what
 * the row says of its registration, never its lease. */
struct ff_function *ff_catalog_put_function(struct ff_catalog *catalog,
                                            const struct ff_function_row *row,
                                            struct ff_error *error);
struct ff_endpoint *ff_catalog_put_endpoint(struct ff_catalog *catalog,
                                            const struct ff_endpoint_row *row,
                                            struct ff_error *error);

/* A row that says what the entry says, of an endpoint what never changes; spans point into the
 * entry, for as long as it is there. */
struct ff_function_row ff_function_row(const struct ff_function *function);
struct ff_endpoint_row ff_endpoint_row(const struct ff_endpoint *endpoint);

/* By key, deleted ones too. */
struct ff_function *ff_catalog_function(const struct ff_catalog *catalog, int64_t key);
struct ff_endpoint *ff_catalog_endpoint(const struct ff_catalog *catalog, int64_t key);

/* By id or name, as this user sees it: of a name, the user's newest function, else the newest
 * public one. Errors offer the nearest name. */
struct ff_function *ff_catalog_find_function(const struct ff_catalog *catalog, const char *user,
                                             struct ff_span id_or_name, struct ff_error *error);
struct ff_endpoint *ff_catalog_find_endpoint(const struct ff_catalog *catalog, const char *user,
                                             struct ff_span id_or_name, struct ff_error *error);

struct ff_endpoint *ff_catalog_endpoint_of_key(const struct ff_catalog *catalog,
                                               const char *public_key);

size_t ff_catalog_function_count(const struct ff_catalog *catalog);
struct ff_function *ff_catalog_function_at(const struct ff_catalog *catalog, size_t index);
size_t ff_catalog_endpoint_count(const struct ff_catalog *catalog);
struct ff_endpoint *ff_catalog_endpoint_at(const struct ff_catalog *catalog, size_t index);

/* Whether this user may see and use it. */
bool ff_function_visible(const struct ff_function *function, const char *user);
bool ff_endpoint_visible(const struct ff_endpoint *endpoint, const char *user);

/* The one copy of a node's name; "" when the endpoint has named too many. */
const char *ff_endpoint_node(struct ff_endpoint *endpoint, struct ff_span name);

#endif

#include "service/http/request.h"

#include "protocol/core/clock.h"
#include "protocol/core/text.h"
#include "service/endings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { METADATA_LIMIT = 65536, DISPLAY_LIMIT = 256 };

/* What changes of an endpoint; its lease is the router's alone. */
struct change {
    struct ff_commit commit;
    json_t *body; /* what the row's spans point into, beside what of the entry never changes */
    char *metadata;
    struct ff_endpoint_row row;
};

static void destroy_change(void *work)
{
    struct change *change = work;
    json_decref(change->body);
    free(change->metadata);
    free(change);
}

static int write_change(struct ff_commit *commit, struct ff_store *store, struct ff_error *error)
{
    struct change *change = (struct change *)commit;
    return store->ops->put_endpoint(store, &change->row, error);
}

static int apply_change(struct ff_commit *commit, struct ff_service *service,
                        struct ff_error *error)
{
    struct change *change = (struct change *)commit;
    struct ff_endpoint *endpoint = ff_catalog_put_endpoint(service->catalog, &change->row, error);
    if (endpoint == NULL)
        return -1;
    /* Nobody will run what waits for it. */
    if (endpoint->deleted)
        ff_endpoint_cancel_tasks(service, endpoint);
    return 0;
}

static const struct ff_commit_kind change_kind = {sizeof(struct change), write_change, apply_change,
                                                  destroy_change};

/* ---- registering ---- */

/* The user's endpoint of this name, or NULL. Under the lock. */
static struct ff_endpoint *own_endpoint(struct ff_request *request, const char *name)
{
    const struct ff_catalog *catalog = request->service->catalog;
    for (size_t i = ff_catalog_endpoint_count(catalog); i-- > 0;) {
        struct ff_endpoint *endpoint = ff_catalog_endpoint_at(catalog, i);
        if (ff_endpoint_visible(endpoint, request->user) && strcmp(endpoint->name, name) == 0)
            return endpoint;
    }
    return NULL;
}

/* Under the lock: a name that the user has is updated, and a key belongs to one endpoint. */
static int fill_row(struct change *change, const char *name, const char *key,
                    struct ff_error *error)
{
    const struct ff_endpoint *known = own_endpoint(change->commit.request, name);
    const struct ff_endpoint *of_key =
        key[0] != '\0' ? ff_catalog_endpoint_of_key(change->commit.request->service->catalog, key)
                       : NULL;
    if (of_key != NULL && of_key != known)
        return ff_fail(error, FF_CONFLICT, "this public key belongs to another endpoint already");
    if (known != NULL) {
        change->row = ff_endpoint_row(known);
        return 0;
    }
    ff_id_random(&change->row.id);
    change->row.name = ff_span_of(name);
    change->row.owner = ff_span_of(change->commit.request->user);
    change->row.created_ns = ff_wall_ns();
    return 0;
}

static int read_endpoint(struct change *change, struct ff_error *error)
{
    struct ff_service *service = change->commit.request->service;
    const json_t *metadata = json_object_get(change->body, "metadata");
    const char *name;
    const char *display;
    const char *key;
    if (ff_json_get_text(change->body, "endpoint_name", FF_NAME_LIMIT, true, &name, error) < 0 ||
        ff_json_get_text(change->body, "display_name", DISPLAY_LIMIT, false, &display, error) < 0 ||
        ff_json_get_text(change->body, "public_key", FF_CURVE_TEXT_SIZE, false, &key, error) < 0)
        return -1;
    if (!ff_text_is_name(name)) {
        ff_fail(error, FF_INVALID_ARGUMENT, "\"%s\" cannot be the name of an endpoint", name);
        return ff_hint(error, "use 1 to %d letters, digits, '.', '_' and '-'", FF_NAME_LIMIT);
    }
    if (key[0] != '\0' && !ff_curve_is_key(key))
        return ff_fail(error, FF_INVALID_ARGUMENT,
                       "\"public_key\" must be a CURVE key in Z85 (40 characters)");
    change->metadata =
        metadata != NULL ? json_dumps(metadata, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    if (change->metadata != NULL && strlen(change->metadata) > METADATA_LIMIT)
        return ff_fail(error, FF_TOO_LARGE, "\"metadata\" is larger than %d bytes", METADATA_LIMIT);
    pthread_mutex_lock(&service->lock);
    int result = fill_row(change, name, key, error);
    pthread_mutex_unlock(&service->lock);
    if (key[0] != '\0')
        change->row.public_key = ff_span_of(key);
    if (display[0] != '\0')
        change->row.display_name = ff_span_of(display);
    if (change->metadata != NULL)
        change->row.metadata = ff_span_of(change->metadata);
    return result;
}

static int reply_registered(struct ff_request *request)
{
    const struct change *change = request->work;
    struct ff_buffer *out = &request->reply;
    char host[256];
    char router[300];
    ff_request_host(request, host, sizeof host);
    snprintf(router, sizeof router, "tcp://%s:%d", host, request->service->router_port);
    ff_json_begin(out, '{');
    ff_json_member_id(out, "endpoint_id", &change->row.id);
    ff_json_member_span(out, "name", change->row.name);
    ff_json_member_text(out, "router", router);
    ff_json_member_text(out, "router_key", request->service->identity.curve.public_key);
    ff_json_end(out, '}');
    return FF_REPLY;
}

int ff_post_endpoint(struct ff_request *request, struct ff_error *error)
{
    if (request->again)
        return reply_registered(request);
    struct change *change = ff_commit_create(request, &change_kind, error);
    if (change == NULL || (change->body = ff_request_json(request, error)) == NULL ||
        read_endpoint(change, error) < 0)
        return -1;
    return ff_commit_submit(&change->commit, error);
}

/* ---- showing ---- */

/* "status" and "details". Under the lock. */
static void write_status(struct ff_buffer *out, const struct ff_endpoint *endpoint)
{
    const struct ff_endpoint_link *link = &endpoint->link;
    bool online = link->peer != NULL;
    uint64_t outstanding = link->held;
    ff_json_member_text(out, "status", online ? "online" : "offline");
    ff_json_key(out, "details");
    ff_json_begin(out, '{');
    ff_json_member_integer(out, "managers", online ? (int64_t)link->managers : 0);
    ff_json_member_integer(out, "total_workers", online ? (int64_t)link->slots : 0);
    ff_json_member_integer(out, "idle_workers", online ? (int64_t)link->idle : 0);
    ff_json_member_integer(
        out, "pending_tasks",
        (int64_t)(endpoint->live > outstanding ? endpoint->live - outstanding : 0));
    ff_json_member_integer(out, "outstanding_tasks", (int64_t)outstanding);
    ff_json_member_integer(out, "devices", online ? (int64_t)link->devices : 0);
    ff_json_member_text(out, "why", online && link->why[0] != '\0' ? link->why : NULL);
    ff_json_end(out, '}');
}

static void write_entry(struct ff_buffer *out, const struct ff_endpoint *endpoint)
{
    bool online = endpoint->link.peer != NULL;
    ff_json_begin(out, '{');
    ff_json_member_id(out, "endpoint_id", &endpoint->id);
    ff_json_member_text(out, "name", endpoint->name);
    ff_json_member_text(out, "owner", endpoint->owner);
    ff_json_member_text(out, "host",
                        endpoint->holder_host[0] != '\0' ? endpoint->holder_host : NULL);
    ff_json_member_time(out, "last_seen", online ? ff_wall_ns() : endpoint->seen_ns);
    write_status(out, endpoint);
    ff_json_end(out, '}');
}

int ff_get_endpoints(struct ff_request *request, struct ff_error *error)
{
    struct ff_service *service = request->service;
    struct ff_buffer *out = &request->reply;
    (void)error;
    ff_json_begin(out, '{');
    ff_json_key(out, "endpoints");
    ff_json_begin(out, '[');
    pthread_mutex_lock(&service->lock);
    for (size_t i = 0; i < ff_catalog_endpoint_count(service->catalog); i++) {
        const struct ff_endpoint *endpoint = ff_catalog_endpoint_at(service->catalog, i);
        if (ff_endpoint_visible(endpoint, request->user))
            write_entry(out, endpoint);
    }
    pthread_mutex_unlock(&service->lock);
    ff_json_end(out, ']');
    ff_json_end(out, '}');
    return FF_REPLY;
}

/* The endpoint of the path, while the lock is held: NULL with the lock given back. */
static struct ff_endpoint *find_and_lock(struct ff_request *request, struct ff_error *error)
{
    struct ff_service *service = request->service;
    pthread_mutex_lock(&service->lock);
    struct ff_endpoint *endpoint = ff_catalog_find_endpoint(
        service->catalog, request->user, ff_span_of(request->arguments[0]), error);
    if (endpoint == NULL)
        pthread_mutex_unlock(&service->lock);
    return endpoint;
}

int ff_get_endpoint(struct ff_request *request, struct ff_error *error)
{
    const struct ff_endpoint *endpoint = find_and_lock(request, error);
    if (endpoint == NULL)
        return -1;
    write_entry(&request->reply, endpoint);
    pthread_mutex_unlock(&request->service->lock);
    return FF_REPLY;
}

int ff_get_endpoint_status(struct ff_request *request, struct ff_error *error)
{
    const struct ff_endpoint *endpoint = find_and_lock(request, error);
    if (endpoint == NULL)
        return -1;
    ff_json_begin(&request->reply, '{');
    write_status(&request->reply, endpoint);
    ff_json_end(&request->reply, '}');
    pthread_mutex_unlock(&request->service->lock);
    return FF_REPLY;
}

/* ---- deleting ---- */

int ff_delete_endpoint(struct ff_request *request, struct ff_error *error)
{
    struct ff_service *service = request->service;
    struct change *change = request->work;
    if (!request->again) {
        change = ff_commit_create(request, &change_kind, error);
        struct ff_endpoint *endpoint = change != NULL ? find_and_lock(request, error) : NULL;
        if (endpoint == NULL)
            return -1;
        change->row = ff_endpoint_row(endpoint);
        pthread_mutex_unlock(&service->lock);
        change->row.deleted_ns = ff_wall_ns();
        return ff_commit_submit(&change->commit, error);
    }
    ff_loop_wake(service->loop);
    ff_json_begin(&request->reply, '{');
    ff_json_member_id(&request->reply, "endpoint_id", &change->row.id);
    ff_json_member_flag(&request->reply, "deleted", true);
    ff_json_end(&request->reply, '}');
    return FF_REPLY;
}

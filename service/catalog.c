#include "service/catalog.h"

#include "protocol/core/text.h"
#include "service/lanes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NODE_LIMIT = 16384 };

/* Both lists are in the order of their keys. */
struct ff_catalog {
    struct ff_function **functions;
    size_t function_count, function_capacity;
    struct ff_endpoint **endpoints;
    size_t endpoint_count, endpoint_capacity;
};

struct ff_catalog *ff_catalog_create(struct ff_error *error)
{
    struct ff_catalog *catalog = calloc(1, sizeof *catalog);
    if (catalog == NULL)
        ff_fail(error, FF_NO_MEMORY, "no memory for the catalog");
    return catalog;
}

static void destroy_function(struct ff_function *function)
{
    free(function->name);
    free(function->kind);
    free(function->owner);
    free(function->description);
    free(function->metadata);
    free(function);
}

static void destroy_endpoint(struct ff_endpoint *endpoint)
{
    for (size_t i = 0; i < endpoint->node_count; i++)
        free((void *)(uintptr_t)endpoint->nodes[i]);
    free(endpoint->nodes);
    ff_lanes_destroy(endpoint->lanes);
    free(endpoint->link.receipts);
    free(endpoint->link.controls);
    free(endpoint->name);
    free(endpoint->owner);
    free(endpoint->display_name);
    free(endpoint->metadata);
    free(endpoint);
}

void ff_catalog_destroy(struct ff_catalog *catalog)
{
    if (catalog == NULL)
        return;
    for (size_t i = 0; i < catalog->function_count; i++)
        destroy_function(catalog->functions[i]);
    for (size_t i = 0; i < catalog->endpoint_count; i++)
        destroy_endpoint(catalog->endpoints[i]);
    free(catalog->functions);
    free(catalog->endpoints);
    free(catalog);
}

/* Room for one more pointer in a list. */
static bool grow(void **list, size_t count, size_t *capacity)
{
    if (count < *capacity)
        return true;
    size_t wanted = *capacity == 0 ? 16 : 2 * *capacity;
    void *grown = realloc(*list, wanted * sizeof(void *));
    if (grown == NULL)
        return false;
    *list = grown;
    *capacity = wanted;
    return true;
}

/* ---- functions ---- */

static struct ff_function *make_function(const struct ff_function_row *row)
{
    struct ff_function *function = calloc(1, sizeof *function);
    if (function == NULL)
        return NULL;
    function->key = row->key;
    function->id = row->id;
    function->name = ff_span_copy(row->name);
    function->kind = ff_span_copy(row->kind);
    function->owner = ff_span_copy(row->owner);
    function->description = ff_span_copy(row->description);
    function->metadata = ff_span_copy(row->metadata);
    function->digest = row->digest;
    function->size = row->size;
    function->is_public = row->is_public;
    function->created_ns = row->created_ns;
    if (function->name == NULL || function->kind == NULL || function->owner == NULL ||
        function->description == NULL || function->metadata == NULL) {
        destroy_function(function);
        return NULL;
    }
    return function;
}

struct ff_function *ff_catalog_put_function(struct ff_catalog *catalog,
                                            const struct ff_function_row *row,
                                            struct ff_error *error)
{
    struct ff_function *function = ff_catalog_function(catalog, row->key);
    if (function == NULL) {
        void *list = catalog->functions;
        bool room = grow(&list, catalog->function_count, &catalog->function_capacity);
        catalog->functions = list;
        function = room ? make_function(row) : NULL;
        if (function == NULL) {
            ff_fail(error, FF_NO_MEMORY, "no memory for another function");
            return NULL;
        }
        catalog->functions[catalog->function_count++] = function;
    }
    function->deleted = row->deleted_ns != 0;
    function->deleted_ns = row->deleted_ns;
    return function;
}

struct ff_function_row ff_function_row(const struct ff_function *function)
{
    return (struct ff_function_row){
        .key = function->key,
        .id = function->id,
        .name = ff_span_of(function->name),
        .kind = ff_span_of(function->kind),
        .owner = ff_span_of(function->owner),
        .description = ff_span_of(function->description),
        .metadata = ff_span_of(function->metadata),
        .digest = function->digest,
        .size = function->size,
        .is_public = function->is_public,
        .created_ns = function->created_ns,
        .deleted_ns = function->deleted_ns,
    };
}

/* ---- endpoints ---- */

static char *replace(char *old, struct ff_span text)
{
    char *copy = old == NULL || text.size > 0 ? ff_span_copy(text) : NULL;
    if (copy == NULL)
        return old;
    free(old);
    return copy;
}

static struct ff_endpoint *make_endpoint(const struct ff_endpoint_row *row)
{
    struct ff_endpoint *endpoint = calloc(1, sizeof *endpoint);
    if (endpoint == NULL)
        return NULL;
    endpoint->key = row->key;
    endpoint->id = row->id;
    endpoint->name = ff_span_copy(row->name);
    endpoint->owner = ff_span_copy(row->owner);
    endpoint->created_ns = row->created_ns;
    endpoint->holder = row->holder;
    snprintf(endpoint->holder_host, sizeof endpoint->holder_host, "%.*s",
             (int)row->holder_host.size, (const char *)row->holder_host.data);
    endpoint->holder_pid = row->holder_pid;
    endpoint->seen_ns = row->seen_ns;
    if (endpoint->name == NULL || endpoint->owner == NULL) {
        destroy_endpoint(endpoint);
        return NULL;
    }
    return endpoint;
}

struct ff_endpoint *ff_catalog_put_endpoint(struct ff_catalog *catalog,
                                            const struct ff_endpoint_row *row,
                                            struct ff_error *error)
{
    struct ff_endpoint *endpoint = ff_catalog_endpoint(catalog, row->key);
    if (endpoint == NULL) {
        void *list = catalog->endpoints;
        bool room = grow(&list, catalog->endpoint_count, &catalog->endpoint_capacity);
        catalog->endpoints = list;
        endpoint = room ? make_endpoint(row) : NULL;
        if (endpoint == NULL) {
            ff_fail(error, FF_NO_MEMORY, "no memory for another endpoint");
            return NULL;
        }
        catalog->endpoints[catalog->endpoint_count++] = endpoint;
    }
    endpoint->display_name = replace(endpoint->display_name, row->display_name);
    endpoint->metadata = replace(endpoint->metadata, row->metadata);
    if (row->public_key.size > 0)
        snprintf(endpoint->public_key, sizeof endpoint->public_key, "%.*s",
                 (int)row->public_key.size, (const char *)row->public_key.data);
    if (row->deleted_ns > 0)
        endpoint->deleted_ns = row->deleted_ns;
    endpoint->deleted = endpoint->deleted_ns != 0;
    return endpoint;
}

struct ff_endpoint_row ff_endpoint_row(const struct ff_endpoint *endpoint)
{
    return (struct ff_endpoint_row){
        .key = endpoint->key,
        .id = endpoint->id,
        .name = ff_span_of(endpoint->name),
        .owner = ff_span_of(endpoint->owner),
        .created_ns = endpoint->created_ns,
    };
}

/* ---- looking up ---- */

struct ff_function *ff_catalog_function(const struct ff_catalog *catalog, int64_t key)
{
    size_t low = 0;
    size_t high = catalog->function_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (catalog->functions[middle]->key < key)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < catalog->function_count && catalog->functions[low]->key == key;
    return found ? catalog->functions[low] : NULL;
}

struct ff_endpoint *ff_catalog_endpoint(const struct ff_catalog *catalog, int64_t key)
{
    size_t low = 0;
    size_t high = catalog->endpoint_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (catalog->endpoints[middle]->key < key)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < catalog->endpoint_count && catalog->endpoints[low]->key == key;
    return found ? catalog->endpoints[low] : NULL;
}

bool ff_function_visible(const struct ff_function *function, const char *user)
{
    return !function->deleted && (function->is_public || strcmp(function->owner, user) == 0);
}

bool ff_endpoint_visible(const struct ff_endpoint *endpoint, const char *user)
{
    return !endpoint->deleted && strcmp(endpoint->owner, user) == 0;
}

static bool is_called(const char *name, struct ff_span wanted)
{
    return strlen(name) == wanted.size && memcmp(name, wanted.data, wanted.size) == 0;
}

/* Says that a name was not found, and offers the nearest of `names`, which it frees. */
static void offer(const char *what, enum ff_error_code code, struct ff_span wanted,
                  const char **names, size_t count, struct ff_error *error)
{
    char text[FF_ID_TEXT_SIZE + 32];
    snprintf(text, sizeof text, "%.*s", (int)(wanted.size < sizeof text ? wanted.size : 64),
             (const char *)wanted.data);
    const char *nearest = names != NULL ? ff_text_nearest(text, names, count) : NULL;
    ff_fail(error, code, "there is no %s \"%s\"%s%s%s", what, text,
            nearest != NULL ? "; did you mean \"" : "", nearest != NULL ? nearest : "",
            nearest != NULL ? "\"?" : "");
    ff_hint(error, "farfield %s list shows them all", what);
    free(names);
}

struct ff_function *ff_catalog_find_function(const struct ff_catalog *catalog, const char *user,
                                             struct ff_span id_or_name, struct ff_error *error)
{
    struct ff_id id;
    bool is_id = ff_id_parse(id_or_name.data, id_or_name.size, &id) == 0;
    struct ff_function *best = NULL;
    for (size_t i = catalog->function_count; i-- > 0;) {
        struct ff_function *function = catalog->functions[i];
        if (!ff_function_visible(function, user))
            continue;
        if (is_id && ff_id_equal(&function->id, &id))
            return function;
        if (is_id || !is_called(function->name, id_or_name))
            continue;
        if (strcmp(function->owner, user) == 0)
            return function;
        if (best == NULL)
            best = function;
    }
    if (best != NULL)
        return best;
    const char **names = calloc(catalog->function_count + 1, sizeof *names);
    for (size_t i = 0; names != NULL && i < catalog->function_count; i++)
        names[i] =
            ff_function_visible(catalog->functions[i], user) ? catalog->functions[i]->name : NULL;
    offer("function", FF_FUNCTION_NOT_FOUND, id_or_name, names, catalog->function_count, error);
    return NULL;
}

struct ff_endpoint *ff_catalog_find_endpoint(const struct ff_catalog *catalog, const char *user,
                                             struct ff_span id_or_name, struct ff_error *error)
{
    struct ff_id id;
    bool is_id = ff_id_parse(id_or_name.data, id_or_name.size, &id) == 0;
    for (size_t i = catalog->endpoint_count; i-- > 0;) {
        struct ff_endpoint *endpoint = catalog->endpoints[i];
        if (ff_endpoint_visible(endpoint, user) &&
            (is_id ? ff_id_equal(&endpoint->id, &id) : is_called(endpoint->name, id_or_name)))
            return endpoint;
    }
    const char **names = calloc(catalog->endpoint_count + 1, sizeof *names);
    for (size_t i = 0; names != NULL && i < catalog->endpoint_count; i++)
        names[i] =
            ff_endpoint_visible(catalog->endpoints[i], user) ? catalog->endpoints[i]->name : NULL;
    offer("endpoint", FF_ENDPOINT_NOT_FOUND, id_or_name, names, catalog->endpoint_count, error);
    return NULL;
}

struct ff_endpoint *ff_catalog_endpoint_of_key(const struct ff_catalog *catalog,
                                               const char *public_key)
{
    for (size_t i = catalog->endpoint_count; i-- > 0;) {
        struct ff_endpoint *endpoint = catalog->endpoints[i];
        if (!endpoint->deleted && strcmp(endpoint->public_key, public_key) == 0)
            return endpoint;
    }
    return NULL;
}

size_t ff_catalog_function_count(const struct ff_catalog *catalog)
{
    return catalog->function_count;
}

struct ff_function *ff_catalog_function_at(const struct ff_catalog *catalog, size_t index)
{
    return catalog->functions[index];
}

size_t ff_catalog_endpoint_count(const struct ff_catalog *catalog)
{
    return catalog->endpoint_count;
}

struct ff_endpoint *ff_catalog_endpoint_at(const struct ff_catalog *catalog, size_t index)
{
    return catalog->endpoints[index];
}

const char *ff_endpoint_node(struct ff_endpoint *endpoint, struct ff_span name)
{
    for (size_t i = endpoint->node_count; i-- > 0;)
        if (is_called(endpoint->nodes[i], name))
            return endpoint->nodes[i];
    char *copy = endpoint->node_count < NODE_LIMIT ? ff_span_copy(name) : NULL;
    const char **grown =
        copy != NULL
            ? realloc(endpoint->nodes, (endpoint->node_count + 1) * sizeof *endpoint->nodes)
            : NULL;
    if (grown == NULL) {
        free(copy);
        return "";
    }
    endpoint->nodes = grown;
    endpoint->nodes[endpoint->node_count++] = copy;
    return copy;
}

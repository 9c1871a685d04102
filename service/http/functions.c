#include "service/http/request.h"

#include "protocol/core/clock.h"
#include "protocol/core/text.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TEXT_LIMIT = FF_TEXT_LIMIT, METADATA_LIMIT = 65536 };

static const char *const kinds[] = {"native", "shell", "python"};

/* A function on its way into the store. */
struct change {
    struct ff_commit commit;
    json_t *body; /* what the row's spans point into */
    char *metadata;
    struct ff_function_row row;
    struct ff_span code; /* to be kept as an object; empty: it is there */
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
    struct ff_objects *objects = commit->request->service->objects;
    if (change->code.size > 0 &&
        ff_objects_store(objects, change->code, &change->row.digest, error) < 0)
        return -1;
    return store->ops->put_function(store, &change->row, error);
}

static int apply_change(struct ff_commit *commit, struct ff_service *service,
                        struct ff_error *error)
{
    struct change *change = (struct change *)commit;
    return ff_catalog_put_function(service->catalog, &change->row, error) != NULL ? 0 : -1;
}

static const struct ff_commit_kind change_kind = {sizeof(struct change), write_change, apply_change,
                                                  destroy_change};

/* ---- registering ---- */

static int read_kind(const json_t *body, const char **kind, struct ff_error *error)
{
    if (ff_json_get_text(body, "kind", FF_NAME_LIMIT, false, kind, error) < 0)
        return -1;
    if ((*kind)[0] == '\0')
        *kind = "python"; /* what the stock SDK registers */
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(*kind, kinds[i]) == 0)
            return 0;
    return ff_fail(error, FF_INVALID_ARGUMENT, "\"kind\" must be native, shell or python");
}

/* The bytes: an object that is there already, or text that becomes one. */
static int read_code(struct change *change, const char *kind, struct ff_error *error)
{
    const char *digest;
    const char *code;
    struct ff_service *service = change->commit.request->service;
    if (ff_json_get_text(change->body, "digest", FF_DIGEST_TEXT_SIZE, false, &digest, error) < 0 ||
        ff_json_get_text(change->body, "function_code", FF_INLINE_LIMIT, false, &code, error) < 0)
        return -1;
    if (digest[0] != '\0') {
        if (ff_digest_parse(digest, strlen(digest), &change->row.digest) < 0)
            return ff_fail(error, FF_INVALID_ARGUMENT, "\"digest\" is not a SHA-256");
        if (ff_objects_size(service->objects, &change->row.digest, &change->row.size))
            return 0;
        ff_fail(error, FF_OBJECT_NOT_FOUND, "the bytes of the function are not here: %s", digest);
        return ff_hint(error, "send them first: PUT /v3/objects/%s", digest);
    }
    if (strcmp(kind, "native") == 0)
        return ff_fail(error, FF_INVALID_ARGUMENT, "a native function needs \"digest\"");
    if (code[0] == '\0')
        return ff_fail(error, FF_INVALID_ARGUMENT, "the body has no \"function_code\"");
    change->code = ff_span_of(code);
    change->row.size = change->code.size;
    return ff_digest_of(change->code, &change->row.digest, error);
}

static int read_function(struct change *change, struct ff_error *error)
{
    const char *name;
    const char *kind;
    const char *description;
    const json_t *meta = json_object_get(change->body, "meta");
    if (ff_json_get_text(change->body, "function_name", FF_NAME_LIMIT, true, &name, error) < 0 ||
        read_kind(change->body, &kind, error) < 0 ||
        ff_json_get_text(change->body, "description", TEXT_LIMIT, false, &description, error) < 0 ||
        read_code(change, kind, error) < 0)
        return -1;
    if (!ff_text_is_name(name)) {
        ff_fail(error, FF_INVALID_ARGUMENT, "\"%s\" cannot be the name of a function", name);
        return ff_hint(error, "use 1 to %d letters, digits, '.', '_' and '-'", FF_NAME_LIMIT);
    }
    change->metadata = meta != NULL ? json_dumps(meta, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    if (change->metadata != NULL && strlen(change->metadata) > METADATA_LIMIT)
        return ff_fail(error, FF_TOO_LARGE, "\"meta\" is larger than %d bytes", METADATA_LIMIT);
    ff_id_random(&change->row.id);
    change->row.name = ff_span_of(name);
    change->row.kind = ff_span_of(kind);
    change->row.owner = ff_span_of(change->commit.request->user);
    change->row.description = ff_span_of(description);
    change->row.metadata = ff_span_of(change->metadata);
    change->row.is_public = json_is_true(json_object_get(change->body, "public"));
    change->row.created_ns = ff_wall_ns();
    return 0;
}

int ff_post_function(struct ff_request *request, struct ff_error *error)
{
    struct ff_buffer *out = &request->reply;
    struct change *change = request->work;
    if (!request->again) {
        change = ff_commit_create(request, &change_kind, error);
        if (change == NULL || (change->body = ff_request_json(request, error)) == NULL ||
            read_function(change, error) < 0)
            return -1;
        return ff_commit_submit(&change->commit, error);
    }
    ff_json_begin(out, '{');
    ff_json_member_id(out, "function_uuid", &change->row.id);
    ff_json_member_digest(out, "digest", &change->row.digest);
    ff_json_member_span(out, "kind", change->row.kind);
    ff_json_end(out, '}');
    return FF_REPLY;
}

/* ---- showing ---- */

/* The members of an entry, without the brackets. */
static void write_entry(struct ff_buffer *out, const struct ff_function *function)
{
    ff_json_member_id(out, "function_uuid", &function->id);
    ff_json_member_text(out, "function_name", function->name);
    ff_json_member_text(out, "kind", function->kind);
    ff_json_member_digest(out, "digest", &function->digest);
    ff_json_member_integer(out, "size", (int64_t)function->size);
    ff_json_member_text(out, "description", function->description);
    ff_json_member_text(out, "owner", function->owner);
    ff_json_member_flag(out, "public", function->is_public);
    ff_json_member_time(out, "created", function->created_ns);
}

int ff_get_functions(struct ff_request *request, struct ff_error *error)
{
    struct ff_service *service = request->service;
    struct ff_buffer *out = &request->reply;
    (void)error;
    ff_json_begin(out, '{');
    ff_json_key(out, "functions");
    ff_json_begin(out, '[');
    pthread_mutex_lock(&service->lock);
    for (size_t i = 0; i < ff_catalog_function_count(service->catalog); i++) {
        const struct ff_function *function = ff_catalog_function_at(service->catalog, i);
        if (!ff_function_visible(function, request->user))
            continue;
        ff_json_begin(out, '{');
        write_entry(out, function);
        ff_json_end(out, '}');
    }
    pthread_mutex_unlock(&service->lock);
    ff_json_end(out, ']');
    ff_json_end(out, '}');
    return FF_REPLY;
}

static struct ff_function *find(struct ff_request *request, struct ff_error *error)
{
    struct ff_service *service = request->service;
    pthread_mutex_lock(&service->lock);
    struct ff_function *function = ff_catalog_find_function(
        service->catalog, request->user, ff_span_of(request->arguments[0]), error);
    pthread_mutex_unlock(&service->lock);
    return function;
}

/* The text of a shell or python function. */
static int write_code(struct ff_request *request, const struct ff_function *function,
                      struct ff_error *error)
{
    struct ff_buffer text;
    uint64_t size;
    int fd = ff_objects_open(request->service->objects, &function->digest, &size, error);
    if (fd < 0)
        return -1;
    ff_buffer_init(&text, FF_REQUEST_LIMIT);
    char *to = ff_buffer_reserve(&text, size);
    ssize_t got = to != NULL ? read(fd, to, size) : -1;
    close(fd);
    int result = 0;
    if (got < 0 || (uint64_t)got != size)
        result = ff_fail(error, FF_IO, "the text of the function cannot be read");
    else
        ff_json_member_span(&request->reply, "function_code", (struct ff_span){to, size});
    ff_buffer_dispose(&text);
    return result;
}

int ff_get_function(struct ff_request *request, struct ff_error *error)
{
    struct ff_buffer *out = &request->reply;
    const struct ff_function *function = find(request, error);
    if (function == NULL)
        return -1;
    ff_json_begin(out, '{');
    write_entry(out, function);
    if (strcmp(function->kind, "native") != 0 && write_code(request, function, error) < 0)
        return -1;
    ff_json_key(out, "metadata");
    ff_json_raw(out, ff_span_of(function->metadata[0] != '\0' ? function->metadata : "{}"));
    ff_json_end(out, '}');
    return FF_REPLY;
}

int ff_delete_function(struct ff_request *request, struct ff_error *error)
{
    if (request->again) {
        struct change *change = request->work;
        ff_json_begin(&request->reply, '{');
        ff_json_member_id(&request->reply, "function_uuid", &change->row.id);
        ff_json_member_flag(&request->reply, "deleted", true);
        ff_json_end(&request->reply, '}');
        return FF_REPLY;
    }
    const struct ff_function *function = find(request, error);
    if (function == NULL)
        return -1;
    if (strcmp(function->owner, request->user) != 0)
        return ff_fail(error, FF_FORBIDDEN, "the function %s belongs to %s", function->name,
                       function->owner);
    struct change *change = ff_commit_create(request, &change_kind, error);
    if (change == NULL)
        return -1;
    change->row = ff_function_row(function);
    change->row.deleted_ns = ff_wall_ns();
    return ff_commit_submit(&change->commit, error);
}

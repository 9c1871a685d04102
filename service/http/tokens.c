#include "service/http/request.h"

#include "protocol/core/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SCOPES_LIMIT = 256, YEARS_S = 100 * 31536000ll };

struct change {
    struct ff_commit commit;
    char text[FF_TOKEN_TEXT_SIZE];
    char label[FF_LABEL_LIMIT + 1], scopes[SCOPES_LIMIT + 1];
    struct ff_token_row row;
    bool removes;
};

static void destroy_change(void *work)
{
    explicit_bzero(work, sizeof(struct change));
    free(work);
}

static int write_change(struct ff_commit *commit, struct ff_store *store, struct ff_error *error)
{
    struct change *change = (struct change *)commit;
    if (change->removes)
        return store->ops->delete_token(store, change->row.key, error);
    return store->ops->put_token(store, &change->row, error);
}

static int apply_change(struct ff_commit *commit, struct ff_service *service,
                        struct ff_error *error)
{
    struct change *change = (struct change *)commit;
    if (!change->removes)
        return ff_tokens_add(service->tokens, &change->row, error);
    ff_tokens_remove(service->tokens, change->row.key);
    return 0;
}

static const struct ff_commit_kind change_kind = {sizeof(struct change), write_change, apply_change,
                                                  destroy_change};

/* "scopes" as words in one text, or as an array of words. */
static int read_scopes(const json_t *body, char scopes[SCOPES_LIMIT + 1], struct ff_error *error)
{
    const json_t *value = json_object_get(body, "scopes");
    struct ff_buffer words;
    unsigned bits = 0;
    ff_buffer_init(&words, SCOPES_LIMIT);
    if (value == NULL || json_is_null(value))
        ff_buffer_append_text(&words, "all");
    else if (json_is_string(value))
        ff_buffer_append_text(&words, json_string_value(value));
    for (size_t i = 0; i < json_array_size(value); i++) {
        const char *word = json_string_value(json_array_get(value, i));
        ff_buffer_append_text(&words, i > 0 ? " " : "");
        ff_buffer_append_text(&words, word != NULL ? word : "?");
    }
    int result = ff_buffer_check(&words, "the scopes of a token", error);
    if (result == 0)
        result = ff_scopes_parse(ff_buffer_span(&words), &bits, error);
    if (result == 0 && bits == 0)
        result = ff_fail(error, FF_INVALID_ARGUMENT, "a token needs at least one scope");
    if (result == 0)
        snprintf(scopes, SCOPES_LIMIT + 1, "%s", ff_buffer_text(&words));
    ff_buffer_dispose(&words);
    return result;
}

static int read_token(struct change *change, const json_t *body, struct ff_error *error)
{
    const char *label;
    const json_t *expires = json_object_get(body, "expires_s");
    if (ff_json_get_text(body, "label", FF_LABEL_LIMIT, false, &label, error) < 0 ||
        read_scopes(body, change->scopes, error) < 0)
        return -1;
    snprintf(change->label, sizeof change->label, "%s", label);
    change->row.created_ns = ff_wall_ns();
    if (expires != NULL && !json_is_null(expires)) {
        double seconds = json_number_value(expires);
        if (!json_is_number(expires) || !(seconds > 0) || seconds > (double)YEARS_S)
            return ff_fail(error, FF_INVALID_ARGUMENT,
                           "\"expires_s\" must be seconds, more than 0 and at most %lld",
                           (long long)YEARS_S);
        change->row.expires_ns = change->row.created_ns + (int64_t)(seconds * 1e9);
    }
    ff_id_random(&change->row.id);
    change->row.user = ff_span_of(change->commit.request->user);
    change->row.label = ff_span_of(change->label);
    change->row.scopes = ff_span_of(change->scopes);
    return ff_token_make(change->text, &change->row.hash, error);
}

int ff_post_token(struct ff_request *request, struct ff_error *error)
{
    struct ff_buffer *out = &request->reply;
    struct change *change = request->work;
    if (!request->again) {
        json_t *body = ff_request_json(request, error);
        change = body != NULL ? ff_commit_create(request, &change_kind, error) : NULL;
        int result = change != NULL ? read_token(change, body, error) : -1;
        json_decref(body);
        if (result < 0)
            return -1;
        return ff_commit_submit(&change->commit, error);
    }
    ff_json_begin(out, '{');
    ff_json_member_id(out, "token_id", &change->row.id);
    ff_json_member_text(out, "token", change->text);
    ff_json_member_text(out, "label", change->label);
    ff_json_member_text(out, "scopes", change->scopes);
    ff_json_member_time(out, "expires", change->row.expires_ns);
    ff_json_end(out, '}');
    return FF_REPLY;
}

int ff_get_tokens(struct ff_request *request, struct ff_error *error)
{
    struct ff_service *service = request->service;
    struct ff_buffer *out = &request->reply;
    struct ff_buffer scopes;
    (void)error;
    ff_buffer_init(&scopes, SCOPES_LIMIT);
    ff_json_begin(out, '{');
    ff_json_key(out, "tokens");
    ff_json_begin(out, '[');
    pthread_mutex_lock(&service->lock);
    for (size_t i = 0; i < ff_tokens_count(service->tokens); i++) {
        const struct ff_token *token = ff_tokens_at(service->tokens, i);
        if (strcmp(token->user, request->user) != 0)
            continue;
        ff_buffer_clear(&scopes);
        ff_scopes_text(token->scopes, &scopes);
        ff_json_begin(out, '{');
        ff_json_member_id(out, "token_id", &token->id);
        ff_json_member_text(out, "label", token->label);
        ff_json_member_text(out, "scopes", ff_buffer_text(&scopes));
        ff_json_member_time(out, "created", token->created_ns);
        ff_json_member_time(out, "expires", token->expires_ns);
        ff_json_end(out, '}');
    }
    pthread_mutex_unlock(&service->lock);
    ff_json_end(out, ']');
    ff_json_end(out, '}');
    ff_buffer_dispose(&scopes);
    return FF_REPLY;
}

int ff_delete_token(struct ff_request *request, struct ff_error *error)
{
    struct ff_service *service = request->service;
    const char *text = request->arguments[0];
    struct ff_id id;
    if (request->again) {
        ff_json_begin(&request->reply, '{');
        ff_json_member_text(&request->reply, "token_id", text);
        ff_json_member_flag(&request->reply, "deleted", true);
        ff_json_end(&request->reply, '}');
        return FF_REPLY;
    }
    struct change *change = ff_commit_create(request, &change_kind, error);
    if (change == NULL)
        return -1;
    change->removes = true;
    pthread_mutex_lock(&service->lock);
    const struct ff_token *token =
        ff_id_parse(text, strlen(text), &id) == 0 ? ff_tokens_find(service->tokens, &id) : NULL;
    bool ours = token != NULL && strcmp(token->user, request->user) == 0;
    change->row.key = ours ? token->key : 0;
    pthread_mutex_unlock(&service->lock);
    if (!ours) {
        ff_fail(error, FF_NOT_FOUND, "you have no token of this id");
        return ff_hint(error, "farfield token list shows the ids");
    }
    return ff_commit_submit(&change->commit, error);
}

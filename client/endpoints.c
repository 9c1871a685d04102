/* Endpoints, the service itself, and tokens. */
#include "client/session.h"

int ff_endpoint_register(struct ff_session *session, const char *name, const char *public_key,
                         json_t **registration, struct ff_error *error)
{
    json_t *body = json_pack("{s:s, s:s}", "endpoint_name", name, "public_key", public_key);
    if (body == NULL)
        return ff_fail(error, FF_INVALID_ARGUMENT, "the name or key of the endpoint is not UTF-8");
    int result = ff_session_request(session, "POST", "/v3/endpoints", body, 0, registration, error);
    json_decref(body);
    return result;
}

int ff_endpoint_list(struct ff_session *session, json_t **endpoints, struct ff_error *error)
{
    return ff_session_request(session, "GET", "/v2/endpoints", NULL, 0, endpoints, error);
}

int ff_endpoint_show(struct ff_session *session, const char *endpoint, json_t **entry,
                     struct ff_error *error)
{
    char path[FF_PATH_SIZE];
    if (ff_session_path(path, "/v2/endpoints/", "endpoint", endpoint, "", error) < 0)
        return -1;
    return ff_session_request(session, "GET", path, NULL, 0, entry, error);
}

int ff_endpoint_delete(struct ff_session *session, const char *endpoint, struct ff_error *error)
{
    char path[FF_PATH_SIZE];
    if (ff_session_path(path, "/v2/endpoints/", "endpoint", endpoint, "", error) < 0)
        return -1;
    return ff_session_do(session, "DELETE", path, error);
}

int ff_service_status(struct ff_session *session, json_t **status, struct ff_error *error)
{
    return ff_session_request(session, "GET", "/v3/status", NULL, 0, status, error);
}

int ff_token_create(struct ff_session *session, const char *label, int64_t expires_s,
                    const json_t *scopes, json_t **token, struct ff_error *error)
{
    json_t *body = json_pack("{s:s}", "label", label);
    if (body == NULL)
        return ff_fail(error, FF_INVALID_ARGUMENT, "the label is not UTF-8 text");
    if (expires_s > 0)
        json_object_set_new(body, "expires_s", json_integer(expires_s));
    if (scopes != NULL)
        json_object_set_new(body, "scopes", json_deep_copy(scopes));
    int result = ff_session_request(session, "POST", "/v3/tokens", body, 0, token, error);
    json_decref(body);
    return result;
}

int ff_token_list(struct ff_session *session, json_t **tokens, struct ff_error *error)
{
    return ff_session_request(session, "GET", "/v3/tokens", NULL, 0, tokens, error);
}

int ff_token_revoke(struct ff_session *session, const char *token_id, struct ff_error *error)
{
    char path[FF_PATH_SIZE];
    if (ff_session_path(path, "/v3/tokens/", "token", token_id, "", error) < 0)
        return -1;
    return ff_session_do(session, "DELETE", path, error);
}

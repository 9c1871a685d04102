/* Functions, as the service keeps them. */
#include "client/session.h"

#include "protocol/core/text.h"

#include <string.h>

static int check_new_name(const char *what, const char *name, struct ff_error *error)
{
    if (ff_text_is_name(name))
        return 0;
    ff_fail(error, FF_INVALID_ARGUMENT, "'%s' cannot be the name of %s", name, what);
    return ff_hint(error, "names have 1…64 of A-Z a-z 0-9 . _ - and do not begin with . or -");
}

static int post(struct ff_session *session, json_t *body, const char *description,
                json_t **function, struct ff_error *error)
{
    if (body == NULL)
        return ff_fail(error, FF_NO_MEMORY, "no memory for a request");
    if (description != NULL)
        json_object_set_new(body, "description", json_string(description));
    int result = ff_session_request(session, "POST", "/v3/functions", body, 0, function, error);
    json_decref(body);
    return result;
}

int ff_function_register_native(struct ff_session *session, const char *name, const char *path,
                                const char *description, json_t **function, struct ff_error *error)
{
    char digest[FF_OBJECT_NAME_SIZE];
    if (check_new_name("a function", name, error) < 0 ||
        ff_object_upload(session, path, digest, error) < 0)
        return -1;
    json_t *body = json_pack("{s:s, s:s, s:s, s:s}", "function_name", name, "kind", "native",
                             "digest", digest, "function_code", "");
    return post(session, body, description, function, error);
}

int ff_function_register_shell(struct ff_session *session, const char *name, const char *command,
                               const char *description, json_t **function, struct ff_error *error)
{
    if (check_new_name("a function", name, error) < 0)
        return -1;
    json_t *text = json_string(command);
    if (text == NULL)
        return ff_fail(error, FF_INVALID_ARGUMENT, "the command is not UTF-8 text");
    json_t *body =
        json_pack("{s:s, s:s, s:o}", "function_name", name, "kind", "shell", "function_code", text);
    return post(session, body, description, function, error);
}

int ff_function_list(struct ff_session *session, json_t **functions, struct ff_error *error)
{
    return ff_session_request(session, "GET", "/v2/functions", NULL, 0, functions, error);
}

int ff_function_show(struct ff_session *session, const char *function, json_t **entry,
                     struct ff_error *error)
{
    char path[FF_PATH_SIZE];
    if (ff_session_path(path, "/v2/functions/", "function", function, "", error) < 0)
        return -1;
    return ff_session_request(session, "GET", path, NULL, 0, entry, error);
}

int ff_function_delete(struct ff_session *session, const char *function, struct ff_error *error)
{
    char path[FF_PATH_SIZE];
    if (ff_session_path(path, "/v2/functions/", "function", function, "", error) < 0)
        return -1;
    return ff_session_do(session, "DELETE", path, error);
}

#include "service/http/request.h"

#include "protocol/core/text.h"

#include <stdio.h>
#include <string.h>

const char *ff_request_query(struct ff_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
}

int ff_request_number(struct ff_request *request, const char *name, int64_t low, int64_t high,
                      int64_t otherwise, int64_t *value, struct ff_error *error)
{
    const char *text = ff_request_query(request, name);
    if (text == NULL) {
        *value = otherwise;
        return 0;
    }
    if (ff_text_integer(text, low, high, value) < 0)
        return ff_fail(error, FF_INVALID_ARGUMENT,
                       "%s is \"%.40s\"; it must be a whole number from %lld to %lld", name, text,
                       (long long)low, (long long)high);
    return 0;
}

json_t *ff_request_json(struct ff_request *request, struct ff_error *error)
{
    json_error_t why;
    json_t *object = json_loadb(request->body.size > 0 ? (const char *)request->body.data : "",
                                request->body.size, JSON_REJECT_DUPLICATES, &why);
    if (object == NULL)
        ff_fail(error, FF_INVALID_JSON, "the body is not valid JSON, line %d column %d: %s",
                why.line, why.column, why.text);
    else if (!json_is_object(object))
        ff_fail(error, FF_INVALID_JSON, "the body must be a JSON object");
    if (object != NULL && !json_is_object(object)) {
        json_decref(object);
        object = NULL;
    }
    return object;
}

int ff_json_get_text(const json_t *object, const char *name, size_t limit, bool required,
                     const char **text, struct ff_error *error)
{
    const json_t *value = json_object_get(object, name);
    if (value == NULL || json_is_null(value)) {
        if (required)
            return ff_fail(error, FF_INVALID_ARGUMENT, "the body has no \"%s\"", name);
        *text = "";
        return 0;
    }
    if (!json_is_string(value))
        return ff_fail(error, FF_INVALID_ARGUMENT, "\"%s\" must be text", name);
    if (json_string_length(value) > limit)
        return ff_fail(error, FF_TOO_LARGE, "\"%s\" has %zu bytes; the limit is %zu", name,
                       json_string_length(value), limit);
    *text = json_string_value(value);
    return 0;
}

void ff_request_host(struct ff_request *request, char *host, size_t size)
{
    const char *configured = request->service->config.host;
    const char *asked =
        MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_HOST);
    bool any = strcmp(configured, "*") == 0 || strcmp(configured, "0.0.0.0") == 0 ||
               strcmp(configured, "::") == 0;
    if (!any || asked == NULL || asked[0] == '\0') {
        snprintf(host, size, "%s", any ? "127.0.0.1" : configured);
        return;
    }
    /* The port goes: "host:443", "[::1]:443". */
    const char *colon = strrchr(asked, ':');
    const char *bracket = strrchr(asked, ']');
    size_t length = colon != NULL && (bracket == NULL || colon > bracket) ? (size_t)(colon - asked)
                                                                          : strlen(asked);
    snprintf(host, size, "%.*s", (int)(length < 255 ? length : 255), asked);
}

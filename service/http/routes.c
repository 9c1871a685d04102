#include "service/http/request.h"

#include "protocol/core/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { READ = FF_SCOPE_READ, SUBMIT = FF_SCOPE_SUBMIT, MANAGE = FF_SCOPE_MANAGE };

static const struct ff_route routes[] = {
    {"GET", "/v2/version", 0, FF_NO_BODY, ff_get_version},
    {"POST", "/v3/functions", MANAGE, FF_JSON_BODY, ff_post_function},
    {"GET", "/v2/functions", READ, FF_NO_BODY, ff_get_functions},
    {"GET", "/v2/functions/{}", READ, FF_NO_BODY, ff_get_function},
    {"DELETE", "/v2/functions/{}", MANAGE, FF_NO_BODY, ff_delete_function},
    {"PUT", "/v3/objects/{}", SUBMIT, FF_OBJECT_BODY, ff_put_object},
    {"GET", "/v3/objects/{}", READ, FF_NO_BODY, ff_get_object},
    {"POST", "/v3/endpoints", MANAGE, FF_JSON_BODY, ff_post_endpoint},
    {"GET", "/v2/endpoints", READ, FF_NO_BODY, ff_get_endpoints},
    {"GET", "/v2/endpoints/{}", READ, FF_NO_BODY, ff_get_endpoint},
    {"DELETE", "/v2/endpoints/{}", MANAGE, FF_NO_BODY, ff_delete_endpoint},
    {"GET", "/v2/endpoints/{}/status", READ, FF_NO_BODY, ff_get_endpoint_status},
    {"POST", "/v3/endpoints/{}/submit", SUBMIT, FF_JSON_BODY, ff_post_submit},
    {"GET", "/v2/tasks", READ, FF_NO_BODY, ff_get_tasks},
    {"GET", "/v2/tasks/{}", READ, FF_NO_BODY, ff_get_task},
    {"POST", "/v2/batch_status", READ, FF_JSON_BODY, ff_post_batch_status},
    {"GET", "/v2/taskgroup/{}", READ, FF_NO_BODY, ff_get_group},
    {"GET", "/v3/taskgroups/{}/results", READ, FF_NO_BODY, ff_get_group_results},
    {"GET", "/v3/tasks/{}/events", READ, FF_NO_BODY, ff_get_events},
    {"GET", "/v3/tasks/{}/log", READ, FF_NO_BODY, ff_get_log},
    {"GET", "/v3/tasks/{}/previews/{}", READ, FF_NO_BODY, ff_get_preview},
    {"POST", "/v3/tasks/{}/cancel", SUBMIT, FF_JSON_BODY, ff_post_cancel},
    {"POST", "/v3/tasks/{}/stop", SUBMIT, FF_JSON_BODY, ff_post_stop},
    {"GET", "/v3/tokens", FF_SCOPE_TOKENS, FF_NO_BODY, ff_get_tokens},
    {"POST", "/v3/tokens", FF_SCOPE_TOKENS, FF_JSON_BODY, ff_post_token},
    {"DELETE", "/v3/tokens/{}", FF_SCOPE_TOKENS, FF_NO_BODY, ff_delete_token},
    {"GET", "/v3/status", READ, FF_NO_BODY, ff_get_status},
};
enum { ROUTE_COUNT = sizeof routes / sizeof routes[0] };

/* Compares a path with a pattern; what stands at the "{}" is cut out of `path` as terminated
 * arguments. */
static bool matches(const char *pattern, char *path, const char *arguments[FF_PATH_PARTS])
{
    int count = 0;
    while (*pattern != '\0') {
        if (strncmp(pattern, "{}", 2) != 0) {
            if (*pattern++ != *path++)
                return false;
            continue;
        }
        pattern += 2;
        size_t length = strcspn(path, "/");
        /* The last argument may hold slashes: names of previews do. */
        if (*pattern == '\0')
            length = strlen(path);
        if (length == 0 || count == FF_PATH_PARTS)
            return false;
        arguments[count++] = path;
        path += length;
        if (*pattern == '\0')
            return true;
        if (*path != '/')
            return false;
        *path++ = '\0';
        pattern++;
    }
    return *path == '\0';
}

/* One argument cannot hold a slash unless the route has two: "/v2/tasks/a/b" is no task. */
static bool is_route(const struct ff_route *route, struct ff_request *request, const char *url)
{
    char *path = strdup(url);
    if (path == NULL)
        return false;
    const char *arguments[FF_PATH_PARTS] = {NULL};
    bool fits = matches(route->pattern, path, arguments) &&
                (arguments[1] != NULL || arguments[0] == NULL || strchr(arguments[0], '/') == NULL);
    if (!fits) {
        free(path);
        return false;
    }
    free(request->path);
    request->path = path;
    memcpy(request->arguments, arguments, sizeof arguments);
    return true;
}

static int refuse_route(const char *url, struct ff_error *error)
{
    const char *patterns[ROUTE_COUNT];
    for (size_t i = 0; i < ROUTE_COUNT; i++)
        patterns[i] = routes[i].pattern;
    char text[80];
    snprintf(text, sizeof text, "%s", url);
    const char *nearest = ff_text_nearest(text, patterns, ROUTE_COUNT);
    ff_fail(error, FF_NOT_FOUND, "there is no route %s", text);
    if (nearest != NULL)
        ff_hint(error, "did you mean %s?", nearest);
    else
        ff_hint(error, "service/http/API.md lists all routes");
    return -1;
}

int ff_route_find(struct ff_request *request, const char *method, const char *url,
                  struct ff_error *error)
{
    char allowed[64] = "";
    const char *wanted = strcmp(method, "HEAD") == 0 ? "GET" : method;
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        const struct ff_route *route = &routes[i];
        if (!is_route(route, request, url))
            continue;
        if (strcmp(route->method, wanted) == 0) {
            request->route = route;
            return 0;
        }
        size_t used = strlen(allowed);
        snprintf(allowed + used, sizeof allowed - used, "%s%s", used > 0 ? " or " : "",
                 route->method);
    }
    if (allowed[0] == '\0')
        return refuse_route(url, error);
    ff_fail(error, FF_METHOD_NOT_ALLOWED, "%s does not take %.16s", url, method);
    return ff_hint(error, "use %s", allowed);
}

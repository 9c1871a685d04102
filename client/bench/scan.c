#include "client/bench/scan.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* The text is terminated, so every look-ahead of one character is safe. */

static const char *skip_space(const char *at)
{
    while (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r')
        at++;
    return at;
}

/* Behind the closing quote of the string that begins at `at`; NULL where it has none. */
static const char *skip_string(const char *at)
{
    for (at++; *at != '"'; at++) {
        if (*at == '\0' || (*at == '\\' && *++at == '\0'))
            return NULL;
    }
    return at + 1;
}

/* Behind any value. */
static const char *skip_value(const char *at)
{
    int depth = 0;
    do {
        at = skip_space(at);
        if (*at == '"') {
            if ((at = skip_string(at)) == NULL)
                return NULL;
        } else if (*at == '{' || *at == '[') {
            depth++;
            at++;
        } else if (*at == '}' || *at == ']') {
            depth--;
            at++;
        } else if (*at == ',' || *at == ':') {
            at++;
        } else if (*at == '\0') {
            return NULL;
        } else {
            at += strcspn(at, ",:]} \t\r\n");
        }
        if (depth < 0)
            return NULL;
    } while (depth > 0);
    return at;
}

/* Steps to the value of the next member of an object: *name and *length are its key's. NULL at the end or where there is
 * none; *at is then behind the bracket, or NULL. */
static const char *next_member(const char **at, const char **name, size_t *length)
{
    const char *cursor = skip_space(*at);
    if (*cursor == ',' || *cursor == '{')
        cursor = skip_space(cursor + 1);
    if (*cursor == '}') {
        *at = cursor + 1;
        return NULL;
    }
    const char *behind = *cursor == '"' ? skip_string(cursor) : NULL;
    if (behind == NULL || *skip_space(behind) != ':') {
        *at = NULL;
        return NULL;
    }
    *name = cursor + 1;
    *length = (size_t)(behind - cursor) - 2;
    return skip_space(skip_space(behind) + 1);
}

static bool is(const char *name, size_t length, const char *wanted)
{
    return strlen(wanted) == length && memcmp(name, wanted, length) == 0;
}

/* One task; gives where it ends, or NULL. */
static const char *scan_task(const char *at, struct ff_scan_page *page, bool *success)
{
    const char *name;
    const char *value;
    size_t length;
    *success = false;
    while ((value = next_member(&at, &name, &length)) != NULL) {
        if (is(name, length, "seq"))
            page->after = strtoll(value, NULL, 10);
        else if (is(name, length, "result"))
            page->sum += strtoll(value, NULL, 10);
        else if (is(name, length, "state"))
            *success = strncmp(value, "\"success\"", 9) == 0;
        if ((at = skip_value(value)) == NULL)
            return NULL;
    }
    return at;
}

static int scan_list(const char *at, struct ff_scan_page *page, struct ff_error *error)
{
    at = *at == '[' ? skip_space(at + 1) : NULL;
    while (at != NULL && *at == '{') {
        const char *begin = at;
        bool success;
        at = scan_task(at, page, &success);
        if (at == NULL)
            break;
        if (!success)
            return ff_fail(error, FF_TASK_FAILED, "a task of the bench has not succeeded: %.*s",
                           (int)(at - begin < 400 ? at - begin : 400), begin);
        page->count++;
        at = skip_space(at);
        if (*at == ',')
            at = skip_space(at + 1);
    }
    if (at == NULL || *at != ']')
        return ff_fail(error, FF_PROTOCOL, "the service answered with no list of results");
    return 0;
}

int ff_scan_results(const char *text, size_t size, struct ff_scan_page *page,
                    struct ff_error *error)
{
    const char *at = skip_space(text);
    const char *name;
    const char *value = NULL;
    size_t length;
    struct ff_scan_page found = {.after = page->after};
    if (strlen(text) == size && *at == '{')
        while ((value = next_member(&at, &name, &length)) != NULL && !is(name, length, "results"))
            if ((at = skip_value(value)) == NULL)
                break;
    if (value == NULL || at == NULL)
        return ff_fail(error, FF_PROTOCOL, "the service answered without results");
    if (scan_list(value, &found, error) < 0)
        return -1;
    *page = found;
    return 0;
}

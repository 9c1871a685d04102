#include "client/command/events.h"

#include "client/command/output.h"
#include "protocol/core/text.h"

#include <stdio.h>
#include <string.h>

enum { BAR_WIDTH = 20, BAR_SIZE = 3 * BAR_WIDTH + 8 };

static bool is(const json_t *event, const char *type)
{
    const char *found = json_string_value(json_object_get(event, "type"));
    return found != NULL && strcmp(found, type) == 0;
}

/* Every pair of `from` that `to` does not have yet. */
static void add_missing(json_t *to, const json_t *from)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)from, key, value)
    {
        if (json_object_get(to, key) == NULL)
            json_object_set(to, key, value);
    }
}

static json_t *progress_line(const json_t *event)
{
    const json_t *numbers = json_object_get(event, "numbers");
    bool epoch = json_object_get(numbers, "epoch") != NULL;
    json_t *line = json_pack("{s:s}", "type", epoch ? "epoch" : "progress");
    add_missing(line, numbers);
    json_t *fraction = json_object_get(event, "fraction");
    if (!epoch && fraction != NULL)
        json_object_set(line, "fraction", fraction);
    return line;
}

static json_t *result_line(const json_t *event, const char *task_id)
{
    json_t *line = json_pack("{s:s, s:s}", "type", "result", "task_id", task_id);
    add_missing(line, event);
    json_object_del(line, "seq");
    add_missing(line, json_object_get(event, "result"));
    return line;
}

json_t *ff_event_line(const json_t *event, const char *task_id)
{
    if (is(event, "progress"))
        return progress_line(event);
    if (is(event, "result"))
        return result_line(event, task_id);
    json_t *line = json_copy((json_t *)event);
    json_object_del(line, "seq");
    return line;
}

static size_t add_text(char *text, size_t size, size_t used, const char *piece)
{
    if (used >= size)
        return used;
    return used + (size_t)snprintf(text + used, size - used, "%s%s", used > 0 ? "  " : "", piece);
}

static bool is_special(const char *key)
{
    static const char *const keys[] = {"fraction", "seconds", "numbers", "type", "seq", "time"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (strcmp(keys[i], key) == 0)
            return true;
    return false;
}

/* The whole that a part belongs to: "epochs" of "epoch", where both are whole numbers; else NULL. */
static const json_t *whole_of(const json_t *numbers, const char *key, const json_t *part)
{
    char plural[64];
    snprintf(plural, sizeof plural, "%.60ss", key);
    const json_t *whole = json_object_get(numbers, plural);
    return json_is_integer(part) && json_is_integer(whole) ? whole : NULL;
}

static bool is_whole(const json_t *numbers, const char *key)
{
    char singular[64];
    size_t length = strlen(key);
    if (length < 2 || length >= sizeof singular || key[length - 1] != 's')
        return false;
    snprintf(singular, sizeof singular, "%.*s", (int)length - 1, key);
    return whole_of(numbers, singular, json_object_get(numbers, singular)) != NULL;
}

static size_t add_numbers(const json_t *numbers, char *text, size_t size, size_t used)
{
    const char *key;
    json_t *value;
    char piece[96];
    json_object_foreach((json_t *)numbers, key, value)
    {
        if (is_special(key) || is_whole(numbers, key) ||
            !(json_is_number(value) || json_is_string(value)))
            continue;
        const char *name = strcmp(key, "r") == 0 ? "R" : key;
        const json_t *whole = whole_of(numbers, key, value);
        if (json_is_string(value))
            snprintf(piece, sizeof piece, "%.24s %.60s", name, json_string_value(value));
        else if (whole != NULL)
            snprintf(piece, sizeof piece, "%.24s %lld/%lld", name,
                     (long long)json_integer_value(value), (long long)json_integer_value(whole));
        else if (json_is_integer(value))
            snprintf(piece, sizeof piece, "%.24s %lld", name, (long long)json_integer_value(value));
        else
            snprintf(piece, sizeof piece, "%.24s %#.4g", name, json_real_value(value));
        used = add_text(text, size, used, piece);
    }
    return used;
}

void ff_event_progress_text(const json_t *progress, bool drawn, char *text, size_t size)
{
    const json_t *inner = json_object_get(progress, "numbers");
    const json_t *numbers = json_is_object(inner) ? inner : progress;
    const json_t *fraction = json_object_get(progress, "fraction");
    const json_t *seconds = json_object_get(numbers, "seconds");
    char piece[BAR_SIZE + 32];
    size_t used = 0;
    text[0] = '\0';
    if (json_is_number(fraction) && json_number_value(fraction) >= 0) {
        char bar[BAR_SIZE] = "";
        if (drawn)
            ff_progress_bar(json_number_value(fraction), BAR_WIDTH, bar, sizeof bar);
        snprintf(piece, sizeof piece, "%s%*.0f %%", bar, drawn ? 4 : 1,
                 100 * json_number_value(fraction));
        used = add_text(text, size, used, piece);
    }
    used = add_numbers(numbers, text, size, used);
    if (json_is_number(seconds)) {
        ff_text_duration(json_number_value(seconds), piece, sizeof piece);
        add_text(text, size, used, piece);
    }
}

void ff_event_state_text(const json_t *state, char *text, size_t size)
{
    const char *name = json_string_value(json_object_get(state, "state"));
    const char *why = json_string_value(json_object_get(state, "why"));
    const char *node = json_string_value(json_object_get(state, "node"));
    json_int_t attempt = json_integer_value(json_object_get(state, "attempt"));
    size_t used = (size_t)snprintf(text, size, "%s", name != NULL ? name : "unknown");
    if (node != NULL && node[0] != '\0' && used < size)
        used += (size_t)snprintf(text + used, size - used, " on %s", node);
    if (attempt > 1 && used < size)
        used += (size_t)snprintf(text + used, size - used, ", attempt %lld", (long long)attempt);
    if (why != NULL && why[0] != '\0' && used < size)
        snprintf(text + used, size - used, ": %s", why);
}

#include "protocol/core/yaml.h"

#include "protocol/core/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum { FILE_LIMIT = 1 << 20, DEPTH_LIMIT = 2, KEY_SIZE = 256 };

/* Where the reading stands: a mapping at each level, and the key that waits for its value. */
struct reading {
    const char *path;
    ff_yaml_pair *pair;
    void *user;
    int depth;    /* open mappings */
    bool in_list; /* inside a sequence of scalars */
    bool key_waits[DEPTH_LIMIT + 1];
    char keys[DEPTH_LIMIT + 1][KEY_SIZE];
};

static int refuse(const struct reading *reading, const yaml_event_t *event, const char *what,
                  struct ff_error *error)
{
    return ff_fail(error, FF_INVALID_ARGUMENT, "%s, line %zu: %s", reading->path,
                   event->start_mark.line + 1, what);
}

static int hand_over(struct reading *reading, const yaml_event_t *event, struct ff_error *error)
{
    char key[2 * KEY_SIZE + 2];
    if (reading->depth == 1)
        snprintf(key, sizeof key, "%s", reading->keys[1]);
    else
        snprintf(key, sizeof key, "%s.%s", reading->keys[1], reading->keys[2]);
    return reading->pair(reading->user, key, (const char *)event->data.scalar.value,
                         (int)event->start_mark.line + 1, error);
}

static int take_scalar(struct reading *reading, const yaml_event_t *event, struct ff_error *error)
{
    int depth = reading->depth;
    const char *value = (const char *)event->data.scalar.value;
    if (strlen(value) != event->data.scalar.length)
        return refuse(reading, event, "a value holds a NUL character", error);
    if (depth == 0) {
        /* An empty file, or one of comments only, has no settings; any other bare value is a
         * mistake. */
        return value[0] == '\0' ? 0 : refuse(reading, event, "expected `key: value`", error);
    }
    if (reading->in_list)
        return hand_over(reading, event, error);
    if (!reading->key_waits[depth]) {
        if (strlen(value) >= KEY_SIZE)
            return refuse(reading, event, "a key is too long", error);
        snprintf(reading->keys[depth], KEY_SIZE, "%s", value);
        reading->key_waits[depth] = true;
        return 0;
    }
    reading->key_waits[depth] = false;
    return hand_over(reading, event, error);
}

static int take_event(struct reading *reading, const yaml_event_t *event, struct ff_error *error)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return take_scalar(reading, event, error);
    case YAML_MAPPING_START_EVENT:
        if (reading->in_list || reading->depth == DEPTH_LIMIT)
            return refuse(reading, event, "settings are nested too deep", error);
        if (reading->depth > 0 && !reading->key_waits[reading->depth])
            return refuse(reading, event, "a key must be plain text", error);
        reading->depth++;
        reading->key_waits[reading->depth] = false;
        return 0;
    case YAML_MAPPING_END_EVENT:
        reading->depth--;
        reading->key_waits[reading->depth] = false;
        return 0;
    case YAML_SEQUENCE_START_EVENT:
        if (reading->depth == 0 || reading->in_list || !reading->key_waits[reading->depth])
            return refuse(reading, event, "a list may only stand as the value of a key", error);
        reading->in_list = true;
        return 0;
    case YAML_SEQUENCE_END_EVENT:
        reading->in_list = false;
        reading->key_waits[reading->depth] = false;
        return 0;
    case YAML_ALIAS_EVENT:
        return refuse(reading, event, "aliases are not used here", error);
    default:
        return 0;
    }
}

static int read_events(yaml_parser_t *parser, struct reading *reading, struct ff_error *error)
{
    bool ended = false;
    int result = 0;
    while (!ended && result == 0) {
        yaml_event_t event;
        if (!yaml_parser_parse(parser, &event))
            return ff_fail(error, FF_INVALID_ARGUMENT, "%s, line %zu: %s", reading->path,
                           parser->problem_mark.line + 1,
                           parser->problem != NULL ? parser->problem : "not YAML");
        result = take_event(reading, &event, error);
        ended = event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
    }
    return result;
}

int ff_yaml_read(const char *path, ff_yaml_pair *pair, void *user, struct ff_error *error)
{
    char *text = NULL;
    size_t size = 0;
    if (ff_file_read(path, FILE_LIMIT, &text, &size, error) < 0)
        return -1;
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser)) {
        free(text);
        return ff_fail(error, FF_NO_MEMORY, "no memory to read %s", path);
    }
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
    struct reading reading = {.path = path, .pair = pair, .user = user};
    int result = read_events(&parser, &reading, error);
    yaml_parser_delete(&parser);
    free(text);
    return result;
}

void ff_yaml_quote(struct ff_buffer *buffer, const char *value)
{
    ff_buffer_append_text(buffer, "\"");
    for (const char *at = value; *at != '\0'; at++) {
        if (*at == '"' || *at == '\\')
            ff_buffer_printf(buffer, "\\%c", *at);
        else if (*at == '\n')
            ff_buffer_append_text(buffer, "\\n");
        else if ((unsigned char)*at < ' ')
            ff_buffer_printf(buffer, "\\x%02x", (unsigned char)*at);
        else
            ff_buffer_append(buffer, at, 1);
    }
    ff_buffer_append_text(buffer, "\"");
}

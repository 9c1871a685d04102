#include "functions/shell/template.h"

#include "protocol/core/text.h"

#include <ctype.h>
#include <string.h>

enum { NAME_LIMIT = 64, ARGUMENT_LIMIT = 256 };

struct expansion {
    const json_t *arguments;
    struct ff_buffer *command;
    const char *used[ARGUMENT_LIMIT]; /* the object's own keys that a placeholder took */
    size_t used_count;
};

static void append_quoted(struct ff_buffer *command, const char *text)
{
    ff_buffer_append_text(command, "'");
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == '\'')
            ff_buffer_append_text(command, "'\\''");
        else
            ff_buffer_append(command, at, 1);
    }
    ff_buffer_append_text(command, "'");
}

static void append_value(struct ff_buffer *command, const json_t *value)
{
    if (json_is_string(value)) {
        append_quoted(command, json_string_value(value));
        return;
    }
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS);
    if (text == NULL) {
        command->failed = true;
        return;
    }
    append_quoted(command, text);
    free(text);
}

static int refuse_missing(const json_t *arguments, const char *name, struct ff_error *error)
{
    const char *keys[ARGUMENT_LIMIT];
    size_t count = 0;
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)arguments, key, value)
    {
        if (count < ARGUMENT_LIMIT)
            keys[count++] = key;
    }
    const char *nearest = ff_text_nearest(name, keys, count);
    ff_fail(error, FF_INVALID_ARGUMENT, "the command needs an argument \"%s\"", name);
    return nearest != NULL ? ff_hint(error, "you gave \"%s\": is that it?", nearest)
                           : ff_hint(error, "give it with --args '{\"%s\": …}'", name);
}

static int append_argument(struct expansion *expansion, const char *name, struct ff_error *error)
{
    void *place = json_object_iter_at((json_t *)expansion->arguments, name);
    if (place == NULL)
        return refuse_missing(expansion->arguments, name, error);
    const json_t *value = json_object_iter_value(place);
    if (expansion->used_count < ARGUMENT_LIMIT)
        expansion->used[expansion->used_count++] = json_object_iter_key(place);
    if (!json_is_array(value)) {
        append_value(expansion->command, value);
        return 0;
    }
    size_t index;
    json_t *element;
    json_array_foreach(value, index, element)
    {
        if (index > 0)
            ff_buffer_append_text(expansion->command, " ");
        append_value(expansion->command, element);
    }
    return 0;
}

/* The length of "{name}" at `text`, with the name copied; 0 when it is no placeholder. */
static size_t placeholder(const char *text, char name[NAME_LIMIT + 1])
{
    size_t length = 0;
    while (isalnum((unsigned char)text[1 + length]) || text[1 + length] == '_')
        length++;
    if (length == 0 || length > NAME_LIMIT || isdigit((unsigned char)text[1]) ||
        text[1 + length] != '}')
        return 0;
    memcpy(name, text + 1, length);
    name[length] = '\0';
    return length + 2;
}

static bool was_used(const struct expansion *expansion, const char *key)
{
    for (size_t i = 0; i < expansion->used_count; i++)
        if (expansion->used[i] == key)
            return true;
    return false;
}

static int refuse_unused(const struct expansion *expansion, struct ff_error *error)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)expansion->arguments, key, value)
    {
        if (was_used(expansion, key))
            continue;
        ff_fail(error, FF_INVALID_ARGUMENT, "the command has no place for the argument \"%s\"",
                key);
        return ff_hint(error, "its placeholders are written {name}; see `farfield function show`");
    }
    return 0;
}

int ff_shell_expand(const char *body, const json_t *arguments, struct ff_buffer *command,
                    struct ff_error *error)
{
    if (arguments != NULL && !json_is_object(arguments) && !json_is_null(arguments)) {
        ff_fail(error, FF_INVALID_ARGUMENT,
                "the arguments of a shell function must be a JSON object");
        return ff_hint(error, "for example --args '{\"input\": \"scan.h5\"}'");
    }
    struct expansion expansion = {.arguments = arguments, .command = command};
    const char *at = body;
    while (*at != '\0') {
        char name[NAME_LIMIT + 1];
        size_t length = *at == '{' && (at == body || at[-1] != '$') ? placeholder(at, name) : 0;
        if (length > 0) {
            if (append_argument(&expansion, name, error) < 0)
                return -1;
            at += length;
        } else {
            bool doubled = (at[0] == '{' && at[1] == '{') || (at[0] == '}' && at[1] == '}');
            ff_buffer_append(command, at, 1);
            at += doubled ? 2 : 1;
        }
    }
    if (refuse_unused(&expansion, error) < 0)
        return -1;
    return ff_buffer_check(command, "the command", error);
}

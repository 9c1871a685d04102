#include "functions/shell/template.h"

#include "protocol/core/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_LIMIT = 64, ARGUMENT_LIMIT = 256, LEVEL_LIMIT = 32 };

enum place { BARE, DOUBLE, SINGLE, COMMENT };

/* Where in the shell's syntax the template stands, as far as it says so itself. Level 0 is the command; `$(…)`, `(…)`
 * and backticks open another one. */
struct reader {
    enum place place[LEVEL_LIMIT];
    bool backtick[LEVEL_LIMIT]; /* whether that opened the level */
    size_t level;
    bool escaped;
    char before;
};

struct expansion {
    const json_t *arguments;
    struct ff_buffer *command;
    struct ff_buffer *body; /* the template with references to the values */
    struct reader reader;
    size_t values;
    const char *used[ARGUMENT_LIMIT]; /* the object's own keys that a placeholder took */
    size_t used_count;
};

static void open_level(struct reader *reader, bool backtick)
{
    if (reader->level + 1 == LEVEL_LIMIT)
        return;
    reader->level++;
    reader->place[reader->level] = BARE;
    reader->backtick[reader->level] = backtick;
}

static void close_level(struct reader *reader, bool backtick)
{
    if (reader->level > 0 && reader->backtick[reader->level] == backtick)
        reader->level--;
}

static void read_bare(struct reader *reader, char next)
{
    enum place *place = &reader->place[reader->level];
    if (next == '\'' || next == '"')
        *place = next == '"' ? DOUBLE : SINGLE;
    else if (next == '#' && strchr(" \t\n;&|()", reader->before) != NULL)
        *place = COMMENT;
    else if (next == '(')
        open_level(reader, false);
    else if (next == ')')
        close_level(reader, false);
}

/* Goes on by one byte of the template. */
static void read_on(struct reader *reader, char next)
{
    enum place *place = &reader->place[reader->level];
    bool escaped = reader->escaped;
    reader->escaped = !escaped && next == '\\' && (*place == BARE || *place == DOUBLE);
    if (*place == SINGLE) {
        *place = next == '\'' ? BARE : SINGLE;
    } else if (*place == COMMENT) {
        *place = next == '\n' ? BARE : COMMENT;
    } else if (!escaped && next == '`') {
        if (reader->backtick[reader->level])
            close_level(reader, true);
        else
            open_level(reader, true);
    } else if (!escaped && *place == BARE) {
        read_bare(reader, next);
    } else if (!escaped && next == '"') {
        *place = BARE;
    } else if (!escaped && next == '(' && reader->before == '$') {
        open_level(reader, false);
    }
    reader->before = next;
}

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

static void append_value(struct expansion *expansion, const json_t *value)
{
    static const char *const before[] = {
        [BARE] = "\"", [DOUBLE] = "", [SINGLE] = "'\"", [COMMENT] = ""};
    static const char *const after[] = {
        [BARE] = "\"", [DOUBLE] = "", [SINGLE] = "\"'", [COMMENT] = ""};
    enum place place = expansion->reader.place[expansion->reader.level];
    char *text = json_is_string(value)
                     ? NULL
                     : json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS);
    if (text == NULL && !json_is_string(value)) {
        expansion->command->failed = true;
        return;
    }
    size_t number = ++expansion->values;
    ff_buffer_printf(expansion->command, "ff_%zu=", number);
    append_quoted(expansion->command, text != NULL ? text : json_string_value(value));
    ff_buffer_append_text(expansion->command, "; ");
    ff_buffer_printf(expansion->body, "%s${ff_%zu}%s", before[place], number, after[place]);
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
        append_value(expansion, value);
        return 0;
    }
    size_t index;
    json_t *element;
    json_array_foreach(value, index, element)
    {
        if (index > 0)
            ff_buffer_append_text(expansion->body, " ");
        append_value(expansion, element);
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

static int expand(struct expansion *expansion, const char *at, struct ff_error *error)
{
    char before = '\0';
    while (*at != '\0') {
        char name[NAME_LIMIT + 1];
        size_t length = *at == '{' && before != '$' ? placeholder(at, name) : 0;
        before = *at;
        if (length > 0) {
            if (append_argument(expansion, name, error) < 0)
                return -1;
            expansion->reader.before = '}';
            at += length;
        } else {
            bool doubled = (at[0] == '{' && at[1] == '{') || (at[0] == '}' && at[1] == '}');
            read_on(&expansion->reader, *at);
            ff_buffer_append(expansion->body, at, 1);
            at += doubled ? 2 : 1;
        }
    }
    return refuse_unused(expansion, error);
}

int ff_shell_expand(const char *body, const json_t *arguments, struct ff_buffer *command,
                    struct ff_error *error)
{
    if (arguments != NULL && !json_is_object(arguments) && !json_is_null(arguments)) {
        ff_fail(error, FF_INVALID_ARGUMENT,
                "the arguments of a shell function must be a JSON object");
        return ff_hint(error, "for example --args '{\"input\": \"scan.h5\"}'");
    }
    struct ff_buffer text;
    ff_buffer_init(&text, command->limit);
    struct expansion expansion = {
        .arguments = arguments, .command = command, .body = &text, .reader.before = '\n'};
    int result = expand(&expansion, body, error);
    if (result == 0)
        result = ff_buffer_check(&text, "the command", error);
    if (result == 0) {
        ff_buffer_append(command, text.data, text.size);
        result = ff_buffer_check(command, "the command", error);
    }
    ff_buffer_dispose(&text);
    return result;
}

#include "client/command/arguments.h"

#include "protocol/core/bytes.h"
#include "protocol/core/file.h"
#include "protocol/limits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum path_rule { NEVER, WHERE_IT_IS, ALWAYS };

static const struct {
    const char *key;
    enum path_rule rule;
} path_keys[] = {
    {"input", ALWAYS},          {"output", ALWAYS},    {"initial_probe", ALWAYS},
    {"initial_object", ALWAYS}, {"mask", WHERE_IT_IS}, {"resume", WHERE_IT_IS},
    {"config", WHERE_IT_IS},
};

static int read_input(struct ff_buffer *buffer, struct ff_error *error)
{
    char piece[16384];
    ssize_t got;
    while ((got = read(STDIN_FILENO, piece, sizeof piece)) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return ff_fail_errno(error, FF_IO, errno, "cannot read standard input");
        ff_buffer_append(buffer, piece, (size_t)got);
    }
    return ff_buffer_check(buffer, "standard input", error);
}

static int parse(const char *text, size_t size, const char *from, json_t **arguments,
                 struct ff_error *error)
{
    json_error_t why;
    json_t *value = json_loadb(text, size, JSON_DECODE_ANY | JSON_ALLOW_NUL, &why);
    if (value == NULL) {
        ff_fail(error, FF_INVALID_JSON, "%s: not JSON, line %d, column %d: %s", from, why.line,
                why.column, why.text);
        return ff_hint(error, "write it as JSON, quoted for the shell: --args "
                              "'{\"input\": \"scan.cxi\", \"epochs\": 40}'; or --args @FILE");
    }
    *arguments = value;
    return 0;
}

static int read_from_input(json_t **arguments, struct ff_error *error)
{
    struct ff_buffer buffer;
    ff_buffer_init(&buffer, FF_REQUEST_LIMIT);
    int result = read_input(&buffer, error);
    if (result == 0)
        result = parse(ff_buffer_text(&buffer), buffer.size, "standard input", arguments, error);
    ff_buffer_dispose(&buffer);
    return result;
}

int ff_arguments_read(const char *given, json_t **arguments, struct ff_error *error)
{
    if (given == NULL)
        return parse("{}", 2, "--args", arguments, error);
    if (given[0] != '@')
        return parse(given, strlen(given), "--args", arguments, error);
    if (strcmp(given, "@-") == 0)
        return read_from_input(arguments, error);
    char *text = NULL;
    size_t size = 0;
    if (ff_file_read(given + 1, FF_REQUEST_LIMIT, &text, &size, error) < 0)
        return ff_fail_prefix(error, "--args: ");
    int result = parse(text, size, given + 1, arguments, error);
    free(text);
    return result;
}

static enum path_rule rule_of(const char *key, const char *value)
{
    if (strncmp(value, "./", 2) == 0 || strncmp(value, "../", 3) == 0)
        return ALWAYS;
    for (size_t i = 0; i < sizeof path_keys / sizeof path_keys[0]; i++)
        if (strcmp(path_keys[i].key, key) == 0)
            return path_keys[i].rule;
    return NEVER;
}

int ff_arguments_resolve(json_t *arguments, const char *folder, struct ff_error *error)
{
    const char *key;
    json_t *value;
    json_object_foreach(arguments, key, value)
    {
        const char *text = json_string_value(value);
        if (text == NULL || text[0] == '\0' || text[0] == '/' || strstr(text, "://") != NULL)
            continue;
        enum path_rule rule = rule_of(key, text);
        if (rule == NEVER)
            continue;
        while (strncmp(text, "./", 2) == 0 && text[2] != '\0')
            text += 2;
        char *whole = ff_path_join(strcmp(folder, "/") == 0 ? "" : folder, text);
        if (whole == NULL)
            return ff_fail(error, FF_NO_MEMORY, "no memory for a path");
        if (rule == ALWAYS || access(whole, F_OK) == 0)
            json_string_set(value, whole);
        free(whole);
    }
    return 0;
}

const char *ff_arguments_missed_path(const json_t *arguments, const char *folder)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)arguments, key, value)
    {
        const char *text = json_string_value(value);
        if (text == NULL || text[0] == '\0' || text[0] == '/' || rule_of(key, text) != NEVER)
            continue;
        char *whole = ff_path_join(folder, text);
        bool there = whole != NULL && access(whole, F_OK) == 0;
        free(whole);
        if (there)
            return text;
    }
    return NULL;
}

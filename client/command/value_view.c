#include "client/command/value_view.h"

#include "client/command/output.h"
#include "protocol/core/json_text.h"
#include "protocol/core/text.h"

#include <stdlib.h>
#include <string.h>

enum { NAME_WIDTH_MAX = 32 };

/* The value as one line of JSON, which the caller frees; NULL without memory. */
static char *line_of(const json_t *value)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    if (stream == NULL)
        return NULL;
    int result = ff_json_print(value, false, stream);
    if (fclose(stream) == 0 && result == 0)
        return text;
    free(text);
    return NULL;
}

static bool is_container(const json_t *value)
{
    return json_is_object(value) || json_is_array(value);
}

/* How wide the names are padded: as the longest, within reason. */
static int name_width(const json_t *object, int depth)
{
    const char *key;
    json_t *value;
    int widest = 0;
    json_object_foreach((json_t *)object, key, value)
    {
        int width = 2 * depth + (int)ff_output_width(key);
        if (json_is_object(value) && depth == 0) {
            int inner = name_width(value, depth + 1);
            width = inner > width ? inner : width;
        }
        widest = width > widest ? width : widest;
    }
    return widest < NAME_WIDTH_MAX ? widest : NAME_WIDTH_MAX;
}

/* A name in its column; control characters in it are harmless on a terminal. */
static void put_name(FILE *stream, const char *name, int depth, int width)
{
    int used = 2 * depth + (int)ff_output_width(name);
    fprintf(stream, "%*s", 2 * depth, "");
    ff_text_print(stream, name, strlen(name));
    fprintf(stream, "%*s", used < width ? width - used + 2 : 2, "");
}

/* The numbers of a list, on one line. */
static void put_numbers(FILE *stream, const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        fprintf(stream, "%s%.*g", i > 0 ? ", " : "",
                json_is_integer(json_array_get(list, i)) ? 17 : 6,
                json_number_value(json_array_get(list, i)));
    fputc('\n', stream);
}

static int put_scalar(FILE *stream, const json_t *value)
{
    if (json_is_string(value)) {
        ff_text_print(stream, json_string_value(value), json_string_length(value));
    } else if (json_is_real(value)) {
        fprintf(stream, "%.6g", json_real_value(value));
    } else {
        char *text = line_of(value);
        if (text == NULL)
            return -1;
        ff_text_print(stream, text, strlen(text));
        free(text);
    }
    fputc('\n', stream);
    return 0;
}

static bool holds_numbers(const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (!json_is_number(json_array_get(list, i)))
            return false;
    return json_array_size(list) > 0;
}

static bool holds_containers(const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (is_container(json_array_get(list, i)))
            return true;
    return false;
}

static int put_member(FILE *stream, const char *key, const json_t *value, int depth, int width)
{
    if (holds_numbers(value)) {
        put_name(stream, key, depth, width);
        put_numbers(stream, value);
        return 0;
    }
    if (!json_is_array(value) || json_array_size(value) == 0 || holds_containers(value)) {
        put_name(stream, key, depth, width);
        return put_scalar(stream, value);
    }
    int result = 0;
    for (size_t i = 0; result == 0 && i < json_array_size(value); i++) {
        put_name(stream, i == 0 ? key : "", depth, width);
        result = put_scalar(stream, json_array_get(value, i));
    }
    return result;
}

static int put_members(FILE *stream, const json_t *object, int depth, int width)
{
    const char *key;
    json_t *value;
    int result = 0;
    json_object_foreach((json_t *)object, key, value)
    {
        if (result == 0 && depth == 0 && json_is_object(value) && json_object_size(value) > 0) {
            ff_text_print(stream, key, strlen(key));
            fputc('\n', stream);
            result = put_members(stream, value, depth + 1, width);
        } else if (result == 0) {
            result = put_member(stream, key, value, depth, width);
        }
    }
    return result;
}

int ff_value_show(FILE *stream, const json_t *value, int columns, struct ff_error *error)
{
    char *line = line_of(value);
    int result = line != NULL ? 0 : -1;
    if (line != NULL && ff_output_width(line) <= (size_t)columns) {
        ff_text_print(stream, line, strlen(line));
        fputc('\n', stream);
    } else if (line != NULL && json_is_object(value)) {
        result = put_members(stream, value, 0, name_width(value, 0));
    } else if (line != NULL) {
        result = ff_json_print(value, true, stream);
        fputc('\n', stream);
    }
    free(line);
    return result == 0 ? 0 : ff_fail(error, FF_NO_MEMORY, "no memory for the output");
}

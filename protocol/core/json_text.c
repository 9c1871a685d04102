#include "protocol/core/json_text.h"

#include <stdlib.h>
#include <string.h>

struct printer {
    FILE *stream;
    bool indented;
    int depth;
};

static int print_value(struct printer *printer, const json_t *value);

/* Strings, integers and constants, which jansson writes as they should be. */
static int print_plain(struct printer *printer, const json_t *value)
{
    char *text = json_dumps(value, JSON_ENCODE_ANY);
    if (text == NULL)
        return -1;
    fputs(text, printer->stream);
    free(text);
    return 0;
}

/* The fewest digits that are read back as the same number; with a point or exponent, so that it stays a real. */
static void print_real(struct printer *printer, double value)
{
    char text[40];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    if (strpbrk(text, ".e") == NULL)
        strncat(text, ".0", sizeof text - strlen(text) - 1);
    fputs(text, printer->stream);
}

static void new_line(struct printer *printer)
{
    if (!printer->indented)
        return;
    fprintf(printer->stream, "\n%*s", 2 * printer->depth, "");
}

static int print_array(struct printer *printer, const json_t *array)
{
    fputc('[', printer->stream);
    printer->depth++;
    size_t count = json_array_size(array);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            fputc(',', printer->stream);
        new_line(printer);
        if (print_value(printer, json_array_get(array, i)) < 0)
            return -1;
    }
    printer->depth--;
    if (count > 0)
        new_line(printer);
    fputc(']', printer->stream);
    return 0;
}

static int print_member(struct printer *printer, const char *key, const json_t *value)
{
    json_t *name = json_string(key);
    int result = print_plain(printer, name);
    json_decref(name);
    if (result < 0)
        return -1;
    fputs(printer->indented ? ": " : ":", printer->stream);
    return print_value(printer, value);
}

static int print_object(struct printer *printer, const json_t *object)
{
    const char *key;
    json_t *value;
    bool first = true;
    fputc('{', printer->stream);
    printer->depth++;
    json_object_foreach((json_t *)object, key, value)
    {
        if (!first)
            fputc(',', printer->stream);
        first = false;
        new_line(printer);
        if (print_member(printer, key, value) < 0)
            return -1;
    }
    printer->depth--;
    if (!first)
        new_line(printer);
    fputc('}', printer->stream);
    return 0;
}

/* Values come from jansson's reader, which bounds their depth. */
static int print_value(struct printer *printer, const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return print_object(printer, value);
    case JSON_ARRAY:
        return print_array(printer, value);
    case JSON_REAL:
        print_real(printer, json_real_value(value));
        return 0;
    default:
        return print_plain(printer, value);
    }
}

json_t *ff_json_text(const char *text)
{
    if (text == NULL)
        return json_null();
    json_t *value = json_string(text);
    return value != NULL ? value : json_string("(not UTF-8)");
}

int ff_json_print(const json_t *value, bool indented, FILE *stream)
{
    struct printer printer = {.stream = stream, .indented = indented};
    return value != NULL ? print_value(&printer, value) : -1;
}

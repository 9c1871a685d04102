#include "functions/option_table.h"

#include "protocol/core/text.h"
#include "protocol/core/yaml.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPTIONS_MAX = 64, VALUE_TEXT_SIZE = 64, JSON_BYTES_MAX = 1 << 20 };

static const struct ff_option *option_of(const struct ff_option_table *table, const char *key)
{
    for (size_t i = 0; i < table->count; i++)
        if (strcmp(table->options[i].key, key) == 0)
            return &table->options[i];
    return NULL;
}

static void *field_of(const struct ff_option *option, void *values)
{
    return (char *)values + option->offset;
}

static const void *const_field_of(const struct ff_option *option, const void *values)
{
    return (const char *)values + option->offset;
}

/* A bound as a person writes it: 1000000 rather than 1e+06, but 1e+12 where nobody counts the noughts; a whole
 * number has every digit. */
static void bound_text(double bound, bool whole, char *text, size_t size)
{
    if (bound == floor(bound) && fabs(bound) < (whole ? 1e16 : 1e12))
        snprintf(text, size, "%.0f", bound);
    else
        snprintf(text, size, "%g", bound);
}

/* Numbers whose default something else decides. */
static bool takes_auto(const struct ff_option *option)
{
    return option->type == FF_OPTION_NUMBER && strcmp(option->initial, "auto") == 0;
}

/* What may stand there, in words: "1 … 1000000", "auto | cpu". */
static void range_text(const struct ff_option *option, char *text, size_t size)
{
    char low[32];
    char high[32];
    switch (option->type) {
    case FF_OPTION_TEXT:
        snprintf(text, size, "text");
        break;
    case FF_OPTION_PATH:
        snprintf(text, size, "FILE");
        break;
    case FF_OPTION_INTEGER:
    case FF_OPTION_NUMBER:
        bound_text(option->low, option->type == FF_OPTION_INTEGER, low, sizeof low);
        bound_text(option->high, option->type == FF_OPTION_INTEGER, high, sizeof high);
        snprintf(text, size, "%s%s … %s", takes_auto(option) ? "auto | " : "", low, high);
        break;
    case FF_OPTION_CHOICE:
        text[0] = '\0';
        for (size_t i = 0; option->choices[i] != NULL; i++) {
            size_t used = strlen(text);
            snprintf(text + used, size - used, "%s%s", i > 0 ? " | " : "", option->choices[i]);
        }
        break;
    }
}

static int unknown(const struct ff_option_table *table, const char *key, struct ff_error *error)
{
    const char *names[OPTIONS_MAX];
    size_t count = table->count < OPTIONS_MAX ? table->count : OPTIONS_MAX;
    for (size_t i = 0; i < count; i++)
        names[i] = table->options[i].key;
    const char *nearest = ff_text_nearest(key, names, count);
    ff_fail(error, FF_UNKNOWN_SETTING, "%s has no setting '%s'", table->owner, key);
    if (nearest != NULL)
        return ff_hint(error, "did you mean '%s'?", nearest);
    return ff_hint(error, "`farfield %s --help` lists the settings", table->owner);
}

static int refuse(const struct ff_option *option, const char *value, struct ff_error *error)
{
    char range[256];
    range_text(option, range, sizeof range);
    const char *kind = option->type == FF_OPTION_INTEGER  ? "a whole number, "
                       : option->type == FF_OPTION_NUMBER ? "a number, "
                                                          : "";
    return ff_fail(error, FF_INVALID_SETTING,
                   "the setting '%s' cannot be '%.64s'; it takes %s%s%s%s", option->key, value,
                   kind, range, option->unit != NULL ? " " : "",
                   option->unit != NULL ? option->unit : "");
}

static int set_choice(const struct ff_option *option, int *field, const char *value,
                      struct ff_error *error)
{
    size_t count = 0;
    while (option->choices[count] != NULL)
        count++;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(option->choices[i], value) == 0) {
            *field = (int)i;
            return 0;
        }
    }
    refuse(option, value, error);
    const char *nearest = ff_text_nearest(value, option->choices, count);
    return nearest != NULL ? ff_hint(error, "did you mean '%s'?", nearest) : -1;
}

static int set_text(const struct ff_option *option, char **field, const char *value,
                    struct ff_error *error)
{
    char *copy = strdup(value);
    if (copy == NULL)
        return ff_fail(error, FF_NO_MEMORY, "no memory for the setting '%s'", option->key);
    free(*field);
    *field = copy;
    return 0;
}

static int set_value(const struct ff_option *option, void *values, const char *value,
                     struct ff_error *error)
{
    void *field = field_of(option, values);
    int64_t integer;
    double number;
    switch (option->type) {
    case FF_OPTION_TEXT:
    case FF_OPTION_PATH:
        return set_text(option, field, value, error);
    case FF_OPTION_CHOICE:
        return set_choice(option, field, value, error);
    case FF_OPTION_INTEGER:
        if (ff_text_integer(value, (int64_t)option->low, (int64_t)option->high, &integer) < 0)
            return refuse(option, value, error);
        *(int64_t *)field = integer;
        return 0;
    case FF_OPTION_NUMBER:
        if (takes_auto(option) && strcmp(value, "auto") == 0) {
            *(double *)field = NAN;
            return 0;
        }
        if (ff_text_number(value, &number) < 0 || number < option->low || number > option->high)
            return refuse(option, value, error);
        *(double *)field = number;
        return 0;
    }
    return ff_fail(error, FF_INTERNAL, "the setting '%s' has no type", option->key);
}

int ff_options_init(const struct ff_option_table *table, void *values, struct ff_error *error)
{
    for (size_t i = 0; i < table->count; i++)
        if (set_value(&table->options[i], values, table->options[i].initial, error) < 0)
            return -1;
    return 0;
}

void ff_options_dispose(const struct ff_option_table *table, void *values)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct ff_option *option = &table->options[i];
        if (option->type != FF_OPTION_TEXT && option->type != FF_OPTION_PATH)
            continue;
        char **field = field_of(option, values);
        free(*field);
        *field = NULL;
    }
}

int ff_options_set(const struct ff_option_table *table, void *values, const char *key,
                   const char *value, struct ff_error *error)
{
    const struct ff_option *option = option_of(table, key);
    return option != NULL ? set_value(option, values, value, error) : unknown(table, key, error);
}

bool ff_options_is_set(const struct ff_option_table *table, const void *values, const char *key)
{
    const struct ff_option *option = option_of(table, key);
    const void *field = const_field_of(option, values);
    double number;
    switch (option->type) {
    case FF_OPTION_TEXT:
    case FF_OPTION_PATH:
        return strcmp(*(char *const *)field, option->initial) != 0;
    case FF_OPTION_INTEGER:
        return *(const int64_t *)field != strtoll(option->initial, NULL, 10);
    case FF_OPTION_NUMBER:
        number = *(const double *)field;
        if (takes_auto(option))
            return !isnan(number);
        return number < strtod(option->initial, NULL) || number > strtod(option->initial, NULL);
    case FF_OPTION_CHOICE:
        return strcmp(option->choices[*(const int *)field], option->initial) != 0;
    }
    return false;
}

int ff_options_assign(const struct ff_option_table *table, void *values, const char *assignment,
                      struct ff_error *error)
{
    const char *equals = strchr(assignment, '=');
    char key[VALUE_TEXT_SIZE];
    size_t length = equals != NULL ? (size_t)(equals - assignment) : 0;
    if (length == 0 || length >= sizeof key) {
        ff_fail(error, FF_INVALID_SETTING, "'%.80s' is not a setting", assignment);
        return ff_hint(error, "write KEY=VALUE, for example epochs=40");
    }
    memcpy(key, assignment, length);
    key[length] = '\0';
    return ff_options_set(table, values, key, equals + 1, error);
}

/* A JSON scalar as the text that --set would carry. */
static int scalar_text(const char *key, const json_t *value, char *small, const char **text,
                       struct ff_error *error)
{
    *text = small;
    switch (json_typeof(value)) {
    case JSON_STRING:
        *text = json_string_value(value);
        return 0;
    case JSON_INTEGER:
        snprintf(small, VALUE_TEXT_SIZE, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        return 0;
    case JSON_REAL:
        snprintf(small, VALUE_TEXT_SIZE, "%.17g", json_real_value(value));
        return 0;
    case JSON_TRUE:
    case JSON_FALSE:
        snprintf(small, VALUE_TEXT_SIZE, "%s", json_is_true(value) ? "on" : "off");
        return 0;
    default:
        ff_fail(error, FF_INVALID_SETTING, "the setting '%.64s' is an object, a list or null", key);
        return ff_hint(error, "give a number or a text");
    }
}

int ff_options_read_json(const struct ff_option_table *table, void *values, const char *text,
                         size_t size, struct ff_error *error)
{
    if (size > JSON_BYTES_MAX)
        return ff_fail(error, FF_TOO_LARGE, "the arguments have %zu bytes; at most %d are read",
                       size, JSON_BYTES_MAX);
    json_error_t failure;
    json_t *root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &failure);
    if (root == NULL)
        return ff_fail(error, FF_INVALID_JSON, "the arguments are not JSON: line %d, column %d: %s",
                       failure.line, failure.column, failure.text);
    int result = 0;
    if (!json_is_object(root)) {
        result = ff_fail(error, FF_INVALID_ARGUMENT, "the arguments are not a JSON object");
        ff_hint(error, "give an object of settings, for example {\"input\": \"scan.cxi\"}");
    }
    const char *key;
    json_t *value;
    json_object_foreach(root, key, value)
    {
        char small[VALUE_TEXT_SIZE];
        const char *as_text = "";
        if (result == 0)
            result = option_of(table, key) == NULL
                         ? unknown(table, key, error)
                         : scalar_text(key, value, small, &as_text, error);
        if (result == 0)
            result = ff_options_set(table, values, key, as_text, error);
    }
    json_decref(root);
    return result;
}

struct yaml_reading {
    const struct ff_option_table *table;
    void *values;
    const char *path;
};

static int yaml_pair(void *user, const char *key, const char *value, int line,
                     struct ff_error *error)
{
    const struct yaml_reading *reading = user;
    if (ff_options_set(reading->table, reading->values, key, value, error) == 0)
        return 0;
    return ff_fail_prefix(error, "%s, line %d: ", reading->path, line);
}

int ff_options_read_yaml(const struct ff_option_table *table, void *values, const char *path,
                         struct ff_error *error)
{
    struct yaml_reading reading = {table, values, path};
    return ff_yaml_read(path, yaml_pair, &reading, error);
}

static json_t *value_json(const struct ff_option *option, const void *values)
{
    const void *field = const_field_of(option, values);
    switch (option->type) {
    case FF_OPTION_TEXT:
    case FF_OPTION_PATH:
        return json_string_nocheck(*(char *const *)field);
    case FF_OPTION_INTEGER:
        return json_integer(*(const int64_t *)field);
    case FF_OPTION_NUMBER:
        if (isnan(*(const double *)field))
            return json_string("auto");
        return json_real(*(const double *)field);
    case FF_OPTION_CHOICE:
        return json_string(option->choices[*(const int *)field]);
    }
    return NULL;
}

json_t *ff_options_to_json(const struct ff_option_table *table, const void *values)
{
    json_t *object = json_object();
    for (size_t i = 0; object != NULL && i < table->count; i++) {
        const struct ff_option *option = &table->options[i];
        if (json_object_set_new(object, option->key, value_json(option, values)) < 0) {
            json_decref(object);
            object = NULL;
        }
    }
    return object;
}

void ff_options_help(const struct ff_option_table *table, struct ff_buffer *buffer)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct ff_option *option = &table->options[i];
        char range[256];
        range_text(option, range, sizeof range);
        ff_buffer_printf(buffer, "  %-16s %s.\n", option->key, option->help);
        ff_buffer_printf(buffer, "  %-16s %s%s%s", "", range, option->unit != NULL ? " " : "",
                         option->unit != NULL ? option->unit : "");
        if (option->initial[0] != '\0')
            ff_buffer_printf(buffer, "; default %s", option->initial);
        ff_buffer_append_text(buffer, "\n");
    }
}

void ff_options_manual(const struct ff_option_table *table, struct ff_buffer *buffer)
{
    ff_buffer_append_text(buffer, ".SH SETTINGS\n");
    for (size_t i = 0; i < table->count; i++) {
        const struct ff_option *option = &table->options[i];
        char range[256];
        range_text(option, range, sizeof range);
        ff_buffer_printf(buffer, ".TP\n.BR %s \" (%s%s%s\"", option->key, range,
                         option->unit != NULL ? " " : "", option->unit != NULL ? option->unit : "");
        if (option->initial[0] != '\0')
            ff_buffer_printf(buffer, "\", default \" %s", option->initial);
        ff_buffer_printf(buffer, " )\n%s.\n", option->help);
    }
}

/*
 * functions/option_table.h: one table of options that drives every way of giving them.
 *
 * A function describes its settings once, as an array of struct ff_option over a structure of
 * values. That table reads `--set KEY=VALUE`, a YAML file and the JSON arguments of a task, refuses
 * what it does not know with the nearest name it does, and writes the help and the record of the
 * values that were used.
 */
#ifndef FF_FUNCTIONS_OPTION_TABLE_H
#define FF_FUNCTIONS_OPTION_TABLE_H

#include "protocol/core/bytes.h"

#include <jansson.h>
#include <stdbool.h>

/* What the field at `offset` of the structure of values is. */
enum ff_option_type {
    FF_OPTION_TEXT,    /* char *, owned by the values; "" is allowed */
    FF_OPTION_PATH,    /* char *, a file; shown as FILE */
    FF_OPTION_INTEGER, /* int64_t in low…high */
    FF_OPTION_NUMBER, /* double in low…high; where the default is "auto" also that, which is NaN */
    FF_OPTION_CHOICE, /* int, the index in `choices` */
};

struct ff_option {
    const char *key;
    enum ff_option_type type;
    size_t offset;
    const char *unit;           /* "s", "px", … or NULL */
    const char *initial;        /* the default, as a user would write it */
    double low, high;           /* FF_OPTION_INTEGER and FF_OPTION_NUMBER */
    const char *const *choices; /* FF_OPTION_CHOICE: ended by NULL */
    const char *help;           /* one sentence without its full stop */
};

struct ff_option_table {
    const char *owner; /* "reconstruct": whose settings, for messages */
    const struct ff_option *options;
    size_t count;
};

/* Sets every default. `values` must be zeroed; ff_options_dispose frees what it owns, also after a
 * failure. */
int ff_options_init(const struct ff_option_table *table, void *values,
                    struct ff_error *error) FF_MUST_USE;
void ff_options_dispose(const struct ff_option_table *table, void *values);

/* FF_UNKNOWN_SETTING or FF_INVALID_SETTING with key, value and the allowed range; the old value
 * then stays. */
int ff_options_set(const struct ff_option_table *table, void *values, const char *key,
                   const char *value, struct ff_error *error) FF_MUST_USE;

/* Whether the value of a key of the table differs from its default. */
bool ff_options_is_set(const struct ff_option_table *table, const void *values, const char *key);

/* "KEY=VALUE". */
int ff_options_assign(const struct ff_option_table *table, void *values, const char *assignment,
                      struct ff_error *error) FF_MUST_USE;

/* A JSON object of `size` bytes; FF_INVALID_JSON with line and column. */
int ff_options_read_json(const struct ff_option_table *table, void *values, const char *text,
                         size_t size, struct ff_error *error) FF_MUST_USE;

/* A YAML file of `key: value` lines; errors name file and line. */
int ff_options_read_yaml(const struct ff_option_table *table, void *values, const char *path,
                         struct ff_error *error) FF_MUST_USE;

/* All values as a new JSON object (numbers as numbers), or NULL when memory is out. */
json_t *ff_options_to_json(const struct ff_option_table *table, const void *values) FF_MUST_USE;

/* The table as text for a terminal: key, default, range, help. */
void ff_options_help(const struct ff_option_table *table, struct ff_buffer *buffer);

/* The same as a section of a manual page, in man(7) macros. */
void ff_options_manual(const struct ff_option_table *table, struct ff_buffer *buffer);

#endif

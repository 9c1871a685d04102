/*
 * client/command/output.h: what the command prints: tables and JSON on standard output, errors and the progress line
 * on standard error.
 *
 * Text that came from elsewhere (a function's log, a service's message) may hold terminal control sequences; on a
 * terminal they are shown as '?', never obeyed.
 */
#ifndef FF_CLIENT_COMMAND_OUTPUT_H
#define FF_CLIENT_COMMAND_OUTPUT_H

#include "protocol/core/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* `farfield: message` and, below it, `  hint`. */
void ff_output_error(const struct ff_error *error);

/* {"error": {"code", "message", "hint"}}; as a line it has "type": "error", too. */
void ff_output_json_error(const struct ff_error *error, bool line);

/* A text of a reply, borrowed; NULL where there is none of that name. */
const char *ff_output_text_of(const json_t *object, const char *key);

/* One document: indented on a terminal, else on one line. */
int ff_output_json(const json_t *value, struct ff_error *error) FF_MUST_USE;

/* One line, written at once, so that a reader of the pipe sees it now. */
int ff_output_json_line(const json_t *value, struct ff_error *error) FF_MUST_USE;

/* How many columns of a terminal the text takes, counted as one for each character. */
size_t ff_output_width(const char *text);

/* How wide the terminal is that `file` is; 80 where it is none or does not say. */
int ff_output_columns(int file);

/* Writes what is buffered; -1 where standard output is full or closed. */
int ff_output_flush(struct ff_error *error) FF_MUST_USE;

/*
 * A table with a header. Cells are copied; NULL is "-". Columns are as wide as their widest cell, and only the last
 * one is not padded.
 */
struct ff_table;
struct ff_table *ff_table_create(const char *const *titles, size_t columns,
                                 struct ff_error *error) FF_MUST_USE;
void ff_table_destroy(struct ff_table *table);
int ff_table_add(struct ff_table *table, const char *const *cells,
                 struct ff_error *error) FF_MUST_USE;
void ff_table_print(const struct ff_table *table, FILE *stream);

/* `name  value` with the names of one block padded alike; nothing where the value is NULL or empty. */
void ff_output_field(FILE *stream, const char *name, const char *value);

/* "2026-11-24 15:42:07Z" of an RFC 3339 time; "-" of NULL. */
enum { FF_SHORT_TIME_SIZE = 24 };
void ff_output_time(const char *time, char text[FF_SHORT_TIME_SIZE]);

/*
 * The progress line: one line of standard error that is drawn over. Does nothing where standard error is no terminal
 * or TERM is dumb. Clear it before other text goes to the terminal.
 */
bool ff_progress_shown(void);
void ff_progress_show(const char *text);
void ff_progress_clear(void);

/* "━━━━━━────" of `width` characters for 0…1. */
void ff_progress_bar(double fraction, int width, char *text, size_t size);

#endif

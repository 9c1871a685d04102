/*
 * functions/shell/output.h: one output stream of a command: its lines to the user while it runs,
 * its head and tail for the result.
 */
#ifndef FF_FUNCTIONS_SHELL_OUTPUT_H
#define FF_FUNCTIONS_SHELL_OUTPUT_H

#include "functions/function.h"

#include <jansson.h>

/* Head and tail together hold at most this much; what is between is counted and dropped. */
enum { FF_SHELL_KEPT = 524288 };

struct ff_shell_output;

/* Lines are logged to `call` at `level`, one by one, or together where many come at once. NULL when memory is out. */
struct ff_shell_output *ff_shell_output_create(struct ff_call *call, enum ff_call_log_level level);
void ff_shell_output_add(struct ff_shell_output *output, const char *data, size_t size);

/* The stream is at its end: its last line counts as one, though no newline ended it. */
void ff_shell_output_end(struct ff_shell_output *output);

/* Head, a line that says what was dropped, and tail, as a JSON string; bytes that are not UTF-8
 * become U+FFFD. The caller owns it. */
json_t *ff_shell_output_json(const struct ff_shell_output *output);
uint64_t ff_shell_output_bytes(const struct ff_shell_output *output);

/* The last line that is not empty, at most 200 bytes, borrowed until the next add. */
const char *ff_shell_output_last_line(const struct ff_shell_output *output);
void ff_shell_output_destroy(struct ff_shell_output *output);

#endif

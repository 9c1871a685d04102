/*
 * protocol/core/text.h: small things about text that several parts need.
 */
#ifndef FF_PROTOCOL_CORE_TEXT_H
#define FF_PROTOCOL_CORE_TEXT_H

#include "protocol/core/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * Which of `count` names is nearest to `wanted` by edit distance (a transposition counts one, case
 * does not count), or NULL when none is near enough to be worth offering. `names[i]` may be NULL
 * (skipped).
 */
const char *ff_text_nearest(const char *wanted, const char *const *names, size_t count);

/* 1 Ki, 2.5 GB, …: "812 bytes", "4.1 MB" (powers of ten). */
void ff_text_bytes(uint64_t bytes, char *text, size_t size);

/* "340 µs", "12.3 ms", "4.20 s", "3 min 12 s", "2 h 5 min". */
void ff_text_duration(double seconds, char *text, size_t size);

/* Parses all of `text` as a number; -1 where a character is left over, it is empty, or it is out of
 * range. */
int ff_text_integer(const char *text, int64_t low, int64_t high, int64_t *value) FF_MUST_USE;
int ff_text_number(const char *text, double *value) FF_MUST_USE;

/* Lower-case hexadecimal, terminated; `text` has 2 × size + 1 bytes. The inverse takes exactly 2 ×
 * size digits. */
void ff_text_hex(const void *bytes, size_t size, char *text);
int ff_text_unhex(const char *text, size_t text_size, void *bytes, size_t size) FF_MUST_USE;

/* The length of the UTF-8 sequence (RFC 3629) at the start of `size` ≥ 1 bytes; 0 when it is none, or NUL. */
size_t ff_text_sequence(const void *text, size_t size);

/* Whether `text` is 1…64 of [A-Za-z0-9._-] and does not begin with a dot or a hyphen: what
 * endpoints and functions may be called. Such a name is a safe file name. */
bool ff_text_is_name(const char *text);

/* Text of somebody else (a task, a file), made harmless where the stream is a terminal: control characters other than
 * newline and tab, and what is no UTF-8, become "?". In a pipe the bytes are as they were. */
void ff_text_print(FILE *stream, const char *text, size_t size);
void ff_text_printf(FILE *stream, const char *format, ...) FF_PRINTF(2, 3);

#endif

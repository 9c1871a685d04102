/*
 * protocol/core/error.h: code plus text, supplied by the caller.
 *
 * A fallible function takes `struct ff_error *error` last and returns -1 (or NULL) after filling it. `error` may be
 * NULL where the caller only wants to know that it failed. Libraries return errors; programs print them. No function
 * does both. On failure, outputs are untouched.
 */
#ifndef FF_PROTOCOL_CORE_ERROR_H
#define FF_PROTOCOL_CORE_ERROR_H

#include "protocol/core/error_codes.h"

enum ff_error_code {
#define FF_ERROR_ENUM(name, wire, http, status, text) name,
    FF_ERROR_CODES(FF_ERROR_ENUM)
#undef FF_ERROR_ENUM
        FF_ERROR_CODE_COUNT
};

enum { FF_ERROR_MESSAGE_SIZE = 768, FF_ERROR_HINT_SIZE = 384 };

/* What was wrong and where (message), and what to do about it (hint, may be empty). Always terminated. */
struct ff_error {
    enum ff_error_code code;
    char message[FF_ERROR_MESSAGE_SIZE];
    char hint[FF_ERROR_HINT_SIZE];
};

#define FF_PRINTF(format_at, first_at) __attribute__((format(printf, format_at, first_at)))
#define FF_MUST_USE                    __attribute__((warn_unused_result))

/* Sets code and message, clears the hint. Returns -1 always, so that `return ff_fail(error, …)` reads well. */
int ff_fail(struct ff_error *error, enum ff_error_code code, const char *format, ...)
    FF_PRINTF(3, 4);

/* As ff_fail, with ": " and the text of `error_number` appended. ENOSPC and EDQUOT become FF_DISK_FULL, and ENOMEM
 * becomes FF_NO_MEMORY, whatever `code` says. */
int ff_fail_errno(struct ff_error *error, enum ff_error_code code, int error_number,
                  const char *format, ...) FF_PRINTF(4, 5);

/* Adds what to do. Returns -1 always. */
int ff_hint(struct ff_error *error, const char *format, ...) FF_PRINTF(2, 3);

/* Puts text in front of an error that a callee filled: "reading scan 7: " + message. Returns -1 always. */
int ff_fail_prefix(struct ff_error *error, const char *format, ...) FF_PRINTF(2, 3);

/* The linter sees one file at a time: here it learns that these return -1 always. */
#if defined(__clang_analyzer__) && !defined(FF_ERROR_DEFINES)
#define ff_fail(...)        (ff_fail(__VA_ARGS__), -1)
#define ff_fail_errno(...)  (ff_fail_errno(__VA_ARGS__), -1)
#define ff_hint(...)        (ff_hint(__VA_ARGS__), -1)
#define ff_fail_prefix(...) (ff_fail_prefix(__VA_ARGS__), -1)
#endif

void ff_error_clear(struct ff_error *error);

/* The name on the wire ("DISK_FULL"), the default text, the HTTP status, and the command's exit status of a code. */
const char *ff_error_name(enum ff_error_code code);
const char *ff_error_text(enum ff_error_code code);
int ff_error_http_status(enum ff_error_code code);
int ff_error_exit_status(enum ff_error_code code);

/* The code of a wire name of `length` bytes; FF_INTERNAL for a name that this version does not know. */
enum ff_error_code ff_error_code_from_name(const char *name, unsigned long length);

#endif

#define FF_ERROR_DEFINES /* not the macros of the linter */
#include "protocol/core/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct code_row {
    const char *name;
    const char *text;
    int http_status;
    int exit_status;
};

static const struct code_row rows[FF_ERROR_CODE_COUNT] = {
#define FF_ERROR_ROW(name, wire, http, status, text) [name] = {wire, text, http, status},
    FF_ERROR_CODES(FF_ERROR_ROW)
#undef FF_ERROR_ROW
};

static const struct code_row *row_of(enum ff_error_code code)
{
    return (unsigned)code < FF_ERROR_CODE_COUNT ? &rows[code] : &rows[FF_INTERNAL];
}

int ff_fail(struct ff_error *error, enum ff_error_code code, const char *format, ...)
{
    if (error == NULL)
        return -1;
    /* The arguments may point into the error itself (a cause that is told again), so format beside
     * it first. */
    char text[FF_ERROR_MESSAGE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    error->code = code;
    memcpy(error->message, text, sizeof text);
    error->hint[0] = '\0';
    return -1;
}

int ff_fail_errno(struct ff_error *error, enum ff_error_code code, int error_number,
                  const char *format, ...)
{
    if (error == NULL)
        return -1;
    char text[FF_ERROR_MESSAGE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (error_number == ENOSPC || error_number == EDQUOT)
        code = FF_DISK_FULL;
    else if (error_number == ENOMEM)
        code = FF_NO_MEMORY;
    char reason[128];
    return ff_fail(error, code, "%s: %s", text, strerror_r(error_number, reason, sizeof reason));
}

int ff_hint(struct ff_error *error, const char *format, ...)
{
    if (error == NULL)
        return -1;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->hint, sizeof error->hint, format, arguments);
    va_end(arguments);
    return -1;
}

int ff_fail_prefix(struct ff_error *error, const char *format, ...)
{
    if (error == NULL)
        return -1;
    char text[FF_ERROR_MESSAGE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    size_t used = strlen(text);
    snprintf(text + used, sizeof text - used, "%s", error->message);
    memcpy(error->message, text, sizeof text);
    return -1;
}

void ff_error_clear(struct ff_error *error)
{
    if (error == NULL)
        return;
    error->code = FF_OK;
    error->message[0] = '\0';
    error->hint[0] = '\0';
}

const char *ff_error_name(enum ff_error_code code)
{
    return row_of(code)->name;
}

const char *ff_error_text(enum ff_error_code code)
{
    return row_of(code)->text;
}

int ff_error_http_status(enum ff_error_code code)
{
    return row_of(code)->http_status;
}

int ff_error_exit_status(enum ff_error_code code)
{
    return row_of(code)->exit_status;
}

enum ff_error_code ff_error_code_from_name(const char *name, unsigned long length)
{
    for (unsigned i = 0; i < FF_ERROR_CODE_COUNT; i++)
        if (strlen(rows[i].name) == length && memcmp(rows[i].name, name, length) == 0)
            return (enum ff_error_code)i;
    return FF_INTERNAL;
}

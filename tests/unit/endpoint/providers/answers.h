/*
 * tests/unit/endpoint/providers/answers.h: results of commands that never ran, for the text part of schedulers.
 */
#ifndef FF_TESTS_UNIT_ENDPOINT_PROVIDERS_ANSWERS_H
#define FF_TESTS_UNIT_ENDPOINT_PROVIDERS_ANSWERS_H

#include "endpoint/providers/scheduler.h"

static inline struct ff_command_result answer(int status, const char *out, const char *said)
{
    return (struct ff_command_result){
        .status = status, .out = out, .out_size = strlen(out), .error = said};
}

/* The words of a command line, with spaces between. */
static inline char *join_words(const struct ff_words *words)
{
    struct ff_buffer buffer;
    ff_buffer_init(&buffer, 1 << 20);
    for (size_t i = 0; i < words->count; i++)
        ff_buffer_printf(&buffer, "%s%s", i > 0 ? " " : "", words->items[i]);
    char *text = ff_span_copy(ff_buffer_span(&buffer));
    assert_non_null(text);
    ff_buffer_dispose(&buffer);
    return text;
}

static inline void assert_contains(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("\"%s\" is not in: %s", part, text);
}

#endif

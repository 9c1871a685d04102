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

/* The rows of an answer; to be disposed of in any case. */
static inline int read_rows_of(const struct ff_scheduler *scheduler, int status, const char *out,
                               const char *said, struct ff_job_rows *rows, struct ff_error *error)
{
    const struct ff_command_result result = answer(status, out, said);
    memset(rows, 0, sizeof *rows);
    return scheduler->read_status(&result, rows, error);
}

/* What must not be taken for an answer, for one that says that jobs are gone least of all. */
struct no_answer {
    int status;
    const char *out;
    const char *said;
};

static inline void assert_no_answers(const struct ff_scheduler *scheduler,
                                     const struct no_answer *bad, size_t count)
{
    struct ff_job_rows rows;
    struct ff_error error;
    for (size_t i = 0; i < count; i++) {
        error.message[0] = '\0';
        if (read_rows_of(scheduler, bad[i].status, bad[i].out, bad[i].said, &rows, &error) != -1)
            fail_msg("taken for an answer: %d \"%s\" \"%s\"", bad[i].status, bad[i].out,
                     bad[i].said);
        assert_true(error.message[0] != '\0');
        ff_job_rows_dispose(&rows);
    }
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

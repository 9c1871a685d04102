/*
 * endpoint/providers/command.h: a room in which other programs are asked (sbatch, squeue, qstat …) without blocking the loop.
 *
 * A command has a time limit and bounded output. It runs in a session of its own with standard input from /dev/null, and is
 * killed with all it started when its time is up. Whoever asked is told once, in any case.
 */
#ifndef FF_ENDPOINT_PROVIDERS_COMMAND_H
#define FF_ENDPOINT_PROVIDERS_COMMAND_H

#include "protocol/core/bytes.h"
#include "protocol/core/loop.h"

#include <limits.h>
#include <sys/types.h>

struct ff_commands;
struct ff_command;

struct ff_command_result {
    int status;      /* exit status; -1: it did not exit by itself */
    int signal;      /* that ended it, or 0 */
    bool timed_out;  /* and was killed */
    bool truncated;  /* it printed more than was asked for */
    const char *out; /* standard output, terminated; may hold any bytes */
    size_t out_size;
    const char *error; /* standard error, terminated */
};

/* The result is valid during the call. */
typedef void ff_command_done(void *user, const struct ff_command_result *result);

struct ff_command_question {
    const char *const *arguments; /* NULL-ended; the program is looked for in PATH */
    int limit_ms;
    size_t output_limit; /* bytes, of standard output and error each */
    ff_command_done *done;
    void *user;
};

struct ff_commands *ff_commands_create(struct ff_loop *loop, struct ff_error *error) FF_MUST_USE;

/* Kills what still runs; nobody is told. NULL is fine. */
void ff_commands_destroy(struct ff_commands *commands);

/* `done` is called later, never from inside; the command is invalid from then on. NULL when the program cannot be started:
 * then it has certainly done nothing. */
struct ff_command *ff_command_start(struct ff_commands *commands,
                                    const struct ff_command_question *question,
                                    struct ff_error *error) FF_MUST_USE;

pid_t ff_command_pid(const struct ff_command *command);

/* Kills it; `done` is not called. */
void ff_command_cancel(struct ff_command *command);

/* For verbs, which may wait: the same with a loop of its own. `done` is called before this returns. */
int ff_command_run(const struct ff_command_question *question, struct ff_error *error) FF_MUST_USE;

/* The file of a program in PATH; NOT_FOUND. A name with a slash is itself. */
int ff_command_find(const char *name, char path[PATH_MAX], struct ff_error *error) FF_MUST_USE;

/* Why a result is no success, in words: what it printed as its error (the first lines, on one line, without its own name in
 * front), else how it ended. */
void ff_command_words(const struct ff_command_result *result, const char *name, char *words,
                      size_t size);

#endif

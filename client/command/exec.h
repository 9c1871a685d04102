/*
 * client/command/exec.h: the verbs of other parts are programs of those parts, libexec/farfield/farfield-VERB, which
 * the command becomes.
 */
#ifndef FF_CLIENT_COMMAND_EXEC_H
#define FF_CLIENT_COMMAND_EXEC_H

#include "protocol/core/error.h"

#include <stddef.h>

struct ff_external {
    const char *name;  /* the first word; NULL ends the list */
    const char *usage; /* for the overview */
    const char *summary;
    const char *const *
        words; /* what the second word may be where it picks the program; ended by NULL. Else NULL */
};

extern const struct ff_external ff_externals[];

const struct ff_external *ff_external_find(const char *name);

/* Becomes the program of the verb with the `count` arguments behind it. Returns -1 only when it could not. */
int ff_external_run(const struct ff_external *verb, int count, char *const arguments[],
                    struct ff_error *error);

/* Becomes libexec/farfield/PROGRAM; argv[0] is filled in, argv[1…] are its arguments, NULL ends them. */
int ff_exec_program(const char *program, const char *argv[], struct ff_error *error);

/* The whole path of libexec/farfield/PROGRAM, which the caller frees; FF_UNSUPPORTED where it is not installed. */
char *ff_program_path(const char *program, struct ff_error *error) FF_MUST_USE;

#endif

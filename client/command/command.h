/*
 * client/command/command.h: what a verb of `farfield` is, and what it is handed.
 *
 * Every verb is one row: its options, its help and the function that does it. The same row parses the command line,
 * prints --help and refuses what it does not know, so the three cannot disagree.
 */
#ifndef FF_CLIENT_COMMAND_COMMAND_H
#define FF_CLIENT_COMMAND_COMMAND_H

#include "protocol/core/error.h"

#include <stdbool.h>
#include <stddef.h>

/* The exit status after the first Ctrl-C: as shells tell a program that ended by it. */
enum { FF_EXIT_INTERRUPTED = 130 };

struct ff_command_option {
    const char *name;  /* without the hyphens; NULL ends a list */
    char letter;       /* '\0' where there is none */
    const char *value; /* what its value is called ("N"), or NULL for a switch */
    const char *help;  /* half a sentence, without its full stop */
};

struct ff_invocation;

/* Does the verb. Returns the exit status, or -1 with the error, which main prints. */
typedef int ff_command_run(const struct ff_invocation *invocation, struct ff_error *error);

struct ff_command {
    const char *group; /* "task" of `farfield task show`, or NULL */
    const char *name;
    const char *operands;                    /* as the usage shows them: "TASK" */
    size_t least, most;                      /* how many operands */
    const char *summary;                     /* half a sentence */
    const char *details;                     /* paragraphs for --help, or NULL */
    const struct ff_command_option *options; /* its own; --json and --help are everybody's */
    const char *examples;                    /* lines for --help */
    bool lines;                              /* --json prints JSON lines, not one document */
    ff_command_run *run;
};

struct ff_given {
    const struct ff_command_option *option;
    const char *value; /* borrowed from the command line; NULL for a switch */
};

struct ff_invocation {
    const struct ff_command *command;
    struct ff_given *given;
    size_t given_count;
    const char **operands;
    size_t operand_count;
    bool json;
    bool help;
};

/* All verbs, in the order of the overview; a row without a name ends the list. */
extern const struct ff_command *const ff_commands[];

extern const struct ff_command ff_service_commands[];
extern const struct ff_command ff_token_commands[];
extern const struct ff_command ff_endpoint_commands[];
extern const struct ff_command ff_function_commands[];
extern const struct ff_command ff_run_commands[];
extern const struct ff_command ff_task_commands[];

#endif

/*
 * functions/local/program.h: the program of a function: `farfield VERB` runs the function here and
 * now, in this process. One command line, one way of showing progress, one meaning of Ctrl-C for
 * all of them.
 */
#ifndef FF_FUNCTIONS_LOCAL_PROGRAM_H
#define FF_FUNCTIONS_LOCAL_PROGRAM_H

#include "functions/function.h"
#include "functions/option_table.h"

struct ff_local_program {
    const char *verb;  /* "reconstruct" */
    const char *usage; /* the lines of `--help` above the settings */
    const struct ff_option_table *table;
    size_t values_size;   /* of the table's structure */
    const char *argument; /* the setting that the bare argument gives, or NULL */
    const struct ff_function *function;

    /* For `--plan`: what would be done, as a JSON object; NULL where the program has no plan. */
    json_t *(*plan)(const void *values, struct ff_error *error);
    /* Where the state is saved, in a block that is freed here; NULL: nowhere. */
    char *(*checkpoint)(const void *values);
    /* The result for a person. */
    void (*show)(const json_t *result);
};

/*
 *     VERB [FILE] [--set KEY=VALUE]… [--KEY VALUE]… [--config FILE] [--plan] [--json] [--help]
 *
 * Later options win. The first SIGINT or SIGTERM ends the work and keeps its result, a second one
 * ends the process. Returns the exit status.
 */
int ff_local_program_run(const struct ff_local_program *program, int argc, char **argv);

/* Takes the setting that argv[*at] begins, --set KEY=VALUE, --config FILE or --KEY VALUE (also with =
 * between), and leaves *at at its last word. */
int ff_local_take_setting(const struct ff_option_table *table, void *values, int argc, char **argv,
                          int *at, struct ff_error *error) FF_MUST_USE;

/* The command line of the smaller programs: FILE [--json] [EXTRA] [--help], and settings where there
 * is a table. */
struct ff_local_arguments {
    const char *extra;                   /* in: the program's own flag, or NULL */
    const struct ff_option_table *table; /* in: of the settings it takes, or NULL */
    void *values;                        /* in: of the table */
    const char *file;                    /* borrowed; NULL only with `help` */
    bool json, help;
    bool has_extra; /* the program's own flag was given */
};
int ff_local_arguments_read(const char *verb, int argc, char **argv,
                            struct ff_local_arguments *arguments,
                            struct ff_error *error) FF_MUST_USE;

/* Prints an error as every program here does: words on standard error, and with `json` an object
 * of type "error" on standard output. Returns its exit status. */
int ff_local_report(const char *verb, bool json, const struct ff_error *error);

#endif

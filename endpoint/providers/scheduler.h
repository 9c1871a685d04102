/*
 * endpoint/providers/scheduler.h: one batch scheduler, as text: the command lines by which it is asked, the script of a job, and
 * how its answers read. Pure: nothing here runs anything. batch.h does, for every scheduler alike.
 *
 * What the keys of the configuration ask for goes on the command line of submit, which no variable of the environment
 * overrides; `scheduler_options` are directives in the script, as people write them.
 */
#ifndef FF_ENDPOINT_PROVIDERS_SCHEDULER_H
#define FF_ENDPOINT_PROVIDERS_SCHEDULER_H

#include "endpoint/config.h"
#include "endpoint/providers/command.h"
#include "endpoint/providers/provider.h"

/* ---- command lines ---- */

struct ff_survey;

struct ff_words {
    char **items; /* NULL-ended */
    size_t count;
    size_t capacity;
    bool failed; /* memory was out: an append was lost */
};

void ff_words_add(struct ff_words *words, const char *format, ...) FF_PRINTF(2, 3);

/* An option and its value, as two words; nothing where the value is "". */
void ff_words_add_option(struct ff_words *words, const char *option, const char *value);
void ff_words_dispose(struct ff_words *words);

/* In single quotes, as a shell reads it back. */
void ff_shell_quote(struct ff_buffer *buffer, const char *text);

/* Calls `take` for each line that is not empty. */
void ff_each_line(const char *text, void (*take)(void *user, const char *line, size_t length),
                  void *user);

/* ---- what a scheduler says of jobs ---- */

enum { FF_JOB_ID_SIZE = 128, FF_ROWS_MAX = 4096 };

struct ff_job_row {
    char id[FF_JOB_ID_SIZE];
    char name[FF_JOB_NAME_SIZE]; /* cut, when it is longer than any of ours */
    enum ff_block_state state;   /* never SUBMITTING */
    bool
        unclear; /* it is there, in a state that this release does not know: no other field counts but why */
    int64_t starts_ns; /* wall clock; 0: not known */
    int64_t ends_ns;
    char why[FF_WHY_SIZE];
};

struct ff_job_rows {
    struct ff_job_row *items;
    size_t count;
    size_t capacity;
};

/* Marks a row whose state is a word of `alphabet` that is not known; -1 when it is no such word. */
int ff_job_row_unclear(struct ff_job_row *row, const char *state, const char *alphabet) FF_MUST_USE;

/* Seconds of the wall clock as nanoseconds; 0, for "not known", where no job of our times can begin or end then. */
int64_t ff_job_time_ns(int64_t seconds);

/* A zeroed one more; NULL beyond FF_ROWS_MAX, or when memory is out. */
struct ff_job_row *ff_job_rows_add(struct ff_job_rows *rows);
void ff_job_rows_dispose(struct ff_job_rows *rows);

/* How a table of one line a job reads. */
struct ff_job_table {
    const char *program;                                               /* that prints it */
    bool (*is_title)(const char *line, size_t length);                 /* of no job */
    int (*read)(const char *line, size_t length, struct ff_job_row *); /* -1: not understood */
};

/* All lines of it, empty ones left out. PROTOCOL where one is cut off, not understood, or too many. */
int ff_job_table_read(const struct ff_job_table *table, const char *out, struct ff_job_rows *rows,
                      struct ff_error *error) FF_MUST_USE;

/* Jobs to ask about: `ids[i]` is "" where it is not known. */
struct ff_job_question {
    const char *const *names;
    const char *const *ids;
    size_t count;
};

/* ---- a scheduler ---- */

struct ff_launch {
    const char *directive; /* what begins a line of options in a script: "#SBATCH" */
    const char *
        job_ends; /* variable that says when the job ends, in seconds of the wall clock, where it is set; or NULL */
    const char
        *ask_end; /* command that prints it, for jobs without a configured walltime, or NULL */
    bool
        own_log; /* the script appends its output to FOLDER/log itself: the scheduler would bring it later */
    const char *many; /* the launcher that `auto` is for several nodes, of those in scheduler.c */
};

struct ff_scheduler {
    const char *name;
    const char *submit_program;
    const char *status_program;
    const char *cancel_program;
    struct ff_launch launch;

    /* The command that submits the job whose script is at `script`. */
    void (*submit)(const struct ff_job_order *order, const struct ff_config *config,
                   const char *script, struct ff_words *words);

    /* The id that a successful submit printed. */
    int (*read_id)(const char *out, char id[FF_JOB_ID_SIZE], struct ff_error *error);

    /* The one question about all jobs. */
    void (*status)(const struct ff_job_question *question, struct ff_words *words);

    /* Its answer. -1 when it is no answer: the command failed, or anything in it is not understood; then the rows are
     * worthless. A job that is in no row of a good answer is not known to the scheduler. */
    int (*read_status)(const struct ff_command_result *result, struct ff_job_rows *rows,
                       struct ff_error *error);

    void (*cancel)(const char *id, struct ff_words *words);

    /* Whether settings are such that it can do; NULL: they always are. */
    int (*check)(const struct ff_config *config, struct ff_error *error);

    /* How the names of variables begin by which its commands take options that nobody has given here, NULL-ended; or NULL. */
    const char *const *variables;

    /* How the version is asked for. */
    const char *const *version;

    /* What it has (survey.h); waits. NULL: it cannot be asked. */
    int (*survey)(struct ff_survey *survey, struct ff_error *error);
};

/* The script of a job: environment, modules, worker_init, and one manager a node. */
void ff_scheduler_script(const struct ff_scheduler *scheduler, const struct ff_job_order *order,
                         const struct ff_config *config, struct ff_buffer *script);

/* Fails, with the words of the command, where a result is not that of a success. */
int ff_scheduler_succeeded(const struct ff_command_result *result, const char *program,
                           struct ff_error *error) FF_MUST_USE;

/* Fails where a key is set that only Slurm has. */
int ff_scheduler_refuse_slurm_keys(const char *scheduler, const struct ff_config *config,
                                   struct ff_error *error) FF_MUST_USE;

extern const struct ff_scheduler ff_scheduler_slurm;
extern const struct ff_scheduler ff_scheduler_pbs;
extern const struct ff_scheduler ff_scheduler_cobalt;

#endif

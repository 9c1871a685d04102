/*
 * functions/simulate/plan.h: which files a simulation is written to, and where its frames go.
 *
 * Every file is made beside its place, under a name that nothing else has, and moved there when all
 * are whole; the main file last, so that who waits for it finds the others.
 */
#ifndef FF_SIMULATE_PLAN_H
#define FF_SIMULATE_PLAN_H

#include "functions/simulate/format.h"

#include <sys/types.h>

/* In the order in which they are moved into place. */
enum ff_simulate_role { FF_ROLE_DATA, FF_ROLE_TABLE, FF_ROLE_TRUTH, FF_ROLE_MAIN };

struct ff_simulate_file {
    enum ff_simulate_role role;
    char *path;
    char *beside;
    int fd; /* of `beside`, for writing */
};

/* Frames first … first+count-1 are one dataset. */
struct ff_simulate_segment {
    size_t file; /* its number in the plan */
    struct ff_simulate_part part;
    char name[96]; /* of the dataset */
    off_t offset;  /* of its first value in the file; -1 where it has chunks */
};

struct ff_simulate_plan {
    const struct ff_simulation *simulation;
    const struct ff_simulate_format *format;
    struct ff_simulate_file *files;
    size_t file_count;
    struct ff_simulate_segment *segments;
    size_t segment_count;
    size_t frame_bytes;
};

/* Makes the files, empty. FF_OUTPUT_FAILED names what cannot be made. */
int ff_simulate_plan_create(struct ff_simulate_plan *plan, const struct ff_simulation *simulation,
                            const char *output, struct ff_error *error) FF_MUST_USE;

/* Moves the files into place. */
int ff_simulate_plan_commit(struct ff_simulate_plan *plan, struct ff_error *error) FF_MUST_USE;

/* Removes what was not moved into place, and frees. */
void ff_simulate_plan_destroy(struct ff_simulate_plan *plan);

/* The file of a role, or NULL. */
const struct ff_simulate_file *ff_simulate_plan_find(const struct ff_simulate_plan *plan,
                                                     enum ff_simulate_role role);

/* The file that a reader is given: the main one, or the first of a series. The caller frees. */
char *ff_simulate_main_path(const struct ff_simulate_settings *settings, const char *output);
/* The table of positions of a format that has one; likewise. NULL: it has none, or no memory. */
char *ff_simulate_table_path(const struct ff_simulate_settings *settings, const char *output);

#endif

#include "functions/reconstruct/identity.h"

#include "functions/reconstruct/refine/search.h"

#include <stdio.h>

static void add_count(struct ff_buffer *text, const char *name, uint64_t value)
{
    ff_buffer_printf(text, "%s\t%llu\n", name, (unsigned long long)value);
}

static void add_number(struct ff_buffer *text, const char *name, double value)
{
    ff_buffer_printf(text, "%s\t%.17g\n", name, value);
}

static void add_digest(struct ff_buffer *text, const char *name, const struct ff_digest *digest)
{
    char hex[FF_DIGEST_TEXT_SIZE];
    ff_digest_text(digest, hex);
    ff_buffer_printf(text, "%s\t%s\n", name, hex);
}

/* What was made of the input by settings of its own: orientation, units, masks, crops, optics. */
static void add_values(struct ff_buffer *text, const char *name, const void *values, size_t bytes)
{
    struct ff_digest digest = {0};
    struct ff_error error;
    if (values != NULL && ff_digest_of((struct ff_span){values, bytes}, &digest, &error) < 0)
        return; /* then the other one's line is missed, and the checkpoint refused */
    add_digest(text, name, &digest);
}

static void add_first_values(struct ff_buffer *text, const struct ff_problem *problem)
{
    size_t object = problem->object_rows * problem->object_columns;
    size_t probe = problem->modes * problem->probe_rows * problem->probe_columns;
    add_values(text, "first positions (SHA-256)", problem->positions,
               problem->patterns * problem->fly * 2 * sizeof *problem->positions);
    add_values(text, "mask (SHA-256)", problem->measured, problem->rows * problem->columns);
    add_values(text, "first object (SHA-256)", problem->object, object * sizeof *problem->object);
    add_values(text, "first probe (SHA-256)", problem->probe, probe * sizeof *problem->probe);
}

static void add_problem(struct ff_buffer *text, const struct ff_problem *problem)
{
    add_digest(text, "input file (SHA-256)", &problem->digest);
    add_digest(text, "initial probe file (SHA-256)", &problem->probe_digest);
    add_count(text, "number of patterns", problem->patterns);
    add_count(text, "fly", problem->fly);
    add_count(text, "number of rows", problem->rows);
    add_count(text, "number of columns", problem->columns);
    add_count(text, "probe height", problem->probe_rows);
    add_count(text, "probe width", problem->probe_columns);
    add_count(text, "near_field", problem->near_field);
    add_count(text, "object height", problem->object_rows);
    add_count(text, "object width", problem->object_columns);
    add_count(text, "modes", problem->modes);
    add_first_values(text, problem);
}

static void add_solver(struct ff_buffer *text, const struct ff_solver_settings *solver)
{
    add_count(text, "batches", solver->batches);
    add_count(text, "batches of the first epochs", solver->early_batches);
    add_count(text, "first epochs", solver->early_epochs);
    add_number(text, "alpha", solver->alpha);
    add_number(text, "alpha of the first epochs", solver->early_alpha);
    add_number(text, "step_object", solver->step_object);
    add_number(text, "step_probe", solver->step_probe);
    add_number(text, "momentum", solver->momentum);
    add_count(text, "step", solver->step);
    add_count(text, "probe_start", solver->probe_start);
}

static void add_refine(struct ff_buffer *text, const struct ff_refine_settings *refine,
                       size_t epochs)
{
    add_count(text, "positions", refine->positions);
    add_count(text, "affine", refine->affine);
    add_count(text, "positions_start", refine->positions_start);
    add_number(text, "positions_search", refine->search_px);
    add_count(text, "stages of the search", refine->search_px > 0 ? ff_search_stages(epochs) : 0);
    add_number(text, "step_positions", refine->step_positions);
    add_count(text, "intensities", refine->intensities);
    add_count(text, "opr_modes", refine->opr_modes);
    add_count(text, "object_constraint", refine->object_constraint);
    add_count(text, "probe_constraint", refine->probe_constraint);
    add_count(text, "power_balance", refine->power_balance);
}

void ff_run_identity(const struct ff_problem *problem, const struct ff_run_settings *settings,
                     struct ff_buffer *text)
{
    add_problem(text, problem);
    ff_buffer_printf(text, "algorithm\t%s\n", settings->algorithm);
    add_solver(text, &settings->solver);
    add_refine(text, &settings->refine, settings->solver.epochs);
    add_count(text, "noise", settings->noise);
    add_count(text, "subpixel", settings->subpixel);
    add_count(text, "seed", settings->seed);
}

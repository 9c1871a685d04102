#include "functions/reconstruct/run.h"

#include "functions/reconstruct/checkpoint.h"
#include "functions/reconstruct/refine/modes.h"
#include "protocol/core/clock.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct run {
    const struct ff_problem *problem;
    const struct ff_run_settings *settings;
    const struct ff_run_watch *watch;
    const struct ff_backend_operations *operations;
    const struct ff_solver_operations *algorithm;
    struct ff_backend *backend;
    struct ff_solver *solver;
    struct ff_random random;
    struct ff_run_result *result;
    struct ff_buffer saved;        /* a checkpoint, kept for the next */
    struct ff_buffer solver_state; /* likewise */
    size_t epoch;                  /* done */
    double epoch_seconds;          /* of the last one */
    int64_t begun_ns;              /* the run, planning included */
    int64_t started_ns;            /* the first epoch */
    int64_t kept_ns;               /* when the last checkpoint was tried, or the epochs began */
};

/* Slow epochs are saved more often than the user asked for: nobody wants to lose more than this. */
static const double checkpoint_within_s = 60;

static const struct ff_solver_operations *const algorithms[] = {&ff_solver_rpie};

const char *ff_run_end_name(enum ff_run_end end)
{
    static const char *const names[] = {"done", "asked", "time", "yielded"};
    return names[end];
}

static double seconds_since(int64_t start_ns)
{
    return (double)(ff_monotonic_ns() - start_ns) / 1e9;
}

static void note(const struct run *run, const char *text)
{
    if (run->watch->note != NULL)
        run->watch->note(run->watch->user, text);
}

static double measured_pixels(const struct ff_problem *problem)
{
    size_t pixels = problem->rows * problem->columns;
    size_t measured = 0;
    for (size_t i = 0; i < pixels; i++)
        measured += problem->measured == NULL || problem->measured[i] != 0;
    return (double)measured * (double)problem->patterns;
}

/* The problem's object and modes, these together as bright as the mean pattern. */
static void start_state(struct run *run)
{
    const struct ff_problem *problem = run->problem;
    size_t pixels = problem->rows * problem->columns;
    memcpy(run->result->probe, problem->probe, problem->modes * pixels * sizeof(ff_complex));
    ff_modes_rescale(run->result->probe, problem->modes, pixels,
                     problem->total_counts / (double)problem->patterns);
    memcpy(run->result->object, problem->object,
           problem->object_rows * problem->object_columns * sizeof(ff_complex));
}

/* After the backend was made with the checkpoint's transforms. */
static int resume_from(struct run *run, const struct ff_checkpoint *state, struct ff_error *error)
{
    struct ff_run_result *result = run->result;
    if (run->algorithm->restore(run->solver, state->solver_state, error) < 0)
        return -1;
    run->random = state->random;
    run->epoch = result->resumed_at = state->epoch;
    const char *device = run->operations->describe(run->backend);
    char text[512];
    snprintf(text, sizeof text, "going on after epoch %zu", state->epoch);
    note(run, text);
    /* The number of threads changes nothing; the code path, the library and its plans do. */
    const char *there = strchr(state->device, ',');
    const char *here = strchr(device, ',');
    if (there == NULL || here == NULL || strcmp(there, here) != 0 ||
        !ff_span_equal(state->transforms, run->operations->transforms(run->backend))) {
        snprintf(text, sizeof text,
                 "the checkpoint was made on \"%s\", this is \"%s\": the result will agree to "
                 "rounding, not bit for bit",
                 state->device, device);
        note(run, text);
    }
    return 0;
}

static void fetch(struct run *run)
{
    run->operations->get_object(run->backend, run->result->object);
    run->operations->get_probe(run->backend, run->result->probe);
}

static int keep_checkpoint(struct run *run)
{
    if (run->watch->checkpoint == NULL)
        return -1;
    struct ff_error error;
    run->kept_ns = ff_monotonic_ns();
    fetch(run);
    ff_buffer_clear(&run->saved);
    ff_buffer_clear(&run->solver_state);
    run->algorithm->save(run->solver, &run->solver_state);
    struct ff_checkpoint state = {
        .epoch = run->epoch,
        .random = run->random,
        .costs = run->result->costs,
        .object = run->result->object,
        .probe = run->result->probe,
        .solver_state = ff_buffer_span(&run->solver_state),
        .transforms = run->operations->transforms(run->backend),
    };
    snprintf(state.device, sizeof state.device, "%s", run->operations->describe(run->backend));
    if (ff_checkpoint_write(run->problem, run->settings, &state, &run->saved, &error) < 0 ||
        run->watch->checkpoint(run->watch->user, ff_buffer_span(&run->saved), &error) < 0) {
        char text[FF_ERROR_MESSAGE_SIZE + 32];
        snprintf(text, sizeof text, "no checkpoint: %s", error.message);
        note(run, text);
        return -1;
    }
    return 0;
}

static bool due(size_t epoch, size_t every)
{
    return every > 0 && epoch % every == 0;
}

static bool checkpoint_due(const struct run *run)
{
    size_t every = run->settings->checkpoint_every;
    return due(run->epoch, every) ||
           (every > 0 && seconds_since(run->kept_ns) >= checkpoint_within_s);
}

/* Whether another epoch, and the final pass (which takes half as long), would pass the time limit. */
static bool time_is_up(const struct run *run)
{
    double limit = run->settings->time_limit_s;
    return limit > 0 && seconds_since(run->begun_ns) + 1.5 * run->epoch_seconds >= limit;
}

/* Whether to end after this epoch, and why. */
static bool should_end(struct run *run)
{
    struct ff_run_result *result = run->result;
    enum ff_run_order order =
        run->watch->asked != NULL ? run->watch->asked(run->watch->user) : FF_RUN_ON;
    if (run->epoch >= run->settings->solver.epochs)
        result->end = FF_RUN_DONE;
    else if (order == FF_RUN_STOP)
        result->end = FF_RUN_ASKED;
    else if (order == FF_RUN_CHECKPOINT && keep_checkpoint(run) == 0)
        result->end = FF_RUN_YIELDED;
    else if (time_is_up(run))
        result->end = FF_RUN_TIME;
    else
        return false;
    return true;
}

static void report(struct run *run, double cost, double pixels)
{
    struct ff_run_epoch epoch = {
        .epoch = run->epoch,
        .epochs = run->settings->solver.epochs,
        .cost = cost / pixels,
        .r = sqrt(cost / run->problem->total_counts),
        .seconds = seconds_since(run->started_ns),
    };
    run->result->costs[run->epoch - 1] = epoch.cost;
    if (run->watch->epoch != NULL)
        run->watch->epoch(run->watch->user, &epoch);
}

static int check_finite(const struct run *run, double cost, struct ff_error *error)
{
    if (isfinite(cost))
        return 0;
    ff_fail(error, FF_TASK_FAILED,
            "the reconstruction diverged in epoch %zu: its cost is no number", run->epoch);
    return ff_hint(error, "lower step_object and step_probe, raise alpha, or use fewer batches");
}

static int iterate(struct run *run, double pixels, struct ff_error *error)
{
    run->started_ns = run->kept_ns = ff_monotonic_ns();
    while (run->epoch < run->settings->solver.epochs) {
        double cost;
        int64_t start = ff_monotonic_ns();
        run->algorithm->epoch(run->solver, run->operations, run->backend, &run->random,
                              run->epoch + 1);
        run->epoch++;
        if (run->operations->take_cost(run->backend, &cost, error) < 0 ||
            check_finite(run, cost, error) < 0)
            return -1;
        run->epoch_seconds = seconds_since(start);
        report(run, cost, pixels);
        bool last = should_end(run);
        if (last)
            break;
        if (due(run->epoch, run->settings->preview_every) && run->watch->preview != NULL) {
            fetch(run);
            struct ff_run_view view = {run->problem, run->result->object, run->result->probe,
                                       run->problem->modes, run->epoch};
            run->watch->preview(run->watch->user, &view);
        }
        if (checkpoint_due(run))
            (void)keep_checkpoint(run);
    }
    run->result->epochs = run->epoch;
    run->result->iterate_seconds = seconds_since(run->started_ns);
    return 0;
}

/* The figures of exactly what is returned: modes orthogonalised, all patterns, one forward pass. */
static int finish(struct run *run, double pixels, struct ff_error *error)
{
    const struct ff_problem *problem = run->problem;
    struct ff_run_result *result = run->result;
    int64_t start = ff_monotonic_ns();
    fetch(run);
    if (ff_modes_orthogonalise(result->probe, result->modes, problem->rows * problem->columns,
                               error) < 0)
        return -1;
    run->operations->put_probe(run->backend, result->probe);
    size_t limit = run->algorithm->batch_limit(run->solver);
    uint32_t *patterns = calloc(limit, sizeof *patterns);
    if (patterns == NULL)
        return ff_fail(error, FF_NO_MEMORY, "no memory for the final figures");
    double cost;
    for (size_t first = 0; first < problem->patterns; first += limit) {
        size_t count = problem->patterns - first < limit ? problem->patterns - first : limit;
        for (size_t i = 0; i < count; i++)
            patterns[i] = (uint32_t)(first + i);
        run->operations->cost(run->backend, (struct ff_batch){patterns, count});
    }
    free(patterns);
    /* The last step may be the one that went astray: only this pass sees it. */
    if (run->operations->take_cost(run->backend, &cost, error) < 0 ||
        check_finite(run, cost, error) < 0)
        return -1;
    result->cost = cost / pixels;
    result->r = sqrt(cost / problem->total_counts);
    result->final_seconds = seconds_since(start);
    return 0;
}

static int choose_algorithm(struct run *run, struct ff_error *error)
{
    for (size_t i = 0; i < sizeof algorithms / sizeof algorithms[0]; i++)
        if (strcmp(algorithms[i]->name, run->settings->algorithm) == 0)
            run->algorithm = algorithms[i];
    return run->algorithm != NULL
               ? 0
               : ff_fail(error, FF_INVALID_SETTING, "there is no algorithm \"%s\"",
                         run->settings->algorithm);
}

static int prepare(struct run *run, struct ff_span resume, struct ff_error *error)
{
    const struct ff_problem *problem = run->problem;
    const struct ff_run_settings *settings = run->settings;
    struct ff_run_result *result = run->result;
    int64_t start = ff_monotonic_ns();
    result->modes = problem->modes;
    result->object = ff_array_create(problem->object_rows * problem->object_columns,
                                     sizeof(ff_complex), "the object", error);
    result->probe = ff_array_create(problem->modes * problem->rows * problem->columns,
                                    sizeof(ff_complex), "the probe", error);
    result->costs =
        ff_array_create(settings->solver.epochs + 1, sizeof(double), "the costs", error);
    if (result->object == NULL || result->probe == NULL || result->costs == NULL)
        return -1;
    run->solver = run->algorithm->create(problem, &settings->solver, error);
    if (run->solver == NULL)
        return -1;
    struct ff_checkpoint state = {.object = result->object, .probe = result->probe};
    if (resume.size > 0 &&
        ff_checkpoint_read(resume, problem, settings, result->costs, &state, error) < 0)
        return -1;
    struct ff_backend_plan plan = {
        .problem = problem,
        .modes = problem->modes,
        .batch_limit = run->algorithm->batch_limit(run->solver),
        .threads = settings->threads,
        .cores = settings->cores,
        .core_count = settings->core_count,
        .cache_folder = settings->cache_folder,
        .transforms = state.transforms,
    };
    run->backend = run->operations->create(&plan, error);
    if (run->backend == NULL)
        return -1;
    snprintf(result->device, sizeof result->device, "%s", run->operations->describe(run->backend));
    result->bytes = run->operations->bytes(run->backend);
    if (resume.size == 0)
        start_state(run);
    else if (resume_from(run, &state, error) < 0)
        return -1;
    run->operations->put_object(run->backend, result->object);
    run->operations->put_probe(run->backend, result->probe);
    result->plan_seconds = seconds_since(start);
    return 0;
}

int ff_run(const struct ff_problem *problem, const struct ff_run_settings *settings,
           const struct ff_run_watch *watch, struct ff_span resume, struct ff_run_result *result,
           struct ff_error *error)
{
    static const struct ff_run_watch nobody;
    struct ff_run_result made = {0};
    struct run run = {
        .problem = problem,
        .settings = settings,
        .watch = watch != NULL ? watch : &nobody,
        .operations = &ff_backend_cpu,
        .random = ff_random_seed(settings->seed),
        .result = &made,
        .begun_ns = ff_monotonic_ns(),
    };
    ff_buffer_init(&run.saved, ff_checkpoint_limit(problem, settings));
    ff_buffer_init(&run.solver_state, ff_checkpoint_limit(problem, settings));
    double pixels = measured_pixels(problem);
    int outcome = choose_algorithm(&run, error);
    if (outcome == 0)
        outcome = prepare(&run, resume, error);
    if (outcome == 0)
        outcome = iterate(&run, pixels, error);
    if (outcome == 0 && made.end != FF_RUN_YIELDED)
        outcome = finish(&run, pixels, error);
    if (run.backend != NULL)
        run.operations->destroy(run.backend);
    if (run.solver != NULL)
        run.algorithm->destroy(run.solver);
    ff_buffer_dispose(&run.saved);
    ff_buffer_dispose(&run.solver_state);
    if (outcome == 0)
        *result = made;
    else
        ff_run_result_dispose(&made);
    return outcome;
}

void ff_run_result_dispose(struct ff_run_result *result)
{
    free(result->object);
    free(result->probe);
    free(result->costs);
    memset(result, 0, sizeof *result);
}

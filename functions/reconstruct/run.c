#include "functions/reconstruct/run.h"

#include "functions/reconstruct/identity.h"
#include "functions/reconstruct/refine/modes.h"
#include "functions/reconstruct/solvers/solvers.h"
#include "protocol/core/clock.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

struct run {
    const struct ff_problem *problem;
    const struct ff_run_settings *settings;
    const struct ff_run_watch *watch;
    const struct ff_solver_operations *algorithm;
    struct ff_devices *devices;
    struct ff_solver *solver;
    struct ff_refiner *refiner;
    struct ff_random random;
    struct ff_run_result *result;
    uint32_t *batch; /* room for the patterns of one */
    struct ff_buffer identity;
    struct ff_buffer solver_bytes; /* of the last checkpoint */
    size_t epoch;                  /* done */
    double epoch_seconds;          /* of the last one */
    int64_t begun_ns;              /* the run, planning included */
    int64_t started_ns;            /* the first epoch */
    int64_t kept_ns;               /* when the last checkpoint was tried, or the epochs began */
    size_t kept_epoch;             /* of the last checkpoint, or the one gone on from; 0: none */
};

/* Slow epochs are saved more often than the user asked for: nobody wants to lose more than this. */
static const double checkpoint_within_s = 60;

/* Above so many times the measured counts the cost is that of a run that went astray: check_cost(). */
enum { COST_LIMIT = 9 };

/* What the bytes of an algorithm's own may come to. */
enum { SOLVER_BYTES_MAX = 1 << 26, IDENTITY_BYTES_MAX = 1 << 16 };

const char *ff_run_end_name(enum ff_run_end end)
{
    static const char *const names[] = {"done", "asked", "time", "converged", "yielded"};
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

/* A device's description without its number of threads, which changes nothing. */
static void code_path(const char *description, char path[160])
{
    const char *threads = strstr(description, " thread");
    const char *number = threads;
    while (number != NULL && number > description && number[-1] >= '0' && number[-1] <= '9')
        number--;
    const char *rest = threads != NULL ? strchr(threads, ',') : NULL;
    if (rest != NULL)
        snprintf(path, 160, "%.*s%s", (int)(number - description), description, rest + 1);
    else
        snprintf(path, 160, "%s", description);
}

/* The code path, the library and its plans, and how the patterns are cut decide the last bits. */
static bool same_bits(const struct run *run, const struct ff_checkpoint_view *view)
{
    char there[160];
    char here[160];
    code_path(view->device, there);
    code_path(ff_devices_describe(run->devices), here);
    return strcmp(there, here) == 0 &&
           ff_span_equal(view->transforms, ff_devices_transforms(run->devices));
}

/* After the devices were made with the checkpoint's transforms and have the state. */
static int resume_from(struct run *run, const struct ff_checkpoint_view *view,
                       struct ff_error *error)
{
    struct ff_run_result *result = run->result;
    if (run->algorithm->restore(run->solver, view->solver, error) < 0 ||
        ff_checkpoint_put_fields(view, run->problem, result->state,
                                 run->algorithm->fields(run->solver), run->devices, error) < 0)
        return -1;
    run->random = view->random;
    run->epoch = run->kept_epoch = result->resumed_at = view->epoch;
    char text[512];
    snprintf(text, sizeof text, "going on after epoch %zu", view->epoch);
    note(run, text);
    if (!same_bits(run, view)) {
        snprintf(text, sizeof text,
                 "the checkpoint was made on \"%s\", this is \"%s\": the result will agree to "
                 "rounding, not bit for bit",
                 view->device, ff_devices_describe(run->devices));
        note(run, text);
    }
    return 0;
}

static int write_checkpoint(struct run *run, struct ff_error *error)
{
    struct ff_checkpoint checkpoint = {
        .epoch = run->epoch,
        .random = run->random,
        .identity = ff_buffer_span(&run->identity),
        .transforms = ff_devices_transforms(run->devices),
        .costs = run->result->costs,
        .state = run->result->state,
        .fields = run->algorithm->fields(run->solver),
    };
    ff_state_fetch(run->result->state, run->devices);
    ff_buffer_clear(&run->solver_bytes);
    run->algorithm->save(run->solver, &run->solver_bytes);
    if (ff_buffer_check(&run->solver_bytes, "the solver's state", error) < 0)
        return -1;
    checkpoint.solver = ff_buffer_span(&run->solver_bytes);
    snprintf(checkpoint.device, sizeof checkpoint.device, "%s", ff_devices_describe(run->devices));
    return ff_checkpoint_write(run->problem, &checkpoint, run->devices, run->watch->checkpoint,
                               error);
}

static int keep_checkpoint(struct run *run)
{
    struct ff_error error;
    if (run->watch->checkpoint == NULL)
        return -1;
    run->kept_ns = ff_monotonic_ns();
    if (write_checkpoint(run, &error) == 0) {
        run->kept_epoch = run->epoch;
        return 0;
    }
    char text[FF_ERROR_MESSAGE_SIZE + 32];
    snprintf(text, sizeof text, "no checkpoint: %s", error.message);
    note(run, text);
    return -1;
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

/* Whether the cost has all but stopped falling. */
static bool converged(const struct run *run)
{
    const struct ff_run_settings *settings = run->settings;
    const double *last = run->result->costs + run->epoch - 1;
    if (settings->stop_when <= 0 || !ff_refiner_is_settled(run->refiner, run->epoch) ||
        ff_refiner_since(run->refiner, run->epoch) <= settings->stop_window)
        return false;
    double before = last[-(ptrdiff_t)settings->stop_window];
    return before - *last < settings->stop_when * before;
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
    else if (converged(run))
        result->end = FF_RUN_CONVERGED;
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

/* What to do about it, as far as the settings tell. */
static int hint_divergence(const struct run *run, struct ff_error *error)
{
    const struct ff_refine_settings *refine = &run->settings->refine;
    char kept[80] = "";
    if (run->kept_epoch > 0)
        snprintf(kept, sizeof kept, "; the checkpoint of epoch %zu is kept", run->kept_epoch);
    return ff_hint(error,
                   "lower step_object and step_probe, raise alpha, %s%s%suse fewer batches%s",
                   refine->opr_modes > 0 ? "take fewer opr_modes, " : "",
                   refine->positions ? "lower step_positions, " : "",
                   run->settings->solver.momentum > 0 ? "lower momentum, " : "or ", kept);
}

/*
 * An object without light would leave the cost Σd. Where object and probe explain as much light as was measured, none is
 * above 2 Σd, whatever they look like; above COST_LIMIT Σd they hold at least (√COST_LIMIT - 1)² = 4 times as much light
 * as was measured: no way to an answer leads through there.
 */
static int check_cost(const struct run *run, double cost, struct ff_error *error)
{
    double dark = run->problem->total_counts;
    if (!isfinite(cost))
        ff_fail(error, FF_TASK_FAILED,
                "the reconstruction diverged in epoch %zu: its cost is no number", run->epoch);
    else if (cost > COST_LIMIT * dark)
        ff_fail(error, FF_TASK_FAILED,
                "the reconstruction diverged in epoch %zu: its cost is %.3g times that of no light "
                "at all",
                run->epoch, cost / dark);
    else
        return 0;
    return hint_divergence(run, error);
}

static void preview(struct run *run)
{
    if (!due(run->epoch, run->settings->preview_every) || run->watch->preview == NULL)
        return;
    ff_state_fetch(run->result->state, run->devices);
    struct ff_run_view view = {run->problem, run->result->state, run->epoch};
    run->watch->preview(run->watch->user, &view);
}

/* The patterns from `first` on that make one batch, in `room`. */
static struct ff_batch plain_batch(const struct run *run, size_t first, uint32_t *room)
{
    size_t limit = run->algorithm->batch_limit(run->solver);
    size_t left = run->problem->patterns - first;
    size_t count = left < limit ? left : limit;
    for (size_t i = 0; i < count; i++)
        room[i] = (uint32_t)(first + i);
    return (struct ff_batch){room, count};
}

/* Refinements after an epoch. What a solver's own passes do not leave of their terms gets a pass; its cost is not that of the epoch. */
static int refine(struct run *run, unsigned want, struct ff_error *error)
{
    struct ff_cost ignored;
    unsigned missing = want & ~run->algorithm->refines;
    if (missing != 0) {
        for (size_t first = 0; first < run->problem->patterns;) {
            struct ff_batch batch = plain_batch(run, first, run->batch);
            ff_devices_gradients(run->devices, batch, missing);
            first += batch.count;
        }
        if (ff_devices_take_cost(run->devices, &ignored, error) < 0)
            return -1;
    }
    const struct ff_refined solver = {run->algorithm->fields(run->solver),
                                      run->algorithm->eigenprobe_every};
    int moved = ff_refiner_apply(run->refiner, run->epoch, run->devices, run->result->state,
                                 &solver, error);
    if (moved > 0 && run->algorithm->changed != NULL)
        run->algorithm->changed(run->solver);
    return moved < 0 ? -1 : 0;
}

/* Velocities of the last object would push the new one. */
static int rest_velocities(struct run *run, struct ff_error *error)
{
    const struct ff_problem *problem = run->problem;
    size_t object = ff_state_object_elements(problem);
    size_t probe = ff_state_probe_elements(problem, run->result->state);
    ff_complex *zeros =
        ff_array_create(object > probe ? object : probe, sizeof *zeros, "velocities", error);
    if (zeros == NULL)
        return -1;
    for (const enum ff_field *field = run->algorithm->fields(run->solver); *field != FF_FIELDS;
         field++)
        if (*field == FF_OBJECT_VELOCITY || *field == FF_PROBE_VELOCITY)
            ff_devices_put(run->devices, *field, zeros);
    free(zeros);
    return 0;
}

/* Object and probe, and with them all that the solver remembers. */
static int begin_anew(struct run *run, struct ff_error *error)
{
    if (rest_velocities(run, error) < 0)
        return -1;
    ff_refiner_begin_anew(run->refiner, run->devices, run->result->state);
    run->algorithm->destroy(run->solver);
    run->solver = run->algorithm->create(run->problem, &run->settings->solver, error);
    return run->solver != NULL ? 0 : -1;
}

static int one_epoch(struct run *run, double pixels, struct ff_error *error)
{
    struct ff_cost cost;
    int64_t start = ff_monotonic_ns();
    unsigned want = ff_refiner_want(run->refiner, run->epoch + 1);
    if (run->epoch > 0 && ff_refiner_since(run->refiner, run->epoch + 1) == 1 &&
        begin_anew(run, error) < 0)
        return -1;
    const struct ff_epoch epoch = {
        .number = run->epoch + 1,
        .since = ff_refiner_since(run->refiner, run->epoch + 1),
        .want = want & run->algorithm->refines,
        .random = &run->random,
    };
    unsigned passes = run->algorithm->epoch(run->solver, run->devices, &epoch);
    run->epoch++;
    if (ff_devices_take_cost(run->devices, &cost, error) < 0 ||
        check_cost(run, cost.amplitude / passes, error) < 0 || refine(run, want, error) < 0)
        return -1;
    run->epoch_seconds = seconds_since(start);
    report(run, cost.amplitude / passes, pixels);
    return 0;
}

static int iterate(struct run *run, double pixels, struct ff_error *error)
{
    run->started_ns = run->kept_ns = ff_monotonic_ns();
    while (run->epoch < run->settings->solver.epochs) {
        if (one_epoch(run, pixels, error) < 0)
            return -1;
        if (should_end(run))
            break;
        preview(run);
        if (checkpoint_due(run))
            (void)keep_checkpoint(run);
    }
    run->result->epochs = run->epoch;
    run->result->iterate_seconds = seconds_since(run->started_ns);
    return 0;
}

/* All patterns, whatever the size of a batch. */
static int cost_of_all(struct run *run, struct ff_cost *cost, struct ff_error *error)
{
    for (size_t first = 0; first < run->problem->patterns;) {
        struct ff_batch batch = plain_batch(run, first, run->batch);
        ff_devices_cost(run->devices, batch);
        first += batch.count;
    }
    return ff_devices_take_cost(run->devices, cost, error);
}

static void report_refinements(struct run *run)
{
    struct ff_buffer notes;
    ff_buffer_init(&notes, 4096);
    ff_refiner_report(run->refiner, run->result->state, run->epoch, &notes);
    const char *line = ff_buffer_text(&notes);
    while (*line != '\0') {
        char text[512];
        size_t length = strcspn(line, "\n");
        snprintf(text, sizeof text, "%.*s", (int)length, line);
        note(run, text);
        line += length + (line[length] == '\n');
    }
    ff_buffer_dispose(&notes);
}

/* The figures of exactly what is returned: modes orthogonalised, all patterns, one forward pass. */
static int finish(struct run *run, double pixels, struct ff_error *error)
{
    const struct ff_problem *problem = run->problem;
    struct ff_run_result *result = run->result;
    struct ff_state *state = result->state;
    struct ff_cost cost;
    int64_t start = ff_monotonic_ns();
    ff_state_fetch(state, run->devices);
    /* With eigenprobes the first mode is not one probe but many: mixing it with others would change
     * what the patterns are explained by. */
    if (state->eigenprobes == 0 &&
        ff_modes_orthogonalise(state->probe, state->modes,
                               problem->probe_rows * problem->probe_columns, error) < 0)
        return -1;
    ff_devices_put(run->devices, FF_PROBE, state->probe);
    /* The last step may be the one that went astray: only this pass sees it. */
    if (cost_of_all(run, &cost, error) < 0 || check_cost(run, cost.amplitude, error) < 0)
        return -1;
    report_refinements(run);
    result->cost = cost.amplitude / pixels;
    result->r = sqrt(cost.amplitude / problem->total_counts);
    result->final_seconds = seconds_since(start);
    return 0;
}

static const struct ff_backend_operations *backend_of(const struct ff_run_settings *settings)
{
    return settings->operations != NULL ? settings->operations : &ff_backend_cpu;
}

static int make_devices(struct run *run, struct ff_span transforms, struct ff_error *error)
{
    const struct ff_run_settings *settings = run->settings;
    const struct ff_devices_plan plan = {
        .problem = run->problem,
        .operations = backend_of(settings),
        .count = settings->devices,
        .travel_px = run->problem->travel_px,
        .modes = run->problem->modes,
        .eigenprobes = settings->refine.opr_modes,
        .batch_limit = run->algorithm->batch_limit(run->solver),
        .exit_limit =
            run->algorithm->exit_limit != NULL ? run->algorithm->exit_limit(run->solver) : 0,
        .needs = run->algorithm->needs(run->solver),
        .noise = settings->noise,
        .subpixel = settings->subpixel,
        .engine = settings->engine,
        .threads = settings->threads,
        .cores = settings->cores,
        .core_count = settings->core_count,
        .cache_folder = settings->cache_folder,
        .transforms = transforms,
    };
    run->devices = ff_devices_create(&plan, error);
    return run->devices != NULL ? 0 : -1;
}

/* All but the devices. */
static int make_parts(struct run *run, struct ff_error *error)
{
    const struct ff_problem *problem = run->problem;
    const struct ff_run_settings *settings = run->settings;
    struct ff_run_result *result = run->result;
    run->algorithm = ff_solver_by_name(settings->algorithm, error);
    if (run->algorithm == NULL)
        return -1;
    result->state = ff_state_create(problem, settings->refine.opr_modes, error);
    result->costs =
        ff_array_create(settings->solver.epochs + 1, sizeof(double), "the costs", error);
    if (result->state == NULL || result->costs == NULL)
        return -1;
    run->solver = run->algorithm->create(problem, &settings->solver, error);
    if (run->solver == NULL)
        return -1;
    run->refiner =
        ff_refiner_create(problem, &settings->refine, run->algorithm->batch_limit(run->solver),
                          settings->solver.epochs, settings->seed, result->state, error);
    run->batch = ff_array_create(run->algorithm->batch_limit(run->solver), sizeof *run->batch,
                                 "a batch", error);
    return run->refiner != NULL && run->batch != NULL ? 0 : -1;
}

static void dispose(struct run *run)
{
    ff_devices_destroy(run->devices);
    if (run->solver != NULL)
        run->algorithm->destroy(run->solver);
    ff_refiner_destroy(run->refiner);
    free(run->batch);
    ff_buffer_dispose(&run->identity);
    ff_buffer_dispose(&run->solver_bytes);
}

/* Those of a checkpoint say nothing to another kind of device, which then chooses for itself. */
static struct ff_span transforms_of(const struct run *run, const struct ff_checkpoint_view *view)
{
    const char *name = backend_of(run->settings)->name;
    size_t length = strlen(name);
    bool same_kind = strncmp(view->device, name, length) == 0 && view->device[length] == ':';
    return same_kind ? view->transforms : (struct ff_span){NULL, 0};
}

static int prepare(struct run *run, struct ff_span resume, struct ff_error *error)
{
    const struct ff_problem *problem = run->problem;
    const struct ff_run_settings *settings = run->settings;
    struct ff_run_result *result = run->result;
    struct ff_checkpoint_view view = {0};
    int64_t start = ff_monotonic_ns();
    bool resumes = resume.size > 0;
    if (make_parts(run, error) < 0)
        return -1;
    if (resumes || run->watch->checkpoint != NULL) /* it hashes the first object and probe */
        ff_run_identity(problem, settings, &run->identity);
    if (resumes &&
        (ff_checkpoint_open(resume, ff_buffer_span(&run->identity), settings->solver.epochs, &view,
                            error) < 0 ||
         ff_checkpoint_take_state(&view, problem, result->costs, result->state, error) < 0))
        return -1;
    if (make_devices(run, transforms_of(run, &view), error) < 0)
        return -1;
    snprintf(result->device, sizeof result->device, "%s", ff_devices_describe(run->devices));
    result->bytes = ff_devices_bytes(run->devices);
    result->device_bytes = ff_devices_bytes_apart(run->devices);
    ff_state_put(result->state, run->devices);
    if (resumes && resume_from(run, &view, error) < 0)
        return -1;
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
        .random = ff_random_seed(settings->seed),
        .result = &made,
        .begun_ns = ff_monotonic_ns(),
    };
    ff_buffer_init(&run.identity, IDENTITY_BYTES_MAX);
    ff_buffer_init(&run.solver_bytes, SOLVER_BYTES_MAX);
    double pixels = measured_pixels(problem);
    int outcome = prepare(&run, resume, error);
    if (outcome == 0)
        outcome = iterate(&run, pixels, error);
    if (outcome == 0 && made.end != FF_RUN_YIELDED)
        outcome = finish(&run, pixels, error);
    dispose(&run);
    if (outcome == 0)
        *result = made;
    else
        ff_run_result_dispose(&made);
    return outcome;
}

/* In bytes, and 0 where the kernel does not say. */
static size_t resident(void)
{
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL)
        return 0;
    int found = fscanf(file, "%*u %lu", &pages);
    fclose(file);
    return found == 1 ? pages * (size_t)sysconf(_SC_PAGESIZE) : 0;
}

/* The devices' planes come untouched from the kernel: made and not used they take no memory. */
int ff_run_measure_footprint(const struct ff_problem *problem,
                             const struct ff_run_settings *settings,
                             struct ff_run_footprint *footprint, struct ff_error *error)
{
    static const struct ff_run_watch nobody;
    struct ff_run_result made = {0};
    struct run run = {
        .problem = problem,
        .settings = settings,
        .watch = &nobody,
        .result = &made,
    };
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    size_t most = (size_t)usage.ru_maxrss * 1024;
    int outcome = make_parts(&run, error);
    size_t held = resident();
    if (outcome == 0)
        outcome = make_devices(&run, (struct ff_span){NULL, 0}, error);
    if (outcome == 0) {
        held += ff_devices_bytes(run.devices);
        /* What a driver takes for its contexts is known when it has taken it. */
        if (backend_of(settings)->is_apart && resident() > held)
            held = resident();
        footprint->bytes = held > most ? held : most;
        footprint->device_bytes = ff_devices_bytes_apart(run.devices);
        snprintf(footprint->device, sizeof footprint->device, "%s",
                 ff_devices_describe(run.devices));
    }
    dispose(&run);
    ff_run_result_dispose(&made);
    return outcome;
}

void ff_run_result_dispose(struct ff_run_result *result)
{
    ff_state_destroy(result->state);
    free(result->costs);
    memset(result, 0, sizeof *result);
}

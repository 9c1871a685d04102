/*
 * functions/reconstruct/run.h: one reconstruction from a checked problem to object, probe and
 * figures: the loop over epochs with progress, previews, stop, time limit and checkpoints. Knows no
 * files and no messages.
 */
#ifndef FF_RECONSTRUCT_RUN_H
#define FF_RECONSTRUCT_RUN_H

#include "functions/reconstruct/checkpoint.h"
#include "functions/reconstruct/refine/refine.h"
#include "functions/reconstruct/solvers/solver.h"

struct ff_run_settings {
    const char *algorithm; /* "rpie" */
    struct ff_solver_settings solver;
    struct ff_refine_settings refine;
    enum ff_noise noise;
    enum ff_subpixel subpixel;
    enum ff_engine engine;
    uint64_t seed;
    const struct ff_backend_operations *operations; /* of the devices; NULL: the CPU's */
    unsigned devices;                               /* at least 1 */
    unsigned threads;                               /* of all devices together; 0: one a core */
    const int *cores;
    unsigned core_count;
    const char *cache_folder; /* transform plans; may be NULL */
    size_t preview_every;     /* epochs; 0: never */
    size_t checkpoint_every;  /* epochs, and once a minute; 0: only when asked to */
    double
        stop_when; /* ends when the cost fell by less than this fraction over stop_window epochs; 0: never */
    size_t stop_window;
    double time_limit_s; /* of the run, planning and final pass included: it ends before the
                                 epoch that would pass it, but not before the first; 0: none */
};

struct ff_run_epoch {
    size_t epoch, epochs;
    double cost;    /* mean of (√I - √d)² over measured pixels, as met during the epoch */
    double r;       /* √(Σ(√I - √d)² / Σd) */
    double seconds; /* since the first epoch began, of this process */
};

/* The state in the middle of a run: borrowed for the length of the callback. */
struct ff_run_view {
    const struct ff_problem *problem;
    const struct ff_state *state; /* object and probe as of this epoch */
    size_t epoch;
};

enum ff_run_order { FF_RUN_ON, FF_RUN_STOP, FF_RUN_CHECKPOINT };

/* What a run tells and asks; every entry may be NULL. All are called from the thread of ff_run. */
struct ff_run_watch {
    void *user;
    void (*epoch)(void *user, const struct ff_run_epoch *epoch);
    void (*preview)(void *user, const struct ff_run_view *view);
    void (*note)(void *user, const char *text);
    enum ff_run_order (*asked)(void *user);
    /* Where checkpoints go, NULL: nowhere. Failure is noted and the run goes on. */
    const struct ff_checkpoint_sink *checkpoint;
};

enum ff_run_end {
    FF_RUN_DONE,      /* all epochs */
    FF_RUN_ASKED,     /* the user asked to stop and keep */
    FF_RUN_TIME,      /* the time limit */
    FF_RUN_CONVERGED, /* the cost no longer fell (stop_when) */
    FF_RUN_YIELDED,   /* a checkpoint was asked for and written: there is no result */
};

/* "done", "asked", "time", "converged", "yielded". */
const char *ff_run_end_name(enum ff_run_end end);

struct ff_run_result {
    struct ff_state *state; /* modes orthogonal, strongest first. Owned */
    double *costs;          /* one an epoch. Owned */
    size_t epochs;          /* done */
    size_t resumed_at;      /* epochs that an earlier process did */
    double cost, r;         /* of object and probe as they are here, all patterns */
    enum ff_run_end end;
    double plan_seconds, iterate_seconds, final_seconds;
    char device[160];
    size_t bytes;        /* held beside the problem, of the host */
    size_t device_bytes; /* held by devices with memory of their own */
};

/*
 * Runs. `resume` is a checkpoint that an earlier run of the same problem and settings kept, or
 * empty; one of other data or settings is refused with the difference named. On the same kind of
 * CPU the result is the same, bit for bit, as without the interruption; on another it agrees to
 * rounding, and the run says so.
 *
 * A run whose cost is no number, or above nine times the measured counts (R above 3), has diverged:
 * FF_TASK_FAILED. The epoch in which that is seen is not kept: the checkpoint before it stays.
 */
int ff_run(const struct ff_problem *problem, const struct ff_run_settings *settings,
           const struct ff_run_watch *watch, struct ff_span resume, struct ff_run_result *result,
           struct ff_error *error) FF_MUST_USE;

struct ff_run_footprint {
    /* Of memory that this process, which holds the problem, would have resident at most while ff_run() ran and its result
     * was written: what it holds now and what the run would add. */
    size_t bytes;
    size_t device_bytes; /* of the devices that have memory of their own, all together */
    char device[160];    /* what would compute */
};

/*
 * The parts of a run are made for that and not used, so it allocates what the run would and fails where that does; what
 * they are made of is hardly touched. Not counted are previews and the checkpoint while it is written, which take some
 * bytes a pixel of the object and only matter in small runs.
 */
int ff_run_measure_footprint(const struct ff_problem *problem,
                             const struct ff_run_settings *settings,
                             struct ff_run_footprint *footprint,
                             struct ff_error *error) FF_MUST_USE;

/* Frees what the result owns. */
void ff_run_result_dispose(struct ff_run_result *result);

#endif

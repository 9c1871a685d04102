/*
 * functions/reconstruct/solvers/solver.h: an algorithm, written once over devices/devices.h.
 *
 * A solver owns the order of stages and a few numbers of its own; the devices own object, probe and
 * everything of their shapes. run.c owns the loop over epochs, progress, stop, previews and
 * checkpoints; refine/ what moves between two epochs.
 */
#ifndef FF_RECONSTRUCT_SOLVERS_SOLVER_H
#define FF_RECONSTRUCT_SOLVERS_SOLVER_H

#include "functions/reconstruct/devices/devices.h"
#include "functions/reconstruct/solvers/random.h"

#include "protocol/core/bytes.h"

/* In the order of the choices of the setting `step`. */
enum ff_step { FF_STEP_BATCH, FF_STEP_POSITION };

/* The settings that solvers read, each by the name that users give it. */
struct ff_solver_settings {
    size_t epochs;
    size_t batches;       /* an epoch, ≥ 1; algorithms that take all patterns at once ignore it */
    size_t early_batches; /* the same for the first early_epochs epochs */
    size_t early_epochs;
    double early_alpha; /* alpha in these: small batches leave gaps in the weights */
    double alpha;       /* 0 … 1: regularisation of the weights; of dm and raar the relaxation */
    double step_object; /* 0: the object is known */
    double step_probe;  /* 0: the probe is known */
    double momentum;    /* 0 … 1 */
    enum ff_step step;
    size_t probe_start; /* first epoch, counted from 1, in which the probe moves */
};

/* One epoch, as run.c asks for it. */
struct ff_epoch {
    size_t number; /* counts from 1 */
    /* Likewise from where object and probe began: the number, unless refinements have them begin anew. */
    size_t since;
    /* Terms of patterns that refinements need of this epoch: of FF_WANT_POSITIONS, _STRAINS, _SCALES, _WEIGHTS, and of those in
     * `refines` of the solver. Its passes form χ of every pattern once, and leave them; for the others run.c makes a
     * pass of its own behind the epoch. So it is for the weights where one step of the epoch moves all that the
     * patterns see: eigenprobes have then become others than those that the terms were formed with. */
    unsigned want;
    struct ff_random *random;
};

struct ff_solver;

struct ff_solver_operations {
    const char *name; /* as in the setting `algorithm` */
    unsigned refines; /* see ff_epoch */
    /* Epochs after which one more eigenprobe takes part. All at once from the start they explain what the unfinished
     * object gets wrong, which then hardly changes any more: 4 where an epoch is one step, 1 where it is many. */
    size_t eigenprobe_every;

    struct ff_solver *(*create)(const struct ff_problem *problem,
                                const struct ff_solver_settings *settings, struct ff_error *error);
    void (*destroy)(struct ff_solver *solver);

    /* What the devices are to be created with: most patterns in one batch, and a set of enum
     * ff_need. */
    size_t (*batch_limit)(const struct ff_solver *solver);
    /* Most patterns that FF_NEED_EXIT is for at once. NULL: there is no such need. */
    size_t (*exit_limit)(const struct ff_solver *solver);
    unsigned (*needs)(const struct ff_solver *solver);

    /* One epoch. The devices gather the cost as it was met on the way, and any failure: run.c asks
     * them afterwards. Returns how often the cost of all patterns was met: at least once. */
    unsigned (*epoch)(struct ff_solver *solver, struct ff_devices *devices,
                      const struct ff_epoch *epoch);

    /* Object, probe, positions, scales or weights were changed between two epochs (refinements,
     * constraints): what the solver keeps of them is no longer true. NULL: it keeps nothing. */
    void (*changed)(struct ff_solver *solver);

    /* What resuming needs beside object, probe, positions, scales, weights and random state: the
     * fields of the devices, ended by FF_FIELDS (run.c saves and puts them), and bytes of its own.
     * Restoring what was not saved by the same algorithm fails; after it, fields() are those that
     * were saved. */
    const enum ff_field *(*fields)(const struct ff_solver *solver);
    void (*save)(const struct ff_solver *solver, struct ff_buffer *state);
    int (*restore)(struct ff_solver *solver, struct ff_span state, struct ff_error *error);
};

extern const struct ff_solver_operations ff_solver_lstsq;
extern const struct ff_solver_operations ff_solver_rpie;
extern const struct ff_solver_operations ff_solver_epie;
extern const struct ff_solver_operations ff_solver_cgrad;
extern const struct ff_solver_operations ff_solver_dm;
extern const struct ff_solver_operations ff_solver_raar;
extern const struct ff_solver_operations ff_solver_ml;

#endif

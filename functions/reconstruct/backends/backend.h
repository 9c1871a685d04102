/*
 * functions/reconstruct/backends/backend.h: where the numbers are moved. Solvers are written once
 * over this table.
 *
 * The interface works on batches of patterns by stage, not on elementwise array operations: the CPU
 * backend runs all stages of one pattern while it lies in cache, a GPU backend runs each stage for
 * the whole batch around a batched transform. Everything is allocated and planned in create;
 * nothing allocates afterwards.
 *
 * Notation: n a pattern of the batch, m a mode, S_n = the object's patch at the position of n
 * (4-tap bilinear), F_nm = FFT(S_n P_m) orthonormal, I_n = Σ_m |F_nm|², d_n the counts, all sums
 * over measured pixels.
 *
 * The stages, and where they run (which algorithm needs which: solvers/):
 *
 *   forward    F_nm from object and probe                                   cost(), gradients()
 *   modulus    f = Σ (√I - √d)²;  χ_nm = IFFT(F_nm (√d/√I - 1))             cost() f alone, gradients()
 *   gradients  N_O = Σ_n scatter(Σ_m P_m* χ_nm), W = Σ_n scatter(Σ_m |P_m|²),
 *              N_P,m = Σ_n S_n* χ_nm,            V = Σ_n |S_n|²             gradients()
 *   update     O += s_O N_O / D(W), P_m += s_P N_P,m / D(V),
 *              D(X) = (1-α) X + α max X                                     update()
 *
 * Batch rPIE and ePIE (α = 1) are gradients and update. What the other algorithms add fits the same
 * shape, as further entries at the end of this table: LSQ-ML weighs N_O / D(W) by two sums over the
 * batch; conjugate gradients keep the F of a batch and add the forward of a direction and the sums
 * of a line search over both; difference map and RAAR keep exit waves between calls. Several
 * devices are the backend's business: it owns the tiles, and the four sums above are what it
 * exchanges before update().
 *
 * Sums are made in a fixed number of lanes that depends on the problem alone, and the lanes are
 * added in a fixed order: the same input gives the same bits for any number of threads.
 */
#ifndef FF_RECONSTRUCT_BACKENDS_BACKEND_H
#define FF_RECONSTRUCT_BACKENDS_BACKEND_H

#include "functions/reconstruct/problem.h"
#include "protocol/core/bytes.h"

/* What create needs. The problem must outlive the backend: its counts are used where they lie. */
struct ff_backend_plan {
    const struct ff_problem *problem;
    size_t modes;
    size_t batch_limit; /* most patterns in one batch */
    unsigned threads;   /* 0: one a core */
    const int
        *cores; /* the CPU cores to stay on, by kernel number; NULL: all that the process may use */
    unsigned core_count;
    /* Where transform plans are kept; NULL: plan by estimate, keep nothing. */
    const char *cache_folder;
    /* The transforms of an earlier process, to be made again to the bit; or empty. */
    struct ff_span transforms;
};

/* Patterns of one batch, by index into the problem. The backend chooses the order of work. */
struct ff_batch {
    const uint32_t *patterns;
    size_t count;
};

/* What gradients() shall accumulate. */
enum ff_backend_want { FF_WANT_OBJECT = 1, FF_WANT_PROBE = 2 };

struct ff_backend_step {
    float alpha;
    float step_object; /* 0 leaves the object */
    float step_probe;  /* 0 leaves the probe */
};

struct ff_backend;

struct ff_backend_operations {
    const char *name; /* "cpu" */

    struct ff_backend *(*create)(const struct ff_backend_plan *plan, struct ff_error *error);
    void (*destroy)(struct ff_backend *backend);

    /* One line about the device and code path: "cpu: 2 threads, AVX-512, FFTW 3.3.10". Borrowed. */
    const char *(*describe)(const struct ff_backend *backend);

    /* Dense host arrays of the problem's shapes: object (rows, columns), probe (modes, rows,
     * columns). */
    void (*put_object)(struct ff_backend *backend, const ff_complex *object);
    void (*get_object)(struct ff_backend *backend, ff_complex *object);
    void (*put_probe)(struct ff_backend *backend, const ff_complex *probe);
    void (*get_probe)(struct ff_backend *backend, ff_complex *probe);

    /* forward, modulus and gradients of a batch, replacing the sums of the last one. Adds f to the
     * backend's cost. `want` is a set of enum ff_backend_want. */
    void (*gradients)(struct ff_backend *backend, struct ff_batch batch, unsigned want);

    /* update with the sums of the last gradients(). */
    void (*update)(struct ff_backend *backend, struct ff_backend_step step);

    /* forward and f alone; adds to the backend's cost. */
    void (*cost)(struct ff_backend *backend, struct ff_batch batch);

    /* The cost gathered since the last call, which begins anew at zero. The stages above only queue
     * work on a device: this waits for it, and is where a device that failed since is reported (by
     * name; the backend is then good for nothing but destroy). Call it once an epoch, not once a
     * batch. */
    int (*take_cost)(struct ff_backend *backend, double *cost, struct ff_error *error);

    /* `count` times the transforms of gradients() for one pattern (2 × modes), on all threads, and
     * nothing else: the limit that benchmarks are compared with. Returns the seconds. */
    double (*time_transforms)(struct ff_backend *backend, size_t count);

    /* What makes the same transforms again, to the bit, in another process on the same kind of
     * device: opaque text, borrowed. When the plan's own `transforms` could be followed, it is that. */
    struct ff_span (*transforms)(const struct ff_backend *backend);

    /* Bytes that the backend holds beside the problem. */
    size_t (*bytes)(const struct ff_backend *backend);
};

extern const struct ff_backend_operations ff_backend_cpu;

#endif

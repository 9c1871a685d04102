/*
 * functions/reconstruct/backends/backend.h: where the numbers are moved. One backend object is one
 * device with its part of the problem: a tile of the object, and the patterns whose patches lie in
 * it. devices/devices.h joins several into one; solvers are written over that, and never see this
 * table.
 *
 * The interface works on batches of patterns by stage, not on elementwise array operations: the CPU
 * backend runs all stages of one pattern while it lies in cache, a GPU backend runs each stage for
 * the whole batch around a batched transform. Everything is allocated and planned in create;
 * nothing allocates afterwards. A stage may only queue its work; what returns numbers waits for it.
 *
 * Notation (shapes and conventions: problem.h). n a pattern of the batch, k a position within its
 * exposure, m a mode, c an eigenprobe, s_n the amplitude scale of a pattern (1 unless intensities are
 * fitted), w_nc the weight of an eigenprobe.
 *
 *   P_nm   = P_m for m > 0, P_n0 = P_0 + Σ_c w_nc E_c              the probe that pattern n saw
 *   S_nk   = s_n × the patch of the object at the position          bilinear taps, or whole pixels with
 *                                                                    the probe shifted by the rest
 *   F_nkm  = propagate(pad(S_nk P_nm)),  I_n = Σ_k Σ_m |F_nkm|²,  d_n the counts
 *
 * The stages of a pattern, and the calls that run them:
 *
 *   forward    F from object and probe, or from what is kept of it     all below
 *   modulus    f = Σ (√I - √d)² over measured pixels;
 *              χ = back(F (√d/√I - 1)), or back(F (d/I - 1) / 2) where noise is Poisson;
 *              0 where nothing was measured                            gradients()
 *   gradients  N_O = Σ scatter(s_n Σ_m P_nm* χ_nkm),  W = Σ scatter(s_n² Σ_m |P_nm|²),
 *              N_P,m = Σ S_nk* χ_nkm,                  V_m = Σ |S_nk|² for m > 0,
 *              N_E,c = Σ w_nc S_nk* χ_nk0,             V_0 = V_c = Σ (1 + Σ_c w_nc²) |S_nk|²
 *
 * χ is minus the derivative of f (of half the Poisson likelihood) by the conjugate of the exit wave:
 * N_O and N_P point downhill. The sums are partial until settle() and spread() have added those of the
 * other devices; every device then holds the same numbers wherever tiles overlap, bit for bit, and
 * takes the same step.
 *
 * Sums are made in a fixed number of lanes that depends on the problem alone, and the lanes are
 * added in a fixed order: the same input gives the same bits for any number of threads.
 */
#ifndef FF_RECONSTRUCT_BACKENDS_BACKEND_H
#define FF_RECONSTRUCT_BACKENDS_BACKEND_H

#include "functions/reconstruct/problem.h"
#include "protocol/core/bytes.h"

/* A rectangle of the object, in its pixels. */
struct ff_area {
    size_t row, column, rows, columns;
};

/* Where this device's tile overlaps that of another. */
struct ff_link {
    unsigned peer;       /* number of the other device */
    struct ff_area area; /* in pixels of the object */
};

/* In the order of the choices of the settings `noise` and `subpixel`. */
enum ff_noise { FF_NOISE_GAUSSIAN, FF_NOISE_POISSON };
/* Counts that Poisson intensities are raised by, so that a dark pixel neither divides by nothing nor has no logarithm. */
#define FF_POISSON_DARK 1e-4
/* ρ of struct ff_projection: how much a wave weighs against the likelihood of what was measured. */
#define FF_POISSON_PROXIMAL 1
enum ff_subpixel { FF_SUBPIXEL_BILINEAR, FF_SUBPIXEL_FOURIER };

/* What makes the transforms, in the order of the choices of the setting `transform`: a library, the backend's own
 * where it has one for the shape and device at hand, or the faster of both, unless the transforms of an earlier process
 * are wanted again. */
enum ff_engine { FF_ENGINE_AUTO, FF_ENGINE_LIBRARY, FF_ENGINE_OWN };

/* What an algorithm keeps on the device beside object, probe and their sums. */
enum ff_need {
    FF_NEED_EXIT = 1,       /* χ of the first mode for a batch, or a sample of it: fit() */
    FF_NEED_WAVES = 2,      /* a wave for each pattern, position and mode: FF_WAVES */
    FF_NEED_DIRECTIONS = 4, /* directions and last gradients of object and probe */
    FF_NEED_VELOCITIES = 8, /* update() with momentum */
    FF_NEED_LINE =
        16, /* line() along one of object and probe, which keeps the waves of the direction */
    FF_NEED_JOINT_LINE = 32, /* line() along both at once */
};

/* What create needs. The problem must outlive the backend: its counts are used where they lie; its
 * positions, object and probe are not looked at (put() gives them). */
struct ff_backend_plan {
    const struct ff_problem *problem;
    const uint32_t *patterns; /* the device's own, by index into the problem; copied */
    size_t pattern_count;
    struct ff_area
        tile; /* of the object; the patches of all of them lie inside, wherever positions may move */
    const struct ff_area *owned; /* the parts of the tile that this device counts in sums over the
                                    object: no other device has them. Copied */
    size_t owned_count;
    const struct ff_link *links; /* overlaps with other devices, by number of the peer. Copied */
    size_t link_count;
    unsigned number, count;      /* of this device, and of all */
    const struct ff_area *tiles; /* (count): those of all. Looked at in create alone */
    /* (count): the physical device that each uses, by its number among those of the kind that the process sees. NULL: each
     * that of its own number. Copied */
    const unsigned *places;

    size_t modes, eigenprobes;
    size_t batch_limit; /* most of its patterns in one batch */
    size_t exit_limit;  /* most of them that χ_0 is kept of at once; 0: a whole batch */
    unsigned needs;     /* set of enum ff_need */
    enum ff_noise noise;
    enum ff_subpixel subpixel;
    enum ff_engine engine;

    unsigned threads; /* at least 1 */
    const int
        *cores; /* the CPU cores to stay on, by kernel number; NULL: all that the process may use */
    unsigned core_count;
    /* Where transform plans are kept; NULL: plan by estimate, keep nothing. */
    const char *cache_folder;
    /* The transforms of an earlier process, to be made again to the bit; or empty. */
    struct ff_span transforms;
};

/* Patterns of one batch, by place in plan->patterns. The backend chooses the order of work. */
struct ff_batch {
    const uint32_t *patterns;
    size_t count;
};

/*
 * What lies on a device and can be read and written. Complex numbers are pairs of float, or of double
 * in a backend of double precision (`real_bytes`); dense and row-major.
 */
enum ff_field {
    /* of the object's shape: here that of the tile (tile.rows, tile.columns) */
    FF_OBJECT,
    FF_OBJECT_DIRECTION,
    FF_OBJECT_GRADIENT, /* N_O at the last turn() */
    FF_OBJECT_VELOCITY,
    /* of the probe's shape: (modes + eigenprobes, probe rows, probe columns), the modes first */
    FF_PROBE,
    FF_PROBE_DIRECTION,
    FF_PROBE_GRADIENT,
    FF_PROBE_VELOCITY,
    FF_FIELDS_WHOLE, /* so many of the above */
    /* a row for each pattern of the device, in the order of plan->patterns */
    /* double (fly, 2): row and column in the whole object, as in problem.h; a patch that would leave the tile
     * is put at its border */
    FF_POSITIONS = FF_FIELDS_WHOLE,
    FF_SCALES,  /* double: s_n */
    FF_WEIGHTS, /* double (eigenprobes): w_nc */
    FF_WAVES,   /* complex (fly, modes, rows, columns): F or exit waves */
    FF_FIELDS,
};

/* Where the model is dark and counts were measured, the phase of F is chance, and χ blows up whatever
 * made it: steps of many small batches, and projections, then drift apart from the least difference
 * of rounding. Bounded, χ is at most so many times F: a wave grows fourfold at once. */
enum { FF_CHI_BOUND = 3 };

/* What gradients() and overlap() shall do beside the sums. */
enum ff_want {
    FF_WANT_OBJECT = 1,       /* N_O, W */
    FF_WANT_PROBE = 2,        /* N_P, V; N_E where there are eigenprobes */
    FF_WANT_POSITIONS = 4,    /* FF_TERMS_POSITIONS of the batch */
    FF_WANT_SCALES = 8,       /* FF_TERMS_SCALES of the batch */
    FF_WANT_WEIGHTS = 16,     /* FF_TERMS_WEIGHTS of the batch */
    FF_WANT_EXIT = 32,        /* keep χ_n0 of the patterns of sample() for fit() */
    FF_WANT_WAVES = 64,       /* keep F in FF_WAVES */
    FF_WANT_FROM_WAVES = 128, /* take F from FF_WAVES instead of forming it */
    FF_WANT_BOUNDED = 256,    /* χ from at most FF_CHI_BOUND × F */
    FF_WANT_STRAINS = 512,    /* FF_TERMS_STRAINS of the batch */
    FF_WANT_STEP =
        1024, /* the sums are for one update() without momentum alone, and need not be made whole before */
};

/* Numbers for each pattern that a pass leaves, in double, a row for each pattern of the device. */
enum ff_terms {
    /* (fly, 5): b_y b_x A_yy A_yx A_xx with b_a = Re Σ (∂_a S)* Σ_m P_m* χ_m and
     * A_ab = Re Σ (∂_a S)* ∂_b S Σ_m |P_m|²: the move that fits χ best solves A δ = b. Where the probe is shifted
     * instead of the patch, b is that of this shift, and A has the differences to the next pixel. */
    FF_TERMS_POSITIONS,
    /* (2): Σ √(I d), Σ I over measured pixels: s_n × their ratio fits best. */
    FF_TERMS_SCALES,
    /* Re Σ (S E_c)* χ_0 of each eigenprobe, then Re Σ (S E_c)* S E_d of the pairs d ≤ c, c by c: the change of
     * the weights that fits χ_0 best solves the equations with this matrix. */
    FF_TERMS_WEIGHTS,
    /* (fly, 19): what a deformation of the patch about its middle, S(r) → S(r + M r), would do; with the distances
     * y and x of a pixel from the middle, b_ab = Re Σ r_b (∂_a S)* Σ_m P_m* χ_m and h_ab as A_ab above but
     * for the sum: b_yy b_yx b_xy b_xx; Σ h y, Σ h x of h_yy, then of h_yx, h_xx; Σ h y², Σ h y x, Σ h x²
     * of each likewise. */
    FF_TERMS_STRAINS,
    /* (1): Σ (√I - √d)² over measured pixels, at the last gradients() or cost() of the pattern. */
    FF_TERMS_COSTS,
    /* (6): of fit(); a row for each pattern, those outside of the last batch are not set. With
     * u = patch(D_O) P_n0 and v = S (D_P,0 + Σ_c w_nc D_E,c):
     * Σ|u|², Σ|v|², Re Σ u v*, Im Σ u v*, Re Σ u* χ_0, Re Σ v* χ_0. */
    FF_TERMS_STEPS,
};

/* O += step_object N_O / D(W), P_m += step_probe N_P,m / D(V_m), with D(X) = (1-α) X + α max X, the
 * maximum over all devices. With a momentum μ, velocities take the steps' place:
 * U ← μ U + step, O += U. */
struct ff_update {
    double alpha_object, alpha_probe;
    double step_object, step_probe; /* 0 leaves it */
    double momentum;                /* 0 … 1; above 0 needs FF_NEED_VELOCITIES */
    bool normalised;                /* normalise() has divided by D already */
};

/* Sums over pixels for a step length: over `owned` for the object, over all pixels and modes for the
 * probe. */
struct ff_length_terms {
    double object_slope, object_curve; /* Σ |N_O|²/D, Σ |N_O|² W/D² */
    double probe_slope, probe_curve;   /* likewise */
};

/* Sums for the turn of conjugate gradients. g = N now, g' = N at the last turn, z = g / √(X² + (α max X)²)
 * with X = W or V, d the direction. The object's over `owned`. */
struct ff_turn_terms {
    double zg;     /* Re <z, g> */
    double z_last; /* Re <z, g'> */
    double dg;     /* Re <d, g> */
};

/* The objective along a line, and its derivatives by γ, over measured pixels. */
struct ff_line_terms {
    double value, slope, curve;
    double majoriser; /* a curvature that is never too small: 2 Σ (quadratic coefficient of I) */
};

/* Ψ += b back(modulus(forward((1-c) Ψ + c P S))) + a P S - (a + b) Ψ (Thibault et al. 2009; ptypy's
 * form): difference map with a = -α, b = 1, c = 1+α; RAAR with a = 1-2β, b = β, c = 2.
 * modulus() makes a wave at most 1 + FF_CHI_BOUND times as large. Where noise is Poisson it is the
 * proximal map of the likelihood, which goes a part of the way only: √I becomes the z that minimises
 * z² - d ln z² + ρ (z - √I)² (Chang, Lou, Duan and Marchesini, SIAM J. Imaging Sci. 11, 3133 (2018)),
 * z = (ρ √I + √(ρ² I + 4 (1+ρ) d)) / (2 (1+ρ)). */
struct ff_projection {
    double a, b, c;
};

struct ff_cost {
    double amplitude; /* Σ (√I - √d)² over measured pixels */
    double objective; /* the same, or Σ (I - d ln I) where noise is Poisson */
};

/* The parts that a stage acts on. */
enum ff_part { FF_PART_OBJECT = 1, FF_PART_PROBE = 2 };

struct ff_backend;

struct ff_backend_operations {
    const char *name;  /* "cpu" */
    size_t real_bytes; /* of the numbers in fields: 4, or 8 */
    /* A device beside the host: what it holds is none of the host's memory, and a host thread of its own waits for it,
     * whatever threads there are to compute with. */
    bool is_apart;

    /* How many physical devices there are to choose from. NULL: as many as are asked for. */
    unsigned (*present)(void);

    /* What joins the first `count` physical devices, for devices/placement.h: bytes a second from row to column into
     * `links` (count, count), what each can read from all others together into `ports` (count). NULL: all are as near to
     * each other. */
    int (*links)(unsigned count, double *links, double *ports, struct ff_error *error);

    struct ff_backend *(*create)(const struct ff_backend_plan *plan, struct ff_error *error);
    void (*destroy)(struct ff_backend *backend);

    /* One line about the device and code path, last what makes the transforms: "cpu: 2 threads, AVX-512, vector
     * transform". Borrowed. */
    const char *(*describe)(const struct ff_backend *backend);

    /* A whole field of the object's or the probe's shape. */
    void (*put)(struct ff_backend *backend, enum ff_field field, const void *values);
    void (*get)(struct ff_backend *backend, enum ff_field field, void *values);
    /* Rows [first, first + count) of a field of patterns. */
    void (*put_rows)(struct ff_backend *backend, enum ff_field field, size_t first, size_t count,
                     const void *values);
    void (*get_rows)(struct ff_backend *backend, enum ff_field field, size_t first, size_t count,
                     void *values);

    /* --- sums over patterns: partial until settled --- */

    /* forward, modulus and gradients of a batch, replacing the sums of the last one. Adds f to the
     * cost. `want` is a set of enum ff_want. */
    void (*gradients)(struct ff_backend *backend, struct ff_batch batch, unsigned want);
    /* The same sums with χ = Ψ - P S of the kept exit waves: no transform, no cost. `want` is of
     * FF_WANT_OBJECT and FF_WANT_PROBE. */
    void (*overlap)(struct ff_backend *backend, struct ff_batch batch, unsigned want);
    /*
     * Both ends of the exchange between devices, `peers` being all of them by number, this one
     * included. All devices call gradients() or overlap() with the same `want`, then all settle(), then
     * all spread(), and none begins one before all have done the one before. settle() adds the other
     * devices' object sums where tiles overlap, in the order of their numbers, its share of the probe's
     * sums, and finds the greatest weights; spread() takes the others' shares and the greatest of all. With FF_WANT_STEP a backend
     * may do that later, in update() and take_steps().
     */
    void (*settle)(struct ff_backend *backend, struct ff_backend *const *peers);
    void (*spread)(struct ff_backend *backend, struct ff_backend *const *peers);

    /* --- steps with settled sums --- */

    void (*update)(struct ff_backend *backend, const struct ff_update *update);
    /* After it, on all devices: with FF_WANT_STEP one device may have taken the step of what others have too, which these then
     * have of it. `peers` as above. */
    void (*take_steps)(struct ff_backend *backend, struct ff_backend *const *peers);
    /* Waits. With the divisors of `update`. */
    struct ff_length_terms (*lengths)(struct ff_backend *backend, const struct ff_update *update);
    /* N_O ← N_O / D(W) and N_P ← N_P / D(V), for fit() and update(). */
    void (*normalise)(struct ff_backend *backend, const struct ff_update *update);
    /* The patterns, among those of the next batch, whose χ_0 gradients() keeps: at most exit_limit.
     * Until it is called, those of the whole batch are kept. */
    void (*sample)(struct ff_backend *backend, struct ff_batch patterns);
    /* The second pass of LSQ-ML over those of the last batch whose χ_0 gradients() kept, all of them:
     * FF_TERMS_STEPS, with the normalised sums as D_O and D_P. */
    void (*fit)(struct ff_backend *backend, struct ff_batch batch);

    /* --- conjugate gradients: `part` is one of enum ff_part --- */

    /* Waits. */
    struct ff_turn_terms (*turn_terms)(struct ff_backend *backend, enum ff_part part, double alpha);
    /* d ← z + β d, and keeps N as the last gradient. */
    void (*turn)(struct ff_backend *backend, enum ff_part part, double alpha, double beta);
    /* Forms the waves of the direction of `parts` (a set) for a batch, and the coefficients of
     * I(γ) along it from these and FF_WAVES: quadratic along one part, quartic along both. */
    void (*line)(struct ff_backend *backend, struct ff_batch batch, unsigned parts);
    /* Waits. At γ, over all patterns that line() was last called for since the last advance(). */
    struct ff_line_terms (*line_terms)(struct ff_backend *backend, double gamma);
    /* O += γ d, P += γ d of `parts`; along one part also FF_WAVES += γ × those of the direction. */
    void (*advance)(struct ff_backend *backend, unsigned parts, double gamma);

    /* --- projections on kept exit waves --- */

    /* Ψ = P S. */
    void (*start_waves)(struct ff_backend *backend, struct ff_batch batch);
    /* One step of Ψ; adds f of P S to the cost. */
    void (*project)(struct ff_backend *backend, struct ff_batch batch,
                    const struct ff_projection *projection);

    /* --- figures --- */

    /* forward and f alone; adds to the cost. */
    void (*cost)(struct ff_backend *backend, struct ff_batch batch);
    /* Waits. The cost gathered since the last call, which begins anew at zero. Here a device that
     * failed since is reported (by name; the backend is then good for nothing but destroy). Call it
     * once an epoch, not once a batch. */
    int (*take_cost)(struct ff_backend *backend, struct ff_cost *cost, struct ff_error *error);
    /* Waits. (pattern_count, width of the kind). */
    void (*get_terms)(struct ff_backend *backend, enum ff_terms terms, double *values);
    /* Two-dimensional transforms of one wave done since create, by all stages. */
    uint64_t (*transforms_done)(const struct ff_backend *backend);
    /* Bytes that this device has read from others since create. */
    uint64_t (*bytes_exchanged)(const struct ff_backend *backend);

    /* `count` times the transforms of gradients() for one pattern (2 × modes), on all threads, and
     * nothing else: with FF_ENGINE_LIBRARY the limit that benchmarks are compared with. Returns
     * the seconds. */
    double (*time_transforms)(struct ff_backend *backend, size_t count);

    /* What makes the same transforms again, to the bit, in another process on the same kind of
     * device: opaque text, borrowed. When the plan's own `transforms` could be followed, it is that. */
    struct ff_span (*transforms)(const struct ff_backend *backend);

    /* Bytes that the backend holds beside the problem, where its device has its memory. */
    size_t (*bytes)(const struct ff_backend *backend);

    /* Bytes that a backend apart from the host holds of the host's memory. NULL: none. */
    size_t (*host_bytes)(const struct ff_backend *backend);
};

extern const struct ff_backend_operations ff_backend_cpu;
/* The same code in double precision, plain x86-64: for tests of adjoints and gradients. */
extern const struct ff_backend_operations ff_backend_cpu_double;

/* Numbers in one row of the terms of a kind. */
size_t ff_terms_width(enum ff_terms terms, size_t fly, size_t eigenprobes);

#endif

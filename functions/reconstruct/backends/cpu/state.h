/*
 * functions/reconstruct/backends/cpu/state.h: what the CPU backend holds, and the pieces that its stages share. Private
 * to backends/cpu; sums.h is the part that the exchange between devices needs.
 */
#ifndef FF_RECONSTRUCT_BACKENDS_CPU_STATE_H
#define FF_RECONSTRUCT_BACKENDS_CPU_STATE_H

#include "functions/reconstruct/backends/cpu/kernels.h"
#include "functions/reconstruct/backends/cpu/plan.h"
#include "functions/reconstruct/pool.h"

enum {
    LANE_LIMIT = 32,
    LANES_ALWAYS = 16,      /* whatever memory their sums take */
    SUMS_ALWAYS = 32 << 20, /* bytes that the lanes' sums may take, however few the counts */
    PATTERNS_A_LANE = 24, /* with fewer in a lane, adding the lanes costs more than threads gain */
    ROW_PIECES = 32,      /* into so many pieces rows are cut for sums and updates */
    TILE_MARGIN = 16,     /* zero columns left of a tile: the taps look one to the left */
    PLANE_MARGIN = 48,    /* columns right of the object that whole vectors may touch */
    TERM_KINDS = FF_TERMS_STEPS + 1,
};

#define NO_EXIT UINT32_MAX

/* Sums over patterns. Row r of the tile is row r - first_row of the object's planes. */
struct sums {
    size_t first_row;
    struct ff_planes object;  /* N_O */
    ff_real *weight;          /* W */
    struct ff_planes *probe;  /* N_P of the modes, then N_E of the eigenprobes */
    ff_real **power;          /* V of the modes, then that of the first one and its eigenprobes */
    struct ff_wave *spectrum; /* of what `probe` shall be, where probes are shifted */
};

/* A lane's share of a batch. Its patterns touch rows [first_row, end_row) of the tile. */
struct lane {
    uint32_t first, end; /* its patterns in the sorted batch */
    size_t first_row, end_row;
    struct sums *sums; /* where it adds up; while it runs */
    struct ff_cost cost;
    struct ff_line_terms line;
};

/* Where a patch lies in the tile, and how it is read and written. */
struct place {
    size_t row, column;
    struct ff_taps taps;       /* with the scale of the pattern */
    struct ff_taps light_taps; /* with its square */
    double rest[2];            /* that the probe is shifted by; 0 where the taps do it */
};

/* What one position of a pattern is made of. */
struct exposure {
    struct place place;
    struct ff_planes patch;
    const struct ff_planes *probes; /* modes, then eigenprobes; shifted where the taps are whole */
    const ff_real *light;           /* Σ_m |P_m|² in the shape of a tile */
};

/* What a thread works in. */
struct workspace {
    struct exposure *exposures; /* one a position of a pattern */
    struct ff_planes tile;      /* Σ_m P_m* χ_m */
    struct ff_wave *waves;      /* (positions, modes) */
    struct ff_wave *others; /* (2, positions, modes) along directions, where lines are searched */
    struct ff_wave *kept;   /* (positions, modes), of those kept of a pattern */
    struct ff_planes other_patch;
    struct ff_planes **probes; /* where patterns have probes of their own: (positions + 1) sets */
    ff_real **lights;          /* likewise, one a position */
    ff_real *power;            /* |S|², where there are eigenprobes */
    struct ff_wave spectrum;   /* of the probe's shape, where probes are shifted */
    double ramp_distance[2];   /* that the ramps are of */
    struct ff_planes shifted[3];
    ff_real *ramps[4]; /* by row and by column, real and imaginary parts */
    uint64_t transforms;
};

struct ff_backend;

/* One pattern, `local` by its place among the device's own, `index` in the sorted batch. */
typedef void pattern_work(struct ff_backend *backend, struct lane *lane, struct workspace *space,
                          uint32_t local, uint32_t index);

struct ff_backend {
    const struct ff_problem *problem;
    const struct ff_kernels *kernels;
    struct ff_pool *pool;
    struct ff_plan *plan;       /* of patterns */
    struct ff_plan *shift_plan; /* of the probe, where it is shifted */
    char description[160];

    unsigned number, count; /* of this device, and of all */
    struct ff_area tile;
    struct ff_area *owned;
    size_t owned_count;
    struct ff_link *links;
    size_t link_count;

    size_t patterns, fly, modes, eigenprobes, probes; /* probes: modes and eigenprobes */
    size_t powers;                                    /* V: 2 where there are eigenprobes, else 1 */
    size_t batch_limit, exit_limit;
    unsigned needs;
    enum ff_noise noise;
    enum ff_subpixel subpixel;
    bool probes_differ; /* by pattern or position */

    size_t rows, columns, width;                   /* of the probe; width: whole vectors */
    size_t frame_rows, frame_columns, frame_width; /* of a pattern */
    size_t wave_stride, shift_stride;              /* complex values */
    size_t pad_row, pad_column;                    /* corner of the probe's window in a pattern */
    bool padded;
    ff_real scale, back;       /* as in struct ff_frame */
    struct ff_planes transfer; /* of the near field; empty in the far one */
    ff_real *weight;           /* the mask as 0 and 1, (frame_rows, frame_width), or NULL */

    /* Those of the object (tile.rows + 2, stride), and one for each probe (rows, width), zero beyond the columns. By
     * enum ff_field, from FF_OBJECT and FF_PROBE on; empty where not needed. */
    struct ff_planes object[4];
    struct ff_planes *probe[4];
    struct ff_wave *spectra; /* of FF_PROBE, where probes are shifted */
    ff_real *
        slopes[2]; /* derivatives of ramps by the distance, imaginary parts, by row and by column */
    ff_real *ones, *zeros; /* as many as the longer of both */
    ff_real *light;        /* Σ_m |P_m|² in the shape of a tile */
    ff_real *rest_light;   /* without the first mode, where that differs by pattern */

    uint32_t *numbers;                    /* of the device's patterns in the problem */
    double *positions, *scales, *weights; /* as in enum ff_field, positions in the whole object */
    double *terms[TERM_KINDS];
    char *exits;           /* (exit_limit, fly, rows, width) words */
    bool *sampled;         /* by pattern: whether χ_0 is kept; NULL where it never is */
    uint32_t *exit_places; /* in `exits`, by place in the sorted batch, or NO_EXIT */
    ff_real *waves;        /* (patterns, fly, modes, frame_rows, frame_width) complex */
    ff_real *directions;   /* likewise, along the line */
    ff_real *coefficients; /* (patterns, degree + 1, frame_rows, frame_width) */
    unsigned degree;       /* of the line at hand */
    bool *on_line;         /* patterns that line() was called for */

    struct lane lanes[LANE_LIMIT];
    unsigned lane_count; /* at most; small batches use fewer */
    unsigned wave;       /* of them at once: more have no sums of their own */
    struct sums *beside; /* (beside_count): of the lanes that do not add up in `sums` */
    unsigned beside_count;
    struct workspace *workspaces; /* one a thread */

    /* the batch at work */
    uint32_t *sorted; /* by row */
    size_t batch_count;
    unsigned lanes_used;
    unsigned first_lane, end_lane; /* those at work, or being merged */
    pattern_work *work;
    bool summing; /* the lanes' sums begin anew */
    unsigned line_parts;
    struct ff_projection projection;

    /* the sums at hand */
    unsigned want;
    struct sums sums;          /* of all lanes, for the whole tile */
    size_t first_row, end_row; /* rows that the batch touched */
    bool *touched;             /* by row of the tile */
    struct ff_planes nothing;  /* zeros in the place of a step, for fit() */
    ff_real piece_object[ROW_PIECES];
    ff_real *piece_probe; /* (powers, ROW_PIECES) */
    ff_real greatest_object;
    ff_real *greatest_probe; /* of each V */

    struct ff_cost cost; /* since it was last taken */
    uint64_t exchanged;
    struct ff_exchange *exchange; /* exchange.c; NULL for a single device */

    void **blocks; /* every allocation, for destroy */
    size_t block_count, block_limit;
    size_t bytes;
};

/* state.c: memory. */
int ff_cpu_allocate(struct ff_backend *backend, const struct ff_backend_plan *plan,
                    struct ff_error *error) FF_MUST_USE;
void ff_cpu_release(struct ff_backend *backend);
/* A zeroed block that destroy frees, or NULL. */
void *ff_cpu_block(struct ff_backend *backend, size_t count, size_t size, const char *what,
                   struct ff_error *error) FF_MUST_USE;

/* fields.c: what can be read and written. */
void ff_cpu_put(struct ff_backend *backend, enum ff_field field, const void *values);
void ff_cpu_get(struct ff_backend *backend, enum ff_field field, void *values);
void ff_cpu_put_rows(struct ff_backend *backend, enum ff_field field, size_t first, size_t count,
                     const void *values);
void ff_cpu_get_rows(struct ff_backend *backend, enum ff_field field, size_t first, size_t count,
                     void *values);
void ff_cpu_get_terms(struct ff_backend *backend, enum ff_terms terms, double *values);
/* The numbers of one pattern. */
double *ff_cpu_terms_of(struct ff_backend *backend, enum ff_terms terms, uint32_t local);
/* Wave i of a pattern, in `waves` or `directions`. */
struct ff_wave ff_cpu_kept_wave(const struct ff_backend *backend, ff_real *waves, uint32_t local,
                                size_t i);

/* batch.c: lanes. */
/* Does the work for every pattern of the batch, and adds the lanes' costs. */
void ff_cpu_run(struct ff_backend *backend, struct ff_batch batch, pattern_work *work);
/* The same with the sums of `want`, which begin at zero and are whole when it returns. */
void ff_cpu_sum(struct ff_backend *backend, struct ff_batch batch, unsigned want,
                pattern_work *work);

/* propagate.c: waves to the detector and back. */
int ff_cpu_propagation_create(struct ff_backend *backend, const struct ff_backend_plan *plan,
                              struct ff_error *error) FF_MUST_USE;
/* Of a wave whose window holds the exit wave. */
void ff_cpu_forward(struct ff_backend *backend, struct workspace *space, struct ff_wave wave);
void ff_cpu_back(struct ff_backend *backend, struct workspace *space, struct ff_wave wave);
/* shift.c: probes between pixels. */
void ff_cpu_make_slopes(struct ff_backend *backend);
/* to(r) = from(r - distance), or with `back` from(r + distance); pixels. */
void ff_cpu_shift(struct ff_backend *backend, struct workspace *space, struct ff_planes from,
                  const double distance[2], bool back, struct ff_planes to);
/* The spectra of all probes, for a batch. */
void ff_cpu_find_spectra(struct ff_backend *backend);
/* Probe i as the pattern saw it, shifted; and the derivatives of that by the distances along rows and columns. */
void ff_cpu_shift_probe(struct ff_backend *backend, struct workspace *space, size_t i,
                        uint32_t local, const double distance[2], struct ff_planes to);
void ff_cpu_derive_probe(struct ff_backend *backend, struct workspace *space, size_t i,
                         uint32_t local, const double distance[2], struct ff_planes by_row,
                         struct ff_planes by_column);
/* Leaves the spectrum of a product, shifted back, in space->spectrum. */
void ff_cpu_shift_back(struct ff_backend *backend, struct workspace *space,
                       struct ff_planes product, const double distance[2]);
/* Makes the lane's sums of spectra its sums of the probe. */
void ff_cpu_leave_spectra(struct ff_backend *backend, struct workspace *space, struct lane *lane);

/* exposure.c: what a pattern sees. */
struct place ff_cpu_place(const struct ff_backend *backend, uint32_t local, size_t k);
struct ff_planes ff_cpu_planes_at(struct ff_planes planes, const struct place *place);
struct ff_frame ff_cpu_frame(const struct ff_backend *backend, uint32_t local, bool kept);
/* Σ_m |P_m|² of a batch. */
void ff_cpu_light(struct ff_backend *backend);
/* P_0 + Σ_c w_nc E_c of `probes` (modes, then eigenprobes). */
void ff_cpu_vary(const struct ff_backend *backend, const struct ff_planes *probes, uint32_t local,
                 struct ff_planes to);
/* Of `probes` (modes, then eigenprobes), those of a pattern at a place: itself, or made in set `slot`. */
const struct ff_planes *ff_cpu_probes(struct ff_backend *backend, struct workspace *space,
                                      const struct ff_planes *probes, uint32_t local,
                                      const struct place *place, size_t slot);
/* Place, patch and probes of position k, in space->exposures; |S|² is added to the lane's sums unless `lane` is NULL.
 */
void ff_cpu_expose(struct ff_backend *backend, struct workspace *space, struct lane *lane,
                   uint32_t local, size_t k);
/* The same for all positions, and their waves at the detector. */
void ff_cpu_waves(struct ff_backend *backend, struct workspace *space, struct lane *lane,
                  uint32_t local);
/* The part of a wave where the exit wave lies. */
static inline struct ff_wave window_of(const struct ff_backend *backend, struct ff_wave wave)
{
    ff_real *corner = wave.values + 2 * (backend->pad_row * wave.stride + backend->pad_column);
    return (struct ff_wave){corner, wave.stride, backend->rows, backend->width};
}

/* gradients.c: passes that form sums. */
void ff_cpu_gradients(struct ff_backend *backend, struct ff_batch batch, unsigned want);
void ff_cpu_overlap(struct ff_backend *backend, struct ff_batch batch, unsigned want);
void ff_cpu_cost(struct ff_backend *backend, struct ff_batch batch);

/* merge.c: adding the lanes. */
/* Before the first lane runs: no row is touched yet. */
void ff_cpu_begin_merge(struct ff_backend *backend);
/* Lanes [from, to), which have run, to those before. */
void ff_cpu_merge(struct ff_backend *backend, unsigned from, unsigned to);
/* After the last: the maxima. */
void ff_cpu_end_merge(struct ff_backend *backend);

/* step.c, turn.c: steps with settled sums. */
/* Rows [*from, *to) of piece `piece` of the rows between first and end. */
void ff_cpu_rows_of(size_t first, size_t end, unsigned piece, size_t *from, size_t *to);
void ff_cpu_update(struct ff_backend *backend, const struct ff_update *update);
struct ff_length_terms ff_cpu_lengths(struct ff_backend *backend, const struct ff_update *update);
void ff_cpu_normalise(struct ff_backend *backend, const struct ff_update *update);
struct ff_turn_terms ff_cpu_turn_terms(struct ff_backend *backend, enum ff_part part, double alpha);
void ff_cpu_turn(struct ff_backend *backend, enum ff_part part, double alpha, double beta);

/* fit.c, line.c, projection.c: the other stages. */
void ff_cpu_sample(struct ff_backend *backend, struct ff_batch patterns);
/* Finds a place for χ_0 of each pattern of the sorted batch that it is kept of. */
void ff_cpu_place_exits(struct ff_backend *backend);
/* Where χ_0 lies, or shall lie. */
char *ff_cpu_exit_of(const struct ff_backend *backend, size_t exit_place, size_t k);
void ff_cpu_fit(struct ff_backend *backend, struct ff_batch batch);
void ff_cpu_line(struct ff_backend *backend, struct ff_batch batch, unsigned parts);
struct ff_line_terms ff_cpu_line_terms(struct ff_backend *backend, double gamma);
void ff_cpu_advance(struct ff_backend *backend, unsigned parts, double gamma);
void ff_cpu_start_waves(struct ff_backend *backend, struct ff_batch batch);
void ff_cpu_project(struct ff_backend *backend, struct ff_batch batch,
                    const struct ff_projection *projection);

#endif

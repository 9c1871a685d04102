/*
 * functions/reconstruct/backends/cuda/state.h: what the CUDA backend holds, and the pieces that its stages share. Private
 * to backends/cuda.
 *
 * A backend is one device with one stream of kernels, in order; what runs beside it (copies of counts, the exchange)
 * has streams of its own and says so by events. Stages queue; only those that answer with numbers wait.
 */
#ifndef FF_RECONSTRUCT_BACKENDS_CUDA_STATE_H
#define FF_RECONSTRUCT_BACKENDS_CUDA_STATE_H

#include "functions/reconstruct/backends/backend.h"
#include "functions/reconstruct/backends/cuda/exposure.h"
#include "functions/reconstruct/backends/cuda/memory.h"
#include "functions/reconstruct/backends/cuda/modulus.h"
#include "functions/reconstruct/backends/cuda/sums.h"
#include "functions/reconstruct/backends/cuda/transforms.h"
#include "functions/reconstruct/backends/cuda/whole.h"

enum {
    FF_CUDA_TERM_KINDS = FF_TERMS_STEPS + 1,
    FF_CUDA_LISTS = 4, /* batches whose lists may be on their way to the device at once */
};

/* The patterns of a batch, in the order of the work. What the host writes waits until its copy is done, and what the copy
 * writes until nothing reads it: so the host may be some batches ahead of the device. */
struct ff_cuda_list {
    uint32_t *
        host; /* (2, batch_limit): the patterns; with FF_WANT_EXIT behind them where χ_0 is kept of each. Pinned */
    uint32_t *device;  /* likewise */
    cudaEvent_t ready; /* copied */
    cudaEvent_t done;  /* the batch after it has begun */
};

struct ff_backend {
    const struct ff_problem *problem;
    struct ff_cuda_calls calls;
    struct ff_cuda_memory memory;
    char description[160];
    char transforms[96]; /* what makes them, for checkpoints */

    unsigned number, count; /* of this device, and of all */
    struct ff_area tile;
    struct ff_area *owned; /* (owned_count): the host's */
    size_t owned_count;
    struct ff_link *links;
    size_t link_count;

    struct ff_cuda_shape shape;
    size_t patterns, probes; /* probes: modes and eigenprobes */
    uint32_t powers;         /* V: 2 where there are eigenprobes, else 1 */
    size_t batch_limit, exit_limit;
    size_t chunk_limit; /* patterns at work at once */
    unsigned needs;
    enum ff_noise noise;
    enum ff_subpixel subpixel;
    bool shifted;      /* probes are shifted instead of patches */
    float scale, back; /* of unnormalised waves at the detector: struct ff_cuda_modulus */

    cudaStream_t stream;  /* the kernels of batches, in order */
    cudaStream_t copies;  /* what a batch needs from the host, ahead of it */
    cudaStream_t answers; /* what a batch leaves for the host, behind it */
    cudaStream_t beside;  /* the weights of the object, which need no χ, beside the first waves */
    cudaEvent_t modulus_done, numbers_done;
    cudaEvent_t begun, weighed;                  /* the batch; its weights are there */
    struct ff_cuda_transforms *waves_transforms; /* of frames */
    float2 *
        transfer; /* (frame_rows, frame_columns): H of the near field, divided by the pixels; NULL in the far one */
    uint8_t *measured; /* (frame_rows, frame_columns), or NULL */

    /* Of the tile, and (probes, rows, columns): by enum ff_field, from FF_OBJECT and FF_PROBE on; NULL where not needed. */
    float2 *object[4];
    float2 *probe[4];

    /* By pattern, as in enum ff_field; the host's, and what kernels need of them. */
    uint32_t *numbers; /* in the problem */
    double *positions, *scales, *weights;
    struct ff_cuda_place *places_host, *places; /* (patterns, fly): pinned, and on the device */
    float *weights_host, *weights_device;       /* (patterns, eigenprobes): likewise */
    bool *shares;      /* by pattern: whether it touches what other devices have too */
    uint32_t *along;   /* by pattern: how far along the curve that batches are sorted by */
    bool rows_changed; /* since they were last uploaded */
    double *terms[FF_CUDA_TERM_KINDS]; /* on the device; NULL where they cannot be asked for */
    double *cost_sums; /* (patterns, 2), on the device: since they were last taken */

    struct ff_cuda_frames counts; /* on the device, or none */
    struct ff_cuda_feed *feed;    /* counts.c: where they do not fit there; else NULL */

    /* the batch at work */
    struct ff_cuda_list lists[FF_CUDA_LISTS]; /* taken in turn */
    unsigned list;                            /* the one of the batch */
    unsigned greatest_turn;
    size_t batch_count;
    uint32_t *sorted;    /* (batch_limit): its patterns along the curve, the host's */
    bool *sorted_shared; /* likewise: whether they touch what other devices have too */
    size_t
        batch_shared; /* so many of them are chunks of their own before the rest; 0: they are not apart */
    size_t
        batch_offered; /* when so many are done, no other touches what is shared; 0: when all are */
    unsigned want;
    float2 *waves;         /* (chunk_limit, fly, modes, frame_rows, frame_columns) */
    double *piece_numbers; /* (batch_limit, pieces, FF_CUDA_PIECE_NUMBERS) */
    double *term_numbers;  /* (chunk_limit, fly, pieces, numbers): struct ff_cuda_terms */

    /* the sums at hand; also struct ff_cuda_sums */
    float2 *gradient;
    float *weight;
    float2 *probe_gradient;
    float *power;
    unsigned *
        greatest; /* (1 + powers): bits of the maxima of this device; after spread() of all devices */
    unsigned *
        greatest_turns; /* (FF_CUDA_LISTS, 1 + powers): whose turn is `greatest`, which is zero when a batch begins */

    struct ff_area *owned_device; /* (owned_count), in the tile */
    double *
        answer_pieces; /* on the device: (FF_CUDA_PARTS, FF_CUDA_ANSWER_PIECES, FF_CUDA_ANSWER_NUMBERS) */
    double *answer; /* pinned: (FF_CUDA_PARTS, FF_CUDA_ANSWER_NUMBERS); kernels write there */

    float2 *kept;                  /* (patterns, fly, modes, frame_rows, frame_columns): FF_WAVES */
    struct ff_cuda_exits *exits;   /* fit.c: FF_NEED_EXIT */
    struct ff_cuda_line *line;     /* line.c: FF_NEED_LINE, FF_NEED_JOINT_LINE */
    struct ff_cuda_shifts *shifts; /* shift.c: subpixel=fourier */
    struct ff_cuda_settled
        settled; /* while is_settled: the sums of the last exchange, for a step */
    bool is_settled;
    struct ff_cuda_settled_step step;  /* with them, while it is taken */
    bool object_offered;               /* of the batch at work: early */
    struct ff_cuda_exchange *exchange; /* settle.c: NULL for a single device */

    uint64_t transforms_done;
};

/* Where the chunk of the batch at work ends that begins at pattern `first`. Chunks are of equal counts, and where there are several
 * devices those of patterns that share pixels with others come first: so their sums can be exchanged while the rest is at work. */
size_t ff_cuda_chunk_end(const struct ff_backend *backend, size_t first);
/* What the kernels of that chunk are told. */
struct ff_cuda_chunk ff_cuda_chunk_of(const struct ff_backend *backend, size_t first);

/* All patterns of the batch as one chunk, for kernels that need no room for each. */
struct ff_cuda_chunk ff_cuda_whole_batch(const struct ff_backend *backend);

/* state.c: sizes, and memory for all of it. */
int ff_cuda_allocate_kept(struct ff_backend *backend, struct ff_error *error) FF_MUST_USE;
int ff_cuda_allocate(struct ff_backend *backend, const struct ff_backend_plan *plan,
                     struct ff_error *error) FF_MUST_USE;

/* fields.c: what can be read and written. */
void ff_cuda_put(struct ff_backend *backend, enum ff_field field, const void *values);
void ff_cuda_get(struct ff_backend *backend, enum ff_field field, void *values);
void ff_cuda_put_rows(struct ff_backend *backend, enum ff_field field, size_t first, size_t count,
                      const void *values);
void ff_cuda_get_rows(struct ff_backend *backend, enum ff_field field, size_t first, size_t count,
                      void *values);
void ff_cuda_get_terms(struct ff_backend *backend, enum ff_terms terms, double *values);

/* counts.c: what was measured, on the device where there is room when all else is there. */
int ff_cuda_load_counts(struct ff_backend *backend, struct ff_error *error) FF_MUST_USE;

/* The counts of the chunk that begins at pattern `first`, for kernels of backend->stream that are queued before
 * ff_cuda_frames_done(). Chunks go through in the order of the batch. */
struct ff_cuda_frames ff_cuda_frames_of(struct ff_backend *backend, size_t first,
                                        const struct ff_cuda_chunk *chunk);
void ff_cuda_frames_done(struct ff_backend *backend);
void ff_cuda_feed_destroy(struct ff_backend *backend);

/* batch.c: which patterns are at work. */
int ff_cuda_batches_create(struct ff_backend *backend, struct ff_error *error) FF_MUST_USE;
void ff_cuda_batches_destroy(struct ff_backend *backend);
/* Makes the device current, and the batch the one at work. Every stage that has a batch begins so, every other one with
 * ff_cuda_use() of calls.h. */
void ff_cuda_begin_batch(struct ff_backend *backend, struct ff_batch batch);
/* The same for one that forms the sums of `want`, which backend->want is until the next one: backend->greatest begins at zero, and where the batch is empty
 * the sums are. */
void ff_cuda_begin_sums(struct ff_backend *backend, struct ff_batch batch, unsigned want);
/* The kernels of backend->stream from here on come after the numbers of the last batch. */
void ff_cuda_await_numbers(struct ff_backend *backend);

/* propagate.c: waves to the detector and back. `count` waves, one behind the other. */
int ff_cuda_propagation_create(struct ff_backend *backend, struct ff_error *error) FF_MUST_USE;
void ff_cuda_forward(struct ff_backend *backend, float2 *waves, size_t count);
void ff_cuda_back(struct ff_backend *backend, float2 *waves, size_t count);

/* gradients.c: passes over the patterns of a batch. */
void ff_cuda_gradients(struct ff_backend *backend, struct ff_batch batch, unsigned want);
void ff_cuda_cost(struct ff_backend *backend, struct ff_batch batch);
/* What modulus() is told of a chunk that begins at pattern `first` of the batch. */
struct ff_cuda_modulus ff_cuda_modulus_of(const struct ff_backend *backend, size_t first);
/* The modulus of that chunk, with its counts. */
void ff_cuda_match(struct ff_backend *backend, size_t first, const struct ff_cuda_chunk *chunk,
                   struct ff_cuda_modulus *modulus);
/* Both costs of the batch, and FF_TERMS_SCALES where `scales`, from the pieces' numbers. */
void ff_cuda_leave_numbers(struct ff_backend *backend, bool scales);
/* The weights that a batch has of the object begin to be formed, where they can be had at once. Once for every batch with sums;
 * ff_cuda_form() of all chunks has the rest of W and all of V. */
void ff_cuda_weigh_batch(struct ff_backend *backend);
/* The exit waves of a chunk, into `waves` (NULL: nowhere), and its weights. */
void ff_cuda_form(struct ff_backend *backend, const struct ff_cuda_chunk *chunk,
                  const struct ff_cuda_probes *probes, float2 *waves);
/* Kernels of backend->stream from here on find the weights of the batch. */
void ff_cuda_await_weights(struct ff_backend *backend);
/* Adds what χ of a chunk, in backend->waves, asks of object and probe. */
void ff_cuda_add_sums(struct ff_backend *backend, const struct ff_cuda_chunk *chunk,
                      const struct ff_cuda_probes *probes);
/* A device without a pattern in the batch has sums all the same: zeros. */
void ff_cuda_clear_sums(struct ff_backend *backend);
/* Waves of a chunk. */
size_t ff_cuda_waves_of(const struct ff_cuda_chunk *chunk);
/* Leaves the costs of a chunk that begins at pattern `first` among the pieces' numbers. */
void ff_cuda_cost_of(struct ff_backend *backend, size_t first, const struct ff_cuda_chunk *chunk,
                     const struct ff_cuda_probes *probes);

/* projection.c: kept exit waves. */
void ff_cuda_overlap(struct ff_backend *backend, struct ff_batch batch, unsigned want);
void ff_cuda_start_waves(struct ff_backend *backend, struct ff_batch batch);
void ff_cuda_project(struct ff_backend *backend, struct ff_batch batch,
                     const struct ff_projection *projection);

/* line.c: the search along a direction. */
int ff_cuda_line_create(struct ff_backend *backend, struct ff_error *error) FF_MUST_USE;
void ff_cuda_line_destroy(struct ff_cuda_line *line);
void ff_cuda_line(struct ff_backend *backend, struct ff_batch batch, unsigned parts);
struct ff_line_terms ff_cuda_line_terms(struct ff_backend *backend, double gamma);
void ff_cuda_advance(struct ff_backend *backend, unsigned parts, double gamma);

/* terms.c: numbers of each pattern. */
int ff_cuda_terms_create(struct ff_backend *backend, struct ff_error *error) FF_MUST_USE;
/* How numbers of backend->term_numbers, which has all that a row has, become rows of these terms. */
struct ff_cuda_rows ff_cuda_rows_of(const struct ff_backend *backend, enum ff_terms terms);
/* Sets those that backend->want asks for of a chunk whose χ is in backend->waves. */
void ff_cuda_leave_terms(struct ff_backend *backend, const struct ff_cuda_chunk *chunk,
                         const struct ff_cuda_probes *probes);

/* shift.c: what patterns see of the probe. */
int ff_cuda_shifts_create(struct ff_backend *backend, struct ff_error *error) FF_MUST_USE;
void ff_cuda_shifts_destroy(struct ff_cuda_shifts *shifts);
/* Whatever was known of probes and positions may have changed. */
void ff_cuda_forget_spectra(struct ff_cuda_shifts *shifts);
/* What a chunk's patterns see, for kernels, of anything of the probe's shape: `source` is b->probe[0], or the direction or the
 * step of it. Good until the next chunk: one of b->probe[0] and one of another source at once. */
struct ff_cuda_probes ff_cuda_probes_of(struct ff_backend *backend,
                                        const struct ff_cuda_chunk *chunk, const float2 *source);
/* The same of the first `probes` alone, or of more than the modes: eigenprobes only of b->probe[0]. */
struct ff_cuda_probes ff_cuda_some_probes_of(struct ff_backend *backend,
                                             const struct ff_cuda_chunk *chunk,
                                             const float2 *source, uint32_t probes);
/* Where probes are shifted, between ff_cuda_probes_of(b->probe[0]) and the next chunk: spectra of S* χ of a chunk, and with FF_WANT_PROBE
 * those of N_P and N_E. `first` of the batch's chunks. */
void ff_cuda_find_products(struct ff_backend *backend, const struct ff_cuda_chunk *chunk,
                           bool first);
/* From the spectra of N_P and N_E to these. */
void ff_cuda_leave_spectra(struct ff_backend *backend);
/* b of FF_TERMS_POSITIONS into backend->term_numbers, FF_CUDA_SHIFT_NUMBERS a piece. Needs the products. */
void ff_cuda_shift_slopes(struct ff_backend *backend, const struct ff_cuda_chunk *chunk);

/* fit.c: χ_0 of some patterns, and what steps do to it. */
int ff_cuda_exits_create(struct ff_backend *backend, struct ff_error *error) FF_MUST_USE;
void ff_cuda_exits_destroy(struct ff_cuda_exits *exits);
void ff_cuda_sample(struct ff_backend *backend, struct ff_batch patterns);
/* Where χ_0 of each pattern of the batch at work goes: places (batch_count) are set. */
void ff_cuda_place_exits(struct ff_backend *backend, uint32_t *places);
/* Keeps that of a chunk, from backend->waves, that begins at pattern `first` of the batch. */
void ff_cuda_leave_exits(struct ff_backend *backend, size_t first,
                         const struct ff_cuda_chunk *chunk);
void ff_cuda_fit(struct ff_backend *backend, struct ff_batch batch);

/* settle.c: the backend among others. */
int ff_cuda_join_others(struct ff_backend *backend, const struct ff_backend_plan *plan,
                        struct ff_error *error) FF_MUST_USE;
/* With every batch that has sums, when its list is known. */
void ff_cuda_begin_exchange(struct ff_backend *backend);
/* Kernels of `stream` from here on may write sums anew, and the object. */
void ff_cuda_await_taken(struct ff_backend *backend, cudaStream_t stream);
/* W is there when `stream` has come here; V when backend->stream has. */
void ff_cuda_offer_weight(struct ff_backend *backend, cudaStream_t stream);
void ff_cuda_offer_power(struct ff_backend *backend);
/* All that reads or writes what the first `patterns` of the batch share is queued: when these are all that share pixels with other
 * devices, what is shared can be exchanged, and stepped, while the rest is at work. */
void ff_cuda_offer_early(struct ff_backend *backend, size_t patterns);
/* Whatever forms sums ends so: the others may have them. */
void ff_cuda_offer(struct ff_backend *backend);
void ff_cuda_settle(struct ff_backend *backend, struct ff_backend *const *peers);
void ff_cuda_spread(struct ff_backend *backend, struct ff_backend *const *peers);
/* Nothing takes the sums of the last exchange any more. */
void ff_cuda_forget_sums(struct ff_backend *backend);

/* step.c: steps with settled sums. */
void ff_cuda_update(struct ff_backend *backend, const struct ff_update *update);
void ff_cuda_take_steps(struct ff_backend *backend, struct ff_backend *const *peers);
struct ff_length_terms ff_cuda_lengths(struct ff_backend *backend, const struct ff_update *update);
void ff_cuda_normalise(struct ff_backend *backend, const struct ff_update *update);
struct ff_turn_terms ff_cuda_turn_terms(struct ff_backend *backend, enum ff_part part,
                                        double alpha);
void ff_cuda_turn(struct ff_backend *backend, enum ff_part part, double alpha, double beta);

#endif

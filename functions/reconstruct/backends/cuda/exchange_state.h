/*
 * functions/reconstruct/backends/cuda/exchange_state.h: what the exchange of one device holds. Private to exchange*.c.
 */
#ifndef FF_RECONSTRUCT_BACKENDS_CUDA_EXCHANGE_STATE_H
#define FF_RECONSTRUCT_BACKENDS_CUDA_EXCHANGE_STATE_H

#include "functions/reconstruct/backends/cuda/exchange.h"

/* What a device has done. Each but the last is followed by the same for who reads copies in memory of the host. */
enum done {
    DONE_WEIGHT, /* W formed */
    DONE_WEIGHT_COPIED,
    DONE_POWER, /* V formed */
    DONE_POWER_COPIED,
    DONE_OBJECT, /* N_O formed where it is shared */
    DONE_OBJECT_COPIED,
    DONE_PROBE, /* N_P and N_E formed */
    DONE_PROBE_COPIED,
    DONE_WEIGHING, /* W, V and the maxima settled */
    DONE_WEIGHING_COPIED,
    DONE_CELLS, /* N_O settled, or a step taken, in this device's cells */
    DONE_CELLS_COPIED,
    DONE_SHARE, /* N_P and N_E settled */
    DONE_SHARE_COPIED,
    DONE_TAKING, /* all that is read of others has been */
    DONE_COUNT,
};

/* Memory for whole sums of a share: maxima first, in a room of fixed size. */
struct share_room {
    unsigned *greatest;
    float *power;
    float2 *probe;
    size_t bytes;        /* of all */
    size_t maxima_bytes; /* of the maxima alone */
    size_t weight_bytes; /* of what is settled with the weights: maxima and V */
    size_t probe_bytes;  /* of the rest */
};

/* The overlap with a peer that cannot read this device's memory, in memory of the host, or NULL for a peer that can: partial sums
 * in the peer's cells, whole ones, or the object after a step, in this device's. */
struct link_copy {
    float2 *object; /* (rows, columns) of the link's area */
    float *weight;
};

struct ff_cuda_exchange {
    struct ff_cuda_calls *calls;
    struct ff_cuda_partial sums;
    unsigned number, count;
    struct ff_area tile;
    struct ff_link *links;
    struct link_copy *copies; /* (link_count) */
    size_t link_count;
    int places[FF_CUDA_DEVICES];
    bool reads[FF_CUDA_DEVICES];   /* the memory of these */
    bool read_by[FF_CUDA_DEVICES]; /* these read this one's; others read copies */
    bool is_copied;                /* some do not */

    cudaStream_t stream; /* weights, then what becomes of the object */
    cudaStream_t late;   /* what becomes of the probe */
    cudaStream_t
        copying; /* makes copies of partial sums, while the others may be at work already */
    cudaEvent_t done[DONE_COUNT];
    cudaEvent_t fetched, stepped; /* the object on `stream`, the probe on `late` */

    struct ff_cuda_cell *cells_host; /* (cell_count): pinned */
    size_t cell_count;
    struct ff_cuda_cells cells;
    uint32_t first_share_row, end_share_row;
    struct share_room share, share_copy; /* on the device; in memory of the host */
    float2 *probe_copy; /* of partial sums, likewise: those rows alone that are read */
    float *power_copy;

    /* the sums at hand */
    unsigned want;
    unsigned *greatest;          /* where the maxima of all shall be; first of this device */
    uint32_t first_row, end_row; /* of the object: what the batch touched */
    bool is_early;               /* its sums there were offered before the rest */
    bool owners_step;            /* for the others, who fetch it */
    bool is_shared_out;          /* the probe's sums are settled by shares */
    struct ff_cuda_exchange *peers[FF_CUDA_DEVICES]; /* NULL before the first */
    uint64_t bytes;
};

/* Rows [*first, *end) of the probe are the share of device `number`. */
void ff_cuda_share_rows(const struct ff_cuda_exchange *exchange, unsigned number, uint32_t *first,
                        uint32_t *end);

/* exchange_views.c: what this device reads of a peer, or of the copies that it makes. */
struct ff_cuda_view ff_cuda_view_of(const struct ff_cuda_exchange *exchange,
                                    const struct ff_cuda_exchange *peer);
/* What stands whole in a peer's cells: of `sums`, which has the shape of its tile, or as its copy. */
struct ff_cuda_whole ff_cuda_whole_of(const struct ff_cuda_exchange *exchange,
                                      const struct ff_cuda_exchange *peer, const float2 *sums);
/* Pixels that a device reads of others in its own cells: of what each of these has touched. */
uint64_t ff_cuda_pixels_of_parts(const struct ff_cuda_exchange *exchange, bool own_alone);
/* Pixels of the others' cells. */
uint64_t ff_cuda_pixels_of_others(const struct ff_cuda_exchange *exchange);
/* Of one plane: the share from all others, and later the others' shares. */
uint64_t ff_cuda_pixels_of_shares(const struct ff_cuda_exchange *exchange);

/* exchange_copies.c: for those who cannot read this device's memory, after what is queued on `stream`, which copies. */
/* Partial sums of a kind in the cells of those who settle them; W or N_O is NULL. */
void ff_cuda_copy_parts(struct ff_cuda_exchange *exchange, cudaStream_t stream,
                        const float2 *object, const float *weight);
/* What stands whole in this device's cells, likewise. */
void ff_cuda_copy_whole(struct ff_cuda_exchange *exchange, cudaStream_t stream,
                        const float2 *object, const float *weight);
/* The rows of the probe that are the shares of those, of one kind: `from` has planes of `size` bytes a pixel. */
void ff_cuda_copy_rows(struct ff_cuda_exchange *exchange, cudaStream_t stream, void *to,
                       const void *from, size_t planes, size_t size);
/* Rows [*first, *end) of an area that the batch of a device touched. */
void ff_cuda_touched_rows(const struct ff_cuda_exchange *exchange, struct ff_area area,
                          size_t *first, size_t *end);
struct ff_area ff_cuda_cell_area(const struct ff_cuda_cell *cell);

#endif

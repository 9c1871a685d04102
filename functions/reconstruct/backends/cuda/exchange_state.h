/*
 * functions/reconstruct/backends/cuda/exchange_state.h: what the exchange of one device holds. Private to exchange*.c.
 */
#ifndef FF_RECONSTRUCT_BACKENDS_CUDA_EXCHANGE_STATE_H
#define FF_RECONSTRUCT_BACKENDS_CUDA_EXCHANGE_STATE_H

#include "functions/reconstruct/backends/cuda/exchange.h"

/* What a device has done. Each but the last is followed by the same for who reads copies in memory of the host. */
enum done {
    DONE_OBJECT,
    DONE_OBJECT_COPIED,
    DONE_REST,
    DONE_REST_COPIED,
    DONE_SETTLING,
    DONE_SETTLING_COPIED,
    DONE_SPREADING,
    DONE_COUNT,
};

/* Memory for whole sums of a share: maxima first, in a room of fixed size. */
struct share_room {
    unsigned *greatest;
    float2 *probe;
    float *power;
    size_t bytes;        /* of all */
    size_t maxima_bytes; /* of the maxima alone */
};

/* The overlap with a peer that cannot read this device's memory: its partial sums in memory of the host, or NULL for a peer
 * that can. */
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

    cudaStream_t stream;  /* settles */
    cudaStream_t copying; /* makes copies of partial sums, while `stream` may settle already */
    cudaEvent_t done[DONE_COUNT];

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
    uint64_t bytes;
};

/* Rows [*first, *end) of the probe are the share of device `number`. */
void ff_cuda_share_rows(const struct ff_cuda_exchange *exchange, unsigned number, uint32_t *first,
                        uint32_t *end);

#endif

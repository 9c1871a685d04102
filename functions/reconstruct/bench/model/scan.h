/*
 * functions/reconstruct/bench/model/scan.h: a scan as a model needs it: where patterns lie, which device has which, and what of
 * the object the chunks of its batches touch.
 */
#ifndef FF_RECONSTRUCT_BENCH_MODEL_SCAN_H
#define FF_RECONSTRUCT_BENCH_MODEL_SCAN_H

#include "functions/reconstruct/devices/tiles.h"

/* Rows of a raster with a random offset of less than a pixel, as many rows as columns. */
struct ff_model_scan {
    size_t patterns, size; /* (size, size) each */
    size_t object;         /* (object, object) pixels */
    double *positions;     /* (patterns, 2), as in problem.h */
};

/* `step`: pixels from a pattern to the next. */
int ff_model_scan_create(size_t patterns, size_t size, double step, struct ff_model_scan *scan,
                         struct ff_error *error) FF_MUST_USE;
void ff_model_scan_release(struct ff_model_scan *scan);

/* A chunk of a device's part of a batch. */
struct ff_model_chunk {
    size_t patterns;
    size_t
        object_bytes; /* sectors of 32 bytes that hold the pixels its patches and their taps reach, of complex numbers */
    size_t
        set_bytes; /* sectors of N_O that it writes; the first chunk also zeros where none of the batch comes */
    size_t
        again_bytes; /* of those what earlier chunks of the batch have left there, to be added to */
};

/* A device's part of a batch. */
struct ff_model_part {
    struct ff_model_chunk *chunks; /* in the order of the work */
    size_t chunk_count;
    size_t offered_chunks; /* behind so many no other touches what is shared; 0: all may */
    size_t patterns;
    size_t first_row,
        end_row; /* of the object: what those patches and their taps reach that are offered to others */
};

/* One epoch on `tiles->count` devices. */
struct ff_model_epoch {
    struct ff_tiles *tiles;
    size_t batches;
    struct ff_model_part *parts; /* (batches, devices) */
};

/* Patterns of a chunk, at most, where batches have `batch`. */
size_t ff_model_chunk_limit(size_t size, size_t modes, size_t cache, size_t batch);

/* Batches are dealt as those of the first epoch with seed 0; `cache` bytes of the devices' second cache hold twice what is at work at once,
 * `modes` waves a pattern. */
int ff_model_epoch_create(const struct ff_model_scan *scan, unsigned devices, size_t batches,
                          size_t modes, size_t cache, struct ff_model_epoch *epoch,
                          struct ff_error *error) FF_MUST_USE;
/* Also of a zeroed one. */
void ff_model_epoch_release(struct ff_model_epoch *epoch);

#endif

/*
 * functions/reconstruct/backends/cuda/exposure.h: what kernels are told of the patterns at work. Read by C and by .cu.
 *
 * Arrays on a device are dense and row-major; complex numbers are interleaved pairs of float. The patterns of a batch are
 * done in chunks of as many as the caches hold; kernels see one chunk, its patterns by their place in it, from 0.
 * An exposure is one position of a pattern: number i × fly + k.
 */
#ifndef FF_RECONSTRUCT_BACKENDS_CUDA_EXPOSURE_H
#define FF_RECONSTRUCT_BACKENDS_CUDA_EXPOSURE_H

#include <stddef.h>
#include <stdint.h>

#include <cuda_runtime_api.h>

struct ff_cuda_shape {
    uint32_t rows, columns;             /* of the probe, and of a patch */
    uint32_t frame_rows, frame_columns; /* of a pattern and of a wave: at least as many */
    uint32_t pad_row, pad_column;       /* corner of the probe's window in a wave */
    uint32_t tile_rows, tile_columns;   /* of the device's part of the object */
    uint32_t fly, modes, eigenprobes;
};

/* Where a patch lies in the tile, and how it is read and written: see patch_at() of exposure.cuh. */
struct ff_cuda_place {
    uint32_t row, column; /* corner */
    float y, x;  /* how far beyond it, for the bilinear taps; 0 where probes are shifted instead */
    float scale; /* s_n */
    float rest_y, rest_x; /* that the probe is shifted by; 0 where the taps do it */
};

/* The patterns at work. All pointers are of the device. */
struct ff_cuda_chunk {
    struct ff_cuda_shape shape;
    uint32_t count; /* of patterns */
    const uint32_t
        *patterns; /* (count): their numbers on this device, by which the next three are indexed */
    const struct ff_cuda_place *places; /* (all, fly) */
    const float *weights;               /* (all, eigenprobes): w_nc */
};

/* Probes as exposures see them: those of everybody, or made for each. */
struct ff_cuda_probes {
    const float2
        *values; /* (modes + eigenprobes, rows, columns), or such for each exposure of the chunk */
    size_t stride; /* from one exposure's to the next one's, in values; 0: they are everybody's */
};

/* The counts of a pattern: one of the pointers is set. */
struct ff_cuda_frames {
    const uint16_t *u16;
    const float *f32;
    uint32_t by_place; /* 1: (count of the chunk, frame); 0: (all patterns, frame), by number */
};

#endif

/*
 * functions/reconstruct/backends/cuda/line.h: the search along a direction, on one device. F is linear in object and in probe, so
 * intensities along the line are polynomials of the length: trying one takes their coefficients and the counts alone.
 */
#ifndef FF_RECONSTRUCT_BACKENDS_CUDA_LINE_H
#define FF_RECONSTRUCT_BACKENDS_CUDA_LINE_H

#include "functions/reconstruct/backends/backend.h"
#include "functions/reconstruct/backends/cuda/calls.h"
#include "functions/reconstruct/backends/cuda/exposure.h"
#include "functions/reconstruct/backends/cuda/modulus.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Of I along one part, and along both at once. */
enum { FF_CUDA_LINE_DEGREE = 2, FF_CUDA_JOINT_DEGREE = 4 };

/* What changes along the line: waves = P ΔS, ΔP S, or P ΔS + ΔP S and by γ² ΔP ΔS. */
struct ff_cuda_direction {
    uint32_t parts;                     /* set of enum ff_part */
    const float2 *object, *object_step; /* of the tile */
    struct ff_cuda_probes probes, probe_steps;
    float2 *waves,
        *second; /* (count, fly, modes, frame), zero around the window; second: of both parts alone */
};

bool ff_cuda_form_direction(struct ff_cuda_calls *calls, cudaStream_t stream,
                            const struct ff_cuda_chunk *chunk,
                            const struct ff_cuda_direction *direction);

/* I = Σ |F + γ G|², or Σ |F + γ G + γ² H|², of each pixel: Σ_j c_j γ^j. */
struct ff_cuda_coefficients {
    const float2 *kept; /* F: (all patterns, fly, modes, frame), by number */
    const float2 *waves,
        *second; /* G / scale and H / scale of the chunk; second NULL: there is no H */
    float scale;
    float2 *directions; /* (all patterns, fly, modes, frame), by number: G is kept here; or NULL */
    float *values;      /* (all patterns, degree + 1, frame), by number: c_j */
    uint8_t *on_line;   /* (all patterns): becomes 1 */
};

bool ff_cuda_form_coefficients(struct ff_cuda_calls *calls, cudaStream_t stream,
                               const struct ff_cuda_chunk *chunk,
                               const struct ff_cuda_coefficients *coefficients);

struct ff_cuda_length {
    struct ff_cuda_shape shape;
    size_t patterns; /* all */
    uint32_t degree;
    const float *values;          /* (all patterns, degree + 1, frame) */
    const uint8_t *on_line;       /* (all patterns): others do not count */
    struct ff_cuda_frames counts; /* by number */
    const uint8_t *measured;      /* (frame), or NULL */
    uint32_t poisson;             /* the objective: 0: Σ (√I - √d)², 1: Σ (I - d ln I) */
    float gamma;
};

/* Numbers of struct ff_line_terms, in its order, as FF_CUDA_PARTS parts by pieces into the answer as in step.h: to be added. */
bool ff_cuda_length_terms(struct ff_cuda_calls *calls, cudaStream_t stream,
                          const struct ff_cuda_length *length, double *pieces, double *answer);

/* to += γ × from. Both are `count` times `each` values; of those only the ones that are on the line, unless that is NULL. */
bool ff_cuda_advance_values(struct ff_cuda_calls *calls, cudaStream_t stream, float2 *to,
                            const float2 *from, float gamma, size_t each, size_t count,
                            const uint8_t *on_line);

#ifdef __cplusplus
}
#endif

#endif

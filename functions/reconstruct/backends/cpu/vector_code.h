/*
 * functions/reconstruct/backends/cpu/vector_code.h: the border between the plan of the vector
 * transform (vector_fft.c, compiled once) and its loops (vector_code.c, compiled once for each
 * instruction set).
 *
 * An element is a vector of real parts and, behind it, one of imaginary parts. A transform over n
 * elements is made of stages; a stage is groups × count transforms of `radix` elements each, held
 * in registers. Strides are in floats.
 */
#ifndef FF_RECONSTRUCT_BACKENDS_CPU_VECTOR_CODE_H
#define FF_RECONSTRUCT_BACKENDS_CPU_VECTOR_CODE_H

#include <stdbool.h>
#include <stddef.h>

enum {
    FF_VECTOR_LENGTH_LEAST = 32,
    FF_VECTOR_LENGTH_MOST = 1024,
    FF_VECTOR_STAGES = 3,
};

/* Where element i of transform j of group g lies. */
struct ff_vector_strides {
    size_t group, each, step;
};

struct ff_vector_stage {
    unsigned radix; /* 4, 8 or 16 */
    size_t groups, count;
    struct ff_vector_strides from, to;
    const float *twiddles; /* (count, radix, 2) factors of the outputs, or NULL */
};

/* The transform along one axis. */
struct ff_vector_axis {
    size_t length;
    struct ff_vector_stage stages[FF_VECTOR_STAGES];
    unsigned stage_count;
    /* Rows only: (length / lanes) elements of factors between the stages, which go from vector to
     * vector, and the last transform, which goes across the lanes. Rows of at most
     * `lanes` elements fit into the registers and have no stages. */
    const float *lane_twiddles;
};

struct ff_vector_shape {
    size_t rows, columns, stride; /* stride in complex values */
};

/* Both in place. `inverse` exchanges real and imaginary parts, which turns one into the other. */
struct ff_vector_code {
    const char *name;
    size_t lanes;
    void (*columns)(const struct ff_vector_axis *axis, struct ff_vector_shape shape, float *wave,
                    bool inverse);
    void (*rows)(const struct ff_vector_axis *axis, struct ff_vector_shape shape, float *wave,
                 bool inverse);
};

extern const struct ff_vector_code ff_vector_code_avx2;
extern const struct ff_vector_code ff_vector_code_avx512;

#endif

#include "functions/reconstruct/formats/samples.h"

#include <math.h>

#define LOAD(type)                                                                                 \
    do {                                                                                           \
        const type *from = (const type *)values + offset;                                          \
        if (step == 1)                                                                             \
            for (size_t i = 0; i < count; i++)                                                     \
                to[i] = (float)from[i];                                                            \
        else                                                                                       \
            for (size_t i = 0; i < count; i++)                                                     \
                to[i] = (float)from[(ptrdiff_t)i * step];                                          \
    } while (0)

void ff_samples_load(enum ff_sample sample, const void *values, ptrdiff_t offset, ptrdiff_t step,
                     size_t count, float *to)
{
    switch (sample) {
    case FF_SAMPLE_U8:
        LOAD(uint8_t);
        break;
    case FF_SAMPLE_I8:
        LOAD(int8_t);
        break;
    case FF_SAMPLE_U16:
        LOAD(uint16_t);
        break;
    case FF_SAMPLE_I16:
        LOAD(int16_t);
        break;
    case FF_SAMPLE_U32:
        LOAD(uint32_t);
        break;
    case FF_SAMPLE_I32:
        LOAD(int32_t);
        break;
    case FF_SAMPLE_U64:
        LOAD(uint64_t);
        break;
    case FF_SAMPLE_I64:
        LOAD(int64_t);
        break;
    case FF_SAMPLE_F32:
        LOAD(float);
        break;
    case FF_SAMPLE_F64:
        LOAD(double);
        break;
    }
}

/* The root of a count in single precision is off by half a unit in its last place, and its square by
 * two of them at the most. */
void ff_samples_square(float *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        double amplitude = (double)values[i];
        double square = amplitude * amplitude;
        double whole = rint(square);
        double kept = fabs(square - whole) <= 3e-7 * square ? whole : square;
        values[i] = (float)(amplitude < 0 ? -kept : kept);
    }
}

double ff_samples_sum_u16(uint16_t *pattern, size_t count, const uint8_t *measured)
{
    uint64_t sum = 0;
    for (size_t i = 0; measured != NULL && i < count; i++)
        pattern[i] = measured[i] ? pattern[i] : 0;
    for (size_t i = 0; i < count; i++)
        sum += pattern[i];
    return (double)sum;
}

double ff_samples_sum_f32(float *pattern, size_t count, const uint8_t *measured)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        if (measured != NULL && !measured[i])
            pattern[i] = 0;
        sum += (double)pattern[i];
    }
    return sum;
}

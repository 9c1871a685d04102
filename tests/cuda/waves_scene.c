#include "tests/cuda/waves_scene.h"

#include <math.h>

enum { OBJECT_ROWS = 40, OBJECT_COLUMNS = 45 };

static float chance(uint64_t *state)
{
    *state = *state * 6364136223846793005U + 1442695040888963407U;
    return (float)(*state >> 40) / (float)(1 << 24) - 0.5F;
}

static float *make_values(size_t count, uint64_t seed)
{
    float *values = malloc(count * sizeof *values);
    assert_non_null(values);
    for (size_t i = 0; i < count; i++)
        values[i] = chance(&seed);
    return values;
}

static void *upload(struct scene *scene, const void *values, size_t size)
{
    void *buffer = NULL;
    FF_CUDA(&scene->calls, cudaMalloc(&buffer, size));
    FF_CUDA(&scene->calls, cudaMemcpy(buffer, values, size, cudaMemcpyHostToDevice));
    return buffer;
}

struct waves_scene make_waves_scene(struct scene *scene, size_t patterns, uint32_t modes,
                                    uint32_t rows, uint32_t columns)
{
    struct waves_scene waves = {.patterns = patterns};
    struct ff_cuda_exposure *e = &waves.exposure;
    *e = (struct ff_cuda_exposure){.object_columns = OBJECT_COLUMNS,
                                   .modes = modes,
                                   .probe_rows = rows - 2,
                                   .probe_columns = columns - 2,
                                   .rows = rows,
                                   .columns = columns};
    size_t object = (size_t)OBJECT_ROWS * OBJECT_COLUMNS;
    size_t probe = (size_t)modes * e->probe_rows * e->probe_columns;
    uint64_t state = 3;
    void *buffer = NULL;
    waves.object = make_values(2 * object, 1);
    waves.probe = make_values(2 * probe, 2);
    waves.patches = calloc(patterns, sizeof *waves.patches);
    assert_non_null(waves.patches);
    for (size_t n = 0; n < patterns; n++) {
        struct ff_cuda_patch *patch = &waves.patches[n];
        patch->row = (uint32_t)n % (OBJECT_ROWS - e->probe_rows);
        patch->column = (uint32_t)(7 * n) % (OBJECT_COLUMNS - e->probe_columns);
        for (size_t i = 0; i < 4; i++)
            patch->taps[i] = chance(&state);
    }
    e->object = upload(scene, waves.object, 2 * object * sizeof(float));
    e->probe = upload(scene, waves.probe, 2 * probe * sizeof(float));
    e->patches = upload(scene, waves.patches, patterns * sizeof *waves.patches);
    FF_CUDA(&scene->calls, cudaMalloc(&buffer, patterns * modes * rows * columns * sizeof(float2)));
    e->waves = buffer;
    return waves;
}

void end_waves_scene(struct scene *scene, struct waves_scene *waves)
{
    drop_buffer(scene, (void *)(uintptr_t)waves->exposure.object);
    drop_buffer(scene, (void *)(uintptr_t)waves->exposure.probe);
    drop_buffer(scene, (void *)(uintptr_t)waves->exposure.patches);
    drop_buffer(scene, waves->exposure.waves);
    free(waves->object);
    free(waves->probe);
    free(waves->patches);
}

/* The object at a pixel of a patch: part 0 is its real part, 1 its imaginary one. */
static double patch_at(const struct waves_scene *waves, size_t n, uint32_t row, uint32_t column,
                       size_t part)
{
    const struct ff_cuda_patch *patch = &waves->patches[n];
    size_t at = (size_t)(patch->row + row) * OBJECT_COLUMNS + patch->column + column;
    const float *o = waves->object + part;
    return (double)patch->taps[0] * o[2 * at] + (double)patch->taps[1] * o[2 * (at + 1)] +
           (double)patch->taps[2] * o[2 * (at + OBJECT_COLUMNS)] +
           (double)patch->taps[3] * o[2 * (at + OBJECT_COLUMNS + 1)];
}

static double error_of_pixel(const struct waves_scene *waves, size_t n, uint32_t m, uint32_t row,
                             uint32_t column, const float *found)
{
    const struct ff_cuda_exposure *e = &waves->exposure;
    double re = 0, im = 0;
    if (row < e->probe_rows && column < e->probe_columns) {
        size_t at = ((size_t)m * e->probe_rows + row) * e->probe_columns + column;
        double p_re = waves->probe[2 * at], p_im = waves->probe[2 * at + 1];
        double s_re = patch_at(waves, n, row, column, 0), s_im = patch_at(waves, n, row, column, 1);
        re = s_re * p_re - s_im * p_im;
        im = s_re * p_im + s_im * p_re;
    }
    double error = hypot(found[0] - re, found[1] - im);
    return error == error ? error : INFINITY;
}

double waves_error(const struct waves_scene *waves, const float *found)
{
    const struct ff_cuda_exposure *e = &waves->exposure;
    double worst = 0;
    for (size_t n = 0; n < waves->patterns; n++)
        for (uint32_t m = 0; m < e->modes; m++)
            for (uint32_t r = 0; r < e->rows; r++)
                for (uint32_t c = 0; c < e->columns; c++, found += 2)
                    worst = fmax(worst, error_of_pixel(waves, n, m, r, c, found));
    return worst;
}

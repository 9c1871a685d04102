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
    struct ff_cuda_shape *shape = &waves.chunk.shape;
    *shape = (struct ff_cuda_shape){.rows = rows - 2,
                                    .columns = columns - 2,
                                    .frame_rows = rows,
                                    .frame_columns = columns,
                                    .pad_row = 1,
                                    .pad_column = 1,
                                    .tile_rows = OBJECT_ROWS,
                                    .tile_columns = OBJECT_COLUMNS,
                                    .fly = 1,
                                    .modes = modes};
    size_t object = (size_t)OBJECT_ROWS * OBJECT_COLUMNS;
    size_t probe = (size_t)modes * shape->rows * shape->columns;
    uint64_t state = 3;
    waves.object = make_values(2 * object, 1);
    waves.probe = make_values(2 * probe, 2);
    waves.places = calloc(patterns, sizeof *waves.places);
    uint32_t *numbers = calloc(patterns, sizeof *numbers);
    assert_non_null(waves.places);
    assert_non_null(numbers);
    for (size_t n = 0; n < patterns; n++) {
        struct ff_cuda_place *place = &waves.places[n];
        numbers[n] = (uint32_t)(patterns - 1 - n);
        place->row = (uint32_t)n % (OBJECT_ROWS - shape->rows);
        place->column = (uint32_t)(7 * n) % (OBJECT_COLUMNS - shape->columns);
        place->y = chance(&state) + 0.5F;
        place->x = chance(&state) + 0.5F;
        place->scale = chance(&state) + 1;
    }
    waves.object_device = upload(scene, waves.object, 2 * object * sizeof(float));
    waves.probes.values = upload(scene, waves.probe, 2 * probe * sizeof(float));
    waves.chunk.places = upload(scene, waves.places, patterns * sizeof *waves.places);
    waves.chunk.patterns = upload(scene, numbers, patterns * sizeof *numbers);
    waves.chunk.count = (uint32_t)patterns;
    void *buffer = NULL;
    FF_CUDA(&scene->calls, cudaMalloc(&buffer, patterns * modes * rows * columns * sizeof(float2)));
    waves.waves = buffer;
    free(numbers);
    return waves;
}

bool form_waves_scene(struct scene *scene, const struct waves_scene *waves)
{
    const struct ff_cuda_powers none = {.power = NULL};
    return ff_cuda_form_waves(&scene->calls, scene->stream, &waves->chunk, waves->object_device,
                              &waves->probes, waves->waves, &none);
}

void end_waves_scene(struct scene *scene, struct waves_scene *waves)
{
    drop_buffer(scene, (void *)(uintptr_t)waves->object_device);
    drop_buffer(scene, (void *)(uintptr_t)waves->probes.values);
    drop_buffer(scene, (void *)(uintptr_t)waves->chunk.places);
    drop_buffer(scene, (void *)(uintptr_t)waves->chunk.patterns);
    drop_buffer(scene, waves->waves);
    free(waves->object);
    free(waves->probe);
    free(waves->places);
}

/* The object at a pixel of the patch of the n-th of the chunk: part 0 is its real part, 1 its imaginary one. */
static double patch_of(const struct waves_scene *waves, size_t n, uint32_t row, uint32_t column,
                       size_t part)
{
    const struct ff_cuda_place *place = &waves->places[waves->patterns - 1 - n];
    size_t at = (size_t)(place->row + row) * OBJECT_COLUMNS + place->column + column;
    const float *o = waves->object + part;
    double y = place->y, x = place->x;
    return place->scale *
           ((1 - y) * ((1 - x) * o[2 * at] + x * o[2 * (at + 1)]) +
            y * ((1 - x) * o[2 * (at + OBJECT_COLUMNS)] + x * o[2 * (at + OBJECT_COLUMNS + 1)]));
}

static double error_of_pixel(const struct waves_scene *waves, size_t n, uint32_t m, uint32_t row,
                             uint32_t column, const float *found)
{
    const struct ff_cuda_shape *shape = &waves->chunk.shape;
    double re = 0, im = 0;
    row -= shape->pad_row;
    column -= shape->pad_column;
    if (row < shape->rows && column < shape->columns) {
        size_t at = ((size_t)m * shape->rows + row) * shape->columns + column;
        double p_re = waves->probe[2 * at], p_im = waves->probe[2 * at + 1];
        double s_re = patch_of(waves, n, row, column, 0), s_im = patch_of(waves, n, row, column, 1);
        re = s_re * p_re - s_im * p_im;
        im = s_re * p_im + s_im * p_re;
    }
    double error = hypot(found[0] - re, found[1] - im);
    return error == error ? error : INFINITY;
}

double waves_error(const struct waves_scene *waves, const float *found)
{
    const struct ff_cuda_shape *shape = &waves->chunk.shape;
    double worst = 0;
    for (size_t n = 0; n < waves->patterns; n++)
        for (uint32_t m = 0; m < shape->modes; m++)
            for (uint32_t r = 0; r < shape->frame_rows; r++)
                for (uint32_t c = 0; c < shape->frame_columns; c++, found += 2)
                    worst = fmax(worst, error_of_pixel(waves, n, m, r, c, found));
    return worst;
}

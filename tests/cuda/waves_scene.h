/*
 * tests/cuda/waves_scene.h: a small exposure on a device, and the waves that it must give.
 */
#ifndef FF_TESTS_CUDA_WAVES_SCENE_H
#define FF_TESTS_CUDA_WAVES_SCENE_H

#include "functions/reconstruct/backends/cuda/waves.h"
#include "tests/cuda/fault.h"

struct waves_scene {
    size_t patterns;
    struct ff_cuda_chunk chunk; /* whose patterns have the numbers from the last to the first */
    struct ff_cuda_probes probes;
    const float2 *object_device;
    float2 *waves;
    float *object, *probe; /* the host's */
    struct ff_cuda_place *places;
};

/* With numbers by chance; waves of rows × columns, of which the probe's window has two less each. */
struct waves_scene make_waves_scene(struct scene *scene, size_t patterns, uint32_t modes,
                                    uint32_t rows, uint32_t columns);
bool form_waves_scene(struct scene *scene, const struct waves_scene *waves);
void end_waves_scene(struct scene *scene, struct waves_scene *waves);
/* The greatest difference of what was found from S P in double precision. */
double waves_error(const struct waves_scene *waves, const float *found);

#endif

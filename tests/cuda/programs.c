#include "tests/cuda/programs.h"
#include "tests/cuda/fault.h"
#include "tests/cuda/kernels.h"

enum { BLOCK = 256 };

size_t wrong_after_chain(bool waits)
{
    struct scene one = make_scene(0), two = make_scene(0);
    float *from = make_buffer(&one, PROGRAM_COUNT, 0),
          *middle = make_buffer(&one, PROGRAM_COUNT, -1000);
    float *to = make_buffer(&one, PROGRAM_COUNT, -2000);
    cudaEvent_t event = NULL;
    size_t wrong = 0;
    FF_CUDA(&one.calls, cudaEventCreateWithFlags(&event, cudaEventDisableTiming));
    kernel_add(&one.calls, one.stream, middle, from, 1, PROGRAM_COUNT);
    FF_CUDA(&one.calls, cudaEventRecord(event, one.stream));
    if (waits)
        FF_CUDA(&one.calls, cudaStreamWaitEvent(two.stream, event, 0));
    kernel_add(&two.calls, two.stream, to, middle, 10, PROGRAM_COUNT);
    float *found = read_buffer(&two, to, PROGRAM_COUNT);
    for (size_t i = 0; i < PROGRAM_COUNT; i++)
        wrong += found[i] != (float)i + 11;
    free(found);
    FF_CUDA(&one.calls, cudaEventDestroy(event));
    drop_buffer(&one, from);
    drop_buffer(&one, middle);
    drop_buffer(&one, to);
    end_scene(&one);
    end_scene(&two);
    return wrong;
}

size_t wrong_after_overwrite(bool waits)
{
    struct scene one = make_scene(0), two = make_scene(0);
    float *shared = make_buffer(&one, PROGRAM_COUNT, 0), *to = make_buffer(&one, PROGRAM_COUNT, -1);
    float *other = make_buffer(&one, PROGRAM_COUNT, 5000);
    cudaEvent_t event = NULL;
    size_t wrong = 0;
    FF_CUDA(&one.calls, cudaEventCreateWithFlags(&event, cudaEventDisableTiming));
    kernel_add(&one.calls, one.stream, to, shared, 1, PROGRAM_COUNT);
    FF_CUDA(&one.calls, cudaEventRecord(event, one.stream));
    if (waits)
        FF_CUDA(&one.calls, cudaStreamWaitEvent(two.stream, event, 0));
    kernel_add(&two.calls, two.stream, shared, other, 0, PROGRAM_COUNT);
    float *found = read_buffer(&one, to, PROGRAM_COUNT);
    for (size_t i = 0; i < PROGRAM_COUNT; i++)
        wrong += found[i] != (float)i + 1;
    free(found);
    FF_CUDA(&one.calls, cudaEventDestroy(event));
    drop_buffer(&one, shared);
    drop_buffer(&one, to);
    drop_buffer(&one, other);
    end_scene(&one);
    end_scene(&two);
    return wrong;
}

size_t wrong_after_reuse(bool waits)
{
    struct scene scene = make_scene(0);
    float *pinned = NULL, *buffer = make_buffer(&scene, PROGRAM_COUNT, -1);
    size_t wrong = 0;
    FF_CUDA(&scene.calls, cudaMallocHost((void **)&pinned, PROGRAM_COUNT * sizeof(float)));
    for (size_t i = 0; i < PROGRAM_COUNT; i++)
        pinned[i] = (float)i;
    FF_CUDA(&scene.calls, cudaMemcpyAsync(buffer, pinned, PROGRAM_COUNT * sizeof(float),
                                          cudaMemcpyHostToDevice, scene.stream));
    if (waits)
        FF_CUDA(&scene.calls, cudaStreamSynchronize(scene.stream));
    for (size_t i = 0; i < PROGRAM_COUNT; i++)
        pinned[i] = 7;
    float *found = read_buffer(&scene, buffer, PROGRAM_COUNT);
    for (size_t i = 0; i < PROGRAM_COUNT; i++)
        wrong += found[i] != (float)i;
    free(found);
    FF_CUDA(&scene.calls, cudaFreeHost(pinned));
    drop_buffer(&scene, buffer);
    end_scene(&scene);
    return wrong;
}

size_t wrong_after_read(bool waits)
{
    struct scene scene = make_scene(0);
    float *pinned = NULL, *buffer = make_buffer(&scene, PROGRAM_COUNT, 3);
    size_t wrong = 0;
    FF_CUDA(&scene.calls, cudaMallocHost((void **)&pinned, PROGRAM_COUNT * sizeof(float)));
    FF_CUDA(&scene.calls, cudaMemcpyAsync(pinned, buffer, PROGRAM_COUNT * sizeof(float),
                                          cudaMemcpyDeviceToHost, scene.stream));
    if (waits)
        FF_CUDA(&scene.calls, cudaStreamSynchronize(scene.stream));
    for (size_t i = 0; i < PROGRAM_COUNT; i++)
        wrong += pinned[i] != (float)i + 3; /* NaN until it is there */
    FF_CUDA(&scene.calls, cudaStreamSynchronize(scene.stream));
    FF_CUDA(&scene.calls, cudaFreeHost(pinned));
    drop_buffer(&scene, buffer);
    end_scene(&scene);
    return wrong;
}

size_t wrong_sums(enum kernel_sum how)
{
    struct scene scene = make_scene(0);
    float *values = make_buffer(&scene, PROGRAM_BLOCKS * BLOCK, 1),
          *sums = make_buffer(&scene, PROGRAM_BLOCKS, 0);
    size_t wrong = 0;
    kernel_sum(&scene.calls, scene.stream, how, sums, values, PROGRAM_BLOCKS);
    float *found = read_buffer(&scene, sums, PROGRAM_BLOCKS);
    for (size_t b = 0; b < PROGRAM_BLOCKS; b++)
        wrong += found[b] != (float)(BLOCK * (b * BLOCK) + BLOCK * (BLOCK + 1) / 2);
    free(found);
    drop_buffer(&scene, values);
    drop_buffer(&scene, sums);
    end_scene(&scene);
    return wrong;
}

size_t wrong_histogram_bins(bool atomic)
{
    enum { COUNT = 700, BINS = 5 };
    size_t wrong = 0;
    struct scene scene = make_scene(0);
    unsigned values[COUNT], bins[BINS] = {0}, *found;
    void *device_values = make_buffer(&scene, COUNT, 0),
         *device_bins = make_buffer(&scene, BINS, 0);
    for (unsigned i = 0; i < COUNT; i++) {
        values[i] = i * i;
        bins[values[i] % BINS]++;
    }
    FF_CUDA(&scene.calls, cudaMemcpy(device_values, values, sizeof values, cudaMemcpyHostToDevice));
    FF_CUDA(&scene.calls, cudaMemsetAsync(device_bins, 0, sizeof bins, scene.stream));
    kernel_histogram(&scene.calls, scene.stream, device_bins, BINS, device_values, COUNT, !atomic);
    found = (unsigned *)(void *)read_buffer(&scene, device_bins, BINS);
    for (size_t i = 0; i < BINS; i++)
        wrong += found[i] != bins[i];
    free(found);
    drop_buffer(&scene, device_values);
    drop_buffer(&scene, device_bins);
    end_scene(&scene);
    return wrong;
}

/*
 * Waves to the detector and back: every transform of a frame is called here.
 *
 * Far field: the unnormalised transform; the modulus knows the scale. Near field: H of fresnel.h between two transforms, so
 * that the wave comes out as it is. Its adjoint has H*.
 */
#include "functions/reconstruct/backends/cuda/propagate.h"
#include "functions/reconstruct/backends/cuda/state.h"
#include "functions/reconstruct/backends/fresnel.h"

#include <math.h>
#include <stdlib.h>

static size_t frame_pixels(const struct ff_backend *b)
{
    return (size_t)b->shape.frame_rows * b->shape.frame_columns;
}

static int make_transfer(struct ff_backend *b, struct ff_error *error)
{
    size_t columns = b->shape.frame_columns;
    size_t size = frame_pixels(b);
    struct ff_fresnel fresnel;
    if (ff_fresnel_of(b->problem, &fresnel, error) < 0)
        return -1;
    float2 *host = ff_array_create(size, sizeof *host, "the transfer function", error);
    b->transfer = ff_cuda_device(&b->memory, &b->calls, b->stream, size, sizeof *host,
                                 "the transfer function", error);
    if (host != NULL && b->transfer != NULL) {
        for (size_t i = 0; i < size; i++) {
            double h[2];
            ff_fresnel_at(&fresnel, i / columns, i % columns, h);
            host[i] = (float2){(float)h[0], (float)h[1]};
        }
        FF_CUDA(&b->calls, cudaMemcpyAsync(b->transfer, host, size * sizeof *host,
                                           cudaMemcpyHostToDevice, b->stream));
        FF_CUDA(&b->calls, cudaStreamSynchronize(b->stream));
    }
    free(host);
    return host != NULL && b->transfer != NULL ? ff_cuda_report(&b->calls, error) : -1;
}

int ff_cuda_propagation_create(struct ff_backend *b, struct ff_error *error)
{
    double pixels = (double)frame_pixels(b);
    bool near_field = b->problem->near_field;
    b->scale = near_field ? 1 : (float)(1 / sqrt(pixels));
    b->back = near_field ? 1 : (float)(1 / pixels);
    if (near_field && make_transfer(b, error) < 0)
        return -1;
    b->waves_transforms = ff_cuda_transforms_create(
        &b->calls, &b->memory, b->stream, b->shape.frame_rows, b->shape.frame_columns,
        b->chunk_limit * b->shape.fly * b->shape.modes, error);
    return b->waves_transforms != NULL ? 0 : -1;
}

static void transform(struct ff_backend *b, float2 *waves, size_t count, int direction)
{
    ff_cuda_transform(b->waves_transforms, waves, count, direction);
    b->transforms_done += count;
}

static void filter(struct ff_backend *b, float2 *waves, size_t count, bool conjugate)
{
    ff_cuda_filter(&b->calls, b->stream, waves, count, frame_pixels(b), b->transfer, conjugate);
}

void ff_cuda_forward(struct ff_backend *b, float2 *waves, size_t count)
{
    transform(b, waves, count, CUFFT_FORWARD);
    if (b->transfer == NULL)
        return;
    filter(b, waves, count, false);
    transform(b, waves, count, CUFFT_INVERSE);
}

void ff_cuda_back(struct ff_backend *b, float2 *waves, size_t count)
{
    if (b->transfer != NULL) {
        transform(b, waves, count, CUFFT_FORWARD);
        filter(b, waves, count, true);
    }
    transform(b, waves, count, CUFFT_INVERSE);
}

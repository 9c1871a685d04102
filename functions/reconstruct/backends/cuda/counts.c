/* What was measured, on the device. */
#include "functions/reconstruct/backends/cuda/state.h"

#include <string.h>

enum { STAGE_BYTES = 16 << 20 }; /* of each of two page-locked buffers that counts pass through */

static size_t frame_pixels(const struct ff_backend *b)
{
    return (size_t)b->shape.frame_rows * b->shape.frame_columns;
}

/* Bytes of a pattern. */
static size_t frame_bytes(const struct ff_backend *b)
{
    return frame_pixels(b) * (b->problem->counts.u16 != NULL ? sizeof(uint16_t) : sizeof(float));
}

/* Where a pattern of the device lies in the problem. */
static const char *frame_of(const struct ff_backend *b, size_t pattern)
{
    const struct ff_counts *all = &b->problem->counts;
    const char *base = all->u16 != NULL ? (const char *)all->u16 : (const char *)all->f32;
    return base + b->numbers[pattern] * frame_bytes(b);
}

/* The device's patterns by their numbers there, through two pinned buffers in turn. */
static int upload(struct ff_backend *b, char *to, struct ff_error *error)
{
    size_t bytes = frame_bytes(b);
    size_t each = STAGE_BYTES / bytes > 0 ? STAGE_BYTES / bytes : 1;
    struct ff_cuda_memory staging = {0};
    cudaEvent_t taken[2] = {NULL, NULL};
    char *stage[2] = {NULL, NULL};
    each = each < b->patterns ? each : b->patterns;
    for (unsigned i = 0; i < 2; i++) {
        stage[i] = ff_cuda_pinned(&staging, &b->calls, each, bytes, "the counts", error);
        FF_CUDA(&b->calls, cudaEventCreateWithFlags(&taken[i], cudaEventDisableTiming));
    }
    for (size_t first = 0, turn = 0; stage[0] != NULL && stage[1] != NULL && first < b->patterns;
         first += each, turn = 1 - turn) {
        size_t count = b->patterns - first < each ? b->patterns - first : each;
        FF_CUDA(&b->calls, cudaEventSynchronize(taken[turn]));
        for (size_t i = 0; i < count; i++)
            memcpy(stage[turn] + i * bytes, frame_of(b, first + i), bytes);
        FF_CUDA(&b->calls, cudaMemcpyAsync(to + first * bytes, stage[turn], count * bytes,
                                           cudaMemcpyHostToDevice, b->stream));
        FF_CUDA(&b->calls, cudaEventRecord(taken[turn], b->stream));
    }
    FF_CUDA(&b->calls, cudaStreamSynchronize(b->stream));
    for (unsigned i = 0; i < 2; i++)
        if (taken[i] != NULL)
            FF_CUDA_ALWAYS(&b->calls, cudaEventDestroy(taken[i]));
    bool staged = stage[0] != NULL && stage[1] != NULL;
    ff_cuda_memory_release(&staging, &b->calls);
    return staged ? ff_cuda_report(&b->calls, error) : -1;
}

int ff_cuda_load_counts(struct ff_backend *b, struct ff_error *error)
{
    char *counts = ff_cuda_device(&b->memory, &b->calls, b->stream, b->patterns, frame_bytes(b),
                                  "the counts", error);
    if (counts == NULL)
        return -1;
    if (b->problem->counts.u16 != NULL)
        b->counts.u16 = (const uint16_t *)(const void *)counts;
    else
        b->counts.f32 = (const float *)(const void *)counts;
    return upload(b, counts, error);
}

/*
 * What was measured. Where all of it fits on the device it lies there; else the host's memory is page-locked where it lies,
 * and the frames of a chunk are fetched into one of two buffers while the chunk before is at work. A line search reads all
 * of it at once, from a page-locked copy in the device's order if it must.
 */
#include "functions/reconstruct/backends/cuda/feed.h"
#include "functions/reconstruct/backends/cuda/lock.h"
#include "functions/reconstruct/backends/cuda/state.h"

#include <stdlib.h>
#include <string.h>

enum {
    STAGE_BYTES = 16 << 20, /* of each of two page-locked buffers that counts pass through */
    BUFFERS = 2,
};

struct ff_cuda_feed {
    const void *host;  /* the problem's counts, page-locked */
    uint32_t *numbers; /* (patterns): of the device's in the problem; on the device */
    cudaStream_t stream;
    void *buffer[BUFFERS]; /* (chunk_limit, frame) */
    cudaEvent_t filled[BUFFERS], emptied[BUFFERS];
    unsigned turn;
};

static size_t frame_pixels(const struct ff_backend *b)
{
    return (size_t)b->shape.frame_rows * b->shape.frame_columns;
}

/* Bytes of a count. */
static size_t count_bytes(const struct ff_backend *b)
{
    return b->problem->counts.u16 != NULL ? sizeof(uint16_t) : sizeof(float);
}

static size_t frame_bytes(const struct ff_backend *b)
{
    return frame_pixels(b) * count_bytes(b);
}

static const void *host_counts(const struct ff_backend *b)
{
    const struct ff_counts *all = &b->problem->counts;
    return all->u16 != NULL ? (const void *)all->u16 : (const void *)all->f32;
}

static struct ff_cuda_frames frames_at(const struct ff_backend *b, const void *counts,
                                       uint32_t by_place)
{
    bool narrow = b->problem->counts.u16 != NULL;
    return (struct ff_cuda_frames){
        .u16 = narrow ? counts : NULL,
        .f32 = narrow ? NULL : counts,
        .by_place = by_place,
    };
}

/* --- all of it on the device --- */

/* Two pinned buffers in turn, while the device's patterns go there by their numbers. */
struct staging {
    struct ff_cuda_memory memory;
    char *buffer[BUFFERS];
    cudaEvent_t taken[BUFFERS];
    size_t frames; /* that a buffer holds */
};

static int open_staging(struct ff_backend *b, struct staging *staging, struct ff_error *error)
{
    size_t frames = STAGE_BYTES / frame_bytes(b);
    *staging = (struct staging){.frames = frames > 0 ? frames : 1};
    for (unsigned i = 0; i < BUFFERS; i++) {
        staging->buffer[i] = ff_cuda_pinned(&staging->memory, &b->calls, staging->frames,
                                            frame_bytes(b), "the counts", error);
        if (staging->buffer[i] == NULL)
            return -1;
        FF_CUDA(&b->calls, cudaEventCreateWithFlags(&staging->taken[i], cudaEventDisableTiming));
    }
    return 0;
}

static void close_staging(struct ff_backend *b, struct staging *staging)
{
    FF_CUDA(&b->calls, cudaStreamSynchronize(b->stream));
    for (unsigned i = 0; i < BUFFERS; i++)
        if (staging->taken[i] != NULL)
            FF_CUDA_ALWAYS(&b->calls, cudaEventDestroy(staging->taken[i]));
    ff_cuda_memory_release(&staging->memory, &b->calls);
}

/* The device's patterns of those numbers, one behind the other. */
static void gather(const struct ff_backend *b, size_t first, size_t count, char *to)
{
    size_t bytes = frame_bytes(b);
    const char *host = host_counts(b);
    for (size_t i = 0; i < count; i++)
        memcpy(to + i * bytes, host + b->numbers[first + i] * bytes, bytes);
}

static void stage(struct ff_backend *b, struct staging *staging, char *to)
{
    size_t bytes = frame_bytes(b);
    unsigned turn = 0;
    for (size_t first = 0; first < b->patterns; first += staging->frames) {
        size_t left = b->patterns - first;
        size_t count = left < staging->frames ? left : staging->frames;
        FF_CUDA(&b->calls, cudaEventSynchronize(staging->taken[turn]));
        gather(b, first, count, staging->buffer[turn]);
        FF_CUDA(&b->calls, cudaMemcpyAsync(to + first * bytes, staging->buffer[turn], count * bytes,
                                           cudaMemcpyHostToDevice, b->stream));
        FF_CUDA(&b->calls, cudaEventRecord(staging->taken[turn], b->stream));
        turn = (turn + 1) % BUFFERS;
    }
}

static int load_staged(struct ff_backend *b, char *counts, struct ff_error *error)
{
    struct staging staging;
    int result = open_staging(b, &staging, error);
    if (result == 0)
        stage(b, &staging, counts);
    close_staging(b, &staging);
    return result == 0 ? ff_cuda_report(&b->calls, error) : -1;
}

static int load_all(struct ff_backend *b, struct ff_error *error)
{
    char *counts = ff_cuda_roomy(&b->memory, &b->calls, b->stream, b->patterns, frame_bytes(b),
                                 "the counts", error);
    if (counts == NULL)
        return -1;
    b->counts = frames_at(b, counts, 0);
    if (!ff_cuda_is_pinned(&b->memory, counts))
        return load_staged(b, counts, error);
    gather(b, 0, b->patterns, counts);
    return 0;
}

/* --- chunk by chunk --- */

static int open_buffers(struct ff_backend *b, struct ff_cuda_feed *feed, struct ff_error *error)
{
    for (unsigned i = 0; i < BUFFERS; i++) {
        feed->buffer[i] = ff_cuda_device(&b->memory, &b->calls, b->stream, b->chunk_limit,
                                         frame_bytes(b), "the counts of a batch", error);
        if (feed->buffer[i] == NULL)
            return -1;
        FF_CUDA(&b->calls, cudaEventCreateWithFlags(&feed->filled[i], cudaEventDisableTiming));
        FF_CUDA(&b->calls, cudaEventCreateWithFlags(&feed->emptied[i], cudaEventDisableTiming));
    }
    feed->numbers = ff_cuda_device(&b->memory, &b->calls, b->stream, b->patterns,
                                   sizeof *feed->numbers, "the patterns", error);
    if (feed->numbers == NULL)
        return -1;
    FF_CUDA(&b->calls,
            cudaMemcpyAsync(feed->numbers, b->numbers, b->patterns * sizeof *feed->numbers,
                            cudaMemcpyHostToDevice, b->stream));
    FF_CUDA(&b->calls, cudaStreamSynchronize(b->stream));
    return ff_cuda_report(&b->calls, error);
}

static int open_feed(struct ff_backend *b, struct ff_error *error)
{
    struct ff_cuda_feed *feed = calloc(1, sizeof *feed);
    if (feed == NULL)
        return ff_fail(error, FF_NO_MEMORY, "no memory for the counts");
    b->feed = feed;
    FF_CUDA(&b->calls, cudaStreamCreateWithFlags(&feed->stream, cudaStreamNonBlocking));
    if (ff_cuda_lock(&b->calls, host_counts(b), b->problem->patterns * frame_bytes(b), error) < 0)
        return -1;
    feed->host = host_counts(b);
    return open_buffers(b, feed, error);
}

void ff_cuda_feed_destroy(struct ff_backend *b)
{
    struct ff_cuda_feed *feed = b->feed;
    if (feed == NULL)
        return;
    for (unsigned i = 0; i < BUFFERS; i++) {
        if (feed->filled[i] != NULL)
            FF_CUDA_ALWAYS(&b->calls, cudaEventDestroy(feed->filled[i]));
        if (feed->emptied[i] != NULL)
            FF_CUDA_ALWAYS(&b->calls, cudaEventDestroy(feed->emptied[i]));
    }
    if (feed->stream != NULL)
        FF_CUDA_ALWAYS(&b->calls, cudaStreamDestroy(feed->stream));
    if (feed->host != NULL)
        ff_cuda_unlock(&b->calls, feed->host);
    free(feed);
    b->feed = NULL;
}

int ff_cuda_load_counts(struct ff_backend *b, struct ff_error *error)
{
    /* A line search asks for the counts of all patterns in one launch. */
    bool at_once = (b->needs & (FF_NEED_LINE | FF_NEED_JOINT_LINE)) != 0;
    bool whole = at_once || ff_cuda_fits(&b->calls, b->patterns * frame_bytes(b));
    return whole ? load_all(b, error) : open_feed(b, error);
}

struct ff_cuda_frames ff_cuda_frames_of(struct ff_backend *b, size_t first,
                                        const struct ff_cuda_chunk *chunk)
{
    struct ff_cuda_feed *feed = b->feed;
    (void)first;
    if (feed == NULL)
        return b->counts;
    unsigned turn = feed->turn;
    FF_CUDA(&b->calls, cudaStreamWaitEvent(feed->stream, b->lists[b->list].ready, 0));
    FF_CUDA(&b->calls, cudaStreamWaitEvent(feed->stream, feed->emptied[turn], 0));
    ff_cuda_fetch_frames(&b->calls, feed->stream, feed->host, feed->numbers, chunk->patterns,
                         chunk->count, frame_bytes(b), count_bytes(b), feed->buffer[turn]);
    FF_CUDA(&b->calls, cudaEventRecord(feed->filled[turn], feed->stream));
    FF_CUDA(&b->calls, cudaStreamWaitEvent(b->stream, feed->filled[turn], 0));
    return frames_at(b, feed->buffer[turn], 1);
}

void ff_cuda_frames_done(struct ff_backend *b)
{
    struct ff_cuda_feed *feed = b->feed;
    if (feed == NULL)
        return;
    FF_CUDA(&b->calls, cudaEventRecord(feed->emptied[feed->turn], b->stream));
    feed->turn = (feed->turn + 1) % BUFFERS;
}

/* The table of the backend, and what is of no stage. */
#include "functions/reconstruct/backends/cuda/cuda.h"

#include "functions/reconstruct/backends/cuda/exchange.h"
#include "functions/reconstruct/backends/cuda/find.h"
#include "functions/reconstruct/backends/cuda/links.h"
#include "functions/reconstruct/backends/cuda/state.h"
#include "protocol/core/clock.h"

#include <stdio.h>
#include <stdlib.h>

static void destroy(struct ff_backend *b)
{
    if (b == NULL)
        return;
    FF_CUDA_ALWAYS(&b->calls, cudaSetDevice(b->calls.device));
    FF_CUDA_ALWAYS(&b->calls, cudaDeviceSynchronize());
    ff_cuda_exchange_destroy(b->exchange);
    ff_cuda_transforms_destroy(b->waves_transforms);
    ff_cuda_shifts_destroy(b->shifts);
    ff_cuda_exits_destroy(b->exits);
    ff_cuda_line_destroy(b->line);
    ff_cuda_feed_destroy(b);
    ff_cuda_batches_destroy(b);
    ff_cuda_memory_release(&b->memory, &b->calls);
    if (b->stream != NULL)
        FF_CUDA_ALWAYS(&b->calls, cudaStreamDestroy(b->stream));
    free(b->owned);
    free(b->links);
    free(b->numbers);
    free(b->shares);
    free(b->along);
    free(b->sorted);
    free(b->sorted_shared);
    free(b->positions);
    free(b->scales);
    free(b->weights);
    free(b);
}

static int check(const struct ff_backend_plan *plan, struct ff_error *error)
{
    if (plan->problem->near_field && plan->subpixel == FF_SUBPIXEL_FOURIER) {
        /* A shifted exit wave has the same pattern in the far field alone. */
        ff_fail(error, FF_INVALID_SETTING, "a near field knows no subpixel=fourier");
        return ff_hint(error, "use subpixel=bilinear");
    }
    if (plan->engine == FF_ENGINE_OWN) {
        ff_fail(error, FF_INVALID_SETTING, "there is no own transform for CUDA devices");
        return ff_hint(error, "transform=auto takes cuFFT there");
    }
    return 0;
}

/* Which data of all patterns did not fit on the device. */
static const char *from_host(const struct ff_backend *b)
{
    if (b->memory.overflowed)
        return ", data of all patterns from the host";
    return b->feed != NULL ? ", counts from the host" : "";
}

/* "cuda: NVIDIA A100-SXM4-40GB, counts from the host, cuFFT 12.0.0" */
static void describe_device(struct ff_backend *b)
{
    struct cudaDeviceProp properties = {0};
    int version = 0;
    if (!FF_CUDA(&b->calls, cudaGetDeviceProperties(&properties, b->calls.device)) ||
        !FF_CUFFT(&b->calls, cufftGetVersion(&version)))
        return;
    snprintf(b->transforms, sizeof b->transforms, "cuFFT %d.%d.%d sm_%d%d", version / 1000,
             version / 100 % 10, version % 100, properties.major, properties.minor);
    snprintf(b->description, sizeof b->description, "cuda: %.80s%s, cuFFT %d.%d.%d",
             properties.name, from_host(b), version / 1000, version / 100 % 10, version % 100);
}

/* What there is of every pattern, which may be more than the device has room for: behind all that must lie there, and what is
 * read most first. */
static int load_patterns(struct ff_backend *b, struct ff_error *error)
{
    return ff_cuda_load_counts(b, error) == 0 && ff_cuda_line_create(b, error) == 0 &&
                   ff_cuda_allocate_kept(b, error) == 0
               ? 0
               : -1;
}

static struct ff_backend *create(const struct ff_backend_plan *plan, struct ff_error *error)
{
    if (check(plan, error) < 0)
        return NULL;
    struct ff_backend *b = calloc(1, sizeof *b);
    if (b == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory for the CUDA backend");
        return NULL;
    }
    unsigned place = plan->places != NULL ? plan->places[plan->number] : plan->number;
    ff_cuda_begin(&b->calls, ff_cuda_number(place));
    FF_CUDA(&b->calls, cudaStreamCreateWithFlags(&b->stream, cudaStreamNonBlocking));
    if (ff_cuda_report(&b->calls, error) == 0 && ff_cuda_allocate(b, plan, error) == 0 &&
        ff_cuda_propagation_create(b, error) == 0 && ff_cuda_terms_create(b, error) == 0 &&
        ff_cuda_exits_create(b, error) == 0 && ff_cuda_shifts_create(b, error) == 0 &&
        ff_cuda_join_others(b, plan, error) == 0 && load_patterns(b, error) == 0) {
        describe_device(b);
        if (ff_cuda_report(&b->calls, error) == 0)
            return b;
    }
    destroy(b);
    return NULL;
}

static const char *describe(const struct ff_backend *b)
{
    return b->description;
}

/* The only place where a device's failure is told. */
static int take_cost(struct ff_backend *b, struct ff_cost *cost, struct ff_error *error)
{
    ff_cuda_use(&b->calls);
    ff_cuda_await_numbers(b);
    ff_cuda_take_costs(&b->calls, b->stream, b->cost_sums, b->patterns, b->answer);
    FF_CUDA(&b->calls, cudaStreamSynchronize(b->stream));
    *cost = (struct ff_cost){b->answer[0], b->answer[1]};
    return ff_cuda_report(&b->calls, error);
}

static uint64_t transforms_done(const struct ff_backend *b)
{
    return b->transforms_done;
}

static uint64_t bytes_exchanged(const struct ff_backend *b)
{
    return b->exchange != NULL ? ff_cuda_exchange_bytes(b->exchange) : 0;
}

/* Zeros stay zeros: no overflow, however often. */
static double time_transforms(struct ff_backend *b, size_t count)
{
    size_t each = (size_t)b->shape.fly * b->shape.modes;
    size_t wave = (size_t)b->shape.frame_rows * b->shape.frame_columns;
    ff_cuda_use(&b->calls);
    FF_CUDA(&b->calls, cudaMemsetAsync(b->waves, 0, b->chunk_limit * each * wave * sizeof *b->waves,
                                       b->stream));
    FF_CUDA(&b->calls, cudaStreamSynchronize(b->stream));
    int64_t start = ff_monotonic_ns();
    for (size_t done = 0; done < count; done += b->chunk_limit) {
        size_t patterns = count - done < b->chunk_limit ? count - done : b->chunk_limit;
        ff_cuda_transform(b->waves_transforms, b->waves, patterns * each, CUFFT_FORWARD);
        ff_cuda_transform(b->waves_transforms, b->waves, patterns * each, CUFFT_INVERSE);
    }
    FF_CUDA(&b->calls, cudaStreamSynchronize(b->stream));
    return (double)(ff_monotonic_ns() - start) / 1e9;
}

static struct ff_span transforms(const struct ff_backend *b)
{
    return ff_span_of(b->transforms);
}

static size_t bytes(const struct ff_backend *b)
{
    return b->memory.device_bytes;
}

static size_t host_bytes(const struct ff_backend *b)
{
    return b->memory.pinned_bytes;
}

const struct ff_backend_operations ff_backend_cuda = {
    .name = "cuda",
    .real_bytes = sizeof(float),
    .is_apart = true,
    .present = ff_cuda_present,
    .links = ff_cuda_links,
    .create = create,
    .destroy = destroy,
    .describe = describe,
    .put = ff_cuda_put,
    .get = ff_cuda_get,
    .put_rows = ff_cuda_put_rows,
    .get_rows = ff_cuda_get_rows,
    .gradients = ff_cuda_gradients,
    .overlap = ff_cuda_overlap,
    .settle = ff_cuda_settle,
    .spread = ff_cuda_spread,
    .update = ff_cuda_update,
    .take_steps = ff_cuda_take_steps,
    .lengths = ff_cuda_lengths,
    .normalise = ff_cuda_normalise,
    .sample = ff_cuda_sample,
    .fit = ff_cuda_fit,
    .turn_terms = ff_cuda_turn_terms,
    .turn = ff_cuda_turn,
    .line = ff_cuda_line,
    .line_terms = ff_cuda_line_terms,
    .advance = ff_cuda_advance,
    .start_waves = ff_cuda_start_waves,
    .project = ff_cuda_project,
    .cost = ff_cuda_cost,
    .take_cost = take_cost,
    .get_terms = ff_cuda_get_terms,
    .transforms_done = transforms_done,
    .bytes_exchanged = bytes_exchanged,
    .time_transforms = time_transforms,
    .transforms = transforms,
    .bytes = bytes,
    .host_bytes = host_bytes,
};

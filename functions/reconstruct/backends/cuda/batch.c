/* Which patterns are at work, and what kernels must know of them. */
#include "functions/reconstruct/backends/cuda/chunks.h"
#include "functions/reconstruct/backends/cuda/state.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct ff_cuda_place place_of(const struct ff_backend *b, size_t pattern, size_t k)
{
    const double *position = b->positions + 2 * (pattern * b->shape.fly + k);
    float y = (float)(position[0] - floor(position[0]));
    float x = (float)(position[1] - floor(position[1]));
    return (struct ff_cuda_place){
        .row = (uint32_t)((size_t)position[0] - b->tile.row),
        .column = (uint32_t)((size_t)position[1] - b->tile.column),
        .y = b->shifted ? 0 : y,
        .x = b->shifted ? 0 : x,
        .scale = (float)b->scales[pattern],
        .rest_y = b->shifted ? y : 0,
        .rest_x = b->shifted ? x : 0,
    };
}

static bool is_shared(const struct ff_backend *b, const struct ff_cuda_place *place)
{
    return ff_cuda_is_shared(b->links, b->link_count, b->tile.row + place->row,
                             b->tile.column + place->column, b->shape.rows, b->shape.columns);
}

/* What the order of patterns in a batch goes by. */
static void find_order(struct ff_backend *b)
{
    for (size_t n = 0; n < b->patterns; n++) {
        const struct ff_cuda_place *places = b->places_host + n * b->shape.fly;
        b->along[n] =
            ff_cuda_along_curve(places[0].row, places[0].column, b->tile.rows, b->tile.columns);
        b->shares[n] = false;
        for (size_t k = 0; k < b->shape.fly && !b->shares[n]; k++)
            b->shares[n] = is_shared(b, &places[k]);
    }
}

/* Positions, scales and weights change between epochs: then kernels are given all of them anew. What was queued before
 * still reads the old ones, and the pinned copy may still be on its way. */
static void upload_rows(struct ff_backend *b)
{
    size_t places = b->patterns * b->shape.fly;
    size_t weights = b->patterns * b->shape.eigenprobes;
    FF_CUDA(&b->calls, cudaStreamSynchronize(b->stream));
    for (size_t i = 0; i < places; i++)
        b->places_host[i] = place_of(b, i / b->shape.fly, i % b->shape.fly);
    find_order(b);
    for (size_t i = 0; i < weights; i++)
        b->weights_host[i] = (float)b->weights[i];
    FF_CUDA(&b->calls, cudaMemcpyAsync(b->places, b->places_host, places * sizeof *b->places,
                                       cudaMemcpyHostToDevice, b->stream));
    if (weights > 0)
        FF_CUDA(&b->calls,
                cudaMemcpyAsync(b->weights_device, b->weights_host, weights * sizeof(float),
                                cudaMemcpyHostToDevice, b->stream));
    b->rows_changed = false;
}

/* Along the curve; by number among equals. */
static int compare_patterns(const void *a, const void *b, void *context)
{
    const struct ff_backend *backend = context;
    uint32_t p = *(const uint32_t *)a;
    uint32_t q = *(const uint32_t *)b;
    if (backend->along[p] != backend->along[q])
        return backend->along[p] < backend->along[q] ? -1 : 1;
    return p < q ? -1 : p > q;
}

/* Puts the patterns of a batch, sorted in b->sorted, into the order of the work. */
static void arrange(struct ff_backend *b, uint32_t *list, size_t count)
{
    size_t start, placed = 0;
    for (size_t i = 0; i < count; i++)
        b->sorted_shared[i] = b->shares[b->sorted[i]];
    const struct ff_cuda_chunks chunks =
        ff_cuda_chunks_of(b->sorted_shared, count, b->chunk_limit, &start);
    for (int rest = 0; rest < (chunks.shared > 0 ? 2 : 1); rest++)
        for (size_t i = 0; i < count; i++) {
            size_t at = (start + i) % count;
            if (chunks.shared == 0 || b->sorted_shared[at] == (rest == 0))
                list[placed++] = b->sorted[at];
        }
    b->batch_shared = chunks.shared;
    b->batch_offered = chunks.offered;
}

/* Sorts the batch into the next list. */
static void take_list(struct ff_backend *b, struct ff_batch batch, bool exits)
{
    FF_CUDA(&b->calls, cudaEventRecord(b->lists[b->list].done, b->stream));
    b->list = (b->list + 1) % FF_CUDA_LISTS;
    struct ff_cuda_list *list = &b->lists[b->list];
    b->batch_count = batch.count;
    b->batch_shared = b->batch_offered = 0;
    FF_CUDA(&b->calls, cudaEventSynchronize(list->ready));
    FF_CUDA(&b->calls, cudaStreamWaitEvent(b->copies, list->done, 0));
    if (batch.count == 0 || b->calls.failed) /* then nothing says that its last copy is done */
        return;
    size_t count = batch.count;
    memcpy(b->sorted, batch.patterns, count * sizeof *b->sorted);
    qsort_r(b->sorted, count, sizeof *b->sorted, compare_patterns, b);
    arrange(b, list->host, count);
    if (exits) {
        ff_cuda_place_exits(b, list->host + batch.count);
        count += batch.count;
    }
    FF_CUDA(&b->calls, cudaMemcpyAsync(list->device, list->host, count * sizeof *list->host,
                                       cudaMemcpyHostToDevice, b->copies));
}

/* The batch's kernels come after all that was queued for it. */
static void begin_work(struct ff_backend *b)
{
    struct ff_cuda_list *list = &b->lists[b->list];
    FF_CUDA(&b->calls, cudaEventRecord(list->ready, b->copies));
    FF_CUDA(&b->calls, cudaStreamWaitEvent(b->stream, list->ready, 0));
}

static void begin(struct ff_backend *b, struct ff_batch batch, bool exits)
{
    ff_cuda_use(&b->calls);
    if (b->rows_changed)
        upload_rows(b);
    ff_cuda_await_numbers(b); /* they are made of the list before */
    take_list(b, batch, exits);
    if (b->shifts != NULL)
        ff_cuda_forget_spectra(b->shifts);
}

void ff_cuda_begin_batch(struct ff_backend *b, struct ff_batch batch)
{
    begin(b, batch, false);
    begin_work(b);
}

/* There are as many turns as lists, so nothing reads the maxima any more whose turn it is. */
void ff_cuda_begin_sums(struct ff_backend *b, struct ff_batch batch, unsigned want)
{
    b->want = want;
    begin(b, batch, (want & FF_WANT_EXIT) != 0);
    ff_cuda_forget_sums(b);
    b->greatest_turn = (b->greatest_turn + 1) % FF_CUDA_LISTS;
    b->greatest = b->greatest_turns + b->greatest_turn * (1 + b->powers);
    FF_CUDA(&b->calls,
            cudaMemsetAsync(b->greatest, 0, (1 + b->powers) * sizeof *b->greatest, b->copies));
    begin_work(b);
    ff_cuda_begin_exchange(b);
    if (batch.count == 0)
        ff_cuda_clear_sums(b);
}

void ff_cuda_await_numbers(struct ff_backend *b)
{
    FF_CUDA(&b->calls, cudaStreamWaitEvent(b->stream, b->numbers_done, 0));
}

static bool make_event(struct ff_backend *b, cudaEvent_t *event)
{
    return FF_CUDA(&b->calls, cudaEventCreateWithFlags(event, cudaEventDisableTiming));
}

int ff_cuda_batches_create(struct ff_backend *b, struct ff_error *error)
{
    const char what[] = "a batch";
    FF_CUDA(&b->calls, cudaStreamCreateWithFlags(&b->copies, cudaStreamNonBlocking));
    FF_CUDA(&b->calls, cudaStreamCreateWithFlags(&b->answers, cudaStreamNonBlocking));
    FF_CUDA(&b->calls, cudaStreamCreateWithFlags(&b->beside, cudaStreamNonBlocking));
    make_event(b, &b->modulus_done);
    make_event(b, &b->numbers_done);
    make_event(b, &b->begun);
    make_event(b, &b->weighed);
    for (unsigned i = 0; i < FF_CUDA_LISTS; i++) {
        struct ff_cuda_list *list = &b->lists[i];
        list->host = ff_cuda_pinned(&b->memory, &b->calls, 2 * b->batch_limit, sizeof(uint32_t),
                                    what, error);
        list->device = ff_cuda_device(&b->memory, &b->calls, b->stream, 2 * b->batch_limit,
                                      sizeof(uint32_t), what, error);
        if (list->host == NULL || list->device == NULL)
            return -1;
        make_event(b, &list->ready);
        make_event(b, &list->done);
    }
    b->greatest_turns =
        ff_cuda_device(&b->memory, &b->calls, b->stream, FF_CUDA_LISTS * (1 + b->powers),
                       sizeof(unsigned), what, error);
    b->greatest = b->greatest_turns;
    return b->greatest != NULL ? ff_cuda_report(&b->calls, error) : -1;
}

static void end_stream(struct ff_backend *b, cudaStream_t stream)
{
    if (stream != NULL)
        FF_CUDA_ALWAYS(&b->calls, cudaStreamDestroy(stream));
}

static void end_event(struct ff_backend *b, cudaEvent_t event)
{
    if (event != NULL)
        FF_CUDA_ALWAYS(&b->calls, cudaEventDestroy(event));
}

void ff_cuda_batches_destroy(struct ff_backend *b)
{
    for (unsigned i = 0; i < FF_CUDA_LISTS; i++) {
        end_event(b, b->lists[i].ready);
        end_event(b, b->lists[i].done);
    }
    end_event(b, b->modulus_done);
    end_event(b, b->numbers_done);
    end_event(b, b->begun);
    end_event(b, b->weighed);
    end_stream(b, b->copies);
    end_stream(b, b->answers);
    end_stream(b, b->beside);
}

size_t ff_cuda_chunk_end(const struct ff_backend *b, size_t first)
{
    const struct ff_cuda_chunks batch = {
        .count = b->batch_count, .shared = b->batch_shared, .limit = b->chunk_limit};
    return ff_cuda_chunk_end_of(&batch, first);
}

static struct ff_cuda_chunk patterns_of(const struct ff_backend *b, size_t first, size_t count)
{
    return (struct ff_cuda_chunk){
        .shape = b->shape,
        .count = (uint32_t)count,
        .patterns = b->lists[b->list].device + first,
        .places = b->places,
        .weights = b->weights_device,
    };
}

struct ff_cuda_chunk ff_cuda_chunk_of(const struct ff_backend *b, size_t first)
{
    return patterns_of(b, first, ff_cuda_chunk_end(b, first) - first);
}

struct ff_cuda_chunk ff_cuda_whole_batch(const struct ff_backend *b)
{
    return patterns_of(b, 0, b->batch_count);
}

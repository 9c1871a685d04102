#include "functions/reconstruct/bench/model/queue.h"

#include "functions/reconstruct/backends/regions.h"

#include <stdlib.h>

enum { LISTS = 4, NUMBER = 4, COMPLEX = 2 * sizeof(float), REAL = sizeof(float) };

/* What a device has said that it has done; 0: not yet. The first event of a timeline is of nothing. */
struct device {
    struct ff_model_shape shape;
    size_t owned;              /* pixels of the tile that it counts */
    struct ff_regions regions; /* that others have too */
    size_t lists[LISTS];       /* the batch after that of the list has begun */
    unsigned list;
    size_t numbers, object, rest, settling, spreading;
    size_t object_copied, rest_copied, settling_copied;
    bool object_offered;
};

struct queue {
    struct ff_timeline *timeline;
    const struct ff_model_machine *machine;
    const struct ff_model_epoch *epoch;
    unsigned count;
    enum ff_model_algorithm algorithm;
    struct ff_model_queued *queued;
    struct device devices[FF_MODEL_DEVICES];
};

static const struct ff_tile *tile_of(const struct queue *queue, unsigned device)
{
    return &queue->epoch->tiles->tiles[device];
}

static void put(struct queue *queue, unsigned device, enum ff_model_stream stream,
                struct ff_model_launch launch)
{
    ff_timeline_queue(queue->timeline, device, stream, &launch);
}

static size_t record(struct queue *queue, unsigned device, enum ff_model_stream stream)
{
    return ff_timeline_record(queue->timeline, device, stream);
}

static void wait_for(struct queue *queue, unsigned device, enum ff_model_stream stream,
                     size_t event)
{
    if (event > 0)
        ff_timeline_wait(queue->timeline, device, stream, event);
}

/* --- a batch: batch.c, gradients.c --- */

/* The list of patterns and the maxima's zeros come ahead of the batch. */
static void begin(struct queue *queue, unsigned device, const struct ff_model_part *part)
{
    struct device *d = &queue->devices[device];
    struct ff_model_launch list = {.name = "lists", .bytes = (double)part->patterns * NUMBER};
    list.from[FF_MODEL_HOST] = list.bytes;
    wait_for(queue, device, FF_STREAM_WORK, d->numbers);
    d->lists[d->list] = record(queue, device, FF_STREAM_WORK);
    d->list = (d->list + 1) % LISTS;
    wait_for(queue, device, FF_STREAM_COPIES, d->lists[d->list]);
    if (part->patterns > 0)
        put(queue, device, FF_STREAM_COPIES, list);
    put(queue, device, FF_STREAM_COPIES, (struct ff_model_launch){.name = "memset"});
    wait_for(queue, device, FF_STREAM_WORK, record(queue, device, FF_STREAM_COPIES));
}

static void transform(struct queue *queue, unsigned device, const struct ff_model_chunk *chunk)
{
    for (int pass = 0; pass < FF_MODEL_PASSES; pass++)
        put(queue, device, FF_STREAM_WORK,
            ff_model_transform_pass(&queue->devices[device].shape, chunk));
}

static void gradients_of(struct queue *queue, unsigned device, const struct ff_model_chunk *chunk,
                         bool is_first)
{
    const struct ff_model_shape *shape = &queue->devices[device].shape;
    put(queue, device, FF_STREAM_WORK, ff_model_form_waves(shape, chunk));
    transform(queue, device, chunk);
    put(queue, device, FF_STREAM_WORK, ff_model_modulus(shape, chunk));
    transform(queue, device, chunk);
    put(queue, device, FF_STREAM_WORK, ff_model_sum_exit_waves(shape, chunk, is_first));
}

/* A device without a pattern in the batch has zeros: of N_O, W, N_P, V. */
static void clear_sums(struct queue *queue, unsigned device)
{
    const struct ff_model_shape *shape = &queue->devices[device].shape;
    double object = (double)(shape->tile * FF_MODEL_SUM_BYTES);
    double probe = ff_model_probe_bytes(shape);
    const double bytes[] = {object * 2 / 3, object / 3, probe * 2 / 3, probe / 3};
    for (size_t i = 0; i < sizeof bytes / sizeof bytes[0]; i++)
        put(queue, device, FF_STREAM_WORK,
            (struct ff_model_launch){.name = "memset", .bytes = bytes[i]});
}

static void leave_numbers(struct queue *queue, unsigned device, const struct ff_model_part *part)
{
    struct device *d = &queue->devices[device];
    wait_for(queue, device, FF_STREAM_ANSWERS, record(queue, device, FF_STREAM_WORK));
    if (part->patterns > 0)
        put(queue, device, FF_STREAM_ANSWERS, ff_model_gather_numbers(&d->shape, part->patterns));
    d->numbers = record(queue, device, FF_STREAM_ANSWERS);
}

/* --- the exchange: settle.c, exchange.c --- */

static size_t touched_rows(const struct ff_model_part *part, struct ff_area area)
{
    size_t first = area.row > part->first_row ? area.row : part->first_row;
    size_t end = area.row + area.rows < part->end_row ? area.row + area.rows : part->end_row;
    return end > first ? end - first : 0;
}

/* Into memory of the host, for those who cannot read this device's. */
static void copy_out(struct queue *queue, unsigned device, enum ff_model_stream stream,
                     double bytes)
{
    struct ff_model_launch copy = {.name = "copies", .bytes = bytes};
    copy.from[FF_MODEL_HOST] = bytes;
    put(queue, device, stream, copy);
}

static bool is_copied(const struct queue *queue, unsigned device)
{
    for (unsigned peer = 0; peer < queue->count; peer++)
        if (!ff_model_reads(queue->machine, peer, device))
            return true;
    return false;
}

static void offer_object(struct queue *queue, unsigned device, const struct ff_model_part *part)
{
    struct device *d = &queue->devices[device];
    const struct ff_tile *tile = tile_of(queue, device);
    d->object = record(queue, device, FF_STREAM_WORK);
    d->object_offered = true;
    if (!is_copied(queue, device))
        return;
    wait_for(queue, device, FF_STREAM_COPYING, d->object);
    for (size_t i = 0; i < tile->link_count; i++)
        for (int kind = 0; kind < 2; kind++) /* N_O, W */
            if (!ff_model_reads(queue->machine, tile->links[i].peer, device))
                copy_out(queue, device, FF_STREAM_COPYING,
                         (double)(touched_rows(part, tile->links[i].area) *
                                  tile->links[i].area.columns * (kind == 0 ? COMPLEX : REAL)));
    d->object_copied = record(queue, device, FF_STREAM_COPYING);
}

static double share_bytes(const struct queue *queue, unsigned device)
{
    return ff_model_probe_bytes(&queue->devices[device].shape) / queue->count;
}

static void offer(struct queue *queue, unsigned device, const struct ff_model_part *part)
{
    struct device *d = &queue->devices[device];
    if (!d->object_offered)
        offer_object(queue, device, part);
    d->object_offered = false;
    d->rest = record(queue, device, FF_STREAM_WORK);
    if (!is_copied(queue, device))
        return;
    wait_for(queue, device, FF_STREAM_COPYING, d->rest);
    for (unsigned peer = 0; peer < queue->count; peer++)
        for (int kind = 0; kind < 2; kind++) /* N_P, V */
            if (!ff_model_reads(queue->machine, peer, device))
                copy_out(queue, device, FF_STREAM_COPYING, share_bytes(queue, device) / 2);
    d->rest_copied = record(queue, device, FF_STREAM_COPYING);
}

static unsigned place_of(const struct queue *queue, unsigned device, unsigned peer)
{
    return ff_model_reads(queue->machine, device, peer) ? peer : FF_MODEL_HOST;
}

/* What settling the regions moves; waits until all that share them have offered them. */
static void add_regions(struct queue *queue, unsigned device, const struct ff_model_part *parts,
                        struct ff_model_launch *launch)
{
    const struct device *devices = queue->devices;
    const struct ff_tile *tile = tile_of(queue, device);
    const struct ff_regions *regions = &devices[device].regions;
    wait_for(queue, device, FF_STREAM_EXCHANGE, devices[device].object);
    launch->bytes += (double)(regions->pixels * FF_MODEL_SUM_BYTES);
    for (size_t i = 0; i < regions->count; i++) {
        struct ff_area area = regions->regions[i].area;
        launch->bytes +=
            (double)(touched_rows(&parts[device], area) * area.columns * FF_MODEL_SUM_BYTES);
    }
    for (size_t i = 0; i < tile->link_count; i++) {
        unsigned peer = tile->links[i].peer, place = place_of(queue, device, peer);
        double bytes = (double)(touched_rows(&parts[peer], tile->links[i].area) *
                                tile->links[i].area.columns * FF_MODEL_SUM_BYTES);
        launch->from[place] += bytes;
        queue->queued->exchanged_bytes += bytes;
        wait_for(queue, device, FF_STREAM_EXCHANGE,
                 place == peer ? devices[peer].object : devices[peer].object_copied);
    }
}

/* Likewise of the device's share of the probe. */
static void add_rows(struct queue *queue, unsigned device, struct ff_model_launch *launch)
{
    const struct device *devices = queue->devices;
    double share = share_bytes(queue, device);
    launch->bytes += 2 * share;
    for (unsigned peer = 0; peer < queue->count; peer++) {
        unsigned place = place_of(queue, device, peer);
        launch->from[place] += peer != device ? share : 0;
        wait_for(queue, device, FF_STREAM_EXCHANGE,
                 place == peer ? devices[peer].rest : devices[peer].rest_copied);
    }
    queue->queued->exchanged_bytes += 2 * share * (queue->count - 1);
}

/* Regions that were offered early are settled before the rest. */
static void settle_all(struct queue *queue, unsigned device, const struct ff_model_part *parts)
{
    struct ff_model_launch launch = {.name = "settle_sums"};
    add_regions(queue, device, parts, &launch);
    if (parts[device].shared_chunks > 0) {
        put(queue, device, FF_STREAM_EXCHANGE, launch);
        launch = (struct ff_model_launch){.name = "settle_sums"};
    }
    add_rows(queue, device, &launch);
    put(queue, device, FF_STREAM_EXCHANGE, launch);
}

static void settle(struct queue *queue, unsigned device, const struct ff_model_part *parts)
{
    struct device *d = &queue->devices[device];
    for (unsigned peer = 0; peer < queue->count; peer++)
        wait_for(queue, device, FF_STREAM_EXCHANGE, queue->devices[peer].spreading);
    put(queue, device, FF_STREAM_EXCHANGE, (struct ff_model_launch){.name = "memset"});
    settle_all(queue, device, parts);
    d->settling = record(queue, device, FF_STREAM_EXCHANGE);
    if (!is_copied(queue, device))
        return;
    copy_out(queue, device, FF_STREAM_EXCHANGE, share_bytes(queue, device));
    d->settling_copied = record(queue, device, FF_STREAM_EXCHANGE);
}

/* The work goes on when all have settled. */
static void spread(struct queue *queue, unsigned device)
{
    const struct device *devices = queue->devices;
    for (unsigned peer = 0; peer < queue->count; peer++)
        wait_for(queue, device, FF_STREAM_WORK,
                 place_of(queue, device, peer) == peer ? devices[peer].settling
                                                       : devices[peer].settling_copied);
}

/* A launch that takes whole sums of the probe from the shares of all, for the last time. */
static void take_shares(struct queue *queue, unsigned device, struct ff_model_launch launch)
{
    double share = share_bytes(queue, device);
    launch.bytes += share;
    for (unsigned peer = 0; peer < queue->count; peer++)
        launch.from[place_of(queue, device, peer)] += peer != device ? share : 0;
    put(queue, device, FF_STREAM_WORK, launch);
    queue->devices[device].spreading = record(queue, device, FF_STREAM_WORK);
}

/* Whole sums are put in the place of the device's own. */
static void place_sums(struct queue *queue, unsigned device)
{
    const struct device *d = &queue->devices[device];
    take_shares(queue, device,
                (struct ff_model_launch){
                    .name = "spread_sums",
                    .bytes = 2 * (double)(d->regions.pixels * FF_MODEL_SUM_BYTES) +
                             ff_model_probe_bytes(&d->shape),
                });
}

/* --- the stages on all devices: devices/stages.c, solvers/rpie.c, lstsq.c --- */

static void gradients(struct queue *queue, unsigned device, const struct ff_model_part *part)
{
    begin(queue, device, part);
    if (part->patterns == 0)
        clear_sums(queue, device);
    for (size_t i = 0; i < part->chunk_count; i++) {
        gradients_of(queue, device, &part->chunks[i], i == 0);
        if (i + 1 == part->shared_chunks && queue->count > 1)
            offer_object(queue, device, part);
    }
    leave_numbers(queue, device, part);
    if (queue->count > 1)
        offer(queue, device, part);
}

static void find_lengths(struct queue *queue)
{
    for (unsigned i = 0; i < queue->count; i++) {
        const struct device *d = &queue->devices[i];
        if (queue->count > 1)
            place_sums(queue, i);
        put(queue, i, FF_STREAM_WORK, ff_model_length_pieces(&d->shape, d->owned));
        put(queue, i, FF_STREAM_WORK, ff_model_add_pieces());
    }
    ff_timeline_host_waits(queue->timeline);
}

/* With sums in their place, or where they were settled. */
static void update(struct queue *queue, unsigned device)
{
    const struct ff_model_shape *shape = &queue->devices[device].shape;
    if (queue->count == 1 || queue->algorithm == FF_MODEL_LSTSQ)
        put(queue, device, FF_STREAM_WORK, ff_model_step(shape));
    else
        take_shares(queue, device, ff_model_step_settled(shape));
}

static void take_step(struct queue *queue, const struct ff_model_part *parts)
{
    for (unsigned i = 0; i < queue->count; i++)
        gradients(queue, i, &parts[i]);
    for (unsigned i = 0; queue->count > 1 && i < queue->count; i++)
        settle(queue, i, parts);
    for (unsigned i = 0; queue->count > 1 && i < queue->count; i++)
        spread(queue, i);
    if (queue->algorithm == FF_MODEL_LSTSQ)
        find_lengths(queue);
    for (unsigned i = 0; i < queue->count; i++)
        update(queue, i);
}

static void take_cost(struct queue *queue)
{
    for (unsigned i = 0; i < queue->count; i++) {
        wait_for(queue, i, FF_STREAM_WORK, queue->devices[i].numbers);
        put(queue, i, FF_STREAM_WORK, ff_model_take_costs(tile_of(queue, i)->pattern_count));
    }
    ff_timeline_host_waits(queue->timeline);
}

static int find_device(const struct queue *queue, unsigned number, size_t size, size_t modes,
                       struct device *device, struct ff_error *error)
{
    const struct ff_tile *tile = tile_of(queue, number);
    *device = (struct device){
        .shape = {.pixels = size * size, .modes = modes, .tile = ff_area_pixels(tile->area)},
    };
    for (size_t i = 0; i < tile->owned_count; i++)
        device->owned += ff_area_pixels(tile->owned[i]);
    return ff_regions_create(tile->links, tile->link_count, number, &device->regions, error);
}

static void queue_all(struct queue *queue)
{
    (void)record(queue, 0, FF_STREAM_WORK);
    for (size_t i = 0; i < queue->epoch->batches; i++)
        take_step(queue, queue->epoch->parts + i * queue->count);
    take_cost(queue);
}

int ff_model_queue_epoch(struct ff_timeline *timeline, const struct ff_model_machine *machine,
                         const struct ff_model_epoch *epoch, size_t size, size_t modes,
                         enum ff_model_algorithm algorithm, struct ff_model_queued *queued,
                         struct ff_error *error)
{
    struct queue queue = {
        .timeline = timeline,
        .machine = machine,
        .epoch = epoch,
        .count = epoch->tiles->count,
        .algorithm = algorithm,
        .queued = queued,
    };
    int result = 0;
    *queued = (struct ff_model_queued){0};
    for (unsigned i = 0; result == 0 && i < queue.count; i++)
        result = find_device(&queue, i, size, modes, &queue.devices[i], error);
    if (result == 0)
        queue_all(&queue);
    for (unsigned i = 0; i < queue.count; i++)
        ff_regions_release(&queue.devices[i].regions);
    return result;
}

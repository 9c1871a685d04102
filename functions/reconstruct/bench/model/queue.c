#include "functions/reconstruct/bench/model/queue.h"

#include "functions/reconstruct/backends/cells.h"

#include <stdlib.h>

enum { LISTS = 4, NUMBER = 4, SECTOR = 32, COMPLEX = 2 * sizeof(float), REAL = sizeof(float) };

/* As in backends/cuda/exchange_state.h: each but the last is followed by the same as a copy in memory of the host. */
enum done {
    DONE_WEIGHT,
    DONE_POWER = 2,
    DONE_OBJECT = 4,
    DONE_PROBE = 6,
    DONE_WEIGHING = 8,
    DONE_CELLS = 10,
    DONE_SHARE = 12,
    DONE_TAKING = 14,
    DONE_COUNT,
};

/* What a device has said that it has done; 0: not yet. The first event of a timeline is of nothing. */
struct device {
    struct ff_model_shape shape;
    size_t owned;          /* pixels of the tile that it counts */
    struct ff_cells cells; /* that others have too */
    size_t lists[LISTS];   /* the batch after that of the list has begun */
    unsigned list;
    size_t numbers;
    size_t done[DONE_COUNT];
    size_t probe_stepped;
    bool object_offered;
};

struct queue {
    struct ff_timeline *timeline;
    const struct ff_model_machine *machine;
    const struct ff_model_epoch *epoch;
    unsigned count;
    enum ff_model_algorithm algorithm;
    struct ff_model_queued *queued;
    bool owners_step;                 /* of the batch at hand: for those who share */
    bool is_shared_out;               /* the probe's sums are settled by shares */
    double weights[FF_MODEL_DEVICES]; /* of ff_cell_weights() */
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

/* A device without a pattern in the batch has zeros: of N_O, W, N_P, V. */
static void clear_sums(struct queue *queue, unsigned device)
{
    const struct ff_model_shape *shape = &queue->devices[device].shape;
    const double bytes[] = {(double)(shape->tile * COMPLEX), (double)(shape->tile * REAL),
                            ff_model_probe_bytes(shape), ff_model_power_bytes(shape)};
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

/* --- the exchange: settle.c, exchange.c, exchange_copies.c --- */

static unsigned place_of(const struct queue *queue, unsigned device, unsigned peer)
{
    return ff_model_reads(queue->machine, device, peer) ? peer : FF_MODEL_HOST;
}

static bool is_copied(const struct queue *queue, unsigned device)
{
    for (unsigned peer = 0; peer < queue->count; peer++)
        if (!ff_model_reads(queue->machine, peer, device))
            return true;
    return false;
}

/* For what a peer leaves: itself, or as a copy. */
static void await_readable(struct queue *queue, unsigned device, unsigned peer, enum done what,
                           enum ff_model_stream stream)
{
    bool reads = place_of(queue, device, peer) == peer;
    wait_for(queue, device, stream, queue->devices[peer].done[reads ? what : what + 1]);
}

static void await_all(struct queue *queue, unsigned device, enum done what,
                      enum ff_model_stream stream)
{
    for (unsigned peer = 0; peer < queue->count; peer++)
        await_readable(queue, device, peer, what, stream);
}

static void await_sharers(struct queue *queue, unsigned device, enum done what,
                          enum ff_model_stream stream)
{
    const struct ff_tile *tile = tile_of(queue, device);
    await_readable(queue, device, device, what, stream);
    for (size_t i = 0; i < tile->link_count; i++)
        await_readable(queue, device, tile->links[i].peer, what, stream);
}

static void await_taken(struct queue *queue, unsigned device, enum ff_model_stream stream)
{
    for (unsigned peer = 0; peer < queue->count; peer++)
        wait_for(queue, device, stream, queue->devices[peer].done[DONE_TAKING]);
}

/* The part of an area that a device's batch touched. */
static struct ff_area touched(const struct ff_model_part *part, struct ff_area area)
{
    size_t first = area.row > part->first_row ? area.row : part->first_row;
    size_t end = area.row + area.rows < part->end_row ? area.row + area.rows : part->end_row;
    return (struct ff_area){first, area.column, end > first ? end - first : 0, area.columns};
}

/* Sectors that hold the rows of an area, `size` bytes a pixel, where they lie in a device's tile. */
static double sectors_of(const struct queue *queue, unsigned device, struct ff_area area,
                         size_t size)
{
    struct ff_area tile = tile_of(queue, device)->area;
    size_t width = area.columns * size, sectors = 0;
    if (area.columns == tile.columns)
        return (double)(area.rows * width);
    for (size_t i = 0; i < area.rows; i++) {
        size_t at = ((area.row - tile.row + i) * tile.columns + area.column - tile.column) * size;
        sectors += (at + width - 1) / SECTOR - at / SECTOR + 1;
    }
    return (double)(sectors * SECTOR);
}

static void read_of(struct queue *queue, unsigned device, unsigned peer, double bytes,
                    struct ff_model_launch *launch)
{
    if (peer == device)
        launch->bytes += bytes;
    else
        launch->from[place_of(queue, device, peer)] += bytes;
}

/* `counted` of them are bytes of sums. */
static void exchange_of(struct queue *queue, unsigned device, unsigned peer, double bytes,
                        double counted, struct ff_model_launch *launch)
{
    read_of(queue, device, peer, bytes, launch);
    queue->queued->exchanged_bytes += peer != device ? counted : 0;
}

/* An area of the object, in the peer's tile. */
static void read_area(struct queue *queue, unsigned device, unsigned peer, struct ff_area area,
                      size_t size, struct ff_model_launch *launch)
{
    if (area.rows > 0)
        exchange_of(queue, device, peer, sectors_of(queue, peer, area, size),
                    (double)(ff_area_pixels(area) * size), launch);
}

/* Partial sums of `size` bytes a pixel that are read of all sharers: in the cells of the device, or in all. */
static void add_parts(struct queue *queue, unsigned device, const struct ff_model_part *parts,
                      bool own_alone, size_t size, struct ff_model_launch *launch)
{
    const struct ff_cells *cells = &queue->devices[device].cells;
    for (size_t i = 0; i < (own_alone ? cells->own_count : cells->count); i++)
        for (unsigned j = 0; j < cells->cells[i].sharer_count; j++) {
            unsigned peer = cells->cells[i].sharers[j];
            read_area(queue, device, peer, touched(&parts[peer], cells->cells[i].area), size,
                      launch);
        }
}

/* Whole sums, or the object, that are read of the owners in the others' cells. */
static void add_whole(struct queue *queue, unsigned device, size_t size,
                      struct ff_model_launch *launch)
{
    const struct ff_cells *cells = &queue->devices[device].cells;
    for (size_t i = cells->own_count; i < cells->count; i++)
        read_area(queue, device, cells->cells[i].owner, cells->cells[i].area, size, launch);
}

/* What a kernel moves at home, `size` bytes a pixel, in the device's own cells, or in those of the others. */
static double cell_bytes(const struct queue *queue, unsigned device, bool own, size_t size)
{
    const struct ff_cells *cells = &queue->devices[device].cells;
    double bytes = 0;
    for (size_t i = own ? 0 : cells->own_count; i < (own ? cells->own_count : cells->count); i++)
        bytes += sectors_of(queue, device, cells->cells[i].area, size);
    return bytes;
}

static double shares_of(const struct queue *queue, double bytes)
{
    return bytes / queue->count;
}

/* A share of `bytes` of the probe's sums of each device: of all, for this device, or this device's and those of the others. */
static void add_shares(struct queue *queue, unsigned device, double bytes,
                       struct ff_model_launch *launch)
{
    for (unsigned peer = 0; peer < queue->count; peer++)
        exchange_of(queue, device, peer, shares_of(queue, bytes), shares_of(queue, bytes), launch);
}

/* --- copies in memory of the host --- */

static void copy_out(struct queue *queue, unsigned device, enum ff_model_stream stream,
                     double bytes)
{
    struct ff_model_launch copy = {.name = "copies", .bytes = bytes};
    copy.from[FF_MODEL_HOST] = bytes;
    if (bytes > 0)
        put(queue, device, stream, copy);
}

/* In the cells of those who cannot read this device's memory, or in its own those that they share. */
static void copy_cells(struct queue *queue, unsigned device, enum ff_model_stream stream,
                       const struct ff_model_part *part, size_t size)
{
    const struct ff_cells *cells = &queue->devices[device].cells;
    for (size_t i = 0; i < cells->count; i++) {
        const struct ff_cell *cell = &cells->cells[i];
        for (unsigned j = 0; j < cell->sharer_count; j++) {
            unsigned peer = cell->sharers[j];
            struct ff_area area = part != NULL ? touched(part, cell->area) : cell->area;
            if (peer != device && cell->owner == (part != NULL ? peer : device) &&
                !ff_model_reads(queue->machine, peer, device))
                copy_out(queue, device, stream, (double)(ff_area_pixels(area) * size));
        }
    }
}

static void copy_rows(struct queue *queue, unsigned device, double bytes)
{
    for (unsigned peer = 0; peer < queue->count; peer++)
        if (!ff_model_reads(queue->machine, peer, device))
            copy_out(queue, device, FF_STREAM_COPYING, shares_of(queue, bytes));
}

/* --- offers --- */

/* Says that `what` is done when the stream has come here; whether copies are to be made of it. */
static bool offer(struct queue *queue, unsigned device, enum done what, enum ff_model_stream stream)
{
    struct device *d = &queue->devices[device];
    d->done[what] = record(queue, device, stream);
    if (is_copied(queue, device))
        wait_for(queue, device, FF_STREAM_COPYING, d->done[what]);
    return is_copied(queue, device);
}

static void offer_cells(struct queue *queue, unsigned device, const struct ff_model_part *part,
                        enum done what, enum ff_model_stream stream, size_t size)
{
    if (!offer(queue, device, what, stream))
        return;
    copy_cells(queue, device, FF_STREAM_COPYING, part, size);
    queue->devices[device].done[what + 1] = record(queue, device, FF_STREAM_COPYING);
}

static void offer_rows(struct queue *queue, unsigned device, enum done what, double bytes)
{
    if (!offer(queue, device, what, FF_STREAM_WORK))
        return;
    copy_rows(queue, device, bytes);
    queue->devices[device].done[what + 1] = record(queue, device, FF_STREAM_COPYING);
}

static void offer_weight(struct queue *queue, unsigned device, const struct ff_model_part *part,
                         enum ff_model_stream stream)
{
    if (queue->count > 1)
        offer_cells(queue, device, part, DONE_WEIGHT, stream, REAL);
}

static void offer_power(struct queue *queue, unsigned device)
{
    if (queue->count > 1)
        offer_rows(queue, device, DONE_POWER, ff_model_power_bytes(&queue->devices[device].shape));
}

static void offer_object(struct queue *queue, unsigned device, const struct ff_model_part *part)
{
    if (queue->count > 1)
        offer_cells(queue, device, part, DONE_OBJECT, FF_STREAM_WORK, COMPLEX);
    queue->devices[device].object_offered = true;
}

static void offer_all(struct queue *queue, unsigned device, const struct ff_model_part *part)
{
    struct device *d = &queue->devices[device];
    if (!d->object_offered)
        offer_object(queue, device, part);
    d->object_offered = false;
    if (queue->count > 1)
        offer_rows(queue, device, DONE_PROBE, ff_model_probe_bytes(&d->shape));
}

/* --- settle --- */

static void find_ways(struct queue *queue, const struct ff_model_part *parts)
{
    const double read_bytes = 1 << 20;
    double probe = ff_model_probe_bytes(&queue->devices[0].shape);
    bool any_copied = false, any_early = false;
    for (unsigned i = 0; i < queue->count; i++) {
        any_copied = any_copied || is_copied(queue, i);
        any_early = any_early || parts[i].offered_chunks > 0;
    }
    bool step = queue->algorithm == FF_MODEL_RPIE;
    queue->owners_step = step && (any_copied || any_early);
    queue->is_shared_out = !step || any_copied || (queue->count - 1) * probe > read_bytes;
}

static void settle_weights(struct queue *queue, unsigned device, const struct ff_model_part *parts)
{
    struct device *d = &queue->devices[device];
    double share = shares_of(queue, ff_model_power_bytes(&d->shape));
    struct ff_model_launch launch = {.name = "settle_sums", .bytes = share};
    await_sharers(queue, device, DONE_WEIGHT, FF_STREAM_EXCHANGE);
    await_all(queue, device, DONE_POWER, FF_STREAM_EXCHANGE);
    put(queue, device, FF_STREAM_EXCHANGE, (struct ff_model_launch){.name = "memset"});
    add_parts(queue, device, parts, true, REAL, &launch);
    launch.bytes += cell_bytes(queue, device, true, REAL);
    add_shares(queue, device, ff_model_power_bytes(&d->shape), &launch);
    put(queue, device, FF_STREAM_EXCHANGE, launch);
    d->done[DONE_WEIGHING] = record(queue, device, FF_STREAM_EXCHANGE);
    if (!is_copied(queue, device))
        return;
    if (queue->algorithm != FF_MODEL_RPIE)
        copy_cells(queue, device, FF_STREAM_EXCHANGE, NULL, REAL);
    copy_out(queue, device, FF_STREAM_EXCHANGE, share);
    d->done[DONE_WEIGHING + 1] = record(queue, device, FF_STREAM_EXCHANGE);
}

/* What stands whole in a device's cells, for the others. */
static void offer_whole(struct queue *queue, unsigned device)
{
    struct device *d = &queue->devices[device];
    d->done[DONE_CELLS] = record(queue, device, FF_STREAM_EXCHANGE);
    if (!is_copied(queue, device))
        return;
    copy_cells(queue, device, FF_STREAM_EXCHANGE, NULL, COMPLEX);
    d->done[DONE_CELLS + 1] = record(queue, device, FF_STREAM_EXCHANGE);
}

static void settle_object(struct queue *queue, unsigned device, const struct ff_model_part *parts)
{
    struct ff_model_launch launch = {.name = "settle_sums"};
    await_sharers(queue, device, DONE_OBJECT, FF_STREAM_EXCHANGE);
    add_parts(queue, device, parts, true, COMPLEX, &launch);
    launch.bytes += cell_bytes(queue, device, true, COMPLEX);
    put(queue, device, FF_STREAM_EXCHANGE, launch);
    offer_whole(queue, device);
}

static void settle_probe(struct queue *queue, unsigned device)
{
    struct device *d = &queue->devices[device];
    double share = shares_of(queue, ff_model_probe_bytes(&d->shape));
    struct ff_model_launch launch = {.name = "settle_sums", .bytes = share};
    await_all(queue, device, DONE_PROBE, FF_STREAM_LATE);
    add_shares(queue, device, ff_model_probe_bytes(&d->shape), &launch);
    put(queue, device, FF_STREAM_LATE, launch);
    d->done[DONE_SHARE] = record(queue, device, FF_STREAM_LATE);
    if (!is_copied(queue, device))
        return;
    copy_out(queue, device, FF_STREAM_LATE, share);
    d->done[DONE_SHARE + 1] = record(queue, device, FF_STREAM_LATE);
}

static void settle(struct queue *queue, unsigned device, const struct ff_model_part *parts)
{
    settle_weights(queue, device, parts);
    if (queue->algorithm != FF_MODEL_RPIE)
        settle_object(queue, device, parts);
    if (queue->is_shared_out)
        settle_probe(queue, device);
}

/* Whole sums are put in the place of the device's own. */
static void spread(struct queue *queue, unsigned device)
{
    struct device *d = &queue->devices[device];
    double probe = ff_model_probe_bytes(&d->shape) + ff_model_power_bytes(&d->shape);
    struct ff_model_launch launch = {.name = "spread_sums",
                                     .bytes = cell_bytes(queue, device, false, COMPLEX) +
                                              cell_bytes(queue, device, false, REAL) + probe};
    await_all(queue, device, DONE_CELLS, FF_STREAM_WORK);
    await_all(queue, device, DONE_SHARE, FF_STREAM_WORK);
    add_whole(queue, device, COMPLEX, &launch);
    add_whole(queue, device, REAL, &launch);
    add_shares(queue, device, probe, &launch);
    put(queue, device, FF_STREAM_WORK, launch);
    d->done[DONE_TAKING] = record(queue, device, FF_STREAM_WORK);
}

/* --- steps with sums where they lie --- */

/* O is read and written, N_O read of all, W at home or of the owners. */
static void add_step_of_cells(struct queue *queue, unsigned device,
                              const struct ff_model_part *parts, bool own_alone,
                              struct ff_model_launch *launch)
{
    launch->bytes += 2 * cell_bytes(queue, device, true, COMPLEX) +
                     (own_alone ? 0 : 2 * cell_bytes(queue, device, false, COMPLEX)) +
                     cell_bytes(queue, device, true, REAL);
    add_parts(queue, device, parts, own_alone, COMPLEX, launch);
    if (!own_alone)
        add_whole(queue, device, REAL, launch);
}

static void add_step_of_probe(struct queue *queue, unsigned device, enum ff_model_stream stream,
                              struct ff_model_launch *launch)
{
    const struct ff_model_shape *shape = &queue->devices[device].shape;
    double probe = ff_model_probe_bytes(shape);
    await_all(queue, device, DONE_WEIGHING, stream);
    await_all(queue, device, queue->is_shared_out ? DONE_SHARE : DONE_PROBE, stream);
    launch->bytes += 2 * probe;
    add_shares(queue, device, ff_model_power_bytes(shape), launch);
    for (unsigned peer = 0; peer < queue->count; peer++) {
        double bytes = queue->is_shared_out ? shares_of(queue, probe) : probe;
        exchange_of(queue, device, peer, bytes, bytes, launch);
    }
}

static double alone_bytes(const struct queue *queue, unsigned device)
{
    const struct device *d = &queue->devices[device];
    return ff_model_step_bytes(d->shape.tile - d->cells.pixels);
}

static void step_at_once(struct queue *queue, unsigned device, const struct ff_model_part *parts)
{
    struct ff_model_launch launch = {.name = "step_settled", .bytes = alone_bytes(queue, device)};
    await_sharers(queue, device, DONE_OBJECT, FF_STREAM_WORK);
    add_step_of_cells(queue, device, parts, false, &launch);
    add_step_of_probe(queue, device, FF_STREAM_WORK, &launch);
    put(queue, device, FF_STREAM_WORK, launch);
    queue->devices[device].done[DONE_TAKING] = record(queue, device, FF_STREAM_WORK);
}

static void step_apart(struct queue *queue, unsigned device, const struct ff_model_part *parts)
{
    struct ff_model_launch cells = {.name = "step_settled"}, probe = {.name = "step_settled"};
    await_all(queue, device, DONE_WEIGHING, FF_STREAM_EXCHANGE);
    await_sharers(queue, device, DONE_OBJECT, FF_STREAM_EXCHANGE);
    add_step_of_cells(queue, device, parts, true, &cells);
    put(queue, device, FF_STREAM_EXCHANGE, cells);
    offer_whole(queue, device);
    add_step_of_probe(queue, device, FF_STREAM_LATE, &probe);
    put(queue, device, FF_STREAM_LATE, probe);
    queue->devices[device].probe_stepped = record(queue, device, FF_STREAM_LATE);
    await_all(queue, device, DONE_WEIGHING, FF_STREAM_WORK);
    put(queue, device, FF_STREAM_WORK,
        (struct ff_model_launch){.name = "step_settled", .bytes = alone_bytes(queue, device)});
}

static void take_steps(struct queue *queue, unsigned device)
{
    struct device *d = &queue->devices[device];
    struct ff_model_launch launch = {.name = "fetch_steps",
                                     .bytes = cell_bytes(queue, device, false, COMPLEX)};
    await_sharers(queue, device, DONE_CELLS, FF_STREAM_EXCHANGE);
    add_whole(queue, device, COMPLEX, &launch);
    put(queue, device, FF_STREAM_EXCHANGE, launch);
    wait_for(queue, device, FF_STREAM_WORK, record(queue, device, FF_STREAM_EXCHANGE));
    wait_for(queue, device, FF_STREAM_WORK, d->probe_stepped);
    d->done[DONE_TAKING] = record(queue, device, FF_STREAM_WORK);
}

/* --- the stages on all devices: devices/stages.c, solvers/rpie.c, lstsq.c --- */

/* W is formed beside the first waves; the work ends when it is there. */
static size_t weigh(struct queue *queue, unsigned device, const struct ff_model_part *part)
{
    wait_for(queue, device, FF_STREAM_BESIDE, record(queue, device, FF_STREAM_WORK));
    await_taken(queue, device, FF_STREAM_BESIDE);
    put(queue, device, FF_STREAM_BESIDE,
        ff_model_weigh(&queue->devices[device].shape, part->patterns));
    offer_weight(queue, device, part, FF_STREAM_BESIDE);
    return record(queue, device, FF_STREAM_BESIDE);
}

static void offer_nothing(struct queue *queue, unsigned device, const struct ff_model_part *part)
{
    await_taken(queue, device, FF_STREAM_WORK);
    clear_sums(queue, device);
    offer_weight(queue, device, part, FF_STREAM_WORK);
    offer_power(queue, device);
}

static void gradients_of(struct queue *queue, unsigned device, const struct ff_model_part *part,
                         size_t number)
{
    const struct ff_model_shape *shape = &queue->devices[device].shape;
    const struct ff_model_chunk *chunk = &part->chunks[number];
    put(queue, device, FF_STREAM_WORK, ff_model_form_waves(shape, chunk, number == 0));
    if (number + 1 == part->chunk_count)
        offer_power(queue, device);
    transform(queue, device, chunk);
    put(queue, device, FF_STREAM_WORK, ff_model_modulus(shape, chunk));
    transform(queue, device, chunk);
    if (number == 0)
        await_taken(queue, device, FF_STREAM_WORK);
    put(queue, device, FF_STREAM_WORK, ff_model_sum_exit_waves(shape, chunk, number == 0));
}

static void gradients(struct queue *queue, unsigned device, const struct ff_model_part *part)
{
    begin(queue, device, part);
    size_t weighed = part->patterns > 0 ? weigh(queue, device, part) : 0;
    if (part->patterns == 0)
        offer_nothing(queue, device, part);
    for (size_t i = 0; i < part->chunk_count; i++) {
        gradients_of(queue, device, part, i);
        if (i + 1 == part->offered_chunks)
            offer_object(queue, device, part);
    }
    leave_numbers(queue, device, part);
    wait_for(queue, device, FF_STREAM_WORK, weighed);
    offer_all(queue, device, part);
}

static void find_lengths(struct queue *queue)
{
    for (unsigned i = 0; i < queue->count; i++) {
        const struct device *d = &queue->devices[i];
        put(queue, i, FF_STREAM_WORK, ff_model_length_pieces(&d->shape, d->owned));
        put(queue, i, FF_STREAM_WORK, ff_model_add_pieces());
    }
    ff_timeline_host_waits(queue->timeline);
}

static void update(struct queue *queue, unsigned device, const struct ff_model_part *parts)
{
    if (queue->count == 1 || queue->algorithm == FF_MODEL_LSTSQ)
        put(queue, device, FF_STREAM_WORK, ff_model_step(&queue->devices[device].shape));
    else if (queue->owners_step)
        step_apart(queue, device, parts);
    else
        step_at_once(queue, device, parts);
}

static void exchange(struct queue *queue, const struct ff_model_part *parts)
{
    find_ways(queue, parts);
    for (unsigned i = 0; i < queue->count; i++)
        settle(queue, i, parts);
    for (unsigned i = 0; queue->algorithm == FF_MODEL_LSTSQ && i < queue->count; i++)
        spread(queue, i);
}

static void take_step(struct queue *queue, const struct ff_model_part *parts)
{
    for (unsigned i = 0; i < queue->count; i++)
        gradients(queue, i, &parts[i]);
    if (queue->count > 1)
        exchange(queue, parts);
    if (queue->algorithm == FF_MODEL_LSTSQ)
        find_lengths(queue);
    for (unsigned i = 0; i < queue->count; i++)
        update(queue, i, parts);
    for (unsigned i = 0; queue->count > 1 && queue->owners_step && i < queue->count; i++)
        take_steps(queue, i);
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
    return ff_cells_create(tile->links, tile->link_count, number, queue->weights, &device->cells,
                           error);
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
    int result = ff_cell_weights(epoch->tiles->areas, queue.count, queue.weights, error);
    *queued = (struct ff_model_queued){0};
    for (unsigned i = 0; result == 0 && i < queue.count; i++)
        result = find_device(&queue, i, size, modes, &queue.devices[i], error);
    if (result == 0)
        queue_all(&queue);
    for (unsigned i = 0; i < queue.count; i++)
        ff_cells_release(&queue.devices[i].cells);
    return result;
}

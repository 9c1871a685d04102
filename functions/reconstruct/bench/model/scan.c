#include "functions/reconstruct/bench/model/scan.h"

#include "functions/reconstruct/backends/cuda/chunks.h"
#include "functions/reconstruct/solvers/batches.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SECTOR = 32, COMPLEX = 2 * sizeof(float) };

int ff_model_scan_create(size_t patterns, size_t size, double step, struct ff_model_scan *scan,
                         struct ff_error *error)
{
    size_t columns = (size_t)lround(sqrt((double)patterns));
    size_t rows = (patterns + columns - 1) / columns;
    size_t most = columns > rows ? columns : rows;
    struct ff_random random = ff_random_seed(0);
    *scan = (struct ff_model_scan){.patterns = patterns, .size = size};
    scan->positions = ff_array_create(patterns, 2 * sizeof *scan->positions, "the scan", error);
    if (scan->positions == NULL)
        return -1;
    for (size_t i = 0; i < patterns; i++) {
        scan->positions[2 * i] = 1 + step * (double)(i / columns) + ff_random_unit(&random);
        scan->positions[2 * i + 1] = 1 + step * (double)(i % columns) + ff_random_unit(&random);
    }
    scan->object = size + 3 + (size_t)ceil(step * (double)(most - 1));
    return 0;
}

void ff_model_scan_release(struct ff_model_scan *scan)
{
    free(scan->positions);
    *scan = (struct ff_model_scan){0};
}

/* --- what is touched --- */

/* A byte for each sector of a tile of complex numbers. */
struct cover {
    const struct ff_model_scan *scan;
    const struct ff_tile *tile;
    unsigned char *sectors;
};

enum { NOW = 1, EARLIER = 2 }; /* by the chunk; by one of the same batch before it */

static void mark(unsigned char *sectors, size_t first, size_t end)
{
    for (size_t i = first * COMPLEX / SECTOR; i <= (end * COMPLEX - 1) / SECTOR; i++)
        sectors[i] |= NOW;
}

/* Bytes that are marked, and those that were before. */
struct marked {
    size_t now, again;
};

/* Of pixels [first, end). */
static struct marked take_marks(unsigned char *sectors, size_t first, size_t end)
{
    struct marked marked = {0, 0};
    for (size_t i = first * COMPLEX / SECTOR; i <= (end * COMPLEX - 1) / SECTOR; i++) {
        marked.now += sectors[i] & NOW ? SECTOR : 0;
        marked.again += sectors[i] == (NOW | EARLIER) ? SECTOR : 0;
        sectors[i] = sectors[i] != 0 ? EARLIER : 0;
    }
    return marked;
}

/* Bytes of `pixels` that no chunk of the batch touched; nothing is marked any more. */
static size_t end_marks(unsigned char *sectors, size_t pixels)
{
    size_t unmarked = 0, count = pixels * COMPLEX / SECTOR + 1;
    for (size_t i = 0; i < count; i++)
        unmarked += sectors[i] == 0 ? SECTOR : 0;
    memset(sectors, 0, count);
    return unmarked;
}

static void corner_of(const struct ff_model_scan *scan, uint32_t pattern, size_t *row,
                      size_t *column)
{
    *row = (size_t)scan->positions[2 * (size_t)pattern];
    *column = (size_t)scan->positions[2 * (size_t)pattern + 1];
}

static void cover_patch(const struct cover *cover, uint32_t pattern)
{
    const struct ff_area *area = &cover->tile->area;
    size_t row, column, reach = cover->scan->size + 1;
    corner_of(cover->scan, pattern, &row, &column);
    for (size_t i = 0; i < reach; i++) {
        size_t first = (row - area->row + i) * area->columns + column - area->column;
        mark(cover->sectors, first, first + reach);
    }
}

static struct ff_model_chunk cover_chunk(const struct cover *cover, const uint32_t *patterns,
                                         size_t count)
{
    const struct ff_area *area = &cover->tile->area;
    size_t first = SIZE_MAX, end = 0; /* rows of the tile */
    for (size_t i = 0; i < count; i++) {
        size_t row, column;
        corner_of(cover->scan, patterns[i], &row, &column);
        size_t below = row - area->row + cover->scan->size + 1;
        first = row - area->row < first ? row - area->row : first;
        end = below > end ? below : end;
        cover_patch(cover, patterns[i]);
    }
    first *= area->columns;
    end *= area->columns;
    struct marked object = take_marks(cover->sectors, first, end);
    return (struct ff_model_chunk){
        .patterns = count,
        .object_bytes = object.now,
        .set_bytes = object.now,
        .again_bytes = object.again,
    };
}

static int make_cover(const struct ff_model_scan *scan, const struct ff_tile *tile,
                      struct cover *cover, struct ff_error *error)
{
    size_t pixels = ff_area_pixels(tile->area);
    *cover = (struct cover){.scan = scan, .tile = tile};
    cover->sectors = ff_array_create(pixels * COMPLEX / SECTOR + 1, 1, "the model's object", error);
    return cover->sectors != NULL ? 0 : -1;
}

/* --- batches --- */

/* A pattern in the order of the work: of backends/cuda/batch.c. */
struct turn {
    bool is_shared;
    uint32_t along, pattern;
};

static int compare_turns(const void *a, const void *b)
{
    const struct turn *p = a, *q = b;
    if (p->along != q->along)
        return p->along < q->along ? -1 : 1;
    return p->pattern < q->pattern ? -1 : p->pattern > q->pattern;
}

struct dealing {
    const struct ff_model_scan *scan;
    const unsigned char *device_of; /* (patterns) */
    struct turn *turns;             /* room */
    uint32_t *patterns;             /* room */
    bool *shared;                   /* room */
    size_t limit;                   /* of a chunk */
    struct ff_error *error;
};

static size_t sort_part(const struct dealing *dealing, const struct ff_tile *tile, unsigned device,
                        struct ff_batch batch)
{
    size_t count = 0;
    for (size_t i = 0; i < batch.count; i++) {
        uint32_t pattern = batch.patterns[i];
        size_t row, column, size = dealing->scan->size;
        if (dealing->device_of[pattern] != device)
            continue;
        corner_of(dealing->scan, pattern, &row, &column);
        bool is_shared = ff_cuda_is_shared(tile->links, tile->link_count, row, column, size, size);
        uint32_t along = ff_cuda_along_curve(row - tile->area.row, column - tile->area.column,
                                             tile->area.rows, tile->area.columns);
        dealing->turns[count++] = (struct turn){is_shared, along, pattern};
    }
    qsort(dealing->turns, count, sizeof *dealing->turns, compare_turns);
    return count;
}

/* The patterns of sorted turns in the order of the work. */
static struct ff_cuda_chunks arrange(const struct dealing *dealing, size_t count)
{
    size_t start, placed = 0;
    for (size_t i = 0; i < count; i++)
        dealing->shared[i] = dealing->turns[i].is_shared;
    const struct ff_cuda_chunks chunks =
        ff_cuda_chunks_of(dealing->shared, count, dealing->limit, &start);
    for (int rest = 0; rest < (chunks.shared > 0 ? 2 : 1); rest++)
        for (size_t i = 0; i < count; i++) {
            const struct turn *turn = &dealing->turns[(start + i) % count];
            if (chunks.shared == 0 || turn->is_shared == (rest == 0))
                dealing->patterns[placed++] = turn->pattern;
        }
    return chunks;
}

static void find_rows(const struct dealing *dealing, size_t count, struct ff_model_part *part)
{
    for (size_t i = 0; i < count; i++) {
        size_t row, column;
        corner_of(dealing->scan, dealing->patterns[i], &row, &column);
        size_t end = row + dealing->scan->size + 1;
        part->first_row = i == 0 || row < part->first_row ? row : part->first_row;
        part->end_row = end > part->end_row ? end : part->end_row;
    }
}

static int make_part(const struct dealing *dealing, const struct cover *cover, unsigned device,
                     struct ff_batch batch, struct ff_model_part *part)
{
    size_t count = sort_part(dealing, cover->tile, device, batch);
    const struct ff_cuda_chunks chunks = arrange(dealing, count);
    part->patterns = count;
    part->chunks = ff_array_create(count / chunks.limit + 2, sizeof *part->chunks,
                                   "the model's batches", dealing->error);
    if (part->chunks == NULL)
        return -1;
    find_rows(dealing, chunks.offered > 0 ? chunks.offered : count, part);
    for (size_t first = 0, end; first < count; first = end) {
        end = ff_cuda_chunk_end_of(&chunks, first);
        part->offered_chunks += first < chunks.offered;
        part->chunks[part->chunk_count++] =
            cover_chunk(cover, dealing->patterns + first, end - first);
    }
    size_t untouched = end_marks(cover->sectors, ff_area_pixels(cover->tile->area));
    if (part->chunk_count > 0)
        part->chunks[0].set_bytes += untouched;
    return 0;
}

static int make_parts(const struct dealing *dealing, struct ff_batches *batches,
                      struct ff_model_epoch *epoch)
{
    for (unsigned i = 0; i < epoch->tiles->count; i++) {
        struct cover cover;
        int result = make_cover(dealing->scan, &epoch->tiles->tiles[i], &cover, dealing->error);
        for (size_t j = 0; result == 0 && j < epoch->batches; j++)
            result = make_part(dealing, &cover, i, ff_batches_at(batches, j),
                               &epoch->parts[j * epoch->tiles->count + i]);
        free(cover.sectors);
        if (result < 0)
            return -1;
    }
    return 0;
}

size_t ff_model_chunk_limit(size_t size, size_t modes, size_t cache, size_t batch)
{
    return ff_cuda_chunk_limit(cache, modes * size * size * COMPLEX, batch);
}

static int deal(const struct ff_model_scan *scan, size_t modes, size_t cache,
                struct ff_batches *batches, struct ff_model_epoch *epoch, struct ff_error *error)
{
    unsigned char *device_of = ff_array_create(scan->patterns, 1, "the scan", error);
    struct dealing dealing = {.scan = scan, .device_of = device_of, .error = error};
    size_t most = ff_batches_limit(batches);
    dealing.turns = ff_array_create(most, sizeof *dealing.turns, "a batch", error);
    dealing.patterns = ff_array_create(most, sizeof *dealing.patterns, "a batch", error);
    dealing.shared = ff_array_create(most, sizeof *dealing.shared, "a batch", error);
    int result = device_of != NULL && dealing.turns != NULL && dealing.patterns != NULL &&
                         dealing.shared != NULL
                     ? 0
                     : -1;
    for (unsigned i = 0; result == 0 && i < epoch->tiles->count; i++)
        for (size_t j = 0; j < epoch->tiles->tiles[i].pattern_count; j++)
            device_of[epoch->tiles->tiles[i].patterns[j]] = (unsigned char)i;
    dealing.limit = ff_model_chunk_limit(scan->size, modes, cache, most);
    if (result == 0)
        result = make_parts(&dealing, batches, epoch);
    free(device_of);
    free(dealing.turns);
    free(dealing.patterns);
    free(dealing.shared);
    return result;
}

int ff_model_epoch_create(const struct ff_model_scan *scan, unsigned devices, size_t batches,
                          size_t modes, size_t cache, struct ff_model_epoch *epoch,
                          struct ff_error *error)
{
    const struct ff_scan shape = {
        .positions = scan->positions,
        .patterns = scan->patterns,
        .fly = 1,
        .rows = scan->size,
        .columns = scan->size,
        .object_rows = scan->object,
        .object_columns = scan->object,
    };
    const struct ff_problem problem = {
        .patterns = scan->patterns, .fly = 1, .positions = scan->positions};
    const struct ff_solver_settings settings = {.epochs = 1, .batches = batches};
    struct ff_random random = ff_random_seed(0);
    struct ff_batches *dealt = ff_batches_create(&problem, &settings, error);
    *epoch = (struct ff_model_epoch){.tiles = ff_tiles_create(&shape, devices, error)};
    if (dealt == NULL || epoch->tiles == NULL) {
        ff_batches_destroy(dealt);
        ff_model_epoch_release(epoch);
        return -1;
    }
    epoch->batches = ff_batches_deal(dealt, 1, &random);
    epoch->parts = ff_array_create(epoch->batches * epoch->tiles->count, sizeof *epoch->parts,
                                   "the model's batches", error);
    int result = epoch->parts != NULL ? deal(scan, modes, cache, dealt, epoch, error) : -1;
    ff_batches_destroy(dealt);
    if (result < 0)
        ff_model_epoch_release(epoch);
    return result;
}

void ff_model_epoch_release(struct ff_model_epoch *epoch)
{
    bool is_made = epoch->parts != NULL && epoch->tiles != NULL;
    size_t parts = is_made ? epoch->batches * epoch->tiles->count : 0;
    for (size_t i = 0; i < parts; i++)
        free(epoch->parts[i].chunks);
    free(epoch->parts);
    ff_tiles_destroy(epoch->tiles);
    *epoch = (struct ff_model_epoch){0};
}

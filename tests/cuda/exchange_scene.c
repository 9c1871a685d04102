#include "tests/cuda/exchange_scene.h"

#include "functions/reconstruct/backends/cells.h"
#include "functions/reconstruct/solvers/random.h"

enum { PATTERNS = 40, PATCH_ROWS = 7, PATCH_COLUMNS = 6 };

static const unsigned wants[EXCHANGE_ROUNDS] = {FF_WANT_OBJECT | FF_WANT_PROBE, FF_WANT_OBJECT,
                                                FF_WANT_OBJECT | FF_WANT_PROBE};

static size_t even(size_t count)
{
    return count + count % 2;
}

static struct exchange_layout layout_of(const struct exchange_scene *scene, struct ff_area tile)
{
    size_t pixels = ff_area_pixels(tile), probe = scene->rows * scene->columns;
    struct exchange_layout layout = {.weight = 0};
    layout.power = even(pixels);
    layout.greatest = layout.power + scene->powers * probe;
    layout.object = even(layout.greatest + 1 + scene->powers);
    layout.probe = layout.object + 2 * pixels;
    layout.size = layout.probe + 2 * scene->probes * probe;
    return layout;
}

static struct ff_tiles *make_tiles(const struct exchange_options *options)
{
    struct ff_random random = ff_random_seed(options->seed);
    double positions[2 * PATTERNS];
    struct ff_error error;
    for (size_t i = 0; i < PATTERNS; i++) {
        positions[2 * i] = 2 + 18 * ff_random_unit(&random);
        positions[2 * i + 1] = 2 + 23 * ff_random_unit(&random);
    }
    const struct ff_scan scan = {positions, PATTERNS, 1, PATCH_ROWS, PATCH_COLUMNS, 40, 44, 1.0};
    struct ff_tiles *tiles = ff_tiles_create(&scan, options->devices, &error);
    if (tiles == NULL)
        fail_msg("%s", error.message);
    return tiles;
}

/* --- what is given --- */

static float larger(float a, float b)
{
    return a > b ? a : b;
}

/* Rows that the batch did not touch hold no number: nobody is to read them. */
static void give_object(const struct exchange_scene *scene, unsigned number, unsigned round,
                        struct ff_random *random)
{
    const struct exchange_member *member = &scene->member[number];
    struct ff_area tile = scene->tiles->tiles[number].area;
    float *object = member->given[round] + member->layout.object;
    float *weight = member->given[round] + member->layout.weight;
    float most = 0;
    memset(object, 0xff, 2 * ff_area_pixels(tile) * sizeof *object);
    memset(weight, 0xff, ff_area_pixels(tile) * sizeof *weight);
    for (size_t row = member->first_row[round]; row < member->end_row[round]; row++)
        for (size_t column = 0; column < tile.columns; column++) {
            size_t at = row * tile.columns + column;
            object[2 * at] = (float)ff_random_unit(random) - 0.5f;
            object[2 * at + 1] = (float)ff_random_unit(random) - 0.5f;
            weight[at] = (float)ff_random_unit(random);
            most = larger(most, weight[at]);
        }
    memcpy(member->given[round] + member->layout.greatest, &most, sizeof most);
}

static void give(struct exchange_scene *scene, unsigned number, unsigned round,
                 struct ff_random *random)
{
    struct exchange_member *member = &scene->member[number];
    size_t rows = scene->tiles->tiles[number].area.rows;
    member->first_row[round] = ff_random_below(random, (uint32_t)rows / 4 + 1);
    member->end_row[round] = rows - ff_random_below(random, (uint32_t)rows / 4 + 1);
    if (ff_random_below(random, 8) == 0) /* no pattern at all */
        member->end_row[round] = member->first_row[round];
    for (size_t i = member->layout.power; i < member->layout.size; i++)
        member->given[round][i] = (float)ff_random_unit(random);
    give_object(scene, number, round, random);
}

/* --- the scene --- */

static struct ff_link *own_links(const struct exchange_scene *scene, unsigned number)
{
    const struct ff_tile *tile = &scene->tiles->tiles[number];
    struct ff_link *links = malloc((tile->link_count + 1) * sizeof *links);
    assert_non_null(links);
    for (size_t i = 0; i < tile->link_count; i++)
        links[i] = tile->links[i];
    if (number == 1 && scene->options.narrow_halo)
        links[0].area.columns--;
    return links;
}

/* Tile i on the device of the number counted from the end: numbers and places are not the same. */
static void make_member(struct exchange_scene *scene, unsigned number, const unsigned *places)
{
    struct exchange_member *member = &scene->member[number];
    const struct ff_tile *tile = &scene->tiles->tiles[number];
    struct ff_error error;
    ff_cuda_begin(&member->calls, (int)places[number]);
    FF_CUDA(&member->calls, cudaStreamCreateWithFlags(&member->stream, cudaStreamNonBlocking));
    FF_CUDA(&member->calls, cudaStreamCreateWithFlags(&member->beside, cudaStreamNonBlocking));
    FF_CUDA(&member->calls, cudaEventCreateWithFlags(&member->begun, cudaEventDisableTiming));
    member->layout = layout_of(scene, tile->area);
    member->links = own_links(scene, number);
    member->sums = ff_cuda_device(&member->memory, &member->calls, member->stream,
                                  member->layout.size, sizeof(float), "the sums", &error);
    assert_non_null(member->sums);
    for (unsigned round = 0; round < EXCHANGE_ROUNDS; round++) {
        member->given[round] = ff_cuda_pinned(&member->memory, &member->calls, member->layout.size,
                                              sizeof(float), "what is given", &error);
        member->found[round] = ff_cuda_pinned(&member->memory, &member->calls, member->layout.size,
                                              sizeof(float), "what is found", &error);
        assert_non_null(member->given[round]);
        assert_non_null(member->found[round]);
    }
    const struct ff_backend_plan plan = {.number = number,
                                         .count = scene->count,
                                         .places = places,
                                         .tiles = scene->tiles->areas,
                                         .tile = tile->area,
                                         .links = member->links,
                                         .link_count = tile->link_count};
    const struct ff_cuda_partial sums = {
        .object = (float2 *)(void *)(member->sums + member->layout.object),
        .weight = member->sums + member->layout.weight,
        .probe = (float2 *)(void *)(member->sums + member->layout.probe),
        .power = member->sums + member->layout.power,
        .probes = scene->probes,
        .powers = scene->powers,
        .rows = scene->rows,
        .columns = scene->columns,
    };
    member->exchange =
        ff_cuda_exchange_create(&member->calls, &member->memory, &plan, &sums, &error);
    if (member->exchange == NULL)
        fail_msg("%s", error.message);
    scene->peers[number] = member->exchange;
}

void make_exchange_scene(struct exchange_scene *scene, const struct exchange_options *options)
{
    unsigned places[FF_CUDA_DEVICES];
    struct ff_random random = ff_random_seed(options->seed + 1);
    *scene = (struct exchange_scene){.options = *options,
                                     .tiles = make_tiles(options),
                                     .count = options->devices,
                                     .probes = 3,
                                     .powers = 2,
                                     .rows = options->probe_rows > 0 ? options->probe_rows : 19,
                                     .columns = 5};
    for (unsigned round = 0; round < EXCHANGE_ROUNDS; round++)
        scene->want[round] = options->all ? wants[0] : wants[round];
    for (unsigned i = 0; i < scene->count; i++)
        places[i] = scene->count - 1 - i;
    for (unsigned i = 0; i < scene->count; i++)
        make_member(scene, i, places);
    for (unsigned round = 0; round < EXCHANGE_ROUNDS; round++)
        for (unsigned i = 0; i < scene->count; i++)
            give(scene, i, round, &random);
}

void end_exchange_scene(struct exchange_scene *scene)
{
    for (unsigned i = 0; i < scene->count; i++) {
        struct exchange_member *member = &scene->member[i];
        ff_cuda_use(&member->calls);
        ff_cuda_exchange_destroy(member->exchange);
        ff_cuda_memory_release(&member->memory, &member->calls);
        FF_CUDA_ALWAYS(&member->calls, cudaStreamDestroy(member->stream));
        FF_CUDA_ALWAYS(&member->calls, cudaStreamDestroy(member->beside));
        FF_CUDA_ALWAYS(&member->calls, cudaEventDestroy(member->begun));
        free(member->links);
        if (member->calls.failed)
            fail_msg("%s", member->calls.text);
    }
    ff_tiles_destroy(scene->tiles);
}

/* --- the stages --- */

static void upload(struct exchange_member *member, unsigned round, size_t from, size_t end,
                   cudaStream_t stream)
{
    FF_CUDA(&member->calls,
            cudaMemcpyAsync(member->sums + from, member->given[round] + from,
                            (end - from) * sizeof(float), cudaMemcpyHostToDevice, stream));
}

static void offer_object(struct exchange_scene *scene, unsigned number, unsigned round)
{
    struct exchange_member *member = &scene->member[number];
    if (scene->want[round] & FF_WANT_OBJECT)
        ff_cuda_exchange_offer_object(member->exchange, member->stream, !scene->options.late);
}

/* W beside V, then N_O, then N_P. */
void exchange_form(struct exchange_scene *scene, unsigned number, unsigned round)
{
    struct exchange_member *member = &scene->member[number];
    const struct exchange_layout *layout = &member->layout;
    bool probe = (scene->want[round] & FF_WANT_PROBE) != 0;
    ff_cuda_use(&member->calls);
    ff_cuda_exchange_begin(member->exchange, scene->want[round], member->first_row[round],
                           member->end_row[round],
                           (unsigned *)(void *)(member->sums + layout->greatest));
    ff_cuda_exchange_await_taken(member->exchange, member->stream);
    FF_CUDA(&member->calls,
            cudaMemsetAsync(member->sums, 0xff, layout->size * sizeof(float), member->stream));
    FF_CUDA(&member->calls, cudaEventRecord(member->begun, member->stream));
    FF_CUDA(&member->calls, cudaStreamWaitEvent(member->beside, member->begun, 0));
    upload(member, round, layout->weight, layout->power, member->beside);
    upload(member, round, layout->greatest, layout->greatest + 1, member->beside);
    ff_cuda_exchange_offer_weight(member->exchange, member->beside);
    upload(member, round, layout->power, layout->greatest, member->stream);
    upload(member, round, layout->greatest + 1, layout->object, member->stream);
    if (probe)
        ff_cuda_exchange_offer_power(member->exchange, member->stream);
    upload(member, round, layout->object, layout->probe, member->stream);
    if (!scene->options.late)
        offer_object(scene, number, round);
    if (scene->options.between != NULL)
        FF_CUDA(&member->calls, cudaLaunchHostFunc(member->stream, scene->options.between,
                                                   scene->options.between_data));
    upload(member, round, layout->probe, layout->size, member->stream);
    if (scene->options.late)
        offer_object(scene, number, round);
    if (probe)
        ff_cuda_exchange_offer_probe(member->exchange, member->stream);
}

void exchange_settle(struct exchange_scene *scene, unsigned number)
{
    ff_cuda_use(&scene->member[number].calls);
    ff_cuda_exchange_settle(scene->member[number].exchange, scene->peers);
}

void exchange_spread(struct exchange_scene *scene, unsigned number, unsigned round)
{
    struct exchange_member *member = &scene->member[number];
    size_t size = member->layout.size * sizeof(float);
    ff_cuda_use(&member->calls);
    const struct ff_cuda_settled settled = ff_cuda_exchange_settled(member->exchange);
    ff_cuda_exchange_spread(member->exchange, &settled, member->stream);
    FF_CUDA(&member->calls, cudaMemcpyAsync(member->found[round], member->sums, size,
                                            cudaMemcpyDeviceToHost, member->stream));
}

void wait_for_exchange(struct exchange_scene *scene)
{
    for (unsigned i = 0; i < scene->count; i++) {
        struct exchange_member *member =
            &scene->member[scene->options.backwards ? scene->count - 1 - i : i];
        ff_cuda_use(&member->calls);
        FF_CUDA(&member->calls, cudaStreamSynchronize(member->stream));
    }
}

void run_exchange(struct exchange_scene *scene)
{
    for (unsigned round = 0; round < EXCHANGE_ROUNDS; round++) {
        for (unsigned i = 0; i < scene->count; i++)
            exchange_form(scene, i, round);
        for (unsigned i = 0; i < scene->count; i++)
            exchange_settle(scene, i);
        for (unsigned i = 0; i < scene->count; i++)
            exchange_spread(scene, i, round);
    }
    wait_for_exchange(scene);
}

/* --- what must come of it --- */

static bool holds(struct ff_area area, size_t row, size_t column)
{
    return row >= area.row && row - area.row < area.rows && column >= area.column &&
           column - area.column < area.columns;
}

/* N_O and W of a pixel of the object: the sharers' in the order of their numbers. Returns how many share it. */
static unsigned whole_pixel(const struct exchange_scene *scene, unsigned round, size_t row,
                            size_t column, float sums[3])
{
    unsigned sharers = 0;
    sums[0] = sums[1] = sums[2] = 0;
    for (unsigned i = 0; i < scene->count; i++) {
        const struct exchange_member *member = &scene->member[i];
        struct ff_area tile = scene->tiles->tiles[i].area;
        if (!holds(tile, row, column))
            continue;
        sharers++;
        if (row - tile.row < member->first_row[round] || row - tile.row >= member->end_row[round])
            continue;
        size_t at = (row - tile.row) * tile.columns + column - tile.column;
        sums[0] += member->given[round][member->layout.object + 2 * at];
        sums[1] += member->given[round][member->layout.object + 2 * at + 1];
        sums[2] += member->given[round][member->layout.weight + at];
    }
    return sharers;
}

static void expect_object(const struct exchange_scene *scene, unsigned number, unsigned round,
                          float *expected)
{
    struct ff_area tile = scene->tiles->tiles[number].area;
    const struct exchange_layout *layout = &scene->member[number].layout;
    for (size_t at = 0; at < ff_area_pixels(tile); at++) {
        float sums[3];
        if (whole_pixel(scene, round, tile.row + at / tile.columns, tile.column + at % tile.columns,
                        sums) < 2)
            continue;
        memcpy(expected + layout->object + 2 * at, sums, 2 * sizeof *sums);
        memcpy(expected + layout->weight + at, sums + 2, sizeof *sums);
    }
}

/* The greatest of whole and of partial weights: a partial one is never more than the whole. */
static float greatest_weight(const struct exchange_scene *scene, unsigned round)
{
    float most = 0, sums[3];
    for (unsigned i = 0; i < scene->count; i++) {
        const struct exchange_member *member = &scene->member[i];
        struct ff_area tile = scene->tiles->tiles[i].area;
        float own;
        memcpy(&own, member->given[round] + member->layout.greatest, sizeof own);
        most = larger(most, own);
        for (size_t at = 0; at < ff_area_pixels(tile); at++)
            if (whole_pixel(scene, round, tile.row + at / tile.columns,
                            tile.column + at % tile.columns, sums) > 1)
                most = larger(most, sums[2]);
    }
    return most;
}

static void expect_probe(const struct exchange_scene *scene, unsigned number, unsigned round,
                         float *expected)
{
    const struct exchange_layout *layout = &scene->member[number].layout;
    size_t plane = scene->rows * scene->columns;
    for (size_t i = 0; i < 2 * scene->probes * plane; i++) {
        float sum = 0;
        for (unsigned j = 0; j < scene->count; j++)
            sum += scene->member[j].given[round][scene->member[j].layout.probe + i];
        expected[layout->probe + i] = sum;
    }
    for (size_t i = 0; i < scene->powers * plane; i++) {
        float sum = 0;
        for (unsigned j = 0; j < scene->count; j++)
            sum += scene->member[j].given[round][scene->member[j].layout.power + i];
        expected[layout->power + i] = sum;
    }
    for (size_t p = 0; p < scene->powers; p++) {
        float most = 0;
        for (size_t i = 0; i < plane; i++)
            most = larger(most, expected[layout->power + p * plane + i]);
        expected[layout->greatest + 1 + p] = most;
    }
}

/* What is no number must stay the same as well. */
static uint32_t bits_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static size_t wrong_of(const struct exchange_scene *scene, unsigned number, unsigned round)
{
    const struct exchange_member *member = &scene->member[number];
    size_t wrong = 0, size = member->layout.size * sizeof(float);
    float *expected = malloc(size);
    assert_non_null(expected);
    memcpy(expected, member->given[round], size);
    if (scene->want[round] & FF_WANT_OBJECT) {
        expect_object(scene, number, round, expected);
        expected[member->layout.greatest] = greatest_weight(scene, round);
    }
    if (scene->want[round] & FF_WANT_PROBE)
        expect_probe(scene, number, round, expected);
    for (size_t i = 0; i < member->layout.size; i++)
        wrong += bits_of(expected[i]) != bits_of(member->found[round][i]);
    free(expected);
    return wrong;
}

size_t exchange_wrong(const struct exchange_scene *scene)
{
    size_t wrong = 0;
    for (unsigned round = 0; round < EXCHANGE_ROUNDS; round++)
        for (unsigned i = 0; i < scene->count; i++)
            wrong += wrong_of(scene, i, round);
    return wrong;
}

/* --- what it may cost --- */

/* Pixels of a cell that `reader` reads of `source`: partial sums where it owns them, if they were touched, and whole ones where the
 * other does. */
static size_t cell_pixels(const struct exchange_scene *scene, unsigned reader, unsigned source,
                          unsigned round, const struct ff_cell *cell)
{
    const struct exchange_member *member = &scene->member[source];
    struct ff_area tile = scene->tiles->tiles[source].area;
    const struct ff_area touched = {tile.row + member->first_row[round], tile.column,
                                    member->end_row[round] - member->first_row[round],
                                    tile.columns};
    bool shared = false;
    for (unsigned i = 0; i < cell->sharer_count; i++)
        shared = shared || cell->sharers[i] == source;
    if (shared && cell->owner == reader)
        return ff_area_pixels(ff_area_common(cell->area, touched));
    return cell->owner == source ? ff_area_pixels(cell->area) : 0;
}

uint64_t exchange_object_bytes(const struct exchange_scene *scene, unsigned reader, unsigned source)
{
    const struct ff_tile *tile = &scene->tiles->tiles[reader];
    double weights[FF_CUDA_DEVICES];
    struct ff_cells cells;
    struct ff_error error;
    uint64_t bytes = 0;
    assert_ok(ff_cell_weights(scene->tiles->areas, scene->count, weights, &error), error);
    assert_ok(ff_cells_create(tile->links, tile->link_count, reader, weights, &cells, &error),
              error);
    for (unsigned round = 0; round < EXCHANGE_ROUNDS; round++)
        for (size_t i = 0; (scene->want[round] & FF_WANT_OBJECT) && i < cells.count; i++)
            bytes += 3 * sizeof(float) * cell_pixels(scene, reader, source, round, &cells.cells[i]);
    ff_cells_release(&cells);
    return bytes;
}

uint64_t exchange_share_bytes(const struct exchange_scene *scene, unsigned reader)
{
    size_t rows = scene->rows * (reader + 1) / scene->count - scene->rows * reader / scene->count;
    return rows * scene->columns * (2 * scene->probes + scene->powers) * sizeof(float);
}

unsigned exchange_probe_rounds(const struct exchange_scene *scene)
{
    unsigned rounds = 0;
    for (unsigned round = 0; round < EXCHANGE_ROUNDS; round++)
        rounds += (scene->want[round] & FF_WANT_PROBE) != 0;
    return rounds;
}

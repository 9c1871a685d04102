/* What the tiles of any scan must be like, whatever the scan and the number of devices. */
#include "tests/unit/check.h"

#include "functions/reconstruct/backends/cells.h"
#include "functions/reconstruct/backends/regions.h"
#include "functions/reconstruct/devices/tiles.h"
#include "functions/reconstruct/solvers/random.h"

#include <math.h>

enum { TILES_MAX = 16, PATTERNS_MAX = 200 };

struct test_scan {
    double positions[PATTERNS_MAX * 3 * 2];
    struct ff_scan scan;
};

/* Positions of even density over `height` × `width` pixels, with room for the stencil around. */
static void make_scan(struct test_scan *test, struct ff_random *random, size_t patterns, size_t fly,
                      double height, double width)
{
    struct ff_scan *scan = &test->scan;
    *scan = (struct ff_scan){
        .positions = test->positions,
        .patterns = patterns,
        .fly = fly,
        .rows = 5 + ff_random_below(random, 20),
        .columns = 5 + ff_random_below(random, 20),
        .travel_px = ff_random_below(random, 3) * 0.75,
    };
    for (size_t i = 0; i < patterns * fly; i++) {
        test->positions[2 * i] = 2 + height * ff_random_unit(random);
        test->positions[2 * i + 1] = 3 + width * ff_random_unit(random);
    }
    scan->object_rows = scan->rows + (size_t)height + 6;
    scan->object_columns = scan->columns + (size_t)width + 6;
}

static struct ff_tiles *tiles_of(const struct ff_scan *scan, unsigned count)
{
    struct ff_error error;
    struct ff_tiles *tiles = ff_tiles_create(scan, count, &error);
    if (tiles == NULL)
        fail_msg("%s", error.message);
    return tiles;
}

static bool holds(struct ff_area area, size_t row, size_t column)
{
    return row >= area.row && row - area.row < area.rows && column >= area.column &&
           column - area.column < area.columns;
}

/* Each pattern has one tile, in the order of the scan, and no tile has two more than another. */
static void check_patterns(const struct ff_scan *scan, const struct ff_tiles *tiles)
{
    unsigned met[PATTERNS_MAX] = {0};
    for (unsigned i = 0; i < tiles->count; i++) {
        const struct ff_tile *tile = &tiles->tiles[i];
        assert_true(tile->pattern_count == scan->patterns / tiles->count ||
                    tile->pattern_count == (scan->patterns - 1) / tiles->count + 1);
        for (size_t j = 0; j < tile->pattern_count; j++) {
            assert_true(tile->patterns[j] < scan->patterns);
            met[tile->patterns[j]]++;
            assert_true(j == 0 || tile->patterns[j] > tile->patterns[j - 1]);
        }
    }
    for (size_t n = 0; n < scan->patterns; n++)
        assert_int_equal(met[n], 1);
}

/* A patch, with a pixel around, lies between the edges of its tile wherever it may travel to. */
static void check_axis(double position, double travel, size_t window, size_t object, size_t first,
                       size_t size)
{
    double least = fmax(1, position - travel);
    double most = fmin((double)(object - window - 1), position + travel);
    assert_true((double)first <= least - 1);
    assert_true(most + (double)window + 1 <= (double)(first + size));
    assert_true(first + size <= object);
}

static void check_reach(const struct ff_scan *scan, const struct ff_tiles *tiles)
{
    for (unsigned i = 0; i < tiles->count; i++) {
        const struct ff_tile *tile = &tiles->tiles[i];
        for (size_t j = 0; j < tile->pattern_count; j++)
            for (size_t k = 0; k < scan->fly; k++) {
                const double *at = scan->positions + 2 * (tile->patterns[j] * scan->fly + k);
                check_axis(at[0], scan->travel_px, scan->rows, scan->object_rows, tile->area.row,
                           tile->area.rows);
                check_axis(at[1], scan->travel_px, scan->columns, scan->object_columns,
                           tile->area.column, tile->area.columns);
            }
    }
}

/* A pixel belongs to the first tile that covers it, and to it once. */
static void check_owners(const struct ff_scan *scan, const struct ff_tiles *tiles)
{
    for (size_t row = 0; row < scan->object_rows; row++)
        for (size_t column = 0; column < scan->object_columns; column++) {
            bool covered = false;
            for (unsigned i = 0; i < tiles->count; i++) {
                const struct ff_tile *tile = &tiles->tiles[i];
                unsigned owned = 0;
                for (size_t j = 0; j < tile->owned_count; j++)
                    owned += holds(tile->owned[j], row, column);
                bool here = holds(tile->area, row, column);
                assert_int_equal(owned, here && !covered);
                covered = covered || here;
            }
        }
}

/* The links of a tile are all overlaps with others, in order, and the same from both sides. */
static void check_links(const struct ff_tiles *tiles)
{
    for (unsigned i = 0; i < tiles->count; i++) {
        const struct ff_link *link = tiles->tiles[i].links;
        const struct ff_link *end = link + tiles->tiles[i].link_count;
        for (unsigned peer = 0; peer < tiles->count; peer++) {
            struct ff_area both = ff_area_common(tiles->tiles[i].area, tiles->tiles[peer].area);
            if (peer == i || ff_area_pixels(both) == 0)
                continue;
            assert_true(link < end);
            assert_int_equal(link->peer, peer);
            assert_memory_equal(&link->area, &both, sizeof both);
            link++;
        }
        assert_ptr_equal(link, end);
    }
}

/* No tile has a part of a region, and those that have it are its sharers. */
static void check_sharers(const struct ff_tiles *tiles, const struct ff_region *region)
{
    unsigned met = 0;
    for (unsigned i = 0; i < tiles->count; i++) {
        size_t pixels = ff_area_pixels(ff_area_common(region->area, tiles->tiles[i].area));
        if (pixels == 0)
            continue;
        assert_int_equal(pixels, ff_area_pixels(region->area));
        assert_true(met < region->sharer_count);
        assert_int_equal(region->sharers[met++], i);
    }
    assert_int_equal(met, region->sharer_count);
    assert_true(met > 1);
}

static size_t shared_pixels(const struct ff_tiles *tiles, struct ff_area area)
{
    size_t shared = 0;
    for (size_t row = area.row; row < area.row + area.rows; row++)
        for (size_t column = area.column; column < area.column + area.columns; column++) {
            unsigned holders = 0;
            for (unsigned i = 0; i < tiles->count && holders < 2; i++)
                holders += holds(tiles->tiles[i].area, row, column);
            shared += holders > 1;
        }
    return shared;
}

/* The regions of a tile are disjoint, and together all that it shares. */
static void check_regions(const struct ff_tiles *tiles)
{
    for (unsigned i = 0; i < tiles->count; i++) {
        const struct ff_tile *tile = &tiles->tiles[i];
        struct ff_regions regions;
        struct ff_error error;
        size_t pixels = 0, rows = 0;
        assert_int_equal(ff_regions_create(tile->links, tile->link_count, i, &regions, &error), 0);
        for (size_t j = 0; j < regions.count; j++) {
            struct ff_area area = regions.regions[j].area;
            check_sharers(tiles, &regions.regions[j]);
            for (size_t k = 0; k < j; k++)
                assert_int_equal(ff_area_pixels(ff_area_common(area, regions.regions[k].area)), 0);
            pixels += ff_area_pixels(area);
            rows += area.rows;
        }
        assert_int_equal(regions.pixels, pixels);
        assert_int_equal(regions.rows, rows);
        assert_int_equal(pixels, shared_pixels(tiles, tile->area));
        ff_regions_release(&regions);
        assert_null(regions.regions);
    }
}

/* Who owns each pixel of the object that a tile shares, by its cells; NOBODY elsewhere. The device's own come first, none overlap. */
enum { NOBODY = 255 };

static unsigned char *owners_of(const struct ff_scan *scan, const struct ff_tiles *tiles,
                                unsigned number, const double *weights)
{
    const struct ff_tile *tile = &tiles->tiles[number];
    unsigned char *owners = malloc(scan->object_rows * scan->object_columns + 1);
    struct ff_cells cells;
    struct ff_error error;
    size_t pixels = 0;
    assert_non_null(owners);
    memset(owners, NOBODY, scan->object_rows * scan->object_columns);
    assert_int_equal(
        ff_cells_create(tile->links, tile->link_count, number, weights, &cells, &error), 0);
    for (size_t i = 0; i < cells.count; i++) {
        struct ff_area area = cells.cells[i].area;
        assert_int_equal(cells.cells[i].owner == number, i < cells.own_count);
        for (size_t row = area.row; row < area.row + area.rows; row++)
            for (size_t column = area.column; column < area.column + area.columns; column++) {
                unsigned char *owner = &owners[row * scan->object_columns + column];
                assert_int_equal(*owner, NOBODY);
                assert_true(holds(tiles->areas[cells.cells[i].owner], row, column));
                *owner = (unsigned char)cells.cells[i].owner;
                pixels++;
            }
    }
    assert_int_equal(pixels, cells.pixels);
    assert_int_equal(pixels, cells.regions.pixels);
    ff_cells_release(&cells);
    return owners;
}

/* All that share a pixel agree on its owner. */
static void check_cells(const struct ff_scan *scan, const struct ff_tiles *tiles)
{
    size_t pixels = scan->object_rows * scan->object_columns;
    unsigned char *all = malloc(pixels + 1);
    double weights[TILES_MAX];
    struct ff_error error;
    assert_non_null(all);
    memset(all, NOBODY, pixels);
    assert_int_equal(ff_cell_weights(tiles->areas, tiles->count, weights, &error), 0);
    for (unsigned i = 0; i < tiles->count; i++) {
        unsigned char *owners = owners_of(scan, tiles, i, weights);
        for (size_t j = 0; j < pixels; j++)
            if (owners[j] != NOBODY) {
                assert_true(all[j] == NOBODY || all[j] == owners[j]);
                all[j] = owners[j];
            }
        free(owners);
    }
    free(all);
}

static void check_all(const struct ff_scan *scan)
{
    for (unsigned count = 1; count <= TILES_MAX; count++) {
        struct ff_tiles *tiles = tiles_of(scan, count);
        assert_int_equal(tiles->count, count < scan->patterns ? count : scan->patterns);
        check_patterns(scan, tiles);
        check_reach(scan, tiles);
        check_owners(scan, tiles);
        check_links(tiles);
        check_regions(tiles);
        check_cells(scan, tiles);
        ff_tiles_destroy(tiles);
    }
}

static void random_scans(void **state)
{
    (void)state;
    struct ff_random random = ff_random_seed(7);
    struct test_scan test;
    for (unsigned i = 0; i < 20; i++) {
        make_scan(&test, &random, 1 + ff_random_below(&random, PATTERNS_MAX),
                  1 + ff_random_below(&random, 3), 60 * ff_random_unit(&random),
                  60 * ff_random_unit(&random));
        check_all(&test.scan);
    }
}

static void fewer_patterns_than_devices(void **state)
{
    (void)state;
    struct ff_random random = ff_random_seed(8);
    struct test_scan test;
    for (size_t patterns = 1; patterns < TILES_MAX; patterns++) {
        make_scan(&test, &random, patterns, 1, 30, 40);
        check_all(&test.scan);
    }
}

static void all_on_one_spot(void **state)
{
    (void)state;
    struct ff_random random = ff_random_seed(9);
    struct test_scan test;
    make_scan(&test, &random, 40, 1, 20, 20);
    for (size_t n = 0; n < test.scan.patterns; n++) {
        test.positions[2 * n] = 7.25;
        test.positions[2 * n + 1] = 9;
    }
    check_all(&test.scan);
    struct ff_tiles *tiles = tiles_of(&test.scan, 3);
    assert_int_equal(tiles->tiles[0].owned_count, 1);
    assert_int_equal(tiles->tiles[1].owned_count, 0);
    assert_int_equal(tiles->tiles[2].owned_count, 0);
    assert_int_equal(tiles->tiles[2].link_count, 2);
    ff_tiles_destroy(tiles);
}

/* Along a line nobody has more than two neighbours while tiles are longer than a patch. */
static void a_line(void **state)
{
    (void)state;
    struct ff_random random = ff_random_seed(10);
    struct test_scan test;
    for (int axis = 0; axis < 2; axis++) {
        make_scan(&test, &random, 0, 1, axis == 0 ? 480 : 0, axis == 0 ? 0 : 480);
        test.scan.patterns = 160;
        for (size_t n = 0; n < test.scan.patterns; n++) {
            test.positions[2 * n + (size_t)axis] = 2 + 3.0 * (double)n;
            test.positions[2 * n + 1 - (size_t)axis] = 2;
        }
        for (unsigned count = 2; count <= 8; count++) {
            struct ff_tiles *tiles = tiles_of(&test.scan, count);
            check_patterns(&test.scan, tiles);
            check_owners(&test.scan, tiles);
            for (unsigned i = 0; i < count; i++) {
                assert_int_equal(tiles->tiles[i].link_count, 1 + (i > 0 && i + 1 < count));
                assert_int_equal(tiles->tiles[i].links[0].peer, i > 0 ? i - 1 : 1);
            }
            ff_tiles_destroy(tiles);
        }
    }
}

/* A square scan on four devices is cut into quarters, not stripes. */
static void a_square(void **state)
{
    (void)state;
    struct test_scan test = {.scan = {.positions = test.positions,
                                      .patterns = 196,
                                      .fly = 1,
                                      .rows = 8,
                                      .columns = 8,
                                      .object_rows = 80,
                                      .object_columns = 80}};
    for (size_t n = 0; n < 196; n++) {
        test.positions[2 * n] = 1 + 5.0 * (double)(n / 14);
        test.positions[2 * n + 1] = 1 + 5.0 * (double)(n % 14);
    }
    struct ff_tiles *tiles = tiles_of(&test.scan, 4);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(tiles->tiles[i].pattern_count, 49);
        assert_int_equal(tiles->tiles[i].area.rows, 40);
        assert_int_equal(tiles->tiles[i].area.columns, 40);
    }
    ff_tiles_destroy(tiles);
}

/* One device has the whole object, whatever the scan covers. */
static void a_single_tile(void **state)
{
    (void)state;
    struct ff_random random = ff_random_seed(11);
    struct test_scan test;
    make_scan(&test, &random, 10, 2, 10, 10);
    test.scan.object_rows += 50;
    struct ff_tiles *tiles = tiles_of(&test.scan, 1);
    const struct ff_area all = {0, 0, test.scan.object_rows, test.scan.object_columns};
    assert_memory_equal(&tiles->tiles[0].area, &all, sizeof all);
    assert_memory_equal(&tiles->tiles[0].owned[0], &all, sizeof all);
    assert_int_equal(tiles->tiles[0].owned_count, 1);
    assert_int_equal(tiles->tiles[0].link_count, 0);
    for (uint32_t n = 0; n < 10; n++)
        assert_int_equal(tiles->tiles[0].patterns[n], n);
    ff_tiles_destroy(tiles);
}

/* Pixels that a tile owns of those that it shares. */
static double owned_pixels(const struct ff_area *tiles, unsigned count, unsigned number,
                           const double *weights)
{
    struct ff_link links[TILES_MAX];
    struct ff_cells cells;
    struct ff_error error;
    size_t link_count = 0, pixels = 0;
    for (unsigned peer = 0; peer < count; peer++)
        if (peer != number)
            links[link_count++] =
                (struct ff_link){peer, ff_area_common(tiles[number], tiles[peer])};
    assert_int_equal(ff_cells_create(links, link_count, number, weights, &cells, &error), 0);
    for (size_t i = 0; i < cells.own_count; i++)
        pixels += ff_area_pixels(cells.cells[i].area);
    ff_cells_release(&cells);
    return (double)pixels;
}

/* By how much the loads of four tiles differ: 56 bytes a pixel, and 24 more where the device owns it. */
static double spread_of(const struct ff_area *tiles, const double *weights)
{
    double least = INFINITY, most = 0;
    for (unsigned i = 0; i < 4; i++) {
        double load =
            56 * (double)ff_area_pixels(tiles[i]) + 24 * owned_pixels(tiles, 4, i, weights);
        least = fmin(least, load);
        most = fmax(most, load);
    }
    return most - least;
}

/* Who has more of the object owns less. */
static void loads_are_even(void **state)
{
    (void)state;
    static const struct ff_area tiles[] = {
        {0, 0, 833, 833}, {0, 704, 833, 833}, {704, 0, 849, 833}, {704, 704, 849, 849}};
    static const double even[] = {1, 1, 1, 1};
    double weights[4];
    struct ff_error error;
    assert_int_equal(ff_cell_weights(tiles, 4, weights, &error), 0);
    assert_true(spread_of(tiles, weights) < 0.1 * spread_of(tiles, even));
}

static void nothing_is_refused(void **state)
{
    (void)state;
    struct ff_random random = ff_random_seed(12);
    struct test_scan test;
    struct ff_error error;
    make_scan(&test, &random, 3, 1, 10, 10);
    assert_null(ff_tiles_create(&test.scan, 0, &error));
    assert_non_null(strstr(error.message, "3 patterns on 0 devices"));
    test.scan.patterns = 0;
    assert_null(ff_tiles_create(&test.scan, 2, &error));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_scans),       cmocka_unit_test(fewer_patterns_than_devices),
        cmocka_unit_test(all_on_one_spot),    cmocka_unit_test(a_line),
        cmocka_unit_test(a_square),           cmocka_unit_test(a_single_tile),
        cmocka_unit_test(nothing_is_refused), cmocka_unit_test(loads_are_even),
    };
    return cmocka_run_group_tests_name("reconstruct tiles", tests, NULL, NULL);
}

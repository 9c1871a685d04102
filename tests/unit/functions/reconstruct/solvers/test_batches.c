/* Batches hold every pattern once, spread evenly over the scan, as many as the epoch asks for. */
#include "tests/unit/check.h"

#include "functions/reconstruct/devices/tiles.h"
#include "functions/reconstruct/solvers/batches.h"

enum { PATTERNS = 103, SIDE = 24, TILED = 8 };

/* Patterns along a line, whose neighbours have the next number. */
static struct ff_batches *make(size_t patterns, size_t early, size_t early_epochs, size_t late)
{
    double positions[PATTERNS][2];
    for (size_t n = 0; n < PATTERNS; n++) {
        positions[n][0] = 1;
        positions[n][1] = (double)n;
    }
    struct ff_problem problem = {.positions = &positions[0][0], .patterns = patterns, .fly = 1};
    struct ff_error error = {0};
    const struct ff_solver_settings settings = {
        .batches = late, .early_batches = early, .early_epochs = early_epochs};
    struct ff_batches *batches = ff_batches_create(&problem, &settings, &error);
    assert_non_null(batches);
    return batches;
}

/* Deals for an epoch and looks at every batch. */
static void assert_dealt(struct ff_batches *batches, size_t epoch, size_t patterns, size_t count,
                         struct ff_random *random)
{
    unsigned char seen[PATTERNS] = {0};
    assert_int_equal(ff_batches_deal(batches, epoch, random), count);
    for (size_t i = 0; i < count; i++) {
        struct ff_batch batch = ff_batches_at(batches, i);
        assert_true(batch.count <= ff_batches_limit(batches));
        assert_in_range(batch.count, patterns / count, (patterns + count - 1) / count);
        for (size_t j = 0; j < batch.count; j++) {
            assert_int_equal(seen[batch.patterns[j]]++, 0);
            /* One of each run of `count` neighbours. */
            assert_int_equal(batch.patterns[j] / count, j);
        }
    }
    for (size_t n = 0; n < patterns; n++)
        assert_int_equal(seen[n], 1);
}

static void test_every_pattern_is_dealt_once(void **state)
{
    (void)state;
    static const size_t counts[] = {1, 2, 5, 40, 103, 1000};
    struct ff_random random = ff_random_seed(1);
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        struct ff_batches *batches = make(PATTERNS, 0, 0, counts[i]);
        for (size_t epoch = 1; epoch < 4; epoch++)
            assert_dealt(batches, epoch, PATTERNS, counts[i] < PATTERNS ? counts[i] : PATTERNS,
                         &random);
        ff_batches_destroy(batches);
    }
}

static void test_the_first_epochs_have_their_own_number(void **state)
{
    (void)state;
    static const size_t numbers[][2] = {{40, 5}, {3, 20}, {200, 1}, {1, 1}};
    struct ff_random random = ff_random_seed(2);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        struct ff_batches *batches = make(PATTERNS, numbers[i][0], 8, numbers[i][1]);
        size_t early = numbers[i][0] < PATTERNS ? numbers[i][0] : PATTERNS;
        assert_dealt(batches, 1, PATTERNS, early, &random);
        assert_dealt(batches, 8, PATTERNS, early, &random);
        assert_dealt(batches, 9, PATTERNS, numbers[i][1], &random);
        ff_batches_destroy(batches);
    }
}

/* Which batches come when is drawn from the random state and from nothing else: a resumed run deals
 * as the first one would have. */
static void test_the_random_state_decides(void **state)
{
    (void)state;
    struct ff_random random = ff_random_seed(3);
    struct ff_batches *batches = make(PATTERNS, 0, 0, 7);
    ff_batches_deal(batches, 1, &random);
    struct ff_random kept = random;
    ff_batches_deal(batches, 2, &random);
    struct ff_batch second = ff_batches_at(batches, 0);
    struct ff_batches *other = make(PATTERNS, 0, 0, 7);
    ff_batches_deal(other, 2, &kept);
    struct ff_batch resumed = ff_batches_at(other, 0);
    assert_int_equal(second.count, resumed.count);
    assert_memory_equal(second.patterns, resumed.patterns, second.count * sizeof(uint32_t));
    ff_batches_destroy(batches);
    ff_batches_destroy(other);
}

/* On several devices each waits for the one with most patterns of a batch. */
static void test_tiles_have_equal_parts_of_every_batch(void **state)
{
    (void)state;
    double positions[SIDE * SIDE][2];
    struct ff_error error = {0};
    struct ff_random random = ff_random_seed(4);
    for (size_t n = 0; n < SIDE * SIDE; n++) { /* line by line, there and back */
        size_t line = n / SIDE;
        positions[n][0] = 1 + 5 * (double)line;
        positions[n][1] = 1 + 5 * (double)(line % 2 == 0 ? n % SIDE : SIDE - 1 - n % SIDE);
    }
    const struct ff_problem problem = {
        .positions = &positions[0][0], .patterns = SIDE * SIDE, .fly = 1};
    const struct ff_scan scan = {&positions[0][0], SIDE * SIDE, 1, 8, 8, 130, 130, 0};
    const struct ff_solver_settings settings = {.batches = TILED};
    struct ff_batches *batches = ff_batches_create(&problem, &settings, &error);
    assert_non_null(batches);
    assert_int_equal(ff_batches_deal(batches, 1, &random), TILED);
    for (unsigned count = 2; count <= 8; count *= 2) {
        struct ff_tiles *tiles = ff_tiles_create(&scan, count, &error);
        assert_non_null(tiles);
        for (size_t i = 0; i < TILED; i++)
            for (unsigned tile = 0; tile < count; tile++) {
                struct ff_batch batch = ff_batches_at(batches, i);
                size_t here = 0;
                for (size_t j = 0; j < batch.count; j++)
                    for (size_t k = 0; k < tiles->tiles[tile].pattern_count; k++)
                        here += tiles->tiles[tile].patterns[k] == batch.patterns[j];
                assert_in_range(here, SIDE * SIDE / TILED / count, SIDE * SIDE / TILED / count + 1);
            }
        ff_tiles_destroy(tiles);
    }
    ff_batches_destroy(batches);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_pattern_is_dealt_once),
        cmocka_unit_test(test_the_first_epochs_have_their_own_number),
        cmocka_unit_test(test_the_random_state_decides),
        cmocka_unit_test(test_tiles_have_equal_parts_of_every_batch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

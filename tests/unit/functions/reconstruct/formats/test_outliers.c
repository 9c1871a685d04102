/* Dead, stuck and hot pixels in patterns that fluctuate as counts do, and all that only looks so. */
#include "tests/unit/check.h"

#include "functions/reconstruct/formats/outliers.h"

#include <math.h>

enum { N = 40, H = 32, W = 24, PIXELS = H * W };

struct made {
    uint16_t counts[N * PIXELS];
    uint8_t measured[PIXELS];
    uint8_t stuck[PIXELS];
    struct ff_outliers found;
};

/* The element of a pixel of the detector, with the beam at element 0. */
static size_t element(size_t row, size_t column)
{
    return (row + H - H / 2) % H * W + (column + W - W / 2) % W;
}

/* A wide spot about the beam, some counts around it, nothing at the edge. */
static void fill(struct made *made)
{
    uint32_t random = 1;
    for (size_t n = 0; n < N; n++)
        for (size_t r = 0; r < H; r++)
            for (size_t c = 0; c < W; c++) {
                double y = (double)r - H / 2;
                double x = (double)c - W / 2;
                double mean = 60 * exp(-(y * y + x * x) / 30);
                random = random * 1664525 + 1013904223;
                made->counts[n * PIXELS + element(r, c)] =
                    (uint16_t)(mean + sqrt(mean) * ((random >> 16) % 200 / 100.0 - 1) + 0.5);
            }
    memset(made->measured, 1, sizeof made->measured);
}

static void set(struct made *made, size_t row, size_t column, uint16_t value)
{
    for (size_t n = 0; n < N; n++)
        made->counts[n * PIXELS + element(row, column)] = value;
}

static void find(struct made *made, size_t patterns)
{
    const struct ff_outliers_scan scan = {
        .patterns = patterns,
        .rows = H,
        .columns = W,
        .counts = {.u16 = made->counts},
        .measured = made->measured,
        .shifted = true,
        .workers = 3,
    };
    struct ff_error error = {0};
    memset(made->stuck, 0, sizeof made->stuck);
    assert_ok(ff_outliers_find(&scan, made->stuck, &made->found, &error), error);
}

static void test_good_pixels_are_left_alone(void **state)
{
    (void)state;
    static struct made made;
    fill(&made);
    find(&made, N);
    assert_int_equal(made.found.stuck, 0);
    assert_int_equal(made.found.suspect, 0);
}

static void test_dead_and_stuck_pixels_are_found(void **state)
{
    (void)state;
    static struct made made;
    static const struct {
        size_t row, column;
        uint16_t value;
    } bad[] = {
        {18, 10, 0},   {14, 12, 0},   {14, 13, 0}, /* dead: alone, and two side by side */
        {0, 0, 7},     {31, 23, 500},              /* stuck: in the dark corners */
        {20, 14, 999},
    };
    fill(&made);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        set(&made, bad[i].row, bad[i].column, bad[i].value);
    find(&made, N);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(made.stuck[element(bad[i].row, bad[i].column)], 1);
    assert_int_equal(made.found.stuck, 6);
    assert_int_equal(made.found.suspect, 0);
    find(&made, 15); /* too few to tell */
    assert_int_equal(made.found.stuck, 0);
}

/* What a mask names is not found again, and does not vouch for its neighbours. */
static void test_masked_pixels_do_not_count(void **state)
{
    (void)state;
    static struct made made;
    fill(&made);
    set(&made, 15, 11, 0);
    for (size_t r = 10; r < 20; r++)
        for (size_t c = 6; c < 16; c++)
            made.measured[element(r, c)] = r == 15 && c == 11;
    find(&made, N);
    assert_int_equal(made.found.stuck, 0);
}

/* The shadow of a beam stop has a straight edge, which is no dead pixel. */
static void test_shadows_stay(void **state)
{
    (void)state;
    static struct made made;
    fill(&made);
    for (size_t r = 12; r < 20; r++)
        for (size_t c = 8; c < 14; c++)
            set(&made, r, c, 0);
    find(&made, N);
    assert_int_equal(made.found.stuck, 0);
}

static void test_a_lone_peak_is_told_of_but_kept(void **state)
{
    (void)state;
    static struct made made;
    fill(&made);
    for (size_t n = 0; n < N; n++) {
        made.counts[n * PIXELS + element(4, 20)] = (uint16_t)(50 + n % 7);
        made.counts[n * PIXELS + element(H / 2, W / 2)] = (uint16_t)(5000 + n); /* the beam */
    }
    find(&made, N);
    assert_int_equal(made.found.stuck, 0);
    assert_int_equal(made.found.suspect, 1);
    assert_int_equal(made.found.suspect_at[0], 4);
    assert_int_equal(made.found.suspect_at[1], 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_pixels_are_left_alone),
        cmocka_unit_test(test_dead_and_stuck_pixels_are_found),
        cmocka_unit_test(test_masked_pixels_do_not_count),
        cmocka_unit_test(test_shadows_stay),
        cmocka_unit_test(test_a_lone_peak_is_told_of_but_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Affine maps and the moves of positions. */
#include "tests/unit/check.h"

#include "functions/reconstruct/refine/affine.h"
#include "functions/reconstruct/refine/positions.h"
#include "functions/reconstruct/solvers/random.h"

#include <math.h>

enum { SIDE = 12, COUNT = SIDE * SIDE };

static void grid(double points[2 * COUNT])
{
    for (size_t i = 0; i < COUNT; i++) {
        points[2 * i] = 10.0 * (double)(i / SIDE) + 3;
        points[2 * i + 1] = 11.0 * (double)(i % SIDE) + 5;
    }
}

static void test_a_map_is_found_among_outliers(void **state)
{
    (void)state;
    double from[2 * COUNT];
    double to[2 * COUNT];
    const struct ff_affine truth = {{{1.01, 0.02}, {-0.03, 0.99}}, {50, 60}, {0.7, -0.4}};
    grid(from);
    for (size_t i = 0; i < COUNT; i++)
        ff_affine_apply(&truth, from + 2 * i, to + 2 * i);
    for (size_t i = 0; i < COUNT; i += 10)
        to[2 * i] += 30;
    struct ff_affine found;
    assert_true(ff_affine_fit(from, to, COUNT, &found));
    for (int a = 0; a < 2; a++)
        for (int b = 0; b < 2; b++)
            assert_true(fabs(found.matrix[a][b] - truth.matrix[a][b]) < 1e-4);
    double expected[2];
    double there[2];
    ff_affine_apply(&truth, from, expected);
    ff_affine_apply(&found, from, there);
    assert_true(hypot(expected[0] - there[0], expected[1] - there[1]) < 0.01);
}

static void test_points_that_do_not_tell_are_refused(void **state)
{
    (void)state;
    double points[2 * COUNT];
    struct ff_affine map;
    grid(points);
    assert_false(ff_affine_fit(points, points, 3, &map));
    for (size_t i = 0; i < COUNT; i++)
        points[2 * i] = 2 * points[2 * i + 1];
    assert_false(ff_affine_fit(points, points, COUNT, &map));
}

static void test_a_map_has_parts(void **state)
{
    (void)state;
    const double degree = acos(-1) / 180;
    const double c = 1.02 * cos(2 * degree);
    const double s = 1.02 * sin(2 * degree);
    const struct ff_affine map = {{{c, -s}, {s, c}}, {0, 0}, {0, 0}};
    struct ff_affine_parts parts = ff_affine_parts_of(&map);
    assert_true(fabs(parts.scale - 1.02) < 1e-12);
    assert_true(fabs(parts.stretch - 1) < 1e-12);
    assert_true(fabs(parts.rotation_deg - 2) < 1e-9);
    assert_true(fabs(parts.shear_deg) < 1e-9);
}

/* Terms that ask for a given move each. */
static void ask(const double *moves, double *terms)
{
    for (size_t i = 0; i < COUNT; i++) {
        const double a[3] = {100, 20, 80};
        double *term = terms + 5 * i;
        term[0] = a[0] * moves[2 * i] + a[1] * moves[2 * i + 1];
        term[1] = a[1] * moves[2 * i] + a[2] * moves[2 * i + 1];
        term[2] = a[0];
        term[3] = a[1];
        term[4] = a[2];
    }
}

static void test_moves_are_taken_without_their_mean(void **state)
{
    (void)state;
    double first[2 * COUNT];
    double positions[2 * COUNT];
    double moves[2 * COUNT];
    static double terms[5 * COUNT];
    struct ff_random random = ff_random_seed(3);
    double mean[2] = {0, 0};
    grid(first);
    grid(positions);
    for (size_t i = 0; i < 2 * COUNT; i++) {
        moves[i] = 0.2 * ff_random_unit(&random);
        mean[i % 2] += moves[i] / COUNT;
    }
    ask(moves, terms);
    static double velocities[2 * COUNT];
    const struct ff_positions_step step = {.step = 1, .travel_px = 10, .velocities = velocities};
    ff_positions_move(positions, first, terms, COUNT, &step);
    for (size_t i = 0; i < 2 * COUNT; i++) {
        double expected = first[i] + moves[i] - mean[i % 2];
        assert_true(fabs(positions[i] - expected) < 0.02); /* the lifted diagonal shortens */
        assert_true(fabs(velocities[i] - (positions[i] - first[i])) < 1e-12);
    }
    ask((const double[2 *COUNT]){0}, terms); /* nothing asks for a move: they go on, more slowly */
    double before = positions[0];
    double velocity = velocities[0];
    ff_positions_move(positions, first, terms, COUNT, &step);
    assert_true((positions[0] - before) / velocity > 0.5 && (positions[0] - before) / velocity < 1);
}

static void test_moves_are_bounded(void **state)
{
    (void)state;
    double first[2 * COUNT];
    double positions[2 * COUNT];
    double moves[2 * COUNT];
    static double terms[5 * COUNT];
    grid(first);
    grid(positions);
    for (size_t i = 0; i < 2 * COUNT; i++)
        moves[i] = i % 4 < 2 ? 100 : -100;
    ask(moves, terms);
    static double velocities[2 * COUNT];
    const struct ff_positions_step step = {.step = 1, .travel_px = 1.5, .velocities = velocities};
    ff_positions_move(positions, first, terms, COUNT, &step);
    for (size_t i = 0; i < 2 * COUNT; i++)
        assert_true(fabs(positions[i] - first[i]) < 0.51);
    for (int round = 0; round < 10; round++)
        ff_positions_move(positions, first, terms, COUNT, &step);
    for (size_t i = 0; i < 2 * COUNT; i++)
        assert_true(fabs(fabs(positions[i] - first[i]) - 1.5) < 1e-9);
    for (size_t i = 0; i < 5 * COUNT; i++)
        terms[i] = NAN;
    double before = positions[0];
    ff_positions_move(positions, first, terms, COUNT, &step);
    assert_true(fabs(positions[0] - before) <= 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_map_is_found_among_outliers),
        cmocka_unit_test(test_points_that_do_not_tell_are_refused),
        cmocka_unit_test(test_a_map_has_parts),
        cmocka_unit_test(test_moves_are_taken_without_their_mean),
        cmocka_unit_test(test_moves_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The pair of steps against what solves the equations, and what it leaves alone. */
#include "tests/unit/check.h"

#include "functions/reconstruct/solvers/random.h"
#include "functions/reconstruct/solvers/step_pair.h"

#include <math.h>

enum { VALUES = 40 };

/* The terms of a pattern whose χ is a u + b v exactly. */
static void make_row(struct ff_random *random, double a, double b, double row[6])
{
    for (int i = 0; i < 6; i++)
        row[i] = 0;
    for (int i = 0; i < VALUES; i++) {
        double v[4];
        for (int k = 0; k < 4; k++)
            v[k] = ff_random_unit(random) - 0.3;
        double x[2] = {a * v[0] + b * v[2], a * v[1] + b * v[3]};
        row[0] += v[0] * v[0] + v[1] * v[1];
        row[1] += v[2] * v[2] + v[3] * v[3];
        row[2] += v[0] * v[2] + v[1] * v[3];
        row[3] += v[1] * v[2] - v[0] * v[3];
        row[4] += v[0] * x[0] + v[1] * x[1];
        row[5] += v[2] * x[0] + v[3] * x[1];
    }
}

/* Solved with the lifted diagonal, the residual of both equations is none. The determinant is that of
 * complex steps, of which the real part is taken. */
static void test_both_equations_hold(void **state)
{
    (void)state;
    double row[6];
    struct ff_random random = ff_random_seed(4);
    const uint32_t only = 0;
    for (int i = 0; i < 50; i++) {
        make_row(&random, 0.8, 0.5, row);
        row[3] = 0; /* then the steps are real by themselves */
        struct ff_step_pair pair = ff_step_pair_of(row, (struct ff_batch){&only, 1}, true, true);
        assert_true(fabs(1.5 * row[0] * pair.object + row[2] * pair.probe - row[4]) < 1e-9);
        assert_true(fabs(row[2] * pair.object + 1.5 * row[1] * pair.probe - row[5]) < 1e-9);
    }
}

static void test_one_alone_is_a_quotient(void **state)
{
    (void)state;
    const double row[6] = {4, 9, 1, 1, 3, -2};
    const uint32_t only = 0;
    struct ff_step_pair pair = ff_step_pair_of(row, (struct ff_batch){&only, 1}, true, false);
    assert_true(fabs(pair.object - 0.5) < 1e-12);
    assert_true(pair.probe == 0);
    pair = ff_step_pair_of(row, (struct ff_batch){&only, 1}, false, true);
    assert_true(pair.object == 0);
    assert_true(pair.probe == 0); /* would be negative */
}

/* Rows outside of the batch hold anything; the batch's own are averaged. */
static void test_the_mean_is_over_the_batch(void **state)
{
    (void)state;
    double rows[4][6] = {{NAN, NAN, NAN, NAN, NAN, NAN},
                         {4, 1, 0, 0, 3, 0},
                         {NAN, NAN, NAN, NAN, NAN, NAN},
                         {4, 1, 0, 0, 6, 0}};
    const uint32_t members[] = {3, 1};
    struct ff_step_pair pair = ff_step_pair_of(rows[0], (struct ff_batch){members, 2}, true, false);
    assert_true(fabs(pair.object - 0.75) < 1e-12);
}

static void test_nothing_to_go_by_is_no_step(void **state)
{
    (void)state;
    const double rows[6] = {0};
    const uint32_t only = 0;
    for (int which = 1; which < 4; which++) {
        struct ff_step_pair pair =
            ff_step_pair_of(rows, (struct ff_batch){&only, 1}, (which & 1) != 0, (which & 2) != 0);
        assert_true(pair.object == 0);
        assert_true(pair.probe == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_equations_hold),
        cmocka_unit_test(test_one_alone_is_a_quotient),
        cmocka_unit_test(test_the_mean_is_over_the_batch),
        cmocka_unit_test(test_nothing_to_go_by_is_no_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

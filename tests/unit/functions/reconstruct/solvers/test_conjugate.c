/* The turn of conjugate gradients: on a quadratic form with exact steps it ends in as many steps as
 * there are unknowns, and where the new direction would not descend it begins anew. */
#include "tests/unit/check.h"

#include "functions/reconstruct/solvers/conjugate.h"

#include <math.h>

enum { UNKNOWNS = 6 };

static double dot(const double *a, const double *b)
{
    double sum = 0;
    for (int i = 0; i < UNKNOWNS; i++)
        sum += a[i] * b[i];
    return sum;
}

/* The steepest descent of xᵀAx/2 - b·x. */
static void descent(double matrix[UNKNOWNS][UNKNOWNS], const double *b, const double *x, double *g)
{
    for (int i = 0; i < UNKNOWNS; i++)
        g[i] = b[i] - dot(matrix[i], x);
}

static void test_a_quadratic_form_takes_as_many_steps_as_unknowns(void **state)
{
    (void)state;
    double matrix[UNKNOWNS][UNKNOWNS];
    double b[UNKNOWNS];
    double x[UNKNOWNS] = {0};
    double d[UNKNOWNS] = {0};
    double last[UNKNOWNS] = {0};
    double g[UNKNOWNS];
    double z[UNKNOWNS];
    double along[UNKNOWNS];
    struct ff_conjugate memory = {0};
    for (int i = 0; i < UNKNOWNS; i++) {
        b[i] = 1 + i;
        for (int k = 0; k < UNKNOWNS; k++)
            matrix[i][k] = (i == k ? 1 + 10.0 * i : 0) + 1.0 / (1 + i + k);
    }
    for (int step = 0; step < UNKNOWNS; step++) {
        descent(matrix, b, x, g);
        for (int i = 0; i < UNKNOWNS; i++)
            z[i] = g[i] / sqrt(matrix[i][i]); /* any preconditioner */
        double beta =
            ff_conjugate_beta(&memory, (struct ff_turn_terms){dot(z, g), dot(z, last), dot(d, g)});
        assert_true(step == 0 ? beta == 0 : beta > 0);
        for (int i = 0; i < UNKNOWNS; i++) {
            d[i] = z[i] + beta * d[i];
            last[i] = g[i];
        }
        for (int i = 0; i < UNKNOWNS; i++)
            along[i] = dot(matrix[i], d);
        for (int i = 0; i < UNKNOWNS; i++)
            x[i] += dot(d, g) / dot(d, along) * d[i];
    }
    descent(matrix, b, x, g);
    assert_true(dot(g, g) < 1e-20 * dot(b, b));
}

static void test_it_begins_anew_where_it_must(void **state)
{
    (void)state;
    struct ff_conjugate memory = {2};
    /* The gradient hardly changed its direction but grew: β below zero. */
    assert_true(ff_conjugate_beta(&memory, (struct ff_turn_terms){1, 3, 0}) == 0);
    assert_true(memory.last_zg == 1);
    /* β = 2, and the old direction leads steeply up. */
    assert_true(ff_conjugate_beta(&memory, (struct ff_turn_terms){2, 0, -1.5}) == 0);
    assert_true(ff_conjugate_beta(&memory, (struct ff_turn_terms){4, 0, -1.5}) == 2);
    assert_true(ff_conjugate_beta(&memory, (struct ff_turn_terms){NAN, 0, 0}) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_quadratic_form_takes_as_many_steps_as_unknowns),
        cmocka_unit_test(test_it_begins_anew_where_it_must),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

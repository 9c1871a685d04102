/* The line search on lines of the objective's own kind: I(γ) a polynomial, f = Σ (√I - √d)². */
#include "tests/unit/check.h"

#include "functions/reconstruct/solvers/line_search.h"
#include "functions/reconstruct/solvers/random.h"

#include <math.h>

enum { PIXELS = 200, ORDERS = 5 };

struct polynomials {
    double c[PIXELS][ORDERS]; /* of I */
    double d[PIXELS];
    unsigned evaluations;
};

static struct ff_line_terms evaluate(void *context, double g)
{
    struct polynomials *line = context;
    struct ff_line_terms terms = {0};
    line->evaluations++;
    for (int i = 0; i < PIXELS; i++) {
        const double *c = line->c[i];
        double intensity = c[0] + g * (c[1] + g * (c[2] + g * (c[3] + g * c[4]))) + 1e-12;
        double first = c[1] + g * (2 * c[2] + g * (3 * c[3] + g * 4 * c[4]));
        double second = 2 * c[2] + g * (6 * c[3] + g * 12 * c[4]);
        double ratio = sqrt(line->d[i] / intensity);
        terms.value += pow(sqrt(intensity) - sqrt(line->d[i]), 2);
        terms.slope += first * (1 - ratio);
        terms.curve += second * (1 - ratio) + first * first * ratio / (2 * intensity);
        terms.majoriser += 2 * c[2];
    }
    return terms;
}

/* |F + γ a + γ² b|² with random waves, and counts that are those at γ = 0.7 but for a tenth. */
static void make_line(struct polynomials *line, uint64_t seed, bool joint)
{
    struct ff_random random = ff_random_seed(seed);
    *line = (struct polynomials){0};
    for (int i = 0; i < PIXELS; i++) {
        double v[6];
        for (int k = 0; k < 6; k++)
            v[k] = 2 * ff_random_unit(&random) - 1;
        if (!joint)
            v[4] = v[5] = 0;
        double *c = line->c[i];
        c[0] = v[0] * v[0] + v[1] * v[1];
        c[1] = 2 * (v[0] * v[2] + v[1] * v[3]);
        c[2] = v[2] * v[2] + v[3] * v[3] + 2 * (v[0] * v[4] + v[1] * v[5]);
        c[3] = 2 * (v[2] * v[4] + v[3] * v[5]);
        c[4] = v[4] * v[4] + v[5] * v[5];
        double there = c[0] + 0.7 * (c[1] + 0.7 * (c[2] + 0.7 * (c[3] + 0.7 * c[4])));
        line->d[i] = there * (0.9 + 0.2 * ff_random_unit(&random));
    }
}

static void test_the_minimum_of_a_line_is_found(void **state)
{
    (void)state;
    struct polynomials line;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        make_line(&line, seed, false);
        double gamma = ff_line_minimum(evaluate, &line);
        assert_true(line.evaluations <= 5);
        double begin = evaluate(&line, 0).value;
        double gained = begin - evaluate(&line, gamma).value;
        double known = begin - evaluate(&line, 0.7).value;
        if (!(fabs(gamma - 0.7) < 0.3 && gained > 0.8 * known))
            fail_msg("line %d: %g, which gains %g of %g", (int)seed, gamma, gained, known);
    }
}

static void test_lower_on_a_quartic_line(void **state)
{
    (void)state;
    struct polynomials line;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        make_line(&line, seed, true);
        double gamma = ff_line_minimum(evaluate, &line);
        assert_true(gamma > 0);
        assert_true(evaluate(&line, gamma).value < evaluate(&line, 0).value);
    }
}

/* Many evaluations only where Newton's step goes astray: a parabola takes two. */
static void test_a_parabola_takes_two_evaluations(void **state)
{
    (void)state;
    struct polynomials line = {0};
    for (int i = 0; i < PIXELS; i++) { /* √I = 10 + γ, √d = 13 */
        line.c[i][0] = 100;
        line.c[i][1] = 20;
        line.c[i][2] = 1;
        line.d[i] = 169;
    }
    double gamma = ff_line_minimum(evaluate, &line);
    assert_true(fabs(gamma - 3) < 1e-6);
    assert_int_equal(line.evaluations, 2);
}

static void test_a_line_that_does_not_descend_is_not_followed(void **state)
{
    (void)state;
    struct polynomials line;
    make_line(&line, 5, false);
    for (int i = 0; i < PIXELS; i++)
        line.c[i][1] = -line.c[i][1];
    assert_true(ff_line_minimum(evaluate, &line) == 0);
    line.d[0] = NAN;
    assert_true(ff_line_minimum(evaluate, &line) == 0);
}

/* Where the parabola at 0 promises too much, the majoriser still descends. */
static struct ff_line_terms steep(void *context, double g)
{
    (void)context;
    return (struct ff_line_terms){
        .value = g < 0.5 ? -g + 4 * g * g : 5, .slope = -1, .curve = 0.01, .majoriser = 8};
}

static void test_the_majoriser_takes_over(void **state)
{
    (void)state;
    double gamma = ff_line_minimum(steep, NULL);
    assert_true(fabs(gamma - 0.125) < 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_minimum_of_a_line_is_found),
        cmocka_unit_test(test_lower_on_a_quartic_line),
        cmocka_unit_test(test_a_parabola_takes_two_evaluations),
        cmocka_unit_test(test_a_line_that_does_not_descend_is_not_followed),
        cmocka_unit_test(test_the_majoriser_takes_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

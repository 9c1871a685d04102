/* Lines along directions, and turns of conjugate gradients, against the model and the sums that they are made of. */
#include "tests/unit/check.h"

#include "tests/numeric/backend.h"
#include "tests/numeric/stand.h"

#include <complex.h>
#include <math.h>

static model_complex *direction_of(struct stand *stand, enum ff_field field, double size,
                                   uint64_t *state)
{
    size_t count = stand_elements(stand, field);
    model_complex *direction = stand_random_field(count, state);
    for (size_t i = 0; i < count; i++)
        direction[i] *= size;
    stand_put_field(stand, field, direction);
    return direction;
}

static void move(model_complex *values, const model_complex *direction, double gamma, size_t count)
{
    for (size_t i = 0; i < count; i++)
        values[i] += gamma * direction[i];
}

struct directions {
    model_complex *object, *probe;
    unsigned parts;
};

static double value_at(struct stand *stand, const struct directions *directions, double gamma)
{
    double value = 0;
    for (int way = 1; way >= -1; way -= 2) {
        if (way == -1)
            value = model_cost(&stand->model).objective;
        if (directions->parts & FF_PART_OBJECT)
            move(stand->model.object, directions->object, way * gamma, stand->object_elements);
        if (directions->parts & FF_PART_PROBE)
            move(stand->model.probe, directions->probe, way * gamma, stand->probe_elements);
    }
    return value;
}

/* Value, slope and curve at a length, from the model's values around it. */
static void check_length(struct stand *stand, const struct directions *directions, double gamma)
{
    const double h = 1e-3;
    double left = value_at(stand, directions, gamma - h);
    double middle = value_at(stand, directions, gamma);
    double right = value_at(stand, directions, gamma + h);
    struct ff_line_terms found = stand->operations->line_terms(stand->backend, gamma);
    double slope = (right - left) / (2 * h);
    double curve = (right - 2 * middle + left) / (h * h);
    stand_check(stand, "value along a line", found.value, middle, middle, 1e-9);
    stand_check(stand, "slope along a line", found.slope, slope, fabs(slope) + fabs(curve), 1e-4);
    stand_check(stand, "curve along a line", found.curve, curve, fabs(slope) + fabs(curve), 1e-3);
    if (directions->parts != (FF_PART_OBJECT | FF_PART_PROBE) &&
        stand->model.noise == FF_NOISE_GAUSSIAN)
        assert_true(found.majoriser >= found.curve);
}

static void check_line(struct stand *stand, unsigned parts, const struct directions *all)
{
    const struct directions directions = {all->object, all->probe, parts};
    stand_gradients(stand, FF_WANT_WAVES | FF_WANT_OBJECT | FF_WANT_PROBE);
    (void)stand_take_cost(stand);
    stand->operations->line(stand->backend, stand->batch, parts);
    check_length(stand, &directions, 0);
    check_length(stand, &directions, 0.25);
    check_length(stand, &directions, -0.1);
}

static void test_a_line_has_the_objective_of_the_model(void **unused)
{
    (void)unused;
    uint64_t state = 5;
    for (const struct stand_case *effects = stand_cases; effects->name != NULL; effects++) {
        struct stand stand;
        stand_open(&stand, effects, numeric_backend(),
                   FF_NEED_WAVES | FF_NEED_DIRECTIONS | FF_NEED_LINE | FF_NEED_JOINT_LINE);
        struct directions all = {direction_of(&stand, FF_OBJECT_DIRECTION, 0.3, &state),
                                 direction_of(&stand, FF_PROBE_DIRECTION, 2, &state), 0};
        check_line(&stand, FF_PART_OBJECT, &all);
        check_line(&stand, FF_PART_PROBE, &all);
        check_line(&stand, FF_PART_OBJECT | FF_PART_PROBE, &all);
        free(all.object);
        free(all.probe);
        stand_close(&stand);
    }
}

/* After an advance the kept waves are those of the moved object or probe: gradients from them are the same. */
static void test_an_advance_moves_the_kept_waves_along(void **unused)
{
    (void)unused;
    uint64_t state = 6;
    const unsigned sums = FF_WANT_OBJECT | FF_WANT_PROBE;
    for (const struct stand_case *effects = stand_cases; effects->name != NULL; effects++) {
        struct stand stand;
        stand_open(&stand, effects, numeric_backend(),
                   FF_NEED_WAVES | FF_NEED_DIRECTIONS | FF_NEED_LINE);
        const struct ff_backend_operations *operations = stand.operations;
        free(direction_of(&stand, FF_OBJECT_DIRECTION, 0.3, &state));
        free(direction_of(&stand, FF_PROBE_DIRECTION, 2, &state));
        model_complex *gradients[2];
        stand_gradients(&stand, sums | FF_WANT_WAVES);
        for (unsigned part = FF_PART_OBJECT; part <= FF_PART_PROBE; part++) {
            operations->line(stand.backend, stand.batch, part);
            operations->advance(stand.backend, part, 0.3);
        }
        (void)stand_take_cost(&stand);
        uint64_t before = operations->transforms_done(stand.backend);
        uint64_t done[2];
        double costs[2];
        for (int fresh = 0; fresh < 2; fresh++) {
            stand_gradients(&stand, sums | (fresh ? 0u : FF_WANT_FROM_WAVES));
            costs[fresh] = stand_take_cost(&stand).objective;
            done[fresh] = operations->transforms_done(stand.backend) - before;
            before += done[fresh];
            gradients[fresh] = stand_array(stand.object_elements, sizeof(model_complex));
            operations->turn(stand.backend, FF_PART_OBJECT, 0.1, 0);
            stand_get_field(&stand, FF_OBJECT_GRADIENT, gradients[fresh]);
        }
        stand_check(&stand, "cost from kept waves", costs[0], costs[1], costs[1], 1e-10);
        assert_true(done[0] < done[1]);
        stand_check_values(&stand, "gradient from kept waves", gradients[0], gradients[1],
                           stand.object_elements, 1e-8);
        free(gradients[0]);
        free(gradients[1]);
        stand_close(&stand);
    }
}

/* Re <d, N>, <z, N> and <z, N'> as turn() makes z: with β = 0 the direction is z. */
static void check_turn(struct stand *stand, enum ff_part part)
{
    bool of_object = part == FF_PART_OBJECT;
    enum ff_field gradient = of_object ? FF_OBJECT_GRADIENT : FF_PROBE_GRADIENT;
    enum ff_field direction = of_object ? FF_OBJECT_DIRECTION : FF_PROBE_DIRECTION;
    size_t count = stand_elements(stand, gradient);
    size_t size = count * sizeof(model_complex);
    model_complex *values[4]; /* direction and last gradient before, direction and gradient after */
    for (int i = 0; i < 4; i++) {
        values[i] = stand_array(size, 1);
    }
    stand_get_field(stand, direction, values[0]);
    stand_get_field(stand, gradient, values[1]);
    struct ff_turn_terms terms = stand->operations->turn_terms(stand->backend, part, 0.1);
    stand->operations->turn(stand->backend, part, 0.1, 0);
    stand_get_field(stand, direction, values[2]);
    stand_get_field(stand, gradient, values[3]);
    double zg = stand_product(values[2], values[3], count);
    stand_check(stand, "<z, N>", terms.zg, zg, zg, 1e-10);
    stand_check(stand, "<z, N'>", terms.z_last, stand_product(values[2], values[1], count), zg,
                1e-10);
    double dg = stand_product(values[0], values[3], count);
    stand_check(stand, "<d, N>", terms.dg, dg, fabs(dg) + zg, 1e-10);
    stand->operations->turn(stand->backend, part, 0.1, 0.5); /* d = z + z/2 */
    stand_get_field(stand, direction, values[0]);
    move(values[2], values[2], 0.5, count);
    stand_check_values(stand, "a turn", values[0], values[2], count, 1e-10);
    for (int i = 0; i < 4; i++)
        free(values[i]);
}

static void test_turns_are_made_of_their_terms(void **unused)
{
    (void)unused;
    uint64_t state = 7;
    for (const struct stand_case *effects = stand_cases; effects->name != NULL; effects++) {
        struct stand stand;
        stand_open(&stand, effects, numeric_backend(), FF_NEED_DIRECTIONS);
        free(direction_of(&stand, FF_OBJECT_DIRECTION, 0.3, &state));
        free(direction_of(&stand, FF_PROBE_DIRECTION, 2, &state));
        free(direction_of(&stand, FF_OBJECT_GRADIENT, 1, &state));
        free(direction_of(&stand, FF_PROBE_GRADIENT, 1, &state));
        stand_gradients(&stand, FF_WANT_OBJECT | FF_WANT_PROBE);
        check_turn(&stand, FF_PART_OBJECT);
        check_turn(&stand, FF_PART_PROBE);
        stand_close(&stand);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_line_has_the_objective_of_the_model),
        cmocka_unit_test(test_an_advance_moves_the_kept_waves_along),
        cmocka_unit_test(test_turns_are_made_of_their_terms),
    };
    return cmocka_run_group_tests(tests, numeric_begin, numeric_end);
}

#include "tests/numeric/figures.h"

#include "tests/unit/check.h"

#include <math.h>

static const unsigned everything = FF_WANT_OBJECT | FF_WANT_PROBE | FF_WANT_POSITIONS |
                                   FF_WANT_SCALES | FF_WANT_WEIGHTS | FF_WANT_STRAINS |
                                   FF_WANT_WAVES | FF_WANT_EXIT;
static const unsigned sums = FF_WANT_OBJECT | FF_WANT_PROBE;

/* What is of the object and of the probe. */
static const enum ff_part parts[2] = {FF_PART_OBJECT, FF_PART_PROBE};
static const enum ff_field fields[2] = {FF_OBJECT, FF_PROBE};
static const enum ff_field directions[2] = {FF_OBJECT_DIRECTION, FF_PROBE_DIRECTION};

static void fetch(struct stand *stand, const enum ff_field from[2], model_complex *values[2])
{
    for (int i = 0; i < 2; i++) {
        values[i] = stand_array(stand_elements(stand, from[i]), sizeof **values);
        stand_get_field(stand, from[i], values[i]);
    }
}

/* z of the sums at hand. */
static void fetch_turned(struct stand *stand, model_complex *values[2])
{
    for (int i = 0; i < 2; i++)
        stand->operations->turn(stand->backend, parts[i], 0.1, 0);
    fetch(stand, directions, values);
}

static void take_turns(struct stand *stand, struct figures *figures)
{
    const struct model *model = &stand->model;
    stand_put_field(stand, FF_OBJECT_DIRECTION, model->object);
    stand_put_field(stand, FF_OBJECT_GRADIENT, model->object);
    stand_put_field(stand, FF_PROBE_DIRECTION, model->probe);
    stand_put_field(stand, FF_PROBE_GRADIENT, model->probe);
    for (int i = 0; i < 2; i++) {
        figures->turns[i] = stand->operations->turn_terms(stand->backend, parts[i], 0.1);
        stand->operations->turn(stand->backend, parts[i], 0.1, 0.01);
    }
    fetch(stand, directions, figures->direction);
}

static void take_steps(struct stand *stand, struct figures *figures)
{
    const struct ff_backend_operations *operations = stand->operations;
    struct ff_update update = {
        .alpha_object = 0.3, .alpha_probe = 0.3, .step_object = 1, .step_probe = 0.5};
    figures->lengths = operations->lengths(stand->backend, &update);
    operations->normalise(stand->backend, &update);
    operations->fit(stand->backend, stand->batch);
    update.normalised = true;
    update.momentum = 0.4;
    operations->update(stand->backend, &update);
    operations->update(stand->backend, &update);
    fetch(stand, fields, figures->moved);
    stand_put(stand);
}

static size_t term_count(const struct stand *stand, int kind)
{
    return stand->problem->patterns *
           ff_terms_width((enum ff_terms)kind, stand->problem->fly, stand->model.eigenprobes);
}

static void take_terms(struct stand *stand, struct figures *figures)
{
    for (int kind = 0; kind < FIGURES_KINDS; kind++) {
        figures->terms[kind] = stand_array(term_count(stand, kind) + 1, sizeof(double));
        stand->operations->get_terms(stand->backend, (enum ff_terms)kind, figures->terms[kind]);
    }
}

/* The object lets a hundredth of the light through: waves grow as far as the bound. */
static void darken(struct stand *stand)
{
    model_complex *dark = stand_array(stand->object_elements, sizeof *dark);
    for (size_t i = 0; i < stand->object_elements; i++)
        dark[i] = 0.1 * stand->model.object[i];
    stand_put_field(stand, FF_OBJECT, dark);
    free(dark);
}

static model_complex *fetch_waves(struct stand *stand)
{
    size_t patterns = stand->problem->patterns;
    model_complex *waves = stand_array(stand_wave_elements(stand, patterns), sizeof *waves);
    stand_get_waves(stand, 0, patterns, waves);
    return waves;
}

/* Exit waves lie in the corner of their frames; around them is whatever was there. */
static void clear_margins(const struct stand *stand, model_complex *waves)
{
    const struct ff_problem *problem = stand->problem;
    size_t frame = problem->rows * problem->columns;
    for (size_t i = 0; i < stand_wave_elements(stand, problem->patterns); i++)
        if (i % frame / problem->columns >= problem->probe_rows ||
            i % problem->columns >= problem->probe_columns)
            waves[i] = 0;
}

static void take_projection(struct stand *stand, struct figures *figures)
{
    const struct ff_backend_operations *operations = stand->operations;
    const struct ff_projection projection = {-1, 1, 2};
    operations->start_waves(stand->backend, stand->batch);
    operations->project(stand->backend, stand->batch, &projection);
    figures->exit = fetch_waves(stand);
    clear_margins(stand, figures->exit);
    stand_overlap(stand, sums);
    fetch_turned(stand, figures->overlap);
}

struct figures figures_of(struct stand *stand)
{
    struct figures figures;
    stand_gradients(stand, everything);
    figures.cost = stand_take_cost(stand);
    figures.detector = fetch_waves(stand);
    take_turns(stand, &figures);
    take_steps(stand, &figures);
    take_terms(stand, &figures);
    stand->operations->line(stand->backend, stand->batch, FF_PART_OBJECT | FF_PART_PROBE);
    figures.line = stand->operations->line_terms(stand->backend, 0.1);
    darken(stand);
    stand_gradients(stand, sums | FF_WANT_BOUNDED);
    fetch_turned(stand, figures.bounded);
    take_projection(stand, &figures);
    (void)stand_take_cost(stand); /* where a failure would be told */
    return figures;
}

void figures_dispose(struct figures *figures)
{
    for (int i = 0; i < 2; i++) {
        free(figures->direction[i]);
        free(figures->moved[i]);
        free(figures->bounded[i]);
        free(figures->overlap[i]);
    }
    free(figures->detector);
    free(figures->exit);
    for (int kind = 0; kind < FIGURES_KINDS; kind++)
        free(figures->terms[kind]);
}

/* --- far apart? --- */

static void check_pair(const struct stand *stand, const char *of_object, const char *of_probe,
                       model_complex *const found[2], model_complex *const expected[2])
{
    stand_check_values(stand, of_object, found[0], expected[0], stand->object_elements, 0);
    stand_check_values(stand, of_probe, found[1], expected[1], stand->probe_elements, 0);
}

/* Each number against the greatest of its kind. */
static void check_terms(const struct stand *stand, int kind, const double *found,
                        const double *expected)
{
    static const char *const names[FIGURES_KINDS] = {"positions",    "scales", "weights",
                                                     "deformations", "costs",  "steps"};
    double most = 0;
    for (size_t i = 0; i < term_count(stand, kind); i++)
        most = fmax(most, fabs(expected[i]));
    for (size_t i = 0; i < term_count(stand, kind); i++)
        stand_check(stand, names[kind], found[i], expected[i], most,
                    kind == FF_TERMS_STEPS ? STAND_KEPT : 0);
}

static void check_turns(const struct stand *stand, const struct ff_turn_terms *found,
                        const struct ff_turn_terms *expected)
{
    double size = fabs(expected->zg) + fabs(expected->dg) + fabs(expected->z_last);
    stand_check(stand, "<z, N>", found->zg, expected->zg, size, 0);
    stand_check(stand, "<z, N'>", found->z_last, expected->z_last, size, 0);
    stand_check(stand, "<d, N>", found->dg, expected->dg, size, 0);
}

static void check_line(const struct stand *stand, const struct ff_line_terms *found,
                       const struct ff_line_terms *expected)
{
    double size = fabs(expected->value) + fabs(expected->slope) + fabs(expected->curve);
    stand_check(stand, "value", found->value, expected->value, size, 1e-4);
    stand_check(stand, "slope", found->slope, expected->slope, size, 1e-4);
    stand_check(stand, "curve", found->curve, expected->curve, size, 1e-4);
    stand_check(stand, "majoriser", found->majoriser, expected->majoriser, size, 1e-4);
}

static void check_lengths(const struct stand *stand, const struct ff_length_terms *found,
                          const struct ff_length_terms *expected)
{
    stand_check(stand, "the object's slope", found->object_slope, expected->object_slope,
                expected->object_slope, 0);
    stand_check(stand, "the object's curve", found->object_curve, expected->object_curve,
                expected->object_curve, 0);
    stand_check(stand, "the probe's slope", found->probe_slope, expected->probe_slope,
                expected->probe_slope, 0);
    stand_check(stand, "the probe's curve", found->probe_curve, expected->probe_curve,
                expected->probe_curve, 0);
}

void figures_check(const struct stand *stand, const struct figures *found,
                   const struct figures *expected)
{
    size_t waves = stand_wave_elements(stand, stand->problem->patterns);
    stand_check(stand, "amplitude", found->cost.amplitude, expected->cost.amplitude,
                expected->cost.amplitude, 0);
    stand_check(stand, "objective", found->cost.objective, expected->cost.objective,
                expected->cost.objective, 0);
    stand_check_values(stand, "waves", found->detector, expected->detector, waves, 0);
    for (int kind = 0; kind < FIGURES_KINDS; kind++)
        check_terms(stand, kind, found->terms[kind], expected->terms[kind]);
    for (int i = 0; i < 2; i++)
        check_turns(stand, &found->turns[i], &expected->turns[i]);
    check_pair(stand, "the object's direction", "the probe's direction", found->direction,
               expected->direction);
    check_lengths(stand, &found->lengths, &expected->lengths);
    check_pair(stand, "the moved object", "the moved probe", found->moved, expected->moved);
    check_line(stand, &found->line, &expected->line);
    check_pair(stand, "the object's bounded direction", "the probe's bounded direction",
               found->bounded, expected->bounded);
    stand_check_values(stand, "projected waves", found->exit, expected->exit, waves, 0);
    check_pair(stand, "the object's overlap", "the probe's overlap", found->overlap,
               expected->overlap);
}

/* --- the same bits? --- */

static void check_bits(const struct stand *stand, const char *what, const void *a, const void *b,
                       size_t bytes)
{
    if (memcmp(a, b, bytes) != 0)
        fail_msg("%s, %s: not the same bits", stand->effects->name, what);
}

static void check_same_pair(const struct stand *stand, const char *what, model_complex *const a[2],
                            model_complex *const b[2])
{
    check_bits(stand, what, a[0], b[0], stand->object_elements * sizeof(model_complex));
    check_bits(stand, what, a[1], b[1], stand->probe_elements * sizeof(model_complex));
}

void figures_check_same(const struct stand *stand, const struct figures *a, const struct figures *b)
{
    size_t waves = stand_wave_elements(stand, stand->problem->patterns) * sizeof(model_complex);
    check_bits(stand, "costs", &a->cost, &b->cost, sizeof a->cost);
    check_bits(stand, "waves", a->detector, b->detector, waves);
    for (int kind = 0; kind < FIGURES_KINDS; kind++)
        check_bits(stand, "terms", a->terms[kind], b->terms[kind],
                   term_count(stand, kind) * sizeof(double));
    check_bits(stand, "turns", a->turns, b->turns, sizeof a->turns);
    check_same_pair(stand, "directions", a->direction, b->direction);
    check_bits(stand, "lengths", &a->lengths, &b->lengths, sizeof a->lengths);
    check_same_pair(stand, "steps", a->moved, b->moved);
    check_bits(stand, "a line", &a->line, &b->line, sizeof a->line);
    check_same_pair(stand, "bounded directions", a->bounded, b->bounded);
    check_bits(stand, "projected waves", a->exit, b->exit, waves);
    check_same_pair(stand, "the overlap", a->overlap, b->overlap);
}

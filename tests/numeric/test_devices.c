/* Several devices against one: every stage. */
#include "tests/unit/check.h"

#include "functions/reconstruct/devices/devices.h"
#include "functions/reconstruct/devices/state.h"
#include "functions/reconstruct/solvers/random.h"
#include "tests/numeric/apart.h"
#include "tests/numeric/backend.h"
#include "tests/numeric/scene.h"

#include <math.h>

static const unsigned counts[] = {1, 2, 3, 4, 5, 8};
enum { COUNTS = sizeof counts / sizeof counts[0], PATTERNS_MAX = 128 };

static const struct scene_shape shape = {24, 20, 9, 3, 2, 2e5, true};

/* What the stages are tried on. */
struct trial {
    struct scene scene;
    uint32_t all[PATTERNS_MAX];
    double scales[PATTERNS_MAX];
    double weights[PATTERNS_MAX];
    ff_complex *object;
    ff_complex *probe; /* with one eigenprobe behind the modes */
};

static void *make(size_t count, size_t size)
{
    void *array = calloc(count, size);
    assert_non_null(array);
    return array;
}

static size_t object_elements(const struct ff_problem *problem)
{
    return problem->object_rows * problem->object_columns;
}

static size_t probe_elements(const struct ff_problem *problem)
{
    return problem->probe_rows * problem->probe_columns;
}

static void trial_create(struct trial *trial, size_t fly)
{
    struct ff_random random = ff_random_seed(5);
    scene_create(&trial->scene, shape);
    struct ff_problem *problem = trial->scene.problem;
    problem->patterns /= fly; /* neighbours become positions of one exposure */
    problem->fly = fly;
    for (uint32_t n = 0; n < problem->patterns; n++) {
        trial->all[n] = n;
        trial->scales[n] = 0.9 + 0.2 * ff_random_unit(&random);
        trial->weights[n] = ff_random_unit(&random) - 0.5;
    }
    size_t modes = problem->modes;
    size_t pixels = probe_elements(problem);
    trial->object = make(object_elements(problem), sizeof(ff_complex));
    trial->probe = make((modes + 1) * pixels, sizeof(ff_complex));
    for (size_t i = 0; i < object_elements(problem); i++)
        trial->object[i] = 0.5f + 0.5f * trial->scene.object[i];
    memcpy(trial->probe, problem->probe, modes * pixels * sizeof(ff_complex));
    for (size_t i = 0; i < pixels; i++)
        trial->probe[modes * pixels + i] = 0.1f * problem->probe[pixels - 1 - i];
}

static void trial_destroy(struct trial *trial)
{
    scene_destroy(&trial->scene);
    free(trial->object);
    free(trial->probe);
}

static struct ff_devices *open_devices_of(const struct ff_backend_operations *operations,
                                          const struct trial *trial, unsigned count,
                                          unsigned threads, unsigned needs)
{
    struct ff_error error;
    const struct ff_problem *problem = trial->scene.problem;
    const struct ff_devices_plan plan = {
        .problem = problem,
        .operations = operations,
        .count = count,
        .travel_px = 1.5,
        .modes = problem->modes,
        .eigenprobes = 1,
        .batch_limit = problem->patterns,
        .needs = needs,
        .threads = threads,
    };
    struct ff_devices *devices = ff_devices_create(&plan, &error);
    if (devices == NULL)
        fail_msg("%s", error.message);
    ff_devices_put(devices, FF_OBJECT, trial->object);
    ff_devices_put(devices, FF_PROBE, trial->probe);
    ff_devices_put(devices, FF_SCALES, trial->scales);
    ff_devices_put(devices, FF_WEIGHTS, trial->weights);
    return devices;
}

static struct ff_devices *open_devices(const struct trial *trial, unsigned count, unsigned threads,
                                       unsigned needs)
{
    return open_devices_of(numeric_backend(), trial, count, threads, needs);
}

/* --- the stages --- */

/* Wherever two tiles overlap, both devices hold the same bits. */
static void check_overlaps(const struct ff_devices *devices, enum ff_field field)
{
    const struct ff_backend_operations *operations = devices->operations;
    for (unsigned i = 0; i < devices->count; i++) {
        const struct ff_tile *tile = devices->device[i].tile;
        ff_complex *here = make(ff_area_pixels(tile->area), sizeof *here);
        operations->get(devices->backends[i], field, here);
        for (size_t j = 0; j < tile->link_count; j++) {
            struct ff_area both = tile->links[j].area;
            struct ff_area other = devices->device[tile->links[j].peer].tile->area;
            ff_complex *there = make(ff_area_pixels(other), sizeof *there);
            operations->get(devices->backends[tile->links[j].peer], field, there);
            for (size_t row = both.row; row < both.row + both.rows; row++)
                assert_memory_equal(here + (row - tile->area.row) * tile->area.columns +
                                        both.column - tile->area.column,
                                    there + (row - other.row) * other.columns + both.column -
                                        other.column,
                                    both.columns * sizeof *here);
            free(there);
        }
        free(here);
    }
}

static void check_same_probes(const struct ff_devices *devices, enum ff_field field)
{
    size_t count = (devices->modes + 1) * probe_elements(devices->problem);
    ff_complex *first = make(count, sizeof *first);
    ff_complex *other = make(count, sizeof *other);
    devices->operations->get(devices->backends[0], field, first);
    for (unsigned i = 1; i < devices->count; i++) {
        devices->operations->get(devices->backends[i], field, other);
        assert_memory_equal(first, other, count * sizeof *first);
    }
    free(first);
    free(other);
}

/* Everything that a pass and a step leave behind. */
struct outcome {
    ff_complex *object, *probe;
    double *terms[4];
    struct ff_length_terms lengths;
    struct ff_cost cost;
};

enum {
    EVERYTHING = FF_WANT_OBJECT | FF_WANT_PROBE | FF_WANT_POSITIONS | FF_WANT_SCALES |
                 FF_WANT_WEIGHTS | FF_WANT_STRAINS
};
static const size_t terms_widths[] = {5, 2, 2, 19};

static struct outcome step(const struct trial *trial, struct ff_devices *devices,
                           struct ff_batch batch)
{
    const struct ff_problem *problem = trial->scene.problem;
    const struct ff_update update = {
        .alpha_object = 0.1, .alpha_probe = 0.2, .step_object = 1, .step_probe = 0.5};
    struct outcome outcome;
    struct ff_error error;
    ff_devices_gradients(devices, batch, EVERYTHING);
    outcome.lengths = ff_devices_lengths(devices, &update);
    ff_devices_update(devices, &update);
    assert_ok(ff_devices_take_cost(devices, &outcome.cost, &error), error);
    outcome.object = make(object_elements(problem), sizeof(ff_complex));
    memcpy(outcome.object, trial->object, object_elements(problem) * sizeof(ff_complex));
    outcome.probe = make((problem->modes + 1) * probe_elements(problem), sizeof(ff_complex));
    ff_devices_get(devices, FF_OBJECT, outcome.object);
    ff_devices_get(devices, FF_PROBE, outcome.probe);
    for (int kind = 0; kind < 4; kind++) {
        outcome.terms[kind] =
            make(problem->patterns * problem->fly * terms_widths[kind], sizeof(double));
        ff_devices_get_terms(devices, (enum ff_terms)(FF_TERMS_POSITIONS + kind),
                             outcome.terms[kind]);
    }
    return outcome;
}

static void outcome_dispose(struct outcome *outcome)
{
    free(outcome->object);
    free(outcome->probe);
    for (int kind = 0; kind < 4; kind++)
        free(outcome->terms[kind]);
}

static void check_outcome(const struct trial *trial, const struct outcome *many,
                          const struct outcome *one, unsigned count)
{
    const struct ff_problem *problem = trial->scene.problem;
    size_t patterns = problem->patterns;
    size_t probe = (problem->modes + 1) * probe_elements(problem);
    apart_check(apart_complex(many->object, one->object, object_elements(problem)), 1e-6,
                "the object", count);
    apart_check(apart_complex(many->probe, one->probe, probe), 1e-6, "the probe", count);
    apart_check(apart_real(many->terms[0], one->terms[0], patterns * problem->fly * 5), 1e-5,
                "the moves", count);
    apart_check(apart_real(many->terms[1], one->terms[1], patterns * 2), 1e-6, "the scales", count);
    apart_check(apart_real(many->terms[2], one->terms[2], patterns * 2), 1e-5, "the weights",
                count);
    apart_check(apart_real(many->terms[3], one->terms[3], patterns * problem->fly * 19), 1e-5,
                "the deformations", count);
    apart_check(apart_real(&many->lengths.object_slope, &one->lengths.object_slope, 4), 1e-5,
                "the lengths", count);
    apart_check(fabs(many->cost.amplitude / one->cost.amplitude - 1), 1e-6, "the cost", count);
}

static void try_steps(size_t fly)
{
    struct trial trial;
    trial_create(&trial, fly);
    const struct ff_batch all = {trial.all, trial.scene.problem->patterns};
    struct ff_devices *single = open_devices(&trial, 1, 1, 0);
    struct outcome one = step(&trial, single, all);
    assert_true(one.cost.amplitude > 0);
    assert_true(apart_complex(one.object, trial.object, object_elements(trial.scene.problem)) >
                1e-3);
    assert_int_equal(ff_devices_bytes_exchanged(single), 0);
    for (unsigned i = 1; i < COUNTS; i++) {
        struct ff_devices *devices = open_devices(&trial, counts[i], 2, 0);
        assert_int_equal(ff_devices_count(devices), counts[i]);
        struct outcome many = step(&trial, devices, all);
        check_outcome(&trial, &many, &one, counts[i]);
        check_overlaps(devices, FF_OBJECT);
        check_same_probes(devices, FF_PROBE);
        assert_int_equal(ff_devices_transforms_done(devices), ff_devices_transforms_done(single));
        outcome_dispose(&many);
        ff_devices_destroy(devices);
    }
    outcome_dispose(&one);
    ff_devices_destroy(single);
    trial_destroy(&trial);
}

static void a_step_of_many_is_that_of_one(void **state)
{
    (void)state;
    try_steps(1);
}

static void so_is_one_of_a_fly_scan(void **state)
{
    (void)state;
    try_steps(3);
}

/* A batch that only some devices have patterns of: the others take the same step. */
static void a_batch_in_a_corner(void **state)
{
    (void)state;
    struct trial trial;
    trial_create(&trial, 1);
    for (unsigned i = 1; i < COUNTS; i++) {
        struct ff_devices *devices = open_devices(&trial, counts[i], 2, 0);
        const struct ff_tile *tile = devices->device[counts[i] / 2].tile;
        const struct ff_batch batch = {tile->patterns, tile->pattern_count / 2};
        struct ff_devices *single = open_devices(&trial, 1, 1, 0);
        ff_devices_gradients(devices, (struct ff_batch){trial.all, trial.scene.problem->patterns},
                             EVERYTHING); /* leaves sums that must not come back */
        struct ff_cost cost;
        assert_ok(ff_devices_take_cost(devices, &cost, NULL), (struct ff_error){0});
        struct outcome one = step(&trial, single, batch);
        struct outcome many = step(&trial, devices, batch);
        const struct ff_problem *problem = trial.scene.problem;
        apart_check(apart_complex(many.object, one.object, object_elements(problem)), 1e-6,
                    "the object", counts[i]);
        apart_check(
            apart_complex(many.probe, one.probe, (problem->modes + 1) * probe_elements(problem)),
            1e-6, "the probe", counts[i]);
        check_overlaps(devices, FF_OBJECT);
        check_same_probes(devices, FF_PROBE);
        outcome_dispose(&many);
        outcome_dispose(&one);
        ff_devices_destroy(single);
        ff_devices_destroy(devices);
    }
    trial_destroy(&trial);
}

static void threads_do_not_change_a_bit(void **state)
{
    (void)state;
    struct trial trial;
    trial_create(&trial, 1);
    const struct ff_problem *problem = trial.scene.problem;
    const struct ff_batch all = {trial.all, problem->patterns};
    for (unsigned i = 0; i < COUNTS; i++) {
        struct outcome first = {0};
        for (unsigned threads = 1; threads <= 9; threads += 2) {
            struct ff_devices *devices = open_devices(&trial, counts[i], threads, 0);
            struct outcome outcome = step(&trial, devices, all);
            ff_devices_destroy(devices);
            if (threads == 1) {
                first = outcome;
                continue;
            }
            assert_memory_equal(outcome.object, first.object,
                                object_elements(problem) * sizeof(ff_complex));
            assert_memory_equal(outcome.probe, first.probe,
                                (problem->modes + 1) * probe_elements(problem) *
                                    sizeof(ff_complex));
            assert_memory_equal(outcome.terms[0], first.terms[0],
                                problem->patterns * 5 * sizeof(double));
            assert_memory_equal(&outcome.lengths, &first.lengths, sizeof first.lengths);
            assert_memory_equal(&outcome.cost, &first.cost, sizeof first.cost);
            outcome_dispose(&outcome);
        }
        outcome_dispose(&first);
    }
    trial_destroy(&trial);
}

/* --- what is exchanged --- */

/* Rows of `area` between the first and the last that patches of a tile's patterns touch. */
static size_t rows_met(const struct ff_problem *problem, const struct ff_tile *tile,
                       struct ff_area area)
{
    size_t first = SIZE_MAX;
    size_t end = 0;
    for (size_t i = 0; i < tile->pattern_count; i++) {
        size_t row = (size_t)problem->positions[2 * tile->patterns[i]];
        first = row < first ? row : first;
        end = row + problem->probe_rows + 1 > end ? row + problem->probe_rows + 1 : end;
    }
    return ff_area_common(area, (struct ff_area){first, area.column, end - first, area.columns})
        .rows;
}

/* What the tiles say that all devices read of others in one exchange, at most: each overlap once, as far as it is touched, and the
 * sums of the probe once to add a share of them and once to have them all. */
static void exchange_of(const struct ff_devices *devices, uint64_t *object, uint64_t *most,
                        uint64_t *probe)
{
    const struct ff_problem *problem = devices->problem;
    const uint64_t pixel = 3 * sizeof(float);
    *object = *most = 0;
    for (unsigned i = 0; i < devices->count; i++) {
        const struct ff_tile *tile = devices->device[i].tile;
        for (size_t j = 0; j < tile->link_count; j++) {
            const struct ff_link *link = &tile->links[j];
            *most += ff_area_pixels(link->area) * pixel;
            *object += rows_met(problem, devices->device[link->peer].tile, link->area) *
                       link->area.columns * pixel;
        }
    }
    uint64_t planes = 2 * (problem->modes + 1) + 2; /* N_P, N_E; V of both kinds */
    *probe = 2 * (devices->count - 1) * planes * probe_elements(problem) * sizeof(float);
}

static void no_more_is_exchanged_than_the_overlaps(void **state)
{
    (void)state;
    struct trial trial;
    trial_create(&trial, 1);
    const struct ff_batch all = {trial.all, trial.scene.problem->patterns};
    for (unsigned i = 1; i < COUNTS; i++) {
        uint64_t object;
        uint64_t most;
        uint64_t probe;
        struct ff_devices *devices = open_devices(&trial, counts[i], 1, 0);
        exchange_of(devices, &object, &most, &probe);
        assert_true(object > 0 && object <= most);
        ff_devices_gradients(devices, all, FF_WANT_OBJECT);
        if (devices->operations->is_apart) { /* takes whole sums of others, touched or not */
            assert_in_range(ff_devices_bytes_exchanged(devices), 1, most);
            object = ff_devices_bytes_exchanged(devices);
        }
        assert_int_equal(ff_devices_bytes_exchanged(devices), object);
        ff_devices_gradients(devices, all, FF_WANT_OBJECT | FF_WANT_PROBE);
        assert_int_equal(ff_devices_bytes_exchanged(devices), 2 * object + probe);
        ff_devices_gradients(devices, all, FF_WANT_PROBE);
        assert_int_equal(ff_devices_bytes_exchanged(devices), 2 * object + 2 * probe);
        ff_devices_cost(devices, all);
        assert_int_equal(ff_devices_bytes_exchanged(devices), 2 * object + 2 * probe);
        ff_devices_destroy(devices);
    }
    trial_destroy(&trial);
}

/* --- where they lie --- */

static unsigned four(void)
{
    return 4;
}

/* Two pairs with a bridge each: 0 and 2, 1 and 3. */
static int bridged_pairs(unsigned count, double *links, double *ports, struct ff_error *error)
{
    (void)error;
    for (unsigned from = 0; from < count; from++) {
        ports[from] = 1e12;
        for (unsigned to = 0; to < count; to++)
            links[from * count + to] = from % 2 == to % 2 ? 300e9 : 10e9;
    }
    return 0;
}

/* The prototype is that of the table. NOLINTBEGIN(readability-non-const-parameter) */
static int no_links(unsigned count, double *links, double *ports, struct ff_error *error)
{
    (void)links;
    (void)ports;
    return ff_fail(error, FF_NO_DEVICE, "%u devices, and none answers", count);
}
/* NOLINTEND(readability-non-const-parameter) */

/* What each backend was told. */
static unsigned told[4];

static struct ff_backend *create_noting_places(const struct ff_backend_plan *plan,
                                               struct ff_error *error)
{
    told[plan->number] = plan->places[plan->number];
    return numeric_backend()->create(plan, error);
}

static size_t heaviest_link(const struct ff_devices *devices)
{
    size_t most = 0;
    for (unsigned i = 0; i < devices->count; i++)
        for (size_t j = 0; j < devices->device[i].tile->link_count; j++) {
            size_t pixels = ff_area_pixels(devices->device[i].tile->links[j].area);
            most = pixels > most ? pixels : most;
        }
    return most;
}

/* The heaviest edges go over the bridges; where a tile lies changes no bit. */
static void tiles_go_where_links_are_best(void **state)
{
    (void)state;
    struct trial trial;
    struct ff_backend_operations operations = *numeric_backend();
    operations.present = four;
    operations.links = bridged_pairs;
    operations.create = create_noting_places;
    trial_create(&trial, 1);
    struct ff_devices *anywhere = open_devices(&trial, 4, 1, 0);
    struct ff_devices *devices = open_devices_of(&operations, &trial, 4, 1, 0);
    size_t most = heaviest_link(devices);
    unsigned met = 0;
    for (unsigned i = 0; i < 4; i++) {
        const struct ff_tile *tile = devices->device[i].tile;
        for (size_t j = 0; j < tile->link_count; j++)
            if (ff_area_pixels(tile->links[j].area) == most) {
                assert_int_equal(told[i] % 2, told[tile->links[j].peer] % 2);
                met++;
            }
    }
    assert_true(met > 0);
    assert_int_equal(1U << told[0] | 1U << told[1] | 1U << told[2] | 1U << told[3], 15);
    const struct ff_batch all = {trial.all, trial.scene.problem->patterns};
    struct outcome one = step(&trial, anywhere, all);
    struct outcome other = step(&trial, devices, all);
    assert_memory_equal(one.object, other.object,
                        object_elements(trial.scene.problem) * sizeof *one.object);
    outcome_dispose(&one);
    outcome_dispose(&other);
    ff_devices_destroy(anywhere);
    ff_devices_destroy(devices);
    trial_destroy(&trial);
}

/* Of four devices two are wanted: a bridged pair, and not simply the first ones. */
static void the_best_joined_devices_are_taken(void **state)
{
    (void)state;
    struct trial trial;
    struct ff_backend_operations operations = *numeric_backend();
    operations.present = four;
    operations.links = bridged_pairs;
    operations.create = create_noting_places;
    trial_create(&trial, 1);
    struct ff_devices *devices = open_devices_of(&operations, &trial, 2, 1, 0);
    assert_int_equal(devices->count, 2);
    assert_int_not_equal(told[0], told[1]);
    assert_int_equal(told[0] % 2, told[1] % 2);
    ff_devices_destroy(devices);
    trial_destroy(&trial);
}

static void links_that_cannot_be_read_are_an_error(void **state)
{
    (void)state;
    struct trial trial;
    struct ff_error error;
    struct ff_backend_operations operations = *numeric_backend();
    operations.present = four;
    operations.links = no_links;
    trial_create(&trial, 1);
    const struct ff_devices_plan plan = {.problem = trial.scene.problem,
                                         .operations = &operations,
                                         .count = 3,
                                         .modes = trial.scene.problem->modes,
                                         .batch_limit = 1,
                                         .threads = 1};
    assert_null(ff_devices_create(&plan, &error));
    assert_string_equal(error.message, "4 devices, and none answers");
    trial_destroy(&trial);
}

/* --- fields --- */

static void fill(float *values, size_t count, struct ff_random *random)
{
    for (size_t i = 0; i < count; i++)
        values[i] = (float)ff_random_unit(random);
}

static void check_whole_fields(struct ff_devices *devices, struct ff_random *random)
{
    const struct ff_problem *problem = devices->problem;
    size_t most = object_elements(problem) + 3 * probe_elements(problem);
    ff_complex *put = make(most, sizeof *put);
    ff_complex *got = make(most, sizeof *got);
    for (enum ff_field field = FF_OBJECT; field < FF_FIELDS_WHOLE; field++) {
        size_t count = field < FF_PROBE ? object_elements(problem)
                                        : (problem->modes + 1) * probe_elements(problem);
        fill((float *)put, 2 * count, random);
        memcpy(got, put, count * sizeof *put);
        ff_devices_put(devices, field, put);
        for (size_t i = 0; i < count; i++) /* what comes back must have been there */
            got[i] = field == FF_OBJECT ? put[i] : (ff_complex)-1;
        ff_devices_get(devices, field, got);
        for (size_t i = 0; i < count; i++) /* zero where no tile is */
            assert_true(got[i] == put[i] ||
                        (devices->count > 1 && field < FF_PROBE && got[i] == 0));
        if (field < FF_PROBE)
            check_overlaps(devices, field);
    }
    free(put);
    free(got);
}

static void check_rows(struct ff_devices *devices, struct ff_random *random)
{
    const struct ff_problem *problem = devices->problem;
    double put[PATTERNS_MAX * 2];
    double got[PATTERNS_MAX * 2];
    for (enum ff_field field = FF_POSITIONS; field < FF_WAVES; field++) {
        size_t count = problem->patterns * (field == FF_POSITIONS ? 2 : 1);
        for (size_t i = 0; i < count; i++)
            put[i] = (field == FF_POSITIONS ? problem->positions[i] : 1) + ff_random_unit(random);
        ff_devices_put(devices, field, put);
        memset(got, 0, sizeof got);
        ff_devices_get(devices, field, got);
        assert_memory_equal(got, put, count * sizeof *put);
    }
}

static void check_waves(struct ff_devices *devices, struct ff_random *random)
{
    const struct ff_problem *problem = devices->problem;
    size_t count = problem->modes * problem->rows * problem->columns;
    ff_complex *put = make(problem->patterns * count, sizeof *put);
    ff_complex *got = make(count, sizeof *got);
    fill((float *)put, 2 * problem->patterns * count, random);
    for (uint32_t n = 0; n < problem->patterns; n++)
        ff_devices_put_waves(devices, n, put + n * count);
    for (uint32_t n = 0; n < problem->patterns; n++) {
        ff_devices_get_waves(devices, n, got);
        assert_memory_equal(got, put + n * count, count * sizeof *got);
    }
    free(put);
    free(got);
}

static void fields_come_back_as_they_were_put(void **state)
{
    (void)state;
    struct trial trial;
    struct ff_random random = ff_random_seed(11);
    trial_create(&trial, 1);
    for (unsigned i = 0; i < COUNTS; i++) {
        struct ff_devices *devices = open_devices(
            &trial, counts[i], 2, FF_NEED_WAVES | FF_NEED_DIRECTIONS | FF_NEED_VELOCITIES);
        check_whole_fields(devices, &random);
        check_rows(devices, &random);
        check_waves(devices, &random);
        ff_devices_destroy(devices);
    }
    trial_destroy(&trial);
}

/* Those beside the host say how many they are, the host's with how many threads. */
static void check_description(const struct trial *trial, unsigned count, unsigned threads,
                              const char *text)
{
    struct ff_devices *devices = open_devices(trial, count, threads, 0);
    const char *found = ff_devices_describe(devices);
    char begin[64];
    snprintf(begin, sizeof begin, "%s: %s", numeric_backend()->name, text);
    if (strncmp(found, begin, strlen(begin)) != 0)
        fail_msg("\"%s\" does not begin with \"%s\"", found, begin);
    assert_true(ff_devices_time_transforms(devices, 10) > 0);
    assert_true(numeric_backend()->is_apart ? ff_devices_bytes_apart(devices) > 0
                                            : ff_devices_bytes(devices) > 0);
    ff_devices_destroy(devices);
}

static void devices_say_what_they_are(void **state)
{
    (void)state;
    struct trial trial;
    trial_create(&trial, 1);
    bool is_apart = numeric_backend()->is_apart;
    check_description(&trial, 1, 2, is_apart ? "" : "2 threads, ");
    check_description(&trial, 4, 2, is_apart ? "4 × " : "4 devices, 2 threads, ");
    check_description(&trial, 2, 1, is_apart ? "2 × " : "2 devices, 1 thread, ");
    check_description(&trial, 3, 7, is_apart ? "3 × " : "3 devices, 7 threads, ");
    trial_destroy(&trial);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_step_of_many_is_that_of_one),
        cmocka_unit_test(so_is_one_of_a_fly_scan),
        cmocka_unit_test(a_batch_in_a_corner),
        cmocka_unit_test(threads_do_not_change_a_bit),
        cmocka_unit_test(no_more_is_exchanged_than_the_overlaps),
        cmocka_unit_test(tiles_go_where_links_are_best),
        cmocka_unit_test(the_best_joined_devices_are_taken),
        cmocka_unit_test(links_that_cannot_be_read_are_an_error),
        cmocka_unit_test(fields_come_back_as_they_were_put),
        cmocka_unit_test(devices_say_what_they_are),
    };
    return cmocka_run_group_tests_name("devices", tests, numeric_begin, numeric_end);
}

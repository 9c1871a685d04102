#include "tests/numeric/effects.h"

#include "tests/unit/check.h"

struct ff_run_settings algorithm_settings(enum ff_algorithm algorithm, size_t patterns,
                                          size_t epochs)
{
    const struct ff_algorithm_facts *facts = &ff_algorithms[algorithm];
    const struct ff_batch_counts batches = ff_algorithm_batches(algorithm, 0, patterns, epochs);
    return (struct ff_run_settings){
        .algorithm = facts->name,
        .solver = {.epochs = epochs,
                   .batches = batches.count,
                   .early_batches = batches.early_count,
                   .early_epochs = batches.early_epochs,
                   .early_alpha = facts->early_alpha,
                   .alpha = facts->alpha,
                   .step_object = facts->step_object,
                   .step_probe = facts->step_probe,
                   .probe_start = (size_t)facts->probe_start},
        .seed = 3,
        .devices = 1,
        .threads = 2,
    };
}

const struct ff_refine_settings all_refinements = {
    .positions = true,
    .affine = true,
    .positions_start = 3,
    .step_positions = 0.5,
    .intensities = true,
    .opr_modes = 2,
    .power_balance = true,
};

static void by_position(struct scene *scene, struct ff_run_settings *settings)
{
    (void)scene;
    settings->solver.step = FF_STEP_POSITION;
}

static void with_momentum(struct scene *scene, struct ff_run_settings *settings)
{
    (void)scene;
    settings->solver.momentum = 0.5;
    settings->solver.step_object = settings->solver.step_probe = 0.5;
}

static void poisson(struct scene *scene, struct ff_run_settings *settings)
{
    (void)scene;
    settings->noise = FF_NOISE_POISSON;
}

static void shifted_probe(struct scene *scene, struct ff_run_settings *settings)
{
    scene->problem->travel_px = 1;
    settings->subpixel = FF_SUBPIXEL_FOURIER;
    settings->refine.positions = true;
    settings->refine.positions_start = 2;
    settings->refine.step_positions = 0.5;
}

static void near_field(struct scene *scene, struct ff_run_settings *settings)
{
    (void)settings;
    scene->problem->near_field = true;
    scene->problem->geometry = (struct ff_geometry){
        .wavelength_m = 1e-10, .distance_m = 0.02, .object_pixel_m = {5e-7, 6e-7}};
    scene_measure(scene);
}

/* The probe's window becomes smaller than the detector. */
static void large_detector(struct scene *scene, struct ff_run_settings *settings)
{
    struct ff_problem *problem = scene->problem;
    (void)settings;
    size_t rows = problem->rows - 4;
    size_t columns = problem->columns - 6;
    for (size_t m = 0; m < problem->modes; m++)
        for (size_t r = 0; r < rows; r++)
            memmove(problem->probe + (m * rows + r) * columns,
                    problem->probe + (m * problem->rows + r + 2) * problem->columns + 3,
                    columns * sizeof *problem->probe);
    problem->probe_rows = rows;
    problem->probe_columns = columns;
}

static void masked(struct scene *scene, struct ff_run_settings *settings)
{
    struct ff_problem *problem = scene->problem;
    (void)settings;
    problem->measured = calloc(problem->rows * problem->columns, 1);
    assert_non_null(problem->measured);
    for (size_t i = 0; i < problem->rows * problem->columns; i++)
        problem->measured[i] = i % 5 != 2;
}

static void fly_scan(struct scene *scene, struct ff_run_settings *settings)
{
    (void)settings;
    scene->problem->patterns /= 3;
    scene->problem->fly = 3;
}

const struct effect effects[] = {
    {"a step by position", FF_ALGORITHM_LSTSQ, by_position},
    {"momentum", FF_ALGORITHM_RPIE, with_momentum},
    {"Poisson noise", FF_ALGORITHM_CGRAD, poisson},
    {"a shifted probe", FF_ALGORITHM_RPIE, shifted_probe},
    {"near field", FF_ALGORITHM_RPIE, near_field},
    {"a large detector", FF_ALGORITHM_RPIE, large_detector},
    {"a mask", FF_ALGORITHM_RPIE, masked},
    {"a fly scan", FF_ALGORITHM_RPIE, fly_scan},
    {.label = NULL},
};

struct ff_run_settings effect_settings(const struct effect *effect, struct scene *scene,
                                       size_t epochs)
{
    struct ff_run_settings settings =
        algorithm_settings(effect->algorithm, scene->problem->patterns, epochs);
    effect->apply(scene, &settings);
    return settings;
}

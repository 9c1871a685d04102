#include "functions/reconstruct/refine/refine.h"

#include "functions/reconstruct/refine/affine.h"
#include "functions/reconstruct/refine/deformation.h"
#include "functions/reconstruct/refine/eigenprobes.h"
#include "functions/reconstruct/refine/modes.h"
#include "functions/reconstruct/refine/positions.h"
#include "functions/reconstruct/refine/scales.h"
#include "functions/reconstruct/refine/search.h"
#include "functions/reconstruct/spacing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BALANCE_EVERY = 10 }; /* epochs */

struct ff_refiner {
    const struct ff_problem *problem;
    struct ff_refine_settings settings;
    uint64_t seed;
    double *terms;   /* room for those of any kind */
    double *strains; /* FF_TERMS_STRAINS; only for the deformation */
    struct ff_deformation deformation;
    struct ff_search *search; /* NULL: none */
    ff_complex *room;         /* of the object's shape; only for smoothing and deformation */
    ff_complex *kept;         /* of the probe's shape; only with eigenprobes */
    /* by pixel of the object: whether enough patches have it in their middle; only for the balance of power */
    uint8_t *seen;
};

/* --- life --- */

static size_t most_terms(const struct ff_problem *problem,
                         const struct ff_refine_settings *settings)
{
    size_t most = 0;
    static const enum ff_terms kinds[] = {FF_TERMS_POSITIONS, FF_TERMS_SCALES, FF_TERMS_WEIGHTS};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        size_t width = ff_terms_width(kinds[i], problem->fly, settings->opr_modes);
        most = width > most ? width : most;
    }
    return most * problem->patterns;
}

/* Counts how many patches have each pixel in their middle; beyond what the type holds it does not matter. */
static void cover(uint16_t *coverage, const struct ff_problem *problem)
{
    size_t rows = problem->probe_rows;
    size_t columns = problem->probe_columns;
    for (size_t n = 0; n < problem->patterns * problem->fly; n++) {
        size_t top = (size_t)problem->positions[2 * n] + rows / 4;
        size_t left = (size_t)problem->positions[2 * n + 1] + columns / 4;
        for (size_t r = top; r < top + (rows + 1) / 2; r++)
            for (size_t c = left; c < left + (columns + 1) / 2; c++)
                if (coverage[r * problem->object_columns + c] < UINT16_MAX)
                    coverage[r * problem->object_columns + c]++;
    }
}

/* Where the object is seen by more than a tenth of the patches that its most seen pixel is. */
static uint8_t *seen_of(const struct ff_problem *problem, struct ff_error *error)
{
    const char what[] = "the coverage of the object";
    size_t pixels = ff_state_object_elements(problem);
    uint16_t *coverage = ff_array_create(pixels, sizeof *coverage, what, error);
    uint8_t *seen = coverage != NULL ? ff_array_create(pixels, 1, what, error) : NULL;
    uint16_t most = 0;
    if (seen != NULL)
        cover(coverage, problem);
    for (size_t i = 0; seen != NULL && i < pixels; i++)
        most = coverage[i] > most ? coverage[i] : most;
    for (size_t i = 0; seen != NULL && i < pixels; i++)
        seen[i] = 10 * (uint32_t)coverage[i] > most;
    free(coverage);
    return seen;
}

static void begin_eigenprobes(const struct ff_refiner *refiner, struct ff_state *state)
{
    const struct ff_problem *problem = refiner->problem;
    size_t pixels = problem->probe_rows * problem->probe_columns;
    ff_eigenprobes_begin(state->probe + state->modes * pixels, state->eigenprobes, state->probe,
                         problem->probe_rows, problem->probe_columns, refiner->seed);
}

struct ff_refiner *ff_refiner_create(const struct ff_problem *problem,
                                     const struct ff_refine_settings *settings, size_t batch_limit,
                                     size_t epochs, uint64_t seed, struct ff_state *state,
                                     struct ff_error *error)
{
    struct ff_refiner *refiner = calloc(1, sizeof *refiner);
    if (refiner == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory for the refinements");
        return NULL;
    }
    refiner->problem = problem;
    refiner->seed = seed;
    refiner->settings = *settings;
    refiner->terms = ff_array_create(most_terms(problem, settings), sizeof *refiner->terms,
                                     "the terms of patterns", error);
    if (settings->power_balance)
        refiner->seen = seen_of(problem, error);
    refiner->strains =
        ff_array_create(settings->affine ? problem->patterns : 0,
                        ff_terms_width(FF_TERMS_STRAINS, problem->fly, 0) * sizeof(double),
                        "the terms of the deformation", error);
    bool needs_room = settings->affine || settings->object_constraint == FF_OBJECT_SMOOTH;
    refiner->room = ff_array_create(needs_room ? ff_state_object_elements(problem) : 0,
                                    sizeof *refiner->room, "the changed object", error);
    refiner->kept =
        ff_array_create(settings->opr_modes > 0 ? ff_state_probe_elements(problem, state) : 0,
                        sizeof *refiner->kept, "what is kept of the probe", error);
    double width;
    bool searches = settings->positions && settings->search_px > 0;
    if (searches)
        refiner->search =
            ff_search_create(problem, settings->search_px, batch_limit, epochs, seed, error);
    if (refiner->terms == NULL || (settings->power_balance && refiner->seen == NULL) ||
        refiner->strains == NULL || refiner->room == NULL || refiner->kept == NULL ||
        (searches && refiner->search == NULL) || ff_probe_width(problem, &width, error) < 0) {
        ff_refiner_destroy(refiner);
        return NULL;
    }
    ff_deformation_begin(&refiner->deformation, problem->positions,
                         problem->patterns * problem->fly, width);
    begin_eigenprobes(refiner, state);
    return refiner;
}

void ff_refiner_destroy(struct ff_refiner *refiner)
{
    if (refiner == NULL)
        return;
    free(refiner->terms);
    free(refiner->seen);
    free(refiner->strains);
    ff_search_destroy(refiner->search);
    free(refiner->room);
    free(refiner->kept);
    free(refiner);
}

/* --- what an epoch asks for --- */

size_t ff_refiner_since(const struct ff_refiner *refiner, size_t epoch)
{
    return refiner->search != NULL ? ff_search_since(refiner->search, epoch) : epoch;
}

bool ff_refiner_is_settled(const struct ff_refiner *refiner, size_t epoch)
{
    return refiner->search == NULL || ff_search_is_in_last_stage(refiner->search, epoch);
}

void ff_refiner_begin_anew(struct ff_refiner *refiner, struct ff_devices *devices,
                           struct ff_state *state)
{
    const struct ff_problem *problem = refiner->problem;
    ff_state_begin_anew(state, problem);
    begin_eigenprobes(refiner, state);
    memset(state->weights, 0, problem->patterns * state->eigenprobes * sizeof *state->weights);
    memset(state->velocities, 0, 2 * problem->patterns * problem->fly * sizeof *state->velocities);
    memset(state->drift, 0, FF_DEFORMATION_VALUES * sizeof *state->drift);
    ff_state_put(state, devices);
}

static bool moves_positions(const struct ff_refiner *refiner, size_t epoch)
{
    return refiner->settings.positions &&
           ff_refiner_since(refiner, epoch) >= refiner->settings.positions_start;
}

unsigned ff_refiner_want(const struct ff_refiner *refiner, size_t epoch)
{
    const struct ff_refine_settings *settings = &refiner->settings;
    bool moves = moves_positions(refiner, epoch);
    return (moves ? FF_WANT_POSITIONS : 0u) | (moves && settings->affine ? FF_WANT_STRAINS : 0u) |
           (settings->intensities ? FF_WANT_SCALES : 0u) |
           (settings->opr_modes > 0 ? FF_WANT_WEIGHTS : 0u);
}

/* --- what moves --- */

/* The part of the last deformation that goes on: the probe bends with a wrong scale and hides most of it, so that a
 * single fit finds a twentieth. */
static const double drift_momentum = 0.9;
/* What moves no position further costs the object more of its sharpness than it is worth. */
static const double least_drift_px = 0.002;

static void deform(struct ff_refiner *refiner, struct ff_devices *devices, struct ff_state *state)
{
    const struct ff_problem *problem = refiner->problem;
    struct ff_deformation *deformation = &refiner->deformation;
    size_t count = problem->patterns * problem->fly;
    ff_devices_get_terms(devices, FF_TERMS_STRAINS, refiner->strains);
    if (!ff_deformation_find(deformation, state->positions, refiner->terms, refiner->strains,
                             count))
        return;
    double *found = deformation->coefficients[0];
    for (size_t i = 0; i < FF_DEFORMATION_VALUES; i++) {
        state->drift[i] = drift_momentum * state->drift[i] + found[i];
        found[i] = state->drift[i];
    }
    if (ff_deformation_move(deformation, state->positions, count) < least_drift_px)
        return;
    const double corner[2] = {(double)(problem->probe_rows - 1) / 2,
                              (double)(problem->probe_columns - 1) / 2};
    ff_devices_get(devices, FF_OBJECT, state->object);
    ff_deformation_apply(deformation, corner, state->object, problem->object_rows,
                         problem->object_columns, refiner->room);
    memcpy(state->object, refiner->room, ff_state_object_elements(problem) * sizeof *state->object);
    ff_devices_put(devices, FF_OBJECT, state->object);
}

static void move_positions(struct ff_refiner *refiner, struct ff_devices *devices,
                           struct ff_state *state)
{
    const struct ff_problem *problem = refiner->problem;
    const struct ff_positions_step step = {
        .step = refiner->settings.step_positions,
        .travel_px = problem->travel_px,
        .velocities = state->velocities,
    };
    ff_devices_get_terms(devices, FF_TERMS_POSITIONS, refiner->terms);
    ff_positions_move(state->positions, problem->positions, refiner->terms,
                      problem->patterns * problem->fly, &step);
    if (refiner->settings.affine) {
        deform(refiner, devices, state);
        ff_positions_hold(state->positions, problem->positions, problem->patterns * problem->fly,
                          problem->travel_px);
    }
    ff_devices_put(devices, FF_POSITIONS, state->positions);
}

static void move_scales(struct ff_refiner *refiner, struct ff_devices *devices,
                        struct ff_state *state)
{
    ff_devices_get_terms(devices, FF_TERMS_SCALES, refiner->terms);
    ff_scales_move(state->scales, refiner->terms, refiner->problem->patterns);
    ff_devices_put(devices, FF_SCALES, state->scales);
}

/* The solver's own fields of the probe, after its form has changed. */
static void carry_kept(struct ff_refiner *refiner, struct ff_devices *devices,
                       const struct ff_state *state, const enum ff_field *kept,
                       const struct ff_eigenprobes_change *change)
{
    size_t pixels = refiner->problem->probe_rows * refiner->problem->probe_columns;
    for (; *kept != FF_FIELDS; kept++) {
        if (*kept != FF_PROBE_DIRECTION && *kept != FF_PROBE_GRADIENT && *kept != FF_PROBE_VELOCITY)
            continue;
        ff_devices_get(devices, *kept, refiner->kept);
        ff_eigenprobes_carry(change, refiner->kept, refiner->kept + state->modes * pixels,
                             state->eigenprobes, pixels, *kept == FF_PROBE_GRADIENT);
        ff_devices_put(devices, *kept, refiner->kept);
    }
}

static void move_eigenprobes(struct ff_refiner *refiner, size_t epoch, struct ff_devices *devices,
                             struct ff_state *state, const struct ff_refined *solver)
{
    struct ff_eigenprobes_change change;
    const struct ff_problem *problem = refiner->problem;
    size_t pixels = problem->probe_rows * problem->probe_columns;
    ff_devices_get_terms(devices, FF_TERMS_WEIGHTS, refiner->terms);
    size_t active = 1 + (ff_refiner_since(refiner, epoch) - 1) / solver->eigenprobe_every;
    ff_eigenprobes_weigh(state->weights, refiner->terms, problem->patterns, state->eigenprobes,
                         active < state->eigenprobes ? active : state->eigenprobes);
    ff_devices_get(devices, FF_PROBE, state->probe);
    ff_eigenprobes_normalise(state->probe, state->probe + state->modes * pixels, state->weights,
                             problem->patterns, state->eigenprobes, pixels, &change);
    carry_kept(refiner, devices, state, solver->kept, &change);
    ff_devices_put(devices, FF_PROBE, state->probe);
    ff_devices_put(devices, FF_WEIGHTS, state->weights);
}

/* --- what they are held to --- */

/* One factor between them is free: a mean |O| of one keeps steps and bounds meaning what they say. */
static void balance(const struct ff_refiner *refiner, struct ff_state *state)
{
    const struct ff_problem *problem = refiner->problem;
    size_t object = ff_state_object_elements(problem);
    size_t probe = ff_state_probe_elements(problem, state);
    float factor = (float)sqrt(ff_object_power(state->object, refiner->seen, object));
    for (size_t i = 0; i < object; i++)
        state->object[i] /= factor;
    for (size_t i = 0; i < probe; i++)
        state->probe[i] *= factor;
}

static void centre(const struct ff_refiner *refiner, struct ff_state *state)
{
    const struct ff_problem *problem = refiner->problem;
    int offset[2];
    ff_probe_offset(state->probe, state->modes, problem->probe_rows, problem->probe_columns,
                    offset);
    if (offset[0] == 0 && offset[1] == 0)
        return;
    const int back[2] = {-offset[0], -offset[1]};
    ff_planes_shift(state->probe, state->modes + state->eigenprobes, problem->probe_rows,
                    problem->probe_columns, back);
    ff_planes_shift(state->object, 1, problem->object_rows, problem->object_columns, back);
}

static bool constrain(struct ff_refiner *refiner, size_t epoch, struct ff_devices *devices,
                      struct ff_state *state)
{
    const struct ff_refine_settings *settings = &refiner->settings;
    const struct ff_problem *problem = refiner->problem;
    bool balances = settings->power_balance && epoch % BALANCE_EVERY == 0;
    if (!balances && settings->object_constraint == FF_OBJECT_FREE &&
        settings->probe_constraint == FF_PROBE_FREE)
        return false;
    ff_state_fetch(state, devices);
    if (settings->probe_constraint == FF_PROBE_CENTRED)
        centre(refiner, state);
    if (settings->probe_constraint == FF_PROBE_SUPPORT)
        ff_probe_bound(state->probe, state->modes + state->eigenprobes, problem->probe_rows,
                       problem->probe_columns);
    if (balances)
        balance(refiner, state);
    ff_object_constrain(state->object, problem->object_rows, problem->object_columns,
                        settings->object_constraint, refiner->room);
    ff_devices_put(devices, FF_OBJECT, state->object);
    ff_devices_put(devices, FF_PROBE, state->probe);
    return true;
}

int ff_refiner_apply(struct ff_refiner *refiner, size_t epoch, struct ff_devices *devices,
                     struct ff_state *state, const struct ff_refined *solver,
                     struct ff_error *error)
{
    unsigned want = ff_refiner_want(refiner, epoch);
    if (want & FF_WANT_POSITIONS)
        move_positions(refiner, devices, state);
    if ((want & FF_WANT_POSITIONS) && refiner->search != NULL &&
        ff_search_move(refiner->search, epoch, devices, state, error) < 0)
        return -1;
    if (want & FF_WANT_SCALES)
        move_scales(refiner, devices, state);
    if (want & FF_WANT_WEIGHTS)
        move_eigenprobes(refiner, epoch, devices, state, solver);
    bool constrained = constrain(refiner, epoch, devices, state);
    return want != 0 || constrained;
}

/* --- the end --- */

void ff_refiner_report(const struct ff_refiner *refiner, const struct ff_state *state,
                       size_t epochs, struct ff_buffer *notes)
{
    const struct ff_problem *problem = refiner->problem;
    struct ff_affine map;
    if (refiner->settings.positions && epochs < refiner->settings.positions_start) {
        ff_buffer_printf(notes,
                         "positions: none was corrected, because the run ended after epoch %zu and "
                         "positions_start is %zu\n",
                         epochs, refiner->settings.positions_start);
        return;
    }
    if (!refiner->settings.positions || !ff_affine_fit(problem->positions, state->positions,
                                                       problem->patterns * problem->fly, &map))
        return;
    struct ff_affine_parts parts = ff_affine_parts_of(&map);
    ff_buffer_printf(notes,
                     "positions: scale %.4f, stretch %.4f, rotation %.3f°, shear %.3f° against the "
                     "first ones\n",
                     parts.scale, parts.stretch, parts.rotation_deg, parts.shear_deg);
    if (fabs(parts.scale - 1) > 0.002)
        ff_buffer_printf(notes,
                         "positions: the scan is %.2f %% %s than it says: energy, distance or "
                         "detector pixel may be wrong by as much\n",
                         100 * fabs(parts.scale - 1), parts.scale > 1 ? "larger" : "smaller");
}

#include "functions/reconstruct/state.h"

#include "functions/reconstruct/refine/modes.h"

#include <stdlib.h>
#include <string.h>

size_t ff_state_object_elements(const struct ff_problem *problem)
{
    return problem->object_rows * problem->object_columns;
}

size_t ff_state_probe_elements(const struct ff_problem *problem, const struct ff_state *state)
{
    return (state->modes + state->eigenprobes) * problem->probe_rows * problem->probe_columns;
}

static int allocate(struct ff_state *state, const struct ff_problem *problem,
                    struct ff_error *error)
{
    size_t patterns = problem->patterns;
    state->object = ff_array_create(ff_state_object_elements(problem), sizeof *state->object,
                                    "the object", error);
    state->probe = ff_array_create(ff_state_probe_elements(problem, state), sizeof *state->probe,
                                   "the probe", error);
    state->positions = ff_array_create(ff_array_elements(patterns, problem->fly, 2),
                                       sizeof *state->positions, "the positions", error);
    state->velocities =
        ff_array_create(ff_array_elements(patterns, problem->fly, 2), sizeof *state->velocities,
                        "the positions' velocities", error);
    state->drift =
        ff_array_create(FF_DEFORMATION_VALUES, sizeof *state->drift, "the deformation", error);
    state->scales = ff_array_create(patterns, sizeof *state->scales, "the intensities", error);
    state->weights = ff_array_create(ff_array_elements(patterns, state->eigenprobes, 1),
                                     sizeof *state->weights, "the eigenprobes' weights", error);
    return state->object != NULL && state->probe != NULL && state->positions != NULL &&
                   state->velocities != NULL && state->drift != NULL && state->scales != NULL &&
                   state->weights != NULL
               ? 0
               : -1;
}

void ff_state_begin_anew(struct ff_state *state, const struct ff_problem *problem)
{
    size_t pixels = problem->probe_rows * problem->probe_columns;
    size_t object = ff_state_object_elements(problem);
    if (problem->object != NULL)
        memcpy(state->object, problem->object, object * sizeof *state->object);
    for (size_t i = 0; problem->object == NULL && i < object; i++)
        state->object[i] = 1;
    memcpy(state->probe, problem->probe, problem->modes * pixels * sizeof(ff_complex));
    ff_modes_rescale(state->probe, problem->modes, pixels,
                     problem->total_counts / (double)problem->patterns);
}

static void begin(struct ff_state *state, const struct ff_problem *problem)
{
    ff_state_begin_anew(state, problem);
    memcpy(state->positions, problem->positions,
           problem->patterns * problem->fly * 2 * sizeof(double));
    for (size_t n = 0; n < problem->patterns; n++)
        state->scales[n] = 1;
}

struct ff_state *ff_state_create(const struct ff_problem *problem, size_t eigenprobes,
                                 struct ff_error *error)
{
    struct ff_state *state = calloc(1, sizeof *state);
    if (state == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory for the state of the reconstruction");
        return NULL;
    }
    state->modes = problem->modes;
    state->eigenprobes = eigenprobes;
    if (allocate(state, problem, error) < 0) {
        ff_state_destroy(state);
        return NULL;
    }
    begin(state, problem);
    return state;
}

void ff_state_destroy(struct ff_state *state)
{
    if (state == NULL)
        return;
    free(state->object);
    free(state->probe);
    free(state->positions);
    free(state->velocities);
    free(state->drift);
    free(state->scales);
    free(state->weights);
    free(state);
}

void ff_state_put(const struct ff_state *state, struct ff_devices *devices)
{
    ff_devices_put(devices, FF_OBJECT, state->object);
    ff_devices_put(devices, FF_PROBE, state->probe);
    ff_devices_put(devices, FF_POSITIONS, state->positions);
    ff_devices_put(devices, FF_SCALES, state->scales);
    if (state->eigenprobes > 0)
        ff_devices_put(devices, FF_WEIGHTS, state->weights);
}

void ff_state_fetch(struct ff_state *state, struct ff_devices *devices)
{
    ff_devices_get(devices, FF_OBJECT, state->object);
    ff_devices_get(devices, FF_PROBE, state->probe);
}

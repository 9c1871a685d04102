/*
 * functions/reconstruct/state.h: what a reconstruction has found so far, on the host: everything that
 * a result holds and a checkpoint keeps, whatever the algorithm.
 */
#ifndef FF_RECONSTRUCT_STATE_H
#define FF_RECONSTRUCT_STATE_H

#include "functions/reconstruct/devices/devices.h"
#include "functions/reconstruct/refine/deformation.h"

/* Shapes as in problem.h; all owned. */
struct ff_state {
    size_t modes, eigenprobes;
    ff_complex *object; /* (object_rows, object_columns) */
    ff_complex
        *probe; /* (modes + eigenprobes, probe rows, probe columns): the modes, strongest first,
                           then the eigenprobes that vary the first of them */
    double *positions;  /* (patterns, fly, 2), pixels of the object */
    double *velocities; /* (patterns, fly, 2): of the positions, pixels an epoch */
    double *drift;  /* (FF_DEFORMATION_VALUES): of the deformation that positions share, likewise */
    double *scales; /* (patterns): amplitude of each exposure against the mean, 1 unless fitted */
    double *weights; /* (patterns, eigenprobes) */
};

/* The problem's object, probe and positions, the modes together as bright as the mean pattern; no
 * eigenprobes' weight yet: refine/ gives them their first shape. */
struct ff_state *ff_state_create(const struct ff_problem *problem, size_t eigenprobes,
                                 struct ff_error *error) FF_MUST_USE;
/* Object and modes of the probe as they began; all else stays. */
void ff_state_begin_anew(struct ff_state *state, const struct ff_problem *problem);
void ff_state_destroy(struct ff_state *state);

/* Everything to the devices. */
void ff_state_put(const struct ff_state *state, struct ff_devices *devices);

/* Object and probe from the devices: the rest moves on the host alone. */
void ff_state_fetch(struct ff_state *state, struct ff_devices *devices);

/* Values in object and probe. */
size_t ff_state_object_elements(const struct ff_problem *problem);
size_t ff_state_probe_elements(const struct ff_problem *problem, const struct ff_state *state);

#endif

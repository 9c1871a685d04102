/*
 * functions/reconstruct/spacing.h: how the positions of a scan lie against the probe and against each
 * other. What cannot be is refused by scan_check.h; here is what may be, and is seldom meant.
 */
#ifndef FF_RECONSTRUCT_SPACING_H
#define FF_RECONSTRUCT_SPACING_H

#include "functions/reconstruct/problem.h"

struct ff_spacing {
    double step_px;        /* median distance to the nearest other position */
    double probe_width_px; /* diameter of the circle that half of the probe's light falls in */
    double overlap;        /* 1 - step / width of the probe, at least 0 */
    double window_px;      /* the shorter side of the probe's window */
    bool
        probe_was_given; /* else its width is that of an estimate in focus, the least there can be */
    double extent_px;    /* the longer side of what the positions span */
    double lit_px;       /* pixels of the object in the squares of that width about the positions */
    bool
        is_raster; /* nine tenths of the positions are one of two steps from the next: a grid, whose
                       periodic errors the patterns do not tell from the object (Thibault et al.,
                       Ultramicroscopy 109, 338) */
};

/* Diameter of the circle about its centre of mass that holds half of the light of the first mode, in pixels. */
int ff_probe_width(const struct ff_problem *problem, double *width,
                   struct ff_error *error) FF_MUST_USE;

/* Of a problem that is placed and has a probe. */
int ff_spacing_of(const struct ff_problem *problem, struct ff_spacing *spacing,
                  struct ff_error *error) FF_MUST_USE;

/* A line for each thing that looks wrong. */
void ff_spacing_doubts(const struct ff_spacing *spacing, struct ff_buffer *lines);

#endif

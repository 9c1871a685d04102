#include "functions/reconstruct/optics.h"

#include "functions/reconstruct/transform.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>

/* In spatial frequencies. */
struct pupil {
    double inner, outer; /* 1/m */
    double curvature;    /* phase by the square of a frequency, m² */
    double step[2];      /* of the frequency, rows and columns */
};

static int describe(const struct ff_settings *settings, const struct ff_problem *problem,
                    struct pupil *pupil, struct ff_error *error)
{
    const struct ff_geometry *geometry = &problem->geometry;
    double wavelength = geometry->wavelength_m;
    double zone_m = settings->outer_zone_nm * 1e-9;
    const size_t extent[2] = {problem->rows, problem->columns};
    if (isnan(wavelength)) {
        ff_fail(error, FF_INVALID_SETTING,
                "a first probe from the optics needs the photon energy, and the input has none");
        return ff_hint(error, "give it with energy_eV=…");
    }
    /* λ f = D Δr, so the rim has q = D / (2 λ f) = 1 / (2 Δr). */
    pupil->outer = 1 / (2 * zone_m);
    pupil->inner = pupil->outer * settings->central_stop_um / settings->zone_plate_um;
    pupil->curvature = M_PI * wavelength * settings->defocus_um * 1e-6;
    for (size_t axis = 0; axis < 2; axis++) {
        double finest = 1 / (2 * geometry->object_pixel_m[axis]);
        pupil->step[axis] = 1 / ((double)extent[axis] * geometry->object_pixel_m[axis]);
        if (pupil->outer <= finest && pupil->outer >= 2 * pupil->step[axis])
            continue;
        ff_fail(error, FF_INVALID_SETTING,
                "a zone plate with outermost zones of %g nm lights %.3g of the width of a frame",
                settings->outer_zone_nm, pupil->outer / finest);
        return ff_hint(error, "check outer_zone_nm, and energy, distance and detector pixel");
    }
    if (settings->central_stop_um >= settings->zone_plate_um)
        return ff_fail(error, FF_INVALID_SETTING,
                       "the setting 'central_stop_um' is %g, which covers a zone plate of %g um",
                       settings->central_stop_um, settings->zone_plate_um);
    return 0;
}

/* How far inside an edge a frequency lies, from 0 to 1 over one step: a sharp edge would ring. */
static double inside(double distance, double step)
{
    return fmin(1, fmax(0, 0.5 + distance / step));
}

/* DC at the corner. */
static void fill_pupil(const struct pupil *pupil, const struct ff_problem *problem,
                       ff_complex *spectrum)
{
    const size_t extent[2] = {problem->rows, problem->columns};
    double step = fmax(pupil->step[0], pupil->step[1]);
    for (size_t i = 0; i < extent[0] * extent[1]; i++) {
        const size_t at[2] = {i / extent[1], i % extent[1]};
        double q[2];
        for (size_t axis = 0; axis < 2; axis++)
            q[axis] =
                pupil->step[axis] *
                ((double)at[axis] - (2 * at[axis] >= extent[axis] ? (double)extent[axis] : 0));
        double radius = hypot(q[0], q[1]);
        double open = inside(pupil->outer - radius, step);
        if (pupil->inner > 0)
            open *= inside(radius - pupil->inner, step);
        spectrum[i] = (ff_complex)(open * cexp(-I * pupil->curvature * radius * radius));
    }
}

int ff_optics_probe(const struct ff_settings *settings, const struct ff_problem *problem,
                    ff_complex *probe, struct ff_error *error)
{
    struct pupil pupil = {0};
    size_t rows = problem->rows;
    size_t columns = problem->columns;
    if (describe(settings, problem, &pupil, error) < 0)
        return -1;
    ff_complex *work = ff_array_create(rows * columns, sizeof *work, "the first probe", error);
    struct ff_transform *transform =
        work != NULL ? ff_transform_create(rows, columns, error) : NULL;
    if (transform != NULL) {
        fill_pupil(&pupil, problem, work);
        ff_transform_run(transform, FF_TRANSFORM_INVERSE, work);
        ff_shift_to_middle(work, rows, columns, probe);
    }
    int result = transform != NULL ? 0 : -1;
    ff_transform_destroy(transform);
    free(work);
    return result;
}

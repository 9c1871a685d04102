#include "functions/reconstruct/backends/fresnel.h"

#include <math.h>

double ff_frequency(size_t i, size_t n)
{
    return i < (n + 1) / 2 ? (double)i : (double)i - (double)n;
}

int ff_fresnel_of(const struct ff_problem *problem, struct ff_fresnel *fresnel,
                  struct ff_error *error)
{
    const struct ff_geometry *geometry = &problem->geometry;
    const double *pixel = geometry->object_pixel_m;
    *fresnel = (struct ff_fresnel){
        .bend = M_PI * geometry->wavelength_m * geometry->distance_m,
        .extent_m = {(double)problem->rows * pixel[0], (double)problem->columns * pixel[1]},
        .size = {problem->rows, problem->columns},
    };
    if (!isfinite(fresnel->bend) || !(pixel[0] > 0) || !(pixel[1] > 0))
        return ff_fail(error, FF_INPUT_INVALID,
                       "a near field needs wavelength, distance and pixel size");
    return 0;
}

void ff_fresnel_at(const struct ff_fresnel *fresnel, size_t row, size_t column, double h[2])
{
    double y = ff_frequency(row, fresnel->size[0]) / fresnel->extent_m[0];
    double x = ff_frequency(column, fresnel->size[1]) / fresnel->extent_m[1];
    double angle = -fresnel->bend * (y * y + x * x);
    double pixels = (double)(fresnel->size[0] * fresnel->size[1]);
    h[0] = cos(angle) / pixels;
    h[1] = sin(angle) / pixels;
}

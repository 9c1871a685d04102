#include "functions/reconstruct/compare/report.h"

#include "protocol/core/json_text.h"
#include "protocol/core/text.h"

#include <complex.h>
#include <math.h>
#include <stdio.h>

enum { SHARES_SHOWN = 8 };

/* --- for a person --- */

static double coarse_pixel_m(const struct ff_comparison *comparison)
{
    return fmax(comparison->pixel_m[0], comparison->pixel_m[1]);
}

static void print_resolution(const struct ff_comparison *comparison)
{
    const struct ff_frc *frc = &comparison->frc;
    double pixel_m = coarse_pixel_m(comparison);
    if (isnan(frc->resolution_px)) {
        printf("%-14s below the half-bit threshold at every frequency\n", "FRC");
        return;
    }
    printf("%-14s %s %.3g pixels", "FRC",
           frc->reaches_nyquist ? "never below half a bit: better than"
                                : "half-bit cut-off, half a period of",
           frc->resolution_px);
    if (isfinite(pixel_m))
        printf(" = %.4g nm", 1e9 * pixel_m * frc->resolution_px);
    putchar('\n');
}

static void print_shares(const double *shares, size_t modes)
{
    for (size_t m = 0; m < modes && m < SHARES_SHOWN; m++)
        printf("%s%.3g", m > 0 ? " " : "", 100 * shares[m]);
    printf("%s %%", modes > SHARES_SHOWN ? " …" : "");
}

static void print_probe(const struct ff_comparison *comparison)
{
    const struct ff_probe_error *probe = &comparison->probe;
    if (!comparison->has_probe)
        return;
    printf("%-14s %.4g, power %.4g of the reference's\n", "probe error", probe->relative,
           probe->power_ratio);
    printf("%-14s ", "modes");
    print_shares(probe->shares[0], probe->modes[0]);
    printf(" against ");
    print_shares(probe->shares[1], probe->modes[1]);
    printf("; the first agree to %.4g\n", probe->first_overlap);
}

static void print_removed(const struct ff_comparison *comparison)
{
    const struct ff_registration *removed = &comparison->removed;
    printf("%-14s a shift of %.3f, %.3f pixels", "removed", removed->shift_px[0],
           removed->shift_px[1]);
    if (isfinite(comparison->apart_px[0]))
        printf(" (%.3f, %.3f beside the positions)", comparison->apart_px[0],
               comparison->apart_px[1]);
    printf("\n%-14s a ramp of %.4g, %.4g radians a pixel\n", "", removed->ramp[0],
           removed->ramp[1]);
    printf("%-14s a factor of %.5g\n", "", cabs(removed->factor));
    if (fabs(comparison->scale[0] - 1) > 0 || fabs(comparison->scale[1] - 1) > 0)
        printf("%-14s pixels %.5g, %.5g times as large\n", "", comparison->scale[0],
               comparison->scale[1]);
    if (comparison->twin)
        printf("%-14s the twin: conjugate and rotated by 180° it fits %.3g times as well\n", "",
               comparison->twin_ratio);
}

void ff_report_print(const struct ff_report *report)
{
    const struct ff_comparison *comparison = report->comparison;
    const struct ff_box *box = &comparison->box;
    ff_text_printf(stdout, "%-14s %s\n", "compared", report->estimate);
    ff_text_printf(stdout, "%-14s %s\n", "with", report->reference);
    printf("%-14s %zu pixels in rows %zu:%zu, columns %zu:%zu\n", "region", comparison->pixels,
           box->from[0], box->to[0], box->from[1], box->to[1]);
    printf("%-14s %.4g\n", "object error", comparison->object.relative);
    printf("%-14s %.4g (rms of the amplitude, by the reference's)\n", "amplitude",
           comparison->object.amplitude);
    printf("%-14s %.4g rad (rms)\n", "phase", comparison->object.phase);
    if (isfinite(comparison->ssim))
        printf("%-14s %.4f (phase)\n", "SSIM", comparison->ssim);
    print_resolution(comparison);
    print_probe(comparison);
    print_removed(comparison);
    if (report->picture != NULL)
        ff_text_printf(stdout, "%-14s %s\n", "picture", report->picture);
}

/* --- as JSON --- */

static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *numbers(const double *values, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, number(values[i]));
    return list;
}

static json_t *probe_json(const struct ff_comparison *comparison)
{
    const struct ff_probe_error *probe = &comparison->probe;
    if (!comparison->has_probe)
        return json_null();
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "error", number(probe->relative), "power_ratio",
                     number(probe->power_ratio), "first_overlap", number(probe->first_overlap),
                     "mode_shares", numbers(probe->shares[0], probe->modes[0]),
                     "reference_mode_shares", numbers(probe->shares[1], probe->modes[1]));
}

static json_t *frc_json(const struct ff_comparison *comparison)
{
    const struct ff_frc *frc = &comparison->frc;
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:b}", "frequency", numbers(frc->frequency, frc->rings),
        "correlation", numbers(frc->correlation, frc->rings), "threshold",
        numbers(frc->threshold, frc->rings), "resolution_px", number(frc->resolution_px),
        "resolution_m", number(frc->resolution_px * coarse_pixel_m(comparison)), "reaches_nyquist",
        frc->reaches_nyquist);
}

static json_t *removed_json(const struct ff_comparison *comparison)
{
    const struct ff_registration *removed = &comparison->removed;
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o}", "shift_px",
                     numbers(removed->shift_px, 2), "shift_beside_positions_px",
                     numbers(comparison->apart_px, 2), "ramp_rad_px", numbers(removed->ramp, 2),
                     "factor", number(cabs(removed->factor)), "factor_phase",
                     number(carg(removed->factor)), "pixel_scale", numbers(comparison->scale, 2),
                     "twin", comparison->twin, "twin_ratio", number(comparison->twin_ratio));
}

json_t *ff_report_json(const struct ff_report *report)
{
    const struct ff_comparison *comparison = report->comparison;
    const struct ff_box *box = &comparison->box;
    return json_pack(
        "{s:o, s:o, s:{s:[I, I], s:[I, I], s:I}, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
        "estimate", ff_json_text(report->estimate), "reference", ff_json_text(report->reference),
        "region", "rows", (json_int_t)box->from[0], (json_int_t)box->to[0], "columns",
        (json_int_t)box->from[1], (json_int_t)box->to[1], "pixels", (json_int_t)comparison->pixels,
        "object_error", number(comparison->object.relative), "amplitude_rms",
        number(comparison->object.amplitude), "phase_rms_rad", number(comparison->object.phase),
        "ssim", number(comparison->ssim), "frc", frc_json(comparison), "probe",
        probe_json(comparison), "removed", removed_json(comparison), "picture",
        ff_json_text(report->picture));
}

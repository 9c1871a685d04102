/*
 * functions/reconstruct/metrics/comparison.h: how near an estimate is to a reference once all is
 * taken away that ptychography cannot know: what `farfield compare` prints, and what tests ask of a
 * solver whose truth is known.
 */
#ifndef FF_RECONSTRUCT_METRICS_COMPARISON_H
#define FF_RECONSTRUCT_METRICS_COMPARISON_H

#include "functions/reconstruct/metrics/estimate.h"
#include "functions/reconstruct/metrics/frc.h"
#include "functions/reconstruct/metrics/object_error.h"
#include "functions/reconstruct/metrics/probe_error.h"
#include "functions/reconstruct/metrics/register.h"

enum ff_comparison_region {
    FF_REGION_SCANNED, /* lit in both; where neither tells, the middle */
    FF_REGION_ALL,     /* all that both arrays hold */
    FF_REGION_BOX,     /* that part of it */
};

struct ff_comparison_options {
    enum ff_comparison_region region;
    struct ff_box box; /* of the reference's pixels */
    bool keep_hand;    /* never take the twin for the object */
};

struct ff_comparison {
    /* What was removed from the estimate. The shift is that of the arrays; `apart_px` is what is
     * left of it when the positions have been brought together, NaN where they do not tell. */
    struct ff_registration removed;
    double apart_px[2];
    bool twin;
    double twin_ratio; /* object error as it is over that of the twin; NaN: not tried */
    double scale[2];   /* size of the reference's pixels in the estimate's; 1: not resampled */

    struct ff_box box; /* around the region, in pixels of the reference */
    size_t pixels;     /* of the region */
    struct ff_object_error object;
    double ssim;
    struct ff_frc frc;
    double pixel_m[2]; /* of the reference; NaN: not known */

    bool has_probe;
    struct ff_probe_error probe;
};

/*
 * Compares; `estimate` is changed on the way (resampled, or made its twin). Refused with
 * FF_INPUT_INVALID: pixels that differ by more than 5 %, and objects without a common region of
 * some pixels. The probe is compared where both know positions of one scan. The caller disposes of
 * `comparison` when 0 was returned.
 */
int ff_compare(struct ff_estimate *estimate, const struct ff_estimate *reference,
               const struct ff_comparison_options *options, struct ff_comparison *comparison,
               struct ff_error *error) FF_MUST_USE;
void ff_comparison_dispose(struct ff_comparison *comparison);

#endif

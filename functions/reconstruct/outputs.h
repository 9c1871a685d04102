/*
 * functions/reconstruct/outputs.h: the files that a reconstruction leaves, and its previews.
 */
#ifndef FF_RECONSTRUCT_OUTPUTS_H
#define FF_RECONSTRUCT_OUTPUTS_H

#include "functions/reconstruct/picture/picture.h"
#include "functions/reconstruct/result.h"

#include <jansson.h>

/* Whether a result can go there, asked before hours are spent on it: FF_OUTPUT_FAILED when the
 * folder is absent or cannot be written, the name is a folder's, or it is the input itself. */
int ff_outputs_check(const char *path, const char *input, struct ff_error *error) FF_MUST_USE;

/* Writes the result to `path` (recon.h5), then recon-phase.png, recon-amplitude.png,
 * recon-probe.png and recon-cost.png beside it. The names of the pictures are appended to
 * `pictures`. The result is what counts: a picture that cannot be written costs a line in `notes`,
 * not the call. */
int ff_outputs_write(const char *path, const struct ff_result_content *content, json_t *pictures,
                     struct ff_buffer *notes, struct ff_error *error) FF_MUST_USE;

/* Writes 32-bit float TIFFs beside it, of all of the object's array as it is: recon-phase.tif (radians
 * in -π … π), recon-phase-unwrapped.tif (without the jumps: picture/unwrap.h), recon-amplitude.tif,
 * and recon-probe.tif, the amplitudes of the modes, a page each. Names and failures go where those of
 * the pictures go. */
void ff_outputs_write_tiffs(const char *path, const struct ff_result_content *content,
                            json_t *pictures, struct ff_buffer *notes);

/* Appends the phase as it is now, as PNG. */
int ff_outputs_preview(const struct ff_problem *problem, const ff_complex *object,
                       struct ff_buffer *png, struct ff_error *error) FF_MUST_USE;

#endif

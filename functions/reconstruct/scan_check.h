/*
 * functions/reconstruct/scan_check.h: whether the positions of a scan can be true. The commonest
 * silent failure of ptychography is a wrong unit; overlap tells, because patterns that share no
 * object cannot be solved together.
 */
#ifndef FF_RECONSTRUCT_SCAN_CHECK_H
#define FF_RECONSTRUCT_SCAN_CHECK_H

#include "functions/reconstruct/arrays.h"

/* `positions_m` is (N, 2); `window_m` the extent of a patch, rows and columns; `pixel_m` that of an
 * object pixel. FF_INPUT_INVALID when fewer than two patterns exist, all lie on one spot, or any
 * overlaps no other. `source` names the file in messages. */
int ff_scan_check(const char *source, const double *positions_m, size_t patterns,
                  const double window_m[2], const double pixel_m[2],
                  struct ff_error *error) FF_MUST_USE;

#endif

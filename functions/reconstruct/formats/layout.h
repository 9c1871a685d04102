/*
 * functions/reconstruct/formats/layout.h: one generic reader of HDF5 scans, driven by a description
 * of where a laboratory puts things and what it means by them. A new format is a new struct
 * ff_layout, not a new reader.
 */
#ifndef FF_RECONSTRUCT_FORMATS_LAYOUT_H
#define FF_RECONSTRUCT_FORMATS_LAYOUT_H

#include "functions/reconstruct/formats/counts.h"

/* Candidate paths (ended by NULL), the first that exists counts; `unit` is one unit of it in SI
 * where the dataset does not say so itself. */
struct ff_layout_number {
    const char *const *paths;
    double unit;
};

struct ff_layout {
    const char *const *data; /* (N, H, W) counts, the beam in the middle (n / 2) of the frame */

    /* Energy (J) or wavelength (m): one of the two is enough, and both must agree. */
    struct ff_layout_number energy;
    struct ff_layout_number wavelength;
    struct ff_layout_number distance;
    struct ff_layout_number pixel_rows;
    struct ff_layout_number pixel_columns;

    /* (N, 2 or 3) as (x, y[, z]). `direction` is -1 where the sample moved, which moves the probe
     * the other way. */
    struct ff_layout_number positions;
    double direction;
    /* (2, 3): the steps of one pixel along the slow and the fast axis of a frame, in the axes of
     * the positions; the positions are projected on them. Without it rows grow with +y and columns
     * with +x. NULL: the format has none. */
    const char *const *basis_vectors;

    const char *const *mask; /* (H, W), or NULL */
    ff_mask_rule *may_use;

    const char *const
        *probe; /* (h, w), (M, h, w) or (1, M, h, w) complex, at the sample; optional */
};

/* Fills all of `measurement`; crop 0 keeps whole frames. Half-filled on failure: the caller
 * disposes of it. */
int ff_layout_read(const struct ff_hdf5_file *file, const struct ff_layout *layout, size_t crop,
                   struct ff_measurement *measurement, struct ff_buffer *notes,
                   struct ff_error *error) FF_MUST_USE;

/* A probe alone: fills the probe_ fields from the first of `paths`. */
int ff_layout_read_probe(const struct ff_hdf5_file *file, const char *const *paths,
                         struct ff_measurement *measurement, struct ff_error *error) FF_MUST_USE;

#endif

/*
 * functions/reconstruct/formats/reading.h: one reading of a scan, as the parts of the reader share
 * it. Used inside this folder alone.
 */
#ifndef FF_RECONSTRUCT_FORMATS_READING_H
#define FF_RECONSTRUCT_FORMATS_READING_H

#include "functions/reconstruct/formats/description.h"
#include "functions/reconstruct/formats/input.h"
#include "functions/reconstruct/formats/measurement.h"
#include "functions/reconstruct/formats/quantity.h"
#include "functions/reconstruct/settings.h"

struct ff_reading {
    const struct ff_settings *settings;
    struct ff_input *input;
    const struct ff_hdf5_file *file; /* the first of the input; borrowed */
    struct ff_description description;

    /* What the setting positions_file names, by a description of its own; NULL: none. It also tells
     * what the input does not: geometry and probe. */
    struct ff_hdf5_file *side;
    struct ff_description side_description;

    struct ff_buffer *notes;
};

/* A number by a key of the descriptions (its offset): of the input, else of the side file. *value
 * is NaN and *file NULL where neither has it, else `place` and `file` tell where it was. */
int ff_reading_number(const struct ff_reading *reading, size_t key, double *value,
                      struct ff_quantity *place, const struct ff_hdf5_file **file,
                      struct ff_error *error) FF_MUST_USE;

/* geometry.c: energy, wavelength, distance, detector pixels and *object_pixel_m (NaN where it is
 * not told) from the files and the settings. */
int ff_geometry_read(const struct ff_reading *reading, struct ff_measurement *measurement,
                     double *object_pixel_m, struct ff_error *error) FF_MUST_USE;

/* The size of an object pixel for frames of measurement->rows × columns, cut out of frames of
 * `whole` rows and columns; refuses what cannot be told, with the setting that tells it. */
int ff_geometry_complete(const struct ff_reading *reading, const size_t whole[2],
                         double object_pixel_m, struct ff_measurement *measurement,
                         struct ff_error *error) FF_MUST_USE;

/* points.c: positions as the files give them. */
struct ff_points {
    size_t count;   /* P */
    size_t within;  /* of each exposure that the file tells, 1 but for fly scans */
    double *yx;     /* (P, within, 2): along the rows and the columns, in metres, or in pixels */
    bool in_pixels; /* of the object */
    double *ids;    /* (P), or NULL. All are owned. */
    char name[FF_HDF5_PATH_SIZE]; /* the dataset that they are from, or the first of two */
};

int ff_points_read(const struct ff_reading *reading, struct ff_points *points,
                   struct ff_error *error) FF_MUST_USE;
void ff_points_dispose(struct ff_points *points);

/* pairing.c: which frames have a position. Fills *slots (frames: the pattern that each becomes, or
 * SIZE_MAX), *positions (patterns, fly, 2), and measurement->patterns and fly. */
int ff_points_pair(const struct ff_reading *reading, struct ff_points *points, size_t frames,
                   size_t **slots, double **positions, struct ff_measurement *measurement,
                   struct ff_error *error) FF_MUST_USE;

/* series.c: refuses a further file of the input, with both names, whose geometry or probe is not that
 * of the first. */
int ff_series_check(const struct ff_reading *reading, const struct ff_hdf5_file *file,
                    struct ff_error *error) FF_MUST_USE;

/* probe_read.c */
int ff_reading_probe(const struct ff_hdf5_file *file, const struct ff_description *description,
                     struct ff_measurement *measurement, struct ff_error *error) FF_MUST_USE;

#endif

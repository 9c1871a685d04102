/*
 * functions/reconstruct/formats/description.h: where a laboratory puts what a scan needs, and what
 * it means by it. One reader is driven by such descriptions: the presets (preset.h) are some, and a
 * user writes one more as a YAML file of the same keys. README.md explains every key.
 *
 * A path is that of a dataset, PATH@NAME an attribute; `*` stands for any part of one name. Values
 * with several alternatives have " | " between them, and the first that exists counts. A quantity
 * is such a path or a number, with its unit behind it: "/entry/energy keV | 8.8 keV".
 */
#ifndef FF_RECONSTRUCT_FORMATS_DESCRIPTION_H
#define FF_RECONSTRUCT_FORMATS_DESCRIPTION_H

#include "functions/option_table.h"

/* In the order of the choices in description.c. */
enum ff_flip { FF_FLIP_NONE, FF_FLIP_ROWS, FF_FLIP_COLUMNS, FF_FLIP_BOTH };
enum ff_values { FF_VALUES_INTENSITY, FF_VALUES_AMPLITUDE };
enum ff_beam { FF_BEAM_MIDDLE, FF_BEAM_CORNER };
enum ff_mask_means { FF_MASK_BAD, FF_MASK_GOOD, FF_MASK_CXI };
enum ff_order { FF_ORDER_YX, FF_ORDER_XY };
enum ff_moves { FF_MOVES_PROBE, FF_MOVES_SAMPLE };
enum ff_repeats { FF_REPEATS_REFUSE, FF_REPEATS_MEAN, FF_REPEATS_ENDS };

/* Every text is owned, and "" where the key is not given. */
struct ff_description {
    char *needs; /* blank-separated: the paths by which a file of this kind is known */

    char *frames;
    char *frame_axes; /* "frame row column" in the order of the dataset; "any" */
    int flip_frames;
    int values;
    int beam;
    char *beam_row, *beam_column; /* quantities in pixels, in the frame as it is used */
    int64_t crop;
    char *frame_ids;

    char *mask;
    int mask_means;
    char *bad_pixels;

    char *positions;
    char *position_columns; /* "x y z", "y x", … */
    char *positions_y, *positions_x;
    int flip_positions;
    int moves;
    char *basis_vectors;
    char *stage_angle;
    char *position_ids;
    int repeated_ids;

    char *energy, *wavelength, *distance;
    char *pixel_rows, *pixel_columns;
    char *object_pixel;

    char *probe;
    char *probe_axes;
};

extern const struct ff_option_table ff_description_table;

/* Sets all defaults. Dispose of it also after a failure. */
int ff_description_init(struct ff_description *description, struct ff_error *error) FF_MUST_USE;
void ff_description_dispose(struct ff_description *description);

/* From a user's file; unknown keys are refused with the nearest known one, and so are values that
 * mean nothing, with file and line. A list is a value with alternatives. */
int ff_description_read(const char *path, struct ff_description *description,
                        struct ff_error *error) FF_MUST_USE;

/* The order of the axes that a text of names tells, as the number of the axis that each of `names`
 * is; -1 when it is not made of just these. */
int ff_description_axes(const char *text, const char *const *names, size_t count, size_t *axes);

#endif

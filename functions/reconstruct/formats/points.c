#include "functions/reconstruct/formats/paths.h"
#include "functions/reconstruct/formats/reading.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { POINTS_MAX = 1 << 26, WITHIN_MAX = 1 << 16 };

/* Numbers of one file, or of several datasets one behind the other. */
struct column {
    double *values;
    size_t count;                   /* of all values */
    int rank;                       /* of a dataset, without axes of extent 1 in front */
    size_t shape[FF_HDF5_RANK_MAX]; /* the first extent is that of all datasets together */
    double unit;                    /* by the dataset's own attribute, else NaN */
};

static int refuse_shape(const struct ff_hdf5_dataset *dataset, const char *wanted,
                        struct ff_error *error)
{
    char shape[128];
    ff_hdf5_shape_text(dataset, shape, sizeof shape);
    ff_fail(error, FF_INPUT_INVALID, "%s: %s has the shape %s; wanted is %s",
            ff_hdf5_path(dataset->file), dataset->name, shape, wanted);
    return ff_hint(error, "positions are expected as one (x, y, z) for each frame; a format "
                          "description (format=FILE.yaml) tells what else they are");
}

static int append_dataset(const struct ff_hdf5_dataset *dataset, struct column *column,
                          struct ff_error *error)
{
    int skipped = 0;
    while (dataset->rank - skipped > 2 && dataset->shape[skipped] == 1)
        skipped++;
    int rank = dataset->rank - skipped;
    const size_t *shape = dataset->shape + skipped;
    bool fits = rank >= 1 && (column->values == NULL || rank == column->rank);
    for (int i = 1; fits && column->values != NULL && i < rank; i++)
        fits = shape[i] == column->shape[i];
    if (!fits)
        return refuse_shape(dataset, "that of the ones before", error);
    double *values = NULL;
    if (ff_hdf5_read_doubles(dataset, POINTS_MAX, &values, error) < 0)
        return -1;
    if (column->values == NULL) {
        *column = (struct column){.values = values,
                                  .count = dataset->elements,
                                  .rank = rank,
                                  .unit = ff_hdf5_unit(dataset, (double)NAN)};
        memcpy(column->shape, shape, (size_t)rank * sizeof *shape);
        return 0;
    }
    double *more = realloc(column->values, (column->count + dataset->elements) * sizeof *more);
    if (more != NULL) {
        memcpy(more + column->count, values, dataset->elements * sizeof *more);
        column->values = more;
        column->count += dataset->elements;
        column->shape[0] += shape[0];
    }
    free(values);
    return more != NULL && column->count <= POINTS_MAX
               ? 0
               : ff_fail(error, FF_NO_MEMORY, "no memory for the positions");
}

static int append_file(const struct ff_hdf5_file *file, const char *pattern, struct column *column,
                       struct ff_error *error)
{
    char **paths = NULL;
    size_t count = 0;
    if (ff_paths_expand(file, pattern, &paths, &count, error) < 0)
        return -1;
    int result = 0;
    for (size_t i = 0; result == 0 && i < count; i++) {
        struct ff_hdf5_dataset dataset;
        const char *const path[] = {paths[i], NULL};
        result = ff_hdf5_find(file, path, &dataset, error);
        if (result < 0)
            break;
        result = append_dataset(&dataset, column, error);
        ff_hdf5_dataset_close(&dataset);
    }
    ff_paths_free(paths, count);
    return result;
}

/* Where the positions are: the side file, or the input with all its files. */
struct origin {
    const struct ff_reading *reading;
    const struct ff_hdf5_file *file;
    const struct ff_description *description;
    bool is_input;
};

/* The first alternative of `text` that exists; *found tells whether there is one. */
static int read_column(const struct origin *origin, const char *text, struct column *column,
                       struct ff_quantity *place, bool *found, struct ff_error *error)
{
    char pattern[sizeof place->path];
    *found = false;
    *column = (struct column){0};
    while (*text != '\0') {
        if (ff_quantity_next(&text, place, error) < 0)
            return -1;
        if (place->path[0] == '\0')
            continue;
        memcpy(pattern, place->path, sizeof pattern);
        if (append_file(origin->file, pattern, column, error) < 0)
            return -1;
        if (column->values != NULL)
            break;
    }
    *found = column->values != NULL;
    struct ff_input *input = origin->reading->input;
    for (size_t i = 1; *found && origin->is_input && i < ff_input_count(input); i++) {
        const struct ff_hdf5_file *file = ff_input_file(input, i, error);
        if (file == NULL || append_file(file, pattern, column, error) < 0)
            return -1;
    }
    return 0;
}

/* What one of a column's values is in metres: by the setting, the dataset or the description. */
static double unit_of(const struct origin *origin, const struct column *column,
                      const struct ff_quantity *place, bool *in_pixels)
{
    double unit;
    const char *asked = origin->reading->settings->positions_unit;
    *in_pixels = place->in_pixels;
    if (asked[0] != '\0' && ff_unit_of(asked, &unit, in_pixels))
        return unit;
    if (!isnan(column->unit)) {
        *in_pixels = false;
        return column->unit;
    }
    return place->unit;
}

/* The unit vectors of the rows and the columns of a frame in (x, y, z). */
static int read_axes(const struct origin *origin, double axes[2][3], struct ff_error *error)
{
    const char *text = origin->description->basis_vectors;
    memcpy(axes, (const double[2][3]){{0, 1, 0}, {1, 0, 0}}, sizeof(double[2][3]));
    const char *const paths[] = {text, NULL};
    if (text[0] == '\0' || ff_hdf5_first(origin->file, paths) == NULL)
        return 0;
    struct ff_hdf5_dataset dataset;
    if (ff_hdf5_find(origin->file, paths, &dataset, error) < 0)
        return -1;
    double *values = NULL;
    int result = ff_hdf5_expect(&dataset, 2, (const size_t[]){2, 3}, error);
    if (result == 0)
        result = ff_hdf5_read_doubles(&dataset, 6, &values, error);
    for (int i = 0; result == 0 && i < 2; i++) {
        const double *vector = values + 3 * i;
        double length = sqrt(vector[0] * vector[0] + vector[1] * vector[1] + vector[2] * vector[2]);
        if (!(length > 0) || !isfinite(length))
            result = ff_fail(
                error, FF_INPUT_INVALID, "%s: row %d of %s is (%g, %g, %g), which has no direction",
                ff_hdf5_path(origin->file), i, dataset.name, vector[0], vector[1], vector[2]);
        for (int j = 0; result == 0 && j < 3; j++)
            axes[i][j] = vector[j] / length;
    }
    double along = axes[0][0] * axes[1][0] + axes[0][1] * axes[1][1] + axes[0][2] * axes[1][2];
    if (result == 0 && fabs(along) > 0.99)
        result = ff_fail(error, FF_INPUT_INVALID, "%s: the two rows of %s point the same way",
                         ff_hdf5_path(origin->file), dataset.name);
    free(values);
    ff_hdf5_dataset_close(&dataset);
    return result;
}

static int make_points(struct ff_points *points, size_t count, size_t within,
                       struct ff_error *error)
{
    points->count = count;
    points->within = within;
    points->yx = ff_array_create(ff_array_elements(count, within, 2), sizeof *points->yx,
                                 "the positions", error);
    return points->yx != NULL ? 0 : -1;
}

static int refuse_column(const struct origin *origin, const struct column *column, const char *path,
                         struct ff_error *error)
{
    char shape[128];
    struct ff_hdf5_dataset like = {.rank = column->rank};
    memcpy(like.shape, column->shape, sizeof like.shape);
    ff_hdf5_shape_text(&like, shape, sizeof shape);
    ff_fail(error, FF_INPUT_INVALID,
            "%s: %s has the shape %s; wanted is positions × coordinates (2 or 3), or that turned",
            ff_hdf5_path(origin->file), path, shape);
    return ff_hint(error, "positions are expected as one (x, y, z) for each frame; a format "
                          "description (format=FILE.yaml) tells what else they are");
}

/* All coordinates in one dataset: (P, C), (C, P) or (P, K, C) with C of 2 or 3. */
static int from_together(const struct origin *origin, const struct column *column,
                         const struct ff_quantity *place, struct ff_points *points,
                         struct ff_error *error)
{
    static const char *const names[] = {"x", "y", "z"};
    size_t columns[3];
    double axes[2][3];
    const size_t *shape = column->shape;
    int rank = column->rank;
    bool turned = rank == 2 && shape[1] != 2 && shape[1] != 3 && (shape[0] == 2 || shape[0] == 3);
    size_t width = turned ? shape[0] : shape[rank - 1];
    size_t within = rank == 3 ? shape[1] : 1;
    size_t count = rank < 2 ? 0 : turned ? shape[1] : shape[0];
    if (rank < 2 || rank > 3 || width < 2 || width > 3 || within > WITHIN_MAX)
        return refuse_column(origin, column, place->path, error);
    if (ff_description_axes(origin->description->position_columns, names, 3, columns) < 0 ||
        columns[0] >= width || columns[1] >= width)
        return ff_fail(error, FF_INVALID_SETTING,
                       "%s has %zu coordinates and position_columns "
                       "names '%s'",
                       place->path, width, origin->description->position_columns);
    double unit = unit_of(origin, column, place, &points->in_pixels);
    if (read_axes(origin, axes, error) < 0 || make_points(points, count, within, error) < 0)
        return -1;
    size_t step = turned ? count : 1;
    for (size_t n = 0; n < count * within; n++) {
        const double *at = column->values + (turned ? n : n * width);
        for (size_t axis = 0; axis < 2; axis++) {
            double sum = 0;
            for (size_t k = 0; k < 3; k++)
                if (columns[k] < width)
                    sum += at[columns[k] * step] * axes[axis][k];
            points->yx[2 * n + axis] = unit * sum;
        }
    }
    return 0;
}

/* A dataset for each coordinate: (P) or (P, K). */
static int from_apart(const struct origin *origin, const struct column *y,
                      const struct ff_quantity *y_place, const struct column *x,
                      const struct ff_quantity *x_place, struct ff_points *points,
                      struct ff_error *error)
{
    bool x_in_pixels;
    double y_unit = unit_of(origin, y, y_place, &points->in_pixels);
    double x_unit = unit_of(origin, x, x_place, &x_in_pixels);
    if (y->rank > 2 || x->rank != y->rank || x->count != y->count ||
        (y->rank == 2 && (x->shape[1] != y->shape[1] || y->shape[1] > WITHIN_MAX)))
        return ff_fail(
            error, FF_INPUT_INVALID, "%s: %s has %zu values and %s %zu, or they have other axes",
            ff_hdf5_path(origin->file), y_place->path, y->count, x_place->path, x->count);
    if (x_in_pixels != points->in_pixels)
        return ff_fail(error, FF_INPUT_INVALID, "%s: one of %s and %s is in pixels",
                       ff_hdf5_path(origin->file), y_place->path, x_place->path);
    /* A row or a column of a matrix is a list, too. */
    size_t within = y->rank == 2 && y->shape[0] > 1 ? y->shape[1] : 1;
    if (make_points(points, y->count / within, within, error) < 0)
        return -1;
    for (size_t n = 0; n < y->count; n++) {
        points->yx[2 * n] = y_unit * y->values[n];
        points->yx[2 * n + 1] = x_unit * x->values[n];
    }
    return 0;
}

static int read_apart(const struct origin *origin, struct ff_points *points, bool *found,
                      struct ff_error *error)
{
    struct column y = {0};
    struct column x = {0};
    struct ff_quantity y_place;
    struct ff_quantity x_place;
    bool has_y;
    bool has_x = false;
    int result = read_column(origin, origin->description->positions_y, &y, &y_place, &has_y, error);
    if (result == 0)
        result = read_column(origin, origin->description->positions_x, &x, &x_place, &has_x, error);
    *found = has_y && has_x;
    if (result == 0 && *found)
        result = from_apart(origin, &y, &y_place, &x, &x_place, points, error);
    snprintf(points->name, sizeof points->name, "%s", *found ? y_place.path : "");
    free(y.values);
    free(x.values);
    return result;
}

static int read_together(const struct origin *origin, struct ff_points *points, bool *found,
                         struct ff_error *error)
{
    struct column column;
    struct ff_quantity place;
    int result = read_column(origin, origin->description->positions, &column, &place, found, error);
    if (result == 0 && *found)
        result = from_together(origin, &column, &place, points, error);
    snprintf(points->name, sizeof points->name, "%s", *found ? place.path : "");
    free(column.values);
    return result;
}

static int read_ids(const struct origin *origin, struct ff_points *points, struct ff_error *error)
{
    struct column column;
    struct ff_quantity place;
    bool found;
    int result =
        read_column(origin, origin->description->position_ids, &column, &place, &found, error);
    if (result == 0 && found && column.count != points->count)
        result = ff_fail(error, FF_INPUT_INVALID, "%s: %s has %zu numbers for %zu positions",
                         ff_hdf5_path(origin->file), place.path, column.count, points->count);
    if (result < 0) {
        free(column.values);
        return -1;
    }
    points->ids = column.values;
    return 0;
}

/* Signs, and the angle under which a stage is seen. */
static int turn(const struct ff_reading *reading, const struct origin *origin,
                struct ff_points *points, struct ff_error *error)
{
    const struct ff_description *description = origin->description;
    struct ff_quantity place;
    const struct ff_hdf5_file *file;
    double angle;
    if (ff_reading_number(reading, offsetof(struct ff_description, stage_angle), &angle, &place,
                          &file, error) < 0)
        return -1;
    bool both = description->flip_positions == FF_FLIP_BOTH;
    double y = both || description->flip_positions == FF_FLIP_ROWS ? -1 : 1;
    double x = both || description->flip_positions == FF_FLIP_COLUMNS ? -1 : 1;
    if (description->moves == FF_MOVES_SAMPLE) {
        y = -y;
        x = -x;
    }
    if (file != NULL && isfinite(angle))
        x *= cos(angle);
    for (size_t n = 0; n < points->count * points->within; n++) {
        points->yx[2 * n] *= y;
        points->yx[2 * n + 1] *= x;
        if (isfinite(points->yx[2 * n]) && isfinite(points->yx[2 * n + 1]))
            continue;
        ff_fail(error, FF_INPUT_INVALID, "%s: %s: position %zu is (%g, %g)",
                ff_hdf5_path(origin->file), points->name, n, points->yx[2 * n],
                points->yx[2 * n + 1]);
        return ff_hint(error, "leave out the frames whose position was not recorded");
    }
    return 0;
}

static int refuse_absent(const struct ff_reading *reading, const struct origin *origin,
                         struct ff_error *error)
{
    const struct ff_description *description = origin->description;
    bool together = description->positions[0] != '\0';
    ff_fail(error, FF_INPUT_INVALID, "%s has no positions: there is no dataset %s%s%s",
            ff_hdf5_path(origin->file),
            together ? description->positions : description->positions_y, together ? "" : " or ",
            together ? "" : description->positions_x);
    if (reading->side != NULL)
        return ff_hint(error, "say where they are with positions_columns=Y,X: numbers of columns "
                              "from 1, headings, or datasets");
    return ff_hint(error, "give the file that has them with positions_file=…");
}

int ff_points_read(const struct ff_reading *reading, struct ff_points *points,
                   struct ff_error *error)
{
    struct origin origin = {.reading = reading,
                            .file = reading->file,
                            .description = &reading->description,
                            .is_input = true};
    bool found = false;
    *points = (struct ff_points){0};
    if (reading->side != NULL)
        origin = (struct origin){
            .reading = reading, .file = reading->side, .description = &reading->side_description};
    int result = read_together(&origin, points, &found, error);
    if (result == 0 && !found)
        result = read_apart(&origin, points, &found, error);
    if (result == 0 && !found)
        result = refuse_absent(reading, &origin, error);
    if (result == 0)
        result = read_ids(&origin, points, error);
    if (result == 0)
        result = turn(reading, &origin, points, error);
    if (result < 0)
        ff_points_dispose(points);
    return result;
}

void ff_points_dispose(struct ff_points *points)
{
    free(points->yx);
    free(points->ids);
    *points = (struct ff_points){0};
}

#include "functions/reconstruct/first_object.h"

#include "functions/reconstruct/formats/store.h"
#include "functions/reconstruct/result.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>

/* From pixels of the problem to those of the result, an axis each. */
struct mapping {
    double scale[2], offset[2];
};

/* Both count metres alike: a pixel of the result lies at centre + (pixel - extent / 2) × size, and
 * one of the problem where its positions say; those are of the middles of patches. */
static int map(const char *path, const struct ff_product *product, const struct ff_problem *problem,
               struct mapping *mapping, struct ff_error *error)
{
    static const char *const names[2] = {"center_y_m", "center_x_m"};
    const size_t extent[2] = {product->rows, product->columns};
    const size_t window[2] = {problem->probe_rows, problem->probe_columns};
    struct ff_hdf5_file *file = ff_store_open(path, error);
    if (file == NULL)
        return -1;
    for (size_t axis = 0; axis < 2; axis++) {
        double centre_m = 0;
        double pixel = problem->geometry.object_pixel_m[axis];
        double theirs = product->pixel_m[axis] > 0 ? product->pixel_m[axis] : pixel;
        if (ff_hdf5_attribute_number(file, "/object", names[axis], &centre_m) < 0)
            centre_m = 0;
        double middle = problem->positions[axis] + (double)window[axis] / 2;
        double zero_m = problem->positions_m[axis] - middle * pixel; /* of the problem's pixel 0 */
        mapping->scale[axis] = pixel / theirs;
        mapping->offset[axis] = (zero_m - centre_m) / theirs + (double)extent[axis] / 2;
    }
    ff_hdf5_close(file);
    return 0;
}

/* Between the four neighbours; false outside. */
static bool sample(const struct ff_product *product, double row, double column, ff_complex *value)
{
    double r = floor(row);
    double c = floor(column);
    if (!(r >= 0) || !(c >= 0) || r + 1 >= (double)product->rows ||
        c + 1 >= (double)product->columns)
        return false;
    const ff_complex *at = product->object + (size_t)r * product->columns + (size_t)c;
    float y = (float)(row - r);
    float x = (float)(column - c);
    *value = (1 - y) * ((1 - x) * at[0] + x * at[1]) +
             y * ((1 - x) * at[product->columns] + x * at[product->columns + 1]);
    return isfinite(crealf(*value)) && isfinite(cimagf(*value));
}

static int fill(const char *path, const struct ff_product *product, struct ff_problem *problem,
                struct ff_error *error)
{
    struct mapping mapping;
    size_t found = 0;
    size_t pixels = ff_array_elements(problem->object_rows, problem->object_columns, 1);
    if (map(path, product, problem, &mapping, error) < 0)
        return -1;
    free(problem->object);
    problem->object = ff_array_create(pixels, sizeof *problem->object, "the first object", error);
    if (problem->object == NULL)
        return -1;
    for (size_t r = 0; r < problem->object_rows; r++)
        for (size_t c = 0; c < problem->object_columns; c++) {
            ff_complex value;
            problem->object[r * problem->object_columns + c] = 1;
            if (!sample(product, (double)r * mapping.scale[0] + mapping.offset[0],
                        (double)c * mapping.scale[1] + mapping.offset[1], &value))
                continue;
            problem->object[r * problem->object_columns + c] = value;
            found++;
        }
    if (found > 0)
        return 0;
    ff_fail(error, FF_INPUT_INVALID, "%s: its object lies beside the scan of %s", path,
            problem->source);
    return ff_hint(error, "is it of this sample, and of the same place on it?");
}

int ff_first_object_read(const char *path, struct ff_problem *problem, struct ff_error *error)
{
    struct ff_product *product = ff_product_read(path, error);
    if (product == NULL)
        return ff_fail_prefix(error, "the first object: ");
    int result = fill(path, product, problem, error);
    ff_product_destroy(product);
    return result;
}

/* Reading a result back: bounded like any other file, since anyone may hand one over. */
#include "functions/reconstruct/formats/hdf5.h"
#include "functions/reconstruct/result.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ELEMENTS_MAX = 1 << 30, PATTERNS_MAX = 1 << 26, EPOCHS_MAX = 1 << 24, SIDE_MAX = 1 << 20 };

/* A complex image of `rank` axes; the last two are its rows and columns. */
static int read_images(const struct ff_hdf5_file *file, const char *path, int rank,
                       size_t extents[4], ff_complex **values, struct ff_error *error)
{
    const char *const paths[] = {path, NULL};
    struct ff_hdf5_dataset dataset;
    if (ff_hdf5_find(file, paths, &dataset, error) < 0)
        return ff_hint(error, "a result of `farfield reconstruct` or of ptychodus is expected");
    int result = 0;
    if (dataset.rank < 2 || dataset.rank > rank || dataset.elements == 0 ||
        dataset.shape[dataset.rank - 1] > SIDE_MAX || dataset.shape[dataset.rank - 2] > SIDE_MAX) {
        char shape[128];
        ff_hdf5_shape_text(&dataset, shape, sizeof shape);
        result = ff_fail(error, FF_INPUT_INVALID, "%s: %s has the shape %s; wanted are %d axes",
                         ff_hdf5_path(file), path, shape, rank);
    }
    if (result == 0)
        result = ff_hdf5_read_complex(&dataset, ELEMENTS_MAX, values, error);
    for (int i = 0; result == 0 && i < 4; i++)
        extents[i] = i < 4 - dataset.rank ? 1 : dataset.shape[i - (4 - dataset.rank)];
    ff_hdf5_dataset_close(&dataset);
    return result;
}

/* A series that may be absent: *values then stays NULL. */
static int read_series(const struct ff_hdf5_file *file, const char *const *paths, size_t limit,
                       double **values, size_t *count, struct ff_error *error)
{
    struct ff_hdf5_dataset dataset;
    if (ff_hdf5_first(file, paths) == NULL)
        return 0;
    if (ff_hdf5_find(file, paths, &dataset, error) < 0)
        return -1;
    int result = dataset.elements > 0 ? ff_hdf5_read_doubles(&dataset, limit, values, error) : 0;
    if (result == 0)
        *count = dataset.elements;
    ff_hdf5_dataset_close(&dataset);
    return result;
}

static double number_of(const struct ff_hdf5_file *file, const char *path, const char *name)
{
    double value = NAN;
    return ff_hdf5_attribute_number(file, path, name, &value) == 0 ? value : NAN;
}

static char *text_of(const struct ff_hdf5_file *file, const char *name)
{
    char *text = NULL;
    return ff_hdf5_attribute_text(file, "/", name, &text) == 0 ? text : NULL;
}

static double *place_positions(const struct ff_hdf5_file *file, const struct ff_product *product,
                               size_t count, const double *metres[2], struct ff_error *error)
{
    double *positions = ff_array_create(count, 2 * sizeof(double), "the positions", error);
    if (positions == NULL)
        return NULL;
    const double centre[2] = {number_of(file, "/object", "center_y_m"),
                              number_of(file, "/object", "center_x_m")};
    const size_t extent[2] = {product->rows, product->columns};
    const size_t window[2] = {product->probe_rows, product->probe_columns};
    for (size_t n = 0; n < count; n++)
        for (size_t axis = 0; axis < 2; axis++)
            positions[2 * n + axis] = (metres[axis][n] - centre[axis]) / product->pixel_m[axis] +
                                      (double)extent[axis] / 2 - (double)window[axis] / 2;
    return positions;
}

/* Two datasets of metres into pixels; *count is 0 where there are none. */
static int read_places(const struct ff_hdf5_file *file, const struct ff_product *product,
                       const char *const names[2], double **positions, size_t *count,
                       struct ff_error *error)
{
    double *metres[2] = {NULL, NULL};
    size_t counts[2] = {0, 0};
    int result = 0;
    for (size_t axis = 0; result == 0 && axis < 2; axis++) {
        const char *const paths[] = {names[axis], NULL};
        result = read_series(file, paths, PATTERNS_MAX, &metres[axis], &counts[axis], error);
    }
    if (result == 0 && counts[0] != counts[1])
        result = ff_fail(error, FF_INPUT_INVALID, "%s: %s has %zu values and %s %zu",
                         ff_hdf5_path(file), names[0], counts[0], names[1], counts[1]);
    if (result == 0 && counts[0] > 0) {
        const double *const both[] = {metres[0], metres[1]};
        *positions = place_positions(file, product, counts[0], (const double **)both, error);
        result = *positions != NULL ? 0 : -1;
    }
    free(metres[0]);
    free(metres[1]);
    *count = counts[0];
    return result;
}

static int read_positions(const struct ff_hdf5_file *file, struct ff_product *product,
                          struct ff_error *error)
{
    static const char *const names[] = {"/probe_position_y_m", "/probe_position_x_m"};
    static const char *const input_names[] = {"/input_position_y_m", "/input_position_x_m"};
    size_t places = 0;
    size_t input_places = 0;
    if (read_places(file, product, names, &product->positions, &places, error) < 0 ||
        read_places(file, product, input_names, &product->input_positions, &input_places, error) <
            0)
        return -1;
    double fly = number_of(file, "/", "farfield_fly");
    if (isnan(fly))
        fly = 1;
    product->fly = fly >= 1 && fly <= PATTERNS_MAX ? (size_t)fly : 0;
    if (product->fly == 0 || places % product->fly != 0)
        return ff_fail(error, FF_INPUT_INVALID, "%s: %zu positions, and farfield_fly %g a pattern",
                       ff_hdf5_path(file), places, fly);
    if (input_places != 0 && input_places != places)
        return ff_fail(error, FF_INPUT_INVALID, "%s: %s has %zu values and %s %zu",
                       ff_hdf5_path(file), names[0], places, input_names[0], input_places);
    product->patterns = places / product->fly;
    return 0;
}

/* Weights that say nothing, as those of one probe for all do, are left out. */
static int read_weights(const struct ff_hdf5_file *file, struct ff_product *product,
                        struct ff_error *error)
{
    static const char *const paths[] = {"/opr_weights", NULL};
    size_t count = 0;
    if (product->patterns == 0)
        return 0;
    if (read_series(file, paths, ELEMENTS_MAX, &product->opr_weights, &count, error) < 0)
        return -1;
    if (count != 0 && count != product->patterns * (1 + product->eigenprobes))
        return ff_fail(error, FF_INPUT_INVALID,
                       "%s: %s has %zu values; %zu patterns and %zu eigenprobes need %zu",
                       ff_hdf5_path(file), paths[0], count, product->patterns, product->eigenprobes,
                       product->patterns * (1 + product->eigenprobes));
    bool plain = product->eigenprobes == 0;
    for (size_t i = 0; plain && i < count; i++)
        plain = fabs(product->opr_weights[i] - 1) <= 0;
    if (plain) {
        free(product->opr_weights);
        product->opr_weights = NULL;
    }
    return 0;
}

static int fill(const struct ff_hdf5_file *file, struct ff_product *product, struct ff_error *error)
{
    static const char *const losses[] = {"/loss_values", "/costs", NULL};
    size_t object[4] = {0};
    size_t probe[4] = {0};
    if (read_images(file, "/object", 3, object, &product->object, error) < 0 ||
        read_images(file, "/probe", 4, probe, &product->probe, error) < 0)
        return -1;
    product->rows = object[2];
    product->columns = object[3];
    product->eigenprobes = probe[0] - 1;
    product->modes = probe[1];
    product->probe_rows = probe[2];
    product->probe_columns = probe[3];
    product->pixel_m[0] = number_of(file, "/object", "pixel_height_m");
    product->pixel_m[1] = number_of(file, "/object", "pixel_width_m");
    product->energy_eV = number_of(file, "/", "probe_energy_eV");
    product->distance_m = number_of(file, "/", "detector_object_distance_m");
    product->cost = number_of(file, "/", "farfield_cost");
    product->r = number_of(file, "/", "farfield_r");
    product->seconds = number_of(file, "/", "farfield_seconds_iterate");
    product->input = text_of(file, "farfield_input");
    product->input_sha256 = text_of(file, "farfield_input_sha256");
    product->settings = text_of(file, "farfield_settings");
    product->device = text_of(file, "farfield_device");
    product->version = text_of(file, "farfield_version");
    product->stopped = text_of(file, "farfield_stopped");
    product->orientation = text_of(file, "farfield_orientation");
    product->loss = text_of(file, "farfield_loss");
    if (read_series(file, losses, EPOCHS_MAX, &product->costs, &product->epochs, error) < 0)
        return -1;
    if (read_positions(file, product, error) < 0)
        return -1;
    return read_weights(file, product, error);
}

struct ff_product *ff_product_read(const char *path, struct ff_error *error)
{
    struct ff_hdf5_file *file = ff_hdf5_open(path, error);
    if (file == NULL)
        return NULL;
    struct ff_product *product = calloc(1, sizeof *product);
    int result = product != NULL ? fill(file, product, error)
                                 : ff_fail(error, FF_NO_MEMORY, "no memory for the result");
    ff_hdf5_close(file);
    if (result == 0)
        return product;
    ff_product_destroy(product);
    return NULL;
}

void ff_product_destroy(struct ff_product *product)
{
    if (product == NULL)
        return;
    free(product->object);
    free(product->probe);
    free(product->positions);
    free(product->input_positions);
    free(product->opr_weights);
    free(product->costs);
    free(product->input);
    free(product->input_sha256);
    free(product->settings);
    free(product->device);
    free(product->version);
    free(product->stopped);
    free(product->orientation);
    free(product->loss);
    free(product);
}

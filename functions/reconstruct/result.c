/*
 * Writing a result. The file is made in memory by HDF5's core driver and written in one piece: so a
 * full disk is one failed write with one message, not a half-closed HDF5 library.
 */
#include "functions/reconstruct/result.h"

#include "functions/reconstruct/constants.h"
#include "functions/reconstruct/formats/hdf5.h"
#include "protocol/core/file.h"

#include <errno.h>
#include <hdf5.h>
#include <libgen.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GROWTH_BYTES = 4 << 20 };

/* The file in the making; `failed` is looked at once, at the end. */
struct writing {
    hid_t file;
    hid_t create_list; /* of datasets: no times, so that equal results are equal files */
    bool failed;
};

static void put_attribute(struct writing *writing, hid_t object, const char *name, hid_t type,
                          const void *value)
{
    hid_t space = H5Screate(H5S_SCALAR);
    hid_t attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    if (attribute < 0 || H5Awrite(attribute, type, value) < 0)
        writing->failed = true;
    if (attribute >= 0)
        H5Aclose(attribute);
    H5Sclose(space);
}

static void put_number(struct writing *writing, hid_t object, const char *name, double value)
{
    put_attribute(writing, object, name, H5T_NATIVE_DOUBLE, &value);
}

static void put_text(struct writing *writing, const char *name, const char *text)
{
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, strlen(text) + 1);
    H5Tset_cset(type, H5T_CSET_UTF8);
    put_attribute(writing, writing->file, name, type, text);
    H5Tclose(type);
}

/* An open dataset that the caller closes, or -1. */
static hid_t put_dataset(struct writing *writing, const char *name, hid_t type, int rank,
                         const hsize_t *shape, const void *values)
{
    hid_t space = H5Screate_simple(rank, shape, NULL);
    hid_t dataset = H5Dcreate2(writing->file, name, type, space, H5P_DEFAULT, writing->create_list,
                               H5P_DEFAULT);
    if (dataset < 0 ||
        (values != NULL && H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0))
        writing->failed = true;
    H5Sclose(space);
    return dataset;
}

static void put_series(struct writing *writing, const char *name, hid_t type, size_t count,
                       const void *values)
{
    hid_t dataset = put_dataset(writing, name, type, 1, (const hsize_t[]){count}, values);
    if (dataset >= 0)
        H5Dclose(dataset);
}

static void put_pixel_size(struct writing *writing, hid_t dataset, const double pixel_m[2])
{
    put_number(writing, dataset, "pixel_height_m", pixel_m[0]);
    put_number(writing, dataset, "pixel_width_m", pixel_m[1]);
}

/* Where the middle of the object array lies, so that the metres of the positions lead to the right
 * pixels: y_px = (y - center_y) / height + rows / 2, of the middle of the patch. */
static double centre_m(const struct ff_problem *problem, size_t axis)
{
    size_t window = axis == 0 ? problem->probe_rows : problem->probe_columns;
    size_t extent = axis == 0 ? problem->object_rows : problem->object_columns;
    double middle = problem->positions[axis] + (double)window / 2 - (double)extent / 2;
    return problem->positions_m[axis] - middle * problem->geometry.object_pixel_m[axis];
}

/* The block of `count` that begins at `first`. */
static void put_planes(struct writing *writing, hid_t dataset, const hsize_t first[4],
                       const hsize_t count[4], hid_t type, const ff_complex *values)
{
    hid_t space = H5Dget_space(dataset);
    hid_t memory = H5Screate_simple(4, count, NULL);
    if (H5Sselect_hyperslab(space, H5S_SELECT_SET, first, NULL, count, NULL) < 0 ||
        H5Dwrite(dataset, type, memory, space, H5P_DEFAULT, values) < 0)
        writing->failed = true;
    H5Sclose(memory);
    H5Sclose(space);
}

/* The probe and, behind it, the eigenprobes, whose modes that do not vary stay zero. */
static void put_probe(struct writing *writing, const struct ff_result_content *content, hid_t type)
{
    const struct ff_problem *problem = content->problem;
    const hsize_t rows = problem->probe_rows;
    const hsize_t columns = problem->probe_columns;
    const hsize_t eigenprobes = content->eigenprobe_count;
    const hsize_t shape[] = {1 + eigenprobes, content->modes, rows, columns};
    hid_t probe =
        put_dataset(writing, "probe", type, 4, shape, eigenprobes == 0 ? content->probe : NULL);
    if (probe < 0)
        return;
    if (eigenprobes > 0) {
        put_planes(writing, probe, (const hsize_t[]){0, 0, 0, 0},
                   (const hsize_t[]){1, content->modes, rows, columns}, type, content->probe);
        put_planes(writing, probe, (const hsize_t[]){1, 0, 0, 0},
                   (const hsize_t[]){eigenprobes, content->varied_modes, rows, columns}, type,
                   content->eigenprobes);
    }
    put_pixel_size(writing, probe, problem->geometry.object_pixel_m);
    H5Dclose(probe);
}

static void put_arrays(struct writing *writing, const struct ff_result_content *content)
{
    const struct ff_problem *problem = content->problem;
    hid_t type = ff_hdf5_complex_type();
    const hsize_t object_shape[] = {1, problem->object_rows, problem->object_columns};
    hid_t object = put_dataset(writing, "object", type, 3, object_shape, content->object);
    if (object >= 0) {
        put_number(writing, object, "center_y_m", centre_m(problem, 0));
        put_number(writing, object, "center_x_m", centre_m(problem, 1));
        put_pixel_size(writing, object, problem->geometry.object_pixel_m);
        H5Dclose(object);
    }
    put_probe(writing, content, type);
    H5Tclose(type);
    put_series(writing, "object_layer_spacing_m", H5T_NATIVE_DOUBLE, 0, NULL);
    put_series(writing, "loss_values", H5T_NATIVE_DOUBLE, content->epochs, content->costs);
}

static void put_numbers(struct writing *writing, const struct ff_result_content *content,
                        int64_t *numbers)
{
    const struct ff_problem *problem = content->problem;
    size_t places = problem->patterns * problem->fly;
    for (size_t i = 0; i < places; i++)
        numbers[i] = (int64_t)(i / problem->fly);
    put_series(writing, "probe_position_indexes", H5T_NATIVE_INT64, places, numbers);
    for (size_t i = 0; i < content->epochs; i++)
        numbers[i] = (int64_t)i + 1;
    put_series(writing, "loss_epochs", H5T_NATIVE_INT64, content->epochs, numbers);
}

/* In metres, those of the input moved by as much as their pixels were. */
static void put_positions(struct writing *writing, const struct ff_problem *problem,
                          const double *pixels, const char *const names[2], double *values)
{
    size_t places = problem->patterns * problem->fly;
    for (size_t axis = 0; axis < 2; axis++) {
        for (size_t n = 0; n < places; n++) {
            size_t at = 2 * n + axis;
            values[n] = problem->positions_m[at];
            if (pixels != NULL)
                values[n] +=
                    (pixels[at] - problem->positions[at]) * problem->geometry.object_pixel_m[axis];
        }
        put_series(writing, names[axis], H5T_NATIVE_DOUBLE, places, values);
    }
}

static void put_weights(struct writing *writing, const struct ff_result_content *content,
                        double *values)
{
    size_t patterns = content->problem->patterns;
    size_t eigenprobes = content->eigenprobe_count;
    for (size_t n = 0; n < patterns; n++) {
        double *row = values + n * (1 + eigenprobes);
        row[0] = content->scales != NULL ? content->scales[n] : 1;
        for (size_t c = 0; c < eigenprobes; c++)
            row[1 + c] = row[0] * content->opr_weights[n * eigenprobes + c];
    }
    hid_t weights = put_dataset(writing, "opr_weights", H5T_NATIVE_DOUBLE, 2,
                                (const hsize_t[]){patterns, 1 + eigenprobes}, values);
    if (weights >= 0)
        H5Dclose(weights);
}

/* The series that have to be made first: numbers of patterns and epochs, columns of positions. */
static int put_made_series(struct writing *writing, const struct ff_result_content *content,
                           struct ff_error *error)
{
    static const char *const names[] = {"probe_position_y_m", "probe_position_x_m"};
    static const char *const input_names[] = {"input_position_y_m", "input_position_x_m"};
    const struct ff_problem *problem = content->problem;
    size_t places = problem->patterns * problem->fly;
    size_t weights = problem->patterns * (1 + content->eigenprobe_count);
    size_t numbers_count = places > content->epochs ? places : content->epochs;
    double *values = ff_array_create(places > weights ? places : weights, sizeof *values,
                                     "the series of the result", error);
    int64_t *numbers =
        ff_array_create(numbers_count, sizeof *numbers, "the numbers of the result", error);
    if (values != NULL && numbers != NULL) {
        put_numbers(writing, content, numbers);
        put_positions(writing, problem, content->positions, names, values);
        if (content->positions != NULL)
            put_positions(writing, problem, NULL, input_names, values);
        put_weights(writing, content, values);
    }
    int result = values != NULL && numbers != NULL ? 0 : -1;
    free(values);
    free(numbers);
    return result;
}

static void put_facts(struct writing *writing, const struct ff_result_content *content)
{
    const struct ff_problem *problem = content->problem;
    char digest[FF_DIGEST_TEXT_SIZE];
    ff_digest_text(&problem->digest, digest);
    put_text(writing, "name", "farfield");
    put_text(writing, "comments", "");
    put_number(writing, writing->file, "detector_object_distance_m", problem->geometry.distance_m);
    put_number(writing, writing->file, "probe_energy_eV",
               problem->geometry.energy_J / FF_ELECTRON_V_J);
    put_number(writing, writing->file, "probe_photon_count",
               problem->total_counts / (double)problem->patterns);
    put_number(writing, writing->file, "exposure_time_s", 0);
    put_number(writing, writing->file, "mass_attenuation_m2_kg", 0);
    put_number(writing, writing->file, "tomography_angle_deg", 0);
    put_text(writing, "farfield_version", FF_VERSION);
    put_text(writing, "farfield_input", problem->source);
    put_text(writing, "farfield_input_sha256", digest);
    put_text(writing, "farfield_settings", content->settings);
    put_text(writing, "farfield_device", content->device);
    put_text(writing, "farfield_stopped", content->stopped);
    if (content->orientation != NULL)
        put_text(writing, "farfield_orientation", content->orientation);
    if (content->loss != NULL)
        put_text(writing, "farfield_loss", content->loss);
    if (problem->fly > 1)
        put_number(writing, writing->file, "farfield_fly", (double)problem->fly);
    put_number(writing, writing->file, "farfield_cost", content->cost);
    put_number(writing, writing->file, "farfield_r", content->r);
    put_number(writing, writing->file, "farfield_epochs", (double)content->epochs);
    put_number(writing, writing->file, "farfield_resumed_at", (double)content->resumed_at);
    put_number(writing, writing->file, "farfield_seconds_read", content->read_seconds);
    put_number(writing, writing->file, "farfield_seconds_plan", content->plan_seconds);
    put_number(writing, writing->file, "farfield_seconds_iterate", content->iterate_seconds);
}

/* The finished file as bytes that the caller frees. */
static int take_image(struct writing *writing, void **image, size_t *size, struct ff_error *error)
{
    if (writing->failed || H5Fflush(writing->file, H5F_SCOPE_LOCAL) < 0)
        return ff_fail(error, FF_OUTPUT_FAILED, "HDF5 cannot put the result together");
    ssize_t bytes = H5Fget_file_image(writing->file, NULL, 0);
    void *block = bytes > 0 ? malloc((size_t)bytes) : NULL;
    if (block == NULL)
        return ff_fail(error, FF_NO_MEMORY, "no memory for the %zd bytes of the result", bytes);
    if (H5Fget_file_image(writing->file, block, (size_t)bytes) != bytes) {
        free(block);
        return ff_fail(error, FF_OUTPUT_FAILED, "HDF5 cannot put the result together");
    }
    *image = block;
    *size = (size_t)bytes;
    return 0;
}

static int make_image(const struct ff_result_content *content, void **image, size_t *size,
                      struct ff_error *error)
{
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_fapl_core(access, GROWTH_BYTES, false);
    struct writing writing = {.create_list = H5Pcreate(H5P_DATASET_CREATE)};
    H5Pset_obj_track_times(writing.create_list, false);
    writing.file = H5Fcreate("farfield-result", H5F_ACC_TRUNC, H5P_DEFAULT, access);
    int result =
        writing.file >= 0 ? 0 : ff_fail(error, FF_OUTPUT_FAILED, "HDF5 cannot begin a result");
    if (result == 0) {
        put_facts(&writing, content);
        put_arrays(&writing, content);
        result = put_made_series(&writing, content, error);
    }
    if (result == 0)
        result = take_image(&writing, image, size, error);
    if (writing.file >= 0)
        H5Fclose(writing.file);
    H5Pclose(writing.create_list);
    H5Pclose(access);
    return result;
}

int ff_result_write_file(const char *path, struct ff_span bytes, struct ff_error *error)
{
    if (ff_file_write(path, bytes, 0644, error) == 0)
        return 0;
    if (error == NULL)
        return -1;
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%s", path);
    const char *where = dirname(folder);
    if (error->code == FF_DISK_FULL)
        return ff_hint(error, "free %.1f MB in %s, or name another place with output",
                       (double)bytes.size * 1e-6, where);
    if (error->code == FF_IO)
        error->code = FF_OUTPUT_FAILED;
    return ff_hint(error, "name a file in a folder that exists and can be written with output");
}

int ff_result_write(const char *path, const struct ff_result_content *content,
                    struct ff_error *error)
{
    void *image = NULL;
    size_t size = 0;
    if (make_image(content, &image, &size, error) < 0)
        return -1;
    int result = ff_result_write_file(path, (struct ff_span){image, size}, error);
    free(image);
    return result;
}

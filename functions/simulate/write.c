#include "functions/simulate/write.h"

#include "functions/reconstruct/constants.h"
#include "functions/reconstruct/formats/hdf5.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define INSTRUMENT "/entry_1/instrument_1"

/* The file being laid out; `failed` is looked at once, at the end. */
struct layout {
    hid_t file;
    hid_t link_list; /* makes the groups on the way */
    bool failed;
};

/* An open dataset; `values` NULL leaves it for later. */
static hid_t put_open(struct layout *layout, const char *path, hid_t type, int rank,
                      const hsize_t *shape, hid_t create_list, const void *values)
{
    hid_t space = rank == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(rank, shape, NULL);
    hid_t dataset =
        H5Dcreate2(layout->file, path, type, space, layout->link_list, create_list, H5P_DEFAULT);
    if (dataset < 0 ||
        (values != NULL && H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0))
        layout->failed = true;
    H5Sclose(space);
    return dataset;
}

static void put(struct layout *layout, const char *path, hid_t type, int rank, const hsize_t *shape,
                const void *values)
{
    hid_t dataset = put_open(layout, path, type, rank, shape, H5P_DEFAULT, values);
    if (dataset >= 0)
        H5Dclose(dataset);
}

static void put_number(struct layout *layout, const char *path, double value)
{
    put(layout, path, H5T_NATIVE_DOUBLE, 0, NULL, &value);
}

static void put_waves(struct layout *layout, const char *path, size_t planes, size_t rows,
                      size_t columns, const ff_complex *values)
{
    hid_t type = ff_hdf5_complex_type();
    const hsize_t shape[] = {planes, rows, columns};
    put(layout, path, type, planes > 1 ? 3 : 2, planes > 1 ? shape : shape + 1, values);
    H5Tclose(type);
}

static void link_to(struct layout *layout, const char *target, const char *path)
{
    if (H5Lcreate_soft(target, layout->file, path, layout->link_list, H5P_DEFAULT) < 0)
        layout->failed = true;
}

/* Positions are the sample's, which moves against the probe; rows run along y, columns along x. */
static void put_positions(struct layout *layout, const struct ff_simulation *simulation)
{
    size_t patterns = simulation->patterns;
    size_t places = patterns * simulation->fly;
    double *values = ff_array_create(places, 3 * sizeof *values, "the positions", NULL);
    if (values == NULL) {
        layout->failed = true;
        return;
    }
    for (size_t n = 0; n < places; n++) {
        values[3 * n] = -simulation->stated[2 * n + 1] * simulation->object_pixel_m;
        values[3 * n + 1] = -simulation->stated[2 * n] * simulation->object_pixel_m;
    }
    put(layout, "/entry_1/sample_1/geometry_1/translation", H5T_NATIVE_DOUBLE, 2,
        (const hsize_t[]){places, 3}, values);
    put(layout, "/simulation/positions_px", H5T_NATIVE_DOUBLE, 2, (const hsize_t[]){patterns, 2},
        simulation->positions);
    free(values);
    link_to(layout, "/entry_1/sample_1/geometry_1/translation", "/entry_1/data_1/translation");
}

static void put_instrument(struct layout *layout, const struct ff_simulation *simulation)
{
    const struct ff_simulate_settings *settings = &simulation->settings;
    const int64_t version = 160;
    double pixel = settings->pixel_um * 1e-6;
    const double basis[] = {0, pixel, 0, pixel, 0, 0};
    put(layout, "/cxi_version", H5T_NATIVE_INT64, 0, NULL, &version);
    put_number(layout, INSTRUMENT "/detector_1/distance", settings->distance_m);
    put_number(layout, INSTRUMENT "/detector_1/x_pixel_size", pixel);
    put_number(layout, INSTRUMENT "/detector_1/y_pixel_size", pixel);
    put(layout, INSTRUMENT "/detector_1/basis_vectors", H5T_NATIVE_DOUBLE, 2,
        (const hsize_t[]){2, 3}, basis);
    put_number(layout, INSTRUMENT "/source_1/energy", settings->energy_eV * FF_ELECTRON_V_J);
    put_number(layout, INSTRUMENT "/source_1/wavelength", simulation->wavelength_m);
    if (simulation->guess != NULL)
        put_waves(layout, INSTRUMENT "/source_1/illumination", simulation->modes,
                  simulation->probe_size, simulation->probe_size, simulation->guess);
    put_number(layout, "/simulation/object_pixel_m", simulation->object_pixel_m);
    put_waves(layout, "/simulation/object", 1, simulation->rows, simulation->columns,
              simulation->object);
    put_waves(layout, "/simulation/probe", simulation->modes, simulation->probe_size,
              simulation->probe_size, simulation->probe);
}

static void put_frames(struct layout *layout, const struct ff_simulation *simulation)
{
    const hsize_t shape[] = {simulation->patterns, simulation->size, simulation->size};
    hid_t create_list = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_layout(create_list, H5D_CONTIGUOUS);
    H5Pset_alloc_time(create_list, H5D_ALLOC_TIME_EARLY);
    H5Pset_fill_time(create_list, H5D_FILL_TIME_NEVER);
    hid_t dataset =
        put_open(layout, INSTRUMENT "/detector_1/data", H5T_STD_U16LE, 3, shape, create_list, NULL);
    if (dataset >= 0)
        H5Dclose(dataset);
    H5Pclose(create_list);
    link_to(layout, INSTRUMENT "/detector_1/data", "/entry_1/data_1/data");
}

/* Everything but the frames; 0, or the number of the error. */
static int lay_out(const struct ff_simulation *simulation, const char *path)
{
    struct layout layout = {.link_list = H5Pcreate(H5P_LINK_CREATE)};
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    H5Pset_create_intermediate_group(layout.link_list, 1);
    errno = 0;
    /* The file is this process's own; many parallel file systems have no locks. */
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_file_locking(access, false, true);
    layout.file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, access);
    H5Pclose(access);
    layout.failed = layout.file < 0;
    if (!layout.failed) {
        put_instrument(&layout, simulation);
        put_positions(&layout, simulation);
        put_frames(&layout, simulation);
        layout.failed = H5Fclose(layout.file) < 0 || layout.failed;
    }
    return !layout.failed ? 0 : errno != 0 ? errno : EIO;
}

/* The HDF5 library does not get over a file that it could not write, and takes the process with it
 * at its end; so it writes in a child, whose exit status is the number of the error. */
static int lay_out_apart(const struct ff_simulation *simulation, const char *path,
                         struct ff_error *error)
{
    int status = 0;
    pid_t child = fork();
    if (child < 0)
        return ff_fail_errno(error, FF_IO, errno, "no process to write %s in", path);
    if (child == 0)
        _exit(lay_out(simulation, path));
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return ff_fail_errno(error, FF_IO, errno, "lost the process that writes %s", path);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    return ff_fail_errno(error, FF_OUTPUT_FAILED, WIFEXITED(status) ? WEXITSTATUS(status) : EIO,
                         "HDF5 cannot lay out %s", path);
}

/* Where the frames will lie in the file. */
static int find_frames(const char *path, off_t *place, struct ff_error *error)
{
    static const char *const names[] = {INSTRUMENT "/detector_1/data", NULL};
    struct ff_hdf5_dataset dataset = {0};
    struct ff_hdf5_file *file = ff_hdf5_open(path, error);
    haddr_t offset = HADDR_UNDEF;
    if (file == NULL)
        return -1;
    int result = ff_hdf5_find(file, names, &dataset, error);
    if (result == 0)
        offset = H5Dget_offset(dataset.id);
    ff_hdf5_dataset_close(&dataset);
    ff_hdf5_close(file);
    if (result == 0 && offset == HADDR_UNDEF)
        result = ff_fail(error, FF_OUTPUT_FAILED, "HDF5 made no place for the frames of %s", path);
    *place = (off_t)offset;
    return result;
}

static int write_frame(int fd, const uint16_t *frame, size_t bytes, off_t place)
{
    const char *at = (const char *)frame;
    while (bytes > 0) {
        ssize_t written = pwrite(fd, at, bytes, place);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return -1;
        at += written;
        bytes -= (size_t)written;
        place += written;
    }
    return 0;
}

static int write_frames(struct ff_simulation *simulation, int fd, const char *path, off_t place,
                        ff_simulation_step *step, void *user, struct ff_error *error)
{
    size_t bytes = simulation->size * simulation->size * sizeof(uint16_t);
    int failure = posix_fallocate(fd, place, (off_t)(bytes * simulation->patterns));
    if (failure != 0)
        return ff_fail_errno(error, FF_OUTPUT_FAILED, failure,
                             "no room for the %.1f MB of the frames of %s",
                             1e-6 * (double)(bytes * simulation->patterns), path);
    uint16_t *frame = ff_array_create(bytes, 1, "a frame", error);
    if (frame == NULL)
        return -1;
    int result = 0;
    for (size_t n = 0; result == 0 && n < simulation->patterns; n++) {
        ff_simulation_pattern(simulation, n, frame);
        if (write_frame(fd, frame, bytes, place + (off_t)(n * bytes)) < 0)
            result = ff_fail_errno(error, FF_OUTPUT_FAILED, errno, "cannot write %s", path);
        else if (!step(user, n + 1))
            result = ff_fail(error, FF_TASK_CANCELLED, "ended after %zu of %zu patterns", n + 1,
                             simulation->patterns);
    }
    free(frame);
    if (result == 0 && fsync(fd) < 0)
        result = ff_fail_errno(error, FF_OUTPUT_FAILED, errno, "cannot write %s", path);
    return result;
}

static int write_whole(struct ff_simulation *simulation, const char *beside, const char *path,
                       ff_simulation_step *step, void *user, struct ff_error *error)
{
    off_t place;
    if (lay_out_apart(simulation, beside, error) < 0 || find_frames(beside, &place, error) < 0)
        return -1;
    int fd = open(beside, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return ff_fail_errno(error, FF_OUTPUT_FAILED, errno, "cannot write %s", path);
    int result = write_frames(simulation, fd, path, place, step, user, error);
    if (close(fd) < 0 && result == 0)
        result = ff_fail_errno(error, FF_OUTPUT_FAILED, errno, "cannot write %s", path);
    if (result == 0 && rename(beside, path) < 0)
        result = ff_fail_errno(error, FF_OUTPUT_FAILED, errno, "cannot write %s", path);
    return result;
}

int ff_simulation_write(struct ff_simulation *simulation, const char *path,
                        ff_simulation_step *step, void *user, struct ff_error *error)
{
    char beside[PATH_MAX];
    int length = snprintf(beside, sizeof beside, "%s.%d.tmp", path, (int)getpid());
    if (length < 0 || (size_t)length >= sizeof beside)
        return ff_fail(error, FF_OUTPUT_FAILED, "the name of the output is too long: %s", path);
    int fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0) {
        ff_fail_errno(error, FF_OUTPUT_FAILED, errno, "cannot create %s", beside);
        return ff_hint(error, "name a file in a folder that exists and can be written with output");
    }
    close(fd);
    if (write_whole(simulation, beside, path, step, user, error) == 0)
        return 0;
    unlink(beside);
    if (error != NULL && error->code == FF_DISK_FULL)
        ff_hint(error,
                "free some space, name another place with output, or ask for fewer patterns");
    return -1;
}

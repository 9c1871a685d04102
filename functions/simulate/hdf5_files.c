#include "functions/simulate/hdf5_files.h"

#include "functions/simulate/hdf5_layout.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct ff_simulate_hdf5 {
    struct ff_simulate_plan *plan;
    pid_t child;
    int socket;
};

/* What goes before a chunk; a size of 0 ends the writing. */
struct heading {
    uint64_t segment, index, size;
};

static int read_all(int socket, void *data, size_t size)
{
    for (char *at = data; size > 0;) {
        ssize_t got = recv(socket, at, size, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return -1;
        at += got;
        size -= (size_t)got;
    }
    return 0;
}

static int send_all(int socket, const void *data, size_t size)
{
    for (const char *at = data; size > 0;) {
        ssize_t sent = send(socket, at, size, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return -1;
        at += sent;
        size -= (size_t)sent;
    }
    return 0;
}

/* --- the child --- */

/* What the library left of the reason. */
static int reason(void)
{
    return errno > 0 && errno < 256 ? errno : EIO;
}

static bool is_hdf5(const struct ff_simulate_plan *plan, const struct ff_simulate_file *file)
{
    return file->role == FF_ROLE_DATA || file->role == FF_ROLE_TRUTH ||
           (file->role == FF_ROLE_MAIN && plan->format->container == FF_SIMULATE_HDF5);
}

static int close_all(const struct ff_simulate_plan *plan, struct ff_hdf5_layout *layouts,
                     hid_t *datasets)
{
    bool failed = false;
    errno = 0;
    for (size_t i = 0; i < plan->segment_count; i++)
        failed = (datasets[i] >= 0 && H5Dclose(datasets[i]) < 0) || failed;
    for (size_t i = 0; i < plan->file_count; i++)
        failed = (layouts[i].file >= 0 && H5Fclose(layouts[i].file) < 0) || failed;
    return failed ? reason() : 0;
}

static int take_chunks(const struct ff_simulate_plan *plan, const hid_t *datasets, int socket)
{
    /* A filter may make a chunk a little larger than it was. */
    size_t room = plan->frame_bytes + plan->frame_bytes / 4 + 4096;
    void *chunk = malloc(room);
    struct heading heading;
    int result = chunk == NULL ? ENOMEM : 0;
    while (result == 0) {
        if (read_all(socket, &heading, sizeof heading) < 0)
            result = ECANCELED;
        else if (heading.size == 0)
            break;
        else if (heading.size > room || heading.segment >= plan->segment_count ||
                 read_all(socket, chunk, heading.size) < 0)
            result = ECANCELED;
        else {
            const hsize_t at[] = {heading.index, 0, 0};
            errno = 0;
            if (H5Dwrite_chunk(datasets[heading.segment], H5P_DEFAULT, 0, at, heading.size, chunk) <
                0)
                result = reason();
        }
    }
    free(chunk);
    return result;
}

static int lay_out(const struct ff_simulate_plan *plan, struct ff_hdf5_layout *layouts,
                   hid_t *datasets)
{
    errno = 0;
    for (size_t i = 0; i < plan->file_count; i++) {
        layouts[i] = (struct ff_hdf5_layout){.file = -1};
        if (!is_hdf5(plan, &plan->files[i]))
            continue;
        ff_hdf5_layout_make(&layouts[i], plan, i, datasets);
        if (layouts[i].failed)
            return reason();
    }
    return 0;
}

/* Where the frames lie, to the parent. */
static int tell_offsets(const struct ff_simulate_plan *plan, const off_t *offsets, int socket)
{
    return send_all(socket, offsets, plan->segment_count * sizeof *offsets) < 0 ? ECANCELED : 0;
}

static int work_in(const struct ff_simulate_plan *plan, struct ff_hdf5_layout *layouts,
                   hid_t *datasets, off_t *offsets, int socket)
{
    bool packed = plan->simulation->settings.compression != FF_SIMULATE_CONTIGUOUS;
    for (size_t i = 0; i < plan->segment_count; i++)
        datasets[i] = -1;
    int result = lay_out(plan, layouts, datasets);
    for (size_t i = 0; i < plan->segment_count; i++) {
        haddr_t at = packed || datasets[i] < 0 ? HADDR_UNDEF : H5Dget_offset(datasets[i]);
        offsets[i] = at == HADDR_UNDEF ? -1 : (off_t)at;
    }
    if (result == 0 && !packed)
        result = close_all(plan, layouts, datasets);
    if (result == 0)
        result = tell_offsets(plan, offsets, socket);
    if (result == 0 && packed) {
        result = take_chunks(plan, datasets, socket);
        if (result == 0)
            result = close_all(plan, layouts, datasets);
    }
    return result;
}

/* 0, or the number of the error. */
static int work(const struct ff_simulate_plan *plan, int socket)
{
    hid_t *datasets = calloc(plan->segment_count + 1, sizeof *datasets);
    off_t *offsets = calloc(plan->segment_count + 1, sizeof *offsets);
    struct ff_hdf5_layout *layouts = calloc(plan->file_count, sizeof *layouts);
    int result = datasets != NULL && offsets != NULL && layouts != NULL
                     ? work_in(plan, layouts, datasets, offsets, socket)
                     : ENOMEM;
    free(datasets);
    free(offsets);
    free(layouts);
    return result;
}

/* --- the parent --- */

static const char *named(const struct ff_simulate_hdf5 *hdf5)
{
    return hdf5->plan->files[hdf5->plan->file_count - 1].path;
}

/* Frees; -1 with the child's error. */
static int collect(struct ff_simulate_hdf5 *hdf5, struct ff_error *error)
{
    int status = 0;
    int result = 0;
    close(hdf5->socket);
    while (waitpid(hdf5->child, &status, 0) < 0)
        if (errno != EINTR) {
            result =
                ff_fail_errno(error, FF_IO, errno, "lost the process that writes %s", named(hdf5));
            break;
        }
    int number = WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
    if (result == 0 && number != 0)
        result =
            ff_fail_errno(error, FF_OUTPUT_FAILED, number, "HDF5 cannot write %s", named(hdf5));
    free(hdf5);
    return result;
}

/* 0: there is a child, and what it says is to be read. */
static int start_child(struct ff_simulate_hdf5 *hdf5, struct ff_error *error)
{
    int sockets[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) < 0)
        return ff_fail_errno(error, FF_IO, errno, "no sockets to the process that writes HDF5");
    hdf5->child = fork();
    if (hdf5->child == 0) {
        close(sockets[0]);
        _exit(work(hdf5->plan, sockets[1]));
    }
    close(sockets[1]);
    hdf5->socket = sockets[0];
    if (hdf5->child > 0)
        return 0;
    ff_fail_errno(error, FF_IO, errno, "no process to write HDF5 in");
    close(sockets[0]);
    return -1;
}

struct ff_simulate_hdf5 *ff_simulate_hdf5_start(struct ff_simulate_plan *plan,
                                                struct ff_error *error)
{
    struct ff_simulate_hdf5 *hdf5 = calloc(1, sizeof *hdf5);
    off_t *offsets = calloc(plan->segment_count + 1, sizeof *offsets);
    bool started = false;
    if (hdf5 == NULL || offsets == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory to write HDF5");
    } else {
        hdf5->plan = plan;
        started = start_child(hdf5, error) == 0;
    }
    if (started && read_all(hdf5->socket, offsets, plan->segment_count * sizeof *offsets) == 0) {
        if (plan->format->container == FF_SIMULATE_HDF5)
            for (size_t i = 0; i < plan->segment_count; i++)
                plan->segments[i].offset = offsets[i];
        free(offsets);
        return hdf5;
    }
    free(offsets);
    if (!started)
        free(hdf5);
    else if (collect(hdf5, error) == 0)
        ff_fail(error, FF_INTERNAL, "the process that writes HDF5 said nothing");
    return NULL;
}

bool ff_simulate_hdf5_send(struct ff_simulate_hdf5 *hdf5, size_t segment, size_t index,
                           const void *chunk, size_t size)
{
    const struct heading heading = {segment, index, size};
    return send_all(hdf5->socket, &heading, sizeof heading) == 0 &&
           send_all(hdf5->socket, chunk, size) == 0;
}

int ff_simulate_hdf5_finish(struct ff_simulate_hdf5 *hdf5, struct ff_error *error)
{
    const struct heading end = {0, 0, 0};
    /* A child that is gone already says why as its exit status. */
    int sent = send_all(hdf5->socket, &end, sizeof end);
    (void)sent;
    return collect(hdf5, error);
}

void ff_simulate_hdf5_abandon(struct ff_simulate_hdf5 *hdf5)
{
    struct ff_error ignored;
    if (hdf5 != NULL && collect(hdf5, &ignored) < 0)
        return;
}

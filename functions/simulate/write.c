#include "functions/simulate/write.h"

#include "functions/simulate/crew.h"
#include "functions/simulate/detector.h"
#include "functions/simulate/hdf5_files.h"
#include "functions/simulate/npz_file.h"
#include "functions/simulate/pack.h"
#include "functions/simulate/table.h"
#include "protocol/core/file.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* Frames made at a time, for each thread; fewer of large ones. */
enum { FRAMES_A_THREAD = 4, BLOCK_BYTES_MAX = 64 << 20 };

/* A frame on its way to the file. */
struct slot {
    double *turned; /* as the format lays it out; NULL where that is as it was counted */
    uint8_t *numbers;
    uint8_t *packed;
    size_t packed_size;
    uint32_t crc;
};

struct writing {
    struct ff_simulate_plan plan;
    struct ff_simulation *simulation;
    struct ff_simulation_crew *crew;
    struct ff_simulate_hdf5 *hdf5; /* frames are sent there when packed */
    struct ff_npz_file *npz;
    bool packed;
    size_t first; /* of the block */
    size_t slot_count;
    struct slot *slots;
    uint32_t crc; /* of all frames so far */
};

/* --- a frame, in any thread --- */

/* DC to the corner, rows to columns, counts to amplitudes. */
static const double *turn(const struct writing *writing, const double *counts, double *turned)
{
    const struct ff_simulate_format *format = writing->plan.format;
    size_t size = writing->simulation->size;
    size_t shift = format->corner ? size / 2 : 0;
    if (turned == NULL)
        return counts;
    for (size_t r = 0; r < size; r++)
        for (size_t c = 0; c < size; c++) {
            double value = counts[(r + shift) % size * size + (c + shift) % size];
            size_t to = format->transposed ? c * size + r : r * size + c;
            turned[to] = format->amplitudes ? sqrt(value) : value;
        }
    return turned;
}

static void take_frame(void *user, size_t frame, const double *counts)
{
    struct writing *writing = user;
    struct slot *slot = &writing->slots[frame - writing->first];
    const struct ff_simulate_settings *settings = &writing->simulation->settings;
    size_t bytes = writing->plan.frame_bytes;
    const double *values = turn(writing, counts, slot->turned);
    ff_simulate_store(settings->type, values, writing->simulation->size * writing->simulation->size,
                      slot->numbers);
    if (writing->packed)
        slot->packed_size = ff_pack(settings->compression, slot->numbers, bytes,
                                    ff_simulate_type_bytes(settings->type), slot->packed);
    if (writing->npz != NULL)
        slot->crc = (uint32_t)crc32_z(0, slot->numbers, bytes);
}

/* --- the frames, in order --- */

static const struct ff_simulate_segment *segment_of(const struct writing *writing, size_t frame)
{
    const struct ff_simulate_plan *plan = &writing->plan;
    return &plan->segments[frame / plan->segments[0].part.count];
}

static int put_frame(struct writing *writing, size_t frame, struct ff_error *error)
{
    const struct ff_simulate_plan *plan = &writing->plan;
    const struct ff_simulate_segment *segment = segment_of(writing, frame);
    const struct slot *slot = &writing->slots[frame - writing->first];
    size_t index = frame - segment->part.first;
    if (writing->packed) {
        if (ff_simulate_hdf5_send(writing->hdf5, (size_t)(segment - plan->segments), index,
                                  slot->packed, slot->packed_size))
            return 0;
        int result = ff_simulate_hdf5_finish(writing->hdf5, error);
        writing->hdf5 = NULL;
        return result < 0 ? -1 : ff_fail(error, FF_INTERNAL, "the process that writes HDF5 ended");
    }
    const struct ff_simulate_file *file = &plan->files[segment->file];
    struct ff_span span = {slot->numbers, plan->frame_bytes};
    if (writing->npz != NULL)
        writing->crc = (uint32_t)crc32_combine(writing->crc, slot->crc, (z_off_t)plan->frame_bytes);
    if (ff_pwrite_all(file->fd, span, segment->offset + (off_t)(index * plan->frame_bytes)) == 0)
        return 0;
    return ff_fail_errno(error, FF_OUTPUT_FAILED, errno, "cannot write %s", file->path);
}

static int write_frames(struct writing *writing, ff_simulation_step *step, void *user,
                        struct ff_error *error)
{
    size_t frames = writing->simulation->frame_count;
    for (size_t n = 0; n < frames; n++) {
        if (n == writing->first + writing->slot_count || n == 0) {
            size_t left = frames - n;
            writing->first = n;
            ff_simulation_crew_run(writing->crew, n,
                                   left < writing->slot_count ? left : writing->slot_count,
                                   take_frame, writing);
        }
        if (put_frame(writing, n, error) < 0)
            return -1;
        if (!step(user, n + 1))
            return ff_fail(error, FF_TASK_CANCELLED, "ended after %zu of %zu patterns", n + 1,
                           frames);
    }
    return 0;
}

/* --- before and after --- */

static int make_slots(struct writing *writing, struct ff_error *error)
{
    const struct ff_simulate_format *format = writing->plan.format;
    size_t bytes = writing->plan.frame_bytes;
    size_t pixels = writing->simulation->size * writing->simulation->size;
    size_t threads = ff_simulation_crew_threads(writing->crew);
    size_t most = BLOCK_BYTES_MAX / bytes > threads ? BLOCK_BYTES_MAX / bytes : threads;
    size_t count = FRAMES_A_THREAD * threads < most ? FRAMES_A_THREAD * threads : most;
    bool turns = format->corner || format->transposed || format->amplitudes;
    writing->slots = calloc(count, sizeof *writing->slots);
    if (writing->slots == NULL)
        return ff_fail(error, FF_NO_MEMORY, "no memory for the frames");
    writing->slot_count = count;
    for (size_t i = 0; i < count; i++) {
        struct slot *slot = &writing->slots[i];
        slot->numbers = ff_array_create(bytes, 1, "a frame", error);
        if (slot->numbers == NULL)
            return -1;
        if (turns &&
            (slot->turned = ff_array_create(pixels, sizeof(double), "a frame", error)) == NULL)
            return -1;
        if (writing->packed && (slot->packed = ff_array_create(
                                    ff_pack_room(writing->simulation->settings.compression, bytes),
                                    1, "a packed frame", error)) == NULL)
            return -1;
    }
    return 0;
}

/* So that a full disk shows now. */
static int reserve(const struct writing *writing, struct ff_error *error)
{
    const struct ff_simulate_plan *plan = &writing->plan;
    for (size_t i = 0; !writing->packed && i < plan->segment_count; i++) {
        const struct ff_simulate_segment *segment = &plan->segments[i];
        const struct ff_simulate_file *file = &plan->files[segment->file];
        size_t bytes = segment->part.count * plan->frame_bytes;
        if (segment->offset < 0)
            return ff_fail(error, FF_OUTPUT_FAILED, "HDF5 made no place for the frames of %s",
                           file->path);
        int failure = posix_fallocate(file->fd, segment->offset, (off_t)bytes);
        if (failure != 0)
            return ff_fail_errno(error, FF_OUTPUT_FAILED, failure,
                                 "no room for the %.1f MB of the frames of %s",
                                 1e-6 * (double)bytes, file->path);
    }
    return 0;
}

/* The child of HDF5 comes before the threads. */
static int begin(struct writing *writing, struct ff_error *error)
{
    writing->packed = writing->simulation->settings.compression != FF_SIMULATE_CONTIGUOUS;
    writing->hdf5 = ff_simulate_hdf5_start(&writing->plan, error);
    if (writing->hdf5 == NULL || ff_simulate_table_write(&writing->plan, error) < 0)
        return -1;
    if (writing->plan.format->container == FF_SIMULATE_NPZ) {
        writing->npz = ff_npz_file_start(&writing->plan, error);
        if (writing->npz == NULL)
            return -1;
    }
    if (reserve(writing, error) < 0)
        return -1;
    writing->crew = ff_simulation_crew_create(writing->simulation, error);
    return writing->crew != NULL ? make_slots(writing, error) : -1;
}

static int end(struct writing *writing, struct ff_error *error)
{
    int result = ff_simulate_hdf5_finish(writing->hdf5, error);
    writing->hdf5 = NULL;
    if (result == 0 && writing->npz != NULL) {
        result = ff_npz_file_finish(writing->npz, writing->crc, error);
        writing->npz = NULL;
    }
    return result < 0 ? -1 : ff_simulate_plan_commit(&writing->plan, error);
}

static void dispose(struct writing *writing)
{
    ff_simulate_hdf5_abandon(writing->hdf5);
    ff_npz_file_abandon(writing->npz);
    ff_simulation_crew_destroy(writing->crew);
    for (size_t i = 0; i < writing->slot_count; i++) {
        free(writing->slots[i].turned);
        free(writing->slots[i].numbers);
        free(writing->slots[i].packed);
    }
    free(writing->slots);
    ff_simulate_plan_destroy(&writing->plan);
}

int ff_simulation_write(struct ff_simulation *simulation, const char *path,
                        ff_simulation_step *step, void *user, struct ff_error *error)
{
    struct writing writing = {.simulation = simulation};
    if (ff_simulate_plan_create(&writing.plan, simulation, path, error) < 0)
        return -1;
    int result = begin(&writing, error);
    if (result == 0)
        result = write_frames(&writing, step, user, error);
    if (result == 0)
        result = end(&writing, error);
    dispose(&writing);
    if (result < 0 && error != NULL && error->code == FF_DISK_FULL)
        ff_hint(error,
                "free some space, name another place with output, or ask for fewer patterns");
    return result;
}

#include "functions/reconstruct/devices/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of the sums of a pixel of the object: N_O and W. */
enum { SUMS = 3 };

/* `whole` things are shared by `parts`: how many those before `part` have together. */
static size_t before(size_t whole, unsigned part, unsigned parts)
{
    return whole * part / parts;
}

/* --- create --- */

static int make_tiles(struct ff_devices *devices, const struct ff_devices_plan *plan,
                      struct ff_error *error)
{
    const struct ff_problem *problem = plan->problem;
    const struct ff_scan scan = {
        .positions = problem->positions,
        .patterns = problem->patterns,
        .fly = problem->fly,
        .rows = problem->probe_rows,
        .columns = problem->probe_columns,
        .object_rows = problem->object_rows,
        .object_columns = problem->object_columns,
        .travel_px = plan->travel_px,
    };
    devices->tiles = ff_tiles_create(&scan, plan->count, error);
    if (devices->tiles == NULL)
        return -1;
    devices->count = devices->tiles->count;
    devices->device = ff_array_create(devices->count, sizeof *devices->device, "devices", error);
    devices->backends =
        ff_array_create(devices->count, sizeof(struct ff_backend *), "devices", error);
    if (devices->device == NULL || devices->backends == NULL)
        return -1;
    for (unsigned i = 0; i < devices->count; i++)
        devices->device[i].tile = &devices->tiles->tiles[i];
    return 0;
}

/* What the devices are joined by, as far as their backend can tell; `room` is what was made for it. */
static int find_topology(const struct ff_devices *devices, struct ff_topology *topology,
                         double **room, struct ff_error *error)
{
    size_t count = devices->present;
    *topology = (struct ff_topology){.devices = devices->present};
    *room = NULL;
    if (devices->operations->links == NULL)
        return 0;
    double *links = ff_array_create(count * count + count, sizeof *links, "the links", error);
    if (links == NULL)
        return -1;
    *room = links;
    topology->links = links;
    topology->ports = links + count * count;
    return devices->operations->links(devices->present, links, links + count * count, error);
}

/* Of more devices than are wanted those are taken that are joined best. */
static void count_present(struct ff_devices *devices)
{
    unsigned present =
        devices->operations->present != NULL ? devices->operations->present() : devices->count;
    devices->present = present > devices->count ? present : devices->count;
}

static int place_tiles(struct ff_devices *devices, struct ff_error *error)
{
    size_t count = devices->count;
    struct ff_topology topology;
    double *room;
    int result = find_topology(devices, &topology, &room, error);
    double *bytes =
        result == 0 ? ff_array_create(count * count, sizeof *bytes, "the placement", error) : NULL;
    for (unsigned i = 0; bytes != NULL && i < devices->count; i++) {
        const struct ff_tile *tile = &devices->tiles->tiles[i];
        for (size_t j = 0; j < tile->link_count; j++)
            bytes[i * count + tile->links[j].peer] =
                (double)(ff_area_pixels(tile->links[j].area) * SUMS *
                         devices->operations->real_bytes);
    }
    if (bytes != NULL)
        devices->placement = ff_placement_create(&topology, devices->count, bytes, error);
    free(bytes);
    free(room);
    return devices->placement != NULL ? 0 : -1;
}

/* Who has which pattern, and room for each device's part of a batch. */
static int number_patterns(struct ff_devices *devices, size_t batch_limit, struct ff_error *error)
{
    size_t patterns = devices->problem->patterns;
    devices->device_of = ff_array_create(patterns, sizeof(uint32_t), "the patterns", error);
    devices->number_of = ff_array_create(patterns, sizeof(uint32_t), "the patterns", error);
    if (devices->device_of == NULL || devices->number_of == NULL)
        return -1;
    devices->bytes += 2 * patterns * sizeof(uint32_t);
    for (unsigned i = 0; i < devices->count; i++) {
        struct device *device = &devices->device[i];
        const struct ff_tile *tile = device->tile;
        size_t most = tile->pattern_count < batch_limit ? tile->pattern_count : batch_limit;
        for (size_t j = 0; j < tile->pattern_count; j++) {
            devices->device_of[tile->patterns[j]] = i;
            devices->number_of[tile->patterns[j]] = (uint32_t)j;
        }
        device->batch_room = ff_array_create(most, sizeof(uint32_t), "a batch", error);
        if (device->batch_room == NULL)
            return -1;
    }
    return 0;
}

/* The cores of the host that belong to the device on a place, as a part of the plan's. */
static const int *cores_of(const struct ff_devices *devices, const struct ff_devices_plan *plan,
                           unsigned place, unsigned *count)
{
    *count = 0;
    if (plan->cores == NULL || plan->core_count == 0)
        return NULL;
    size_t first = before(plan->core_count, place, devices->present);
    size_t end = before(plan->core_count, place + 1, devices->present);
    *count = end > first ? (unsigned)(end - first) : 1;
    return plan->cores + first;
}

/* A single device is the first one. */
static const unsigned *places_of(const struct ff_devices *devices)
{
    static const unsigned first = 0;
    return devices->placement != NULL ? devices->placement->device : &first;
}

/* With fewer threads than devices a thread serves several; devices beside the host need no processor but somebody who
 * waits for each. */
static int make_team(struct ff_devices *devices, const struct ff_devices_plan *plan,
                     struct ff_error *error)
{
    if (devices->operations->is_apart && devices->threads < devices->count)
        devices->threads = devices->count;
    unsigned size = devices->threads < devices->count ? devices->threads : devices->count;
    int *cores = ff_array_create(size, sizeof *cores, "the team", error);
    unsigned known = 0;
    if (cores == NULL)
        return -1;
    for (unsigned i = 0; i < size; i++) {
        const int *own = cores_of(devices, plan, places_of(devices)[i], &known);
        cores[i] = known > 0 ? own[0] : 0;
    }
    devices->team = ff_pool_create(size, known > 0 ? cores : NULL, known > 0 ? size : 0, error);
    free(cores);
    return devices->team != NULL ? 0 : -1;
}

/* All devices make the transforms that the first one makes: the same bits for every pattern. */
static int open_device(struct ff_devices *devices, const struct ff_devices_plan *plan,
                       unsigned number, struct ff_error *error)
{
    struct device *device = &devices->device[number];
    const struct ff_tile *tile = device->tile;
    unsigned place = places_of(devices)[number];
    size_t threads = before(devices->threads, number + 1, devices->count) -
                     before(devices->threads, number, devices->count);
    struct ff_backend_plan own = {
        .problem = plan->problem,
        .patterns = tile->patterns,
        .pattern_count = tile->pattern_count,
        .tile = tile->area,
        .owned = tile->owned,
        .owned_count = tile->owned_count,
        .links = tile->links,
        .link_count = tile->link_count,
        .number = number,
        .count = devices->count,
        .tiles = devices->tiles->areas,
        .places = places_of(devices),
        .modes = plan->modes,
        .eigenprobes = plan->eigenprobes,
        .batch_limit =
            plan->batch_limit < tile->pattern_count ? plan->batch_limit : tile->pattern_count,
        .exit_limit = plan->exit_limit,
        .needs = plan->needs,
        .noise = plan->noise,
        .subpixel = plan->subpixel,
        .engine = plan->engine,
        .threads = threads > 0 ? (unsigned)threads : 1,
        .cache_folder = plan->cache_folder,
        .transforms =
            number == 0 ? plan->transforms : devices->operations->transforms(devices->backends[0]),
    };
    own.cores = cores_of(devices, plan, place, &own.core_count);
    device->backend = devices->backends[number] = devices->operations->create(&own, error);
    if (device->backend == NULL)
        return devices->count == 1
                   ? -1
                   : ff_fail_prefix(error, "device %u of %u: ", number + 1, devices->count);
    return 0;
}

/* "cuda: A100, cuFFT" of each → "cuda: 4 × A100, cuFFT", or "cuda: A100, cuFFT; H100, cuFFT" */
static void describe_apart(struct ff_devices *devices)
{
    const struct ff_backend_operations *operations = devices->operations;
    size_t name = strlen(operations->name) + strlen(": ");
    const char *first = operations->describe(devices->backends[0]);
    size_t size = sizeof devices->description;
    size_t used = (size_t)snprintf(devices->description, size, "%s", first);
    bool alike = true;
    for (unsigned i = 1; i < devices->count; i++)
        alike = alike && strcmp(operations->describe(devices->backends[i]), first) == 0;
    if (alike) {
        snprintf(devices->description, size, "%s: %u × %s", operations->name, devices->count,
                 first + name);
        return;
    }
    for (unsigned i = 1; i < devices->count && used < size; i++)
        used += (size_t)snprintf(devices->description + used, size - used, "; %s",
                                 operations->describe(devices->backends[i]) + name);
}

/* "cpu: 2 threads, AVX-512, FFTW" of the first device → "cpu: 4 devices, 8 threads, AVX-512, FFTW" */
static void describe(struct ff_devices *devices)
{
    const char *one = devices->operations->describe(devices->backends[0]);
    const char *rest = strchr(one, ',');
    if (devices->count == 1)
        snprintf(devices->description, sizeof devices->description, "%s", one);
    else if (devices->operations->is_apart)
        describe_apart(devices);
    else
        snprintf(devices->description, sizeof devices->description, "%s: %u devices, %u thread%s%s",
                 devices->operations->name, devices->count, devices->threads,
                 devices->threads == 1 ? "" : "s", rest != NULL ? rest : "");
}

/* Backends know neither until they are put. */
static int put_first_rows(struct ff_devices *devices, struct ff_error *error)
{
    const struct ff_problem *problem = devices->problem;
    double *scales = ff_array_create(problem->patterns, sizeof *scales, "the scales", error);
    if (scales == NULL)
        return -1;
    for (size_t n = 0; n < problem->patterns; n++)
        scales[n] = 1;
    ff_devices_put(devices, FF_SCALES, scales);
    ff_devices_put(devices, FF_POSITIONS, problem->positions);
    free(scales);
    return 0;
}

static int make(struct ff_devices *devices, const struct ff_devices_plan *plan,
                struct ff_error *error)
{
    if (make_tiles(devices, plan, error) < 0)
        return -1;
    count_present(devices);
    if (devices->count > 1 && (place_tiles(devices, error) < 0 ||
                               number_patterns(devices, plan->batch_limit, error) < 0 ||
                               make_team(devices, plan, error) < 0))
        return -1;
    for (unsigned i = 0; i < devices->count; i++)
        if (open_device(devices, plan, i, error) < 0)
            return -1;
    if (devices->count > 1) {
        size_t room = ff_devices_room(devices);
        devices->room = ff_array_create(room, 1, "a device's part", error);
        if (devices->room == NULL)
            return -1;
        devices->bytes += room;
    }
    describe(devices);
    return put_first_rows(devices, error);
}

struct ff_devices *ff_devices_create(const struct ff_devices_plan *plan, struct ff_error *error)
{
    struct ff_devices *devices = calloc(1, sizeof *devices);
    if (devices == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory for the devices");
        return NULL;
    }
    unsigned cores =
        plan->cores != NULL && plan->core_count > 0 ? plan->core_count : ff_pool_cores();
    devices->problem = plan->problem;
    devices->operations = plan->operations;
    devices->modes = plan->modes;
    devices->eigenprobes = plan->eigenprobes;
    devices->threads = plan->threads > 0 ? plan->threads : cores;
    if (make(devices, plan, error) == 0)
        return devices;
    ff_devices_destroy(devices);
    return NULL;
}

void ff_devices_destroy(struct ff_devices *devices)
{
    if (devices == NULL)
        return;
    ff_pool_destroy(devices->team);
    for (unsigned i = 0; devices->device != NULL && i < devices->count; i++) {
        if (devices->device[i].backend != NULL)
            devices->operations->destroy(devices->device[i].backend);
        free(devices->device[i].batch_room);
    }
    free(devices->device);
    free(devices->backends);
    free(devices->device_of);
    free(devices->number_of);
    free(devices->room);
    ff_placement_destroy(devices->placement);
    ff_tiles_destroy(devices->tiles);
    free(devices);
}

/* --- what they are and did --- */

unsigned ff_devices_count(const struct ff_devices *devices)
{
    return devices->count;
}

const char *ff_devices_describe(const struct ff_devices *devices)
{
    return devices->description;
}

uint64_t ff_devices_transforms_done(const struct ff_devices *devices)
{
    uint64_t done = 0;
    for (unsigned i = 0; i < devices->count; i++)
        done += devices->operations->transforms_done(devices->backends[i]);
    return done;
}

uint64_t ff_devices_bytes_exchanged(const struct ff_devices *devices)
{
    uint64_t bytes = 0;
    for (unsigned i = 0; i < devices->count; i++)
        bytes += devices->operations->bytes_exchanged(devices->backends[i]);
    return bytes;
}

static void time_transforms(const struct ff_devices *devices, struct device *device)
{
    unsigned number = (unsigned)(device - devices->device);
    size_t count = devices->call.transforms;
    device->seconds = devices->operations->time_transforms(
        device->backend,
        before(count, number + 1, devices->count) - before(count, number, devices->count));
}

/* A thread does the work of its devices one after the other. */
double ff_devices_time_transforms(struct ff_devices *devices, size_t count)
{
    double longest = 0;
    unsigned threads = devices->team != NULL ? ff_pool_threads(devices->team) : 1;
    devices->call.transforms = count;
    ff_devices_run(devices, time_transforms);
    for (unsigned thread = 0; thread < threads; thread++) {
        double seconds = 0;
        for (unsigned i = thread; i < devices->count; i += threads)
            seconds += devices->device[i].seconds;
        longest = seconds > longest ? seconds : longest;
    }
    return longest;
}

struct ff_span ff_devices_transforms(const struct ff_devices *devices)
{
    return devices->operations->transforms(devices->backends[0]);
}

/* What one of the two questions of all backends answers. */
static size_t sum_bytes(const struct ff_devices *devices, size_t (*of)(const struct ff_backend *))
{
    size_t bytes = 0;
    for (unsigned i = 0; of != NULL && i < devices->count; i++)
        bytes += of(devices->backends[i]);
    return bytes;
}

size_t ff_devices_bytes(const struct ff_devices *devices)
{
    const struct ff_backend_operations *operations = devices->operations;
    return devices->bytes +
           sum_bytes(devices, operations->is_apart ? operations->host_bytes : operations->bytes);
}

size_t ff_devices_bytes_apart(const struct ff_devices *devices)
{
    return devices->operations->is_apart ? sum_bytes(devices, devices->operations->bytes) : 0;
}

/* The stages on all devices at once, and the sums of what they answer. */
#include "functions/reconstruct/devices/state.h"

/* Thread `thread` of the team does the work of its devices, always the same ones, so that what they
 * hold stays in the caches of its core. */
static void run_thread(void *context, unsigned piece, unsigned thread)
{
    (void)piece;
    struct ff_devices *devices = context;
    unsigned threads = ff_pool_threads(devices->team);
    for (unsigned i = thread; i < devices->count; i += threads)
        devices->stage(devices, &devices->device[i]);
}

void ff_devices_run(struct ff_devices *devices, device_stage *stage)
{
    if (devices->team == NULL) {
        stage(devices, &devices->device[0]);
        return;
    }
    devices->stage = stage;
    ff_pool_each(devices->team, run_thread, devices);
}

void ff_devices_deal(struct ff_devices *devices, struct ff_batch batch)
{
    if (devices->count == 1) {
        devices->device[0].batch = batch;
        return;
    }
    for (unsigned i = 0; i < devices->count; i++)
        devices->device[i].batch = (struct ff_batch){devices->device[i].batch_room, 0};
    for (size_t i = 0; i < batch.count; i++) {
        uint32_t pattern = batch.patterns[i];
        struct device *device = &devices->device[devices->device_of[pattern]];
        device->batch_room[device->batch.count++] = devices->number_of[pattern];
    }
}

/* --- sums over patterns, and their exchange --- */

static void gradients(const struct ff_devices *devices, struct device *device)
{
    devices->operations->gradients(device->backend, device->batch, devices->call.want);
}

static void overlap(const struct ff_devices *devices, struct device *device)
{
    devices->operations->overlap(device->backend, device->batch, devices->call.want);
}

static void settle(const struct ff_devices *devices, struct device *device)
{
    devices->operations->settle(device->backend, devices->backends);
}

static void spread(const struct ff_devices *devices, struct device *device)
{
    devices->operations->spread(device->backend, devices->backends);
}

static void sum(struct ff_devices *devices, device_stage *stage, struct ff_batch batch,
                unsigned want)
{
    ff_devices_deal(devices, batch);
    devices->call.want = want;
    ff_devices_run(devices, stage);
    ff_devices_run(devices, settle);
    ff_devices_run(devices, spread);
}

void ff_devices_gradients(struct ff_devices *devices, struct ff_batch batch, unsigned want)
{
    sum(devices, gradients, batch, want);
}

void ff_devices_overlap(struct ff_devices *devices, struct ff_batch batch, unsigned want)
{
    sum(devices, overlap, batch, want);
}

/* --- steps --- */

static void update(const struct ff_devices *devices, struct device *device)
{
    devices->operations->update(device->backend, devices->call.update);
}

static void take_steps(const struct ff_devices *devices, struct device *device)
{
    devices->operations->take_steps(device->backend, devices->backends);
}

void ff_devices_update(struct ff_devices *devices, const struct ff_update *wanted)
{
    devices->call.update = wanted;
    ff_devices_run(devices, update);
    ff_devices_run(devices, take_steps);
}

static void lengths(const struct ff_devices *devices, struct device *device)
{
    device->lengths = devices->operations->lengths(device->backend, devices->call.update);
}

struct ff_length_terms ff_devices_lengths(struct ff_devices *devices,
                                          const struct ff_update *wanted)
{
    devices->call.update = wanted;
    ff_devices_run(devices, lengths);
    struct ff_length_terms all = devices->device[0].lengths; /* of the probe all have the same */
    for (unsigned i = 1; i < devices->count; i++) {
        all.object_slope += devices->device[i].lengths.object_slope;
        all.object_curve += devices->device[i].lengths.object_curve;
    }
    return all;
}

static void normalise(const struct ff_devices *devices, struct device *device)
{
    devices->operations->normalise(device->backend, devices->call.update);
}

void ff_devices_normalise(struct ff_devices *devices, const struct ff_update *wanted)
{
    devices->call.update = wanted;
    ff_devices_run(devices, normalise);
}

static void sample(const struct ff_devices *devices, struct device *device)
{
    devices->operations->sample(device->backend, device->batch);
}

void ff_devices_sample(struct ff_devices *devices, struct ff_batch patterns)
{
    ff_devices_deal(devices, patterns);
    ff_devices_run(devices, sample);
}

static void fit(const struct ff_devices *devices, struct device *device)
{
    devices->operations->fit(device->backend, device->batch);
}

void ff_devices_fit(struct ff_devices *devices, struct ff_batch batch)
{
    ff_devices_deal(devices, batch);
    ff_devices_run(devices, fit);
}

/* --- conjugate gradients --- */

static void turn_terms(const struct ff_devices *devices, struct device *device)
{
    device->turn =
        devices->operations->turn_terms(device->backend, devices->call.parts, devices->call.alpha);
}

struct ff_turn_terms ff_devices_turn_terms(struct ff_devices *devices, enum ff_part part,
                                           double alpha)
{
    devices->call.parts = part;
    devices->call.alpha = alpha;
    ff_devices_run(devices, turn_terms);
    struct ff_turn_terms all = devices->device[0].turn;
    for (unsigned i = 1; part == FF_PART_OBJECT && i < devices->count; i++) {
        all.zg += devices->device[i].turn.zg;
        all.z_last += devices->device[i].turn.z_last;
        all.dg += devices->device[i].turn.dg;
    }
    return all;
}

static void turn(const struct ff_devices *devices, struct device *device)
{
    devices->operations->turn(device->backend, devices->call.parts, devices->call.alpha,
                              devices->call.beta);
}

void ff_devices_turn(struct ff_devices *devices, enum ff_part part, double alpha, double beta)
{
    devices->call.parts = part;
    devices->call.alpha = alpha;
    devices->call.beta = beta;
    ff_devices_run(devices, turn);
}

static void line(const struct ff_devices *devices, struct device *device)
{
    devices->operations->line(device->backend, device->batch, devices->call.parts);
}

void ff_devices_line(struct ff_devices *devices, struct ff_batch batch, unsigned parts)
{
    ff_devices_deal(devices, batch);
    devices->call.parts = parts;
    ff_devices_run(devices, line);
}

static void line_terms(const struct ff_devices *devices, struct device *device)
{
    device->line = devices->operations->line_terms(device->backend, devices->call.gamma);
}

struct ff_line_terms ff_devices_line_terms(struct ff_devices *devices, double gamma)
{
    devices->call.gamma = gamma;
    ff_devices_run(devices, line_terms);
    struct ff_line_terms all = devices->device[0].line;
    for (unsigned i = 1; i < devices->count; i++) {
        all.value += devices->device[i].line.value;
        all.slope += devices->device[i].line.slope;
        all.curve += devices->device[i].line.curve;
        all.majoriser += devices->device[i].line.majoriser;
    }
    return all;
}

static void advance(const struct ff_devices *devices, struct device *device)
{
    devices->operations->advance(device->backend, devices->call.parts, devices->call.gamma);
}

void ff_devices_advance(struct ff_devices *devices, unsigned parts, double gamma)
{
    devices->call.parts = parts;
    devices->call.gamma = gamma;
    ff_devices_run(devices, advance);
}

/* --- projections, and the cost --- */

static void start_waves(const struct ff_devices *devices, struct device *device)
{
    devices->operations->start_waves(device->backend, device->batch);
}

void ff_devices_start_waves(struct ff_devices *devices, struct ff_batch batch)
{
    ff_devices_deal(devices, batch);
    ff_devices_run(devices, start_waves);
}

static void project(const struct ff_devices *devices, struct device *device)
{
    devices->operations->project(device->backend, device->batch, devices->call.projection);
}

void ff_devices_project(struct ff_devices *devices, struct ff_batch batch,
                        const struct ff_projection *projection)
{
    ff_devices_deal(devices, batch);
    devices->call.projection = projection;
    ff_devices_run(devices, project);
}

static void cost(const struct ff_devices *devices, struct device *device)
{
    devices->operations->cost(device->backend, device->batch);
}

void ff_devices_cost(struct ff_devices *devices, struct ff_batch batch)
{
    ff_devices_deal(devices, batch);
    ff_devices_run(devices, cost);
}

static void take_cost(const struct ff_devices *devices, struct device *device)
{
    device->result = devices->operations->take_cost(device->backend, &device->cost, &device->error);
}

int ff_devices_take_cost(struct ff_devices *devices, struct ff_cost *taken, struct ff_error *error)
{
    struct ff_cost all = {0, 0};
    ff_devices_run(devices, take_cost);
    for (unsigned i = 0; i < devices->count; i++) {
        const struct device *device = &devices->device[i];
        if (device->result < 0) {
            if (error != NULL)
                *error = device->error;
            return devices->count == 1
                       ? -1
                       : ff_fail_prefix(error, "device %u of %u: ", i + 1, devices->count);
        }
        all.amplitude += device->cost.amplitude;
        all.objective += device->cost.objective;
    }
    *taken = all;
    return 0;
}

#include "functions/reconstruct/bench/model/model.h"

#include <math.h>
#include <string.h>

static struct ff_model_kernel *kernel_of(struct ff_model_result *result, const char *name)
{
    for (size_t i = 0; i < result->kernel_count; i++)
        if (strcmp(result->kernels[i].name, name) == 0)
            return &result->kernels[i];
    if (result->kernel_count == FF_MODEL_KERNELS)
        return NULL;
    result->kernels[result->kernel_count] = (struct ff_model_kernel){.name = name};
    return &result->kernels[result->kernel_count++];
}

static void count_launch(const struct ff_model_launch *launch, struct ff_model_result *result)
{
    double bytes = launch->bytes;
    struct ff_model_kernel *kernel = kernel_of(result, launch->name);
    for (unsigned from = 0; from < FF_MODEL_PLACES; from++)
        bytes += launch->from[from];
    if (kernel == NULL)
        return;
    kernel->launches++;
    kernel->bytes += bytes;
    if (strcmp(launch->name, "transforms") != 0)
        result->beside_bytes += bytes;
}

static void count_time(const struct ff_model_machine *machine, const struct ff_model_played *played,
                       struct ff_model_result *result)
{
    const double little = 1e-9;
    double seconds = played->end - played->start;
    if (played->stream != FF_STREAM_WORK)
        return;
    if (played->is_mark)
        result->waiting_s += seconds; /* the host's */
    else
        *(seconds > machine->launch_s + little ? &result->moving_s : &result->launching_s) +=
            seconds;
}

static void summarise(const struct ff_model_machine *machine, const struct ff_timeline *timeline,
                      struct ff_model_result *result)
{
    result->seconds = ff_timeline_seconds(timeline);
    for (size_t i = 0; i < ff_timeline_count(timeline); i++) {
        const struct ff_model_played *played = ff_timeline_at(timeline, i);
        count_time(machine, played, result);
        if (!played->is_mark)
            count_launch(&played->launch, result);
    }
    result->moving_s /= result->devices;
    result->launching_s /= result->devices;
    result->waiting_s = result->seconds - result->moving_s - result->launching_s;
}

/* The batches follow each other, and each waits for the device that has most of it. */
static double find_uneven(const struct ff_model_epoch *epoch)
{
    double most = 0, all = 0;
    unsigned count = epoch->tiles->count;
    for (size_t i = 0; i < epoch->batches; i++) {
        double here = 0;
        for (unsigned j = 0; j < count; j++) {
            here = fmax(here, (double)epoch->parts[i * count + j].patterns);
            all += (double)epoch->parts[i * count + j].patterns;
        }
        most += here;
    }
    return most * count / all;
}

static int play(const struct ff_model_case *model, const struct ff_model_epoch *epoch,
                struct ff_model_result *result, struct ff_error *error)
{
    struct ff_model_queued queued;
    struct ff_timeline *timeline = ff_timeline_create(&model->machine, epoch->tiles->count, error);
    if (timeline == NULL)
        return -1;
    int status = ff_model_queue_epoch(timeline, &model->machine, epoch, model->size, model->modes,
                                      model->algorithm, &queued, error);
    if (status == 0)
        status = ff_timeline_play(timeline, error);
    if (status == 0) {
        result->devices = epoch->tiles->count;
        result->exchanged_bytes = queued.exchanged_bytes;
        result->uneven = find_uneven(epoch);
        summarise(&model->machine, timeline, result);
    }
    ff_timeline_destroy(timeline);
    return status;
}

size_t ff_model_at_once(const struct ff_model_case *model)
{
    size_t batch = (model->patterns + model->batches - 1) / model->batches;
    return ff_model_chunk_limit(model->size, model->modes, model->machine.cache, batch);
}

int ff_model_run(const struct ff_model_case *model, unsigned devices,
                 struct ff_model_result *result, struct ff_error *error)
{
    struct ff_model_scan scan;
    struct ff_model_epoch epoch = {0};
    *result = (struct ff_model_result){0};
    if (ff_model_scan_create(model->patterns, model->size, model->step, &scan, error) < 0)
        return -1;
    int status = ff_model_epoch_create(&scan, devices, model->batches, model->modes,
                                       model->machine.cache, &epoch, error);
    if (status == 0)
        status = play(model, &epoch, result, error);
    result->object = scan.object;
    ff_model_epoch_release(&epoch);
    ff_model_scan_release(&scan);
    return status;
}

/* Steps with settled sums: of the object, and of the probes, which are as many parts as have weights of their own. */
#include "functions/reconstruct/backends/cuda/step.h"
#include "functions/reconstruct/backends/cuda/state.h"

/* One part at most of the object and three of the probe: the first mode, the others, the eigenprobes. */
struct parts {
    struct ff_cuda_part part[FF_CUDA_PARTS];
    const unsigned *greatest[FF_CUDA_PARTS];
    unsigned count;
};

static void add_object(const struct ff_backend *b, struct parts *parts)
{
    parts->greatest[parts->count] = b->greatest;
    parts->part[parts->count++] = (struct ff_cuda_part){
        .planes = 1,
        .rows = b->tile.rows,
        .columns = b->tile.columns,
        .value = b->object[0],
        .gradient = b->gradient,
        .velocity = b->object[FF_OBJECT_VELOCITY - FF_OBJECT],
        .last = b->object[FF_OBJECT_GRADIENT - FF_OBJECT],
        .direction = b->object[FF_OBJECT_DIRECTION - FF_OBJECT],
        .weight = b->weight,
        .areas = b->owned_device,
        .area_count = b->owned_count,
        .gain = 1,
    };
}

/* Probes [first, end), which have one weight. */
static void add_probes(const struct ff_backend *b, struct parts *parts, size_t first, size_t end,
                       size_t power, float gain)
{
    size_t size = (size_t)b->shape.rows * b->shape.columns;
    struct ff_cuda_part *part = &parts->part[parts->count];
    if (first == end)
        return;
    *part = (struct ff_cuda_part){
        .planes = end - first,
        .rows = b->shape.rows,
        .columns = b->shape.columns,
        .value = b->probe[0] + first * size,
        .gradient = b->probe_gradient + first * size,
        .weight = b->power + power * size,
        .gain = gain,
    };
    if (b->probe[FF_PROBE_VELOCITY - FF_PROBE] != NULL)
        part->velocity = b->probe[FF_PROBE_VELOCITY - FF_PROBE] + first * size;
    if (b->probe[FF_PROBE_DIRECTION - FF_PROBE] != NULL) {
        part->direction = b->probe[FF_PROBE_DIRECTION - FF_PROBE] + first * size;
        part->last = b->probe[FF_PROBE_GRADIENT - FF_PROBE] + first * size;
    }
    parts->greatest[parts->count++] = b->greatest + 1 + power;
}

static void add_all_probes(const struct ff_backend *b, struct parts *parts)
{
    size_t modes = b->shape.modes;
    if (b->powers == 1) {
        add_probes(b, parts, 0, modes, 0, 1);
        return;
    }
    add_probes(b, parts, 0, 1, 1, 1);
    add_probes(b, parts, 1, modes, 0, 1);
    add_probes(b, parts, modes, b->probes, 1, (float)b->shape.eigenprobes);
}

static struct ff_cuda_divisor divisor_of(const struct ff_update *update, double alpha,
                                         const unsigned *greatest)
{
    if (update->normalised)
        return (struct ff_cuda_divisor){0, 1, NULL};
    return (struct ff_cuda_divisor){1 - (float)alpha, (float)alpha, greatest};
}

static void move(struct ff_backend *b, const struct parts *parts, const struct ff_update *update,
                 double alpha, double length)
{
    for (unsigned i = 0; i < parts->count; i++) {
        struct ff_cuda_divisor divisor = divisor_of(update, alpha, parts->greatest[i]);
        if (update->momentum > 0)
            ff_cuda_accelerate_part(&b->calls, b->stream, &parts->part[i], divisor, (float)length,
                                    (float)update->momentum);
        else
            ff_cuda_step_part(&b->calls, b->stream, &parts->part[i], divisor, (float)length);
    }
}

void ff_cuda_update(struct ff_backend *b, const struct ff_update *update)
{
    struct parts object = {.count = 0};
    struct parts probes = {.count = 0};
    ff_cuda_use(&b->calls);
    if ((b->want & FF_WANT_OBJECT) && update->step_object > 0)
        add_object(b, &object);
    if ((b->want & FF_WANT_PROBE) && update->step_probe > 0)
        add_all_probes(b, &probes);
    move(b, &object, update, update->alpha_object, update->step_object);
    move(b, &probes, update, update->alpha_probe, update->step_probe);
}

void ff_cuda_normalise(struct ff_backend *b, const struct ff_update *update)
{
    struct parts parts = {.count = 0};
    ff_cuda_use(&b->calls);
    if (b->want & FF_WANT_OBJECT)
        add_object(b, &parts);
    unsigned objects = parts.count;
    if (b->want & FF_WANT_PROBE)
        add_all_probes(b, &parts);
    for (unsigned i = 0; i < parts.count; i++) {
        double alpha = i < objects ? update->alpha_object : update->alpha_probe;
        ff_cuda_normalise_part(&b->calls, b->stream, &parts.part[i],
                               divisor_of(update, alpha, parts.greatest[i]));
    }
}

/* Numbers of part `i`, for wait_for_answer(). */
static double *pieces_of(const struct ff_backend *b, unsigned i)
{
    return b->answer_pieces + (size_t)i * FF_CUDA_ANSWER_PIECES * FF_CUDA_ANSWER_NUMBERS;
}

/* Adds the pieces of the parts from `first` on, and waits. */
static void wait_for_answer(struct ff_backend *b, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        ff_cuda_add_pieces(&b->calls, b->stream, pieces_of(b, i),
                           b->answer + i * FF_CUDA_ANSWER_NUMBERS);
    FF_CUDA(&b->calls, cudaStreamSynchronize(b->stream));
}

struct ff_length_terms ff_cuda_lengths(struct ff_backend *b, const struct ff_update *update)
{
    struct parts parts = {.count = 0};
    struct ff_length_terms terms = {0, 0, 0, 0};
    ff_cuda_use(&b->calls);
    if (b->want & FF_WANT_OBJECT)
        add_object(b, &parts);
    unsigned objects = parts.count;
    if (b->want & FF_WANT_PROBE)
        add_all_probes(b, &parts);
    for (unsigned i = 0; i < parts.count; i++) {
        double alpha = i < objects ? update->alpha_object : update->alpha_probe;
        ff_cuda_length_pieces(&b->calls, b->stream, &parts.part[i],
                              divisor_of(update, alpha, parts.greatest[i]), pieces_of(b, i));
    }
    wait_for_answer(b, parts.count);
    for (unsigned i = 0; i < parts.count && !b->calls.failed; i++) {
        const double *answer = b->answer + i * FF_CUDA_ANSWER_NUMBERS;
        *(i < objects ? &terms.object_slope : &terms.probe_slope) += answer[0];
        *(i < objects ? &terms.object_curve : &terms.probe_curve) += answer[1];
    }
    return terms;
}

static struct parts parts_to_turn(const struct ff_backend *b, enum ff_part part)
{
    struct parts parts = {.count = 0};
    if (part == FF_PART_OBJECT)
        add_object(b, &parts);
    else
        add_all_probes(b, &parts);
    return parts;
}

struct ff_turn_terms ff_cuda_turn_terms(struct ff_backend *b, enum ff_part part, double alpha)
{
    const struct parts parts = parts_to_turn(b, part);
    struct ff_turn_terms terms = {0, 0, 0};
    ff_cuda_use(&b->calls);
    for (unsigned i = 0; i < parts.count; i++)
        ff_cuda_turn_pieces(&b->calls, b->stream, &parts.part[i],
                            (struct ff_cuda_divisor){0, (float)alpha, parts.greatest[i]},
                            pieces_of(b, i));
    wait_for_answer(b, parts.count);
    for (unsigned i = 0; i < parts.count && !b->calls.failed; i++) {
        const double *answer = b->answer + i * FF_CUDA_ANSWER_NUMBERS;
        terms.zg += answer[0];
        terms.z_last += answer[1];
        terms.dg += answer[2];
    }
    return terms;
}

void ff_cuda_turn(struct ff_backend *b, enum ff_part part, double alpha, double beta)
{
    const struct parts parts = parts_to_turn(b, part);
    ff_cuda_use(&b->calls);
    for (unsigned i = 0; i < parts.count; i++)
        ff_cuda_turn_part(&b->calls, b->stream, &parts.part[i],
                          (struct ff_cuda_divisor){0, (float)alpha, parts.greatest[i]},
                          (float)beta);
}

/* Steps with settled sums: of the object, and of the probes, which are as many parts as have weights of their own. */
#include "functions/reconstruct/backends/cuda/step.h"
#include "functions/reconstruct/backends/cuda/exchange.h"
#include "functions/reconstruct/backends/cuda/state.h"

static void add_object(const struct ff_backend *b, struct ff_cuda_parts *parts,
                       struct ff_cuda_divisor divisor, double length)
{
    divisor.greatest = divisor.greatest != NULL ? b->greatest : NULL;
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
        .divisor = divisor,
        .length = (float)length,
        .gain = 1,
    };
}

static float2 *probe_field(const struct ff_backend *b, enum ff_field field, size_t first)
{
    float2 *values = b->probe[field - FF_PROBE];
    return values != NULL ? values + first * b->shape.rows * b->shape.columns : NULL;
}

/* Probes [first, end), which have one weight. */
static void add_probes(const struct ff_backend *b, struct ff_cuda_parts *parts, size_t first,
                       size_t end, size_t power, struct ff_cuda_divisor divisor, double length)
{
    size_t size = (size_t)b->shape.rows * b->shape.columns;
    if (first == end)
        return;
    divisor.greatest = divisor.greatest != NULL ? b->greatest + 1 + power : NULL;
    parts->part[parts->count++] = (struct ff_cuda_part){
        .planes = end - first,
        .rows = b->shape.rows,
        .columns = b->shape.columns,
        .value = probe_field(b, FF_PROBE, first),
        .gradient = b->probe_gradient + first * size,
        .velocity = probe_field(b, FF_PROBE_VELOCITY, first),
        .last = probe_field(b, FF_PROBE_GRADIENT, first),
        .direction = probe_field(b, FF_PROBE_DIRECTION, first),
        .weight = b->power + power * size,
        .divisor = divisor,
        .length = (float)length,
        .gain = first < b->shape.modes ? 1 : (float)b->shape.eigenprobes,
    };
}

static void add_all_probes(const struct ff_backend *b, struct ff_cuda_parts *parts,
                           struct ff_cuda_divisor divisor, double length)
{
    size_t modes = b->shape.modes;
    if (b->powers == 1) {
        add_probes(b, parts, 0, modes, 0, divisor, length);
        return;
    }
    add_probes(b, parts, 0, 1, 1, divisor, length);
    add_probes(b, parts, 1, modes, 0, divisor, length);
    add_probes(b, parts, modes, b->probes, 1, divisor, length);
}

/* `greatest` is any pointer of the backend's maxima, to be replaced by that of the part. */
static struct ff_cuda_divisor divisor_of(const struct ff_backend *b, const struct ff_update *update,
                                         double alpha)
{
    if (update->normalised)
        return (struct ff_cuda_divisor){0, 1, NULL};
    return (struct ff_cuda_divisor){1 - (float)alpha, (float)alpha, b->greatest};
}

/* What the last batch formed sums of; returns how many parts are of the object. */
static uint32_t parts_of(const struct ff_backend *b, const struct ff_update *update,
                         bool with_object, bool with_probe, struct ff_cuda_parts *parts)
{
    parts->count = 0;
    if (with_object && (b->want & FF_WANT_OBJECT))
        add_object(b, parts, divisor_of(b, update, update->alpha_object), update->step_object);
    uint32_t of_object = parts->count;
    if (with_probe && (b->want & FF_WANT_PROBE))
        add_all_probes(b, parts, divisor_of(b, update, update->alpha_probe), update->step_probe);
    return of_object;
}

static struct ff_cuda_settled_step settled_step(const struct ff_backend *b,
                                                const struct ff_update *update)
{
    bool object = (b->want & FF_WANT_OBJECT) && update->step_object > 0;
    bool probe = (b->want & FF_WANT_PROBE) && update->step_probe > 0;
    return (struct ff_cuda_settled_step){
        .object = object ? b->object[0] : NULL,
        .gradient = b->gradient,
        .weight = b->weight,
        .tile_rows = (uint32_t)b->tile.rows,
        .tile_columns = (uint32_t)b->tile.columns,
        .probe = probe ? b->probe[0] : NULL,
        .modes = b->shape.modes,
        .alpha_object = (float)update->alpha_object,
        .alpha_probe = (float)update->alpha_probe,
        .length_object = (float)update->step_object,
        .length_probe = (float)update->step_probe,
    };
}

void ff_cuda_update(struct ff_backend *b, const struct ff_update *update)
{
    struct ff_cuda_parts parts;
    ff_cuda_use(&b->calls);
    if (b->is_settled) {
        b->step = settled_step(b, update);
        ff_cuda_exchange_step(b->exchange, &b->settled, &b->step, b->stream);
        return;
    }
    parts_of(b, update, update->step_object > 0, update->step_probe > 0, &parts);
    if (update->momentum > 0)
        ff_cuda_accelerate_parts(&b->calls, b->stream, &parts, (float)update->momentum);
    else
        ff_cuda_step_parts(&b->calls, b->stream, &parts);
}

void ff_cuda_take_steps(struct ff_backend *b, struct ff_backend *const *peers)
{
    (void)peers;
    if (!b->is_settled)
        return;
    ff_cuda_use(&b->calls);
    ff_cuda_exchange_take_steps(b->exchange, &b->settled, &b->step, b->stream);
    b->is_settled = false;
}

void ff_cuda_normalise(struct ff_backend *b, const struct ff_update *update)
{
    struct ff_cuda_parts parts;
    ff_cuda_use(&b->calls);
    parts_of(b, update, true, true, &parts);
    ff_cuda_await_taken(b, b->stream); /* others read whole sums where they stand */
    ff_cuda_normalise_parts(&b->calls, b->stream, &parts);
}

/* The numbers of part i, after waiting for them; zeros after a failure. */
static const double *answer_of(struct ff_backend *b, uint32_t i)
{
    static const double nothing[FF_CUDA_ANSWER_NUMBERS];
    return b->calls.failed ? nothing : b->answer + (size_t)i * FF_CUDA_ANSWER_NUMBERS;
}

struct ff_length_terms ff_cuda_lengths(struct ff_backend *b, const struct ff_update *update)
{
    struct ff_cuda_parts parts;
    struct ff_length_terms terms = {0, 0, 0, 0};
    ff_cuda_use(&b->calls);
    uint32_t of_object = parts_of(b, update, true, true, &parts);
    ff_cuda_lengths_of_parts(&b->calls, b->stream, &parts, b->answer_pieces, b->answer);
    FF_CUDA(&b->calls, cudaStreamSynchronize(b->stream));
    for (uint32_t i = 0; i < parts.count; i++) {
        const double *answer = answer_of(b, i);
        *(i < of_object ? &terms.object_slope : &terms.probe_slope) += answer[0];
        *(i < of_object ? &terms.object_curve : &terms.probe_curve) += answer[1];
    }
    return terms;
}

static void parts_to_turn(const struct ff_backend *b, enum ff_part part, double alpha,
                          struct ff_cuda_parts *parts)
{
    const struct ff_cuda_divisor divisor = {0, (float)alpha, b->greatest};
    parts->count = 0;
    if (part == FF_PART_OBJECT)
        add_object(b, parts, divisor, 0);
    else
        add_all_probes(b, parts, divisor, 0);
}

struct ff_turn_terms ff_cuda_turn_terms(struct ff_backend *b, enum ff_part part, double alpha)
{
    struct ff_cuda_parts parts;
    struct ff_turn_terms terms = {0, 0, 0};
    ff_cuda_use(&b->calls);
    parts_to_turn(b, part, alpha, &parts);
    ff_cuda_turn_terms_of_parts(&b->calls, b->stream, &parts, b->answer_pieces, b->answer);
    FF_CUDA(&b->calls, cudaStreamSynchronize(b->stream));
    for (uint32_t i = 0; i < parts.count; i++) {
        const double *answer = answer_of(b, i);
        terms.zg += answer[0];
        terms.z_last += answer[1];
        terms.dg += answer[2];
    }
    return terms;
}

void ff_cuda_turn(struct ff_backend *b, enum ff_part part, double alpha, double beta)
{
    struct ff_cuda_parts parts;
    ff_cuda_use(&b->calls);
    parts_to_turn(b, part, alpha, &parts);
    ff_cuda_turn_parts(&b->calls, b->stream, &parts, (float)beta);
}

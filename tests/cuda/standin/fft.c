/* What the backend uses of cuFFT, by FFTW: batches of transforms of complex numbers in float, neither direction normalised. */
#include "machine.h"
#include "sanitizer.h"

#include <cufft.h>
#include <fftw3.h>
#include <stdlib.h>

enum { PLANS = 1024, RANK = 3 };

struct layout {
    int shape[RANK]; /* of the array that a transform is part of */
    int stride, distance;
};

struct plan {
    bool created, made, allocates;
    unsigned device;
    int rank, size[RANK], batch;
    struct layout in, out;
    struct stream *stream;
    void *work, *own_work;
    size_t work_size;
    fftwf_plan plans[2][2]; /* out of place or in place; forward or back. Made when first needed */
};

static struct plan plans[PLANS];

struct transform {
    struct operation operation; /* first */
    struct plan *plan;
    uint8_t *from, *to;
    int direction;
    void *work;
};

static struct plan *plan_of(cufftHandle handle)
{
    return handle >= 1 && handle < PLANS && plans[handle].created ? &plans[handle] : NULL;
}

void standin_forget_stream(const struct stream *stream)
{
    for (int i = 1; i < PLANS; i++)
        if (plans[i].created && plans[i].stream == stream)
            plans[i].stream = NULL;
}

/* cuFFT's calls fail like CUDA's where a test wants it; what they fail with must be looked at. */
static cufftResult enter(const char *call)
{
    return standin_enter(call) == cudaSuccess ? CUFFT_SUCCESS : CUFFT_EXEC_FAILED;
}

static cufftResult leave(const char *call, cufftResult result)
{
    standin_leave(call, result == CUFFT_SUCCESS ? cudaSuccess : cudaErrorUnknown);
    return result;
}

static cufftResult create(cufftHandle *handle)
{
    for (int i = 1; i < PLANS; i++) {
        if (plans[i].created)
            continue;
        plans[i] =
            (struct plan){.created = true, .allocates = true, .device = standin_current()->number};
        standin_machine.plans++;
        *handle = i;
        return CUFFT_SUCCESS;
    }
    return CUFFT_ALLOC_FAILED;
}

static size_t elements(const struct plan *plan)
{
    size_t count = 1;
    for (int i = 0; i < plan->rank; i++)
        count *= (size_t)plan->size[i];
    return count;
}

static struct layout layout_of(const struct plan *plan, const int *embed, int stride, int distance)
{
    struct layout layout = {.stride = 1, .distance = (int)elements(plan)};
    for (int i = 0; i < plan->rank; i++)
        layout.shape[i] = embed != NULL ? embed[i] : plan->size[i];
    if (embed != NULL) { /* as cuFFT: without a shape, strides are not looked at */
        layout.stride = stride;
        layout.distance = distance;
    }
    return layout;
}

/* Bytes from the first element of a batch to behind its last. */
static size_t extent(const struct plan *plan, const struct layout *layout)
{
    size_t last = 0;
    for (int i = 0; i < plan->rank; i++)
        last = last * (size_t)layout->shape[i] + (size_t)plan->size[i] - 1;
    last = last * (size_t)layout->stride + (size_t)(plan->batch - 1) * (size_t)layout->distance;
    return (last + 1) * sizeof(cufftComplex);
}

static cufftResult give_work(struct plan *plan)
{
    struct device *device = &standin_machine.device[plan->device];
    if (!plan->allocates)
        return CUFFT_SUCCESS;
    if (plan->work_size > device->memory - device->arena.live_bytes)
        return CUFFT_ALLOC_FAILED;
    plan->work = plan->own_work = standin_arena_take(plan->device, plan->work_size);
    return plan->work != NULL ? CUFFT_SUCCESS : CUFFT_ALLOC_FAILED;
}

/* The work area is as large as the data: what cuFFT takes for sizes with large factors. */
static cufftResult set_size(struct plan *plan, int rank, const int *size, cufftType type, int batch)
{
    if (plan->made || type != CUFFT_C2C || rank < 1 || rank > RANK || batch < 1)
        return CUFFT_INVALID_VALUE;
    for (int i = 0; i < rank; i++) {
        if (size[i] < 1)
            return CUFFT_INVALID_SIZE;
        plan->size[i] = size[i];
    }
    plan->rank = rank;
    plan->batch = batch;
    plan->work_size = elements(plan) * (size_t)batch * sizeof(cufftComplex);
    return CUFFT_SUCCESS;
}

static cufftResult make(struct plan *plan, int rank, const int *size, struct layout in,
                        struct layout out, cufftType type, int batch)
{
    if (plan == NULL)
        return CUFFT_INVALID_PLAN;
    cufftResult result = set_size(plan, rank, size, type, batch);
    if (result != CUFFT_SUCCESS)
        return result;
    plan->in = in;
    plan->out = out;
    result = give_work(plan);
    plan->made = result == CUFFT_SUCCESS;
    return result;
}

static void destroy(struct plan *plan)
{
    if (plan->stream != NULL)
        standin_finish(plan->stream);
    if (plan->own_work != NULL) {
        standin_finish_device(plan->device);
        standin_arena_give(plan->device, standin_allocation_of(plan->own_work, 0));
    }
    for (int place = 0; place < 2; place++)
        for (int direction = 0; direction < 2; direction++)
            if (plan->plans[place][direction] != NULL)
                fftwf_destroy_plan(plan->plans[place][direction]);
    plan->created = false;
    standin_machine.plans--;
}

/* --- the calls --- */

cufftResult cufftCreate(cufftHandle *handle)
{
    cufftResult result = enter("cufftCreate");
    if (result == CUFFT_SUCCESS)
        result = create(handle);
    return leave("cufftCreate", result);
}

static cufftResult make_many(cufftHandle handle, int rank, const int *size, const int *in_shape,
                             int in_stride, int in_distance, const int *out_shape, int out_stride,
                             int out_distance, cufftType type, int batch)
{
    struct plan *plan = plan_of(handle);
    if (plan == NULL)
        return CUFFT_INVALID_PLAN;
    struct plan sizes = {0};
    cufftResult result = set_size(&sizes, rank, size, type, batch);
    if (result != CUFFT_SUCCESS)
        return result;
    return make(plan, rank, size, layout_of(&sizes, in_shape, in_stride, in_distance),
                layout_of(&sizes, out_shape, out_stride, out_distance), type, batch);
}

cufftResult cufftMakePlanMany(cufftHandle handle, int rank, int *size, int *in_shape, int in_stride,
                              int in_distance, int *out_shape, int out_stride, int out_distance,
                              cufftType type, int batch, size_t *work_size)
{
    cufftResult result = enter("cufftMakePlanMany");
    if (result == CUFFT_SUCCESS)
        result = make_many(handle, rank, size, in_shape, in_stride, in_distance, out_shape,
                           out_stride, out_distance, type, batch);
    if (result == CUFFT_SUCCESS && work_size != NULL)
        *work_size = plan_of(handle)->work_size;
    return leave("cufftMakePlanMany", result);
}

cufftResult cufftPlanMany(cufftHandle *handle, int rank, int *size, int *in_shape, int in_stride,
                          int in_distance, int *out_shape, int out_stride, int out_distance,
                          cufftType type, int batch)
{
    cufftResult result = enter("cufftPlanMany");
    if (result == CUFFT_SUCCESS) {
        cufftHandle made = 0;
        result = create(&made);
        if (result == CUFFT_SUCCESS) {
            result = make_many(made, rank, size, in_shape, in_stride, in_distance, out_shape,
                               out_stride, out_distance, type, batch);
            if (result == CUFFT_SUCCESS)
                *handle = made;
            else
                destroy(plan_of(made));
        }
    }
    return leave("cufftPlanMany", result);
}

cufftResult cufftDestroy(cufftHandle handle)
{
    cufftResult result = enter("cufftDestroy");
    struct plan *plan = plan_of(handle);
    if (plan == NULL)
        result = CUFFT_INVALID_PLAN;
    else
        destroy(plan);
    return leave("cufftDestroy", result);
}

cufftResult cufftSetAutoAllocation(cufftHandle handle, int automatic)
{
    cufftResult result = enter("cufftSetAutoAllocation");
    struct plan *plan = plan_of(handle);
    if (result == CUFFT_SUCCESS && plan == NULL)
        result = CUFFT_INVALID_PLAN;
    if (result == CUFFT_SUCCESS)
        plan->allocates = automatic != 0;
    return leave("cufftSetAutoAllocation", result);
}

cufftResult cufftSetWorkArea(cufftHandle handle, void *area)
{
    cufftResult result = enter("cufftSetWorkArea");
    struct plan *plan = plan_of(handle);
    if (result == CUFFT_SUCCESS && plan == NULL)
        result = CUFFT_INVALID_PLAN;
    if (result == CUFFT_SUCCESS)
        plan->work = area;
    return leave("cufftSetWorkArea", result);
}

cufftResult cufftGetSize(cufftHandle handle, size_t *size)
{
    cufftResult result = enter("cufftGetSize");
    struct plan *plan = plan_of(handle);
    if (result == CUFFT_SUCCESS && plan == NULL)
        result = CUFFT_INVALID_PLAN;
    if (result == CUFFT_SUCCESS)
        *size = plan->work_size;
    return leave("cufftGetSize", result);
}

static cufftResult estimate(const char *call, int rank, const int *size, cufftType type, int batch,
                            size_t *work_size)
{
    cufftResult result = enter(call);
    struct plan sizes = {0};
    if (result == CUFFT_SUCCESS)
        result = set_size(&sizes, rank, size, type, batch);
    if (result == CUFFT_SUCCESS)
        *work_size = sizes.work_size;
    return leave(call, result);
}

/* The prototype is that of cuFFT. NOLINTBEGIN(readability-non-const-parameter) */
cufftResult cufftEstimateMany(int rank, int *size, int *in_shape, int in_stride, int in_distance,
                              int *out_shape, int out_stride, int out_distance, cufftType type,
                              int batch, size_t *work_size)
{
    (void)in_shape, (void)in_stride, (void)in_distance;
    (void)out_shape, (void)out_stride, (void)out_distance;
    return estimate("cufftEstimateMany", rank, size, type, batch, work_size);
}
/* NOLINTEND(readability-non-const-parameter) */

cufftResult cufftSetStream(cufftHandle handle, cudaStream_t stream)
{
    cufftResult result = enter("cufftSetStream");
    struct plan *plan = plan_of(handle);
    if (result == CUFFT_SUCCESS && plan == NULL)
        result = CUFFT_INVALID_PLAN;
    if (result == CUFFT_SUCCESS) {
        plan->stream = standin_stream(stream);
        if (plan->stream == NULL || plan->stream->device != plan->device)
            result = CUFFT_INVALID_VALUE;
    }
    return leave("cufftSetStream", result);
}

cufftResult cufftGetVersion(int *version)
{
    *version = CUFFT_VERSION;
    return CUFFT_SUCCESS;
}

/* --- the transform --- */

static fftwf_plan plan_for(struct plan *plan, fftwf_complex *from, fftwf_complex *to, int direction)
{
    fftwf_plan *kept = &plan->plans[from == to][direction == CUFFT_INVERSE];
    if (*kept == NULL) /* by estimate, which touches no data */
        *kept = fftwf_plan_many_dft(plan->rank, plan->size, plan->batch, from, plan->in.shape,
                                    plan->in.stride, plan->in.distance, to, plan->out.shape,
                                    plan->out.stride, plan->out.distance,
                                    direction == CUFFT_FORWARD ? FFTW_FORWARD : FFTW_BACKWARD,
                                    FFTW_ESTIMATE | FFTW_UNALIGNED);
    if (*kept == NULL)
        standin_fault("FFTW has no plan for this transform");
    return *kept;
}

static void check_range(const char *what, const uint8_t *data, size_t size)
{
    if (standin_device_of(data) < 0 || standin_allocation_of(data, size) == NULL)
        standin_fault("cufftExecC2C: the %s, %zu bytes from %p, is not all within one allocation",
                      what, size, (const void *)data);
}

/* What lies in the work area is lost, as with cuFFT: whoever shares it finds out. */
static void run_transform(struct operation *operation)
{
    struct transform *transform = (struct transform *)operation;
    struct plan *plan = transform->plan;
    size_t in_size = extent(plan, &plan->in), out_size = extent(plan, &plan->out);
    check_range("input", transform->from, in_size);
    check_range("output", transform->to, out_size);
    check_range("work area", transform->work, plan->work_size);
    fftwf_complex *from = (fftwf_complex *)(void *)transform->from;
    fftwf_complex *to = (fftwf_complex *)(void *)transform->to;
    standin_gate_set(1U << plan->device | standin_machine.device[plan->device].access);
    THREAD_WRITES(transform->work, plan->work_size);
    standin_fill_bytes(transform->work, 0xff, plan->work_size);
    THREAD_READS(from, in_size);
    THREAD_WRITES(to, out_size);
    fftwf_execute_dft(plan_for(plan, from, to, transform->direction), from, to);
    standin_count_transforms((size_t)plan->batch,
                             elements(plan) * (size_t)plan->batch * sizeof(cufftComplex));
}

static cufftResult execute(cufftHandle handle, cufftComplex *from, cufftComplex *to, int direction)
{
    struct plan *plan = plan_of(handle);
    if (plan == NULL || !plan->made)
        return CUFFT_INVALID_PLAN;
    if (plan->device != standin_current()->number)
        return CUFFT_INVALID_DEVICE;
    if (plan->work == NULL)
        return CUFFT_NO_WORKSPACE;
    if (plan->stream == NULL)
        standin_fault("cufftExecC2C on the default stream: cufftSetStream was not called");
    if (from == NULL || to == NULL || (direction != CUFFT_FORWARD && direction != CUFFT_INVERSE))
        return CUFFT_INVALID_VALUE;
    struct transform *transform = standin_allocate(1, sizeof *transform);
    *transform = (struct transform){
        .operation = {.name = "cufftExecC2C", .run = run_transform},
        .plan = plan,
        .from = (uint8_t *)from,
        .to = (uint8_t *)to,
        .direction = direction,
        .work = plan->work,
    };
    standin_queue(plan->stream, &transform->operation);
    return CUFFT_SUCCESS;
}

cufftResult cufftExecC2C(cufftHandle handle, cufftComplex *from, cufftComplex *to, int direction)
{
    cufftResult result = enter("cufftExecC2C");
    if (result == CUFFT_SUCCESS)
        result = execute(handle, from, to, direction);
    return leave("cufftExecC2C", result);
}

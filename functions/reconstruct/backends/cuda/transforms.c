#include "functions/reconstruct/backends/cuda/transforms.h"

#include "functions/reconstruct/backends/cuda/plans.h"

#include <stdlib.h>
#include <string.h>

enum { PLANS = 64 }; /* kept at once; of more sizes the one that was asked for longest ago goes */

struct plan {
    struct ff_cuda_plan made;
    uint64_t used; /* when */
};

struct ff_cuda_transforms {
    struct ff_cuda_calls *calls;
    struct ff_cuda_memory *memory;
    cudaStream_t stream;
    int size[2];
    struct plan plans[PLANS];
    unsigned plan_count;
    uint64_t now;
    void *area;
    size_t area_size;
    struct ff_error *error; /* of create, while it is at work; else NULL */
    bool told;              /* there, how much memory was wanted, and how much there is */
};

/* Plans may need more room for fewer waves than for many. The area they had until then stays: what is queued may use it. */
static bool give_area(struct ff_cuda_transforms *t, cufftHandle handle, size_t size)
{
    if (size > t->area_size) {
        void *area = ff_cuda_device(t->memory, t->calls, t->stream, size, 1,
                                    "the work area of transforms", t->error);
        t->told = area == NULL;
        if (t->told)
            return false;
        t->area = area;
        t->area_size = size;
        for (unsigned i = 0; i < t->plan_count; i++)
            FF_CUFFT(t->calls, cufftSetWorkArea(t->plans[i].made.handle, area));
    }
    return FF_CUFFT(t->calls, cufftSetWorkArea(handle, t->area));
}

static bool make_anew(struct ff_cuda_transforms *t, struct ff_cuda_plan *plan)
{
    int distance = t->size[0] * t->size[1];
    if (!FF_CUFFT(t->calls, cufftCreate(&plan->handle)))
        return false;
    if (FF_CUFFT(t->calls, cufftSetAutoAllocation(plan->handle, 0)) &&
        FF_CUFFT(t->calls,
                 cufftMakePlanMany(plan->handle, 2, t->size, NULL, 1, distance, NULL, 1, distance,
                                   CUFFT_C2C, (int)plan->shape.count, &plan->area_bytes)))
        return true;
    FF_CUFFT_ALWAYS(t->calls, cufftDestroy(plan->handle));
    return false;
}

/* One that an earlier run left, or a new one. */
static bool make_plan(struct ff_cuda_transforms *t, struct plan *plan, size_t count)
{
    *plan = (struct plan){.made.shape = {t->calls->device, {t->size[0], t->size[1]}, count}};
    if (!ff_cuda_plans_take(&plan->made.shape, &plan->made) && !make_anew(t, &plan->made))
        return false;
    if (FF_CUFFT(t->calls, cufftSetStream(plan->made.handle, t->stream)) &&
        give_area(t, plan->made.handle, plan->made.area_bytes))
        return true;
    FF_CUFFT_ALWAYS(t->calls, cufftDestroy(plan->made.handle));
    return false;
}

static struct plan *oldest_plan(struct ff_cuda_transforms *t)
{
    struct plan *oldest = &t->plans[0];
    for (unsigned i = 1; i < t->plan_count; i++)
        if (t->plans[i].used < oldest->used)
            oldest = &t->plans[i];
    return oldest;
}

/* The plan for so many waves, made when there is none; NULL after a failure. */
static struct plan *plan_for(struct ff_cuda_transforms *t, size_t count)
{
    struct plan made;
    for (unsigned i = 0; i < t->plan_count; i++)
        if (t->plans[i].made.shape.count == count)
            return &t->plans[i];
    if (!make_plan(t, &made, count))
        return NULL;
    if (t->plan_count < PLANS) {
        t->plans[t->plan_count] = made;
        return &t->plans[t->plan_count++];
    }
    struct plan *oldest = oldest_plan(t);
    FF_CUDA(t->calls, cudaStreamSynchronize(t->stream)); /* what is queued may use it */
    FF_CUFFT_ALWAYS(t->calls, cufftDestroy(oldest->made.handle));
    *oldest = made;
    return oldest;
}

struct ff_cuda_transforms *ff_cuda_transforms_create(struct ff_cuda_calls *calls,
                                                     struct ff_cuda_memory *memory,
                                                     cudaStream_t stream, uint32_t rows,
                                                     uint32_t columns, size_t most,
                                                     struct ff_error *error)
{
    struct ff_cuda_transforms *t = calloc(1, sizeof *t);
    if (t == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory for the transforms");
        return NULL;
    }
    t->calls = calls;
    t->memory = memory;
    t->stream = stream;
    t->size[0] = (int)rows;
    t->size[1] = (int)columns;
    t->error = error;
    bool made = plan_for(t, most) != NULL;
    t->error = NULL;
    if (made)
        return t;
    if (!t->told && ff_cuda_report(calls, error) == 0)
        ff_fail(error, FF_NO_MEMORY, "no memory for the transforms");
    ff_cuda_transforms_destroy(t);
    return NULL;
}

void ff_cuda_transforms_destroy(struct ff_cuda_transforms *t)
{
    if (t == NULL)
        return;
    for (unsigned i = 0; i < t->plan_count; i++)
        ff_cuda_plans_keep(t->calls, &t->plans[i].made);
    free(t);
}

bool ff_cuda_transform(struct ff_cuda_transforms *t, float2 *waves, size_t count, int direction)
{
    struct plan *plan = count > 0 ? plan_for(t, count) : NULL;
    if (plan == NULL)
        return count == 0;
    plan->used = ++t->now;
    return FF_CUFFT(t->calls, cufftExecC2C(plan->made.handle, waves, waves, direction));
}

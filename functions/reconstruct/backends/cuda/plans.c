#include "functions/reconstruct/backends/cuda/plans.h"

#include <pthread.h>
#include <string.h>

enum { PLANS = 64 };

static struct ff_cuda_plan kept[PLANS]; /* in the order of their coming */
static unsigned kept_count;
static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;

static bool same(const struct ff_cuda_plan_shape *a, const struct ff_cuda_plan_shape *b)
{
    return a->device == b->device && a->size[0] == b->size[0] && a->size[1] == b->size[1] &&
           a->count == b->count;
}

static struct ff_cuda_plan remove_at(unsigned i)
{
    struct ff_cuda_plan plan = kept[i];
    kept_count--;
    memmove(kept + i, kept + i + 1, (kept_count - i) * sizeof *kept);
    return plan;
}

bool ff_cuda_plans_take(const struct ff_cuda_plan_shape *shape, struct ff_cuda_plan *plan)
{
    bool found = false;
    pthread_mutex_lock(&guard);
    for (unsigned i = 0; i < kept_count && !found; i++) {
        if (!same(&kept[i].shape, shape))
            continue;
        *plan = remove_at(i);
        found = true;
    }
    pthread_mutex_unlock(&guard);
    return found;
}

void ff_cuda_plans_keep(struct ff_cuda_calls *calls, const struct ff_cuda_plan *plan)
{
    struct ff_cuda_plan oldest = *plan;
    bool full = true;
    if (!calls->failed) {
        pthread_mutex_lock(&guard);
        full = kept_count == PLANS;
        if (full)
            oldest = remove_at(0);
        kept[kept_count++] = *plan;
        pthread_mutex_unlock(&guard);
    }
    if (full)
        FF_CUFFT_ALWAYS(calls, cufftDestroy(oldest.handle));
}

void ff_cuda_plans_drop(void)
{
    pthread_mutex_lock(&guard);
    while (kept_count > 0) {
        struct ff_cuda_plan plan = remove_at(0);
        struct ff_cuda_calls calls;
        ff_cuda_begin(&calls, plan.shape.device);
        FF_CUFFT_ALWAYS(&calls, cufftDestroy(plan.handle));
    }
    pthread_mutex_unlock(&guard);
}

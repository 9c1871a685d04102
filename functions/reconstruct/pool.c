#include "functions/reconstruct/pool.h"

#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SPINS = 4000, THREAD_LIMIT = 1024 };

struct thread {
    struct ff_pool *pool;
    pthread_t handle;
    unsigned number;
};

/*
 * One round: the caller sets the work, then raises `round`; each thread that sees a new round takes
 * pieces until there are none and counts itself out of `busy`. The caller leaves when busy is 0, so
 * the work and its context are never looked at after ff_pool_run has returned.
 */
struct ff_pool {
    unsigned threads;
    struct thread *others;
    unsigned started;
    ff_pool_work *work;
    void *context;
    unsigned count;
    bool each; /* piece i belongs to thread i */
    _Alignas(64) atomic_uint round;
    _Alignas(64) atomic_uint next;
    _Alignas(64) atomic_uint busy;
    atomic_bool ending;
};

static void pause_briefly(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

static void futex_wait(atomic_uint *word, unsigned value)
{
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void futex_wake(atomic_uint *word)
{
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

/* Returns when *word is no longer `value`. */
static void wait_change(atomic_uint *word, unsigned value)
{
    for (unsigned spin = 0; spin < SPINS; spin++) {
        if (atomic_load_explicit(word, memory_order_acquire) != value)
            return;
        pause_briefly();
    }
    while (atomic_load_explicit(word, memory_order_acquire) == value)
        futex_wait(word, value);
}

static void take_pieces(struct ff_pool *pool, unsigned thread)
{
    if (pool->each) {
        pool->work(pool->context, thread, thread);
        return;
    }
    for (;;) {
        unsigned piece = atomic_fetch_add_explicit(&pool->next, 1, memory_order_relaxed);
        if (piece >= pool->count)
            return;
        pool->work(pool->context, piece, thread);
    }
}

static void *thread_main(void *argument)
{
    struct thread *self = argument;
    struct ff_pool *pool = self->pool;
    unsigned seen = 0;
    for (;;) {
        wait_change(&pool->round, seen);
        seen++;
        if (atomic_load_explicit(&pool->ending, memory_order_acquire))
            return NULL;
        take_pieces(pool, self->number);
        if (atomic_fetch_sub_explicit(&pool->busy, 1, memory_order_acq_rel) == 1)
            futex_wake(&pool->busy);
    }
}

static void run_round(struct ff_pool *pool, ff_pool_work *work, void *context, unsigned count,
                      bool each)
{
    pool->work = work;
    pool->context = context;
    pool->count = count;
    pool->each = each;
    atomic_store_explicit(&pool->next, 0, memory_order_relaxed);
    if (pool->threads > 1 && count > 1) {
        atomic_store_explicit(&pool->busy, pool->threads - 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&pool->round, 1, memory_order_release);
        futex_wake(&pool->round);
        take_pieces(pool, 0);
        for (unsigned busy; (busy = atomic_load_explicit(&pool->busy, memory_order_acquire)) != 0;)
            wait_change(&pool->busy, busy);
    } else {
        take_pieces(pool, 0);
    }
}

void ff_pool_run(struct ff_pool *pool, ff_pool_work *work, void *context, unsigned count)
{
    run_round(pool, work, context, count, false);
}

void ff_pool_each(struct ff_pool *pool, ff_pool_work *work, void *context)
{
    run_round(pool, work, context, pool->threads, true);
}

static void pin(pthread_t thread, int core)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)core, &set);
    /* A core outside of what the process may use is refused by the kernel; the thread then stays
     * where it may be. */
    pthread_setaffinity_np(thread, sizeof set, &set);
}

struct ff_pool *ff_pool_create(unsigned threads, const int *cores, unsigned core_count,
                               struct ff_error *error)
{
    if (threads < 1 || threads > THREAD_LIMIT) {
        ff_fail(error, FF_INVALID_ARGUMENT, "%u threads; there may be 1 to %d", threads,
                THREAD_LIMIT);
        return NULL;
    }
    struct ff_pool *pool = aligned_alloc(64, (sizeof *pool + 63) / 64 * 64);
    if (pool != NULL) {
        memset(pool, 0, sizeof *pool);
        pool->threads = threads;
        pool->others = calloc(threads, sizeof *pool->others);
    }
    if (pool == NULL || pool->others == NULL) {
        free(pool);
        ff_fail(error, FF_NO_MEMORY, "no memory for %u threads", threads);
        return NULL;
    }
    for (unsigned i = 0; i + 1 < threads; i++) {
        struct thread *thread = &pool->others[i];
        thread->pool = pool;
        thread->number = i + 1;
        if (pthread_create(&thread->handle, NULL, thread_main, thread) != 0) {
            ff_fail(error, FF_NO_MEMORY, "the kernel gives no %uth thread", i + 2);
            ff_pool_destroy(pool);
            return NULL;
        }
        pool->started++;
        if (cores != NULL && core_count > 0)
            pin(thread->handle, cores[(i + 1) % core_count]);
    }
    return pool;
}

unsigned ff_pool_cores(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) < 0)
        return 1;
    int count = CPU_COUNT(&set);
    return count > 0 ? (unsigned)count : 1;
}

unsigned ff_pool_threads(const struct ff_pool *pool)
{
    return pool->threads;
}

void ff_pool_destroy(struct ff_pool *pool)
{
    if (pool == NULL)
        return;
    atomic_store_explicit(&pool->ending, true, memory_order_release);
    atomic_fetch_add_explicit(&pool->round, 1, memory_order_release);
    futex_wake(&pool->round);
    for (unsigned i = 0; i < pool->started; i++)
        pthread_join(pool->others[i].handle, NULL);
    free(pool->others);
    free(pool);
}

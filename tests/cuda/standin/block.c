/*
 * Blocks, one after the other. The threads of a block are run by fibers: a fiber takes one thread after the other until
 * one has to wait; only then does another fiber go on. So a block without barriers changes no stack at all.
 * Under the thread sanitizer each thread has a fiber of its own, and what one thread may rely on of another is told by
 * hand: a barrier, a warp's exchange, the launch, its end.
 */
#include "fiber.h"
#include "machine.h"
#include "sanitizer.h"

#include <malloc.h>
#include <stdlib.h>

uint3 threadIdx, blockIdx;
dim3 blockDim, gridDim;

/* All bits of a new lane are zero. */
enum lane_state { LANE_NEW, LANE_READY, LANE_RUNS, LANE_AT_BARRIER, LANE_IN_WARP, LANE_DONE };

struct lane {
    enum lane_state state;
    struct fiber *fiber;
    const char *file; /* where it waits */
    int line;
    unsigned barriers, exchanges; /* so far: two sets of what both need, in turn */
};

struct warp {
    uint64_t values[2][32];
    unsigned given[2];
    unsigned arrived; /* lanes that wait in an exchange */
    unsigned ended;
    const char *file; /* of the exchange that is under way */
    int line;
};

struct block {
    struct launch *launch;
    unsigned threads, started, ended, at_barrier;
    const char *file; /* of the barrier that is under way */
    int line;
    unsigned order[BLOCK_THREADS]; /* in which threads start */
    struct lane lanes[BLOCK_THREADS];
    struct warp warps[BLOCK_THREADS / 32];
    unsigned current; /* thread */
    /* ready to go on, a ring */
    unsigned ready[BLOCK_THREADS], first_ready, count_ready;
    struct fiber *host, *running;
    struct fiber *idle[BLOCK_THREADS]; /* they wait for a thread to run */
    unsigned idle_count;
    uint8_t *shared;
};

static struct block block;

#if defined(__SANITIZE_ADDRESS__)
static const size_t stack_size = 256 << 10;
#else
static const size_t stack_size = UNDER_THREAD_SANITIZER ? 96 << 10 : 64 << 10;
#endif

static void give_index(unsigned thread)
{
    dim3 shape = block.launch->block;
    block.current = thread;
    threadIdx = (uint3){thread % shape.x, thread / shape.x % shape.y, thread / shape.x / shape.y};
}

/* --- who runs next --- */

static void make_ready(unsigned thread)
{
    block.lanes[thread].state = LANE_READY;
    block.ready[(block.first_ready + block.count_ready++) % BLOCK_THREADS] = thread;
}

static unsigned take_ready(void)
{
    unsigned thread = block.ready[block.first_ready];
    block.first_ready = (block.first_ready + 1) % BLOCK_THREADS;
    block.count_ready--;
    return thread;
}

static void run_threads(void *unused);

static void put_fiber(struct fiber *fiber)
{
    if (!UNDER_THREAD_SANITIZER)
        block.idle[block.idle_count++] = fiber;
}

static struct fiber *make_fiber(void)
{
    return standin_fiber_create(stack_size, run_threads, NULL);
}

/* For the thread sanitizer each thread of a block has a fiber of its own, which is new for each launch: what it did in
 * the last would count as known. They are made here and not by a thread of the block, for a new one knows what its maker
 * knows. */
static void renew_fibers(void)
{
    for (unsigned i = 0; i < block.threads && i < block.idle_count; i++)
        standin_fiber_renew(block.idle[i]);
    for (; block.idle_count < block.threads; block.idle_count++)
        block.idle[block.idle_count] = make_fiber();
}

static struct fiber *take_fiber(void)
{
    if (UNDER_THREAD_SANITIZER)
        return block.idle[block.started];
    return block.idle_count > 0 ? block.idle[--block.idle_count] : make_fiber();
}

static void report_divergence(void)
{
    const struct lane *waits = NULL, *other = NULL;
    unsigned who = 0;
    for (unsigned i = 0; i < block.threads; i++) {
        const struct lane *lane = &block.lanes[i];
        if (lane->state == LANE_AT_BARRIER && waits == NULL) {
            waits = lane;
            who = i;
        } else if (lane->state == LANE_IN_WARP) {
            other = lane;
        }
    }
    if (waits == NULL)
        waits = other;
    if (waits == NULL)
        standin_fault("%s: nothing in the block can go on", block.launch->work->name);
    standin_fault("divergent barrier in %s: thread %u waits at %s:%d for threads that do not come "
                  "(%u of %u have ended)",
                  block.launch->work->name, who, waits->file, waits->line, block.ended,
                  block.threads);
}

/* Leaves `from` for whatever can run; `from` waits, or is idle. */
static void go_on(struct fiber *from)
{
    struct fiber *to = block.host;
    if (block.started < block.threads) {
        to = take_fiber();
    } else if (block.count_ready > 0) {
        unsigned thread = take_ready();
        to = block.lanes[thread].fiber;
        block.lanes[thread].state = LANE_RUNS;
        give_index(thread);
    } else if (block.ended < block.threads) {
        report_divergence();
    }
    block.running = to;
    if (to != from)
        standin_fiber_switch(from, to);
}

static void wait_as(enum lane_state state, const char *file, int line)
{
    unsigned thread = block.current;
    struct lane *lane = &block.lanes[thread];
    lane->state = state;
    lane->file = file;
    lane->line = line;
    go_on(lane->fiber);
    if (block.current != thread)
        standin_fault("the stand-in lost a thread");
}

/* --- the barrier of the block --- */

static void release_barrier(void)
{
    block.at_barrier = 0;
    for (unsigned i = 0; i < block.threads; i++) {
        unsigned thread = block.order[i];
        if (block.lanes[thread].state == LANE_AT_BARRIER)
            make_ready(thread);
    }
}

void standin_block_barrier(const char *file, int line)
{
    unsigned thread = block.current;
    const char *kernel = block.launch->work->name;
    if (block.ended > 0)
        standin_fault("divergent barrier in %s: thread %u came to %s:%d after others had ended",
                      kernel, thread, file, line);
    if (block.at_barrier > 0 && (line != block.line || file != block.file))
        standin_fault("divergent barrier in %s: thread %u came to %s:%d, others wait in line %d",
                      kernel, thread, file, line, block.line);
    block.file = file;
    block.line = line;
    char *sync = &block.launch->sync.barrier[block.lanes[thread].barriers++ & 1];
    THREAD_RELEASE(sync);
    if (++block.at_barrier == block.threads)
        release_barrier(); /* this thread is not among those that waited */
    else
        wait_as(LANE_AT_BARRIER, file, line);
    THREAD_ACQUIRE(sync);
}

/* --- the exchange of a warp --- */

static unsigned lanes_of(unsigned warp)
{
    unsigned count = block.threads - 32 * warp;
    return count >= 32 ? 0xffffffffU : (1U << count) - 1;
}

static void release_warp(unsigned number)
{
    struct warp *warp = &block.warps[number];
    for (unsigned lane = 0; lane < 32; lane++)
        if ((warp->arrived >> lane & 1) != 0 &&
            block.lanes[32 * number + lane].state == LANE_IN_WARP)
            make_ready(32 * number + lane);
    warp->arrived = 0;
}

unsigned standin_lane(void)
{
    return block.current % 32;
}

static void check_exchange(const struct warp *warp, unsigned live, unsigned mask, const char *file,
                           int line)
{
    unsigned self = 1U << block.current % 32;
    if ((mask & self) == 0 || (live & ~mask) != 0)
        standin_fault("%s:%d in %s: the mask %08x leaves out lanes of the warp that live (%08x)",
                      file, line, block.launch->work->name, mask, live);
    if (warp->arrived != 0 && (line != warp->line || file != warp->file))
        standin_fault("divergent warp in %s: thread %u came to %s:%d, others wait in line %d",
                      block.launch->work->name, block.current, file, line, warp->line);
}

uint64_t standin_warp_exchange(unsigned mask, uint64_t value, unsigned lane, unsigned *given,
                               uint64_t values[32], const char *file, int line)
{
    unsigned thread = block.current, number = thread / 32;
    struct warp *warp = &block.warps[number];
    unsigned live = lanes_of(number) & ~warp->ended;
    check_exchange(warp, live, mask, file, line);
    unsigned slot = block.lanes[thread].exchanges++ & 1;
    if (warp->arrived == 0)
        warp->given[slot] = 0;
    warp->file = file;
    warp->line = line;
    warp->values[slot][thread % 32] = value;
    warp->given[slot] |= 1U << thread % 32;
    warp->arrived |= 1U << thread % 32;
    THREAD_RELEASE(&block.launch->sync.warps[number][slot]);
    if (warp->arrived == live)
        release_warp(number);
    else
        wait_as(LANE_IN_WARP, file, line);
    THREAD_ACQUIRE(&block.launch->sync.warps[number][slot]);
    *given = warp->given[slot];
    for (unsigned i = 0; values != NULL && i < 32; i++)
        values[i] = warp->values[slot][i];
    return lane < 32 && (*given >> lane & 1) != 0 ? warp->values[slot][lane] : UINT64_MAX;
}

/* --- the end of a thread --- */

static void end_of_thread(unsigned thread)
{
    struct warp *warp = &block.warps[thread / 32];
    block.lanes[thread].state = LANE_DONE;
    block.ended++;
    warp->ended |= 1U << thread % 32;
    if (warp->arrived != 0 && warp->arrived == (lanes_of(thread / 32) & ~warp->ended))
        release_warp(thread / 32);
}

/* What every fiber does: starts threads of blocks, one after the other. */
static void run_threads(void *unused)
{
    (void)unused;
    struct fiber *self = block.running;
    for (;;) {
        unsigned thread = block.order[block.started++];
        struct lane *lane = &block.lanes[thread];
        lane->state = LANE_RUNS;
        lane->fiber = self;
        give_index(thread);
        THREAD_ACQUIRE(&block.launch->sync.start);
        block.launch->work->run(block.launch->work);
        THREAD_RELEASE(&block.launch->sync.end);
        end_of_thread(thread);
        /* Goes on with the next thread itself, unless the sanitizer must see another. */
        if (block.started < block.threads && !UNDER_THREAD_SANITIZER)
            continue;
        put_fiber(self);
        go_on(self);
    }
}

/* --- the grid --- */

void *standin_dynamic_shared(void)
{
    return block.shared;
}

/* The order of threads: as numbered, reversed, or by chance. */
static void order_threads(void)
{
    for (unsigned i = 0; i < block.threads; i++)
        block.order[i] = standin_machine.reversed ? block.threads - 1 - i : i;
    if (standin_machine.seed == 0)
        return;
    for (unsigned i = block.threads; i > 1; i--) {
        unsigned other = standin_random(i), kept = block.order[i - 1];
        block.order[i - 1] = block.order[other];
        block.order[other] = kept;
    }
}

static void run_block(void)
{
    block.started = block.ended = block.at_barrier = block.count_ready = block.first_ready = 0;
    if (UNDER_THREAD_SANITIZER && standin_machine.blocks_apart) /* of its own, never given back */
        block.shared = standin_allocate(1, MOST_SHARED);
    THREAD_RELEASE(&block.launch->sync.start);
    standin_fill_shared();
    if (block.launch->shared_bytes > 0)
        standin_fill_bytes(block.shared, 0xff, block.launch->shared_bytes);
    standin_fill_bytes(block.lanes, LANE_NEW, block.threads * sizeof *block.lanes);
    for (unsigned i = 0; i < (block.threads + 31) / 32; i++)
        block.warps[i].arrived = block.warps[i].ended = 0;
    order_threads();
    go_on(block.host);
    if (standin_machine.blocks_apart) {
        if (UNDER_THREAD_SANITIZER)
            renew_fibers();
    } else { /* as if they followed each other on one multiprocessor */
        THREAD_ACQUIRE(&block.launch->sync.end);
    }
}

static void open_shared(size_t size)
{
    ADDRESS_UNPOISON(block.shared, MOST_SHARED);
    if (block.shared == NULL)
        block.shared = aligned_alloc(128, MOST_SHARED);
    if (block.shared == NULL)
        standin_fault("no shared memory");
    ADDRESS_POISON(block.shared + size, MOST_SHARED - size);
}

static uint64_t any_below(uint64_t blocks)
{
    return standin_random(blocks > UINT32_MAX ? UINT32_MAX : (unsigned)blocks);
}

static uint64_t common_divisor(uint64_t a, uint64_t b)
{
    while (b != 0) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* The order of blocks: as numbered, or by chance, from any of them on in steps that come to all. */
struct walk {
    uint64_t number, step;
};

static struct walk begin_walk(uint64_t blocks)
{
    struct walk walk = {0, 1};
    if (standin_machine.seed == 0)
        return walk;
    walk.number = any_below(blocks);
    do
        walk.step = 1 + any_below(blocks);
    while (common_divisor(walk.step, blocks) > 1);
    return walk;
}

void standin_run_grid(struct launch *launch)
{
    dim3 grid = launch->grid;
    uint64_t blocks = (uint64_t)grid.x * grid.y * grid.z;
    if (block.host == NULL)
        block.host = standin_fiber_of_host();
    block.launch = launch;
    block.threads = launch->block.x * launch->block.y * launch->block.z;
    gridDim = grid;
    blockDim = launch->block;
    open_shared(launch->shared_bytes);
    if (UNDER_THREAD_SANITIZER)
        renew_fibers();
    struct walk walk = begin_walk(blocks);
    for (uint64_t i = 0; i < blocks; i++, walk.number = (walk.number + walk.step) % blocks) {
        uint64_t number = standin_machine.reversed ? blocks - 1 - walk.number : walk.number;
        blockIdx = (uint3){(unsigned)(number % grid.x), (unsigned)(number / grid.x % grid.y),
                           (unsigned)(number / grid.x / grid.y)};
        run_block();
    }
    THREAD_ACQUIRE(&block.launch->sync.end);
}

bool standin_block_owns(const void *address)
{
    const uint8_t *at = address;
    const uint8_t *work = (const uint8_t *)block.launch->work;
    return standin_fiber_holds(block.running, address) ||
           (at >= block.shared && at < block.shared + MOST_SHARED) ||
           (at >= work && at < work + malloc_usable_size((void *)(uintptr_t)work));
}

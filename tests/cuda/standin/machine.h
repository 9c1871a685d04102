/*
 * tests/cuda/standin/machine.h: what the parts of the stand-in know of each other. One lock guards all of it: every call
 * of CUDA takes it (standin_enter, standin_leave), and whoever holds it runs the operations of streams, one at a time.
 *
 * Order of reading: machine.c (devices, calls), memory.c over arena.c and gate.c, queue.c (streams and when they
 * run), copy.c, launch.c over block.c and fiber.c, fft.c, count.c.
 */
#ifndef FF_TESTS_CUDA_STANDIN_MACHINE_H
#define FF_TESTS_CUDA_STANDIN_MACHINE_H

#include "control.h"
#include "work.h"

#include <stdbool.h>

enum {
    SPACE_BETWEEN = 256,       /* bytes that belong to nobody behind each allocation */
    DEFAULT_SHARED = 48 << 10, /* dynamic shared memory that a kernel may have unasked */
    MOST_SHARED = 227 << 10,
    BLOCK_THREADS = 1024,
};

/* --- faults --- */

/* The program under test did what CUDA forbids or leaves to chance: says so and aborts. */
void standin_fault(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
/* What the stand-in itself cannot do without. */
void *standin_allocate(size_t count, size_t size);

/* --- memory of a device --- */

struct allocation {
    struct allocation *before, *after; /* by address */
    uint8_t *data;
    size_t size;
};

struct arena {
    uint8_t *base;
    size_t used; /* all allocations ever made lie below: no address is given twice */
    struct allocation *first, *last;
    size_t live_bytes;
};

void standin_arenas_create(unsigned count);
void *standin_arena_take(unsigned device, size_t size); /* filled with 0xFF; NULL: no more room */
void standin_arena_give(unsigned device, struct allocation *allocation);
void standin_arena_reset(unsigned device);
/* The device whose memory it is, or -1. */
int standin_device_of(const void *address);
/* The allocation that holds all of these bytes, or NULL. */
struct allocation *standin_allocation_of(const void *address, size_t size);

/* Which devices' memory can be touched now: a set. An operation opens what it needs and leaves it open for the next, for
 * this may take a call for each run of pages; with the lock it is closed. */
void standin_gate_set(unsigned devices);
unsigned standin_gate_state(void);
void standin_gate_create(void);
/* What a forbidden access says; again for each machine, for a test's own handler may have taken its place. */
void standin_gate_watch(void);
/* Bytes of an arena come to be, or cease: whole pages. */
void standin_gate_add(unsigned device, uint8_t *data, size_t size);
void standin_gate_remove(unsigned device, uint8_t *data, size_t size);
size_t standin_page(void);
/* What runs, for the message about a forbidden access; NULL: the host. */
void standin_gate_running(const char *what, int device);
void standin_gate_message(char *text, size_t size, const void *address);

/* --- the machine --- */

struct device {
    unsigned number;
    unsigned
        identity; /* which of the machine's: another number where CUDA_VISIBLE_DEVICES hides some */
    struct arena arena;
    size_t memory;   /* bytes in all */
    size_t cache;    /* bytes of the second cache; 0: those of its kind */
    unsigned access; /* set of devices whose memory this one was given access to */
    unsigned can_access;
    int rank[STANDIN_DEVICES];
    int major, minor;
    cudaError_t lost;         /* what every call says since the device failed */
    unsigned operations_left; /* until then, when failing was asked for */
    cudaError_t lose_with;
};

struct machine {
    bool begun;
    int driver;        /* the CUDA version that it is for */
    unsigned devices;  /* visible ones */
    bool none_visible; /* one is kept all the same, for what must have a device */
    struct device device[STANDIN_DEVICES];
    enum standin_order order;
    bool reversed;
    bool blocks_apart;
    uint64_t seed, random;         /* random: state of the generator */
    unsigned haste;                /* seeded: at each call up to so many operations run, 0 to 2 */
    unsigned events, plans, hosts; /* not given back yet */
    struct stream *streams;
    uint64_t tick; /* operations so far */
    char fail_call[48];
    unsigned fail_in;
    cudaError_t fail_with;
    char forget_call[48];
    unsigned forget_in;
    bool forgets_all;
};

extern struct machine standin_machine;

/* A number below `bound`. */
unsigned standin_random(unsigned bound);
struct device *standin_current(void);
/* Another device becomes this thread's; returns the last. */
int standin_make_current(int device);

void standin_lock(void);
void standin_unlock(void);
/* Lets other threads have the lock for a moment. */
void standin_pause(void);

/* environment.c: a new machine, set up as the environment says. */
void standin_set_up_from_environment(void);
void standin_set_up(unsigned devices, enum standin_order order, uint64_t seed);
void standin_set_fail_call(const char *call, unsigned n, cudaError_t error);

/* Between these this thread runs a host function of a stream, which must not call CUDA. */
void standin_host_function_begin(void);
void standin_host_function_end(void);

/* Begins a call: what it must fail with before it does anything, or success. */
cudaError_t standin_enter(const char *call);
/* Within it: whether the call is one that is forgotten. */
bool standin_forgets(const char *call);
/* Ends it; keeps the failure for cudaGetLastError(). */
cudaError_t standin_leave(const char *call, cudaError_t status);
/* What a failed call of another library (cuFFT) leaves to be looked at. */
void standin_note_failure(const char *call, cudaError_t status);
/* A fault when a failure of this thread was never looked at. Called where the host waits. */
void standin_check_looked_at(void);

/* --- streams --- */

/* A point in a stream that others may wait for: one recording of an event. */
struct mark {
    unsigned holders;
    bool done;
    struct stream *stream;
    uint64_t when_ns;
    char sync; /* its address stands for the happens-before edge */
};

struct operation {
    struct operation *next;
    struct stream *stream;
    const char *name;
    void (*run)(struct operation *operation);
    void (*destroy)(struct operation *operation); /* NULL: free */
    struct mark *waits_for;                       /* the operation does nothing but wait */
    bool of_host;                                 /* runs without the lock */
    char sync;
};

struct stream {
    struct stream *next;
    unsigned device, number, rank;
    bool busy; /* an operation of it runs */
    struct operation *first, *last;
    void *fiber; /* of the thread sanitizer */
    char sync;
};

/* NULL with *status set where the handle is none, or is the default stream. */
struct stream *standin_stream(cudaStream_t handle);
/* Appends, and runs whatever the order wants. Takes the operation. */
void standin_queue(struct stream *stream, struct operation *operation);
/* Runs until the stream is empty; and until the mark is done. */
void standin_finish(struct stream *stream);
void standin_finish_mark(struct mark *mark);
void standin_finish_device(unsigned device);
/* Runs one operation, as a host that asks whether something is done gives the device time. */
void standin_run_a_little(struct stream *stream);
struct mark *standin_mark_hold(struct mark *mark);
void standin_mark_drop(struct mark *mark);
struct stream *standin_stream_create(unsigned device);
void standin_stream_destroy(struct stream *stream);
/* Plans of transforms that were to run on a stream, which is destroyed, run on none. */
void standin_forget_stream(const struct stream *stream);

/* --- host memory --- */

bool standin_is_pinned(const void *address, size_t size);
/* The lock is held; frees what is left. */
unsigned standin_hosts_left(void);

/* --- kernels --- */

struct launch {
    dim3 grid, block;
    size_t shared_bytes;
    struct standin_work *work;
    struct {
        char start, end, barrier[2], warps[BLOCK_THREADS / 32][2];
    } sync; /* their addresses stand for happens-before edges, of this launch alone. Two for what comes again: who
               leaves late must not learn of those who have come again already */
};

/* Static shared memory of all kernels: finds it (when a machine begins), and empties it (for each block). */
void standin_find_shared(void);
void standin_fill_shared(void);
void standin_run_grid(struct launch *launch);
/* Whether the thread that runs may touch it: its stack, the block's shared memory, the arguments. */
bool standin_block_owns(const void *address);
/* A fault where a kernel touches memory of the host that is neither its own nor pinned. */
void standin_check_host_access(const void *address, size_t size);
void standin_forget_kernels(void);

/* --- counts --- */

void standin_count_launch_begin(const char *name, unsigned device, uint64_t threads);
void standin_count_launch_end(void);
void standin_count_copy(enum standin_copy kind, int from, int to, size_t bytes);
void standin_count_transforms(size_t transforms, size_t bytes);
void standin_count_wait(void);

/* Copies that no sanitizer's interceptor sees; what they touch is told to it apart. */
void standin_copy_bytes(void *to, const void *from, size_t size);
void standin_fill_bytes(void *to, int value, size_t size);

#endif

/* The machine as a whole: how it begins and ends, and what every call does first and last. */
#include "machine.h"

#include <linux/futex.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

struct machine standin_machine;

/* Of each host thread: its device, and the failure that nobody has looked at. */
static __thread int current_device;
static __thread cudaError_t last_failure;
static __thread char last_call[48];
static __thread bool in_host_function;

void standin_fault(const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    fprintf(stderr, "CUDA stand-in: %s\n", text);
    fflush(stderr);
    abort();
}

void *standin_allocate(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (memory == NULL)
        standin_fault("out of memory for the stand-in itself");
    return memory;
}

/* --- the lock: by hand, for a mutex would tell the thread sanitizer of an order that CUDA does not promise --- */

static int lock_state; /* 0 free, 1 held, 2 held and wanted */

void standin_lock(void)
{
    int seen = 0;
    if (__atomic_compare_exchange_n(&lock_state, &seen, 1, false, __ATOMIC_ACQUIRE,
                                    __ATOMIC_RELAXED))
        return;
    while (__atomic_exchange_n(&lock_state, 2, __ATOMIC_ACQUIRE) != 0)
        syscall(SYS_futex, &lock_state, FUTEX_WAIT_PRIVATE, 2, NULL, NULL, 0);
}

void standin_unlock(void)
{
    standin_gate_set(0);
    if (__atomic_exchange_n(&lock_state, 0, __ATOMIC_RELEASE) == 2)
        syscall(SYS_futex, &lock_state, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

void standin_pause(void)
{
    standin_unlock();
    usleep(50);
    standin_lock();
}

/* --- chance --- */

unsigned standin_random(unsigned bound)
{
    uint64_t z = standin_machine.random += 0x9e3779b97f4a7c15U; /* splitmix64 */
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
    z = (z ^ z >> 27) * 0x94d049bb133111ebU;
    return (unsigned)(((z ^ z >> 31) >> 32) * bound >> 32);
}

static void set_order(enum standin_order order, uint64_t seed)
{
    standin_machine.order = order;
    standin_machine.seed = standin_machine.random = seed;
    standin_machine.haste = standin_random(3);
}

/* --- begin and end --- */

void standin_set_up(unsigned devices, enum standin_order order, uint64_t seed)
{
    struct machine *machine = &standin_machine;
    if (devices < 1 || devices > STANDIN_DEVICES)
        standin_fault("%u devices: 1 to %d can be had", devices, STANDIN_DEVICES);
    machine->begun = true;
    machine->driver = CUDART_VERSION;
    machine->devices = devices;
    machine->none_visible = false;
    machine->reversed = machine->blocks_apart = false;
    machine->fail_call[0] = machine->forget_call[0] = '\0';
    set_order(order, seed);
    standin_arenas_create(devices);
    standin_gate_watch();
    standin_find_shared();
    for (unsigned i = 0; i < devices; i++) {
        struct device *device = &machine->device[i];
        struct arena arena = device->arena;
        *device = (struct device){
            .number = i,
            .identity = i,
            .arena = arena,
            .memory = (size_t)40 << 30,
            .can_access = ((1U << devices) - 1) & ~(1U << i),
            .major = 8,
        };
    }
    current_device = 0;
    last_failure = cudaSuccess;
}

/* What a device still holds, or 0. */
static void check_given_back(void)
{
    struct machine *machine = &standin_machine;
    unsigned streams = 0, allocations = 0, hosts = standin_hosts_left();
    for (struct stream *stream = machine->streams; stream != NULL; stream = stream->next)
        streams++;
    for (unsigned i = 0; i < machine->devices; i++)
        for (struct allocation *a = machine->device[i].arena.first; a != NULL; a = a->after)
            allocations++;
    if (streams + allocations + hosts + machine->events + machine->plans > 0)
        standin_fault("not given back: %u allocations, %u of pinned memory, %u streams, %u events, "
                      "%u plans",
                      allocations, hosts, streams, machine->events, machine->plans);
}

static void tear_down(void)
{
    if (!standin_machine.begun)
        return;
    standin_check_looked_at();
    for (struct stream *stream = standin_machine.streams; stream != NULL; stream = stream->next)
        standin_finish(stream);
    check_given_back();
    for (unsigned i = 0; i < standin_machine.devices; i++)
        standin_arena_reset(i);
    standin_forget_kernels();
    standin_machine.begun = false;
}

void standin_begin(unsigned devices, enum standin_order order, uint64_t seed)
{
    standin_lock();
    tear_down();
    standin_set_up(devices, order, seed);
    standin_unlock();
    standin_clear_counts();
}

void standin_end(void)
{
    standin_lock();
    tear_down();
    standin_unlock();
}

void standin_set_fail_call(const char *call, unsigned n, cudaError_t error)
{
    snprintf(standin_machine.fail_call, sizeof standin_machine.fail_call, "%s", call);
    standin_machine.fail_in = n;
    standin_machine.fail_with = error;
}

void standin_begin_from_environment(void)
{
    standin_lock();
    tear_down();
    standin_set_up_from_environment();
    standin_unlock();
    standin_clear_counts();
}

/* --- what tests set --- */

static struct device *device_of(unsigned device)
{
    if (device >= standin_machine.devices)
        standin_fault("there is no device %u", device);
    return &standin_machine.device[device];
}

void standin_set_order(enum standin_order order, uint64_t seed)
{
    standin_lock();
    set_order(order, seed);
    standin_unlock();
}

void standin_reverse_threads(int reversed)
{
    standin_machine.reversed = reversed != 0;
}

void standin_set_blocks_apart(int apart)
{
    standin_machine.blocks_apart = apart != 0;
}

void standin_set_memory(unsigned device, size_t bytes)
{
    device_of(device)->memory = bytes;
}

void standin_set_cache(unsigned device, size_t bytes)
{
    device_of(device)->cache = bytes;
}

void standin_set_capability(unsigned device, int major, int minor)
{
    device_of(device)->major = major;
    device_of(device)->minor = minor;
}

void standin_set_link(unsigned from, unsigned to, int access, int performance_rank)
{
    unsigned bit = 1U << device_of(to)->number;
    struct device *device = device_of(from);
    device->can_access = access != 0 ? device->can_access | bit : device->can_access & ~bit;
    device->rank[to] = performance_rank;
}

void standin_fail_call(const char *call, unsigned n, cudaError_t error)
{
    standin_set_fail_call(call, n, error);
}

void standin_forget_call(const char *call, unsigned n)
{
    snprintf(standin_machine.forget_call, sizeof standin_machine.forget_call, "%s", call);
    standin_machine.forget_in = n;
    standin_machine.forgets_all = n == 0;
}

unsigned standin_forgets_in(void)
{
    return standin_machine.forget_in;
}

bool standin_forgets(const char *call)
{
    struct machine *machine = &standin_machine;
    if (strcmp(call, machine->forget_call) != 0)
        return false;
    return machine->forgets_all || (machine->forget_in > 0 && --machine->forget_in == 0);
}

void standin_fail_device(unsigned device, unsigned operations, cudaError_t error)
{
    device_of(device)->operations_left = operations + 1;
    device_of(device)->lose_with = error;
}

/* --- calls --- */

struct device *standin_current(void)
{
    return &standin_machine.device[current_device];
}

int standin_make_current(int device)
{
    int last = current_device;
    current_device = device;
    return last;
}

void standin_host_function_begin(void)
{
    in_host_function = true;
}

void standin_host_function_end(void)
{
    in_host_function = false;
}

cudaError_t standin_enter(const char *call)
{
    struct machine *machine = &standin_machine;
    if (in_host_function)
        standin_fault("%s was called from a host function of a stream", call);
    standin_lock();
    if (!machine->begun)
        standin_set_up_from_environment();
    if ((unsigned)current_device >= machine->devices)
        current_device = 0;
    if (machine->fail_in > 0 && strcmp(call, machine->fail_call) == 0 && --machine->fail_in == 0)
        return machine->fail_with;
    return standin_current()->lost;
}

void standin_note_failure(const char *call, cudaError_t status)
{
    last_failure = status;
    snprintf(last_call, sizeof last_call, "%s", call);
}

cudaError_t standin_leave(const char *call, cudaError_t status)
{
    if (status != cudaSuccess && status != cudaErrorNotReady)
        standin_note_failure(call, status);
    standin_unlock();
    return status;
}

void standin_check_looked_at(void)
{
    if (last_failure != cudaSuccess)
        standin_fault("%s failed (%s), and nobody looked: cudaGetLastError() was not called before "
                      "the host waited",
                      last_call, cudaGetErrorName(last_failure));
}

cudaError_t cudaPeekAtLastError(void)
{
    return last_failure;
}

cudaError_t cudaGetLastError(void)
{
    cudaError_t failure = last_failure;
    last_failure = cudaSuccess;
    return failure;
}

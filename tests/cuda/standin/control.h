/*
 * tests/cuda/standin/control.h: what tests say to the pretend machine, and what it tells them.
 *
 * The environment gives the same for programs that know nothing of it; standin_begin() starts from there:
 *   FF_STANDIN_DEVICES=4            pretend devices (1)
 *   FF_STANDIN_ORDER=lazy           when streams run: see enum standin_order; seeded:NUMBER gives the seed
 *   FF_STANDIN_MEMORY=BYTES         of each device (40 GiB)
 *   FF_STANDIN_CACHE=BYTES          of the second cache of each (that of an A100 or H100)
 *   FF_STANDIN_GATE=keys|mprotect   what guards the devices' memory (keys where the processor has them)
 *   FF_STANDIN_FAIL=CALL:N          the N-th call of that name fails (cudaErrorUnknown, or as CALL:N=ERROR says);
 *                                   "launch" is that of kernels
 *   FF_STANDIN_LOSE=DEVICE:N        that device is lost after N operations (an uncorrectable ECC error)
 *   FF_STANDIN_DRIVER=12020         the CUDA version of the driver (that of the runtime); an older one offers no device
 *   FF_STANDIN_CAPABILITY=7.5,8.0   of the devices, in their order (8.0)
 *   CUDA_VISIBLE_DEVICES            as for CUDA: the devices that are seen, by number or UUID (STANDIN_UUID, as those
 *                                   of `farfield gpu pretend`)
 */
#ifndef FF_TESTS_CUDA_STANDIN_CONTROL_H
#define FF_TESTS_CUDA_STANDIN_CONTROL_H

#include <stddef.h>
#include <stdint.h>

#include <cuda_runtime_api.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { STANDIN_DEVICES = 16 }; /* at most */
#define STANDIN_UUID "00000000-0000-4000-8000-%012x"

/* Streams promise an order only where events or synchronisation make one. Whatever a program relies on beyond that
 * shows under one of these. */
enum standin_order {
    STANDIN_LAZY,   /* nothing runs until the host waits; then only what it waits for */
    STANDIN_MIRROR, /* nothing runs until the host waits; then what it waits for comes last */
    STANDIN_EAGER,  /* everything runs at once, as if the host were slow */
    STANDIN_SEEDED, /* by chance */
};

/* A new machine: devices without memory in use, streams or counts. All threads must have given back what they had
 * of the last one; what is left of it is a fault. */
void standin_begin(unsigned devices, enum standin_order order, uint64_t seed);
/* As the environment says. Called by itself where a program uses CUDA first. */
void standin_begin_from_environment(void);
/* Ends the machine: a fault where a failed call was never looked at, or memory, streams, events or plans are left. */
void standin_end(void);

/* Changes the order from here on. The seed also permutes threads and blocks; seed 0 leaves them in their order. */
void standin_set_order(enum standin_order order, uint64_t seed);
/* The order of threads within a block is reversed: what a missing barrier hides in one order shows in the other. */
void standin_reverse_threads(int reversed);

/* For the thread sanitizer alone: the blocks of a launch know nothing of each other, so that a race between them is
 * reported. Slow. */
void standin_set_blocks_apart(int apart);

/* --- what there is --- */

void standin_set_memory(unsigned device, size_t bytes);
/* Of the second cache, which says how much a program does at once. */
void standin_set_cache(unsigned device, size_t bytes);
/* Compute capability 8.0 (A100, at first) or 9.0 (H100). */
void standin_set_capability(unsigned device, int major, int minor);
/* Whether `from` can be given access to the memory of `to`, and how fast (0 fastest). At first: all can, 0. */
void standin_set_link(unsigned from, unsigned to, int access, int performance_rank);

/* --- failures --- */

/* The n-th call (from 1, from now on) whose name is `call` fails with `error` and does nothing. "launch" means
 * kernels. */
void standin_fail_call(const char *call, unsigned n, cudaError_t error);
/* The n-th call of that name (likewise; all of them where n is 0) does nothing and says that it has: a program that forgot it. For
 * cudaStreamWaitEvent (of an event that was recorded), cudaEventRecord and cudaDeviceEnablePeerAccess. */
void standin_forget_call(const char *call, unsigned n);
/* How many more such calls until it comes; 0: it came. */
unsigned standin_forgets_in(void);
/* After so many further operations of its streams the device is lost: every later call for it fails. */
void standin_fail_device(unsigned device, unsigned operations, cudaError_t error);

/* --- counts, since begin or standin_clear_counts() --- */

/* A kernel's launches. Bytes are counted only where the kernels were compiled for it (README.md): requested by loads, stores and atomics of device
 * memory; those of which were on another device; and in sectors of 32 bytes, each once a launch and direction. */
struct standin_kernel_count {
    const char *name;
    uint64_t launches, threads;
    uint64_t read_bytes, written_bytes, atomic_bytes, peer_bytes;
    uint64_t sector_read_bytes, sector_written_bytes;
};

enum standin_copy {
    STANDIN_COPY_TO_DEVICE,          /* from pinned memory */
    STANDIN_COPY_TO_DEVICE_PAGEABLE, /* these wait, or are staged: a program that streams has none */
    STANDIN_COPY_FROM_DEVICE,
    STANDIN_COPY_FROM_DEVICE_PAGEABLE,
    STANDIN_COPY_WITHIN,      /* of one device */
    STANDIN_COPY_PEER,        /* between devices, directly */
    STANDIN_COPY_PEER_STAGED, /* between devices without access, through the host */
    STANDIN_COPY_SET,         /* memset */
    STANDIN_COPIES,
};

struct standin_copy_count {
    uint64_t calls, bytes;
};

struct standin_transform_count {
    uint64_t calls, transforms;
    uint64_t
        bytes; /* of data, counted once: a transform reads and writes as many in each of its passes */
};

size_t standin_kernels(struct standin_kernel_count *counts,
                       size_t room); /* returns how many there are */
struct standin_copy_count standin_copies(enum standin_copy kind);
/* Bytes that went from one device to another by copies or by kernels. */
uint64_t standin_link_bytes(unsigned from, unsigned to);
struct standin_transform_count standin_transforms(void);
/* Times that the host waited: synchronise calls, and pageable copies from a device. */
uint64_t standin_waits(void);
void standin_clear_counts(void);

/* "keys", or "mprotect". */
const char *standin_gate(void);

#ifdef __cplusplus
}
#endif

#endif

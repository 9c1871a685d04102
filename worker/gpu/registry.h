/*
 * worker/gpu/registry.h: leases of the GPUs of one node, between all processes and users on it.
 *
 * A claim asks for some devices, all or none. Claims are served in the order of their tickets: one that has to wait keeps
 * all later claims away from every device that it may have, so a large one is not starved by small ones; claims whose
 * devices do not overlap do not see each other. What is given is a lease: the devices are locked through an open file
 * description of the lease's own, and stay taken as long as any process has it open. The kernel frees them when the
 * last such process is dead, so nothing that happens to a holder leaks a device.
 *
 * Waiting costs nothing: ff_gpus_fd becomes readable when devices may have become free (inotify: every end of a lease
 * or of a waiter closes a file description of the registry). The kernel tells of the close a moment before it drops
 * the locks, so after each such event ff_gpus_recheck_ms bids to look again after a growing while, a few times.
 *
 *     struct ff_gpu_claim *claim = ff_gpus_claim(gpus, 2, "task text", error);
 *     while ((got = ff_gpu_claim_try(claim, &lease, error)) == 0)
 *         …poll ff_gpus_fd for at most ff_gpus_recheck_ms, ff_gpus_drain…
 *
 * One registry belongs to one thread. Descriptors are close-on-exec.
 */
#ifndef FF_WORKER_GPU_REGISTRY_H
#define FF_WORKER_GPU_REGISTRY_H

#include "worker/gpu/devices.h"

struct ff_gpus;
struct ff_gpu_claim;
struct ff_gpu_lease;

/* Opens the registry at the pattern (ff_gpu_path_expand) and enters the devices of the node that are not in it yet. */
struct ff_gpus *ff_gpus_open(const char *pattern, struct ff_error *error) FF_MUST_USE;

/* Ends all claims; leases live on their own. NULL is fine. */
void ff_gpus_close(struct ff_gpus *gpus);
const char *ff_gpus_path(const struct ff_gpus *gpus);

/* Replaces the pretend devices in the registry. FF_BUSY while one of them is leased. */
int ff_gpus_pretend(struct ff_gpus *gpus, uint32_t count, struct ff_error *error) FF_MUST_USE;

/* How many devices this job may have; -1 when the registry cannot be read. */
int ff_gpus_allowed(struct ff_gpus *gpus, struct ff_error *error) FF_MUST_USE;

struct ff_gpu_info {
    struct ff_gpu_entry entry; /* its holder counts only when `leased` */
    bool leased;
    bool holder_alive; /* the process that took it; false: those that inherited it go on */
    bool allowed;      /* to this job */
};

/* All devices, in the order of the registry, and how many claims wait. Returns the number of devices. */
int ff_gpus_list(struct ff_gpus *gpus, struct ff_gpu_info list[FF_GPU_CAPACITY], uint32_t *waiting,
                 struct ff_error *error) FF_MUST_USE;

/* FF_NO_DEVICE when the job can never have so many. `task` is shown to people. */
struct ff_gpu_claim *ff_gpus_claim(struct ff_gpus *gpus, uint32_t count, const char *task,
                                   struct ff_error *error) FF_MUST_USE;

/* 1: *lease is the caller's, and the claim is served (destroy it). 0: not yet; the first such answer queues the claim. */
int ff_gpu_claim_try(struct ff_gpu_claim *claim, struct ff_gpu_lease **lease,
                     struct ff_error *error) FF_MUST_USE;

/* Blocks until served, at most `timeout_ms` (negative: for ever); FF_TIMED_OUT. For programs without a loop. */
int ff_gpu_claim_wait(struct ff_gpu_claim *claim, int timeout_ms, struct ff_gpu_lease **lease,
                      struct ff_error *error) FF_MUST_USE;

/* Whether no living claim before it, of any process, may have one of the same devices. */
bool ff_gpu_claim_is_next(struct ff_gpu_claim *claim);

/* Whether a living claim of any process waits for devices that this job may have. */
bool ff_gpus_are_wanted(struct ff_gpus *gpus);

/* Whom the claim waits for, in words ("2 GPUs: 1 of 4 is free, 0 claims are before"). */
void ff_gpu_claim_why(struct ff_gpu_claim *claim, char *text, size_t size);

/* Leaves the queue. NULL is fine. */
void ff_gpu_claim_destroy(struct ff_gpu_claim *claim);

/* Hears of ends of leases also while no claim waits. */
void ff_gpus_watch(struct ff_gpus *gpus);

int ff_gpus_fd(const struct ff_gpus *gpus);
void ff_gpus_drain(struct ff_gpus *gpus);

/* Milliseconds after which to try again although nothing was heard; -1: not at all. Each call counts as one look. */
int ff_gpus_recheck_ms(struct ff_gpus *gpus);

uint32_t ff_gpu_lease_count(const struct ff_gpu_lease *lease);

/* The UUIDs, comma between: the value for CUDA_VISIBLE_DEVICES. */
const char *ff_gpu_lease_uuids(const struct ff_gpu_lease *lease);

/* The descriptor to be inherited by whoever uses the devices. */
int ff_gpu_lease_fd(struct ff_gpu_lease *lease);

/* Writes down another task for the same lease. */
void ff_gpu_lease_set_task(struct ff_gpu_lease *lease, const char *task);

/* Frees the devices at once, also where other processes still have the descriptor: call it when they are dead. NULL is
 * fine. */
void ff_gpu_lease_release(struct ff_gpu_lease *lease);

#endif

/*
 * worker/leases.h: works that wait for GPUs.
 */
#ifndef FF_WORKER_LEASES_H
#define FF_WORKER_LEASES_H

#include "worker/work.h"

struct ff_leases;

struct ff_leases *ff_leases_create(struct ff_manager *manager, struct ff_error *error) FF_MUST_USE;
void ff_leases_destroy(struct ff_leases *leases);
unsigned ff_leases_devices(const struct ff_leases *leases);

/* How many of them no call of this manager can have now: others of the node hold them, or they rest. */
unsigned ff_leases_taken(struct ff_leases *leases);

/* Gets the work its devices, now or later; then ff_work_ready. */
void ff_leases_want(struct ff_leases *leases, struct ff_work *work);
void ff_leases_forget(struct ff_leases *leases, struct ff_work *work);

/* Keeps a lease for the next attempt of the task, for a moment. */
void ff_leases_keep(struct ff_leases *leases, struct ff_gpu_lease *lease, const struct ff_id *task);

/* Keeps a lease from everybody for FF_GPU_REST_MS: a call was lost on its devices, and its next attempt takes others where
 * there are any. */
void ff_leases_rest(struct ff_leases *leases, struct ff_gpu_lease *lease);

/* Whether a claim waits, of this process or another, for devices that this job may have. */
bool ff_leases_are_wanted(struct ff_leases *leases);

/* The work of the group whose claim is the next of all in the queue, which it leaves; NULL: there is none. */
struct ff_work *ff_leases_next(struct ff_leases *leases, const struct ff_group *group);

/* A lease that a slot no longer needs. */
void ff_leases_release(struct ff_leases *leases, struct ff_gpu_lease *lease);

#endif

/*
 * worker/objects.h: functions and arguments from the agent's cache; large values towards the service.
 */
#ifndef FF_WORKER_OBJECTS_H
#define FF_WORKER_OBJECTS_H

#include "worker/work.h"

struct ff_objects;

struct ff_objects *ff_objects_create(struct ff_manager *manager,
                                     struct ff_error *error) FF_MUST_USE;
void ff_objects_destroy(struct ff_objects *objects);

/* 1: the object lies at `path`, whole and verified. 0: it is fetched; ff_work_fetched is called for `work` then. -1: it
 * cannot be had. */
int ff_objects_need(struct ff_objects *objects, const struct ff_digest *digest, uint64_t size,
                    struct ff_work *work, char path[PATH_MAX], struct ff_error *error) FF_MUST_USE;

/* The work wants nothing more. */
void ff_objects_forget(struct ff_objects *objects, struct ff_work *work);

/* Stores the work's value; ff_work_stored is called when the service has it. */
int ff_objects_store(struct ff_objects *objects, struct ff_work *work,
                     struct ff_error *error) FF_MUST_USE;
void ff_objects_part(struct ff_objects *objects, const struct ff_part *part);
void ff_objects_stored(struct ff_objects *objects, const struct ff_part *part);

/* The link is open again: asks anew for all that is missing. */
void ff_objects_online(struct ff_objects *objects);

#endif

/*
 * endpoint/objects.h: functions and large arguments by SHA-256: the cache in cache/objects/, what is being fetched from
 * the service for it, and what managers asked for meanwhile.
 *
 * An object is asked for once, however many want it; it is written beside its place, checked as a whole, synced (by a
 * thread beside the loop), and renamed. Managers are served from the file, and check what they get.
 */
#ifndef FF_ENDPOINT_OBJECTS_H
#define FF_ENDPOINT_OBJECTS_H

#include "endpoint/agent.h"
#include "protocol/core/digest.h"

struct ff_manager;

struct ff_objects *ff_objects_create(struct ff_agent *agent, struct ff_error *error) FF_MUST_USE;
void ff_objects_destroy(struct ff_objects *objects);

/* Begins to fetch what is not there yet, so that it is on the way before a manager asks; a file of another size is not it. A zero
 * digest is none. */
void ff_objects_prefetch(struct ff_objects *objects, const struct ff_digest *digest, uint64_t size);

/* A manager wants a part: it gets it now or as soon as it is there. */
void ff_objects_want(struct ff_objects *objects, struct ff_manager *manager,
                     const struct ff_want *want);

/* A part from the service. */
void ff_objects_part(struct ff_objects *objects, const struct ff_part *part);

/* The service is reachable (again): asks anew for all that is missing. */
void ff_objects_online(struct ff_objects *objects);

/* The manager is away: it asks again when it is back. */
void ff_objects_forget(struct ff_objects *objects, const struct ff_manager *manager);

/* Where an object lies; `makes` its folder when asked to. */
int ff_objects_path(const struct ff_folder *folder, const struct ff_digest *digest, bool makes,
                    char path[PATH_MAX], struct ff_error *error) FF_MUST_USE;

#endif

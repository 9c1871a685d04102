/*
 * endpoint/uploads.h: large values on their way from managers to the service.
 *
 *     receiving ──whole and checked──► sending ──the service has it──► (told to the manager, forgotten)
 *
 * The agent takes all of a value into a file first, so that a restart of the service costs nothing but a second sending.
 * Where several managers have the same value, one of them is sent and all are answered.
 * Every part but the last is acknowledged to the manager when it is in the file, the last one when the service has it all.
 */
#ifndef FF_ENDPOINT_UPLOADS_H
#define FF_ENDPOINT_UPLOADS_H

#include "endpoint/agent.h"

struct ff_manager;

struct ff_uploads *ff_uploads_create(struct ff_agent *agent, struct ff_error *error) FF_MUST_USE;
void ff_uploads_destroy(struct ff_uploads *uploads);

/* A part from a manager. */
void ff_uploads_store(struct ff_uploads *uploads, struct ff_manager *manager,
                      const struct ff_part *part);

/* The service has the object up to the offset, or says why not. */
void ff_uploads_stored(struct ff_uploads *uploads, const struct ff_part *part);

/* The service is reachable (again): sends from the start. */
void ff_uploads_online(struct ff_uploads *uploads);

/* The manager is away: it sends again when it is back. */
void ff_uploads_forget(struct ff_uploads *uploads, const struct ff_manager *manager);

#endif

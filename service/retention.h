/*
 * service/retention.h: forgetting what is old: ended tasks after `result_days`, idempotency keys
 * after FF_IDEMPOTENCY_HOURS, then objects and previews that nothing refers to any more. Looks
 * once an hour.
 */
#ifndef FF_SERVICE_RETENTION_H
#define FF_SERVICE_RETENTION_H

#include "service/service.h"

struct ff_retention *ff_retention_create(struct ff_service *service,
                                         struct ff_error *error) FF_MUST_USE;

/* Begins a round now; `done` (may be NULL) is called from another thread when it is over. false:
 * one is under way. */
bool ff_retention_begin(struct ff_retention *retention, void (*done)(void *user), void *user);

/* Waits for a round that is under way. NULL is fine. */
void ff_retention_destroy(struct ff_retention *retention);

#endif

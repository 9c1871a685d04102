/*
 * worker/json_check.h: whether bytes are one JSON value (RFC 8259) in UTF-8. Builds nothing and allocates nothing, so that a runner
 * needs no JSON library.
 */
#ifndef FF_WORKER_JSON_CHECK_H
#define FF_WORKER_JSON_CHECK_H

#include "protocol/core/bytes.h"

/* FF_INVALID_JSON says at which byte. Nesting deeper than 512 is refused. */
int ff_json_check(struct ff_span text, struct ff_error *error) FF_MUST_USE;

#endif

/*
 * endpoint/reach.h: whether anybody listens at an address.
 */
#ifndef FF_ENDPOINT_REACH_H
#define FF_ENDPOINT_REACH_H

#include "protocol/core/error.h"

/* Connects to the host and port of "SCHEME://HOST:PORT…" and hangs up. */
int ff_reach(const char *url, int timeout_ms, struct ff_error *error) FF_MUST_USE;

#endif

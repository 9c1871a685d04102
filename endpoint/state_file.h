/*
 * endpoint/state_file.h: run/state, from which `endpoint status` tells how the endpoint does. Written when something has
 * changed that a person would see, at most once a second.
 */
#ifndef FF_ENDPOINT_STATE_FILE_H
#define FF_ENDPOINT_STATE_FILE_H

#include "endpoint/agent.h"

struct ff_state_file *ff_state_file_create(struct ff_agent *agent,
                                           struct ff_error *error) FF_MUST_USE;

/* Writes a last time, as not connected. */
void ff_state_file_destroy(struct ff_state_file *file);

/* Compares what would be written with what was, and sets the pen in motion when it differs. Cheap. */
void ff_state_file_touch(struct ff_state_file *file);

/* Writes now. */
void ff_state_file_write(struct ff_state_file *file);

#endif

/*
 * endpoint/init.h: `farfield-endpoint init`: makes the folder of an endpoint, its commented config.yaml and its keys.
 */
#ifndef FF_ENDPOINT_INIT_H
#define FF_ENDPOINT_INIT_H

#include "endpoint/config.h"
#include "endpoint/folder.h"
#include "protocol/curve.h"

/* An endpoint that is there already keeps its keys; its config.yaml is refused to be overwritten (CONFLICT). */
int ff_init_endpoint(const struct ff_folder *folder, const struct ff_config *config,
                     struct ff_curve_keys *keys, struct ff_error *error) FF_MUST_USE;

#endif

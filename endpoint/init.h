/*
 * endpoint/init.h: `farfield-endpoint init`: makes the folder of an endpoint, its commented config.yaml and its keys; for a
 * scheduler it looks what there is.
 */
#ifndef FF_ENDPOINT_INIT_H
#define FF_ENDPOINT_INIT_H

#include "endpoint/config.h"
#include "endpoint/folder.h"
#include "protocol/curve.h"

/* `notes` are lines about the settings, which become comments of the file. An endpoint that is there already keeps its keys; its config.yaml is refused to be overwritten (CONFLICT). */
int ff_init_endpoint(const struct ff_folder *folder, const struct ff_config *config,
                     const char *notes, struct ff_curve_keys *keys,
                     struct ff_error *error) FF_MUST_USE;

/* Asks the scheduler of config->provider what it has, as far as it can be asked, and proposes settings (propose.h). */
int ff_init_propose(struct ff_config *config, struct ff_buffer *notes,
                    struct ff_error *error) FF_MUST_USE;

/* CONFLICT when the folder holds a config.yaml. */
int ff_init_check_new(const struct ff_folder *folder, struct ff_error *error) FF_MUST_USE;

#endif

/*
 * service/config.h: the settings of a service: FARFIELD_HOME/service/config.yaml. One table in
 * config.c holds each key with its range, default and explanation; the commented file of the first
 * start is made from it.
 */
#ifndef FF_SERVICE_CONFIG_H
#define FF_SERVICE_CONFIG_H

#include "protocol/core/error.h"

#include <stdint.h>

enum { FF_HOST_SIZE = 256 };

struct ff_config {
    char host[FF_HOST_SIZE]; /* address both ports listen on */
    int64_t https_port;      /* 0: any free one at the first start, then kept */
    int64_t router_port;
    int64_t compat_http; /* port of a clear-text listener on 127.0.0.1; 0: none */
    int64_t max_retries;
    int64_t endpoint_window;
    int64_t result_days;
    int64_t object_limit;
    int64_t heartbeat_ms;
    int64_t lost_ms;
};

void ff_config_defaults(struct ff_config *config);

/* Reads the file over what is in *config; errors name file, line, key and remedy. */
int ff_config_read(const char *path, struct ff_config *config, struct ff_error *error) FF_MUST_USE;

/* Writes the commented file with all defaults, where there is none. */
int ff_config_make(const char *path, struct ff_error *error) FF_MUST_USE;

#endif

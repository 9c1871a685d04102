/*
 * service/admission.h: what a submission may ask for: `resource_specification`, checked before
 * anything is stored.
 */
#ifndef FF_SERVICE_ADMISSION_H
#define FF_SERVICE_ADMISSION_H

#include "service/config.h"

#include <jansson.h>

struct ff_resources {
    uint32_t devices, cores, nodes, max_retries;
    uint64_t time_limit_ms; /* 0: none */
    char priority[17];      /* live, normal, batch */
};

void ff_resources_default(struct ff_resources *resources, const struct ff_config *config);

/* Reads {"gpus","cores","nodes","time_limit_s","priority","max_retries"} over the defaults; null
 * is fine, unknown members are refused with the nearest known one. */
int ff_resources_read(const json_t *specification, struct ff_resources *resources,
                      struct ff_error *error);

#endif

/*
 * worker/settings.h: what a manager is told by the files of its block (protocol/STATE.md) and by the job that it runs in.
 */
#ifndef FF_WORKER_SETTINGS_H
#define FF_WORKER_SETTINGS_H

#include "protocol/curve.h"
#include "protocol/ids.h"

#include <limits.h>

enum { FF_MOST_SLOTS = 4096 };

struct ff_settings {
    char endpoint_folder[PATH_MAX - 256]; /* absolute */
    char block[65];
    struct ff_curve_keys keys;
    struct ff_id endpoint;
    char node[257]; /* SLURMD_NODENAME, else the host's name */
    char host[257];
    char gpu_registry[1024];
    int64_t slots;
    int64_t cores; /* as the block was promised; 0: those that the process may run on */
    int64_t agent_lost_limit_ms;
    int64_t ends_ns; /* wall clock at which the scheduler ends the block; 0: never */
};

/* Reads blocks/BLOCK/block.yaml and keys. INVALID_SETTING names file and line; unknown keys are skipped, because the
 * agent may be newer. */
int ff_settings_read(const char *endpoint_folder, const char *block, struct ff_settings *settings,
                     struct ff_error *error) FF_MUST_USE;

#endif

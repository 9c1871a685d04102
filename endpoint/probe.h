/*
 * endpoint/probe.h: what a node can do, found out by running there: `farfield-endpoint probe FOLDER URL`, the test job of the
 * doctor. It writes FOLDER/answer, which the doctor reads where it submitted the job.
 */
#ifndef FF_ENDPOINT_PROBE_H
#define FF_ENDPOINT_PROBE_H

#include "protocol/core/error.h"

/* Texts say "ok", or what is wrong. */
struct ff_probe_answer {
    char node[256];
    char manager[256]; /* whether farfield-manager can run */
    char reach[256];   /* whether the address answers */
    char gpus[256];    /* what is there, in words */
};

int ff_probe_run(const char *folder, const char *url, struct ff_error *error) FF_MUST_USE;

/* NOT_FOUND while there is none. */
int ff_probe_read(const char *folder, struct ff_probe_answer *answer,
                  struct ff_error *error) FF_MUST_USE;

#endif

/*
 * endpoint/warm.h: the warm reserve of a beam time: so many blocks are kept until a date, tasks or not. It stands in the file
 * `warm` of the endpoint's folder, so it outlives agents, and may be set while none runs.
 */
#ifndef FF_ENDPOINT_WARM_H
#define FF_ENDPOINT_WARM_H

#include "endpoint/folder.h"

struct ff_warm {
    unsigned blocks;  /* 0: there is no reserve */
    int64_t until_ns; /* wall clock */
};

/* A reserve that is over is none. No file is none, too. */
int ff_warm_read(const struct ff_folder *folder, struct ff_warm *warm,
                 struct ff_error *error) FF_MUST_USE;

/* Replaces the file; without blocks it is removed. */
int ff_warm_write(const struct ff_folder *folder, const struct ff_warm *warm,
                  struct ff_error *error) FF_MUST_USE;

/* The end, as a person writes it: "2026-11-28T18:00Z", "2026-11-28 18:00" (time of this machine), "18:00" (the next one), or
 * "+4h", "+2d" from `now_ns` on. Refuses what is past, and what is no date, in words. */
int ff_warm_parse_until(const char *text, int64_t now_ns, int64_t *until_ns,
                        struct ff_error *error) FF_MUST_USE;

/* The verb: sets the reserve, tells the agent of this host (SIGHUP), and prints what was done. The exit status, or -1. */
int ff_warm_command(const struct ff_folder *folder, const char *blocks, const char *until,
                    bool json, struct ff_error *error) FF_MUST_USE;

#endif

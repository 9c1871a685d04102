/*
 * endpoint/walltime.h: how long a job may last, as people and schedulers write it.
 */
#ifndef FF_ENDPOINT_WALLTIME_H
#define FF_ENDPOINT_WALLTIME_H

#include "protocol/core/error.h"

#include <stdint.h>

/* Reads "90s", "30m", "2h", "1d12h", "2:00:00" (hours) and "1-12:00:00" (days) as seconds; "0" is none. -1 for all else,
 * also for two numbers with one colon: those are minutes to one scheduler and hours to another. */
int ff_walltime_read(const char *text, int64_t *seconds) FF_MUST_USE;

/* "H:MM:SS", which every scheduler reads alike; "0" for none. */
enum { FF_WALLTIME_SIZE = 32 };
void ff_walltime_text(int64_t seconds, char text[FF_WALLTIME_SIZE]);

#endif

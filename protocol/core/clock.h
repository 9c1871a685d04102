/*
 * protocol/core/clock.h: two clocks with two uses. Intervals and deadlines of one host use the monotonic clock;
 * the wall clock serves display, expiry and walltime.
 */
#ifndef FF_PROTOCOL_CORE_CLOCK_H
#define FF_PROTOCOL_CORE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

int64_t ff_monotonic_ns(void);
int64_t ff_wall_ns(void);

/* "2026-11-24T15:42:07.123456Z". */
enum { FF_TIME_TEXT_SIZE = 40 };
void ff_time_text(int64_t wall_ns, char text[FF_TIME_TEXT_SIZE]);

#endif

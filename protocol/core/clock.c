#include "protocol/core/clock.h"

#include <stdio.h>
#include <time.h>

static int64_t read_clock(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t ff_monotonic_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

int64_t ff_wall_ns(void)
{
    return read_clock(CLOCK_REALTIME);
}

void ff_time_text(int64_t wall_ns, char text[FF_TIME_TEXT_SIZE])
{
    time_t seconds = (time_t)(wall_ns / 1000000000);
    struct tm parts;
    gmtime_r(&seconds, &parts);
    size_t used = strftime(text, FF_TIME_TEXT_SIZE, "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(text + used, FF_TIME_TEXT_SIZE - used, ".%06dZ", (int)(wall_ns % 1000000000 / 1000));
}

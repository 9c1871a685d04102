/* tests/unit/endpoint/day_events.h: what is going to happen in a simulated day, in the order of time (a binary heap). */
#ifndef FF_TESTS_UNIT_ENDPOINT_DAY_EVENTS_H
#define FF_TESTS_UNIT_ENDPOINT_DAY_EVENTS_H

#include <stddef.h>
#include <stdint.h>

enum day_what {
    ARRIVES, /* a task */
    ENDS,
    STARTS, /* a job */
    COMES,
    DOES_NOT_COME,
    IS_LOST,
    IS_GONE,
    CONTROLLER_CHANGES,
};

struct day_event {
    int64_t at_ns;
    uint64_t order; /* of events at the same time: as they were added */
    enum day_what what;
    unsigned subject; /* index of a task, serial of a job */
    unsigned run;
};

/* Zero at the beginning; free the heap. */
struct day_events {
    struct day_event *heap;
    size_t count, capacity;
    uint64_t next_order;
};

void day_will(struct day_events *events, int64_t at_ns, enum day_what what, unsigned subject,
              unsigned run);

/* The first; NULL: there is none. */
const struct day_event *day_next(const struct day_events *events);
struct day_event day_take(struct day_events *events);

#endif

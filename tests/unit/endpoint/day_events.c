#include "tests/unit/endpoint/day_events.h"

#include <stdbool.h>
#include <stdlib.h>

static bool comes_before(const struct day_event *a, const struct day_event *b)
{
    return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->order < b->order;
}

static void swap_events(struct day_event *a, struct day_event *b)
{
    struct day_event kept = *a;
    *a = *b;
    *b = kept;
}

void day_will(struct day_events *events, int64_t at_ns, enum day_what what, unsigned subject,
              unsigned run)
{
    if (events->count == events->capacity) {
        events->capacity = 2 * events->capacity + 1024;
        events->heap = reallocarray(events->heap, events->capacity, sizeof *events->heap);
        if (events->heap == NULL)
            abort();
    }
    size_t at = events->count++;
    events->heap[at] = (struct day_event){at_ns, events->next_order++, what, subject, run};
    for (; at > 0 && comes_before(&events->heap[at], &events->heap[(at - 1) / 2]);
         at = (at - 1) / 2)
        swap_events(&events->heap[at], &events->heap[(at - 1) / 2]);
}

const struct day_event *day_next(const struct day_events *events)
{
    return events->count > 0 ? &events->heap[0] : NULL;
}

struct day_event day_take(struct day_events *events)
{
    struct day_event first = events->heap[0];
    size_t at = 0;
    events->heap[0] = events->heap[--events->count];
    for (;;) {
        size_t least = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < events->count; child++)
            if (comes_before(&events->heap[child], &events->heap[least]))
                least = child;
        if (least == at)
            return first;
        swap_events(&events->heap[at], &events->heap[least]);
        at = least;
    }
}

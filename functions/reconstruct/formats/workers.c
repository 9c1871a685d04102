#include "functions/reconstruct/formats/workers.h"

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>

enum { WORKERS_MAX = 16 };

struct part {
    void (*work)(void *user, size_t index);
    void *user;
    size_t index;
    pthread_t thread;
    bool runs;
};

static void *run_part(void *user)
{
    const struct part *part = user;
    part->work(part->user, part->index);
    return NULL;
}

size_t ff_workers(size_t asked)
{
    cpu_set_t cores;
    size_t count = asked;
    if (count == 0)
        count = sched_getaffinity(0, sizeof cores, &cores) == 0 ? (size_t)CPU_COUNT(&cores) : 1;
    return count > WORKERS_MAX ? WORKERS_MAX : count;
}

void ff_workers_run(size_t count, void (*work)(void *user, size_t index), void *user)
{
    struct part parts[WORKERS_MAX];
    if (count > WORKERS_MAX)
        count = WORKERS_MAX;
    for (size_t i = 1; i < count; i++) {
        parts[i] = (struct part){.work = work, .user = user, .index = i};
        parts[i].runs = pthread_create(&parts[i].thread, NULL, run_part, &parts[i]) == 0;
    }
    work(user, 0);
    for (size_t i = 1; i < count; i++) {
        if (parts[i].runs)
            pthread_join(parts[i].thread, NULL);
        else
            work(user, i);
    }
}

#include "functions/reconstruct/formats/workers.h"

#include "functions/reconstruct/pool.h"

enum { WORKERS_MAX = 16 };

struct job {
    void (*work)(void *user, size_t index);
    void *user;
};

static void run_piece(void *context, unsigned piece, unsigned thread)
{
    const struct job *job = context;
    (void)thread;
    job->work(job->user, piece);
}

size_t ff_workers(size_t asked)
{
    size_t count = asked > 0 ? asked : ff_pool_cores();
    return count > WORKERS_MAX ? WORKERS_MAX : count;
}

void ff_workers_run(size_t count, void (*work)(void *user, size_t index), void *user)
{
    struct job job = {work, user};
    struct ff_error error; /* without threads the caller does it all */
    if (count > WORKERS_MAX)
        count = WORKERS_MAX;
    struct ff_pool *pool = count > 1 ? ff_pool_create((unsigned)count, NULL, 0, &error) : NULL;
    if (pool != NULL)
        ff_pool_each(pool, run_piece, &job);
    for (size_t i = 0; pool == NULL && i < count; i++)
        work(user, i);
    ff_pool_destroy(pool);
}

#include "functions/simulate/crew.h"

#include "functions/reconstruct/pool.h"

#include <stdlib.h>

struct member {
    struct ff_simulation_worker *worker;
    double *counts;
    size_t saturated;
};

struct ff_simulation_crew {
    struct ff_simulation *simulation;
    struct ff_pool *pool;
    unsigned threads;
    struct member *members;
    /* Of the run under way. */
    size_t first;
    ff_simulation_take *take;
    void *user;
};

static unsigned wanted_threads(const struct ff_simulation *simulation)
{
    int64_t asked = simulation->settings.threads;
    return asked > 0 ? (unsigned)asked : ff_pool_cores();
}

struct ff_simulation_crew *ff_simulation_crew_create(struct ff_simulation *simulation,
                                                     struct ff_error *error)
{
    struct ff_simulation_crew *crew = calloc(1, sizeof *crew);
    unsigned threads = wanted_threads(simulation);
    struct member *members = crew != NULL ? calloc(threads, sizeof *members) : NULL;
    if (members == NULL) {
        free(crew);
        ff_fail(error, FF_NO_MEMORY, "no memory for %u threads", threads);
        return NULL;
    }
    *crew = (struct ff_simulation_crew){
        .simulation = simulation, .threads = threads, .members = members};
    crew->pool = ff_pool_create(threads, NULL, 0, error);
    int result = crew->pool != NULL ? 0 : -1;
    for (unsigned i = 0; result == 0 && i < threads; i++) {
        members[i].worker = ff_simulation_worker_create(simulation, error);
        members[i].counts = ff_array_create(simulation->size * simulation->size, sizeof(double),
                                            "a pattern", error);
        if (members[i].worker == NULL || members[i].counts == NULL)
            result = -1;
    }
    if (result == 0)
        return crew;
    ff_simulation_crew_destroy(crew);
    return NULL;
}

void ff_simulation_crew_destroy(struct ff_simulation_crew *crew)
{
    if (crew == NULL)
        return;
    ff_pool_destroy(crew->pool);
    for (unsigned i = 0; i < crew->threads; i++) {
        ff_simulation_worker_destroy(crew->members[i].worker);
        free(crew->members[i].counts);
    }
    free(crew->members);
    free(crew);
}

unsigned ff_simulation_crew_threads(const struct ff_simulation_crew *crew)
{
    return crew->threads;
}

static void make(void *context, unsigned piece, unsigned thread)
{
    struct ff_simulation_crew *crew = context;
    struct member *member = &crew->members[thread];
    size_t frame = crew->first + piece;
    member->saturated +=
        ff_simulation_frame(member->worker, crew->simulation->frames[frame], member->counts);
    crew->take(crew->user, frame, member->counts);
}

void ff_simulation_crew_run(struct ff_simulation_crew *crew, size_t first, size_t count,
                            ff_simulation_take *take, void *user)
{
    crew->first = first;
    crew->take = take;
    crew->user = user;
    ff_pool_run(crew->pool, make, crew, (unsigned)count);
    for (unsigned i = 0; i < crew->threads; i++) {
        crew->simulation->saturated += crew->members[i].saturated;
        crew->members[i].saturated = 0;
    }
}

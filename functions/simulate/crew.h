/*
 * functions/simulate/crew.h: threads that make the frames of a simulation.
 */
#ifndef FF_SIMULATE_CREW_H
#define FF_SIMULATE_CREW_H

#include "functions/simulate/simulation.h"

struct ff_simulation_crew;

/* As many threads as the settings ask for, or one for each processor that this process may use. */
struct ff_simulation_crew *ff_simulation_crew_create(struct ff_simulation *simulation,
                                                     struct ff_error *error) FF_MUST_USE;
void ff_simulation_crew_destroy(struct ff_simulation_crew *crew);
unsigned ff_simulation_crew_threads(const struct ff_simulation_crew *crew);

/* Takes what was counted in frame `frame` of the file (ff_simulation_frame), on any thread, many at
 * a time. */
typedef void ff_simulation_take(void *user, size_t frame, const double *counts);

/* Makes the frames first … first+count-1, adds to `saturated`, and returns when all were taken. */
void ff_simulation_crew_run(struct ff_simulation_crew *crew, size_t first, size_t count,
                            ff_simulation_take *take, void *user);

#endif

#include "functions/reconstruct/formats/measurement.h"

#include <stdlib.h>
#include <string.h>

void ff_measurement_dispose(struct ff_measurement *measurement)
{
    /* The counts are const for their readers; here ends their life. */
    free((void *)(uintptr_t)measurement->counts.u16);
    free((void *)(uintptr_t)measurement->counts.f32);
    free(measurement->measured);
    free(measurement->positions_m);
    free(measurement->probe);
    memset(measurement, 0, sizeof *measurement);
}

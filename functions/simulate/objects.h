/*
 * functions/simulate/objects.h: things to scan, as complex transmission.
 */
#ifndef FF_SIMULATE_OBJECTS_H
#define FF_SIMULATE_OBJECTS_H

#include "functions/reconstruct/arrays.h"

/* `name` is "siemens", "coins", "smooth" (waves no shorter than a sixteenth of the object, and 8
 * pixels), or a PNG file, which is stretched over the object. The caller frees. */
ff_complex *ff_simulate_object(const char *name, size_t rows, size_t columns, uint64_t seed,
                               struct ff_error *error) FF_MUST_USE;

#endif

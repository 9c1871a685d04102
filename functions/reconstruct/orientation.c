#include "functions/reconstruct/orientation.h"

const struct ff_orientation ff_orientations[FF_ORIENTATIONS] = {
    {"as-is", false, false, false},
    {"rows-reversed", false, true, false},
    {"columns-reversed", false, false, true},
    {"both-reversed", false, true, true},
    {"transposed", true, false, false},
    {"transposed-rows-reversed", true, true, false},
    {"transposed-columns-reversed", true, false, true},
    {"transposed-both-reversed", true, true, true},
};

void ff_orientation_apply(const struct ff_orientation *orientation, double *positions, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        double row = positions[2 * i + (orientation->transposed ? 1 : 0)];
        double column = positions[2 * i + (orientation->transposed ? 0 : 1)];
        positions[2 * i] = orientation->rows_reversed ? -row : row;
        positions[2 * i + 1] = orientation->columns_reversed ? -column : column;
    }
}

unsigned ff_orientation_twin(unsigned orientation)
{
    return orientation ^ 3U; /* by the order of the table */
}

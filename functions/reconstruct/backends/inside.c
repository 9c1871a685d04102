#include "functions/reconstruct/backends/inside.h"

void ff_keep_inside(struct ff_area tile, size_t rows, size_t columns, double *positions,
                    size_t count)
{
    const double least[2] = {(double)tile.row, (double)tile.column};
    const double most[2] = {(double)(tile.row + tile.rows - rows - 1),
                            (double)(tile.column + tile.columns - columns - 1)};
    for (size_t i = 0; i < count; i++) {
        double at = positions[i];
        if (!(at >= least[i % 2]))
            positions[i] = least[i % 2];
        else if (at > most[i % 2])
            positions[i] = most[i % 2];
    }
}

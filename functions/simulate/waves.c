#include "functions/simulate/waves.h"

#include "functions/reconstruct/solvers/random.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>

/* sqrt(2 × WAVES) is the peak that waves.h states. */
enum { WAVES = 16 };

static void fill_phases(ff_complex *phases, size_t count, double step, double start)
{
    for (size_t i = 0; i < count; i++) {
        double phase = start + step * (double)i;
        phases[i] = (float)cos(phase) + (float)sin(phase) * (ff_complex)I;
    }
}

int ff_simulate_waves(float *field, size_t rows, size_t columns, double finest_px, uint64_t seed,
                      struct ff_error *error)
{
    struct ff_random random = ff_random_seed(seed);
    ff_complex *down = ff_array_create(rows + columns, sizeof *down, "waves", error);
    if (down == NULL)
        return -1;
    ff_complex *across = down + rows;
    const float size = (float)sqrt(2.0 / WAVES);
    for (size_t i = 0; i < rows * columns; i++)
        field[i] = 0;
    for (int wave = 0; wave < WAVES; wave++) {
        /* Even over the disc of wave vectors, so that most are near the finest. */
        double k = 2 * M_PI / finest_px * sqrt(ff_random_unit(&random));
        double angle = 2 * M_PI * ff_random_unit(&random);
        fill_phases(down, rows, k * sin(angle), 2 * M_PI * ff_random_unit(&random));
        fill_phases(across, columns, k * cos(angle), 0);
        for (size_t r = 0; r < rows; r++)
            for (size_t c = 0; c < columns; c++)
                field[r * columns + c] += size * (crealf(down[r]) * crealf(across[c]) -
                                                  cimagf(down[r]) * cimagf(across[c]));
    }
    free(down);
    return 0;
}

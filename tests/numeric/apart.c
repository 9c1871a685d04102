#include "tests/numeric/apart.h"

#include "tests/unit/check.h"

#include <complex.h>
#include <math.h>

double apart_real(const double *a, const double *b, size_t count)
{
    double difference = 0;
    double size = 0;
    for (size_t i = 0; i < count; i++) {
        difference += (a[i] - b[i]) * (a[i] - b[i]);
        size += b[i] * b[i];
    }
    return sqrt(difference / size);
}

double apart_complex(const ff_complex *a, const ff_complex *b, size_t count)
{
    double difference = 0;
    double size = 0;
    for (size_t i = 0; i < count; i++) {
        difference += pow(cabs((_Complex double)a[i] - (_Complex double)b[i]), 2);
        size += pow(cabs((_Complex double)b[i]), 2);
    }
    return sqrt(difference / size);
}

void apart_check(double value, double limit, const char *what, unsigned devices)
{
    if (!(value <= limit))
        fail_msg("%s of %u devices differs from that of one by %g, more than %g", what, devices,
                 value, limit);
}

#include "functions/reconstruct/metrics/object_error.h"

#include <complex.h>
#include <math.h>

static const double dark = 0.01;

static double mean_amplitude(const struct ff_image *image, const struct ff_map *mask)
{
    double sum = 0;
    double weights = 0;
    for (size_t i = 0; i < image->rows * image->columns; i++) {
        sum += mask->values[i] * cabs(image->values[i]);
        weights += mask->values[i];
    }
    return sum / weights;
}

struct ff_object_error ff_object_error(const struct ff_image *object,
                                       const struct ff_image *reference, const struct ff_map *mask)
{
    double least = dark * mean_amplitude(reference, mask);
    double power = 0;
    double difference = 0;
    double amplitude = 0;
    double phase = 0;
    double seen = 0;
    for (size_t i = 0; i < object->rows * object->columns; i++) {
        double weight = mask->values[i];
        ff_complex_double a = object->values[i];
        ff_complex_double b = reference->values[i];
        if (!(weight > 0))
            continue;
        power += weight * ff_power(b);
        difference += weight * ff_power(b - a);
        amplitude += weight * (cabs(b) - cabs(a)) * (cabs(b) - cabs(a));
        if (cabs(a) > least && cabs(b) > least) {
            double angle = carg(a * conj(b));
            phase += weight * angle * angle;
            seen += weight;
        }
    }
    return (struct ff_object_error){
        .relative = sqrt(difference / power),
        .amplitude = sqrt(amplitude / power),
        .phase = seen > 0 ? sqrt(phase / seen) : NAN,
    };
}

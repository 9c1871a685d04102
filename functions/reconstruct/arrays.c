#include "functions/reconstruct/arrays.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void *ff_array_create(size_t count, size_t size, const char *what, struct ff_error *error)
{
    size_t bytes;
    /* aligned_alloc takes whole multiples of the alignment. */
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > PTRDIFF_MAX - FF_ALIGNMENT) {
        ff_fail(error, FF_NO_MEMORY, "%s: %zu elements of %zu bytes are more than any memory holds",
                what, count, size);
        return NULL;
    }
    size_t rounded = (bytes + FF_ALIGNMENT - 1) / FF_ALIGNMENT * FF_ALIGNMENT;
    void *array = aligned_alloc(FF_ALIGNMENT, rounded > 0 ? rounded : FF_ALIGNMENT);
    if (array == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory for %s (%zu bytes)", what, bytes);
        return NULL;
    }
    memset(array, 0, rounded);
    return array;
}

size_t ff_array_elements(size_t a, size_t b, size_t c)
{
    size_t product;
    if (__builtin_mul_overflow(a, b, &product) || __builtin_mul_overflow(product, c, &product))
        return SIZE_MAX;
    return product;
}

void ff_array_box(const double *points, size_t count, double low[2], double high[2])
{
    for (size_t axis = 0; axis < 2; axis++) {
        low[axis] = high[axis] = points[axis];
        for (size_t i = 1; i < count; i++) {
            low[axis] = fmin(low[axis], points[2 * i + axis]);
            high[axis] = fmax(high[axis], points[2 * i + axis]);
        }
    }
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

void ff_array_sort(double *values, size_t count)
{
    qsort(values, count, sizeof *values, compare_doubles);
}

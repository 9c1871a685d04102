/* Whole pixels by correlation, fractions by the peaks of spectra; the last step is in fit.c. */
#include "functions/reconstruct/metrics/register.h"

#include "functions/reconstruct/metrics/fit.h"
#include "functions/reconstruct/metrics/fourier.h"

#include <complex.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

enum { EDGE_MAX = 24, ROUNDS = 3 };

static const double flat = 1e-20; /* a share of the power that is only rounding */

/* --- whole pixels --- */

/* `to` gets the windowed products of neighbours along an axis, less their mean. */
static void put_products(const struct ff_windowed *from, int axis, struct ff_image *to)
{
    const struct ff_image *image = from->image;
    size_t step = axis == 0 ? image->columns : 1;
    size_t rows = image->rows - (axis == 0);
    size_t columns = image->columns - (axis == 1);
    ff_complex_double sum = 0;
    double weights = 0;
    for (int pass = 0; pass < 2; pass++)
        for (size_t r = 0; r < rows; r++)
            for (size_t c = 0; c < columns; c++) {
                size_t i = r * image->columns + c;
                double weight = from->window->values[i];
                ff_complex_double product = conj(image->values[i]) * image->values[i + step];
                if (pass == 0) {
                    sum += weight * product;
                    weights += weight;
                } else {
                    to->values[r * to->columns + c] =
                        weights > 0 ? weight * (product - sum / weights) : 0;
                }
            }
}

/* Adds |correlation| of the products along an axis. */
static int add_correlation(const struct ff_windowed *object, const struct ff_windowed *reference,
                           int axis, const struct ff_fourier *fourier, struct ff_map *total,
                           struct ff_error *error)
{
    struct ff_image a = {0};
    struct ff_image b = {0};
    int result = -1;
    if (ff_image_create(&a, total->rows, total->columns, error) == 0 &&
        ff_image_create(&b, total->rows, total->columns, error) == 0) {
        put_products(object, axis, &a);
        put_products(reference, axis, &b);
        ff_fourier_forward(fourier, a.values);
        ff_fourier_forward(fourier, b.values);
        for (size_t i = 0; i < total->rows * total->columns; i++)
            b.values[i] *= conj(a.values[i]);
        ff_fourier_inverse(fourier, b.values);
        for (size_t i = 0; i < total->rows * total->columns; i++)
            total->values[i] += cabs(b.values[i]);
        result = 0;
    }
    ff_image_dispose(&a);
    ff_image_dispose(&b);
    return result;
}

static size_t wrapped(long index, size_t count)
{
    long left = index % (long)count;
    return (size_t)(left < 0 ? left + (long)count : left);
}

/* The greatest within reach; among equals the one nearest to the guess comes first. */
static void find_greatest(const struct ff_map *total, const long guess[2], size_t reach,
                          long shift[2])
{
    double best = total->values[wrapped(guess[0], total->rows) * total->columns +
                                wrapped(guess[1], total->columns)];
    shift[0] = guess[0];
    shift[1] = guess[1];
    for (long r = guess[0] - (long)reach; r <= guess[0] + (long)reach; r++)
        for (long c = guess[1] - (long)reach; c <= guess[1] + (long)reach; c++) {
            double here =
                total
                    ->values[wrapped(r, total->rows) * total->columns + wrapped(c, total->columns)];
            if (here > best) {
                best = here;
                shift[0] = r;
                shift[1] = c;
            }
        }
}

/* Room for both images side by side at every shift that is asked for, so that none wraps round. */
static size_t room(size_t a, size_t b, long guess, size_t reach)
{
    size_t most = (size_t)labs(guess) + reach;
    size_t longer = a > b ? a : b;
    return ff_fourier_size(longer + (most < longer ? most : longer) + 1);
}

int ff_register_whole(const struct ff_windowed *object, const struct ff_windowed *reference,
                      const long guess[2], size_t reach, long shift[2], struct ff_error *error)
{
    struct ff_map total = {0};
    size_t rows = room(object->image->rows, reference->image->rows, guess[0], reach);
    size_t columns = room(object->image->columns, reference->image->columns, guess[1], reach);
    struct ff_fourier *fourier = ff_fourier_create(rows, columns, error);
    int result = fourier != NULL ? ff_map_create(&total, rows, columns, error) : -1;
    for (int axis = 0; result == 0 && axis < 2; axis++)
        result = add_correlation(object, reference, axis, fourier, &total, error);
    if (result == 0)
        find_greatest(&total, guess, reach, shift);
    ff_map_dispose(&total);
    ff_fourier_destroy(fourier);
    return result;
}

/* --- fractions --- */

size_t ff_register_edge(size_t extent)
{
    return extent / 8 < EDGE_MAX ? extent / 8 : EDGE_MAX;
}

static double fade(size_t index, size_t count)
{
    size_t edge = ff_register_edge(count);
    size_t inside = index < count - 1 - index ? index : count - 1 - index;
    if (inside >= edge)
        return 1;
    return 0.5 - 0.5 * cos(M_PI * ((double)inside + 0.5) / (double)edge);
}

void ff_register_fade(const struct ff_image *image, struct ff_image *faded)
{
    size_t count = image->rows * image->columns;
    ff_complex_double mean = 0;
    for (size_t i = 0; i < count; i++)
        mean += image->values[i] / (double)count;
    for (size_t r = 0; r < image->rows; r++)
        for (size_t c = 0; c < image->columns; c++) {
            size_t i = r * image->columns + c;
            double share = fade(r, image->rows) * fade(c, image->columns);
            faded->values[i] = mean + share * (image->values[i] - mean);
        }
}

static void transform(const struct ff_image *image, const struct ff_fourier *fourier,
                      struct ff_image *spectrum)
{
    ff_register_fade(image, spectrum);
    ff_fourier_forward(fourier, spectrum->values);
}

static void ramp_by(struct ff_image *image, const double ramp[2], ff_complex_double factor)
{
    for (size_t r = 0; r < image->rows; r++)
        for (size_t c = 0; c < image->columns; c++)
            image->values[r * image->columns + c] *=
                factor * ff_turn(ramp[0] * (double)r + ramp[1] * (double)c);
}

static void moved(const struct ff_image *spectrum, const struct ff_fourier *fourier,
                  const double shift[2], struct ff_image *image)
{
    ff_image_place(spectrum, (const long[]){0, 0}, image);
    ff_fourier_move(image, shift);
    ff_fourier_inverse(fourier, image->values);
}

int ff_register_apply(const struct ff_image *object, const struct ff_registration *registration,
                      struct ff_image *aligned, struct ff_error *error)
{
    struct ff_fourier *fourier = ff_fourier_create(object->rows, object->columns, error);
    if (fourier == NULL)
        return -1;
    transform(object, fourier, aligned);
    ff_fourier_move(aligned, registration->shift_px);
    ff_fourier_inverse(fourier, aligned->values);
    ramp_by(aligned, registration->ramp, registration->factor);
    ff_fourier_destroy(fourier);
    return 0;
}

/* What the steps share. */
struct search {
    const struct ff_image *reference;
    const struct ff_map *mask;
    struct ff_fourier *fourier;
    struct ff_image spectrum; /* of the object */
    struct ff_image image, product;
    struct ff_registration *found;
};

/* The ramp is where the spectrum of conj(object) · reference peaks. */
static int find_ramp(struct search *search, struct ff_error *error)
{
    const struct ff_image *reference = search->reference;
    size_t count = reference->rows * reference->columns;
    moved(&search->spectrum, search->fourier, search->found->shift_px, &search->image);
    for (size_t i = 0; i < count; i++)
        search->image.values[i] =
            search->mask->values[i] * conj(search->image.values[i]) * reference->values[i];
    ff_image_place(&search->image, (const long[]){0, 0}, &search->product);
    ff_fourier_forward(search->fourier, search->product.values);
    size_t best = 0;
    for (size_t i = 1; i < count; i++)
        if (ff_power(search->product.values[i]) > ff_power(search->product.values[best]))
            best = i;
    search->found->ramp[0] =
        2 * M_PI * ff_fourier_frequency(best / reference->columns, reference->rows);
    search->found->ramp[1] =
        2 * M_PI * ff_fourier_frequency(best % reference->columns, reference->columns);
    return ff_fourier_peak(&search->image, FF_PEAK_OF_IMAGE, search->found->ramp, error);
}

/* Less its mean, weighed, and transformed. False where nothing but rounding is left. */
static bool centre(struct search *search, struct ff_image *image)
{
    size_t count = image->rows * image->columns;
    ff_complex_double sum = 0;
    double weights = 0;
    for (size_t i = 0; i < count; i++) {
        sum += search->mask->values[i] * image->values[i];
        weights += search->mask->values[i];
    }
    double all = 0;
    double left = 0;
    for (size_t i = 0; i < count; i++) {
        all += search->mask->values[i] * ff_power(image->values[i]);
        image->values[i] = search->mask->values[i] * (image->values[i] - sum / weights);
        left += ff_power(image->values[i]);
    }
    ff_fourier_forward(search->fourier, image->values);
    return left > flat * all;
}

/* The shift that is still to make is where the cross-correlation peaks, the ramp taken out. */
static int find_shift(struct search *search, struct ff_error *error)
{
    size_t count = search->image.rows * search->image.columns;
    double more[2] = {0, 0};
    moved(&search->spectrum, search->fourier, search->found->shift_px, &search->image);
    ramp_by(&search->image, search->found->ramp, 1);
    ff_image_place(search->reference, (const long[]){0, 0}, &search->product);
    if (!centre(search, &search->image) || !centre(search, &search->product))
        return 0;
    for (size_t i = 0; i < count; i++)
        search->product.values[i] *= conj(search->image.values[i]);
    if (ff_fourier_peak(&search->product, FF_PEAK_OF_SPECTRUM, more, error) < 0)
        return -1;
    for (int axis = 0; axis < 2; axis++)
        search->found->shift_px[axis] += more[axis];
    return 0;
}

static int run(struct search *search, struct ff_error *error)
{
    for (int round = 0; round < ROUNDS; round++)
        if (find_ramp(search, error) < 0 || (round + 1 < ROUNDS && find_shift(search, error) < 0))
            return -1;
    const struct ff_fit fit = {
        .spectrum = &search->spectrum,
        .reference = search->reference,
        .mask = search->mask,
        .fourier = search->fourier,
    };
    return ff_fit_registration(&fit, search->found, error);
}

int ff_register_fine(const struct ff_image *object, const struct ff_image *reference,
                     const struct ff_map *mask, struct ff_registration *registration,
                     struct ff_error *error)
{
    *registration = (struct ff_registration){.factor = 1};
    struct search search = {.reference = reference, .mask = mask, .found = registration};
    search.fourier = ff_fourier_create(object->rows, object->columns, error);
    int result = -1;
    if (search.fourier != NULL &&
        ff_image_create(&search.spectrum, object->rows, object->columns, error) == 0 &&
        ff_image_create(&search.image, object->rows, object->columns, error) == 0 &&
        ff_image_create(&search.product, object->rows, object->columns, error) == 0) {
        transform(object, search.fourier, &search.spectrum);
        result = run(&search, error);
    }
    ff_image_dispose(&search.spectrum);
    ff_image_dispose(&search.image);
    ff_image_dispose(&search.product);
    ff_fourier_destroy(search.fourier);
    return result;
}

/* farfield bench fft: microseconds of a two-dimensional transform as the CPU backend runs it. */
#include "functions/local/program.h"
#include "functions/reconstruct/arrays.h"
#include "functions/reconstruct/backends/cpu/plan.h"
#include "functions/reconstruct/backends/cpu/pool.h"
#include "functions/reconstruct/backends/cpu/vector_fft.h"
#include "protocol/core/clock.h"
#include "protocol/core/file.h"
#include "protocol/core/text.h"

#include <fftw3.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
    "usage: farfield bench fft [--size N] [--threads N] [--json]\n"
    "\n"
    "Times complex transforms of N × N pixels, rows padded by 8, in place, one at a time on each\n"
    "thread: by FFTW, and where N is a power of two by the vector transform, with every "
    "instruction\n"
    "set that this CPU has. Without --size: 64, 128, 192, 256, 384 and 512; without --threads: 1, "
    "and\n"
    "one a core.\n"
    "\n"
    "Exit status: 0 done, 1 failed, 2 wrong use.\n";

enum { PADDING = 8, ROUNDS = 7, PIXELS_A_ROUND = 1 << 23, THREADS_MAX = 1024 };

/* One way of making the transforms: a plan of FFTW, or the vector transform. */
struct transforms {
    char name[64];
    struct ff_plan *plan;
    struct ff_vector_fft *vector;
    float **waves; /* one a thread */
};

static void transform(void *context, unsigned piece, unsigned thread)
{
    const struct transforms *transforms = context;
    (void)piece;
    if (transforms->vector != NULL)
        ff_vector_fft_forward(transforms->vector, transforms->waves[thread]);
    else
        ff_plan_forward(transforms->plan, transforms->waves[thread]);
}

/* Zeros stay zeros, so nothing overflows however often they are transformed. */
static int make_waves(struct transforms *transforms, unsigned threads, size_t size,
                      struct ff_error *error)
{
    transforms->waves = ff_array_create(threads, sizeof *transforms->waves, "the waves", error);
    if (transforms->waves == NULL)
        return -1;
    for (unsigned i = 0; i < threads; i++) {
        transforms->waves[i] =
            ff_array_create(size * (size + PADDING), 2 * sizeof(float), "a wave", error);
        if (transforms->waves[i] == NULL)
            return -1;
    }
    return 0;
}

static void destroy_waves(struct transforms *transforms, unsigned threads)
{
    for (unsigned i = 0; transforms->waves != NULL && i < threads; i++)
        free(transforms->waves[i]);
    free(transforms->waves);
}

/* Seconds of one transform, best of some rounds; NaN after a failure. */
static double measure(struct transforms *transforms, size_t size, unsigned threads,
                      struct ff_error *error)
{
    struct ff_pool *pool = ff_pool_create(threads, NULL, 0, error);
    double best = NAN;
    if (pool != NULL && make_waves(transforms, threads, size, error) == 0) {
        unsigned count = (unsigned)(PIXELS_A_ROUND / (size * size));
        for (int i = 0; i < ROUNDS; i++) {
            int64_t start = ff_monotonic_ns();
            ff_pool_run(pool, transform, transforms, count);
            best = fmin(best, 1e-9 * (double)(ff_monotonic_ns() - start) / count);
        }
    }
    destroy_waves(transforms, threads);
    ff_pool_destroy(pool);
    return best;
}

static int report(struct transforms *transforms, size_t size, unsigned threads, bool json,
                  struct ff_error *error)
{
    double seconds = measure(transforms, size, threads, error);
    if (isnan(seconds))
        return -1;
    if (json)
        printf("{\"size\":%zu,\"threads\":%u,\"us_per_transform\":%.3f,\"transform\":\"%s\"}\n",
               size, threads, 1e6 * seconds, transforms->name);
    else
        printf("%4zu × %-4zu  %u thread%s  %8.2f µs  %s\n", size, size, threads,
               threads == 1 ? " " : "s", 1e6 * seconds, transforms->name);
    return 0;
}

static int report_fftw(size_t size, unsigned threads, const char *cache_folder, bool json,
                       struct ff_error *error)
{
    struct transforms transforms = {0};
    transforms.plan =
        ff_plan_create(size, size, size + PADDING, cache_folder, (struct ff_span){NULL, 0}, error);
    snprintf(transforms.name, sizeof transforms.name, "%s", fftwf_version);
    int result = transforms.plan != NULL ? report(&transforms, size, threads, json, error) : -1;
    ff_plan_destroy(transforms.plan);
    return result;
}

static int report_vector(const struct ff_vector_code *code, size_t size, unsigned threads,
                         bool json, struct ff_error *error)
{
    struct transforms transforms = {0};
    transforms.vector = ff_vector_fft_create(code, size, size, size + PADDING, error);
    snprintf(transforms.name, sizeof transforms.name, "vector, %s", ff_vector_code_name(code));
    int result = transforms.vector != NULL ? report(&transforms, size, threads, json, error) : -1;
    ff_vector_fft_destroy(transforms.vector);
    return result;
}

/* By everything that can make them. */
static int report_all(size_t size, unsigned threads, const char *cache_folder, bool json,
                      struct ff_error *error)
{
    const struct ff_vector_code *code;
    bool runs;
    if (report_fftw(size, threads, cache_folder, json, error) < 0)
        return -1;
    for (unsigned i = 0; (code = ff_vector_code_at(i, &runs)) != NULL; i++)
        if (runs && ff_vector_fft_takes(size, size) &&
            report_vector(code, size, threads, json, error) < 0)
            return -1;
    return 0;
}

struct wishes {
    int64_t size, threads; /* 0: the usual ones */
    bool json, help;
};

static int read_command_line(int argc, char **argv, struct wishes *wishes, struct ff_error *error)
{
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        int result = 0;
        if (strcmp(argv[i], "--json") == 0)
            wishes->json = true;
        else if (strcmp(argv[i], "--help") == 0)
            wishes->help = true;
        else if (strcmp(argv[i], "--size") == 0 && ++i)
            result = ff_text_integer(value, 8, 2048, &wishes->size);
        else if (strcmp(argv[i], "--threads") == 0 && ++i)
            result = ff_text_integer(value, 1, THREADS_MAX, &wishes->threads);
        else
            result = -1;
        if (result < 0) {
            ff_fail(error, FF_INVALID_ARGUMENT, "'%s' cannot be read here", argv[i]);
            return ff_hint(error, "farfield bench fft --help shows how it is called");
        }
    }
    return 0;
}

static int run(const struct wishes *wishes, const char *cache_folder, struct ff_error *error)
{
    static const size_t sizes[] = {64, 128, 192, 256, 384, 512};
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        size_t size = wishes->size > 0 ? (size_t)wishes->size : sizes[i];
        unsigned most = wishes->threads > 0 ? (unsigned)wishes->threads : (unsigned)cores;
        if (wishes->threads == 0 && most > 1 &&
            report_all(size, 1, cache_folder, wishes->json, error) < 0)
            return -1;
        if (report_all(size, most, cache_folder, wishes->json, error) < 0)
            return -1;
        if (wishes->size > 0)
            break;
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct ff_error error = {0};
    struct wishes wishes = {0};
    if (read_command_line(argc, argv, &wishes, &error) < 0)
        return ff_local_report("bench fft", wishes.json, &error);
    if (wishes.help) {
        fputs(usage, stdout);
        return 0;
    }
    char *home = ff_home(&error);
    char *cache = home != NULL ? ff_path_join(home, "cache") : NULL;
    int result = cache != NULL ? run(&wishes, cache, &error) : -1;
    free(cache);
    free(home);
    return result == 0 ? 0 : ff_local_report("bench fft", wishes.json, &error);
}

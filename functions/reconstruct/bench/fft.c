/* farfield bench fft: microseconds of a two-dimensional transform as the CPU backend runs it. */
#include "functions/local/program.h"
#include "functions/reconstruct/arrays.h"
#include "functions/reconstruct/backends/cpu/plan.h"
#include "functions/reconstruct/pool.h"
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
    "Times complex transforms of N × N pixels by FFTW, rows padded by 8, in place, one at a time "
    "on\n"
    "each thread. Without --size: 64, 128, 192, 256, 384 and 512; without --threads: 1, and one a\n"
    "core.\n"
    "\n"
    "Exit status: 0 done, 1 failed, 2 wrong use.\n";

enum { PADDING = 8, ROUNDS = 7, PIXELS_A_ROUND = 1 << 23, THREADS_MAX = 1024 };

struct transforms {
    const struct ff_plan *plan;
    float **waves; /* one a thread */
};

static void transform(void *context, unsigned piece, unsigned thread)
{
    const struct transforms *transforms = context;
    (void)piece;
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
static double measure(size_t size, unsigned threads, const char *cache_folder,
                      struct ff_error *error)
{
    struct transforms transforms = {0};
    struct ff_plan *plan =
        ff_plan_create(size, size, size + PADDING, cache_folder, (struct ff_span){NULL, 0}, error);
    struct ff_pool *pool = plan != NULL ? ff_pool_create(threads, NULL, 0, error) : NULL;
    double best = NAN;
    if (pool != NULL && make_waves(&transforms, threads, size, error) == 0) {
        unsigned count = (unsigned)(PIXELS_A_ROUND / (size * size));
        transforms.plan = plan;
        for (int i = 0; i < ROUNDS; i++) {
            int64_t start = ff_monotonic_ns();
            ff_pool_run(pool, transform, &transforms, count);
            best = fmin(best, 1e-9 * (double)(ff_monotonic_ns() - start) / count);
        }
    }
    destroy_waves(&transforms, threads);
    ff_pool_destroy(pool);
    ff_plan_destroy(plan);
    return best;
}

static int report(size_t size, unsigned threads, const char *cache_folder, bool json,
                  struct ff_error *error)
{
    double seconds = measure(size, threads, cache_folder, error);
    if (isnan(seconds))
        return -1;
    if (json)
        printf("{\"size\":%zu,\"threads\":%u,\"us_per_transform\":%.3f,\"transform\":\"%s\"}\n",
               size, threads, 1e6 * seconds, fftwf_version);
    else
        printf("%4zu × %-4zu  %u thread%s  %8.2f µs\n", size, size, threads,
               threads == 1 ? " " : "s", 1e6 * seconds);
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
            report(size, 1, cache_folder, wishes->json, error) < 0)
            return -1;
        if (report(size, most, cache_folder, wishes->json, error) < 0)
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

#include "functions/reconstruct/backends/cpu/plan.h"

#include "functions/reconstruct/backends/cpu/vector_fft.h"
#include "protocol/core/clock.h"
#include "protocol/core/file.h"

#include <ctype.h>
#include <fcntl.h>
#include <fftw3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

enum { WISDOM_LIMIT = 1 << 24, LOCK_WAIT_MS = 20000, LOCK_TICK_NS = 20000000 };

/* The text of a plan that no measurement decided. */
static const char estimate[] = "estimate";

/* Before the name of the instruction set. A change of the vector transform that changes bits changes
 * the number. */
static const char vector_text[] = "vector transform 1, ";

struct ff_plan {
    FF_FFTW(plan) forward, inverse;
    struct ff_vector_fft *vector; /* NULL: FFTW */
    char *text;                   /* FFTW's wisdom, `estimate`, or `vector_text` and a name */
};

static FF_FFTW(plan)
    make(const struct ff_plan_shape *shape, int sign, unsigned flags, FF_FFTW(complex) * wave)
{
    const FF_FFTW(iodim64) dims[2] = {
        {(ptrdiff_t)shape->rows, (ptrdiff_t)shape->stride, (ptrdiff_t)shape->stride},
        {(ptrdiff_t)shape->columns, 1, 1},
    };
    return FF_FFTW(plan_guru64_dft)(2, dims, 0, NULL, wave, wave, sign, flags);
}

static bool make_both(struct ff_plan *plan, const struct ff_plan_shape *shape, unsigned flags)
{
    FF_FFTW(complex) *wave = FF_FFTW(alloc_complex)(shape->rows * shape->stride + FF_ALIGNMENT);
    if (wave == NULL)
        return false;
    /* Planned at the alignment that every buffer has. */
    FF_FFTW(complex) *aligned =
        (FF_FFTW(complex) *)(((uintptr_t)wave + FF_ALIGNMENT - 1) & ~(uintptr_t)(FF_ALIGNMENT - 1));
    plan->forward = make(shape, FFTW_FORWARD, flags, aligned);
    if (plan->forward != NULL)
        plan->inverse = make(shape, FFTW_BACKWARD, flags, aligned);
    FF_FFTW(free)(wave);
    if (plan->inverse != NULL)
        return true;
    if (plan->forward != NULL)
        FF_FFTW(destroy_plan)(plan->forward);
    plan->forward = NULL;
    return false;
}

/* The CPU model as a file name: wisdom of one model is slow on another, and home folders are shared
 * by many. */
static void cpu_name(char name[96])
{
    char line[256];
    snprintf(name, 96, "unknown");
    FILE *file = fopen("/proc/cpuinfo", "re");
    if (file == NULL)
        return;
    while (fgets(line, sizeof line, file) != NULL) {
        const char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) != 0 || colon == NULL)
            continue;
        size_t used = 0;
        for (const char *at = colon + 1; *at != '\0' && used < 95; at++)
            if (isalnum((unsigned char)*at))
                name[used++] = *at;
        name[used] = '\0';
        break;
    }
    fclose(file);
}

/* Forgets what this process knows and takes this instead. */
static bool take_wisdom(const char *wisdom)
{
    FF_FFTW(forget_wisdom)();
    return FF_FFTW(import_wisdom_from_string)(wisdom) == 1;
}

/* The same with what the file says; false when there is no such file. */
static bool read_wisdom(const char *path)
{
    char *text = NULL;
    size_t size = 0;
    if (ff_file_read(path, WISDOM_LIMIT, &text, &size, NULL) < 0)
        return false;
    bool taken = take_wisdom(text);
    free(text);
    return taken;
}

/* Both plans by what this process knows, without measuring. */
static bool make_known(struct ff_plan *plan, const struct ff_plan_shape *shape)
{
    return make_both(plan, shape, FFTW_MEASURE | FFTW_WISDOM_ONLY);
}

/* -1 when another process holds the lock for too long, or the folder cannot be written. */
static int lock_beside(const char *path)
{
    char lock[4096 + 8];
    snprintf(lock, sizeof lock, "%s.lock", path);
    int fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    int64_t deadline = ff_monotonic_ns() + LOCK_WAIT_MS * 1000000ll;
    while (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0) {
        const struct timespec tick = {0, LOCK_TICK_NS};
        if (ff_monotonic_ns() > deadline) {
            close(fd);
            return -1;
        }
        nanosleep(&tick, NULL);
    }
    return fd;
}

/* Measures and stores. What is run afterwards is read back from the file, so that the first run
 * does not differ. */
static bool measure_and_store(struct ff_plan *plan, const struct ff_plan_shape *shape,
                              const char *path)
{
    if (!make_both(plan, shape, FFTW_MEASURE))
        return false;
    FF_FFTW(destroy_plan)(plan->forward);
    FF_FFTW(destroy_plan)(plan->inverse);
    plan->forward = plan->inverse = NULL;
    char *text = FF_FFTW(export_wisdom_to_string)();
    if (text == NULL)
        return false;
    int stored = ff_file_write(path, ff_span_of(text), 0600, NULL);
    free(text);
    return stored == 0 && read_wisdom(path) && make_known(plan, shape);
}

static bool plan_by_wisdom(struct ff_plan *plan, const struct ff_plan_shape *shape,
                           const char *cache_folder)
{
    char path[4096];
    char cpu[96];
    cpu_name(cpu);
    int length = snprintf(path, sizeof path, "%s/" FF_FFTW_FILE "-%s.wisdom", cache_folder, cpu);
    if (length < 0 || (size_t)length >= sizeof path)
        return false;
    if (read_wisdom(path) && make_known(plan, shape))
        return true;
    if (ff_folder_make(cache_folder, 0700, NULL) < 0)
        return false;
    int lock = lock_beside(path);
    if (lock < 0)
        return false;
    /* Another process may have measured it while this one waited. */
    bool made =
        (read_wisdom(path) && make_known(plan, shape)) || measure_and_store(plan, shape, path);
    close(lock);
    return made;
}

static bool plan_by_estimate(struct ff_plan *plan, const struct ff_plan_shape *shape)
{
    FF_FFTW(forget_wisdom)();
    return make_both(plan, shape, FFTW_ESTIMATE);
}

/* The plan that this text tells; false where it tells none for this shape and CPU. */
static bool plan_by_text(struct ff_plan *plan, const struct ff_plan_shape *shape, const char *text)
{
    if (strcmp(text, estimate) == 0)
        return plan_by_estimate(plan, shape);
    if (take_wisdom(text) && make_known(plan, shape))
        return true;
    FF_FFTW(forget_wisdom)(); /* else it would be stored in the cache with what is measured next */
    return false;
}

static bool make_plan(struct ff_plan *plan, const struct ff_plan_shape *shape,
                      const char *cache_folder, struct ff_span same_as)
{
    plan->text = same_as.size > 0 ? ff_span_copy(same_as) : NULL;
    if (plan->text != NULL && plan_by_text(plan, shape, plan->text))
        return true;
    free(plan->text);
    if (cache_folder != NULL && plan_by_wisdom(plan, shape, cache_folder)) {
        plan->text = FF_FFTW(export_wisdom_to_string)();
        return plan->text != NULL;
    }
    plan->text = strdup(estimate);
    return plan->text != NULL && plan_by_estimate(plan, shape);
}

static int make_vector_plan(struct ff_plan *plan, const struct ff_plan_shape *shape,
                            struct ff_error *error)
{
    plan->vector =
        ff_vector_fft_create(shape->vector, shape->rows, shape->columns, shape->stride, error);
    if (plan->vector == NULL)
        return -1;
    if (asprintf(&plan->text, "%s%s", vector_text, ff_vector_code_name(shape->vector)) >= 0)
        return 0;
    plan->text = NULL;
    return ff_fail(error, FF_NO_MEMORY, "no memory for a plan");
}

struct ff_plan *ff_plan_create(const struct ff_plan_shape *shape, const char *cache_folder,
                               struct ff_span same_as, struct ff_error *error)
{
    struct ff_plan *plan = calloc(1, sizeof *plan);
    bool made =
        plan != NULL && (shape->vector != NULL ? make_vector_plan(plan, shape, error) == 0
                                               : make_plan(plan, shape, cache_folder, same_as));
    if (made)
        return plan;
    if (plan == NULL || shape->vector == NULL)
        ff_fail(error, FF_NO_MEMORY, "FFTW cannot plan a transform of %zu × %zu", shape->rows,
                shape->columns);
    ff_plan_destroy(plan);
    return NULL;
}

bool ff_plan_text_is_vector(struct ff_span text, const struct ff_vector_code *vector)
{
    const char *name = ff_vector_code_name(vector);
    const size_t before = sizeof vector_text - 1;
    return text.size == before + strlen(name) && memcmp(text.data, vector_text, before) == 0 &&
           memcmp((const char *)text.data + before, name, strlen(name)) == 0;
}

struct ff_span ff_plan_text(const struct ff_plan *plan)
{
    return ff_span_of(plan->text);
}

void ff_plan_forward(const struct ff_plan *plan, ff_real *wave)
{
    if (plan->vector != NULL)
        ff_vector_fft_forward(plan->vector, (void *)wave); /* in double there is none */
    else
        FF_FFTW(execute_dft)(plan->forward, (FF_FFTW(complex) *)wave, (FF_FFTW(complex) *)wave);
}

void ff_plan_inverse(const struct ff_plan *plan, ff_real *wave)
{
    if (plan->vector != NULL)
        ff_vector_fft_inverse(plan->vector, (void *)wave); /* in double there is none */
    else
        FF_FFTW(execute_dft)(plan->inverse, (FF_FFTW(complex) *)wave, (FF_FFTW(complex) *)wave);
}

void ff_plan_destroy(struct ff_plan *plan)
{
    if (plan == NULL)
        return;
    if (plan->forward != NULL)
        FF_FFTW(destroy_plan)(plan->forward);
    if (plan->inverse != NULL)
        FF_FFTW(destroy_plan)(plan->inverse);
    ff_vector_fft_destroy(plan->vector);
    free(plan->text);
    free(plan);
}

#include "functions/local/progress.h"

#include "protocol/core/clock.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BAR_WIDTH = 24, DRAWN_EVERY_NS = 50000000 };

struct ff_progress {
    bool json;
    bool terminal; /* standard error is one */
    bool drawn;
    int64_t drawn_ns;
};

struct ff_progress *ff_progress_create(bool json, struct ff_error *error)
{
    struct ff_progress *progress = calloc(1, sizeof *progress);
    if (progress == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory to show progress");
        return NULL;
    }
    progress->json = json;
    progress->terminal = isatty(STDERR_FILENO) == 1;
    return progress;
}

void ff_progress_destroy(struct ff_progress *progress)
{
    free(progress);
}

void ff_progress_end(struct ff_progress *progress)
{
    if (progress->drawn)
        fputs("\r\033[K", stderr);
    progress->drawn = false;
}

/* {"type":"epoch", …}: the numbers of a call with their kind in front. */
static void print_json(const char *numbers)
{
    json_t *line = json_pack("{s:s}", "type", "epoch");
    json_t *told = json_loads(numbers, 0, NULL);
    json_object_update(line, told);
    json_dumpf(line, stdout, JSON_COMPACT | JSON_REAL_PRECISION(9));
    putchar('\n');
    fflush(stdout);
    json_decref(told);
    json_decref(line);
}

static void print_number(const char *key, const json_t *value)
{
    if (json_is_integer(value))
        fprintf(stderr, "  %s %lld", key, (long long)json_integer_value(value));
    else if (strcmp(key, "seconds") == 0)
        fprintf(stderr, "  %.1f s", json_number_value(value));
    else
        fprintf(stderr, "  %s %.4g", key, json_number_value(value));
}

static void draw(struct ff_progress *progress, double fraction, const char *numbers)
{
    int64_t now = ff_monotonic_ns();
    if (progress->drawn && fraction < 1 && now - progress->drawn_ns < DRAWN_EVERY_NS)
        return;
    json_t *told = numbers != NULL ? json_loads(numbers, 0, NULL) : NULL;
    const char *key;
    json_t *value;
    fputs("\r\033[K[", stderr);
    for (int i = 0; i < BAR_WIDTH; i++)
        fputs(i < (int)(fraction * BAR_WIDTH + 0.5) ? "█" : " ", stderr);
    fputs("]", stderr);
    json_object_foreach(told, key, value) print_number(key, value);
    fflush(stderr);
    json_decref(told);
    progress->drawn = true;
    progress->drawn_ns = now;
}

static void on_progress(void *user, double fraction, const char *numbers)
{
    struct ff_progress *progress = user;
    if (progress->json && numbers != NULL)
        print_json(numbers);
    else if (!progress->json && progress->terminal)
        draw(progress, fraction, numbers);
}

static void on_log(void *user, int level, const char *text)
{
    struct ff_progress *progress = user;
    if (level < FF_CALL_INFO)
        return;
    ff_progress_end(progress);
    fprintf(stderr, "%s%s\n", level >= FF_CALL_WARNING ? "note: " : "", text);
}

struct ff_local_watch ff_progress_watch(struct ff_progress *progress)
{
    return (struct ff_local_watch){.user = progress, .progress = on_progress, .log = on_log};
}

#include "functions/local/progress.h"

#include "protocol/core/bytes.h"
#include "protocol/core/clock.h"
#include "protocol/core/text.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { BAR_WIDTH = 20, DRAWN_EVERY_NS = 50000000, LINE_LIMIT = 1 << 16, DEFAULT_COLUMNS = 80 };

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
    json_t *told = json_loads(numbers, 0, NULL);
    bool epoch = json_object_get(told, "epoch") != NULL;
    json_t *line = json_pack("{s:s}", "type", epoch ? "epoch" : "progress");
    json_object_update(line, told);
    json_dumpf(line, stdout, JSON_COMPACT | JSON_REAL_PRECISION(9));
    putchar('\n');
    fflush(stdout);
    json_decref(told);
    json_decref(line);
}

/* Where `key` is a part ("epoch") and `numbers` have its whole ("epochs"), the whole; else NULL. */
static const json_t *whole_of(const json_t *numbers, const char *key)
{
    char plural[64];
    snprintf(plural, sizeof plural, "%.60ss", key);
    const json_t *whole = json_object_get(numbers, plural);
    return json_is_integer(json_object_get(numbers, key)) && json_is_integer(whole) ? whole : NULL;
}

static bool is_whole(const json_t *numbers, const char *key)
{
    char singular[64];
    snprintf(singular, sizeof singular, "%s", key);
    size_t length = strlen(singular);
    if (length < 2 || singular[length - 1] != 's')
        return false;
    singular[length - 1] = '\0';
    return whole_of(numbers, singular) != NULL;
}

static void add_number(struct ff_buffer *line, const json_t *numbers, const char *key,
                       const json_t *value)
{
    char text[32];
    const json_t *whole = whole_of(numbers, key);
    if (strcmp(key, "seconds") == 0) {
        ff_text_duration(json_number_value(value), text, sizeof text);
        ff_buffer_printf(line, "  %s", text);
    } else if (whole != NULL) {
        ff_buffer_printf(line, "  %s %lld/%lld", key, (long long)json_integer_value(value),
                         (long long)json_integer_value(whole));
    } else if (json_is_integer(value)) {
        ff_buffer_printf(line, "  %s %lld", key, (long long)json_integer_value(value));
    } else {
        ff_buffer_printf(line, "  %s %#.4g", strcmp(key, "r") == 0 ? "R" : key,
                         json_number_value(value));
    }
}

/* "━━━━━─────  52 %  epoch 21/40  cost 0.4120  R 0.1310  1.90 s", as `farfield task watch` draws it. */
static void compose(struct ff_buffer *line, double fraction, const json_t *numbers)
{
    const char *key;
    json_t *value;
    for (int i = 0; i < BAR_WIDTH; i++)
        ff_buffer_printf(line, "%s", i < (int)(fraction * BAR_WIDTH + 0.5) ? "━" : "─");
    ff_buffer_printf(line, "%4.0f %%", 100 * fraction);
    json_object_foreach((json_t *)numbers, key, value)
    {
        if (!is_whole(numbers, key))
            add_number(line, numbers, key, value);
    }
}

/* How much of the text is one line of the terminal; its characters are all one column wide. */
static int fitting(const char *text)
{
    struct winsize window;
    int columns = ioctl(STDERR_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 0
                      ? window.ws_col
                      : DEFAULT_COLUMNS;
    int at = 0;
    for (int width = 0; text[at] != '\0'; at++)
        if (((unsigned char)text[at] & 0xc0) != 0x80 && ++width >= columns)
            break;
    return at;
}

static void draw(struct ff_progress *progress, double fraction, const char *numbers)
{
    int64_t now = ff_monotonic_ns();
    if (progress->drawn && fraction < 1 && now - progress->drawn_ns < DRAWN_EVERY_NS)
        return;
    json_t *told = numbers != NULL ? json_loads(numbers, 0, NULL) : NULL;
    struct ff_buffer line;
    ff_buffer_init(&line, LINE_LIMIT);
    compose(&line, fraction, told);
    const char *text = ff_buffer_text(&line);
    fprintf(stderr, "\r\033[K%.*s", fitting(text), text);
    fflush(stderr);
    ff_buffer_dispose(&line);
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
    ff_text_printf(stderr, "%s%s\n", level >= FF_CALL_WARNING ? "note: " : "", text);
}

struct ff_local_watch ff_progress_watch(struct ff_progress *progress)
{
    return (struct ff_local_watch){.user = progress, .progress = on_progress, .log = on_log};
}

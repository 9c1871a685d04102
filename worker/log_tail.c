#include "worker/log_tail.h"

#include "protocol/limits.h"

#include <stdlib.h>
#include <string.h>

enum { KEPT = FF_LOG_TAIL / 2, BURST = 300, PER_SECOND = 100 };

/* Lines are appended until the buffer is full, and then the older half goes: a copy of half the buffer each time it fills. */
struct ff_log_tail {
    char text[FF_LOG_TAIL];
    size_t size;
    double tokens;
    int64_t filled_ns;
    unsigned left_out;
};

struct ff_log_tail *ff_log_tail_create(void)
{
    struct ff_log_tail *tail = malloc(sizeof *tail);
    if (tail == NULL)
        return NULL;
    tail->size = 0;
    tail->tokens = BURST;
    tail->filled_ns = 0;
    tail->left_out = 0;
    return tail;
}

void ff_log_tail_destroy(struct ff_log_tail *tail)
{
    free(tail);
}

static bool take_token(struct ff_log_tail *tail, int64_t now_ns)
{
    if (tail->filled_ns != 0)
        tail->tokens += 1e-9 * (double)(now_ns - tail->filled_ns) * PER_SECOND;
    tail->filled_ns = now_ns;
    if (tail->tokens > BURST)
        tail->tokens = BURST;
    if (tail->tokens < 1)
        return false;
    tail->tokens -= 1;
    return true;
}

/* A function may log several lines at once. */
static unsigned count_lines(struct ff_span text)
{
    unsigned lines = 1;
    for (size_t i = 0; i < text.size; i++)
        lines += ((const char *)text.data)[i] == '\n';
    return lines;
}

bool ff_log_tail_add(struct ff_log_tail *tail, struct ff_span line, int64_t now_ns,
                     unsigned *left_out)
{
    size_t size = line.size < KEPT - 1 ? line.size : KEPT - 1;
    if (tail->size + size + 1 > sizeof tail->text) {
        size_t drop = tail->size - (sizeof tail->text - KEPT);
        const char *newline = memchr(tail->text + drop, '\n', tail->size - drop);
        drop = newline != NULL ? (size_t)(newline - tail->text) + 1 : tail->size;
        memmove(tail->text, tail->text + drop, tail->size - drop);
        tail->size -= drop;
        if (tail->size + size + 1 > sizeof tail->text)
            tail->size = 0;
    }
    memcpy(tail->text + tail->size, line.data, size);
    tail->size += size;
    tail->text[tail->size++] = '\n';
    *left_out = tail->left_out;
    if (!take_token(tail, now_ns)) {
        tail->left_out += count_lines(line);
        return false;
    }
    tail->left_out = 0;
    return true;
}

struct ff_span ff_log_tail_text(struct ff_log_tail *tail)
{
    struct ff_span text = {NULL, 0};
    if (tail == NULL)
        return text;
    size_t from = 0;
    if (tail->size > KEPT) {
        from = tail->size - KEPT;
        const char *newline = memchr(tail->text + from, '\n', tail->size - from);
        from = newline != NULL ? (size_t)(newline - tail->text) + 1 : from;
    }
    text.data = tail->text + from;
    text.size = tail->size - from;
    return text;
}

#include "service/recent.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LARGEST_KEPT = 16384 };

/* The spans of a row, to copy what they point to. */
enum { SPANS = 8 };

static void spans_of(struct ff_result_row *row, struct ff_span *spans[SPANS])
{
    spans[0] = &row->code;
    spans[1] = &row->message;
    spans[2] = &row->hint;
    spans[3] = &row->log_tail;
    spans[4] = &row->value;
    spans[5] = &row->node;
    spans[6] = &row->devices;
    spans[7] = &row->previews;
}

static struct ff_recent_result *copy_row(const struct ff_result_row *row)
{
    struct ff_result_row own = *row;
    struct ff_span *spans[SPANS];
    size_t size = 0;
    spans_of(&own, spans);
    for (int i = 0; i < SPANS; i++)
        size += spans[i]->size;
    struct ff_recent_result *result =
        size <= LARGEST_KEPT ? calloc(1, sizeof *result + size) : NULL;
    if (result == NULL)
        return NULL;
    char *at = result->text;
    for (int i = 0; i < SPANS; i++) {
        if (spans[i]->size > 0)
            memcpy(at, spans[i]->data, spans[i]->size);
        spans[i]->data = at;
        at += spans[i]->size;
    }
    result->row = own;
    return result;
}

void ff_recent_keep(struct ff_recent *recent, const struct ff_task *task,
                    const struct ff_result_row *row)
{
    const struct ff_batch *batch = task->batch;
    bool awaited = batch->waiters.first != NULL ||
                   (task->detail != NULL && task->detail->waiters.first != NULL);
    struct ff_recent_result *result = awaited ? copy_row(row) : NULL;
    if (result == NULL)
        return;
    result->first = batch->first;
    result->count = batch->count;
    result->group = batch->group;
    result->function = batch->function;
    result->endpoint = batch->endpoint;
    result->submitted_ns = batch->submitted_ns;
    result->accepted_ns = batch->accepted_ns;
    snprintf(result->user, sizeof result->user, "%s", batch->user);
    snprintf(result->priority, sizeof result->priority, "%s", batch->priority);
    free(recent->results[recent->next]);
    recent->results[recent->next] = result;
    recent->next = (recent->next + 1) % FF_RECENT_RESULTS;
}

struct ff_recent_result *ff_recent_take(struct ff_recent *recent, int64_t key)
{
    /* The newest first. */
    for (unsigned i = 1; i <= FF_RECENT_RESULTS; i++) {
        unsigned at = (recent->next + FF_RECENT_RESULTS - i) % FF_RECENT_RESULTS;
        struct ff_recent_result *result = recent->results[at];
        if (result == NULL || result->row.key != key)
            continue;
        recent->results[at] = NULL;
        return result;
    }
    return NULL;
}

void ff_recent_clear(struct ff_recent *recent)
{
    for (unsigned i = 0; i < FF_RECENT_RESULTS; i++) {
        free(recent->results[i]);
        recent->results[i] = NULL;
    }
}

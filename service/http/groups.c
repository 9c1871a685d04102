/*
 * Task groups: their tasks, and their results in the order of ending.
 */
#include "service/http/document.h"

#include <stdlib.h>
#include <string.h>

enum { PAGE_LIMIT = 10000, PAGE = 1000, PAGE_BYTES = 16 << 20 };

/* The user's group of the path. Under the lock. */
static struct ff_group *find_group(struct ff_request *request, struct ff_error *error)
{
    struct ff_id id;
    struct ff_service *service = request->service;
    const char *text = request->arguments[0];
    struct ff_group *group = NULL;
    if (ff_id_parse(text, strlen(text), &id) == 0)
        group = ff_ledger_group(service->ledger, &service->lock, request->http->store, &id, error);
    else
        ff_fail(error, FF_NOT_FOUND, "\"%.40s\" is not the id of a task group", text);
    if (group != NULL && strcmp(group->user, request->user) != 0) {
        ff_fail(error, FF_NOT_FOUND, "there is no task group of this id");
        return NULL;
    }
    return group;
}

static void write_ids(struct ff_buffer *out, const uint8_t *secret, const struct ff_group_run *run)
{
    for (uint32_t n = 0; n < run->count; n++) {
        struct ff_id id;
        ff_task_id(secret, run->first + n, &id);
        ff_json_begin(out, '{');
        ff_json_member_id(out, "id", &id);
        ff_json_end(out, '}');
    }
}

int ff_get_group(struct ff_request *request, struct ff_error *error)
{
    struct ff_service *service = request->service;
    struct ff_buffer *out = &request->reply;
    struct ff_group_run *runs = NULL;
    size_t count = 0;
    struct ff_id id;
    pthread_mutex_lock(&service->lock);
    const struct ff_group *group = find_group(request, error);
    if (group != NULL) {
        /* A copy, so that a million ids are written without the lock. */
        id = group->id;
        count = group->run_count;
        runs = malloc((count + 1) * sizeof *runs);
        if (runs != NULL && count > 0)
            memcpy(runs, group->runs, count * sizeof *runs);
    }
    pthread_mutex_unlock(&service->lock);
    if (group == NULL)
        return -1;
    if (runs == NULL)
        return ff_fail(error, FF_NO_MEMORY, "no memory for the tasks of a group");
    ff_json_begin(out, '{');
    ff_json_member_id(out, "taskgroup_id", &id);
    ff_json_key(out, "tasks");
    ff_json_begin(out, '[');
    for (size_t i = 0; i < count; i++)
        write_ids(out, service->identity.secret, &runs[i]);
    ff_json_end(out, ']');
    ff_json_end(out, '}');
    free(runs);
    return FF_REPLY;
}

/* A page of endings, copied so that results are read without the lock. */
struct page {
    struct ff_group_end *ends;
    size_t count;
    uint64_t outstanding;
};

static void copy_page(const struct ff_group *group, int64_t after, size_t limit, struct page *page)
{
    size_t low = 0;
    size_t high = group->end_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (group->ends[middle].seq <= after)
            low = middle + 1;
        else
            high = middle;
    }
    size_t left = group->end_count - low;
    page->count = left < limit ? left : limit;
    page->outstanding = group->total - group->end_count;
    page->ends = malloc((page->count + 1) * sizeof *page->ends);
    if (page->ends == NULL)
        page->count = 0;
    else if (page->count > 0)
        memcpy(page->ends, &group->ends[low], page->count * sizeof *page->ends);
}

static int write_page(struct ff_request *request, const struct page *page, struct ff_error *error)
{
    struct ff_buffer *out = &request->reply;
    struct ff_documents documents;
    ff_documents_open(&documents, request, out, FF_DOCUMENT_RESULT);
    ff_json_begin(out, '{');
    ff_json_key(out, "results");
    ff_json_begin(out, '[');
    for (size_t i = 0; i < page->count && out->size < PAGE_BYTES; i++)
        if (ff_document_write_ended(&documents, page->ends[i].key, page->ends[i].seq, error) < 0)
            return -1;
    ff_json_end(out, ']');
    ff_json_member_integer(out, "outstanding", (int64_t)page->outstanding);
    ff_json_end(out, '}');
    return FF_REPLY;
}

int ff_get_group_results(struct ff_request *request, struct ff_error *error)
{
    struct ff_service *service = request->service;
    struct page page = {NULL, 0, 0};
    int64_t after;
    int64_t limit;
    int64_t wait_ms;
    if (ff_request_number(request, "after", 0, INT64_MAX, 0, &after, error) < 0 ||
        ff_request_number(request, "limit", 1, PAGE_LIMIT, PAGE, &limit, error) < 0 ||
        ff_request_number(request, "wait_ms", 0, FF_LONG_POLL_MS, 0, &wait_ms, error) < 0)
        return -1;
    pthread_mutex_lock(&service->lock);
    struct ff_group *group = find_group(request, error);
    bool waits = false;
    if (group != NULL) {
        bool nothing_new = group->end_count == 0 || group->ends[group->end_count - 1].seq <= after;
        waits = nothing_new && group->end_count < group->total && wait_ms > 0 &&
                ff_request_wait(request, &group->waiters, wait_ms, true);
        if (!waits)
            copy_page(group, after, (size_t)limit, &page);
    }
    pthread_mutex_unlock(&service->lock);
    if (group == NULL)
        return -1;
    if (waits)
        return FF_LATER;
    int result = write_page(request, &page, error);
    free(page.ends);
    return result;
}

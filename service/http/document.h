/*
 * service/http/document.h: tasks as JSON: live ones from memory, ended ones from the store.
 * Private to service/http.
 */
#ifndef FF_SERVICE_HTTP_DOCUMENT_H
#define FF_SERVICE_HTTP_DOCUMENT_H

#include "service/http/request.h"

enum ff_document_parts {
    FF_DOCUMENT_PLAIN = 0,
    FF_DOCUMENT_RESULT = 1,   /* the result's value too */
    FF_DOCUMENT_LOG_TAIL = 2, /* error.log_tail too */
};

/* Writes documents of many tasks for one user; tasks of one batch are cheap. */
struct ff_documents {
    struct ff_request *request;
    struct ff_buffer *buffer;
    unsigned parts;
    /* The batch of the last ended task. */
    int64_t first;
    uint32_t count;
    struct ff_id group;
    char user[FF_USER_LIMIT + 1];
    char priority[17];
    struct ff_function *function;
    struct ff_endpoint *endpoint;
    int64_t submitted_ns, accepted_ns;
};

void ff_documents_open(struct ff_documents *documents, struct ff_request *request,
                       struct ff_buffer *buffer, unsigned parts);

/* The key of an id as text; FF_TASK_NOT_FOUND for one that this service has not made. */
int ff_document_key(struct ff_request *request, const char *id_text, int64_t *key,
                    struct ff_error *error) FF_MUST_USE;

/* Writes the document; FF_TASK_NOT_FOUND when there is no such task of this user. Not under the
 * lock. */
int ff_document_write(struct ff_documents *documents, int64_t key,
                      struct ff_error *error) FF_MUST_USE;

/* The short document of an ended task, for pages of a thousand: its seq, id, state, attempt, and
 * result or error. The caller knows whose it is. */
int ff_document_write_ended(struct ff_documents *documents, int64_t key, int64_t seq,
                            struct ff_error *error) FF_MUST_USE;

/* The same of a live task, under the lock. */
void ff_document_write_live(struct ff_documents *documents, const struct ff_task *task);

/* Why a live task waits, in words; "" when it does not. */
void ff_document_why(const struct ff_task *task, char *text, size_t size);

/* Finds the batch of an ended task (filled in `documents`), and that it is the user's. */
int ff_document_batch(struct ff_documents *documents, int64_t key,
                      struct ff_error *error) FF_MUST_USE;

#endif

/*
 * service/store/store.h: the durable ledger, behind a table of operations.
 *
 * What is on disk: accounts (tokens), functions, endpoints, every submission until it is retired,
 * and of every task that it was accepted (`task`), what it lost (`trial`, rare) and how it ended
 * (`result`). Where a live task is at the moment is never written: the service learns it from the
 * endpoints after a restart.
 *
 * Tasks have integer keys (protocol/ids.h makes ids of them). A batch is a run of consecutive keys
 * that were submitted together for one function; what its tasks share is stored once. `seq`
 * numbers results in the order of their commits.
 *
 * A store belongs to one thread. There is one writer (the committer's thread) and any number of
 * readers of the same path. Spans of rows that are handed out are valid during the callback only;
 * a callback returns nonzero to end the reading. Operations return -1 with an error; a get returns
 * 1 when it found, 0 when not.
 */
#ifndef FF_SERVICE_STORE_STORE_H
#define FF_SERVICE_STORE_STORE_H

#include "protocol/core/digest.h"
#include "protocol/ids.h"
#include "protocol/task_state.h"

struct ff_store_operations;

/* Implementations put this first in their own structure. */
struct ff_store {
    const struct ff_store_operations *ops;
};

enum ff_store_mode { FF_STORE_WRITER, FF_STORE_READER };

/* What a writer learns when it opens: the epoch of this start is committed before open returns. */
struct ff_store_start {
    uint64_t epoch;
    int64_t next_task;
};

struct ff_function_row {
    int64_t key; /* 0 when it is to be given */
    struct ff_id id;
    struct ff_span name, kind, owner, description, metadata;
    struct ff_digest digest;
    uint64_t size;
    bool is_public;
    int64_t created_ns, deleted_ns; /* 0: not deleted */
};

struct ff_endpoint_row {
    int64_t key;
    struct ff_id id;
    struct ff_span name, owner, public_key, display_name, metadata;
    int64_t created_ns, deleted_ns;
    /* The holder of its lease; a zero instance: nobody. */
    struct ff_id holder;
    struct ff_span holder_host;
    int64_t holder_pid, seen_ns;
};

struct ff_token_row {
    int64_t key;
    struct ff_id id;
    struct ff_digest hash;
    struct ff_span user, label, scopes;
    int64_t created_ns, expires_ns; /* 0: never */
};

struct ff_batch_row {
    int64_t first;
    uint32_t count;
    struct ff_id group, request;
    int64_t endpoint, function; /* their keys */
    struct ff_span user, priority;
    int64_t submitted_ns, accepted_ns;
    uint32_t devices, cores, nodes, max_retries;
    uint64_t time_limit_ms;
};

/* Arguments of a task: JSON text, or an object where they are large. */
struct ff_payload {
    struct ff_span text;
    const struct ff_digest *object; /* NULL: text */
    uint64_t size;
};

/* What a live task has been through before its present attempt, and what a user asked of it. */
struct ff_trial_row {
    int64_t key;
    uint32_t number; /* attempts so far as people count */
    uint32_t charged, uncharged;
    uint32_t asked; /* an ff_control_action, or 0 */
    struct ff_digest checkpoint;
    uint64_t checkpoint_size;
};

struct ff_result_row {
    int64_t key;
    int64_t seq;
    enum ff_task_state state;
    uint32_t number;
    struct ff_span code, message, hint, log_tail;
    struct ff_span value; /* JSON text */
    struct ff_digest object;
    uint64_t object_size; /* 0: the value is inline */
    struct ff_span node, devices, previews;
    int64_t delivered_ns, ended_ns, stored_ns;
    uint64_t queued_us, launch_us, run_us;
};

/* An idempotency key and what it stands for: `parts` batches with consecutive firsts from `first`
 * on. */
struct ff_submission_row {
    struct ff_span user, key;
    struct ff_digest body;
    struct ff_id group, request;
    int64_t first;
    uint32_t parts;
    int64_t created_ns;
};

/* A task of an open batch as a restart finds it. */
struct ff_open_task {
    int64_t key;
    uint64_t payload_size;
    bool is_object, ended, has_trial;
    struct ff_trial_row trial;
};

typedef int ff_each_function(void *user, const struct ff_function_row *row);
typedef int ff_each_endpoint(void *user, const struct ff_endpoint_row *row);
typedef int ff_each_token(void *user, const struct ff_token_row *row);
typedef int ff_each_batch(void *user, const struct ff_batch_row *row);
typedef int ff_each_open_task(void *user, const struct ff_open_task *task);
typedef int ff_each_result(void *user, const struct ff_result_row *row);
typedef int ff_each_ended(void *user, int64_t seq, int64_t key);
typedef int ff_each_digest(void *user, const struct ff_digest *digest);
/* state: FF_TASK_RECEIVED for any task without result. */
typedef int ff_each_listed(void *user, int64_t key, enum ff_task_state state);

struct ff_store_operations {
    struct ff_store *(*open)(const char *path, enum ff_store_mode mode,
                             struct ff_store_start *start, struct ff_error *error);
    void (*close)(struct ff_store *store); /* NULL is fine */

    /* Writer. */
    int (*begin)(struct ff_store *store, struct ff_error *error);
    int (*commit)(struct ff_store *store, struct ff_error *error);
    void (*rollback)(struct ff_store *store);
    int (*put_function)(struct ff_store *store, struct ff_function_row *row,
                        struct ff_error *error);
    /* Of an endpoint that is there already, only what the row says of its registration changes
     * (absent text: nothing), never its lease. */
    int (*put_endpoint)(struct ff_store *store, struct ff_endpoint_row *row,
                        struct ff_error *error);
    /* The holder of an endpoint's lease, and nothing else of it. */
    int (*put_lease)(struct ff_store *store, const struct ff_endpoint_row *row,
                     struct ff_error *error);
    int (*put_token)(struct ff_store *store, struct ff_token_row *row, struct ff_error *error);
    int (*delete_token)(struct ff_store *store, int64_t key, struct ff_error *error);
    int (*put_batch)(struct ff_store *store, const struct ff_batch_row *row,
                     const struct ff_payload *payloads, struct ff_error *error);
    int (*put_submission)(struct ff_store *store, const struct ff_submission_row *row,
                          struct ff_error *error);
    int (*put_trial)(struct ff_store *store, const struct ff_trial_row *row,
                     struct ff_error *error);
    /* 1: the task has a result already, and keeps it. */
    int (*put_result)(struct ff_store *store, const struct ff_result_row *row,
                      struct ff_error *error);
    /* All tasks of the batch have results: a restart does not look at it again. */
    int (*close_batch)(struct ff_store *store, int64_t first, struct ff_error *error);
    /* Removes closed batches whose last result is older than `before_ns`, about `tasks` tasks of
     * them; *more tells whether others are left. Idempotency keys older than `keys_before_ns` go
     * too. */
    int (*retire)(struct ff_store *store, int64_t before_ns, int64_t keys_before_ns, uint32_t tasks,
                  bool *more, struct ff_error *error);

    /* Reader: what is read until `release` is one state of the ledger. Keep it short: the log
     * grows meanwhile. */
    int (*snapshot)(struct ff_store *store, struct ff_error *error);
    void (*release)(struct ff_store *store);

    /* Reader and writer. */
    int (*get_submission)(struct ff_store *store, struct ff_span user, struct ff_span key,
                          struct ff_submission_row *row, struct ff_error *error);
    /* Copies the payload's text into the buffer, or fills *object and *size. */
    int (*get_payload)(struct ff_store *store, int64_t key, struct ff_buffer *text,
                       struct ff_digest *object, uint64_t *size, struct ff_error *error);
    int (*get_batch)(struct ff_store *store, int64_t key, ff_each_batch *each, void *user,
                     struct ff_error *error);
    int (*get_result)(struct ff_store *store, int64_t key, ff_each_result *each, void *user,
                      struct ff_error *error);
    int (*each_function)(struct ff_store *store, ff_each_function *each, void *user,
                         struct ff_error *error);
    int (*each_endpoint)(struct ff_store *store, ff_each_endpoint *each, void *user,
                         struct ff_error *error);
    int (*each_token)(struct ff_store *store, ff_each_token *each, void *user,
                      struct ff_error *error);
    int (*each_open_batch)(struct ff_store *store, ff_each_batch *each, void *user,
                           struct ff_error *error);
    int (*each_group_batch)(struct ff_store *store, const struct ff_id *group, ff_each_batch *each,
                            void *user, struct ff_error *error);
    /* The tasks `first`…`first + count - 1`, in order. */
    int (*each_open_task)(struct ff_store *store, int64_t first, uint32_t count,
                          ff_each_open_task *each, void *user, struct ff_error *error);
    int (*each_ended)(struct ff_store *store, int64_t first, uint32_t count, ff_each_ended *each,
                      void *user, struct ff_error *error);
    /* Newest first, below `before` (0: from the newest). `function` and `endpoint` 0: any. */
    int (*each_listed)(struct ff_store *store, int64_t before, struct ff_span of_user,
                       int64_t function, int64_t endpoint, ff_each_listed *each, void *user,
                       struct ff_error *error);
    /* Every object that a row names. */
    int (*each_digest)(struct ff_store *store, ff_each_digest *each, void *user,
                       struct ff_error *error);
};

/* SQLite in WAL mode, synchronous=FULL. */
extern const struct ff_store_operations ff_store_sqlite;

#endif

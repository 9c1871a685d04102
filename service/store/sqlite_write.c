/*
 * The writing half of the SQLite store. Columns stand in the order of service/store/schema.c.
 */
#include "service/store/sqlite.h"

#define TEXT(at, span)     ff_sqlite_bind_text(statement, at, span)
#define BLOB(at, span)     ff_sqlite_bind_blob(statement, at, span)
#define INTEGER(at, value) ff_sqlite_bind_integer(statement, at, (int64_t)(value))
#define ID(at, id)         ff_sqlite_bind_id(statement, at, id)
#define DIGEST(at, digest) ff_sqlite_bind_digest(statement, at, digest)

static struct ff_sqlite *sqlite_of(struct ff_store *store)
{
    return (struct ff_sqlite *)store;
}

/* Rows that are new get their key from SQLite; rows that are put again keep theirs. */
static void bind_key(sqlite3_stmt *statement, int64_t key)
{
    if (key == 0)
        sqlite3_bind_null(statement, 1);
    else
        INTEGER(1, key);
}

static int run_keyed(struct ff_store *store, sqlite3_stmt *statement, int64_t *key,
                     struct ff_error *error)
{
    if (ff_sqlite_run(sqlite_of(store), statement, error) < 0)
        return -1;
    if (*key == 0)
        *key = sqlite3_last_insert_rowid(sqlite_of(store)->db);
    return 0;
}

int ff_sqlite_put_function(struct ff_store *store, struct ff_function_row *row,
                           struct ff_error *error)
{
    sqlite3_stmt *statement = ff_sqlite_statement(sqlite_of(store), FF_SQL_PUT_FUNCTION, error);
    if (statement == NULL)
        return -1;
    bind_key(statement, row->key);
    ID(2, &row->id);
    TEXT(3, row->name);
    TEXT(4, row->kind);
    TEXT(5, row->owner);
    TEXT(6, row->description);
    TEXT(7, row->metadata);
    DIGEST(8, &row->digest);
    INTEGER(9, row->size);
    INTEGER(10, row->is_public);
    INTEGER(11, row->created_ns);
    INTEGER(12, row->deleted_ns);
    return run_keyed(store, statement, &row->key, error);
}

int ff_sqlite_put_endpoint(struct ff_store *store, struct ff_endpoint_row *row,
                           struct ff_error *error)
{
    sqlite3_stmt *statement = ff_sqlite_statement(sqlite_of(store), FF_SQL_PUT_ENDPOINT, error);
    if (statement == NULL)
        return -1;
    bind_key(statement, row->key);
    ID(2, &row->id);
    TEXT(3, row->name);
    TEXT(4, row->owner);
    TEXT(5, row->public_key);
    TEXT(6, row->display_name);
    TEXT(7, row->metadata);
    INTEGER(8, row->created_ns);
    INTEGER(9, row->deleted_ns);
    ID(10, &row->holder);
    TEXT(11, row->holder_host);
    INTEGER(12, row->holder_pid);
    INTEGER(13, row->seen_ns);
    return run_keyed(store, statement, &row->key, error);
}

int ff_sqlite_put_lease(struct ff_store *store, const struct ff_endpoint_row *row,
                        struct ff_error *error)
{
    sqlite3_stmt *statement = ff_sqlite_statement(sqlite_of(store), FF_SQL_PUT_LEASE, error);
    if (statement == NULL)
        return -1;
    INTEGER(1, row->key);
    ID(2, &row->holder);
    TEXT(3, row->holder_host);
    INTEGER(4, row->holder_pid);
    INTEGER(5, row->seen_ns);
    return ff_sqlite_run(sqlite_of(store), statement, error);
}

int ff_sqlite_put_token(struct ff_store *store, struct ff_token_row *row, struct ff_error *error)
{
    sqlite3_stmt *statement = ff_sqlite_statement(sqlite_of(store), FF_SQL_PUT_TOKEN, error);
    if (statement == NULL)
        return -1;
    bind_key(statement, row->key);
    ID(2, &row->id);
    DIGEST(3, &row->hash);
    TEXT(4, row->user);
    TEXT(5, row->label);
    TEXT(6, row->scopes);
    INTEGER(7, row->created_ns);
    INTEGER(8, row->expires_ns);
    return run_keyed(store, statement, &row->key, error);
}

static int run_for_key(struct ff_store *store, enum ff_statement which, int64_t key,
                       struct ff_error *error)
{
    sqlite3_stmt *statement = ff_sqlite_statement(sqlite_of(store), which, error);
    if (statement == NULL)
        return -1;
    INTEGER(1, key);
    return ff_sqlite_run(sqlite_of(store), statement, error);
}

int ff_sqlite_delete_token(struct ff_store *store, int64_t key, struct ff_error *error)
{
    return run_for_key(store, FF_SQL_DELETE_TOKEN, key, error);
}

static int put_tasks(struct ff_store *store, const struct ff_batch_row *row,
                     const struct ff_payload *payloads, struct ff_error *error)
{
    sqlite3_stmt *statement = ff_sqlite_statement(sqlite_of(store), FF_SQL_PUT_TASK, error);
    if (statement == NULL)
        return -1;
    for (uint32_t i = 0; i < row->count; i++) {
        const struct ff_payload *payload = &payloads[i];
        struct ff_span none = {NULL, 0};
        INTEGER(1, row->first + i);
        BLOB(2, payload->object == NULL ? payload->text : none);
        DIGEST(3, payload->object);
        if (payload->object == NULL)
            sqlite3_bind_null(statement, 4);
        else
            INTEGER(4, payload->size);
        if (ff_sqlite_run(sqlite_of(store), statement, error) < 0)
            return -1;
    }
    return 0;
}

int ff_sqlite_put_batch(struct ff_store *store, const struct ff_batch_row *row,
                        const struct ff_payload *payloads, struct ff_error *error)
{
    sqlite3_stmt *statement = ff_sqlite_statement(sqlite_of(store), FF_SQL_PUT_BATCH, error);
    if (statement == NULL)
        return -1;
    INTEGER(1, row->first);
    INTEGER(2, row->count);
    ID(3, &row->group);
    ID(4, &row->request);
    INTEGER(5, row->endpoint);
    INTEGER(6, row->function);
    TEXT(7, row->user);
    TEXT(8, row->priority);
    INTEGER(9, row->submitted_ns);
    INTEGER(10, row->accepted_ns);
    INTEGER(11, row->devices);
    INTEGER(12, row->cores);
    INTEGER(13, row->nodes);
    INTEGER(14, row->max_retries);
    INTEGER(15, row->time_limit_ms);
    if (ff_sqlite_run(sqlite_of(store), statement, error) < 0)
        return -1;
    return put_tasks(store, row, payloads, error);
}

int ff_sqlite_put_submission(struct ff_store *store, const struct ff_submission_row *row,
                             struct ff_error *error)
{
    sqlite3_stmt *statement = ff_sqlite_statement(sqlite_of(store), FF_SQL_PUT_SUBMISSION, error);
    if (statement == NULL)
        return -1;
    TEXT(1, row->user);
    TEXT(2, row->key);
    DIGEST(3, &row->body);
    ID(4, &row->group);
    ID(5, &row->request);
    INTEGER(6, row->first);
    INTEGER(7, row->parts);
    INTEGER(8, row->created_ns);
    return ff_sqlite_run(sqlite_of(store), statement, error);
}

int ff_sqlite_put_trial(struct ff_store *store, const struct ff_trial_row *row,
                        struct ff_error *error)
{
    sqlite3_stmt *statement = ff_sqlite_statement(sqlite_of(store), FF_SQL_PUT_TRIAL, error);
    if (statement == NULL)
        return -1;
    INTEGER(1, row->key);
    INTEGER(2, row->number);
    INTEGER(3, row->charged);
    INTEGER(4, row->uncharged);
    INTEGER(5, row->asked);
    DIGEST(6, row->checkpoint_size > 0 ? &row->checkpoint : NULL);
    INTEGER(7, row->checkpoint_size);
    return ff_sqlite_run(sqlite_of(store), statement, error);
}

int ff_sqlite_put_result(struct ff_store *store, const struct ff_result_row *row,
                         struct ff_error *error)
{
    sqlite3_stmt *statement = ff_sqlite_statement(sqlite_of(store), FF_SQL_PUT_RESULT, error);
    if (statement == NULL)
        return -1;
    INTEGER(1, row->key);
    INTEGER(2, row->seq);
    INTEGER(3, row->state);
    INTEGER(4, row->number);
    TEXT(5, row->code);
    TEXT(6, row->message);
    TEXT(7, row->hint);
    BLOB(8, row->log_tail);
    BLOB(9, row->value);
    DIGEST(10, row->object_size > 0 ? &row->object : NULL);
    INTEGER(11, row->object_size);
    TEXT(12, row->node);
    TEXT(13, row->devices);
    TEXT(14, row->previews);
    INTEGER(15, row->delivered_ns);
    INTEGER(16, row->ended_ns);
    INTEGER(17, row->stored_ns);
    INTEGER(18, row->queued_us);
    INTEGER(19, row->launch_us);
    INTEGER(20, row->run_us);
    if (ff_sqlite_run(sqlite_of(store), statement, error) < 0)
        return -1;
    return sqlite3_changes(sqlite_of(store)->db) == 0;
}

int ff_sqlite_close_batch(struct ff_store *store, int64_t first, struct ff_error *error)
{
    return run_for_key(store, FF_SQL_CLOSE_BATCH, first, error);
}

/* ---- retention ---- */

static int run_for_range(struct ff_store *store, enum ff_statement which, int64_t first,
                         int64_t end, struct ff_error *error)
{
    sqlite3_stmt *statement = ff_sqlite_statement(sqlite_of(store), which, error);
    if (statement == NULL)
        return -1;
    INTEGER(1, first);
    INTEGER(2, end);
    return ff_sqlite_run(sqlite_of(store), statement, error);
}

/* When the last result of the range was stored; -1 on failure. */
static int64_t newest_result(struct ff_store *store, int64_t first, int64_t end,
                             struct ff_error *error)
{
    sqlite3_stmt *statement = ff_sqlite_statement(sqlite_of(store), FF_SQL_NEWEST_RESULT, error);
    if (statement == NULL)
        return -1;
    INTEGER(1, first);
    INTEGER(2, end);
    int got = sqlite3_step(statement);
    int64_t newest = got == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : -1;
    sqlite3_reset(statement);
    return got == SQLITE_ROW ? newest : ff_sqlite_fail(sqlite_of(store), "cannot be read", error);
}

static int retire_batch(struct ff_store *store, int64_t first, int64_t end, struct ff_error *error)
{
    if (run_for_range(store, FF_SQL_RETIRE_TASKS, first, end, error) < 0 ||
        run_for_range(store, FF_SQL_RETIRE_RESULTS, first, end, error) < 0 ||
        run_for_range(store, FF_SQL_RETIRE_TRIALS, first, end, error) < 0)
        return -1;
    return run_for_key(store, FF_SQL_RETIRE_BATCH, first, error);
}

enum { RETIRE_AT_ONCE = 256, RETIRE_LOOKED_AT = 4096 };

struct retirement {
    int64_t first[RETIRE_AT_ONCE], end[RETIRE_AT_ONCE];
    int count;
};

/* Chooses what is old enough; the oldest submissions come first. */
static int choose_retired(struct ff_store *store, int64_t before_ns, uint32_t tasks,
                          struct retirement *chosen, bool *more, struct ff_error *error)
{
    sqlite3_stmt *statement = ff_sqlite_statement(sqlite_of(store), FF_SQL_OLDEST_BATCHES, error);
    if (statement == NULL)
        return -1;
    int64_t gathered = 0;
    int looked = 0;
    int got = SQLITE_DONE;
    INTEGER(1, before_ns);
    while (looked++ < RETIRE_LOOKED_AT && (got = sqlite3_step(statement)) == SQLITE_ROW) {
        int64_t first = sqlite3_column_int64(statement, 0);
        int64_t count = sqlite3_column_int64(statement, 1);
        int64_t newest = newest_result(store, first, first + count, error);
        if (newest < 0) {
            sqlite3_reset(statement);
            return -1;
        }
        if (newest >= before_ns)
            continue;
        *more = chosen->count == RETIRE_AT_ONCE || gathered >= tasks;
        if (*more)
            break;
        chosen->first[chosen->count] = first;
        chosen->end[chosen->count++] = first + count;
        gathered += count;
    }
    int result = got == SQLITE_ROW || got == SQLITE_DONE
                     ? 0
                     : ff_sqlite_fail(sqlite_of(store), "cannot be read", error);
    sqlite3_reset(statement);
    return result;
}

int ff_sqlite_retire(struct ff_store *store, int64_t before_ns, int64_t keys_before_ns,
                     uint32_t tasks, bool *more, struct ff_error *error)
{
    struct retirement chosen = {.count = 0};
    *more = false;
    sqlite3_stmt *keep = ff_sqlite_statement(sqlite_of(store), FF_SQL_KEEP_NEXT_TASK, error);
    /* Keys are never given twice, even when the newest tasks are removed. */
    if (keep == NULL || ff_sqlite_run(sqlite_of(store), keep, error) < 0 ||
        choose_retired(store, before_ns, tasks, &chosen, more, error) < 0)
        return -1;
    for (int i = 0; i < chosen.count; i++)
        if (retire_batch(store, chosen.first[i], chosen.end[i], error) < 0)
            return -1;
    return run_for_key(store, FF_SQL_RETIRE_SUBMISSIONS, keys_before_ns, error);
}

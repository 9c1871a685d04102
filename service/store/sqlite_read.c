/*
 * The reading half of the SQLite store. Columns stand in the order of service/store/schema.c.
 */
#include "service/store/sqlite.h"

#include <stdlib.h>

#define SPAN(column)    ff_sqlite_span(statement, column)
#define INTEGER(column) sqlite3_column_int64(statement, column)
#define COUNT(column)   (uint32_t) sqlite3_column_int64(statement, column)
#define ID(column)      ff_sqlite_id(statement, column)
#define DIGEST(column)  ff_sqlite_digest(statement, column)

static struct ff_sqlite *sqlite_of(struct ff_store *store)
{
    return (struct ff_sqlite *)store;
}

/* Ends a reading: `got` is the last answer of a step, or SQLITE_DONE where the reader had enough.
 * */
static int end_reading(struct ff_store *store, sqlite3_stmt *statement, int got,
                       struct ff_error *error)
{
    int result = got == SQLITE_DONE || got == SQLITE_ROW
                     ? 0
                     : ff_sqlite_fail(sqlite_of(store), "cannot be read", error);
    sqlite3_reset(statement);
    return result;
}

/* Calls a row function for each row; the macro of each table turns columns into the row. */
#define EACH_ROW(which, BIND, TAKE, row_type, each, user)                                          \
    sqlite3_stmt *statement = ff_sqlite_statement(sqlite_of(store), which, error);                 \
    if (statement == NULL)                                                                         \
        return -1;                                                                                 \
    BIND;                                                                                          \
    int got;                                                                                       \
    while ((got = sqlite3_step(statement)) == SQLITE_ROW) {                                        \
        struct row_type row = TAKE(statement);                                                     \
        if (each(user, &row) != 0)                                                                 \
            break;                                                                                 \
    }                                                                                              \
    return end_reading(store, statement, got, error)

static struct ff_function_row take_function(sqlite3_stmt *statement)
{
    return (struct ff_function_row){
        .key = INTEGER(0),
        .id = ID(1),
        .name = SPAN(2),
        .kind = SPAN(3),
        .owner = SPAN(4),
        .description = SPAN(5),
        .metadata = SPAN(6),
        .digest = DIGEST(7),
        .size = (uint64_t)INTEGER(8),
        .is_public = INTEGER(9) != 0,
        .created_ns = INTEGER(10),
        .deleted_ns = INTEGER(11),
    };
}

static struct ff_endpoint_row take_endpoint(sqlite3_stmt *statement)
{
    return (struct ff_endpoint_row){
        .key = INTEGER(0),
        .id = ID(1),
        .name = SPAN(2),
        .owner = SPAN(3),
        .public_key = SPAN(4),
        .display_name = SPAN(5),
        .metadata = SPAN(6),
        .created_ns = INTEGER(7),
        .deleted_ns = INTEGER(8),
        .holder = ID(9),
        .holder_host = SPAN(10),
        .holder_pid = INTEGER(11),
        .seen_ns = INTEGER(12),
    };
}

static struct ff_token_row take_token(sqlite3_stmt *statement)
{
    return (struct ff_token_row){
        .key = INTEGER(0),
        .id = ID(1),
        .hash = DIGEST(2),
        .user = SPAN(3),
        .label = SPAN(4),
        .scopes = SPAN(5),
        .created_ns = INTEGER(6),
        .expires_ns = INTEGER(7),
    };
}

static struct ff_batch_row take_batch(sqlite3_stmt *statement)
{
    return (struct ff_batch_row){
        .first = INTEGER(0),
        .count = COUNT(1),
        .group = ID(2),
        .request = ID(3),
        .endpoint = INTEGER(4),
        .function = INTEGER(5),
        .user = SPAN(6),
        .priority = SPAN(7),
        .submitted_ns = INTEGER(8),
        .accepted_ns = INTEGER(9),
        .devices = COUNT(10),
        .cores = COUNT(11),
        .nodes = COUNT(12),
        .max_retries = COUNT(13),
        .time_limit_ms = (uint64_t)INTEGER(14),
    };
}

static struct ff_result_row take_result(sqlite3_stmt *statement)
{
    return (struct ff_result_row){
        .key = INTEGER(0),
        .seq = INTEGER(1),
        .state = (enum ff_task_state)INTEGER(2),
        .number = COUNT(3),
        .code = SPAN(4),
        .message = SPAN(5),
        .hint = SPAN(6),
        .log_tail = SPAN(7),
        .value = SPAN(8),
        .object = DIGEST(9),
        .object_size = (uint64_t)INTEGER(10),
        .node = SPAN(11),
        .devices = SPAN(12),
        .previews = SPAN(13),
        .delivered_ns = INTEGER(14),
        .ended_ns = INTEGER(15),
        .stored_ns = INTEGER(16),
        .queued_us = (uint64_t)INTEGER(17),
        .launch_us = (uint64_t)INTEGER(18),
        .run_us = (uint64_t)INTEGER(19),
    };
}

static struct ff_open_task take_open_task(sqlite3_stmt *statement)
{
    return (struct ff_open_task){
        .key = INTEGER(0),
        .payload_size = (uint64_t)INTEGER(1),
        .is_object = INTEGER(2) != 0,
        .ended = INTEGER(3) != 0,
        .has_trial = sqlite3_column_type(statement, 4) != SQLITE_NULL,
        .trial =
            {
                .key = INTEGER(4),
                .number = COUNT(5),
                .charged = COUNT(6),
                .uncharged = COUNT(7),
                .asked = COUNT(8),
                .checkpoint = DIGEST(9),
                .checkpoint_size = (uint64_t)INTEGER(10),
            },
    };
}

int ff_sqlite_each_function(struct ff_store *store, ff_each_function *each, void *user,
                            struct ff_error *error)
{
    EACH_ROW(FF_SQL_EACH_FUNCTION, (void)0, take_function, ff_function_row, each, user);
}

int ff_sqlite_each_endpoint(struct ff_store *store, ff_each_endpoint *each, void *user,
                            struct ff_error *error)
{
    EACH_ROW(FF_SQL_EACH_ENDPOINT, (void)0, take_endpoint, ff_endpoint_row, each, user);
}

int ff_sqlite_each_token(struct ff_store *store, ff_each_token *each, void *user,
                         struct ff_error *error)
{
    EACH_ROW(FF_SQL_EACH_TOKEN, (void)0, take_token, ff_token_row, each, user);
}

int ff_sqlite_each_open_batch(struct ff_store *store, ff_each_batch *each, void *user,
                              struct ff_error *error)
{
    EACH_ROW(FF_SQL_EACH_OPEN_BATCH, (void)0, take_batch, ff_batch_row, each, user);
}

int ff_sqlite_each_group_batch(struct ff_store *store, const struct ff_id *group,
                               ff_each_batch *each, void *user, struct ff_error *error)
{
    EACH_ROW(FF_SQL_EACH_GROUP_BATCH, ff_sqlite_bind_id(statement, 1, group), take_batch,
             ff_batch_row, each, user);
}

static void bind_range(sqlite3_stmt *statement, int64_t first, uint32_t count)
{
    ff_sqlite_bind_integer(statement, 1, first);
    ff_sqlite_bind_integer(statement, 2, first + count);
}

int ff_sqlite_each_open_task(struct ff_store *store, int64_t first, uint32_t count,
                             ff_each_open_task *each, void *user, struct ff_error *error)
{
    EACH_ROW(FF_SQL_EACH_OPEN_TASK, bind_range(statement, first, count), take_open_task,
             ff_open_task, each, user);
}

int ff_sqlite_each_ended(struct ff_store *store, int64_t first, uint32_t count, ff_each_ended *each,
                         void *user, struct ff_error *error)
{
    sqlite3_stmt *statement = ff_sqlite_statement(sqlite_of(store), FF_SQL_EACH_ENDED, error);
    if (statement == NULL)
        return -1;
    bind_range(statement, first, count);
    int got;
    while ((got = sqlite3_step(statement)) == SQLITE_ROW && each(user, INTEGER(0), INTEGER(1)) == 0)
        ;
    return end_reading(store, statement, got, error);
}

int ff_sqlite_each_listed(struct ff_store *store, int64_t before, struct ff_span of_user,
                          int64_t function, int64_t endpoint, ff_each_listed *each, void *user,
                          struct ff_error *error)
{
    sqlite3_stmt *statement = ff_sqlite_statement(sqlite_of(store), FF_SQL_EACH_LISTED, error);
    if (statement == NULL)
        return -1;
    ff_sqlite_bind_integer(statement, 1, before > 0 ? before : INT64_MAX);
    ff_sqlite_bind_text(statement, 2, of_user);
    ff_sqlite_bind_integer(statement, 3, function);
    ff_sqlite_bind_integer(statement, 4, endpoint);
    int got;
    while ((got = sqlite3_step(statement)) == SQLITE_ROW) {
        bool ended = sqlite3_column_type(statement, 1) != SQLITE_NULL;
        if (each(user, INTEGER(0), ended ? (enum ff_task_state)INTEGER(1) : FF_TASK_RECEIVED) != 0)
            break;
    }
    return end_reading(store, statement, got, error);
}

static struct ff_digest take_first_digest(sqlite3_stmt *statement)
{
    return DIGEST(0);
}

int ff_sqlite_each_digest(struct ff_store *store, ff_each_digest *each, void *user,
                          struct ff_error *error)
{
    EACH_ROW(FF_SQL_EACH_DIGEST, (void)0, take_first_digest, ff_digest, each, user);
}

/* Steps to the one row of a statement. 1: there. 0: none, and reset. -1: failed, and reset. */
static int step_to_row(struct ff_store *store, sqlite3_stmt *statement, struct ff_error *error)
{
    int got = sqlite3_step(statement);
    if (got == SQLITE_ROW)
        return 1;
    return end_reading(store, statement, got, error);
}

int ff_sqlite_get_submission(struct ff_store *store, struct ff_span user, struct ff_span key,
                             struct ff_submission_row *row, struct ff_error *error)
{
    sqlite3_stmt *statement = ff_sqlite_statement(sqlite_of(store), FF_SQL_GET_SUBMISSION, error);
    if (statement == NULL)
        return -1;
    ff_sqlite_bind_text(statement, 1, user);
    ff_sqlite_bind_text(statement, 2, key);
    int found = step_to_row(store, statement, error);
    if (found <= 0)
        return found;
    *row = (struct ff_submission_row){
        .user = user,
        .key = key,
        .body = DIGEST(2),
        .group = ID(3),
        .request = ID(4),
        .first = INTEGER(5),
        .parts = COUNT(6),
        .created_ns = INTEGER(7),
    };
    sqlite3_reset(statement);
    return 1;
}

int ff_sqlite_get_payload(struct ff_store *store, int64_t key, struct ff_buffer *text,
                          struct ff_digest *object, uint64_t *size, struct ff_error *error)
{
    sqlite3_stmt *statement = ff_sqlite_statement(sqlite_of(store), FF_SQL_GET_PAYLOAD, error);
    if (statement == NULL)
        return -1;
    ff_sqlite_bind_integer(statement, 1, key);
    int found = step_to_row(store, statement, error);
    if (found <= 0)
        return found;
    struct ff_span payload = SPAN(0);
    ff_buffer_append(text, payload.data, payload.size);
    *object = DIGEST(1);
    *size = sqlite3_column_type(statement, 2) != SQLITE_NULL ? (uint64_t)INTEGER(2) : payload.size;
    sqlite3_reset(statement);
    return ff_buffer_check(text, "the arguments of a task", error) < 0 ? -1 : 1;
}

int ff_sqlite_get_batch(struct ff_store *store, int64_t key, ff_each_batch *each, void *user,
                        struct ff_error *error)
{
    sqlite3_stmt *statement = ff_sqlite_statement(sqlite_of(store), FF_SQL_GET_BATCH, error);
    if (statement == NULL)
        return -1;
    ff_sqlite_bind_integer(statement, 1, key);
    int found = step_to_row(store, statement, error);
    if (found <= 0)
        return found;
    struct ff_batch_row row = take_batch(statement);
    found = key < row.first + row.count;
    if (found)
        each(user, &row);
    sqlite3_reset(statement);
    return found;
}

int ff_sqlite_get_result(struct ff_store *store, int64_t key, ff_each_result *each, void *user,
                         struct ff_error *error)
{
    sqlite3_stmt *statement = ff_sqlite_statement(sqlite_of(store), FF_SQL_GET_RESULT, error);
    if (statement == NULL)
        return -1;
    ff_sqlite_bind_integer(statement, 1, key);
    int found = step_to_row(store, statement, error);
    if (found <= 0)
        return found;
    struct ff_result_row row = take_result(statement);
    each(user, &row);
    sqlite3_reset(statement);
    return 1;
}

/*
 * service/store/sqlite.h: what the files of the SQLite store share: the open database with its
 * prepared statements, and binding and reading of columns. Private to service/store.
 */
#ifndef FF_SERVICE_STORE_SQLITE_H
#define FF_SERVICE_STORE_SQLITE_H

#include "service/store/schema.h"
#include "service/store/store.h"

#include <sqlite3.h>

struct ff_sqlite {
    struct ff_store store;
    sqlite3 *db;
    char *path;
    sqlite3_stmt *statements[FF_SQL_COUNT]; /* prepared at first use */
};

/* A statement ready to bind, or NULL. Reset it after use. */
sqlite3_stmt *ff_sqlite_statement(struct ff_sqlite *sqlite, enum ff_statement which,
                                  struct ff_error *error) FF_MUST_USE;

/* Fills the error from the database's last failure: a full disk is FF_DISK_FULL. Returns -1. */
int ff_sqlite_fail(struct ff_sqlite *sqlite, const char *what, struct ff_error *error);

/* Steps a statement without rows, and resets it. */
int ff_sqlite_run(struct ff_sqlite *sqlite, sqlite3_stmt *statement,
                  struct ff_error *error) FF_MUST_USE;

/* Binding does not copy: what it points to must live until the statement is reset. An empty span
 * binds NULL. */
void ff_sqlite_bind_text(sqlite3_stmt *statement, int at, struct ff_span text);
void ff_sqlite_bind_blob(sqlite3_stmt *statement, int at, struct ff_span blob);
void ff_sqlite_bind_id(sqlite3_stmt *statement, int at, const struct ff_id *id);
void ff_sqlite_bind_digest(sqlite3_stmt *statement, int at, const struct ff_digest *digest);
void ff_sqlite_bind_integer(sqlite3_stmt *statement, int at, int64_t value);

/* Columns count from 0. Spans are valid until the next step. */
struct ff_span ff_sqlite_span(sqlite3_stmt *statement, int column);
struct ff_id ff_sqlite_id(sqlite3_stmt *statement, int column);
struct ff_digest ff_sqlite_digest(sqlite3_stmt *statement, int column);

/* The writing and the reading half of the table. */
int ff_sqlite_put_function(struct ff_store *store, struct ff_function_row *row,
                           struct ff_error *error);
int ff_sqlite_put_endpoint(struct ff_store *store, struct ff_endpoint_row *row,
                           struct ff_error *error);
int ff_sqlite_put_lease(struct ff_store *store, const struct ff_endpoint_row *row,
                        struct ff_error *error);
int ff_sqlite_put_token(struct ff_store *store, struct ff_token_row *row, struct ff_error *error);
int ff_sqlite_delete_token(struct ff_store *store, int64_t key, struct ff_error *error);
int ff_sqlite_put_batch(struct ff_store *store, const struct ff_batch_row *row,
                        const struct ff_payload *payloads, struct ff_error *error);
int ff_sqlite_put_submission(struct ff_store *store, const struct ff_submission_row *row,
                             struct ff_error *error);
int ff_sqlite_put_trial(struct ff_store *store, const struct ff_trial_row *row,
                        struct ff_error *error);
int ff_sqlite_put_result(struct ff_store *store, const struct ff_result_row *row,
                         struct ff_error *error);
int ff_sqlite_close_batch(struct ff_store *store, int64_t first, struct ff_error *error);
int ff_sqlite_retire(struct ff_store *store, int64_t before_ns, int64_t keys_before_ns,
                     uint32_t tasks, bool *more, struct ff_error *error);

int ff_sqlite_get_submission(struct ff_store *store, struct ff_span user, struct ff_span key,
                             struct ff_submission_row *row, struct ff_error *error);
int ff_sqlite_get_payload(struct ff_store *store, int64_t key, struct ff_buffer *text,
                          struct ff_digest *object, uint64_t *size, struct ff_error *error);
int ff_sqlite_get_batch(struct ff_store *store, int64_t key, ff_each_batch *each, void *user,
                        struct ff_error *error);
int ff_sqlite_get_result(struct ff_store *store, int64_t key, ff_each_result *each, void *user,
                         struct ff_error *error);
int ff_sqlite_each_function(struct ff_store *store, ff_each_function *each, void *user,
                            struct ff_error *error);
int ff_sqlite_each_endpoint(struct ff_store *store, ff_each_endpoint *each, void *user,
                            struct ff_error *error);
int ff_sqlite_each_token(struct ff_store *store, ff_each_token *each, void *user,
                         struct ff_error *error);
int ff_sqlite_each_open_batch(struct ff_store *store, ff_each_batch *each, void *user,
                              struct ff_error *error);
int ff_sqlite_each_group_batch(struct ff_store *store, const struct ff_id *group,
                               ff_each_batch *each, void *user, struct ff_error *error);
int ff_sqlite_each_open_task(struct ff_store *store, int64_t first, uint32_t count,
                             ff_each_open_task *each, void *user, struct ff_error *error);
int ff_sqlite_each_ended(struct ff_store *store, int64_t first, uint32_t count, ff_each_ended *each,
                         void *user, struct ff_error *error);
int ff_sqlite_each_listed(struct ff_store *store, int64_t before, struct ff_span of_user,
                          int64_t function, int64_t endpoint, ff_each_listed *each, void *user,
                          struct ff_error *error);
int ff_sqlite_each_digest(struct ff_store *store, ff_each_digest *each, void *user,
                          struct ff_error *error);

#endif

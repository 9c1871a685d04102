/*
 * The store on SQLite: opening, transactions, statements and columns. sqlite_write.c and
 * sqlite_read.c are the rest.
 *
 * WAL with synchronous=FULL: a commit is one sync of the log. The checkpoint is done by the writer
 * every 2,000 pages, so that the log is reused in place and does not grow; it is given its whole
 * length at the start, because a sync of a file that grows takes twice as long. No memory map: a
 * failing disk is then an error and no signal.
 */
#include "service/store/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char pragmas[] = "PRAGMA journal_mode=WAL;"
                              "PRAGMA synchronous=FULL;"
                              "PRAGMA foreign_keys=OFF;"
                              "PRAGMA temp_store=MEMORY;"
                              "PRAGMA wal_autocheckpoint=2000;";
enum { LOG_BYTES = 32 + 2000 * (24 + 4096) }; /* head, and a head with each page */
enum { WRITER_CACHE_KIB = 8192, READER_CACHE_KIB = 2048, BUSY_MS = 5000 };

int ff_sqlite_fail(struct ff_sqlite *sqlite, const char *what, struct ff_error *error)
{
    int code = sqlite->db != NULL ? sqlite3_errcode(sqlite->db) & 0xff : SQLITE_NOMEM;
    enum ff_error_code ours = code == SQLITE_FULL    ? FF_DISK_FULL
                              : code == SQLITE_NOMEM ? FF_NO_MEMORY
                              : code == SQLITE_BUSY  ? FF_BUSY
                                                     : FF_IO;
    ff_fail(error, ours, "the ledger %s: %s: %s", sqlite->path, what,
            sqlite->db != NULL ? sqlite3_errmsg(sqlite->db) : "out of memory");
    if (ours == FF_DISK_FULL)
        ff_hint(error, "free space on the file system of the service's folder");
    return -1;
}

sqlite3_stmt *ff_sqlite_statement(struct ff_sqlite *sqlite, enum ff_statement which,
                                  struct ff_error *error)
{
    sqlite3_stmt **at = &sqlite->statements[which];
    if (*at == NULL && sqlite3_prepare_v3(sqlite->db, ff_statements[which], -1,
                                          SQLITE_PREPARE_PERSISTENT, at, NULL) != SQLITE_OK)
        ff_sqlite_fail(sqlite, "cannot prepare a statement", error);
    return *at;
}

int ff_sqlite_run(struct ff_sqlite *sqlite, sqlite3_stmt *statement, struct ff_error *error)
{
    int got = sqlite3_step(statement);
    int result = 0;
    if (got != SQLITE_DONE && got != SQLITE_ROW)
        result = ff_sqlite_fail(sqlite, "cannot write", error);
    sqlite3_reset(statement);
    return result;
}

void ff_sqlite_bind_text(sqlite3_stmt *statement, int at, struct ff_span text)
{
    if (text.size == 0)
        sqlite3_bind_null(statement, at);
    else
        sqlite3_bind_text(statement, at, text.data, (int)text.size, SQLITE_STATIC);
}

void ff_sqlite_bind_blob(sqlite3_stmt *statement, int at, struct ff_span blob)
{
    if (blob.size == 0)
        sqlite3_bind_null(statement, at);
    else
        sqlite3_bind_blob(statement, at, blob.data, (int)blob.size, SQLITE_STATIC);
}

void ff_sqlite_bind_id(sqlite3_stmt *statement, int at, const struct ff_id *id)
{
    sqlite3_bind_blob(statement, at, id->bytes, FF_ID_SIZE, SQLITE_STATIC);
}

void ff_sqlite_bind_digest(sqlite3_stmt *statement, int at, const struct ff_digest *digest)
{
    if (digest == NULL)
        sqlite3_bind_null(statement, at);
    else
        sqlite3_bind_blob(statement, at, digest->bytes, FF_DIGEST_SIZE, SQLITE_STATIC);
}

void ff_sqlite_bind_integer(sqlite3_stmt *statement, int at, int64_t value)
{
    sqlite3_bind_int64(statement, at, value);
}

struct ff_span ff_sqlite_span(sqlite3_stmt *statement, int column)
{
    const void *data = sqlite3_column_blob(statement, column);
    struct ff_span span = {data != NULL ? data : "",
                           (size_t)sqlite3_column_bytes(statement, column)};
    return span;
}

static void take_fixed(sqlite3_stmt *statement, int column, void *to, size_t size)
{
    const void *data = sqlite3_column_blob(statement, column);
    if (data != NULL && (size_t)sqlite3_column_bytes(statement, column) == size)
        memcpy(to, data, size);
}

struct ff_id ff_sqlite_id(sqlite3_stmt *statement, int column)
{
    struct ff_id id = {{0}};
    take_fixed(statement, column, id.bytes, FF_ID_SIZE);
    return id;
}

struct ff_digest ff_sqlite_digest(sqlite3_stmt *statement, int column)
{
    struct ff_digest digest = {{0}};
    take_fixed(statement, column, digest.bytes, FF_DIGEST_SIZE);
    return digest;
}

/* ---- opening ---- */

static void sqlite_close(struct ff_store *store)
{
    struct ff_sqlite *sqlite = (struct ff_sqlite *)store;
    if (sqlite == NULL)
        return;
    for (int i = 0; i < FF_SQL_COUNT; i++)
        sqlite3_finalize(sqlite->statements[i]);
    sqlite3_close(sqlite->db);
    free(sqlite->path);
    free(sqlite);
}

static int read_number(struct ff_sqlite *sqlite, const char *sql, int64_t *value,
                       struct ff_error *error)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(sqlite->db, sql, -1, &statement, NULL) != SQLITE_OK ||
        sqlite3_step(statement) != SQLITE_ROW) {
        ff_sqlite_fail(sqlite, "cannot be read", error);
        sqlite3_finalize(statement);
        return -1;
    }
    *value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return 0;
}

static int run_text(struct ff_sqlite *sqlite, const char *sql, struct ff_error *error)
{
    if (sqlite3_exec(sqlite->db, sql, NULL, NULL, NULL) != SQLITE_OK)
        return ff_sqlite_fail(sqlite, "cannot be set up", error);
    return 0;
}

static int make_schema(struct ff_sqlite *sqlite, struct ff_error *error)
{
    int64_t version = 0;
    if (read_number(sqlite, "PRAGMA user_version", &version, error) < 0)
        return -1;
    if (version == FF_SCHEMA_VERSION)
        return 0;
    if (version != 0) {
        ff_fail(error, FF_VERSION_MISMATCH, "the ledger %s has schema %lld; this service knows %d",
                sqlite->path, (long long)version, FF_SCHEMA_VERSION);
        return ff_hint(error, "use the version of Farfield that made it, or a newer one");
    }
    if (run_text(sqlite, "BEGIN IMMEDIATE", error) < 0 ||
        run_text(sqlite, ff_schema_create, error) < 0)
        return -1;
    return run_text(sqlite, "COMMIT", error);
}

static int take_number(struct ff_sqlite *sqlite, enum ff_statement which, int64_t *value,
                       struct ff_error *error)
{
    sqlite3_stmt *statement = ff_sqlite_statement(sqlite, which, error);
    if (statement == NULL)
        return -1;
    int got = sqlite3_step(statement);
    if (got == SQLITE_ROW)
        *value = sqlite3_column_int64(statement, 0);
    /* A statement that changes something has done it all only when it was stepped to its end. */
    while (got == SQLITE_ROW)
        got = sqlite3_step(statement);
    sqlite3_reset(statement);
    return got == SQLITE_DONE ? 0 : ff_sqlite_fail(sqlite, "cannot be started", error);
}

static int begin_epoch(struct ff_sqlite *sqlite, struct ff_store_start *start,
                       struct ff_error *error)
{
    int64_t epoch = 0;
    int64_t next = 1;
    if (make_schema(sqlite, error) < 0 ||
        take_number(sqlite, FF_SQL_NEXT_EPOCH, &epoch, error) < 0 ||
        take_number(sqlite, FF_SQL_NEXT_TASK, &next, error) < 0)
        return -1;
    start->epoch = (uint64_t)epoch;
    start->next_task = next;
    return 0;
}

/* Fills the log up with zeros, which no recovery takes for pages: their salts and checksums are
 * not those of the head. Where that fails the log grows as it always can. */
static void fill_log(const struct ff_sqlite *sqlite)
{
    static const char zeros[1 << 16];
    sqlite3_file *log = NULL;
    sqlite3_int64 size = 0;
    int amount;
    if (sqlite3_file_control(sqlite->db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log) != SQLITE_OK ||
        log == NULL || log->pMethods == NULL || log->pMethods->xFileSize(log, &size) != SQLITE_OK)
        return;
    for (; size < LOG_BYTES; size += amount) {
        amount = LOG_BYTES - size < (sqlite3_int64)sizeof zeros ? (int)(LOG_BYTES - size)
                                                                : (int)sizeof zeros;
        if (log->pMethods->xWrite(log, zeros, amount, size) != SQLITE_OK)
            return;
    }
    log->pMethods->xSync(log, SQLITE_SYNC_NORMAL);
}

/* Only the owner may read it; SQLite gives its other files the same mode. */
static int make_file(struct ff_sqlite *sqlite, struct ff_error *error)
{
    int fd = open(sqlite->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return ff_fail_errno(error, FF_IO, errno, "cannot open the ledger %s", sqlite->path);
    close(fd);
    return 0;
}

static struct ff_store *sqlite_open(const char *path, enum ff_store_mode mode,
                                    struct ff_store_start *start, struct ff_error *error)
{
    struct ff_sqlite *sqlite = calloc(1, sizeof *sqlite);
    if (sqlite == NULL || (sqlite->path = strdup(path)) == NULL) {
        free(sqlite);
        ff_fail(error, FF_NO_MEMORY, "no memory for the ledger");
        return NULL;
    }
    sqlite->store.ops = &ff_store_sqlite;
    if (mode == FF_STORE_WRITER && make_file(sqlite, error) < 0) {
        sqlite_close(&sqlite->store);
        return NULL;
    }
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(path, &sqlite->db, flags, NULL) != SQLITE_OK) {
        ff_sqlite_fail(sqlite, "cannot be opened", error);
        sqlite_close(&sqlite->store);
        return NULL;
    }
    char cache[64];
    snprintf(cache, sizeof cache, "PRAGMA cache_size=-%d;",
             mode == FF_STORE_WRITER ? WRITER_CACHE_KIB : READER_CACHE_KIB);
    sqlite3_extended_result_codes(sqlite->db, 0);
    sqlite3_busy_timeout(sqlite->db, BUSY_MS);
    if (run_text(sqlite, pragmas, error) < 0 || run_text(sqlite, cache, error) < 0 ||
        (mode == FF_STORE_WRITER && begin_epoch(sqlite, start, error) < 0)) {
        sqlite_close(&sqlite->store);
        return NULL;
    }
    if (mode == FF_STORE_WRITER)
        fill_log(sqlite);
    return &sqlite->store;
}

/* ---- transactions ---- */

static int run_simple(struct ff_store *store, enum ff_statement which, struct ff_error *error)
{
    struct ff_sqlite *sqlite = (struct ff_sqlite *)store;
    sqlite3_stmt *statement = ff_sqlite_statement(sqlite, which, error);
    return statement != NULL ? ff_sqlite_run(sqlite, statement, error) : -1;
}

static int sqlite_begin(struct ff_store *store, struct ff_error *error)
{
    return run_simple(store, FF_SQL_BEGIN, error);
}

static int sqlite_snapshot(struct ff_store *store, struct ff_error *error)
{
    return run_simple(store, FF_SQL_SNAPSHOT, error);
}

static int sqlite_commit(struct ff_store *store, struct ff_error *error)
{
    return run_simple(store, FF_SQL_COMMIT, error);
}

static void sqlite_rollback(struct ff_store *store)
{
    struct ff_sqlite *sqlite = (struct ff_sqlite *)store;
    /* Some failures have rolled back already. */
    if (!sqlite3_get_autocommit(sqlite->db) && run_simple(store, FF_SQL_ROLLBACK, NULL) < 0)
        sqlite3_interrupt(sqlite->db);
}

const struct ff_store_operations ff_store_sqlite = {
    .open = sqlite_open,
    .close = sqlite_close,
    .begin = sqlite_begin,
    .commit = sqlite_commit,
    .rollback = sqlite_rollback,
    .snapshot = sqlite_snapshot,
    .release = sqlite_rollback,
    .put_function = ff_sqlite_put_function,
    .put_endpoint = ff_sqlite_put_endpoint,
    .put_lease = ff_sqlite_put_lease,
    .put_token = ff_sqlite_put_token,
    .delete_token = ff_sqlite_delete_token,
    .put_batch = ff_sqlite_put_batch,
    .put_submission = ff_sqlite_put_submission,
    .put_trial = ff_sqlite_put_trial,
    .put_result = ff_sqlite_put_result,
    .close_batch = ff_sqlite_close_batch,
    .retire = ff_sqlite_retire,
    .get_submission = ff_sqlite_get_submission,
    .get_payload = ff_sqlite_get_payload,
    .get_batch = ff_sqlite_get_batch,
    .get_result = ff_sqlite_get_result,
    .each_function = ff_sqlite_each_function,
    .each_endpoint = ff_sqlite_each_endpoint,
    .each_token = ff_sqlite_each_token,
    .each_open_batch = ff_sqlite_each_open_batch,
    .each_group_batch = ff_sqlite_each_group_batch,
    .each_open_task = ff_sqlite_each_open_task,
    .each_ended = ff_sqlite_each_ended,
    .each_listed = ff_sqlite_each_listed,
    .each_digest = ff_sqlite_each_digest,
};

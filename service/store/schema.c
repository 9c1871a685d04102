#include "service/store/schema.h"

/*
 * Lean on purpose: every row of a task costs, so tasks and results have an integer key and no
 * other index, and both are appended in about the order of their keys. What the tasks of a
 * submission share stands in `batch`. Some time after its last result a batch is closed, together
 * with others; the partial index lets a restart find the open ones.
 */
const char ff_schema_create[] =
    "CREATE TABLE meta(name TEXT PRIMARY KEY, value INTEGER) WITHOUT ROWID;"
    "CREATE TABLE function(key INTEGER PRIMARY KEY, id BLOB, name TEXT, kind TEXT, owner TEXT,"
    " description TEXT, metadata TEXT, digest BLOB, size INTEGER, public INTEGER,"
    " created_ns INTEGER, deleted_ns INTEGER);"
    "CREATE TABLE endpoint(key INTEGER PRIMARY KEY, id BLOB, name TEXT, owner TEXT,"
    " public_key TEXT, display_name TEXT, metadata TEXT, created_ns INTEGER, deleted_ns INTEGER,"
    " holder BLOB, holder_host TEXT, holder_pid INTEGER, seen_ns INTEGER);"
    "CREATE TABLE token(key INTEGER PRIMARY KEY, id BLOB, hash BLOB, user TEXT, label TEXT,"
    " scopes TEXT, created_ns INTEGER, expires_ns INTEGER);"
    "CREATE TABLE batch(first INTEGER PRIMARY KEY, count INTEGER, grp BLOB, request BLOB,"
    " endpoint INTEGER, function INTEGER, user TEXT, priority TEXT, submitted_ns INTEGER,"
    " accepted_ns INTEGER, devices INTEGER, cores INTEGER, nodes INTEGER, max_retries INTEGER,"
    " time_limit_ms INTEGER, open INTEGER);"
    "CREATE INDEX batch_open ON batch(first) WHERE open=1;"
    "CREATE INDEX batch_group ON batch(grp);"
    "CREATE TABLE task(key INTEGER PRIMARY KEY, payload BLOB, object BLOB, size INTEGER);"
    "CREATE TABLE trial(key INTEGER PRIMARY KEY, number INTEGER, charged INTEGER,"
    " uncharged INTEGER, asked INTEGER, checkpoint BLOB, checkpoint_size INTEGER);"
    "CREATE TABLE result(key INTEGER PRIMARY KEY, seq INTEGER, state INTEGER, number INTEGER,"
    " code TEXT, message TEXT, hint TEXT, log_tail BLOB, value BLOB, object BLOB, size INTEGER,"
    " node TEXT, devices TEXT, previews TEXT, delivered_ns INTEGER, ended_ns INTEGER,"
    " stored_ns INTEGER, queued_us INTEGER, launch_us INTEGER, run_us INTEGER);"
    "CREATE TABLE submission(user TEXT, key TEXT, body BLOB, grp BLOB, request BLOB,"
    " first INTEGER, parts INTEGER, created_ns INTEGER, PRIMARY KEY(user, key)) WITHOUT ROWID;"
    "PRAGMA user_version=1;";

const char *const ff_statements[FF_SQL_COUNT] = {
#define FF_STATEMENT_TEXT(name, sql) [FF_SQL_##name] = (sql),
    FF_STATEMENTS(FF_STATEMENT_TEXT)
#undef FF_STATEMENT_TEXT
};

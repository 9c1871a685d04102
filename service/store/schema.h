/*
 * service/store/schema.h: the tables of the ledger in SQLite, and every statement that is run on
 * them, each once.
 */
#ifndef FF_SERVICE_STORE_SCHEMA_H
#define FF_SERVICE_STORE_SCHEMA_H

enum { FF_SCHEMA_VERSION = 1 };

extern const char ff_schema_create[];

#define FF_STATEMENTS(X)                                                                           \
    X(BEGIN, "BEGIN IMMEDIATE")                                                                    \
    X(SNAPSHOT, "BEGIN")                                                                           \
    X(COMMIT, "COMMIT")                                                                            \
    X(ROLLBACK, "ROLLBACK")                                                                        \
    X(PUT_FUNCTION, "INSERT OR REPLACE INTO function VALUES(?,?,?,?,?,?,?,?,?,?,?,?)")             \
    X(PUT_ENDPOINT, "INSERT INTO endpoint VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?) "                      \
                    "ON CONFLICT(key) DO UPDATE SET "                                              \
                    "public_key=coalesce(excluded.public_key, public_key), "                       \
                    "display_name=coalesce(excluded.display_name, display_name), "                 \
                    "metadata=coalesce(excluded.metadata, metadata), "                             \
                    "deleted_ns=max(excluded.deleted_ns, deleted_ns)")                             \
    X(PUT_LEASE, "UPDATE endpoint SET holder=?2, holder_host=?3, holder_pid=?4, seen_ns=?5 "       \
                 "WHERE key=?1")                                                                   \
    X(PUT_TOKEN, "INSERT OR REPLACE INTO token VALUES(?,?,?,?,?,?,?,?)")                           \
    X(DELETE_TOKEN, "DELETE FROM token WHERE key=?")                                               \
    X(PUT_BATCH, "INSERT INTO batch VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,1)")                      \
    X(PUT_TASK, "INSERT INTO task VALUES(?,?,?,?)")                                                \
    X(PUT_SUBMISSION, "INSERT INTO submission VALUES(?,?,?,?,?,?,?,?)")                            \
    X(PUT_TRIAL, "INSERT OR REPLACE INTO trial VALUES(?,?,?,?,?,?,?)")                             \
    X(PUT_RESULT, "INSERT INTO result VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) "            \
                  "ON CONFLICT(key) DO NOTHING")                                                   \
    X(CLOSE_BATCH, "UPDATE batch SET open=0 WHERE first=?")                                        \
    X(OLDEST_BATCHES, "SELECT first, count FROM batch WHERE open=0 AND submitted_ns<? "            \
                      "ORDER BY first")                                                            \
    X(NEWEST_RESULT, "SELECT max(stored_ns) FROM result WHERE key>=? AND key<?")                   \
    X(RETIRE_BATCH, "DELETE FROM batch WHERE first=?")                                             \
    X(RETIRE_TASKS, "DELETE FROM task WHERE key>=? AND key<?")                                     \
    X(RETIRE_RESULTS, "DELETE FROM result WHERE key>=? AND key<?")                                 \
    X(RETIRE_TRIALS, "DELETE FROM trial WHERE key>=? AND key<?")                                   \
    X(RETIRE_SUBMISSIONS, "DELETE FROM submission WHERE created_ns<?")                             \
    X(KEEP_NEXT_TASK, "INSERT OR REPLACE INTO meta "                                               \
                      "SELECT 'next_task', max((SELECT coalesce(max(key), 0) + 1 FROM task), "     \
                      "coalesce((SELECT value FROM meta WHERE name='next_task'), 1))")             \
    X(NEXT_TASK, "SELECT max((SELECT coalesce(max(key), 0) + 1 FROM task), "                       \
                 "coalesce((SELECT value FROM meta WHERE name='next_task'), 1))")                  \
    X(NEXT_EPOCH, "INSERT INTO meta VALUES('epoch', 1) "                                           \
                  "ON CONFLICT(name) DO UPDATE SET value=value+1 RETURNING value")                 \
    X(GET_SUBMISSION, "SELECT * FROM submission WHERE user=? AND key=?")                           \
    X(GET_PAYLOAD, "SELECT payload, object, size FROM task WHERE key=?")                           \
    X(GET_BATCH, "SELECT * FROM batch WHERE first<=? ORDER BY first DESC LIMIT 1")                 \
    X(GET_RESULT, "SELECT * FROM result WHERE key=?")                                              \
    X(EACH_FUNCTION, "SELECT * FROM function ORDER BY key")                                        \
    X(EACH_ENDPOINT, "SELECT * FROM endpoint ORDER BY key")                                        \
    X(EACH_TOKEN, "SELECT * FROM token ORDER BY key")                                              \
    X(EACH_OPEN_BATCH, "SELECT * FROM batch WHERE open=1 ORDER BY first")                          \
    X(EACH_GROUP_BATCH, "SELECT * FROM batch WHERE grp=? ORDER BY first")                          \
    X(EACH_OPEN_TASK, "SELECT t.key, coalesce(t.size, length(t.payload)), t.object IS NOT NULL, "  \
                      "r.key IS NOT NULL, x.* FROM task t LEFT JOIN result r ON r.key=t.key "      \
                      "LEFT JOIN trial x ON x.key=t.key "                                          \
                      "WHERE t.key>=? AND t.key<? ORDER BY t.key")                                 \
    X(EACH_ENDED, "SELECT seq, key FROM result WHERE key>=? AND key<? ORDER BY seq")               \
    X(EACH_LISTED, "SELECT t.key, r.state FROM batch b JOIN task t "                               \
                   "ON t.key>=b.first AND t.key<b.first+b.count AND t.key<?1 "                     \
                   "LEFT JOIN result r ON r.key=t.key "                                            \
                   "WHERE b.first<?1 AND b.user=?2 AND (?3=0 OR b.function=?3) "                   \
                   "AND (?4=0 OR b.endpoint=?4) ORDER BY b.first DESC, t.key DESC")                \
    X(EACH_DIGEST, "SELECT digest FROM function UNION ALL "                                        \
                   "SELECT object FROM task WHERE object IS NOT NULL UNION ALL "                   \
                   "SELECT object FROM result WHERE object IS NOT NULL UNION ALL "                 \
                   "SELECT checkpoint FROM trial WHERE checkpoint IS NOT NULL")

enum ff_statement {
#define FF_STATEMENT_ENUM(name, sql) FF_SQL_##name,
    FF_STATEMENTS(FF_STATEMENT_ENUM)
#undef FF_STATEMENT_ENUM
        FF_SQL_COUNT
};

extern const char *const ff_statements[FF_SQL_COUNT];

#endif

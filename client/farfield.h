/*
 * farfield.h: libfarfield, the C interface to a Farfield service.
 *
 *     #include <farfield.h>
 *
 *     struct ff_error error;
 *     struct ff_session *session = ff_session_open(NULL, &error);
 *     struct ff_submission submission = {
 *         .endpoint = "local", .function = "echo", .payloads = json_pack("[{s:i}]", "x", 1)};
 *     json_t *accepted = NULL, *task = NULL;
 *     if (ff_task_submit(session, &submission, &accepted, &error) < 0 ||
 *         ff_task_wait(session, json_string_value(json_array_get(json_object_get(accepted, "task_ids"), 0)), -1,
 *                      &task, &error) < 0)
 *         fprintf(stderr, "%s\n%s\n", error.message, error.hint);
 *
 *     cc -std=c17 program.c $(pkg-config --cflags --libs farfield)
 *
 * Where Farfield is installed in a PREFIX of its own, set PKG_CONFIG_PATH=PREFIX/lib/pkgconfig for that command, and
 * add -Wl,-rpath,PREFIX/lib so that the program finds the library.
 *
 * Rules that hold for all of it. A call that can fail returns -1 (or NULL) and fills `error` with code, message and
 * what to do; outputs are then untouched. A `json_t **` output is the caller's: json_decref it. Its fields are those
 * of the HTTPS API of the service. Functions and endpoints are named by id or by name. Text is UTF-8.
 *
 * A session belongs to one thread at a time; threads that work at once open one each. It keeps its connection
 * between calls. A request that is safe to repeat (one that only reads, or carries an idempotency key) is sent once
 * more when the connection broke under it; no other is.
 */
#ifndef FARFIELD_H
#define FARFIELD_H

#include "protocol/core/error.h"

#include <jansson.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FF_API __attribute__((visibility("default")))

/* ---- sessions ---- */

struct ff_session;

/*
 * Opens a session with the service that HOME/config.yaml names (keys service.url, service.certificate, service.token).
 * `home` NULL means $FARFIELD_HOME, else ~/.farfield. Nothing is sent yet. FF_UNREACHABLE where no service is set
 * up; FF_INVALID_ARGUMENT where the configuration cannot be used. Only https is spoken, and only with the holder of
 * exactly that certificate.
 */
FF_API struct ff_session *ff_session_open(const char *home, struct ff_error *error) FF_MUST_USE;

/* NULL is fine. */
FF_API void ff_session_close(struct ff_session *session);

FF_API const char *ff_session_home(const struct ff_session *session);
FF_API const char *ff_session_url(const struct ff_session *session);

/* While *flag is nonzero (a signal handler sets it), calls that wait give up: they return -1 with FF_TIMED_OUT and the
 * message "interrupted". NULL ends this. */
FF_API void ff_session_set_interrupt(struct ff_session *session, const volatile sig_atomic_t *flag);

/* The name ("FUNCTION_NOT_FOUND") and the exit status of an error's code, for programs that show them. */
FF_API const char *ff_session_error_name(const struct ff_error *error);
FF_API int ff_session_exit_status(const struct ff_error *error);

/*
 * Any route of the API: `method` and `path` ("/v3/status"), a body that is sent as JSON or NULL, and at most
 * `wait_ms` more than usual for the answer. For what has no function below.
 */
FF_API int ff_session_request(struct ff_session *session, const char *method, const char *path,
                              const json_t *body, int wait_ms, json_t **reply,
                              struct ff_error *error) FF_MUST_USE;

/* ---- the service and its tokens ---- */

FF_API int ff_service_status(struct ff_session *session, json_t **status,
                             struct ff_error *error) FF_MUST_USE;

/* `expires_s` 0: never. `scopes`: array of texts, borrowed, or NULL for all that the caller has. The reply holds the
 * token in clear; it is shown this once. */
FF_API int ff_token_create(struct ff_session *session, const char *label, int64_t expires_s,
                           const json_t *scopes, json_t **token,
                           struct ff_error *error) FF_MUST_USE;
FF_API int ff_token_list(struct ff_session *session, json_t **tokens,
                         struct ff_error *error) FF_MUST_USE;
FF_API int ff_token_revoke(struct ff_session *session, const char *token_id,
                           struct ff_error *error) FF_MUST_USE;

/* ---- objects: bytes by their SHA-256 ---- */

enum { FF_OBJECT_NAME_SIZE = 65 };

/* Sends a file, read in pieces. `name` becomes its SHA-256 as text. The file must not change meanwhile. */
FF_API int ff_object_upload(struct ff_session *session, const char *path,
                            char name[FF_OBJECT_NAME_SIZE], struct ff_error *error) FF_MUST_USE;

/* Writes the object to `path`, checked against its name and renamed into place; nothing stays on failure. */
FF_API int ff_object_download(struct ff_session *session, const char *name, const char *path,
                              struct ff_error *error) FF_MUST_USE;

/* The object in memory, at most `limit` bytes; the caller frees *data, which is terminated. */
FF_API int ff_object_read(struct ff_session *session, const char *name, size_t limit, char **data,
                          size_t *size, struct ff_error *error) FF_MUST_USE;

/* ---- functions ---- */

/* A shared object as functions/function.h describes it. `description` may be NULL. */
FF_API int ff_function_register_native(struct ff_session *session, const char *name,
                                       const char *path, const char *description, json_t **function,
                                       struct ff_error *error) FF_MUST_USE;

/* A command template for /bin/sh; {key} stands for an argument. */
FF_API int ff_function_register_shell(struct ff_session *session, const char *name,
                                      const char *command, const char *description,
                                      json_t **function, struct ff_error *error) FF_MUST_USE;

FF_API int ff_function_list(struct ff_session *session, json_t **functions,
                            struct ff_error *error) FF_MUST_USE;
FF_API int ff_function_show(struct ff_session *session, const char *function, json_t **entry,
                            struct ff_error *error) FF_MUST_USE;
FF_API int ff_function_delete(struct ff_session *session, const char *function,
                              struct ff_error *error) FF_MUST_USE;

/* ---- endpoints ---- */

/* `public_key`: the endpoint's CURVE key as Z85 text. The reply holds "endpoint_id", "router" and "router_key". */
FF_API int ff_endpoint_register(struct ff_session *session, const char *name,
                                const char *public_key, json_t **registration,
                                struct ff_error *error) FF_MUST_USE;
FF_API int ff_endpoint_list(struct ff_session *session, json_t **endpoints,
                            struct ff_error *error) FF_MUST_USE;
FF_API int ff_endpoint_show(struct ff_session *session, const char *endpoint, json_t **entry,
                            struct ff_error *error) FF_MUST_USE;
FF_API int ff_endpoint_delete(struct ff_session *session, const char *endpoint,
                              struct ff_error *error) FF_MUST_USE;

/* ---- tasks ---- */

struct ff_submission {
    const char *endpoint;
    const char *function;
    const json_t *payloads;      /* array: one task for each; borrowed */
    const char *task_group;      /* NULL: a new group */
    const char *idempotency_key; /* NULL: a new key, so that a broken connection is safe */
    const json_t
        *resources; /* {"gpus","cores","nodes","time_limit_s","priority","max_retries"}, or NULL */
    int wait_ms;    /* how long the reply is held for the results; 0: it leaves at once */
};

/* The reply leaves the service after the tasks are durable: {"task_group_id","endpoint_id","task_ids":[…]} with the
 * ids in the order of the payloads. With `wait_ms` it leaves when all have ended, or after so long, and has "results"
 * too: {ID: task as ff_task_show gives it}, as many as a reply holds. */
FF_API int ff_task_submit(struct ff_session *session, const struct ff_submission *submission,
                          json_t **accepted, struct ff_error *error) FF_MUST_USE;

/* A new idempotency key, for those who may have to submit the same again. */
enum { FF_SUBMISSION_KEY_SIZE = 33 };
FF_API void ff_submission_key(char key[FF_SUBMISSION_KEY_SIZE]);

/* Submits one payload and waits for its end, as ff_task_wait does. One request where the end comes soon. */
FF_API int ff_task_run(struct ff_session *session, const struct ff_submission *submission,
                       int64_t limit_ms, json_t **entry, struct ff_error *error) FF_MUST_USE;

/* The task as it is; with `wait_ms` > 0 held until it has ended or so long. */
FF_API int ff_task_show(struct ff_session *session, const char *task, int wait_ms, json_t **entry,
                        struct ff_error *error) FF_MUST_USE;

/* Until the task has ended, at most `limit_ms` (FF_TIMED_OUT), or -1 for ever. A result that travels as an object is
 * fetched. How the task ended stands in *entry: its failure is no failure of this call. */
FF_API int ff_task_wait(struct ff_session *session, const char *task, int64_t limit_ms,
                        json_t **entry, struct ff_error *error) FF_MUST_USE;

/* Newest first. `query` as in the API ("limit=20&state=running"), or NULL. */
FF_API int ff_task_list(struct ff_session *session, const char *query, json_t **tasks,
                        struct ff_error *error) FF_MUST_USE;

/* Whether a task's entry, or a result event, is of a task that has ended. */
FF_API bool ff_task_has_ended(const json_t *entry);

/* Puts the value of a result that travels as an object ("result_object") in its place; else does nothing. */
FF_API int ff_task_fetch_result(struct ff_session *session, json_t *entry,
                                struct ff_error *error) FF_MUST_USE;

/* What happened since. Start with a zeroed cursor; each call moves it. */
struct ff_event_cursor {
    int64_t after;
    int64_t epoch;
    bool begun;
};
FF_API int ff_task_events(struct ff_session *session, const char *task,
                          struct ff_event_cursor *cursor, int wait_ms, json_t **events,
                          struct ff_error *error) FF_MUST_USE;

/*
 * Hands over each event until the "result" event, which comes last. `event` returns 0 to go on; anything else ends
 * it. While the service is away the events are asked for again for up to `patience_ms`; `trouble` (may be NULL) is
 * told why at each try, and NULL once it is back. Returns 0 after the result event, 1 when `event` ended it.
 */
struct ff_follower {
    int (*event)(void *user, const json_t *event);
    void (*trouble)(void *user, const struct ff_error *error);
    void *user;
    int patience_ms;
    struct ff_event_cursor
        start; /* zeroed: everything that is kept; else where ff_task_events stopped */
};
FF_API int ff_task_follow(struct ff_session *session, const char *task,
                          const struct ff_follower *follower, struct ff_error *error) FF_MUST_USE;

/* The newest log text: {"text","truncated"}. */
FF_API int ff_task_log(struct ff_session *session, const char *task, json_t **log,
                       struct ff_error *error) FF_MUST_USE;

/* The newest preview image of that name, at most 4 MiB, which the caller frees. */
FF_API int ff_task_preview(struct ff_session *session, const char *task, const char *name,
                           char **data, size_t *size, struct ff_error *error) FF_MUST_USE;

/* Cancel ends a task without a result; stop asks it to end soon and keep what it has. {"task_id","state","accepted",
 * "message"}. */
FF_API int ff_task_cancel(struct ff_session *session, const char *task, json_t **reply,
                          struct ff_error *error) FF_MUST_USE;
FF_API int ff_task_stop(struct ff_session *session, const char *task, json_t **reply,
                        struct ff_error *error) FF_MUST_USE;

/* Tasks of a group that ended, in the order of their ending: {"results":[…],"outstanding"}; the last one's "seq" is
 * the next `after`. Held for up to `wait_ms` while there is nothing newer. */
FF_API int ff_group_results(struct ff_session *session, const char *group, int64_t after, int limit,
                            int wait_ms, json_t **results, struct ff_error *error) FF_MUST_USE;

/* The same as its JSON text, for those who read so many results that a tree of values costs too much. Terminated; the
 * caller frees *text. */
FF_API int ff_group_results_text(struct ff_session *session, const char *group, int64_t after,
                                 int limit, int wait_ms, char **text, size_t *size,
                                 struct ff_error *error) FF_MUST_USE;

#ifdef __cplusplus
}
#endif

#endif

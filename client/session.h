/*
 * client/session.h: what the files of libfarfield share: requests in terms of JSON, and safe paths.
 */
#ifndef FF_CLIENT_SESSION_H
#define FF_CLIENT_SESSION_H

#include "client/farfield.h"
#include "client/http.h"

struct ff_http *ff_session_http(struct ff_session *session);

/* Whether a request may be sent again when the connection broke before its answer. */
enum ff_repeat { FF_ONCE, FF_REPEATABLE };

/* As ff_session_request. `idempotency_key` may be NULL; a request that carries one is repeatable. */
int ff_session_exchange(struct ff_session *session, const char *method, const char *path,
                        const json_t *body, const char *idempotency_key, enum ff_repeat repeat,
                        int wait_ms, json_t **reply, struct ff_error *error) FF_MUST_USE;

/* A request whose answer does not matter. */
int ff_session_do(struct ff_session *session, const char *method, const char *path,
                  struct ff_error *error) FF_MUST_USE;

/* Writes a path whose %s is `name`, an id or a name: other text is refused, as `what` ("endpoint"), so that nothing
 * that a user typed becomes a part of an address. */
enum { FF_PATH_SIZE = 256 };
int ff_session_path(char path[FF_PATH_SIZE], const char *before, const char *what, const char *name,
                    const char *behind, struct ff_error *error) FF_MUST_USE;

#endif

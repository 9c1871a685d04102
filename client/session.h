/*
 * client/session.h: what the files of libfarfield share: requests in terms of JSON, and safe paths.
 */
#ifndef FF_CLIENT_SESSION_H
#define FF_CLIENT_SESSION_H

#include "client/farfield.h"
#include "client/http.h"

struct ff_http *ff_session_http(struct ff_session *session);

/* As ff_session_request, with the key that makes a repeated POST harmless (NULL: none, and never repeated). */
int ff_session_exchange(struct ff_session *session, const char *method, const char *path,
                        const json_t *body, const char *idempotency_key, int wait_ms,
                        json_t **reply, struct ff_error *error) FF_MUST_USE;

/* A request whose answer does not matter. */
int ff_session_do(struct ff_session *session, const char *method, const char *path,
                  struct ff_error *error) FF_MUST_USE;

/* Writes a path whose %s is `name`, an id or a name: other text is refused, as `what` ("endpoint"), so that nothing
 * that a user typed becomes a part of an address. */
enum { FF_PATH_SIZE = 256 };
int ff_session_path(char path[FF_PATH_SIZE], const char *before, const char *what, const char *name,
                    const char *behind, struct ff_error *error) FF_MUST_USE;

#endif

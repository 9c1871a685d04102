/*
 * functions/local/host.h: a host of functions/function.h inside this process: no service, no
 * endpoint, one call. Programs run a function with it that `farfield run` would run elsewhere, so
 * both give the same result by the same code.
 */
#ifndef FF_FUNCTIONS_LOCAL_HOST_H
#define FF_FUNCTIONS_LOCAL_HOST_H

#include "functions/function.h"
#include "protocol/core/bytes.h"

struct ff_local_host;

/* What the call tells while it runs; every entry may be NULL. Called from the thread of
 * ff_local_host_run. */
struct ff_local_watch {
    void *user;
    void (*progress)(void *user, double fraction, const char *numbers);
    void (*preview)(void *user, const char *name, const void *data, size_t size);
    void (*log)(void *user, int level, const char *text);
};

/* `arguments` (JSON) is copied. `checkpoint_path` may be NULL: no place for one. Plans are kept in
 * cache/ of the state folder, as an endpoint of this user does. The call is given no cores of its
 * own: its threads run wherever this process may. */
struct ff_local_host *ff_local_host_create(const char *arguments, const char *checkpoint_path,
                                           const struct ff_local_watch *watch,
                                           struct ff_error *error) FF_MUST_USE;
void ff_local_host_destroy(struct ff_local_host *host);

/* Asks the call to end soon and keep its result. From any thread, and from signal handlers. */
void ff_local_host_stop(struct ff_local_host *host);

/* Runs the function; 0 when it succeeded, else the function's own error. */
int ff_local_host_run(struct ff_local_host *host, const struct ff_function *function,
                      struct ff_error *error) FF_MUST_USE;

/* The JSON value of a call that succeeded; borrowed. */
const char *ff_local_host_result(struct ff_local_host *host);

#endif

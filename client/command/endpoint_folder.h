/*
 * client/command/endpoint_folder.h: an endpoint as its folder on this host has it, $FARFIELD_HOME/endpoints/NAME
 * (protocol/STATE.md).
 */
#ifndef FF_CLIENT_COMMAND_ENDPOINT_FOLDER_H
#define FF_CLIENT_COMMAND_ENDPOINT_FOLDER_H

#include "client/command/lifecycle.h"
#include "client/farfield.h"

struct ff_endpoint_folder {
    char *path;
    struct ff_running running;
};

/* Whether `name` may be the name of an endpoint: FF_INVALID_ARGUMENT where not. */
int ff_endpoint_name_check(const char *name, struct ff_error *error) FF_MUST_USE;

/* FF_ENDPOINT_NOT_FOUND, with the nearest name, where there is none. Dispose it also after a failure. */
int ff_endpoint_folder_open(const char *name, struct ff_endpoint_folder *folder,
                            struct ff_error *error) FF_MUST_USE;
void ff_endpoint_folder_dispose(struct ff_endpoint_folder *folder);

/* What the agent tells about itself (run/state), or NULL where it tells nothing. */
json_t *ff_endpoint_folder_state(const struct ff_endpoint_folder *folder);

/* Adds "warm_blocks" and "warm_until" (null: there is no warm reserve) as the file `warm` has them. */
void ff_endpoint_folder_add_warm(const struct ff_endpoint_folder *folder, json_t *document);

/* Registers the endpoint's public key (a new one where the file was removed) with the service and writes what it answers for the agent. The reply is the
 * caller's. */
int ff_endpoint_folder_register(struct ff_session *session, const char *name,
                                const struct ff_endpoint_folder *folder, json_t **reply,
                                struct ff_error *error) FF_MUST_USE;

/* Names of the endpoints configured here, sorted; free each and the block. */
int ff_endpoint_folder_names(char ***names, size_t *count, struct ff_error *error) FF_MUST_USE;
void ff_endpoint_folder_names_free(char **names, size_t count);

#endif

/*
 * client/command/endpoint_view.h: the endpoints shown, as this host and as the service see them.
 */
#ifndef FF_CLIENT_COMMAND_ENDPOINT_VIEW_H
#define FF_CLIENT_COMMAND_ENDPOINT_VIEW_H

#include "client/command/command.h"

int ff_endpoint_run_status(const struct ff_invocation *invocation, struct ff_error *error);
int ff_endpoint_run_list(const struct ff_invocation *invocation, struct ff_error *error);

#endif

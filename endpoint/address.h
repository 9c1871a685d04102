/*
 * endpoint/address.h: under which address of this machine workers find the agent.
 */
#ifndef FF_ENDPOINT_ADDRESS_H
#define FF_ENDPOINT_ADDRESS_H

#include "protocol/core/error.h"

#include <stdbool.h>

enum { FF_ADDRESS_SIZE = 64 };

/*
 * `host` is the setting agent_host: an IPv4 address or host name is resolved, the name of a network interface stands for its
 * address, and `auto` for 127.0.0.1 where workers run on this machine alone; where they run on nodes (`nodes`), for the
 * address of the interface on the way to everywhere else, else of the first that is up and not a loopback, else 127.0.0.1.
 */
int ff_address_find(const char *host, bool nodes, char address[FF_ADDRESS_SIZE],
                    struct ff_error *error) FF_MUST_USE;

#endif

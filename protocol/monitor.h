/*
 * protocol/monitor.h: what happens to the connections of a ZeroMQ socket, which the socket itself does not tell.
 *
 * Without it a link notices the death of its other end by silence alone; with it, when the kernel closes the
 * connection.
 */
#ifndef FF_PROTOCOL_MONITOR_H
#define FF_PROTOCOL_MONITOR_H

#include "protocol/core/bytes.h"

struct ff_monitor;

/* A connection was lost, or could not be made. `fd` is the descriptor that it had (ZMQ_SRCFD of a message that came over
 * it), or -1 when it never lived; `why` says in words what happened. */
typedef void ff_monitor_broken(void *user, int fd, const char *why);

/* Create it before the socket connects or is bound and destroy it before the socket is closed, in the socket's thread. */
struct ff_monitor *ff_monitor_create(void *context, void *socket, ff_monitor_broken *broken,
                                     void *user, struct ff_error *error) FF_MUST_USE;

/* The descriptor to poll (edge-triggered, as ff_link_fd). */
int ff_monitor_fd(struct ff_monitor *monitor);

/* Calls `broken` for each event that waits. The monitor may be destroyed inside. */
void ff_monitor_handle(struct ff_monitor *monitor);
void ff_monitor_destroy(struct ff_monitor *monitor);

#endif

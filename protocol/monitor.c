#include "protocol/monitor.h"

#include "protocol/link.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct ff_monitor {
    void *watched;
    void *events; /* the PAIR socket on which they come */
    ff_monitor_broken *broken;
    void *user;
    bool handling;
    bool destroyed;
};

static const struct {
    int event;
    const char *why;
} reasons[] = {
    {ZMQ_EVENT_DISCONNECTED, "the connection was closed"},
    {ZMQ_EVENT_CLOSED, "nobody listens there"},
    {ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL, "the handshake failed"},
    {ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL, "the other end does not speak CURVE, or has another key"},
    {ZMQ_EVENT_HANDSHAKE_FAILED_AUTH, "the other end does not know this key"},
};

enum { REASONS = sizeof reasons / sizeof reasons[0] };

struct ff_monitor *ff_monitor_create(void *context, void *socket, ff_monitor_broken *broken,
                                     void *user, struct ff_error *error)
{
    static atomic_uint made;
    char address[64];
    int wanted = 0;
    for (int i = 0; i < REASONS; i++)
        wanted |= reasons[i].event;
    snprintf(address, sizeof address, "inproc://monitor-%u", atomic_fetch_add(&made, 1));
    struct ff_monitor *monitor = calloc(1, sizeof *monitor);
    if (monitor == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory to watch a connection");
        return NULL;
    }
    monitor->broken = broken;
    monitor->user = user;
    if (zmq_socket_monitor(socket, address, wanted) < 0) {
        ff_fail(error, FF_IO, "cannot watch a connection: %s", zmq_strerror(errno));
        free(monitor);
        return NULL;
    }
    monitor->watched = socket;
    monitor->events = zmq_socket(context, ZMQ_PAIR);
    if (monitor->events == NULL || zmq_connect(monitor->events, address) < 0) {
        ff_fail(error, FF_IO, "cannot watch a connection: %s", zmq_strerror(errno));
        ff_monitor_destroy(monitor);
        return NULL;
    }
    return monitor;
}

int ff_monitor_fd(struct ff_monitor *monitor)
{
    return ff_link_fd(monitor->events);
}

static const char *reason_of(int event)
{
    for (int i = 0; i < REASONS; i++)
        if (reasons[i].event == event)
            return reasons[i].why;
    return NULL;
}

/* An event is two frames: 16 bits of event with 32 bits of value, and an address. */
static bool take_event(struct ff_monitor *monitor)
{
    zmq_msg_t head;
    zmq_msg_t address;
    uint16_t event = 0;
    int32_t value = -1;
    if (ff_link_receive(monitor->events, &head, &address) == 0)
        return false;
    if (zmq_msg_size(&head) == sizeof event + sizeof value) {
        memcpy(&event, zmq_msg_data(&head), sizeof event);
        memcpy(&value, (const char *)zmq_msg_data(&head) + sizeof event, sizeof value);
    }
    zmq_msg_close(&head);
    zmq_msg_close(&address);
    const char *why = reason_of(event);
    if (why != NULL)
        monitor->broken(monitor->user, event == ZMQ_EVENT_DISCONNECTED ? value : -1, why);
    return true;
}

void ff_monitor_handle(struct ff_monitor *monitor)
{
    monitor->handling = true;
    while (!monitor->destroyed && take_event(monitor))
        continue;
    monitor->handling = false;
    if (monitor->destroyed)
        free(monitor);
}

void ff_monitor_destroy(struct ff_monitor *monitor)
{
    if (monitor == NULL || monitor->destroyed)
        return;
    zmq_socket_monitor(monitor->watched, NULL, 0);
    ff_link_close(monitor->events);
    monitor->destroyed = true;
    if (!monitor->handling)
        free(monitor);
}

#include "endpoint/reach.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* "https://[::1]:8443/x" → "::1", "8443". */
static int split(const char *url, char host[256], char port[16], struct ff_error *error)
{
    const char *begin = strstr(url, "://");
    begin = begin != NULL ? begin + 3 : url;
    const char *end = begin + strcspn(begin, "/");
    const char *colon = NULL;
    for (const char *at = begin; at < end; at++)
        if (*at == ':')
            colon = at;
    if (colon == NULL || colon == begin || colon - begin > 255 || end - colon > 15)
        return ff_fail(error, FF_INVALID_SETTING, "\"%.200s\" does not name a host and port", url);
    if (*begin == '[' && colon[-1] == ']')
        snprintf(host, 256, "%.*s", (int)(colon - begin) - 2, begin + 1);
    else
        snprintf(host, 256, "%.*s", (int)(colon - begin), begin);
    snprintf(port, 16, "%.*s", (int)(end - colon) - 1, colon + 1);
    return 0;
}

/* 0, or the number of the failure. */
static int connect_to(const struct addrinfo *to, int timeout_ms)
{
    int fd = socket(to->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return errno;
    int failure = connect(fd, to->ai_addr, to->ai_addrlen) < 0 ? errno : 0;
    if (failure == EINPROGRESS) {
        struct pollfd wait = {.fd = fd, .events = POLLOUT};
        socklen_t size = sizeof failure;
        if (poll(&wait, 1, timeout_ms) <= 0)
            failure = ETIMEDOUT;
        else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &size) < 0)
            failure = errno;
    }
    close(fd);
    return failure;
}

int ff_reach(const char *url, int timeout_ms, struct ff_error *error)
{
    char host[256];
    char port[16];
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    if (split(url, host, port, error) < 0)
        return -1;
    int unknown = getaddrinfo(host, port, &hints, &found);
    if (unknown != 0)
        return ff_fail(error, FF_UNREACHABLE, "%s: %s", url, gai_strerror(unknown));
    int failure = ETIMEDOUT;
    for (const struct addrinfo *at = found; at != NULL && failure != 0; at = at->ai_next)
        failure = connect_to(at, timeout_ms);
    freeaddrinfo(found);
    return failure == 0 ? 0 : ff_fail_errno(error, FF_UNREACHABLE, failure, "%s", url);
}

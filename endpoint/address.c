#include "endpoint/address.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void write_address(const struct sockaddr *from, char address[FF_ADDRESS_SIZE])
{
    struct sockaddr_in in;
    memcpy(&in, from, sizeof in);
    inet_ntop(AF_INET, &in.sin_addr, address, FF_ADDRESS_SIZE);
}

/* Of the interface of that name; with NULL, of the first that is up and no loopback. */
static bool find_interface(const char *name, char address[FF_ADDRESS_SIZE])
{
    struct ifaddrs *all = NULL;
    bool found = false;
    if (getifaddrs(&all) < 0)
        return false;
    for (const struct ifaddrs *at = all; at != NULL && !found; at = at->ifa_next) {
        if (at->ifa_addr == NULL || at->ifa_addr->sa_family != AF_INET ||
            (at->ifa_flags & IFF_UP) == 0)
            continue;
        found =
            name != NULL ? strcmp(at->ifa_name, name) == 0 : (at->ifa_flags & IFF_LOOPBACK) == 0;
        if (found)
            write_address(at->ifa_addr, address);
    }
    freeifaddrs(all);
    return found;
}

/* The address that a packet to the outside would carry (198.51.100.1 is nobody's: RFC 5737). Nothing is sent. */
static bool find_route(char address[FF_ADDRESS_SIZE])
{
    const struct sockaddr_in outside = {
        .sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(0xc6336401)};
    struct sockaddr_in own;
    socklen_t size = sizeof own;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool found = fd >= 0 && connect(fd, (const struct sockaddr *)&outside, sizeof outside) == 0 &&
                 getsockname(fd, (struct sockaddr *)&own, &size) == 0;
    if (fd >= 0)
        close(fd);
    if (found)
        write_address((const struct sockaddr *)&own, address);
    return found;
}

static int resolve(const char *host, char address[FF_ADDRESS_SIZE], struct ff_error *error)
{
    const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int failure = getaddrinfo(host, NULL, &hints, &found);
    if (failure != 0) {
        ff_fail(error, FF_INVALID_SETTING, "agent_host is \"%s\": %s", host, gai_strerror(failure));
        return ff_hint(error, "set agent_host to an address or network interface of this machine, "
                              "or to auto");
    }
    write_address(found->ai_addr, address);
    freeaddrinfo(found);
    return 0;
}

int ff_address_find(const char *host, bool nodes, char address[FF_ADDRESS_SIZE],
                    struct ff_error *error)
{
    if (strcmp(host, "auto") != 0)
        return find_interface(host, address) ? 0 : resolve(host, address, error);
    if (!nodes || (!find_route(address) && !find_interface(NULL, address)))
        snprintf(address, FF_ADDRESS_SIZE, "127.0.0.1");
    return 0;
}

#include "worker/call_channel.h"

#include "protocol/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    HEAD = 4,
    READ_AHEAD = 1 << 18,
    OUT_LIMIT = 2 * FF_MESSAGE_LIMIT,
    KEPT_CAPACITY = 1 << 20 /* a larger buffer is given back once it is empty */
};

struct ff_channel {
    int fd;
    int attached;   /* to send */
    int received;   /* came; -1 */
    size_t taken;   /* bytes of `in` that were handed out */
    size_t written; /* bytes of `out` that were written */
    struct ff_buffer in;
    struct ff_buffer out;
};

struct ff_channel *ff_channel_create(int fd, struct ff_error *error)
{
    struct ff_channel *channel = calloc(1, sizeof *channel);
    if (channel == NULL || fcntl(fd, F_SETFL, O_NONBLOCK) < 0) {
        free(channel);
        ff_fail(error, FF_NO_MEMORY, "cannot set up the channel of a runner");
        return NULL;
    }
    channel->fd = fd;
    channel->attached = channel->received = -1;
    ff_buffer_init(&channel->in, HEAD + FF_MESSAGE_LIMIT + READ_AHEAD);
    ff_buffer_init(&channel->out, OUT_LIMIT);
    return channel;
}

void ff_channel_destroy(struct ff_channel *channel)
{
    if (channel == NULL)
        return;
    close(channel->fd);
    if (channel->received >= 0)
        close(channel->received);
    ff_buffer_dispose(&channel->in);
    ff_buffer_dispose(&channel->out);
    free(channel);
}

int ff_channel_fd(const struct ff_channel *channel)
{
    return channel->fd;
}

static void reset(struct ff_buffer *buffer)
{
    if (buffer->capacity > KEPT_CAPACITY)
        ff_buffer_dispose(buffer);
    else
        ff_buffer_clear(buffer);
}

/* ---- sending ---- */

int ff_channel_put(struct ff_channel *channel, struct ff_span frame, struct ff_error *error)
{
    uint8_t head[HEAD];
    for (int i = 0; i < HEAD; i++)
        head[i] = (uint8_t)(frame.size >> (24 - 8 * i));
    struct ff_buffer *out = &channel->out;
    if (frame.size > FF_MESSAGE_LIMIT)
        return ff_fail(error, FF_TOO_LARGE, "a frame of %zu bytes for a runner; at most %d",
                       frame.size, FF_MESSAGE_LIMIT);
    if (frame.size + HEAD > out->limit - out->size)
        return ff_fail(error, FF_BUSY,
                       "a runner's channel with %zu bytes waiting has no room for %zu", out->size,
                       frame.size);
    ff_buffer_append(out, head, HEAD);
    ff_buffer_append(out, frame.data, frame.size);
    return ff_buffer_check(out, "what waits for a runner", error);
}

void ff_channel_attach(struct ff_channel *channel, int fd)
{
    channel->attached = fd;
}

size_t ff_channel_pending(const struct ff_channel *channel)
{
    return channel->out.size - channel->written;
}

static ssize_t send_some(struct ff_channel *channel)
{
    struct iovec piece = {channel->out.data + channel->written, ff_channel_pending(channel)};
    union {
        struct cmsghdr head;
        char space[CMSG_SPACE(sizeof(int))];
    } control;
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    if (channel->attached >= 0) {
        memset(&control, 0, sizeof control);
        control.head.cmsg_level = SOL_SOCKET;
        control.head.cmsg_type = SCM_RIGHTS;
        control.head.cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(&control.head), &channel->attached, sizeof(int));
        message.msg_control = &control;
        message.msg_controllen = sizeof control;
    }
    ssize_t sent = sendmsg(channel->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0)
        channel->attached = -1;
    return sent;
}

int ff_channel_flush(struct ff_channel *channel)
{
    while (ff_channel_pending(channel) > 0) {
        ssize_t sent = send_some(channel);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return 1;
        if (sent < 0)
            return -1;
        channel->written += (size_t)sent;
    }
    channel->written = 0;
    reset(&channel->out);
    return 0;
}

/* ---- receiving ---- */

static size_t unread(const struct ff_channel *channel)
{
    return channel->in.size - channel->taken;
}

static size_t length_at(const uint8_t *head)
{
    return (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
}

/* How much to read: what the frame that has begun still lacks, or as much as is cheap. */
static size_t wanted(const struct ff_channel *channel)
{
    if (unread(channel) < HEAD)
        return READ_AHEAD;
    size_t whole = HEAD + length_at(channel->in.data + channel->taken);
    if (whole > HEAD + FF_MESSAGE_LIMIT || whole <= unread(channel))
        return READ_AHEAD;
    size_t lacks = whole - unread(channel);
    return lacks > READ_AHEAD ? lacks : READ_AHEAD;
}

static void keep_descriptor(struct ff_channel *channel, struct msghdr *message)
{
    for (struct cmsghdr *head = CMSG_FIRSTHDR(message); head != NULL;
         head = CMSG_NXTHDR(message, head)) {
        if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS)
            continue;
        if (channel->received >= 0)
            close(channel->received);
        memcpy(&channel->received, CMSG_DATA(head), sizeof(int));
    }
}

int ff_channel_fill(struct ff_channel *channel)
{
    if (channel->taken > 0) {
        ff_buffer_consume(&channel->in, channel->taken);
        channel->taken = 0;
    }
    if (channel->in.size == 0)
        reset(&channel->in);
    /* A frame that was announced grows its buffer as its bytes come, not at once. */
    size_t want = wanted(channel);
    if (want > KEPT_CAPACITY)
        want = KEPT_CAPACITY;
    void *to = ff_buffer_reserve(&channel->in, want);
    if (to == NULL)
        return -1;
    struct iovec piece = {to, want};
    char control[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8)));
    struct msghdr message = {.msg_iov = &piece,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof control};
    ssize_t got;
    do {
        got = recvmsg(channel->fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    } while (got < 0 && errno == EINTR);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return 0;
    if (got <= 0)
        return -1;
    keep_descriptor(channel, &message);
    channel->in.size += (size_t)got;
    return 1;
}

int ff_channel_next(struct ff_channel *channel, struct ff_span *frame, struct ff_error *error)
{
    if (unread(channel) < HEAD)
        return 0;
    const uint8_t *head = channel->in.data + channel->taken;
    size_t length = length_at(head);
    if (length > FF_MESSAGE_LIMIT)
        return ff_fail(error, FF_PROTOCOL, "a frame of %zu bytes on a runner's channel; at most %d",
                       length, FF_MESSAGE_LIMIT);
    if (unread(channel) < HEAD + length)
        return 0;
    frame->data = head + HEAD;
    frame->size = length;
    channel->taken += HEAD + length;
    return 1;
}

int ff_channel_take_fd(struct ff_channel *channel)
{
    int fd = channel->received;
    channel->received = -1;
    return fd;
}

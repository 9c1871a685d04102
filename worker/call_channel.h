/*
 * worker/call_channel.h: the messages between a manager and a runner, over a stream socket: 4 bytes of length
 * (big-endian), then a message. Nothing here blocks; both directions are bounded.
 */
#ifndef FF_WORKER_CALL_CHANNEL_H
#define FF_WORKER_CALL_CHANNEL_H

#include "protocol/core/bytes.h"

struct ff_channel;

/* Takes the descriptor over and makes it non-blocking. On failure it stays the caller's. */
struct ff_channel *ff_channel_create(int fd, struct ff_error *error) FF_MUST_USE;

/* Closes the descriptor. NULL is fine. */
void ff_channel_destroy(struct ff_channel *channel);
int ff_channel_fd(const struct ff_channel *channel);

/* Queues a frame; FF_TOO_LARGE where the other side has not read for so long that the bound is reached. */
int ff_channel_put(struct ff_channel *channel, struct ff_span frame,
                   struct ff_error *error) FF_MUST_USE;

/* Sends this descriptor along with the first byte of what is put next; it must live until that is flushed. */
void ff_channel_attach(struct ff_channel *channel, int fd);

/* Bytes that are queued and not yet written. */
size_t ff_channel_pending(const struct ff_channel *channel);

/* Writes what the socket takes. 0: nothing is left. 1: the socket is full. -1: the other side is gone. */
int ff_channel_flush(struct ff_channel *channel) FF_MUST_USE;

/* Reads what is there, at most 256 KiB or the frame that has begun. 1: something came. 0: nothing now. -1: the other
 * side is gone; frames that came before can still be taken. */
int ff_channel_fill(struct ff_channel *channel) FF_MUST_USE;

/* 1: *frame is the next whole frame, valid until the next fill. 0: none. -1: a length that the protocol does not
 * allow; nothing more can be read. */
int ff_channel_next(struct ff_channel *channel, struct ff_span *frame,
                    struct ff_error *error) FF_MUST_USE;

/* The descriptor that came with a frame, or -1; the caller owns it. */
int ff_channel_take_fd(struct ff_channel *channel);

#endif

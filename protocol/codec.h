/*
 * protocol/codec.h: the one encoder and decoder of the messages in messages.h.
 *
 * Encoding: begin, an ff_encode_KIND per item, end. Growth is bounded by the buffer; the result is
 * checked at the end. An item that does not fit behind the others gives false and leaves the
 * message as it was: end it, send it, and begin another one with that item.
 *
 *     struct ff_encoder encoder;
 *     ff_encode_begin(&encoder, &buffer, FF_MSG_TASKS);
 *     while (more && ff_encode_order(&encoder, &order)) …next order…
 *     if (ff_encode_end(&encoder, error) < 0) …
 *
 * Text is made fit to send: bytes that are no UTF-8 become U+FFFD, and what is beyond the field's
 * limit is cut between characters. Bytes beyond their limit are a fault of the caller and fail the
 * message.
 *
 * Decoding: open, then items until there is none. Allocates nothing; spans point into the frame.
 *
 *     struct ff_decoder decoder;
 *     union ff_item item;
 *     int got;
 *     if (ff_decode_open(&decoder, frame, error) < 0) …
 *     while ((got = ff_decode_next(&decoder, &item, error)) > 0)
 *         …decoder.type says which member of item is set…
 *     if (got < 0) …
 */
#ifndef FF_PROTOCOL_CODEC_H
#define FF_PROTOCOL_CODEC_H

#include "protocol/messages.h"
#include "protocol/wire.h"

struct ff_encoder {
    struct ff_buffer *buffer;
    size_t count_at; /* where the count of items stands */
    uint32_t items;
    enum ff_message_type type;
};

void ff_encode_begin(struct ff_encoder *encoder, struct ff_buffer *buffer,
                     enum ff_message_type type);

/* One per kind: bool ff_encode_order(struct ff_encoder *, const struct ff_order *) … The kind must
 * be that of the message; another one fails it. false: not taken, because the message is full (or
 * has failed). */
#define FF_ENCODE_DECLARE(kind, fields)                                                            \
    bool ff_encode_##kind(struct ff_encoder *encoder, const struct ff_##kind *item);
FF_ITEM_KINDS(FF_ENCODE_DECLARE)
#undef FF_ENCODE_DECLARE

/* An item as ff_decode_next found it (decoder.raw), of a message of the same kind: whoever only passes
 * it on need not take it apart, and keys that this version does not know go along. */
bool ff_encode_raw(struct ff_encoder *encoder, struct ff_span raw);

int ff_encode_end(struct ff_encoder *encoder, struct ff_error *error) FF_MUST_USE;

struct ff_decoder {
    enum ff_message_type type;
    struct ff_wire wire;
    uint32_t left;
    struct ff_span raw; /* the bytes of the item that was decoded last */
};

/* Reads the type; a type that this version does not know gives FF_UNSUPPORTED, everything else
 * wrong FF_PROTOCOL. */
int ff_decode_open(struct ff_decoder *decoder, struct ff_span frame,
                   struct ff_error *error) FF_MUST_USE;

/* 1: *item is filled (members that were absent are zero). 0: no more, and nothing is left over. -1:
 * malformed. */
int ff_decode_next(struct ff_decoder *decoder, union ff_item *item,
                   struct ff_error *error) FF_MUST_USE;

/* For logs: "TASKS"; "?" for a number that is none. */
const char *ff_message_name(enum ff_message_type type);

/* The table of messages and fields as Markdown, for MESSAGES.md. */
void ff_messages_describe(struct ff_buffer *buffer);

#endif

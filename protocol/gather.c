#include "protocol/gather.h"

enum { KEPT_CAPACITY = 1 << 16 }; /* a larger buffer is given back after use */

void ff_gather_init(struct ff_gather *gather, enum ff_message_type type, ff_gather_send *send,
                    void *user)
{
    gather->type = type;
    gather->send = send;
    gather->user = user;
    gather->open = false;
    ff_buffer_init(&gather->buffer, FF_MESSAGE_LIMIT);
}

void ff_gather_dispose(struct ff_gather *gather)
{
    ff_buffer_dispose(&gather->buffer);
}

static struct ff_encoder *room(struct ff_gather *gather)
{
    if (gather->open && gather->buffer.size > FF_GATHER_BYTES)
        ff_gather_flush(gather);
    if (!gather->open)
        ff_encode_begin(&gather->encoder, &gather->buffer, gather->type);
    gather->open = true;
    return &gather->encoder;
}

bool ff_gather_flush(struct ff_gather *gather)
{
    if (!gather->open)
        return false;
    /* Fails only for want of memory; what must arrive is sent again after the next opening. */
    if (ff_encode_end(&gather->encoder, NULL) == 0 && gather->encoder.items > 0)
        gather->send(gather->user, gather->type, ff_buffer_span(&gather->buffer));
    ff_gather_drop(gather);
    return true;
}

void ff_gather_drop(struct ff_gather *gather)
{
    gather->open = false;
    if (gather->buffer.capacity <= KEPT_CAPACITY)
        return;
    ff_buffer_dispose(&gather->buffer);
    ff_buffer_init(&gather->buffer, FF_MESSAGE_LIMIT);
}

/* Encodes; when the message was full, sends it and encodes into the next one. */
#define FF_GATHER_ITEM(gather, call)                                                               \
    do {                                                                                           \
        struct ff_encoder *encoder = room(gather);                                                 \
        if (!(call)) {                                                                             \
            ff_gather_flush(gather);                                                               \
            encoder = room(gather);                                                                \
            (void)(call);                                                                          \
        }                                                                                          \
    } while (0)

void ff_gather_raw(struct ff_gather *gather, struct ff_span raw)
{
    FF_GATHER_ITEM(gather, ff_encode_raw(encoder, raw));
}

void ff_gather_order(struct ff_gather *gather, const struct ff_order *order)
{
    FF_GATHER_ITEM(gather, ff_encode_order(encoder, order));
}

void ff_gather_receipt(struct ff_gather *gather, const struct ff_receipt *receipt)
{
    FF_GATHER_ITEM(gather, ff_encode_receipt(encoder, receipt));
}

void ff_gather_control(struct ff_gather *gather, const struct ff_control *control)
{
    FF_GATHER_ITEM(gather, ff_encode_control(encoder, control));
}

void ff_gather_report(struct ff_gather *gather, const struct ff_report *report)
{
    FF_GATHER_ITEM(gather, ff_encode_report(encoder, report));
}

void ff_gather_line(struct ff_gather *gather, const struct ff_line *line)
{
    FF_GATHER_ITEM(gather, ff_encode_line(encoder, line));
}

void ff_gather_holding(struct ff_gather *gather, const struct ff_holding *holding)
{
    FF_GATHER_ITEM(gather, ff_encode_holding(encoder, holding));
}

struct ff_span ff_gather_outcome_raw(struct ff_buffer *buffer, const struct ff_outcome *outcome)
{
    struct ff_encoder encoder;
    struct ff_decoder decoder;
    union ff_item item;
    struct ff_error error;
    struct ff_span none = {NULL, 0};
    ff_encode_begin(&encoder, buffer, FF_MSG_OUTCOMES);
    ff_encode_outcome(&encoder, outcome);
    if (ff_encode_end(&encoder, &error) < 0 ||
        ff_decode_open(&decoder, ff_buffer_span(buffer), &error) < 0 ||
        ff_decode_next(&decoder, &item, &error) <= 0)
        return none;
    return decoder.raw;
}

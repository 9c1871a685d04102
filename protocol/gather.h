/*
 * protocol/gather.h: items of one kind for one peer, gathered into messages of FF_GATHER_BYTES or a little more.
 */
#ifndef FF_PROTOCOL_GATHER_H
#define FF_PROTOCOL_GATHER_H

#include "protocol/codec.h"

typedef void ff_gather_send(void *user, enum ff_message_type type, struct ff_span frame);

enum { FF_GATHER_BYTES = 1 << 20 };

struct ff_gather {
    enum ff_message_type type;
    ff_gather_send *send;
    void *user;
    bool open;
    struct ff_buffer buffer;
    struct ff_encoder encoder;
};

void ff_gather_init(struct ff_gather *gather, enum ff_message_type type, ff_gather_send *send,
                    void *user);
void ff_gather_dispose(struct ff_gather *gather);

/* An item as it came over the wire. A full message goes out first. */
void ff_gather_raw(struct ff_gather *gather, struct ff_span raw);

/* Likewise, of the few kinds that are made here. */
void ff_gather_order(struct ff_gather *gather, const struct ff_order *order);
void ff_gather_receipt(struct ff_gather *gather, const struct ff_receipt *receipt);
void ff_gather_control(struct ff_gather *gather, const struct ff_control *control);
void ff_gather_report(struct ff_gather *gather, const struct ff_report *report);
void ff_gather_line(struct ff_gather *gather, const struct ff_line *line);
void ff_gather_holding(struct ff_gather *gather, const struct ff_holding *holding);

/* Sends what has gathered. true: there was something. */
bool ff_gather_flush(struct ff_gather *gather);

/* Forgets what has gathered. */
void ff_gather_drop(struct ff_gather *gather);

/* The raw form of an outcome that was made here; points into `buffer`. Empty when it does not fit. */
struct ff_span ff_gather_outcome_raw(struct ff_buffer *buffer, const struct ff_outcome *outcome);

#endif

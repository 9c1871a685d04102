/*
 * protocol/wire.h: reading msgpack from bytes that nobody has checked.
 *
 * A reader is a cursor; it allocates nothing, so no claim of size inside the bytes can cost memory (the unpacker of
 * msgpack-c allocates by the claimed count before it sees the elements). Each read either succeeds and moves on, or
 * fails, leaves the cursor where it was, and says what was expected at which byte. Counts of arrays and maps are
 * checked against the bytes that remain. Writing is msgpack-c's own packer (codec.c).
 */
#ifndef FF_PROTOCOL_WIRE_H
#define FF_PROTOCOL_WIRE_H

#include "protocol/core/bytes.h"

struct ff_wire {
    const uint8_t *data;
    size_t size;
    size_t at;
};

void ff_wire_open(struct ff_wire *wire, struct ff_span frame);

int ff_wire_array(struct ff_wire *wire, uint32_t *count, struct ff_error *error) FF_MUST_USE;
int ff_wire_map(struct ff_wire *wire, uint32_t *count, struct ff_error *error) FF_MUST_USE;
int ff_wire_u64(struct ff_wire *wire, uint64_t *value, struct ff_error *error) FF_MUST_USE;
int ff_wire_f64(struct ff_wire *wire, double *value, struct ff_error *error) FF_MUST_USE;
int ff_wire_flag(struct ff_wire *wire, bool *value, struct ff_error *error) FF_MUST_USE;

/* Text must be UTF-8 without NUL; bytes may be anything. Both point into the frame. */
int ff_wire_text(struct ff_wire *wire, size_t limit, struct ff_span *text,
                 struct ff_error *error) FF_MUST_USE;
int ff_wire_bytes(struct ff_wire *wire, size_t limit, struct ff_span *bytes,
                  struct ff_error *error) FF_MUST_USE;

/* Any one value, to a depth of 16. */
int ff_wire_skip(struct ff_wire *wire, struct ff_error *error) FF_MUST_USE;

/* -1 when bytes are left over. */
int ff_wire_end(const struct ff_wire *wire, struct ff_error *error) FF_MUST_USE;

#endif

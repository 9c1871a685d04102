/*
 * protocol/curve.h: CURVE key pairs (RFC 26/CurveZMQ), as Z85 text of 40 characters.
 */
#ifndef FF_PROTOCOL_CURVE_H
#define FF_PROTOCOL_CURVE_H

#include "protocol/core/bytes.h"

enum { FF_CURVE_TEXT_SIZE = 41 };

struct ff_curve_keys {
    char public_key[FF_CURVE_TEXT_SIZE];
    char secret_key[FF_CURVE_TEXT_SIZE];
};

int ff_curve_generate(struct ff_curve_keys *keys, struct ff_error *error) FF_MUST_USE;

/* The pair kept in a file of mode 0600 ("PUBLIC SECRET\n"); made when the file is not there. A file that others may
 * read is refused, by name and with the remedy. */
int ff_curve_load_or_make(const char *path, struct ff_curve_keys *keys,
                          struct ff_error *error) FF_MUST_USE;
int ff_curve_load(const char *path, struct ff_curve_keys *keys, struct ff_error *error) FF_MUST_USE;

/* Whether `text` is 40 characters of Z85. */
bool ff_curve_is_key(const char *text);

#endif

/*
 * protocol/zap.h: who may speak (RFC 27/ZAP). The handler lives in the loop of its owner: poll ff_zap_socket together
 * with the other sockets and call ff_zap_handle when it is readable.
 */
#ifndef FF_PROTOCOL_ZAP_H
#define FF_PROTOCOL_ZAP_H

#include "protocol/core/bytes.h"
#include "protocol/curve.h"

struct ff_zap;

/* Answers whether the holder of this public key may connect. Called by ff_zap_handle. */
typedef bool ff_zap_allows(void *user, const char public_key[FF_CURVE_TEXT_SIZE]);

/* One handler a context. Create it before any ROUTER of the context is bound. */
struct ff_zap *ff_zap_create(void *context, ff_zap_allows *allows, void *user,
                             struct ff_error *error) FF_MUST_USE;
void *ff_zap_socket(struct ff_zap *zap);

/* Answers all requests that wait. Malformed requests are refused. */
void ff_zap_handle(struct ff_zap *zap);
void ff_zap_destroy(struct ff_zap *zap);

#endif

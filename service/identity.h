/*
 * service/identity.h: who the service is: a certificate of its own, its CURVE pair, the secret
 * that seals task ids, and the files with which a client on this home finds and trusts it. All of
 * it is made at the first start and then kept.
 */
#ifndef FF_SERVICE_IDENTITY_H
#define FF_SERVICE_IDENTITY_H

#include "protocol/curve.h"
#include "protocol/ids.h"

struct ff_identity {
    char *certificate, *key; /* PEM */
    struct ff_curve_keys curve;
    uint8_t secret[FF_ID_SECRET_SIZE];
};

/* Loads from the service's folder what is there and makes what is not. */
int ff_identity_load(const char *folder, struct ff_identity *identity,
                     struct ff_error *error) FF_MUST_USE;
void ff_identity_dispose(struct ff_identity *identity);

/* Writes HOME/service.pem and HOME/config.yaml, so that clients of this home find the service at
 * `url`. A config.yaml that names another service is left alone. `token` (NULL: keep what is
 * there) goes to HOME/token. */
int ff_identity_publish(const struct ff_identity *identity, const char *home, const char *url,
                        const char *token, struct ff_error *error) FF_MUST_USE;

#endif

/*
 * service/certificate.h: a self-signed certificate (EC P-256, ten years) for localhost, the
 * loopback addresses and this host.
 */
#ifndef FF_SERVICE_CERTIFICATE_H
#define FF_SERVICE_CERTIFICATE_H

#include "protocol/core/error.h"

/* Writes both files as PEM, the key with mode 0600. */
int ff_certificate_make(const char *certificate_path, const char *key_path,
                        struct ff_error *error) FF_MUST_USE;

#endif

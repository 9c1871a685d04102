/*
 * protocol/core/digest.h: SHA-256 (FIPS 180-4), the name of every function, object and input. Links libcrypto, so it
 * is a library of its own (ff_digest).
 */
#ifndef FF_PROTOCOL_CORE_DIGEST_H
#define FF_PROTOCOL_CORE_DIGEST_H

#include "protocol/core/bytes.h"

enum { FF_DIGEST_SIZE = 32, FF_DIGEST_TEXT_SIZE = 2 * FF_DIGEST_SIZE + 1 };

struct ff_digest {
    uint8_t bytes[FF_DIGEST_SIZE];
};

int ff_digest_of(struct ff_span data, struct ff_digest *digest, struct ff_error *error) FF_MUST_USE;

/* Of a file's content, read in pieces. */
int ff_digest_of_file(const char *path, struct ff_digest *digest, uint64_t *size,
                      struct ff_error *error) FF_MUST_USE;

void ff_digest_text(const struct ff_digest *digest, char text[FF_DIGEST_TEXT_SIZE]);
int ff_digest_parse(const char *text, size_t size, struct ff_digest *digest) FF_MUST_USE;

/* In pieces: create, update…, finish (which does not destroy). */
struct ff_digester;
struct ff_digester *ff_digester_create(struct ff_error *error) FF_MUST_USE;
void ff_digester_update(struct ff_digester *digester, struct ff_span data);
int ff_digester_finish(struct ff_digester *digester, struct ff_digest *digest,
                       struct ff_error *error) FF_MUST_USE;
void ff_digester_destroy(struct ff_digester *digester);

#endif

/*
 * The functions of the one algorithm, not EVP: at its first use EVP brings up configuration, providers and error texts,
 * and with them 1.9 MB of resident memory in every agent and manager, for a hash now and then. OpenSSL 3 calls these
 * functions deprecated in favour of EVP, and keeps them.
 */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "protocol/core/digest.h"

#include "protocol/core/text.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <unistd.h>

enum { PIECE_SIZE = 1 << 18 };

struct ff_digester {
    SHA256_CTX context;
    bool failed;
};

struct ff_digester *ff_digester_create(struct ff_error *error)
{
    struct ff_digester *digester = calloc(1, sizeof *digester);
    if (digester == NULL || SHA256_Init(&digester->context) != 1) {
        ff_digester_destroy(digester);
        ff_fail(error, FF_NO_MEMORY, "cannot start a SHA-256 digest");
        return NULL;
    }
    return digester;
}

void ff_digester_update(struct ff_digester *digester, struct ff_span data)
{
    if (data.size > 0 && SHA256_Update(&digester->context, data.data, data.size) != 1)
        digester->failed = true;
}

int ff_digester_finish(struct ff_digester *digester, struct ff_digest *digest,
                       struct ff_error *error)
{
    if (digester->failed || SHA256_Final(digest->bytes, &digester->context) != 1)
        return ff_fail(error, FF_INTERNAL, "the SHA-256 digest failed");
    return 0;
}

void ff_digester_destroy(struct ff_digester *digester)
{
    free(digester);
}

int ff_digest_of(struct ff_span data, struct ff_digest *digest, struct ff_error *error)
{
    SHA256_CTX context;
    if (SHA256_Init(&context) != 1 ||
        (data.size > 0 && SHA256_Update(&context, data.data, data.size) != 1) ||
        SHA256_Final(digest->bytes, &context) != 1)
        return ff_fail(error, FF_INTERNAL, "the SHA-256 digest failed");
    return 0;
}

static int feed_file(struct ff_digester *digester, int fd, const char *path, uint64_t *size,
                     struct ff_error *error)
{
    char *piece = malloc(PIECE_SIZE);
    if (piece == NULL)
        return ff_fail(error, FF_NO_MEMORY, "no memory to read %s", path);
    uint64_t total = 0;
    int result = 0;
    for (;;) {
        ssize_t got = read(fd, piece, PIECE_SIZE);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            result = ff_fail_errno(error, FF_IO, errno, "cannot read %s", path);
        if (got <= 0)
            break;
        struct ff_span span = {piece, (size_t)got};
        ff_digester_update(digester, span);
        total += (uint64_t)got;
    }
    free(piece);
    if (result == 0 && size != NULL)
        *size = total;
    return result;
}

int ff_digest_of_file(const char *path, struct ff_digest *digest, uint64_t *size,
                      struct ff_error *error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return ff_fail_errno(error, FF_INPUT_MISSING, errno, "cannot open %s", path);
    struct ff_digester *digester = ff_digester_create(error);
    int result = digester != NULL ? 0 : -1;
    if (result == 0)
        result = feed_file(digester, fd, path, size, error);
    if (result == 0)
        result = ff_digester_finish(digester, digest, error);
    ff_digester_destroy(digester);
    close(fd);
    return result;
}

void ff_digest_text(const struct ff_digest *digest, char text[FF_DIGEST_TEXT_SIZE])
{
    ff_text_hex(digest->bytes, FF_DIGEST_SIZE, text);
}

int ff_digest_parse(const char *text, size_t size, struct ff_digest *digest)
{
    return ff_text_unhex(text, size, digest->bytes, FF_DIGEST_SIZE);
}

#include "protocol/curve.h"

#include "protocol/core/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zmq.h>

int ff_curve_generate(struct ff_curve_keys *keys, struct ff_error *error)
{
    if (zmq_curve_keypair(keys->public_key, keys->secret_key) == 0)
        return 0;
    ff_fail(error, FF_UNSUPPORTED, "this libzmq was built without CURVE");
    return ff_hint(error, "install Debian's libzmq5");
}

bool ff_curve_is_key(const char *text)
{
    uint8_t bytes[32];
    return strlen(text) == FF_CURVE_TEXT_SIZE - 1 && zmq_z85_decode(bytes, text) != NULL;
}

static int check_private(const char *path, struct ff_error *error)
{
    struct stat info;
    if (stat(path, &info) < 0)
        return ff_fail_errno(error, FF_IO, errno, "cannot look at the key %s", path);
    if ((info.st_mode & 077) == 0)
        return 0;
    ff_fail(error, FF_FORBIDDEN, "the key %s can be read by others (mode %03o)", path,
            (unsigned)info.st_mode & 0777);
    return ff_hint(error, "chmod 600 %s", path);
}

int ff_curve_load(const char *path, struct ff_curve_keys *keys, struct ff_error *error)
{
    char *text = NULL;
    size_t size = 0;
    if (ff_file_read(path, 256, &text, &size, error) < 0)
        return -1;
    struct ff_curve_keys found;
    enum { LENGTH = FF_CURVE_TEXT_SIZE - 1 };
    int result = -1;
    if (size >= 2 * LENGTH + 1 && text[LENGTH] == ' ') {
        memcpy(found.public_key, text, LENGTH);
        memcpy(found.secret_key, text + LENGTH + 1, LENGTH);
        found.public_key[LENGTH] = found.secret_key[LENGTH] = '\0';
        char derived[FF_CURVE_TEXT_SIZE];
        if (ff_curve_is_key(found.public_key) && ff_curve_is_key(found.secret_key) &&
            zmq_curve_public(derived, found.secret_key) == 0 &&
            strcmp(derived, found.public_key) == 0)
            result = 0;
    }
    explicit_bzero(text, size);
    free(text);
    if (result < 0) {
        ff_fail(error, FF_INPUT_INVALID, "%s does not hold a CURVE key pair", path);
        return ff_hint(
            error,
            "restore it from a backup, or remove it and start again: a new pair is made then");
    }
    if (check_private(path, error) < 0)
        return -1;
    *keys = found;
    return 0;
}

int ff_curve_load_or_make(const char *path, struct ff_curve_keys *keys, struct ff_error *error)
{
    struct ff_error why;
    if (ff_curve_load(path, keys, &why) == 0)
        return 0;
    if (why.code != FF_INPUT_MISSING) {
        if (error != NULL)
            *error = why;
        return -1;
    }
    struct ff_curve_keys made;
    if (ff_curve_generate(&made, error) < 0)
        return -1;
    char line[2 * FF_CURVE_TEXT_SIZE + 2];
    snprintf(line, sizeof line, "%s %s\n", made.public_key, made.secret_key);
    int result = ff_file_write(path, ff_span_of(line), 0600, error);
    explicit_bzero(line, sizeof line);
    if (result == 0)
        *keys = made;
    return result;
}

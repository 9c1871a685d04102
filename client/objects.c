/* Objects: bytes by their SHA-256, sent and fetched in pieces. */
#include "client/session.h"
#include "protocol/core/digest.h"
#include "protocol/core/file.h"
#include "protocol/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int check_name(const char *name, struct ff_digest *digest, struct ff_error *error)
{
    if (ff_digest_parse(name, strlen(name), digest) == 0)
        return 0;
    ff_fail(error, FF_INVALID_ARGUMENT, "'%s' is not the name of an object", name);
    return ff_hint(error, "objects are named by their SHA-256: 64 hexadecimal digits");
}

int ff_object_upload(struct ff_session *session, const char *path, char name[FF_OBJECT_NAME_SIZE],
                     struct ff_error *error)
{
    struct ff_digest digest;
    uint64_t size = 0;
    if (ff_digest_of_file(path, &digest, &size, error) < 0)
        return -1;
    if (size > FF_OBJECT_LIMIT)
        return ff_fail(error, FF_TOO_LARGE, "%s has %llu bytes; an object has at most %d", path,
                       (unsigned long long)size, FF_OBJECT_LIMIT);
    char text[FF_DIGEST_TEXT_SIZE];
    ff_digest_text(&digest, text);
    char route[FF_PATH_SIZE];
    snprintf(route, sizeof route, "/v3/objects/%s", text);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return ff_fail_errno(error, FF_INPUT_MISSING, errno, "cannot open %s", path);
    /* The name is the digest, so sending it twice is harmless. */
    struct ff_http_request request = {.method = "PUT",
                                      .path = route,
                                      .upload = true,
                                      .upload_fd = fd,
                                      .upload_size = size,
                                      .repeatable = true};
    struct ff_buffer answer;
    int result = ff_http_send(ff_session_http(session), &request, &answer, error);
    ff_buffer_dispose(&answer);
    close(fd);
    if (result == 0)
        memcpy(name, text, sizeof text);
    return result;
}

struct download {
    int fd;
    struct ff_digester *digester;
    const char *path;
};

static int take_piece(void *user, struct ff_span piece, struct ff_error *error)
{
    struct download *download = user;
    ff_digester_update(download->digester, piece);
    const char *data = piece.data;
    for (size_t left = piece.size; left > 0;) {
        ssize_t written = write(download->fd, data, left);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return ff_fail_errno(error, FF_OUTPUT_FAILED, errno, "cannot write %s", download->path);
        data += written;
        left -= (size_t)written;
    }
    return 0;
}

static int fetch(struct ff_session *session, const char *name, struct download *download,
                 const struct ff_digest *wanted, struct ff_error *error)
{
    char route[FF_PATH_SIZE];
    snprintf(route, sizeof route, "/v3/objects/%s", name);
    struct ff_http_request request = {
        .method = "GET", .path = route, .sink = take_piece, .sink_user = download};
    struct ff_buffer answer;
    int result = ff_http_send(ff_session_http(session), &request, &answer, error);
    ff_buffer_dispose(&answer);
    struct ff_digest got;
    if (result < 0 || ff_digester_finish(download->digester, &got, error) < 0)
        return -1;
    if (memcmp(&got, wanted, sizeof got) != 0)
        return ff_fail(error, FF_PROTOCOL, "the bytes that came for object %s are others", name);
    if (fsync(download->fd) < 0)
        return ff_fail_errno(error, FF_OUTPUT_FAILED, errno, "cannot write %s", download->path);
    return 0;
}

int ff_object_download(struct ff_session *session, const char *name, const char *path,
                       struct ff_error *error)
{
    struct ff_digest wanted;
    if (check_name(name, &wanted, error) < 0)
        return -1;
    char beside[PATH_MAX];
    if (snprintf(beside, sizeof beside, "%s.%d.tmp", path, (int)getpid()) >= (int)sizeof beside)
        return ff_fail(error, FF_INVALID_ARGUMENT, "the path is too long: %s", path);
    struct download download = {.path = path};
    download.digester = ff_digester_create(error);
    if (download.digester == NULL)
        return -1;
    download.fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
    int result;
    if (download.fd < 0) {
        result = ff_fail_errno(error, FF_OUTPUT_FAILED, errno, "cannot create %s", beside);
    } else {
        result = fetch(session, name, &download, &wanted, error);
        close(download.fd);
        if (result == 0 && rename(beside, path) < 0)
            result = ff_fail_errno(error, FF_OUTPUT_FAILED, errno, "cannot write %s", path);
        if (result < 0)
            unlink(beside);
    }
    ff_digester_destroy(download.digester);
    return result;
}

int ff_object_read(struct ff_session *session, const char *name, size_t limit, char **data,
                   size_t *size, struct ff_error *error)
{
    struct ff_digest wanted;
    struct ff_digest got;
    if (check_name(name, &wanted, error) < 0)
        return -1;
    char route[FF_PATH_SIZE];
    snprintf(route, sizeof route, "/v3/objects/%s", name);
    struct ff_http_request request = {
        .method = "GET", .path = route, .repeatable = true, .limit = limit + 1};
    struct ff_buffer answer;
    int result = ff_http_send(ff_session_http(session), &request, &answer, error);
    if (result == 0 && answer.size > limit)
        result = ff_fail(error, FF_TOO_LARGE, "object %s has more than %zu bytes", name, limit);
    if (result == 0)
        result = ff_digest_of(ff_buffer_span(&answer), &got, error);
    if (result == 0 && memcmp(&got, &wanted, sizeof got) != 0)
        result = ff_fail(error, FF_PROTOCOL, "the bytes that came for object %s are others", name);
    char *copy = result == 0 ? ff_span_copy(ff_buffer_span(&answer)) : NULL;
    if (result == 0 && copy == NULL)
        result = ff_fail(error, FF_NO_MEMORY, "no memory for object %s", name);
    if (result == 0) {
        *data = copy;
        *size = answer.size;
    }
    ff_buffer_dispose(&answer);
    return result;
}

#include "service/http/request.h"

#include <string.h>

static void kept(void *user, uint64_t size, const struct ff_error *error)
{
    struct ff_request *request = user;
    request->reply_size = size;
    ff_request_resume(request, error);
}

static int reply_stored(struct ff_request *request, uint64_t size, unsigned status)
{
    struct ff_buffer *out = &request->reply;
    request->status = status;
    ff_json_begin(out, '{');
    ff_json_member_text(out, "digest", request->arguments[0]);
    ff_json_member_integer(out, "size", (int64_t)size);
    ff_json_end(out, '}');
    return FF_REPLY;
}

int ff_put_object(struct ff_request *request, struct ff_error *error)
{
    struct ff_digest digest;
    uint64_t known = 0;
    if (request->again)
        return reply_stored(request, request->reply_size, MHD_HTTP_CREATED);
    if (ff_digest_parse(request->arguments[0], strlen(request->arguments[0]), &digest) == 0 &&
        ff_objects_size(request->service->objects, &digest, &known))
        return reply_stored(request, known, MHD_HTTP_OK);
    if (ff_request_suspend(request, error) < 0)
        return -1;
    struct ff_upload *upload = request->upload;
    request->upload = NULL;
    ff_upload_finish(upload, kept, request);
    return FF_LATER;
}

int ff_get_object(struct ff_request *request, struct ff_error *error)
{
    struct ff_digest digest;
    if (ff_digest_parse(request->arguments[0], strlen(request->arguments[0]), &digest) < 0)
        return ff_fail(error, FF_INVALID_ARGUMENT,
                       "\"%.80s\" is not a SHA-256 (64 hexadecimal digits)", request->arguments[0]);
    request->reply_fd =
        ff_objects_open(request->service->objects, &digest, &request->reply_size, error);
    request->content_type = "application/octet-stream";
    return request->reply_fd >= 0 ? FF_REPLY : -1;
}

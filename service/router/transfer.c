/*
 * Objects to and from endpoints, in parts. A want is answered at once from the file. Parts that
 * come are written and hashed as they come; the sync at the end is done elsewhere, and answered
 * when it is over.
 */
#include "service/router/parts.h"

#include "protocol/core/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { UPLOADS_AT_ONCE = 64 };

struct incoming {
    struct incoming *next;
    struct ff_endpoint *endpoint;
    struct ff_digest digest;
    struct ff_upload *upload; /* NULL: it is being finished */
    uint64_t total;
};

/* An upload that has been finished, on its way from the thread that did it to the loop. */
struct finished {
    struct finished *next;
    struct ff_transfer *transfer;
    struct ff_endpoint *endpoint;
    struct ff_digest digest;
    uint64_t total;
    bool failed;
    struct ff_error error;
};

struct ff_transfer {
    struct ff_loop *loop;
    struct incoming *incoming;
    size_t count;
    pthread_mutex_t lock; /* of finished */
    struct finished *finished;
};

static void send_part(struct ff_router *router, struct ff_peer *peer, enum ff_message_type type,
                      const struct ff_part *part)
{
    struct ff_encoder encoder;
    ff_encode_begin(&encoder, &router->message, type);
    ff_encode_part(&encoder, part);
    if (ff_encode_end(&encoder, NULL) == 0)
        ff_peer_send(peer, ff_buffer_span(&router->message));
}

static void send_failure(struct ff_router *router, struct ff_peer *peer, enum ff_message_type type,
                         const struct ff_digest *digest, uint64_t offset,
                         const struct ff_error *error)
{
    struct ff_part part = {.digest = *digest,
                           .offset = offset,
                           .code = ff_span_of(ff_error_name(error->code)),
                           .message = ff_span_of(error->message)};
    send_part(router, peer, type, &part);
}

/* ---- wanted ---- */

static int read_part(struct ff_router *router, const struct ff_want *want, struct ff_part *part,
                     struct ff_error *error)
{
    uint64_t total = 0;
    uint64_t length = want->length < FF_OBJECT_PART ? want->length : FF_OBJECT_PART;
    int fd = ff_objects_open(router->service->objects, &want->digest, &total, error);
    if (fd < 0)
        return -1;
    if (want->offset > total || length > total - want->offset)
        length = want->offset > total ? 0 : total - want->offset;
    ff_buffer_clear(&router->arguments);
    void *to = ff_buffer_reserve(&router->arguments, length);
    ssize_t got = to != NULL ? pread(fd, to, length, (off_t)want->offset) : -1;
    int failure = errno;
    close(fd);
    if (got < 0 || (uint64_t)got != length)
        return ff_fail_errno(error, FF_IO, got < 0 ? failure : EIO, "cannot read an object");
    *part = (struct ff_part){
        .digest = want->digest, .offset = want->offset, .total = total, .data = {to, length}};
    return 0;
}

int ff_router_want(struct ff_router *router, struct ff_peer *peer, struct ff_decoder *decoder,
                   struct ff_error *error)
{
    union ff_item item;
    int got;
    while ((got = ff_decode_next(decoder, &item, error)) > 0) {
        struct ff_part part;
        struct ff_error failure;
        if (read_part(router, &item.want, &part, &failure) < 0)
            send_failure(router, peer, FF_MSG_OBJECT_PART, &item.want.digest, item.want.offset,
                         &failure);
        else
            send_part(router, peer, FF_MSG_OBJECT_PART, &part);
    }
    return got;
}

/* ---- stored ---- */

static struct ff_transfer *transfer_of(struct ff_router *router)
{
    if (router->transfers == NULL) {
        router->transfers = calloc(1, sizeof *router->transfers);
        if (router->transfers != NULL) {
            router->transfers->loop = router->service->loop;
            pthread_mutex_init(&router->transfers->lock, NULL);
        }
    }
    return router->transfers;
}

static struct incoming **find(struct ff_transfer *transfer, const struct ff_endpoint *endpoint,
                              const struct ff_digest *digest)
{
    struct incoming **at = &transfer->incoming;
    while (*at != NULL && ((*at)->endpoint != endpoint ||
                           memcmp((*at)->digest.bytes, digest->bytes, FF_DIGEST_SIZE) != 0))
        at = &(*at)->next;
    return at;
}

static void drop(struct ff_transfer *transfer, struct incoming **at)
{
    struct incoming *gone = *at;
    *at = gone->next;
    transfer->count--;
    ff_upload_destroy(gone->upload);
    free(gone);
}

static void upload_done(void *user, uint64_t size, const struct ff_error *error)
{
    struct finished *finished = user;
    struct ff_transfer *transfer = finished->transfer;
    (void)size;
    finished->failed = error != NULL;
    if (error != NULL)
        finished->error = *error;
    pthread_mutex_lock(&transfer->lock);
    finished->next = transfer->finished;
    transfer->finished = finished;
    pthread_mutex_unlock(&transfer->lock);
    ff_loop_wake(transfer->loop);
}

static void finish(struct ff_transfer *transfer, struct incoming *incoming)
{
    struct finished *finished = calloc(1, sizeof *finished);
    if (finished == NULL)
        return; /* the endpoint sends it again after its link was lost */
    finished->transfer = transfer;
    finished->endpoint = incoming->endpoint;
    finished->digest = incoming->digest;
    finished->total = incoming->total;
    struct ff_upload *upload = incoming->upload;
    incoming->upload = NULL;
    ff_upload_finish(upload, upload_done, finished);
}

/* Begins an upload with its first part. */
static struct incoming *begin_upload(struct ff_router *router, struct ff_transfer *transfer,
                                     struct ff_endpoint *endpoint, const struct ff_part *part,
                                     struct ff_error *error)
{
    if (transfer->count == UPLOADS_AT_ONCE ||
        part->total > (uint64_t)router->service->config.object_limit) {
        ff_fail(error, FF_TOO_LARGE, "an object of %llu bytes, or too many at once",
                (unsigned long long)part->total);
        return NULL;
    }
    struct ff_upload *upload = ff_upload_create(router->service->objects, &part->digest, error);
    if (upload == NULL)
        return NULL;
    struct incoming *made = calloc(1, sizeof *made);
    if (made == NULL) {
        ff_upload_destroy(upload);
        ff_fail(error, FF_NO_MEMORY, "no memory for an object");
        return NULL;
    }
    *made = (struct incoming){.next = transfer->incoming,
                              .endpoint = endpoint,
                              .digest = part->digest,
                              .upload = upload,
                              .total = part->total};
    transfer->incoming = made;
    transfer->count++;
    return made;
}

/* Adds a part to its upload. Tasks with the same value send it at the same time, each from its
 * first byte on: what one of them has sent already is only counted for the other. *reached is as
 * far as this sender has come; 0: it hears when the object has been kept. */
static int add_part(struct ff_router *router, struct ff_transfer *transfer,
                    struct ff_endpoint *endpoint, const struct ff_part *part, uint64_t *reached,
                    struct ff_error *error)
{
    struct incoming *incoming = *find(transfer, endpoint, &part->digest);
    *reached = 0;
    if (incoming == NULL && part->offset == 0)
        incoming = begin_upload(router, transfer, endpoint, part, error);
    else if (incoming == NULL)
        ff_fail(error, FF_PROTOCOL, "a part of an object whose first part did not come");
    if (incoming == NULL)
        return -1;
    if (incoming->total != part->total || part->offset > part->total ||
        part->data.size > part->total - part->offset)
        return ff_fail(error, FF_PROTOCOL, "a part that is not of this object");
    if (incoming->upload == NULL)
        return 0;
    uint64_t size = ff_upload_size(incoming->upload);
    uint64_t end = part->offset + part->data.size;
    if (part->offset > size || (part->offset < size && end > size))
        return ff_fail(error, FF_PROTOCOL, "a part of an object that is out of order");
    if (part->offset == size && ff_upload_add(incoming->upload, part->data, error) < 0)
        return -1;
    if (ff_upload_size(incoming->upload) == incoming->total)
        finish(transfer, incoming);
    else
        *reached = end;
    return 0;
}

int ff_router_store(struct ff_router *router, struct ff_endpoint *endpoint, struct ff_peer *peer,
                    struct ff_decoder *decoder, struct ff_error *error)
{
    struct ff_transfer *transfer = transfer_of(router);
    struct ff_error failure;
    union ff_item item;
    int got = ff_decode_next(decoder, &item, error);
    if (got <= 0)
        return got;
    if (transfer == NULL)
        return ff_fail(error, FF_NO_MEMORY, "no memory for an object");
    const struct ff_part *part = &item.part;
    uint64_t known = 0;
    if (ff_objects_size(router->service->objects, &part->digest, &known)) {
        struct ff_part answer = {.digest = part->digest, .offset = known, .total = known};
        send_part(router, peer, FF_MSG_OBJECT_STORED, &answer);
        return 0;
    }
    uint64_t reached;
    if (add_part(router, transfer, endpoint, part, &reached, &failure) < 0) {
        struct incoming **at = find(transfer, endpoint, &part->digest);
        if (*at != NULL && (*at)->upload != NULL)
            drop(transfer, at);
        send_failure(router, peer, FF_MSG_OBJECT_STORED, &part->digest, part->offset, &failure);
    } else if (reached > 0) {
        struct ff_part answer = {.digest = part->digest, .offset = reached, .total = part->total};
        send_part(router, peer, FF_MSG_OBJECT_STORED, &answer);
    }
    return 0;
}

bool ff_router_transfers_run(struct ff_router *router)
{
    struct ff_transfer *transfer = router->transfers;
    if (transfer == NULL)
        return false;
    pthread_mutex_lock(&transfer->lock);
    struct finished *all = transfer->finished;
    transfer->finished = NULL;
    pthread_mutex_unlock(&transfer->lock);
    bool did = all != NULL;
    while (all != NULL) {
        struct finished *finished = all;
        all = finished->next;
        struct incoming **at = find(transfer, finished->endpoint, &finished->digest);
        if (*at != NULL && (*at)->upload == NULL)
            drop(transfer, at);
        struct ff_peer *peer = finished->endpoint->link.peer;
        struct ff_part answer = {
            .digest = finished->digest, .offset = finished->total, .total = finished->total};
        if (peer != NULL && finished->failed)
            send_failure(router, peer, FF_MSG_OBJECT_STORED, &finished->digest, 0,
                         &finished->error);
        else if (peer != NULL)
            send_part(router, peer, FF_MSG_OBJECT_STORED, &answer);
        free(finished);
    }
    return did;
}

void ff_router_transfers_drop(struct ff_router *router, const struct ff_endpoint *endpoint)
{
    struct ff_transfer *transfer = router->transfers;
    if (transfer == NULL)
        return;
    for (struct incoming **at = &transfer->incoming; *at != NULL;) {
        if ((*at)->endpoint == endpoint)
            drop(transfer, at);
        else
            at = &(*at)->next;
    }
}

void ff_router_transfers_destroy(struct ff_router *router)
{
    struct ff_transfer *transfer = router->transfers;
    if (transfer == NULL)
        return;
    while (transfer->incoming != NULL)
        drop(transfer, &transfer->incoming);
    while (transfer->finished != NULL) {
        struct finished *finished = transfer->finished;
        transfer->finished = finished->next;
        free(finished);
    }
    pthread_mutex_destroy(&transfer->lock);
    free(transfer);
    router->transfers = NULL;
}

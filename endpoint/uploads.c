#include "endpoint/uploads.h"

#include "endpoint/manager.h"
#include "endpoint/uplink.h"
#include "protocol/core/digest.h"
#include "protocol/core/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PARTS_AHEAD = 4, UPLOADS_LIMIT = 256 };

struct upload {
    struct upload *next;
    struct ff_manager *manager; /* NULL: it went away while its value was on its way up */
    bool sending; /* the one of its digest that goes up; those beside it wait for it */
    struct ff_digest digest;
    struct ff_digester *digester;
    uint64_t total;
    uint64_t received;     /* from the manager */
    uint64_t sent;         /* to the service */
    uint64_t acknowledged; /* by it */
    int fd;                /* of a file without a name */
};

struct ff_uploads {
    struct ff_agent *agent;
    struct upload *first;
    unsigned count;
};

struct ff_uploads *ff_uploads_create(struct ff_agent *agent, struct ff_error *error)
{
    struct ff_uploads *uploads = calloc(1, sizeof *uploads);
    if (uploads == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory for uploads");
        return NULL;
    }
    uploads->agent = agent;
    return uploads;
}

static struct upload *find_upload(const struct ff_uploads *uploads,
                                  const struct ff_manager *manager, const struct ff_digest *digest)
{
    for (struct upload *at = uploads->first; at != NULL; at = at->next)
        if (at->manager == manager && memcmp(&at->digest, digest, sizeof *digest) == 0)
            return at;
    return NULL;
}

static void drop(struct ff_uploads *uploads, struct upload *upload)
{
    struct upload **at = &uploads->first;
    while (*at != upload)
        at = &(*at)->next;
    *at = upload->next;
    uploads->count--;
    if (upload->fd >= 0)
        close(upload->fd);
    ff_digester_destroy(upload->digester);
    free(upload);
}

static void tell(struct ff_manager *manager, const struct ff_digest *digest, uint64_t offset,
                 uint64_t total)
{
    if (manager == NULL)
        return;
    const struct ff_part part = {.digest = *digest, .offset = offset, .total = total};
    ff_manager_send_part(manager, FF_MSG_OBJECT_STORED, &part);
}

static void tell_failed(struct ff_manager *manager, const struct ff_digest *digest,
                        struct ff_span code, struct ff_span message)
{
    if (manager == NULL)
        return;
    const struct ff_part part = {.digest = *digest, .code = code, .message = message};
    ff_manager_send_part(manager, FF_MSG_OBJECT_STORED, &part);
}

static void fail_upload(struct ff_uploads *uploads, struct upload *upload,
                        const struct ff_error *error)
{
    tell_failed(upload->manager, &upload->digest, ff_span_of(ff_error_name(error->code)),
                ff_span_of(error->message));
    drop(uploads, upload);
}

/* Tells all that have the whole of it. Without a code: the service has it. */
static void end_all(struct ff_uploads *uploads, const struct ff_digest *about, struct ff_span code,
                    struct ff_span message)
{
    const struct ff_digest digest = *about; /* which may stand in one that goes */
    struct upload *next = NULL;
    for (struct upload *at = uploads->first; at != NULL; at = next) {
        next = at->next;
        if (at->received < at->total || memcmp(&at->digest, &digest, sizeof digest) != 0)
            continue;
        if (code.size > 0)
            tell_failed(at->manager, &digest, code, message);
        else
            tell(at->manager, &digest, at->total, at->total);
        drop(uploads, at);
    }
}

/* ---- towards the service ---- */

static int send_part(struct ff_uploads *uploads, struct upload *upload, struct ff_error *error)
{
    uint64_t left = upload->total - upload->sent;
    size_t size = left < FF_OBJECT_PART ? (size_t)left : FF_OBJECT_PART;
    uint8_t *data = malloc(size > 0 ? size : 1);
    if (data == NULL)
        return ff_fail(error, FF_NO_MEMORY, "no memory for a part of a value");
    ssize_t got = pread(upload->fd, data, size, (off_t)upload->sent);
    if (got != (ssize_t)size) {
        free(data);
        return ff_fail(error, FF_IO, "the agent cannot read a value that it has taken");
    }
    const struct ff_part part = {.digest = upload->digest,
                                 .offset = upload->sent,
                                 .total = upload->total,
                                 .data = {data, size}};
    ff_uplink_store(uploads->agent->uplink, &part);
    upload->sent += size;
    free(data);
    return 0;
}

static struct upload *find_sending(const struct ff_uploads *uploads, const struct ff_digest *digest)
{
    for (struct upload *at = uploads->first; at != NULL; at = at->next)
        if (at->sending && memcmp(&at->digest, digest, sizeof *digest) == 0)
            return at;
    return NULL;
}

/* One of each digest goes up: the service would take a second one for a beginning anew. */
static void send_more(struct ff_uploads *uploads, struct upload *upload)
{
    struct ff_error error;
    uint64_t most = upload->acknowledged + (uint64_t)PARTS_AHEAD * FF_OBJECT_PART;
    if (upload->received < upload->total || !ff_uplink_is_open(uploads->agent->uplink))
        return;
    if (!upload->sending && find_sending(uploads, &upload->digest) != NULL)
        return;
    upload->sending = true;
    while (upload->sent < upload->total && upload->sent < most)
        if (send_part(uploads, upload, &error) < 0) {
            end_all(uploads, &upload->digest, ff_span_of(ff_error_name(error.code)),
                    ff_span_of(error.message));
            return;
        }
}

void ff_uploads_online(struct ff_uploads *uploads)
{
    struct upload *next = NULL;
    for (struct upload *at = uploads->first; at != NULL; at = at->next) {
        at->sending = false;
        at->sent = 0;
        at->acknowledged = 0;
    }
    for (struct upload *at = uploads->first; at != NULL; at = next) {
        next = at->next;
        send_more(uploads, at);
    }
}

void ff_uploads_stored(struct ff_uploads *uploads, const struct ff_part *part)
{
    struct upload *upload = find_sending(uploads, &part->digest);
    struct ff_span none = {NULL, 0};
    if (upload == NULL)
        return;
    if (part->code.size > 0) {
        end_all(uploads, &upload->digest, part->code, part->message);
    } else if (part->offset >= upload->total) {
        end_all(uploads, &upload->digest, none, none);
    } else if (part->offset > upload->acknowledged && part->offset <= upload->sent) {
        upload->acknowledged = part->offset;
        send_more(uploads, upload);
    }
}

/* ---- from managers ---- */

/* A file that has no name, so that nothing stays behind. */
static int open_file(struct ff_uploads *uploads, struct ff_error *error)
{
    char path[PATH_MAX];
    ff_folder_path(&uploads->agent->folder, path, "cache");
    if (ff_folder_make(path, 0700, error) < 0)
        return -1;
    int fd = open(path, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0)
        return fd;
    /* Some network file systems cannot make one without a name. */
    ff_folder_path(&uploads->agent->folder, path, "cache/upload-XXXXXX");
    fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0)
        return ff_fail_errno(error, FF_IO, errno, "cannot make %s", path);
    unlink(path);
    return fd;
}

static struct upload *begin(struct ff_uploads *uploads, struct ff_manager *manager,
                            const struct ff_part *part, struct ff_error *error)
{
    if (uploads->count >= UPLOADS_LIMIT) {
        ff_fail(error, FF_BUSY, "%u values are on their way already", uploads->count);
        return NULL;
    }
    if (part->total == 0 || part->total > FF_OBJECT_LIMIT) {
        ff_fail(error, FF_TOO_LARGE, "a value of %llu bytes cannot be stored",
                (unsigned long long)part->total);
        return NULL;
    }
    struct upload *upload = calloc(1, sizeof *upload);
    if (upload == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory for an upload");
        return NULL;
    }
    upload->manager = manager;
    upload->digest = part->digest;
    upload->total = part->total;
    upload->fd = -1;
    upload->next = uploads->first;
    uploads->first = upload;
    uploads->count++;
    upload->digester = ff_digester_create(error);
    upload->fd = upload->digester != NULL ? open_file(uploads, error) : -1;
    if (upload->fd >= 0)
        return upload;
    drop(uploads, upload);
    return NULL;
}

static int take(struct upload *upload, const struct ff_part *part, struct ff_error *error)
{
    if (part->total != upload->total || part->data.size > upload->total - upload->received)
        return ff_fail(error, FF_PROTOCOL, "the parts of a value do not fit together");
    if (ff_pwrite_all(upload->fd, part->data, (off_t)part->offset) < 0)
        return ff_fail_errno(error, FF_IO, errno, "the agent cannot keep a value");
    ff_digester_update(upload->digester, part->data);
    upload->received += part->data.size;
    if (upload->received < upload->total)
        return 0;
    struct ff_digest digest;
    if (ff_digester_finish(upload->digester, &digest, error) < 0)
        return -1;
    if (memcmp(&digest, &upload->digest, sizeof digest) != 0)
        return ff_fail(error, FF_PROTOCOL, "a value does not have the SHA-256 it was sent under");
    return 0;
}

void ff_uploads_store(struct ff_uploads *uploads, struct ff_manager *manager,
                      const struct ff_part *part)
{
    struct ff_error error;
    struct upload *upload = find_upload(uploads, manager, &part->digest);
    if (upload != NULL && part->offset == 0 && upload->received > 0) {
        if (upload->received == upload->total)
            return; /* said again; it is being sent */
        drop(uploads, upload);
        upload = NULL;
    }
    if (upload == NULL && part->offset > 0)
        return; /* the rest of one that has failed */
    if (upload == NULL)
        upload = begin(uploads, manager, part, &error);
    if (upload == NULL) {
        tell_failed(manager, &part->digest, ff_span_of(ff_error_name(error.code)),
                    ff_span_of(error.message));
        return;
    }
    if (part->offset != upload->received)
        return;
    if (take(upload, part, &error) < 0)
        fail_upload(uploads, upload, &error);
    else if (upload->received < upload->total)
        tell(manager, &upload->digest, upload->received, upload->total);
    else
        send_more(uploads, upload);
}

void ff_uploads_forget(struct ff_uploads *uploads, const struct ff_manager *manager)
{
    struct upload *next = NULL;
    for (struct upload *at = uploads->first; at != NULL; at = next) {
        next = at->next;
        if (at->manager != manager)
            continue;
        if (at->sending)
            at->manager = NULL; /* others may wait for it, and the manager will say it again */
        else
            drop(uploads, at);
    }
}

void ff_uploads_destroy(struct ff_uploads *uploads)
{
    if (uploads == NULL)
        return;
    while (uploads->first != NULL)
        drop(uploads, uploads->first);
    free(uploads);
}

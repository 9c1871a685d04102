#include "endpoint/objects.h"

#include "endpoint/manager.h"
#include "endpoint/uplink.h"
#include "protocol/core/chores.h"
#include "protocol/core/file.h"
#include "protocol/core/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    PARTS_AHEAD = 4, /* asked for before the first has come */
    KNOWN = 64, /* digests seen in place lately, so that not every task costs a look at the disk */
    WAITERS_LIMIT = 4096,
};

struct waiter {
    struct waiter *next;
    struct ff_manager *manager;
    uint64_t offset;
    uint64_t length;
};

struct fetch {
    struct ff_chore sync; /* when all of it has come; first, for the way back from it */
    bool syncing;
    int sync_errno;
    struct ff_objects *objects;
    struct fetch *next;
    struct ff_digest digest;
    int fd;
    char path[PATH_MAX]; /* beside its place */
    uint64_t total;      /* 0: not known yet */
    uint64_t received;
    uint64_t asked;
    struct ff_digester *digester;
    struct waiter *waiters;
};

struct ff_objects {
    struct ff_agent *agent;
    struct ff_chores *syncs;
    struct fetch *fetches;
    unsigned waiter_count;
    struct ff_digest known[KNOWN];
};

struct ff_objects *ff_objects_create(struct ff_agent *agent, struct ff_error *error)
{
    struct ff_objects *objects = calloc(1, sizeof *objects);
    if (objects == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory for the cache of objects");
        return NULL;
    }
    objects->agent = agent;
    objects->syncs = ff_chores_create(agent->loop, error);
    if (objects->syncs == NULL) {
        free(objects);
        return NULL;
    }
    return objects;
}

int ff_objects_path(const struct ff_folder *folder, const struct ff_digest *digest, bool makes,
                    char path[PATH_MAX], struct ff_error *error)
{
    char text[FF_DIGEST_TEXT_SIZE];
    ff_digest_text(digest, text);
    ff_folder_path(folder, path, "cache/objects/%.2s", text);
    if (makes && ff_folder_make(path, 0700, error) < 0)
        return -1;
    ff_folder_path(folder, path, "cache/objects/%.2s/%s", text, text + 2);
    return 0;
}

static bool is_known(struct ff_objects *objects, const struct ff_digest *digest)
{
    return memcmp(&objects->known[digest->bytes[0] % KNOWN], digest, sizeof *digest) == 0;
}

/* A file that is there; its use is noted, for the sweeper goes by age. One of another size than the object has (0: not
 * known) is removed. */
static bool is_there(struct ff_objects *objects, const struct ff_digest *digest, uint64_t size)
{
    char path[PATH_MAX];
    struct stat status;
    if (ff_objects_path(&objects->agent->folder, digest, false, path, NULL) < 0 ||
        utimensat(AT_FDCWD, path, NULL, 0) < 0)
        return false;
    if (size > 0 && (stat(path, &status) < 0 || (uint64_t)status.st_size != size)) {
        ff_log(FF_LOG_WARNING, "%s is not whole, and is fetched anew", path);
        unlink(path);
        return false;
    }
    objects->known[digest->bytes[0] % KNOWN] = *digest;
    return true;
}

/* ---- answers to managers ---- */

static void answer_failed(struct ff_manager *manager, const struct ff_digest *digest,
                          uint64_t offset, struct ff_span code, struct ff_span message)
{
    const struct ff_part part = {
        .digest = *digest, .offset = offset, .code = code, .message = message};
    ff_manager_send_part(manager, FF_MSG_OBJECT_PART, &part);
}

static void answer(struct ff_objects *objects, struct ff_manager *manager,
                   const struct ff_digest *digest, uint64_t offset, uint64_t length)
{
    char path[PATH_MAX];
    struct stat status;
    struct ff_error error;
    if (ff_objects_path(&objects->agent->folder, digest, false, path, &error) < 0)
        return;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    size_t wanted = length > 0 && length < FF_OBJECT_PART ? (size_t)length : FF_OBJECT_PART;
    uint8_t *data = malloc(wanted);
    ssize_t got = -1;
    if (fd >= 0 && data != NULL && fstat(fd, &status) == 0 && offset <= (uint64_t)status.st_size)
        got = pread(fd, data, wanted, (off_t)offset);
    if (got >= 0) {
        const struct ff_part part = {.digest = *digest,
                                     .offset = offset,
                                     .total = (uint64_t)status.st_size,
                                     .data = {data, (size_t)got}};
        ff_manager_send_part(manager, FF_MSG_OBJECT_PART, &part);
    } else {
        answer_failed(manager, digest, offset, ff_span_of(ff_error_name(FF_IO)),
                      ff_span_of("the agent cannot read the object from its cache"));
    }
    free(data);
    if (fd >= 0)
        close(fd);
}

/* ---- fetching ---- */

static struct fetch *find_fetch(const struct ff_objects *objects, const struct ff_digest *digest)
{
    for (struct fetch *at = objects->fetches; at != NULL; at = at->next)
        if (memcmp(&at->digest, digest, sizeof *digest) == 0)
            return at;
    return NULL;
}

static void ask_more(struct ff_objects *objects, struct fetch *fetch)
{
    uint64_t most = fetch->received + (uint64_t)PARTS_AHEAD * FF_OBJECT_PART;
    if (fetch->total == 0)
        most = FF_OBJECT_PART; /* the first part tells how many there are */
    while (fetch->asked < most && (fetch->total == 0 || fetch->asked < fetch->total)) {
        const struct ff_want want = {
            .digest = fetch->digest, .offset = fetch->asked, .length = FF_OBJECT_PART};
        ff_uplink_want(objects->agent->uplink, &want);
        fetch->asked += FF_OBJECT_PART;
    }
}

static int begin(struct ff_objects *objects, struct fetch *fetch, struct ff_error *error)
{
    char place[PATH_MAX];
    ff_digester_destroy(fetch->digester);
    fetch->digester = ff_digester_create(error);
    fetch->total = 0;
    fetch->received = 0;
    fetch->asked = 0;
    if (fetch->digester == NULL ||
        ff_objects_path(&objects->agent->folder, &fetch->digest, true, place, error) < 0)
        return -1;
    if (fetch->fd < 0) {
        int length = snprintf(fetch->path, sizeof fetch->path, "%s.%d.tmp", place, (int)getpid());
        if (length < 0 || (size_t)length >= sizeof fetch->path)
            return ff_fail(error, FF_IO, "the path of an object is too long");
        fetch->fd = open(fetch->path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    }
    if (fetch->fd < 0 || ftruncate(fetch->fd, 0) < 0)
        return ff_fail_errno(error, FF_IO, errno, "cannot write %s", fetch->path);
    if (ff_uplink_is_open(objects->agent->uplink))
        ask_more(objects, fetch);
    return 0;
}

/* Answers all that wait and ends the fetch. */
static void finish(struct ff_objects *objects, struct fetch *fetch, struct ff_span code,
                   struct ff_span message)
{
    struct fetch **at = &objects->fetches;
    while (*at != fetch)
        at = &(*at)->next;
    *at = fetch->next;
    while (fetch->waiters != NULL) {
        struct waiter *waiter = fetch->waiters;
        fetch->waiters = waiter->next;
        if (code.size == 0)
            answer(objects, waiter->manager, &fetch->digest, waiter->offset, waiter->length);
        else
            answer_failed(waiter->manager, &fetch->digest, waiter->offset, code, message);
        free(waiter);
        objects->waiter_count--;
    }
    if (fetch->fd >= 0) {
        close(fetch->fd);
        unlink(fetch->path); /* gone already when it was renamed into place */
    }
    ff_digester_destroy(fetch->digester);
    free(fetch);
}

static void finish_failed(struct ff_objects *objects, struct fetch *fetch,
                          const struct ff_error *error)
{
    ff_log_error("an object cannot be fetched", error);
    finish(objects, fetch, ff_span_of(ff_error_name(error->code)), ff_span_of(error->message));
}

static struct fetch *start_fetch(struct ff_objects *objects, const struct ff_digest *digest)
{
    struct ff_error error;
    struct fetch *fetch = calloc(1, sizeof *fetch);
    if (fetch == NULL)
        return NULL;
    fetch->objects = objects;
    fetch->digest = *digest;
    fetch->fd = -1;
    fetch->next = objects->fetches;
    objects->fetches = fetch;
    if (begin(objects, fetch, &error) == 0)
        return fetch;
    finish_failed(objects, fetch, &error);
    return NULL;
}

/* In the thread of the syncs: what is in its place is whole, whatever happens to this machine. */
static void run_sync(struct ff_chore *chore)
{
    struct fetch *fetch = (struct fetch *)chore;
    fetch->sync_errno = fsync(fetch->fd) < 0 ? errno : 0;
}

static void sync_done(struct ff_chore *chore, bool closing)
{
    struct fetch *fetch = (struct fetch *)chore;
    struct ff_objects *objects = fetch->objects;
    char place[PATH_MAX];
    struct ff_error error;
    struct ff_span none = {NULL, 0};
    fetch->syncing = false;
    if (closing)
        return;
    errno = fetch->sync_errno;
    if (fetch->sync_errno != 0 ||
        ff_objects_path(&objects->agent->folder, &fetch->digest, false, place, &error) < 0 ||
        rename(fetch->path, place) < 0) {
        ff_fail_errno(&error, FF_IO, errno, "cannot put an object into the cache");
        finish_failed(objects, fetch, &error);
    } else {
        objects->known[fetch->digest.bytes[0] % KNOWN] = fetch->digest;
        finish(objects, fetch, none, none);
    }
}

static void complete(struct ff_objects *objects, struct fetch *fetch)
{
    struct ff_digest digest;
    struct ff_error error;
    if (ff_digester_finish(fetch->digester, &digest, &error) < 0) {
        finish_failed(objects, fetch, &error);
    } else if (memcmp(&digest, &fetch->digest, sizeof digest) != 0) {
        ff_fail(&error, FF_PROTOCOL, "the service sent an object whose SHA-256 is another one");
        finish_failed(objects, fetch, &error);
    } else {
        fetch->syncing = true;
        fetch->sync.run = run_sync;
        fetch->sync.done = sync_done;
        ff_chores_give(objects->syncs, &fetch->sync);
    }
}

/* Parts come in the order in which they were asked for. */
static int take_part(struct fetch *fetch, const struct ff_part *part, struct ff_error *error)
{
    if (part->code.size > 0)
        return ff_fail(error, ff_error_code_from_name(part->code.data, part->code.size), "%.*s",
                       (int)part->message.size, (const char *)part->message.data);
    if (part->total > FF_OBJECT_LIMIT || part->offset + part->data.size > part->total ||
        (part->data.size == 0 && part->total > 0))
        return ff_fail(error, FF_PROTOCOL, "a part of %zu bytes at %llu of an object of %llu",
                       part->data.size, (unsigned long long)part->offset,
                       (unsigned long long)part->total);
    fetch->total = part->total;
    ff_digester_update(fetch->digester, part->data);
    if (ff_pwrite_all(fetch->fd, part->data, (off_t)part->offset) < 0)
        return ff_fail_errno(error, FF_IO, errno, "cannot write %s", fetch->path);
    fetch->received += part->data.size;
    return 0;
}

void ff_objects_part(struct ff_objects *objects, const struct ff_part *part)
{
    struct ff_error error;
    struct fetch *fetch = find_fetch(objects, &part->digest);
    if (fetch == NULL || fetch->syncing ||
        (part->code.size == 0 && part->offset != fetch->received))
        return; /* an answer to an earlier question */
    if (take_part(fetch, part, &error) < 0)
        finish_failed(objects, fetch, &error);
    else if (fetch->received == fetch->total)
        complete(objects, fetch);
    else
        ask_more(objects, fetch);
}

/* ---- questions ---- */

void ff_objects_prefetch(struct ff_objects *objects, const struct ff_digest *digest, uint64_t size)
{
    static const struct ff_digest none;
    if (is_known(objects, digest) || memcmp(digest, &none, sizeof none) == 0 ||
        find_fetch(objects, digest) != NULL || is_there(objects, digest, size))
        return;
    start_fetch(objects, digest);
}

void ff_objects_want(struct ff_objects *objects, struct ff_manager *manager,
                     const struct ff_want *want)
{
    struct fetch *fetch = find_fetch(objects, &want->digest);
    if (fetch == NULL && is_there(objects, &want->digest, 0)) {
        answer(objects, manager, &want->digest, want->offset, want->length);
        return;
    }
    if (fetch == NULL)
        fetch = start_fetch(objects, &want->digest);
    struct waiter *waiter =
        fetch != NULL && objects->waiter_count < WAITERS_LIMIT ? calloc(1, sizeof *waiter) : NULL;
    if (waiter == NULL) {
        answer_failed(manager, &want->digest, want->offset, ff_span_of(ff_error_name(FF_IO)),
                      ff_span_of("the agent cannot fetch the object; its log says why"));
        return;
    }
    waiter->manager = manager;
    waiter->offset = want->offset;
    waiter->length = want->length;
    /* At the end: parts are answered in the order in which they were asked for. */
    struct waiter **end = &fetch->waiters;
    while (*end != NULL)
        end = &(*end)->next;
    *end = waiter;
    objects->waiter_count++;
}

void ff_objects_online(struct ff_objects *objects)
{
    struct ff_error error;
    struct fetch *next = NULL;
    for (struct fetch *at = objects->fetches; at != NULL; at = next) {
        next = at->next;
        if (!at->syncing && begin(objects, at, &error) < 0)
            finish_failed(objects, at, &error);
    }
}

void ff_objects_forget(struct ff_objects *objects, const struct ff_manager *manager)
{
    for (struct fetch *fetch = objects->fetches; fetch != NULL; fetch = fetch->next)
        for (struct waiter **at = &fetch->waiters; *at != NULL;) {
            struct waiter *waiter = *at;
            if (waiter->manager != manager) {
                at = &waiter->next;
                continue;
            }
            *at = waiter->next;
            free(waiter);
            objects->waiter_count--;
        }
}

void ff_objects_destroy(struct ff_objects *objects)
{
    if (objects == NULL)
        return;
    ff_chores_destroy(objects->syncs);
    while (objects->fetches != NULL) {
        struct fetch *fetch = objects->fetches;
        objects->fetches = fetch->next;
        while (fetch->waiters != NULL) {
            struct waiter *next = fetch->waiters->next;
            free(fetch->waiters);
            fetch->waiters = next;
        }
        if (fetch->fd >= 0) {
            close(fetch->fd);
            unlink(fetch->path);
        }
        ff_digester_destroy(fetch->digester);
        free(fetch);
    }
    free(objects);
}

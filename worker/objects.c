/*
 * Objects by SHA-256. What a task needs lies in the endpoint's cache, which the agent and all managers share where they share a
 * home; what is not there yet is asked from the agent, part by part, and put there. Nothing is used before its digest was
 * checked by this process: once, and beside the loop when it is large.
 */
#include "worker/objects.h"

#include "worker/manager.h"
#include "worker/uplink.h"

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

enum { PARTS_AHEAD = 4, KNOWN = 256 };

struct wanting {
    struct wanting *next;
    struct ff_work *work;
};

struct fetch {
    struct ff_chore check; /* of the file that lies in the cache; first, for the way back from it */
    bool checking;         /* and nothing is asked for meanwhile */
    bool is_right;
    struct ff_objects *objects;
    struct fetch *next;
    struct ff_digest digest;
    uint64_t size;
    uint64_t asked; /* bytes */
    uint64_t have;
    int fd;
    char temporary[PATH_MAX];
    struct ff_digester *digester;
    struct wanting *works;
};

/* One value on its way, however many works have it: it is sent from the first of them. */
struct store {
    struct store *next;
    struct wanting *works;
    struct ff_digest digest;
    uint64_t sent;
    uint64_t stored;
};

struct ff_objects {
    struct ff_manager *manager;
    struct ff_chores *checks;
    struct fetch *fetches;
    struct store *stores;
    struct ff_digest known[KNOWN]; /* verified by this process; a ring */
    unsigned known_count;
};

struct ff_objects *ff_objects_create(struct ff_manager *manager, struct ff_error *error)
{
    struct ff_objects *objects = calloc(1, sizeof *objects);
    if (objects == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory for objects");
        return NULL;
    }
    objects->manager = manager;
    objects->checks = ff_chores_create(manager->loop, error);
    if (objects->checks == NULL) {
        free(objects);
        return NULL;
    }
    return objects;
}

static int add_wanting(struct wanting **works, struct ff_work *work, struct ff_error *error)
{
    struct wanting *wanting = malloc(sizeof *wanting);
    if (wanting == NULL)
        return ff_fail(error, FF_NO_MEMORY, "no memory for an object");
    wanting->work = work;
    wanting->next = *works;
    *works = wanting;
    return 0;
}

static void remove_wanting(struct wanting **works, const struct ff_work *work)
{
    while (*works != NULL) {
        struct wanting *at = *works;
        if (at->work != work) {
            works = &at->next;
            continue;
        }
        *works = at->next;
        free(at);
    }
}

static void drop_wanting(struct wanting *works)
{
    while (works != NULL) {
        struct wanting *next = works->next;
        free(works);
        works = next;
    }
}

static void destroy_fetch(struct fetch *fetch)
{
    if (fetch->fd >= 0) {
        close(fetch->fd);
        unlink(fetch->temporary);
    }
    ff_digester_destroy(fetch->digester);
    drop_wanting(fetch->works);
    free(fetch);
}

void ff_objects_destroy(struct ff_objects *objects)
{
    if (objects == NULL)
        return;
    ff_chores_destroy(objects->checks);
    while (objects->fetches != NULL) {
        struct fetch *next = objects->fetches->next;
        destroy_fetch(objects->fetches);
        objects->fetches = next;
    }
    while (objects->stores != NULL) {
        struct store *next = objects->stores->next;
        drop_wanting(objects->stores->works);
        free(objects->stores);
        objects->stores = next;
    }
    free(objects);
}

/* ---- the cache ---- */

static void path_of(const struct ff_objects *objects, const struct ff_digest *digest,
                    char path[PATH_MAX])
{
    char text[FF_DIGEST_TEXT_SIZE];
    ff_digest_text(digest, text);
    snprintf(path, PATH_MAX, "%s/cache/objects/%.2s/%s", objects->manager->settings.endpoint_folder,
             text, text + 2);
}

static bool same(const struct ff_digest *a, const struct ff_digest *b)
{
    return memcmp(a->bytes, b->bytes, FF_DIGEST_SIZE) == 0;
}

static void remember(struct ff_objects *objects, const struct ff_digest *digest)
{
    objects->known[objects->known_count++ % KNOWN] = *digest;
}

static bool is_known(const struct ff_objects *objects, const struct ff_digest *digest)
{
    for (unsigned i = 0; i < KNOWN && i < objects->known_count; i++)
        if (same(&objects->known[i], digest))
            return true;
    return false;
}

/* In any thread. */
static bool holds(const char *path, const struct ff_digest *digest)
{
    struct ff_digest found;
    uint64_t size = 0;
    return ff_digest_of_file(path, &found, &size, NULL) == 0 && same(&found, digest);
}

static void remove_wrong(const char *path)
{
    ff_log(FF_LOG_WARNING, "%s does not hold what its name says, and is fetched anew", path);
    unlink(path);
}

enum found { NOT_THERE, THERE, TO_CHECK };

/* Whether the object lies at its path; one with other bytes than its name says is removed. */
static enum found find_in_cache(struct ff_objects *objects, const struct ff_digest *digest,
                                uint64_t size, const char *path)
{
    struct stat info;
    if (stat(path, &info) < 0 || access(path, R_OK) < 0)
        return NOT_THERE;
    if (is_known(objects, digest))
        return THERE;
    if (size > FF_OBJECT_PART && (uint64_t)info.st_size == size)
        return TO_CHECK;
    if ((uint64_t)info.st_size == size && holds(path, digest)) {
        remember(objects, digest);
        return THERE;
    }
    remove_wrong(path);
    return NOT_THERE;
}

/* ---- fetching ---- */

static void ask(struct ff_objects *objects, struct fetch *fetch)
{
    struct ff_encoder encoder;
    struct ff_buffer *frame = &objects->manager->frame;
    while (fetch->asked < fetch->size &&
           fetch->asked - fetch->have < (uint64_t)PARTS_AHEAD * FF_OBJECT_PART) {
        struct ff_want want = {.digest = fetch->digest, .offset = fetch->asked};
        uint64_t left = fetch->size - fetch->asked;
        want.length = left < FF_OBJECT_PART ? left : FF_OBJECT_PART;
        ff_encode_begin(&encoder, frame, FF_MSG_OBJECT_WANT);
        ff_encode_want(&encoder, &want);
        if (ff_encode_end(&encoder, NULL) == 0)
            ff_uplink_send(objects->manager->uplink, ff_buffer_span(frame));
        fetch->asked += want.length;
    }
}

static int begin_file(struct ff_objects *objects, struct fetch *fetch, struct ff_error *error)
{
    char path[PATH_MAX];
    path_of(objects, &fetch->digest, path);
    char *slash = strrchr(path, '/');
    *slash = '\0';
    if (ff_folder_make(path, 0700, error) < 0)
        return -1;
    *slash = '/';
    if (snprintf(fetch->temporary, sizeof fetch->temporary, "%s.%s-%d.part", path,
                 objects->manager->settings.node, (int)getpid()) >= (int)sizeof fetch->temporary)
        return ff_fail(error, FF_INVALID_ARGUMENT, "the path is too long: %s", path);
    fetch->fd = open(fetch->temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fetch->fd < 0)
        return ff_fail_errno(error, FF_IO, errno, "cannot create %s", fetch->temporary);
    fetch->digester = ff_digester_create(error);
    return fetch->digester != NULL ? 0 : -1;
}

static struct fetch *make_fetch(struct ff_objects *objects, const struct ff_digest *digest,
                                uint64_t size, struct ff_error *error)
{
    struct fetch *fetch = calloc(1, sizeof *fetch);
    if (fetch == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory for an object");
        return NULL;
    }
    fetch->objects = objects;
    fetch->fd = -1;
    fetch->digest = *digest;
    fetch->size = size;
    fetch->next = objects->fetches;
    objects->fetches = fetch;
    return fetch;
}

static void leave_fetches(struct fetch *fetch)
{
    struct fetch **link = &fetch->objects->fetches;
    while (*link != fetch)
        link = &(*link)->next;
    *link = fetch->next;
}

static int begin_asking(struct ff_objects *objects, struct fetch *fetch, struct ff_error *error)
{
    if (begin_file(objects, fetch, error) < 0)
        return -1;
    ask(objects, fetch);
    return 0;
}

static struct fetch *begin_fetch(struct ff_objects *objects, const struct ff_digest *digest,
                                 uint64_t size, struct ff_error *error)
{
    if (size == 0 || size > FF_OBJECT_LIMIT) {
        ff_fail(error, FF_TOO_LARGE, "an object of %llu bytes; they have 1 to %d",
                (unsigned long long)size, FF_OBJECT_LIMIT);
        return NULL;
    }
    struct fetch *fetch = make_fetch(objects, digest, size, error);
    if (fetch == NULL || begin_asking(objects, fetch, error) == 0)
        return fetch;
    leave_fetches(fetch);
    destroy_fetch(fetch);
    return NULL;
}

static struct fetch *find_fetch(const struct ff_objects *objects, const struct ff_digest *digest)
{
    struct fetch *fetch = objects->fetches;
    while (fetch != NULL && !same(&fetch->digest, digest))
        fetch = fetch->next;
    return fetch;
}

/* Tells all that want it. Each may ask for the next object meanwhile, so the fetch leaves the list first. */
static void end_fetch(struct fetch *fetch, const struct ff_error *error)
{
    leave_fetches(fetch);
    struct wanting *works = fetch->works;
    fetch->works = NULL;
    destroy_fetch(fetch);
    while (works != NULL) {
        struct wanting *next = works->next;
        ff_work_fetched(works->work, error);
        free(works);
        works = next;
    }
}

/* ---- checking what lies there ---- */

/* In the thread of the checks. */
static void run_check(struct ff_chore *chore)
{
    struct fetch *fetch = (struct fetch *)chore;
    fetch->is_right = holds(fetch->temporary, &fetch->digest);
}

static void check_done(struct ff_chore *chore, bool closing)
{
    struct fetch *fetch = (struct fetch *)chore;
    struct ff_error error;
    fetch->checking = false;
    if (closing)
        return;
    if (fetch->is_right) {
        remember(fetch->objects, &fetch->digest);
        end_fetch(fetch, NULL);
        return;
    }
    remove_wrong(fetch->temporary);
    if (begin_asking(fetch->objects, fetch, &error) < 0)
        end_fetch(fetch, &error);
}

static struct fetch *begin_check(struct ff_objects *objects, const struct ff_digest *digest,
                                 uint64_t size, const char *path, struct ff_error *error)
{
    struct fetch *fetch = make_fetch(objects, digest, size, error);
    if (fetch == NULL)
        return NULL;
    fetch->checking = true;
    fetch->check.run = run_check;
    fetch->check.done = check_done;
    snprintf(fetch->temporary, sizeof fetch->temporary, "%s", path);
    ff_chores_give(objects->checks, &fetch->check);
    return fetch;
}

int ff_objects_need(struct ff_objects *objects, const struct ff_digest *digest, uint64_t size,
                    struct ff_work *work, char path[PATH_MAX], struct ff_error *error)
{
    path_of(objects, digest, path);
    struct fetch *fetch = find_fetch(objects, digest);
    enum found found = fetch == NULL ? find_in_cache(objects, digest, size, path) : NOT_THERE;
    if (found == THERE)
        return 1;
    if (found == TO_CHECK)
        fetch = begin_check(objects, digest, size, path, error);
    else if (fetch == NULL)
        fetch = begin_fetch(objects, digest, size, error);
    if (fetch == NULL)
        return -1;
    return add_wanting(&fetch->works, work, error);
}

void ff_objects_forget(struct ff_objects *objects, struct ff_work *work)
{
    for (struct fetch *fetch = objects->fetches; fetch != NULL; fetch = fetch->next)
        remove_wanting(&fetch->works, work);
    for (struct store **link = &objects->stores; *link != NULL;) {
        struct store *at = *link;
        remove_wanting(&at->works, work);
        if (at->works != NULL) {
            link = &at->next;
            continue;
        }
        *link = at->next;
        free(at);
    }
}

static int complete(struct ff_objects *objects, struct fetch *fetch, struct ff_error *error)
{
    struct ff_digest found;
    char path[PATH_MAX];
    path_of(objects, &fetch->digest, path);
    if (ff_digester_finish(fetch->digester, &found, error) < 0)
        return -1;
    if (!same(&found, &fetch->digest))
        return ff_fail(error, FF_PROTOCOL, "the agent sent other bytes than %s names", path);
    if (fchmod(fetch->fd, 0400) < 0 || rename(fetch->temporary, path) < 0)
        return ff_fail_errno(error, FF_IO, errno, "cannot keep %s", path);
    close(fetch->fd);
    fetch->fd = -1;
    remember(objects, &fetch->digest);
    return 0;
}

static int write_part(struct fetch *fetch, struct ff_span data, struct ff_error *error)
{
    if (ff_pwrite_all(fetch->fd, data, (off_t)fetch->have) < 0)
        return ff_fail_errno(error, FF_IO, errno, "cannot write %s", fetch->temporary);
    ff_digester_update(fetch->digester, data);
    fetch->have += data.size;
    return 0;
}

void ff_objects_part(struct ff_objects *objects, const struct ff_part *part)
{
    struct ff_error error;
    struct fetch *fetch = find_fetch(objects, &part->digest);
    if (fetch == NULL || fetch->checking)
        return;
    if (part->code.size > 0) {
        ff_fail(&error, ff_error_code_from_name(part->code.data, part->code.size), "%.*s",
                (int)part->message.size, (const char *)part->message.data);
        end_fetch(fetch, &error);
        return;
    }
    /* Parts come in the order they were asked for; another one is of an older asking. */
    if (part->offset != fetch->have || part->data.size == 0 ||
        part->data.size > fetch->size - fetch->have)
        return;
    if (write_part(fetch, part->data, &error) < 0) {
        end_fetch(fetch, &error);
    } else if (fetch->have < fetch->size) {
        ask(objects, fetch);
    } else {
        int result = complete(objects, fetch, &error);
        end_fetch(fetch, result < 0 ? &error : NULL);
    }
}

/* ---- storing ---- */

static void push(struct ff_objects *objects, struct store *store)
{
    struct ff_encoder encoder;
    struct ff_buffer *frame = &objects->manager->frame;
    struct ff_span value = ff_buffer_span(&store->works->work->value);
    while (store->sent < value.size &&
           store->sent - store->stored < (uint64_t)PARTS_AHEAD * FF_OBJECT_PART) {
        uint64_t left = value.size - store->sent;
        struct ff_part part = {.digest = store->digest, .offset = store->sent, .total = value.size};
        part.data.data = (const uint8_t *)value.data + store->sent;
        part.data.size = left < FF_OBJECT_PART ? left : FF_OBJECT_PART;
        ff_encode_begin(&encoder, frame, FF_MSG_OBJECT_STORE);
        ff_encode_part(&encoder, &part);
        if (ff_encode_end(&encoder, NULL) == 0)
            ff_uplink_send(objects->manager->uplink, ff_buffer_span(frame));
        store->sent += part.data.size;
    }
}

static struct store *find_store(const struct ff_objects *objects, const struct ff_digest *digest)
{
    struct store *store = objects->stores;
    while (store != NULL && !same(&store->digest, digest))
        store = store->next;
    return store;
}

int ff_objects_store(struct ff_objects *objects, struct ff_work *work, struct ff_error *error)
{
    struct ff_digest digest;
    if (ff_digest_of(ff_buffer_span(&work->value), &digest, error) < 0)
        return -1;
    struct store *store = find_store(objects, &digest);
    if (store != NULL)
        return add_wanting(&store->works, work, error);
    store = calloc(1, sizeof *store);
    if (store == NULL || add_wanting(&store->works, work, error) < 0) {
        free(store);
        return ff_fail(error, FF_NO_MEMORY, "no memory to store a value");
    }
    store->digest = digest;
    store->next = objects->stores;
    objects->stores = store;
    push(objects, store);
    return 0;
}

/* An answer may be one to an earlier sending of the same value, which was forgotten on the way: only what says that all of
 * it is there counts beyond what was sent. */
void ff_objects_stored(struct ff_objects *objects, const struct ff_part *part)
{
    struct ff_error error;
    struct store *store = find_store(objects, &part->digest);
    bool failed = part->code.size > 0;
    if (store == NULL)
        return;
    if (!failed && part->offset < store->works->work->value.size) {
        if (part->offset > store->stored && part->offset <= store->sent)
            store->stored = part->offset;
        push(objects, store);
        return;
    }
    if (failed)
        ff_fail(&error, ff_error_code_from_name(part->code.data, part->code.size), "%.*s",
                (int)part->message.size, (const char *)part->message.data);
    struct store **link = &objects->stores;
    while (*link != store)
        link = &(*link)->next;
    *link = store->next;
    while (store->works != NULL) {
        struct wanting *wanting = store->works;
        store->works = wanting->next;
        ff_work_stored(wanting->work, &part->digest, failed ? &error : NULL);
        free(wanting);
    }
    free(store);
}

void ff_objects_online(struct ff_objects *objects)
{
    for (struct fetch *fetch = objects->fetches; fetch != NULL; fetch = fetch->next) {
        if (fetch->checking)
            continue;
        fetch->asked = fetch->have;
        ask(objects, fetch);
    }
    for (struct store *store = objects->stores; store != NULL; store = store->next) {
        store->sent = store->stored = 0;
        push(objects, store);
    }
}

/*
 * service/objects.h: content-addressed files under service/objects: functions, large arguments and
 * values, checkpoints.
 *
 * An object arrives in pieces that are hashed while they are written beside its place, and is
 * renamed into it only when it is whole, durable, and what its name says. Reading and writing
 * pieces may be done by any thread; the sync at the end, which may take long, is done by a thread
 * of its own.
 */
#ifndef FF_SERVICE_OBJECTS_H
#define FF_SERVICE_OBJECTS_H

#include "protocol/core/digest.h"

struct ff_objects;
struct ff_upload;

/* `folder` is made; what an earlier start left unfinished there is removed. */
struct ff_objects *ff_objects_create(const char *folder, struct ff_error *error) FF_MUST_USE;
/* Waits for uploads that are being finished. NULL is fine. */
void ff_objects_destroy(struct ff_objects *objects);

/* The size of an object, which counts as wanted from now on (ff_objects_sweep); false when it is
 * not there. */
bool ff_objects_size(const struct ff_objects *objects, const struct ff_digest *digest,
                     uint64_t *size);

/* Opened for reading, with its size; -1 with FF_OBJECT_NOT_FOUND. */
int ff_objects_open(const struct ff_objects *objects, const struct ff_digest *digest,
                    uint64_t *size, struct ff_error *error) FF_MUST_USE;

/* Stores bytes that are in memory, and waits until they are durable. */
int ff_objects_store(struct ff_objects *objects, struct ff_span data,
                     const struct ff_digest *digest, struct ff_error *error) FF_MUST_USE;

/* Pieces: begin, add…, then finish or destroy. */
struct ff_upload *ff_upload_create(struct ff_objects *objects, const struct ff_digest *digest,
                                   struct ff_error *error) FF_MUST_USE;
int ff_upload_add(struct ff_upload *upload, struct ff_span piece,
                  struct ff_error *error) FF_MUST_USE;
uint64_t ff_upload_size(const struct ff_upload *upload);

/* Checks and keeps it in another thread, which then calls `done` (error NULL: it is kept). The
 * upload is gone after this call. */
typedef void ff_upload_done(void *user, uint64_t size, const struct ff_error *error);
void ff_upload_finish(struct ff_upload *upload, ff_upload_done *done, void *user);
void ff_upload_destroy(struct ff_upload *upload);

/* Removes objects that nobody refers to and that are older than a day: `is_used` is asked for
 * each. */
typedef bool ff_object_is_used(void *user, const struct ff_digest *digest);
void ff_objects_sweep(struct ff_objects *objects, ff_object_is_used *is_used, void *user);

#endif

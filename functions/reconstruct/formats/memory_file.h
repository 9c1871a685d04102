/*
 * functions/reconstruct/formats/memory_file.h: an HDF5 file in memory, made of arrays that lie in
 * another file or in memory. Used by what store.h opens.
 */
#ifndef FF_RECONSTRUCT_FORMATS_MEMORY_FILE_H
#define FF_RECONSTRUCT_FORMATS_MEMORY_FILE_H

#include "functions/reconstruct/formats/hdf5.h"

/* A file without datasets, which stands for the one at `path` in messages. */
struct ff_hdf5_file *ff_memory_file_create(const char *path, struct ff_error *error) FF_MUST_USE;

/* Room for `bytes` that lives as long as the file; the caller fills it and then calls
 * ff_memory_file_done. */
void *ff_memory_file_room(struct ff_hdf5_file *file, size_t bytes,
                          struct ff_error *error) FF_MUST_USE;
void ff_memory_file_done(void *room, size_t bytes);

/* A dataset /`name` whose values lie in the room that was made last. */
int ff_memory_file_add(struct ff_hdf5_file *file, const char *name, hid_t type, int rank,
                       const size_t *shape, struct ff_error *error) FF_MUST_USE;

/* A dataset whose values lie in the file that `file` stands for, from `offset` on. */
int ff_memory_file_add_there(struct ff_hdf5_file *file, const char *name, hid_t type, int rank,
                             const size_t *shape, size_t offset,
                             struct ff_error *error) FF_MUST_USE;

/* A second name of a dataset; where the name is taken nothing happens. */
void ff_memory_file_alias(struct ff_hdf5_file *file, const char *name, const char *alias);

#endif

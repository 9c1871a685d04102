/*
 * protocol/core/file.h: whole files, written so that a reader sees the old one or the new one and nothing between.
 */
#ifndef FF_PROTOCOL_CORE_FILE_H
#define FF_PROTOCOL_CORE_FILE_H

#include "protocol/core/bytes.h"

#include <sys/types.h>

/* Writes `data` beside `path`, syncs it, renames it into place and syncs the folder. On failure nothing stays behind
 * and an older file is untouched. */
int ff_file_write(const char *path, struct ff_span data, mode_t mode,
                  struct ff_error *error) FF_MUST_USE;

/* The same in pieces. After `begin` succeeded, `end` is called once; with `whole` false, and after any failure,
 * nothing stays behind. */
struct ff_file_writer {
    int fd;
    char *path, *beside;
};
int ff_file_write_begin(struct ff_file_writer *writer, const char *path, mode_t mode,
                        struct ff_error *error) FF_MUST_USE;
int ff_file_write_piece(struct ff_file_writer *writer, struct ff_span piece,
                        struct ff_error *error) FF_MUST_USE;
int ff_file_write_end(struct ff_file_writer *writer, bool whole,
                      struct ff_error *error) FF_MUST_USE;

/* All of it, however often the system takes a part. -1 with errno. */
int ff_write_all(int fd, struct ff_span data) FF_MUST_USE;
int ff_pwrite_all(int fd, struct ff_span data, off_t offset) FF_MUST_USE;

/* Reads a whole regular file into a terminated block that the caller frees; refuses more than `limit` bytes before
 * it allocates, and folders, by name. */
int ff_file_read(const char *path, size_t limit, char **data, size_t *size,
                 struct ff_error *error) FF_MUST_USE;

/* A whole regular file as memory that cannot be written, without reading it yet; ff_file_unmap gives it back. Only for
 * files that are replaced by rename: one that is cut short meanwhile would end the process. */
int ff_file_map(const char *path, struct ff_span *bytes, struct ff_error *error) FF_MUST_USE;
void ff_file_unmap(struct ff_span bytes);

/* Makes a folder and its parents (mode 0700 for what it makes, unless `mode` says otherwise). */
int ff_folder_make(const char *path, mode_t mode, struct ff_error *error) FF_MUST_USE;

/* Removes a folder with all it holds, without following links. Absent is success. */
int ff_folder_remove(const char *path, struct ff_error *error) FF_MUST_USE;

/* "a" + "b" → "a/b" in a block that the caller frees; NULL when memory is out. */
char *ff_path_join(const char *folder, const char *name) FF_MUST_USE;

/* $FARFIELD_HOME, else ~/.farfield, absolute; the caller frees. */
char *ff_home(struct ff_error *error) FF_MUST_USE;

/* The folder that holds the farfield programs (libexec/farfield), functions (lib/farfield/functions) or what they load
 * for special hardware (lib/farfield/backends, which may not be there) of the installation or build tree that this
 * program runs from; the caller frees. */
char *ff_program_folder(struct ff_error *error) FF_MUST_USE;
char *ff_function_folder(struct ff_error *error) FF_MUST_USE;
char *ff_backend_folder(struct ff_error *error) FF_MUST_USE;

#endif

/*
 * endpoint/folder.h: where the files of one endpoint lie (protocol/STATE.md), and who runs it on this machine.
 */
#ifndef FF_ENDPOINT_FOLDER_H
#define FF_ENDPOINT_FOLDER_H

#include "protocol/core/process.h"
#include "protocol/ids.h"

#include <limits.h>

/* $FARFIELD_HOME/endpoints/NAME and paths in it. */
struct ff_folder {
    char name[65];
    char root[PATH_MAX - 256]; /* so that every path below fits PATH_MAX */
    int lock_fd;               /* -1 unless locked */
};

/* Checks the name; the folder need not be there. */
int ff_folder_locate(struct ff_folder *folder, const char *name,
                     struct ff_error *error) FF_MUST_USE;

/* root + "/" + the parts, which may hold slashes. */
void ff_folder_path(const struct ff_folder *folder, char path[PATH_MAX], const char *format, ...)
    FF_PRINTF(3, 4);

/* Fails with ENDPOINT_NOT_FOUND and what to do when it was never configured. */
int ff_folder_check(const struct ff_folder *folder, struct ff_error *error) FF_MUST_USE;

/* Takes run/lock for this process and writes run/process and run/instance. ENDPOINT_IN_USE names the process that has it.
 * *previous is the instance that ran here before and is certainly dead, or zero. */
int ff_folder_lock(struct ff_folder *folder, const struct ff_id *instance, struct ff_id *previous,
                   struct ff_error *error) FF_MUST_USE;
void ff_folder_unlock(struct ff_folder *folder);

#endif

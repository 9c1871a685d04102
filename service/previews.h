/*
 * service/previews.h: the newest preview images of tasks, as files: PREVIEWS/TASK_ID/NAME, their
 * names made safe. They are no part of the ledger: a crash may cost the newest one. Each begins
 * with a line that holds its media type.
 */
#ifndef FF_SERVICE_PREVIEWS_H
#define FF_SERVICE_PREVIEWS_H

#include "protocol/messages.h"

int ff_preview_write(const char *previews, const struct ff_id *task,
                     const struct ff_preview *preview, struct ff_error *error) FF_MUST_USE;

/* Reads a preview into a block that the caller frees; *media_type (of 65 bytes) and *data_at tell
 * what it is and where the image begins. FF_NOT_FOUND when there is none. */
int ff_preview_read(const char *previews, const struct ff_id *task, struct ff_span name,
                    char **data, size_t *size, size_t *data_at, char media_type[65],
                    struct ff_error *error) FF_MUST_USE;

/* Removes those of tasks that `is_known` does not know any more. */
typedef bool ff_preview_is_known(void *user, const struct ff_id *task);
void ff_previews_sweep(const char *previews, ff_preview_is_known *is_known, void *user);

#endif

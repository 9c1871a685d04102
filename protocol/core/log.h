/*
 * protocol/core/log.h: one line an event, `time level process[pid] task=… message`, to standard error or a file.
 *
 * Only programs log; libraries return errors. A program calls ff_log_open once. Functions log through their call
 * (functions/function.h), so that the line reaches the user.
 */
#ifndef FF_PROTOCOL_CORE_LOG_H
#define FF_PROTOCOL_CORE_LOG_H

#include "protocol/core/error.h"

enum ff_log_level { FF_LOG_DEBUG, FF_LOG_INFO, FF_LOG_WARNING, FF_LOG_ERROR };

/* `process` names the program in each line and must outlive the log. `path` is appended to (mode 0600), NULL means
 * standard error. Threads may log at once; a line is one write. */
int ff_log_open(const char *process, const char *path, enum ff_log_level floor,
                struct ff_error *error) FF_MUST_USE;

/* Opens the file anew by its path, after a rotation. */
void ff_log_reopen(void);

void ff_log(enum ff_log_level level, const char *format, ...) FF_PRINTF(2, 3);

/* Logs a filled error: "what: message (hint) [CODE]". */
void ff_log_error(const char *what, const struct ff_error *error);

const char *ff_log_level_name(enum ff_log_level level);

#endif

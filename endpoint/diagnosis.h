/*
 * endpoint/diagnosis.h: what `endpoint doctor` says, for people or as JSON.
 */
#ifndef FF_ENDPOINT_DIAGNOSIS_H
#define FF_ENDPOINT_DIAGNOSIS_H

#include "protocol/core/error.h"

#include <stdbool.h>

enum ff_diagnosis_level { FF_WELL, FF_WARNING, FF_ERROR };

struct ff_diagnosis {
    bool json;
    bool errors; /* one was said */
    bool first;  /* nothing was said yet */
};

/* One line, or one element of the array "checks". `hint` says what to do; "" where there is nothing to do. */
void ff_diagnosis_say(struct ff_diagnosis *diagnosis, enum ff_diagnosis_level level,
                      const char *check, const char *text, const char *hint);

void ff_diagnosis_say_error(struct ff_diagnosis *diagnosis, enum ff_diagnosis_level level,
                            const char *check, const struct ff_error *error);

#endif

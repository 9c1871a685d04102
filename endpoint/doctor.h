/*
 * endpoint/doctor.h: `endpoint doctor`: looks at all that an endpoint needs, and says of each whether it is well and
 * what to do if not.
 */
#ifndef FF_ENDPOINT_DOCTOR_H
#define FF_ENDPOINT_DOCTOR_H

#include "endpoint/folder.h"

/* Prints a line a check, or with `json` one document. false: at least one error. */
bool ff_doctor_run(const struct ff_folder *folder, bool json);

#endif

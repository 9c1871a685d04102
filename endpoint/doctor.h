/*
 * endpoint/doctor.h: `endpoint doctor`: looks at all that an endpoint needs, and says of each whether it is well and
 * what to do if not.
 */
#ifndef FF_ENDPOINT_DOCTOR_H
#define FF_ENDPOINT_DOCTOR_H

#include "endpoint/folder.h"

/* Prints a line a check, or with `json` one document; with `submit_test` it runs a job of a scheduler, too, and waits for it.
 * false: at least one error. */
bool ff_doctor_run(const struct ff_folder *folder, bool json, bool submit_test);

#endif

/*
 * endpoint/doctor_job.h: `endpoint doctor --submit-test`: a job of a minute that tells what a node can do (probe.h), and how long
 * it had to wait.
 */
#ifndef FF_ENDPOINT_DOCTOR_JOB_H
#define FF_ENDPOINT_DOCTOR_JOB_H

#include "endpoint/config.h"
#include "endpoint/diagnosis.h"
#include "endpoint/folder.h"

/* Waits for the job, says on standard error how it stands whenever that changes, and cancels it when it has not ended after
 * ten minutes, or at SIGINT or SIGTERM. Leaves nothing. */
void ff_doctor_job(const struct ff_folder *folder, const struct ff_config *config,
                   struct ff_diagnosis *diagnosis);

#endif

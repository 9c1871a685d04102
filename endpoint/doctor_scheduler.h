/*
 * endpoint/doctor_scheduler.h: the doctor's look at a scheduler: its commands and version, whether the partition is there and has
 * what jobs ask for, where nodes would call back, and whether they can see the endpoint's folder.
 */
#ifndef FF_ENDPOINT_DOCTOR_SCHEDULER_H
#define FF_ENDPOINT_DOCTOR_SCHEDULER_H

#include "endpoint/config.h"
#include "endpoint/diagnosis.h"
#include "endpoint/folder.h"
#include "endpoint/providers/survey.h"

/* Asks, and waits for the answers. */
void ff_doctor_scheduler(const struct ff_folder *folder, const struct ff_config *config,
                         struct ff_diagnosis *diagnosis);

/* The part about partitions. Pure. */
void ff_doctor_partition(const struct ff_config *config, const struct ff_survey *survey,
                         struct ff_diagnosis *diagnosis);

#endif

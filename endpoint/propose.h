/*
 * endpoint/propose.h: settings for an endpoint of a scheduler, from what the scheduler has. Pure.
 */
#ifndef FF_ENDPOINT_PROPOSE_H
#define FF_ENDPOINT_PROPOSE_H

#include "endpoint/config.h"
#include "endpoint/providers/survey.h"

/*
 * Fills in `config` (with its provider set; a partition that is set stays) what goes well here, and appends to `notes` a line
 * for each choice: what, and why. `survey` is NULL where nobody could be asked. INVALID_SETTING when the partition is none of
 * those there.
 */
int ff_propose(struct ff_config *config, const struct ff_survey *survey, struct ff_buffer *notes,
               struct ff_error *error) FF_MUST_USE;

#endif

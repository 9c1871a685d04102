/*
 * worker/speech.h: what a runner says.
 */
#ifndef FF_WORKER_SPEECH_H
#define FF_WORKER_SPEECH_H

#include "worker/slot.h"

/* Takes all frames that are whole. -1: the runner broke the protocol, and was killed for it. */
int ff_slot_take_frames(struct ff_slot *slot);

#endif

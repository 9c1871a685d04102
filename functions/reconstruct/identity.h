/*
 * functions/reconstruct/identity.h: what decides where a run goes, so that a checkpoint of another
 * one is refused with the difference named.
 */
#ifndef FF_RECONSTRUCT_IDENTITY_H
#define FF_RECONSTRUCT_IDENTITY_H

#include "functions/reconstruct/run.h"

/* Appends a line "name<TAB>value" for each: the input and the first probe by SHA-256, the shapes, and
 * every setting but those that change no bit (epochs, threads, limits, how often is saved). */
void ff_run_identity(const struct ff_problem *problem, const struct ff_run_settings *settings,
                     struct ff_buffer *text);

#endif

/*
 * worker/turn.h: the page that a manager and its runner share: whose turn it is, and what the manager asks of the call
 * that runs.
 *
 * Calls of a runner have serials 1, 2, …; several are handed to it ahead. The runner takes each by its serial before
 * it begins, and the manager recalls those that are not taken, when the one before them takes long: one word decides
 * between the two, so both know the same. Neither costs a system call, and a function may ask whether to stop from any
 * thread, by one load.
 *
 * The runner can write anything here, as a function in it can: the manager keeps what it reads within what it sent.
 */
#ifndef FF_WORKER_TURN_H
#define FF_WORKER_TURN_H

#include "protocol/core/error.h"

#include <stdbool.h>
#include <stdint.h>

struct ff_turn;

/* Makes the page in a memory file; *fd is close-on-exec and the caller's. */
struct ff_turn *ff_turn_create(int *fd, struct ff_error *error) FF_MUST_USE;

/* Maps the page of an inherited descriptor. */
struct ff_turn *ff_turn_open(int fd, struct ff_error *error) FF_MUST_USE;

/* NULL is fine. */
void ff_turn_close(struct ff_turn *turn);

/* Runner: true when the call is its own to begin, false when it was recalled. */
bool ff_turn_take(struct ff_turn *turn, uint32_t serial) FF_MUST_USE;

/* Manager: takes back all calls up to `sent` that the runner has not taken; returns the last serial that it has. */
uint32_t ff_turn_recall(struct ff_turn *turn, uint32_t sent);

/* Manager: the last serial that the runner has taken. */
uint32_t ff_turn_taken(const struct ff_turn *turn);

/* Manager: asks the call to stop or to checkpoint (enum ff_stop of functions/function.h). Stop wins. */
void ff_turn_ask(struct ff_turn *turn, uint32_t serial, int stop);

/* Runner: what is asked of this call. */
int ff_turn_asked(const struct ff_turn *turn, uint32_t serial);

#endif

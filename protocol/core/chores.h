/*
 * protocol/core/chores.h: a thread beside a loop, for what would block it: hashing or syncing a large file, removing a
 * tree of folders.
 *
 * Chores run one after the other, in the order they were given. The thread begins with the first of them, and sleeps while
 * there is none. A chore stands inside the owner's own struct, so giving one cannot fail.
 */
#ifndef FF_PROTOCOL_CORE_CHORES_H
#define FF_PROTOCOL_CORE_CHORES_H

#include "protocol/core/loop.h"

struct ff_chore {
    struct ff_chore *next; /* of the chores */
    /* In the thread. What it touches is its own until `done`. */
    void (*run)(struct ff_chore *chore);
    /* In the loop, once for each chore. `closing`: the chores are destroyed, and it may not have run. */
    void (*done)(struct ff_chore *chore, bool closing);
};

struct ff_chores;

struct ff_chores *ff_chores_create(struct ff_loop *loop, struct ff_error *error) FF_MUST_USE;

/* Where no thread can be started it is run here and now; `done` follows from the loop all the same. */
void ff_chores_give(struct ff_chores *chores, struct ff_chore *chore);

/* Waits for the chore that runs, and calls `done` of all that are left, closing. NULL is fine. */
void ff_chores_destroy(struct ff_chores *chores);

#endif

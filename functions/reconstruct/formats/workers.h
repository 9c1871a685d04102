/*
 * functions/reconstruct/formats/workers.h: one piece of work in several threads, once.
 */
#ifndef FF_RECONSTRUCT_FORMATS_WORKERS_H
#define FF_RECONSTRUCT_FORMATS_WORKERS_H

#include <stddef.h>

/* How many threads `asked` means: itself, or for 0 one for each core that this process may use, at
 * most 16 of them. */
size_t ff_workers(size_t asked);

/* Calls work(user, 0 … count-1), each in a thread of its own, 0 in the caller's, and waits for all.
 * Where threads cannot be made the caller does all of it. */
void ff_workers_run(size_t count, void (*work)(void *user, size_t index), void *user);

#endif

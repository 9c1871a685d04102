/*
 * tests/cuda/standin/fiber.h: stacks that a host thread changes between. A fiber begins in its function when it is
 * first entered, and never returns from it.
 */
#ifndef FF_TESTS_CUDA_STANDIN_FIBER_H
#define FF_TESTS_CUDA_STANDIN_FIBER_H

#include <stdbool.h>
#include <stddef.h>

struct fiber;

/* What the running thread is on now; made once for each place that enters fibers, without a stack of its own. */
struct fiber *standin_fiber_of_host(void);
/* `argument` is what the function gets. */
struct fiber *standin_fiber_create(size_t stack_size, void (*function)(void *), void *argument);
/* Leaves `from`, which is what runs now, and goes on in `to`; comes back when something changes to `from`. */
void standin_fiber_switch(struct fiber *from, struct fiber *to);
/* Begins anew. For the thread sanitizer it becomes another thread, which knows what the caller knows and nothing else. */
void standin_fiber_renew(struct fiber *fiber);
/* Whether the address lies on its stack. */
bool standin_fiber_holds(const struct fiber *fiber, const void *address);

#endif

/*
 * endpoint/booking.h: what placement and share count while an attempt is with a manager: taken when it is given, given back
 * when it ends or comes back.
 */
#ifndef FF_ENDPOINT_BOOKING_H
#define FF_ENDPOINT_BOOKING_H

#include "endpoint/agent.h"

struct ff_manager;

struct ff_needs ff_booking_needs_of_shape(const struct ff_agent *agent,
                                          const struct ff_shape *shape);
struct ff_needs ff_booking_needs_of(const struct ff_agent *agent, const struct ff_held *held);

/* Books room at the manager, and charges the user what the attempt is expected to use. */
void ff_booking_take(struct ff_agent *agent, struct ff_manager *manager,
                     const struct ff_needs *needs, struct ff_held *held);

/* Out of the room of held->manager; the user is charged for what was really used. */
enum { FF_RAN_SINCE_GIVEN = -1 };
void ff_booking_give_back(struct ff_agent *agent, struct ff_held *held, int64_t ran_us);

#endif

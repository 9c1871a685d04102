/*
 * endpoint/wiring.h: what the two links tell, and which room it is for. The links know no other room; here they are joined.
 */
#ifndef FF_ENDPOINT_WIRING_H
#define FF_ENDPOINT_WIRING_H

#include "endpoint/downlink.h"
#include "endpoint/uplink.h"

struct ff_uplink_events ff_wiring_uplink(struct ff_agent *agent);
struct ff_downlink_events ff_wiring_downlink(struct ff_agent *agent);

#endif

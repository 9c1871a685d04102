#include "endpoint/placement.h"

#include <string.h>

static bool may_go_ahead(const struct ff_room *room, const struct ff_needs *needs)
{
    if (needs->cost_us == 0 || needs->cost_us > FF_TINY_US || needs->devices > 0 ||
        room->reserved || room->slow >= room->slots)
        return false;
    unsigned swift = room->slots - room->slow;
    return room->given < room->slots + swift * FF_AHEAD_CALLS &&
           room->backlog_us + needs->cost_us <= (uint64_t)swift * FF_AHEAD_US;
}

enum ff_verdict ff_placement_judge(const struct ff_room *room, const struct ff_needs *needs)
{
    if (needs->devices > room->devices)
        return FF_NEVER_DEVICES;
    if (room->cores > 0 && needs->cores > room->cores)
        return FF_NEVER_CORES;
    if (!room->open || room->slots == 0)
        return FF_NOT_OPEN;
    if (needs->devices > 0 &&
        (room->reserved || room->devices_used + needs->devices > room->devices))
        return FF_BUSY_DEVICES;
    if (needs->cores > 1 && room->cores > 0 && room->cores_used + needs->cores > room->cores)
        return FF_BUSY_CORES;
    if (room->window > 0 && room->given >= room->window)
        return FF_BUSY_SLOTS;
    if (room->given < room->slots)
        return FF_FITS_SLOT;
    return may_go_ahead(room, needs) ? FF_FITS_AHEAD : FF_BUSY_SLOTS;
}

bool ff_verdict_is_never(enum ff_verdict verdict)
{
    return verdict == FF_NEVER_DEVICES || verdict == FF_NEVER_CORES;
}

static unsigned cores_of(uint32_t cores)
{
    return cores > 1 ? cores : 1;
}

void ff_room_take(struct ff_room *room, const struct ff_needs *needs, struct ff_held *held)
{
    held->slow = needs->cost_us == 0 || needs->cost_us > FF_TINY_US;
    held->cost_us = needs->cost_us;
    room->given++;
    room->devices_used += held->devices;
    room->cores_used += cores_of(held->cores);
    if (held->slow)
        room->slow++;
    else
        room->backlog_us += held->cost_us;
}

void ff_room_give_back(struct ff_room *room, const struct ff_held *held)
{
    room->given--;
    room->devices_used -= held->devices;
    room->cores_used -= cores_of(held->cores);
    if (held->slow)
        room->slow--;
    else
        room->backlog_us -= held->cost_us;
}

/* Two functions that meet in a row take turns; then each is learned anew, which only costs time. */
static unsigned row_of(const struct ff_id *function)
{
    unsigned mixed = 0;
    for (int i = 0; i < FF_ID_SIZE; i++)
        mixed = mixed * 31 + function->bytes[i];
    return mixed % FF_PACES;
}

uint32_t ff_pace_of(const struct ff_pace *pace, const struct ff_id *function)
{
    unsigned row = row_of(function);
    return ff_id_equal(&pace->rows[row].function, function) ? pace->rows[row].mean_us : 0;
}

void ff_pace_learn(struct ff_pace *pace, const struct ff_id *function, uint64_t run_us)
{
    unsigned row = row_of(function);
    uint64_t sample = run_us < FF_LEAST_COST_US ? FF_LEAST_COST_US : run_us;
    if (ff_id_is_zero(function))
        return;
    if (sample > UINT32_MAX / 4)
        sample = UINT32_MAX / 4;
    if (!ff_id_equal(&pace->rows[row].function, function)) {
        pace->rows[row].function = *function;
        pace->rows[row].mean_us = (uint32_t)sample;
        return;
    }
    uint64_t mean = pace->rows[row].mean_us;
    /* Up at once, down slowly: a function that is sometimes long is not tiny. */
    mean = sample > mean ? (mean + sample + 1) / 2 : (7 * mean + sample) / 8;
    pace->rows[row].mean_us = (uint32_t)(mean < FF_LEAST_COST_US ? FF_LEAST_COST_US : mean);
}

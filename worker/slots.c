#include "worker/slots.h"

/* The state after an event; NONE where the event cannot happen. */
enum { NONE = FF_SLOT_STATES };

static const unsigned char moves[FF_SLOT_STATES][FF_SLOT_EVENTS] = {
#define ROW(start, ready, hand, answered, kill, dead, lend, return_empty, return_idle)             \
    {                                                                                              \
        start, ready, hand, answered, kill, dead, lend, return_empty, return_idle                  \
    }
#define E FF_SLOT_EMPTY
#define S FF_SLOT_STARTING
#define I FF_SLOT_IDLE
#define B FF_SLOT_BUSY
#define X FF_SLOT_ENDING
#define L FF_SLOT_LENT
#define N NONE
    /*                     start ready hand answered kill dead lend return-empty return-idle */
    [FF_SLOT_EMPTY] = ROW(S, N, N, N, N, N, L, N, N),
    [FF_SLOT_STARTING] = ROW(N, B, N, N, X, E, N, N, N),
    [FF_SLOT_IDLE] = ROW(N, N, B, N, X, E, L, N, N),
    [FF_SLOT_BUSY] = ROW(N, N, B, I, X, E, N, N, N),
    [FF_SLOT_ENDING] = ROW(N, N, N, N, X, E, N, N, N),
    [FF_SLOT_LENT] = ROW(N, N, N, N, N, L, N, E, I),
#undef E
#undef S
#undef I
#undef B
#undef X
#undef L
#undef N
#undef ROW
};

bool ff_slot_move(enum ff_slot_state *state, enum ff_slot_event event)
{
    unsigned char next = moves[*state][event];
    if (next == NONE)
        return false;
    *state = (enum ff_slot_state)next;
    return true;
}

const char *ff_slot_state_name(enum ff_slot_state state)
{
    static const char *const names[] = {"empty", "starting", "idle", "busy", "ending", "lent"};
    return (unsigned)state < FF_SLOT_STATES ? names[state] : "?";
}

size_t ff_slot_cores(size_t slot, size_t slots, size_t cores, size_t *count)
{
    if (slots >= cores) {
        *count = 1;
        return slot % cores;
    }
    size_t begin = slot * cores / slots;
    *count = (slot + 1) * cores / slots - begin;
    return begin;
}

size_t ff_slots_for(size_t wanted, size_t slots, size_t cores)
{
    size_t each = cores / slots;
    if (each == 0)
        each = 1;
    size_t needed = wanted == 0 ? 1 : (wanted + each - 1) / each;
    return needed < slots ? needed : slots;
}

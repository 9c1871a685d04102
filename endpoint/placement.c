#include "endpoint/placement.h"

#include <stdlib.h>
#include <string.h>

static bool may_go_ahead(const struct ff_room *room, const struct ff_needs *needs)
{
    if (needs->cost_us == 0 || needs->cost_us > FF_TINY_US || needs->devices > 0 ||
        room->promise.made || room->slow >= room->slots)
        return false;
    unsigned swift = room->slots - room->slow;
    return room->given < room->slots + swift * FF_AHEAD_CALLS &&
           room->backlog_us + needs->cost_us <= (uint64_t)swift * FF_AHEAD_US;
}

static unsigned cores_of(uint32_t cores)
{
    return cores > 1 ? cores : 1;
}

static unsigned left_of(unsigned all, unsigned used)
{
    return all > used ? all - used : 0;
}

static bool ends_before(const struct ff_needs *needs, int64_t now_ns, int64_t limit_ns)
{
    return needs->lasts_ns > 0 && limit_ns < FF_UNKNOWN_NS && needs->lasts_ns <= limit_ns - now_ns;
}

/* Whether the older task that has the promise of the node still gets it in time. */
static bool keeps_promise(const struct ff_room *room, const struct ff_needs *needs, int64_t now_ns)
{
    const struct ff_promise *promise = &room->promise;
    return !promise->made || ends_before(needs, now_ns, promise->at_ns) ||
           (promise->slots > 0 && needs->devices <= promise->devices &&
            (room->cores == 0 || cores_of(needs->cores) <= promise->cores));
}

enum ff_verdict ff_placement_judge(const struct ff_room *room, const struct ff_needs *needs,
                                   int64_t now_ns)
{
    if (needs->devices > room->devices)
        return FF_NEVER_DEVICES;
    if (room->cores > 0 && needs->cores > room->cores)
        return FF_NEVER_CORES;
    if (!room->open || room->slots == 0 || (room->ends_ns > 0 && now_ns >= room->ends_ns))
        return FF_NOT_OPEN;
    if (room->whole || (needs->nodes > 1 && room->given > 0))
        return FF_BUSY_SLOTS;
    if (needs->devices > left_of(room->devices, room->devices_used))
        return FF_BUSY_DEVICES;
    if (needs->cores > 1 && room->cores > 0 && room->cores_used + needs->cores > room->cores)
        return FF_BUSY_CORES;
    if (room->window > 0 && room->given >= room->window)
        return FF_BUSY_SLOTS;
    if (!keeps_promise(room, needs, now_ns))
        return FF_PROMISED;
    if (room->ends_ns > 0 && needs->lasts_ns > room->ends_ns - now_ns)
        return FF_ENDS_TOO_SOON;
    if (room->given >= room->slots)
        return may_go_ahead(room, needs) ? FF_FITS_AHEAD : FF_BUSY_SLOTS;
    return needs->devices > 0 &&
                   room->devices_used + room->devices_taken + needs->devices > room->devices
               ? FF_FITS_LINE
               : FF_FITS_SLOT;
}

bool ff_verdict_is_never(enum ff_verdict verdict)
{
    return verdict == FF_NEVER_DEVICES || verdict == FF_NEVER_CORES;
}

/* Parts of a score, from the weightiest. */
enum { SCORE_VERDICT = 48, SCORE_SPARES = 40, SCORE_FREE = 0, SCORE_MOST = 1 << 24 };

uint64_t ff_placement_score(const struct ff_room *room, const struct ff_needs *needs,
                            enum ff_verdict verdict)
{
    uint64_t score = (uint64_t)(FF_FITS_AHEAD - verdict) << SCORE_VERDICT;
    unsigned free_slots = left_of(room->slots, room->given);
    unsigned free_devices = left_of(room->devices, room->devices_used + room->devices_taken);
    if (verdict == FF_FITS_AHEAD) /* the shortest backlog */
        return score + SCORE_MOST - (room->backlog_us < SCORE_MOST ? room->backlog_us : SCORE_MOST);
    if (needs->devices >
        0) /* the fewest that stay free; of equal ones, where the most is done already */
        return score + SCORE_MOST - ((uint64_t)free_devices << 12) -
               (free_slots < 4096 ? free_slots : 4095);
    /* A slot without which a GPU could not be used is taken last. */
    if (free_slots > free_devices)
        score += 1ull << SCORE_SPARES;
    return score + (uint64_t)free_slots;
}

/* ---- promises ---- */

static int compare_releases(const void *a, const void *b)
{
    const struct ff_release *left = a;
    const struct ff_release *right = b;
    return (left->at_ns > right->at_ns) - (left->at_ns < right->at_ns);
}

/* What is free, as ends go by. */
struct outlook {
    int64_t at_ns;
    unsigned slots;
    unsigned devices;
    unsigned cores;
};

static bool suffices(const struct ff_room *room, const struct ff_needs *needs,
                     const struct outlook *outlook)
{
    if (needs->nodes > 1)
        return outlook->slots >= room->slots;
    return outlook->slots > 0 && outlook->devices >= needs->devices &&
           (room->cores == 0 || outlook->cores >= needs->cores);
}

struct ff_promise ff_placement_soonest(const struct ff_room *room, const struct ff_needs *needs,
                                       struct ff_release *releases, size_t count, int64_t now_ns,
                                       size_t *ends)
{
    struct ff_promise promise = {.made = false};
    struct outlook outlook = {
        .at_ns = now_ns,
        .slots = left_of(room->slots, room->given),
        .devices = left_of(room->devices, room->devices_used + room->devices_taken),
        .cores = left_of(room->cores, room->cores_used),
    };
    qsort(releases, count, sizeof releases[0], compare_releases);
    for (*ends = 0; !suffices(room, needs, &outlook) && *ends < count; ++*ends) {
        const struct ff_release *next = &releases[*ends];
        outlook.at_ns = next->at_ns > now_ns ? next->at_ns : now_ns;
        outlook.slots += next->slots;
        outlook.devices += next->devices;
        outlook.cores += next->cores;
    }
    if (!suffices(room, needs, &outlook) ||
        (room->ends_ns > 0 && outlook.at_ns < FF_UNKNOWN_NS && outlook.at_ns >= room->ends_ns))
        return promise;
    promise.made = true;
    promise.at_ns = outlook.at_ns;
    if (needs->nodes > 1)
        return promise;
    promise.slots = outlook.slots - 1;
    promise.devices = outlook.devices - needs->devices;
    promise.cores = left_of(outlook.cores, cores_of(needs->cores));
    return promise;
}

int64_t ff_placement_end(int64_t since_ns, int64_t lasts_ns, int64_t now_ns)
{
    if (lasts_ns <= 0)
        return FF_UNKNOWN_NS;
    int64_t end_ns = since_ns + lasts_ns;
    return end_ns > now_ns ? end_ns : now_ns + (now_ns - since_ns);
}

/* ---- rooms ---- */

void ff_room_take(struct ff_room *room, const struct ff_needs *needs, struct ff_held *held,
                  int64_t now_ns)
{
    struct ff_promise *promise = &room->promise;
    held->slow = needs->cost_us == 0 || needs->cost_us > FF_TINY_US;
    held->cost_us = needs->cost_us;
    held->lasts_ns = needs->lasts_ns;
    held->given_ns = now_ns;
    if (promise->made && !ends_before(needs, now_ns, promise->at_ns)) {
        promise->slots = left_of(promise->slots, 1);
        promise->devices = left_of(promise->devices, held->devices);
        promise->cores = left_of(promise->cores, cores_of(held->cores));
    }
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

void ff_room_mark_slow(struct ff_room *room, struct ff_held *held)
{
    if (held->slow)
        return;
    room->slow++;
    room->backlog_us -= held->cost_us;
    held->slow = true;
}

/* Two functions that meet in a row take turns; then each is learned anew, which only costs time. */
static unsigned row_of(const struct ff_id *function)
{
    unsigned mixed = 0;
    for (int i = 0; i < FF_ID_SIZE; i++)
        mixed = mixed * 31 + function->bytes[i];
    return mixed % FF_PACES;
}

uint64_t ff_pace_of(const struct ff_pace *pace, const struct ff_id *function)
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
    if (sample > UINT64_MAX / 16)
        sample = UINT64_MAX / 16;
    if (!ff_id_equal(&pace->rows[row].function, function)) {
        pace->rows[row].function = *function;
        pace->rows[row].mean_us = sample;
        return;
    }
    uint64_t mean = pace->rows[row].mean_us;
    /* Up at once, down slowly: a function that is sometimes long is not tiny. */
    mean = sample > mean ? (mean + sample + 1) / 2 : (7 * mean + sample) / 8;
    pace->rows[row].mean_us = mean < FF_LEAST_COST_US ? FF_LEAST_COST_US : mean;
}

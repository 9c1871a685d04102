#include "functions/reconstruct/bench/model/timeline.h"

#include <math.h>
#include <stdlib.h>

/* Below these something is done: rounding leaves less. */
static const double LITTLE_BYTES = 1e-3, LITTLE_SECONDS = 1e-13;

enum { NOTHING = -1 };

struct item {
    struct ff_model_played played;
    double least;         /* seconds that it takes at least */
    double ready;         /* all that it waits for is done and known */
    unsigned waits;       /* so many are not done */
    ptrdiff_t next_waits; /* the first of those that wait for it */
};

/* Item `after` comes `delay` seconds behind another one; of that one's list. */
struct wait {
    size_t after;
    double delay;
    ptrdiff_t next;
};

/* What the next item of a stream waits for beside the one before it. */
struct pending {
    size_t event;
    unsigned device;
    enum ff_model_stream stream;
};

struct ff_timeline {
    const struct ff_model_machine *machine;
    unsigned devices;
    bool failed; /* memory ran out */
    struct item *items;
    size_t count, room;
    struct wait *waits;
    size_t wait_count, wait_room;
    struct pending *pending;
    size_t pending_count, pending_room;
    ptrdiff_t last[FF_MODEL_DEVICES][FF_STREAMS];
    double seconds;

    /* while it is played */
    size_t *active; /* items that run, or that begin at a time that is known */
    size_t active_count;
    double now;
};

struct ff_timeline *ff_timeline_create(const struct ff_model_machine *machine, unsigned devices,
                                       struct ff_error *error)
{
    struct ff_timeline *timeline = calloc(1, sizeof *timeline);
    if (timeline == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory for the model");
        return NULL;
    }
    timeline->machine = machine;
    timeline->devices = devices;
    for (unsigned i = 0; i < FF_MODEL_DEVICES; i++)
        for (int j = 0; j < FF_STREAMS; j++)
            timeline->last[i][j] = NOTHING;
    return timeline;
}

void ff_timeline_destroy(struct ff_timeline *timeline)
{
    if (timeline == NULL)
        return;
    free(timeline->items);
    free(timeline->waits);
    free(timeline->pending);
    free(timeline->active);
    free(timeline);
}

/* --- what is queued --- */

/* Room for one more of `size` bytes; false, and the timeline has failed, where there is none. */
static bool grow(struct ff_timeline *timeline, void **values, size_t count, size_t *room,
                 size_t size)
{
    if (timeline->failed || count < *room)
        return !timeline->failed;
    size_t wanted = *room > 0 ? 2 * *room : 1024;
    void *larger = realloc(*values, wanted * size);
    if (larger == NULL) {
        timeline->failed = true;
        return false;
    }
    *values = larger;
    *room = wanted;
    return true;
}

static void add_wait(struct ff_timeline *timeline, size_t item, size_t after, double delay)
{
    if (!grow(timeline, (void **)&timeline->waits, timeline->wait_count, &timeline->wait_room,
              sizeof *timeline->waits))
        return;
    timeline->waits[timeline->wait_count] =
        (struct wait){after, delay, timeline->items[item].next_waits};
    timeline->items[item].next_waits = (ptrdiff_t)timeline->wait_count++;
    timeline->items[after].waits++;
}

static void take_pending(struct ff_timeline *timeline, size_t item)
{
    const struct ff_model_played *played = &timeline->items[item].played;
    size_t kept = 0;
    for (size_t i = 0; i < timeline->pending_count; i++) {
        struct pending pending = timeline->pending[i];
        if (pending.device != played->device || pending.stream != played->stream) {
            timeline->pending[kept++] = pending;
            continue;
        }
        bool near = timeline->items[pending.event].played.device == played->device;
        add_wait(timeline, pending.event, item, near ? 0 : timeline->machine->latency_s);
    }
    timeline->pending_count = kept;
}

static size_t add(struct ff_timeline *timeline, const struct ff_model_played *played, double least)
{
    ptrdiff_t *last = &timeline->last[played->device][played->stream];
    if (!grow(timeline, (void **)&timeline->items, timeline->count, &timeline->room,
              sizeof *timeline->items))
        return 0;
    size_t item = timeline->count++;
    timeline->items[item] = (struct item){.played = *played, .least = least, .next_waits = NOTHING};
    if (*last != NOTHING)
        add_wait(timeline, (size_t)*last, item, 0);
    take_pending(timeline, item);
    *last = (ptrdiff_t)item;
    return item;
}

void ff_timeline_queue(struct ff_timeline *timeline, unsigned device, enum ff_model_stream stream,
                       const struct ff_model_launch *launch)
{
    const struct ff_model_played played = {.launch = *launch, .device = device, .stream = stream};
    (void)add(timeline, &played, timeline->machine->launch_s);
}

static size_t mark(struct ff_timeline *timeline, unsigned device, enum ff_model_stream stream,
                   double seconds)
{
    const struct ff_model_played played = {
        .launch.name = "", .device = device, .stream = stream, .is_mark = true};
    return add(timeline, &played, seconds);
}

size_t ff_timeline_record(struct ff_timeline *timeline, unsigned device,
                          enum ff_model_stream stream)
{
    return mark(timeline, device, stream, 0);
}

void ff_timeline_wait(struct ff_timeline *timeline, unsigned device, enum ff_model_stream stream,
                      size_t event)
{
    if (grow(timeline, (void **)&timeline->pending, timeline->pending_count,
             &timeline->pending_room, sizeof *timeline->pending))
        timeline->pending[timeline->pending_count++] = (struct pending){event, device, stream};
}

void ff_timeline_host_waits(struct ff_timeline *timeline)
{
    for (unsigned i = 1; i < timeline->devices; i++)
        ff_timeline_wait(timeline, 0, FF_STREAM_WORK,
                         ff_timeline_record(timeline, i, FF_STREAM_WORK));
    size_t done = mark(timeline, 0, FF_STREAM_WORK, timeline->machine->wait_s);
    for (unsigned i = 0; i < timeline->devices; i++)
        for (int stream = 0; stream < FF_STREAMS; stream++)
            ff_timeline_wait(timeline, i, (enum ff_model_stream)stream, done);
}

/* --- what becomes of it --- */

static bool runs(const struct ff_timeline *timeline, const struct item *item)
{
    return item->ready <= timeline->now + LITTLE_SECONDS;
}

/* How many at once use what: the memory of a device, a pair's link, a port. */
struct use {
    unsigned memory[FF_MODEL_DEVICES];
    unsigned link[FF_MODEL_PLACES][FF_MODEL_PLACES];
    unsigned in[FF_MODEL_PLACES], out[FF_MODEL_PLACES];
    unsigned host_in[FF_MODEL_DEVICES];
    double lent[FF_MODEL_PLACES]; /* bytes a second that others read of a device's memory */
};

static void count_use(const struct ff_timeline *timeline, struct use *use)
{
    *use = (struct use){0};
    for (size_t i = 0; i < timeline->active_count; i++) {
        const struct item *item = &timeline->items[timeline->active[i]];
        unsigned device = item->played.device;
        if (!runs(timeline, item))
            continue;
        use->memory[device] += item->played.launch.bytes > LITTLE_BYTES;
        for (unsigned from = 0; from < FF_MODEL_PLACES; from++) {
            if (item->played.launch.from[from] <= LITTLE_BYTES)
                continue;
            use->link[device][from]++;
            use->host_in[device] += from == FF_MODEL_HOST;
            use->in[device] += from != FF_MODEL_HOST;
            use->out[from]++;
        }
    }
}

/* Bytes a second that one launch reads over a link. The host serves each device by a link of its own. */
static double link_rate(const struct ff_timeline *timeline, const struct use *use, unsigned device,
                        unsigned from)
{
    if (from == FF_MODEL_HOST)
        return timeline->machine->host_link / use->host_in[device];
    unsigned most = use->link[device][from];
    most = use->in[device] > most ? use->in[device] : most;
    most = use->out[from] > most ? use->out[from] : most;
    return timeline->machine->link / most;
}

static void find_lent(const struct ff_timeline *timeline, struct use *use)
{
    for (unsigned device = 0; device < timeline->devices; device++)
        for (unsigned from = 0; from < timeline->devices; from++)
            if (use->link[device][from] > 0)
                use->lent[from] += use->link[device][from] * link_rate(timeline, use, device, from);
}

static double memory_rate(const struct ff_timeline *timeline, const struct use *use,
                          unsigned device)
{
    double all = timeline->machine->bandwidth * timeline->machine->reached;
    double left = fmax(all - use->lent[device], all / 10); /* the links are slower than memory */
    return left / use->memory[device];
}

/* Seconds until something changes. */
static double next_change(const struct ff_timeline *timeline, const struct use *use)
{
    double step = INFINITY;
    for (size_t i = 0; i < timeline->active_count; i++) {
        const struct item *item = &timeline->items[timeline->active[i]];
        const struct ff_model_launch *launch = &item->played.launch;
        if (!runs(timeline, item)) {
            step = fmin(step, item->ready - timeline->now);
            continue;
        }
        double least = item->played.start + item->least - timeline->now;
        if (least > LITTLE_SECONDS)
            step = fmin(step, least);
        if (launch->bytes > LITTLE_BYTES)
            step = fmin(step, launch->bytes / memory_rate(timeline, use, item->played.device));
        for (unsigned from = 0; from < FF_MODEL_PLACES; from++)
            if (launch->from[from] > LITTLE_BYTES)
                step = fmin(step, launch->from[from] /
                                      link_rate(timeline, use, item->played.device, from));
    }
    return step;
}

static void advance(struct ff_timeline *timeline, const struct use *use, double step)
{
    for (size_t i = 0; i < timeline->active_count; i++) {
        struct item *item = &timeline->items[timeline->active[i]];
        struct ff_model_launch *launch = &item->played.launch;
        if (!runs(timeline, item))
            continue;
        if (launch->bytes > LITTLE_BYTES)
            launch->bytes -= step * memory_rate(timeline, use, item->played.device);
        for (unsigned from = 0; from < FF_MODEL_PLACES; from++)
            if (launch->from[from] > LITTLE_BYTES)
                launch->from[from] -= step * link_rate(timeline, use, item->played.device, from);
    }
    timeline->now += step;
}

static bool is_done(const struct ff_timeline *timeline, const struct item *item)
{
    const struct ff_model_launch *launch = &item->played.launch;
    if (!runs(timeline, item) ||
        item->played.start + item->least > timeline->now + LITTLE_SECONDS ||
        launch->bytes > LITTLE_BYTES)
        return false;
    for (unsigned from = 0; from < FF_MODEL_PLACES; from++)
        if (launch->from[from] > LITTLE_BYTES)
            return false;
    return true;
}

static void begin(struct ff_timeline *timeline, size_t item)
{
    timeline->items[item].played.start = fmax(timeline->items[item].ready, timeline->now);
    timeline->active[timeline->active_count++] = item;
}

static void end(struct ff_timeline *timeline, size_t done)
{
    struct item *item = &timeline->items[done];
    item->played.end = timeline->now;
    for (ptrdiff_t i = item->next_waits; i != NOTHING; i = timeline->waits[i].next) {
        struct item *after = &timeline->items[timeline->waits[i].after];
        after->ready = fmax(after->ready, timeline->now + timeline->waits[i].delay);
        if (--after->waits == 0)
            begin(timeline, timeline->waits[i].after);
    }
}

/* Ends what is done, and what is so at once behind it. */
static void end_all(struct ff_timeline *timeline)
{
    for (size_t i = 0; i < timeline->active_count;) {
        size_t item = timeline->active[i];
        if (!is_done(timeline, &timeline->items[item])) {
            i++;
            continue;
        }
        timeline->active[i] = timeline->active[--timeline->active_count];
        end(timeline, item);
    }
}

static void play(struct ff_timeline *timeline)
{
    for (size_t i = 0; i < timeline->count; i++)
        if (timeline->items[i].waits == 0)
            begin(timeline, i);
    for (end_all(timeline); timeline->active_count > 0; end_all(timeline)) {
        struct use use;
        count_use(timeline, &use);
        find_lent(timeline, &use);
        advance(timeline, &use, next_change(timeline, &use));
    }
    timeline->seconds = timeline->now;
}

/* What is played is eaten up: what was queued is put back. */
int ff_timeline_play(struct ff_timeline *timeline, struct ff_error *error)
{
    struct ff_model_launch *launches = calloc(timeline->count + 1, sizeof *launches);
    timeline->active = calloc(timeline->count + 1, sizeof *timeline->active);
    if (timeline->failed || launches == NULL || timeline->active == NULL) {
        free(launches);
        return ff_fail(error, FF_NO_MEMORY, "no memory for the model");
    }
    for (size_t i = 0; i < timeline->count; i++)
        launches[i] = timeline->items[i].played.launch;
    play(timeline);
    for (size_t i = 0; i < timeline->count; i++)
        timeline->items[i].played.launch = launches[i];
    free(launches);
    return 0;
}

size_t ff_timeline_count(const struct ff_timeline *timeline)
{
    return timeline->count;
}

const struct ff_model_played *ff_timeline_at(const struct ff_timeline *timeline, size_t index)
{
    return &timeline->items[index].played;
}

double ff_timeline_seconds(const struct ff_timeline *timeline)
{
    return timeline->seconds;
}

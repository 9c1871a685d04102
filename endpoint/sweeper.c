#include "endpoint/sweeper.h"

#include "endpoint/uplink.h"
#include "protocol/core/chores.h"
#include "protocol/core/file.h"
#include "protocol/core/log.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    GATHER_MS = 1000,
    IDS_LIMIT = 1 << 18,
    STALE_EVERY_MS = 3600000,
    STALE_TASK_S = FF_RESULT_DAYS * 86400, /* the service has forgotten a task of this age */
    STALE_OBJECT_S = 30 * 86400,
};

struct batch {
    struct ff_id *over; /* sorted */
    size_t over_count;
    struct ff_id *held; /* sorted; only of use with `stale` */
    size_t held_count;
    bool stale;
};

struct ff_sweeper {
    struct ff_chore chore; /* the batch; first, for the way back from it */
    struct ff_chores *chores;
    struct ff_agent *agent;
    struct ff_timer *timer;       /* hands the gathered ids over */
    struct ff_timer *stale_timer; /* the next look for what is old */
    struct ff_id *ids;
    size_t count;
    size_t room;
    bool stale_due;
    bool running; /* the batch is the thread's */
    struct batch batch;
};

static int compare_ids(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct ff_id));
}

static bool contains(const struct ff_id *ids, size_t count, const struct ff_id *id)
{
    return count > 0 && bsearch(id, ids, count, sizeof *ids, compare_ids) != NULL;
}

static void drop_batch(struct batch *batch)
{
    free(batch->over);
    free(batch->held);
    memset(batch, 0, sizeof *batch);
}

/* ---- in the thread ---- */

static bool is_older(int folder, const char *name, time_t age_s)
{
    struct stat status;
    return fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
           status.st_mtime + age_s < time(NULL);
}

/* A checkpoint is written inside the folder, which does not change the time of the folder itself. */
static bool is_task_stale(int tasks, const char *name)
{
    char inner[FF_ID_TEXT_SIZE + 16];
    static const char *const parts[] = {"", "/scratch", "/checkpoint"};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        snprintf(inner, sizeof inner, "%s%s", name, parts[i]);
        if (faccessat(tasks, inner, F_OK, AT_SYMLINK_NOFOLLOW) == 0 &&
            !is_older(tasks, inner, STALE_TASK_S))
            return false;
    }
    return true;
}

static void sweep_tasks(const struct ff_folder *folder, const struct batch *batch)
{
    char path[PATH_MAX];
    const struct dirent *entry;
    ff_folder_path(folder, path, "tasks");
    DIR *tasks = opendir(path);
    while (tasks != NULL && (entry = readdir(tasks)) != NULL) {
        struct ff_id id;
        struct ff_error error;
        if (ff_id_parse(entry->d_name, strlen(entry->d_name), &id) < 0)
            continue;
        bool goes = contains(batch->over, batch->over_count, &id) ||
                    (batch->stale && !contains(batch->held, batch->held_count, &id) &&
                     is_task_stale(dirfd(tasks), entry->d_name));
        ff_folder_path(folder, path, "tasks/%s", entry->d_name);
        if (goes && ff_folder_remove(path, &error) < 0)
            ff_log_error("the folder of a task stays", &error);
    }
    if (tasks != NULL)
        closedir(tasks);
}

static void sweep_objects(const struct ff_folder *folder)
{
    char path[PATH_MAX];
    for (int i = 0; i < 256; i++) {
        const struct dirent *entry;
        ff_folder_path(folder, path, "cache/objects/%02x", (unsigned)i);
        DIR *objects = opendir(path);
        while (objects != NULL && (entry = readdir(objects)) != NULL)
            if (entry->d_name[0] != '.' && is_older(dirfd(objects), entry->d_name, STALE_OBJECT_S))
                unlinkat(dirfd(objects), entry->d_name, 0);
        if (objects != NULL)
            closedir(objects);
    }
}

static void sweep(struct ff_chore *chore)
{
    const struct ff_sweeper *sweeper = (const struct ff_sweeper *)chore;
    sweep_tasks(&sweeper->agent->folder, &sweeper->batch);
    if (sweeper->batch.stale)
        sweep_objects(&sweeper->agent->folder);
}

/* ---- in the loop ---- */

static void swept(struct ff_chore *chore, bool closing)
{
    struct ff_sweeper *sweeper = (struct ff_sweeper *)chore;
    if (closing) { /* it may not have run */
        sweeper->batch.stale = false;
        sweep(chore);
    }
    drop_batch(&sweeper->batch);
    sweeper->running = false;
    if (!closing && (sweeper->count > 0 || sweeper->stale_due))
        ff_timer_set_after(sweeper->timer, GATHER_MS);
}

/* All that is held, sorted. On failure for want of memory nothing counts as stale. */
static void list_held(struct ff_sweeper *sweeper)
{
    const struct ff_queue *queue = sweeper->agent->queue;
    size_t count = 0;
    for (const struct ff_held *at = ff_queue_next(queue, NULL); at != NULL;
         at = ff_queue_next(queue, at))
        count++;
    struct ff_id *held = malloc((count > 0 ? count : 1) * sizeof *held);
    sweeper->batch.stale = held != NULL;
    sweeper->batch.held = held;
    sweeper->batch.held_count = 0;
    if (held == NULL)
        return;
    for (const struct ff_held *at = ff_queue_next(queue, NULL); at != NULL;
         at = ff_queue_next(queue, at))
        held[sweeper->batch.held_count++] = at->task;
    qsort(held, count, sizeof *held, compare_ids);
}

static void make_batch(struct ff_sweeper *sweeper)
{
    sweeper->batch.over = sweeper->ids;
    sweeper->batch.over_count = sweeper->count;
    if (sweeper->count > 0)
        qsort(sweeper->ids, sweeper->count, sizeof *sweeper->ids, compare_ids);
    sweeper->ids = NULL;
    sweeper->count = 0;
    sweeper->room = 0;
}

static void hand_over(void *user)
{
    struct ff_sweeper *sweeper = user;
    if (sweeper->running || (sweeper->count == 0 && !sweeper->stale_due))
        return;
    make_batch(sweeper);
    if (sweeper->stale_due)
        list_held(sweeper);
    sweeper->stale_due = false;
    sweeper->running = true;
    ff_chores_give(sweeper->chores, &sweeper->chore);
}

/* What is not held here may wait at the service for its next attempt, with a checkpoint in its folder: while the service
 * has not heard what is held, nothing counts as stale. */
void ff_sweeper_look(struct ff_sweeper *sweeper)
{
    bool announced = ff_uplink_is_announced(sweeper->agent->uplink);
    ff_timer_set_after(sweeper->stale_timer, announced ? STALE_EVERY_MS : 2 * FF_ANNOUNCE_WAIT_MS);
    if (!announced)
        return;
    sweeper->stale_due = true;
    hand_over(sweeper);
}

static void look_is_due(void *user)
{
    ff_sweeper_look(user);
}

void ff_sweeper_add(struct ff_sweeper *sweeper, const struct ff_id *task)
{
    if (sweeper->count == sweeper->room) {
        size_t room = sweeper->room == 0 ? 256 : 2 * sweeper->room;
        struct ff_id *ids = room <= IDS_LIMIT ? realloc(sweeper->ids, room * sizeof *ids) : NULL;
        if (ids == NULL)
            return; /* its folder, if it has one, goes when it is stale */
        sweeper->ids = ids;
        sweeper->room = room;
    }
    if (sweeper->count == 0)
        ff_timer_set_after(sweeper->timer, GATHER_MS);
    sweeper->ids[sweeper->count++] = *task;
}

struct ff_sweeper *ff_sweeper_create(struct ff_agent *agent, struct ff_error *error)
{
    struct ff_sweeper *sweeper = calloc(1, sizeof *sweeper);
    if (sweeper == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory for the sweeper");
        return NULL;
    }
    sweeper->agent = agent;
    sweeper->chore.run = sweep;
    sweeper->chore.done = swept;
    sweeper->chores = ff_chores_create(agent->loop, error);
    sweeper->timer = ff_timer_create(agent->loop, hand_over, sweeper, error);
    sweeper->stale_timer = ff_timer_create(agent->loop, look_is_due, sweeper, error);
    if (sweeper->chores == NULL || sweeper->timer == NULL || sweeper->stale_timer == NULL) {
        ff_sweeper_destroy(sweeper);
        return NULL;
    }
    /* Not at once: what managers hold is known only when they have announced it. */
    ff_timer_set_after(sweeper->stale_timer, 2 * FF_ANNOUNCE_WAIT_MS);
    return sweeper;
}

void ff_sweeper_destroy(struct ff_sweeper *sweeper)
{
    if (sweeper == NULL)
        return;
    ff_chores_destroy(sweeper->chores);
    ff_timer_destroy(sweeper->timer);
    ff_timer_destroy(sweeper->stale_timer);
    /* The next agent does not know that these are over. */
    if (sweeper->count > 0) {
        make_batch(sweeper);
        sweep(&sweeper->chore);
        drop_batch(&sweeper->batch);
    }
    free(sweeper);
}

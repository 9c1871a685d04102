/*
 * farfield-manager ENDPOINT_FOLDER BLOCK: one per node of a block. It holds the node's slots and GPU leases, runs tasks
 * in runner processes, and outlives its agent: results are kept until the agent, or the next one, has acknowledged them.
 */
#include "functions/function.h"
#include "protocol/core/clock.h"
#include "protocol/core/file.h"
#include "protocol/core/log.h"
#include "worker/manager.h"

#include "worker/call.h"
#include "worker/dispatch.h"
#include "worker/leases.h"
#include "worker/objects.h"
#include "worker/slot.h"
#include "worker/uplink.h"
#include "worker/warm.h"

#include "worker/scratch.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

enum {
    CHECKPOINT_MS = 10000, /* for writing a checkpoint, when the manager has to leave */
    BEFORE_THE_END_MS =
        60000, /* the scheduler ends the block: so long before, checkpoints are asked for */
};

/* ---- leaving ---- */

static void ask_for_checkpoints(struct ff_manager *manager)
{
    for (size_t i = 0; i < manager->slot_count; i++) {
        struct ff_slot *slot = &manager->slots[i];
        if (slot->calls.first != NULL)
            ff_handed_ask(slot->calls.first, FF_CHECKPOINT);
    }
}

static void kill_all(void *user)
{
    struct ff_manager *manager = user;
    for (size_t i = 0; i < manager->slot_count; i++)
        if (manager->slots[i].calls.first != NULL)
            ff_slot_kill(&manager->slots[i], NULL);
    manager->overdue = true;
    ff_loop_wake(manager->loop);
}

static bool can_checkpoint(const struct ff_manager *manager)
{
    for (size_t i = 0; i < manager->slot_count; i++)
        if (manager->slots[i].calls.first != NULL &&
            (manager->slots[i].flags & FF_FUNCTION_CAN_CHECKPOINT) != 0)
            return true;
    return false;
}

void ff_manager_leave(struct ff_manager *manager, bool hurried)
{
    static const char why[] = "the worker is about to leave";
    if (!manager->draining) {
        manager->draining = true;
        ff_uplink_say_draining(manager->uplink, why);
        for (size_t i = 0; i < manager->slot_count; i++)
            if (manager->slots[i].child != NULL)
                ff_slot_recall(&manager->slots[i]);
        ff_works_give_back_all(manager, why);
    }
    if (hurried && !manager->hurried) {
        manager->hurried = true;
        ask_for_checkpoints(manager);
        ff_timer_set_after(manager->leave_timer,
                           can_checkpoint(manager) ? CHECKPOINT_MS : FF_KILL_GRACE_MS);
    }
    ff_loop_wake(manager->loop);
}

/* Nothing runs, and the agent has every outcome, or cannot be told. */
static bool has_left(const struct ff_manager *manager)
{
    if (!manager->draining || manager->work_count > manager->ended.count)
        return false;
    return manager->ended.count == 0 || (manager->hurried && !ff_uplink_is_open(manager->uplink)) ||
           manager->overdue;
}

static void caught_signal(void *user, int signal_number)
{
    struct ff_manager *manager = user;
    switch (signal_number) {
    case SIGCHLD:
        ff_slots_reap(manager);
        break;
    case SIGHUP:
        ff_log_reopen();
        break;
    default:
        ff_log(FF_LOG_INFO, "asked to end (%s)", strsignal(signal_number));
        ff_manager_leave(manager, manager->draining);
    }
}

static void block_ends(void *user)
{
    ff_log(FF_LOG_INFO, "the block ends soon: what runs is asked for a checkpoint");
    ff_manager_leave(user, true);
}

/* ---- before the loop sleeps ---- */

static bool prepare(void *user)
{
    struct ff_manager *manager = user;
    bool did = manager->dispatch_wanted;
    if (manager->dispatch_wanted && manager->draining)
        ff_works_give_back_all(manager, "the worker is about to leave");
    if (manager->dispatch_wanted)
        ff_dispatch(manager);
    ff_slots_flush(manager);
    did = ff_uplink_flush(manager->uplink) || did;
    ff_dispatch_refill(manager);
    if (has_left(manager))
        ff_loop_stop(manager->loop);
    return did;
}

/* ---- life ---- */

static int find_cores(struct ff_manager *manager, struct ff_error *error)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) < 0)
        CPU_SET(0, &set);
    size_t promised = (size_t)manager->settings.cores;
    manager->cores = calloc((size_t)CPU_COUNT(&set) + 1, sizeof manager->cores[0]);
    if (manager->cores == NULL)
        return ff_fail(error, FF_NO_MEMORY, "no memory for the list of cores");
    for (size_t i = 0; i < CPU_SETSIZE && (promised == 0 || manager->core_count < promised); i++)
        if (CPU_ISSET(i, &set))
            manager->cores[manager->core_count++] = (int)i;
    manager->slot_count = (size_t)manager->settings.slots;
    if (manager->slot_count == 0)
        manager->slot_count = manager->core_count;
    return 0;
}

static char *join(const char *folder, const char *name)
{
    return folder != NULL ? ff_path_join(folder, name) : NULL;
}

static int find_paths(struct ff_manager *manager, struct ff_error *error)
{
    char *programs = ff_program_folder(error);
    char *functions = programs != NULL ? ff_function_folder(error) : NULL;
    char *home = functions != NULL ? ff_home(error) : NULL;
    manager->runner = join(programs, "farfield-runner");
    manager->shell = join(functions, "shell.so");
    manager->cache = join(home, "cache");
    manager->tasks = join(manager->settings.endpoint_folder, "tasks");
    bool found = home != NULL;
    free(programs);
    free(functions);
    free(home);
    if (!found)
        return -1;
    if (manager->runner == NULL || manager->shell == NULL || manager->cache == NULL ||
        manager->tasks == NULL)
        return ff_fail(error, FF_NO_MEMORY, "no memory for paths");
    if (ff_folder_make(manager->cache, 0700, error) < 0)
        return -1;
    if (ff_folder_make(manager->tasks, 0700, error) < 0)
        return -1;
    ff_scratch_sweep(manager->tasks, manager->settings.node);
    return 0;
}

static int open_manager(struct ff_manager *manager, struct ff_error *error)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD, 0};
    ff_buffer_init(&manager->frame, FF_MESSAGE_LIMIT);
    manager->loop = ff_loop_create(error);
    if (manager->loop == NULL ||
        ff_loop_signals(manager->loop, signals, caught_signal, manager, error) < 0)
        return -1;
    if (find_cores(manager, error) < 0 || find_paths(manager, error) < 0 ||
        ff_works_open(manager, error) < 0 || ff_slots_open(manager, error) < 0 ||
        ff_warm_open(manager, error) < 0)
        return -1;
    ff_dispatch_refill(manager); /* it gets ready while the link opens */
    manager->objects = ff_objects_create(manager, error);
    manager->leases = manager->objects != NULL ? ff_leases_create(manager, error) : NULL;
    manager->leave_timer = ff_timer_create(manager->loop, kill_all, manager, error);
    manager->ends_timer = ff_timer_create(manager->loop, block_ends, manager, error);
    if (manager->leases == NULL || manager->leave_timer == NULL || manager->ends_timer == NULL)
        return -1;
    if (manager->settings.ends_ns > 0) {
        int64_t left_ms = (manager->settings.ends_ns - ff_wall_ns()) / 1000000 - BEFORE_THE_END_MS;
        ff_timer_set_after(manager->ends_timer, left_ms > 0 ? left_ms : 0);
    }
    manager->prepare = ff_prepare_create(manager->loop, prepare, manager, error);
    manager->uplink = manager->prepare != NULL ? ff_uplink_create(manager, error) : NULL;
    return manager->uplink != NULL ? 0 : -1;
}

static void close_manager(struct ff_manager *manager)
{
    ff_uplink_destroy(manager->uplink, "the worker leaves");
    ff_works_close(manager); /* works stand in lists of slots */
    ff_slots_close(manager);
    ff_warm_close(manager);
    ff_leases_destroy(manager->leases);
    ff_objects_destroy(manager->objects);
    ff_timer_destroy(manager->leave_timer);
    ff_timer_destroy(manager->ends_timer);
    ff_prepare_destroy(manager->prepare);
    if (manager->spare != NULL)
        ff_child_kill(manager->spare);
    ff_child_destroy(manager->spare);
    ff_loop_destroy(manager->loop);
    ff_buffer_dispose(&manager->frame);
    free(manager->cores);
    free(manager->runner);
    free(manager->shell);
    free(manager->cache);
    free(manager->tasks);
}

static int run(struct ff_manager *manager, struct ff_error *error)
{
    if (open_manager(manager, error) < 0)
        return -1;
    ff_log(FF_LOG_INFO, "block %s on %s: %zu slots, %zu cores, %u GPUs", manager->settings.block,
           manager->settings.node, manager->slot_count, manager->core_count,
           ff_leases_devices(manager->leases));
    if (ff_loop_run(manager->loop, error) < 0)
        return -1;
    if (manager->failure.code == FF_OK)
        return 0;
    *error = manager->failure;
    return -1;
}

int main(int argc, char **argv)
{
    static struct ff_manager manager;
    struct ff_error error;
    if (argc != 3) {
        fputs("usage: farfield-manager ENDPOINT_FOLDER BLOCK\n"
              "It is started by the agent of an endpoint, once a node.\n",
              stderr);
        return 2;
    }
    /* What a dead runner leaves behind becomes a child of the manager, and is ended there. */
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    int result = ff_log_open("manager", NULL, FF_LOG_INFO, &error);
    if (result == 0)
        result = ff_settings_read(argv[1], argv[2], &manager.settings, &error);
    if (result == 0)
        result = run(&manager, &error);
    if (result < 0)
        ff_log_error("the manager ends", &error);
    close_manager(&manager);
    return result == 0 ? 0 : 1;
}

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
#include "worker/leaving.h"
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
    case SIGINT: /* somebody at a terminal: what runs may end */
        ff_manager_leave(manager, manager->draining);
        break;
    case SIGTERM:
        ff_log(FF_LOG_INFO, "asked to end");
        manager->signalled = true;
        ff_manager_leave(manager, true);
        break;
    default: /* how a scheduler announces the end of a job */
        manager->signalled = true;
        ff_manager_block_ends(manager);
    }
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
    if (ff_manager_has_left(manager))
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
    static const int signals[] = {SIGTERM, SIGUSR1, SIGUSR2, SIGINT, SIGHUP, SIGCHLD, 0};
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
    if (manager->leases == NULL || ff_leaving_open(manager, error) < 0)
        return -1;
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
    ff_leaving_close(manager);
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

/* Nobody else will remove the folder of the block, with the key in it; its other managers leave when they miss it. */
static void remove_block(const struct ff_settings *settings)
{
    char path[PATH_MAX];
    struct ff_error error;
    snprintf(path, sizeof path, "%s/blocks/%s", settings->endpoint_folder, settings->block);
    if (ff_folder_remove(path, &error) < 0)
        ff_log_error("the folder of the block stays", &error);
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
    if (manager.abandoned)
        remove_block(&manager.settings);
    return result == 0 ? 0 : 1;
}

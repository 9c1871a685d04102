/*
 * The life of an agent:
 *
 *     starting ──service welcomes──► working ──SIGTERM──► draining ──all left, or limit──► leaving ──► (ends)
 *         └──refused, or not reachable──► (ends with the reason)         second SIGTERM ──┘
 *
 * A kill in any state loses nothing: managers go on, and the next agent adopts them.
 */
#include "endpoint/agent.h"

#include "endpoint/dispatch.h"
#include "endpoint/downlink.h"
#include "endpoint/elastic.h"
#include "endpoint/manager.h"
#include "endpoint/objects.h"
#include "endpoint/registration.h"
#include "endpoint/state_file.h"
#include "endpoint/sweeper.h"
#include "endpoint/uplink.h"
#include "endpoint/uploads.h"
#include "endpoint/wiring.h"
#include "protocol/core/clock.h"
#include "protocol/core/file.h"
#include "protocol/core/log.h"

#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

enum {
    REACH_LIMIT_MS = 5000, /* an impatient start gives up then */
    LEAVE_LIMIT_MS = 3000, /* for managers that were told to leave, before they are killed */
    RUSH = 256,            /* tasks held */
    REST_AFTER_MS = 2000,
    LAST_WORDS_MS = 1000, /* for the receipts of what was cut off */
};

/* Ends for a reason. Blocks that were started for an agent that could not begin end with it; adopted ones go on. An
 * agent that lost its endpoint to another host takes all blocks along that only this machine can reach. */
static void end_with(struct ff_agent *agent, const struct ff_error *why)
{
    bool began = agent->phase != FF_AGENT_STARTING;
    agent->failed = true;
    agent->error = *why;
    agent->phase = FF_AGENT_LEAVING;
    for (struct ff_block *at = ff_blocks_first(agent->blocks); at != NULL; at = at->next)
        if (began ? !agent->provider->grows : !at->adopted)
            ff_block_cancel(at, false);
    ff_timer_set_after(agent->drain_timer, LEAVE_LIMIT_MS);
}

/* ---- what the rooms tell ---- */

void ff_agent_connected(struct ff_agent *agent, const char *endpoint_name)
{
    ff_log(FF_LOG_INFO, "connected to the service as %s", endpoint_name);
    ff_timer_set(agent->start_timer, FF_TIMER_OFF);
    ff_error_clear(&agent->error);
    if (agent->phase == FF_AGENT_STARTING) {
        agent->phase = FF_AGENT_WORKING;
        ff_state_file_write(agent->state_file);
        ff_process_say_ready(agent->folder.name);
    }
    ff_dispatch_announce(agent);
}

void ff_agent_disconnected(struct ff_agent *agent, const struct ff_error *why)
{
    /* An endpoint that waits for its service says so once, and not at each attempt. */
    if (strcmp(agent->error.message, why->message) != 0)
        ff_log_error("not connected to the service", why);
    agent->error = *why;
}

void ff_agent_refused(struct ff_agent *agent, const struct ff_error *why)
{
    ff_log_error("the service refuses this endpoint", why);
    end_with(agent, why);
}

static void not_reachable(void *user)
{
    struct ff_agent *agent = user;
    struct ff_error error;
    ff_fail(&error, FF_UNREACHABLE, "the service cannot be reached: %s",
            agent->error.message[0] != '\0' ? agent->error.message : "no answer");
    ff_hint(&error, "is it running? farfield service status; farfield endpoint doctor %s",
            agent->folder.name);
    end_with(agent, &error);
}

/* ---- announcing after a restart ---- */

static void end_awaiting(struct ff_agent *agent)
{
    if (!agent->awaiting_blocks)
        return;
    agent->awaiting_blocks = false;
    ff_timer_set(agent->announce_timer, FF_TIMER_OFF);
    ff_dispatch_announce(agent);
}

/* One whose managers may hold tasks and have not said so. In a block that waits in a queue nobody holds any. */
static bool is_awaited(const struct ff_block *block)
{
    bool queued = block->state == FF_BLOCK_PENDING && block->unknown_since_ns == 0;
    return block->adopted && !block->announced && block->state != FF_BLOCK_ENDED && !queued;
}

void ff_agent_block_announced(struct ff_agent *agent)
{
    for (const struct ff_block *at = ff_blocks_first(agent->blocks); at != NULL; at = at->next)
        if (is_awaited(at))
            return;
    end_awaiting(agent);
}

static void awaited_enough(void *user)
{
    struct ff_agent *agent = user;
    ff_log(FF_LOG_WARNING, "a block of an earlier agent has not come back within %d s",
           FF_ANNOUNCE_WAIT_MS / 1000);
    end_awaiting(agent);
}

/* ---- blocks ---- */

static void sweep_block(struct ff_agent *agent, struct ff_block *block)
{
    if (block->state == FF_BLOCK_ENDED && block->managers == 0)
        ff_block_destroy(block);
    ff_agent_block_announced(agent);
    agent->scale_needed = true;
    agent->dispatch_needed = true;
}

static void block_ended(void *user, struct ff_block *block)
{
    struct ff_agent *agent = user;
    ff_log(FF_LOG_INFO, "block %s has ended: %s", block->id, block->why);
    ff_elastic_block_ended(agent->elastic, block);
    if (block->managers > 0)
        ff_downlink_block_ended(agent->downlink, block); /* sweeps it with its last manager */
    else
        sweep_block(agent, block);
}

static void block_changed(void *user, struct ff_block *block)
{
    struct ff_agent *agent = user;
    (void)block;
    ff_agent_block_announced(agent);
    ff_elastic_note_news(agent->elastic);
    agent->scale_needed = true;
    agent->dispatch_needed = true;
}

void ff_agent_manager_gone(struct ff_agent *agent, struct ff_block *block)
{
    ff_block_look(block);
    sweep_block(agent, block);
}

/* ---- leaving ---- */

/* Whether blocks are still to end: all of them, or after a failure those that were told to. */
static bool has_blocks(const struct ff_agent *agent)
{
    for (const struct ff_block *at = ff_blocks_first(agent->blocks); at != NULL; at = at->next)
        if (!agent->failed || at->stopping)
            return true;
    return false;
}

static void leave(struct ff_agent *agent)
{
    if (agent->phase == FF_AGENT_LEAVING)
        return;
    agent->phase = FF_AGENT_LEAVING;
    ff_dispatch_cut_off(agent);
    for (struct ff_block *at = ff_blocks_first(agent->blocks); at != NULL; at = at->next)
        ff_block_cancel(at, false);
    ff_timer_set_after(agent->drain_timer, LEAVE_LIMIT_MS);
}

static void drain(struct ff_agent *agent)
{
    ff_log(FF_LOG_INFO, "stopping: %u tasks run, %u wait",
           ff_queue_count(agent->queue, FF_HELD_GIVEN),
           ff_queue_count(agent->queue, FF_HELD_WAITING));
    agent->phase = FF_AGENT_DRAINING;
    if (ff_uplink_is_announced(agent->uplink))
        ff_uplink_drain(agent->uplink, "the endpoint is stopping");
    ff_dispatch_give_back(agent);
    ff_downlink_drain(agent->downlink, "the endpoint is stopping");
    /* A block without a manager has nothing to finish. */
    for (struct ff_block *at = ff_blocks_first(agent->blocks); at != NULL; at = at->next)
        if (at->managers == 0)
            ff_block_cancel(at, false);
    ff_timer_set_after(agent->drain_timer, agent->config.drain_limit_ms);
}

/* A scheduler that does not answer holds nobody up for ever: without its folder a job ends as soon as it starts. */
static void give_up_unknown(struct ff_agent *agent)
{
    struct ff_block *next = NULL;
    for (struct ff_block *at = ff_blocks_first(agent->blocks); at != NULL; at = next) {
        next = at->next;
        if (!at->stopping || at->managers > 0 || at->unknown_since_ns == 0)
            continue;
        ff_log(
            FF_LOG_WARNING,
            "block %s%s%s is given up: the scheduler does not answer; its job ends when it starts",
            at->id, at->handle[0] != '\0' ? ", job " : "", at->handle);
        ff_block_destroy(at);
    }
}

static void drain_limit(void *user)
{
    struct ff_agent *agent = user;
    if (agent->phase == FF_AGENT_DRAINING) {
        bool run = ff_queue_count(agent->queue, FF_HELD_GIVEN) > 0;
        ff_log(FF_LOG_WARNING, "%s at the limit of %lld ms",
               run ? "tasks still run, and are cut off," : "blocks have not ended",
               (long long)agent->config.drain_limit_ms);
        leave(agent);
        return;
    }
    for (struct ff_block *at = ff_blocks_first(agent->blocks); at != NULL; at = at->next)
        if (!agent->failed || at->stopping)
            ff_block_cancel(at, true);
    give_up_unknown(agent);
    if (!has_blocks(agent))
        ff_loop_stop(agent->loop);
    else
        ff_timer_set_after(agent->drain_timer, LAST_WORDS_MS);
}

/* Whether everything that was asked to leave has left, and the service knows all that ended. */
static void check_left(struct ff_agent *agent)
{
    if (agent->phase < FF_AGENT_DRAINING || has_blocks(agent))
        return;
    bool told =
        ff_queue_count(agent->queue, FF_HELD_ENDED) == 0 || !ff_uplink_is_announced(agent->uplink);
    if (told)
        ff_loop_stop(agent->loop);
    else if (!agent->saying_last_words) {
        agent->saying_last_words = true;
        agent->phase = FF_AGENT_LEAVING;
        ff_timer_set_after(agent->drain_timer, LAST_WORDS_MS);
    }
}

static void signal_caught(void *user, int signal_number)
{
    struct ff_agent *agent = user;
    if (signal_number == SIGHUP) {
        ff_log_reopen();
        ff_elastic_reload(agent->elastic);
    } else if (agent->phase < FF_AGENT_DRAINING)
        drain(agent);
    else
        leave(agent);
}

/* ---- the loop ---- */

static unsigned held_count(const struct ff_agent *agent)
{
    return ff_queue_count(agent->queue, FF_HELD_WAITING) +
           ff_queue_count(agent->queue, FF_HELD_GIVEN) +
           ff_queue_count(agent->queue, FF_HELD_ENDED);
}

/* The heap keeps what a rush of tasks took; an idle agent shall be small again. */
static void rest(void *user)
{
    struct ff_agent *agent = user;
    agent->rushed = held_count(agent) >= RUSH;
    if (agent->rushed)
        ff_timer_set_after(agent->rest_timer, REST_AFTER_MS);
    else
        malloc_trim(0);
}

static void watch_rush(struct ff_agent *agent)
{
    if (agent->rushed || held_count(agent) < RUSH)
        return;
    agent->rushed = true;
    ff_timer_set_after(agent->rest_timer, REST_AFTER_MS);
}

static bool before_sleep(void *user)
{
    struct ff_agent *agent = user;
    bool did = agent->dispatch_needed || agent->scale_needed;
    if (agent->dispatch_needed)
        ff_dispatch_run(agent);
    if (agent->scale_needed)
        ff_elastic_run(agent->elastic);
    if (agent->beat_needed)
        ff_uplink_beat(agent->uplink);
    agent->beat_needed = false;
    did = ff_downlink_flush(agent->downlink) || did;
    did = ff_uplink_flush(agent->uplink) || did;
    ff_state_file_touch(agent->state_file);
    watch_rush(agent);
    check_left(agent);
    return did;
}

static void tell_waiting(void *user)
{
    ff_dispatch_report_waiting(user);
}

static int make_timers(struct ff_agent *agent, struct ff_error *error)
{
    const struct {
        struct ff_timer **timer;
        ff_timer_due *due;
    } timers[] = {
        {&agent->announce_timer, awaited_enough},
        {&agent->drain_timer, drain_limit},
        {&agent->wait_timer, tell_waiting},
        {&agent->start_timer, not_reachable},
        {&agent->rest_timer, rest},
    };
    for (size_t i = 0; i < sizeof timers / sizeof timers[0]; i++) {
        *timers[i].timer = ff_timer_create(agent->loop, timers[i].due, agent, error);
        if (*timers[i].timer == NULL)
            return -1;
    }
    return 0;
}

static struct ff_blocks *make_blocks(struct ff_agent *agent, struct ff_error *error)
{
    const struct ff_blocks_events events = {agent, block_ended, block_changed};
    char *folder = ff_program_folder(error);
    if (folder == NULL)
        return NULL;
    char *program = ff_path_join(folder, "farfield-manager");
    struct ff_blocks *blocks = NULL;
    if (program != NULL)
        blocks = ff_blocks_create(agent->loop, &agent->folder, &agent->config, agent->provider,
                                  program, &events, error);
    free(program);
    free(folder);
    return blocks;
}

static int make_rooms(struct ff_agent *agent, struct ff_error *error)
{
    const struct ff_downlink_events of_downlink = ff_wiring_downlink(agent);
    const struct ff_uplink_events of_uplink = ff_wiring_uplink(agent);
    struct ff_registration registration;
    if (ff_registration_read(&agent->folder, &registration, error) < 0)
        return -1;
    agent->endpoint_id = registration.endpoint_id;
    agent->provider = ff_provider_find(agent->config.provider);
    agent->queue = ff_queue_create(error);
    agent->elastic = ff_elastic_create(agent, error);
    agent->blocks = make_blocks(agent, error);
    agent->objects = ff_objects_create(agent, error);
    agent->uploads = ff_uploads_create(agent, error);
    if (agent->queue == NULL || agent->elastic == NULL || agent->blocks == NULL ||
        agent->objects == NULL || agent->uploads == NULL)
        return -1;
    agent->downlink = ff_downlink_create(agent, &of_downlink, error);
    if (agent->downlink == NULL)
        return -1;
    ff_blocks_adopt(agent->blocks);
    ff_elastic_reload(agent->elastic);
    agent->uplink = ff_uplink_create(agent, &of_uplink, error);
    agent->sweeper = ff_sweeper_create(agent, error);
    agent->state_file = ff_state_file_create(agent, error);
    agent->prepare = ff_prepare_create(agent->loop, before_sleep, agent, error);
    return agent->uplink == NULL || agent->sweeper == NULL || agent->state_file == NULL ||
                   agent->prepare == NULL
               ? -1
               : 0;
}

static int open_agent(struct ff_agent *agent, struct ff_error *error)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP, 0};
    char path[PATH_MAX];
    ff_folder_path(&agent->folder, path, "config.yaml");
    if (ff_config_read(&agent->config, path, error) < 0)
        return -1;
    ff_id_random(&agent->instance);
    /* Signals first: whoever finds this process in its file may send one. */
    agent->loop = ff_loop_create(error);
    if (agent->loop == NULL || make_timers(agent, error) < 0 ||
        ff_loop_signals(agent->loop, signals, signal_caught, agent, error) < 0 ||
        ff_folder_lock(&agent->folder, &agent->instance, &agent->previous, error) < 0)
        return -1;
    agent->context = zmq_ctx_new();
    if (agent->context == NULL)
        return ff_fail(error, FF_NO_MEMORY, "no memory for ZeroMQ");
    return make_rooms(agent, error);
}

static void close_agent(struct ff_agent *agent)
{
    ff_uplink_destroy(agent->uplink, "the endpoint has stopped");
    agent->uplink = NULL;
    ff_state_file_destroy(agent->state_file);
    ff_uploads_destroy(agent->uploads);
    ff_objects_destroy(agent->objects);
    ff_sweeper_destroy(agent->sweeper);
    ff_downlink_destroy(agent->downlink, NULL);
    ff_blocks_destroy(agent->blocks);
    ff_elastic_destroy(agent->elastic);
    ff_queue_destroy(agent->queue);
    free(agent->releases);
    if (agent->context != NULL)
        zmq_ctx_term(agent->context);
    ff_loop_destroy(agent->loop);
    ff_folder_unlock(&agent->folder);
}

int ff_agent_run(const char *name, bool take_over, bool patient, struct ff_error *error)
{
    struct ff_agent *agent = calloc(1, sizeof *agent);
    /* One heap for all threads: the agent has to stay small. */
    mallopt(M_ARENA_MAX, 1);
    if (agent == NULL)
        return ff_fail(error, FF_NO_MEMORY, "no memory for the agent");
    agent->take_over = take_over;
    agent->patient = patient;
    int result = ff_folder_locate(&agent->folder, name, error);
    if (result == 0)
        result = ff_folder_check(&agent->folder, error);
    if (result == 0)
        result = open_agent(agent, error);
    if (result == 0) {
        agent->awaiting_blocks = ff_blocks_first(agent->blocks) != NULL;
        if (agent->awaiting_blocks)
            ff_timer_set_after(agent->announce_timer, FF_ANNOUNCE_WAIT_MS);
        if (!patient)
            ff_timer_set_after(agent->start_timer, REACH_LIMIT_MS);
        agent->scale_needed = true;
        result = ff_loop_run(agent->loop, error);
    }
    if (result == 0 && agent->failed) {
        *error = agent->error;
        result = -1;
    }
    if (result < 0)
        ff_process_say_failed(error);
    close_agent(agent);
    free(agent);
    return result;
}

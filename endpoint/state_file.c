#include "endpoint/state_file.h"

#include "endpoint/block_words.h"
#include "endpoint/dispatch.h"
#include "endpoint/downlink.h"
#include "endpoint/elastic.h"
#include "endpoint/manager.h"
#include "endpoint/uplink.h"
#include "protocol/core/clock.h"
#include "protocol/core/file.h"
#include "protocol/core/log.h"
#include "protocol/core/text.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { EVERY_MS = 1000, SIZE_LIMIT = 1 << 20, BLOCKS_SHOWN = 256 };

/* What a person would see. Compared as a whole: it has no padding. */
struct seen {
    int64_t since_ns;
    unsigned managers, slots, devices, waiting, running;
    unsigned news;                /* of blocks */
    unsigned connected, draining; /* flags */
};

struct ff_state_file {
    struct ff_agent *agent;
    struct ff_timer *timer;
    bool set; /* the timer */
    int64_t written_ns;
    struct seen seen;
};

static void look(const struct ff_agent *agent, struct seen *seen)
{
    memset(seen, 0, sizeof *seen);
    for (const struct ff_manager *at = ff_downlink_first(agent->downlink); at != NULL;
         at = at->next) {
        if (at->peer == NULL)
            continue;
        seen->managers++;
        seen->slots += at->room.slots;
        seen->devices += at->room.devices;
    }
    seen->news = ff_elastic_news(agent->elastic);
    seen->waiting = ff_queue_count(agent->queue, FF_HELD_WAITING);
    seen->running = ff_queue_count(agent->queue, FF_HELD_GIVEN);
    seen->connected = ff_uplink_is_open(agent->uplink);
    seen->since_ns = ff_uplink_since_ns(agent->uplink);
    seen->draining = agent->phase >= FF_AGENT_DRAINING;
}

static void append_json_text(struct ff_buffer *buffer, const char *text)
{
    ff_buffer_append_text(buffer, "\"");
    for (const char *at = text; *at != '\0';) {
        size_t length = ff_text_sequence(at, strnlen(at, 4));
        if (*at == '"' || *at == '\\')
            ff_buffer_printf(buffer, "\\%c", *at);
        else if ((unsigned char)*at < ' ')
            ff_buffer_printf(buffer, "\\u%04x", (unsigned char)*at);
        else if (length > 0)
            ff_buffer_append(buffer, at, length);
        else
            ff_buffer_append_text(buffer, "?");
        at += length > 0 ? length : 1;
    }
    ff_buffer_append_text(buffer, "\"");
}

static void append_time(struct ff_buffer *buffer, const char *key, int64_t wall_ns)
{
    char time[FF_TIME_TEXT_SIZE];
    ff_time_text(wall_ns, time);
    if (wall_ns > 0)
        ff_buffer_printf(buffer, ", \"%s\": \"%s\"", key, time);
    else
        ff_buffer_printf(buffer, ", \"%s\": null", key);
}

static int64_t on_wall(int64_t monotonic_ns)
{
    return monotonic_ns > 0 ? ff_wall_ns() - (ff_monotonic_ns() - monotonic_ns) : 0;
}

static void append_block(struct ff_buffer *buffer, const struct ff_agent *agent,
                         const struct ff_block *block)
{
    unsigned tasks = 0;
    for (const struct ff_manager *at = ff_downlink_first(agent->downlink); at != NULL;
         at = at->next)
        tasks += at->block == block ? at->given.count : 0;
    bool running = block->state == FF_BLOCK_RUNNING;
    ff_buffer_printf(buffer,
                     "{\"id\": \"%s\", \"state\": \"%s\", \"nodes\": %u, \"managers\": %u, "
                     "\"tasks\": %u, \"late\": %s, \"job\": ",
                     block->id, ff_block_word(block), block->nodes, block->managers, tasks,
                     block->late ? "true" : "false");
    append_json_text(buffer, block->handle);
    ff_buffer_append_text(buffer, ", \"why\": ");
    /* What the scheduler has said last may be older than the first word of the workers. */
    append_json_text(buffer, running || !block->had_manager ? block->why : "");
    append_time(buffer, "since", on_wall(running ? block->started_ns : block->submitted_ns));
    append_time(buffer, "expected", ff_block_is_up(block) ? 0 : block->expected_ns);
    append_time(buffer, "ends", block->ends_ns);
    append_time(buffer, "unknown_since", on_wall(block->unknown_since_ns));
    ff_buffer_append_text(buffer, "}");
}

static void append_blocks(struct ff_buffer *buffer, const struct ff_agent *agent)
{
    unsigned count = 0;
    ff_buffer_append_text(buffer, ", \"blocks\": [");
    for (const struct ff_block *at = ff_blocks_first(agent->blocks); at != NULL; at = at->next)
        if (at->state != FF_BLOCK_ENDED && count++ < BLOCKS_SHOWN) {
            if (count > 1)
                ff_buffer_append_text(buffer, ", ");
            append_block(buffer, agent, at);
        }
    ff_buffer_printf(buffer, "], \"block_count\": %u", count);
}

/* Beside its place and renamed; not synced, for nobody needs it after a crash. */
static int put(const char *path, struct ff_span data)
{
    char beside[PATH_MAX];
    int length = snprintf(beside, sizeof beside, "%s.tmp", path);
    if (length < 0 || (size_t)length >= sizeof beside)
        return -1;
    int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return -1;
    int result = ff_write_all(fd, data);
    close(fd);
    return result == 0 ? rename(beside, path) : -1;
}

static void write_state(struct ff_state_file *file, const struct seen *seen)
{
    const struct ff_agent *agent = file->agent;
    struct ff_buffer buffer;
    char path[PATH_MAX];
    char since[FF_TIME_TEXT_SIZE];
    char id[FF_ID_TEXT_SIZE];
    char why[1024];
    ff_time_text(seen->since_ns, since);
    ff_id_text(&agent->endpoint_id, id);
    ff_dispatch_why(agent, why, sizeof why);
    ff_buffer_init(&buffer, SIZE_LIMIT);
    ff_buffer_printf(&buffer,
                     "{\"connected\": %s, \"since\": \"%s\", \"endpoint_id\": \"%s\", "
                     "\"draining\": %s, \"managers\": %u, \"slots\": %u, "
                     "\"gpus\": %u, \"waiting\": %u, \"running\": %u, \"why\": ",
                     seen->connected ? "true" : "false", since, id,
                     seen->draining ? "true" : "false", seen->managers, seen->slots, seen->devices,
                     seen->waiting, seen->running);
    append_json_text(&buffer, why);
    append_blocks(&buffer, agent);
    ff_buffer_append_text(&buffer, "}\n");
    ff_folder_path(&agent->folder, path, "run/state");
    if (buffer.failed || put(path, ff_buffer_span(&buffer)) < 0)
        ff_log(FF_LOG_WARNING, "cannot write %s", path);
    ff_buffer_dispose(&buffer);
    file->seen = *seen;
    file->written_ns = ff_monotonic_ns();
}

static void due(void *user)
{
    struct ff_state_file *file = user;
    struct seen seen;
    file->set = false;
    look(file->agent, &seen);
    if (memcmp(&seen, &file->seen, sizeof seen) == 0)
        return;
    write_state(file, &seen);
    file->agent->beat_needed = true; /* the service shows it to those who are elsewhere */
}

void ff_state_file_write(struct ff_state_file *file)
{
    struct seen seen;
    look(file->agent, &seen);
    write_state(file, &seen);
}

void ff_state_file_touch(struct ff_state_file *file)
{
    struct seen seen;
    if (file == NULL || file->set)
        return;
    look(file->agent, &seen);
    if (memcmp(&seen, &file->seen, sizeof seen) == 0)
        return;
    file->set = true;
    ff_timer_set(file->timer, file->written_ns + (int64_t)EVERY_MS * 1000000);
}

struct ff_state_file *ff_state_file_create(struct ff_agent *agent, struct ff_error *error)
{
    struct ff_state_file *file = calloc(1, sizeof *file);
    if (file == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory for the state file");
        return NULL;
    }
    file->agent = agent;
    file->timer = ff_timer_create(agent->loop, due, file, error);
    if (file->timer == NULL) {
        free(file);
        return NULL;
    }
    return file;
}

void ff_state_file_destroy(struct ff_state_file *file)
{
    struct seen seen;
    if (file == NULL)
        return;
    memset(&seen, 0, sizeof seen);
    seen.since_ns = ff_wall_ns();
    write_state(file, &seen);
    ff_timer_destroy(file->timer);
    free(file);
}

#include "endpoint/blocks.h"

#include "protocol/core/clock.h"
#include "protocol/core/file.h"
#include "protocol/core/log.h"
#include "protocol/core/text.h"
#include "protocol/core/yaml.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct ff_blocks {
    struct ff_loop *loop;
    const struct ff_folder *folder;
    const struct ff_config *config;
    const struct ff_provider *provider;
    struct ff_provider_site *site;
    char *program;
    char *home;
    struct ff_blocks_events events;
    struct ff_block *first;
};

struct ff_blocks *ff_blocks_create(struct ff_loop *loop, const struct ff_folder *folder,
                                   const struct ff_config *config,
                                   const struct ff_provider *provider, const char *program,
                                   const struct ff_blocks_events *events, struct ff_error *error)
{
    struct ff_blocks *blocks = calloc(1, sizeof *blocks);
    if (blocks == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory for the blocks");
        return NULL;
    }
    blocks->loop = loop;
    blocks->folder = folder;
    blocks->config = config;
    blocks->provider = provider;
    blocks->events = *events;
    blocks->program = strdup(program);
    if (blocks->program == NULL)
        ff_fail(error, FF_NO_MEMORY, "no memory for the blocks");
    else
        blocks->home = ff_home(error);
    if (blocks->home != NULL)
        blocks->site = provider->open(provider, loop, config, error);
    if (blocks->site == NULL) {
        ff_blocks_destroy(blocks);
        return NULL;
    }
    return blocks;
}

static void path_in(const struct ff_block *block, const char *name, char path[PATH_MAX])
{
    ff_folder_path(block->blocks->folder, path, "blocks/%s%s%s", block->id,
                   name[0] != '\0' ? "/" : "", name);
}

/* The handle is on disk before the agent needs it again: a block that nobody knows would run for ever. */
static int keep_handle(const struct ff_block *block, const char *handle, struct ff_error *error)
{
    char path[PATH_MAX];
    path_in(block, "job", path);
    return ff_file_write(path, ff_span_of(handle), 0600, error);
}

/* When it began on this machine's clock that never jumps. */
static int64_t started_ns(const struct ff_job_report *report)
{
    int64_t now_ns = ff_monotonic_ns();
    int64_t since_ns = report->starts_ns > 0 ? ff_wall_ns() - report->starts_ns : 0;
    return since_ns > 0 && since_ns < now_ns ? now_ns - since_ns : now_ns;
}

static void take_report(struct ff_block *block)
{
    const struct ff_job_report *report = block->blocks->provider->report(block->job);
    bool pending = report->state == FF_BLOCK_PENDING;
    bool running = report->state == FF_BLOCK_RUNNING;
    if (running && block->started_ns == 0)
        block->started_ns = started_ns(report);
    else if (!running)
        block->started_ns = 0;
    block->state = report->state;
    block->expected_ns = pending ? report->starts_ns : 0;
    block->ends_ns = report->ends_ns;
    block->unknown_since_ns = report->unknown_since_ns;
    snprintf(block->why, sizeof block->why, "%s", report->why);
}

static int take_handle(struct ff_block *block, struct ff_error *error)
{
    const struct ff_job_report *report = block->blocks->provider->report(block->job);
    if (report->handle[0] == '\0' || strcmp(report->handle, block->handle) == 0)
        return 0;
    snprintf(block->handle, sizeof block->handle, "%s", report->handle);
    return keep_handle(block, block->handle, error);
}

static void job_changed(void *user)
{
    struct ff_block *block = user;
    const struct ff_blocks_events *events = &block->blocks->events;
    struct ff_error error;
    take_report(block);
    if (block->state != FF_BLOCK_ENDED && take_handle(block, &error) < 0)
        ff_log_error("the handle of a block cannot be kept", &error);
    if (block->state == FF_BLOCK_ENDED)
        events->ended(events->user, block);
    else
        events->changed(events->user, block);
}

static bool job_lives(void *user)
{
    const struct ff_block *block = user;
    return block->managers > 0;
}

static struct ff_block *make_block(struct ff_blocks *blocks, const char *id)
{
    struct ff_block *block = calloc(1, sizeof *block);
    if (block == NULL)
        return NULL;
    block->blocks = blocks;
    snprintf(block->id, sizeof block->id, "%s", id);
    return block;
}

static void link_block(struct ff_block *block)
{
    block->next = block->blocks->first;
    block->blocks->first = block;
}

/* ---- starting ---- */

/* The cores and slots of another machine are for its manager to count, unless they are configured. */
static void write_room(const struct ff_blocks *blocks, struct ff_buffer *buffer)
{
    const struct ff_config *config = blocks->config;
    if (blocks->provider->grows)
        ff_buffer_printf(buffer, "slots: %lld\ncores: %lld\n", (long long)config->slots,
                         (long long)config->cores_per_node);
    else
        ff_buffer_printf(buffer, "slots: %u\ncores: %u\n", ff_config_slots(config),
                         ff_config_cores());
}

static int write_settings(const struct ff_block *block, const struct ff_id *endpoint_id,
                          struct ff_error *error)
{
    const struct ff_config *config = block->blocks->config;
    struct ff_buffer buffer;
    char path[PATH_MAX];
    char id[FF_ID_TEXT_SIZE];
    ff_id_text(endpoint_id, id);
    ff_buffer_init(&buffer, 8192);
    write_room(block->blocks, &buffer);
    ff_buffer_append_text(&buffer, "gpu_registry: ");
    ff_yaml_quote(&buffer, config->gpu_registry);
    /* When it ends is known only where it runs (FARFIELD_BLOCK_ENDS of the job's script); local ones never do. */
    ff_buffer_printf(&buffer,
                     "\nagent_lost_limit_ms: %lld\nheartbeat_ms: %d\nlost_ms: %d\nends_ns: 0\n"
                     "nodes: %u\nendpoint_id: %s\n",
                     (long long)config->agent_lost_limit_ms, FF_HEARTBEAT_MS, FF_PEER_LOST_MS,
                     block->nodes, id);
    path_in(block, "block.yaml", path);
    int result = ff_buffer_check(&buffer, "block.yaml", error);
    if (result == 0)
        result = ff_file_write(path, ff_buffer_span(&buffer), 0600, error);
    ff_buffer_dispose(&buffer);
    return result;
}

static int prepare_folder(struct ff_block *block, const struct ff_id *endpoint_id,
                          struct ff_error *error)
{
    char path[PATH_MAX];
    struct ff_curve_keys keys;
    path_in(block, "", path);
    if (ff_folder_make(path, 0700, error) < 0)
        return -1;
    path_in(block, "keys", path);
    if (ff_curve_load_or_make(path, &keys, error) < 0)
        return -1;
    memcpy(block->public_key, keys.public_key, sizeof block->public_key);
    return write_settings(block, endpoint_id, error);
}

/* `endpoint` begins with the endpoint's id. */
static void name_job(const struct ff_block *block, const char *endpoint,
                     char name[FF_JOB_NAME_SIZE])
{
    snprintf(name, FF_JOB_NAME_SIZE, "ff-%.8s-%s", endpoint, block->id);
}

static int submit(struct ff_block *block, const struct ff_id *endpoint_id, struct ff_error *error)
{
    struct ff_blocks *blocks = block->blocks;
    const struct ff_provider_events events = {block, job_changed, job_lives};
    const char *const command[] = {blocks->program, blocks->folder->root, block->id, NULL};
    char folder[PATH_MAX];
    char name[FF_JOB_NAME_SIZE];
    char id[FF_ID_TEXT_SIZE];
    path_in(block, "", folder);
    ff_id_text(endpoint_id, id);
    name_job(block, id, name);
    const struct ff_job_order order = {name, folder, blocks->home, command, block->nodes};
    block->submitted_ns = ff_monotonic_ns();
    block->job = blocks->provider->submit(blocks->site, &order, &events, error);
    if (block->job == NULL)
        return -1;
    take_report(block);
    if (take_handle(block, error) == 0)
        return 0;
    blocks->provider->cancel(block->job, true);
    return -1;
}

struct ff_block *ff_blocks_start(struct ff_blocks *blocks, unsigned nodes,
                                 const struct ff_id *endpoint_id, struct ff_error *error)
{
    struct ff_id random;
    char id[FF_BLOCK_ID_SIZE];
    if (nodes != 1 && !blocks->provider->grows) {
        ff_fail(error, FF_UNSUPPORTED, "provider %s cannot start a block of %u nodes",
                blocks->provider->name, nodes);
        return NULL;
    }
    ff_id_random(&random);
    ff_text_hex(random.bytes, 4, id);
    struct ff_block *block = make_block(blocks, id);
    if (block == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory for a block");
        return NULL;
    }
    block->nodes = nodes;
    if (prepare_folder(block, endpoint_id, error) < 0 || submit(block, endpoint_id, error) < 0) {
        ff_block_destroy(block);
        return NULL;
    }
    link_block(block);
    return block;
}

/* ---- adopting ---- */

static bool is_block_id(const char *name)
{
    size_t length = strlen(name);
    for (size_t i = 0; i < length; i++)
        if (!isxdigit((unsigned char)name[i]))
            return false;
    return length > 0 && length < FF_BLOCK_ID_SIZE;
}

struct remembered {
    char endpoint_id[FF_ID_TEXT_SIZE];
    int64_t nodes;
};

static int take_pair(void *user, const char *key, const char *value, int line,
                     struct ff_error *error)
{
    struct remembered *remembered = user;
    if (strcmp(key, "endpoint_id") == 0)
        snprintf(remembered->endpoint_id, sizeof remembered->endpoint_id, "%s", value);
    if (strcmp(key, "nodes") == 0 && ff_text_integer(value, 1, 65536, &remembered->nodes) < 0)
        return ff_fail(error, FF_INPUT_INVALID, "line %d: nodes is %s", line, value);
    return 0;
}

/* What block.yaml says, and when it was written. */
static int remember(struct ff_block *block, char name[FF_JOB_NAME_SIZE], struct ff_error *error)
{
    struct remembered remembered = {.nodes = 1};
    char path[PATH_MAX];
    struct stat status;
    path_in(block, "block.yaml", path);
    if (ff_yaml_read(path, take_pair, &remembered, error) < 0)
        return -1;
    block->nodes = (unsigned)remembered.nodes;
    name_job(block, remembered.endpoint_id, name);
    block->submitted_ns = ff_monotonic_ns();
    if (stat(path, &status) == 0)
        block->submitted_ns -= ff_wall_ns() - (int64_t)status.st_mtime * 1000000000;
    return 0;
}

/* The handle is missing where the agent died before it was known. */
static void read_handle(struct ff_block *block)
{
    char path[PATH_MAX];
    char *handle = NULL;
    size_t size = 0;
    path_in(block, "job", path);
    if (ff_file_read(path, FF_HANDLE_SIZE - 1, &handle, &size, NULL) < 0)
        return;
    snprintf(block->handle, sizeof block->handle, "%.*s", (int)strcspn(handle, "\n"), handle);
    free(handle);
}

static int adopt(struct ff_block *block, struct ff_error *error)
{
    struct ff_blocks *blocks = block->blocks;
    const struct ff_provider_events events = {block, job_changed, job_lives};
    const char *const command[] = {blocks->program, blocks->folder->root, block->id, NULL};
    struct ff_curve_keys keys;
    char path[PATH_MAX];
    char folder[PATH_MAX];
    char name[FF_JOB_NAME_SIZE];
    path_in(block, "keys", path);
    if (ff_curve_load(path, &keys, error) < 0 || remember(block, name, error) < 0)
        return -1;
    memcpy(block->public_key, keys.public_key, sizeof block->public_key);
    read_handle(block);
    path_in(block, "", folder);
    const struct ff_job_order order = {name, folder, blocks->home, command, block->nodes};
    block->job = blocks->provider->adopt(blocks->site, &order, block->handle, &events, error);
    block->adopted = true;
    if (block->job == NULL)
        return -1;
    take_report(block);
    return 0;
}

/* One that may live elsewhere keeps its folder: it ends by itself when it finds no agent. */
static void settle_orphan(struct ff_block *block, enum ff_error_code code)
{
    if (code == FF_UNREACHABLE)
        free(block);
    else
        ff_block_destroy(block);
}

void ff_blocks_adopt(struct ff_blocks *blocks)
{
    char path[PATH_MAX];
    struct ff_error error;
    const struct dirent *entry;
    ff_folder_path(blocks->folder, path, "blocks");
    DIR *folder = opendir(path);
    if (folder == NULL)
        return;
    while ((entry = readdir(folder)) != NULL) {
        if (!is_block_id(entry->d_name))
            continue;
        struct ff_block *block = make_block(blocks, entry->d_name);
        if (block == NULL)
            break;
        if (adopt(block, &error) == 0) {
            ff_log(FF_LOG_INFO, "block %s of an earlier agent is adopted", block->id);
            link_block(block);
        } else {
            ff_log(FF_LOG_INFO, "block %s of an earlier agent is not adopted: %s", block->id,
                   error.message);
            settle_orphan(block, error.code);
        }
    }
    closedir(folder);
}

/* ---- the rest of their life ---- */

struct ff_block *ff_blocks_first(const struct ff_blocks *blocks)
{
    return blocks->first;
}

struct ff_block *ff_blocks_find_key(const struct ff_blocks *blocks, const char *public_key)
{
    for (struct ff_block *at = blocks->first; at != NULL; at = at->next)
        if (strcmp(at->public_key, public_key) == 0)
            return at;
    return NULL;
}

void ff_block_look(struct ff_block *block)
{
    if (block->job != NULL && block->state != FF_BLOCK_ENDED)
        block->blocks->provider->look(block->job);
}

void ff_block_cancel(struct ff_block *block, bool at_once)
{
    block->stopping = true;
    block->draining =
        true; /* workers that come all the same leave again, whether the cancel works or not */
    if (block->job != NULL && block->state != FF_BLOCK_ENDED)
        block->blocks->provider->cancel(block->job, at_once);
}

void ff_block_destroy(struct ff_block *block)
{
    char path[PATH_MAX];
    struct ff_error error;
    struct ff_block **at = &block->blocks->first;
    while (*at != NULL && *at != block)
        at = &(*at)->next;
    if (*at == block)
        *at = block->next;
    if (block->job != NULL)
        block->blocks->provider->release(block->job);
    path_in(block, "", path);
    if (ff_folder_remove(path, &error) < 0)
        ff_log_error("the folder of a block stays", &error);
    free(block);
}

/* Whole lines, where there is one; they become one line, and what is not printable ASCII becomes '?'. */
static void make_line(char *text, size_t length, bool cut)
{
    const char *newline = cut ? memchr(text, '\n', length) : NULL;
    size_t from = newline != NULL && newline + 1 < text + length ? (size_t)(newline + 1 - text) : 0;
    memmove(text, text + from, length - from);
    length -= from;
    while (length > 0 && isspace((unsigned char)text[length - 1]))
        length--;
    text[length] = '\0';
    for (size_t i = 0; i < length; i++)
        if (isspace((unsigned char)text[i]))
            text[i] = ' ';
        else if ((unsigned char)text[i] < ' ' || (unsigned char)text[i] >= 0x7f)
            text[i] = '?';
}

void ff_block_last_words(const struct ff_block *block, char *text, size_t size)
{
    char path[PATH_MAX];
    path_in(block, "log", path);
    text[0] = '\0';
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    off_t end = lseek(fd, 0, SEEK_END);
    off_t from = end > (off_t)(size - 1) ? end - (off_t)(size - 1) : 0;
    ssize_t got = pread(fd, text, size - 1, from);
    close(fd);
    make_line(text, got > 0 ? (size_t)got : 0, from > 0);
}

void ff_blocks_destroy(struct ff_blocks *blocks)
{
    if (blocks == NULL)
        return;
    while (blocks->first != NULL) {
        struct ff_block *next = blocks->first->next;
        if (blocks->first->job != NULL)
            blocks->provider->release(blocks->first->job);
        free(blocks->first);
        blocks->first = next;
    }
    if (blocks->site != NULL)
        blocks->provider->close(blocks->site);
    free(blocks->program);
    free(blocks->home);
    free(blocks);
}

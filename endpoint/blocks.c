#include "endpoint/blocks.h"

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
#include <unistd.h>

struct ff_blocks {
    struct ff_loop *loop;
    const struct ff_folder *folder;
    const struct ff_config *config;
    const struct ff_provider *provider;
    char *program;
    struct ff_blocks_events events;
    struct ff_block *first;
};

struct ff_blocks *ff_blocks_create(struct ff_loop *loop, const struct ff_folder *folder,
                                   const struct ff_config *config,
                                   const struct ff_provider *provider, const char *program,
                                   const struct ff_blocks_events *events, struct ff_error *error)
{
    struct ff_blocks *blocks = calloc(1, sizeof *blocks);
    if (blocks != NULL)
        blocks->program = strdup(program);
    if (blocks == NULL || blocks->program == NULL) {
        free(blocks);
        ff_fail(error, FF_NO_MEMORY, "no memory for the blocks");
        return NULL;
    }
    blocks->loop = loop;
    blocks->folder = folder;
    blocks->config = config;
    blocks->provider = provider;
    blocks->events = *events;
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

static void job_changed(void *user, enum ff_block_state state, const char *handle, const char *why)
{
    struct ff_block *block = user;
    struct ff_error error;
    snprintf(block->why, sizeof block->why, "%s", why);
    if (state != FF_BLOCK_ENDED) {
        if (handle[0] != '\0' && keep_handle(block, handle, &error) < 0)
            ff_log_error("the handle of a block cannot be kept", &error);
        return;
    }
    block->ended = true;
    block->blocks->events.ended(block->blocks->events.user, block);
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

static int write_settings(const struct ff_block *block, const struct ff_id *endpoint_id,
                          struct ff_error *error)
{
    const struct ff_config *config = block->blocks->config;
    struct ff_buffer buffer;
    char path[PATH_MAX];
    char id[FF_ID_TEXT_SIZE];
    ff_id_text(endpoint_id, id);
    ff_buffer_init(&buffer, 8192);
    ff_buffer_printf(&buffer, "slots: %u\ncores: %u\ngpu_registry: ", ff_config_slots(config),
                     ff_config_cores());
    ff_yaml_quote(&buffer, config->gpu_registry);
    /* No end: the only provider so far, local, has no time limit for a block. */
    ff_buffer_printf(&buffer,
                     "\nagent_lost_limit_ms: %lld\nheartbeat_ms: %d\nlost_ms: %d\nends_ns: 0\n"
                     "endpoint_id: %s\n",
                     (long long)config->agent_lost_limit_ms, FF_HEARTBEAT_MS, FF_PEER_LOST_MS, id);
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

static int submit(struct ff_block *block, struct ff_error *error)
{
    struct ff_blocks *blocks = block->blocks;
    const struct ff_provider_events events = {block, job_changed};
    char log[PATH_MAX];
    const char *const command[] = {blocks->program, blocks->folder->root, block->id, NULL};
    path_in(block, "log", log);
    block->job = blocks->provider->submit(blocks->loop, command, log, &events, error);
    if (block->job == NULL)
        return -1;
    const char *handle = blocks->provider->handle(block->job);
    if (handle[0] == '\0' || keep_handle(block, handle, error) == 0)
        return 0;
    blocks->provider->cancel(block->job, true);
    return -1;
}

struct ff_block *ff_blocks_start(struct ff_blocks *blocks, const struct ff_id *endpoint_id,
                                 struct ff_error *error)
{
    struct ff_id random;
    char id[FF_BLOCK_ID_SIZE];
    ff_id_random(&random);
    ff_text_hex(random.bytes, 4, id);
    struct ff_block *block = make_block(blocks, id);
    if (block == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory for a block");
        return NULL;
    }
    if (prepare_folder(block, endpoint_id, error) < 0 || submit(block, error) < 0) {
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

static int adopt(struct ff_block *block, struct ff_error *error)
{
    const struct ff_provider_events events = {block, job_changed};
    struct ff_curve_keys keys;
    char path[PATH_MAX];
    char *handle = NULL;
    size_t size = 0;
    path_in(block, "keys", path);
    if (ff_curve_load(path, &keys, error) < 0)
        return -1;
    memcpy(block->public_key, keys.public_key, sizeof block->public_key);
    path_in(block, "job", path);
    if (ff_file_read(path, FF_HANDLE_SIZE - 1, &handle, &size, error) < 0)
        return -1;
    block->job = block->blocks->provider->adopt(block->blocks->loop, handle, &events, error);
    free(handle);
    block->adopted = true;
    return block->job != NULL ? 0 : -1;
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
            ff_log(FF_LOG_INFO, "block %s of an earlier agent lives and is adopted", block->id);
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

void ff_block_cancel(struct ff_block *block, bool at_once)
{
    block->stopping = true;
    if (block->job != NULL && !block->ended)
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
    text[got > 0 ? got : 0] = '\0';
    for (size_t used = strlen(text); used > 0 && isspace((unsigned char)text[used - 1]); used--)
        text[used - 1] = '\0';
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
    free(blocks->program);
    free(blocks);
}

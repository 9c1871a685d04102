#include "worker/settings.h"

#include "protocol/core/clock.h"
#include "protocol/core/text.h"
#include "protocol/core/yaml.h"
#include "protocol/limits.h"
#include "worker/gpu/table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int take_pair(void *user, const char *key, const char *value, int line,
                     struct ff_error *error)
{
    struct ff_settings *settings = user;
    const struct {
        const char *key;
        int64_t *to;
        int64_t low;
        int64_t high;
    } numbers[] = {
        {"slots", &settings->slots, 0, FF_MOST_SLOTS},
        {"cores", &settings->cores, 0, 1 << 20},
        {"agent_lost_limit_ms", &settings->agent_lost_limit_ms, 1, INT64_MAX / 1000000},
        {"ends_ns", &settings->ends_ns, 0, INT64_MAX},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (strcmp(key, numbers[i].key) != 0)
            continue;
        if (ff_text_integer(value, numbers[i].low, numbers[i].high, numbers[i].to) == 0)
            return 0;
        return ff_fail(error, FF_INVALID_SETTING, "line %d: %s is %s; it must be %lld…%lld", line,
                       key, value, (long long)numbers[i].low, (long long)numbers[i].high);
    }
    if (strcmp(key, "gpu_registry") == 0) {
        if (strlen(value) >= sizeof settings->gpu_registry)
            return ff_fail(error, FF_INVALID_SETTING, "line %d: gpu_registry is too long", line);
        snprintf(settings->gpu_registry, sizeof settings->gpu_registry, "%s", value);
    } else if (strcmp(key, "endpoint_id") == 0 &&
               ff_id_parse(value, strlen(value), &settings->endpoint) < 0) {
        return ff_fail(error, FF_INVALID_SETTING, "line %d: endpoint_id is no id: %s", line, value);
    }
    return 0;
}

static void name_node(struct ff_settings *settings)
{
    gethostname(settings->host, sizeof settings->host - 1);
    const char *node = getenv("SLURMD_NODENAME");
    snprintf(settings->node, sizeof settings->node, "%s",
             node != NULL && node[0] != '\0' ? node : settings->host);
}

/* A time that has passed is not that of this block: a variable may outlive the job that set it. */
static void find_end(struct ff_settings *settings)
{
    const char *text = getenv("FARFIELD_BLOCK_ENDS"); /* seconds since the epoch */
    int64_t seconds = 0;
    if (text != NULL && ff_text_integer(text, 0, INT64_MAX / 1000000000, &seconds) == 0 &&
        seconds > 0)
        settings->ends_ns = seconds * 1000000000;
    if (settings->ends_ns <= ff_wall_ns())
        settings->ends_ns = 0;
}

int ff_settings_read(const char *endpoint_folder, const char *block, struct ff_settings *settings,
                     struct ff_error *error)
{
    char path[PATH_MAX];
    memset(settings, 0, sizeof *settings);
    settings->agent_lost_limit_ms = FF_AGENT_LOST_LIMIT_MS;
    snprintf(settings->gpu_registry, sizeof settings->gpu_registry, "%s", FF_GPU_DEFAULT_PATH);
    name_node(settings);
    if (!ff_text_is_name(block))
        return ff_fail(error, FF_INVALID_ARGUMENT, "%s is no name of a block", block);
    snprintf(settings->block, sizeof settings->block, "%s", block);
    char *folder = realpath(endpoint_folder, NULL);
    if (folder == NULL)
        return ff_fail_errno(error, FF_INPUT_MISSING, errno, "cannot find the endpoint folder %s",
                             endpoint_folder);
    int length =
        snprintf(settings->endpoint_folder, sizeof settings->endpoint_folder, "%s", folder);
    free(folder);
    if ((size_t)length >= sizeof settings->endpoint_folder)
        return ff_fail(error, FF_INVALID_ARGUMENT, "the path of the endpoint is too long");
    snprintf(path, sizeof path, "%s/blocks/%s/block.yaml", settings->endpoint_folder, block);
    if (ff_yaml_read(path, take_pair, settings, error) < 0)
        return -1;
    find_end(settings);
    snprintf(path, sizeof path, "%s/blocks/%s/keys", settings->endpoint_folder, block);
    return ff_curve_load(path, &settings->keys, error);
}

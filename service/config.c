#include "service/config.h"

#include "protocol/core/file.h"
#include "protocol/core/text.h"
#include "protocol/core/yaml.h"
#include "protocol/limits.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PORT_MOST = 65535, FILE_LIMIT = 65536, HOUR_MS = 3600000 };

struct setting {
    const char *key;
    size_t offset;
    int64_t low, high, value;
    const char *help;
};

#define SETTING(name, low, high, value, help)                                                      \
    {                                                                                              \
#name, offsetof(struct ff_config, name), low, high, value, help                            \
    }

static const struct setting settings[] = {
    SETTING(https_port, 0, PORT_MOST, FF_HTTPS_PORT,
            "port of the HTTPS API; 0: any free one at the first start, then kept"),
    SETTING(router_port, 0, PORT_MOST, FF_ROUTER_PORT,
            "port that endpoints connect to; 0: as above"),
    SETTING(compat_http, 0, PORT_MOST, 0,
            "port of a clear-text listener on 127.0.0.1, for clients that cannot do TLS; 0: none"),
    SETTING(max_retries, 0, 100, FF_MAX_RETRIES,
            "new attempts after a runner, node or endpoint was lost, where a task does not say"),
    SETTING(endpoint_window, 1, 1000000, FF_ENDPOINT_WINDOW,
            "tasks without result that one endpoint may hold"),
    SETTING(result_days, 1, 36500, FF_RESULT_DAYS, "days that ended tasks and results are kept"),
    SETTING(object_limit, 1024, INT64_MAX, FF_OBJECT_LIMIT, "bytes of one uploaded object"),
    SETTING(heartbeat_ms, 10, HOUR_MS, FF_HEARTBEAT_MS,
            "ms of silence after which a sign of life is sent to an endpoint"),
    SETTING(lost_ms, 50, 24 * HOUR_MS, FF_PEER_LOST_MS,
            "ms of silence after which an endpoint counts as lost"),
};
enum { SETTING_COUNT = sizeof settings / sizeof settings[0] };

static const char host_help[] =
    "address that both ports listen on; 0.0.0.0 or :: lets other machines in";

void ff_config_defaults(struct ff_config *config)
{
    memset(config, 0, sizeof *config);
    snprintf(config->host, sizeof config->host, "127.0.0.1");
    for (size_t i = 0; i < SETTING_COUNT; i++)
        memcpy((char *)config + settings[i].offset, &settings[i].value, sizeof(int64_t));
}

struct reading {
    struct ff_config *config;
    const char *path;
};

static int refuse_unknown(const struct reading *reading, const char *key, int line,
                          struct ff_error *error)
{
    const char *names[SETTING_COUNT + 1] = {"host"};
    for (size_t i = 0; i < SETTING_COUNT; i++)
        names[i + 1] = settings[i].key;
    const char *nearest = ff_text_nearest(key, names, SETTING_COUNT + 1);
    ff_fail(error, FF_UNKNOWN_SETTING, "%s line %d: there is no setting \"%s\"", reading->path,
            line, key);
    if (nearest != NULL)
        ff_hint(error, "did you mean %s?", nearest);
    else
        ff_hint(error, "remove the line");
    return -1;
}

static int take_pair(void *user, const char *key, const char *value, int line,
                     struct ff_error *error)
{
    struct reading *reading = user;
    if (strcmp(key, "host") == 0) {
        if (value[0] == '\0' || strlen(value) >= FF_HOST_SIZE)
            return ff_fail(error, FF_INVALID_SETTING, "%s line %d: host is empty or too long",
                           reading->path, line);
        snprintf(reading->config->host, FF_HOST_SIZE, "%s", value);
        return 0;
    }
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        const struct setting *setting = &settings[i];
        int64_t number;
        if (strcmp(key, setting->key) != 0)
            continue;
        if (ff_text_integer(value, setting->low, setting->high, &number) < 0)
            return ff_fail(error, FF_INVALID_SETTING,
                           "%s line %d: %s is \"%s\"; it must be a whole number from %lld to %lld",
                           reading->path, line, key, value, (long long)setting->low,
                           (long long)setting->high);
        memcpy((char *)reading->config + setting->offset, &number, sizeof number);
        return 0;
    }
    return refuse_unknown(reading, key, line, error);
}

int ff_config_read(const char *path, struct ff_config *config, struct ff_error *error)
{
    struct ff_config read = *config;
    struct reading reading = {&read, path};
    if (ff_yaml_read(path, take_pair, &reading, error) < 0)
        return -1;
    if (read.lost_ms < 2 * read.heartbeat_ms) {
        ff_fail(error, FF_INVALID_SETTING,
                "%s: lost_ms is %lld, less than twice heartbeat_ms (%lld)", path,
                (long long)read.lost_ms, (long long)read.heartbeat_ms);
        return ff_hint(error, "let lost_ms be about four times heartbeat_ms");
    }
    *config = read;
    return 0;
}

int ff_config_make(const char *path, struct ff_error *error)
{
    struct ff_buffer text;
    if (access(path, F_OK) == 0)
        return 0;
    ff_buffer_init(&text, FILE_LIMIT);
    ff_buffer_append_text(&text,
                          "# The Farfield service. Values shown are the defaults. SIGHUP reads "
                          "this file again;\n# host, ports and times count from the next "
                          "start.\n\n");
    ff_buffer_printf(&text, "# %s\n#host: 127.0.0.1\n", host_help);
    for (size_t i = 0; i < SETTING_COUNT; i++)
        ff_buffer_printf(&text, "\n# %s\n#%s: %lld\n", settings[i].help, settings[i].key,
                         (long long)settings[i].value);
    int result = ff_buffer_check(&text, "config.yaml", error);
    if (result == 0)
        result = ff_file_write(path, ff_buffer_span(&text), 0600, error);
    ff_buffer_dispose(&text);
    return result;
}

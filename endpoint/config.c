#include "endpoint/config.h"

#include "protocol/core/text.h"
#include "protocol/core/yaml.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>

enum key_type { KEY_TEXT, KEY_NUMBER };

struct key {
    const char *name;
    enum key_type type;
    size_t offset;
    const char *standard_text;
    int64_t standard_number;
    int64_t low;
    int64_t high;
    const char *help;
};

#define FF_CONFIG_ROW_TEXT(member, standard, low, high, help)                                      \
    {#member, KEY_TEXT, offsetof(struct ff_config, member), standard, 0, 0, 0, help},
#define FF_CONFIG_ROW_NUMBER(member, standard, low, high, help)                                    \
    {#member, KEY_NUMBER, offsetof(struct ff_config, member), NULL, standard, low, high, help},
#define FF_CONFIG_ROW(type, member, standard, low, high, help)                                     \
    FF_CONFIG_ROW_##type(member, standard, low, high, help)
static const struct key keys[] = {FF_CONFIG_KEYS(FF_CONFIG_ROW)};
#undef FF_CONFIG_ROW
#undef FF_CONFIG_ROW_NUMBER
#undef FF_CONFIG_ROW_TEXT

enum { KEY_COUNT = sizeof keys / sizeof keys[0] };

void ff_config_defaults(struct ff_config *config)
{
    memset(config, 0, sizeof *config);
    for (int i = 0; i < KEY_COUNT; i++) {
        char *at = (char *)config + keys[i].offset;
        if (keys[i].type == KEY_TEXT)
            snprintf(at, FF_CONFIG_TEXT_SIZE, "%s", keys[i].standard_text);
        else
            memcpy(at, &keys[i].standard_number, sizeof keys[i].standard_number);
    }
}

static int refuse_key(const char *key, struct ff_error *error)
{
    const char *names[KEY_COUNT];
    for (int i = 0; i < KEY_COUNT; i++)
        names[i] = keys[i].name;
    const char *nearest = ff_text_nearest(key, names, KEY_COUNT);
    ff_fail(error, FF_UNKNOWN_SETTING, "there is no setting \"%.80s\"", key);
    if (nearest != NULL)
        ff_hint(error, "did you mean \"%s\"?", nearest);
    return -1;
}

/* What only a look at the value itself can tell. */
static int check_text(const char *key, const char *value, struct ff_error *error)
{
    if (strlen(value) >= FF_CONFIG_TEXT_SIZE || value[0] == '\0')
        return ff_fail(error, FF_INVALID_SETTING, "%s must have 1 to %d characters", key,
                       FF_CONFIG_TEXT_SIZE - 1);
    if (strcmp(key, "provider") == 0 && strcmp(value, "local") != 0) {
        ff_fail(error, FF_INVALID_SETTING, "provider is \"%s\"; this release knows: local", value);
        return ff_hint(error, "set provider: local");
    }
    return 0;
}

int ff_config_set(struct ff_config *config, const char *key, const char *value,
                  struct ff_error *error)
{
    const struct key *row = NULL;
    for (int i = 0; i < KEY_COUNT && row == NULL; i++)
        if (strcmp(keys[i].name, key) == 0)
            row = &keys[i];
    if (row == NULL)
        return refuse_key(key, error);
    char *at = (char *)config + row->offset;
    if (row->type == KEY_TEXT) {
        if (check_text(key, value, error) < 0)
            return -1;
        snprintf(at, FF_CONFIG_TEXT_SIZE, "%s", value);
        return 0;
    }
    int64_t number;
    if (ff_text_integer(value, row->low, row->high, &number) < 0)
        return ff_fail(error, FF_INVALID_SETTING,
                       "%s is \"%.80s\"; it must be a whole number from %lld to %lld", key, value,
                       (long long)row->low, (long long)row->high);
    memcpy(at, &number, sizeof number);
    return 0;
}

struct reading {
    struct ff_config *config;
    const char *path;
};

static int take_pair(void *user, const char *key, const char *value, int line,
                     struct ff_error *error)
{
    struct reading *reading = user;
    if (ff_config_set(reading->config, key, value, error) == 0)
        return 0;
    return ff_fail_prefix(error, "%s, line %d: ", reading->path, line);
}

int ff_config_read(struct ff_config *config, const char *path, struct ff_error *error)
{
    struct ff_config read;
    struct reading reading = {&read, path};
    ff_config_defaults(&read);
    if (ff_yaml_read(path, take_pair, &reading, error) < 0)
        return -1;
    *config = read;
    return 0;
}

void ff_config_write(const struct ff_config *config, struct ff_buffer *buffer)
{
    struct ff_config standard;
    ff_config_defaults(&standard);
    ff_buffer_append_text(buffer, "# Settings of this endpoint. A line with # shows the default; "
                                  "remove the # to change it.\n# `farfield endpoint restart` makes "
                                  "the agent read them again.\n");
    for (int i = 0; i < KEY_COUNT; i++) {
        const char *at = (const char *)config + keys[i].offset;
        const char *before = (const char *)&standard + keys[i].offset;
        ff_buffer_printf(buffer, "\n# %s\n", keys[i].help);
        if (keys[i].type == KEY_TEXT) {
            bool same = strcmp(at, before) == 0 && strcmp(keys[i].name, "provider") != 0;
            ff_buffer_printf(buffer, "%s%s: ", same ? "# " : "", keys[i].name);
            ff_yaml_quote(buffer, at);
            ff_buffer_append_text(buffer, "\n");
        } else {
            int64_t number;
            memcpy(&number, at, sizeof number);
            bool same = memcmp(at, before, sizeof number) == 0;
            ff_buffer_printf(buffer, "%s%s: %lld\n", same ? "# " : "", keys[i].name,
                             (long long)number);
        }
    }
}

unsigned ff_config_cores(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) < 0)
        return 1;
    int count = CPU_COUNT(&set);
    return count > 0 ? (unsigned)count : 1;
}

unsigned ff_config_slots(const struct ff_config *config)
{
    return config->slots > 0 ? (unsigned)config->slots : ff_config_cores();
}

#include "endpoint/config.h"

#include "endpoint/providers/scheduler.h"
#include "endpoint/walltime.h"
#include "protocol/core/text.h"
#include "protocol/core/yaml.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum key_type { KEY_TEXT, KEY_LINES, KEY_NUMBER, KEY_FLAG, KEY_DURATION };

struct key {
    const char *name;
    enum key_type type;
    size_t offset;
    size_t size;
    const char *standard_text;
    int64_t standard_number;
    int64_t low;
    int64_t high;
    const char *help;
};

#define FF_CONFIG_PLACE(member)                                                                    \
    offsetof(struct ff_config, member), sizeof((struct ff_config *)0)->member
#define FF_CONFIG_ROW_TEXT(member, standard, low, high, help)                                      \
    {#member, KEY_TEXT, FF_CONFIG_PLACE(member), standard, 0, 0, 0, help},
#define FF_CONFIG_ROW_LINES(member, standard, low, high, help)                                     \
    {#member, KEY_LINES, FF_CONFIG_PLACE(member), standard, 0, 0, 0, help},
#define FF_CONFIG_ROW_NUMBER(member, standard, low, high, help)                                    \
    {#member, KEY_NUMBER, FF_CONFIG_PLACE(member), NULL, standard, low, high, help},
#define FF_CONFIG_ROW_FLAG(member, standard, low, high, help)                                      \
    {#member, KEY_FLAG, FF_CONFIG_PLACE(member), NULL, standard, low, high, help},
#define FF_CONFIG_ROW_DURATION(member, standard, low, high, help)                                  \
    {#member, KEY_DURATION, FF_CONFIG_PLACE(member), NULL, standard, low, high, help},
#define FF_CONFIG_ROW(type, member, standard, low, high, help)                                     \
    FF_CONFIG_ROW_##type(member, standard, low, high, help)
static const struct key keys[] = {FF_CONFIG_KEYS(FF_CONFIG_ROW)};
#undef FF_CONFIG_ROW
#undef FF_CONFIG_ROW_DURATION
#undef FF_CONFIG_ROW_FLAG
#undef FF_CONFIG_ROW_NUMBER
#undef FF_CONFIG_ROW_LINES
#undef FF_CONFIG_ROW_TEXT
#undef FF_CONFIG_PLACE

enum { KEY_COUNT = sizeof keys / sizeof keys[0] };

static bool is_text(const struct key *key)
{
    return key->type == KEY_TEXT || key->type == KEY_LINES;
}

void ff_config_defaults(struct ff_config *config)
{
    memset(config, 0, sizeof *config);
    for (int i = 0; i < KEY_COUNT; i++) {
        char *at = (char *)config + keys[i].offset;
        if (is_text(&keys[i]))
            snprintf(at, keys[i].size, "%s", keys[i].standard_text);
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

static int refuse_provider(const char *value, struct ff_error *error)
{
    const char *names[8];
    char known[128] = "";
    size_t count = 0;
    for (const char *name; count < 8 && (name = ff_provider_name(count)) != NULL; count++) {
        size_t used = strlen(known);
        snprintf(known + used, sizeof known - used, "%s%s", count > 0 ? ", " : "", name);
        names[count] = name;
    }
    const char *nearest = ff_text_nearest(value, names, count);
    ff_fail(error, FF_INVALID_SETTING, "provider is \"%s\"; this release knows: %s", value, known);
    return ff_hint(error, "set provider: %s", nearest != NULL ? nearest : "local");
}

/* They go into scripts and command lines of schedulers, where a control character could begin something else. */
static bool is_printable(const char *value, bool lines)
{
    for (const char *at = value; *at != '\0'; at++)
        if (((unsigned char)*at < ' ' || *at == 0x7f) && *at != '\t' && !(lines && *at == '\n'))
            return false;
    return true;
}

static int set_text(const struct key *key, char *at, const char *value, struct ff_error *error)
{
    bool lines = key->type == KEY_LINES;
    if (!is_printable(value, lines))
        return ff_fail(error, FF_INVALID_SETTING, "%s holds a control character", key->name);
    if (!lines && value[0] == '\0' && key->standard_text[0] != '\0')
        return ff_fail(error, FF_INVALID_SETTING, "%s must have 1 to %zu characters", key->name,
                       key->size - 1);
    size_t used = lines ? strlen(at) : 0;
    if (used + strlen(value) + 2 > key->size)
        return ff_fail(error, FF_INVALID_SETTING, "%s must have at most %zu characters", key->name,
                       key->size - 2);
    if (strcmp(key->name, "provider") == 0 && ff_provider_find(value) == NULL)
        return refuse_provider(value, error);
    snprintf(at + used, key->size - used, "%s%s", used > 0 ? "\n" : "", value);
    return 0;
}

static int read_flag(const char *value, int64_t *number)
{
    static const char *const words[] = {"false", "no", "off", "0", "true", "yes", "on", "1"};
    for (int i = 0; i < 8; i++)
        if (strcasecmp(value, words[i]) == 0) {
            *number = i / 4;
            return 0;
        }
    return -1;
}

static int set_number(const struct key *key, char *at, const char *value, struct ff_error *error)
{
    int64_t number;
    char low[32];
    char high[32];
    switch (key->type) {
    case KEY_FLAG:
        if (read_flag(value, &number) < 0)
            return ff_fail(error, FF_INVALID_SETTING, "%s is \"%.80s\"; it must be true or false",
                           key->name, value);
        break;
    case KEY_DURATION:
        if (ff_walltime_read(value, &number) < 0 ||
            (number != 0 && (number < key->low || number > key->high))) {
            ff_walltime_text(key->low, low);
            ff_walltime_text(key->high, high);
            ff_fail(error, FF_INVALID_SETTING, "%s is \"%.80s\"; it must be from %s to %s",
                    key->name, value, low, high);
            return ff_hint(error, "write 30m, 2h, 2:00:00 (hours, minutes, seconds) or 1-12:00:00");
        }
        break;
    default:
        if (ff_text_integer(value, key->low, key->high, &number) < 0)
            return ff_fail(error, FF_INVALID_SETTING,
                           "%s is \"%.80s\"; it must be a whole number from %lld to %lld",
                           key->name, value, (long long)key->low, (long long)key->high);
    }
    memcpy(at, &number, sizeof number);
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
    return is_text(row) ? set_text(row, at, value, error) : set_number(row, at, value, error);
}

int ff_config_check(const struct ff_config *config, struct ff_error *error)
{
    const struct ff_provider *provider = ff_provider_find(config->provider);
    bool alone = strcmp(config->launcher, "none") == 0;
    if (config->min_blocks > config->max_blocks)
        return ff_fail(error, FF_INVALID_SETTING,
                       "min_blocks is %lld, which is more than max_blocks, %lld",
                       (long long)config->min_blocks, (long long)config->max_blocks);
    if (config->nodes_per_block > 1 && (!provider->grows || alone)) {
        ff_fail(error, FF_INVALID_SETTING, "nodes_per_block is %lld, but %s starts one node only",
                (long long)config->nodes_per_block, alone ? "launcher: none" : "provider: local");
        return ff_hint(error, alone ? "set launcher: auto" : "set nodes_per_block: 1");
    }
    const struct ff_scheduler *scheduler = provider->scheduler;
    return scheduler != NULL && scheduler->check != NULL ? scheduler->check(config, error) : 0;
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
    if (ff_config_check(&read, error) < 0)
        return ff_fail_prefix(error, "%s: ", path);
    *config = read;
    return 0;
}

static void write_value(const struct key *key, const char *at, struct ff_buffer *buffer)
{
    int64_t number;
    char text[32];
    if (is_text(key)) {
        ff_yaml_quote(buffer, at);
        return;
    }
    memcpy(&number, at, sizeof number);
    if (key->type == KEY_FLAG)
        ff_buffer_append_text(buffer, number != 0 ? "true" : "false");
    else if (key->type == KEY_NUMBER)
        ff_buffer_printf(buffer, "%lld", (long long)number);
    else {
        ff_walltime_text(number, text);
        ff_buffer_append_text(buffer, text);
    }
}

static void write_key(const struct key *key, const char *at, const char *standard,
                      struct ff_buffer *buffer)
{
    bool same = is_text(key) ? strcmp(at, standard) == 0 : memcmp(at, standard, key->size) == 0;
    bool hidden = same && strcmp(key->name, "provider") != 0;
    ff_buffer_printf(buffer, "\n# %s\n%s%s: ", key->help, hidden ? "# " : "", key->name);
    write_value(key, at, buffer);
    ff_buffer_append_text(buffer, "\n");
}

void ff_config_write(const struct ff_config *config, const char *notes, struct ff_buffer *buffer)
{
    struct ff_config standard;
    ff_config_defaults(&standard);
    ff_buffer_append_text(buffer, "# Settings of this endpoint. A line with # shows the default; "
                                  "remove the # to change it.\n# `farfield endpoint restart` makes "
                                  "the agent read them again.\n");
    if (notes[0] != '\0')
        ff_buffer_append_text(buffer, "\n# Chosen when it was made:\n");
    while (*notes != '\0') {
        size_t length = strcspn(notes, "\n");
        ff_buffer_printf(buffer, "#   %.*s\n", (int)length, notes);
        notes += notes[length] == '\n' ? length + 1 : length;
    }
    for (int i = 0; i < KEY_COUNT; i++)
        write_key(&keys[i], (const char *)config + keys[i].offset,
                  (const char *)&standard + keys[i].offset, buffer);
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

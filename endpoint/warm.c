#include "endpoint/warm.h"

#include "endpoint/config.h"
#include "protocol/core/clock.h"
#include "protocol/core/file.h"
#include "protocol/core/process.h"
#include "protocol/core/text.h"
#include "protocol/core/yaml.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const int64_t second_ns = 1000000000;

/* ---- the file ---- */

struct reading {
    struct ff_warm warm;
    const char *path;
};

static int take_pair(void *user, const char *key, const char *value, int line,
                     struct ff_error *error)
{
    struct reading *reading = user;
    int64_t number;
    if (strcmp(key, "blocks") == 0 && ff_text_integer(value, 1, UINT32_MAX, &number) == 0)
        reading->warm.blocks = (unsigned)number;
    else if (strcmp(key, "until_ns") == 0 && ff_text_integer(value, 1, INT64_MAX, &number) == 0)
        reading->warm.until_ns = number;
    else
        return ff_fail(error, FF_INVALID_SETTING, "%s, line %d: \"%.80s\" is not as it should be",
                       reading->path, line, key);
    return 0;
}

int ff_warm_read(const struct ff_folder *folder, struct ff_warm *warm, struct ff_error *error)
{
    char path[PATH_MAX];
    struct reading reading = {.path = path};
    memset(warm, 0, sizeof *warm);
    ff_folder_path(folder, path, "warm");
    if (access(path, F_OK) < 0 && errno == ENOENT)
        return 0;
    if (ff_yaml_read(path, take_pair, &reading, error) < 0)
        return -1;
    if (reading.warm.blocks > 0 && reading.warm.until_ns > ff_wall_ns())
        *warm = reading.warm;
    return 0;
}

int ff_warm_write(const struct ff_folder *folder, const struct ff_warm *warm,
                  struct ff_error *error)
{
    char path[PATH_MAX];
    char text[160];
    char until[FF_TIME_TEXT_SIZE];
    ff_folder_path(folder, path, "warm");
    if (warm->blocks == 0) {
        if (unlink(path) < 0 && errno != ENOENT)
            return ff_fail_errno(error, FF_IO, errno, "cannot remove %s", path);
        return 0;
    }
    ff_time_text(warm->until_ns, until);
    snprintf(text, sizeof text, "# farfield endpoint warm, until %s\nblocks: %u\nuntil_ns: %lld\n",
             until, warm->blocks, (long long)warm->until_ns);
    return ff_file_write(path, ff_span_of(text), 0600, error);
}

/* ---- the date ---- */

static int not_a_date(const char *text, struct ff_error *error)
{
    ff_fail(error, FF_INVALID_ARGUMENT, "\"%.80s\" is no date that --until understands", text);
    return ff_hint(error, "--until 2026-11-28T18:00, --until 18:00 (the next one), or --until +4h "
                          "(from now on; m, h, d)");
}

/* "+4h": -1 where it is none. */
static int parse_after(const char *text, int64_t now_ns, int64_t *until_ns)
{
    static const struct {
        char unit;
        int64_t seconds;
    } units[] = {{'m', 60}, {'h', 3600}, {'d', 86400}};
    char *end = NULL;
    double count = text[0] == '+' ? strtod(text + 1, &end) : 0;
    if (end == NULL || end == text + 1 || !(count > 0 && count < 10000) || end[0] == '\0' ||
        end[1] != '\0')
        return -1;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (units[i].unit == end[0]) {
            *until_ns = now_ns + (int64_t)(count * (double)units[i].seconds * 1e9);
            return 0;
        }
    return -1;
}

/* All of the text by this format, on top of what `parts` holds. */
static bool fits(const char *text, const char *format, struct tm *parts)
{
    const char *end = strptime(text, format, parts);
    return end != NULL && *end == '\0';
}

/* "18:00": today, or where that is past, tomorrow. */
static bool parse_time_of_day(const char *text, time_t now, time_t *until)
{
    struct tm parts;
    if (localtime_r(&now, &parts) == NULL)
        return false;
    parts.tm_sec = 0;
    if (!fits(text, "%H:%M", &parts))
        return false;
    parts.tm_isdst = -1;
    struct tm tomorrow = parts;
    tomorrow.tm_mday++;
    *until = mktime(&parts);
    if (*until <= now)
        *until = mktime(&tomorrow);
    return true;
}

static bool parse_date(const char *text, time_t *until)
{
    static const char *const formats[] = {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M",
                                          "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M"};
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        char universal[32];
        struct tm parts = {.tm_isdst = -1};
        if (fits(text, formats[i], &parts)) {
            *until = mktime(&parts);
            return true;
        }
        snprintf(universal, sizeof universal, "%sZ", formats[i]);
        memset(&parts, 0, sizeof parts);
        if (fits(text, universal, &parts)) {
            *until = timegm(&parts);
            return true;
        }
    }
    return false;
}

int ff_warm_parse_until(const char *text, int64_t now_ns, int64_t *until_ns, struct ff_error *error)
{
    time_t until = 0;
    if (parse_after(text, now_ns, until_ns) == 0)
        return 0;
    bool known =
        parse_time_of_day(text, (time_t)(now_ns / second_ns), &until) || parse_date(text, &until);
    if (!known || until > INT64_MAX / second_ns || until < INT64_MIN / second_ns)
        return not_a_date(text, error);
    *until_ns = (int64_t)until * second_ns;
    if (*until_ns > now_ns)
        return 0;
    char words[64];
    ff_text_duration(1e-9 * (double)(now_ns - *until_ns), words, sizeof words);
    ff_fail(error, FF_INVALID_ARGUMENT, "\"%.80s\" is past, by %s", text, words);
    return ff_hint(error, "a date to come, or --until +4h");
}

/* ---- the verb ---- */

static int parse_blocks(const struct ff_folder *folder, const char *text, unsigned *blocks,
                        struct ff_error *error)
{
    struct ff_config config;
    char path[PATH_MAX];
    int64_t number;
    ff_folder_path(folder, path, "config.yaml");
    if (ff_config_read(&config, path, error) < 0)
        return -1;
    if (ff_text_integer(text, 0, INT32_MAX, &number) < 0)
        return ff_fail(error, FF_INVALID_ARGUMENT,
                       "\"%.80s\" is no number of blocks; 0 ends the warm reserve", text);
    if (number > config.max_blocks) {
        ff_fail(error, FF_INVALID_ARGUMENT,
                "%lld blocks cannot be kept warm: endpoint %s may have %lld at most",
                (long long)number, folder->name, (long long)config.max_blocks);
        return ff_hint(error, "raise max_blocks in %s, then farfield endpoint restart %s", path,
                       folder->name);
    }
    *blocks = (unsigned)number;
    return 0;
}

/* Whether an agent runs on this host; on another one it cannot be told from here. */
static int find_agent(const struct ff_folder *folder, struct ff_process_id *agent, bool *runs,
                      struct ff_error *error)
{
    char path[PATH_MAX];
    char host[256];
    char here[256] = "";
    *runs = false;
    ff_folder_path(folder, path, "run/process");
    if (access(path, F_OK) < 0)
        return 0;
    if (ff_process_file_read(path, agent, host, sizeof host, error) < 0)
        return -1;
    gethostname(here, sizeof here - 1);
    if (strcmp(host, here) != 0) {
        ff_fail(error, FF_ENDPOINT_IN_USE, "endpoint %s runs on %s, and this is another host",
                folder->name, host);
        return ff_hint(error, "ssh %s farfield endpoint warm %s …", host, folder->name);
    }
    *runs = ff_process_alive(*agent);
    return 0;
}

static void print_done(const struct ff_folder *folder, const struct ff_warm *warm, bool told,
                       bool json)
{
    char until[FF_TIME_TEXT_SIZE];
    char words[64];
    ff_time_text(warm->until_ns, until);
    ff_text_duration(1e-9 * (double)(warm->until_ns - ff_wall_ns()), words, sizeof words);
    if (json && warm->blocks > 0)
        printf("{\"name\": \"%s\", \"warm_blocks\": %u, \"warm_until\": \"%s\", \"told\": %s}\n",
               folder->name, warm->blocks, until, told ? "true" : "false");
    else if (json)
        printf("{\"name\": \"%s\", \"warm_blocks\": 0, \"warm_until\": null, \"told\": %s}\n",
               folder->name, told ? "true" : "false");
    else if (warm->blocks == 0)
        printf("endpoint %s keeps no blocks warm\n", folder->name);
    else
        printf("endpoint %s keeps %u block%s until %.10s %.5sZ (%s from now)%s\n", folder->name,
               warm->blocks, warm->blocks == 1 ? "" : "s", until, until + 11, words,
               told ? "" : "; it does not run: farfield endpoint start");
}

int ff_warm_command(const struct ff_folder *folder, const char *blocks, const char *until,
                    bool json, struct ff_error *error)
{
    struct ff_warm warm = {.blocks = 0};
    struct ff_process_id agent;
    bool runs;
    if (parse_blocks(folder, blocks, &warm.blocks, error) < 0)
        return -1;
    if (warm.blocks > 0 && until == NULL) {
        ff_fail(error, FF_INVALID_ARGUMENT, "a warm reserve needs its end");
        return ff_hint(error, "farfield endpoint warm %s %u --until 18:00", folder->name,
                       warm.blocks);
    }
    if (warm.blocks > 0 && ff_warm_parse_until(until, ff_wall_ns(), &warm.until_ns, error) < 0)
        return -1;
    if (find_agent(folder, &agent, &runs, error) < 0 || ff_warm_write(folder, &warm, error) < 0 ||
        (runs && ff_process_signal(agent, SIGHUP, error) < 0))
        return -1;
    print_done(folder, &warm, runs, json);
    return 0;
}

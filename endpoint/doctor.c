#include "endpoint/doctor.h"

#include "endpoint/config.h"
#include "endpoint/diagnosis.h"
#include "endpoint/doctor_job.h"
#include "endpoint/doctor_scheduler.h"
#include "endpoint/providers/provider.h"
#include "endpoint/reach.h"
#include "endpoint/registration.h"
#include "protocol/core/clock.h"
#include "protocol/core/file.h"
#include "protocol/core/text.h"
#include "protocol/core/yaml.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { REACH_MS = 3000, SKEW_LIMIT_S = 5 };
static const uint64_t space_low = 1000000000;
static const uint64_t space_none = 50000000;

/* What is known of the endpoint so far, and how it is printed. */
struct doctor {
    const struct ff_folder *folder;
    struct ff_config config;
    bool has_config;
    struct ff_diagnosis *diagnosis;
};

static void say(struct doctor *doctor, enum ff_diagnosis_level level, const char *check,
                const char *text, const char *hint)
{
    ff_diagnosis_say(doctor->diagnosis, level, check, text, hint);
}

static void say_error(struct doctor *doctor, enum ff_diagnosis_level level, const char *check,
                      const struct ff_error *error)
{
    ff_diagnosis_say_error(doctor->diagnosis, level, check, error);
}

static void check_config(struct doctor *doctor)
{
    char path[PATH_MAX];
    struct ff_error error;
    ff_folder_path(doctor->folder, path, "config.yaml");
    doctor->has_config = ff_config_read(&doctor->config, path, &error) == 0;
    if (doctor->has_config)
        say(doctor, FF_WELL, "settings", path, "");
    else
        say_error(doctor, FF_ERROR, "settings", &error);
}

static void check_keys(struct doctor *doctor)
{
    char path[PATH_MAX];
    struct ff_curve_keys keys;
    struct ff_error error;
    struct stat status;
    ff_folder_path(doctor->folder, path, "curve");
    if (ff_curve_load(path, &keys, &error) < 0) {
        say_error(doctor, FF_ERROR, "keys", &error);
        return;
    }
    if (stat(doctor->folder->root, &status) == 0 && (status.st_mode & 077) != 0) {
        char hint[PATH_MAX + 16];
        snprintf(hint, sizeof hint, "chmod 700 %s", doctor->folder->root);
        say(doctor, FF_WARNING, "keys", "others may look into the folder of the endpoint", hint);
        return;
    }
    say(doctor, FF_WELL, "keys", "the endpoint's key is there and private", "");
}

static int take_url(void *user, const char *key, const char *value, int line,
                    struct ff_error *error)
{
    (void)line;
    (void)error;
    if (strcmp(key, "service.url") == 0)
        snprintf(user, 256, "%s", value);
    return 0;
}

static void check_service(struct doctor *doctor)
{
    char url[256] = "";
    char text[512];
    struct ff_error error;
    char *home = ff_home(&error);
    char *path = home != NULL ? ff_path_join(home, "config.yaml") : NULL;
    if (path == NULL || ff_yaml_read(path, take_url, url, &error) < 0) {
        ff_hint(&error, "start the service here, or copy the service's config.yaml and "
                        "certificate to this machine");
        say_error(doctor, FF_WARNING, "service", &error);
    } else if (ff_reach(url, REACH_MS, &error) < 0) {
        ff_hint(&error, "farfield service start, or correct service.url in %s", path);
        say_error(doctor, FF_ERROR, "service", &error);
    } else {
        snprintf(text, sizeof text, "%s answers", url);
        say(doctor, FF_WELL, "service", text, "");
    }
    free(path);
    free(home);
}

static void check_router(struct doctor *doctor)
{
    char text[512];
    struct ff_error error;
    struct ff_registration registration;
    if (ff_registration_read(doctor->folder, &registration, &error) < 0) {
        say_error(doctor, FF_ERROR, "router", &error);
    } else if (ff_reach(registration.router, REACH_MS, &error) < 0) {
        ff_hint(&error,
                "a firewall between here and the service must let this port through; after "
                "a move of the service: farfield endpoint restart %s",
                doctor->folder->name);
        say_error(doctor, FF_ERROR, "router", &error);
    } else {
        snprintf(text, sizeof text, "%s answers", registration.router);
        say(doctor, FF_WELL, "router", text, "");
    }
}

static void check_agent(struct doctor *doctor)
{
    char path[PATH_MAX];
    char host[256] = "";
    char text[512];
    struct ff_process_id id;
    ff_folder_path(doctor->folder, path, "run/process");
    if (ff_process_file_read(path, &id, host, sizeof host, NULL) < 0) {
        snprintf(text, sizeof text, "farfield endpoint start %s", doctor->folder->name);
        say(doctor, FF_WARNING, "agent", "the endpoint is not running", text);
        return;
    }
    char here[256] = "";
    gethostname(here, sizeof here - 1);
    if (strcmp(here, host) == 0 && !ff_process_alive(id)) {
        snprintf(text, sizeof text, "farfield endpoint start %s", doctor->folder->name);
        say(doctor, FF_WARNING, "agent", "the agent has ended without being stopped", text);
        return;
    }
    snprintf(text, sizeof text, "process %d on %s", (int)id.pid, host);
    say(doctor, FF_WELL, "agent", text, "");
}

/* Whether a file can be written, and what its file system thinks of the time. */
static void check_disk(struct doctor *doctor)
{
    char path[PATH_MAX];
    char text[256];
    char bytes[32];
    struct ff_error error;
    struct statvfs space;
    struct stat status;
    ff_folder_path(doctor->folder, path, "doctor");
    int64_t before_s = ff_wall_ns() / 1000000000;
    if (ff_file_write(path, ff_span_of("x"), 0600, &error) < 0) {
        ff_hint(&error, "the endpoint must be able to write into its folder");
        say_error(doctor, FF_ERROR, "disk", &error);
        return;
    }
    int64_t skew_s = stat(path, &status) == 0 ? (int64_t)status.st_mtime - before_s : 0;
    unlink(path);
    uint64_t left =
        statvfs(doctor->folder->root, &space) == 0 ? (uint64_t)space.f_bavail * space.f_frsize : 0;
    ff_text_bytes(left, bytes, sizeof bytes);
    snprintf(text, sizeof text, "%s free", bytes);
    say(doctor,
        left < space_none  ? FF_ERROR
        : left < space_low ? FF_WARNING
                           : FF_WELL,
        "disk", text,
        left < space_low ? "remove old results, or move FARFIELD_HOME to a larger disk" : "");
    if (skew_s > SKEW_LIMIT_S || skew_s < -SKEW_LIMIT_S) {
        snprintf(text, sizeof text, "the clocks of this machine and of its disk differ by %lld s",
                 (long long)skew_s);
        say(doctor, FF_WARNING, "clock", text, "let both follow the same time servers");
    } else {
        say(doctor, FF_WELL, "clock", "this machine and its disk agree", "");
    }
}

static void check_provider(struct doctor *doctor)
{
    char text[FF_CONFIG_TEXT_SIZE + 64];
    struct ff_error error;
    if (!doctor->has_config)
        return;
    const struct ff_provider *provider = ff_provider_find(doctor->config.provider);
    if (provider->check(&doctor->config, &error) < 0) {
        say_error(doctor, FF_ERROR, "provider", &error);
        return;
    }
    if (provider->scheduler != NULL) {
        ff_doctor_scheduler(doctor->folder, &doctor->config, doctor->diagnosis);
        return;
    }
    snprintf(text, sizeof text, "%s, %u slot%s a node", provider->name,
             ff_config_slots(&doctor->config), ff_config_slots(&doctor->config) == 1 ? "" : "s");
    say(doctor, FF_WELL, "provider", text, "");
}

static void check_devices(struct doctor *doctor)
{
    char text[FF_CONFIG_TEXT_SIZE + 128];
    glob_t found;
    size_t devices = glob("/dev/nvidia[0-9]*", 0, NULL, &found) == 0 ? found.gl_pathc : 0;
    globfree(&found);
    if (!doctor->has_config)
        return;
    const char *registry = doctor->config.gpu_registry;
    if (strchr(registry, '%') == NULL && access(registry, F_OK) == 0 &&
        access(registry, R_OK | W_OK) < 0) {
        snprintf(text, sizeof text, "%s cannot be opened: %s", registry, strerror(errno));
        say(doctor, FF_ERROR, "gpus", text, "its owner has to make it mode 0666");
        return;
    }
    snprintf(text, sizeof text, "%zu on this machine; registry %s", devices, registry);
    say(doctor, FF_WELL, "gpus", text, "");
}

static void check_job(struct doctor *doctor)
{
    if (!doctor->has_config)
        return;
    if (ff_provider_find(doctor->config.provider)->scheduler == NULL)
        say(doctor, FF_WARNING, "job", "provider local has no jobs to try", "");
    else
        ff_doctor_job(doctor->folder, &doctor->config, doctor->diagnosis);
}

bool ff_doctor_run(const struct ff_folder *folder, bool json, bool submit_test)
{
    static void (*const checks[])(struct doctor *) = {
        check_config, check_keys, check_service,  check_router,
        check_agent,  check_disk, check_provider, check_devices,
    };
    struct ff_diagnosis diagnosis = {.json = json, .first = true};
    struct doctor doctor = {.folder = folder, .diagnosis = &diagnosis};
    if (json)
        printf("{\"endpoint\": \"%s\", \"checks\": [", folder->name);
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++)
        checks[i](&doctor);
    if (submit_test)
        check_job(&doctor);
    if (json)
        printf("], \"ok\": %s}\n", diagnosis.errors ? "false" : "true");
    return !diagnosis.errors;
}

#include "endpoint/doctor_scheduler.h"

#include "endpoint/address.h"
#include "endpoint/providers/scheduler.h"
#include "endpoint/walltime.h"
#include "protocol/core/text.h"

#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>

enum { ANSWER_MS = 15000, ANSWER_LIMIT = 65536 };

static void take_version(void *user, const struct ff_command_result *result)
{
    char *version = user;
    if (result->status == 0)
        snprintf(version, 128, "%.*s", (int)strcspn(result->out, "\n"), result->out);
}

static void check_commands(const struct ff_scheduler *scheduler, struct ff_diagnosis *diagnosis)
{
    char version[128] = "";
    char text[256];
    struct ff_error error;
    const struct ff_command_question question = {scheduler->version, ANSWER_MS, ANSWER_LIMIT,
                                                 take_version, version};
    if (ff_command_run(&question, &error) < 0) {
        ff_diagnosis_say_error(diagnosis, FF_ERROR, "provider", &error);
        return;
    }
    snprintf(text, sizeof text, "%s, %s", scheduler->name,
             version[0] != '\0' ? version : "whose version is not known");
    ff_diagnosis_say(diagnosis, FF_WELL, "provider", text, "");
}

/* ---- the partition ---- */

static const struct ff_partition *find(const struct ff_config *config,
                                       const struct ff_survey *survey)
{
    if (config->partition[0] != '\0')
        return ff_survey_find(survey, config->partition);
    for (size_t i = 0; i < survey->partition_count; i++)
        if (survey->partitions[i].is_default)
            return &survey->partitions[i];
    return NULL;
}

static void say_missing(const struct ff_config *config, const struct ff_survey *survey,
                        struct ff_diagnosis *diagnosis)
{
    const char *names[FF_PARTITIONS_MAX];
    char text[FF_CONFIG_TEXT_SIZE + 64];
    char hint[FF_SITE_NAME_SIZE + 64] = "set partition in config.yaml";
    for (size_t i = 0; i < survey->partition_count; i++)
        names[i] = survey->partitions[i].name;
    const char *nearest = ff_text_nearest(config->partition, names, survey->partition_count);
    if (config->partition[0] == '\0')
        snprintf(text, sizeof text, "there is no default partition, and none is set");
    else
        snprintf(text, sizeof text, "there is no partition \"%s\"", config->partition);
    if (nearest != NULL)
        snprintf(hint, sizeof hint, "set partition: %s", nearest);
    ff_diagnosis_say(diagnosis, FF_ERROR, "partition", text, hint);
}

void ff_doctor_partition(const struct ff_config *config, const struct ff_survey *survey,
                         struct ff_diagnosis *diagnosis)
{
    char text[512];
    char limit[FF_WALLTIME_SIZE];
    char wanted[FF_WALLTIME_SIZE];
    const struct ff_partition *partition = find(config, survey);
    if (partition == NULL) {
        say_missing(config, survey, diagnosis);
        return;
    }
    ff_walltime_text(partition->limit_s, limit);
    ff_walltime_text(config->walltime, wanted);
    if (config->gpus_per_node > partition->gpus) {
        snprintf(text, sizeof text, "%s has no node with %lld GPUs; the best have %u",
                 partition->name, (long long)config->gpus_per_node, partition->gpus);
        ff_diagnosis_say(diagnosis, FF_ERROR, "partition", text, "set gpus_per_node, or partition");
    } else if (partition->limit_s > 0 && config->walltime > partition->limit_s) {
        snprintf(text, sizeof text, "%s allows %s; walltime is %s", partition->name, limit, wanted);
        ff_diagnosis_say(diagnosis, FF_ERROR, "partition", text, "set walltime to what it allows");
    } else if (!partition->up) {
        snprintf(text, sizeof text, "%s is down: its jobs will wait", partition->name);
        ff_diagnosis_say(diagnosis, FF_WARNING, "partition", text, "ask the administrators");
    } else {
        snprintf(text, sizeof text, "%s: %u nodes of %u cores and %u GPUs, %s%s", partition->name,
                 partition->nodes, partition->cores, partition->gpus,
                 partition->limit_s > 0 ? "at most " : "no time limit",
                 partition->limit_s > 0 ? limit : "");
        ff_diagnosis_say(diagnosis, FF_WELL, "partition", text, "");
    }
}

static void check_partition(const struct ff_scheduler *scheduler, const struct ff_config *config,
                            struct ff_diagnosis *diagnosis)
{
    struct ff_error error;
    struct ff_survey *survey = calloc(1, sizeof *survey);
    if (scheduler->survey == NULL || survey == NULL) {
        free(survey);
        return;
    }
    if (scheduler->survey(survey, &error) < 0)
        ff_diagnosis_say_error(diagnosis, FF_ERROR, "partition", &error);
    else
        ff_doctor_partition(config, survey, diagnosis);
    free(survey);
}

/* ---- the way back ---- */

static void check_address(const struct ff_config *config, struct ff_diagnosis *diagnosis)
{
    char address[FF_ADDRESS_SIZE];
    char text[FF_CONFIG_TEXT_SIZE + 128];
    struct ff_error error;
    if (ff_address_find(config->agent_host, true, address, &error) < 0) {
        ff_diagnosis_say_error(diagnosis, FF_ERROR, "address", &error);
        return;
    }
    snprintf(text, sizeof text, "workers call back at %s (agent_host: %s)", address,
             config->agent_host);
    if (strncmp(address, "127.", 4) == 0)
        ff_diagnosis_say(diagnosis, FF_WARNING, "address", text,
                         "nodes cannot reach that: set agent_host to this machine's address or "
                         "interface in the cluster's network");
    else
        ff_diagnosis_say(diagnosis, FF_WELL, "address", text, "");
}

/* File systems that are on this machine alone; what is not known here is taken for shared. */
static bool is_local(const char *path)
{
    static const unsigned long local[] = {TMPFS_MAGIC,           EXT4_SUPER_MAGIC,
                                          0x58465342 /* XFS */,  BTRFS_SUPER_MAGIC,
                                          OVERLAYFS_SUPER_MAGIC, RAMFS_MAGIC};
    struct statfs status;
    if (statfs(path, &status) < 0)
        return false;
    for (size_t i = 0; i < sizeof local / sizeof local[0]; i++)
        if ((unsigned long)status.f_type == local[i])
            return true;
    return false;
}

static void check_folder(const struct ff_folder *folder, struct ff_diagnosis *diagnosis)
{
    char hint[256];
    snprintf(hint, sizeof hint,
             "set FARFIELD_HOME to a folder of a shared file system, or try it: farfield endpoint "
             "doctor %s --submit-test",
             folder->name);
    if (is_local(folder->root))
        ff_diagnosis_say(
            diagnosis, FF_WARNING, "folder",
            "the endpoint's folder lies on a disk of this machine; nodes have to see it", hint);
    else
        ff_diagnosis_say(diagnosis, FF_WELL, "folder", "the endpoint's folder is not local", "");
}

void ff_doctor_scheduler(const struct ff_folder *folder, const struct ff_config *config,
                         struct ff_diagnosis *diagnosis)
{
    const struct ff_scheduler *scheduler = ff_provider_find(config->provider)->scheduler;
    check_commands(scheduler, diagnosis);
    check_partition(scheduler, config, diagnosis);
    check_address(config, diagnosis);
    check_folder(folder, diagnosis);
}

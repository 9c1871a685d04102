/* What Slurm has: sinfo, and sacctmgr where it keeps accounts. */
#include "endpoint/providers/scheduler.h"
#include "endpoint/providers/survey.h"
#include "protocol/core/text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIELDS = 6, ANSWER_MS = 15000, ANSWER_LIMIT = 1 << 20 };

const struct ff_partition *ff_survey_find(const struct ff_survey *survey, const char *name)
{
    for (size_t i = 0; i < survey->partition_count; i++)
        if (strcmp(survey->partitions[i].name, name) == 0)
            return &survey->partitions[i];
    return NULL;
}

/* "infinite", "30" (minutes), "10:00" (minutes and seconds), "2:00:00", "1-00:00:00" */
static int64_t read_limit(const char *text)
{
    long days = 0;
    long parts[3] = {0, 0, 0};
    int count = 0;
    char *end = NULL;
    if (strchr(text, '-') != NULL) {
        days = strtol(text, &end, 10);
        text = *end == '-' ? end + 1 : "";
    }
    while (count < 3 && isdigit((unsigned char)*text)) {
        parts[count] = strtol(text, &end, 10);
        if (parts[count++] > 100000000)
            return 0;
        text = *end == ':' ? end + 1 : end;
    }
    if (count == 0 || *text != '\0' || days < 0 || days > 100000)
        return 0;
    if (end != NULL && days > 0)
        return ((days * 24 + parts[0]) * 60 + parts[1]) * 60 + parts[2];
    return count == 1   ? parts[0] * 60
           : count == 2 ? parts[0] * 60 + parts[1]
                        : (parts[0] * 60 + parts[1]) * 60 + parts[2];
}

/* The GPUs of "gpu:2", "gpu:a100:4(S:0-1),shard:8", "gpu:a100:2,gpu:h100:2", "(null)". */
static unsigned read_gpus(const char *gres)
{
    unsigned sum = 0;
    while (*gres != '\0') {
        size_t length = strcspn(gres, ",(");
        const char *number = gres;
        for (size_t i = 0; i < length; i++)
            if (gres[i] == ':')
                number = gres + i + 1;
        if (strncmp(gres, "gpu", 3) == 0 && (gres[3] == ':' || length == 3)) {
            long count = length == 3 ? 1 : strtol(number, NULL, 10);
            sum += count > 0 && count < 1024 ? (unsigned)count : 0;
        }
        gres += length;
        if (*gres == '(')
            gres += strcspn(gres, ")");
        gres += *gres == ')' ? 1 : 0;
        gres += *gres == ',' ? 1 : 0;
    }
    return sum;
}

static unsigned read_count(const char *text)
{
    long number = strtol(text, NULL, 10); /* "8+": at least so many */
    return number > 0 && number < 10000000 ? (unsigned)number : 0;
}

static struct ff_partition *find_or_add(struct ff_survey *survey, const char *name)
{
    for (size_t i = 0; i < survey->partition_count; i++)
        if (strcmp(survey->partitions[i].name, name) == 0)
            return &survey->partitions[i];
    if (survey->partition_count == FF_PARTITIONS_MAX)
        return NULL;
    struct ff_partition *partition = &survey->partitions[survey->partition_count++];
    memset(partition, 0, sizeof *partition);
    snprintf(partition->name, sizeof partition->name, "%s", name);
    return partition;
}

static int take_row(char *line, struct ff_survey *survey)
{
    char *fields[FIELDS];
    char *rest = line;
    for (int i = 0; i < FIELDS; i++) {
        fields[i] = strsep(&rest, "|");
        if (fields[i] == NULL || fields[i][0] == '\0')
            return -1;
    }
    size_t length = strlen(fields[0]);
    bool is_default = fields[0][length - 1] == '*';
    if (is_default)
        fields[0][length - 1] = '\0';
    if (rest != NULL || fields[0][0] == '\0' || length >= FF_SITE_NAME_SIZE ||
        !isdigit((unsigned char)fields[3][0]))
        return -1;
    struct ff_partition *partition = find_or_add(survey, fields[0]);
    if (partition == NULL)
        return 0; /* the first ones have to do */
    unsigned gpus = read_gpus(fields[5]);
    unsigned nodes = read_count(fields[3]);
    unsigned cores = read_count(fields[4]);
    partition->is_default = is_default;
    partition->up = strcmp(fields[1], "up") == 0;
    partition->limit_s = read_limit(fields[2]);
    if (gpus == partition->gpus && cores == partition->cores)
        partition->nodes += nodes;
    else if (gpus > partition->gpus || (gpus == partition->gpus && cores > partition->cores)) {
        partition->gpus = gpus;
        partition->cores = cores;
        partition->nodes = nodes;
    }
    return 0;
}

int ff_slurm_read_partitions(const char *out, struct ff_survey *survey, struct ff_error *error)
{
    survey->partition_count = 0;
    while (*out != '\0') {
        size_t length = strcspn(out, "\n");
        char line[1024];
        snprintf(line, sizeof line, "%.*s", (int)length, out);
        if (length > 0 && (length >= sizeof line || take_row(line, survey) < 0))
            return ff_fail(error, FF_PROTOCOL, "sinfo's answer is not understood: \"%.*s\"",
                           (int)(length < 120 ? length : 120), out);
        out += out[length] == '\n' ? length + 1 : length;
    }
    return 0;
}

static void take_account(void *user, const char *line, size_t length)
{
    struct ff_survey *survey = user;
    if (length >= FF_SITE_NAME_SIZE || survey->account_count == FF_ACCOUNTS_MAX)
        return;
    for (size_t i = 0; i < survey->account_count; i++)
        if (strncmp(survey->accounts[i], line, length) == 0 && survey->accounts[i][length] == '\0')
            return;
    snprintf(survey->accounts[survey->account_count++], FF_SITE_NAME_SIZE, "%.*s", (int)length,
             line);
}

void ff_slurm_read_accounts(const char *out, struct ff_survey *survey)
{
    survey->account_count = 0;
    ff_each_line(out, take_account, survey);
}

/* ---- asking ---- */

struct reading {
    struct ff_survey *survey;
    struct ff_error *error;
    int result;
};

static void take_sinfo(void *user, const struct ff_command_result *result)
{
    struct reading *reading = user;
    reading->result = ff_scheduler_succeeded(result, "sinfo", reading->error);
    if (reading->result == 0)
        reading->result = ff_slurm_read_partitions(result->out, reading->survey, reading->error);
}

static void take_sacctmgr(void *user, const struct ff_command_result *result)
{
    struct reading *reading = user;
    if (ff_scheduler_succeeded(result, "sacctmgr", NULL) == 0)
        ff_slurm_read_accounts(result->out, reading->survey);
}

int ff_slurm_survey(struct ff_survey *survey, struct ff_error *error)
{
    static const char *const sinfo[] = {
        "env",   "--unset=SINFO_FORMAT", "--unset=SINFO_PARTITION",    "--unset=SINFO_SORT",
        "sinfo", "--noheader",           "--format=%P|%a|%l|%D|%c|%G", NULL};
    const char *user = getenv("USER");
    char whose[256];
    snprintf(whose, sizeof whose, "user=%s", user != NULL ? user : "");
    const char *const sacctmgr[] = {"sacctmgr",     "--noheader", "--parsable2",    "show",
                                    "associations", whose,        "format=account", NULL};
    struct reading reading = {survey, error, 0};
    struct ff_command_question question = {sinfo, ANSWER_MS, ANSWER_LIMIT, take_sinfo, &reading};
    memset(survey, 0, sizeof *survey);
    if (ff_command_run(&question, error) < 0 || reading.result < 0)
        return -1;
    question.arguments = sacctmgr;
    question.done = take_sacctmgr;
    if (user != NULL && ff_command_run(&question, NULL) < 0)
        survey->account_count = 0; /* not every site keeps accounts */
    return 0;
}

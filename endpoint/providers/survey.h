/*
 * endpoint/providers/survey.h: what a scheduler has, for the verbs that propose settings and check them. Its text part is pure.
 */
#ifndef FF_ENDPOINT_PROVIDERS_SURVEY_H
#define FF_ENDPOINT_PROVIDERS_SURVEY_H

#include "protocol/core/bytes.h"

#include <stdbool.h>
#include <stdint.h>

enum { FF_PARTITIONS_MAX = 256, FF_ACCOUNTS_MAX = 32, FF_SITE_NAME_SIZE = 128 };

/* A partition or queue. Where its nodes differ, those with most GPUs are described. */
struct ff_partition {
    char name[FF_SITE_NAME_SIZE];
    bool is_default;
    bool up;
    int64_t limit_s; /* longest walltime; 0: none */
    unsigned nodes;  /* like the one described */
    unsigned cores;  /* of a node */
    unsigned gpus;
};

struct ff_survey {
    struct ff_partition partitions[FF_PARTITIONS_MAX];
    size_t partition_count;
    char accounts[FF_ACCOUNTS_MAX][FF_SITE_NAME_SIZE]; /* that the user may charge */
    size_t account_count;
};

/* NULL: there is none. */
const struct ff_partition *ff_survey_find(const struct ff_survey *survey, const char *name);

/* What sinfo and sacctmgr printed, as ff_slurm_survey asks for it. PROTOCOL when it is not understood. */
int ff_slurm_read_partitions(const char *out, struct ff_survey *survey,
                             struct ff_error *error) FF_MUST_USE;
void ff_slurm_read_accounts(const char *out, struct ff_survey *survey);

/* Asks, and waits for the answers. Where no account is told, there are none in the survey. */
int ff_slurm_survey(struct ff_survey *survey, struct ff_error *error) FF_MUST_USE;

#endif

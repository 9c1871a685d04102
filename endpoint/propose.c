#include "endpoint/propose.h"

#include "endpoint/walltime.h"
#include "protocol/core/text.h"

#include <stdio.h>
#include <string.h>

enum { WALLTIME_S = 3600, IDLE_S = 300, BLOCKS = 4 };

static int refuse_partition(const char *name, const struct ff_survey *survey,
                            struct ff_error *error)
{
    const char *names[FF_PARTITIONS_MAX];
    char known[256] = "";
    for (size_t i = 0; i < survey->partition_count; i++) {
        size_t used = strlen(known);
        names[i] = survey->partitions[i].name;
        snprintf(known + used, sizeof known - used, "%s%s", i > 0 ? ", " : "", names[i]);
    }
    const char *nearest = ff_text_nearest(name, names, survey->partition_count);
    ff_fail(error, FF_INVALID_SETTING, "there is no partition \"%.80s\"; there are: %s", name,
            known);
    return nearest != NULL ? ff_hint(error, "did you mean \"%s\"?", nearest) : -1;
}

/* The one with more GPUs in all, as far as jobs can start there; the first one of equals. */
static const struct ff_partition *most_gpus(const struct ff_survey *survey)
{
    const struct ff_partition *best = NULL;
    for (size_t i = 0; i < survey->partition_count; i++) {
        const struct ff_partition *at = &survey->partitions[i];
        if (at->up && at->gpus > 0 &&
            (best == NULL || at->gpus * at->nodes > best->gpus * best->nodes))
            best = at;
    }
    return best;
}

static const struct ff_partition *find_default(const struct ff_survey *survey)
{
    for (size_t i = 0; i < survey->partition_count; i++)
        if (survey->partitions[i].is_default)
            return &survey->partitions[i];
    return survey->partition_count > 0 ? &survey->partitions[0] : NULL;
}

static const struct ff_partition *choose_partition(const struct ff_survey *survey, const char **why)
{
    const struct ff_partition *usual = find_default(survey);
    const struct ff_partition *best = most_gpus(survey);
    if (usual != NULL && (usual->gpus > 0 || best == NULL)) {
        *why = usual->is_default ? "the default one" : "the first one";
        return usual;
    }
    *why = "the one with most GPUs; the default one has none";
    return best;
}

static void propose_node(struct ff_config *config, const struct ff_partition *partition,
                         struct ff_buffer *notes)
{
    unsigned blocks = partition->nodes < BLOCKS ? partition->nodes : BLOCKS;
    config->gpus_per_node = partition->gpus < FF_NODE_DEVICES ? partition->gpus : FF_NODE_DEVICES;
    config->cores_per_node = partition->cores;
    config->max_blocks = blocks > 0 ? blocks : 1;
    ff_buffer_printf(notes,
                     "gpus_per_node: %lld: what its best %u node%s\n"
                     "cores_per_node: %lld: all of them: a job takes a node whole\n",
                     (long long)config->gpus_per_node, partition->nodes,
                     partition->nodes == 1 ? " has" : "s have", (long long)config->cores_per_node);
    ff_buffer_printf(notes, "max_blocks: %lld: at most so many jobs at a time\n",
                     (long long)config->max_blocks);
}

static void propose_walltime(struct ff_config *config, const struct ff_partition *partition,
                             struct ff_buffer *notes)
{
    char text[FF_WALLTIME_SIZE];
    bool short_one = partition != NULL && partition->limit_s > 0 && partition->limit_s < WALLTIME_S;
    config->walltime = short_one ? partition->limit_s : WALLTIME_S;
    ff_walltime_text(config->walltime, text);
    ff_buffer_printf(notes, "walltime: %s: %s\n", text,
                     short_one
                         ? "the longest that its partition allows"
                         : "short jobs start sooner; what is unfinished then goes on from its "
                           "checkpoint in the next");
}

static void propose_account(struct ff_config *config, const struct ff_survey *survey,
                            struct ff_buffer *notes)
{
    if (survey->account_count == 1) {
        snprintf(config->account, sizeof config->account, "%s", survey->accounts[0]);
        ff_buffer_printf(notes, "account: %s: the only one that you may charge\n", config->account);
    } else if (survey->account_count > 1) {
        ff_buffer_append_text(notes, "account: your default one is charged; you may charge ");
        for (size_t i = 0; i < survey->account_count; i++)
            ff_buffer_printf(notes, "%s%s", i > 0 ? ", " : "", survey->accounts[i]);
        ff_buffer_append_text(notes, "\n");
    }
}

int ff_propose(struct ff_config *config, const struct ff_survey *survey, struct ff_buffer *notes,
               struct ff_error *error)
{
    const struct ff_partition *partition = NULL;
    const char *why = "as you said";
    if (survey != NULL && config->partition[0] != '\0') {
        partition = ff_survey_find(survey, config->partition);
        if (partition == NULL)
            return refuse_partition(config->partition, survey, error);
    } else if (survey != NULL) {
        partition = choose_partition(survey, &why);
    }
    if (partition != NULL) {
        snprintf(config->partition, sizeof config->partition, "%s", partition->name);
        ff_buffer_printf(notes, "partition: %s: %s\n", partition->name, why);
        if (!partition->up)
            ff_buffer_printf(notes, "partition %s is down at present: its jobs will wait\n",
                             partition->name);
        propose_node(config, partition, notes);
    } else {
        ff_buffer_append_text(notes, "partition: the scheduler's default\n"
                                     "gpus_per_node: 0: set it to what your nodes have\n"
                                     "cores_per_node: 0: as many as the scheduler gives\n");
    }
    if (survey != NULL)
        propose_account(config, survey, notes);
    propose_walltime(config, partition, notes);
    config->init_blocks = 0;
    config->idle_block_s = IDLE_S;
    ff_buffer_printf(notes,
                     "init_blocks: 0: nodes are asked for when there are tasks\n"
                     "idle_block_s: %d: and given back when none came for so long\n",
                     IDLE_S);
    return 0;
}

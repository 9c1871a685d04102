/*
 * endpoint/config.h: the settings of an endpoint: one table of keys, with default, range and help. It reads config.yaml,
 * refuses what it does not know, and writes the commented file that `endpoint configure` leaves.
 */
#ifndef FF_ENDPOINT_CONFIG_H
#define FF_ENDPOINT_CONFIG_H

#include "protocol/core/bytes.h"
#include "protocol/limits.h"

/* Columns: type, member, default, lowest, highest (of numbers), help. The key is the member's name. TEXT is one line; LINES are
 * several, in order: a list, text of several lines, or the key again; a FLAG is true or false; a DURATION is kept in seconds. */
/* clang-format off */
#define FF_CONFIG_KEYS(X)                                                                                                      \
    X(TEXT, provider, "local", 0, 0, "what starts the workers: local (processes on this machine), or a scheduler: slurm, pbs (PBS Pro, OpenPBS), cobalt") \
    X(TEXT, partition, "", 0, 0, "scheduler: the partition (slurm) or queue of the jobs; empty: the scheduler's default")      \
    X(TEXT, account, "", 0, 0, "scheduler: the account or project that is charged; empty: your default one")                   \
    X(TEXT, qos, "", 0, 0, "slurm: quality of service")                                                                        \
    X(TEXT, constraint, "", 0, 0, "slurm: features that the nodes must have, as a100|h100")                                    \
    X(TEXT, reservation, "", 0, 0, "slurm: the reservation in which the jobs run")                                             \
    X(NUMBER, gpus_per_node, 0, 0, FF_NODE_DEVICES, "scheduler: GPUs that a job asks for on each of its nodes")                \
    X(NUMBER, cores_per_node, 0, 0, 65536, "scheduler: cores that a job asks for on each node; 0: as many as it gives")        \
    X(FLAG, exclusive, 0, 0, 1, "scheduler: whether a job takes its nodes whole")                                              \
    X(DURATION, walltime, 0, 60, 31536000, "scheduler: how long a job may last, as 30m, 2h or 2:00:00; 0: the queue's default") \
    X(NUMBER, nodes_per_block, 1, 1, 1024, "nodes of a block (job); each runs one manager")                                    \
    X(TEXT, launcher, "auto", 0, 0, "scheduler: what starts the manager of each node: auto, srun, mpiexec, or none for a single node") \
    X(LINES, scheduler_options, "", 0, 0, "scheduler: further options of a job, each as on a line of its script: --mail-type=END") \
    X(LINES, modules, "", 0, 0, "scheduler: modules that a job loads before its workers start")                                \
    X(LINES, worker_init, "", 0, 0, "scheduler: lines of shell that a job runs before its workers start")                      \
    X(NUMBER, slots, 0, 0, 4096, "calls that run at once on a node; 0: one a core")                                            \
    X(TEXT, gpu_registry, "/dev/shm/farfield-gpus", 0, 0, "the file in which the GPUs of a node are leased; %n is the node's name") \
    X(NUMBER, init_blocks, 1, 0, 1024, "blocks (jobs) started with the agent, so that the first task finds one")               \
    X(NUMBER, min_blocks, 0, 0, 1024, "blocks that are kept even without tasks")                                               \
    X(NUMBER, max_blocks, 1, 1, 1024, "most blocks at a time; local: 1")                                                       \
    X(NUMBER, idle_block_s, 0, 0, 86400, "a block beyond min_blocks ends after so many seconds without a task; 0: never")      \
    X(NUMBER, submit_rate, 10, 1, 600, "scheduler: most jobs that are submitted in a minute")                                  \
    X(NUMBER, status_interval_s, 10, 1, 600, "scheduler: longest time between two questions about the jobs")                   \
    X(NUMBER, block_start_limit_s, 300, 10, 86400, "scheduler: a job that runs so long without its workers calling back is told of, and after as long again ended") \
    X(NUMBER, drain_limit_ms, FF_DRAIN_LIMIT_MS, 0, 86400000, "how long `endpoint stop` lets running tasks finish")            \
    X(NUMBER, agent_lost_limit_ms, FF_AGENT_LOST_LIMIT_MS, 1000, 604800000, "how long workers go on without their agent")      \
    X(NUMBER, endpoint_window, FF_ENDPOINT_WINDOW, 1, 1000000, "tasks that the endpoint takes from the service ahead")         \
    X(TEXT, agent_host, "auto", 0, 0, "where the agent listens for its workers: an address, a host name, a network interface, or auto: " \
        "this machine alone (local), its address in the cluster's network (scheduler)")                                        \
    X(NUMBER, agent_port, FF_AGENT_PORT, 0, 65535, "and the port; 0: any free one")
/* clang-format on */

enum { FF_CONFIG_TEXT_SIZE = 256, FF_CONFIG_LINES_SIZE = 4096 };

struct ff_config {
#define FF_CONFIG_TEXT(member)                                    char member[FF_CONFIG_TEXT_SIZE];
#define FF_CONFIG_LINES(member)                                   char member[FF_CONFIG_LINES_SIZE];
#define FF_CONFIG_NUMBER(member)                                  int64_t member;
#define FF_CONFIG_FLAG(member)                                    int64_t member;
#define FF_CONFIG_DURATION(member)                                int64_t member;
#define FF_CONFIG_MEMBER(type, member, standard, low, high, help) FF_CONFIG_##type(member)
    FF_CONFIG_KEYS(FF_CONFIG_MEMBER)
#undef FF_CONFIG_MEMBER
#undef FF_CONFIG_TEXT
#undef FF_CONFIG_LINES
#undef FF_CONFIG_NUMBER
#undef FF_CONFIG_FLAG
#undef FF_CONFIG_DURATION
};

void ff_config_defaults(struct ff_config *config);

/* UNKNOWN_SETTING with the nearest key, INVALID_SETTING with the range. LINES get one more; all else is replaced. */
int ff_config_set(struct ff_config *config, const char *key, const char *value,
                  struct ff_error *error) FF_MUST_USE;

/* Whether the values go together: INVALID_SETTING with the keys that do not. */
int ff_config_check(const struct ff_config *config, struct ff_error *error) FF_MUST_USE;

/* Defaults, then the file, checked. Errors name file and line. */
int ff_config_read(struct ff_config *config, const char *path, struct ff_error *error) FF_MUST_USE;

/* The commented file: what differs from the default stands, the rest is shown as a comment. The lines of `notes` go before
 * all, as comments. */
void ff_config_write(const struct ff_config *config, const char *notes, struct ff_buffer *buffer);

/* What the settings make of `slots` here. */
unsigned ff_config_slots(const struct ff_config *config);
unsigned ff_config_cores(void);

#endif

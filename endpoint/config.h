/*
 * endpoint/config.h: the settings of an endpoint: one table of keys, with default, range and help. It reads config.yaml,
 * refuses what it does not know, and writes the commented file that `endpoint configure` leaves.
 */
#ifndef FF_ENDPOINT_CONFIG_H
#define FF_ENDPOINT_CONFIG_H

#include "protocol/core/bytes.h"
#include "protocol/limits.h"

/* Columns: type, member, default, lowest, highest (of numbers), help. The key is the member's name. */
/* clang-format off */
#define FF_CONFIG_KEYS(X)                                                                                                      \
    X(TEXT, provider, "local", 0, 0, "what starts the workers: local (processes on this machine)")                             \
    X(NUMBER, slots, 0, 0, 4096, "calls that run at once on a node; 0: one a core")                                            \
    X(TEXT, gpu_registry, "/dev/shm/farfield-gpus", 0, 0, "the file in which the GPUs of a node are leased; %n is the node's name") \
    X(NUMBER, init_blocks, 1, 0, 64, "blocks (jobs) started with the agent, so that the first task finds one")                 \
    X(NUMBER, min_blocks, 0, 0, 64, "blocks that are kept even without tasks")                                                 \
    X(NUMBER, max_blocks, 1, 1, 64, "most blocks at a time; local: 1")                                                         \
    X(NUMBER, idle_block_s, 0, 0, 86400, "a block beyond min_blocks ends after so many seconds without a task; 0: never")      \
    X(NUMBER, drain_limit_ms, FF_DRAIN_LIMIT_MS, 0, 86400000, "how long `endpoint stop` lets running tasks finish")            \
    X(NUMBER, agent_lost_limit_ms, FF_AGENT_LOST_LIMIT_MS, 1000, 604800000, "how long workers go on without their agent")      \
    X(NUMBER, endpoint_window, FF_ENDPOINT_WINDOW, 1, 1000000, "tasks that the endpoint takes from the service ahead")         \
    X(TEXT, agent_host, "127.0.0.1", 0, 0, "address on which the agent listens for its workers")                               \
    X(NUMBER, agent_port, FF_AGENT_PORT, 0, 65535, "and the port; 0: any free one")
/* clang-format on */

enum { FF_CONFIG_TEXT_SIZE = 256 };

struct ff_config {
#define FF_CONFIG_TEXT(member)                                    char member[FF_CONFIG_TEXT_SIZE];
#define FF_CONFIG_NUMBER(member)                                  int64_t member;
#define FF_CONFIG_MEMBER(type, member, standard, low, high, help) FF_CONFIG_##type(member)
    FF_CONFIG_KEYS(FF_CONFIG_MEMBER)
#undef FF_CONFIG_MEMBER
#undef FF_CONFIG_TEXT
#undef FF_CONFIG_NUMBER
};

void ff_config_defaults(struct ff_config *config);

/* UNKNOWN_SETTING with the nearest key, INVALID_SETTING with the range. */
int ff_config_set(struct ff_config *config, const char *key, const char *value,
                  struct ff_error *error) FF_MUST_USE;

/* Defaults, then the file. Errors name file and line. */
int ff_config_read(struct ff_config *config, const char *path, struct ff_error *error) FF_MUST_USE;

/* The commented file: what differs from the default stands, the rest is shown as a comment. */
void ff_config_write(const struct ff_config *config, struct ff_buffer *buffer);

/* What the settings make of `slots` here. */
unsigned ff_config_slots(const struct ff_config *config);
unsigned ff_config_cores(void);

#endif

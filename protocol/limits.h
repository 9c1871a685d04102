/*
 * protocol/limits.h: every time, size and count that two processes must agree on, with its default, in one table.
 *
 * Columns: C name, value, unit, what it bounds. Those marked (config) can be changed in the configuration of the
 * service or endpoint under the same name in lower case without FF_; the value here is the default.
 */
#ifndef FF_PROTOCOL_LIMITS_H
#define FF_PROTOCOL_LIMITS_H

/* A line a row, however long. */
/* clang-format off */
#define FF_LIMITS(X)                                                                                         \
    /* liveness */                                                                                           \
    X(FF_HEARTBEAT_MS, 5000, "ms", "each side of a link sends one when it has sent nothing else for so long") \
    X(FF_PEER_LOST_MS, 20000, "ms", "silence after which the other side of a link counts as lost")           \
    X(FF_RECONNECT_MS, 10, "ms", "first wait before a link is tried again; doubles up to the next")          \
    X(FF_RECONNECT_MAX_MS, 1000, "ms", "longest wait before a link is tried again")                          \
    X(FF_ANNOUNCE_WAIT_MS, 10000, "ms", "how long a restarted agent waits for its known blocks")             \
    X(FF_AGENT_LOST_LIMIT_MS, 600000, "ms", "managers without an agent finish, keep results so long, and exit (config)") \
    X(FF_DRAIN_LIMIT_MS, 30000, "ms", "how long `endpoint stop` lets running tasks finish (config)")         \
    X(FF_START_LIMIT_MS, 15000, "ms", "how long `start` waits for the program to be ready")                  \
    X(FF_LONG_POLL_MS, 25000, "ms", "longest time that the service holds a waiting request")                 \
    X(FF_KILL_GRACE_MS, 500, "ms", "between asking a call to end and killing its tree")                      \
    X(FF_RECEIPT_WAIT_MS, 5, "ms", "how long the service gathers receipts")                                  \
    X(FF_GPU_WARM_MS, 15000, "ms", "how long a runner keeps its GPUs for a next call, while nobody else waits for them") \
    X(FF_GPU_REST_MS, 5000, "ms", "how long GPUs on which a call was lost are kept from others, so that its retry gets other ones") \
    /* sizes */                                                                                              \
    X(FF_MESSAGE_LIMIT, 16777216, "bytes", "one message between processes")                                  \
    X(FF_MESSAGE_ITEMS, 1000, "items", "tasks, results or states in one message")                            \
    X(FF_INLINE_LIMIT, 1048576, "bytes", "arguments or result that travel inside a message; larger ones are objects") \
    X(FF_REQUEST_LIMIT, 16777216, "bytes", "body of an HTTP request that is not an object upload")           \
    X(FF_OBJECT_LIMIT, 2147483647, "bytes", "one content-addressed object (config)")                         \
    X(FF_OBJECT_PART, 1048576, "bytes", "one part of an object on a link")                                   \
    X(FF_RESULT_LIMIT, 10485760, "bytes", "result value of a function")                                      \
    X(FF_PREVIEW_LIMIT, 4194304, "bytes", "one preview image")                                               \
    X(FF_LOG_TAIL, 65536, "bytes", "newest log text kept with a task; half of it goes with the outcome")        \
    X(FF_SHELL_OUTPUT_LIMIT, 524288, "bytes", "standard output, and error, kept of a shell function, each: head and tail") \
    X(FF_TEXT_LIMIT, 4096, "bytes", "any single text field of a message that has no limit of its own")      \
    X(FF_NODE_LIST_LIMIT, 65536, "bytes", "names of the nodes of one call, comma between")                   \
    X(FF_NAME_LIMIT, 64, "bytes", "name of a function or endpoint")                                          \
    /* counts */                                                                                             \
    X(FF_SUBMIT_LIMIT, 10000, "tasks", "tasks in one submission")                                            \
    X(FF_COMMIT_ROWS, 10000, "rows", "operations that one commit of the store gathers")                      \
    X(FF_ENDPOINT_WINDOW, 8192, "tasks", "tasks without result that the service lets an endpoint hold (config)") \
    X(FF_WINDOW_BYTES, 67108864, "bytes", "arguments of the tasks in a window, together")                    \
    X(FF_LINK_CREDIT, 8388608, "bytes", "under way on a link before previews and log lines are dropped; progress at twice that") \
    X(FF_UNCHARGED_MAX, 100, "attempts", "uncharged losses of one task before it fails all the same")        \
    X(FF_RUNNER_WINDOW, 64, "calls", "calls handed to a runner before the first has ended")                  \
    X(FF_MAX_RETRIES, 2, "attempts", "attempts after the first when a runner, node or endpoint was lost (config)") \
    X(FF_PROGRESS_PER_SECOND, 20, "messages", "progress messages of one task that travel; the newest wins")  \
    X(FF_EVENTS_KEPT, 512, "events", "progress and log events kept for a running task")                      \
    X(FF_NODE_DEVICES, 16, "devices", "GPUs of one node")                                                    \
    /* ports: 0 = automatic at the first start, then kept */                                                 \
    X(FF_HTTPS_PORT, 0, "port", "HTTPS API of the service (config)")                                         \
    X(FF_ROUTER_PORT, 0, "port", "ZeroMQ port of the service for endpoints (config)")                        \
    X(FF_AGENT_PORT, 0, "port", "ZeroMQ port of an agent for its managers (config)")                         \
    /* retention */                                                                                          \
    X(FF_RESULT_DAYS, 14, "days", "finished tasks and their results are kept (config)")                      \
    X(FF_IDEMPOTENCY_HOURS, 48, "hours", "a repeated submission with the same key is recognised")
/* clang-format on */

/* Constant expressions of type int. */
enum ff_limit {
#define FF_LIMIT_VALUE(name, value, unit, text) name = value,
    FF_LIMITS(FF_LIMIT_VALUE)
#undef FF_LIMIT_VALUE
};

/* The range of protocol versions that this program speaks. */
enum { FF_PROTOCOL_MIN = 1, FF_PROTOCOL_MAX = 1 };

#endif

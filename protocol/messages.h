/*
 * protocol/messages.h: the messages between service, agent, manager and runner: their types and fields, each once.
 *
 * A message is one frame of msgpack: an array [type, [item, item, …]]. All items of a message are of the kind that
 * its type names; an item is a map from short text keys to values. The tables below declare the fields; they make the
 * structures here, and the encoder and decoder in codec.c. MESSAGES.md is the specification: who sends what when, and
 * what happens on failure; its table of fields is made from these tables.
 *
 * Columns of a field: structure, wire type, member, key, limit in bytes (TEXT and BYTES). A field that is absent, and one whose
 * value is zero or empty, are the same: the encoder leaves such fields out. Unknown keys are skipped. Spans of decoded
 * items point into the frame.
 */
#ifndef FF_PROTOCOL_MESSAGES_H
#define FF_PROTOCOL_MESSAGES_H

#include "protocol/core/digest.h"
#include "protocol/ids.h"
#include "protocol/limits.h"
#include "protocol/task_state.h"

/* A line a row, however long. */
/* clang-format off */
/* Opens a link. Sent by the side that faces the user's end: agent to service, manager to agent. */
#define FF_HELLO_FIELDS(F, S)                                                                         \
    F(S, U64, version_min, "vmin", 0)                                                                 \
    F(S, U64, version_max, "vmax", 0)                                                                 \
    F(S, ID, endpoint, "ep", 0)                                                                       \
    F(S, ID, instance, "inst", 0) /* random, new at each start of the process */                      \
    F(S, TEXT, host, "host", 256)                                                                     \
    F(S, TEXT, node, "node", 256)                                                                     \
    F(S, TEXT, block, "block", 64)                                                                    \
    F(S, TEXT, software, "sw", 64)                                                                    \
    F(S, U64, pid, "pid", 0)                                                                          \
    F(S, U64, slots, "slots", 0)                                                                      \
    F(S, U64, cores, "cores", 0)                                                                      \
    F(S, U64, devices, "gpus", 0)                                                                     \
    F(S, U64, window, "win", 0)        /* tasks without result that the sender will hold */           \
    F(S, U64, ends_ns, "ends", 0)      /* wall clock at which the scheduler ends the block; 0: never */ \
    F(S, U64, window_bytes, "winb", 0) /* their arguments together; 0: FF_WINDOW_BYTES */             \
    F(S, ID, previous, "prev", 0)      /* the instance before this one, which the sender knows to be dead */ \
    F(S, FLAG, take_over, "take", 0)   /* the user moved the endpoint here */                         \
    F(S, U64, leaves_ns, "leaves", 0)  /* wall clock, before `ends`, at which a manager asks what runs to leave; 0: never */

/* Answers a hello. */
#define FF_WELCOME_FIELDS(F, S)                                                                       \
    F(S, U64, version, "v", 0)                                                                        \
    F(S, U64, epoch, "epoch", 0)                                                                      \
    F(S, ID, instance, "inst", 0)                                                                     \
    F(S, TEXT, name, "name", 64)                                                                      \
    F(S, TEXT, software, "sw", 64)                                                                    \
    F(S, U64, heartbeat_ms, "hb", 0)                                                                  \
    F(S, U64, lost_ms, "lost", 0)                                                                     \
    F(S, U64, max_retries, "retry", 0)

/* Answers a hello that is not accepted, or ends a link. The receiver does not try again by itself when `final`. */
#define FF_REFUSAL_FIELDS(F, S)                                                                       \
    F(S, TEXT, code, "code", 64)                                                                      \
    F(S, TEXT, message, "msg", 1024)                                                                  \
    F(S, TEXT, hint, "hint", 1024)                                                                    \
    F(S, FLAG, final, "final", 0)

#define FF_HEARTBEAT_FIELDS(F, S)                                                                     \
    F(S, U64, managers, "mgr", 0)                                                                     \
    F(S, U64, slots, "slots", 0)                                                                      \
    F(S, U64, idle, "idle", 0)                                                                        \
    F(S, U64, devices, "gpus", 0)                                                                     \
    F(S, U64, waiting, "wait", 0)                                                                     \
    F(S, U64, running, "run", 0)                                                                      \
    F(S, U64, heard, "heard", 0) /* bytes that a server has heard on this connection, all messages together */ \
    F(S, TEXT, why, "why", 1024) /* in words, when something is in the way of waiting tasks */        \
    F(S, U64, devices_taken, "taken", 0) /* of a manager's GPUs, those that others on its node hold */

/* What the receiver of an order must know to carry it out; none is defined by version 1. An unknown bit is answered with
 * an outcome failed, code UNSUPPORTED. */
enum ff_order_needs { FF_NEEDS_KNOWN = 0 };

/* A task on its way to where it runs. */
#define FF_ORDER_FIELDS(F, S)                                                                         \
    F(S, ID, task, "task", 0)                                                                         \
    F(S, ATTEMPT, attempt, "att", 0)                                                                  \
    F(S, U64, number, "n", 0)         /* 1, 2, …: the attempt as people count */                      \
    F(S, ID, function, "fn", 0)                                                                       \
    F(S, TEXT, name, "name", 64)                                                                      \
    F(S, TEXT, kind, "kind", 16)      /* native, shell, python */                                     \
    F(S, DIGEST, digest, "sha", 0)    /* of the function's bytes */                                   \
    F(S, U64, size, "size", 0)                                                                        \
    F(S, BYTES, arguments, "args", FF_INLINE_LIMIT) /* JSON text */                                   \
    F(S, DIGEST, arguments_digest, "asha", 0)       /* set when the arguments are an object */        \
    F(S, U64, arguments_size, "asize", 0)                                                             \
    F(S, TEXT, user, "user", 128)                                                                     \
    F(S, TEXT, priority, "class", 16) /* live, normal, batch */                                       \
    F(S, U64, devices, "gpus", 0)                                                                     \
    F(S, U64, cores, "cores", 0)                                                                      \
    F(S, U64, nodes, "nodes", 0)                                                                      \
    F(S, U64, time_limit_ms, "limit", 0)                                                              \
    F(S, U64, submitted_ns, "at", 0)  /* wall clock of the service */                                 \
    F(S, U64, needs, "needs", 0)      /* bits of ff_order_needs: whoever does not know one must not run it */ \
    F(S, DIGEST, checkpoint_digest, "csha", 0) /* a checkpoint that lies with the service as an object */ \
    F(S, U64, checkpoint_size, "csize", 0)                                                            \
    F(S, TEXT, node_list, "list", FF_NODE_LIST_LIMIT) /* of several nodes, comma between; from the agent, the first is the receiver's */

/* Where a task is now. */
#define FF_REPORT_FIELDS(F, S)                                                                        \
    F(S, ID, task, "task", 0)                                                                         \
    F(S, ATTEMPT, attempt, "att", 0)                                                                  \
    F(S, U64, state, "state", 0)                                                                      \
    F(S, TEXT, why, "why", 1024)                                                                      \
    F(S, TEXT, node, "node", 256)                                                                     \
    F(S, TEXT, block, "block", 64)                                                                    \
    F(S, TEXT, devices, "gpus", 1024) /* UUIDs, comma between */                                      \
    F(S, U64, pid, "pid", 0)                                                                          \
    F(S, U64, time_ns, "at", 0)                                                                       \
    F(S, FLAG, can_checkpoint, "ckpt", 0) /* it runs, and can be asked for a checkpoint */

#define FF_PROGRESS_FIELDS(F, S)                                                                      \
    F(S, ID, task, "task", 0)                                                                         \
    F(S, ATTEMPT, attempt, "att", 0)                                                                  \
    F(S, F64, fraction, "frac", 0)                                                                    \
    F(S, TEXT, numbers, "num", FF_TEXT_LIMIT) /* a JSON object */                                     \
    F(S, U64, time_ns, "at", 0)

#define FF_PREVIEW_FIELDS(F, S)                                                                       \
    F(S, ID, task, "task", 0)                                                                         \
    F(S, ATTEMPT, attempt, "att", 0)                                                                  \
    F(S, TEXT, name, "name", 256)                                                                     \
    F(S, TEXT, media_type, "media", 64)                                                               \
    F(S, BYTES, data, "data", FF_PREVIEW_LIMIT)                                                       \
    F(S, U64, time_ns, "at", 0)

#define FF_LINE_FIELDS(F, S)                                                                          \
    F(S, ID, task, "task", 0)                                                                         \
    F(S, ATTEMPT, attempt, "att", 0)                                                                  \
    F(S, U64, level, "lvl", 0)                                                                        \
    F(S, TEXT, text, "text", 8192)                                                                    \
    F(S, U64, time_ns, "at", 0)

/* How an attempt ended. `lost` says that the infrastructure failed, not the function: it may be tried again. */
#define FF_OUTCOME_FIELDS(F, S)                                                                       \
    F(S, ID, task, "task", 0)                                                                         \
    F(S, ATTEMPT, attempt, "att", 0)                                                                  \
    F(S, U64, state, "state", 0) /* success, failed or cancelled */                                   \
    F(S, FLAG, lost, "lost", 0)                                                                       \
    F(S, FLAG, uncharged, "free", 0) /* the attempt does not count against the retries */             \
    F(S, FLAG, unbegun, "fresh", 0)  /* with lost: the function had not begun; any hop may place the attempt again */ \
    F(S, TEXT, code, "code", 64)                                                                      \
    F(S, TEXT, message, "msg", FF_TEXT_LIMIT)                                                         \
    F(S, TEXT, hint, "hint", FF_TEXT_LIMIT)                                                           \
    F(S, BYTES, log_tail, "tail", FF_LOG_TAIL)                                                        \
    F(S, BYTES, value, "val", FF_RESULT_LIMIT) /* JSON text; beyond FF_INLINE_LIMIT only from runner to manager */ \
    F(S, DIGEST, value_digest, "vsha", 0)      /* set when the value is an object */                  \
    F(S, U64, value_size, "vsize", 0)                                                                 \
    F(S, TEXT, node, "node", 256)                                                                     \
    F(S, TEXT, devices, "gpus", 1024)                                                                 \
    F(S, U64, queued_us, "tq", 0)  /* at endpoint and node before launch */                           \
    F(S, U64, launch_us, "tl", 0)  /* from launch to the function's first instruction */              \
    F(S, U64, run_us, "tr", 0)     /* inside the function */                                          \
    F(S, U64, ended_ns, "at", 0)                                                                      \
    F(S, DIGEST, checkpoint_digest, "csha", 0) /* with lost: a checkpoint that was stored as an object */ \
    F(S, U64, checkpoint_size, "csize", 0)

#define FF_RECEIPT_FIELDS(F, S)                                                                       \
    F(S, ID, task, "task", 0)                                                                         \
    F(S, ATTEMPT, attempt, "att", 0)                                                                  \
    F(S, FLAG, ended, "end", 0) /* the task is over: its folder and checkpoint may go */

enum ff_control_action {
    FF_CONTROL_CANCEL = 1,     /* end it; the outcome is cancelled */
    FF_CONTROL_STOP = 2,       /* end soon and keep the result so far */
    FF_CONTROL_CHECKPOINT = 3, /* write a checkpoint and give the task back; give it back at once if it has not begun */
    FF_CONTROL_RECALL = 4,     /* from the agent: give it back if it has not begun */
};

#define FF_CONTROL_FIELDS(F, S)                                                                       \
    F(S, ID, task, "task", 0)                                                                         \
    F(S, ATTEMPT, attempt, "att", 0)                                                                  \
    F(S, U64, action, "do", 0)

/* One part of an object is wanted. */
#define FF_WANT_FIELDS(F, S)                                                                          \
    F(S, DIGEST, digest, "sha", 0)                                                                    \
    F(S, U64, offset, "off", 0)                                                                       \
    F(S, U64, length, "len", 0)

/* One part of an object; with a code instead of data when it cannot be had. The receiver checks the digest of the
 * whole before it uses it. */
#define FF_PART_FIELDS(F, S)                                                                          \
    F(S, DIGEST, digest, "sha", 0)                                                                    \
    F(S, U64, offset, "off", 0)                                                                       \
    F(S, U64, total, "tot", 0)                                                                        \
    F(S, BYTES, data, "data", FF_OBJECT_PART)                                                         \
    F(S, TEXT, code, "code", 64)                                                                      \
    F(S, TEXT, message, "msg", 1024)

/* What the sender holds after a reconnection. */
#define FF_HOLDING_FIELDS(F, S)                                                                       \
    F(S, ID, task, "task", 0)                                                                         \
    F(S, ATTEMPT, attempt, "att", 0)                                                                  \
    F(S, U64, number, "n", 0)                                                                         \
    F(S, U64, state, "state", 0)                                                                      \
    F(S, TEXT, node, "node", 256)                                                                     \
    F(S, U64, devices, "gpus", 0)                                                                     \
    F(S, U64, cores, "cores", 0)                                                                      \
    F(S, U64, nodes, "nodes", 0)                                                                      \
    F(S, TEXT, node_list, "list", FF_NODE_LIST_LIMIT)                                                 \
    F(S, ID, function, "fn", 0)                                                                       \
    F(S, TEXT, user, "user", 128)                                                                     \
    F(S, TEXT, priority, "class", 16)                                                                 \
    F(S, U64, time_limit_ms, "limit", 0)                                                              \
    F(S, FLAG, can_checkpoint, "ckpt", 0)

#define FF_FAREWELL_FIELDS(F, S) F(S, TEXT, reason, "why", 1024)

/* Runner to manager, first: it has loaded the function, or why not. */
#define FF_READY_FIELDS(F, S)                                                                         \
    F(S, U64, pid, "pid", 0)                                                                          \
    F(S, U64, abi, "abi", 0)                                                                          \
    F(S, U64, flags, "flags", 0)                                                                      \
    F(S, TEXT, code, "code", 64)                                                                      \
    F(S, TEXT, message, "msg", FF_TEXT_LIMIT)                                                         \
    F(S, TEXT, hint, "hint", FF_TEXT_LIMIT)

/* Manager to runner, once, first: what all its calls have in common. The file description of the device lease travels
 * beside this frame (SCM_RIGHTS) when there are devices. */
#define FF_SETUP_FIELDS(F, S)                                                                         \
    F(S, TEXT, function, "fn", 4096) /* path of the shared object */                                  \
    F(S, TEXT, name, "name", 64)                                                                      \
    F(S, TEXT, cache, "cache", 4096) /* folder kept between tasks */                                  \
    F(S, TEXT, tasks, "tasks", 4096) /* where the folders of tasks lie */                             \
    F(S, TEXT, cores, "cores", 8192) /* kernel numbers, comma between */                              \
    F(S, TEXT, devices, "gpus", 1024) /* UUIDs, comma between */                                      \
    F(S, TEXT, node, "node", 256)

/* Manager to runner: run this. `serial` counts the calls of this runner from 1. */
#define FF_INVOCATION_FIELDS(F, S)                                                                    \
    F(S, U64, serial, "ser", 0)                                                                       \
    F(S, ID, task, "task", 0)                                                                         \
    F(S, ATTEMPT, attempt, "att", 0)                                                                  \
    F(S, U64, number, "n", 0)                                                                         \
    F(S, BYTES, arguments, "args", FF_INLINE_LIMIT)                                                   \
    F(S, TEXT, arguments_path, "argf", 4096) /* a file that holds them instead, when they are an object */ \
    F(S, BYTES, body, "body", FF_INLINE_LIMIT)                                                        \
    F(S, TEXT, scratch, "tmp", 4096) /* absent: the runner lends its own until the call uses it */    \
    F(S, TEXT, checkpoint, "ckpt", 4096)                                                              \
    F(S, U64, time_limit_ms, "limit", 0)                                                              \
    F(S, TEXT, node_list, "list", FF_NODE_LIST_LIMIT)
/* clang-format on */

/* C types of the wire types. */
#define FF_C_U64     uint64_t
#define FF_C_F64     double
#define FF_C_FLAG    bool
#define FF_C_ID      struct ff_id
#define FF_C_DIGEST  struct ff_digest
#define FF_C_ATTEMPT struct ff_attempt
#define FF_C_TEXT    struct ff_span
#define FF_C_BYTES   struct ff_span

/* Every kind of item: structure name, its fields. */
#define FF_ITEM_KINDS(K)                                                                           \
    K(hello, FF_HELLO_FIELDS)                                                                      \
    K(welcome, FF_WELCOME_FIELDS)                                                                  \
    K(refusal, FF_REFUSAL_FIELDS)                                                                  \
    K(heartbeat, FF_HEARTBEAT_FIELDS)                                                              \
    K(order, FF_ORDER_FIELDS)                                                                      \
    K(report, FF_REPORT_FIELDS)                                                                    \
    K(progress, FF_PROGRESS_FIELDS)                                                                \
    K(preview, FF_PREVIEW_FIELDS)                                                                  \
    K(line, FF_LINE_FIELDS)                                                                        \
    K(outcome, FF_OUTCOME_FIELDS)                                                                  \
    K(receipt, FF_RECEIPT_FIELDS)                                                                  \
    K(control, FF_CONTROL_FIELDS)                                                                  \
    K(want, FF_WANT_FIELDS)                                                                        \
    K(part, FF_PART_FIELDS)                                                                        \
    K(holding, FF_HOLDING_FIELDS)                                                                  \
    K(farewell, FF_FAREWELL_FIELDS)                                                                \
    K(ready, FF_READY_FIELDS)                                                                      \
    K(setup, FF_SETUP_FIELDS)                                                                      \
    K(invocation, FF_INVOCATION_FIELDS)

/* Every message: C name, number on the wire (never reused), kind of its items, most items. */
#define FF_MESSAGES(M)                                                                             \
    M(FF_MSG_HELLO, 1, hello, 1)                                                                   \
    M(FF_MSG_WELCOME, 2, welcome, 1)                                                               \
    M(FF_MSG_REFUSED, 3, refusal, 1)                                                               \
    M(FF_MSG_HEARTBEAT, 4, heartbeat, 1)                                                           \
    M(FF_MSG_FAREWELL, 5, farewell, 1)                                                             \
    M(FF_MSG_HOLDING, 6, holding, FF_MESSAGE_ITEMS)                                                \
    M(FF_MSG_HOLDING_END, 7, farewell, 1) /* all that is held has been announced */                \
    M(FF_MSG_TASKS, 10, order, FF_MESSAGE_ITEMS)                                                   \
    M(FF_MSG_STATES, 11, report, FF_MESSAGE_ITEMS)                                                 \
    M(FF_MSG_PROGRESS, 12, progress, FF_MESSAGE_ITEMS)                                             \
    M(FF_MSG_PREVIEW, 13, preview, 1)                                                              \
    M(FF_MSG_LOG, 14, line, FF_MESSAGE_ITEMS)                                                      \
    M(FF_MSG_OUTCOMES, 15, outcome, FF_MESSAGE_ITEMS)                                              \
    M(FF_MSG_RECEIPTS, 16, receipt, FF_MESSAGE_ITEMS)                                              \
    M(FF_MSG_CONTROL, 17, control, FF_MESSAGE_ITEMS)                                               \
    M(FF_MSG_OBJECT_WANT, 20, want, 16)                                                            \
    M(FF_MSG_OBJECT_PART, 21, part, 1)                                                             \
    M(FF_MSG_OBJECT_STORE, 22, part, 1)  /* towards the service: keep this part */                 \
    M(FF_MSG_OBJECT_STORED, 23, part, 1) /* from the service: whole and verified, or why not */    \
    M(FF_MSG_DRAIN, 24, farewell, 1)     /* finish what runs, take nothing new, then leave */      \
    M(FF_MSG_RUNNER_READY, 30, ready, 1)                                                           \
    M(FF_MSG_RUNNER_CALL, 31, invocation, 1)                                                       \
    M(FF_MSG_RUNNER_SETUP, 32, setup, 1)

enum ff_message_type {
#define FF_MESSAGE_ENUM(name, number, kind, most) name = number,
    FF_MESSAGES(FF_MESSAGE_ENUM)
#undef FF_MESSAGE_ENUM
};

#define FF_FIELD_MEMBER(item, type, member, key, limit) FF_C_##type member;
#define FF_ITEM_STRUCT(kind, fields)                                                               \
    struct ff_##kind {                                                                             \
        fields(FF_FIELD_MEMBER, kind)                                                              \
    };
FF_ITEM_KINDS(FF_ITEM_STRUCT)
#undef FF_ITEM_STRUCT
#undef FF_FIELD_MEMBER

/* Room for one item of any kind. */
union ff_item {
#define FF_ITEM_MEMBER(kind, fields) struct ff_##kind kind;
    FF_ITEM_KINDS(FF_ITEM_MEMBER)
#undef FF_ITEM_MEMBER
};

#endif

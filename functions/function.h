/*
 * functions/function.h: the ABI between Farfield and a native function. Version 1.
 *
 * A native function is a shared object that exports one symbol, `farfield_function`, and nothing
 * else. It is stored by the SHA-256 of its bytes, loaded by a runner process, and called with one
 * opaque call at a time. This header is all that it needs: no library of Farfield is linked.
 *
 *     #include "function.h"
 *
 *     static int invoke(struct ff_call *call)
 *     {
 *         size_t size;
 *         const char *arguments = ff_call_arguments(call, &size);
 *         for (int i = 0; i < 10 && ff_call_should_stop(call) == FF_GO_ON; i++)
 *             ff_call_progress(call, (i + 1) / 10.0, "{\"step\": 1}");
 *         return ff_call_succeed(call, arguments, size);
 *     }
 *
 *     FF_FUNCTION_EXPORT const struct ff_function farfield_function = {
 *         .abi = FF_FUNCTION_ABI,
 *         .size = sizeof(struct ff_function),
 *         .name = "repeat",
 *         .version = "1.0",
 *         .summary = "gives back its arguments",
 *         .invoke = invoke,
 *     };
 *
 *     cc -std=c17 -shared -fPIC -I PREFIX/include/farfield repeat.c -o repeat.so
 *     farfield function register repeat --native repeat.so
 *
 * Compatibility: structures only grow at their end and carry their size; a function built for ABI n
 * runs on every host that knows n. All text is UTF-8 and terminated. All pointers that the host
 * gives are valid until `invoke` returns. Everything except ff_call_should_stop is to be called
 * from the thread that `invoke` runs on; ff_call_should_stop may be called from any thread. The
 * function may start threads; they must end before `invoke` returns. The working folder is the
 * scratch folder. `CUDA_VISIBLE_DEVICES` names the leased GPUs, by UUID. A process serves one
 * lease; after a call that succeeded it may get another one on the same GPUs, and finds there what
 * the last one has left open.
 */
#ifndef FF_FUNCTIONS_FUNCTION_H
#define FF_FUNCTIONS_FUNCTION_H

#include <stddef.h>
#include <stdint.h>

#define FF_FUNCTION_ABI    1u
#define FF_FUNCTION_EXPORT __attribute__((visibility("default")))

enum ff_function_flags {
    FF_FUNCTION_OWN_PROCESS = 1, /* each call wants a fresh process */
    FF_FUNCTION_CAN_STOP = 2, /* looks at ff_call_should_stop and then ends early with a result */
    FF_FUNCTION_CAN_CHECKPOINT = 4, /* writes ff_call_checkpoint_path and goes on from it */
};

/* What ff_call_should_stop answers. When both are asked for, stop wins. */
enum ff_stop {
    FF_GO_ON = 0,
    FF_STOP_AND_KEEP = 1, /* end soon, and give the result reached so far */
    FF_CHECKPOINT =
        2, /* the node is about to be lost: write the checkpoint, then return ff_call_yield */
};

/* What `invoke` returns: what one of ff_call_succeed, ff_call_fail, ff_call_yield and ff_call_lost
 * returned. Anything else, and a return without any of them, fails the task. */
enum ff_call_outcome {
    FF_OUTCOME_SUCCESS = 0,
    FF_OUTCOME_FAILURE = 1,
    FF_OUTCOME_YIELD = 2,
    FF_OUTCOME_LOST = 3
};

enum ff_call_log_level {
    FF_CALL_DEBUG = 0,
    FF_CALL_INFO = 1,
    FF_CALL_WARNING = 2,
    FF_CALL_ERROR = 3
};

struct ff_call;

/* What the host tells about a call. Filled by the host; `size` says how much of it the host knows.
 */
struct ff_call_facts {
    uint32_t size;
    uint32_t attempt;           /* 1, 2, … */
    const char *task_id;        /* UUID as text; "" for a call without a service */
    const char *arguments;      /* JSON text */
    size_t arguments_size;      /* without the terminator */
    const char *scratch_folder; /* exists, empty at the first attempt, removed after the task */
    const char
        *checkpoint_path; /* one file; survives the attempts of a task. NULL: no place for one */
    const char
        *cache_folder; /* kept between tasks (plans, wisdom), shared by all processes of the user */
    const int *cores;  /* the CPU cores of the slot, by kernel number */
    uint32_t core_count;
    uint32_t device_count;      /* leased GPUs */
    const char *const *devices; /* their UUIDs, in the order of CUDA_VISIBLE_DEVICES */
    double seconds_left; /* until the time limit of the task, as of the call's start, or infinity */
    const char *body;    /* for shell functions: the registered template. Else NULL */
};

/* What the host does for a call. The host's table outlives the call. */
struct ff_call_host {
    uint32_t abi;
    uint32_t size;
    const struct ff_call_facts *(*facts)(struct ff_call *call);
    int (*should_stop)(struct ff_call *call);
    void (*progress)(struct ff_call *call, double fraction, const char *numbers);
    void (*preview)(struct ff_call *call, const char *name, const char *media_type,
                    const void *data, size_t size);
    void (*log)(struct ff_call *call, int level, const char *text);
    int (*succeed)(struct ff_call *call, const char *result, size_t size);
    int (*fail)(struct ff_call *call, const char *code, const char *message, const char *hint);
    int (*yield)(struct ff_call *call);
    int (*lost)(struct ff_call *call, const char *code, const char *message, const char *hint);
};

/* The head of the opaque call: hosts put it first in their own structure. Functions use the
 * ff_call_* below. */
struct ff_call {
    const struct ff_call_host *host;
};

struct ff_function {
    uint32_t abi;  /* FF_FUNCTION_ABI */
    uint32_t size; /* sizeof(struct ff_function) */
    const char *name;
    const char *version;
    const char *summary; /* one line */
    uint32_t flags;      /* of enum ff_function_flags */
    int (*invoke)(struct ff_call *call);
};

extern FF_FUNCTION_EXPORT const struct ff_function farfield_function;

static inline const struct ff_call_facts *ff_call_facts(struct ff_call *call)
{
    return call->host->facts(call);
}

/* The arguments as JSON text, as the user gave them. */
static inline const char *ff_call_arguments(struct ff_call *call, size_t *size)
{
    const struct ff_call_facts *facts = ff_call_facts(call);
    *size = facts->arguments_size;
    return facts->arguments;
}

/* Cheap (one atomic load): ask in every inner loop that takes longer than a tenth of a second. */
static inline enum ff_stop ff_call_should_stop(struct ff_call *call)
{
    return (enum ff_stop)call->host->should_stop(call);
}

/* `fraction` of the work done, 0…1, or negative when unknown; `numbers` is a JSON object with the
 * key numbers of the moment ({"epoch": 12, "cost": 0.41}), or NULL. The host keeps the newest when
 * they come faster than it sends. */
static inline void ff_call_progress(struct ff_call *call, double fraction, const char *numbers)
{
    call->host->progress(call, fraction, numbers);
}

/* A picture of the state so far, under a file name like "object.png" (1…64 of [A-Za-z0-9._-], not
 * beginning with a dot or a hyphen; others are dropped with a warning). A later one of the same
 * name replaces it. Beyond the limit of 4 MiB it is dropped and a warning logged. */
static inline void ff_call_preview(struct ff_call *call, const char *name, const char *media_type,
                                   const void *data, size_t size)
{
    call->host->preview(call, name, media_type, data, size);
}

/* A line for the user: it is shown with the task, and its tail with an error. */
static inline void ff_call_log(struct ff_call *call, enum ff_call_log_level level, const char *text)
{
    call->host->log(call, (int)level, text);
}

/* Ends the call with a result: one JSON value, copied by the host. */
static inline int ff_call_succeed(struct ff_call *call, const char *result, size_t size)
{
    return call->host->succeed(call, result, size);
}

/* Ends the call with an error: a code of protocol/core/error_codes.h by its wire name
 * ("INPUT_INVALID"), what was wrong and where, and what to do about it ("" when there is nothing to
 * say). Final: the task is not tried again. A value given by ff_call_succeed before stays with the
 * failed task: a command that failed has output, too. */
static inline int ff_call_fail(struct ff_call *call, const char *code, const char *message,
                               const char *hint)
{
    return call->host->fail(call, code, message, hint);
}

/* Ends the call because what it ran on failed, not the function (a GPU reports an uncorrectable
 * error): another attempt is made, and goes on from the checkpoint if there is one. It counts
 * against the retries of the task. */
static inline int ff_call_lost(struct ff_call *call, const char *code, const char *message,
                               const char *hint)
{
    return call->host->lost(call, code, message, hint);
}

/* Ends the call after FF_CHECKPOINT: the task goes back to the queue and another attempt goes on
 * from the file. Without FF_CHECKPOINT asked for it is a failure. */
static inline int ff_call_yield(struct ff_call *call)
{
    return call->host->yield(call);
}

#endif

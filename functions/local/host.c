#include "functions/local/host.h"

#include "protocol/core/file.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RESULT_LIMIT = 64 << 20 };

struct ff_local_host {
    struct ff_call call; /* first: what the function sees */
    struct ff_call_facts facts;
    struct ff_local_watch watch;
    char *arguments;
    char *checkpoint_path;
    char *cache_folder;
    atomic_int stop;
    struct ff_buffer result;
    struct ff_error failure;
};

static struct ff_local_host *host_of(struct ff_call *call)
{
    return (struct ff_local_host *)(void *)call;
}

static const struct ff_call_facts *facts(struct ff_call *call)
{
    return &host_of(call)->facts;
}

static int should_stop(struct ff_call *call)
{
    return atomic_load_explicit(&host_of(call)->stop, memory_order_relaxed);
}

static void progress(struct ff_call *call, double fraction, const char *numbers)
{
    const struct ff_local_watch *watch = &host_of(call)->watch;
    if (watch->progress != NULL)
        watch->progress(watch->user, fraction, numbers);
}

static void preview(struct ff_call *call, const char *name, const char *media_type,
                    const void *data, size_t size)
{
    const struct ff_local_watch *watch = &host_of(call)->watch;
    (void)media_type;
    if (watch->preview != NULL)
        watch->preview(watch->user, name, data, size);
}

static void log_line(struct ff_call *call, int level, const char *text)
{
    const struct ff_local_watch *watch = &host_of(call)->watch;
    if (watch->log != NULL)
        watch->log(watch->user, level, text);
}

static int succeed(struct ff_call *call, const char *result, size_t size)
{
    struct ff_local_host *host = host_of(call);
    ff_buffer_clear(&host->result);
    ff_buffer_append(&host->result, result, size);
    return FF_OUTCOME_SUCCESS;
}

static int fail(struct ff_call *call, const char *code, const char *message, const char *hint)
{
    struct ff_error *failure = &host_of(call)->failure;
    ff_fail(failure, ff_error_code_from_name(code, strlen(code)), "%s", message);
    ff_hint(failure, "%s", hint);
    return FF_OUTCOME_FAILURE;
}

/* There is no other place to try it at, so what was lost has failed. */
static int lost(struct ff_call *call, const char *code, const char *message, const char *hint)
{
    fail(call, code, message, hint);
    return FF_OUTCOME_LOST;
}

static int yield(struct ff_call *call)
{
    (void)call;
    return FF_OUTCOME_YIELD;
}

static const struct ff_call_host operations = {
    .abi = FF_FUNCTION_ABI,
    .size = sizeof(struct ff_call_host),
    .facts = facts,
    .should_stop = should_stop,
    .progress = progress,
    .preview = preview,
    .log = log_line,
    .succeed = succeed,
    .fail = fail,
    .yield = yield,
    .lost = lost,
};

static char *cache_of_home(struct ff_error *error)
{
    char *home = ff_home(error);
    if (home == NULL)
        return NULL;
    char *cache = ff_path_join(home, "cache");
    free(home);
    if (cache == NULL)
        ff_fail(error, FF_NO_MEMORY, "no memory for the path of the cache");
    return cache;
}

static int fill(struct ff_local_host *host, const char *arguments, const char *checkpoint_path,
                struct ff_error *error)
{
    host->cache_folder = cache_of_home(error);
    if (host->cache_folder == NULL)
        return -1;
    host->arguments = strdup(arguments);
    host->checkpoint_path = checkpoint_path != NULL ? strdup(checkpoint_path) : NULL;
    if (host->arguments == NULL || (checkpoint_path != NULL && host->checkpoint_path == NULL))
        return ff_fail(error, FF_NO_MEMORY, "no memory for the arguments");
    host->facts = (struct ff_call_facts){
        .size = sizeof(struct ff_call_facts),
        .attempt = 1,
        .task_id = "",
        .arguments = host->arguments,
        .arguments_size = strlen(host->arguments),
        .scratch_folder = ".",
        .checkpoint_path = host->checkpoint_path,
        .cache_folder = host->cache_folder,
        .seconds_left = INFINITY,
    };
    return 0;
}

struct ff_local_host *ff_local_host_create(const char *arguments, const char *checkpoint_path,
                                           const struct ff_local_watch *watch,
                                           struct ff_error *error)
{
    struct ff_local_host *host = calloc(1, sizeof *host);
    if (host == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory for a call");
        return NULL;
    }
    host->call.host = &operations;
    host->watch = *watch;
    ff_buffer_init(&host->result, RESULT_LIMIT);
    if (fill(host, arguments, checkpoint_path, error) < 0) {
        ff_local_host_destroy(host);
        return NULL;
    }
    return host;
}

void ff_local_host_destroy(struct ff_local_host *host)
{
    if (host == NULL)
        return;
    ff_buffer_dispose(&host->result);
    free(host->arguments);
    free(host->checkpoint_path);
    free(host->cache_folder);
    free(host);
}

void ff_local_host_stop(struct ff_local_host *host)
{
    atomic_store_explicit(&host->stop, FF_STOP_AND_KEEP, memory_order_relaxed);
}

int ff_local_host_run(struct ff_local_host *host, const struct ff_function *function,
                      struct ff_error *error)
{
    ff_fail(&host->failure, FF_INTERNAL, "%s returned without a result", function->name);
    int outcome = function->invoke(&host->call);
    if (outcome == FF_OUTCOME_SUCCESS)
        return ff_buffer_check(&host->result, "the result", error);
    if (error != NULL)
        *error = host->failure;
    return -1;
}

const char *ff_local_host_result(struct ff_local_host *host)
{
    return ff_buffer_text(&host->result);
}

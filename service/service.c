#include "service/service.h"

#include "protocol/core/clock.h"
#include "protocol/core/file.h"
#include "protocol/core/log.h"
#include "protocol/core/process.h"
#include "service/endings.h"
#include "service/http/http.h"
#include "service/retention.h"
#include "service/router/router.h"
#include "service/save.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PORTS_FILE_LIMIT = 64, RETRY_MS = 1000, SEQ_BITS = 36 };

/* ---- files ---- */

static int path_in(const struct ff_service *service, const char *name, char path[PATH_MAX],
                   struct ff_error *error)
{
    if (snprintf(path, PATH_MAX, "%s/%s", service->folder, name) >= PATH_MAX)
        return ff_fail(error, FF_INVALID_ARGUMENT, "the path of %s is too long", service->folder);
    return 0;
}

static int say_who_runs(const struct ff_service *service, struct ff_error *error)
{
    char path[PATH_MAX];
    char host[256] = "";
    struct ff_process_id other = {0};
    if (path_in(service, "run/process", path, error) < 0)
        return -1;
    if (ff_process_file_read(path, &other, host, sizeof host, NULL) == 0)
        ff_fail(error, FF_BUSY, "a service runs on %s already: process %d on host %s",
                service->home, (int)other.pid, host);
    else
        ff_fail(error, FF_BUSY, "a service runs on %s already", service->home);
    return ff_hint(error, "stop it first (farfield service stop), or give this one another "
                          "FARFIELD_HOME");
}

static int take_lock(struct ff_service *service, struct ff_error *error)
{
    char path[PATH_MAX];
    char process[PATH_MAX];
    if (path_in(service, "run/lock", path, error) < 0 ||
        path_in(service, "run/process", process, error) < 0)
        return -1;
    service->lock_fd = ff_process_lock(path, process);
    if (service->lock_fd >= 0)
        return 0;
    if (errno == EAGAIN || errno == EACCES)
        return say_who_runs(service, error);
    return ff_fail_errno(error, FF_IO, errno, "cannot lock %s", path);
}

static int make_folders(struct ff_service *service, struct ff_error *error)
{
    char run[PATH_MAX];
    char objects[PATH_MAX];
    service->folder = ff_path_join(service->home, "service");
    if (service->folder == NULL)
        return ff_fail(error, FF_NO_MEMORY, "no memory for a path");
    service->ledger_path = ff_path_join(service->folder, "ledger.db");
    service->previews = ff_path_join(service->folder, "previews");
    if (service->ledger_path == NULL || service->previews == NULL)
        return ff_fail(error, FF_NO_MEMORY, "no memory for a path");
    if (path_in(service, "run", run, error) < 0 ||
        path_in(service, "objects", objects, error) < 0 || ff_folder_make(run, 0700, error) < 0 ||
        ff_folder_make(service->previews, 0700, error) < 0 || take_lock(service, error) < 0)
        return -1;
    service->objects = ff_objects_create(objects, error);
    return service->objects != NULL ? 0 : -1;
}

/* Ports that were chosen automatically stay what they are: endpoints know them. */
static void keep_ports(struct ff_service *service)
{
    char path[PATH_MAX];
    char *text = NULL;
    size_t size;
    int https = 0;
    int router = 0;
    service->https_port = (int)service->config.https_port;
    service->router_port = (int)service->config.router_port;
    if (path_in(service, "run/ports", path, NULL) < 0 ||
        ff_file_read(path, PORTS_FILE_LIMIT, &text, &size, NULL) < 0)
        return;
    if (sscanf(text, "%d %d", &https, &router) == 2 && https > 0 && https < 65536 && router > 0 &&
        router < 65536) {
        if (service->https_port == 0)
            service->https_port = https;
        if (service->router_port == 0)
            service->router_port = router;
    }
    free(text);
}

static int load_config(struct ff_service *service, const struct ff_service_options *options,
                       struct ff_error *error)
{
    char path[PATH_MAX];
    ff_config_defaults(&service->config);
    if (path_in(service, "config.yaml", path, error) < 0 || ff_config_make(path, error) < 0 ||
        ff_config_read(path, &service->config, error) < 0)
        return -1;
    if (options->host != NULL)
        snprintf(service->config.host, sizeof service->config.host, "%s", options->host);
    if (options->https_port >= 0)
        service->config.https_port = options->https_port;
    if (options->router_port >= 0)
        service->config.router_port = options->router_port;
    keep_ports(service);
    return 0;
}

int ff_service_reload(struct ff_service *service, struct ff_error *error)
{
    char path[PATH_MAX];
    struct ff_config config = service->config;
    if (path_in(service, "config.yaml", path, error) < 0 ||
        ff_config_read(path, &config, error) < 0)
        return -1;
    /* The HTTP threads read these without a lock, each as one word. */
    service->config.max_retries = config.max_retries;
    service->config.endpoint_window = config.endpoint_window;
    service->config.result_days = config.result_days;
    service->config.object_limit = config.object_limit;
    return 0;
}

/* ---- loading ---- */

struct loading {
    struct ff_service *service;
    struct ff_error *error;
    bool failed;
};

static int load_function(void *user, const struct ff_function_row *row)
{
    struct loading *loading = user;
    loading->failed =
        ff_catalog_put_function(loading->service->catalog, row, loading->error) == NULL;
    return loading->failed;
}

static int load_endpoint(void *user, const struct ff_endpoint_row *row)
{
    struct loading *loading = user;
    struct ff_endpoint *endpoint =
        ff_catalog_put_endpoint(loading->service->catalog, row, loading->error);
    loading->failed = endpoint == NULL;
    /* A lease from before the restart is honoured until it would have lapsed. */
    if (endpoint != NULL)
        endpoint->heard_ns = ff_monotonic_ns();
    return loading->failed;
}

static int load_token(void *user, const struct ff_token_row *row)
{
    struct loading *loading = user;
    loading->failed = ff_tokens_add(loading->service->tokens, row, loading->error) < 0;
    return loading->failed;
}

static int load_ledger(struct ff_service *service, struct ff_store *store, struct ff_error *error)
{
    struct loading loading = {service, error, false};
    service->catalog = ff_catalog_create(error);
    service->tokens = ff_tokens_create(error);
    service->ledger = ff_ledger_create(service->identity.secret, &service->waiters, error);
    if (service->catalog == NULL || service->tokens == NULL || service->ledger == NULL)
        return -1;
    if (store->ops->each_function(store, load_function, &loading, error) < 0 ||
        store->ops->each_endpoint(store, load_endpoint, &loading, error) < 0 ||
        store->ops->each_token(store, load_token, &loading, error) < 0 || loading.failed)
        return -1;
    return ff_ledger_load(service->ledger, store, service->catalog, error);
}

/* Who owns what the first token makes: the user of this machine. */
static const char *first_user(void)
{
    const char *name = getenv("USER");
    return name != NULL && name[0] != '\0' && strlen(name) <= FF_USER_LIMIT ? name : "owner";
}

/* Makes a token for the client of this home, where it has none. *text stays empty otherwise. */
static int make_first_token(struct ff_service *service, struct ff_store *store,
                            char text[FF_TOKEN_TEXT_SIZE], struct ff_error *error)
{
    char *path = ff_path_join(service->home, "token");
    bool there = path != NULL && access(path, F_OK) == 0;
    free(path);
    text[0] = '\0';
    if (there && ff_tokens_count(service->tokens) > 0)
        return 0;
    struct ff_token_row row = {
        .user =
            ff_span_of(ff_tokens_count(service->tokens) > 0 ? ff_tokens_at(service->tokens, 0)->user
                                                            : first_user()),
        .label = ff_span_of("made by the service for its own home"),
        .scopes = ff_span_of("all"),
        .created_ns = ff_wall_ns(),
    };
    ff_id_random(&row.id);
    if (ff_token_make(text, &row.hash, error) < 0 || store->ops->begin(store, error) < 0)
        return -1;
    if (store->ops->put_token(store, &row, error) < 0 || store->ops->commit(store, error) < 0) {
        store->ops->rollback(store);
        return -1;
    }
    return ff_tokens_add(service->tokens, &row, error);
}

/* ---- the loop ---- */

void ff_service_expire_at(struct ff_service *service, int64_t at_ns)
{
    if (service->expiry_at_ns != 0 && service->expiry_at_ns <= at_ns)
        return;
    service->expiry_at_ns = at_ns;
    ff_loop_wake(service->loop);
}

static bool prepare(void *user)
{
    struct ff_service *service = user;
    pthread_mutex_lock(&service->lock);
    if (service->expiry_at_ns != service->expiry_set_ns) {
        service->expiry_set_ns = service->expiry_at_ns;
        ff_timer_set(service->expiry, service->expiry_at_ns);
    }
    if (service->failed != NULL && !service->retry_set) {
        service->retry_set = true;
        ff_timer_set_after(service->retry, RETRY_MS);
    }
    pthread_mutex_unlock(&service->lock);
    return false;
}

static void expire(void *user)
{
    struct ff_service *service = user;
    pthread_mutex_lock(&service->lock);
    int64_t next = ff_waiters_expire(&service->waiters, ff_monotonic_ns());
    service->expiry_at_ns = next == INT64_MAX ? 0 : next;
    service->expiry_set_ns = service->expiry_at_ns;
    ff_timer_set(service->expiry, service->expiry_at_ns);
    pthread_mutex_unlock(&service->lock);
}

bool ff_service_retry(struct ff_service *service, struct ff_job *job, const struct ff_error *error)
{
    pthread_mutex_lock(&service->lock);
    bool first = service->failed == NULL;
    bool kept = !service->stopping;
    if (kept) {
        job->next = service->failed;
        service->failed = job;
    }
    pthread_mutex_unlock(&service->lock);
    if (first)
        ff_log_error("results cannot be written; they are kept and tried again", error);
    ff_loop_wake(service->loop);
    return kept;
}

/* Hands the failed jobs to the committer again. */
static void retry(void *user)
{
    struct ff_service *service = user;
    pthread_mutex_lock(&service->lock);
    struct ff_job *jobs = service->failed;
    service->failed = NULL;
    service->retry_set = false;
    pthread_mutex_unlock(&service->lock);
    while (jobs != NULL) {
        struct ff_job *job = jobs;
        jobs = job->next;
        ff_committer_submit(service->committer, job);
    }
}

static int open_loop(struct ff_service *service, struct ff_error *error)
{
    service->loop = ff_loop_create(error);
    if (service->loop == NULL)
        return -1;
    service->expiry = ff_timer_create(service->loop, expire, service, error);
    service->retry = ff_timer_create(service->loop, retry, service, error);
    service->prepare = ff_prepare_create(service->loop, prepare, service, error);
    if (service->expiry == NULL || service->retry == NULL || service->prepare == NULL)
        return -1;
    service->retention = ff_retention_create(service, error);
    return service->retention != NULL ? 0 : -1;
}

/* ---- life ---- */

void ff_service_url(const struct ff_service *service, char *url, size_t size)
{
    const char *host = service->config.host;
    bool any = strcmp(host, "*") == 0 || strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0;
    bool is_v6 = strchr(host, ':') != NULL && !any;
    snprintf(url, size, is_v6 ? "https://[%s]:%d" : "https://%s:%d", any ? "127.0.0.1" : host,
             service->https_port);
}

static int publish(struct ff_service *service, const char *token, struct ff_error *error)
{
    char path[PATH_MAX];
    char ports[PORTS_FILE_LIMIT];
    char url[512];
    snprintf(ports, sizeof ports, "%d %d\n", service->https_port, service->router_port);
    ff_service_url(service, url, sizeof url);
    if (path_in(service, "run/ports", path, error) < 0 ||
        ff_file_write(path, ff_span_of(ports), 0600, error) < 0 ||
        ff_identity_publish(&service->identity, service->home, url, token[0] != '\0' ? token : NULL,
                            error) < 0 ||
        path_in(service, "run/process", path, error) < 0)
        return -1;
    return ff_process_file_write(path, error);
}

static int open_ports(struct ff_service *service, struct ff_error *error)
{
    int compat_port = (int)service->config.compat_http;
    service->router = ff_router_create(service, error);
    if (service->router == NULL)
        return -1;
    service->http =
        ff_http_create(service, service->config.host, &service->https_port, true, error);
    if (service->http == NULL)
        return -1;
    if (compat_port == 0)
        return 0;
    service->compat = ff_http_create(service, "127.0.0.1", &compat_port, false, error);
    return service->compat != NULL ? 0 : -1;
}

/* Tasks that were accepted while their endpoint was being deleted. */
static void cancel_of_deleted(struct ff_service *service)
{
    pthread_mutex_lock(&service->lock);
    for (size_t i = ff_catalog_endpoint_count(service->catalog); i-- > 0;) {
        struct ff_endpoint *endpoint = ff_catalog_endpoint_at(service->catalog, i);
        if (endpoint->deleted && endpoint->live > 0)
            ff_endpoint_cancel_tasks(service, endpoint);
    }
    pthread_mutex_unlock(&service->lock);
}

static int open_store(struct ff_service *service, char token[FF_TOKEN_TEXT_SIZE],
                      struct ff_error *error)
{
    struct ff_store_start start;
    struct ff_store *store =
        ff_store_sqlite.open(service->ledger_path, FF_STORE_WRITER, &start, error);
    if (store == NULL)
        return -1;
    service->epoch = start.epoch;
    atomic_init(&service->next_task, start.next_task);
    /* Results of a later start are numbered higher, without reading those of earlier ones. */
    atomic_init(&service->next_seq, (int64_t)(start.epoch << SEQ_BITS) + 1);
    if (load_ledger(service, store, error) == 0 &&
        make_first_token(service, store, token, error) == 0)
        service->committer = ff_committer_create(store, error);
    if (service->committer == NULL) {
        store->ops->close(store);
        return -1;
    }
    cancel_of_deleted(service);
    return 0;
}

struct ff_service *ff_service_create(const char *home, const struct ff_service_options *options,
                                     struct ff_error *error)
{
    char token[FF_TOKEN_TEXT_SIZE] = "";
    struct ff_service *service = calloc(1, sizeof *service);
    if (service == NULL || (service->home = strdup(home)) == NULL) {
        free(service);
        ff_fail(error, FF_NO_MEMORY, "no memory for the service");
        return NULL;
    }
    pthread_mutex_init(&service->lock, NULL);
    service->lock_fd = -1;
    service->started_wall_ns = ff_wall_ns();
    service->started_ns = ff_monotonic_ns();
    ff_id_random(&service->instance);
    if (make_folders(service, error) < 0 || load_config(service, options, error) < 0 ||
        ff_identity_load(service->folder, &service->identity, error) < 0 ||
        open_loop(service, error) < 0 || open_store(service, token, error) < 0 ||
        open_ports(service, error) < 0 || publish(service, token, error) < 0) {
        ff_service_destroy(service);
        service = NULL;
    }
    explicit_bzero(token, sizeof token);
    return service;
}

int ff_service_run(struct ff_service *service, struct ff_error *error)
{
    return ff_loop_run(service->loop, error);
}

void ff_service_stop(struct ff_service *service)
{
    ff_loop_stop(service->loop);
}

static void release_lock(struct ff_service *service)
{
    char path[PATH_MAX];
    if (service->lock_fd < 0)
        return;
    if (path_in(service, "run/process", path, NULL) == 0)
        unlink(path);
    close(service->lock_fd);
}

void ff_service_destroy(struct ff_service *service)
{
    if (service == NULL)
        return;
    pthread_mutex_lock(&service->lock);
    ff_waiters_close(&service->waiters);
    pthread_mutex_unlock(&service->lock);
    ff_http_destroy(service->compat);
    ff_http_destroy(service->http);
    ff_retention_destroy(service->retention);
    ff_objects_destroy(service->objects);
    ff_router_destroy(service->router);
    /* What could not be written so far gets its last chance; else the endpoints send it again. */
    pthread_mutex_lock(&service->lock);
    service->stopping = true;
    pthread_mutex_unlock(&service->lock);
    if (service->committer != NULL) {
        retry(service);
        pthread_mutex_lock(&service->lock);
        ff_batches_close(service, true);
        pthread_mutex_unlock(&service->lock);
    }
    ff_committer_destroy(service->committer);
    ff_loop_destroy(service->loop);
    ff_ledger_destroy(service->ledger);
    ff_recent_clear(&service->recent);
    ff_catalog_destroy(service->catalog);
    ff_tokens_destroy(service->tokens);
    ff_identity_dispose(&service->identity);
    pthread_mutex_destroy(&service->lock);
    /* The ledger belongs to the next service only when nothing of this one writes any more. */
    release_lock(service);
    free(service->previews);
    free(service->ledger_path);
    free(service->folder);
    free(service->home);
    free(service);
}

#include "service/http/request.h"

#include "protocol/core/clock.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int ff_get_version(struct ff_request *request, struct ff_error *error)
{
    struct ff_buffer *out = &request->reply;
    (void)error;
    ff_json_begin(out, '{');
    ff_json_member_text(out, "api", FF_VERSION);
    ff_json_member_text(out, "min_sdk_version", "2.0.0");
    ff_json_member_text(out, "min_ep_version", "2.0.0");
    ff_json_member_text(out, "farfield", FF_VERSION);
    ff_json_key(out, "protocol");
    ff_json_begin(out, '{');
    ff_json_member_integer(out, "min", FF_PROTOCOL_MIN);
    ff_json_member_integer(out, "max", FF_PROTOCOL_MAX);
    ff_json_end(out, '}');
    ff_json_end(out, '}');
    return FF_REPLY;
}

static int64_t resident_bytes(void)
{
    long long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file == NULL)
        return 0;
    if (fscanf(file, "%*d %lld", &pages) != 1)
        pages = 0;
    fclose(file);
    return pages * sysconf(_SC_PAGESIZE);
}

static int64_t store_bytes(const char *path)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    int64_t total = 0;
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        char name[4096];
        struct stat info;
        snprintf(name, sizeof name, "%s%s", path, suffixes[i]);
        if (stat(name, &info) == 0)
            total += info.st_size;
    }
    return total;
}

int ff_get_status(struct ff_request *request, struct ff_error *error)
{
    struct ff_service *service = request->service;
    struct ff_buffer *out = &request->reply;
    int64_t online = 0;
    int64_t offline = 0;
    (void)error;
    ff_json_begin(out, '{');
    ff_json_member_text(out, "version", FF_VERSION);
    ff_json_member_integer(out, "epoch", (int64_t)service->epoch);
    ff_json_member_time(out, "started", service->started_wall_ns);
    ff_json_member_number(out, "uptime_s", (double)(ff_monotonic_ns() - service->started_ns) / 1e9);
    ff_json_member_integer(out, "pid", getpid());
    ff_json_member_integer(out, "https_port", service->https_port);
    ff_json_member_integer(out, "router_port", service->router_port);
    ff_json_key(out, "tasks");
    ff_json_begin(out, '{');
    pthread_mutex_lock(&service->lock);
    for (int state = 0; state < FF_TASK_STATE_COUNT; state++)
        ff_json_member_integer(
            out, ff_task_state_name((enum ff_task_state)state),
            (int64_t)ff_ledger_count(service->ledger, (enum ff_task_state)state));
    for (size_t i = 0; i < ff_catalog_endpoint_count(service->catalog); i++) {
        const struct ff_endpoint *endpoint = ff_catalog_endpoint_at(service->catalog, i);
        online += endpoint->link.peer != NULL;
        offline += !endpoint->deleted && endpoint->link.peer == NULL;
    }
    bool failing = service->failed != NULL;
    pthread_mutex_unlock(&service->lock);
    ff_json_end(out, '}');
    ff_json_key(out, "endpoints");
    ff_json_begin(out, '{');
    ff_json_member_integer(out, "online", online);
    ff_json_member_integer(out, "offline", offline);
    ff_json_end(out, '}');
    ff_json_member_integer(out, "resident_bytes", resident_bytes());
    ff_json_member_integer(out, "store_bytes", store_bytes(service->ledger_path));
    ff_json_member_flag(out, "store_failing", failing);
    ff_json_end(out, '}');
    return FF_REPLY;
}

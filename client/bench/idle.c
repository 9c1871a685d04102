/* What everything costs while nothing happens: memory and wake-ups. */
#include "client/bench/bench.h"

#include "client/command/output.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WAIT_MS = 60000 };

/* The number behind `key` in a file of /proc, in the file's unit; 0 where it is not there. */
static int64_t read_field(const char *path, const char *key)
{
    FILE *file = fopen(path, "re");
    char line[256];
    int64_t value = 0;
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, key, strlen(key)) == 0)
            value = strtoll(line + strlen(key), NULL, 10);
    if (file != NULL)
        fclose(file);
    return value;
}

static int64_t memory_of(pid_t pid, const char *name, const char *key)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    return 1024 * read_field(path, key);
}

/* Voluntary context switches of all threads: each is a sleep that something ended. */
static int64_t wakeups_of(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *folder = opendir(path);
    int64_t sum = 0;
    struct dirent *entry;
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        char status[sizeof path + sizeof entry->d_name + 16];
        if (!isdigit((unsigned char)entry->d_name[0]))
            continue;
        snprintf(status, sizeof status, "%s/%s/status", path, entry->d_name);
        sum += read_field(status, "voluntary_ctxt_switches:");
    }
    if (folder != NULL)
        closedir(folder);
    return sum;
}

static int run_one_task(struct ff_stand *stand, struct ff_error *error)
{
    struct ff_session *session = ff_stand_session(stand, error);
    if (session == NULL)
        return -1;
    json_t *arguments = json_integer(1);
    json_t *task = NULL;
    char task_id[40];
    int result = ff_bench_submit(session, "echo", arguments, task_id, error);
    if (result == 0)
        result = ff_task_wait(session, task_id, WAIT_MS, &task, error);
    if (result == 0)
        result = ff_bench_expect_success(task, error);
    json_decref(task);
    json_decref(arguments);
    ff_session_close(session);
    return result;
}

static int sleep_for(int64_t seconds, struct ff_error *error)
{
    for (int64_t passed = 0; passed < seconds; passed++) {
        const struct timespec second = {1, 0};
        char line[64];
        snprintf(line, sizeof line, "idle for %lld of %lld s", (long long)passed,
                 (long long)seconds);
        ff_progress_show(line);
        nanosleep(&second, NULL);
        if (ff_stand_interrupted())
            return ff_fail(error, FF_TIMED_OUT, "interrupted");
    }
    return 0;
}

/* {"farfield-runner": n, "farfield-runner-2": n} */
static void add_wakeups(json_t *wakeups, const char *name, double per_minute)
{
    char key[48];
    snprintf(key, sizeof key, "%s", name);
    for (int i = 2; json_object_get(wakeups, key) != NULL; i++)
        snprintf(key, sizeof key, "%s-%d", name, i);
    json_object_set_new(wakeups, key, json_real(per_minute));
}

static json_t *describe(const struct ff_stand_process *processes, size_t count,
                        const int64_t *before, int64_t seconds)
{
    json_t *line = json_pack("{s:s, s:I}", "mode", "idle", "seconds", (json_int_t)seconds);
    json_t *wakeups = json_object();
    int64_t pss = 0;
    for (size_t i = 0; i < count; i++) {
        pid_t pid = processes[i].pid;
        const char *name = processes[i].name;
        int64_t resident = memory_of(pid, "status", "VmRSS:");
        pss += memory_of(pid, "smaps_rollup", "Pss:");
        if (strcmp(name, "farfield-service") == 0)
            json_object_set_new(line, "service_bytes", json_integer(resident));
        if (strcmp(name, "farfield-endpoint") == 0)
            json_object_set_new(line, "endpoint_bytes", json_integer(resident));
        add_wakeups(wakeups, name, 60.0 * (double)(wakeups_of(pid) - before[i]) / (double)seconds);
    }
    json_object_set_new(line, "total_pss_bytes", json_integer(pss));
    json_object_set_new(line, "wakeups_per_minute", wakeups);
    return line;
}

int ff_bench_idle(struct ff_stand *stand, const struct ff_bench_options *options, json_t **line,
                  struct ff_error *error)
{
    if (ff_stand_restart_all(stand, error) < 0 || run_one_task(stand, error) < 0 ||
        sleep_for(1, error) < 0)
        return -1;
    struct ff_stand_process processes[FF_STAND_PROCESSES];
    int64_t before[FF_STAND_PROCESSES];
    size_t count = ff_stand_processes(stand, NULL, processes, FF_STAND_PROCESSES);
    for (size_t i = 0; i < count; i++)
        before[i] = wakeups_of(processes[i].pid);
    if (sleep_for(options->idle_seconds, error) < 0)
        return -1;
    *line = describe(processes, count, before, options->idle_seconds);
    return 0;
}

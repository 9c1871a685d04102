#include "endpoint/doctor_job.h"

#include "endpoint/address.h"
#include "endpoint/probe.h"
#include "endpoint/providers/provider.h"
#include "protocol/core/clock.h"
#include "protocol/core/file.h"
#include "protocol/core/text.h"
#include "protocol/core/yaml.h"
#include "protocol/ids.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WALLTIME_S = 60, PATIENCE_MS = 600000, CANCEL_MS = 15000 };

struct job_test {
    const struct ff_provider *provider;
    struct ff_config config; /* for a job of one node and a minute */
    struct ff_loop *loop;
    struct ff_timer *timer;
    struct ff_provider_site *site;
    struct ff_provider_job *job;
    char folder[PATH_MAX];
    char url[FF_ADDRESS_SIZE + 32];
    int listener; /* -1: the agent itself listens */
    bool cancelled;
    int64_t submitted_ns;
    int64_t started_ns; /* 0: it was never seen to run */
};

/* ---- the address ---- */

static int take_address(void *user, const char *key, const char *value, int line,
                        struct ff_error *error)
{
    struct job_test *test = user;
    (void)line;
    (void)error;
    if (strcmp(key, "address") == 0)
        snprintf(test->url, sizeof test->url, "%s", value);
    return 0;
}

/* The agent's, where it runs; otherwise a listener in its place. */
static int open_address(struct job_test *test, const struct ff_folder *folder,
                        struct ff_error *error)
{
    char path[PATH_MAX];
    char host[FF_ADDRESS_SIZE];
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    ff_folder_path(folder, path, "run/process");
    bool runs = access(path, F_OK) == 0;
    ff_folder_path(folder, path, "run/agent");
    if (runs && ff_yaml_read(path, take_address, test, NULL) == 0 && test->url[0] != '\0')
        return 0;
    if (ff_address_find(test->config.agent_host, true, host, error) < 0)
        return -1;
    test->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address.sin_port = htons((uint16_t)test->config.agent_port);
    inet_pton(AF_INET, host, &address.sin_addr);
    if (test->listener < 0 ||
        bind(test->listener, (const struct sockaddr *)&address, sizeof address) < 0 ||
        listen(test->listener, 8) < 0 ||
        getsockname(test->listener, (struct sockaddr *)&address, &size) < 0) {
        ff_fail_errno(error, FF_IO, errno, "cannot listen at %s", host);
        return ff_hint(error, "set agent_host to an address of this machine");
    }
    snprintf(test->url, sizeof test->url, "tcp://%s:%d", host, ntohs(address.sin_port));
    return 0;
}

/* ---- waiting ---- */

static void say_state(const struct job_test *test)
{
    static const char *const states[] = {"is being submitted", "waits", "runs", "has ended"};
    const struct ff_job_report *report = test->provider->report(test->job);
    fprintf(stderr, "the test job %s%s%s%s%s\n", report->handle, report->handle[0] ? " " : "",
            states[report->state], report->why[0] != '\0' ? ": " : "", report->why);
}

static void changed(void *user)
{
    struct job_test *test = user;
    const struct ff_job_report *report = test->provider->report(test->job);
    say_state(test);
    if (report->state == FF_BLOCK_RUNNING && test->started_ns == 0)
        test->started_ns = ff_monotonic_ns();
    if (report->state == FF_BLOCK_ENDED)
        ff_loop_stop(test->loop);
}

/* The first time it is too late for the job, the second time for its end. */
static void too_late(void *user)
{
    struct job_test *test = user;
    if (test->cancelled)
        ff_loop_stop(test->loop);
    test->cancelled = true;
    test->provider->cancel(test->job, false);
    ff_timer_set_after(test->timer, CANCEL_MS);
}

static void caught(void *user, int signal_number)
{
    (void)signal_number;
    too_late(user);
}

static int run_job(struct job_test *test, const struct ff_folder *folder, struct ff_error *error)
{
    static const int signals[] = {SIGINT, SIGTERM, 0};
    const struct ff_provider_events events = {test, changed, NULL};
    char name[FF_JOB_NAME_SIZE];
    char *programs = ff_program_folder(error);
    char *program = programs != NULL ? ff_path_join(programs, "farfield-endpoint") : NULL;
    char *home = program != NULL ? ff_home(error) : NULL;
    const char *const command[] = {program, "probe", test->folder, test->url, NULL};
    snprintf(name, sizeof name, "ff-doctor-%s", strrchr(test->folder, '-') + 1);
    const struct ff_job_order order = {name, test->folder, home, command, 1};
    int result = -1;
    test->submitted_ns = ff_monotonic_ns();
    if (home != NULL && open_address(test, folder, error) == 0)
        test->job = test->provider->submit(test->site, &order, &events, error);
    if (test->job != NULL && ff_loop_signals(test->loop, signals, caught, test, error) == 0) {
        ff_timer_set_after(test->timer, PATIENCE_MS);
        result = ff_loop_run(test->loop, error);
    }
    free(home);
    free(program);
    free(programs);
    return result;
}

/* ---- what came of it ---- */

static void read_log(const struct job_test *test, char *text, size_t size)
{
    char *path = ff_path_join(test->folder, "log");
    char *log = NULL;
    size_t length = 0;
    text[0] = '\0';
    if (path != NULL && ff_file_read(path, 1 << 20, &log, &length, NULL) == 0)
        snprintf(text, size, "%s", length > size - 1 ? log + length - (size - 1) : log);
    for (size_t used = strlen(text); used > 0 && text[used - 1] == '\n'; used--)
        text[used - 1] = '\0';
    free(log);
    free(path);
}

static void say_silence(const struct job_test *test, struct ff_diagnosis *diagnosis)
{
    const struct ff_job_report *report = test->provider->report(test->job);
    char log[256];
    char text[1024];
    read_log(test, log, sizeof log);
    if (test->cancelled)
        snprintf(text, sizeof text, "the test job did not come to its end and was cancelled: %s",
                 report->why);
    else
        snprintf(text, sizeof text, "the test job has left no answer: %s%s%s", report->why,
                 log[0] != '\0' ? "; its output ends with: " : "", log);
    ff_diagnosis_say(diagnosis, FF_ERROR, "job", text,
                     test->started_ns != 0 && log[0] == '\0'
                         ? "the node may not see the endpoint's folder: set FARFIELD_HOME to a "
                           "shared file system"
                         : "");
}

/* By the scheduler's clock, whose seconds are whole; where it does not tell, until the job was seen to have started. */
static double waited_s(const struct job_test *test)
{
    const struct ff_job_report *report = test->provider->report(test->job);
    int64_t now_ns = ff_monotonic_ns();
    int64_t seen_ns = (test->started_ns != 0 ? test->started_ns : now_ns) - test->submitted_ns;
    int64_t submitted_wall_ns = ff_wall_ns() - (now_ns - test->submitted_ns);
    int64_t told_ns = report->starts_ns - submitted_wall_ns;
    if (report->starts_ns == 0 || told_ns > seen_ns)
        told_ns = seen_ns;
    return told_ns > 0 ? 1e-9 * (double)told_ns : 0;
}

static void say_answer(const struct job_test *test, const struct ff_probe_answer *answer,
                       struct ff_diagnosis *diagnosis)
{
    char waited[64];
    char text[512];
    ff_text_duration(waited_s(test), waited, sizeof waited);
    snprintf(text, sizeof text, "it ran on %s after waiting %s, and sees the endpoint's folder",
             answer->node, waited);
    ff_diagnosis_say(diagnosis, FF_WELL, "job", text, "");
    bool runs = strcmp(answer->manager, "ok") == 0;
    ff_diagnosis_say(diagnosis, runs ? FF_WELL : FF_ERROR, "node",
                     runs ? "it can run farfield-manager" : answer->manager,
                     runs ? ""
                          : "install Farfield where nodes see it, or set modules and "
                            "worker_init for what it needs");
    bool reaches = strcmp(answer->reach, "ok") == 0;
    snprintf(text, sizeof text, "it reaches the agent at %s", test->url);
    ff_diagnosis_say(diagnosis, reaches ? FF_WELL : FF_ERROR, "way back",
                     reaches ? text : answer->reach,
                     reaches ? ""
                             : "set agent_host to this machine's address or interface in the "
                               "cluster's network");
    ff_diagnosis_say(diagnosis, FF_WELL, "node gpus", answer->gpus, "");
}

static int open_test(struct job_test *test, const struct ff_folder *folder,
                     const struct ff_config *config, struct ff_error *error)
{
    struct ff_id random;
    char number[9];
    ff_id_random(&random);
    ff_text_hex(random.bytes, 4, number);
    ff_folder_path(folder, test->folder, "doctor-%s", number);
    test->listener = -1;
    test->config = *config;
    test->config.walltime = WALLTIME_S;
    test->config.status_interval_s = 2;
    test->provider = ff_provider_find(config->provider);
    test->loop = ff_loop_create(error);
    if (test->loop == NULL || ff_folder_make(test->folder, 0700, error) < 0)
        return -1;
    test->timer = ff_timer_create(test->loop, too_late, test, error);
    if (test->timer != NULL)
        test->site = test->provider->open(test->provider, test->loop, &test->config, error);
    return test->site != NULL ? 0 : -1;
}

static void close_test(struct job_test *test)
{
    struct ff_error error;
    if (test->job != NULL)
        test->provider->release(test->job);
    if (test->site != NULL)
        test->provider->close(test->site);
    ff_timer_destroy(test->timer);
    ff_loop_destroy(test->loop);
    if (test->listener >= 0)
        close(test->listener);
    if (ff_folder_remove(test->folder, &error) < 0)
        fprintf(stderr, "%s\n", error.message);
    free(test);
}

void ff_doctor_job(const struct ff_folder *folder, const struct ff_config *config,
                   struct ff_diagnosis *diagnosis)
{
    struct ff_error error;
    struct ff_probe_answer answer;
    struct job_test *test = calloc(1, sizeof *test);
    if (test == NULL)
        return;
    if (open_test(test, folder, config, &error) < 0 || run_job(test, folder, &error) < 0)
        ff_diagnosis_say_error(diagnosis, FF_ERROR, "job", &error);
    else if (ff_probe_read(test->folder, &answer, &error) < 0)
        say_silence(test, diagnosis);
    else
        say_answer(test, &answer, diagnosis);
    close_test(test);
}

/*
 * The local provider: a block is one farfield-manager on this machine, in a session of its own, so that it outlives the
 * agent. Its handle is "PID START_TICKS HOST"; its end is told by a pidfd.
 */
#include "endpoint/providers/provider.h"

#include "protocol/core/clock.h"
#include "protocol/core/file.h"
#include "protocol/core/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

struct ff_provider_site {
    struct ff_loop *loop;
};

struct ff_provider_job {
    struct ff_provider_events events;
    struct ff_process_id id;
    int pidfd;
    bool child; /* of this process, so it has to be reaped */
    struct ff_watch *watch;
    struct ff_job_report report;
};

static struct ff_provider_site *open_site(const struct ff_provider *provider, struct ff_loop *loop,
                                          const struct ff_config *config, struct ff_error *error)
{
    struct ff_provider_site *site = calloc(1, sizeof *site);
    (void)provider;
    (void)config;
    if (site == NULL)
        ff_fail(error, FF_NO_MEMORY, "no memory for a provider");
    else
        site->loop = loop;
    return site;
}

static void close_site(struct ff_provider_site *site)
{
    free(site);
}

static void release(struct ff_provider_job *job)
{
    if (job == NULL)
        return;
    ff_watch_destroy(job->watch);
    if (job->pidfd >= 0)
        close(job->pidfd);
    free(job);
}

static void describe_end(struct ff_provider_job *job, char *why, size_t size)
{
    siginfo_t info;
    memset(&info, 0, sizeof info);
    snprintf(why, size, "the manager has ended");
    if (!job->child || waitid(P_PID, (id_t)job->id.pid, &info, WEXITED | WNOHANG) < 0 ||
        info.si_pid != job->id.pid)
        return;
    if (info.si_code == CLD_EXITED)
        snprintf(why, size, "the manager has ended with status %d", info.si_status);
    else
        snprintf(why, size, "the manager was killed by signal %d", info.si_status);
}

static void process_ended(void *user, uint32_t events)
{
    struct ff_provider_job *job = user;
    (void)events;
    ff_watch_destroy(job->watch);
    job->watch = NULL;
    describe_end(job, job->report.why, sizeof job->report.why);
    job->report.state = FF_BLOCK_ENDED;
    job->events.changed(job->events.user);
}

/* Takes over the pidfd. */
static struct ff_provider_job *make_job(struct ff_loop *loop, struct ff_process_id id, int pidfd,
                                        const struct ff_provider_events *events,
                                        struct ff_error *error)
{
    struct ff_provider_job *job = calloc(1, sizeof *job);
    char host[128] = "";
    if (job == NULL) {
        close(pidfd);
        ff_fail(error, FF_NO_MEMORY, "no memory for a block");
        return NULL;
    }
    gethostname(host, sizeof host - 1);
    job->events = *events;
    job->id = id;
    job->pidfd = pidfd;
    job->report.state = FF_BLOCK_RUNNING;
    job->report.starts_ns = ff_wall_ns();
    snprintf(job->report.handle, sizeof job->report.handle, "%d %llu %s", (int)id.pid,
             (unsigned long long)id.start_ticks, host);
    job->watch = ff_watch_create(loop, pidfd, EPOLLIN, process_ended, job, error);
    if (job->watch == NULL) {
        release(job);
        return NULL;
    }
    return job;
}

/* Descriptors: 0 from /dev/null, 1 and 2 to the log, nothing else. */
static int spawn(const char *const command[], const char *log, pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    posix_spawn_file_actions_adddup2(&actions, 1, 2);
    posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    int failure = ff_process_spawn(command[0], (char *const *)command, &actions, pid);
    posix_spawn_file_actions_destroy(&actions);
    return failure;
}

static struct ff_provider_job *submit(struct ff_provider_site *site,
                                      const struct ff_job_order *order,
                                      const struct ff_provider_events *events,
                                      struct ff_error *error)
{
    char log[PATH_MAX];
    pid_t pid = -1;
    struct ff_process_id id;
    snprintf(log, sizeof log, "%s/log", order->folder);
    int failure = spawn(order->command, log, &pid);
    if (failure != 0) {
        ff_fail_errno(error, FF_IO, failure, "cannot start %s", order->command[0]);
        return NULL;
    }
    int pidfd = pidfd_open(pid, 0);
    if (pidfd < 0 || ff_process_identify(pid, &id) < 0) {
        ff_fail_errno(error, FF_IO, errno, "cannot watch process %d", (int)pid);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        if (pidfd >= 0)
            close(pidfd);
        return NULL;
    }
    struct ff_provider_job *job = make_job(site->loop, id, pidfd, events, error);
    if (job != NULL)
        job->child = true;
    return job;
}

static struct ff_provider_job *adopt(struct ff_provider_site *site,
                                     const struct ff_job_order *order, const char *handle,
                                     const struct ff_provider_events *events,
                                     struct ff_error *error)
{
    int pid = 0;
    unsigned long long start_ticks = 0;
    char host[128] = "";
    char here[128] = "";
    (void)order;
    gethostname(here, sizeof here - 1);
    if (sscanf(handle, "%d %llu %127s", &pid, &start_ticks, host) != 3) {
        ff_fail(error, FF_NOT_FOUND, "\"%s\" names no process", handle);
        return NULL;
    }
    if (strcmp(host, here) != 0) {
        ff_fail(error, FF_UNREACHABLE, "it belongs to host %s", host);
        return NULL;
    }
    struct ff_process_id id = {pid, start_ticks};
    int pidfd = pidfd_open(pid, 0);
    if (pidfd < 0 || !ff_process_alive(id)) {
        if (pidfd >= 0)
            close(pidfd);
        ff_fail(error, FF_NOT_FOUND, "process %d has ended", pid);
        return NULL;
    }
    return make_job(site->loop, id, pidfd, events, error);
}

static const struct ff_job_report *report(const struct ff_provider_job *job)
{
    return &job->report;
}

static void look(struct ff_provider_job *job)
{
    (void)job; /* its end tells itself */
}

static void cancel(struct ff_provider_job *job, bool at_once)
{
    if (job->watch != NULL)
        pidfd_send_signal(job->pidfd, at_once ? SIGKILL : SIGTERM, NULL, 0);
}

static int check(const struct ff_config *config, struct ff_error *error)
{
    (void)config;
    char *folder = ff_program_folder(error);
    if (folder == NULL)
        return -1;
    char *program = ff_path_join(folder, "farfield-manager");
    int result = program != NULL ? access(program, X_OK) : -1;
    if (result < 0) {
        ff_fail_errno(error, FF_IO, errno, "cannot run %s", program != NULL ? program : folder);
        ff_hint(error, "install Farfield again");
    }
    free(program);
    free(folder);
    return result;
}

const struct ff_provider ff_provider_local = {
    .name = "local",
    .grows = false,
    .open = open_site,
    .close = close_site,
    .submit = submit,
    .adopt = adopt,
    .report = report,
    .look = look,
    .cancel = cancel,
    .release = release,
    .check = check,
};

#include "client/bench/bench.h"

#include "client/command/lifecycle.h"
#include "protocol/core/file.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WORDS_MAX = 16, ENVIRONMENT_LIMIT = 1 << 20, GONE_MS = 10000 };

struct ff_stand {
    char *home;
    char *command; /* bin/farfield */
    bool service;  /* started */
    bool endpoint;
};

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

bool ff_stand_interrupted(void)
{
    return interrupted != 0;
}

/* PREFIX/bin/farfield, from PREFIX/libexec/farfield. */
static char *find_command(struct ff_error *error)
{
    char *folder = ff_program_folder(error);
    char *path = NULL;
    if (folder != NULL && asprintf(&path, "%s/../../bin/farfield", folder) < 0) {
        path = NULL;
        ff_fail(error, FF_NO_MEMORY, "no memory for a path");
    }
    free(folder);
    return path;
}

/* Runs `farfield WORDS…` as a user would; what it prints is dropped, what it complains about is seen. */
static int farfield(const struct ff_stand *stand, const char *const *words, struct ff_error *error)
{
    const char *argv[WORDS_MAX + 2] = {stand->command};
    char line[256] = "farfield";
    for (size_t i = 0; i < WORDS_MAX && words[i] != NULL; i++) {
        argv[i + 1] = words[i];
        strncat(line, " ", sizeof line - strlen(line) - 1);
        strncat(line, words[i], sizeof line - strlen(line) - 1);
    }
    char *printed = NULL;
    int status = 0;
    if (ff_capture(argv, &printed, &status, error) < 0)
        return -1;
    free(printed);
    if (status == 0 && !interrupted)
        return 0;
    if (interrupted)
        return ff_fail(error, FF_TIMED_OUT, "interrupted");
    return ff_fail(error, FF_INTERNAL, "`%s` ended with status %d", line, status);
}

#define FARFIELD(stand, error, ...) farfield(stand, (const char *const[]){__VA_ARGS__, NULL}, error)

static int make_home(struct ff_stand *stand, struct ff_error *error)
{
    const char *base = getenv("TMPDIR");
    if (asprintf(&stand->home, "%s/farfield-bench-XXXXXX", base != NULL ? base : "/tmp") < 0) {
        stand->home = NULL;
        return ff_fail(error, FF_NO_MEMORY, "no memory for a path");
    }
    if (mkdtemp(stand->home) == NULL) {
        ff_fail_errno(error, FF_IO, errno, "cannot make the folder %s", stand->home);
        free(stand->home);
        stand->home = NULL;
        return -1;
    }
    if (setenv("FARFIELD_HOME", stand->home, 1) < 0)
        return ff_fail(error, FF_NO_MEMORY, "no memory for the environment");
    return 0;
}

static int put_up(struct ff_stand *stand, int slots, struct ff_error *error)
{
    char count[16];
    char registry[4096];
    snprintf(count, sizeof count, "%d", slots);
    snprintf(registry, sizeof registry, "gpu_registry=%s/gpus", stand->home);
    if (FARFIELD(stand, error, "service", "start") < 0)
        return -1;
    stand->service = true;
    if (FARFIELD(stand, error, "endpoint", "configure", FF_STAND_ENDPOINT, "--slots", count,
                 "--set", registry) < 0 ||
        FARFIELD(stand, error, "function", "register", "echo", "--native", "echo") < 0 ||
        FARFIELD(stand, error, "function", "register", "fault", "--native", "fault") < 0)
        return -1;
    return 0;
}

struct ff_stand *ff_stand_create(int slots, struct ff_error *error)
{
    struct ff_stand *stand = calloc(1, sizeof *stand);
    if (stand == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory for the bench");
        return NULL;
    }
    /* From here on there is something to take down. */
    struct sigaction action = {.sa_handler = on_interrupt};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    stand->command = find_command(error);
    if (stand->command != NULL && make_home(stand, error) == 0 && put_up(stand, slots, error) == 0)
        return stand;
    ff_stand_destroy(stand);
    return NULL;
}

/* What did not end when it was asked to is ended by force: nothing may stay behind. */
static void end_the_rest(const struct ff_stand *stand)
{
    struct ff_stand_process left[FF_STAND_PROCESSES];
    size_t count = ff_stand_processes(stand, NULL, left, FF_STAND_PROCESSES);
    for (size_t i = 0; i < count; i++) {
        struct ff_process_id id;
        if (ff_process_identify(left[i].pid, &id) < 0 || ff_process_signal(id, SIGKILL, NULL) < 0 ||
            ff_process_wait_gone(id, GONE_MS, NULL) < 0)
            fprintf(stderr, "farfield: process %d (%s) did not end\n", (int)left[i].pid,
                    left[i].name);
    }
}

void ff_stand_destroy(struct ff_stand *stand)
{
    if (stand == NULL)
        return;
    struct ff_error error;
    if (stand->endpoint &&
        FARFIELD(stand, &error, "endpoint", "stop", FF_STAND_ENDPOINT, "--now") < 0 && !interrupted)
        fprintf(stderr, "farfield: %s\n", error.message);
    if (stand->service && FARFIELD(stand, &error, "service", "stop") < 0 && !interrupted)
        fprintf(stderr, "farfield: %s\n", error.message);
    if (stand->home != NULL) {
        end_the_rest(stand);
        if (ff_folder_remove(stand->home, &error) < 0)
            fprintf(stderr, "farfield: %s\n", error.message);
    }
    free(stand->command);
    free(stand->home);
    free(stand);
}

int ff_stand_restart_endpoint(struct ff_stand *stand, struct ff_error *error)
{
    if (stand->endpoint &&
        FARFIELD(stand, error, "endpoint", "stop", FF_STAND_ENDPOINT, "--now") < 0)
        return -1;
    stand->endpoint = true;
    return FARFIELD(stand, error, "endpoint", "start", FF_STAND_ENDPOINT);
}

int ff_stand_restart_all(struct ff_stand *stand, struct ff_error *error)
{
    if (stand->endpoint &&
        FARFIELD(stand, error, "endpoint", "stop", FF_STAND_ENDPOINT, "--now") < 0)
        return -1;
    stand->endpoint = false;
    if (FARFIELD(stand, error, "service", "stop") < 0 ||
        FARFIELD(stand, error, "service", "start") < 0)
        return -1;
    return ff_stand_restart_endpoint(stand, error);
}

struct ff_session *ff_stand_session(const struct ff_stand *stand, struct ff_error *error)
{
    struct ff_session *session = ff_session_open(stand->home, error);
    if (session != NULL)
        ff_session_set_interrupt(session, &interrupted);
    return session;
}

/* Whether the environment of a process has this very entry. */
static bool has_entry(pid_t pid, const char *entry)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/environ", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    char *text = malloc(ENVIRONMENT_LIMIT);
    size_t used = 0;
    ssize_t got = 0;
    while (text != NULL && used < ENVIRONMENT_LIMIT - 1 &&
           (got = read(fd, text + used, ENVIRONMENT_LIMIT - 1 - used)) > 0)
        used += (size_t)got;
    close(fd);
    bool found = false;
    for (size_t at = 0; text != NULL && at < used && !found;
         at += strnlen(text + at, used - at) + 1)
        found = strlen(entry) == strnlen(text + at, used - at) &&
                memcmp(text + at, entry, strlen(entry)) == 0;
    free(text);
    return found;
}

/* The base name of the program that a process runs. */
static bool program_of(pid_t pid, char *name, size_t size)
{
    char path[64];
    char target[4096];
    snprintf(path, sizeof path, "/proc/%d/exe", (int)pid);
    ssize_t length = readlink(path, target, sizeof target - 1);
    if (length <= 0)
        return false;
    target[length] = '\0';
    const char *slash = strrchr(target, '/');
    snprintf(name, size, "%.31s", slash != NULL ? slash + 1 : target);
    return true;
}

size_t ff_stand_processes(const struct ff_stand *stand, const char *name,
                          struct ff_stand_process *found, size_t room)
{
    char entry[4096];
    snprintf(entry, sizeof entry, "FARFIELD_HOME=%s", stand->home);
    DIR *folder = opendir("/proc");
    size_t count = 0;
    struct dirent *listed;
    while (folder != NULL && count < room && (listed = readdir(folder)) != NULL) {
        pid_t pid = (pid_t)atoi(listed->d_name);
        struct ff_stand_process *process = &found[count];
        if (!isdigit((unsigned char)listed->d_name[0]) || pid == getpid() ||
            !program_of(pid, process->name, sizeof process->name) ||
            (name != NULL && strcmp(process->name, name) != 0) || !has_entry(pid, entry))
            continue;
        process->pid = pid;
        count++;
    }
    if (folder != NULL)
        closedir(folder);
    return count;
}

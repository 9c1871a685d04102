/*
 * fault: misbehaves on request. The fault tests need a function that does each thing that a user's
 * function may do.
 *
 * Arguments: {"do": WHAT, …}. The table `faults` at the end lists WHAT, what it does and what else
 * it takes.
 */
#include "functions/function.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

struct fault {
    const char *name;
    int (*run)(struct ff_call *call, json_t *arguments);
    const char *help;
};

static int64_t integer_of(json_t *arguments, const char *key, int64_t otherwise)
{
    json_t *value = json_object_get(arguments, key);
    return json_is_number(value) ? (int64_t)json_number_value(value) : otherwise;
}

static double seconds_of(json_t *arguments)
{
    json_t *value = json_object_get(arguments, "seconds");
    return json_is_number(value) ? json_number_value(value) : 1.0;
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void nap(void)
{
    const struct timespec tick = {0, 5000000};
    nanosleep(&tick, NULL);
}

static int succeed(struct ff_call *call, const char *text)
{
    return ff_call_succeed(call, text, strlen(text));
}

static int do_succeed(struct ff_call *call, json_t *arguments)
{
    (void)arguments;
    return succeed(call, "\"done\"");
}

static int do_fail(struct ff_call *call, json_t *arguments)
{
    const char *message = json_string_value(json_object_get(arguments, "message"));
    return ff_call_fail(call, "TASK_FAILED", message != NULL ? message : "fault was asked to fail",
                        "do not ask it to");
}

static int do_sleep(struct ff_call *call, json_t *arguments)
{
    double start = now();
    double length = seconds_of(arguments);
    while (now() - start < length) {
        if (ff_call_should_stop(call) == FF_STOP_AND_KEEP)
            return succeed(call, "\"stopped\"");
        if (ff_call_should_stop(call) == FF_CHECKPOINT)
            return ff_call_yield(call);
        ff_call_progress(call, (now() - start) / length, NULL);
        nap();
    }
    return succeed(call, "\"slept\"");
}

static int do_hang(struct ff_call *call, json_t *arguments)
{
    (void)call;
    (void)arguments;
    volatile int forever = 1;
    while (forever)
        nap(); /* deaf: never asks whether to stop */
    return FF_OUTCOME_SUCCESS;
}

static int do_doze(struct ff_call *call, json_t *arguments)
{
    double length = seconds_of(arguments);
    struct timespec rest = {(time_t)length, (long)(1e9 * (length - (double)(time_t)length))};
    while (nanosleep(&rest, &rest) < 0 && errno == EINTR)
        ;
    return succeed(call, "\"slept\"");
}

static int do_spin(struct ff_call *call, json_t *arguments)
{
    double start = now();
    double length = seconds_of(arguments);
    volatile uint64_t work = 0;
    while (now() - start < length)
        work = work + 1;
    return succeed(call, "\"spun\"");
}

static int do_signal(struct ff_call *call, json_t *arguments)
{
    int number = (int)integer_of(arguments, "signal", SIGSEGV);
    struct sigaction action = {.sa_handler = SIG_DFL};
    sigaction(number, &action, NULL);
    raise(number);
    return ff_call_fail(call, "TASK_FAILED", "the signal did not end the process", "");
}

static int do_exit(struct ff_call *call, json_t *arguments)
{
    (void)call;
    exit((int)integer_of(arguments, "status", 3));
}

static int do_return_nothing(struct ff_call *call, json_t *arguments)
{
    (void)call;
    (void)arguments;
    return FF_OUTCOME_SUCCESS;
}

static int do_leak(struct ff_call *call, json_t *arguments)
{
    size_t size = (size_t)integer_of(arguments, "bytes", 1 << 28);
    void *block = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (block == MAP_FAILED)
        return ff_call_fail(call, "NO_MEMORY", "the kernel gave no memory to leak", "");
    for (size_t at = 0; at < size; at += 4096)
        ((volatile char *)block)[at] = 1;
    return do_sleep(call, arguments);
}

static int do_return_much(struct ff_call *call, json_t *arguments)
{
    size_t size = (size_t)integer_of(arguments, "bytes", 32 << 20);
    char *text = malloc(size + 2);
    if (text == NULL)
        return ff_call_fail(call, "NO_MEMORY", "no memory for the result", "");
    memset(text, 'x', size + 2);
    text[0] = text[size + 1] = '"';
    int outcome = ff_call_succeed(call, text, size + 2);
    free(text);
    return outcome;
}

static int do_return_garbage(struct ff_call *call, json_t *arguments)
{
    (void)arguments;
    return ff_call_succeed(call, "\xff{not JSON", 10);
}

static int do_flood(struct ff_call *call, json_t *arguments)
{
    int64_t count = integer_of(arguments, "count", 100000);
    static char picture[1 << 16];
    for (int64_t i = 0; i < count; i++) {
        ff_call_log(call, FF_CALL_INFO, "a line of the flood");
        ff_call_progress(call, (double)i / (double)count, "{\"drop\": 1}");
        if (i % 1000 == 0)
            ff_call_preview(call, "flood.bin", "application/octet-stream", picture, sizeof picture);
        if (i % 10 == 0)
            fprintf(i % 20 == 0 ? stdout : stderr, "line %lld of the flood\n", (long long)i);
    }
    return succeed(call, "\"flooded\"");
}

/* A grandchild in a session of its own, whose parent is gone: the hardest to find again. */
static int do_orphan(struct ff_call *call, json_t *arguments)
{
    const char *path = json_string_value(json_object_get(arguments, "pid_file"));
    pid_t child = fork();
    if (child == 0) {
        if (setsid() < 0 || fork() != 0)
            _exit(0);
        int fd = path != NULL ? open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600) : -1;
        if (fd >= 0) {
            dprintf(fd, "%d\n", (int)getpid());
            close(fd);
        }
        for (;;)
            pause();
    }
    return do_sleep(call, arguments);
}

/* Counts its attempts in the checkpoint file, and dies in all before the last. */
static int do_fail_until(struct ff_call *call, json_t *arguments)
{
    const struct ff_call_facts *facts = ff_call_facts(call);
    if (facts->checkpoint_path == NULL)
        return ff_call_fail(call, "UNSUPPORTED", "this call has no place for a checkpoint", "");
    int attempts = 0;
    FILE *file = fopen(facts->checkpoint_path, "re");
    if (file != NULL) {
        if (fscanf(file, "%d", &attempts) != 1)
            attempts = 0;
        fclose(file);
    }
    attempts++;
    file = fopen(facts->checkpoint_path, "we");
    if (file == NULL)
        return ff_call_fail(call, "OUTPUT_FAILED", "the checkpoint cannot be written", "");
    fprintf(file, "%d\n", attempts);
    fclose(file);
    if (attempts < integer_of(arguments, "attempts", 2))
        raise(SIGKILL);
    char text[32];
    snprintf(text, sizeof text, "%d", attempts);
    return succeed(call, text);
}

static int do_environment(struct ff_call *call, json_t *arguments)
{
    const char *name = json_string_value(json_object_get(arguments, "name"));
    const char *value = name != NULL ? getenv(name) : NULL;
    json_t *result = value != NULL ? json_string(value) : json_null();
    char *text = json_dumps(result, JSON_ENCODE_ANY);
    int outcome = succeed(call, text != NULL ? text : "null");
    free(text);
    json_decref(result);
    return outcome;
}

static int do_lose(struct ff_call *call, json_t *arguments)
{
    const struct ff_call_facts *facts = ff_call_facts(call);
    if ((int)facts->attempt < integer_of(arguments, "attempts", 2))
        return ff_call_lost(call, "NO_DEVICE", "a device failed on purpose", "");
    return do_environment(call, arguments);
}

static int do_process(struct ff_call *call, json_t *arguments)
{
    (void)arguments;
    char text[32];
    snprintf(text, sizeof text, "%d", (int)getpid());
    return succeed(call, text);
}

static const struct fault faults[] = {
    {"succeed", do_succeed, "ends well at once"},
    {"fail", do_fail, "reports an error (message)"},
    {"sleep", do_sleep, "sleeps and listens (seconds)"},
    {"doze", do_doze, "sleeps in one piece and does not listen (seconds)"},
    {"spin", do_spin, "computes and does not listen (seconds)"},
    {"hang", do_hang, "sleeps for ever and does not listen"},
    {"signal", do_signal, "ends by a signal (signal: its number)"},
    {"exit", do_exit, "calls exit (status)"},
    {"return-nothing", do_return_nothing, "returns without a result"},
    {"return-much", do_return_much, "returns a long text (bytes)"},
    {"return-garbage", do_return_garbage, "returns what is neither UTF-8 nor JSON"},
    {"leak", do_leak, "takes memory and sleeps (bytes, seconds)"},
    {"flood", do_flood, "logs, reports, previews and prints without pause (count)"},
    {"orphan", do_orphan, "leaves a detached grandchild and sleeps (pid_file, seconds)"},
    {"fail-until", do_fail_until, "kills its process until the given attempt (attempts)"},
    {"environment", do_environment, "gives back an environment variable (name)"},
    {"lose", do_lose, "loses its devices until the given attempt, then as environment (attempts)"},
    {"process", do_process, "gives back the number of its process"},
};

static int refuse(struct ff_call *call, const char *what)
{
    char hint[512] = "do is one of:";
    size_t used = strlen(hint);
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        used += (size_t)snprintf(hint + used, sizeof hint - used, " %s", faults[i].name);
    return ff_call_fail(call, "INVALID_ARGUMENT", what, hint);
}

static int invoke(struct ff_call *call)
{
    size_t size;
    const char *text = ff_call_arguments(call, &size);
    json_t *arguments = json_loadb(text, size, 0, NULL);
    const char *name = json_string_value(json_object_get(arguments, "do"));
    const struct fault *fault = NULL;
    for (size_t i = 0; name != NULL && i < sizeof faults / sizeof faults[0]; i++)
        if (strcmp(faults[i].name, name) == 0)
            fault = &faults[i];
    int outcome = fault != NULL ? fault->run(call, arguments)
                                : refuse(call, "fault was not told what to do, or something else");
    json_decref(arguments);
    return outcome;
}

FF_FUNCTION_EXPORT const struct ff_function farfield_function = {
    .abi = FF_FUNCTION_ABI,
    .size = sizeof(struct ff_function),
    .name = "fault",
    .version = FF_VERSION,
    .summary = "misbehaves on request, for tests",
    .flags = FF_FUNCTION_CAN_STOP | FF_FUNCTION_CAN_CHECKPOINT,
    .invoke = invoke,
};

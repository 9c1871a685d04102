#include "tests/cuda/fault.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static char *read_all(int from)
{
    size_t size = 0, room = 1 << 16;
    char *text = malloc(room);
    assert_non_null(text);
    for (;;) {
        ssize_t got = read(from, text + size, room - size - 1);
        if (got <= 0)
            break;
        size += (size_t)got;
        if (room - size < 4096) {
            room *= 2;
            text = realloc(text, room);
            assert_non_null(text);
        }
    }
    text[size] = '\0';
    return text;
}

/* In a child there is no test to fail: it says why, and ends. */
static bool apart;

static void check_calls(const struct ff_cuda_calls *calls)
{
    if (!calls->failed)
        return;
    if (!apart)
        fail_msg("%s", calls->text);
    fprintf(stderr, "%s\n", calls->text);
    _exit(1);
}

/* The test program's own handlers must not take the child's end for a failed test. */
static void run_child(void (*function)(void), int to)
{
    struct rlimit none = {0, 0};
    apart = true;
    setrlimit(RLIMIT_CORE, &none);
    signal(SIGABRT, SIG_DFL);
    signal(SIGSEGV, SIG_DFL);
    dup2(to, STDERR_FILENO);
    function();
    _exit(0);
}

char *run_apart(void (*function)(void), bool *died)
{
    int ends[2], status;
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        run_child(function, ends[1]);
    close(ends[1]);
    char *text = read_all(ends[0]);
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    *died = !WIFEXITED(status) || WEXITSTATUS(status) != 0;
    return text;
}

void expect_fault(void (*function)(void), const char *text)
{
    bool died;
    char *said = run_apart(function, &died);
    if (!died)
        fail_msg("no fault, where it should say: %s; it said: %s", text, said);
    if (strstr(said, text) == NULL)
        fail_msg("it should say: %s; it said: %s", text, said);
    free(said);
}

struct scene make_scene(int device)
{
    struct scene scene;
    ff_cuda_begin(&scene.calls, device);
    FF_CUDA(&scene.calls, cudaStreamCreateWithFlags(&scene.stream, cudaStreamNonBlocking));
    check_calls(&scene.calls);
    return scene;
}

void end_scene(struct scene *scene)
{
    FF_CUDA_ALWAYS(&scene->calls, cudaStreamDestroy(scene->stream));
    check_calls(&scene->calls);
}

float *make_buffer(struct scene *scene, size_t count, float first)
{
    float *values = malloc(count * sizeof *values);
    void *buffer = NULL;
    assert_non_null(values);
    for (size_t i = 0; i < count; i++)
        values[i] = first + (float)i;
    FF_CUDA(&scene->calls, cudaMalloc(&buffer, count * sizeof *values));
    FF_CUDA(&scene->calls,
            cudaMemcpy(buffer, values, count * sizeof *values, cudaMemcpyHostToDevice));
    free(values);
    check_calls(&scene->calls);
    return buffer;
}

void drop_buffer(struct scene *scene, void *buffer)
{
    FF_CUDA_ALWAYS(&scene->calls, cudaFree(buffer));
}

float *read_buffer(struct scene *scene, const void *buffer, size_t count)
{
    float *values = malloc(count * sizeof *values);
    assert_non_null(values);
    FF_CUDA(&scene->calls, cudaStreamSynchronize(scene->stream));
    FF_CUDA(&scene->calls,
            cudaMemcpy(values, buffer, count * sizeof *values, cudaMemcpyDeviceToHost));
    check_calls(&scene->calls);
    return values;
}

/* Several devices, their memory, what they refuse, and how they fail. */
#include "tests/cuda/fault.h"
#include "tests/cuda/kernels.h"

#include <pthread.h>

enum { COUNT = 300 };

/* A kernel on device 1 reads what device 0 holds. */
static void read_peer(bool with_access)
{
    standin_begin(2, STANDIN_LAZY, 0);
    struct scene zero = make_scene(0);
    float *from = make_buffer(&zero, COUNT, 0);
    struct scene one = make_scene(1);
    float *to = make_buffer(&one, COUNT, 0);
    if (with_access)
        FF_CUDA(&one.calls, cudaDeviceEnablePeerAccess(0, 0));
    kernel_add(&one.calls, one.stream, to, from, 5, COUNT);
    float *found = read_buffer(&one, to, COUNT);
    for (size_t i = 0; i < COUNT; i++)
        assert_true(found[i] == (float)i + 5);
    free(found);
    drop_buffer(&one, from);
    drop_buffer(&one, to);
    end_scene(&one);
    end_scene(&zero);
    standin_end();
}

static void read_peer_without_access(void)
{
    read_peer(false);
}

static void test_peer_access(void **state)
{
    (void)state;
    read_peer(true);
    expect_fault(read_peer_without_access, "add on device 1 touched memory of device 0");
    expect_fault(read_peer_without_access, "without access to its peer");
}

static void touch_from_host(void)
{
    standin_begin(1, STANDIN_LAZY, 0);
    struct scene scene = make_scene(0);
    float *buffer = make_buffer(&scene, COUNT, 0);
    ((volatile float *)buffer)[3] = 1;
}

static void touch_freed_by_kernel(void)
{
    standin_begin(1, STANDIN_LAZY, 0);
    struct scene scene = make_scene(0);
    float *buffer = make_buffer(&scene, COUNT, 0), *freed = make_buffer(&scene, COUNT, 0);
    kernel_add(&scene.calls, scene.stream, freed, buffer, 1, COUNT); /* runs within cudaFree */
    drop_buffer(&scene, freed);
    kernel_add(&scene.calls, scene.stream, buffer, freed, 1, COUNT);
    FF_CUDA(&scene.calls, cudaStreamSynchronize(scene.stream));
}

static void copy_freed(void)
{
    standin_begin(1, STANDIN_LAZY, 0);
    struct scene scene = make_scene(0);
    float *buffer = make_buffer(&scene, COUNT, 0), *freed = make_buffer(&scene, COUNT, 0);
    drop_buffer(&scene, freed);
    FF_CUDA(&scene.calls, cudaMemcpyAsync(buffer, freed, 4, cudaMemcpyDefault, scene.stream));
}

static void free_twice(void)
{
    standin_begin(1, STANDIN_LAZY, 0);
    struct scene scene = make_scene(0);
    float *buffer = make_buffer(&scene, COUNT, 0);
    drop_buffer(&scene, buffer);
    drop_buffer(&scene, buffer);
}

static void copy_too_much(void)
{
    standin_begin(1, STANDIN_LAZY, 0);
    struct scene scene = make_scene(0);
    float *buffer = make_buffer(&scene, COUNT, 0), *small = make_buffer(&scene, 10, 0);
    FF_CUDA(&scene.calls, cudaMemcpyAsync(buffer, small, 44, cudaMemcpyDefault, scene.stream));
}

static void test_memory_faults(void **state)
{
    (void)state;
    expect_fault(touch_from_host, "the host touched memory of device 0");
    expect_fault(touch_freed_by_kernel, "add on device 0 touched memory of device 0");
    expect_fault(touch_freed_by_kernel, "that is not allocated");
    expect_fault(copy_freed, "are not all within one allocation");
    expect_fault(free_twice, "not what cudaMalloc gave, or freed before");
    expect_fault(copy_too_much, "are not all within one allocation");
}

#ifdef __SANITIZE_ADDRESS__
static void overrun(enum kernel_overrun where)
{
    standin_begin(1, STANDIN_LAZY, 0);
    struct scene scene = make_scene(0);
    float *buffer = make_buffer(&scene, 8, 0);
    kernel_overrun(&scene.calls, scene.stream, where, buffer, 8);
    FF_CUDA(&scene.calls, cudaStreamSynchronize(scene.stream));
}

static void overrun_shared(void)
{
    overrun(OVERRUN_SHARED);
}

static void overrun_dynamic(void)
{
    overrun(OVERRUN_DYNAMIC);
}

static void overrun_buffer(void)
{
    overrun(OVERRUN_BUFFER);
}

static void test_overruns(void **state)
{
    (void)state;
    expect_fault(overrun_shared, "AddressSanitizer: global-buffer-overflow");
    expect_fault(overrun_dynamic, "AddressSanitizer: use-after-poison");
    expect_fault(overrun_buffer, "AddressSanitizer: use-after-poison");
    expect_fault(overrun_buffer, "kernels.cu");
}
#endif

/* What lies in memory that nobody wrote is no number. */
static void test_fresh_memory(void **state)
{
    (void)state;
    standin_begin(1, STANDIN_LAZY, 0);
    struct scene scene = make_scene(0);
    void *buffer = NULL;
    FF_CUDA(&scene.calls, cudaMalloc(&buffer, 64));
    float *found = read_buffer(&scene, buffer, 16);
    for (size_t i = 0; i < 16; i++)
        assert_true(found[i] != found[i]);
    free(found);
    drop_buffer(&scene, buffer);
    end_scene(&scene);
    standin_end();
}

static void test_limits_of_launches(void **state)
{
    (void)state;
    static const struct {
        dim3 grid, block;
        bool right;
    } cases[] = {
        {{65536, 1, 1}, {1, 1, 1}, true},  {{1, 65535, 1}, {1, 1, 1}, true},
        {{1, 65536, 1}, {1, 1, 1}, false}, {{1, 1, 65536}, {1, 1, 1}, false},
        {{0, 1, 1}, {1, 1, 1}, false},     {{1, 1, 1}, {1024, 1, 1}, true},
        {{1, 1, 1}, {1025, 1, 1}, false},  {{1, 1, 1}, {32, 32, 2}, false},
        {{1, 1, 1}, {1, 1, 65}, false},
    };
    standin_begin(1, STANDIN_LAZY, 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct scene scene = make_scene(0);
        float *buffer = make_buffer(&scene, COUNT, 0);
        bool queued = kernel_add_in(&scene.calls, scene.stream, cases[i].grid, cases[i].block,
                                    buffer, buffer, COUNT);
        assert_int_equal(queued, cases[i].right);
        assert_int_equal(scene.calls.failed, !cases[i].right);
        if (!cases[i].right)
            assert_string_equal(scene.calls.text, "device 0: add_in: invalid configuration "
                                                  "argument (cudaErrorInvalidConfiguration)");
        scene.calls.failed = false;
        drop_buffer(&scene, buffer);
        end_scene(&scene);
    }
    standin_end();
}

/* Dynamic shared memory: 48 KiB unasked, on request 163 KiB (8.0) or 227 KiB (9.0). */
static bool shared_fits(int bytes, bool allowed, int major)
{
    standin_begin(1, STANDIN_LAZY, 0);
    standin_set_capability(0, major, 0);
    struct scene scene = make_scene(0);
    float *buffer = make_buffer(&scene, 1, 0);
    bool fits = kernel_much_shared(&scene.calls, scene.stream, bytes, allowed, buffer);
    scene.calls.failed = false;
    if (fits) {
        float *found = read_buffer(&scene, buffer, 1);
        assert_true(found[0] == 42);
        free(found);
    }
    drop_buffer(&scene, buffer);
    end_scene(&scene);
    standin_end();
    return fits;
}

static void test_limits_of_shared_memory(void **state)
{
    (void)state;
    assert_true(shared_fits(48 << 10, false, 8));
    assert_false(shared_fits((48 << 10) + 4, false, 8));
    assert_true(shared_fits(163 << 10, true, 8));
    assert_false(shared_fits((163 << 10) + 4, true, 8));
    assert_true(shared_fits(227 << 10, true, 9));
    assert_false(shared_fits((227 << 10) + 4, true, 9));
}

/* A stream of one device is not for kernels and events of another. */
static void test_streams_belong_to_devices(void **state)
{
    (void)state;
    standin_begin(2, STANDIN_LAZY, 0);
    struct scene zero = make_scene(0);
    float *buffer = make_buffer(&zero, COUNT, 0);
    cudaEvent_t event = NULL;
    FF_CUDA(&zero.calls, cudaEventCreateWithFlags(&event, cudaEventDisableTiming));
    struct scene one = make_scene(1);
    assert_false(kernel_add(&zero.calls, zero.stream, buffer, buffer, 1, COUNT));
    assert_int_equal(zero.calls.first, cudaErrorInvalidResourceHandle);
    assert_int_equal(cudaEventRecord(event, one.stream), cudaErrorInvalidResourceHandle);
    assert_int_equal(cudaGetLastError(), cudaErrorInvalidResourceHandle);
    zero.calls.failed = false;
    FF_CUDA(&zero.calls, cudaEventDestroy(event));
    drop_buffer(&zero, buffer);
    end_scene(&zero);
    end_scene(&one);
    standin_end();
}

static void test_memory_limit(void **state)
{
    (void)state;
    size_t available = 0, total = 0;
    void *buffer = NULL, *other = NULL;
    standin_begin(1, STANDIN_LAZY, 0);
    standin_set_memory(0, 1000);
    struct scene scene = make_scene(0);
    struct ff_error error = {0};
    FF_CUDA(&scene.calls, cudaMalloc(&buffer, 600));
    FF_CUDA(&scene.calls, cudaMemGetInfo(&available, &total));
    assert_int_equal(available, 400);
    assert_int_equal(total, 1000);
    assert_int_equal(ff_cuda_report(&scene.calls, &error), 0);
    assert_false(FF_CUDA(&scene.calls, cudaMalloc(&other, 401)));
    assert_int_equal(ff_cuda_report(&scene.calls, &error), -1);
    assert_int_equal(error.code, FF_NO_MEMORY);
    assert_string_equal(error.message,
                        "device 0: cudaMalloc: out of memory (cudaErrorMemoryAllocation)");
    scene.calls.failed = false;
    drop_buffer(&scene, buffer);
    end_scene(&scene);
    standin_end();
}

/* The failure that was asked for, of a call, and of a device while it works. */
static void test_failures(void **state)
{
    (void)state;
    standin_begin(2, STANDIN_LAZY, 0);
    struct scene scene = make_scene(1);
    float *buffer = make_buffer(&scene, COUNT, 0);
    standin_fail_call("launch", 2, cudaErrorLaunchFailure);
    assert_true(kernel_add(&scene.calls, scene.stream, buffer, buffer, 1, COUNT));
    assert_false(kernel_add(&scene.calls, scene.stream, buffer, buffer, 1, COUNT));
    assert_string_equal(scene.calls.text,
                        "device 1: add: unspecified launch failure (cudaErrorLaunchFailure)");
    scene.calls.failed = false;

    standin_fail_device(1, 1, cudaErrorECCUncorrectable);
    assert_true(kernel_add(&scene.calls, scene.stream, buffer, buffer, 1, COUNT));
    assert_true(kernel_add(&scene.calls, scene.stream, buffer, buffer, 1, COUNT));
    assert_false(FF_CUDA(&scene.calls, cudaStreamSynchronize(scene.stream)));
    assert_string_equal(scene.calls.text, "device 1: cudaStreamSynchronize: uncorrectable ECC "
                                          "error encountered (cudaErrorECCUncorrectable)");
    (void)cudaFree(buffer);
    (void)cudaStreamDestroy(scene.stream);
    (void)cudaGetLastError();
    struct scene other = make_scene(0); /* which still works */
    end_scene(&other);
    standin_end();
}

/* A failed call that nobody looked at: a launch, before the host waits; an allocation, at the end. */
static void ignore_a_launch(void)
{
    standin_begin(1, STANDIN_LAZY, 0);
    struct scene scene = make_scene(0);
    float *buffer = make_buffer(&scene, COUNT, 0);
    kernel_add_unchecked(scene.stream, (dim3){1, 65536, 1}, buffer, buffer, COUNT);
    (void)cudaStreamSynchronize(scene.stream);
}

static void ignore_an_allocation(void)
{
    standin_begin(1, STANDIN_LAZY, 0);
    void *buffer = NULL;
    standin_set_memory(0, 100);
    (void)cudaMalloc(&buffer, 101);
    standin_end();
}

static void test_unchecked_failure(void **state)
{
    (void)state;
    expect_fault(ignore_a_launch,
                 "launch failed (cudaErrorInvalidConfiguration), and nobody looked");
    expect_fault(ignore_an_allocation,
                 "cudaMalloc failed (cudaErrorMemoryAllocation), and nobody looked");
}

/* A program that knows nothing of the stand-in is told by the environment. */
static void fail_by_environment(void)
{
    setenv("FF_STANDIN_FAIL", "cudaStreamCreateWithFlags:2", 1);
    setenv("FF_STANDIN_DEVICES", "3", 1);
    setenv("FF_STANDIN_MEMORY", "12345", 1);
    setenv("FF_STANDIN_ORDER", "seeded:7", 1);
    standin_begin_from_environment();
    size_t available, total;
    int count = 0;
    if (cudaGetDeviceCount(&count) != cudaSuccess || count != 3 ||
        cudaMemGetInfo(&available, &total) != cudaSuccess || total != 12345)
        return;
    make_scene(0);
    make_scene(1);
}

static void order_by_environment(void)
{
    setenv("FF_STANDIN_ORDER", "sometimes", 1);
    standin_begin_from_environment();
}

static void test_environment(void **state)
{
    (void)state;
    expect_fault(fail_by_environment,
                 "device 1: cudaStreamCreateWithFlags: unknown error (cudaErrorUnknown)");
    expect_fault(order_by_environment, "FF_STANDIN_ORDER=sometimes: lazy, mirror, eager or seeded");
}

/* Both guards of the devices' memory, where the processor has the first. */
static void touch_by_mprotect(void)
{
    setenv("FF_STANDIN_GATE", "mprotect", 1);
    touch_from_host();
}

static void read_peer_by_mprotect(void)
{
    setenv("FF_STANDIN_GATE", "mprotect", 1);
    read_peer_without_access();
}

static void test_gates(void **state)
{
    (void)state;
    expect_fault(touch_by_mprotect, "the host touched memory of device 0");
    expect_fault(read_peer_by_mprotect, "without access to its peer");
}

static void test_links(void **state)
{
    (void)state;
    int value = -1;
    char bus[20];
    standin_begin(3, STANDIN_LAZY, 0);
    standin_set_link(0, 2, 0, 2);
    struct scene scene = make_scene(0);
    struct ff_cuda_calls *calls = &scene.calls;
    FF_CUDA(calls, cudaDeviceCanAccessPeer(&value, 0, 1));
    assert_int_equal(value, 1);
    FF_CUDA(calls, cudaDeviceCanAccessPeer(&value, 0, 2));
    assert_int_equal(value, 0);
    FF_CUDA(calls, cudaDeviceGetP2PAttribute(&value, cudaDevP2PAttrPerformanceRank, 0, 2));
    assert_int_equal(value, 2);
    FF_CUDA(calls, cudaDeviceGetPCIBusId(bus, sizeof bus, 2));
    assert_string_equal(bus, "0000:03:00.0");
    assert_false(FF_CUDA(calls, cudaDeviceEnablePeerAccess(2, 0)));
    assert_int_equal(calls->first, cudaErrorPeerAccessUnsupported);
    calls->failed = false;
    end_scene(&scene);
    standin_end();
}

/* Copies between devices: directly where access was given, else through the host; both are counted. */
static void test_peer_copies(void **state)
{
    (void)state;
    standin_begin(2, STANDIN_LAZY, 0);
    struct scene zero = make_scene(0);
    float *from = make_buffer(&zero, COUNT, 1);
    struct scene one = make_scene(1);
    float *to = make_buffer(&one, COUNT, 0);
    size_t size = COUNT * sizeof(float);
    FF_CUDA(&one.calls, cudaMemcpyPeerAsync(to, 1, from, 0, size, one.stream));
    FF_CUDA(&one.calls, cudaDeviceEnablePeerAccess(0, 0));
    FF_CUDA(&one.calls, cudaMemcpy2DAsync(to, 40, from, 40, 20, 3, cudaMemcpyDefault, one.stream));
    float *found = read_buffer(&one, to, COUNT);
    for (size_t i = 0; i < COUNT; i++)
        assert_true(found[i] == (float)i + 1);
    assert_int_equal(standin_copies(STANDIN_COPY_PEER_STAGED).bytes, size);
    assert_int_equal(standin_copies(STANDIN_COPY_PEER).bytes, 60);
    assert_int_equal(standin_link_bytes(0, 1), size + 60);
    assert_int_equal(standin_link_bytes(1, 0), 0);
    free(found);
    drop_buffer(&zero, from);
    drop_buffer(&one, to);
    end_scene(&one);
    end_scene(&zero);
    standin_end();
}

/* --- one host thread for each device --- */

#ifdef __SANITIZE_THREAD__
enum { DEVICES = 4, ROUNDS = 3 };
#else
enum { DEVICES = 4, ROUNDS = 20 };
#endif

static struct crew {
    pthread_barrier_t barrier;
    float *buffers[DEVICES];
    cudaEvent_t written[DEVICES], read[DEVICES];
} crew;

/* Each device adds its left neighbour's values to its own, round after round, ordered by events alone. */
static void drive(struct scene *scene, int device)
{
    int left = (device + DEVICES - 1) % DEVICES, right = (device + 1) % DEVICES;
    float *own = crew.buffers[device], *halo = make_buffer(scene, COUNT, 0);
    for (int round = 0; round < ROUNDS; round++) {
        FF_CUDA(&scene->calls, cudaEventRecord(crew.written[device], scene->stream));
        pthread_barrier_wait(&crew.barrier);
        FF_CUDA(&scene->calls, cudaStreamWaitEvent(scene->stream, crew.written[left], 0));
        FF_CUDA(&scene->calls, cudaMemcpyPeerAsync(halo, device, crew.buffers[left], left,
                                                   COUNT * sizeof(float), scene->stream));
        FF_CUDA(&scene->calls, cudaEventRecord(crew.read[device], scene->stream));
        pthread_barrier_wait(&crew.barrier);
        FF_CUDA(&scene->calls, cudaStreamWaitEvent(scene->stream, crew.read[right], 0));
        kernel_add(&scene->calls, scene->stream, own, halo, 1, COUNT);
    }
    FF_CUDA(&scene->calls, cudaStreamSynchronize(scene->stream));
    pthread_barrier_wait(&crew.barrier);
    drop_buffer(scene, halo);
}

static void *run_member(void *number)
{
    int device = (int)(intptr_t)number;
    struct scene scene = make_scene(device);
    crew.buffers[device] = make_buffer(&scene, COUNT, (float)(100 * device));
    FF_CUDA(&scene.calls, cudaEventCreateWithFlags(&crew.written[device], cudaEventDisableTiming));
    FF_CUDA(&scene.calls, cudaEventCreateWithFlags(&crew.read[device], cudaEventDisableTiming));
    pthread_barrier_wait(&crew.barrier);
    drive(&scene, device);
    float *found = read_buffer(&scene, crew.buffers[device], COUNT);
    int origin = ((device - ROUNDS) % DEVICES + DEVICES) % DEVICES;
    size_t wrong = 0;
    for (size_t i = 0; i < COUNT; i++)
        wrong += found[i] != (float)(100 * origin) + (float)i + ROUNDS;
    free(found);
    pthread_barrier_wait(&crew.barrier);
    FF_CUDA(&scene.calls, cudaEventDestroy(crew.written[device]));
    FF_CUDA(&scene.calls, cudaEventDestroy(crew.read[device]));
    drop_buffer(&scene, crew.buffers[device]);
    FF_CUDA_ALWAYS(&scene.calls, cudaStreamDestroy(scene.stream));
    return (void *)(uintptr_t)(wrong + scene.calls.failed);
}

static void run_crew(void)
{
    pthread_t threads[DEVICES];
    pthread_barrier_init(&crew.barrier, NULL, DEVICES);
    for (int i = 0; i < DEVICES; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run_member, (void *)(intptr_t)i), 0);
    for (int i = 0; i < DEVICES; i++) {
        void *wrong;
        assert_int_equal(pthread_join(threads[i], &wrong), 0);
        assert_null(wrong);
    }
    pthread_barrier_destroy(&crew.barrier);
}

static void test_host_threads(void **state)
{
    (void)state;
    const enum standin_order orders[] = {STANDIN_LAZY, STANDIN_MIRROR, STANDIN_EAGER,
                                         STANDIN_SEEDED};
    for (uint64_t i = 0; i < 6; i++) {
        standin_begin(DEVICES, orders[i < 3 ? i : 3], i < 3 ? 0 : i);
        run_crew();
        standin_end();
    }
}

/* A host function may wait for what another host thread does with CUDA: it does not keep the others out. */
static void wait_for_other(void *barrier)
{
    pthread_barrier_wait(barrier); /* it has begun */
    pthread_barrier_wait(barrier); /* the other has done its work */
}

static void *wait_in_stream(void *barrier)
{
    struct scene scene = make_scene(0);
    FF_CUDA(&scene.calls, cudaLaunchHostFunc(scene.stream, wait_for_other, barrier));
    FF_CUDA(&scene.calls, cudaStreamSynchronize(scene.stream));
    FF_CUDA(&scene.calls, cudaStreamDestroy(scene.stream));
    return (void *)(uintptr_t)scene.calls.failed;
}

static void test_waiting_host_function(void **state)
{
    (void)state;
    pthread_barrier_t barrier;
    pthread_t thread;
    void *failed;
    standin_begin(2, STANDIN_LAZY, 0);
    pthread_barrier_init(&barrier, NULL, 2);
    assert_int_equal(pthread_create(&thread, NULL, wait_in_stream, &barrier), 0);
    pthread_barrier_wait(&barrier);
    struct scene scene = make_scene(1);
    float *buffer = make_buffer(&scene, COUNT, 0);
    kernel_add(&scene.calls, scene.stream, buffer, buffer, 1, COUNT);
    free(read_buffer(&scene, buffer, COUNT));
    pthread_barrier_wait(&barrier);
    assert_int_equal(pthread_join(thread, &failed), 0);
    assert_null(failed);
    pthread_barrier_destroy(&barrier);
    drop_buffer(&scene, buffer);
    end_scene(&scene);
    standin_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gates), /* first: the guard is chosen once for a process */
        cmocka_unit_test(test_peer_access),
        cmocka_unit_test(test_memory_faults),
#ifdef __SANITIZE_ADDRESS__
        cmocka_unit_test(test_overruns),
#endif
        cmocka_unit_test(test_fresh_memory),
        cmocka_unit_test(test_limits_of_launches),
        cmocka_unit_test(test_limits_of_shared_memory),
        cmocka_unit_test(test_streams_belong_to_devices),
        cmocka_unit_test(test_memory_limit),
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_unchecked_failure),
        cmocka_unit_test(test_environment),
        cmocka_unit_test(test_links),
        cmocka_unit_test(test_peer_copies),
        cmocka_unit_test(test_host_threads),
        cmocka_unit_test(test_waiting_host_function),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

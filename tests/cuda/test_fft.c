/* cuFFT by FFTW: against the definition of the transform, in double precision. */
#include "tests/cuda/fault.h"

#include <math.h>

enum { BATCH = 3, ROWS = 12, COLUMNS = 10, PITCH = 13, DISTANCE = ROWS * PITCH + 5 };
enum { DENSE = ROWS * COLUMNS };

struct number {
    double re, im;
};

static void at_frequency(const float *from, int v, int u, int sign, struct number *sum)
{
    *sum = (struct number){0, 0};
    for (int r = 0; r < ROWS; r++) {
        for (int c = 0; c < COLUMNS; c++) {
            double turn = (double)(v * r) / ROWS + (double)(u * c) / COLUMNS;
            double cosine = cos(2 * M_PI * turn), sine = sign * sin(2 * M_PI * turn);
            const float *x = from + 2 * (r * COLUMNS + c);
            sum->re += x[0] * cosine - x[1] * sine;
            sum->im += x[0] * sine + x[1] * cosine;
        }
    }
}

/* ‖found - transform of from‖ / ‖that‖ over the batch; `found` has rows of `pitch` and waves of `distance` numbers. */
static double relative_error(const float *from, const float *found, int pitch, int distance,
                             int sign)
{
    double difference = 0, norm = 0;
    for (int b = 0; b < BATCH; b++) {
        for (int v = 0; v < ROWS; v++) {
            for (int u = 0; u < COLUMNS; u++) {
                struct number right;
                const float *is = found + 2 * (b * distance + v * pitch + u);
                at_frequency(from + 2 * b * DENSE, v, u, sign, &right);
                difference += (is[0] - right.re) * (is[0] - right.re) +
                              (is[1] - right.im) * (is[1] - right.im);
                norm += right.re * right.re + right.im * right.im;
            }
        }
    }
    return sqrt(difference / norm);
}

static void fill(float *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        values[i] = (float)((i * 2654435761U >> 7) % 1000) / 500 - 1;
}

static cufftHandle dense_plan(struct scene *scene)
{
    int size[] = {ROWS, COLUMNS};
    cufftHandle plan = 0;
    FF_CUFFT(&scene->calls,
             cufftPlanMany(&plan, 2, size, NULL, 1, DENSE, NULL, 1, DENSE, CUFFT_C2C, BATCH));
    FF_CUFFT(&scene->calls, cufftSetStream(plan, scene->stream));
    return plan;
}

static void *upload(struct scene *scene, const float *values, size_t count)
{
    void *buffer = make_buffer(scene, count, 0);
    FF_CUDA(&scene->calls,
            cudaMemcpy(buffer, values, count * sizeof *values, cudaMemcpyHostToDevice));
    return buffer;
}

static void test_dense(void **state)
{
    (void)state;
    enum { COUNT = 2 * BATCH * DENSE };
    float values[COUNT];
    fill(values, COUNT);
    standin_begin(1, STANDIN_LAZY, 0);
    struct scene scene = make_scene(0);
    cufftHandle plan = dense_plan(&scene);
    void *from = upload(&scene, values, COUNT), *to = make_buffer(&scene, COUNT, 0);
    FF_CUFFT(&scene.calls, cufftExecC2C(plan, from, to, CUFFT_FORWARD));
    float *found = read_buffer(&scene, to, COUNT);
    assert_true(relative_error(values, found, COLUMNS, DENSE, -1) < 3e-7);
    free(found);
    FF_CUFFT(&scene.calls, cufftExecC2C(plan, from, to, CUFFT_INVERSE));
    found = read_buffer(&scene, to, COUNT);
    assert_true(relative_error(values, found, COLUMNS, DENSE, +1) < 3e-7);
    free(found);
    FF_CUFFT(&scene.calls, cufftExecC2C(plan, from, from, CUFFT_FORWARD));
    FF_CUFFT(&scene.calls, cufftExecC2C(plan, from, from, CUFFT_INVERSE));
    found = read_buffer(&scene, from, COUNT);
    for (size_t i = 0; i < COUNT; i++)
        assert_true(fabs((double)found[i] / DENSE - (double)values[i]) < 1e-6);
    free(found);
    assert_int_equal(standin_transforms().calls, 4);
    assert_int_equal(standin_transforms().transforms, 4 * BATCH);
    assert_int_equal(standin_transforms().bytes, 4 * BATCH * DENSE * 8);
    FF_CUFFT(&scene.calls, cufftDestroy(plan));
    drop_buffer(&scene, from);
    drop_buffer(&scene, to);
    end_scene(&scene);
    standin_end();
}

/* Out into padded rows and distances, with a work area of the program's own. */
static void test_layout(void **state)
{
    (void)state;
    enum { COUNT = 2 * BATCH * DENSE, PADDED = 2 * BATCH * DISTANCE };
    int size[] = {ROWS, COLUMNS}, shape[] = {ROWS, PITCH};
    float values[COUNT];
    size_t work_size = 0, same_size = 0;
    void *work = NULL;
    cufftHandle plan = 0;
    fill(values, COUNT);
    standin_begin(1, STANDIN_LAZY, 0);
    struct scene scene = make_scene(0);
    FF_CUFFT(&scene.calls, cufftCreate(&plan));
    FF_CUFFT(&scene.calls, cufftSetAutoAllocation(plan, 0));
    FF_CUFFT(&scene.calls, cufftMakePlanMany(plan, 2, size, size, 1, DENSE, shape, 1, DISTANCE,
                                             CUFFT_C2C, BATCH, &work_size));
    FF_CUFFT(&scene.calls, cufftGetSize(plan, &same_size));
    assert_int_equal(work_size, same_size);
    FF_CUFFT(&scene.calls, cufftSetStream(plan, scene.stream));
    void *from = upload(&scene, values, COUNT), *to = make_buffer(&scene, PADDED, 0);
    assert_false(FF_CUFFT(&scene.calls, cufftExecC2C(plan, from, to, CUFFT_FORWARD)));
    assert_string_equal(scene.calls.text,
                        "device 0: cufftExecC2C: no work area was given (cuFFT error 13)");
    scene.calls.failed = false;
    FF_CUDA(&scene.calls, cudaMalloc(&work, work_size));
    FF_CUDA(&scene.calls, cudaMemset(work, 0, work_size));
    FF_CUFFT(&scene.calls, cufftSetWorkArea(plan, work));
    FF_CUFFT(&scene.calls, cufftExecC2C(plan, from, to, CUFFT_FORWARD));
    float *found = read_buffer(&scene, to, PADDED);
    assert_true(relative_error(values, found, PITCH, DISTANCE, -1) < 3e-7);
    assert_true(found[2 * COLUMNS] == 2 * COLUMNS); /* between the rows nothing was written */
    free(found);
    float *left = read_buffer(&scene, work, 1);
    assert_true(left[0] != left[0]); /* what the work area held is lost */
    free(left);
    FF_CUFFT(&scene.calls, cufftDestroy(plan));
    drop_buffer(&scene, from);
    drop_buffer(&scene, to);
    drop_buffer(&scene, work);
    end_scene(&scene);
    standin_end();
}

static void transform_too_much(void)
{
    standin_begin(1, STANDIN_LAZY, 0);
    struct scene scene = make_scene(0);
    cufftHandle plan = dense_plan(&scene);
    void *buffer = make_buffer(&scene, 2 * BATCH * DENSE - 1, 0);
    FF_CUFFT(&scene.calls, cufftExecC2C(plan, buffer, buffer, CUFFT_FORWARD));
    FF_CUDA(&scene.calls, cudaStreamSynchronize(scene.stream));
}

static void transform_without_stream(void)
{
    int size[] = {ROWS, COLUMNS};
    cufftHandle plan = 0;
    standin_begin(1, STANDIN_LAZY, 0);
    struct scene scene = make_scene(0);
    void *buffer = make_buffer(&scene, 2 * BATCH * DENSE, 0);
    FF_CUFFT(&scene.calls,
             cufftPlanMany(&plan, 2, size, NULL, 1, DENSE, NULL, 1, DENSE, CUFFT_C2C, BATCH));
    FF_CUFFT(&scene.calls, cufftExecC2C(plan, buffer, buffer, CUFFT_FORWARD));
}

/* Plans may outlive their stream, but have none then. */
static void transform_on_a_stream_that_is_gone(void)
{
    standin_begin(1, STANDIN_LAZY, 0);
    struct scene scene = make_scene(0);
    void *buffer = make_buffer(&scene, 2 * BATCH * DENSE, 0);
    cufftHandle plan = dense_plan(&scene);
    FF_CUDA(&scene.calls, cudaStreamDestroy(scene.stream));
    FF_CUFFT(&scene.calls, cufftExecC2C(plan, buffer, buffer, CUFFT_FORWARD));
}

static void leave_a_plan(void)
{
    standin_begin(1, STANDIN_LAZY, 0);
    struct scene scene = make_scene(0);
    dense_plan(&scene);
    end_scene(&scene);
    standin_end();
}

static void test_faults(void **state)
{
    (void)state;
    expect_fault(transform_too_much, "is not all within one allocation");
    expect_fault(transform_without_stream, "cufftSetStream was not called");
    expect_fault(transform_on_a_stream_that_is_gone, "cufftSetStream was not called");
    expect_fault(leave_a_plan, "1 plans");
}

/* The same result whatever the order: the transform waits for the copy in its stream. */
static void test_orders(void **state)
{
    (void)state;
    enum { COUNT = 2 * BATCH * DENSE };
    float values[COUNT];
    fill(values, COUNT);
    for (uint64_t seed = 0; seed < 5; seed++) {
        standin_begin(2, seed == 0 ? STANDIN_MIRROR : STANDIN_SEEDED, seed);
        struct scene scene = make_scene(1);
        cufftHandle plan = dense_plan(&scene);
        void *buffer = make_buffer(&scene, COUNT, 0), *pinned = NULL;
        FF_CUDA(&scene.calls, cudaMallocHost(&pinned, sizeof values));
        memcpy(pinned, values, sizeof values);
        FF_CUDA(&scene.calls, cudaMemcpyAsync(buffer, pinned, sizeof values, cudaMemcpyHostToDevice,
                                              scene.stream));
        FF_CUFFT(&scene.calls, cufftExecC2C(plan, buffer, buffer, CUFFT_FORWARD));
        float *found = read_buffer(&scene, buffer, COUNT);
        assert_true(relative_error(values, found, COLUMNS, DENSE, -1) < 3e-7);
        free(found);
        FF_CUDA(&scene.calls, cudaSetDevice(0));
        assert_false(FF_CUFFT(&scene.calls, cufftExecC2C(plan, buffer, buffer, CUFFT_FORWARD)));
        scene.calls.failed = false;
        FF_CUDA(&scene.calls, cudaSetDevice(1));
        FF_CUFFT(&scene.calls, cufftDestroy(plan));
        FF_CUDA(&scene.calls, cudaFreeHost(pinned));
        drop_buffer(&scene, buffer);
        end_scene(&scene);
        standin_end();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_dense), cmocka_unit_test(test_layout),
                                       cmocka_unit_test(test_orders),
                                       cmocka_unit_test(test_faults)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

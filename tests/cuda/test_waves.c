/* Exit waves of the CUDA backend against S P in double precision. */
#include "tests/cuda/waves_scene.h"

static void check_waves(size_t patterns, uint32_t modes, uint32_t rows, uint32_t columns)
{
    struct scene scene = make_scene(0);
    struct waves_scene waves = make_waves_scene(&scene, patterns, modes, rows, columns);
    assert_true(form_waves_scene(&scene, &waves));
    float *found = read_buffer(&scene, waves.waves, 2 * patterns * modes * rows * columns);
    assert_true(waves_error(&waves, found) < 1e-6);
    free(found);
    end_waves_scene(&scene, &waves);
    end_scene(&scene);
}

/* Sizes that fill no block, and seeds. */
static void test_shapes(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 4; seed++) {
        standin_begin(1, seed == 0 ? STANDIN_LAZY : STANDIN_SEEDED, seed);
        check_waves(2, 1, 16, 16);
        check_waves(3, 2, 17, 35);
        standin_end();
    }
}

#ifndef __SANITIZE_THREAD__ /* each thread of a block is one of the sanitizer's there: hours */
/* More patterns than a grid has blocks in z. */
static void test_many_patterns(void **state)
{
    (void)state;
    standin_begin(1, STANDIN_LAZY, 0);
    check_waves(65535 + 3, 1, 3, 3);
    standin_end();
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shapes),
#ifndef __SANITIZE_THREAD__
        cmocka_unit_test(test_many_patterns),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tests/unit/check.h"

#include "worker/gpu/devices.h"
#include "worker/gpu/links.h"

static struct ff_gpu_devices devices;

static void test_pairs_stay_together(void **state)
{
    (void)state;
    ff_gpu_devices_pretend(8, &devices);
    assert_int_equal(ff_gpu_choose(devices.links, 0xff, 2), 0x03);
    assert_int_equal(ff_gpu_choose(devices.links, 0xfe, 2), 0x0c);
    assert_int_equal(ff_gpu_choose(devices.links, 0xff, 4), 0x0f);
    /* one device alone is taken from a pair that is broken already */
    assert_int_equal(ff_gpu_choose(devices.links, 0xf7, 1), 0x04);
}

static void test_too_few_are_none(void **state)
{
    (void)state;
    ff_gpu_devices_pretend(4, &devices);
    assert_int_equal(ff_gpu_choose(devices.links, 0x07, 4), 0);
    assert_int_equal(ff_gpu_choose(devices.links, 0x0f, 0), 0);
    assert_int_equal(ff_gpu_choose(devices.links, 0x0f, 4), 0x0f);
}

/* Two islands of four, as on a node with two processors; a gang of four must not straddle them. */
static void test_islands(void **state)
{
    (void)state;
    uint8_t links[FF_GPU_CAPACITY][FF_GPU_CAPACITY] = {{0}};
    for (int i = 0; i < 8; i++)
        for (int j = 0; j < 8; j++)
            links[i][j] = i % 2 == j % 2 ? FF_GPU_LINK_NVLINK : FF_GPU_LINK_NODE;
    assert_int_equal(ff_gpu_choose(links, 0xff, 4), 0x55);
    assert_int_equal(ff_gpu_choose(links, 0xfb, 4), 0xaa);
}

static void test_masks_of_jobs(void **state)
{
    (void)state;
    struct ff_gpu_table table = {.device_count = 4};
    uint32_t visible[4] = {2, 0, 1, 3};
    ff_gpu_devices_pretend(4, &devices);
    memcpy(table.devices, devices.entries, 4 * sizeof table.devices[0]);
    assert_int_equal(ff_gpu_mask_parse(NULL, &table, visible, 4), 0x0f);
    assert_int_equal(ff_gpu_mask_parse("", &table, visible, 4), 0);
    assert_int_equal(ff_gpu_mask_parse("0, 3", &table, visible, 4), 0x0c);
    assert_int_equal(ff_gpu_mask_parse("1,-1,2", &table, visible, 4), 0x01);
    assert_int_equal(ff_gpu_mask_parse("NoDevFiles", &table, visible, 4), 0);
    assert_int_equal(
        ff_gpu_mask_parse("gpu-00000000-0000-4000-8000-000000000001", &table, visible, 4), 0x02);
    assert_int_equal(ff_gpu_mask_parse("GPU-0000", &table, visible, 4), 0); /* which of four? */
    assert_int_equal(ff_gpu_mask_parse("0,1", &table, visible, 1), 0x04);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pairs_stay_together),
        cmocka_unit_test(test_too_few_are_none),
        cmocka_unit_test(test_islands),
        cmocka_unit_test(test_masks_of_jobs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

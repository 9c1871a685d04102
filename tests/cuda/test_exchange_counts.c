/* What the exchange moves: over links, each number of an overlap once, and the probe's sums twice; no more through the host. */
#include "tests/cuda/exchange_scene.h"

static void run(struct exchange_scene *scene, unsigned devices, bool joined)
{
    const struct exchange_options options = {.devices = devices, .seed = devices};
    standin_begin(devices, STANDIN_LAZY, 0);
    for (unsigned i = 0; i < devices; i++)
        for (unsigned j = 0; j < devices; j++)
            if (i != j)
                standin_set_link(i, j, joined, 0);
    make_exchange_scene(scene, &options);
    standin_clear_counts();
    run_exchange(scene);
}

static void end(struct exchange_scene *scene)
{
    end_exchange_scene(scene);
    standin_end();
}

static uint64_t read_by(const struct exchange_scene *scene, unsigned reader)
{
    uint64_t bytes = 0;
    for (unsigned source = 0; source < scene->count; source++)
        bytes += standin_link_bytes(scene->count - 1 - source, scene->count - 1 - reader);
    return bytes;
}

/* Of the probe in one round: this device's share of all others, then theirs. */
static uint64_t probe_bytes(const struct exchange_scene *scene, unsigned reader)
{
    uint64_t all = 0, own = exchange_share_bytes(scene, reader);
    for (unsigned i = 0; i < scene->count; i++)
        all += exchange_share_bytes(scene, i);
    return own * (scene->count - 1) + all - own;
}

static uint64_t sum_bytes(const struct exchange_scene *scene, unsigned reader)
{
    uint64_t bytes = exchange_probe_rounds(scene) * probe_bytes(scene, reader);
    for (unsigned source = 0; source < scene->count; source++)
        if (source != reader)
            bytes += exchange_object_bytes(scene, reader, source);
    return bytes;
}

/* In every round one of the object, and in those of the probe one for each power, of each other device. */
static uint64_t maxima_bytes(const struct exchange_scene *scene)
{
    return (EXCHANGE_ROUNDS + exchange_probe_rounds(scene) * scene->powers) * (scene->count - 1) *
           sizeof(unsigned);
}

static void links_carry_each_number_once(void **state)
{
    (void)state;
    static const unsigned counts[] = {2, 3, 4, 8};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        struct exchange_scene scene;
        run(&scene, counts[i], true);
        for (unsigned reader = 0; reader < counts[i]; reader++) {
            assert_int_equal(ff_cuda_exchange_bytes(scene.peers[reader]),
                             sum_bytes(&scene, reader));
            assert_int_equal(read_by(&scene, reader),
                             sum_bytes(&scene, reader) + maxima_bytes(&scene));
        }
        end(&scene);
    }
}

/* What the copies hold that one device makes for others: what they read of its partial sums, and once its share. */
static uint64_t copied_by(const struct exchange_scene *scene, unsigned source)
{
    uint64_t maxima = (1 + scene->powers) * sizeof(unsigned), object = 0, probe = 0;
    for (unsigned reader = 0; reader < scene->count; reader++)
        if (reader != source) {
            object += exchange_object_bytes(scene, reader, source);
            probe += exchange_share_bytes(scene, reader);
        }
    return object + exchange_probe_rounds(scene) * (probe + exchange_share_bytes(scene, source)) +
           EXCHANGE_ROUNDS * maxima;
}

static void copies_hold_no_more(void **state)
{
    (void)state;
    static const unsigned counts[] = {2, 3, 4, 8};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        struct exchange_scene scene;
        uint64_t bytes = 0;
        run(&scene, counts[i], false);
        for (unsigned device = 0; device < counts[i]; device++) {
            /* what the test itself has taken of each device, after every round */
            bytes += EXCHANGE_ROUNDS * scene.member[device].layout.size * sizeof(float);
            bytes += copied_by(&scene, device);
            assert_int_equal(ff_cuda_exchange_bytes(scene.peers[device]),
                             sum_bytes(&scene, device));
            assert_int_equal(read_by(&scene, device), 0);
        }
        assert_int_equal(standin_copies(STANDIN_COPY_FROM_DEVICE).bytes, bytes);
        end(&scene);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(links_carry_each_number_once),
        cmocka_unit_test(copies_hold_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

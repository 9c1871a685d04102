/* The exchange between devices, with and without access to each other's memory, in every order. */
#include "tests/cuda/exchange_scene.h"

#include <pthread.h>

#ifdef __SANITIZE_THREAD__
enum { SEEDS = 1, MOST = 3 }; /* each thread of a block is one of the sanitizer's there */
#else
enum { SEEDS = 10, MOST = 8 };
#endif

/* Who reads whose memory. */
enum links { ALL, NONE, PAIRS, ONE_WAY, LINKS };

static bool joined(enum links links, unsigned reader, unsigned source)
{
    switch (links) {
    case NONE:
        return false;
    case PAIRS:
        return reader / 2 == source / 2;
    case ONE_WAY:
        return reader < source;
    default:
        return true;
    }
}

static void begin(unsigned devices, enum links links, enum standin_order order, uint64_t seed)
{
    standin_begin(devices, order, seed);
    for (unsigned reader = 0; reader < devices; reader++)
        for (unsigned source = 0; source < devices; source++)
            if (source != reader)
                standin_set_link(reader, source, joined(links, reader, source), 0);
}

/* --- right in every order --- */

static size_t wrong_in(struct exchange_options options, enum links links, enum standin_order order,
                       uint64_t seed)
{
    struct exchange_scene scene;
    begin(options.devices, links, order, seed);
    make_exchange_scene(&scene, &options);
    run_exchange(&scene);
    size_t wrong = exchange_wrong(&scene);
    end_exchange_scene(&scene);
    standin_end();
    return wrong;
}

static size_t wrong_in_all_orders(struct exchange_options options, enum links links)
{
    size_t wrong = wrong_in(options, links, STANDIN_LAZY, 0) +
                   wrong_in(options, links, STANDIN_MIRROR, 0) +
                   wrong_in(options, links, STANDIN_EAGER, 0);
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        wrong += wrong_in(options, links, STANDIN_SEEDED, seed);
    return wrong;
}

static void sums_are_whole(void **state)
{
    (void)state;
    static const unsigned counts[] = {2, 3, 4, 8};
    for (size_t i = 0; i < sizeof counts / sizeof *counts && counts[i] <= MOST; i++)
        for (enum links links = ALL; links < LINKS; links++) {
            const struct exchange_options options = {.devices = counts[i], .seed = counts[i]};
            assert_int_equal(wrong_in_all_orders(options, links), 0);
        }
}

/* More devices than rows of the probe: some have no share. */
static void shares_may_be_empty(void **state)
{
    (void)state;
    const struct exchange_options options = {.devices = MOST, .seed = 3, .probe_rows = 2};
    assert_int_equal(wrong_in(options, ALL, STANDIN_LAZY, 0), 0);
    assert_int_equal(wrong_in(options, NONE, STANDIN_MIRROR, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_are_whole),
        cmocka_unit_test(shares_may_be_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

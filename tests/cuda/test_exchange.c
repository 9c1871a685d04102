/* The exchange between devices, with and without access to each other's memory, in every order. */
#include "tests/cuda/exchange_scene.h"

#include <pthread.h>

#ifdef __SANITIZE_THREAD__
enum { SEEDS = 0, MOST = 2 }; /* each thread of a block is one of the sanitizer's there */
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
    size_t wrong = wrong_in(options, links, STANDIN_LAZY, 0);
    if (SEEDS > 0)
        wrong += wrong_in(options, links, STANDIN_MIRROR, 0) +
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

/* --- one host thread for each device --- */

static struct {
    struct exchange_scene scene;
    pthread_barrier_t barrier;
} crew;

static void *drive(void *number)
{
    unsigned own = (unsigned)(uintptr_t)number;
    for (unsigned round = 0; round < EXCHANGE_ROUNDS; round++) {
        exchange_form(&crew.scene, own, round);
        pthread_barrier_wait(&crew.barrier);
        exchange_settle(&crew.scene, own);
        pthread_barrier_wait(&crew.barrier);
        exchange_spread(&crew.scene, own, round);
        pthread_barrier_wait(&crew.barrier);
    }
    return NULL;
}

static void threads_drive_devices(void **state)
{
    (void)state;
    const struct exchange_options options = {.devices = 3, .seed = 5};
    for (uint64_t seed = 0; seed < (MOST < 3 ? 1 : 4); seed++) {
        pthread_t threads[3];
        begin(3, seed % 2 == 0 ? ALL : PAIRS, seed < 2 ? STANDIN_LAZY : STANDIN_SEEDED, seed);
        make_exchange_scene(&crew.scene, &options);
        pthread_barrier_init(&crew.barrier, NULL, 3);
        for (uintptr_t i = 0; i < 3; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, drive, (void *)i), 0);
        for (unsigned i = 0; i < 3; i++)
            assert_int_equal(pthread_join(threads[i], NULL), 0);
        pthread_barrier_destroy(&crew.barrier);
        wait_for_exchange(&crew.scene);
        assert_int_equal(exchange_wrong(&crew.scene), 0);
        end_exchange_scene(&crew.scene);
        standin_end();
    }
}

/* --- nothing waits, and the rest is formed meanwhile --- */

static void the_host_never_waits(void **state)
{
    (void)state;
    for (enum links links = ALL; links <= NONE; links++) {
        struct exchange_scene scene;
        const struct exchange_options options = {.devices = 3, .seed = 6};
        begin(3, links, STANDIN_LAZY, 0);
        make_exchange_scene(&scene, &options);
        standin_clear_counts();
        run_exchange(&scene);
        assert_int_equal(standin_waits(), 3); /* at the end, for each device */
        assert_int_equal(standin_copies(STANDIN_COPY_FROM_DEVICE_PAGEABLE).calls, 0);
        assert_int_equal(standin_copies(STANDIN_COPY_PEER_STAGED).calls, 0);
        end_exchange_scene(&scene);
        standin_end();
    }
}

/* How often a device came between its two offers when regions had been settled already: both may have settled weights before. */
static void count_settled(void *met)
{
    struct standin_kernel_count kernels[16];
    size_t count = standin_kernels(kernels, 16);
    for (size_t i = 0; i < count; i++)
        *(unsigned *)met += strcmp(kernels[i].name, "settle_sums") == 0 && kernels[i].launches > 2;
}

static unsigned times_met(bool late)
{
    unsigned met = 0;
    struct exchange_options options = {
        .devices = 2, .seed = 4, .late = late, .between = count_settled, .between_data = &met};
    /* It is seldom: of the first forty orders in the thirtieth alone. Where each takes long, ten are tried around that one. */
    for (uint64_t seed = MOST < 3 ? 26 : 1; seed <= (MOST < 3 ? 35 : 40); seed++) {
        struct exchange_scene scene;
        begin(2, ALL, STANDIN_SEEDED, seed);
        make_exchange_scene(&scene, &options);
        for (unsigned i = 0; i < 2; i++)
            exchange_form(&scene, i, 0);
        for (unsigned i = 0; i < 2; i++)
            exchange_settle(&scene, i);
        for (unsigned i = 0; i < 2; i++)
            exchange_spread(&scene, i, 0);
        wait_for_exchange(&scene);
        end_exchange_scene(&scene);
        standin_end();
    }
    return met;
}

/* A device still forms other sums when regions are settled elsewhere; not its own, or those that wait for it, where it
 * offers all at once. */
static void regions_are_settled_early(void **state)
{
    (void)state;
    assert_true(times_met(false) > 0);
    assert_int_equal(times_met(true), 0);
}

/* --- what is missing shows --- */

/* Whether some order, of the first three or of so many by chance, shows that the n-th call was forgotten; *made receives whether there
 * are so many calls. */
static bool shows(const char *call, unsigned n, enum links links, uint64_t seeds, bool *made)
{
    for (uint64_t i = 0; i < 2 * (3 + seeds); i++) {
        const struct exchange_options options = {
            .devices = 2, .seed = 4, .all = true, .backwards = i % 2 == 1};
        struct exchange_scene scene;
        begin(2, links, i / 2 < 3 ? (enum standin_order)(i / 2) : STANDIN_SEEDED, i / 2);
        make_exchange_scene(&scene, &options);
        standin_forget_call(call, n);
        run_exchange(&scene);
        *made = standin_forgets_in() == 0;
        size_t wrong = exchange_wrong(&scene);
        end_exchange_scene(&scene);
        standin_end();
        if (wrong > 0 || !*made)
            return wrong > 0;
    }
    return false;
}

/* How many of the calls could be forgotten. */
static unsigned calls_in_vain(const char *call, enum links links, uint64_t seeds)
{
    unsigned vain = 0;
    for (unsigned n = 1;; n++) {
        bool made;
        bool shown = shows(call, n, links, seeds, &made);
        if (!made)
            return vain;
        vain += !shown;
    }
}

/* Under the thread sanitizer the race itself is reported. */
static void every_event_is_needed(void **state)
{
    (void)state;
#ifdef __SANITIZE_THREAD__
    skip();
#endif
    /* After the last round nobody asks whether both have spread. Settled weights are waited for with the object, which the same stream
     * settles after them; who reads copies waits for those alone, and those of W are made before those of V. */
    assert_int_equal(calls_in_vain("cudaEventRecord", ALL, 20), 2 + 2 * EXCHANGE_ROUNDS);
    assert_int_equal(calls_in_vain("cudaEventRecord", NONE, 20), 2 + 6 * EXCHANGE_ROUNDS);
    assert_int_equal(calls_in_vain("cudaStreamWaitEvent", ALL, 200), 0);
    /* Before the copies of V are there, a device's own W is, in all orders that are tried here. */
    assert_true(calls_in_vain("cudaStreamWaitEvent", NONE, 20) <= 3 * EXCHANGE_ROUNDS);
}

static void forget_access(void)
{
    struct exchange_scene scene;
    const struct exchange_options options = {.devices = 2, .seed = 2};
    begin(2, ALL, STANDIN_LAZY, 0);
    standin_forget_call("cudaDeviceEnablePeerAccess", 0);
    make_exchange_scene(&scene, &options);
    run_exchange(&scene);
}

static void access_is_needed(void **state)
{
    (void)state;
    expect_fault(forget_access, "settle_sums");
    expect_fault(forget_access, "without access to its peer");
}

static void a_narrow_halo_shows(void **state)
{
    (void)state;
    struct exchange_options options = {.devices = 3, .seed = 3, .narrow_halo = true};
    assert_int_not_equal(wrong_in(options, ALL, STANDIN_LAZY, 0), 0);
    assert_int_not_equal(wrong_in(options, NONE, STANDIN_LAZY, 0), 0);
}

/* --- what is refused --- */

static void too_many_devices(void **state)
{
    (void)state;
    struct ff_cuda_calls calls;
    struct ff_cuda_memory memory = {0};
    struct ff_error error;
    const struct ff_cuda_partial sums = {.rows = 1, .columns = 1};
    const struct ff_backend_plan plan = {.count = FF_CUDA_DEVICES + 1};
    begin(1, ALL, STANDIN_LAZY, 0);
    ff_cuda_begin(&calls, 0);
    assert_null(ff_cuda_exchange_create(&calls, &memory, &plan, &sums, &error));
    assert_string_equal(error.message, "17 CUDA devices; at most 16 work on one object");
    standin_end();
}

/* Whatever call fails, it is told, and all is given back. */
static void failures_are_told(void **state)
{
    (void)state;
    static const char *const calls[] = {"cudaMalloc", "cudaMallocHost", "cudaEventCreateWithFlags",
                                        "cudaStreamCreateWithFlags", "cudaDeviceEnablePeerAccess"};
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        struct ff_cuda_calls own;
        struct ff_cuda_memory memory = {0};
        struct ff_error error = {0};
        const struct ff_link link = {1, {0, 0, 2, 2}};
        const struct ff_cuda_partial sums = {.rows = 3, .columns = 2, .probes = 1, .powers = 1};
        const struct ff_area tiles[] = {{0, 0, 4, 4}, {0, 0, 2, 2}};
        const struct ff_backend_plan plan = {
            .count = 2, .tiles = tiles, .tile = tiles[0], .links = &link, .link_count = 1};
        begin(2, i == 1 ? NONE : ALL, STANDIN_LAZY, 0);
        ff_cuda_begin(&own, 0);
        standin_fail_call(calls[i], 1, cudaErrorUnknown);
        assert_null(ff_cuda_exchange_create(&own, &memory, &plan, &sums, &error));
        assert_true(error.message[0] != '\0');
        ff_cuda_memory_release(&memory, &own);
        standin_end();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_are_whole),
        cmocka_unit_test(shares_may_be_empty),
        cmocka_unit_test(threads_drive_devices),
        cmocka_unit_test(the_host_never_waits),
        cmocka_unit_test(regions_are_settled_early),
        cmocka_unit_test(every_event_is_needed),
        cmocka_unit_test(access_is_needed),
        cmocka_unit_test(a_narrow_halo_shows),
        cmocka_unit_test(too_many_devices),
        cmocka_unit_test(failures_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

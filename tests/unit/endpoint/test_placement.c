#include "tests/unit/check.h"

#include "endpoint/placement.h"

/* Any time will do. */
#define NOW    1000000000000ll
#define SECOND 1000000000ll

static struct ff_room make_room(unsigned slots, unsigned devices)
{
    struct ff_room room = {.slots = slots, .cores = 8, .devices = devices, .open = true};
    return room;
}

static void take(struct ff_room *room, struct ff_held *held, const struct ff_needs *needs)
{
    memset(held, 0, sizeof *held);
    held->devices = needs->devices;
    held->cores = needs->cores;
    held->nodes = 1;
    ff_room_take(room, needs, held, NOW);
}

static void test_free_slots_are_filled_first(void **state)
{
    (void)state;
    struct ff_room room = make_room(2, 0);
    struct ff_held held[2];
    const struct ff_needs unknown = {.devices = 0, .cores = 0, .cost_us = 0};
    assert_int_equal(ff_placement_judge(&room, &unknown, NOW), FF_FITS_SLOT);
    take(&room, &held[0], &unknown);
    take(&room, &held[1], &unknown);
    assert_int_equal(ff_placement_judge(&room, &unknown, NOW), FF_BUSY_SLOTS);
    ff_room_give_back(&room, &held[0]);
    assert_int_equal(ff_placement_judge(&room, &unknown, NOW), FF_FITS_SLOT);
    room.open = false;
    assert_int_equal(ff_placement_judge(&room, &unknown, NOW), FF_NOT_OPEN);
}

static void test_only_tiny_tasks_go_ahead(void **state)
{
    (void)state;
    struct ff_room room = make_room(1, 0);
    struct ff_held held;
    const struct ff_needs tiny = {.devices = 0, .cores = 0, .cost_us = 100};
    const struct ff_needs longer = {.devices = 0, .cores = 0, .cost_us = FF_TINY_US + 1};
    const struct ff_needs unknown = {.devices = 0, .cores = 0, .cost_us = 0};
    take(&room, &held, &tiny);
    assert_int_equal(ff_placement_judge(&room, &tiny, NOW), FF_FITS_AHEAD);
    assert_int_equal(ff_placement_judge(&room, &longer, NOW), FF_BUSY_SLOTS);
    assert_int_equal(ff_placement_judge(&room, &unknown, NOW), FF_BUSY_SLOTS);
    room.promise = (struct ff_promise){.made = true, .at_ns = NOW}; /* an older one waits */
    assert_int_equal(ff_placement_judge(&room, &tiny, NOW), FF_PROMISED);
}

static void test_nothing_goes_ahead_of_a_long_task(void **state)
{
    (void)state;
    struct ff_room room = make_room(2, 0);
    struct ff_held held[3];
    const struct ff_needs tiny = {.devices = 0, .cores = 0, .cost_us = 100};
    const struct ff_needs unknown = {.devices = 0, .cores = 0, .cost_us = 0};
    take(&room, &held[0], &unknown);
    take(&room, &held[1], &tiny);
    assert_int_equal(ff_placement_judge(&room, &tiny, NOW),
                     FF_FITS_AHEAD); /* the other slot is swift */
    take(&room, &held[2], &unknown);
    assert_int_equal(ff_placement_judge(&room, &tiny, NOW), FF_BUSY_SLOTS);
}

static void test_work_ahead_is_bounded_by_time_and_window(void **state)
{
    enum { MOST = 1000 };
    (void)state;
    struct ff_room room = make_room(1, 0);
    static struct ff_held held[MOST];
    const struct ff_needs tiny = {.devices = 0, .cores = 0, .cost_us = 5000};
    int given = 0;
    while (given < MOST && ff_placement_judge(&room, &tiny, NOW) <= FF_FITS_AHEAD)
        take(&room, &held[given++], &tiny);
    assert_int_equal(given, FF_AHEAD_US / 5000);
    struct ff_room narrow = make_room(1, 0);
    const struct ff_needs least = {.devices = 0, .cores = 0, .cost_us = FF_LEAST_COST_US};
    narrow.window = 10;
    for (given = 0; ff_placement_judge(&narrow, &least, NOW) <= FF_FITS_AHEAD; given++)
        take(&narrow, &held[given], &least);
    assert_int_equal(given, 10);
    for (int i = 0; i < given; i++)
        ff_room_give_back(&narrow, &held[i]);
    assert_int_equal(narrow.given, 0);
    assert_int_equal(narrow.backlog_us, 0);
    assert_int_equal(narrow.cores_used, 0);
}

static void test_devices_are_counted(void **state)
{
    (void)state;
    struct ff_room room = make_room(4, 4);
    struct ff_held held;
    const struct ff_needs three = {.devices = 3, .cores = 0, .cost_us = 100};
    const struct ff_needs two = {.devices = 2, .cores = 0, .cost_us = 100};
    const struct ff_needs five = {.devices = 5, .cores = 0, .cost_us = 100};
    const struct ff_needs none = {.devices = 0, .cores = 0, .cost_us = 100};
    assert_int_equal(ff_placement_judge(&room, &five, NOW), FF_NEVER_DEVICES);
    assert_true(ff_verdict_is_never(ff_placement_judge(&room, &five, NOW)));
    take(&room, &held, &three);
    assert_int_equal(ff_placement_judge(&room, &two, NOW), FF_BUSY_DEVICES);
    assert_int_equal(ff_placement_judge(&room, &none, NOW), FF_FITS_SLOT);
    ff_room_give_back(&room, &held);
    assert_int_equal(ff_placement_judge(&room, &two, NOW), FF_FITS_SLOT);
    room.devices_taken = 3; /* another user of the node holds them */
    assert_int_equal(ff_placement_judge(&room, &two, NOW), FF_FITS_LINE);
}

static void test_cores_are_counted(void **state)
{
    (void)state;
    struct ff_room room = make_room(4, 0);
    struct ff_held held;
    const struct ff_needs six = {.devices = 0, .cores = 6, .cost_us = 0};
    const struct ff_needs nine = {.devices = 0, .cores = 9, .cost_us = 0};
    assert_int_equal(ff_placement_judge(&room, &nine, NOW), FF_NEVER_CORES);
    take(&room, &held, &six);
    assert_int_equal(ff_placement_judge(&room, &six, NOW), FF_BUSY_CORES);
    room.cores = 0; /* not known: not judged */
    assert_int_equal(ff_placement_judge(&room, &nine, NOW), FF_FITS_SLOT);
}

static void test_pace_is_learned(void **state)
{
    (void)state;
    static struct ff_pace pace;
    struct ff_id function = {{7}};
    struct ff_id other = {{8}};
    struct ff_id none = {{0}};
    assert_int_equal(ff_pace_of(&pace, &function), 0);
    ff_pace_learn(&pace, &function, 1);
    assert_int_equal(ff_pace_of(&pace, &function), FF_LEAST_COST_US);
    assert_int_equal(ff_pace_of(&pace, &other), 0);
    ff_pace_learn(&pace, &function, 1000000); /* one long call: not tiny any more */
    assert_true(ff_pace_of(&pace, &function) > FF_TINY_US);
    for (int i = 0; i < 100; i++)
        ff_pace_learn(&pace, &function, 20);
    assert_true(ff_pace_of(&pace, &function) < 100);
    ff_pace_learn(&pace, &none, 50);
    assert_int_equal(ff_pace_of(&pace, &none), 0);
    ff_pace_learn(&pace, &other, UINT64_MAX);
    assert_true(ff_pace_of(&pace, &other) > FF_TINY_US);
}

/* Three calls with one GPU each run on a node of four; they end in 10, 20 and 30 s. */
static size_t busy_node(struct ff_room *room, struct ff_release releases[3])
{
    static struct ff_held held[3];
    const struct ff_needs one = {.devices = 1, .lasts_ns = 10 * SECOND};
    *room = make_room(8, 4);
    for (int i = 0; i < 3; i++) {
        take(room, &held[i], &one);
        releases[i] = (struct ff_release){
            .at_ns = NOW + (3 - i) * 10 * SECOND, .slots = 1, .devices = 1, .cores = 1};
    }
    return 3;
}

static void test_a_large_task_is_promised_the_soonest(void **state)
{
    (void)state;
    struct ff_room room;
    struct ff_release releases[3];
    size_t count = busy_node(&room, releases);
    size_t ends;
    const struct ff_needs three = {.devices = 3};
    const struct ff_needs four = {.devices = 4};
    const struct ff_needs one = {.devices = 1};
    struct ff_promise promise = ff_placement_soonest(&room, &three, releases, count, NOW, &ends);
    assert_true(promise.made);
    assert_int_equal(promise.at_ns, NOW + 20 * SECOND);
    assert_int_equal(ends, 2);
    assert_int_equal(promise.devices, 0);
    promise = ff_placement_soonest(&room, &four, releases, count, NOW, &ends);
    assert_int_equal(promise.at_ns, NOW + 30 * SECOND);
    promise = ff_placement_soonest(&room, &one, releases, count, NOW, &ends);
    assert_int_equal(promise.at_ns, NOW); /* it fits now */
    assert_int_equal(ends, 0);
    room.ends_ns = NOW + 25 * SECOND; /* the block is gone before four are free */
    assert_false(ff_placement_soonest(&room, &four, releases, count, NOW, &ends).made);
    room.ends_ns = 0;
    room.devices_taken = 1; /* another user's: nobody knows when it comes back */
    releases[0] = (struct ff_release){.at_ns = FF_UNKNOWN_NS, .devices = 1};
    assert_false(ff_placement_soonest(&room, &four, releases, 1, NOW, &ends).made);
}

static void test_the_small_run_beside_a_promise(void **state)
{
    (void)state;
    struct ff_room room;
    struct ff_release releases[3];
    size_t count = busy_node(&room, releases);
    size_t ends;
    struct ff_held held;
    const struct ff_needs two = {.devices = 2};
    const struct ff_needs quick = {.devices = 1, .cost_us = UINT32_MAX, .lasts_ns = 10 * SECOND};
    const struct ff_needs slow = {.devices = 1, .lasts_ns = 11 * SECOND};
    const struct ff_needs unknown = {.devices = 1};
    const struct ff_needs other = {.devices = 0};
    room.promise = ff_placement_soonest(&room, &two, releases, count, NOW, &ends);
    assert_int_equal(room.promise.at_ns, NOW + 10 * SECOND);
    assert_int_equal(ff_placement_judge(&room, &quick, NOW), FF_FITS_SLOT); /* ends in time */
    assert_int_equal(ff_placement_judge(&room, &slow, NOW), FF_PROMISED);
    assert_int_equal(ff_placement_judge(&room, &unknown, NOW), FF_PROMISED);
    assert_int_equal(ff_placement_judge(&room, &other, NOW), FF_FITS_SLOT); /* takes no GPU */
    take(&room, &held, &quick);
    assert_int_equal(room.promise.slots,
                     5); /* eight, less two that run on, less the promised one */
    for (int i = 0; i < 4; i++) {
        assert_int_equal(ff_placement_judge(&room, &other, NOW), FF_FITS_SLOT);
        take(&room, &held, &other);
    }
    assert_int_equal(room.promise.slots, 1);
}

static void test_a_block_that_ends_is_looked_at(void **state)
{
    (void)state;
    struct ff_room room = make_room(1, 0);
    const struct ff_needs minute = {.lasts_ns = 60 * SECOND};
    const struct ff_needs unknown = {.lasts_ns = 0};
    room.ends_ns = NOW + 59 * SECOND;
    assert_int_equal(ff_placement_judge(&room, &minute, NOW), FF_ENDS_TOO_SOON);
    assert_int_equal(ff_placement_judge(&room, &unknown, NOW), FF_FITS_SLOT);
    room.ends_ns = NOW + 60 * SECOND;
    assert_int_equal(ff_placement_judge(&room, &minute, NOW), FF_FITS_SLOT);
    room.ends_ns = NOW;
    assert_int_equal(ff_placement_judge(&room, &unknown, NOW), FF_NOT_OPEN);
}

static void test_a_call_that_is_overdue_is_not_about_to_end(void **state)
{
    (void)state;
    assert_int_equal(ff_placement_end(NOW - SECOND, 3 * SECOND, NOW), NOW + 2 * SECOND);
    assert_int_equal(ff_placement_end(NOW - 5 * SECOND, 3 * SECOND, NOW), NOW + 5 * SECOND);
    assert_int_equal(ff_placement_end(NOW, 0, NOW), FF_UNKNOWN_NS);
}

static void test_gpus_of_a_node_stay_together(void **state)
{
    (void)state;
    struct ff_room empty = make_room(4, 4);
    struct ff_room used = make_room(4, 4);
    struct ff_room full = make_room(2, 2);
    struct ff_held held[4];
    const struct ff_needs gpu = {.devices = 1};
    const struct ff_needs cpu = {.devices = 0};
    take(&used, &held[0], &gpu);
    /* A GPU call goes where the fewest stay free, another one where the most slots are. */
    assert_true(ff_placement_score(&used, &gpu, FF_FITS_SLOT) >
                ff_placement_score(&empty, &gpu, FF_FITS_SLOT));
    struct ff_room spread = make_room(4, 0);
    take(&spread, &held[1], &cpu);
    struct ff_room bare = make_room(4, 0);
    assert_true(ff_placement_score(&bare, &cpu, FF_FITS_SLOT) >
                ff_placement_score(&spread, &cpu, FF_FITS_SLOT));
    /* Not the last slots beside free GPUs, while there are others. */
    assert_true(ff_placement_score(&spread, &cpu, FF_FITS_SLOT) >
                ff_placement_score(&empty, &cpu, FF_FITS_SLOT));
    /* GPUs that are free come before the line for GPUs of others. */
    full.devices_taken = 2;
    assert_int_equal(ff_placement_judge(&full, &gpu, NOW), FF_FITS_LINE);
    assert_true(ff_placement_score(&empty, &gpu, FF_FITS_SLOT) >
                ff_placement_score(&full, &gpu, FF_FITS_LINE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_free_slots_are_filled_first),
        cmocka_unit_test(test_only_tiny_tasks_go_ahead),
        cmocka_unit_test(test_nothing_goes_ahead_of_a_long_task),
        cmocka_unit_test(test_work_ahead_is_bounded_by_time_and_window),
        cmocka_unit_test(test_devices_are_counted),
        cmocka_unit_test(test_cores_are_counted),
        cmocka_unit_test(test_a_large_task_is_promised_the_soonest),
        cmocka_unit_test(test_the_small_run_beside_a_promise),
        cmocka_unit_test(test_a_block_that_ends_is_looked_at),
        cmocka_unit_test(test_a_call_that_is_overdue_is_not_about_to_end),
        cmocka_unit_test(test_gpus_of_a_node_stay_together),
        cmocka_unit_test(test_pace_is_learned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

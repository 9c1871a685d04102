#include "tests/unit/check.h"

#include "endpoint/placement.h"

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
    ff_room_take(room, needs, held);
}

static void test_free_slots_are_filled_first(void **state)
{
    (void)state;
    struct ff_room room = make_room(2, 0);
    struct ff_held held[2];
    const struct ff_needs unknown = {0, 0, 0};
    assert_int_equal(ff_placement_judge(&room, &unknown), FF_FITS_SLOT);
    take(&room, &held[0], &unknown);
    take(&room, &held[1], &unknown);
    assert_int_equal(ff_placement_judge(&room, &unknown), FF_BUSY_SLOTS);
    ff_room_give_back(&room, &held[0]);
    assert_int_equal(ff_placement_judge(&room, &unknown), FF_FITS_SLOT);
    room.open = false;
    assert_int_equal(ff_placement_judge(&room, &unknown), FF_NOT_OPEN);
}

static void test_only_tiny_tasks_go_ahead(void **state)
{
    (void)state;
    struct ff_room room = make_room(1, 0);
    struct ff_held held;
    const struct ff_needs tiny = {0, 0, 100};
    const struct ff_needs longer = {0, 0, FF_TINY_US + 1};
    const struct ff_needs unknown = {0, 0, 0};
    take(&room, &held, &tiny);
    assert_int_equal(ff_placement_judge(&room, &tiny), FF_FITS_AHEAD);
    assert_int_equal(ff_placement_judge(&room, &longer), FF_BUSY_SLOTS);
    assert_int_equal(ff_placement_judge(&room, &unknown), FF_BUSY_SLOTS);
    room.reserved = true; /* an older one waits */
    assert_int_equal(ff_placement_judge(&room, &tiny), FF_BUSY_SLOTS);
}

static void test_nothing_goes_ahead_of_a_long_task(void **state)
{
    (void)state;
    struct ff_room room = make_room(2, 0);
    struct ff_held held[3];
    const struct ff_needs tiny = {0, 0, 100};
    const struct ff_needs unknown = {0, 0, 0};
    take(&room, &held[0], &unknown);
    take(&room, &held[1], &tiny);
    assert_int_equal(ff_placement_judge(&room, &tiny), FF_FITS_AHEAD); /* the other slot is swift */
    take(&room, &held[2], &unknown);
    assert_int_equal(ff_placement_judge(&room, &tiny), FF_BUSY_SLOTS);
}

static void test_work_ahead_is_bounded_by_time_and_window(void **state)
{
    enum { MOST = 1000 };
    (void)state;
    struct ff_room room = make_room(1, 0);
    static struct ff_held held[MOST];
    const struct ff_needs tiny = {0, 0, 5000};
    int given = 0;
    while (given < MOST && ff_placement_judge(&room, &tiny) <= FF_FITS_AHEAD)
        take(&room, &held[given++], &tiny);
    assert_int_equal(given, FF_AHEAD_US / 5000);
    struct ff_room narrow = make_room(1, 0);
    const struct ff_needs least = {0, 0, FF_LEAST_COST_US};
    narrow.window = 10;
    for (given = 0; ff_placement_judge(&narrow, &least) <= FF_FITS_AHEAD; given++)
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
    const struct ff_needs three = {3, 0, 100};
    const struct ff_needs two = {2, 0, 100};
    const struct ff_needs five = {5, 0, 100};
    const struct ff_needs none = {0, 0, 100};
    assert_int_equal(ff_placement_judge(&room, &five), FF_NEVER_DEVICES);
    assert_true(ff_verdict_is_never(ff_placement_judge(&room, &five)));
    take(&room, &held, &three);
    assert_int_equal(ff_placement_judge(&room, &two), FF_BUSY_DEVICES);
    assert_int_equal(ff_placement_judge(&room, &none), FF_FITS_SLOT);
    ff_room_give_back(&room, &held);
    assert_int_equal(ff_placement_judge(&room, &two), FF_FITS_SLOT);
    room.reserved = true;
    assert_int_equal(ff_placement_judge(&room, &two), FF_BUSY_DEVICES);
}

static void test_cores_are_counted(void **state)
{
    (void)state;
    struct ff_room room = make_room(4, 0);
    struct ff_held held;
    const struct ff_needs six = {0, 6, 0};
    const struct ff_needs nine = {0, 9, 0};
    assert_int_equal(ff_placement_judge(&room, &nine), FF_NEVER_CORES);
    take(&room, &held, &six);
    assert_int_equal(ff_placement_judge(&room, &six), FF_BUSY_CORES);
    room.cores = 0; /* not known: not judged */
    assert_int_equal(ff_placement_judge(&room, &nine), FF_FITS_SLOT);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_free_slots_are_filled_first),
        cmocka_unit_test(test_only_tiny_tasks_go_ahead),
        cmocka_unit_test(test_nothing_goes_ahead_of_a_long_task),
        cmocka_unit_test(test_work_ahead_is_bounded_by_time_and_window),
        cmocka_unit_test(test_devices_are_counted),
        cmocka_unit_test(test_cores_are_counted),
        cmocka_unit_test(test_pace_is_learned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tests/unit/check.h"

#include "endpoint/aside.h"

static const struct ff_coming nothing;

/* Calls of one GPU each; a later one began later. */
static void make(struct ff_aside *asides, struct ff_held *held, size_t count, uint32_t devices)
{
    for (size_t i = 0; i < count; i++) {
        memset(&held[i], 0, sizeof held[i]);
        held[i].given_ns = (int64_t)i;
        asides[i] = (struct ff_aside){.held = &held[i], .devices = devices};
    }
}

static void test_only_as_many_as_it_takes(void **state)
{
    (void)state;
    const struct ff_room room = {
        .slots = 4, .devices = 4, .given = 3, .devices_used = 3, .open = true};
    const struct ff_needs two = {.devices = 2};
    const struct ff_needs one = {.devices = 1};
    struct ff_held held[3];
    struct ff_aside asides[3];
    make(asides, held, 3, 1);
    assert_int_equal(ff_aside_choose(&room, &one, &nothing, asides, 3), 0); /* it fits */
    assert_int_equal(ff_aside_choose(&room, &two, &nothing, asides, 3), 1);
    for (int i = 0; i < 3; i++)
        assert_int_equal(asides[i].chosen, asides[i].held == &held[2]); /* which began last */
    const struct ff_coming coming = {.slots = 1, .devices = 1};
    assert_int_equal(ff_aside_choose(&room, &two, &coming, asides, 3), 0); /* it will */
}

static void test_none_where_it_makes_no_room(void **state)
{
    (void)state;
    struct ff_room room = {.slots = 4, .devices = 4, .given = 4, .devices_used = 4, .open = true};
    const struct ff_needs three = {.devices = 3};
    struct ff_held held[2];
    struct ff_aside asides[2];
    make(asides, held, 2, 1);
    assert_int_equal(ff_aside_choose(&room, &three, &nothing, asides, 2), -1);
    room.devices_used = 3;
    assert_int_equal(ff_aside_choose(&room, &three, &nothing, asides, 2), 2);
    room.devices_taken = 1; /* another user of the node has it */
    assert_int_equal(ff_aside_choose(&room, &three, &nothing, asides, 2), -1);
}

static void test_the_large_spare_the_small(void **state)
{
    (void)state;
    const struct ff_room room = {.slots = 3,
                                 .cores = 8,
                                 .devices = 4,
                                 .given = 3,
                                 .devices_used = 4,
                                 .cores_used = 8,
                                 .open = true};
    const struct ff_needs needs = {.devices = 2, .cores = 4};
    struct ff_held held[3];
    struct ff_aside asides[3];
    make(asides, held, 3, 1);
    asides[0].devices = 2;
    asides[0].cores = 1;
    asides[1].cores = 1;
    asides[2].cores = 6;
    /* The one with two GPUs has too few cores; with the one of six cores it would do, and then the other one is not needed. */
    assert_int_equal(ff_aside_choose(&room, &needs, &nothing, asides, 3), 2);
    for (int i = 0; i < 3; i++)
        assert_int_equal(asides[i].chosen, asides[i].held != &held[1]);
    /* A slot alone, for a call without GPUs. */
    const struct ff_needs slot = {.devices = 0};
    assert_int_equal(ff_aside_choose(&room, &slot, &nothing, asides, 3), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_as_many_as_it_takes),
        cmocka_unit_test(test_none_where_it_makes_no_room),
        cmocka_unit_test(test_the_large_spare_the_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

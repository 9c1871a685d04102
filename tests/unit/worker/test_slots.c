#include "tests/unit/check.h"

#include "worker/slots.h"

static void expect(enum ff_slot_state from, enum ff_slot_event event, enum ff_slot_state to)
{
    enum ff_slot_state state = from;
    if (!ff_slot_move(&state, event) || state != to)
        fail_msg("event %d in state %s gives %s", (int)event, ff_slot_state_name(from),
                 ff_slot_state_name(state));
}

static void test_moves(void **state)
{
    (void)state;
    expect(FF_SLOT_EMPTY, FF_SLOT_START, FF_SLOT_STARTING);
    expect(FF_SLOT_STARTING, FF_SLOT_READY, FF_SLOT_BUSY);
    expect(FF_SLOT_BUSY, FF_SLOT_HAND, FF_SLOT_BUSY);
    expect(FF_SLOT_BUSY, FF_SLOT_ANSWERED, FF_SLOT_IDLE);
    expect(FF_SLOT_IDLE, FF_SLOT_HAND, FF_SLOT_BUSY);
    expect(FF_SLOT_EMPTY, FF_SLOT_LEND, FF_SLOT_LENT);
    expect(FF_SLOT_LENT, FF_SLOT_DEAD, FF_SLOT_LENT);
    expect(FF_SLOT_LENT, FF_SLOT_RETURN_IDLE, FF_SLOT_IDLE);
    const enum ff_slot_state alive[] = {FF_SLOT_STARTING, FF_SLOT_IDLE, FF_SLOT_BUSY};
    for (size_t i = 0; i < sizeof alive / sizeof alive[0]; i++) {
        expect(alive[i], FF_SLOT_KILL, FF_SLOT_ENDING);
        expect(alive[i], FF_SLOT_DEAD, FF_SLOT_EMPTY);
    }
    expect(FF_SLOT_ENDING, FF_SLOT_DEAD, FF_SLOT_EMPTY);
}

static void test_what_cannot_happen_changes_nothing(void **state)
{
    (void)state;
    const struct {
        enum ff_slot_state state;
        enum ff_slot_event event;
    } never[] = {
        {FF_SLOT_EMPTY, FF_SLOT_HAND},    {FF_SLOT_EMPTY, FF_SLOT_DEAD},
        {FF_SLOT_ENDING, FF_SLOT_HAND},   {FF_SLOT_ENDING, FF_SLOT_START},
        {FF_SLOT_BUSY, FF_SLOT_LEND},     {FF_SLOT_LENT, FF_SLOT_HAND},
        {FF_SLOT_IDLE, FF_SLOT_ANSWERED}, {FF_SLOT_STARTING, FF_SLOT_ANSWERED},
    };
    for (size_t i = 0; i < sizeof never / sizeof never[0]; i++) {
        enum ff_slot_state now = never[i].state;
        assert_false(ff_slot_move(&now, never[i].event));
        assert_int_equal(now, never[i].state);
    }
}

static void test_cores_are_cut_without_gap(void **state)
{
    (void)state;
    for (size_t slots = 1; slots < 20; slots++) {
        for (size_t cores = slots; cores < 70; cores++) {
            size_t next = 0;
            for (size_t slot = 0; slot < slots; slot++) {
                size_t count;
                assert_int_equal(ff_slot_cores(slot, slots, cores, &count), next);
                assert_true(count >= cores / slots);
                next += count;
            }
            assert_int_equal(next, cores);
        }
    }
    size_t count;
    assert_int_equal(ff_slot_cores(5, 8, 2, &count), 1);
    assert_int_equal(count, 1);
}

static void test_slots_for_cores(void **state)
{
    (void)state;
    assert_int_equal(ff_slots_for(0, 4, 16), 1);
    assert_int_equal(ff_slots_for(4, 4, 16), 1);
    assert_int_equal(ff_slots_for(5, 4, 16), 2);
    assert_int_equal(ff_slots_for(16, 4, 16), 4);
    assert_int_equal(ff_slots_for(99, 4, 16), 4);
    assert_int_equal(ff_slots_for(2, 8, 2), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_moves),
        cmocka_unit_test(test_what_cannot_happen_changes_nothing),
        cmocka_unit_test(test_cores_are_cut_without_gap),
        cmocka_unit_test(test_slots_for_cores),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tests/unit/check.h"

#include "protocol/ids.h"

static void test_text_round_trip(void **state)
{
    (void)state;
    struct ff_id id;
    struct ff_id back;
    char text[FF_ID_TEXT_SIZE];
    ff_id_random(&id);
    ff_id_text(&id, text);
    assert_int_equal(text[14], '4');
    assert_int_equal(ff_id_parse(text, 36, &back), 0);
    assert_true(ff_id_equal(&id, &back));
    assert_int_equal(ff_id_parse(text, 35, &back), -1);
    text[8] = '0';
    assert_int_equal(ff_id_parse(text, 36, &back), -1);
    assert_int_equal(ff_id_parse("zzzzzzzz-zzzz-zzzz-zzzz-zzzzzzzzzzzz", 36, &back), -1);
}

static void test_task_id_holds_the_row_and_cannot_be_forged(void **state)
{
    (void)state;
    const uint8_t secret[FF_ID_SECRET_SIZE] = {1, 2, 3};
    const uint8_t other[FF_ID_SECRET_SIZE] = {1, 2, 4};
    const uint64_t rows[] = {0, 1, 77, 0xffffffffffff};
    for (size_t i = 0; i < 4; i++) {
        struct ff_id id;
        int64_t key = ff_task_key(0xabc, rows[i]);
        assert_true(key > 0);
        ff_task_id(secret, key, &id);
        assert_int_equal(id.bytes[6] >> 4, 8);
        assert_int_equal(id.bytes[8] >> 6, 2);
        assert_int_equal(ff_task_id_key(secret, &id), key);
        assert_int_equal(ff_task_id_key(other, &id), -1);
        id.bytes[5] ^= 1;
        assert_int_equal(ff_task_id_key(secret, &id), -1);
    }
}

static void test_attempts_are_ordered(void **state)
{
    (void)state;
    struct ff_attempt a = {1, 9};
    struct ff_attempt b = {2, 1};
    struct ff_attempt c = {2, 2};
    assert_true(ff_attempt_before(a, b) && ff_attempt_before(b, c));
    assert_false(ff_attempt_before(c, b) || ff_attempt_before(b, b));
    assert_true(ff_attempt_equal(b, b) && !ff_attempt_equal(b, c));
}

/* The test vector of the paper's authors: key 00 01 … 0f, message 00 01 … 07. */
static void test_the_seal_is_siphash(void **state)
{
    (void)state;
    uint8_t secret[FF_ID_SECRET_SIZE];
    static const uint8_t expected[7] = {0x24, 0x93, 0x9a, 0x79, 0xf5, 0xf5, 0x93};
    struct ff_id id;
    for (size_t i = 0; i < sizeof secret; i++)
        secret[i] = (uint8_t)i;
    ff_task_id(secret, 0x0706050403020100, &id);
    assert_int_equal(id.bytes[8] & 0x3f, 0x62 & 0x3f);
    assert_memory_equal(id.bytes + 9, expected, sizeof expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_round_trip),
        cmocka_unit_test(test_task_id_holds_the_row_and_cannot_be_forged),
        cmocka_unit_test(test_attempts_are_ordered),
        cmocka_unit_test(test_the_seal_is_siphash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

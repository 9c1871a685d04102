#include "tests/unit/check.h"

#include "endpoint/share.h"

#define HOUR (FF_SHARE_HALF_LIFE_S * 1000000000ll)

static void test_whoever_used_less_has_less(void **state)
{
    (void)state;
    struct ff_share share = {0};
    struct ff_sharer *anna = ff_share_of(&share, ff_span_of("anna"));
    struct ff_sharer *bert = ff_share_of(&share, ff_span_of("bert"));
    assert_ptr_not_equal(anna, bert);
    assert_ptr_equal(ff_share_of(&share, ff_span_of("anna")), anna);
    ff_share_charge(&share, anna, 10, HOUR);
    ff_share_charge(&share, bert, 9, HOUR);
    assert_true(bert->use < anna->use);
    ff_share_charge(&share, bert, 2, HOUR);
    assert_true(bert->use > anna->use);
    ff_share_charge(&share, bert, -11, HOUR); /* it did not run after all */
    assert_true(bert->use == 0);
    ff_share_charge(&share, bert, -1, HOUR);
    assert_true(bert->use == 0);
    ff_share_dispose(&share);
}

static void test_use_is_forgotten(void **state)
{
    (void)state;
    struct ff_share share = {0};
    struct ff_sharer *anna = ff_share_of(&share, ff_span_of("anna"));
    struct ff_sharer *bert = ff_share_of(&share, ff_span_of("bert"));
    ff_share_charge(&share, anna, 100, HOUR);
    ff_share_charge(&share, bert, 49, 2 * HOUR); /* by now anna's counts as 50 */
    assert_true(bert->use < anna->use);
    ff_share_charge(&share, bert, 2, 2 * HOUR);
    assert_true(bert->use > anna->use);
    /* Also beyond where weights are made small again. */
    ff_share_charge(&share, anna, 1, 50 * HOUR);
    assert_true(anna->use > bert->use);
    assert_true(anna->use < 1.001);
    ff_share_charge(&share, bert, 0.49, 51 * HOUR);
    assert_true(bert->use < anna->use);
    ff_share_dispose(&share);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whoever_used_less_has_less),
        cmocka_unit_test(test_use_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

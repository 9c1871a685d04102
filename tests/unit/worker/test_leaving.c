#include "tests/unit/check.h"

#include "worker/leaving.h"

static void test_long_blocks_are_left_earlier(void **state)
{
    (void)state;
    assert_int_equal(ff_leaving_lead_ms(10000), 5000);
    assert_int_equal(ff_leaving_lead_ms(120000), 12000);
    assert_int_equal(ff_leaving_lead_ms(86400000), 60000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_long_blocks_are_left_earlier)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

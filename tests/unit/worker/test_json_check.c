#include "tests/unit/check.h"

#include "worker/json_check.h"

static bool is_json(const char *text)
{
    struct ff_error error;
    return ff_json_check(ff_span_of(text), &error) == 0;
}

static void test_json(void **state)
{
    (void)state;
    const char *const good[] = {
        "null",
        " true ",
        "-0.5e+10",
        "0",
        "\"\\u00e9\\n\xc3\xa9\"",
        "[]",
        "{}",
        "[1, [2, {\"a\": [null]}], \"x\"]",
        "{\"a\": {\"b\": 1}, \"c\": []}",
    };
    const char *const bad[] = {
        "",        " ",       "nul",        "01",       "1.",   "+1",       "--1",
        "\"a",     "\"\\x\"", "\"\n\"",     "\"\xff\"", "[1,]", "[1 2]",    "[",
        "{\"a\"}", "{a: 1}",  "{\"a\":1,}", "1 2",      "[1]]", "{\"a\":}", "\"\\u12g4\"",
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        if (!is_json(good[i]))
            fail_msg("refused: %s", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (is_json(bad[i]))
            fail_msg("taken: %s", bad[i]);
}

static void test_depth_and_places(void **state)
{
    (void)state;
    struct ff_error error;
    char deep[2001];
    memset(deep, '[', 1000);
    memset(deep + 1000, ']', 1000);
    deep[2000] = '\0';
    assert_false(is_json(deep));
    memset(deep, ' ', 600);
    memset(deep + 1400, ' ', 600);
    assert_true(is_json(deep));
    assert_int_equal(ff_json_check(ff_span_of("[1, x]"), &error), -1);
    assert_int_equal(error.code, FF_INVALID_JSON);
    assert_non_null(strstr(error.message, "byte 4 of 6"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_depth_and_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

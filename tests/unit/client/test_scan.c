#include "tests/unit/check.h"

#include "client/bench/scan.h"

static int scan(const char *text, struct ff_scan_page *page, struct ff_error *error)
{
    return ff_scan_results(text, strlen(text), page, error);
}

static void test_a_page_of_results(void **state)
{
    (void)state;
    struct ff_error error;
    struct ff_scan_page page = {.after = 3};
    assert_ok(
        scan("{\"results\":[{\"seq\":7,\"state\":\"success\",\"result\":40},"
             "{\"x\":{\"seq\":[1,{\"state\":\"failed\"}]},\"state\":\"success\",\"a\\\"b\":\"}]\","
             "\"result\":2,\"seq\":9}],\"outstanding\":5}",
             &page, &error),
        error);
    assert_int_equal(page.count, 2);
    assert_int_equal(page.after, 9);
    assert_int_equal(page.sum, 42);
    assert_ok(
        scan(" { \"outstanding\" : 5 , \"results\" : [ { \"seq\" : 11 , \"state\" : \"success\" , "
             "\"result\" : 1 } ] } ",
             &page, &error),
        error);
    assert_int_equal(page.count, 1);
    assert_int_equal(page.after, 11);
}

static void test_an_empty_page_keeps_the_place(void **state)
{
    (void)state;
    struct ff_error error;
    struct ff_scan_page page = {.after = 3, .count = 5, .sum = 5};
    assert_ok(scan("{\"results\":[],\"outstanding\":5}", &page, &error), error);
    assert_int_equal(page.count, 0);
    assert_int_equal(page.sum, 0);
    assert_int_equal(page.after, 3);
}

static void test_a_failed_task_is_told(void **state)
{
    (void)state;
    struct ff_error error;
    struct ff_scan_page page = {.after = 3};
    assert_int_equal(scan("{\"results\":[{\"seq\":7,\"state\":\"failed\",\"exception\":\"why\"}]}",
                          &page, &error),
                     -1);
    assert_int_equal(error.code, FF_TASK_FAILED);
    assert_non_null(strstr(error.message, "why"));
    assert_int_equal(page.after, 3);
}

static void test_anything_else_is_refused(void **state)
{
    (void)state;
    const char whole[] =
        "{\"results\":[{\"seq\":7,\"state\":\"success\",\"result\":[{\"a\":\"b\\\\\"}]}]";
    struct ff_error error;
    struct ff_scan_page page = {.after = 3};
    for (size_t length = 0; length + 1 < sizeof whole; length++) {
        char *piece = strndup(whole, length);
        assert_int_equal(ff_scan_results(piece, length, &page, &error), -1);
        free(piece);
    }
    const char *const bad[] = {"[]",
                               "{}",
                               "{\"results\":{}}",
                               "{\"results\":[{]}",
                               "{\"results\":[{\"seq\" 7}]}",
                               "{\"results\":[1,2]}",
                               "null"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(scan(bad[i], &page, &error), -1);
    assert_int_equal(ff_scan_results("{\"results\":[]}", 40, &page, &error), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_page_of_results),
        cmocka_unit_test(test_an_empty_page_keeps_the_place),
        cmocka_unit_test(test_a_failed_task_is_told),
        cmocka_unit_test(test_anything_else_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

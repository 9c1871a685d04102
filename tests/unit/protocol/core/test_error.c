#include "tests/unit/check.h"

#include "protocol/core/bytes.h"

#include <errno.h>

static void test_fail_fills_and_returns_minus_one(void **state)
{
    (void)state;
    struct ff_error error = {0};
    assert_int_equal(ff_fail(&error, FF_INPUT_INVALID, "pattern %d", 7), -1);
    assert_int_equal(error.code, FF_INPUT_INVALID);
    assert_string_equal(error.message, "pattern 7");
    ff_hint(&error, "look at %s", "it");
    assert_string_equal(error.hint, "look at it");
    ff_fail_prefix(&error, "reading %s: ", "a.cxi");
    assert_string_equal(error.message, "reading a.cxi: pattern 7");
    ff_fail(&error, FF_IO, "again: %s", error.message);
    assert_string_equal(error.message, "again: reading a.cxi: pattern 7");
    assert_string_equal(error.hint, "");
    assert_int_equal(ff_fail(NULL, FF_IO, "nobody listens"), -1);
}

static void test_errno_of_a_full_disk_wins(void **state)
{
    (void)state;
    struct ff_error error;
    ff_fail_errno(&error, FF_OUTPUT_FAILED, ENOSPC, "cannot write %s", "x.h5");
    assert_int_equal(error.code, FF_DISK_FULL);
    assert_non_null(strstr(error.message, "x.h5: No space left"));
    ff_fail_errno(&error, FF_OUTPUT_FAILED, EACCES, "cannot write");
    assert_int_equal(error.code, FF_OUTPUT_FAILED);
}

static void test_long_text_is_cut_and_terminated(void **state)
{
    (void)state;
    struct ff_error error;
    char text[4000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    ff_fail(&error, FF_IO, "%s", text);
    assert_int_equal(strlen(error.message), FF_ERROR_MESSAGE_SIZE - 1);
}

static void test_names_round_trip_and_strangers_are_internal(void **state)
{
    (void)state;
    for (unsigned code = 0; code < FF_ERROR_CODE_COUNT; code++) {
        const char *name = ff_error_name((enum ff_error_code)code);
        assert_int_equal(ff_error_code_from_name(name, strlen(name)), code);
        assert_true(ff_error_exit_status((enum ff_error_code)code) <= 5);
        assert_true(ff_error_text((enum ff_error_code)code)[0] != '\0');
    }
    assert_int_equal(ff_error_code_from_name("FROM_TOMORROW", 13), FF_INTERNAL);
}

static void test_buffer_stops_at_its_limit(void **state)
{
    (void)state;
    struct ff_buffer buffer;
    struct ff_error error;
    ff_buffer_init(&buffer, 10);
    ff_buffer_append_text(&buffer, "12345");
    ff_buffer_printf(&buffer, "%d", 67890);
    assert_ok(ff_buffer_check(&buffer, "it", &error), error);
    assert_string_equal(ff_buffer_text(&buffer), "1234567890");
    ff_buffer_append_text(&buffer, "x");
    assert_int_equal(ff_buffer_check(&buffer, "it", &error), -1);
    assert_int_equal(error.code, FF_TOO_LARGE);
    assert_string_equal(ff_buffer_text(&buffer), "");
    ff_buffer_clear(&buffer);
    ff_buffer_append_text(&buffer, "abcdef");
    ff_buffer_consume(&buffer, 4);
    assert_string_equal(ff_buffer_text(&buffer), "ef");
    ff_buffer_dispose(&buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fail_fills_and_returns_minus_one),
        cmocka_unit_test(test_errno_of_a_full_disk_wins),
        cmocka_unit_test(test_long_text_is_cut_and_terminated),
        cmocka_unit_test(test_names_round_trip_and_strangers_are_internal),
        cmocka_unit_test(test_buffer_stops_at_its_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

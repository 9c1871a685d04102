#include "tests/unit/check.h"

#include "endpoint/warm.h"
#include "protocol/core/clock.h"
#include "protocol/core/file.h"

#include <time.h>

static const int64_t second_ns = 1000000000;
static const int64_t now_ns = INT64_C(1795629600) * 1000000000; /* 2026-11-25T18:00:00Z */

static int64_t parsed(const char *text)
{
    struct ff_error error;
    int64_t until_ns = 0;
    if (ff_warm_parse_until(text, now_ns, &until_ns, &error) < 0)
        fail_msg("%s: %s", text, error.message);
    return until_ns - now_ns;
}

static void test_dates_as_people_write_them(void **state)
{
    (void)state;
    setenv("TZ", "EST5", 1); /* here it is 13:00 */
    tzset();
    assert_true(parsed("+4h") == 4 * 3600 * second_ns);
    assert_true(parsed("+1.5h") == 5400 * second_ns);
    assert_true(parsed("+30m") == 1800 * second_ns);
    assert_true(parsed("+2d") == 2 * 86400 * second_ns);
    assert_true(parsed("18:00") == 5 * 3600 * second_ns);
    assert_true(parsed("13:00") == 24 * 3600 * second_ns); /* tomorrow's */
    assert_true(parsed("9:30") == 73800 * second_ns);
    assert_true(parsed("2026-11-25T18:00:01Z") == second_ns);
    assert_true(parsed("2026-11-25T20:00Z") == 7200 * second_ns);
    assert_true(parsed("2026-11-25T14:00") == 3600 * second_ns);
    assert_true(parsed("2026-11-26 13:00") == 86400 * second_ns);
}

static void test_what_is_past_or_no_date_is_refused_in_words(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        "tomorrow",
                                        "4h",
                                        "+",
                                        "+h",
                                        "+4w",
                                        "+-1h",
                                        "+4hh",
                                        "25:00",
                                        "18:00x",
                                        "2026-13-1",
                                        "+1e9h",
                                        "+nanh",
                                        "2026-11-28",
                                        "9999-01-01T00:00Z",
                                        "0001-01-01T00:00Z"};
    struct ff_error error;
    int64_t until_ns = 17;
    setenv("TZ", "EST5", 1);
    tzset();
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_int_equal(ff_warm_parse_until(texts[i], now_ns, &until_ns, &error), -1);
        assert_non_null(strstr(error.message, "no date"));
        assert_non_null(strstr(error.hint, "+4h"));
    }
    assert_int_equal(ff_warm_parse_until("2026-11-25T17:00Z", now_ns, &until_ns, &error), -1);
    assert_string_equal(error.message, "\"2026-11-25T17:00Z\" is past, by 1 h 0 min");
    assert_int_equal(ff_warm_parse_until("2026-11-25T18:00Z", now_ns, &until_ns, &error), -1);
}

static void test_the_reserve_stands_in_a_file_until_it_is_over(void **state)
{
    (void)state;
    struct ff_error error;
    struct ff_folder folder;
    struct ff_warm read;
    char path[PATH_MAX];
    char *home = make_folder();
    setenv("FARFIELD_HOME", home, 1);
    assert_ok(ff_folder_locate(&folder, "beamline", &error), error);
    assert_ok(ff_folder_make(folder.root, 0700, &error), error);
    assert_ok(ff_warm_read(&folder, &read, &error), error);
    assert_int_equal(read.blocks, 0);
    struct ff_warm warm = {.blocks = 3, .until_ns = ff_wall_ns() + 3600 * second_ns};
    assert_ok(ff_warm_write(&folder, &warm, &error), error);
    assert_ok(ff_warm_read(&folder, &read, &error), error);
    assert_int_equal(read.blocks, 3);
    assert_true(read.until_ns == warm.until_ns);
    warm.until_ns = ff_wall_ns() - 1;
    assert_ok(ff_warm_write(&folder, &warm, &error), error);
    assert_ok(ff_warm_read(&folder, &read, &error), error);
    assert_int_equal(read.blocks, 0);
    ff_folder_path(&folder, path, "warm");
    assert_ok(ff_file_write(path, ff_span_of("blocks: many\n"), 0600, &error), error);
    assert_int_equal(ff_warm_read(&folder, &read, &error), -1);
    assert_non_null(strstr(error.message, "line 1"));
    warm.blocks = 0;
    assert_ok(ff_warm_write(&folder, &warm, &error), error);
    assert_ok(ff_warm_write(&folder, &warm, &error), error); /* there is none any more */
    assert_ok(ff_folder_remove(home, &error), error);
    free(home);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dates_as_people_write_them),
        cmocka_unit_test(test_what_is_past_or_no_date_is_refused_in_words),
        cmocka_unit_test(test_the_reserve_stands_in_a_file_until_it_is_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

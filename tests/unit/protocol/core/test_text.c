#include "tests/unit/check.h"

#include "protocol/core/clock.h"
#include "protocol/core/text.h"

#include <fcntl.h>
#include <unistd.h>

static void test_nearest(void **state)
{
    (void)state;
    const char *const names[] = {"epochs", "batches", NULL, "modes", "step_object"};
    assert_string_equal(ff_text_nearest("epoch", names, 5), "epochs");
    assert_string_equal(ff_text_nearest("ephocs", names, 5), "epochs");
    assert_string_equal(ff_text_nearest("MODES", names, 5), "modes");
    assert_string_equal(ff_text_nearest("step-object", names, 5), "step_object");
    assert_null(ff_text_nearest("wavelength", names, 5));
    assert_null(ff_text_nearest("x", names, 0));
    char endless[300];
    memset(endless, 'e', 299);
    endless[299] = '\0';
    assert_null(ff_text_nearest(endless, names, 5));
}

static void test_sizes_and_durations(void **state)
{
    (void)state;
    char text[32];
    ff_text_bytes(812, text, sizeof text);
    assert_string_equal(text, "812 bytes");
    ff_text_bytes(4060404, text, sizeof text);
    assert_string_equal(text, "4.06 MB");
    ff_text_bytes(UINT64_MAX, text, sizeof text);
    assert_string_equal(text, "18.4 EB");
    ff_text_duration(0.00034, text, sizeof text);
    assert_string_equal(text, "340 µs");
    ff_text_duration(0.0123, text, sizeof text);
    assert_string_equal(text, "12.3 ms");
    ff_text_duration(192, text, sizeof text);
    assert_string_equal(text, "3 min 12 s");
}

static void test_numbers_take_all_of_the_text(void **state)
{
    (void)state;
    int64_t integer = 5;
    double number = 5;
    assert_int_equal(ff_text_integer("42", 0, 100, &integer), 0);
    assert_int_equal(integer, 42);
    assert_int_equal(ff_text_integer("42x", 0, 100, &integer), -1);
    assert_int_equal(ff_text_integer("", 0, 100, &integer), -1);
    assert_int_equal(ff_text_integer("101", 0, 100, &integer), -1);
    assert_int_equal(ff_text_integer("99999999999999999999", 0, 100, &integer), -1);
    assert_int_equal(ff_text_number("1e-3", &number), 0);
    assert_int_equal(ff_text_number("nan", &number), -1);
    assert_int_equal(ff_text_number("1,5", &number), -1);
    assert_int_equal(integer, 42);
}

static void test_hexadecimal(void **state)
{
    (void)state;
    uint8_t bytes[3] = {0, 0x7f, 0xff};
    uint8_t back[3];
    char text[7];
    ff_text_hex(bytes, 3, text);
    assert_string_equal(text, "007fff");
    assert_int_equal(ff_text_unhex("007FfF", 6, back, 3), 0);
    assert_memory_equal(bytes, back, 3);
    assert_int_equal(ff_text_unhex("007ff", 5, back, 3), -1);
    assert_int_equal(ff_text_unhex("007ffg", 6, back, 3), -1);
}

static void test_names_are_safe_file_names(void **state)
{
    (void)state;
    assert_true(ff_text_is_name("local"));
    assert_true(ff_text_is_name("Beam-33.2_id"));
    const char *const bad[] = {"", ".", "..", "-x", "a/b", "a b", "ä", "a\n"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(ff_text_is_name(bad[i]));
}

static void test_time_is_rfc_3339(void **state)
{
    (void)state;
    char text[FF_TIME_TEXT_SIZE];
    ff_time_text(1500000000123456789, text);
    assert_string_equal(text, "2017-07-14T02:40:00.123456Z");
}

/* A pseudo-terminal, as that is where control characters do harm. */
static void test_a_terminal_gets_no_control_characters(void **state)
{
    (void)state;
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    FILE *terminal = fopen(ptsname(master), "w");
    assert_non_null(terminal);
    ff_text_printf(terminal, "a%s|", "\x1b[31m\xff\xc2\x9b\x07é\t");
    fclose(terminal);
    char got[64] = "";
    size_t used = 0;
    ssize_t size;
    while (strchr(got, '|') == NULL && (size = read(master, got + used, sizeof got - 1 - used)) > 0)
        used += (size_t)size;
    close(master);
    assert_null(strchr(got, '\x1b'));
    assert_true(strncmp(got, "a?[31m???é", strlen("a?[31m???é")) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nearest),
        cmocka_unit_test(test_sizes_and_durations),
        cmocka_unit_test(test_numbers_take_all_of_the_text),
        cmocka_unit_test(test_hexadecimal),
        cmocka_unit_test(test_names_are_safe_file_names),
        cmocka_unit_test(test_time_is_rfc_3339),
        cmocka_unit_test(test_a_terminal_gets_no_control_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

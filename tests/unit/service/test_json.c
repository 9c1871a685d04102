/* The scanner takes only what jansson takes as well: then nothing that is stored can spoil a page.
 * */
#include "tests/unit/check.h"

#include "protocol/core/json_scan.h"
#include "service/json.h"

#include <jansson.h>

static bool jansson_takes(const char *text)
{
    json_t *json = json_loads(text, JSON_DECODE_ANY, NULL);
    bool taken = json != NULL;
    json_decref(json);
    return taken;
}

static const char *const good[] = {
    "0",
    "-0",
    "12",
    "-1.5e+3",
    "1e10",
    "9223372036854775807",
    "-9223372036854775808",
    "true",
    "false",
    "null",
    "\"\"",
    "\"a\\n\\\"\\\\\\/\\b\\f\\r\\t\"",
    "\"\\u00e9\\ud83d\\ude00\"",
    "\"\xc3\xa9\"",
    "[]",
    "{}",
    " [ 1 , 2 ] ",
    "{\"a\":{\"b\":[{}]},\"c\":[]}",
    "\t\r\n1",
    "[[[[]]]]",
    "{\"a\" : 1 , \"b\" : [ ] }",
};

static const char *const bad[] = {
    "",
    " ",
    "01",
    "-",
    "1.",
    ".5",
    "1e",
    "+1",
    "tru",
    "nul",
    "\"",
    "\"\\x\"",
    "\"\\u12\"",
    "\"\\u0000\"",
    "\"\\ud800\"",
    "\"\\udc00\"",
    "\"\\ud800\\u0041\"",
    "\"\x01\"",
    "\"\xff\"",
    "\"\xc3\"",
    "[",
    "]",
    "[1",
    "[1,",
    "[1,]",
    "[,1]",
    "[1 2]",
    "{",
    "}",
    "{\"a\"}",
    "{\"a\":}",
    "{\"a\":1,}",
    "{a:1}",
    "{\"a\":1 \"b\":2}",
    "{\"a\":1]",
    "[1}",
    "1 2",
    "[] []",
    "1e999",
    "-1e999",
    "9223372036854775808",
    "99999999999999999999",
    "NaN",
    "Infinity",
    "'a'",
    "\"a\nb\"",
    "{1:2}",
    "[1]]",
    "{\"a\":[}",
};

static void test_what_is_taken_and_what_is_not(void **state)
{
    (void)state;
    struct ff_error error;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        if (ff_json_check(ff_span_of(good[i]), &error) < 0)
            fail_msg("%s: %s", good[i], error.message);
        assert_true(jansson_takes(good[i]));
    }
    assert_int_equal(ff_json_check(ff_span_of("[1, x]"), &error), -1);
    assert_non_null(strstr(error.message, "byte 4"));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (ff_json_check(ff_span_of(bad[i]), &error) == 0)
            fail_msg("taken: %s", bad[i]);
        assert_int_equal(error.code, FF_INVALID_JSON);
    }
}

/* Every byte of every good text is replaced by every byte of a set: whatever the scanner still
 * takes, jansson must. */
static void test_nothing_is_taken_that_jansson_refuses(void **state)
{
    (void)state;
    static const char bytes[] = "\"\\{}[],:01-+.eE tfnu\n\x01\x7f\x80\xc3\xff";
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        for (size_t at = 0; good[i][at] != '\0'; at++) {
            for (size_t b = 0; b < sizeof bytes - 1; b++) {
                char text[128];
                snprintf(text, sizeof text, "%s", good[i]);
                text[at] = bytes[b];
                if (ff_json_check(ff_span_of(text), NULL) == 0 && !jansson_takes(text))
                    fail_msg("taken: %s", text);
            }
        }
    }
}

static void test_depth_is_bounded(void **state)
{
    (void)state;
    struct ff_error error;
    char text[4 * FF_JSON_DEPTH + 1];
    memset(text, '[', FF_JSON_DEPTH);
    memset(text + FF_JSON_DEPTH, ']', FF_JSON_DEPTH);
    text[2 * FF_JSON_DEPTH] = '\0';
    assert_ok(ff_json_check(ff_span_of(text), &error), error);
    memset(text, '[', 2 * FF_JSON_DEPTH);
    memset(text + 2 * FF_JSON_DEPTH, ']', 2 * FF_JSON_DEPTH);
    text[4 * FF_JSON_DEPTH] = '\0';
    assert_int_equal(ff_json_check(ff_span_of(text), &error), -1);
    assert_non_null(strstr(error.message, "deeply"));
}

static void test_walking_through_members_and_elements(void **state)
{
    (void)state;
    struct ff_json json;
    struct ff_span key;
    struct ff_span value;
    struct ff_error error;
    ff_json_open(&json, ff_span_of(" {\"f\" : [1,{\"a\":[2]} ], \"g\":[]} "));
    assert_ok(ff_json_enter(&json, '{', &error), error);
    assert_int_equal(ff_json_member(&json, &key, &error), 1);
    assert_true(ff_span_equal(key, ff_span_of("f")));
    assert_ok(ff_json_enter(&json, '[', &error), error);
    assert_int_equal(ff_json_element(&json, &error), 1);
    assert_ok(ff_json_value(&json, &value, &error), error);
    assert_true(ff_span_equal(value, ff_span_of("1")));
    assert_int_equal(ff_json_element(&json, &error), 1);
    assert_ok(ff_json_value(&json, &value, &error), error);
    assert_true(ff_span_equal(value, ff_span_of("{\"a\":[2]}")));
    assert_int_equal(ff_json_element(&json, &error), 0);
    assert_int_equal(ff_json_member(&json, &key, &error), 1);
    assert_ok(ff_json_enter(&json, '[', &error), error);
    assert_int_equal(ff_json_element(&json, &error), 0);
    assert_int_equal(ff_json_member(&json, &key, &error), 0);
    assert_ok(ff_json_finish(&json, &error), error);
}

static void test_what_is_written_can_be_read(void **state)
{
    (void)state;
    struct ff_buffer out;
    struct ff_span wild = {"a\"\\\n\x01\x00\xff\xc3\xa9", 9};
    ff_buffer_init(&out, 10000);
    ff_json_begin(&out, '{');
    ff_json_member_span(&out, "wild", wild);
    ff_json_member_integer(&out, "least", INT64_MIN);
    ff_json_member_number(&out, "real", 0.5);
    ff_json_member_number(&out, "none", 1.0 / 0.0);
    ff_json_member_text(&out, "null", NULL);
    ff_json_key(&out, "list");
    ff_json_begin(&out, '[');
    ff_json_integer(&out, 0);
    ff_json_raw(&out, ff_span_of("{\"x\":1}"));
    ff_json_end(&out, ']');
    ff_json_member_time(&out, "time", 1000000000ll * 86400);
    ff_json_end(&out, '}');
    json_t *json = json_loads(ff_buffer_text(&out), 0, NULL);
    assert_non_null(json);
    assert_string_equal(json_string_value(json_object_get(json, "wild")),
                        "a\"\\\n\x01\xef\xbf\xbd\xef\xbf\xbd\xc3\xa9");
    assert_true(json_integer_value(json_object_get(json, "least")) == INT64_MIN);
    assert_true(json_is_null(json_object_get(json, "none")));
    assert_int_equal(json_array_size(json_object_get(json, "list")), 2);
    json_decref(json);
    ff_buffer_dispose(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_taken_and_what_is_not),
        cmocka_unit_test(test_nothing_is_taken_that_jansson_refuses),
        cmocka_unit_test(test_depth_is_bounded),
        cmocka_unit_test(test_walking_through_members_and_elements),
        cmocka_unit_test(test_what_is_written_can_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

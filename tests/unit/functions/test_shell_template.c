#include "tests/unit/check.h"

#include "functions/shell/template.h"

static int expand(const char *body, const char *arguments, struct ff_buffer *command,
                  struct ff_error *error)
{
    json_t *parsed = arguments != NULL ? json_loads(arguments, JSON_DECODE_ANY, NULL) : NULL;
    ff_buffer_clear(command);
    int result = ff_shell_expand(body, parsed, command, error);
    json_decref(parsed);
    return result;
}

static void test_values_are_one_word_each(void **state)
{
    (void)state;
    static const struct {
        const char *body, *arguments, *command;
    } cases[] = {
        {"ls {path}", "{\"path\": \"a b\"}", "ls 'a b'"},
        {"ls {path}", "{\"path\": \"$(rm -rf x); `y` 'q' \\\"z\\\"\"}",
         "ls '$(rm -rf x); `y` '\\''q'\\'' \"z\"'"},
        {"{a}x{b}", "{\"a\": 64, \"b\": true}", "'64'x'true'"},
        {"cat {files}", "{\"files\": [\"one\", \"t wo\"]}", "cat 'one' 't wo'"},
        {"echo ${HOME} {{literal}} { a; b; } {print $1}", NULL,
         "echo ${HOME} {literal} { a; b; } {print $1}"},
        {"true", "{}", "true"},
        {"true", "null", "true"},
    };
    struct ff_buffer command;
    struct ff_error error;
    ff_buffer_init(&command, 4096);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_ok(expand(cases[i].body, cases[i].arguments, &command, &error), error);
        assert_string_equal(ff_buffer_text(&command), cases[i].command);
    }
    ff_buffer_dispose(&command);
}

static void test_missing_and_mistyped_arguments_are_named(void **state)
{
    (void)state;
    struct ff_buffer command;
    struct ff_error error;
    ff_buffer_init(&command, 4096);
    assert_int_equal(expand("ls {path}", "{\"paht\": \"x\"}", &command, &error), -1);
    assert_non_null(strstr(error.message, "\"path\""));
    assert_non_null(strstr(error.hint, "\"paht\""));
    assert_int_equal(expand("ls {path}", NULL, &command, &error), -1);
    assert_int_equal(expand("ls", "{\"path\": \"x\"}", &command, &error), -1);
    assert_non_null(strstr(error.message, "no place for the argument \"path\""));
    assert_int_equal(expand("ls", "[1]", &command, &error), -1);
    ff_buffer_dispose(&command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_are_one_word_each),
        cmocka_unit_test(test_missing_and_mistyped_arguments_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

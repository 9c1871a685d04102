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
        {"ls {path}", "{\"path\": \"a b\"}", "ff_1='a b'; ls \"${ff_1}\""},
        {"ls {path}", "{\"path\": \"$(rm -rf x); `y` 'q' \\\"z\\\"\"}",
         "ff_1='$(rm -rf x); `y` '\\''q'\\'' \"z\"'; ls \"${ff_1}\""},
        {"{a}x{b}", "{\"a\": 64, \"b\": true}", "ff_1='64'; ff_2='true'; \"${ff_1}\"x\"${ff_2}\""},
        {"cat {files}", "{\"files\": [\"one\", \"t wo\"]}",
         "ff_1='one'; ff_2='t wo'; cat \"${ff_1}\" \"${ff_2}\""},
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

/* What /bin/sh makes of the template `body` with x = `value`; the caller frees. */
static char *said(const char *body, const char *value)
{
    json_t *arguments = json_pack("{s:s}", "x", value);
    struct ff_buffer command;
    struct ff_error error;
    ff_buffer_init(&command, 4096);
    assert_ok(ff_shell_expand(body, arguments, &command, &error), error);
    FILE *shell = popen(ff_buffer_text(&command), "r");
    assert_non_null(shell);
    char *text = calloc(1, 1024);
    assert_non_null(text);
    assert_true(fread(text, 1, 1023, shell) < 1023);
    assert_int_equal(pclose(shell), 0);
    ff_buffer_dispose(&command);
    json_decref(arguments);
    return text;
}

static void test_no_value_is_run_and_each_arrives(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "printf %s {x}",
        "printf %s \"{x}\"",
        "printf %s '{x}'",
        "printf %s \"$(printf %s {x})\"",
        "printf %s \"$(printf %s \"{x}\")\"",
        "printf %s \"$(printf %s '{x}')\"",
        "printf %s \"`printf %s {x}`\"",
        "(printf %s {x})",
        "# it's \"a comment: {x}\nprintf %s {x}",
        "printf %s a#\\'\"\\\"\" >/dev/null; printf %s {x}",
        "v={x}; printf %s \"$v\"",
    };
    static const char *const values[] = {
        "plain",      "two words",      "$(echo run)",
        "`echo run`", "it's; echo run", "\"; echo run; \"",
        "$HOME *",    "a\nprintf run",  "\\",
        "-",
    };
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++)
        for (size_t j = 0; j < sizeof values / sizeof values[0]; j++) {
            char *text = said(bodies[i], values[j]);
            if (strcmp(text, values[j]) != 0)
                fail_msg("%s with %s says %s", bodies[i], values[j], text);
            free(text);
        }
}

/* Where the reading of the template goes wrong, a value may fall into words, but it is never run. */
static void test_a_misread_template_runs_nothing(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "cat <<END\n{x}\nEND\n",
        "cat <<END\n\"{x}\"\nEND\n",
        "cat <<END\nit's {x}\nEND\n",
        "case a in a) printf %s \"{x}\";; esac",
        "printf %s \"$(case a in a) printf %s \"{x}\";; esac)\"",
        "printf %s \"${v:-{x}}\"",
    };
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        char *text = said(bodies[i], "$(expr 40 + 2)`expr 40 + 2`");
        if (strstr(text, "42") != NULL)
            fail_msg("%s says %s", bodies[i], text);
        free(text);
    }
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
        cmocka_unit_test(test_no_value_is_run_and_each_arrives),
        cmocka_unit_test(test_a_misread_template_runs_nothing),
        cmocka_unit_test(test_missing_and_mistyped_arguments_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

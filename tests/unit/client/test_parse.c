#include "tests/unit/check.h"

#include "client/command/parse.h"

static const struct ff_command_option options[] = {
    {"follow", 'f', NULL, "go on"},  {"quiet", 'q', NULL, "say nothing"},
    {"lines", 'n', "N", "how many"}, {"set", '\0', "KEY=VALUE", "a setting"},
    {NULL, '\0', NULL, NULL},
};

static const struct ff_command command = {
    .group = "task", .name = "logs", .operands = "TASK", .least = 1, .most = 1, .options = options};

static int parse(const char *const *words, struct ff_invocation *invocation, struct ff_error *error)
{
    int count = 0;
    while (words[count] != NULL)
        count++;
    return ff_parse(&command, count, (char *const *)words, invocation, error);
}

static void test_every_way_to_give_options(void **state)
{
    (void)state;
    const char *const ways[][6] = {
        {"-f", "--lines", "5", "T", "--json", NULL},
        {"T", "--follow", "--lines=5", "--json", NULL},
        {"-fn5", "--json", "T", NULL},
        {"--json", "-fqn", "5", "T", NULL},
        {"--json", "-f", "-n5", "--", "T", NULL},
    };
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        struct ff_invocation invocation;
        struct ff_error error;
        int64_t lines = 0;
        assert_ok(parse(ways[i], &invocation, &error), error);
        assert_true(invocation.json);
        assert_true(ff_given(&invocation, "follow"));
        assert_ok(ff_given_integer(&invocation, "lines", 0, 10, 50, &lines, &error), error);
        assert_int_equal(lines, 5);
        assert_int_equal(invocation.operand_count, 1);
        assert_string_equal(invocation.operands[0], "T");
        ff_invocation_dispose(&invocation);
    }
}

static void test_behind_two_hyphens_stand_operands(void **state)
{
    (void)state;
    const char *const words[] = {"--", "-f", NULL};
    struct ff_invocation invocation;
    struct ff_error error;
    assert_ok(parse(words, &invocation, &error), error);
    assert_false(ff_given(&invocation, "follow"));
    assert_string_equal(invocation.operands[0], "-f");
    ff_invocation_dispose(&invocation);
}

static void test_the_last_one_wins_and_all_are_kept(void **state)
{
    (void)state;
    const char *const words[] = {"--set", "a=1", "T", "--set=b=2", NULL};
    struct ff_invocation invocation;
    struct ff_error error;
    assert_ok(parse(words, &invocation, &error), error);
    assert_string_equal(ff_given_text(&invocation, "set"), "b=2");
    assert_int_equal(invocation.given_count, 2);
    assert_string_equal(invocation.given[0].value, "a=1");
    ff_invocation_dispose(&invocation);
}

static void refuses(const char *const *words, const char *message, const char *hint)
{
    struct ff_invocation invocation;
    struct ff_error error;
    assert_int_equal(parse(words, &invocation, &error), -1);
    assert_int_equal(error.code, FF_INVALID_ARGUMENT);
    if (strstr(error.message, message) == NULL)
        fail_msg("'%s' is not in: %s", message, error.message);
    if (strstr(error.hint, hint) == NULL)
        fail_msg("'%s' is not in: %s", hint, error.hint);
    ff_invocation_dispose(&invocation);
}

static void test_wrong_use_is_refused_with_what_is_right(void **state)
{
    (void)state;
    refuses((const char *const[]){"T", "--folow", NULL}, "--folow", "--follow");
    refuses((const char *const[]){"T", "--wavelength", NULL}, "--wavelength", "--help");
    refuses((const char *const[]){"T", "-x", NULL}, "-x", "--help");
    refuses((const char *const[]){"T", "--lines", NULL}, "--lines N", "--help");
    refuses((const char *const[]){"T", "-n", NULL}, "-n N", "--help");
    refuses((const char *const[]){"T", "--follow=yes", NULL}, "takes no value", "--help");
    refuses((const char *const[]){NULL}, "needs TASK", "--help");
    refuses((const char *const[]){"T", "U", NULL}, "what is 'U'", "--help");
}

static void test_help_needs_nothing_else(void **state)
{
    (void)state;
    const char *const words[] = {"--help", NULL};
    struct ff_invocation invocation;
    struct ff_error error;
    assert_ok(parse(words, &invocation, &error), error);
    assert_true(invocation.help);
    ff_invocation_dispose(&invocation);
}

static void test_numbers_and_times(void **state)
{
    (void)state;
    const char *const words[] = {"T", "--lines", "11", NULL};
    struct ff_invocation invocation;
    struct ff_error error;
    int64_t lines = 7;
    assert_ok(parse(words, &invocation, &error), error);
    assert_int_equal(ff_given_integer(&invocation, "lines", 0, 10, 50, &lines, &error), -1);
    assert_non_null(strstr(error.message, "0…10"));
    assert_int_equal(lines, 7);
    ff_invocation_dispose(&invocation);
    double seconds = 0;
    assert_int_equal(ff_parse_seconds("90", &seconds), 0);
    assert_true(seconds == 90);
    assert_int_equal(ff_parse_seconds("1.5h", &seconds), 0);
    assert_true(seconds == 5400);
    const char *const bad[] = {"", "h", "-1", "0", "5x", "nan", "1e300d", "5 m"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(ff_parse_seconds(bad[i], &seconds), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_way_to_give_options),
        cmocka_unit_test(test_behind_two_hyphens_stand_operands),
        cmocka_unit_test(test_the_last_one_wins_and_all_are_kept),
        cmocka_unit_test(test_wrong_use_is_refused_with_what_is_right),
        cmocka_unit_test(test_help_needs_nothing_else),
        cmocka_unit_test(test_numbers_and_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tests/unit/check.h"

#include "client/command/help.h"
#include "client/command/output.h"
#include "client/command/parse.h"
#include "client/command/value_view.h"
#include "protocol/core/json_text.h"

/* What a printing function wrote; the caller frees. */
static char *printed_table(const struct ff_table *table)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    assert_non_null(stream);
    ff_table_print(table, stream);
    fclose(stream);
    return text;
}

static void test_columns_are_as_wide_as_their_widest_cell(void **state)
{
    (void)state;
    struct ff_error error;
    static const char *const titles[] = {"NAME", "SIZE", "ID"};
    struct ff_table *table = ff_table_create(titles, 3, &error);
    assert_non_null(table);
    assert_ok(ff_table_add(table, (const char *const[]){"échelle", NULL, "x"}, &error), error);
    assert_ok(ff_table_add(table, (const char *const[]){"a", "4.1 MB", ""}, &error), error);
    char *text = printed_table(table);
    assert_string_equal(text, "NAME     SIZE    ID\n"
                              "échelle  -       x\n"
                              "a        4.1 MB  -\n");
    free(text);
    ff_table_destroy(table);
}

static void test_a_table_grows(void **state)
{
    (void)state;
    struct ff_error error;
    static const char *const titles[] = {"N"};
    struct ff_table *table = ff_table_create(titles, 1, &error);
    for (int i = 0; i < 100; i++) {
        char cell[16];
        snprintf(cell, sizeof cell, "%d", i);
        assert_ok(ff_table_add(table, (const char *const[]){cell}, &error), error);
    }
    char *text = printed_table(table);
    assert_non_null(strstr(text, "\n99\n"));
    free(text);
    ff_table_destroy(table);
}

static void test_the_bar(void **state)
{
    (void)state;
    char text[64];
    ff_progress_bar(0.5, 4, text, sizeof text);
    assert_string_equal(text, "━━──");
    ff_progress_bar(-3, 2, text, sizeof text);
    assert_string_equal(text, "──");
    ff_progress_bar(9, 2, text, sizeof text);
    assert_string_equal(text, "━━");
    char small[8];
    ff_progress_bar(1, 50, small, sizeof small);
    assert_true(strlen(small) < sizeof small);
}

static void test_short_times(void **state)
{
    (void)state;
    char text[FF_SHORT_TIME_SIZE];
    ff_output_time("2026-11-24T15:42:07.123456Z", text);
    assert_string_equal(text, "2026-11-24 15:42:07Z");
    ff_output_time(NULL, text);
    assert_string_equal(text, "-");
    ff_output_time("soon", text);
    assert_string_equal(text, "-");
}

static void prints(const char *json, bool indented, const char *wanted)
{
    json_t *value = json_loads(json, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    assert_non_null(value);
    assert_int_equal(ff_json_print(value, indented, stream), 0);
    fclose(stream);
    assert_string_equal(text, wanted);
    json_t *back = json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    assert_true(json_equal(back, value));
    json_decref(back);
    json_decref(value);
    free(text);
}

static void test_json_has_the_digits_that_it_needs(void **state)
{
    (void)state;
    prints("[0.1,1e300,0.30000000000000004,2.0,-3,1e16,5e-324]", false,
           "[0.1,1e+300,0.30000000000000004,2.0,-3,1e+16,4.94065645841247e-324]");
    prints("{\"a\":[],\"b\":{},\"c\":[null,true,\"\\u0000\\n\u00fc\"]}", false,
           "{\"a\":[],\"b\":{},\"c\":[null,true,\"\\u0000\\n\u00fc\"]}");
    prints("{\"a\":[1,{\"b\":2}]}", true,
           "{\n  \"a\": [\n    1,\n    {\n      \"b\": 2\n    }\n  ]\n}");
    prints("7", true, "7");
}

static void shows(const char *json, int columns, const char *wanted)
{
    json_t *value = json_loads(json, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    char *text = NULL;
    size_t size = 0;
    struct ff_error error;
    FILE *stream = open_memstream(&text, &size);
    assert_non_null(value);
    assert_ok(ff_value_show(stream, value, columns, &error), error);
    fclose(stream);
    assert_string_equal(text, wanted);
    json_decref(value);
    free(text);
}

static void test_values_for_a_person(void **state)
{
    (void)state;
    shows("{\"hello\":\"world\"}", 17, "{\"hello\":\"world\"}\n");
    shows("{\"hello\":\"world\"}", 16, "hello  world\n");
    shows("{\"pictures\":[\"a.png\",\"b.png\"],\"cost\":0.23741948784849145,\"n\":16036800,"
          "\"px\":[249,257],\"none\":[],\"times\":{\"read_s\":0.5,\"deep\":{\"x\":0.25}},\"rows\":["
          "[1],[2]]}",
          20,
          "pictures  a.png\n"
          "          b.png\n"
          "cost      0.237419\n"
          "n         16036800\n"
          "px        249, 257\n"
          "none      []\n"
          "times\n"
          "  read_s  0.5\n"
          "  deep    {\"x\":0.25}\n"
          "rows      [[1],[2]]\n");
    shows("[1,2]", 4, "[\n  1,\n  2\n]\n");
    shows("null", 20, "null\n");
    shows("{}", 1, "");
}

/* Every verb has what its help needs, and no two options of one are alike. */
static void test_every_row_of_the_verbs_is_whole(void **state)
{
    (void)state;
    for (size_t i = 0; ff_commands[i] != NULL; i++)
        for (const struct ff_command *command = ff_commands[i]; command->name != NULL; command++) {
            assert_non_null(command->summary);
            assert_non_null(command->operands);
            assert_non_null(command->examples);
            assert_non_null(command->run);
            assert_true(command->least <= command->most);
            const struct ff_command_option *option = command->options;
            for (; option != NULL && option->name != NULL; option++)
                for (const struct ff_command_option *other = command->options; other != option;
                     other++) {
                    assert_string_not_equal(option->name, other->name);
                    assert_true(option->letter == '\0' || option->letter != other->letter);
                }
        }
}

static void test_help_names_every_option(void **state)
{
    (void)state;
    for (size_t i = 0; ff_commands[i] != NULL; i++)
        for (const struct ff_command *command = ff_commands[i]; command->name != NULL; command++) {
            char *text = NULL;
            size_t size = 0;
            FILE *stream = open_memstream(&text, &size);
            ff_help_command(stream, command);
            fclose(stream);
            char title[64];
            ff_command_title(command, title, sizeof title);
            assert_non_null(strstr(text, title));
            const struct ff_command_option *option = command->options;
            for (; option != NULL && option->name != NULL; option++)
                assert_non_null(strstr(text, option->name));
            free(text);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_columns_are_as_wide_as_their_widest_cell),
        cmocka_unit_test(test_a_table_grows),
        cmocka_unit_test(test_the_bar),
        cmocka_unit_test(test_short_times),
        cmocka_unit_test(test_json_has_the_digits_that_it_needs),
        cmocka_unit_test(test_values_for_a_person),
        cmocka_unit_test(test_every_row_of_the_verbs_is_whole),
        cmocka_unit_test(test_help_names_every_option),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tests/unit/check.h"

#include "client/command/arguments.h"
#include "protocol/core/file.h"

static void resolved(const char *folder, const char *before, const char *after)
{
    struct ff_error error;
    json_t *arguments = NULL;
    assert_ok(ff_arguments_read(before, &arguments, &error), error);
    assert_ok(ff_arguments_resolve(arguments, folder, &error), error);
    json_t *wanted = json_loads(after, JSON_DECODE_ANY, NULL);
    assert_non_null(wanted);
    if (!json_equal(arguments, wanted)) {
        char *text = json_dumps(arguments, JSON_ENCODE_ANY);
        fail_msg("%s became %s", before, text);
    }
    json_decref(wanted);
    json_decref(arguments);
}

static void test_paths_become_absolute(void **state)
{
    (void)state;
    resolved("/data", "{\"input\": \"scan.cxi\", \"output\": \"./out.h5\"}",
             "{\"input\": \"/data/scan.cxi\", \"output\": \"/data/out.h5\"}");
    resolved("/data", "{\"initial_probe\": \"../p.h5\", \"any\": \"./x\"}",
             "{\"initial_probe\": \"/data/../p.h5\", \"any\": \"/data/x\"}");
    resolved("/", "{\"input\": \"scan.cxi\"}", "{\"input\": \"/scan.cxi\"}");
}

static void test_what_is_no_relative_path_stays(void **state)
{
    (void)state;
    const char *const same[] = {
        "{\"input\": \"/abs.cxi\", \"output\": \"\"}",
        "{\"input\": \"s3://bucket/scan.cxi\"}",
        "{\"input\": 5, \"name\": \"input\", \"algorithm\": \"rpie\"}",
        "{\"deep\": {\"input\": \"scan.cxi\"}}",
        "{\"resume\": \"auto\", \"mask\": \"none\"}",
        "[\"input\", \"./x\"]",
        "\"./x\"",
        "null",
    };
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++)
        resolved("/nowhere/at/all", same[i], same[i]);
}

static void test_a_word_that_names_a_file_is_a_path(void **state)
{
    (void)state;
    char *folder = make_folder();
    struct ff_error error;
    char *path = ff_path_join(folder, "mask.h5");
    assert_ok(ff_file_write(path, ff_span_of("x"), 0600, &error), error);
    char after[4200];
    snprintf(after, sizeof after, "{\"mask\": \"%s\", \"resume\": \"never\"}", path);
    resolved(folder, "{\"mask\": \"mask.h5\", \"resume\": \"never\"}", after);
    free(path);
    assert_ok(ff_folder_remove(folder, &error), error);
    free(folder);
}

static void misses(const char *folder, const char *given, const char *wanted)
{
    struct ff_error error;
    json_t *arguments = NULL;
    assert_ok(ff_arguments_read(given, &arguments, &error), error);
    const char *missed = ff_arguments_missed_path(arguments, folder);
    if (wanted == NULL)
        assert_null(missed);
    else
        assert_string_equal(missed, wanted);
    json_decref(arguments);
}

static void test_a_file_given_as_a_word_is_noticed(void **state)
{
    (void)state;
    char *folder = make_folder();
    struct ff_error error;
    char *path = ff_path_join(folder, "scan.cxi");
    assert_ok(ff_file_write(path, ff_span_of("x"), 0600, &error), error);
    misses(folder, "{\"n\": 1, \"word\": \"none\", \"file\": \"scan.cxi\"}", "scan.cxi");
    misses(folder, "{\"input\": \"scan.cxi\", \"file\": \"./scan.cxi\", \"empty\": \"\"}", NULL);
    misses(folder, "[\"scan.cxi\"]", NULL);
    free(path);
    assert_ok(ff_folder_remove(folder, &error), error);
    free(folder);
}

static void test_a_file_holds_the_arguments(void **state)
{
    (void)state;
    char *folder = make_folder();
    struct ff_error error;
    char *path = ff_path_join(folder, "a.json");
    assert_ok(ff_file_write(path, ff_span_of("{\n\"epochs\": 3\n}\n"), 0600, &error), error);
    char given[4200];
    snprintf(given, sizeof given, "@%s", path);
    resolved("/", given, "{\"epochs\": 3}");
    resolved("/", NULL, "{}");
    assert_ok(ff_file_write(path, ff_span_of("{\n\"epochs\": }\n"), 0600, &error), error);
    json_t *arguments = NULL;
    assert_int_equal(ff_arguments_read(given, &arguments, &error), -1);
    assert_int_equal(error.code, FF_INVALID_JSON);
    assert_non_null(strstr(error.message, "line 2"));
    assert_non_null(strstr(error.message, path));
    free(path);
    assert_ok(ff_folder_remove(folder, &error), error);
    free(folder);
}

static void test_bad_arguments_are_refused(void **state)
{
    (void)state;
    const char *const bad[] = {"", "{", "{x}", "{\"a\":1} {}", "\xff", "hello"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct ff_error error;
        json_t *arguments = NULL;
        assert_int_equal(ff_arguments_read(bad[i], &arguments, &error), -1);
        assert_int_equal(error.code, FF_INVALID_JSON);
        assert_null(arguments);
    }
    struct ff_error error;
    json_t *arguments = NULL;
    assert_int_equal(ff_arguments_read("@/nowhere/at/all.json", &arguments, &error), -1);
    assert_int_equal(error.code, FF_INPUT_MISSING);
    assert_non_null(strstr(error.message, "/nowhere/at/all.json"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths_become_absolute),
        cmocka_unit_test(test_what_is_no_relative_path_stays),
        cmocka_unit_test(test_a_word_that_names_a_file_is_a_path),
        cmocka_unit_test(test_a_file_given_as_a_word_is_noticed),
        cmocka_unit_test(test_a_file_holds_the_arguments),
        cmocka_unit_test(test_bad_arguments_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tests/unit/check.h"

#include "protocol/core/file.h"
#include "protocol/core/yaml.h"

static int collect(void *user, const char *key, const char *value, int line, struct ff_error *error)
{
    (void)error;
    ff_buffer_printf(user, "%d %s=%s;", line, key, value);
    return 0;
}

static int read_text(const char *text, struct ff_buffer *pairs, struct ff_error *error)
{
    char *folder = make_folder();
    char *path = ff_path_join(folder, "config.yaml");
    assert_ok(ff_file_write(path, ff_span_of(text), 0600, error), *error);
    ff_buffer_clear(pairs);
    int result = ff_yaml_read(path, collect, pairs, error);
    struct ff_error ignored;
    assert_int_equal(ff_folder_remove(folder, &ignored), 0);
    free(path);
    free(folder);
    return result;
}

static void test_pairs(void **state)
{
    (void)state;
    struct ff_buffer pairs;
    struct ff_error error;
    ff_buffer_init(&pairs, 4096);
    assert_ok(read_text("# note\nservice:\n  url: https://h:1\n  ports: [1, 2]\nretries: 2\n"
                        "quoted: \"a: b\"\nempty:\n",
                        &pairs, &error),
              error);
    assert_string_equal(ff_buffer_text(&pairs), "3 service.url=https://h:1;4 service.ports=1;"
                                                "4 service.ports=2;5 retries=2;6 quoted=a: b;"
                                                "7 empty=;");
    assert_ok(read_text("# nothing\n", &pairs, &error), error);
    assert_string_equal(ff_buffer_text(&pairs), "");
    ff_buffer_dispose(&pairs);
}

static void test_refusals_name_the_line(void **state)
{
    (void)state;
    const char *const bad[] = {"just text\n",      "a:\n  b:\n    c: 1\n",
                               "a: &x 1\nb: *x\n", "a: [1, [2]]\n",
                               "a: {b\n",          "- 1\n",
                               "\tx: 1\n"};
    struct ff_buffer pairs;
    struct ff_error error;
    ff_buffer_init(&pairs, 4096);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(read_text(bad[i], &pairs, &error), -1);
        assert_non_null(strstr(error.message, "config.yaml, line "));
    }
    ff_buffer_dispose(&pairs);
}

static void test_quoted_text_reads_back(void **state)
{
    (void)state;
    struct ff_buffer text;
    struct ff_buffer pairs;
    struct ff_error error;
    ff_buffer_init(&text, 4096);
    ff_buffer_init(&pairs, 4096);
    ff_buffer_append_text(&text, "path: ");
    ff_yaml_quote(&text, "/a \"b\"\\c: #d");
    ff_buffer_append_text(&text, "\n");
    assert_ok(read_text(ff_buffer_text(&text), &pairs, &error), error);
    assert_string_equal(ff_buffer_text(&pairs), "1 path=/a \"b\"\\c: #d;");
    ff_buffer_dispose(&text);
    ff_buffer_dispose(&pairs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_refusals_name_the_line),
        cmocka_unit_test(test_quoted_text_reads_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tests/unit/check.h"

#include "protocol/core/file.h"
#include "protocol/limits.h"
#include "service/config.h"

static char *folder;
static char *path;

static int set_up(void **state)
{
    (void)state;
    folder = make_folder();
    path = ff_path_join(folder, "config.yaml");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(path);
    int result = ff_folder_remove(folder, NULL);
    free(folder);
    return result;
}

static void write_config(const char *text)
{
    struct ff_error error;
    assert_ok(ff_file_write(path, ff_span_of(text), 0600, &error), error);
}

static void refuses(const char *text, enum ff_error_code code, const char *words)
{
    struct ff_config config;
    struct ff_config before;
    struct ff_error error;
    ff_config_defaults(&config);
    before = config;
    write_config(text);
    assert_int_equal(ff_config_read(path, &config, &error), -1);
    assert_int_equal(error.code, code);
    if (strstr(error.message, words) == NULL && strstr(error.hint, words) == NULL)
        fail_msg("\"%s\" (%s) does not say \"%s\"", error.message, error.hint, words);
    assert_memory_equal(&config, &before, sizeof config);
}

static void test_the_file_of_the_first_start_is_the_defaults(void **state)
{
    (void)state;
    struct ff_config config;
    struct ff_config defaults;
    struct ff_error error;
    char *text = NULL;
    size_t size;
    assert_ok(ff_config_make(path, &error), error);
    ff_config_defaults(&config);
    defaults = config;
    assert_ok(ff_config_read(path, &config, &error), error);
    assert_memory_equal(&config, &defaults, sizeof config);
    assert_int_equal(config.max_retries, FF_MAX_RETRIES);
    /* Its commented lines are settings: each can be taken into use. */
    assert_ok(ff_file_read(path, 65536, &text, &size, &error), error);
    for (char *at = text; (at = strchr(at, '#')) != NULL; at++)
        if (at[1] != ' ')
            *at = ' ';
    for (char *at = text; (at = strstr(at, "\n ")) != NULL;)
        memmove(at + 1, at + 2, strlen(at + 2) + 1);
    write_config(text);
    assert_ok(ff_config_read(path, &config, &error), error);
    assert_memory_equal(&config, &defaults, sizeof config);
    free(text);
}

static void test_an_existing_file_is_left_alone(void **state)
{
    (void)state;
    struct ff_config config;
    struct ff_error error;
    write_config("max_retries: 7\nhost: 0.0.0.0\nhttps_port: 8443\n");
    assert_ok(ff_config_make(path, &error), error);
    ff_config_defaults(&config);
    assert_ok(ff_config_read(path, &config, &error), error);
    assert_int_equal(config.max_retries, 7);
    assert_int_equal(config.https_port, 8443);
    assert_string_equal(config.host, "0.0.0.0");
    assert_int_equal(config.result_days, FF_RESULT_DAYS);
}

static void test_mistakes_are_named(void **state)
{
    (void)state;
    refuses("max_retires: 1\n", FF_UNKNOWN_SETTING, "max_retries");
    refuses("\nhttps_port: many\n", FF_INVALID_SETTING, "line 2");
    refuses("https_port: 70000\n", FF_INVALID_SETTING, "65535");
    refuses("host: \"\"\n", FF_INVALID_SETTING, "host");
    refuses("heartbeat_ms: 5000\nlost_ms: 6000\n", FF_INVALID_SETTING, "lost_ms");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_the_file_of_the_first_start_is_the_defaults, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_an_existing_file_is_left_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_mistakes_are_named, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

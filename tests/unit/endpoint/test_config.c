#include "tests/unit/check.h"

#include "endpoint/config.h"
#include "protocol/core/file.h"

static int read_text(struct ff_config *config, const char *text, struct ff_error *error)
{
    char *folder = make_folder();
    char *path = ff_path_join(folder, "config.yaml");
    struct ff_error ignored;
    assert_ok(ff_file_write(path, ff_span_of(text), 0600, &ignored), ignored);
    int result = ff_config_read(config, path, error);
    assert_ok(ff_folder_remove(folder, &ignored), ignored);
    free(path);
    free(folder);
    return result;
}

static void test_defaults_and_values(void **state)
{
    (void)state;
    struct ff_config config;
    struct ff_error error;
    assert_ok(read_text(&config, "slots: 3\ngpu_registry: /dev/shm/%n\n", &error), error);
    assert_int_equal(config.slots, 3);
    assert_int_equal(ff_config_slots(&config), 3);
    assert_string_equal(config.gpu_registry, "/dev/shm/%n");
    assert_string_equal(config.provider, "local");
    assert_int_equal(config.drain_limit_ms, FF_DRAIN_LIMIT_MS);
    assert_int_equal(config.init_blocks, 1);
    assert_ok(read_text(&config, "# nothing\n", &error), error);
    assert_int_equal(ff_config_slots(&config), ff_config_cores());
}

static void test_mistakes_are_named(void **state)
{
    (void)state;
    struct ff_config config = {.slots = 77};
    struct ff_error error;
    assert_int_equal(read_text(&config, "slots: 1\nslotz: 3\n", &error), -1);
    assert_int_equal(error.code, FF_UNKNOWN_SETTING);
    assert_non_null(strstr(error.message, "line 2"));
    assert_non_null(strstr(error.hint, "\"slots\""));
    assert_int_equal(read_text(&config, "slots: many\n", &error), -1);
    assert_int_equal(error.code, FF_INVALID_SETTING);
    assert_non_null(strstr(error.message, "4096"));
    assert_int_equal(read_text(&config, "slots: -1\n", &error), -1);
    assert_int_equal(read_text(&config, "provider: cloud\n", &error), -1);
    assert_non_null(strstr(error.message, "local"));
    assert_int_equal(read_text(&config, "agent_host: \"\"\n", &error), -1);
    assert_int_equal(config.slots, 77); /* untouched by failure */
}

static void test_what_is_written_reads_back(void **state)
{
    (void)state;
    struct ff_config config;
    struct ff_config again;
    struct ff_error error;
    struct ff_buffer buffer;
    ff_config_defaults(&config);
    assert_ok(ff_config_set(&config, "slots", "5", &error), error);
    assert_ok(ff_config_set(&config, "gpu_registry", "/tmp/a \"b\"\\c", &error), error);
    ff_buffer_init(&buffer, 65536);
    ff_config_write(&config, &buffer);
    assert_ok(read_text(&again, ff_buffer_text(&buffer), &error), error);
    assert_memory_equal(&config, &again, sizeof config);
    /* Every key is shown, so that nobody has to look it up. */
    assert_non_null(strstr(ff_buffer_text(&buffer), "# drain_limit_ms: 30000"));
    ff_buffer_dispose(&buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults_and_values),
        cmocka_unit_test(test_mistakes_are_named),
        cmocka_unit_test(test_what_is_written_reads_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

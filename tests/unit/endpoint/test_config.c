#include "tests/unit/check.h"

#include "endpoint/config.h"
#include "endpoint/walltime.h"
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

static void test_what_a_site_needs(void **state)
{
    (void)state;
    struct ff_config config;
    struct ff_error error;
    assert_ok(read_text(&config,
                        "provider: slurm\nwalltime: 2:00:00\nexclusive: yes\naccount: \"\"\n"
                        "modules: [gcc, cuda/12]\nworker_init: |\n  ulimit -n 4096\n  date\n"
                        "nodes_per_block: 4\nscheduler_options: \"--nice=5\"\n",
                        &error),
              error);
    assert_int_equal(config.walltime, 7200);
    assert_int_equal(config.exclusive, 1);
    assert_string_equal(config.modules, "gcc\ncuda/12");
    assert_string_equal(config.worker_init, "ulimit -n 4096\ndate\n");
    assert_string_equal(config.scheduler_options, "--nice=5");
    assert_int_equal(read_text(&config, "exclusive: maybe\n", &error), -1);
    assert_non_null(strstr(error.message, "true or false"));
    assert_int_equal(read_text(&config, "partition: \"a\\nb\"\n", &error), -1);
    assert_non_null(strstr(error.message, "control character"));
    assert_int_equal(read_text(&config, "provider: slrum\n", &error), -1);
    assert_non_null(strstr(error.hint, "slurm"));
    assert_int_equal(read_text(&config, "provider: slurm\npartiton: gpu\n", &error), -1);
    assert_non_null(strstr(error.hint, "\"partition\""));
}

static void test_values_that_do_not_go_together(void **state)
{
    (void)state;
    struct ff_config config;
    struct ff_error error;
    assert_int_equal(read_text(&config, "nodes_per_block: 2\n", &error), -1);
    assert_non_null(strstr(error.message, "provider: local"));
    assert_int_equal(
        read_text(&config, "provider: slurm\nlauncher: none\nnodes_per_block: 2\n", &error), -1);
    assert_non_null(strstr(error.message, "launcher: none"));
    assert_int_equal(read_text(&config, "min_blocks: 3\nmax_blocks: 2\n", &error), -1);
    assert_non_null(strstr(error.message, "max_blocks"));
}

static void test_walltimes(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t seconds; /* -1: refused */
    } cases[] = {
        {"90s", 90},          {"30m", 1800},      {"2h", 7200},
        {"1d12h", 129600},    {"2:00:00", 7200},  {"1-12:00:00", 129600},
        {"0:00:05", 5},       {"0", 0},           {"", -1},
        {"30", -1},           {"2:00", -1},       {"1h1d", -1},
        {"1h2h", -1},         {"h", -1},          {"1x", -1},
        {"1:60:00", -1},      {"1:00:00:00", -1}, {"-1h", -1},
        {"99999999999s", -1}, {"1:00:00 ", -1},
    };
    char text[FF_WALLTIME_SIZE];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t seconds = -1;
        int result = ff_walltime_read(cases[i].text, &seconds);
        if ((result == 0) != (cases[i].seconds >= 0) || seconds != cases[i].seconds)
            fail_msg("\"%s\" is read as %lld", cases[i].text, (long long)seconds);
        if (result < 0)
            continue;
        ff_walltime_text(seconds, text);
        assert_int_equal(ff_walltime_read(text, &seconds), 0);
        assert_int_equal(seconds, cases[i].seconds);
    }
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
    assert_ok(ff_config_set(&config, "provider", "slurm", &error), error);
    assert_ok(ff_config_set(&config, "walltime", "90m", &error), error);
    assert_ok(ff_config_set(&config, "exclusive", "true", &error), error);
    assert_ok(ff_config_set(&config, "worker_init", "echo \"a\"", &error), error);
    assert_ok(ff_config_set(&config, "worker_init", "\tdate", &error), error);
    ff_buffer_init(&buffer, 65536);
    ff_config_write(&config, "one: why\ntwo: #", &buffer);
    assert_ok(read_text(&again, ff_buffer_text(&buffer), &error), error);
    assert_memory_equal(&config, &again, sizeof config);
    /* Every key is shown, so that nobody has to look it up. */
    assert_non_null(strstr(ff_buffer_text(&buffer), "# drain_limit_ms: 30000"));
    assert_non_null(strstr(ff_buffer_text(&buffer), "\n#   one: why\n#   two: #\n"));
    ff_buffer_dispose(&buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults_and_values),
        cmocka_unit_test(test_mistakes_are_named),
        cmocka_unit_test(test_what_a_site_needs),
        cmocka_unit_test(test_values_that_do_not_go_together),
        cmocka_unit_test(test_walltimes),
        cmocka_unit_test(test_what_is_written_reads_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What Cobalt is asked, and how its answers read. */
#include "tests/unit/check.h"
#include "tests/unit/endpoint/providers/answers.h"

static const struct ff_scheduler *const cobalt = &ff_scheduler_cobalt;
static const char *const command[] = {"/opt/farfield-manager", "/e", "1a2b3c4d", NULL};
static const struct ff_job_order one = {"ff-01020304-1a2b3c4d", "/b/1a2b3c4d", "/h", command, 1};

static void set(struct ff_config *config, const char *key, const char *value)
{
    struct ff_error error;
    assert_ok(ff_config_set(config, key, value, &error), error);
}

static void test_submit(void **state)
{
    (void)state;
    struct ff_config config;
    struct ff_words words = {0};
    struct ff_job_order many = one;
    many.nodes = 8;
    ff_config_defaults(&config);
    set(&config, "walltime", "90m");
    set(&config, "partition", "full-node");
    set(&config, "account", "aps");
    cobalt->submit(&many, &config, "/b/script", &words);
    char *line = join_words(&words);
    assert_string_equal(line, "qsub -n 8 -t 90 -q full-node -A aps --jobname ff-01020304-1a2b3c4d "
                              "-O /b/1a2b3c4d/cobalt --cwd /h --mode script /b/script");
    free(line);
    ff_words_dispose(&words);
}

static void test_the_script(void **state)
{
    (void)state;
    struct ff_config config;
    struct ff_buffer buffer;
    struct ff_job_order many = one;
    many.nodes = 2;
    ff_config_defaults(&config);
    set(&config, "walltime", "1h");
    set(&config, "scheduler_options", "--attrs filesystems=theta-fs0");
    ff_buffer_init(&buffer, 65536);
    ff_scheduler_script(cobalt, &many, &config, &buffer);
    const char *text = ff_buffer_text(&buffer);
    assert_contains(text, "\n#COBALT --attrs filesystems=theta-fs0\n");
    assert_contains(text, "\nexec >>'/b/1a2b3c4d'/log 2>&1\n");
    assert_contains(text, "\nFARFIELD_BLOCK_ENDS=${COBALT_ENDTIME:-$(($(date +%s) + 3600))}\n");
    assert_contains(text, "\nexec mpirun --hostfile \"$COBALT_NODEFILE\" -n $FARFIELD_NODES -N 1 "
                          "'/opt/farfield-manager' '/e' '1a2b3c4d'\n");
    ff_buffer_dispose(&buffer);
}

static void test_settings(void **state)
{
    (void)state;
    struct ff_config config;
    struct ff_error error;
    ff_config_defaults(&config);
    set(&config, "provider", "cobalt");
    assert_int_equal(ff_config_check(&config, &error), -1);
    assert_contains(error.message, "walltime");
    set(&config, "walltime", "1h");
    assert_ok(ff_config_check(&config, &error), error);
    set(&config, "qos", "live");
    assert_int_equal(ff_config_check(&config, &error), -1);
    assert_contains(error.message, "qos");
}

static void test_ids(void **state)
{
    (void)state;
    static const char *const bad[] = {"",      "\n",      "Job routed to queue \"full-node\".\n",
                                      "a12\n", "12 13\n", "123456789012345678901\n"};
    char id[FF_JOB_ID_SIZE];
    struct ff_error error;
    assert_ok(cobalt->read_id("10014453\n", id, &error), error);
    assert_string_equal(id, "10014453");
    assert_ok(cobalt->read_id("Job routed to queue \"full-node\".\n10014454\n\n", id, &error),
              error);
    assert_string_equal(id, "10014454");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (cobalt->read_id(bad[i], id, &error) != -1)
            fail_msg("taken for an id: \"%s\"", bad[i]);
}

static int read_rows(int status, const char *out, const char *said, struct ff_job_rows *rows,
                     struct ff_error *error)
{
    return read_rows_of(cobalt, status, out, said, rows, error);
}

static void test_answers(void **state)
{
    (void)state;
    struct ff_job_rows rows;
    struct ff_error error;
    assert_ok(read_rows(0,
                        "JobID     State    JobName               \n"
                        "=========================================\n"
                        "10014453  queued   ff-1-a                \n"
                        "10014454  running  ff-1-b                \n"
                        "10014455  killing  ff-1-c                \n"
                        "10014456  maxrun_hold  somebody's        \n"
                        "10014457  dancing  somebody's        \n",
                        "", &rows, &error),
              error);
    assert_int_equal(rows.count, 5);
    assert_true(rows.items[4].unclear);
    assert_string_equal(rows.items[0].id, "10014453");
    assert_string_equal(rows.items[0].name, "ff-1-a");
    assert_int_equal(rows.items[0].state, FF_BLOCK_PENDING);
    assert_int_equal(rows.items[1].state, FF_BLOCK_RUNNING);
    assert_int_equal(rows.items[2].state, FF_BLOCK_RUNNING); /* it still is */
    assert_string_equal(rows.items[3].why, "you have as many jobs as you may");
    ff_job_rows_dispose(&rows);
    assert_ok(read_rows(0, "", "", &rows, &error), error);
    assert_int_equal(rows.count, 0);
}

static void test_what_is_no_answer(void **state)
{
    (void)state;
    static const struct no_answer bad[] = {
        {1, "", "qstat: connection to queue-manager component failed\n"},
        {0, "", "Failed to connect to queue-manager\n"},
        {0, "10014453 running", ""},
        {0, "10014453 running\n", ""},
        {0, "10014453 DANCING ff-1-a\n", ""},
        {0, "Traceback (most recent call last):\n", ""},
        {0, "x12 running ff-1-a\n", ""},
        {-1, "", ""},
    };
    assert_no_answers(cobalt, bad, sizeof bad / sizeof bad[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_submit),   cmocka_unit_test(test_the_script),
        cmocka_unit_test(test_settings), cmocka_unit_test(test_ids),
        cmocka_unit_test(test_answers),  cmocka_unit_test(test_what_is_no_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

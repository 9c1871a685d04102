/* What Slurm is asked, and how its answers read: real ones, damaged ones, and nonsense. */
#include "tests/unit/check.h"
#include "tests/unit/endpoint/providers/answers.h"

#include "endpoint/providers/scheduler.h"

static const struct ff_scheduler *const slurm = &ff_scheduler_slurm;
static const char *const command[] = {"/opt/far field/farfield-manager",
                                      "/users/u/.farfield/endpoints/e", "1a2b3c4d", NULL};
static const struct ff_job_order one = {"ff-01020304-1a2b3c4d", "/users/u/100%/blocks/1a2b3c4d",
                                        "/users/u/.farfield", command, 1};

static void set(struct ff_config *config, const char *key, const char *value)
{
    struct ff_error error;
    assert_ok(ff_config_set(config, key, value, &error), error);
}

static char *submit_line(const struct ff_job_order *order, const struct ff_config *config)
{
    struct ff_words words = {0};
    slurm->submit(order, config, "/f/script", &words);
    assert_false(words.failed);
    char *line = join_words(&words);
    ff_words_dispose(&words);
    return line;
}

static void test_submit_asks_for_what_is_configured(void **state)
{
    (void)state;
    struct ff_config config;
    ff_config_defaults(&config);
    char *line = submit_line(&one, &config);
    assert_string_equal(line, "sbatch --parsable --job-name=ff-01020304-1a2b3c4d --nodes=1 "
                              "--ntasks-per-node=1 --no-requeue --open-mode=append "
                              "--output=/users/u/100%%/blocks/1a2b3c4d/log "
                              "--chdir=/users/u/.farfield /f/script");
    free(line);
    set(&config, "partition", "gpu");
    set(&config, "account", "aps");
    set(&config, "qos", "live");
    set(&config, "constraint", "a100|h100");
    set(&config, "reservation", "beamtime");
    set(&config, "gpus_per_node", "4");
    set(&config, "cores_per_node", "32");
    set(&config, "exclusive", "true");
    set(&config, "walltime", "90m");
    struct ff_job_order many = one;
    many.nodes = 3;
    line = submit_line(&many, &config);
    assert_contains(line, " --nodes=3 --ntasks-per-node=1 --partition=gpu --account=aps --qos=live "
                          "--constraint=a100|h100 --reservation=beamtime --gres=gpu:4 "
                          "--cpus-per-task=32 --exclusive --time=1:30:00 --no-requeue ");
    free(line);
}

static char *script_of(const struct ff_job_order *order, const struct ff_config *config)
{
    struct ff_buffer buffer;
    ff_buffer_init(&buffer, 65536);
    ff_scheduler_script(slurm, order, config, &buffer);
    char *text = ff_span_copy(ff_buffer_span(&buffer));
    assert_non_null(text);
    ff_buffer_dispose(&buffer);
    return text;
}

static void test_the_script_of_one_node(void **state)
{
    (void)state;
    struct ff_config config;
    ff_config_defaults(&config);
    char *text = script_of(&one, &config);
    assert_string_equal(
        text, "#!/bin/bash\n"
              "\n# The endpoint removes this folder when it has given the block up.\n"
              "[ -d '/users/u/100%/blocks/1a2b3c4d' ] || exit 0\n"
              "export FARFIELD_HOME='/users/u/.farfield'\n"
              "export FARFIELD_NODES=1\n"
              "FARFIELD_BLOCK_ENDS=${SLURM_JOB_END_TIME:-$(SLURM_TIME_FORMAT=%s squeue "
              "--noheader --jobs=\"$SLURM_JOB_ID\" --format=%e)}\n"
              "case $FARFIELD_BLOCK_ENDS in '' | *[!0-9]*) FARFIELD_BLOCK_ENDS=0 ;; esac\n"
              "export FARFIELD_BLOCK_ENDS\n"
              "exec '/opt/far field/farfield-manager' '/users/u/.farfield/endpoints/e' "
              "'1a2b3c4d'\n");
    free(text);
}

static void test_the_script_of_a_site(void **state)
{
    (void)state;
    struct ff_config config;
    struct ff_job_order many = one;
    many.nodes = 4;
    ff_config_defaults(&config);
    set(&config, "walltime", "2:00:00");
    set(&config, "modules", "cuda/12");
    set(&config, "modules", "it's");
    set(&config, "scheduler_options", "--mail-type=END --comment='x y'");
    set(&config, "scheduler_options", "#SBATCH --nice=5");
    set(&config, "worker_init", "ulimit -n 4096\nexport A=\"$HOME/b\"");
    char *text = script_of(&many, &config);
    assert_int_equal(strncmp(text,
                             "#!/bin/bash -l\n#SBATCH --mail-type=END --comment='x y'\n"
                             "#SBATCH --nice=5\n\n",
                             73),
                     0);
    assert_contains(text, "_ENDS=${SLURM_JOB_END_TIME:-$(($(date +%s) + 7200))}\n");
    assert_contains(text,
                    "\nexport FARFIELD_BLOCK_ENDS\n"
                    "module load 'cuda/12'\nmodule load 'it'\\''s'\n"
                    "ulimit -n 4096\nexport A=\"$HOME/b\"\nexec srun --nodes=$FARFIELD_NODES ");
    assert_contains(text, "--ntasks-per-node=1 --kill-on-bad-exit=0 ");
    free(text);
    set(&config, "launcher", "mpirun -np $FARFIELD_NODES --map-by ppr:1:node");
    text = script_of(&many, &config);
    assert_contains(text, "\nexec mpirun -np $FARFIELD_NODES --map-by ppr:1:node '/opt/far field/");
    free(text);
}

static void test_ids(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",           "\n",    "Submitted batch job 17\n", "17x\n", "17\n18\n",
        ";cluster\n", "-17\n", "123456789012345678901\n"};
    char id[FF_JOB_ID_SIZE];
    struct ff_error error;
    assert_ok(slurm->read_id("17\n", id, &error), error);
    assert_string_equal(id, "17");
    assert_ok(slurm->read_id("4711;cluster\n", id, &error), error);
    assert_string_equal(id, "4711");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(slurm->read_id(bad[i], id, &error), -1);
    assert_string_equal(id, "4711"); /* untouched by failure */
}

static void test_the_question_names_the_jobs(void **state)
{
    (void)state;
    static const char *const names[] = {"ff-1-a", "ff-1-b"};
    static const char *const ids[] = {"17", ""};
    const struct ff_job_question question = {names, ids, 2};
    struct ff_words words = {0};
    slurm->status(&question, &words);
    char *line = join_words(&words);
    assert_contains(line, " SLURM_TIME_FORMAT=%s squeue --me --noheader --states=all "
                          "--format=%F|%T|%S|%e|%j|%r --name=ff-1-a,ff-1-b");
    free(line);
    ff_words_dispose(&words);
    slurm->cancel("17", &words);
    line = join_words(&words);
    assert_string_equal(line, "scancel 17");
    free(line);
    ff_words_dispose(&words);
}

static int read_rows(int status, const char *out, const char *said, struct ff_job_rows *rows,
                     struct ff_error *error)
{
    return read_rows_of(slurm, status, out, said, rows, error);
}

static void test_answers_of_slurm(void **state)
{
    (void)state;
    struct ff_job_rows rows;
    struct ff_error error;
    assert_ok(read_rows(0, "", "", &rows, &error), error);
    assert_int_equal(rows.count, 0);
    assert_ok(read_rows(0,
                        "CLUSTER: main\n"
                        "9|PENDING|1764087300|1764090900|ff-1-a|Resources\n"
                        "10|PENDING|N/A|N/A|ff-1-b|ReqNodeNotAvail, UnavailableNodes:n[1-3]\n"
                        "11|RUNNING|1764083700|1764087300|ff-1-c|None\n"
                        "12|TIMEOUT|1764083700|1764087300|ff-1-d|TimeLimit\n"
                        "13|RUNNING|1764083700|NOT_SET|ff-1-e|None\n"
                        "14|PENDING|N/A|N/A|ff-1-f|Some|other reason\n"
                        "15|FAILED|1764083700|1764083701|ff-1-g|NonZeroExitCode\n"
                        "16|CONFIGURING|1764083700|1764087300|ff-1-h|None\n",
                        "", &rows, &error),
              error);
    assert_int_equal(rows.count, 8);
    const struct ff_job_row *row = rows.items;
    assert_string_equal(row[0].id, "9");
    assert_string_equal(row[0].name, "ff-1-a");
    assert_int_equal(row[0].state, FF_BLOCK_PENDING);
    assert_int_equal(row[0].starts_ns, 1764087300000000000);
    assert_int_equal(row[0].ends_ns, 0);
    assert_string_equal(row[0].why, "the nodes it needs are busy (Resources)");
    assert_int_equal(row[1].starts_ns, 0);
    assert_string_equal(row[1].why, "nodes it needs are reserved, drained or down "
                                    "(ReqNodeNotAvail, UnavailableNodes:n[1-3])");
    assert_int_equal(row[2].state, FF_BLOCK_RUNNING);
    assert_int_equal(row[2].ends_ns, 1764087300000000000);
    assert_string_equal(row[2].why, "");
    assert_int_equal(row[3].state, FF_BLOCK_ENDED);
    assert_string_equal(row[3].why, "the job has reached its walltime (TimeLimit)");
    assert_int_equal(row[4].ends_ns, 0);
    assert_string_equal(row[5].why, "Some|other reason");
    assert_string_equal(row[6].why, "the job failed (NonZeroExitCode)");
    assert_int_equal(row[7].state, FF_BLOCK_PENDING);
    ff_job_rows_dispose(&rows);
}

/* A release to come has a state more. */
static void test_a_new_state_spoils_nothing_else(void **state)
{
    (void)state;
    struct ff_job_rows rows;
    struct ff_error error;
    assert_ok(read_rows(0,
                        "9|POWERING_UP_NODE|1764087300|1764090900|ff-1-a|Resources\n"
                        "11|RUNNING|1764083700|1764087300|ff-1-c|None\n",
                        "", &rows, &error),
              error);
    assert_int_equal(rows.count, 2);
    assert_true(rows.items[0].unclear);
    assert_string_equal(rows.items[0].name, "ff-1-a");
    assert_contains(rows.items[0].why, "POWERING_UP_NODE");
    assert_false(rows.items[1].unclear);
    ff_job_rows_dispose(&rows);
}

/* None of these says that a job is gone. */
static void test_what_is_no_answer(void **state)
{
    (void)state;
    static const struct no_answer bad[] = {
        {1, "", "slurm_load_jobs error: Unable to contact slurm controller (connect failure)\n"},
        {0, "", "slurm_load_jobs error: Zero Bytes were transmitted or received\n"},
        {127, "", "env: 'squeue': No such file or directory\n"},
        {-1, "", ""},
        {0, "9|PENDING|1764087300|17640909", ""},
        {0, "9|PENDING|1764087300|1764090900|ff-1-a|Resources", ""},
        {0, "9|waiting|1764087300|1764090900|ff-1-a|Resources\n", ""},
        {0, "9||1764087300|1764090900|ff-1-a|Resources\n", ""},
        {0, "nonsense\n", ""},
        {0, "|PENDING|N/A|N/A|ff-1-a|Resources\n", ""},
        {0, "x|PENDING|N/A|N/A|ff-1-a|Resources\n", ""},
        {0, "9|PENDING|N/A|N/A|ff-1-a|None\n<html>busy</html>\n", ""},
    };
    struct ff_job_rows rows;
    struct ff_error error;
    assert_no_answers(slurm, bad, sizeof bad / sizeof bad[0]);
    struct ff_command_result result = answer(0, "", "");
    result.truncated = true;
    assert_int_equal(slurm->read_status(&result, &rows, &error), -1);
    result = answer(0, "9|RUNNING|1|2|ff-1-a|None\n\n", "");
    result.out_size += 3; /* bytes behind a NUL */
    assert_int_equal(slurm->read_status(&result, &rows, &error), -1);
}

static void test_a_huge_answer_is_bounded(void **state)
{
    (void)state;
    static const char line[] = "9|PENDING|N/A|N/A|ff-1-a|Resources\n";
    struct ff_job_rows rows;
    struct ff_error error;
    struct ff_buffer buffer;
    ff_buffer_init(&buffer, 16 << 20);
    for (int i = 0; i < FF_ROWS_MAX; i++)
        ff_buffer_append_text(&buffer, line);
    assert_ok(read_rows(0, ff_buffer_text(&buffer), "", &rows, &error), error);
    assert_int_equal(rows.count, FF_ROWS_MAX);
    ff_job_rows_dispose(&rows);
    ff_buffer_append_text(&buffer, line);
    assert_int_equal(read_rows(0, ff_buffer_text(&buffer), "", &rows, &error), -1);
    ff_job_rows_dispose(&rows);
    ff_buffer_clear(&buffer);
    ff_buffer_append_text(&buffer, "9|PENDING|N/A|N/A|");
    for (int i = 0; i < 100000; i++)
        ff_buffer_append_text(&buffer, "n");
    ff_buffer_append_text(&buffer, "|");
    for (int i = 0; i < 100000; i++)
        ff_buffer_append_text(&buffer, "r");
    ff_buffer_append_text(&buffer, "\n");
    assert_ok(read_rows(0, ff_buffer_text(&buffer), "", &rows, &error), error);
    assert_int_equal(strlen(rows.items[0].name), FF_JOB_NAME_SIZE - 1);
    ff_job_rows_dispose(&rows);
    ff_buffer_dispose(&buffer);
}

/* What the shell of an operator adds to Slurm's commands does not reach ours; where Slurm is, does. */
static void test_options_of_the_environment_are_removed(void **state)
{
    (void)state;
    static const char *const gone[] = {"SBATCH_ARRAY_INX", "SBATCH_WAIT", "SQUEUE_STATES",
                                       "SCANCEL_STATE", "SINFO_FORMAT"};
    for (size_t i = 0; i < sizeof gone / sizeof gone[0]; i++)
        assert_int_equal(setenv(gone[i], "1", 1), 0);
    assert_int_equal(setenv("SLURM_CONF", "/etc/slurm/slurm.conf", 1), 0);
    ff_providers_clear_environment();
    for (size_t i = 0; i < sizeof gone / sizeof gone[0]; i++)
        assert_null(getenv(gone[i]));
    assert_string_equal(getenv("SLURM_CONF"), "/etc/slurm/slurm.conf");
    unsetenv("SLURM_CONF");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_submit_asks_for_what_is_configured),
        cmocka_unit_test(test_the_script_of_one_node),
        cmocka_unit_test(test_the_script_of_a_site),
        cmocka_unit_test(test_ids),
        cmocka_unit_test(test_options_of_the_environment_are_removed),
        cmocka_unit_test(test_the_question_names_the_jobs),
        cmocka_unit_test(test_answers_of_slurm),
        cmocka_unit_test(test_a_new_state_spoils_nothing_else),
        cmocka_unit_test(test_what_is_no_answer),
        cmocka_unit_test(test_a_huge_answer_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What PBS is asked, and how its answers read. The JSON is as OpenPBS prints it. */
#include "tests/unit/check.h"
#include "tests/unit/endpoint/providers/answers.h"

#include <time.h>

static const struct ff_scheduler *const pbs = &ff_scheduler_pbs;
static const char *const command[] = {"/opt/farfield-manager", "/e", "1a2b3c4d", NULL};
static const struct ff_job_order one = {"ff-01020304-1a2b3c4d", "/b/1a2b3c4d", "/h", command, 1};

static void set(struct ff_config *config, const char *key, const char *value)
{
    struct ff_error error;
    assert_ok(ff_config_set(config, key, value, &error), error);
}

static void assert_submit(const struct ff_job_order *order, const struct ff_config *config,
                          const char *line)
{
    struct ff_words words = {0};
    pbs->submit(order, config, "/b/script", &words);
    char *text = join_words(&words);
    assert_string_equal(text, line);
    free(text);
    ff_words_dispose(&words);
}

static void test_submit(void **state)
{
    (void)state;
    struct ff_config config;
    struct ff_job_order many = one;
    ff_config_defaults(&config);
    assert_submit(&one, &config,
                  "qsub -N ff-01020304-1a2b3c4d -l select=1:mpiprocs=1 -r n -j oe "
                  "-o /dev/null /b/script");
    set(&config, "partition", "gpu");
    set(&config, "account", "aps");
    set(&config, "gpus_per_node", "4");
    set(&config, "cores_per_node", "32");
    set(&config, "walltime", "90m");
    many.nodes = 3;
    assert_submit(&many, &config,
                  "qsub -N ff-01020304-1a2b3c4d -l select=3:ncpus=32:ngpus=4:mpiprocs=1 "
                  "-l place=scatter -l walltime=1:30:00 -q gpu -A aps -r n -j oe -o /dev/null "
                  "/b/script");
    set(&config, "exclusive", "true");
    assert_submit(&one, &config,
                  "qsub -N ff-01020304-1a2b3c4d -l select=1:ncpus=32:ngpus=4:mpiprocs=1 "
                  "-l place=excl -l walltime=1:30:00 -q gpu -A aps -r n -j oe -o /dev/null "
                  "/b/script");
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
    set(&config, "scheduler_options", "-l filesystems=home:eagle");
    ff_buffer_init(&buffer, 65536);
    ff_scheduler_script(pbs, &many, &config, &buffer);
    assert_string_equal(
        ff_buffer_text(&buffer),
        "#!/bin/bash\n#PBS -l filesystems=home:eagle\n"
        "\n# The endpoint removes this folder when it has given the block up.\n"
        "[ -d '/b/1a2b3c4d' ] || exit 0\nexec >>'/b/1a2b3c4d'/log 2>&1\n"
        "export FARFIELD_HOME='/h'\nexport FARFIELD_NODES=2\n"
        "FARFIELD_BLOCK_ENDS=$(($(date +%s) + 3600))\n"
        "case $FARFIELD_BLOCK_ENDS in '' | *[!0-9]*) FARFIELD_BLOCK_ENDS=0 ;; esac\n"
        "export FARFIELD_BLOCK_ENDS\n"
        "exec mpiexec -n $FARFIELD_NODES --ppn 1 '/opt/farfield-manager' '/e' '1a2b3c4d'\n");
    ff_buffer_dispose(&buffer);
}

static void test_keys_of_slurm_are_refused(void **state)
{
    (void)state;
    struct ff_config config;
    struct ff_error error;
    ff_config_defaults(&config);
    set(&config, "provider", "pbs");
    assert_ok(ff_config_check(&config, &error), error);
    set(&config, "constraint", "a100");
    assert_int_equal(ff_config_check(&config, &error), -1);
    assert_contains(error.message, "constraint");
    assert_contains(error.hint, "scheduler_options");
}

static void test_ids(void **state)
{
    (void)state;
    static const char *const bad[] = {"",          "\n",           "qsub: waiting\n", "12 34\n",
                                      ".server\n", "12.a\n13.a\n", "12.a b\n",        "12;a\n"};
    char id[FF_JOB_ID_SIZE];
    struct ff_error error;
    assert_ok(pbs->read_id("1234.polaris-pbs-01.hsn.cm.alcf\n", id, &error), error);
    assert_string_equal(id, "1234.polaris-pbs-01.hsn.cm.alcf");
    assert_ok(pbs->read_id("77\n", id, &error), error);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (pbs->read_id(bad[i], id, &error) != -1)
            fail_msg("taken for an id: \"%s\"", bad[i]);
}

static void test_the_question(void **state)
{
    (void)state;
    static const char *const names[] = {"ff-1-a", "ff-1-b", "ff-1-c"};
    static const char *const ids[] = {"17.pbs", "", "18.pbs"};
    const struct ff_job_question question = {names, ids, 3};
    struct ff_words words = {0};
    pbs->status(&question, &words);
    char *line = join_words(&words);
    assert_contains(line, " sh 17.pbs 18.pbs -- ff-1-b");
    assert_contains(line, "qstat -x -f -F json $all");
    free(line);
    ff_words_dispose(&words);
}

static int read_rows(int status, const char *out, const char *said, struct ff_job_rows *rows,
                     struct ff_error *error)
{
    return read_rows_of(pbs, status, out, said, rows, error);
}

static const char jobs[] =
    "{\n    \"timestamp\":1764087300,\n    \"pbs_version\":\"23.06.06\",\n"
    "    \"pbs_server\":\"pbs-01\",\n    \"Jobs\":{\n"
    "        \"9.pbs-01\":{\n            \"Job_Name\":\"ff-1-a\",\n"
    "            \"Job_Owner\":\"u@login-1\",\n            \"job_state\":\"Q\",\n"
    "            \"queue\":\"gpu\",\n"
    "            \"comment\":\"Not Running: Insufficient amount of resource: ngpus\",\n"
    "            \"estimated\":{\n                \"exec_vnode\":\"(n1:ncpus=1)\",\n"
    "                \"start_time\":1764087300\n            },\n"
    "            \"Variable_List\":{\n                \"PBS_O_HOME\":\"/users/u\"\n            }\n"
    "        },\n"
    "        \"10.pbs-01\":{\n            \"Job_Name\":\"ff-1-b\",\n"
    "            \"job_state\":\"R\",\n            \"stime\":\"Tue Nov 25 16:15:00 2025\",\n"
    "            \"Resource_List\":{\n                \"ncpus\":1,\n"
    "                \"walltime\":\"01:00:00\"\n            }\n        },\n"
    "        \"11.pbs-01\":{\"Job_Name\":\"ff-1-c\",\"job_state\":\"F\",\"Exit_status\":-29},\n"
    "        \"12.pbs-01\":{\"Job_Name\":\"ff-1-d\",\"job_state\":\"F\",\"Exit_status\":271},\n"
    "        \"13.pbs-01\":{\"Job_Name\":\"ff-1-e\",\"job_state\":\"F\",\"Exit_status\":2},\n"
    "        \"14.pbs-01\":{\"Job_Name\":\"ff-1-f\",\"job_state\":\"F\",\"Exit_status\":0},\n"
    "        \"15.pbs-01\":{\"Job_Name\":4711,\"job_state\":\"H\"}\n"
    "    }\n}\n";

static void test_answers(void **state)
{
    (void)state;
    struct ff_job_rows rows;
    struct ff_error error;
    struct tm start = {
        .tm_year = 125, .tm_mon = 10, .tm_mday = 25, .tm_hour = 16, .tm_min = 15, .tm_isdst = -1};
    const int64_t start_ns = (int64_t)mktime(&start) * 1000000000;
    assert_ok(read_rows(0, jobs, "", &rows, &error), error);
    assert_int_equal(rows.count, 7);
    const struct ff_job_row *row = rows.items;
    assert_string_equal(row[0].id, "9.pbs-01");
    assert_string_equal(row[0].name, "ff-1-a");
    assert_int_equal(row[0].state, FF_BLOCK_PENDING);
    assert_int_equal(row[0].starts_ns, 1764087300000000000);
    assert_string_equal(row[0].why, "Insufficient amount of resource: ngpus");
    assert_int_equal(row[1].state, FF_BLOCK_RUNNING);
    assert_int_equal(row[1].starts_ns, start_ns);
    assert_int_equal(row[1].ends_ns, start_ns + 3600000000000);
    assert_int_equal(row[2].state, FF_BLOCK_ENDED);
    assert_string_equal(row[2].why, "the job has reached its walltime");
    assert_string_equal(row[3].why, "the job was ended by signal 15");
    assert_string_equal(row[4].why, "the job failed (Exit_status 2)");
    assert_string_equal(row[5].why, "the job has ended");
    assert_string_equal(row[6].why, "it is held");
    ff_job_rows_dispose(&rows);
    assert_ok(read_rows(0, "{\"Jobs\":{}}", "", &rows, &error), error);
    assert_int_equal(rows.count, 0);
    assert_ok(read_rows(0, "{\"Jobs\":{\"9\":{\"job_state\":\"Z\"}}}", "", &rows, &error), error);
    assert_true(rows.items[0].unclear);
    ff_job_rows_dispose(&rows);
}

/* Times that cannot be are not known; the job is. */
static void test_times_beyond_all_bounds(void **state)
{
    (void)state;
    struct ff_job_rows rows;
    struct ff_error error;
    assert_ok(read_rows(0,
                        "{\"Jobs\":{\"9\":{\"job_state\":\"R\",\"stime\":\"Wed Nov 25 16:15:00 "
                        "9999\"},\"10\":{\"job_state\":\"R\",\"stime\":1764087300,"
                        "\"Resource_List\":{\"walltime\":\"999999999:00:00\"}},"
                        "\"11\":{\"job_state\":\"Q\",\"estimated\":{\"start_time\":9e18}}}}",
                        "", &rows, &error),
              error);
    assert_int_equal(rows.count, 3);
    assert_int_equal(rows.items[0].starts_ns, 0);
    assert_int_equal(rows.items[1].starts_ns, 1764087300000000000);
    assert_int_equal(rows.items[1].ends_ns, 0);
    assert_int_equal(rows.items[2].starts_ns, 0);
    ff_job_rows_dispose(&rows);
}

/* A purged job makes qstat fail, and is no reason to believe nothing of the rest. */
static void test_purged_jobs(void **state)
{
    (void)state;
    struct ff_job_rows rows;
    struct ff_error error;
    assert_ok(read_rows(153, "", "qstat: Unknown Job Id 12.pbs-01\n", &rows, &error), error);
    assert_int_equal(rows.count, 0);
    assert_ok(read_rows(153, jobs, "qstat: Unknown Job Id 7.pbs-01\nqstat: Unknown Job Id 8\n",
                        &rows, &error),
              error);
    assert_int_equal(rows.count, 7);
    ff_job_rows_dispose(&rows);
}

static void test_what_is_no_answer(void **state)
{
    (void)state;
    static const struct no_answer bad[] = {
        {0, "", ""},
        {0, "{}", ""},
        {0, "{\"Jobs\":[]}", ""},
        {0, "{\"Jobs\":{}} more", ""},
        {0, "{\"Jobs\":{\"9.pbs-01\":{\"Job_Name\":\"a\",\"job_state\":\"Q\"", ""},
        {0, "{\"Jobs\":{\"9.pbs-01\":{\"Job_Name\":\"a\",\"job_state\":\"RR\"}}}", ""},
        {0, "{\"Jobs\":{\"9.pbs-01\":{\"Job_Name\":\"a\"}}}", ""},
        {0, "{\"Jobs\":{\"9.pbs-01\":[]}}", ""},
        {0, "{\"Jobs\":{\"9\":{\"job_state\":\"R\",\"Resource_List\":7}}}", ""},
        {153, "", ""},
        {153, "", "Connection refused\nqstat: cannot connect to server pbs-01 (errno=111)\n"},
        {153, "", "qstat: Unknown Job Id 12\nqstat: cannot connect to server pbs-01\n"},
        {1, "", "qselect: cannot connect to server pbs-01 (errno=111)\n"},
        {-1, "", "qstat: Unknown Job Id 12\n"},
    };
    struct ff_job_rows rows;
    struct ff_error error;
    assert_no_answers(pbs, bad, sizeof bad / sizeof bad[0]);
    /* However the true answer is cut off, it is none. */
    for (size_t length = 0; length + 2 < sizeof jobs; length++) {
        char *part = strndup(jobs, length);
        assert_int_equal(read_rows(0, part, "", &rows, &error), -1);
        ff_job_rows_dispose(&rows);
        free(part);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_submit),
        cmocka_unit_test(test_the_script),
        cmocka_unit_test(test_keys_of_slurm_are_refused),
        cmocka_unit_test(test_ids),
        cmocka_unit_test(test_the_question),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_times_beyond_all_bounds),
        cmocka_unit_test(test_purged_jobs),
        cmocka_unit_test(test_what_is_no_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

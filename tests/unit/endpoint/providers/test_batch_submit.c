/* Submissions that go wrong, and jobs of an agent that is dead. */
#include "tests/unit/check.h"
#include "tests/unit/endpoint/providers/stage.h"

#include "endpoint/providers/scheduler.h"
#include "protocol/core/clock.h"
#include "protocol/core/file.h"
#include "protocol/core/process.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- submissions that go wrong ---- */

static void test_a_refusal_is_told_in_its_words(void **state)
{
    (void)state;
    struct stage stage;
    struct watched job;
    stage_one = &job;
    stage_open(&stage);
    stage_put(&stage, "queue", 0600, "");
    stage_put(
        &stage, "submit", 0600,
        "echo 'sbatch: error: invalid partition specified: gpux' >&2\n"
        "echo 'sbatch: error: Batch job submission failed: Invalid partition name specified' >&2\n"
        "exit 1\n");
    stage_submit(&stage, &job, "ff-1-a");
    stage_wait_until(&stage, job_has_ended);
    assert_string_equal(job.last.why,
                        "sbatch: invalid partition specified: gpux; Batch job submission "
                        "failed: Invalid partition name specified");
    assert_int_equal(stage_count_calls(&stage, "sbatch"), 1);
    ff_batch_release(job.job);
    stage_close(&stage);
}

/* sbatch fails, or says nothing of use, or hangs, and the job is in the queue all the same: it is found by its name. */
static void test_a_submit_that_makes_no_job_is_told_in_its_words(void **state)
{
    (void)state;
    struct stage stage;
    struct watched job;
    stage_one = &job;
    stage_open(&stage);
    stage_put(&stage, "submit", 0600, "echo 'sbatch: Job 3 to start at noon on n0' >&2\n");
    stage_put(&stage, "queue", 0600, "");
    stage_submit(&stage, &job, "ff-1-a");
    stage_wait_until(&stage, job_has_ended);
    assert_string_equal(job.last.why, "no job was made: sbatch: Job 3 to start at noon on n0");
    ff_batch_release(job.job);
    stage_close(&stage);
}

static void test_a_failed_submit_may_have_worked(void **state)
{
    (void)state;
    static const char *const submits[] = {
        "echo 'sbatch: error: Batch job submission failed: Socket timed out on send/recv "
        "operation' >&2; exit 1\n",
        "echo garbage\n",
        "exec sleep 1000\n",
    };
    for (size_t i = 0; i < sizeof submits / sizeof submits[0]; i++) {
        struct stage stage;
        struct watched job;
        stage_one = &job;
        stage_open(&stage);
        stage_put(&stage, "submit", 0600, submits[i]);
        stage_submit(&stage, &job, "ff-1-a");
        stage_wait_until(&stage, job_is_pending);
        assert_string_equal(job.last.handle, "17");
        assert_int_equal(stage_count_calls(&stage, "sbatch"), 1);
        ff_batch_release(job.job);
        stage_close(&stage);
    }
}

/* Down from before the submit: it is neither submitted nor gone; when the controller is back, it is refused. */
static void test_a_controller_that_is_down_gets_no_second_job(void **state)
{
    (void)state;
    struct stage stage;
    struct watched job;
    stage_one = &job;
    stage_open(&stage);
    stage_put(
        &stage, "submit", 0600,
        "echo 'sbatch: error: Batch job submission failed: Unable to contact slurm controller "
        "(connect failure)' >&2; exit 1\n");
    stage_put(&stage, "status", 0600,
              "echo 'slurm_load_jobs error: Unable to contact slurm controller' >&2; exit 1\n");
    stage_submit(&stage, &job, "ff-1-a");
    stage_wait_until(&stage, submit_has_ended);
    stage_wait_questions(&stage, 3);
    assert_int_equal(job.last.state, FF_BLOCK_SUBMITTING);
    assert_non_null(strstr(job.last.why, "Unable to contact"));
    assert_int_equal(stage_count_calls(&stage, "sbatch"), 1);
    stage_put(&stage, "queue", 0600, "");
    stage_put(&stage, "status", 0600, "cat queue\n");
    stage_wait_until(&stage, job_has_ended);
    assert_non_null(strstr(job.last.why, "Unable to contact"));
    assert_int_equal(stage_count_calls(&stage, "sbatch"), 1);
    ff_batch_release(job.job);
    stage_close(&stage);
}

/* A job whose id is known, but that no answer has shown yet, is not given up for one answer without it. */
static void test_a_new_job_may_be_missing_once(void **state)
{
    (void)state;
    struct stage stage;
    struct watched job;
    stage_one = &job;
    stage_open(&stage);
    stage_put(
        &stage, "status", 0600,
        "if [ -e once ]; then cat queue; else touch once; fi\n"); /* the first answer is empty */
    stage_submit(&stage, &job, "ff-1-a");
    stage_wait_questions(&stage, 3);
    assert_int_equal(job.last.state, FF_BLOCK_PENDING);
    assert_false(job.ended);
    ff_batch_release(job.job);
    stage_close(&stage);
}

/* Others are asked about meanwhile, in whose answers it cannot be. */
static void test_a_slow_submit_is_not_missed(void **state)
{
    (void)state;
    struct stage stage;
    struct watched job;
    struct watched other;
    stage_one = &job;
    stage_open(&stage);
    stage_put(&stage, "queue", 0600, "16|RUNNING|1|2|ff-1-b|None\n");
    stage_put(&stage, "submit", 0600,
              "case \"$*\" in\n*ff-1-b*) echo 16 ;;\n"
              "*) while [ ! -e go ]; do sleep 0.01; done; echo 17 ;;\nesac\n");
    stage_submit(&stage, &other, "ff-1-b");
    stage_submit(&stage, &job, "ff-1-a");
    stage_wait_questions(&stage, 4);
    assert_int_equal(job.changes, 0);
    stage_put(&stage, "queue", 0600, "17|RUNNING|1|2|ff-1-a|None\n16|RUNNING|1|2|ff-1-b|None\n");
    stage_put(&stage, "go", 0600, "");
    stage_wait_until(&stage, job_is_running);
    ff_batch_release(job.job);
    ff_batch_release(other.job);
    stage_close(&stage);
}

static bool asks(struct stage *stage)
{
    return stage_count_calls(stage, "squeue") > 0;
}

/* An answer to a question that was asked before the submit had ended says nothing of it, however late it comes. */
static void test_an_old_question_does_not_count(void **state)
{
    (void)state;
    struct stage stage;
    struct watched job;
    struct watched other;
    stage_one = &job;
    stage_open(&stage);
    stage_put(&stage, "submit", 0600,
              "case \"$*\" in\n*ff-1-b*) echo 16 ;;\n"
              "*) while [ ! -e go ]; do sleep 0.01; done; echo 'sbatch: error: odd' >&2; exit 1 "
              ";;\nesac\n");
    stage_put(
        &stage, "status", 0600,
        "if [ -e old ]; then cat queue; else while [ ! -e answer ]; do sleep 0.01; done; touch old;"
        " echo '16|RUNNING|1|2|ff-1-b|None'; fi\n");
    stage_put(&stage, "queue", 0600, "17|RUNNING|1|2|ff-1-a|None\n16|RUNNING|1|2|ff-1-b|None\n");
    stage_submit(&stage, &other, "ff-1-b");
    stage_wait_until(&stage, asks);
    stage_submit(&stage, &job, "ff-1-a");
    stage_put(&stage, "go", 0600, "");
    stage_wait_until(&stage, submit_has_ended);
    stage_put(&stage, "answer", 0600, "");
    stage_wait_until(&stage, job_is_running);
    ff_batch_release(job.job);
    ff_batch_release(other.job);
    stage_close(&stage);
}

static void test_what_cannot_be_started_was_not_submitted(void **state)
{
    (void)state;
    struct stage stage;
    struct ff_error error;
    struct watched job = {0};
    stage_open(&stage);
    const struct ff_job_order order = stage_order_of(&stage, "ff-1-a");
    const struct ff_provider_events events = {&job, stage_note, job_lives};
    char *program = ff_path_join(stage.folder, "sbatch");
    unlink(program);
    setenv("PATH", stage.folder, 1);
    assert_null(ff_batch_submit(stage.site, &order, &events, &error));
    assert_non_null(strstr(error.message, "sbatch"));
    free(program);
    stage_close(&stage);
}

/* ---- after a restart of the agent ---- */

static void test_adoption_by_id_and_by_name(void **state)
{
    (void)state;
    static const char *const handles[] = {"17", ""};
    for (int i = 0; i < 2; i++) {
        struct stage stage;
        struct watched job;
        stage_one = &job;
        stage_open(&stage);
        stage_put(&stage, "queue", 0600,
                  "16|CANCELLED|1|2|ff-1-a|None\n17|RUNNING|1764083700|1764087300|ff-1-a|None\n");
        stage_adopt(&stage, &job, "ff-1-a", handles[i]);
        assert_true(ff_batch_report(job.job)->unknown_since_ns > 0); /* nobody was asked yet */
        stage_wait_until(&stage, job_is_running);
        assert_int_equal(job.last.unknown_since_ns, 0);
        assert_string_equal(job.last.handle, "17");
        assert_int_equal(stage_count_calls(&stage, "sbatch"), 0);
        ff_batch_release(job.job);
        stage_close(&stage);
    }
}

static void test_what_was_never_submitted_is_let_go(void **state)
{
    (void)state;
    struct stage stage;
    struct watched job;
    stage_one = &job;
    stage_open(&stage);
    stage_put(&stage, "queue", 0600, "");
    stage_adopt(&stage, &job, "ff-1-a", "");
    stage_wait_until(&stage, job_has_ended);
    assert_string_equal(job.last.why, "it was never submitted");
    ff_batch_release(job.job);
    stage_close(&stage);
}

/* The sbatch of the agent before still runs: until it has ended, an empty queue says nothing. */
static void test_a_submit_under_way_is_waited_for(void **state)
{
    (void)state;
    struct stage stage;
    struct watched job;
    struct ff_error error;
    struct ff_process_id id;
    stage_one = &job;
    stage_open(&stage);
    stage_put(&stage, "queue", 0600, "");
    pid_t child = fork();
    if (child == 0)
        for (;;)
            pause();
    assert_int_equal(ff_process_identify(child, &id), 0);
    char *path = ff_path_join(stage.folder, "submitting");
    assert_ok(ff_process_file_write_of(path, id, &error), error);
    stage_adopt(&stage, &job, "ff-1-a", "");
    stage_wait_questions(&stage, 4);
    assert_false(job.ended);
    stage_put(&stage, "queue", 0600, "17|PENDING|N/A|N/A|ff-1-a|Resources\n");
    stage_wait_until(&stage, job_is_pending);
    stage_put(&stage, "queue", 0600, "");
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    stage_wait_until(&stage, job_has_ended);
    free(path);
    ff_batch_release(job.job);
    stage_close(&stage);
}

/* Killed while sbatch runs: the one that comes after finds the job, and submits none. */
static void test_killed_between_submit_and_its_answer(void **state)
{
    (void)state;
    struct stage stage;
    struct watched job;
    stage_one = &job;
    stage_open(&stage);
    stage_put(&stage, "submit", 0600, "sleep 1000\n");
    stage_submit(&stage, &job, "ff-1-a");
    ff_batch_release(job.job);
    ff_batch_close(stage.site);
    stage_open_site(&stage);
    stage_adopt(&stage, &job, "ff-1-a", "");
    stage_wait_until(&stage, job_is_pending);
    assert_string_equal(job.last.handle, "17");
    ff_batch_release(job.job);
    stage_close(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_refusal_is_told_in_its_words),
        cmocka_unit_test(test_a_submit_that_makes_no_job_is_told_in_its_words),
        cmocka_unit_test(test_a_failed_submit_may_have_worked),
        cmocka_unit_test(test_a_controller_that_is_down_gets_no_second_job),
        cmocka_unit_test(test_a_new_job_may_be_missing_once),
        cmocka_unit_test(test_a_slow_submit_is_not_missed),
        cmocka_unit_test(test_an_old_question_does_not_count),
        cmocka_unit_test(test_what_cannot_be_started_was_not_submitted),
        cmocka_unit_test(test_adoption_by_id_and_by_name),
        cmocka_unit_test(test_what_was_never_submitted_is_let_go),
        cmocka_unit_test(test_a_submit_under_way_is_waited_for),
        cmocka_unit_test(test_killed_between_submit_and_its_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

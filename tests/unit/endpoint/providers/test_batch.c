/* The life of a job, as the engine sees it, and the orders about it. */
#include "tests/unit/check.h"
#include "tests/unit/endpoint/providers/stage.h"

#include "endpoint/providers/scheduler.h"
#include "protocol/core/clock.h"
#include "protocol/core/file.h"
#include "protocol/core/process.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- the life of a job ---- */

static void test_a_job_waits_runs_and_ends(void **state)
{
    (void)state;
    struct stage stage;
    struct watched job;
    stage_one = &job;
    stage_open(&stage);
    stage_submit(&stage, &job, "ff-1-a");
    stage_wait_questions(&stage, 1);
    assert_int_equal(job.last.state, FF_BLOCK_PENDING);
    assert_string_equal(job.last.handle, "17");
    assert_string_equal(job.last.why, "the nodes it needs are busy (Resources)");
    unsigned changes = job.changes;
    stage_wait_questions(&stage, 3);
    assert_int_equal(job.changes, changes); /* nobody is told that nothing has changed */
    stage_put(&stage, "queue", 0600, "17|RUNNING|1764083700|1764087300|ff-1-a|None\n");
    stage_wait_until(&stage, job_is_running);
    assert_int_equal(job.last.ends_ns, 1764087300000000000);
    stage_put(&stage, "queue", 0600, "17|PENDING|N/A|N/A|ff-1-a|BeginTime\n"); /* requeued */
    stage_wait_until(&stage, job_is_pending);
    assert_int_equal(job.last.ends_ns, 0);
    stage_put(&stage, "queue", 0600, "17|NODE_FAIL|1|2|ff-1-a|NodeDown\n");
    stage_wait_until(&stage, job_has_ended);
    assert_string_equal(job.last.why, "a node of the job failed (NodeDown)");
    assert_int_equal(stage_count_calls(&stage, "sbatch"), 1);
    ff_batch_release(job.job);
    stage_close(&stage);
}

/* While nothing changes hours may pass between two questions; an event of the job's managers does not wait for them. */
static void test_an_event_brings_the_next_question(void **state)
{
    (void)state;
    static const struct ff_batch_pace slow = {
        .first_ms = 3600000, .longest_ms = 3600000, .limit_ms = 2000, .submit_limit_ms = 2000};
    struct stage stage;
    struct watched job;
    stage_one = &job;
    stage_open(&stage);
    ff_batch_set_pace(stage.site, &slow);
    stage_put(&stage, "queue", 0600, "17|COMPLETED|1|2|ff-1-a|None\n");
    stage_submit(&stage, &job, "ff-1-a");
    stage_wait_until(&stage, submit_has_ended);
    ff_batch_look(job.job);
    stage_wait_until(&stage, job_has_ended);
    ff_batch_release(job.job);
    stage_close(&stage);
}

static void test_absent_from_a_good_answer_is_gone(void **state)
{
    (void)state;
    struct stage stage;
    struct watched job;
    stage_one = &job;
    stage_open(&stage);
    stage_submit(&stage, &job, "ff-1-a");
    stage_wait_questions(&stage, 1);
    stage_put(&stage, "queue", 0600, "");
    stage_wait_until(&stage, job_has_ended);
    assert_non_null(strstr(job.last.why, "does not know the job any more"));
    ff_batch_release(job.job);
    stage_close(&stage);
}

/* A controller that has just come back may list too little: once is no proof, and workers that speak are one that it is wrong. */
static void test_a_running_job_outlives_an_empty_list(void **state)
{
    (void)state;
    struct stage stage;
    struct watched job;
    stage_one = &job;
    stage_open(&stage);
    stage_submit(&stage, &job, "ff-1-a");
    stage_put(&stage, "queue", 0600, "17|RUNNING|1764083700|1764087300|ff-1-a|None\n");
    stage_wait_until(&stage, job_is_running);
    stage_put(
        &stage, "status", 0600,
        "if [ -e once ]; then cat queue; else touch once; fi\n"); /* the next answer is empty */
    stage_wait_questions(&stage, 3);
    assert_int_equal(job.last.state, FF_BLOCK_RUNNING);
    job.speaks = true;
    stage_put(&stage, "queue", 0600, "");
    stage_wait_questions(&stage, 4);
    assert_int_equal(job.last.state, FF_BLOCK_RUNNING);
    job.speaks = false; /* and now they have left */
    stage_wait_until(&stage, job_has_ended);
    ff_batch_release(job.job);
    stage_close(&stage);
}

/* The controller of 60 s in small: whatever it says meanwhile, nothing changes, and it is told of once. */
static void test_unknown_is_not_gone(void **state)
{
    (void)state;
    static const char *const outages[] = {
        "echo 'slurm_load_jobs error: Unable to contact slurm controller' >&2; exit 1\n",
        "echo nonsense\n",
        "printf '17|PEND'\n",
        "printf '17|GONE|1|2|ff-1-a|None\\n'\n", /* of a job that is there in some way */
        "kill -9 $$\n",
        "echo 'slurm_load_jobs error: Zero Bytes were transmitted or received' >&2\n",
        "head -c 20000000 /dev/zero\n",
        "exec sleep 1000\n", /* hangs: beyond the limit */
    };
    for (size_t i = 0; i < sizeof outages / sizeof outages[0]; i++) {
        struct stage stage;
        struct watched job;
        stage_one = &job;
        stage_open(&stage);
        stage_submit(&stage, &job, "ff-1-a");
        stage_put(&stage, "queue", 0600, "17|RUNNING|1764083700|1764087300|ff-1-a|None\n");
        stage_wait_until(&stage, job_is_running);
        stage_put(&stage, "status", 0600, outages[i]);
        stage_wait_until(&stage, job_is_unknown);
        unsigned changes = job.changes;
        if (i < sizeof outages / sizeof outages[0] - 1)
            stage_wait_questions(&stage, 2);
        assert_int_equal(job.changes, changes);
        assert_int_equal(job.last.state, FF_BLOCK_RUNNING);
        assert_string_equal(job.last.handle, "17");
        stage_put(&stage, "status", 0600, "cat queue\n");
        stage_wait_until(&stage, job_is_known);
        assert_int_equal(job.last.state, FF_BLOCK_RUNNING);
        assert_int_equal(job.changes, changes + 1);
        assert_int_equal(stage_count_calls(&stage, "sbatch"), 1);
        ff_batch_release(job.job);
        stage_close(&stage);
    }
}

/* ---- orders ---- */

static bool cancelled_twice(struct stage *stage)
{
    return stage_count_calls(stage, "scancel 17") >= 2;
}

static void test_a_cancel_that_fails_is_repeated(void **state)
{
    (void)state;
    struct stage stage;
    struct watched job;
    stage_one = &job;
    stage_open(&stage);
    stage_put(&stage, "cancel", 0600, "exit 1\n");
    stage_submit(&stage, &job, "ff-1-a");
    stage_wait_questions(&stage, 1);
    ff_batch_cancel(job.job, false);
    stage_wait_until(&stage, cancelled_twice);
    stage_put(&stage, "queue", 0600, "17|CANCELLED|1|2|ff-1-a|None\n");
    stage_wait_until(&stage, job_has_ended);
    assert_string_equal(job.last.why, "the job was cancelled");
    ff_batch_cancel(job.job, true); /* nothing is left to cancel */
    ff_batch_release(job.job);
    stage_close(&stage);
}

/* One that is ending on a dead node stands in the queue for hours: it is cancelled again, but not after each question. */
static void test_a_job_that_will_not_go_is_not_cancelled_all_the_time(void **state)
{
    (void)state;
    enum { QUESTIONS = 30 };
    struct stage stage;
    struct watched job;
    stage_one = &job;
    stage_open(&stage);
    stage_submit(&stage, &job, "ff-1-a");
    stage_put(&stage, "queue", 0600, "17|COMPLETING|1|2|ff-1-a|None\n");
    stage_wait_questions(&stage, 1);
    ff_batch_cancel(job.job, false);
    stage_wait_until(&stage, cancelled_twice);
    stage_wait_questions(&stage, QUESTIONS);
    assert_in_range(stage_count_calls(&stage, "scancel 17"), 2, QUESTIONS / 2);
    ff_batch_release(job.job);
    stage_close(&stage);
}

/* Its id comes later than the order. */
static void test_a_job_that_is_being_submitted_can_be_cancelled(void **state)
{
    (void)state;
    struct stage stage;
    struct watched job;
    stage_one = &job;
    stage_open(&stage);
    stage_put(&stage, "submit", 0600, "while [ ! -e go ]; do sleep 0.01; done; echo 17\n");
    stage_submit(&stage, &job, "ff-1-a");
    ff_batch_cancel(job.job, false);
    stage_put(&stage, "go", 0600, "");
    stage_wait_until(&stage, was_cancelled);
    stage_put(&stage, "queue", 0600, "");
    stage_wait_until(&stage, job_has_ended);
    ff_batch_release(job.job);
    stage_close(&stage);
}

/* One question for all of them, and who ends does not disturb the others. */
static void test_many_jobs_are_one_question(void **state)
{
    (void)state;
    enum { COUNT = 5 };
    struct stage stage;
    struct watched jobs[COUNT];
    char name[32];
    stage_one = &jobs[2];
    stage_open(&stage);
    stage_put(&stage, "submit", 0600,
              "for word; do case $word in --job-name=ff-1-*) echo 1${word##*-};; esac; done\n");
    stage_put(&stage, "queue", 0600, "");
    stage_put(&stage, "status", 0600,
              "for i in 0 1 3 4; do echo \"1$i|RUNNING|1|2|ff-1-$i|None\"; done; cat queue\n");
    stage_put(&stage, "queue", 0600, "12|TIMEOUT|1|2|ff-1-2|TimeLimit\n");
    for (int i = 0; i < COUNT; i++) {
        snprintf(name, sizeof name, "ff-1-%d", i);
        stage_submit(&stage, &jobs[i], name);
    }
    stage_wait_until(&stage, job_has_ended);
    stage_wait_questions(&stage, 1);
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(jobs[i].last.state, i == 2 ? FF_BLOCK_ENDED : FF_BLOCK_RUNNING);
    for (int i = 0; i < COUNT; i++)
        ff_batch_release(jobs[i].job);
    stage_close(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_job_waits_runs_and_ends),
        cmocka_unit_test(test_an_event_brings_the_next_question),
        cmocka_unit_test(test_absent_from_a_good_answer_is_gone),
        cmocka_unit_test(test_a_running_job_outlives_an_empty_list),
        cmocka_unit_test(test_unknown_is_not_gone),
        cmocka_unit_test(test_a_cancel_that_fails_is_repeated),
        cmocka_unit_test(test_a_job_that_will_not_go_is_not_cancelled_all_the_time),
        cmocka_unit_test(test_a_job_that_is_being_submitted_can_be_cancelled),
        cmocka_unit_test(test_many_jobs_are_one_question),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

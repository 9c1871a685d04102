/*
 * The engine against stand-in commands: a scheduler of files in a folder. `queue` holds the answer of squeue, `submit` is the
 * script that plays sbatch, `status` the one that plays squeue; each writes a line into `calls` when it is called.
 */
#include "tests/unit/check.h"

#include "endpoint/config.h"
#include "endpoint/providers/batch.h"
#include "endpoint/providers/scheduler.h"
#include "protocol/core/clock.h"
#include "protocol/core/file.h"
#include "protocol/core/process.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WAIT_MS = 30000 };

struct stage {
    char *folder;
    char *path; /* of the environment, before */
    struct ff_config config;
    struct ff_loop *loop;
    struct ff_timer *tick;
    struct ff_provider_site *site;
    int64_t until_ns;
    bool (*reached)(struct stage *stage);
    bool met;
};

struct watched {
    struct ff_provider_job *job;
    struct stage *stage;
    unsigned changes;
    bool ended;
    bool speaks; /* its workers do */
    struct ff_job_report last;
};

/* ---- the stage ---- */

static void put(const struct stage *stage, const char *name, mode_t mode, const char *text)
{
    struct ff_error error;
    char *path = ff_path_join(stage->folder, name);
    assert_ok(ff_file_write(path, ff_span_of(text), mode, &error), error);
    free(path);
}

/* A program of this name that notes its call, and then does what the file `SCRIPT` says. */
static void put_program(const struct stage *stage, const char *name, const char *script)
{
    char text[1024];
    snprintf(text, sizeof text, "#!/bin/sh\ncd '%s'\necho \"%s $*\" >>calls\n. ./%s\n",
             stage->folder, name, script);
    put(stage, name, 0755, text);
}

static unsigned count_calls(const struct stage *stage, const char *name)
{
    struct ff_error error;
    char *path = ff_path_join(stage->folder, "calls");
    char *text = NULL;
    size_t size = 0;
    unsigned count = 0;
    if (ff_file_read(path, 1 << 20, &text, &size, &error) == 0)
        for (const char *at = text; (at = strstr(at, name)) != NULL; at++)
            if (at == text || at[-1] == '\n')
                count++;
    free(text);
    free(path);
    return count;
}

static void look(void *user)
{
    struct stage *stage = user;
    stage->met = stage->reached(stage);
    if (stage->met || ff_monotonic_ns() > stage->until_ns)
        ff_loop_stop(stage->loop);
    else
        ff_timer_set_after(stage->tick, 2);
}

static void wait_until(struct stage *stage, bool (*reached)(struct stage *stage))
{
    struct ff_error error;
    stage->reached = reached;
    stage->until_ns = ff_monotonic_ns() + (int64_t)WAIT_MS * 1000000;
    ff_timer_set_after(stage->tick, 0);
    assert_ok(ff_loop_run(stage->loop, &error), error);
    if (!stage->met)
        fail_msg("waited in vain");
}

static unsigned questions_wanted;

static bool asked_enough(struct stage *stage)
{
    return count_calls(stage, "squeue") >= questions_wanted;
}

/* Until `more` questions were asked after this, and the last but one was answered. */
static void wait_questions(struct stage *stage, unsigned more)
{
    questions_wanted = count_calls(stage, "squeue") + more + 1;
    wait_until(stage, asked_enough);
}

static void open_site(struct stage *stage)
{
    static const struct ff_batch_pace quick = {
        .first_ms = 5, .longest_ms = 20, .limit_ms = 2000, .submit_limit_ms = 2000};
    struct ff_error error;
    stage->site = ff_batch_open(&ff_provider_slurm, stage->loop, &stage->config, &error);
    assert_non_null(stage->site);
    ff_batch_set_pace(stage->site, &quick);
}

static void open_stage(struct stage *stage)
{
    char path[8192];
    struct ff_error error;
    memset(stage, 0, sizeof *stage);
    stage->folder = make_folder();
    stage->path = strdup(getenv("PATH"));
    snprintf(path, sizeof path, "%s:%s", stage->folder, stage->path);
    setenv("PATH", path, 1);
    put_program(stage, "sbatch", "submit");
    put_program(stage, "squeue", "status");
    put_program(stage, "scancel", "cancel");
    put(stage, "submit", 0600, "echo 17\n");
    put(stage, "status", 0600, "cat queue\n");
    put(stage, "cancel", 0600, "exit 0\n");
    put(stage, "queue", 0600, "17|PENDING|N/A|N/A|ff-1-a|Resources\n");
    ff_config_defaults(&stage->config);
    stage->loop = ff_loop_create(&error);
    stage->tick = ff_timer_create(stage->loop, look, stage, &error);
    open_site(stage);
}

static void close_stage(struct stage *stage)
{
    struct ff_error error;
    ff_batch_close(stage->site);
    ff_timer_destroy(stage->tick);
    ff_loop_destroy(stage->loop);
    setenv("PATH", stage->path, 1);
    assert_ok(ff_folder_remove(stage->folder, &error), error);
    free(stage->path);
    free(stage->folder);
}

static void note(void *user)
{
    struct watched *watched = user;
    watched->last = *ff_batch_report(watched->job);
    watched->changes++;
    assert_false(watched->ended); /* nothing follows the end */
    watched->ended = watched->last.state == FF_BLOCK_ENDED;
}

static bool lives(void *user)
{
    const struct watched *watched = user;
    return watched->speaks;
}

static const char *const command[] = {"/opt/farfield-manager", "/e", "a", NULL};

static struct ff_job_order order_of(const struct stage *stage, const char *name)
{
    return (struct ff_job_order){name, stage->folder, "/tmp", command, 1};
}

static void submit(struct stage *stage, struct watched *watched, const char *name)
{
    struct ff_error error;
    const struct ff_job_order order = order_of(stage, name);
    const struct ff_provider_events events = {watched, note, lives};
    memset(watched, 0, sizeof *watched);
    watched->stage = stage;
    watched->job = ff_batch_submit(stage->site, &order, &events, &error);
    if (watched->job == NULL)
        fail_msg("%s", error.message);
    assert_int_equal(ff_batch_report(watched->job)->state, FF_BLOCK_SUBMITTING);
}

static void adopt(struct stage *stage, struct watched *watched, const char *name,
                  const char *handle)
{
    struct ff_error error;
    const struct ff_job_order order = order_of(stage, name);
    const struct ff_provider_events events = {watched, note, lives};
    memset(watched, 0, sizeof *watched);
    watched->stage = stage;
    watched->job = ff_batch_adopt(stage->site, &order, handle, &events, &error);
    assert_non_null(watched->job);
}

static struct watched *one;

static bool has_ended(struct stage *stage)
{
    (void)stage;
    return one->ended;
}

static bool is_running(struct stage *stage)
{
    (void)stage;
    return one->last.state == FF_BLOCK_RUNNING;
}

static bool is_pending(struct stage *stage)
{
    (void)stage;
    return one->last.state == FF_BLOCK_PENDING;
}

static bool is_unknown(struct stage *stage)
{
    (void)stage;
    return one->last.unknown_since_ns != 0;
}

static bool is_known(struct stage *stage)
{
    (void)stage;
    return one->last.unknown_since_ns == 0;
}

static bool submit_has_ended(struct stage *stage)
{
    (void)stage;
    return one->changes > 0;
}

static bool was_cancelled(struct stage *stage)
{
    return count_calls(stage, "scancel") > 0;
}

/* ---- the life of a job ---- */

static void test_a_job_waits_runs_and_ends(void **state)
{
    (void)state;
    struct stage stage;
    struct watched job;
    one = &job;
    open_stage(&stage);
    submit(&stage, &job, "ff-1-a");
    wait_questions(&stage, 1);
    assert_int_equal(job.last.state, FF_BLOCK_PENDING);
    assert_string_equal(job.last.handle, "17");
    assert_string_equal(job.last.why, "the nodes it needs are busy (Resources)");
    unsigned changes = job.changes;
    wait_questions(&stage, 3);
    assert_int_equal(job.changes, changes); /* nobody is told that nothing has changed */
    put(&stage, "queue", 0600, "17|RUNNING|1764083700|1764087300|ff-1-a|None\n");
    wait_until(&stage, is_running);
    assert_int_equal(job.last.ends_ns, 1764087300000000000);
    put(&stage, "queue", 0600, "17|PENDING|N/A|N/A|ff-1-a|BeginTime\n"); /* requeued */
    wait_until(&stage, is_pending);
    assert_int_equal(job.last.ends_ns, 0);
    put(&stage, "queue", 0600, "17|NODE_FAIL|1|2|ff-1-a|NodeDown\n");
    wait_until(&stage, has_ended);
    assert_string_equal(job.last.why, "a node of the job failed (NodeDown)");
    assert_int_equal(count_calls(&stage, "sbatch"), 1);
    ff_batch_release(job.job);
    close_stage(&stage);
}

/* While nothing changes hours may pass between two questions; an event of the job's managers does not wait for them. */
static void test_an_event_brings_the_next_question(void **state)
{
    (void)state;
    static const struct ff_batch_pace slow = {
        .first_ms = 3600000, .longest_ms = 3600000, .limit_ms = 2000, .submit_limit_ms = 2000};
    struct stage stage;
    struct watched job;
    one = &job;
    open_stage(&stage);
    ff_batch_set_pace(stage.site, &slow);
    put(&stage, "queue", 0600, "17|COMPLETED|1|2|ff-1-a|None\n");
    submit(&stage, &job, "ff-1-a");
    wait_until(&stage, submit_has_ended);
    ff_batch_look(job.job);
    wait_until(&stage, has_ended);
    ff_batch_release(job.job);
    close_stage(&stage);
}

static void test_absent_from_a_good_answer_is_gone(void **state)
{
    (void)state;
    struct stage stage;
    struct watched job;
    one = &job;
    open_stage(&stage);
    submit(&stage, &job, "ff-1-a");
    wait_questions(&stage, 1);
    put(&stage, "queue", 0600, "");
    wait_until(&stage, has_ended);
    assert_non_null(strstr(job.last.why, "does not know the job any more"));
    ff_batch_release(job.job);
    close_stage(&stage);
}

/* A controller that has just come back may list too little: once is no proof, and workers that speak are one that it is wrong. */
static void test_a_running_job_outlives_an_empty_list(void **state)
{
    (void)state;
    struct stage stage;
    struct watched job;
    one = &job;
    open_stage(&stage);
    submit(&stage, &job, "ff-1-a");
    put(&stage, "queue", 0600, "17|RUNNING|1764083700|1764087300|ff-1-a|None\n");
    wait_until(&stage, is_running);
    put(&stage, "status", 0600,
        "if [ -e once ]; then cat queue; else touch once; fi\n"); /* the next answer is empty */
    wait_questions(&stage, 3);
    assert_int_equal(job.last.state, FF_BLOCK_RUNNING);
    job.speaks = true;
    put(&stage, "queue", 0600, "");
    wait_questions(&stage, 4);
    assert_int_equal(job.last.state, FF_BLOCK_RUNNING);
    job.speaks = false; /* and now they have left */
    wait_until(&stage, has_ended);
    ff_batch_release(job.job);
    close_stage(&stage);
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
        one = &job;
        open_stage(&stage);
        submit(&stage, &job, "ff-1-a");
        put(&stage, "queue", 0600, "17|RUNNING|1764083700|1764087300|ff-1-a|None\n");
        wait_until(&stage, is_running);
        put(&stage, "status", 0600, outages[i]);
        wait_until(&stage, is_unknown);
        unsigned changes = job.changes;
        if (i < sizeof outages / sizeof outages[0] - 1)
            wait_questions(&stage, 2);
        assert_int_equal(job.changes, changes);
        assert_int_equal(job.last.state, FF_BLOCK_RUNNING);
        assert_string_equal(job.last.handle, "17");
        put(&stage, "status", 0600, "cat queue\n");
        wait_until(&stage, is_known);
        assert_int_equal(job.last.state, FF_BLOCK_RUNNING);
        assert_int_equal(job.changes, changes + 1);
        assert_int_equal(count_calls(&stage, "sbatch"), 1);
        ff_batch_release(job.job);
        close_stage(&stage);
    }
}

/* ---- submissions that go wrong ---- */

static void test_a_refusal_is_told_in_its_words(void **state)
{
    (void)state;
    struct stage stage;
    struct watched job;
    one = &job;
    open_stage(&stage);
    put(&stage, "queue", 0600, "");
    put(&stage, "submit", 0600,
        "echo 'sbatch: error: invalid partition specified: gpux' >&2\n"
        "echo 'sbatch: error: Batch job submission failed: Invalid partition name specified' >&2\n"
        "exit 1\n");
    submit(&stage, &job, "ff-1-a");
    wait_until(&stage, has_ended);
    assert_string_equal(job.last.why,
                        "sbatch: invalid partition specified: gpux; Batch job submission "
                        "failed: Invalid partition name specified");
    assert_int_equal(count_calls(&stage, "sbatch"), 1);
    ff_batch_release(job.job);
    close_stage(&stage);
}

/* sbatch fails, or says nothing of use, or hangs, and the job is in the queue all the same: it is found by its name. */
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
        one = &job;
        open_stage(&stage);
        put(&stage, "submit", 0600, submits[i]);
        submit(&stage, &job, "ff-1-a");
        wait_until(&stage, is_pending);
        assert_string_equal(job.last.handle, "17");
        assert_int_equal(count_calls(&stage, "sbatch"), 1);
        ff_batch_release(job.job);
        close_stage(&stage);
    }
}

/* Down from before the submit: it is neither submitted nor gone; when the controller is back, it is refused. */
static void test_a_controller_that_is_down_gets_no_second_job(void **state)
{
    (void)state;
    struct stage stage;
    struct watched job;
    one = &job;
    open_stage(&stage);
    put(&stage, "submit", 0600,
        "echo 'sbatch: error: Batch job submission failed: Unable to contact slurm controller "
        "(connect failure)' >&2; exit 1\n");
    put(&stage, "status", 0600,
        "echo 'slurm_load_jobs error: Unable to contact slurm controller' >&2; exit 1\n");
    submit(&stage, &job, "ff-1-a");
    wait_until(&stage, submit_has_ended);
    wait_questions(&stage, 3);
    assert_int_equal(job.last.state, FF_BLOCK_SUBMITTING);
    assert_non_null(strstr(job.last.why, "Unable to contact"));
    assert_int_equal(count_calls(&stage, "sbatch"), 1);
    put(&stage, "queue", 0600, "");
    put(&stage, "status", 0600, "cat queue\n");
    wait_until(&stage, has_ended);
    assert_non_null(strstr(job.last.why, "Unable to contact"));
    assert_int_equal(count_calls(&stage, "sbatch"), 1);
    ff_batch_release(job.job);
    close_stage(&stage);
}

/* A job whose id is known, but that no answer has shown yet, is not given up for one answer without it. */
static void test_a_new_job_may_be_missing_once(void **state)
{
    (void)state;
    struct stage stage;
    struct watched job;
    one = &job;
    open_stage(&stage);
    put(&stage, "status", 0600,
        "if [ -e once ]; then cat queue; else touch once; fi\n"); /* the first answer is empty */
    submit(&stage, &job, "ff-1-a");
    wait_questions(&stage, 3);
    assert_int_equal(job.last.state, FF_BLOCK_PENDING);
    assert_false(job.ended);
    ff_batch_release(job.job);
    close_stage(&stage);
}

/* Others are asked about meanwhile, in whose answers it cannot be. */
static void test_a_slow_submit_is_not_missed(void **state)
{
    (void)state;
    struct stage stage;
    struct watched job;
    struct watched other;
    one = &job;
    open_stage(&stage);
    put(&stage, "queue", 0600, "16|RUNNING|1|2|ff-1-b|None\n");
    put(&stage, "submit", 0600,
        "case \"$*\" in\n*ff-1-b*) echo 16 ;;\n"
        "*) while [ ! -e go ]; do sleep 0.01; done; echo 17 ;;\nesac\n");
    submit(&stage, &other, "ff-1-b");
    submit(&stage, &job, "ff-1-a");
    wait_questions(&stage, 4);
    assert_int_equal(job.changes, 0);
    put(&stage, "queue", 0600, "17|RUNNING|1|2|ff-1-a|None\n16|RUNNING|1|2|ff-1-b|None\n");
    put(&stage, "go", 0600, "");
    wait_until(&stage, is_running);
    ff_batch_release(job.job);
    ff_batch_release(other.job);
    close_stage(&stage);
}

static bool asks(struct stage *stage)
{
    return count_calls(stage, "squeue") > 0;
}

/* An answer to a question that was asked before the submit had ended says nothing of it, however late it comes. */
static void test_an_old_question_does_not_count(void **state)
{
    (void)state;
    struct stage stage;
    struct watched job;
    struct watched other;
    one = &job;
    open_stage(&stage);
    put(&stage, "submit", 0600,
        "case \"$*\" in\n*ff-1-b*) echo 16 ;;\n"
        "*) while [ ! -e go ]; do sleep 0.01; done; echo 'sbatch: error: odd' >&2; exit 1 "
        ";;\nesac\n");
    put(&stage, "status", 0600,
        "if [ -e old ]; then cat queue; else while [ ! -e answer ]; do sleep 0.01; done; touch old;"
        " echo '16|RUNNING|1|2|ff-1-b|None'; fi\n");
    put(&stage, "queue", 0600, "17|RUNNING|1|2|ff-1-a|None\n16|RUNNING|1|2|ff-1-b|None\n");
    submit(&stage, &other, "ff-1-b");
    wait_until(&stage, asks);
    submit(&stage, &job, "ff-1-a");
    put(&stage, "go", 0600, "");
    wait_until(&stage, submit_has_ended);
    put(&stage, "answer", 0600, "");
    wait_until(&stage, is_running);
    ff_batch_release(job.job);
    ff_batch_release(other.job);
    close_stage(&stage);
}

static void test_what_cannot_be_started_was_not_submitted(void **state)
{
    (void)state;
    struct stage stage;
    struct ff_error error;
    struct watched job = {0};
    open_stage(&stage);
    const struct ff_job_order order = order_of(&stage, "ff-1-a");
    const struct ff_provider_events events = {&job, note, lives};
    char *program = ff_path_join(stage.folder, "sbatch");
    unlink(program);
    setenv("PATH", stage.folder, 1);
    assert_null(ff_batch_submit(stage.site, &order, &events, &error));
    assert_non_null(strstr(error.message, "sbatch"));
    free(program);
    close_stage(&stage);
}

/* ---- after a restart of the agent ---- */

static void test_adoption_by_id_and_by_name(void **state)
{
    (void)state;
    static const char *const handles[] = {"17", ""};
    for (int i = 0; i < 2; i++) {
        struct stage stage;
        struct watched job;
        one = &job;
        open_stage(&stage);
        put(&stage, "queue", 0600,
            "16|CANCELLED|1|2|ff-1-a|None\n17|RUNNING|1764083700|1764087300|ff-1-a|None\n");
        adopt(&stage, &job, "ff-1-a", handles[i]);
        assert_true(ff_batch_report(job.job)->unknown_since_ns > 0); /* nobody was asked yet */
        wait_until(&stage, is_running);
        assert_int_equal(job.last.unknown_since_ns, 0);
        assert_string_equal(job.last.handle, "17");
        assert_int_equal(count_calls(&stage, "sbatch"), 0);
        ff_batch_release(job.job);
        close_stage(&stage);
    }
}

static void test_what_was_never_submitted_is_let_go(void **state)
{
    (void)state;
    struct stage stage;
    struct watched job;
    one = &job;
    open_stage(&stage);
    put(&stage, "queue", 0600, "");
    adopt(&stage, &job, "ff-1-a", "");
    wait_until(&stage, has_ended);
    assert_string_equal(job.last.why, "it was never submitted");
    ff_batch_release(job.job);
    close_stage(&stage);
}

/* The sbatch of the agent before still runs: until it has ended, an empty queue says nothing. */
static void test_a_submit_under_way_is_waited_for(void **state)
{
    (void)state;
    struct stage stage;
    struct watched job;
    struct ff_error error;
    struct ff_process_id id;
    one = &job;
    open_stage(&stage);
    put(&stage, "queue", 0600, "");
    pid_t child = fork();
    if (child == 0)
        for (;;)
            pause();
    assert_int_equal(ff_process_identify(child, &id), 0);
    char *path = ff_path_join(stage.folder, "submitting");
    assert_ok(ff_process_file_write_of(path, id, &error), error);
    adopt(&stage, &job, "ff-1-a", "");
    wait_questions(&stage, 4);
    assert_false(job.ended);
    put(&stage, "queue", 0600, "17|PENDING|N/A|N/A|ff-1-a|Resources\n");
    wait_until(&stage, is_pending);
    put(&stage, "queue", 0600, "");
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    wait_until(&stage, has_ended);
    free(path);
    ff_batch_release(job.job);
    close_stage(&stage);
}

/* Killed while sbatch runs: the one that comes after finds the job, and submits none. */
static void test_killed_between_submit_and_its_answer(void **state)
{
    (void)state;
    struct stage stage;
    struct watched job;
    one = &job;
    open_stage(&stage);
    put(&stage, "submit", 0600, "sleep 1000\n");
    submit(&stage, &job, "ff-1-a");
    ff_batch_release(job.job);
    ff_batch_close(stage.site);
    open_site(&stage);
    adopt(&stage, &job, "ff-1-a", "");
    wait_until(&stage, is_pending);
    assert_string_equal(job.last.handle, "17");
    ff_batch_release(job.job);
    close_stage(&stage);
}

/* ---- orders ---- */

static bool cancelled_twice(struct stage *stage)
{
    return count_calls(stage, "scancel 17") >= 2;
}

static void test_a_cancel_that_fails_is_repeated(void **state)
{
    (void)state;
    struct stage stage;
    struct watched job;
    one = &job;
    open_stage(&stage);
    put(&stage, "cancel", 0600, "exit 1\n");
    submit(&stage, &job, "ff-1-a");
    wait_questions(&stage, 1);
    ff_batch_cancel(job.job, false);
    wait_until(&stage, cancelled_twice);
    put(&stage, "queue", 0600, "17|CANCELLED|1|2|ff-1-a|None\n");
    wait_until(&stage, has_ended);
    assert_string_equal(job.last.why, "the job was cancelled");
    ff_batch_cancel(job.job, true); /* nothing is left to cancel */
    ff_batch_release(job.job);
    close_stage(&stage);
}

/* One that is ending on a dead node stands in the queue for hours: it is cancelled again, but not after each question. */
static void test_a_job_that_will_not_go_is_not_cancelled_all_the_time(void **state)
{
    (void)state;
    enum { QUESTIONS = 30 };
    struct stage stage;
    struct watched job;
    one = &job;
    open_stage(&stage);
    submit(&stage, &job, "ff-1-a");
    put(&stage, "queue", 0600, "17|COMPLETING|1|2|ff-1-a|None\n");
    wait_questions(&stage, 1);
    ff_batch_cancel(job.job, false);
    wait_until(&stage, cancelled_twice);
    wait_questions(&stage, QUESTIONS);
    assert_in_range(count_calls(&stage, "scancel 17"), 2, QUESTIONS / 2);
    ff_batch_release(job.job);
    close_stage(&stage);
}

/* Its id comes later than the order. */
static void test_a_job_that_is_being_submitted_can_be_cancelled(void **state)
{
    (void)state;
    struct stage stage;
    struct watched job;
    one = &job;
    open_stage(&stage);
    put(&stage, "submit", 0600, "while [ ! -e go ]; do sleep 0.01; done; echo 17\n");
    submit(&stage, &job, "ff-1-a");
    ff_batch_cancel(job.job, false);
    put(&stage, "go", 0600, "");
    wait_until(&stage, was_cancelled);
    put(&stage, "queue", 0600, "");
    wait_until(&stage, has_ended);
    ff_batch_release(job.job);
    close_stage(&stage);
}

/* One question for all of them, and who ends does not disturb the others. */
static void test_many_jobs_are_one_question(void **state)
{
    (void)state;
    enum { COUNT = 5 };
    struct stage stage;
    struct watched jobs[COUNT];
    char name[32];
    one = &jobs[2];
    open_stage(&stage);
    put(&stage, "submit", 0600,
        "for word; do case $word in --job-name=ff-1-*) echo 1${word##*-};; esac; done\n");
    put(&stage, "queue", 0600, "");
    put(&stage, "status", 0600,
        "for i in 0 1 3 4; do echo \"1$i|RUNNING|1|2|ff-1-$i|None\"; done; cat queue\n");
    put(&stage, "queue", 0600, "12|TIMEOUT|1|2|ff-1-2|TimeLimit\n");
    for (int i = 0; i < COUNT; i++) {
        snprintf(name, sizeof name, "ff-1-%d", i);
        submit(&stage, &jobs[i], name);
    }
    wait_until(&stage, has_ended);
    wait_questions(&stage, 1);
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(jobs[i].last.state, i == 2 ? FF_BLOCK_ENDED : FF_BLOCK_RUNNING);
    for (int i = 0; i < COUNT; i++)
        ff_batch_release(jobs[i].job);
    close_stage(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_job_waits_runs_and_ends),
        cmocka_unit_test(test_an_event_brings_the_next_question),
        cmocka_unit_test(test_absent_from_a_good_answer_is_gone),
        cmocka_unit_test(test_a_running_job_outlives_an_empty_list),
        cmocka_unit_test(test_unknown_is_not_gone),
        cmocka_unit_test(test_a_refusal_is_told_in_its_words),
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
        cmocka_unit_test(test_a_cancel_that_fails_is_repeated),
        cmocka_unit_test(test_a_job_that_will_not_go_is_not_cancelled_all_the_time),
        cmocka_unit_test(test_a_job_that_is_being_submitted_can_be_cancelled),
        cmocka_unit_test(test_many_jobs_are_one_question),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

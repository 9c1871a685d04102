#include "tests/unit/endpoint/providers/stage.h"

#include "endpoint/providers/scheduler.h"
#include "protocol/core/clock.h"
#include "protocol/core/file.h"
#include "tests/unit/check.h"

#include <unistd.h>

enum { WAIT_MS = 30000 };

void stage_put(const struct stage *stage, const char *name, mode_t mode, const char *text)
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
    stage_put(stage, name, 0755, text);
}

unsigned stage_count_calls(const struct stage *stage, const char *name)
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

void stage_wait_until(struct stage *stage, bool (*reached)(struct stage *stage))
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
    return stage_count_calls(stage, "squeue") >= questions_wanted;
}

void stage_wait_questions(struct stage *stage, unsigned more)
{
    questions_wanted = stage_count_calls(stage, "squeue") + more + 1;
    stage_wait_until(stage, asked_enough);
}

void stage_open_site(struct stage *stage)
{
    static const struct ff_batch_pace quick = {
        .first_ms = 5, .longest_ms = 20, .limit_ms = 2000, .submit_limit_ms = 2000};
    struct ff_error error;
    stage->site = ff_batch_open(&ff_provider_slurm, stage->loop, &stage->config, &error);
    assert_non_null(stage->site);
    ff_batch_set_pace(stage->site, &quick);
}

void stage_open(struct stage *stage)
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
    stage_put(stage, "submit", 0600, "echo 17\n");
    stage_put(stage, "status", 0600, "cat queue\n");
    stage_put(stage, "cancel", 0600, "exit 0\n");
    stage_put(stage, "queue", 0600, "17|PENDING|N/A|N/A|ff-1-a|Resources\n");
    ff_config_defaults(&stage->config);
    stage->loop = ff_loop_create(&error);
    stage->tick = ff_timer_create(stage->loop, look, stage, &error);
    stage_open_site(stage);
}

void stage_close(struct stage *stage)
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

void stage_note(void *user)
{
    struct watched *watched = user;
    watched->last = *ff_batch_report(watched->job);
    watched->changes++;
    assert_false(watched->ended); /* nothing follows the end */
    watched->ended = watched->last.state == FF_BLOCK_ENDED;
}

bool job_lives(void *user)
{
    const struct watched *watched = user;
    return watched->speaks;
}

static const char *const command[] = {"/opt/farfield-manager", "/e", "a", NULL};

struct ff_job_order stage_order_of(const struct stage *stage, const char *name)
{
    return (struct ff_job_order){name, stage->folder, "/tmp", command, 1};
}

void stage_submit(struct stage *stage, struct watched *watched, const char *name)
{
    struct ff_error error;
    const struct ff_job_order order = stage_order_of(stage, name);
    const struct ff_provider_events events = {watched, stage_note, job_lives};
    memset(watched, 0, sizeof *watched);
    watched->stage = stage;
    watched->job = ff_batch_submit(stage->site, &order, &events, &error);
    if (watched->job == NULL)
        fail_msg("%s", error.message);
    assert_int_equal(ff_batch_report(watched->job)->state, FF_BLOCK_SUBMITTING);
}

void stage_adopt(struct stage *stage, struct watched *watched, const char *name, const char *handle)
{
    struct ff_error error;
    const struct ff_job_order order = stage_order_of(stage, name);
    const struct ff_provider_events events = {watched, stage_note, job_lives};
    memset(watched, 0, sizeof *watched);
    watched->stage = stage;
    watched->job = ff_batch_adopt(stage->site, &order, handle, &events, &error);
    assert_non_null(watched->job);
}

struct watched *stage_one;

bool job_has_ended(struct stage *stage)
{
    (void)stage;
    return stage_one->ended;
}

bool job_is_running(struct stage *stage)
{
    (void)stage;
    return stage_one->last.state == FF_BLOCK_RUNNING;
}

bool job_is_pending(struct stage *stage)
{
    (void)stage;
    return stage_one->last.state == FF_BLOCK_PENDING;
}

bool job_is_unknown(struct stage *stage)
{
    (void)stage;
    return stage_one->last.unknown_since_ns != 0;
}

bool job_is_known(struct stage *stage)
{
    (void)stage;
    return stage_one->last.unknown_since_ns == 0;
}

bool submit_has_ended(struct stage *stage)
{
    (void)stage;
    return stage_one->changes > 0;
}

bool was_cancelled(struct stage *stage)
{
    return stage_count_calls(stage, "scancel") > 0;
}

/* Blocks with a provider that only pretends: the test says what becomes of its jobs. */
#include "tests/unit/check.h"

#include "endpoint/block_words.h"
#include "endpoint/blocks.h"
#include "protocol/core/clock.h"
#include "protocol/core/file.h"

#include <unistd.h>

struct ff_provider_site {
    int jobs;
};

struct ff_provider_job {
    struct ff_provider_site *site;
    struct ff_provider_events events;
    struct ff_job_report report;
    bool cancelled;
};

static struct ff_provider_job *last_job;
static char last_name[FF_JOB_NAME_SIZE];
static unsigned last_nodes;
static bool adoptable;
static bool submits;

static struct ff_provider_site *open_site(const struct ff_provider *provider, struct ff_loop *loop,
                                          const struct ff_config *config, struct ff_error *error)
{
    (void)provider;
    (void)loop;
    (void)config;
    (void)error;
    return calloc(1, sizeof(struct ff_provider_site));
}

static void close_site(struct ff_provider_site *site)
{
    assert_int_equal(site->jobs, 0);
    free(site);
}

static struct ff_provider_job *make_job(struct ff_provider_site *site,
                                        const struct ff_job_order *order,
                                        const struct ff_provider_events *events)
{
    struct ff_provider_job *job = calloc(1, sizeof *job);
    job->site = site;
    site->jobs++;
    job->events = *events;
    job->report.state = FF_BLOCK_SUBMITTING;
    snprintf(last_name, sizeof last_name, "%s", order->name);
    last_nodes = order->nodes;
    last_job = job;
    return job;
}

static struct ff_provider_job *submit(struct ff_provider_site *site,
                                      const struct ff_job_order *order,
                                      const struct ff_provider_events *events,
                                      struct ff_error *error)
{
    assert_string_equal(order->command[0], "/prefix/farfield-manager");
    assert_non_null(strstr(order->folder, order->command[2])); /* the block's id */
    if (submits)
        return make_job(site, order, events);
    ff_fail(error, FF_BUSY, "the queue is closed");
    return NULL;
}

static char adopted_handle[FF_HANDLE_SIZE];

static struct ff_provider_job *adopt(struct ff_provider_site *site,
                                     const struct ff_job_order *order, const char *handle,
                                     const struct ff_provider_events *events,
                                     struct ff_error *error)
{
    snprintf(adopted_handle, sizeof adopted_handle, "%s", handle);
    if (adoptable)
        return make_job(site, order, events);
    ff_fail(error, FF_NOT_FOUND, "it is over");
    return NULL;
}

static const struct ff_job_report *report(const struct ff_provider_job *job)
{
    return &job->report;
}

static void look(struct ff_provider_job *job)
{
    (void)job;
}

static void cancel(struct ff_provider_job *job, bool at_once)
{
    (void)at_once;
    job->cancelled = true;
}

static void release(struct ff_provider_job *job)
{
    job->site->jobs--;
    free(job);
}

static const struct ff_provider pretend = {
    .name = "pretend",
    .grows = true,
    .open = open_site,
    .close = close_site,
    .submit = submit,
    .adopt = adopt,
    .report = report,
    .look = look,
    .cancel = cancel,
    .release = release,
};

static void becomes(enum ff_block_state state, const char *handle, const char *why)
{
    last_job->report.state = state;
    snprintf(last_job->report.handle, sizeof last_job->report.handle, "%s", handle);
    snprintf(last_job->report.why, sizeof last_job->report.why, "%s", why);
    last_job->events.changed(last_job->events.user);
}

struct bench {
    struct ff_folder folder;
    struct ff_config config;
    struct ff_loop *loop;
    struct ff_blocks *blocks;
    int ended;
    int changed;
};

static void note_ended(void *user, struct ff_block *block)
{
    struct bench *bench = user;
    assert_int_equal(block->state, FF_BLOCK_ENDED);
    bench->ended++;
}

static void note_changed(void *user, struct ff_block *block)
{
    struct bench *bench = user;
    assert_int_not_equal(block->state, FF_BLOCK_ENDED);
    bench->changed++;
}

static void open_blocks(struct bench *bench)
{
    struct ff_error error;
    const struct ff_blocks_events events = {bench, note_ended, note_changed};
    bench->blocks = ff_blocks_create(bench->loop, &bench->folder, &bench->config, &pretend,
                                     "/prefix/farfield-manager", &events, &error);
    assert_non_null(bench->blocks);
}

static void open_bench(struct bench *bench)
{
    struct ff_error error;
    memset(bench, 0, sizeof *bench);
    char *folder = make_folder();
    snprintf(bench->folder.root, sizeof bench->folder.root, "%s", folder);
    free(folder);
    ff_config_defaults(&bench->config);
    bench->config.slots = 3;
    bench->loop = ff_loop_create(&error);
    submits = true;
    open_blocks(bench);
}

static void close_bench(struct bench *bench)
{
    struct ff_error error;
    ff_blocks_destroy(bench->blocks);
    ff_loop_destroy(bench->loop);
    assert_ok(ff_folder_remove(bench->folder.root, &error), error);
}

static bool is_there(const struct bench *bench, const char *id, const char *name)
{
    char path[PATH_MAX];
    ff_folder_path(&bench->folder, path, "blocks/%s/%s", id, name);
    return access(path, F_OK) == 0;
}

static void test_a_block_has_keys_settings_and_a_handle(void **state)
{
    (void)state;
    struct bench bench;
    struct ff_error error;
    const struct ff_id endpoint = {{1}};
    char path[PATH_MAX];
    char *text = NULL;
    size_t size = 0;
    open_bench(&bench);
    struct ff_block *block = ff_blocks_start(bench.blocks, 1, &endpoint, &error);
    assert_non_null(block);
    assert_true(is_there(&bench, block->id, "keys"));
    assert_int_equal(block->state, FF_BLOCK_SUBMITTING);
    assert_false(is_there(&bench, block->id, "job"));
    becomes(FF_BLOCK_PENDING, "17", "the nodes are busy");
    assert_int_equal(block->state, FF_BLOCK_PENDING);
    assert_string_equal(block->why, "the nodes are busy");
    assert_int_equal(bench.changed, 1);
    assert_true(is_there(&bench, block->id, "job"));
    snprintf(path, sizeof path, "ff-01000000-%s", block->id);
    assert_string_equal(last_name, path);
    ff_folder_path(&bench.folder, path, "blocks/%s/block.yaml", block->id);
    assert_ok(ff_file_read(path, 65536, &text, &size, &error), error);
    assert_non_null(strstr(text, "slots: 3"));
    assert_non_null(strstr(text, "endpoint_id: 01000000-"));
    free(text);
    assert_ptr_equal(ff_blocks_find_key(bench.blocks, block->public_key), block);
    assert_null(ff_blocks_find_key(bench.blocks, "another key"));
    close_bench(&bench);
}

static void test_the_end_is_told_and_swept(void **state)
{
    (void)state;
    struct bench bench;
    struct ff_error error;
    const struct ff_id endpoint = {{1}};
    open_bench(&bench);
    struct ff_block *block = ff_blocks_start(bench.blocks, 1, &endpoint, &error);
    char id[FF_BLOCK_ID_SIZE];
    snprintf(id, sizeof id, "%s", block->id);
    ff_block_cancel(block, false);
    assert_true(last_job->cancelled);
    assert_true(block->stopping);
    becomes(FF_BLOCK_ENDED, "17", "as was asked");
    assert_int_equal(bench.ended, 1);
    assert_string_equal(block->why, "as was asked");
    ff_block_destroy(block);
    assert_null(ff_blocks_first(bench.blocks));
    assert_false(is_there(&bench, id, ""));
    close_bench(&bench);
}

static void test_times_are_told(void **state)
{
    (void)state;
    struct bench bench;
    struct ff_error error;
    const struct ff_id endpoint = {{1}};
    const int64_t second = 1000000000;
    open_bench(&bench);
    int64_t now_ns = ff_wall_ns();
    struct ff_block *block = ff_blocks_start(bench.blocks, 1, &endpoint, &error);
    last_job->report.starts_ns = now_ns + 60 * second;
    becomes(FF_BLOCK_PENDING, "17", "");
    assert_int_equal(block->expected_ns, now_ns + 60 * second);
    assert_int_equal(block->started_ns, 0);
    last_job->report.starts_ns = now_ns - second / 10;
    last_job->report.ends_ns = now_ns + 100 * second;
    becomes(FF_BLOCK_RUNNING, "17", "");
    assert_int_equal(block->expected_ns, 0);
    assert_int_equal(block->ends_ns, now_ns + 100 * second);
    assert_true(block->started_ns > 0 && block->started_ns <= ff_monotonic_ns() - second / 10);
    last_job->report.ends_ns = 0;
    becomes(FF_BLOCK_PENDING, "17", "requeued"); /* it waits again */
    assert_int_equal(block->started_ns, 0);
    assert_int_equal(block->ends_ns, 0);
    last_job->report.unknown_since_ns = 77;
    becomes(FF_BLOCK_PENDING, "17", "requeued");
    assert_int_equal(block->unknown_since_ns, 77);
    close_bench(&bench);
}

static void write_log(const struct bench *bench, const char *id, struct ff_span text)
{
    struct ff_error error;
    char path[PATH_MAX];
    ff_folder_path(&bench->folder, path, "blocks/%s/log", id);
    assert_ok(ff_file_write(path, text, 0600, &error), error);
}

static void test_its_last_words_are_one_line_that_may_be_printed(void **state)
{
    (void)state;
    struct bench bench;
    struct ff_error error;
    const struct ff_id endpoint = {{1}};
    char words[32];
    open_bench(&bench);
    struct ff_block *block = ff_blocks_start(bench.blocks, 1, &endpoint, &error);
    ff_block_last_words(block, words, sizeof words);
    assert_string_equal(words, "");
    write_log(&bench, block->id, ff_span_of("no\tmodule\n\x1b[31mred \xff\n\n"));
    ff_block_last_words(block, words, sizeof words);
    assert_string_equal(words, "no module ?[31mred ?");
    write_log(&bench, block->id,
              ff_span_of("a first line that is too long\nthe second\nthe third\n"));
    ff_block_last_words(block, words, sizeof words);
    assert_string_equal(words, "the second the third");
    write_log(&bench, block->id,
              ff_span_of("one line that is much longer than there is room for it"));
    ff_block_last_words(block, words, sizeof words);
    assert_string_equal(words, " longer than there is room for it" + 2);
    close_bench(&bench);
}

static void test_how_it_is_in_words(void **state)
{
    (void)state;
    struct bench bench;
    struct ff_error error;
    const struct ff_id endpoint = {{1}};
    char words[512];
    char whole[600];
    open_bench(&bench);
    struct ff_block *block = ff_blocks_start(bench.blocks, 1, &endpoint, &error);
    ff_block_say(block, words, sizeof words);
    snprintf(whole, sizeof whole, "block %s is being submitted", block->id);
    assert_string_equal(words, whole);
    assert_string_equal(ff_block_word(block), "submitting");
    last_job->report.starts_ns = INT64_C(1795629600) * 1000000000;
    becomes(FF_BLOCK_PENDING, "17", "the nodes it needs are busy");
    ff_block_say(block, words, sizeof words);
    snprintf(whole, sizeof whole,
             "block %s (job 17) waits in the queue: the nodes it needs are busy; expected to start "
             "2026-11-25 18:00Z",
             block->id);
    assert_string_equal(words, whole);
    assert_string_equal(ff_block_word(block), "pending");
    block->managers = 1; /* they may speak before the scheduler does */
    assert_string_equal(ff_block_word(block), "up");
    ff_block_say(block, words, sizeof words);
    assert_null(strstr(words, "in the queue"));
    block->managers = 0;
    becomes(FF_BLOCK_RUNNING, "17", "");
    assert_string_equal(ff_block_word(block), "starting");
    ff_block_say(block, words, sizeof words);
    assert_non_null(strstr(words, "its workers have not called back yet"));
    block->had_manager = true;
    assert_string_equal(ff_block_word(block), "up");
    block->draining = true;
    assert_string_equal(ff_block_word(block), "leaving");
    close_bench(&bench);
}

/* With an id, and killed before there was one: then the name has to do. */
static void test_the_next_agent_adopts_what_lives(void **state)
{
    (void)state;
    static const char *const handles[] = {"17", ""};
    struct bench bench;
    struct ff_error error;
    const struct ff_id endpoint = {{0xab, 0xcd, 0x12, 0x34}};
    for (int i = 0; i < 2; i++) {
        char key[FF_CURVE_TEXT_SIZE];
        char id[FF_BLOCK_ID_SIZE];
        char name[FF_JOB_NAME_SIZE];
        open_bench(&bench);
        struct ff_block *block = ff_blocks_start(bench.blocks, 3, &endpoint, &error);
        assert_int_equal(last_nodes, 3);
        if (handles[i][0] != '\0')
            becomes(FF_BLOCK_PENDING, handles[i], "");
        snprintf(key, sizeof key, "%s", block->public_key);
        snprintf(id, sizeof id, "%s", block->id);
        snprintf(name, sizeof name, "ff-abcd1234-%s", id);
        ff_blocks_destroy(bench.blocks); /* as when the agent is killed */
        open_blocks(&bench);
        adoptable = true;
        last_nodes = 0;
        last_name[0] = '\0';
        ff_blocks_adopt(bench.blocks);
        block = ff_blocks_find_key(bench.blocks, key);
        assert_non_null(block);
        assert_true(block->adopted);
        assert_false(block->announced);
        assert_string_equal(adopted_handle, handles[i]);
        assert_string_equal(last_name, name);
        assert_int_equal(last_nodes, 3);
        assert_int_equal(block->nodes, 3);
        ff_blocks_destroy(bench.blocks);
        open_blocks(&bench);
        adoptable = false;
        ff_blocks_adopt(bench.blocks);
        assert_null(ff_blocks_first(bench.blocks));
        assert_false(is_there(&bench, id, ""));
        close_bench(&bench);
    }
}

static void test_what_cannot_start_leaves_nothing(void **state)
{
    (void)state;
    struct bench bench;
    struct ff_error error;
    const struct ff_id endpoint = {{1}};
    open_bench(&bench);
    submits = false;
    assert_null(ff_blocks_start(bench.blocks, 1, &endpoint, &error));
    assert_non_null(strstr(error.message, "closed"));
    assert_null(ff_blocks_first(bench.blocks));
    adoptable = true;
    ff_blocks_adopt(bench.blocks); /* no folder was left that could be adopted */
    assert_null(ff_blocks_first(bench.blocks));
    close_bench(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_block_has_keys_settings_and_a_handle),
        cmocka_unit_test(test_the_end_is_told_and_swept),
        cmocka_unit_test(test_times_are_told),
        cmocka_unit_test(test_its_last_words_are_one_line_that_may_be_printed),
        cmocka_unit_test(test_how_it_is_in_words),
        cmocka_unit_test(test_the_next_agent_adopts_what_lives),
        cmocka_unit_test(test_what_cannot_start_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

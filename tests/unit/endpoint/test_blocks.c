/* Blocks with a provider that only pretends: the test says what becomes of its jobs. */
#include "tests/unit/check.h"

#include "endpoint/blocks.h"
#include "protocol/core/file.h"

#include <unistd.h>

struct ff_provider_job {
    struct ff_provider_events events;
    bool cancelled;
};

static struct ff_provider_job *last_job;
static bool adoptable;
static bool submits;

static struct ff_provider_job *make_job(const struct ff_provider_events *events)
{
    struct ff_provider_job *job = calloc(1, sizeof *job);
    job->events = *events;
    last_job = job;
    return job;
}

static struct ff_provider_job *submit(struct ff_loop *loop, const char *const command[],
                                      const char *log, const struct ff_provider_events *events,
                                      struct ff_error *error)
{
    (void)loop;
    assert_string_equal(command[0], "/prefix/farfield-manager");
    assert_non_null(strstr(log, command[2])); /* the block's id */
    if (submits)
        return make_job(events);
    ff_fail(error, FF_BUSY, "the queue is closed");
    return NULL;
}

static struct ff_provider_job *adopt(struct ff_loop *loop, const char *handle,
                                     const struct ff_provider_events *events,
                                     struct ff_error *error)
{
    (void)loop;
    assert_string_equal(handle, "job 17");
    if (adoptable)
        return make_job(events);
    ff_fail(error, FF_NOT_FOUND, "it is over");
    return NULL;
}

static const char *handle(const struct ff_provider_job *job)
{
    (void)job;
    return "job 17";
}

static void cancel(struct ff_provider_job *job, bool at_once)
{
    (void)at_once;
    job->cancelled = true;
}

static void release(struct ff_provider_job *job)
{
    free(job);
}

static const struct ff_provider pretend = {
    .name = "pretend",
    .submit = submit,
    .adopt = adopt,
    .handle = handle,
    .cancel = cancel,
    .release = release,
};

struct bench {
    struct ff_folder folder;
    struct ff_config config;
    struct ff_loop *loop;
    struct ff_blocks *blocks;
    int ended;
};

static void note_ended(void *user, struct ff_block *block)
{
    struct bench *bench = user;
    assert_true(block->ended);
    bench->ended++;
}

static void open_blocks(struct bench *bench)
{
    struct ff_error error;
    const struct ff_blocks_events events = {bench, note_ended};
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
    struct ff_block *block = ff_blocks_start(bench.blocks, &endpoint, &error);
    assert_non_null(block);
    assert_true(is_there(&bench, block->id, "keys"));
    assert_true(is_there(&bench, block->id, "job"));
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
    struct ff_block *block = ff_blocks_start(bench.blocks, &endpoint, &error);
    char id[FF_BLOCK_ID_SIZE];
    snprintf(id, sizeof id, "%s", block->id);
    ff_block_cancel(block, false);
    assert_true(last_job->cancelled);
    assert_true(block->stopping);
    last_job->events.changed(last_job->events.user, FF_BLOCK_ENDED, "job 17", "as was asked");
    assert_int_equal(bench.ended, 1);
    assert_string_equal(block->why, "as was asked");
    ff_block_destroy(block);
    assert_null(ff_blocks_first(bench.blocks));
    assert_false(is_there(&bench, id, ""));
    close_bench(&bench);
}

static void test_the_next_agent_adopts_what_lives(void **state)
{
    (void)state;
    struct bench bench;
    struct ff_error error;
    const struct ff_id endpoint = {{1}};
    char key[FF_CURVE_TEXT_SIZE];
    char id[FF_BLOCK_ID_SIZE];
    open_bench(&bench);
    struct ff_block *block = ff_blocks_start(bench.blocks, &endpoint, &error);
    snprintf(key, sizeof key, "%s", block->public_key);
    snprintf(id, sizeof id, "%s", block->id);
    ff_blocks_destroy(bench.blocks); /* as when the agent is killed */
    open_blocks(&bench);
    adoptable = true;
    ff_blocks_adopt(bench.blocks);
    block = ff_blocks_find_key(bench.blocks, key);
    assert_non_null(block);
    assert_true(block->adopted);
    assert_false(block->announced);
    ff_blocks_destroy(bench.blocks);
    open_blocks(&bench);
    adoptable = false;
    ff_blocks_adopt(bench.blocks);
    assert_null(ff_blocks_first(bench.blocks));
    assert_false(is_there(&bench, id, ""));
    close_bench(&bench);
}

static void test_what_cannot_start_leaves_nothing(void **state)
{
    (void)state;
    struct bench bench;
    struct ff_error error;
    const struct ff_id endpoint = {{1}};
    open_bench(&bench);
    submits = false;
    assert_null(ff_blocks_start(bench.blocks, &endpoint, &error));
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
        cmocka_unit_test(test_the_next_agent_adopts_what_lives),
        cmocka_unit_test(test_what_cannot_start_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

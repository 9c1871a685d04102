#include "tests/unit/check.h"

#include "protocol/core/file.h"
#include "service/store/store.h"

#include <sys/stat.h>
#include <unistd.h>

struct fixture {
    char *folder, *path;
    struct ff_store *writer, *reader;
    struct ff_store_start start;
};

static const struct ff_store_operations *const ops = &ff_store_sqlite;

static void open_stores(struct fixture *fixture)
{
    struct ff_error error;
    fixture->writer = ops->open(fixture->path, FF_STORE_WRITER, &fixture->start, &error);
    if (fixture->writer == NULL)
        fail_msg("%s", error.message);
    fixture->reader = ops->open(fixture->path, FF_STORE_READER, NULL, &error);
    assert_non_null(fixture->reader);
}

static void close_stores(struct fixture *fixture)
{
    ops->close(fixture->reader);
    ops->close(fixture->writer);
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    fixture->folder = make_folder();
    fixture->path = ff_path_join(fixture->folder, "ledger.db");
    open_stores(fixture);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    struct ff_error error;
    close_stores(fixture);
    assert_ok(ff_folder_remove(fixture->folder, &error), error);
    free(fixture->path);
    free(fixture->folder);
    free(fixture);
    return 0;
}

/* Three tasks: text, text, object. */
static struct ff_batch_row put_batch(struct fixture *fixture, int64_t first)
{
    struct ff_error error;
    struct ff_digest object = {{7}};
    struct ff_payload payloads[3] = {{.text = ff_span_of("1"), .size = 1},
                                     {.text = ff_span_of("\"two\""), .size = 5},
                                     {.object = &object, .size = 2000000}};
    struct ff_batch_row row = {.first = first,
                               .count = 3,
                               .group = {{1, 2, 3}},
                               .endpoint = 4,
                               .function = 5,
                               .user = ff_span_of("ada"),
                               .priority = ff_span_of("normal"),
                               .submitted_ns = 1000,
                               .max_retries = 2};
    assert_ok(ops->begin(fixture->writer, &error), error);
    assert_ok(ops->put_batch(fixture->writer, &row, payloads, &error), error);
    assert_ok(ops->commit(fixture->writer, &error), error);
    return row;
}

static void put_result(struct fixture *fixture, int64_t key, int64_t seq)
{
    struct ff_error error;
    struct ff_result_row row = {.key = key,
                                .seq = seq,
                                .state = FF_TASK_SUCCESS,
                                .number = 1,
                                .value = ff_span_of("{\"a\":1}"),
                                .stored_ns = 2000};
    assert_ok(ops->begin(fixture->writer, &error), error);
    assert_ok(ops->put_result(fixture->writer, &row, &error), error);
    assert_ok(ops->commit(fixture->writer, &error), error);
}

static void test_every_start_has_a_new_epoch_and_keys_go_on(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(fixture->start.epoch, 1);
    assert_int_equal(fixture->start.next_task, 1);
    put_batch(fixture, 1);
    close_stores(fixture);
    open_stores(fixture);
    assert_int_equal(fixture->start.epoch, 2);
    assert_int_equal(fixture->start.next_task, 4);
}

static void test_payloads_are_text_or_objects(void **state)
{
    struct fixture *fixture = *state;
    struct ff_error error;
    struct ff_buffer text;
    struct ff_digest object;
    uint64_t size = 0;
    put_batch(fixture, 1);
    ff_buffer_init(&text, 100);
    assert_int_equal(ops->get_payload(fixture->reader, 2, &text, &object, &size, &error), 1);
    assert_string_equal(ff_buffer_text(&text), "\"two\"");
    ff_buffer_clear(&text);
    assert_int_equal(ops->get_payload(fixture->reader, 3, &text, &object, &size, &error), 1);
    assert_int_equal(text.size, 0);
    assert_int_equal(object.bytes[0], 7);
    assert_int_equal(size, 2000000);
    assert_int_equal(ops->get_payload(fixture->reader, 4, &text, &object, &size, &error), 0);
    ff_buffer_dispose(&text);
}

static int keep_open(void *user, const struct ff_open_task *task)
{
    struct ff_open_task *tasks = user;
    tasks[task->key - 1] = *task;
    return 0;
}

static int count_batch(void *user, const struct ff_batch_row *row)
{
    (void)row;
    ++*(int *)user;
    return 0;
}

static void test_a_restart_finds_what_has_no_result(void **state)
{
    struct fixture *fixture = *state;
    struct ff_error error;
    struct ff_open_task tasks[3];
    struct ff_trial_row trial = {
        .key = 3, .number = 2, .charged = 1, .asked = 2, .checkpoint = {{9}}, .checkpoint_size = 5};
    int batches = 0;
    put_batch(fixture, 1);
    put_result(fixture, 2, 1);
    assert_ok(ops->put_trial(fixture->writer, &trial, &error), error);
    assert_ok(ops->each_open_batch(fixture->reader, count_batch, &batches, &error), error);
    assert_int_equal(batches, 1);
    assert_ok(ops->each_open_task(fixture->reader, 1, 3, keep_open, tasks, &error), error);
    assert_false(tasks[0].ended);
    assert_true(tasks[1].ended);
    assert_true(tasks[2].is_object);
    assert_false(tasks[0].has_trial);
    assert_true(tasks[2].has_trial);
    assert_int_equal(tasks[2].trial.charged, 1);
    assert_int_equal(tasks[2].trial.asked, 2);
    assert_int_equal(tasks[2].trial.checkpoint.bytes[0], 9);
    assert_ok(ops->close_batch(fixture->writer, 1, &error), error);
    batches = 0;
    assert_ok(ops->each_open_batch(fixture->reader, count_batch, &batches, &error), error);
    assert_int_equal(batches, 0);
}

static void test_what_is_rolled_back_is_not_there(void **state)
{
    struct fixture *fixture = *state;
    struct ff_error error;
    struct ff_token_row token = {.user = ff_span_of("ada"), .scopes = ff_span_of("all")};
    assert_ok(ops->begin(fixture->writer, &error), error);
    assert_ok(ops->put_token(fixture->writer, &token, &error), error);
    assert_true(token.key > 0);
    ops->rollback(fixture->writer);
    ops->rollback(fixture->writer);
    assert_ok(ops->begin(fixture->writer, &error), error);
    assert_ok(ops->commit(fixture->writer, &error), error);
}

static int keep_end(void *user, int64_t seq, int64_t key)
{
    int64_t *keys = user;
    keys[seq - 1] = key;
    return 0;
}

static void test_ends_come_in_their_order(void **state)
{
    struct fixture *fixture = *state;
    struct ff_error error;
    int64_t keys[3] = {0};
    put_batch(fixture, 1);
    put_result(fixture, 3, 1);
    put_result(fixture, 1, 2);
    assert_ok(ops->each_ended(fixture->reader, 1, 3, keep_end, keys, &error), error);
    assert_int_equal(keys[0], 3);
    assert_int_equal(keys[1], 1);
    assert_int_equal(keys[2], 0);
}

static void test_retention_takes_closed_old_batches_alone(void **state)
{
    struct fixture *fixture = *state;
    struct ff_error error;
    int batches = 0;
    bool more = true;
    put_batch(fixture, 1);
    put_batch(fixture, 4);
    for (int64_t key = 1; key <= 5; key++)
        put_result(fixture, key, key);
    assert_ok(ops->close_batch(fixture->writer, 1, &error), error);
    assert_ok(ops->retire(fixture->writer, 1500, 0, 100, &more, &error), error);
    assert_int_equal(ops->get_batch(fixture->reader, 2, count_batch, &batches, &error), 1);
    assert_ok(ops->retire(fixture->writer, 5000, 0, 100, &more, &error), error);
    assert_false(more);
    assert_int_equal(ops->get_batch(fixture->reader, 2, count_batch, &batches, &error), 0);
    assert_int_equal(ops->get_batch(fixture->reader, 5, count_batch, &batches, &error), 1);
}

/* However many old batches are still open. */
static void test_open_batches_do_not_stop_retention(void **state)
{
    enum { OPEN = 4200 };
    struct fixture *fixture = *state;
    struct ff_error error;
    struct ff_payload payload = {.text = ff_span_of("1"), .size = 1};
    struct ff_batch_row row = {
        .count = 1, .user = ff_span_of("ada"), .priority = ff_span_of("normal"), .submitted_ns = 1};
    int batches = 0;
    bool more = true;
    assert_ok(ops->begin(fixture->writer, &error), error);
    for (row.first = 1; row.first <= OPEN; row.first++)
        assert_ok(ops->put_batch(fixture->writer, &row, &payload, &error), error);
    assert_ok(ops->commit(fixture->writer, &error), error);
    put_batch(fixture, OPEN + 1);
    for (int64_t key = OPEN + 1; key <= OPEN + 3; key++)
        put_result(fixture, key, key);
    assert_ok(ops->close_batch(fixture->writer, OPEN + 1, &error), error);
    assert_ok(ops->retire(fixture->writer, 5000, 0, 100, &more, &error), error);
    assert_int_equal(ops->get_batch(fixture->reader, OPEN + 1, count_batch, &batches, &error), 0);
}

static int keep_seq(void *user, const struct ff_result_row *row)
{
    *(int64_t *)user = row->seq;
    return 0;
}

static void test_the_first_result_stays(void **state)
{
    struct fixture *fixture = *state;
    struct ff_error error;
    struct ff_result_row second = {.key = 2, .seq = 9, .state = FF_TASK_CANCELLED_STATE};
    int64_t seq = 0;
    put_batch(fixture, 1);
    put_result(fixture, 2, 1);
    assert_int_equal(ops->put_result(fixture->writer, &second, &error), 1);
    assert_int_equal(ops->get_result(fixture->reader, 2, keep_seq, &seq, &error), 1);
    assert_int_equal(seq, 1);
}

struct kept_endpoint {
    char display[20], host[20];
    int64_t deleted_ns;
};

static int keep_endpoint(void *user, const struct ff_endpoint_row *row)
{
    struct kept_endpoint *kept = user;
    snprintf(kept->display, sizeof kept->display, "%.*s", (int)row->display_name.size,
             (const char *)row->display_name.data);
    snprintf(kept->host, sizeof kept->host, "%.*s", (int)row->holder_host.size,
             (const char *)row->holder_host.data);
    kept->deleted_ns = row->deleted_ns;
    return 0;
}

static void test_registration_and_lease_are_written_apart(void **state)
{
    struct fixture *fixture = *state;
    struct ff_error error;
    struct kept_endpoint kept;
    struct ff_endpoint_row row = {.name = ff_span_of("local"),
                                  .owner = ff_span_of("ada"),
                                  .display_name = ff_span_of("here")};
    assert_ok(ops->put_endpoint(fixture->writer, &row, &error), error);
    struct ff_endpoint_row lease = {.key = row.key, .holder_host = ff_span_of("node1")};
    struct ff_endpoint_row gone = {.key = row.key, .deleted_ns = 7};
    assert_ok(ops->put_lease(fixture->writer, &lease, &error), error);
    assert_ok(ops->put_endpoint(fixture->writer, &gone, &error), error);
    lease.holder_host = ff_span_of("node2");
    assert_ok(ops->put_lease(fixture->writer, &lease, &error), error);
    assert_ok(ops->each_endpoint(fixture->reader, keep_endpoint, &kept, &error), error);
    assert_string_equal(kept.display, "here");
    assert_string_equal(kept.host, "node2");
    assert_int_equal(kept.deleted_ns, 7);
}

static void test_keys_are_not_given_twice_after_retention(void **state)
{
    struct fixture *fixture = *state;
    struct ff_error error;
    bool more = true;
    put_batch(fixture, 1);
    for (int64_t key = 1; key <= 3; key++)
        put_result(fixture, key, key);
    assert_ok(ops->close_batch(fixture->writer, 1, &error), error);
    assert_ok(ops->retire(fixture->writer, 5000, 0, 100, &more, &error), error);
    close_stores(fixture);
    open_stores(fixture);
    assert_int_equal(fixture->start.next_task, 4);
}

struct listed {
    int64_t keys[8];
    int count;
};

static int keep_listed(void *user, int64_t key, enum ff_task_state state)
{
    struct listed *listed = user;
    (void)state;
    listed->keys[listed->count++] = key;
    return listed->count == 2;
}

static void test_lists_begin_with_the_newest_and_know_whose(void **state)
{
    struct fixture *fixture = *state;
    struct ff_error error;
    struct listed listed = {.count = 0};
    put_batch(fixture, 1);
    put_batch(fixture, 4);
    assert_ok(
        ops->each_listed(fixture->reader, 0, ff_span_of("ada"), 5, 4, keep_listed, &listed, &error),
        error);
    assert_int_equal(listed.count, 2);
    assert_int_equal(listed.keys[0], 6);
    assert_int_equal(listed.keys[1], 5);
    listed.count = 0;
    assert_ok(
        ops->each_listed(fixture->reader, 5, ff_span_of("ada"), 0, 0, keep_listed, &listed, &error),
        error);
    assert_int_equal(listed.keys[0], 4);
    assert_int_equal(listed.keys[1], 3);
    listed.count = 0;
    assert_ok(
        ops->each_listed(fixture->reader, 0, ff_span_of("eve"), 0, 0, keep_listed, &listed, &error),
        error);
    assert_int_equal(listed.count, 0);
}

static void test_a_file_that_is_no_ledger_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct ff_error error;
    struct ff_store_start start;
    char *path = ff_path_join(fixture->folder, "text");
    char many[8192];
    memset(many, 'x', sizeof many);
    struct ff_span text = {many, sizeof many};
    assert_ok(ff_file_write(path, text, 0600, &error), error);
    assert_null(ops->open(path, FF_STORE_WRITER, &start, &error));
    assert_non_null(strstr(error.message, path));
    free(path);
}

static char *copy_file(const char *from, const char *folder, const char *name)
{
    struct ff_error error;
    char *data = NULL;
    size_t size = 0;
    char *to = ff_path_join(folder, name);
    assert_ok(ff_file_read(from, 64 << 20, &data, &size, &error), error);
    assert_ok(ff_file_write(to, (struct ff_span){data, size}, 0600, &error), error);
    free(data);
    return to;
}

/* What a kill leaves: a ledger with a log of its full length, most of it zeros. */
static void test_a_filled_log_is_recovered(void **state)
{
    struct fixture *fixture = *state;
    struct ff_error error;
    struct fixture left = {.folder = make_folder()};
    struct stat before;
    struct stat after;
    char *log = ff_path_join(fixture->folder, "ledger.db-wal");
    assert_int_equal(stat(log, &before), 0);
    put_batch(fixture, 1);
    put_result(fixture, 2, 1);
    assert_int_equal(stat(log, &after), 0);
    assert_true(before.st_size > 8000000);
    assert_int_equal(after.st_size, before.st_size);
    left.path = copy_file(fixture->path, left.folder, "ledger.db");
    free(copy_file(log, left.folder, "ledger.db-wal"));
    open_stores(&left);
    assert_int_equal(left.start.epoch, fixture->start.epoch + 1);
    assert_int_equal(left.start.next_task, 4);
    put_result(&left, 3, 2);
    close_stores(&left);
    open_stores(&left);
    assert_int_equal(left.start.epoch, fixture->start.epoch + 2);
    close_stores(&left);
    assert_ok(ff_folder_remove(left.folder, &error), error);
    free(left.path);
    free(left.folder);
    free(log);
}

int main(void)
{
#define FIXED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        FIXED(test_every_start_has_a_new_epoch_and_keys_go_on),
        FIXED(test_payloads_are_text_or_objects),
        FIXED(test_a_restart_finds_what_has_no_result),
        FIXED(test_what_is_rolled_back_is_not_there),
        FIXED(test_ends_come_in_their_order),
        FIXED(test_retention_takes_closed_old_batches_alone),
        FIXED(test_open_batches_do_not_stop_retention),
        FIXED(test_the_first_result_stays),
        FIXED(test_registration_and_lease_are_written_apart),
        FIXED(test_keys_are_not_given_twice_after_retention),
        FIXED(test_lists_begin_with_the_newest_and_know_whose),
        FIXED(test_a_file_that_is_no_ledger_is_refused),
        FIXED(test_a_filled_log_is_recovered),
    };
#undef FIXED
    return cmocka_run_group_tests(tests, NULL, NULL);
}

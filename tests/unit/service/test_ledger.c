#include "tests/unit/check.h"

#include "service/lanes.h"
#include "service/recent.h"

static const uint8_t secret[FF_ID_SECRET_SIZE] = {42};

struct fixture {
    struct ff_waiters waiters;
    struct ff_catalog *catalog;
    struct ff_ledger *ledger;
    struct ff_endpoint *endpoint;
    struct ff_function *function;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct ff_error error;
    struct ff_endpoint_row endpoint = {.key = 1, .name = ff_span_of("e"), .owner = ff_span_of("a")};
    struct ff_function_row function = {.key = 1, .name = ff_span_of("f"), .owner = ff_span_of("a")};
    fixture->catalog = ff_catalog_create(&error);
    fixture->ledger = ff_ledger_create(secret, &fixture->waiters, &error);
    fixture->endpoint = ff_catalog_put_endpoint(fixture->catalog, &endpoint, &error);
    fixture->function = ff_catalog_put_function(fixture->catalog, &function, &error);
    assert_non_null(fixture->ledger);
    assert_non_null(fixture->endpoint);
    assert_non_null(fixture->function);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    ff_ledger_destroy(fixture->ledger);
    ff_catalog_destroy(fixture->catalog);
    free(fixture);
    return 0;
}

static struct ff_batch *add_of(struct fixture *fixture, int64_t first, uint32_t count,
                               const char *user, const char *priority)
{
    struct ff_batch *batch = ff_batch_create(secret, first, count);
    assert_non_null(batch);
    batch->endpoint = fixture->endpoint;
    batch->function = fixture->function;
    batch->user = strdup(user);
    snprintf(batch->priority, sizeof batch->priority, "%s", priority);
    ff_id_random(&batch->group);
    ff_ledger_add(fixture->ledger, batch, true);
    return batch;
}

static struct ff_batch *add(struct fixture *fixture, int64_t first, uint32_t count)
{
    return add_of(fixture, first, count, "a", "normal");
}

static void test_tasks_are_found_by_their_whole_id_alone(void **state)
{
    struct fixture *fixture = *state;
    struct ff_batch *batch = add(fixture, 10, 3);
    struct ff_id id = batch->tasks[1].id;
    assert_ptr_equal(ff_ledger_find(fixture->ledger, &id), &batch->tasks[1]);
    id.bytes[15] ^= 1;
    assert_null(ff_ledger_find(fixture->ledger, &id));
    assert_null(ff_ledger_find_key(fixture->ledger, 9));
    assert_null(ff_ledger_find_key(fixture->ledger, 13));
}

static void test_batches_that_come_out_of_order_and_go(void **state)
{
    struct fixture *fixture = *state;
    enum { COUNT = 500 };
    for (int64_t i = 0; i < COUNT; i++)
        add(fixture, ((i ^ 1) + 1) * 10, 2);
    for (int64_t i = 1; i <= COUNT; i++)
        assert_int_equal(ff_task_key_of(ff_ledger_find_key(fixture->ledger, i * 10 + 1)),
                         i * 10 + 1);
    for (int64_t i = 1; i <= COUNT; i++) {
        if (i % 7 == 0)
            continue;
        ff_ledger_end(fixture->ledger, ff_ledger_find_key(fixture->ledger, i * 10), FF_TASK_SUCCESS,
                      2 * i);
        assert_null(ff_ledger_find_key(fixture->ledger, i * 10));
        ff_ledger_end(fixture->ledger, ff_ledger_find_key(fixture->ledger, i * 10 + 1),
                      FF_TASK_FAILED_STATE, 2 * i + 1);
    }
    add(fixture, (COUNT + 1) * 10, 1);
    for (int64_t i = 1; i <= COUNT; i++)
        assert_true((ff_ledger_find_key(fixture->ledger, i * 10) != NULL) == (i % 7 == 0));
    assert_non_null(ff_ledger_find_key(fixture->ledger, (COUNT + 1) * 10));
    assert_int_equal(ff_ledger_count(fixture->ledger, FF_TASK_SUCCESS),
                     ff_ledger_count(fixture->ledger, FF_TASK_FAILED_STATE));
}

static void test_the_queue_keeps_its_order(void **state)
{
    struct fixture *fixture = *state;
    struct ff_batch *batch = add(fixture, 1, 4);
    struct ff_queue *queue = &batch->lane->queue;
    assert_ptr_equal(queue->first, &batch->tasks[0]);
    ff_queue_remove(queue, &batch->tasks[1]);
    ff_queue_remove(queue, &batch->tasks[0]);
    ff_queue_remove(queue, &batch->tasks[3]);
    assert_ptr_equal(queue->first, &batch->tasks[2]);
    assert_ptr_equal(queue->last, &batch->tasks[2]);
    ff_queue_push_front(queue, &batch->tasks[0]);
    ff_queue_push(queue, &batch->tasks[3]);
    assert_ptr_equal(queue->first, &batch->tasks[0]);
    assert_ptr_equal(queue->last, &batch->tasks[3]);
    assert_false(batch->tasks[1].queued);
}

/* Gives the next task to the endpoint, as the router does. */
static struct ff_task *deliver(struct ff_endpoint *endpoint)
{
    struct ff_task *task = ff_lanes_next(endpoint);
    if (task == NULL)
        return NULL;
    ff_lane_remove(task);
    task->batch->lane->held++;
    endpoint->link.held++;
    return task;
}

static void test_classes_and_users_have_lanes(void **state)
{
    struct fixture *fixture = *state;
    struct ff_endpoint *endpoint = fixture->endpoint;
    struct ff_batch *many = add_of(fixture, 1, 8, "anna", "normal");
    struct ff_batch *few = add_of(fixture, 20, 2, "bert", "normal");
    struct ff_batch *batch = add_of(fixture, 30, 8, "bert", "batch");
    struct ff_batch *live = add_of(fixture, 40, 9, "anna", "live");
    endpoint->link.window = endpoint->link.window_bytes = 1 << 20;
    assert_ptr_equal(deliver(endpoint), &live->tasks[0]);
    for (int i = 1; i < 9; i++)
        assert_ptr_equal(deliver(endpoint), &live->tasks[i]);
    assert_ptr_equal(deliver(endpoint), &many->tasks[0]);
    assert_ptr_equal(deliver(endpoint), &few->tasks[0]);
    assert_ptr_equal(deliver(endpoint), &many->tasks[1]);
    assert_ptr_equal(deliver(endpoint), &few->tasks[1]);
    for (int i = 2; i < 8; i++)
        assert_ptr_equal(deliver(endpoint), &many->tasks[i]);
    assert_ptr_equal(deliver(endpoint), &batch->tasks[0]);
    /* 20 are there. A window of 24 is full for batch at 18 and for normal at 21. */
    endpoint->link.window = 24;
    assert_null(deliver(endpoint));
    struct ff_batch *later = add_of(fixture, 60, 2, "carl", "normal");
    assert_ptr_equal(deliver(endpoint), &later->tasks[0]);
    assert_null(deliver(endpoint));
    struct ff_batch *urgent = add_of(fixture, 70, 4, "carl", "live");
    for (int i = 0; i < 3; i++)
        assert_ptr_equal(deliver(endpoint), &urgent->tasks[i]);
    assert_null(deliver(endpoint));
    assert_true(ff_lanes_wait(endpoint));
}

static int woken;

static void count_wake(struct ff_waiter *waiter)
{
    assert_null(waiter->list);
    woken++;
}

static void test_waiters_wake_by_events_ends_and_time(void **state)
{
    struct fixture *fixture = *state;
    struct ff_batch *batch = add(fixture, 1, 2);
    struct ff_task *task = &batch->tasks[0];
    struct ff_waiter end = {.only_end = true, .deadline_ns = 100, .wake = count_wake};
    struct ff_waiter event = {.deadline_ns = 50, .wake = count_wake};
    struct ff_event state_event = {.type = FF_EVENT_STATE};
    woken = 0;
    assert_true(ff_waiters_add(&fixture->waiters, &ff_task_detail(task)->waiters, &end));
    assert_true(ff_waiters_add(&fixture->waiters, &task->detail->waiters, &event));
    ff_task_event(fixture->ledger, task, &state_event, ff_span_of(""));
    assert_int_equal(woken, 1);
    assert_true(ff_waiters_add(&fixture->waiters, &task->detail->waiters, &event));
    assert_int_equal(ff_waiters_expire(&fixture->waiters, 60), 100);
    assert_int_equal(woken, 2);
    assert_true(event.expired);
    ff_ledger_end(fixture->ledger, task, FF_TASK_SUCCESS, 1);
    assert_int_equal(woken, 3);
    assert_false(end.expired);
    assert_int_equal(ff_waiters_expire(&fixture->waiters, 1000), INT64_MAX);
    ff_waiters_close(&fixture->waiters);
    assert_false(
        ff_waiters_add(&fixture->waiters, &ff_task_detail(&batch->tasks[1])->waiters, &event));
}

static void test_arguments_leave_memory_when_all_are_delivered(void **state)
{
    struct fixture *fixture = *state;
    struct ff_batch *batch = ff_batch_create(secret, 1, 2);
    batch->endpoint = fixture->endpoint;
    batch->function = fixture->function;
    batch->user = strdup("a");
    batch->text = strdup("12");
    batch->text_size = 2;
    batch->tasks[0].payload = batch->text;
    batch->tasks[1].payload = batch->text + 1;
    ff_ledger_add(fixture->ledger, batch, true);
    ff_batch_delivered(fixture->ledger, &batch->tasks[0]);
    assert_non_null(batch->text);
    assert_non_null(batch->tasks[1].payload);
    ff_batch_delivered(fixture->ledger, &batch->tasks[0]);
    assert_non_null(batch->text);
    ff_batch_delivered(fixture->ledger, &batch->tasks[1]);
    assert_null(batch->text);
}

static void test_moves_follow_the_table(void **state)
{
    struct fixture *fixture = *state;
    struct ff_batch *batch = add(fixture, 1, 1);
    struct ff_task *task = &batch->tasks[0];
    assert_true(ff_ledger_move(fixture->ledger, task, FF_TASK_RUNNING));
    assert_int_equal(ff_ledger_count(fixture->ledger, FF_TASK_RUNNING), 1);
    assert_int_equal(ff_ledger_count(fixture->ledger, FF_TASK_WAITING_FOR_EP), 0);
    assert_false(ff_ledger_move(fixture->ledger, task, FF_TASK_RECEIVED));
    assert_int_equal(task->state, FF_TASK_RUNNING);
}

static void test_a_trace_is_bounded_and_keeps_the_newest_progress(void **state)
{
    (void)state;
    struct ff_trace *trace = ff_trace_create();
    struct ff_event line = {.type = FF_EVENT_LOG};
    struct ff_event progress = {.type = FF_EVENT_PROGRESS};
    struct ff_buffer text;
    bool truncated = false;
    ff_trace_add(trace, &line, ff_span_of("first"));
    for (int i = 0; i < 3 * FF_EVENTS_KEPT; i++)
        ff_trace_add(trace, &progress, ff_span_of("{}"));
    assert_int_equal(ff_trace_count(trace), FF_EVENTS_KEPT);
    assert_string_equal(ff_trace_at(trace, 0)->text, "first");
    uint64_t newest = ff_trace_last(trace);
    for (int i = 0; i < 3 * FF_EVENTS_KEPT; i++)
        ff_trace_add(trace, &line, ff_span_of("line"));
    bool has_progress = false;
    for (size_t i = 0; i < ff_trace_count(trace); i++)
        has_progress |= ff_trace_at(trace, i)->seq == newest;
    assert_true(has_progress);
    assert_int_equal(ff_trace_count(trace), FF_EVENTS_KEPT);
    ff_buffer_init(&text, 1000);
    ff_trace_log(trace, 11, &text, &truncated);
    assert_string_equal(ff_buffer_text(&text), "line\nline\n");
    assert_true(truncated);
    ff_buffer_dispose(&text);
    ff_trace_destroy(trace);
}

static void wake_nobody(struct ff_waiter *waiter)
{
    (void)waiter;
}

static void test_a_result_is_kept_once_for_who_waits(void **state)
{
    struct fixture *fixture = *state;
    struct ff_recent recent = {.next = 0};
    struct ff_waiter waiter = {.wake = wake_nobody};
    char value[] = "[1,2]";
    struct ff_batch *batch = add(fixture, 50, 2);
    struct ff_result_row row = {.key = 50, .value = ff_span_of(value), .node = ff_span_of("n1")};
    ff_recent_keep(&recent, &batch->tasks[0], &row);
    assert_null(ff_recent_take(&recent, 50)); /* nobody waited */
    assert_true(ff_waiters_add(&fixture->waiters, &batch->waiters, &waiter));
    ff_recent_keep(&recent, &batch->tasks[0], &row);
    memset(value, 'x', sizeof value - 1);
    struct ff_recent_result *kept = ff_recent_take(&recent, 50);
    assert_non_null(kept);
    assert_true(ff_span_equal(kept->row.value, ff_span_of("[1,2]")));
    assert_true(ff_span_equal(kept->row.node, ff_span_of("n1")));
    assert_string_equal(kept->user, "a");
    assert_null(ff_recent_take(&recent, 50));
    free(kept);
    row.key = 51;
    ff_recent_keep(&recent, &batch->tasks[1], &row);
    for (int i = 0; i < FF_RECENT_RESULTS; i++) {
        row.key = 100 + i;
        ff_recent_keep(&recent, &batch->tasks[1], &row);
    }
    assert_null(ff_recent_take(&recent, 51)); /* the oldest makes room */
    ff_recent_clear(&recent);
    ff_waiters_close(&fixture->waiters);
}

int main(void)
{
#define FIXED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        FIXED(test_tasks_are_found_by_their_whole_id_alone),
        FIXED(test_batches_that_come_out_of_order_and_go),
        FIXED(test_the_queue_keeps_its_order),
        FIXED(test_classes_and_users_have_lanes),
        FIXED(test_waiters_wake_by_events_ends_and_time),
        FIXED(test_arguments_leave_memory_when_all_are_delivered),
        FIXED(test_moves_follow_the_table),
        FIXED(test_a_result_is_kept_once_for_who_waits),
        cmocka_unit_test(test_a_trace_is_bounded_and_keeps_the_newest_progress),
    };
#undef FIXED
    return cmocka_run_group_tests(tests, NULL, NULL);
}

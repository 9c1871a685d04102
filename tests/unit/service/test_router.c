/* The service towards an endpoint, played by the test: the way of a task, and what may go wrong on
 * it. */
#include "tests/unit/service/rig.h"

#include <signal.h>
#include <sys/resource.h>

static struct rig rig;

static int start(void **state)
{
    (void)state;
    rig_start(&rig);
    rig_function(&rig, "echo");
    return 0;
}

static int stop(void **state)
{
    (void)state;
    rig_remove(&rig);
    return 0;
}

/* A task's state, when it has ended or after a while. */
static void test_a_task_goes_and_its_result_comes(void **state)
{
    (void)state;
    struct agent agent;
    agent_connect_empty(&agent, &rig, "way");
    json_t *reply = rig_submit(&rig, "way", "echo", "[{\"x\":1},2]");
    agent_wait_orders(&agent, 2);
    assert_int_equal(agent.orders[0].number, 1);
    agent_state(&agent, &agent.orders[0], FF_TASK_RUNNING, "");
    agent_succeed(&agent, &agent.orders[0], "{\"y\":[true]}");
    agent_succeed(&agent, &agent.orders[1], "\"text\"");
    agent_wait_receipts(&agent, 2);
    assert_true(agent.receipts[0].ended);
    json_t *shown = rig_show(&rig, rig_task(reply, "echo", 0), "?wait_ms=20000");
    assert_string_equal(rig_text(shown, "status"), "success");
    assert_true(
        json_is_true(json_array_get(json_object_get(json_object_get(shown, "result"), "y"), 0)));
    assert_string_equal(rig_text(shown, "node"), "node1");
    json_decref(shown);
    char path[200];
    snprintf(path, sizeof path, "/v3/taskgroups/%s/results", rig_text(reply, "task_group_id"));
    json_t *page = rig_expect(&rig, 200, "GET", path, NULL);
    const json_t *results = json_object_get(page, "results");
    assert_int_equal(json_array_size(results), 2);
    json_int_t first = json_integer_value(json_object_get(json_array_get(results, 0), "seq"));
    json_int_t second = json_integer_value(json_object_get(json_array_get(results, 1), "seq"));
    assert_true(second > first);
    assert_int_equal(json_integer_value(json_object_get(page, "outstanding")), 0);
    json_decref(page);
    snprintf(path, sizeof path, "/v3/tasks/%s/log", rig_task(reply, "echo", 0));
    json_t *log = rig_expect(&rig, 200, "GET", path, NULL);
    assert_string_equal(rig_text(log, "text"), "first line\nlast line\n");
    json_decref(log);
    json_decref(reply);
    agent_dispose(&agent);
}

static void test_the_window_is_kept(void **state)
{
    (void)state;
    struct agent agent;
    agent_connect_empty(&agent, &rig, "window");
    json_t *reply = rig_submit(&rig, "window", "echo", "[1,2,3,4,5]");
    agent_wait_orders(&agent, 3);
    json_t *shown = rig_show(&rig, rig_task(reply, "echo", 4), "");
    assert_non_null(strstr(rig_text(shown, "waiting_because"), "as many tasks"));
    json_decref(shown);
    assert_int_equal(agent.order_count, 3);
    agent_succeed(&agent, &agent.orders[0], "1");
    agent_wait_orders(&agent, 4);
    assert_int_equal(agent.order_count, 4);
    for (size_t i = 1; i < 5; i++) {
        agent_wait_orders(&agent, i + 1);
        agent_succeed(&agent, &agent.orders[i], "1");
    }
    agent_wait_receipts(&agent, 5);
    json_decref(reply);
    agent_dispose(&agent);
}

static void test_a_lost_attempt_is_tried_again_and_an_old_one_changes_nothing(void **state)
{
    (void)state;
    struct agent agent;
    agent_connect_empty(&agent, &rig, "losses");
    json_t *reply = rig_submit(&rig, "losses", "echo", "[1]");
    agent_wait_orders(&agent, 1);
    struct ff_outcome lost = {.task = agent.orders[0].task,
                              .attempt = agent.orders[0].attempt,
                              .state = FF_TASK_FAILED_STATE,
                              .lost = true,
                              .code = ff_span_of("RUNNER_LOST"),
                              .message = ff_span_of("the runner died")};
    agent_outcome(&agent, &lost);
    agent_wait_orders(&agent, 2);
    assert_int_equal(agent.orders[1].number, 2);
    assert_true(ff_attempt_before(agent.orders[0].attempt, agent.orders[1].attempt));
    assert_false(agent.receipts[0].ended);
    agent_succeed(&agent, &agent.orders[0], "\"too late\"");
    agent_wait_receipts(&agent, 2);
    agent_succeed(&agent, &agent.orders[1], "\"right\"");
    json_t *shown = rig_show(&rig, rig_task(reply, "echo", 0), "?wait_ms=20000");
    assert_string_equal(rig_text(shown, "result"), "right");
    assert_int_equal(json_integer_value(json_object_get(shown, "attempt")), 2);
    json_decref(shown);
    json_decref(reply);
    agent_dispose(&agent);
}

static void test_losses_come_to_an_end(void **state)
{
    (void)state;
    struct agent agent;
    agent_connect_empty(&agent, &rig, "hopeless");
    json_t *reply = rig_submit(&rig, "hopeless", "echo", "[1]");
    for (size_t i = 0; i < 1 + FF_MAX_RETRIES; i++) {
        agent_wait_orders(&agent, i + 1);
        struct ff_outcome lost = {.task = agent.orders[i].task,
                                  .attempt = agent.orders[i].attempt,
                                  .state = FF_TASK_FAILED_STATE,
                                  .lost = true,
                                  .code = ff_span_of("RUNNER_LOST"),
                                  .message = ff_span_of("the runner died")};
        agent_outcome(&agent, &lost);
    }
    json_t *shown = rig_show(&rig, rig_task(reply, "echo", 0), "?wait_ms=20000");
    assert_string_equal(rig_text(shown, "state"), "failed");
    assert_string_equal(rig_text(json_object_get(shown, "error"), "code"), "RUNNER_LOST");
    json_decref(shown);
    json_decref(reply);
    agent_dispose(&agent);
}

static void test_a_value_that_is_no_json_spoils_nothing(void **state)
{
    (void)state;
    struct agent agent;
    agent_connect_empty(&agent, &rig, "values");
    json_t *reply = rig_submit(&rig, "values", "echo", "[1]");
    agent_wait_orders(&agent, 1);
    agent_succeed(&agent, &agent.orders[0], "{\"a\":");
    json_t *shown = rig_show(&rig, rig_task(reply, "echo", 0), "?wait_ms=20000");
    assert_string_equal(rig_text(shown, "state"), "failed");
    assert_non_null(strstr(rig_text(shown, "exception"), "not JSON"));
    json_decref(shown);
    json_decref(reply);
    agent_dispose(&agent);
}

static void test_cancel_and_stop_reach_the_endpoint(void **state)
{
    (void)state;
    struct agent agent;
    char path[128];
    agent_connect_empty(&agent, &rig, "control");
    json_t *reply = rig_submit(&rig, "control", "echo", "[1,2]");
    agent_wait_orders(&agent, 2);
    snprintf(path, sizeof path, "/v3/tasks/%s/stop", rig_task(reply, "echo", 0));
    json_decref(rig_expect(&rig, 200, "POST", path, "{}"));
    snprintf(path, sizeof path, "/v3/tasks/%s/cancel", rig_task(reply, "echo", 1));
    json_decref(rig_expect(&rig, 200, "POST", path, "{}"));
    agent_wait_controls(&agent, 2);
    assert_int_equal(agent.controls[0].action, FF_CONTROL_STOP);
    assert_int_equal(agent.controls[1].action, FF_CONTROL_CANCEL);
    /* The runner dies of it: a task whose cancellation was accepted is not tried again. */
    struct ff_outcome lost = {.task = agent.orders[1].task,
                              .attempt = agent.orders[1].attempt,
                              .state = FF_TASK_FAILED_STATE,
                              .lost = true,
                              .code = ff_span_of("RUNNER_LOST")};
    agent_outcome(&agent, &lost);
    rig_expect_end(&rig, rig_task(reply, "echo", 1), "cancelled");
    agent_succeed(&agent, &agent.orders[0], "\"so far\"");
    rig_expect_end(&rig, rig_task(reply, "echo", 0), "success");
    json_decref(reply);
    agent_dispose(&agent);
}

static void test_what_is_announced_stays_and_what_is_not_goes_again(void **state)
{
    (void)state;
    struct agent agent;
    agent_connect_empty(&agent, &rig, "announce");
    json_t *reply = rig_submit(&rig, "announce", "echo", "[1,2]");
    agent_wait_orders(&agent, 2);
    agent_leave(&agent, NULL);
    agent.previous = agent.instance;
    agent_connect(&agent);
    assert_true(agent.open);
    agent_holding(&agent, agent.orders, 1);
    agent_wait_orders(&agent, 3);
    assert_true(ff_id_equal(&agent.orders[2].task, &agent.orders[1].task));
    assert_true(ff_attempt_before(agent.orders[1].attempt, agent.orders[2].attempt));
    agent_succeed(&agent, &agent.orders[0], "1");
    agent_succeed(&agent, &agent.orders[2], "2");
    rig_expect_end(&rig, rig_task(reply, "echo", 0), "success");
    rig_expect_end(&rig, rig_task(reply, "echo", 1), "success");
    json_decref(reply);
    agent_dispose(&agent);
}

static void test_a_restarted_service_adopts_what_runs(void **state)
{
    (void)state;
    struct agent agent;
    agent_connect_empty(&agent, &rig, "restart");
    json_t *reply = rig_submit(&rig, "restart", "echo", "[1,2]");
    agent_wait_orders(&agent, 2);
    agent_leave(&agent, NULL);
    rig_stop(&rig);
    rig_start(&rig);
    agent.previous = agent.instance;
    agent_connect(&agent);
    assert_true(agent.open);
    /* The first is announced twice, as after a loss that was under way: the later attempt counts.
     * */
    struct ff_order held[2] = {agent.orders[0], agent.orders[0]};
    held[1].attempt.counter++;
    held[1].number = 2;
    agent_holding(&agent, held, 2);
    agent_wait_orders(&agent, 3);
    agent_wait_controls(&agent, 1);
    assert_int_equal(agent.controls[0].action, FF_CONTROL_CANCEL);
    assert_true(ff_attempt_equal(agent.controls[0].attempt, held[0].attempt));
    assert_true(ff_id_equal(&agent.orders[2].task, &agent.orders[1].task));
    assert_true(agent.orders[2].attempt.epoch > agent.orders[1].attempt.epoch);
    agent_succeed(&agent, &held[1], "\"adopted\"");
    agent_succeed(&agent, &agent.orders[2], "\"new\"");
    json_t *shown = rig_show(&rig, rig_task(reply, "echo", 0), "?wait_ms=20000");
    assert_string_equal(rig_text(shown, "result"), "adopted");
    json_decref(shown);
    rig_expect_end(&rig, rig_task(reply, "echo", 1), "success");
    json_decref(reply);
    agent_dispose(&agent);
}

static void test_what_has_ended_stays_ended_after_a_restart(void **state)
{
    (void)state;
    struct agent agent;
    agent_connect_empty(&agent, &rig, "ended");
    json_t *reply = rig_submit(&rig, "ended", "echo", "[1,2]");
    agent_wait_orders(&agent, 2);
    agent_succeed(&agent, &agent.orders[0], "1");
    agent_wait_receipts(&agent, 1);
    agent_leave(&agent, NULL);
    rig_stop(&rig);
    rig_start(&rig);
    agent.previous = agent.instance;
    agent_connect(&agent);
    /* What has ended is announced all the same, as by an agent that missed the receipt. */
    agent_holding(&agent, agent.orders, 2);
    agent_wait_controls(&agent, 1);
    assert_true(ff_id_equal(&agent.controls[0].task, &agent.orders[0].task));
    agent_succeed(&agent, &agent.orders[0], "\"again\"");
    agent_succeed(&agent, &agent.orders[1], "2");
    agent_wait_receipts(&agent, 3);
    json_t *shown = rig_show(&rig, rig_task(reply, "echo", 0), "");
    assert_int_equal(json_integer_value(json_object_get(shown, "result")), 1);
    json_decref(shown);
    rig_stop(&rig);
    rig_start(&rig);
    json_t *status = rig_expect(&rig, 200, "GET", "/v3/status", NULL);
    assert_int_equal(
        json_integer_value(json_object_get(json_object_get(status, "tasks"), "waiting-for-ep")), 0);
    json_decref(status);
    rig_expect_end(&rig, rig_task(reply, "echo", 1), "success");
    json_decref(reply);
    agent_dispose(&agent);
}

static void test_what_was_asked_outlives_a_restart(void **state)
{
    (void)state;
    struct agent agent;
    char path[128];
    agent_connect_empty(&agent, &rig, "asked");
    json_t *reply = rig_submit(&rig, "asked", "echo", "[1,2]");
    agent_wait_orders(&agent, 2);
    snprintf(path, sizeof path, "/v3/tasks/%s/cancel", rig_task(reply, "echo", 0));
    json_decref(rig_expect(&rig, 200, "POST", path, "{}"));
    agent_leave(&agent, NULL);
    rig_stop(&rig);
    rig_start(&rig);
    snprintf(path, sizeof path, "/v3/tasks/%s/stop", rig_task(reply, "echo", 1));
    json_decref(rig_expect(&rig, 200, "POST", path, "{}"));
    agent.previous = agent.instance;
    agent.control_count = 0;
    agent_connect(&agent);
    agent_holding(&agent, NULL, 0);
    rig_expect_end(&rig, rig_task(reply, "echo", 0), "cancelled");
    agent_wait_orders(&agent, 3);
    assert_true(ff_id_equal(&agent.orders[2].task, &agent.orders[1].task));
    agent_wait_controls(&agent, 1);
    assert_int_equal(agent.controls[0].action, FF_CONTROL_STOP);
    assert_true(ff_attempt_equal(agent.controls[0].attempt, agent.orders[2].attempt));
    agent_succeed(&agent, &agent.orders[2], "2");
    rig_expect_end(&rig, rig_task(reply, "echo", 1), "success");
    json_decref(reply);
    agent_dispose(&agent);
}

/* A disk that takes nothing: the limit of file sizes stands in for it. */
static void let_files_grow(bool let)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = let ? limit.rlim_max : 1;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static bool is_failing(void)
{
    json_t *status = rig_expect(&rig, 200, "GET", "/v3/status", NULL);
    bool failing = json_is_true(json_object_get(status, "store_failing"));
    json_decref(status);
    return failing;
}

static void test_results_wait_for_a_disk_that_takes_them(void **state)
{
    (void)state;
    struct agent agent;
    agent_connect_empty(&agent, &rig, "disk");
    json_t *reply = rig_submit(&rig, "disk", "echo", "[1]");
    agent_wait_orders(&agent, 1);
    signal(SIGXFSZ, SIG_IGN);
    let_files_grow(false);
    long status = 0;
    json_t *refused =
        rig_ask(&rig, "POST", "/v3/endpoints/disk/submit", "{\"tasks\":{\"echo\":[2]}}", &status);
    assert_true(status >= 500);
    json_decref(refused);
    agent_succeed(&agent, &agent.orders[0], "\"kept\"");
    while (!is_failing())
        ;
    assert_int_equal(agent.receipt_count, 0);
    let_files_grow(true);
    agent_wait_receipts(&agent, 1);
    json_t *shown = rig_show(&rig, rig_task(reply, "echo", 0), "?wait_ms=20000");
    assert_string_equal(rig_text(shown, "result"), "kept");
    json_decref(shown);
    json_decref(reply);
    agent_dispose(&agent);
}

static void test_a_second_agent_is_refused_until_it_takes_over(void **state)
{
    (void)state;
    static struct agent first;
    static struct agent second;
    agent_connect_empty(&first, &rig, "lease");
    second = first;
    ff_buffer_init(&second.part, 1 << 20);
    second.session = NULL;
    agent_connect(&second);
    assert_true(second.refused);
    assert_int_equal(second.why.code, FF_ENDPOINT_IN_USE);
    assert_non_null(strstr(second.why.message, "testhost"));
    assert_non_null(strstr(second.why.message, "4711"));
    agent_leave(&second, NULL);
    second.take_over = true;
    agent_connect(&second);
    assert_true(second.open);
    agent_wait(&first, &first.refused);
    assert_int_equal(first.why.code, FF_ENDPOINT_IN_USE);
    agent_dispose(&second);
    agent_dispose(&first);
}

static void test_an_agent_that_said_farewell_leaves_the_endpoint_free(void **state)
{
    (void)state;
    struct agent agent;
    agent_connect_empty(&agent, &rig, "farewell");
    agent_leave(&agent, "bye");
    agent_connect(&agent);
    assert_true(agent.open);
    agent_dispose(&agent);
}

static void test_a_message_that_is_none_ends_the_link_alone(void **state)
{
    (void)state;
    struct agent agent;
    agent_connect_empty(&agent, &rig, "broken");
    ff_session_send(agent.session, ff_span_of("\x92\x0c\xff garbage"));
    struct ff_error error;
    while (agent.open)
        assert_ok(ff_loop_run(agent.loop, &error), error);
    json_decref(rig_expect(&rig, 200, "GET", "/v3/status", NULL));
    agent_dispose(&agent);
}

static void test_objects_go_both_ways(void **state)
{
    (void)state;
    struct agent agent;
    struct ff_error error;
    struct ff_encoder encoder;
    struct ff_buffer buffer;
    struct ff_span all = ff_span_of("an object in two parts");
    agent_connect_empty(&agent, &rig, "objects");
    struct ff_part part = {.total = all.size, .data = {all.data, 10}};
    assert_ok(ff_digest_of(all, &part.digest, &error), error);
    agent_part(&agent, FF_MSG_OBJECT_STORE, &part);
    agent_wait(&agent, &agent.has_stored);
    assert_int_equal(agent.stored, 10);
    agent.has_stored = false;
    part.offset = 10;
    part.data = (struct ff_span){(const char *)all.data + 10, all.size - 10};
    agent_part(&agent, FF_MSG_OBJECT_STORE, &part);
    agent_wait(&agent, &agent.has_stored);
    assert_string_equal(agent.part_code, "");
    assert_int_equal(agent.stored, all.size);
    ff_buffer_init(&buffer, 65536);
    ff_encode_begin(&encoder, &buffer, FF_MSG_OBJECT_WANT);
    struct ff_want want = {.digest = part.digest, .offset = 3, .length = 6};
    ff_encode_want(&encoder, &want);
    agent_send(&agent, &encoder);
    agent_wait(&agent, &agent.has_part);
    assert_int_equal(agent.part.size, 6);
    assert_memory_equal(agent.part.data, "object", 6);
    agent.has_part = false;
    want.digest.bytes[0] ^= 1;
    ff_encode_begin(&encoder, &buffer, FF_MSG_OBJECT_WANT);
    ff_encode_want(&encoder, &want);
    agent_send(&agent, &encoder);
    agent_wait(&agent, &agent.has_part);
    assert_string_equal(agent.part_code, "OBJECT_NOT_FOUND");
    ff_buffer_dispose(&buffer);
    agent_dispose(&agent);
}

static void test_the_same_object_may_come_twice_at_once(void **state)
{
    (void)state;
    struct agent agent;
    struct ff_error error;
    struct ff_span all = ff_span_of("one value of two tasks");
    agent_connect_empty(&agent, &rig, "twice");
    struct ff_part first = {.total = all.size, .data = {all.data, 10}};
    struct ff_part second = {
        .total = all.size, .offset = 10, .data = {(const char *)all.data + 10, all.size - 10}};
    assert_ok(ff_digest_of(all, &first.digest, &error), error);
    second.digest = first.digest;
    /* The other begins while the one is half way, and goes on while that is being synced. */
    agent_part(&agent, FF_MSG_OBJECT_STORE, &first);
    agent_part(&agent, FF_MSG_OBJECT_STORE, &first);
    agent_part(&agent, FF_MSG_OBJECT_STORE, &second);
    agent_part(&agent, FF_MSG_OBJECT_STORE, &first);
    agent_part(&agent, FF_MSG_OBJECT_STORE, &second);
    while (agent.stored < all.size)
        agent_settle(&agent);
    agent_settle(&agent);
    assert_false(agent.store_failed);
    agent_dispose(&agent);
}

static void test_progress_lines_and_previews_can_be_followed(void **state)
{
    (void)state;
    struct agent agent;
    struct ff_encoder encoder;
    struct ff_buffer buffer;
    char path[200];
    agent_connect_empty(&agent, &rig, "follow");
    json_t *reply = rig_submit(&rig, "follow", "echo", "[1]");
    agent_wait_orders(&agent, 1);
    const struct ff_order *order = &agent.orders[0];
    ff_buffer_init(&buffer, 65536);
    ff_encode_begin(&encoder, &buffer, FF_MSG_PROGRESS);
    struct ff_progress progress = {.task = order->task,
                                   .attempt = order->attempt,
                                   .fraction = 0.5,
                                   .numbers = ff_span_of("{\"epoch\":3}")};
    ff_encode_progress(&encoder, &progress);
    agent_send(&agent, &encoder);
    ff_encode_begin(&encoder, &buffer, FF_MSG_LOG);
    struct ff_line line = {
        .task = order->task, .attempt = order->attempt, .level = 2, .text = ff_span_of("careful")};
    ff_encode_line(&encoder, &line);
    agent_send(&agent, &encoder);
    ff_encode_begin(&encoder, &buffer, FF_MSG_PREVIEW);
    struct ff_preview preview = {.task = order->task,
                                 .attempt = order->attempt,
                                 .name = ff_span_of("../phase"),
                                 .media_type = ff_span_of("image/png"),
                                 .data = ff_span_of("{\"is\":\"json\"}")};
    ff_encode_preview(&encoder, &preview);
    agent_send(&agent, &encoder);
    agent_succeed(&agent, order, "7");
    agent_wait_receipts(&agent, 1);
    snprintf(path, sizeof path, "/v3/tasks/%s/events", rig_task(reply, "echo", 0));
    json_t *events = rig_expect(&rig, 200, "GET", path, NULL);
    const json_t *list = json_object_get(events, "events");
    const char *types[] = {"state", "progress", "log", "preview", "result"};
    assert_int_equal(json_array_size(list), 5);
    for (size_t i = 0; i < 5; i++)
        assert_string_equal(rig_text(json_array_get(list, i), "type"), types[i]);
    assert_int_equal(json_integer_value(json_object_get(
                         json_object_get(json_array_get(list, 1), "numbers"), "epoch")),
                     3);
    json_decref(events);
    snprintf(path, sizeof path, "/v3/tasks/%s/previews/..%%2Fphase", rig_task(reply, "echo", 0));
    json_t *image = rig_expect(&rig, 200, "GET", path, NULL);
    assert_string_equal(rig_text(image, "is"), "json");
    json_decref(image);
    json_decref(reply);
    ff_buffer_dispose(&buffer);
    agent_dispose(&agent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_task_goes_and_its_result_comes),
        cmocka_unit_test(test_the_window_is_kept),
        cmocka_unit_test(test_a_lost_attempt_is_tried_again_and_an_old_one_changes_nothing),
        cmocka_unit_test(test_losses_come_to_an_end),
        cmocka_unit_test(test_a_value_that_is_no_json_spoils_nothing),
        cmocka_unit_test(test_cancel_and_stop_reach_the_endpoint),
        cmocka_unit_test(test_what_is_announced_stays_and_what_is_not_goes_again),
        cmocka_unit_test(test_a_restarted_service_adopts_what_runs),
        cmocka_unit_test(test_what_has_ended_stays_ended_after_a_restart),
        cmocka_unit_test(test_what_was_asked_outlives_a_restart),
        cmocka_unit_test(test_results_wait_for_a_disk_that_takes_them),
        cmocka_unit_test(test_a_second_agent_is_refused_until_it_takes_over),
        cmocka_unit_test(test_an_agent_that_said_farewell_leaves_the_endpoint_free),
        cmocka_unit_test(test_a_message_that_is_none_ends_the_link_alone),
        cmocka_unit_test(test_objects_go_both_ways),
        cmocka_unit_test(test_the_same_object_may_come_twice_at_once),
        cmocka_unit_test(test_progress_lines_and_previews_can_be_followed),
    };
    curl_global_init(CURL_GLOBAL_DEFAULT);
    int failed = cmocka_run_group_tests(tests, start, stop);
    curl_global_cleanup();
    return failed;
}

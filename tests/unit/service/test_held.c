/* Submissions whose reply is held for the results (wait_ms). */
#include "tests/unit/service/rig.h"

#include <stdatomic.h>

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

/* A submission under way in a thread of its own. */
struct held {
    char path[128];
    char body[256];
    pthread_t thread;
    json_t *reply;
};

static void *submit(void *user)
{
    struct held *held = user;
    held->reply = rig_expect(&rig, 200, "POST", held->path, held->body);
    return NULL;
}

static void hold(struct held *held, const char *endpoint, const char *wait_ms, const char *body)
{
    snprintf(held->path, sizeof held->path, "/v3/endpoints/%s/submit?wait_ms=%s", endpoint,
             wait_ms);
    snprintf(held->body, sizeof held->body, "%s", body);
    assert_int_equal(pthread_create(&held->thread, NULL, submit, held), 0);
}

static const json_t *result_of(const struct held *held, size_t n)
{
    const json_t *results = json_object_get(held->reply, "results");
    const json_t *task = json_object_get(results, rig_task(held->reply, "echo", n));
    assert_non_null(task);
    return task;
}

static void finish(struct held *held)
{
    pthread_join(held->thread, NULL);
    assert_non_null(held->reply);
}

static void test_the_reply_carries_the_results(void **state)
{
    (void)state;
    struct agent agent;
    struct held held;
    agent_connect_empty(&agent, &rig, "ended");
    hold(&held, "ended", "20000", "{\"tasks\":{\"echo\":[1,2]}}");
    agent_wait_orders(&agent, 2);
    struct ff_outcome failed = {.task = agent.orders[1].task,
                                .attempt = agent.orders[1].attempt,
                                .state = FF_TASK_FAILED_STATE,
                                .message = ff_span_of("no such file")};
    agent_succeed(&agent, &agent.orders[0], "{\"y\":17}");
    agent_outcome(&agent, &failed);
    finish(&held);
    const json_t *first = result_of(&held, 0);
    assert_string_equal(rig_text(first, "state"), "success");
    assert_int_equal(json_integer_value(json_object_get(json_object_get(first, "result"), "y")),
                     17);
    assert_string_equal(rig_text(result_of(&held, 1), "state"), "failed");
    assert_string_equal(rig_text(result_of(&held, 1), "exception"), "no such file");
    json_decref(held.reply);
    agent_dispose(&agent);
}

static void test_several_functions_are_waited_for(void **state)
{
    (void)state;
    struct agent agent;
    struct held held;
    rig_function(&rig, "other");
    agent_connect_empty(&agent, &rig, "functions");
    hold(&held, "functions", "20000", "{\"tasks\":{\"other\":[],\"echo\":[1],\"other\":[2]}}");
    agent_wait_orders(&agent, 2);
    agent_succeed(&agent, &agent.orders[0], "1");
    agent_wait_receipts(&agent, 1);
    agent_succeed(&agent, &agent.orders[1], "2");
    finish(&held);
    const json_t *results = json_object_get(held.reply, "results");
    const char *id;
    json_t *task;
    assert_int_equal(json_object_size(results), 2);
    json_object_foreach((json_t *)results, id, task)
        assert_string_equal(rig_text(task, "state"), "success");
    json_decref(held.reply);
    agent_dispose(&agent);
}

static void test_the_time_is_over(void **state)
{
    (void)state;
    struct agent agent;
    struct held held;
    agent_connect_empty(&agent, &rig, "slow");
    hold(&held, "slow", "1", "{\"tasks\":{\"echo\":[1]}}");
    finish(&held);
    const char *named = rig_text(result_of(&held, 0), "state");
    assert_true(strcmp(named, "success") != 0 && strcmp(named, "failed") != 0);
    /* It goes on all the same. */
    agent_wait_orders(&agent, 1);
    agent_succeed(&agent, &agent.orders[0], "1");
    char path[128];
    snprintf(path, sizeof path, "/v2/tasks/%s?wait_ms=20000", rig_task(held.reply, "echo", 0));
    json_t *task = rig_expect(&rig, 200, "GET", path, NULL);
    assert_string_equal(rig_text(task, "state"), "success");
    json_decref(task);
    json_decref(held.reply);
    agent_dispose(&agent);
    rig_refuses(&rig, "INVALID_ARGUMENT", "wait_ms", "POST",
                "/v3/endpoints/slow/submit?wait_ms=25001", "{\"tasks\":{\"echo\":[1]}}");
}

static void test_without_wait_there_are_no_results(void **state)
{
    (void)state;
    struct agent agent;
    agent_register(&agent, &rig, "plain");
    json_t *reply = rig_submit(&rig, "plain", "echo", "[1]");
    assert_null(json_object_get(reply, "results"));
    json_decref(reply);
    agent_dispose(&agent);
}

static void test_a_cancelled_task_has_ended(void **state)
{
    (void)state;
    struct agent agent;
    struct held held;
    agent_connect_empty(&agent, &rig, "cancelled");
    hold(&held, "cancelled", "20000", "{\"tasks\":{\"echo\":[1]}}");
    agent_wait_orders(&agent, 1);
    char id[FF_ID_TEXT_SIZE];
    char path[128];
    ff_id_text(&agent.orders[0].task, id);
    snprintf(path, sizeof path, "/v3/tasks/%s/cancel", id);
    json_decref(rig_expect(&rig, 200, "POST", path, "{}"));
    agent_wait_controls(&agent, 1);
    struct ff_outcome outcome = {.task = agent.orders[0].task,
                                 .attempt = agent.orders[0].attempt,
                                 .state = FF_TASK_CANCELLED_STATE};
    agent_outcome(&agent, &outcome);
    finish(&held);
    assert_string_equal(rig_text(result_of(&held, 0), "state"), "cancelled");
    json_decref(held.reply);
    agent_dispose(&agent);
}

static void test_the_same_key_waits_for_the_same_tasks(void **state)
{
    (void)state;
    static const char body[] = "{\"idempotency_key\":\"once\",\"tasks\":{\"echo\":[1]}}";
    struct agent agent;
    struct held first;
    struct held second;
    struct held late;
    agent_connect_empty(&agent, &rig, "key");
    hold(&first, "key", "20000", body);
    hold(&second, "key", "20000", body);
    agent_wait_orders(&agent, 1);
    agent_succeed(&agent, &agent.orders[0], "\"done\"");
    finish(&first);
    finish(&second);
    hold(&late, "key", "20000", body);
    finish(&late);
    assert_string_equal(rig_text(result_of(&first, 0), "result"), "done");
    assert_true(
        json_equal(json_object_get(first.reply, "tasks"), json_object_get(second.reply, "tasks")));
    assert_string_equal(rig_text(result_of(&second, 0), "result"), "done");
    assert_string_equal(rig_text(result_of(&late, 0), "result"), "done");
    assert_int_equal(agent.order_count, 1);
    json_decref(first.reply);
    json_decref(second.reply);
    json_decref(late.reply);
    agent_dispose(&agent);
}

/* A client that leaves is not seen before its reply is due; nothing else may suffer from it. */
static atomic_bool leaves;

static int look(void *user, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    (void)user;
    (void)a;
    (void)b;
    (void)c;
    (void)d;
    return leaves;
}

static void *submit_and_leave(void *user)
{
    char url[1024];
    char header[200];
    CURLcode *code = user;
    struct curl_slist *headers = NULL;
    CURL *curl = curl_easy_init();
    snprintf(url, sizeof url, "%s/v3/endpoints/left/submit?wait_ms=20000", rig.url);
    snprintf(header, sizeof header, "Authorization: Bearer %s", rig.token);
    headers = curl_slist_append(headers, header);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, "{\"tasks\":{\"echo\":[1]}}");
    curl_easy_setopt(curl, CURLOPT_CAINFO, rig.certificate);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, look);
    *code = curl_easy_perform(curl);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    return NULL;
}

static void test_a_client_that_leaves_harms_nobody(void **state)
{
    (void)state;
    struct agent agent;
    pthread_t thread;
    CURLcode code = CURLE_OK;
    agent_connect_empty(&agent, &rig, "left");
    assert_int_equal(pthread_create(&thread, NULL, submit_and_leave, &code), 0);
    agent_wait_orders(&agent, 1);
    leaves = true;
    pthread_join(thread, NULL);
    assert_int_equal(code, CURLE_ABORTED_BY_CALLBACK);
    agent_succeed(&agent, &agent.orders[0], "1");
    agent_wait_receipts(&agent, 1);
    json_decref(rig_expect(&rig, 200, "GET", "/v3/status", NULL));
    agent_dispose(&agent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_reply_carries_the_results),
        cmocka_unit_test(test_several_functions_are_waited_for),
        cmocka_unit_test(test_the_time_is_over),
        cmocka_unit_test(test_without_wait_there_are_no_results),
        cmocka_unit_test(test_a_cancelled_task_has_ended),
        cmocka_unit_test(test_the_same_key_waits_for_the_same_tasks),
        cmocka_unit_test(test_a_client_that_leaves_harms_nobody),
    };
    return cmocka_run_group_tests(tests, start, stop);
}

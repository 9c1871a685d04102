/* What happens while something else is on its way to the disk: the committer is held, so that every
 * such moment lasts as long as a test needs it. */
#include "tests/unit/service/rig.h"

#include "service/http/request.h"

#include <sched.h>
#include <sqlite3.h>

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

static void lose(struct agent *agent, const struct ff_order *order)
{
    struct ff_outcome lost = {.task = order->task,
                              .attempt = order->attempt,
                              .state = FF_TASK_FAILED_STATE,
                              .lost = true,
                              .code = ff_span_of("RUNNER_LOST"),
                              .message = ff_span_of("the runner died")};
    agent_outcome(agent, &lost);
}

static void send_preview(struct agent *agent, const struct ff_order *order, const char *name)
{
    struct ff_encoder encoder;
    struct ff_buffer buffer;
    struct ff_preview preview = {.task = order->task,
                                 .attempt = order->attempt,
                                 .name = ff_span_of(name),
                                 .media_type = ff_span_of("image/png"),
                                 .data = ff_span_of("bytes")};
    ff_buffer_init(&buffer, 65536);
    ff_encode_begin(&encoder, &buffer, FF_MSG_PREVIEW);
    ff_encode_preview(&encoder, &preview);
    agent_send(agent, &encoder);
    ff_buffer_dispose(&buffer);
}

/* The list of previews that goes to the disk with the outcome is not touched any more. */
static void test_a_preview_behind_the_outcome_is_left_out(void **state)
{
    (void)state;
    struct agent agent;
    struct hold hold;
    agent_connect_empty(&agent, &rig, "previews");
    json_t *reply = rig_submit(&rig, "previews", "echo", "[1]");
    agent_wait_orders(&agent, 1);
    send_preview(&agent, &agent.orders[0], "first");
    agent_settle(&agent);
    hold_submit(&hold, &rig, false);
    hold_wait(&hold);
    agent_succeed(&agent, &agent.orders[0], "1");
    for (int i = 0; i < 40; i++) {
        char name[16];
        snprintf(name, sizeof name, "late%d", i);
        send_preview(&agent, &agent.orders[0], name);
    }
    agent_settle(&agent);
    hold_release(&hold);
    json_t *shown = rig_show(&rig, rig_task(reply, "echo", 0), "?wait_ms=20000");
    const json_t *previews = json_object_get(shown, "previews");
    assert_int_equal(json_array_size(previews), 1);
    assert_string_equal(json_string_value(json_array_get(previews, 0)), "first");
    json_decref(shown);
    json_decref(reply);
    agent_dispose(&agent);
}

static bool somebody_waits_for(const char *task)
{
    struct ff_id id;
    assert_int_equal(ff_id_parse(task, strlen(task), &id), 0);
    pthread_mutex_lock(&rig.service->lock);
    const struct ff_task *found = ff_ledger_find(rig.service->ledger, &id);
    bool waits = found != NULL && found->detail != NULL && found->detail->waiters.first != NULL;
    pthread_mutex_unlock(&rig.service->lock);
    return waits;
}

static void test_a_task_that_is_being_lost_can_be_cancelled(void **state)
{
    (void)state;
    struct agent agent;
    struct hold hold;
    struct ff_encoder encoder;
    struct ff_buffer buffer;
    struct ff_farewell full = {.reason = ff_span_of("enough")};
    struct asking cancel;
    char path[128];
    agent_connect_empty(&agent, &rig, "losing");
    json_t *reply = rig_submit(&rig, "losing", "echo", "[1]");
    const char *task = rig_task(reply, "echo", 0);
    agent_wait_orders(&agent, 1);
    /* It wants no more tasks: the next attempt stays at the service. */
    ff_buffer_init(&buffer, 1000);
    ff_encode_begin(&encoder, &buffer, FF_MSG_DRAIN);
    ff_encode_farewell(&encoder, &full);
    agent_send(&agent, &encoder);
    ff_buffer_dispose(&buffer);
    hold_submit(&hold, &rig, false);
    hold_wait(&hold);
    lose(&agent, &agent.orders[0]);
    agent_settle(&agent);
    snprintf(path, sizeof path, "/v3/tasks/%s/cancel", task);
    asking_begin(&cancel, &rig, "POST", path, "{}");
    while (!cancel.answered && !somebody_waits_for(task))
        sched_yield();
    hold_release(&hold);
    json_t *answer = asking_end(&cancel);
    assert_true(json_is_true(json_object_get(answer, "accepted")));
    rig_expect_end(&rig, task, "cancelled");
    json_decref(answer);
    json_decref(reply);
    agent_dispose(&agent);
}

static void test_a_task_for_a_deleted_endpoint_is_cancelled(void **state)
{
    (void)state;
    struct agent agent;
    struct hold first;
    struct hold second;
    struct asking removal;
    struct asking submission;
    agent_register(&agent, &rig, "leaving");
    hold_submit(&first, &rig, false);
    hold_wait(&first);
    asking_begin(&removal, &rig, "DELETE", "/v2/endpoints/leaving", NULL);
    rig_wait_suspended(&rig, 1);
    hold_submit(&second, &rig, true);
    asking_begin(&submission, &rig, "POST", "/v3/endpoints/leaving/submit",
                 "{\"tasks\":{\"echo\":[1]}}");
    rig_wait_suspended(&rig, 2);
    hold_release(&first);
    json_decref(asking_end(&removal));
    assert_int_equal(removal.status, 200);
    hold_wait(&second);
    hold_release(&second);
    json_t *reply = asking_end(&submission);
    assert_int_equal(submission.status, 200);
    rig_expect_end(&rig, rig_task(reply, "echo", 0), "cancelled");
    json_decref(reply);
    agent_dispose(&agent);
}

/* The same after a crash between the two commits. */
static void test_a_start_cancels_what_a_deleted_endpoint_has(void **state)
{
    (void)state;
    struct agent agent;
    char *message = NULL;
    sqlite3 *db = NULL;
    agent_register(&agent, &rig, "crashed");
    json_t *reply = rig_submit(&rig, "crashed", "echo", "[1]");
    char *path = strdup(rig.service->ledger_path);
    rig_stop(&rig);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "UPDATE endpoint SET deleted_ns=5 WHERE name='crashed'", NULL,
                                  NULL, &message),
                     SQLITE_OK);
    sqlite3_close(db);
    free(path);
    rig_start(&rig);
    rig_expect_end(&rig, rig_task(reply, "echo", 0), "cancelled");
    json_decref(reply);
    agent_dispose(&agent);
}

static void test_a_lease_does_not_bring_a_deleted_endpoint_back(void **state)
{
    (void)state;
    struct agent agent;
    struct hold hold;
    struct asking removal;
    agent_register(&agent, &rig, "leased");
    hold_submit(&hold, &rig, false);
    hold_wait(&hold);
    asking_begin(&removal, &rig, "DELETE", "/v2/endpoints/leased", NULL);
    rig_wait_suspended(&rig, 1);
    agent_connect(&agent);
    assert_true(agent.open);
    hold_release(&hold);
    json_decref(asking_end(&removal));
    agent_dispose(&agent);
    rig_stop(&rig);
    rig_start(&rig);
    rig_refuses(&rig, "ENDPOINT_NOT_FOUND", "leased", "GET", "/v2/endpoints/leased", NULL);
}

static void forget_arguments(const char *task)
{
    struct ff_id id;
    char sql[128];
    sqlite3 *db = NULL;
    assert_int_equal(ff_id_parse(task, strlen(task), &id), 0);
    snprintf(sql, sizeof sql, "DELETE FROM task WHERE key=%lld",
             (long long)ff_task_id_claimed_key(&id));
    assert_int_equal(sqlite3_open(rig.service->ledger_path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void test_arguments_that_cannot_be_read_end_their_task_alone(void **state)
{
    (void)state;
    struct agent agent;
    agent_register(&agent, &rig, "damaged");
    json_t *reply = rig_submit(&rig, "damaged", "echo", "[1,2]");
    rig_stop(&rig);
    rig_start(&rig);
    forget_arguments(rig_task(reply, "echo", 0));
    agent_connect(&agent);
    agent_holding(&agent, NULL, 0);
    agent_wait_orders(&agent, 1);
    assert_memory_equal(agent.orders[0].arguments.data, "2", 1);
    agent_succeed(&agent, &agent.orders[0], "2");
    json_t *shown = rig_show(&rig, rig_task(reply, "echo", 0), "?wait_ms=20000");
    assert_string_equal(rig_text(shown, "state"), "failed");
    assert_non_null(strstr(rig_text(shown, "exception"), "arguments"));
    json_decref(shown);
    rig_expect_end(&rig, rig_task(reply, "echo", 1), "success");
    json_decref(reply);
    agent_dispose(&agent);
}

/* ---- groups, whose reading is watched ---- */

static struct ff_store_operations watched;
static sem_t has_read, may_go_on;

static int cannot_read(struct ff_store *store, const struct ff_id *group, ff_each_batch *each,
                       void *user, struct ff_error *error)
{
    (void)store;
    (void)group;
    (void)each;
    (void)user;
    return ff_fail(error, FF_IO, "the disk does not answer");
}

static void release_slowly(struct ff_store *store)
{
    ff_store_sqlite.release(store);
    sem_post(&has_read);
    sem_wait(&may_go_on);
}

static void watch(bool fails)
{
    watched = ff_store_sqlite;
    if (fails)
        watched.each_group_batch = cannot_read;
    else
        watched.release = release_slowly;
    rig.service->http->store->ops = &watched;
}

static void test_a_group_that_cannot_be_read_takes_no_tasks(void **state)
{
    (void)state;
    struct agent agent;
    agent_register(&agent, &rig, "groups");
    watch(true);
    rig_refuses(&rig, "IO", "does not answer", "POST", "/v3/endpoints/groups/submit",
                "{\"tasks\":{\"echo\":[1]},"
                "\"task_group_id\":\"11111111-2222-4333-8444-555555555555\"}");
    rig.service->http->store->ops = &ff_store_sqlite;
    agent_dispose(&agent);
}

/* What ends while a group is read from the store is neither held up nor forgotten. */
static void test_a_task_ends_while_its_group_is_read(void **state)
{
    (void)state;
    struct agent agent;
    struct asking page;
    char path[200];
    agent_connect_empty(&agent, &rig, "reading");
    json_t *reply = rig_submit(&rig, "reading", "echo", "[1,2]");
    agent_wait_orders(&agent, 2);
    agent_leave(&agent, NULL);
    rig_stop(&rig);
    rig_start(&rig);
    agent.previous = agent.instance;
    agent_connect(&agent);
    agent_holding(&agent, agent.orders, 2);
    agent_succeed(&agent, &agent.orders[0], "1");
    agent_wait_receipts(&agent, 1);
    sem_init(&has_read, 0, 0);
    sem_init(&may_go_on, 0, 0);
    watch(false);
    snprintf(path, sizeof path, "/v3/taskgroups/%s/results", rig_text(reply, "task_group_id"));
    asking_begin(&page, &rig, "GET", path, NULL);
    sem_wait(&has_read);
    agent_succeed(&agent, &agent.orders[1], "2");
    agent_wait_receipts(&agent, 2);
    sem_post(&may_go_on);
    json_t *answer = asking_end(&page);
    rig.service->http->store->ops = &ff_store_sqlite;
    assert_int_equal(json_array_size(json_object_get(answer, "results")), 2);
    assert_int_equal(json_integer_value(json_object_get(answer, "outstanding")), 0);
    json_decref(answer);
    json_decref(reply);
    agent_dispose(&agent);
}

/* ---- the end ---- */

static void *destroy(void *user)
{
    ff_service_destroy(user);
    return NULL;
}

/* While the last commit is under way, new requests are refused, and no other service begins. */
static void test_an_end_waits_for_what_was_accepted(void **state)
{
    (void)state;
    struct hold hold;
    struct asking accepted;
    struct ff_error error;
    pthread_t thread;
    const struct ff_service_options options = {NULL, 0, 0};
    struct ff_http *http = rig.service->http;
    hold_submit(&hold, &rig, false);
    hold_wait(&hold);
    asking_begin(&accepted, &rig, "POST", "/v3/tokens", "{\"label\":\"last\"}");
    rig_wait_suspended(&rig, 1);
    ff_service_stop(rig.service);
    pthread_join(rig.thread, NULL);
    assert_int_equal(pthread_create(&thread, NULL, destroy, rig.service), 0);
    for (bool stopping = false; !stopping; sched_yield()) {
        pthread_mutex_lock(&http->lock);
        stopping = http->stopping;
        pthread_mutex_unlock(&http->lock);
    }
    rig_refuses(&rig, "UNREACHABLE", "stopping", "POST", "/v3/tokens", "{\"label\":\"late\"}");
    assert_null(ff_service_create(rig.home, &options, &error));
    assert_int_equal(error.code, FF_BUSY);
    hold_release(&hold);
    pthread_join(thread, NULL);
    rig.service = NULL;
    json_decref(asking_end(&accepted));
    assert_int_equal(accepted.status, 200);
    rig_start(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_preview_behind_the_outcome_is_left_out),
        cmocka_unit_test(test_a_task_that_is_being_lost_can_be_cancelled),
        cmocka_unit_test(test_a_task_for_a_deleted_endpoint_is_cancelled),
        cmocka_unit_test(test_a_start_cancels_what_a_deleted_endpoint_has),
        cmocka_unit_test(test_a_lease_does_not_bring_a_deleted_endpoint_back),
        cmocka_unit_test(test_arguments_that_cannot_be_read_end_their_task_alone),
        cmocka_unit_test(test_a_group_that_cannot_be_read_takes_no_tasks),
        cmocka_unit_test(test_a_task_ends_while_its_group_is_read),
        cmocka_unit_test(test_an_end_waits_for_what_was_accepted),
    };
    curl_global_init(CURL_GLOBAL_DEFAULT);
    int failed = cmocka_run_group_tests(tests, start, stop);
    curl_global_cleanup();
    return failed;
}

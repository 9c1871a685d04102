/* The agent as a whole, at its borders: what it says to either side when something happens at the other. */
#include "tests/unit/endpoint/agent_scene.h"

#include "protocol/core/clock.h"
#include "protocol/core/digest.h"
#include "protocol/core/file.h"

#include <signal.h>
#include <unistd.h>

static struct ff_order echo_order(void)
{
    struct ff_order order = {.number = 1,
                             .name = ff_span_of("echo"),
                             .kind = ff_span_of("native"),
                             .arguments = ff_span_of("[1]")};
    order.function.bytes[0] = 9;
    return order;
}

/* Service, agent and manager are connected, and the agent has announced that it holds nothing. */
static void connect_all(struct scene *scene)
{
    scene_start_agent(scene);
    scene_wait(scene, &scene->connected, 1);
    scene_start_manager(scene);
    scene_wait(scene, &scene->at_service.count[FF_MSG_HOLDING_END], 1);
}

static struct ff_outcome success_of(const struct scene *scene)
{
    struct ff_outcome outcome = {.task = scene->at_manager.task[FF_MSG_TASKS],
                                 .attempt = scene->at_manager.attempt[FF_MSG_TASKS],
                                 .state = FF_TASK_SUCCESS,
                                 .value = ff_span_of("42")};
    return outcome;
}

static void test_a_task_goes_down_and_its_outcome_up(void **state)
{
    (void)state;
    struct scene scene;
    struct ff_order order = echo_order();
    scene_open(&scene);
    connect_all(&scene);
    scene_order(&scene, &order, 1);
    scene_wait(&scene, &scene.at_manager.count[FF_MSG_TASKS], 1);
    assert_true(ff_id_equal(&scene.at_manager.task[FF_MSG_TASKS], &order.task));
    const struct ff_report report = {
        .task = order.task, .attempt = order.attempt, .state = FF_TASK_RUNNING};
    scene_report(&scene, &report);
    scene_wait(&scene, &scene.at_service.count[FF_MSG_STATES], 1);
    const struct ff_outcome outcome = success_of(&scene);
    scene_outcome(&scene, &outcome);
    scene_wait(&scene, &scene.at_service.count[FF_MSG_OUTCOMES], 1);
    assert_int_equal(scene.at_service.state, FF_TASK_SUCCESS);
    const struct ff_receipt receipt = {.task = order.task, .attempt = order.attempt, .ended = true};
    scene_receipt(&scene, &receipt);
    scene_wait(&scene, &scene.at_manager.count[FF_MSG_RECEIPTS], 1);
    /* Said again (the receipt was lost on the way): answered without asking the service. */
    scene_outcome(&scene, &outcome);
    scene_wait(&scene, &scene.at_manager.count[FF_MSG_RECEIPTS], 2);
    assert_int_equal(scene.at_service.count[FF_MSG_OUTCOMES], 1);
    scene_close(&scene);
}

static void test_many_tasks_stream(void **state)
{
    enum { TASKS = 20000 };
    (void)state;
    struct scene scene;
    struct ff_order order = echo_order();
    scene_open(&scene);
    scene.answers = true;
    scene.receipts = true;
    connect_all(&scene);
    scene_order(&scene, &order, TASKS / 4);
    for (int i = 1; i <= 4; i++) {
        scene_wait(&scene, &scene.at_service.count[FF_MSG_OUTCOMES], i * TASKS / 4);
        if (i < 4)
            scene_order(&scene, &order, TASKS / 4);
    }
    scene_wait(&scene, &scene.at_manager.count[FF_MSG_RECEIPTS], TASKS);
    assert_int_equal(scene.at_manager.count[FF_MSG_TASKS], TASKS);
    assert_int_equal(scene.at_service.count[FF_MSG_OUTCOMES], TASKS);
    scene_close(&scene);
}

static void test_long_tasks_wait_and_say_why(void **state)
{
    (void)state;
    struct scene scene;
    struct ff_order order = echo_order();
    scene_open(&scene);
    connect_all(&scene);
    scene_order(&scene, &order, 3); /* two slots, nothing known of the function */
    scene_wait(&scene, &scene.at_service.count[FF_MSG_STATES], 1);
    assert_int_equal(scene.at_manager.count[FF_MSG_TASKS], 2);
    assert_int_equal(scene.at_service.state, FF_TASK_WAITING_FOR_NODES);
    assert_non_null(strstr(scene.at_service.text, "all 2 slots"));
    scene_control(&scene, &order, FF_CONTROL_CANCEL); /* the one that waits */
    scene_wait(&scene, &scene.at_service.count[FF_MSG_OUTCOMES], 1);
    assert_int_equal(scene.at_service.state, FF_TASK_CANCELLED_STATE);
    assert_int_equal(scene.at_manager.count[FF_MSG_CONTROL], 0);
    order.task = scene.at_manager.task[FF_MSG_TASKS];
    order.attempt = scene.at_manager.attempt[FF_MSG_TASKS];
    scene_control(&scene, &order, FF_CONTROL_STOP); /* one that runs */
    scene_wait(&scene, &scene.at_manager.count[FF_MSG_CONTROL], 1);
    assert_int_equal(scene.at_manager.action, FF_CONTROL_STOP);
    scene_close(&scene);
}

static void test_a_stop_waits_with_its_task(void **state)
{
    (void)state;
    struct scene scene;
    struct ff_order order = echo_order();
    scene_open(&scene);
    connect_all(&scene);
    scene_order(&scene, &order, 3);
    scene_wait(&scene, &scene.at_service.count[FF_MSG_STATES], 1); /* one waits */
    scene_control(&scene, &order, (enum ff_control_action)9); /* of a service that knows more */
    scene_control(&scene, &order, FF_CONTROL_STOP);
    const struct ff_outcome outcome = success_of(&scene);
    scene_outcome(&scene, &outcome);
    scene_wait(&scene, &scene.at_manager.count[FF_MSG_CONTROL], 1);
    assert_int_equal(scene.at_manager.count[FF_MSG_TASKS], 3);
    assert_int_equal(scene.at_manager.action, FF_CONTROL_STOP);
    assert_true(ff_id_equal(&scene.at_manager.task[FF_MSG_CONTROL], &order.task));
    scene_wait(&scene, &scene.at_service.count[FF_MSG_OUTCOMES], 1);
    assert_int_equal(scene.at_service.count[FF_MSG_OUTCOMES], 1);
    assert_int_equal(scene.at_service.state, FF_TASK_SUCCESS);
    scene_close(&scene);
}

static void test_what_no_node_can_run_fails_in_words(void **state)
{
    (void)state;
    struct scene scene;
    struct ff_order order = echo_order();
    scene_open(&scene);
    scene.devices = 1;
    connect_all(&scene);
    order.devices = 2;
    scene_order(&scene, &order, 1);
    scene_wait(&scene, &scene.at_service.count[FF_MSG_OUTCOMES], 1);
    assert_string_equal(scene.at_service.code, "NO_DEVICE");
    assert_non_null(strstr(scene.at_service.text, "2 GPUs"));
    assert_false(scene.at_service.lost);
    order.devices = 0;
    order.needs = 1; /* something that this version does not know */
    scene_order(&scene, &order, 1);
    scene_wait(&scene, &scene.at_service.count[FF_MSG_OUTCOMES], 2);
    assert_string_equal(scene.at_service.code, "UNSUPPORTED");
    scene_close(&scene);
}

static void test_a_killed_agent_loses_nothing(void **state)
{
    (void)state;
    struct scene scene;
    struct ff_order order = echo_order();
    scene_open(&scene);
    connect_all(&scene);
    scene_order(&scene, &order, 1);
    scene_wait(&scene, &scene.at_manager.count[FF_MSG_TASKS], 1);
    scene.holds = true;
    scene_kill_agent(&scene);
    scene_wait(&scene, &scene.gone, 1);
    scene_start_agent(&scene);
    /* The new agent waits for the block that it adopted before it says what is held. */
    scene_wait(&scene, &scene.at_service.count[FF_MSG_HOLDING_END], 2);
    assert_int_equal(scene.at_service.count[FF_MSG_HOLDING], 1);
    assert_true(ff_id_equal(&scene.at_service.task[FF_MSG_HOLDING], &order.task));
    const struct ff_outcome outcome = success_of(&scene);
    scene_outcome(&scene, &outcome);
    scene_wait(&scene, &scene.at_service.count[FF_MSG_OUTCOMES], 1);
    assert_int_equal(scene.at_service.state, FF_TASK_SUCCESS);
    scene_close(&scene);
}

static void test_outcomes_survive_the_service(void **state)
{
    (void)state;
    struct scene scene;
    struct ff_order order = echo_order();
    scene_open(&scene);
    connect_all(&scene);
    scene_order(&scene, &order, 1);
    scene_wait(&scene, &scene.at_manager.count[FF_MSG_TASKS], 1);
    const struct ff_outcome outcome = success_of(&scene);
    scene_outcome(&scene, &outcome);
    scene_wait(&scene, &scene.at_service.count[FF_MSG_OUTCOMES], 1);
    scene_stop_service(&scene); /* before its receipt */
    scene_start_service(&scene);
    scene_wait(&scene, &scene.connected, 2);
    scene_wait(&scene, &scene.at_service.count[FF_MSG_OUTCOMES], 2);
    assert_int_equal(scene.at_service.count[FF_MSG_HOLDING], 1);
    assert_true(ff_id_equal(&scene.at_service.task[FF_MSG_OUTCOMES], &order.task));
    scene_close(&scene);
}

static void test_a_lost_manager_loses_its_tasks(void **state)
{
    (void)state;
    struct scene scene;
    struct ff_order order = echo_order();
    scene_open(&scene);
    connect_all(&scene);
    scene_order(&scene, &order, 1);
    scene_wait(&scene, &scene.at_manager.count[FF_MSG_TASKS], 1);
    const struct ff_report report = {
        .task = order.task, .attempt = order.attempt, .state = FF_TASK_RUNNING};
    scene_report(&scene, &report);
    scene_wait(&scene, &scene.at_service.count[FF_MSG_STATES], 1);
    kill(scene.block, SIGKILL);
    ff_session_destroy(scene.manager, NULL);
    scene.manager = NULL;
    scene_wait(&scene, &scene.at_service.count[FF_MSG_OUTCOMES], 1);
    assert_true(scene.at_service.lost);
    assert_false(scene.at_service.uncharged); /* it ran */
    assert_string_equal(scene.at_service.code, "MANAGER_LOST");
    assert_non_null(strstr(scene.at_service.text, "node-1"));
    scene_close(&scene);
}

static void test_given_back_is_placed_again(void **state)
{
    (void)state;
    struct scene scene;
    struct ff_order order = echo_order();
    scene_open(&scene);
    connect_all(&scene);
    scene_order(&scene, &order, 1);
    scene_wait(&scene, &scene.at_manager.count[FF_MSG_TASKS], 1);
    struct ff_outcome outcome = success_of(&scene);
    outcome.state = FF_TASK_FAILED_STATE;
    outcome.lost = true;
    outcome.unbegun = true;
    for (int i = 2; i <= 4; i++) {
        scene_outcome(&scene, &outcome);
        scene_wait(&scene, &scene.at_manager.count[FF_MSG_TASKS], i);
        assert_true(ff_attempt_equal(scene.at_manager.attempt[FF_MSG_TASKS], order.attempt));
    }
    assert_int_equal(scene.at_service.count[FF_MSG_OUTCOMES], 0);
    scene_outcome(&scene, &outcome); /* again and again: the service decides */
    scene_wait(&scene, &scene.at_service.count[FF_MSG_OUTCOMES], 1);
    assert_true(scene.at_service.unbegun);
    scene_close(&scene);
}

static void test_stop_drains(void **state)
{
    (void)state;
    struct scene scene;
    struct ff_order order = echo_order();
    scene_open(&scene);
    scene.receipts = true;
    connect_all(&scene);
    scene_order(&scene, &order, 3);
    scene_wait(&scene, &scene.at_manager.count[FF_MSG_TASKS], 2);
    kill(scene.agent, SIGTERM);
    scene_wait(&scene, &scene.at_manager.count[FF_MSG_DRAIN], 1);
    scene_wait(&scene, &scene.at_service.count[FF_MSG_OUTCOMES], 1); /* the third, given back */
    assert_true(scene.at_service.lost && scene.at_service.uncharged && scene.at_service.unbegun);
    const struct ff_outcome outcome = success_of(&scene);
    scene_outcome(&scene, &outcome);
    scene_wait(&scene, &scene.at_manager.count[FF_MSG_RECEIPTS], 1);
    kill(scene.block, SIGKILL); /* with the last but one still running */
    ff_session_destroy(scene.manager, "drained");
    scene.manager = NULL;
    scene_wait(&scene, &scene.gone, 1);
    assert_int_equal(scene_agent_status(&scene), 0);
    assert_int_equal(scene.at_service.count[FF_MSG_OUTCOMES], 3);
    scene_close(&scene);
}

static void test_refused_endpoint_says_who_runs_it(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene);
    scene.refuses = true;
    scene_start_agent(&scene);
    assert_int_equal(scene_agent_status(&scene), ff_error_exit_status(FF_ENDPOINT_IN_USE));
    assert_int_equal(kill(scene.block, 0), 0); /* the blocks of the other agent go on */
    scene_close(&scene);
}

static void test_a_second_agent_is_refused_here(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene);
    connect_all(&scene);
    pid_t first = scene.agent;
    scene_start_agent(&scene);
    assert_int_equal(scene_agent_status(&scene), ff_error_exit_status(FF_ENDPOINT_IN_USE));
    scene.agent = first;
    assert_int_equal(scene.gone, 0);
    scene_close(&scene);
}

static void test_objects_are_fetched_once_and_served(void **state)
{
    (void)state;
    struct scene scene;
    struct ff_order order = echo_order();
    struct ff_error error;
    static char bytes[FF_OBJECT_PART + 1000];
    memset(bytes, 'f', sizeof bytes);
    struct ff_span whole = {bytes, sizeof bytes};
    assert_ok(ff_digest_of(whole, &order.digest, &error), error);
    scene_open(&scene);
    connect_all(&scene);
    order.size = sizeof bytes;
    scene_order(&scene, &order, 1);
    scene_wait(&scene, &scene.at_service.count[FF_MSG_OBJECT_WANT], 1); /* before anybody asks */
    const struct ff_want want = {.digest = order.digest, .offset = FF_OBJECT_PART, .length = 1000};
    scene_want(&scene, &want);
    struct ff_part part = {
        .digest = order.digest, .total = sizeof bytes, .data = {bytes, FF_OBJECT_PART}};
    scene_part(&scene, FF_MSG_OBJECT_PART, &part);
    scene_wait(&scene, &scene.at_service.count[FF_MSG_OBJECT_WANT], 2);
    part.offset = FF_OBJECT_PART;
    part.data = (struct ff_span){bytes, 1000};
    scene_part(&scene, FF_MSG_OBJECT_PART, &part);
    scene_wait(&scene, &scene.at_manager.count[FF_MSG_OBJECT_PART], 1);
    assert_int_equal(scene.at_manager.offset, FF_OBJECT_PART);
    assert_int_equal(scene.at_manager.total, sizeof bytes);
    assert_string_equal(scene.at_manager.code, "");
    scene_want(&scene, &want);
    scene_wait(&scene, &scene.at_manager.count[FF_MSG_OBJECT_PART], 2);
    assert_int_equal(scene.at_service.count[FF_MSG_OBJECT_WANT], 2); /* now from the cache */
    scene_close(&scene);
}

/* What a machine that lost its power left in the cache. */
static void test_torn_objects_are_fetched_anew(void **state)
{
    (void)state;
    struct scene scene;
    struct ff_order order = echo_order();
    struct ff_error error;
    char text[FF_DIGEST_TEXT_SIZE];
    char path[PATH_MAX];
    assert_ok(ff_digest_of(ff_span_of("whole"), &order.digest, &error), error);
    order.size = 5;
    scene_open(&scene);
    ff_digest_text(&order.digest, text);
    ff_folder_path(&scene.folder, path, "cache/objects/%.2s", text);
    assert_ok(ff_folder_make(path, 0700, &error), error);
    ff_folder_path(&scene.folder, path, "cache/objects/%.2s/%s", text, text + 2);
    assert_ok(ff_file_write(path, ff_span_of("who"), 0600, &error), error);
    connect_all(&scene);
    scene_order(&scene, &order, 1);
    scene_wait(&scene, &scene.at_service.count[FF_MSG_OBJECT_WANT], 1);
    scene_close(&scene);
}

static void test_wrong_objects_are_not_served(void **state)
{
    (void)state;
    struct scene scene;
    struct ff_error error;
    struct ff_want want = {.length = 5};
    assert_ok(ff_digest_of(ff_span_of("right"), &want.digest, &error), error);
    scene_open(&scene);
    connect_all(&scene);
    scene_want(&scene, &want);
    scene_wait(&scene, &scene.at_service.count[FF_MSG_OBJECT_WANT], 1);
    const struct ff_part part = {.digest = want.digest, .total = 5, .data = ff_span_of("wrong")};
    scene_part(&scene, FF_MSG_OBJECT_PART, &part);
    scene_wait(&scene, &scene.at_manager.count[FF_MSG_OBJECT_PART], 1);
    assert_string_equal(scene.at_manager.code, "PROTOCOL");
    scene_close(&scene);
}

static void test_large_values_reach_a_restarted_service(void **state)
{
    (void)state;
    struct scene scene;
    struct ff_error error;
    static char bytes[2 * FF_OBJECT_PART];
    struct ff_part part = {.total = sizeof bytes, .data = {bytes, FF_OBJECT_PART}};
    struct ff_span whole = {bytes, sizeof bytes};
    assert_ok(ff_digest_of(whole, &part.digest, &error), error);
    scene_open(&scene);
    connect_all(&scene);
    scene_store(&scene, &part);
    scene_wait(&scene, &scene.at_manager.count[FF_MSG_OBJECT_STORED], 1);
    assert_int_equal(scene.at_manager.offset, FF_OBJECT_PART);
    part.offset = FF_OBJECT_PART;
    scene_store(&scene, &part);
    scene_wait(&scene, &scene.at_service.count[FF_MSG_OBJECT_STORE], 2);
    scene_stop_service(&scene); /* with all of it, and without an answer */
    scene_start_service(&scene);
    scene_wait(&scene, &scene.at_service.count[FF_MSG_OBJECT_STORE], 4);
    assert_int_equal(scene.at_manager.count[FF_MSG_OBJECT_STORED], 1);
    const struct ff_part stored = {
        .digest = part.digest, .offset = sizeof bytes, .total = sizeof bytes};
    scene_part(&scene, FF_MSG_OBJECT_STORED, &stored);
    scene_wait(&scene, &scene.at_manager.count[FF_MSG_OBJECT_STORED], 2);
    assert_int_equal(scene.at_manager.offset, sizeof bytes);
    scene_close(&scene);
}

/* The manager sends a value under two instances: it has come back as another one, with the first one's on its way. */
static void test_equal_values_go_up_once(void **state)
{
    (void)state;
    struct scene scene;
    struct ff_error error;
    static char bytes[2 * FF_OBJECT_PART];
    struct ff_part part = {.total = sizeof bytes};
    struct ff_span whole = {bytes, sizeof bytes};
    assert_ok(ff_digest_of(whole, &part.digest, &error), error);
    scene_open(&scene);
    connect_all(&scene);
    for (int i = 1; i <= 2; i++) {
        for (part.offset = 0; part.offset < sizeof bytes; part.offset += FF_OBJECT_PART) {
            part.data = (struct ff_span){bytes + part.offset, FF_OBJECT_PART};
            scene_store(&scene, &part);
        }
        scene_wait(&scene, &scene.at_manager.count[FF_MSG_OBJECT_STORED], i);
        if (i == 1) {
            scene_wait(&scene, &scene.at_service.count[FF_MSG_OBJECT_STORE], 2);
            ff_session_destroy(scene.manager, NULL);
            scene_start_manager(&scene);
            scene_wait(&scene, &scene.manager_open, 2);
        }
    }
    /* The last part is not acknowledged; what the manager asks behind it tells that it arrived. */
    const struct ff_want behind = {.length = 5};
    scene_want(&scene, &behind);
    scene_wait(&scene, &scene.at_service.count[FF_MSG_OBJECT_WANT], 1);
    struct ff_part stored = {.digest = part.digest, .offset = sizeof bytes, .total = sizeof bytes};
    scene_part(&scene, FF_MSG_OBJECT_STORED, &stored);
    scene_wait(&scene, &scene.at_manager.count[FF_MSG_OBJECT_STORED], 3);
    assert_int_equal(scene.at_manager.offset, sizeof bytes);
    assert_int_equal(scene.at_service.count[FF_MSG_OBJECT_STORE], 2);
    scene_close(&scene);
}

/* Service, agent and two managers of one block; where all are free a call on both runs on node-1, whoever came first. */
static void connect_both(struct scene *scene)
{
    scene_start_agent(scene);
    scene_wait(scene, &scene->connected, scene->connected + 1);
    scene_start_companion(scene);
    scene_wait(scene, &scene->companion_open, scene->companion_open + 1);
    scene_start_manager(scene);
    scene_wait(scene, &scene->manager_open, scene->manager_open + 1);
}

static struct ff_order gang_order(void)
{
    struct ff_order order = echo_order();
    order.kind = ff_span_of("shell");
    order.nodes = 2;
    return order;
}

/* A call on both nodes runs on the first. */
static void begin_gang(struct scene *scene, struct ff_order *gang)
{
    scene_open(scene);
    connect_both(scene);
    scene_order(scene, gang, 1);
    scene_wait(scene, &scene->at_manager.count[FF_MSG_TASKS], 1);
}

static void test_a_call_on_two_nodes_gets_both_or_none(void **state)
{
    (void)state;
    struct scene scene;
    struct ff_order gang = gang_order();
    struct ff_order small = echo_order();
    struct ff_order later = echo_order();
    small.function.bytes[0] = 7; /* of these nobody knows how long they take */
    later.function.bytes[0] = 8;
    begin_gang(&scene, &gang);
    assert_string_equal(scene.at_manager.node_list, "node-1,node-2");
    scene_order(&scene, &small, 1); /* nothing else runs on either */
    scene_wait(&scene, &scene.at_service.count[FF_MSG_STATES], 1);
    assert_non_null(strstr(scene.at_service.text, "slots"));
    struct ff_outcome outcome = success_of(&scene);
    scene_outcome(&scene, &outcome);
    scene_wait(&scene, &scene.at_service.count[FF_MSG_OUTCOMES], 1);
    scene_wait(&scene, &scene.at_manager.count[FF_MSG_TASKS], 2);
    assert_string_equal(scene.at_manager.node_list, "");
    scene_order(&scene, &gang, 1); /* one node is free, and that is not enough */
    scene_wait(&scene, &scene.at_service.count[FF_MSG_STATES], 2);
    assert_non_null(strstr(scene.at_service.text, "2 wholly free nodes"));
    scene_order(&scene, &later, 1); /* and it is kept for the older one */
    scene_wait(&scene, &scene.at_service.count[FF_MSG_STATES], 3);
    assert_non_null(strstr(scene.at_service.text, "older task"));
    assert_int_equal(scene.at_companion.count[FF_MSG_TASKS], 0);
    outcome = success_of(&scene);
    scene_outcome(&scene, &outcome);
    scene_wait(&scene, &scene.at_manager.count[FF_MSG_TASKS], 3);
    assert_string_equal(scene.at_manager.node_list, "node-1,node-2");
    scene_close(&scene);
}

static void test_a_lost_node_ends_the_call_on_all(void **state)
{
    (void)state;
    struct scene scene;
    struct ff_order gang = gang_order();
    struct ff_order small = echo_order();
    begin_gang(&scene, &gang);
    scene_stop_companion(&scene);
    scene_wait(&scene, &scene.at_service.count[FF_MSG_OUTCOMES], 1);
    assert_true(scene.at_service.lost);
    assert_string_equal(scene.at_service.code, "MANAGER_LOST");
    assert_non_null(strstr(scene.at_service.text, "node-2"));
    scene_wait(&scene, &scene.at_manager.count[FF_MSG_CONTROL], 1); /* what runs is ended */
    assert_int_equal(scene.at_manager.action, FF_CONTROL_CANCEL);
    scene_order(&scene, &small, 1); /* the first node is free again */
    scene_wait(&scene, &scene.at_manager.count[FF_MSG_TASKS], 2);
    scene_order(&scene, &gang, 1); /* and the block too small */
    scene_wait(&scene, &scene.at_service.count[FF_MSG_OUTCOMES], 2);
    assert_false(scene.at_service.lost);
    assert_non_null(strstr(scene.at_service.text, "asks for 2 nodes"));
    scene_close(&scene);
}

static void test_a_call_on_two_nodes_survives_the_agent(void **state)
{
    (void)state;
    struct scene scene;
    struct ff_order gang = gang_order();
    struct ff_order small = echo_order();
    begin_gang(&scene, &gang);
    scene.holds = true;
    scene_kill_agent(&scene);
    scene_start_agent(&scene);
    scene_wait(&scene, &scene.connected, 2);
    scene_wait(&scene, &scene.companion_open, 2);
    scene_wait(&scene, &scene.manager_open, 2);
    scene_wait(&scene, &scene.at_service.count[FF_MSG_HOLDING], 1);
    scene_order(&scene, &small,
                1); /* the second node, which announced nothing, is not free either */
    scene_wait(&scene, &scene.at_service.count[FF_MSG_STATES], 1);
    assert_non_null(strstr(scene.at_service.text, "slots"));
    assert_int_equal(scene.at_companion.count[FF_MSG_TASKS], 0);
    const struct ff_outcome outcome = {.task = gang.task,
                                       .attempt = gang.attempt,
                                       .state = FF_TASK_SUCCESS,
                                       .value = ff_span_of("1")};
    scene_outcome(&scene, &outcome);
    scene_wait(&scene, &scene.at_service.count[FF_MSG_OUTCOMES], 1);
    scene_wait(&scene, &scene.handed, 2); /* to whichever came back first */
    scene_close(&scene);
}

/* Calls that were short so far go ahead of need; one that waits behind a long one is called back, and waits here instead. */
static void test_a_call_ahead_is_called_back_from_behind_a_long_one(void **state)
{
    (void)state;
    struct scene scene;
    struct ff_order order = echo_order();
    scene_open(&scene);
    connect_all(&scene);
    scene.receipts = true;
    scene_order(&scene, &order, 1);
    scene_wait(&scene, &scene.at_manager.count[FF_MSG_TASKS], 1);
    struct ff_outcome outcome = success_of(&scene);
    outcome.run_us = 10;
    scene_outcome(&scene, &outcome);
    scene_wait(&scene, &scene.at_service.count[FF_MSG_OUTCOMES], 1);
    for (int i = 0; i < 2; i++) { /* both slots run a call that lasts */
        scene_order(&scene, &order, 1);
        scene_wait(&scene, &scene.at_manager.count[FF_MSG_TASKS], 2 + i);
        const struct ff_report runs = {
            .task = order.task, .attempt = order.attempt, .state = FF_TASK_RUNNING};
        scene_report(&scene, &runs);
    }
    scene_wait(&scene, &scene.at_service.count[FF_MSG_STATES], 2);
    scene_order(&scene, &order, 1);
    scene_wait(&scene, &scene.at_manager.count[FF_MSG_TASKS], 4); /* ahead */
    scene_wait(&scene, &scene.at_manager.count[FF_MSG_CONTROL], 1);
    assert_int_equal(scene.at_manager.action, FF_CONTROL_RECALL);
    assert_true(ff_id_equal(&scene.at_manager.task[FF_MSG_CONTROL], &order.task));
    const struct ff_outcome back = {.task = order.task,
                                    .attempt = order.attempt,
                                    .state = FF_TASK_FAILED_STATE,
                                    .lost = true,
                                    .uncharged = true,
                                    .unbegun = true};
    scene_outcome(&scene, &back);
    scene_wait(&scene, &scene.at_service.count[FF_MSG_STATES], 3);
    assert_int_equal(scene.at_service.state, FF_TASK_WAITING_FOR_NODES);
    assert_int_equal(scene.at_service.count[FF_MSG_OUTCOMES], 1);
    assert_int_equal(scene.at_manager.count[FF_MSG_TASKS], 4); /* it does not go ahead again */
    scene_close(&scene);
}

static void test_gpus_that_others_hold_are_passed_over(void **state)
{
    (void)state;
    struct scene scene;
    struct ff_order order = echo_order();
    order.devices = 2;
    scene_open(&scene);
    scene.devices = 2;
    scene.taken = 1;
    scene_start_agent(&scene);
    scene_wait(&scene, &scene.connected, 1);
    scene_start_manager(&scene);
    scene_wait(&scene, &scene.manager_open, 1);
    scene_start_companion(&scene); /* which would come first, as the one that came last */
    scene_wait(&scene, &scene.companion_open, 1);
    scene_order(&scene, &order, 1);
    scene_wait(&scene, &scene.at_manager.count[FF_MSG_TASKS], 1);
    assert_int_equal(scene.at_companion.count[FF_MSG_TASKS], 0);
    scene_order(&scene, &order, 1);
    /* The second stands in the line of the companion's node: it has no other. */
    scene_wait(&scene, &scene.at_companion.count[FF_MSG_TASKS], 1);
    /* Until it has: then it is called back and goes there. */
    const struct ff_outcome outcome = success_of(&scene);
    scene_outcome(&scene, &outcome);
    scene_wait(&scene, &scene.at_companion.count[FF_MSG_CONTROL], 1);
    assert_int_equal(scene.at_companion.action, FF_CONTROL_RECALL);
    const struct ff_outcome back = {.task = order.task,
                                    .attempt = order.attempt,
                                    .state = FF_TASK_FAILED_STATE,
                                    .lost = true,
                                    .uncharged = true,
                                    .unbegun = true};
    scene_companion_outcome(&scene, &back);
    scene_wait(&scene, &scene.at_manager.count[FF_MSG_TASKS], 2);
    assert_true(ff_id_equal(&scene.at_manager.task[FF_MSG_TASKS], &order.task));
    scene_close(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_task_goes_down_and_its_outcome_up),
        cmocka_unit_test(test_many_tasks_stream),
        cmocka_unit_test(test_long_tasks_wait_and_say_why),
        cmocka_unit_test(test_a_stop_waits_with_its_task),
        cmocka_unit_test(test_what_no_node_can_run_fails_in_words),
        cmocka_unit_test(test_a_killed_agent_loses_nothing),
        cmocka_unit_test(test_outcomes_survive_the_service),
        cmocka_unit_test(test_a_lost_manager_loses_its_tasks),
        cmocka_unit_test(test_given_back_is_placed_again),
        cmocka_unit_test(test_stop_drains),
        cmocka_unit_test(test_refused_endpoint_says_who_runs_it),
        cmocka_unit_test(test_a_second_agent_is_refused_here),
        cmocka_unit_test(test_objects_are_fetched_once_and_served),
        cmocka_unit_test(test_torn_objects_are_fetched_anew),
        cmocka_unit_test(test_wrong_objects_are_not_served),
        cmocka_unit_test(test_large_values_reach_a_restarted_service),
        cmocka_unit_test(test_equal_values_go_up_once),
        cmocka_unit_test(test_a_call_on_two_nodes_gets_both_or_none),
        cmocka_unit_test(test_a_lost_node_ends_the_call_on_all),
        cmocka_unit_test(test_a_call_on_two_nodes_survives_the_agent),
        cmocka_unit_test(test_a_call_ahead_is_called_back_from_behind_a_long_one),
        cmocka_unit_test(test_gpus_that_others_hold_are_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

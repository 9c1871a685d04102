#include "tests/unit/endpoint/agent_scene.h"

#include "endpoint/init.h"
#include "protocol/core/clock.h"
#include "protocol/core/file.h"
#include "protocol/core/process.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zmq.h>

enum { LIMIT_MS = 30000 };

/* ---- sending ---- */

typedef void scene_send(struct scene *scene, struct ff_span frame);

static void to_endpoint(struct scene *scene, struct ff_span frame)
{
    assert_non_null(scene->endpoint);
    assert_true(ff_peer_send(scene->endpoint, frame));
}

static void to_agent(struct scene *scene, struct ff_span frame)
{
    ff_session_send(scene->manager, frame);
}

/* One message of one item. */
#define SCENE_SEND(scene, send, type, kind, item)                                                  \
    do {                                                                                           \
        struct ff_buffer buffer;                                                                   \
        struct ff_encoder encoder;                                                                 \
        struct ff_error error;                                                                     \
        ff_buffer_init(&buffer, FF_MESSAGE_LIMIT);                                                 \
        ff_encode_begin(&encoder, &buffer, type);                                                  \
        ff_encode_##kind(&encoder, item);                                                          \
        assert_ok(ff_encode_end(&encoder, &error), error);                                         \
        send(scene, ff_buffer_span(&buffer));                                                      \
        ff_buffer_dispose(&buffer);                                                                \
    } while (0)

void scene_outcome(struct scene *scene, const struct ff_outcome *outcome)
{
    SCENE_SEND(scene, to_agent, FF_MSG_OUTCOMES, outcome, outcome);
}

void scene_report(struct scene *scene, const struct ff_report *report)
{
    SCENE_SEND(scene, to_agent, FF_MSG_STATES, report, report);
}

void scene_store(struct scene *scene, const struct ff_part *part)
{
    SCENE_SEND(scene, to_agent, FF_MSG_OBJECT_STORE, part, part);
}

void scene_want(struct scene *scene, const struct ff_want *want)
{
    SCENE_SEND(scene, to_agent, FF_MSG_OBJECT_WANT, want, want);
}

void scene_receipt(struct scene *scene, const struct ff_receipt *receipt)
{
    SCENE_SEND(scene, to_endpoint, FF_MSG_RECEIPTS, receipt, receipt);
}

void scene_part(struct scene *scene, enum ff_message_type type, const struct ff_part *part)
{
    SCENE_SEND(scene, to_endpoint, type, part, part);
}

void scene_control(struct scene *scene, const struct ff_order *order, enum ff_control_action action)
{
    const struct ff_control control = {
        .task = order->task, .attempt = order->attempt, .action = action};
    SCENE_SEND(scene, to_endpoint, FF_MSG_CONTROL, control, &control);
}

void scene_order(struct scene *scene, struct ff_order *order, int count)
{
    struct ff_buffer buffer;
    struct ff_encoder encoder;
    struct ff_error error;
    ff_buffer_init(&buffer, FF_MESSAGE_LIMIT);
    while (count > 0) {
        ff_encode_begin(&encoder, &buffer, FF_MSG_TASKS);
        for (int i = 0; i < FF_MESSAGE_ITEMS && count > 0; i++, count--) {
            ff_id_random(&order->task);
            order->attempt.epoch = 1;
            order->attempt.counter++;
            assert_true(ff_encode_order(&encoder, order));
        }
        assert_ok(ff_encode_end(&encoder, &error), error);
        to_endpoint(scene, ff_buffer_span(&buffer));
    }
    ff_buffer_dispose(&buffer);
}

/* ---- hearing ---- */

static void note_text(char *to, size_t size, struct ff_span text)
{
    snprintf(to, size, "%.*s", (int)text.size, (const char *)text.data);
}

static void note(struct scene_heard *heard, enum ff_message_type type, const union ff_item *item)
{
    heard->count[type]++;
    /* Kinds about an attempt begin with task and attempt. */
    if ((type >= FF_MSG_TASKS && type <= FF_MSG_CONTROL) || type == FF_MSG_HOLDING) {
        heard->task[type] = item->report.task;
        heard->attempt[type] = item->report.attempt;
    }
    if (type == FF_MSG_OUTCOMES) {
        heard->state = item->outcome.state;
        heard->lost = item->outcome.lost;
        heard->uncharged = item->outcome.uncharged;
        heard->unbegun = item->outcome.unbegun;
        note_text(heard->code, sizeof heard->code, item->outcome.code);
        note_text(heard->text, sizeof heard->text, item->outcome.message);
    } else if (type == FF_MSG_STATES) {
        heard->state = item->report.state;
        note_text(heard->text, sizeof heard->text, item->report.why);
    } else if (type == FF_MSG_TASKS) {
        note_text(heard->node_list, sizeof heard->node_list, item->order.node_list);
    } else if (type == FF_MSG_CONTROL) {
        heard->action = item->control.action;
    } else if (type == FF_MSG_OBJECT_WANT) {
        heard->offset = item->want.offset;
    } else if (type >= FF_MSG_OBJECT_PART && type <= FF_MSG_OBJECT_STORED) {
        heard->offset = item->part.offset;
        heard->total = item->part.total;
        note_text(heard->code, sizeof heard->code, item->part.code);
    }
}

/* ---- the service ---- */

static bool allows(void *user, const char key[FF_CURVE_TEXT_SIZE])
{
    struct scene *scene = user;
    return strcmp(key, scene->endpoint_keys.public_key) == 0;
}

static int take_hello(void *user, struct ff_peer *peer, const struct ff_hello *hello,
                      struct ff_peer *replaced, struct ff_welcome *welcome, void **peer_user,
                      bool *final, struct ff_error *error)
{
    struct scene *scene = user;
    (void)replaced;
    (void)peer_user;
    *final = true;
    assert_true(hello->window > 0);
    if (scene->refuses)
        return ff_fail(error, FF_ENDPOINT_IN_USE, "process 17 on host elsewhere runs it");
    scene->endpoint = peer;
    scene->connected++;
    welcome->name = ff_span_of("scene");
    return 0;
}

static int take_at_service(void *user, struct ff_peer *peer, struct ff_decoder *decoder,
                           struct ff_error *error)
{
    struct scene *scene = user;
    union ff_item item;
    int got;
    (void)peer;
    while ((got = ff_decode_next(decoder, &item, error)) > 0) {
        note(&scene->at_service, decoder->type, &item);
        if (decoder->type == FF_MSG_OUTCOMES && scene->receipts) {
            const struct ff_receipt receipt = {
                .task = item.outcome.task, .attempt = item.outcome.attempt, .ended = true};
            scene_receipt(scene, &receipt);
        }
    }
    return got;
}

static void endpoint_gone(void *user, struct ff_peer *peer, const char *why)
{
    struct scene *scene = user;
    (void)why;
    scene->gone++;
    if (scene->endpoint == peer)
        scene->endpoint = NULL;
}

void scene_start_service(struct scene *scene)
{
    struct ff_error error;
    const struct ff_peers_events events = {
        .user = scene,
        .allows = allows,
        .hello = take_hello,
        .message = take_at_service,
        .gone = endpoint_gone,
    };
    scene->service_context = zmq_ctx_new();
    scene->service = ff_peers_create(scene->loop, scene->service_context, "127.0.0.1", &scene->port,
                                     &scene->service_keys, &events, &error);
    assert_non_null(scene->service);
}

void scene_stop_service(struct scene *scene)
{
    ff_peers_destroy(scene->service, NULL);
    zmq_ctx_term(scene->service_context);
    scene->service = NULL;
    scene->endpoint = NULL;
}

/* ---- the manager ---- */

static int find_agent(void *user, struct ff_session_target *target, struct ff_error *error)
{
    struct scene *scene = user;
    char path[PATH_MAX];
    char *text = NULL;
    size_t size = 0;
    ff_folder_path(&scene->folder, path, "run/agent");
    if (ff_file_read(path, 4096, &text, &size, error) < 0)
        return -1;
    int fields = sscanf(text, "address: \"%255[^\"]\"\nkey: \"%40[^\"]\"", target->address,
                        target->server_key);
    free(text);
    return fields == 2 ? 0 : ff_fail(error, FF_IO, "run/agent is not as it should be");
}

static void fill_hello(void *user, struct ff_hello *hello)
{
    struct scene *scene = user;
    hello->instance = scene->manager_instance;
    hello->node = ff_span_of("node-1");
    hello->slots = 2;
    hello->cores = 2;
    hello->devices = scene->devices;
    hello->window = 4096;
}

static void manager_open(void *user, const struct ff_welcome *welcome)
{
    struct scene *scene = user;
    (void)welcome;
    scene->manager_open++;
    if (scene->holds) {
        const struct ff_holding holding = {.task = scene->at_manager.task[FF_MSG_TASKS],
                                           .attempt = scene->at_manager.attempt[FF_MSG_TASKS],
                                           .number = 1,
                                           .nodes = scene->at_manager.node_list[0] != '\0' ? 2 : 1,
                                           .node_list = ff_span_of(scene->at_manager.node_list),
                                           .state = FF_TASK_RUNNING};
        SCENE_SEND(scene, to_agent, FF_MSG_HOLDING, holding, &holding);
    }
    const struct ff_farewell end = {0};
    SCENE_SEND(scene, to_agent, FF_MSG_HOLDING_END, farewell, &end);
}

/* Outcomes for all of one message of tasks in one message. */
static int answer_all(struct scene *scene, struct ff_decoder *decoder, struct ff_error *error)
{
    struct ff_buffer buffer;
    struct ff_encoder encoder;
    union ff_item item;
    int got;
    ff_buffer_init(&buffer, FF_MESSAGE_LIMIT);
    ff_encode_begin(&encoder, &buffer, FF_MSG_OUTCOMES);
    while ((got = ff_decode_next(decoder, &item, error)) > 0) {
        note(&scene->at_manager, FF_MSG_TASKS, &item);
        const struct ff_outcome outcome = {.task = item.order.task,
                                           .attempt = item.order.attempt,
                                           .state = FF_TASK_SUCCESS,
                                           .value = ff_span_of("null"),
                                           .run_us = 10};
        ff_encode_outcome(&encoder, &outcome);
    }
    assert_ok(ff_encode_end(&encoder, error), *error);
    ff_session_send(scene->manager, ff_buffer_span(&buffer));
    ff_buffer_dispose(&buffer);
    return got;
}

static int take_at_manager(void *user, struct ff_decoder *decoder, struct ff_error *error)
{
    struct scene *scene = user;
    union ff_item item;
    int got;
    if (decoder->type == FF_MSG_TASKS && scene->answers)
        return answer_all(scene, decoder, error);
    while ((got = ff_decode_next(decoder, &item, error)) > 0) {
        note(&scene->at_manager, decoder->type, &item);
        scene->handed += decoder->type == FF_MSG_TASKS;
    }
    return got;
}

static void manager_lost(void *user, const struct ff_error *why)
{
    (void)user;
    (void)why;
}

static void manager_refused(void *user, const struct ff_error *why)
{
    (void)user;
    fail_msg("the agent refused its manager: %s", why->message);
}

void scene_start_manager(struct scene *scene)
{
    struct ff_error error;
    const struct ff_session_events events = {
        .user = scene,
        .target = find_agent,
        .hello = fill_hello,
        .open = manager_open,
        .message = take_at_manager,
        .lost = manager_lost,
        .refused = manager_refused,
    };
    ff_id_random(&scene->manager_instance);
    scene->manager =
        ff_session_create(scene->loop, scene->manager_context, &scene->block_keys, &events, &error);
    assert_non_null(scene->manager);
}

/* ---- the companion ---- */

static void to_agent_from_companion(struct scene *scene, struct ff_span frame)
{
    ff_session_send(scene->companion, frame);
}

static void fill_companion_hello(void *user, struct ff_hello *hello)
{
    struct scene *scene = user;
    fill_hello(user, hello);
    hello->instance = scene->companion_instance;
    hello->node = ff_span_of("node-2");
}

static void fill_companion_heartbeat(void *user, struct ff_heartbeat *heartbeat)
{
    const struct scene *scene = user;
    heartbeat->devices_taken = scene->taken;
}

static void companion_open(void *user, const struct ff_welcome *welcome)
{
    struct scene *scene = user;
    const struct ff_farewell end = {0};
    (void)welcome;
    ff_session_beat(scene->companion);
    SCENE_SEND(scene, to_agent_from_companion, FF_MSG_HOLDING_END, farewell, &end);
    scene->companion_open++;
}

static int take_at_companion(void *user, struct ff_decoder *decoder, struct ff_error *error)
{
    struct scene *scene = user;
    union ff_item item;
    int got;
    while ((got = ff_decode_next(decoder, &item, error)) > 0) {
        note(&scene->at_companion, decoder->type, &item);
        scene->handed += decoder->type == FF_MSG_TASKS;
    }
    return got;
}

void scene_start_companion(struct scene *scene)
{
    struct ff_error error;
    const struct ff_session_events events = {
        .user = scene,
        .target = find_agent,
        .hello = fill_companion_hello,
        .heartbeat = fill_companion_heartbeat,
        .open = companion_open,
        .message = take_at_companion,
        .lost = manager_lost,
        .refused = manager_refused,
    };
    ff_id_random(&scene->companion_instance);
    scene->companion =
        ff_session_create(scene->loop, scene->manager_context, &scene->block_keys, &events, &error);
    assert_non_null(scene->companion);
}

void scene_companion_outcome(struct scene *scene, const struct ff_outcome *outcome)
{
    SCENE_SEND(scene, to_agent_from_companion, FF_MSG_OUTCOMES, outcome, outcome);
}

void scene_stop_companion(struct scene *scene)
{
    ff_session_destroy(scene->companion, "the node is lost");
    scene->companion = NULL;
}

/* A block as an earlier agent would have left it. */
static void leave_block(struct scene *scene)
{
    struct ff_error error;
    struct ff_process_id id;
    char path[PATH_MAX];
    char host[128] = "";
    char line[256];
    scene->block = fork();
    if (scene->block == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves nothing behind */
        for (;;)
            pause();
    }
    assert_int_equal(ff_process_identify(scene->block, &id), 0);
    gethostname(host, sizeof host - 1);
    ff_folder_path(&scene->folder, path, "blocks/ab12");
    assert_ok(ff_folder_make(path, 0700, &error), error);
    ff_folder_path(&scene->folder, path, "blocks/ab12/keys");
    assert_ok(ff_curve_load_or_make(path, &scene->block_keys, &error), error);
    snprintf(line, sizeof line, "%d %llu %s", (int)id.pid, (unsigned long long)id.start_ticks,
             host);
    ff_folder_path(&scene->folder, path, "blocks/ab12/block.yaml");
    assert_ok(ff_file_write(path, ff_span_of("slots: 2\nnodes: 1\n"), 0600, &error), error);
    ff_folder_path(&scene->folder, path, "blocks/ab12/job");
    assert_ok(ff_file_write(path, ff_span_of(line), 0600, &error), error);
}

/* ---- the agent ---- */

void scene_start_agent(struct scene *scene)
{
    const char *stage = getenv("FF_STAGE");
    char program[PATH_MAX];
    assert_non_null(stage);
    snprintf(program, sizeof program, "%s/libexec/farfield/farfield-endpoint", stage);
    scene->agent = fork();
    if (scene->agent == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        execl(program, program, "run", "scene", (char *)NULL);
        _exit(127);
    }
    assert_true(scene->agent > 0);
}

void scene_kill_agent(struct scene *scene)
{
    kill(scene->agent, SIGKILL);
    waitpid(scene->agent, NULL, 0);
    scene->agent = 0;
}

static void agent_ended(void *user, uint32_t events)
{
    struct scene *scene = user;
    (void)events;
    scene->agent_ended = 1;
}

int scene_agent_status(struct scene *scene)
{
    struct ff_error error;
    int status = 0;
    int pidfd = pidfd_open(scene->agent, 0);
    struct ff_watch *watch =
        ff_watch_create(scene->loop, pidfd, EPOLLIN, agent_ended, scene, &error);
    assert_non_null(watch);
    scene->agent_ended = 0;
    scene_wait(scene, &scene->agent_ended, 1);
    ff_watch_destroy(watch);
    close(pidfd);
    assert_int_equal(waitpid(scene->agent, &status, 0), scene->agent);
    scene->agent = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* ---- the whole ---- */

static bool check_goal(void *user)
{
    struct scene *scene = user;
    if (scene->until != NULL && *scene->until >= scene->value)
        ff_loop_stop(scene->loop);
    return false;
}

static void out_of_time(void *user)
{
    struct scene *scene = user;
    fail_msg("waited in vain: a counter stands at %d and not at %d", *scene->until, scene->value);
}

void scene_wait(struct scene *scene, const int *counter, int value)
{
    struct ff_error error;
    scene->until = counter;
    scene->value = value;
    ff_timer_set_after(scene->limit, LIMIT_MS);
    assert_ok(ff_loop_run(scene->loop, &error), error);
}

static void write_registration(const struct scene *scene)
{
    struct ff_error error;
    char text[512];
    char path[PATH_MAX];
    snprintf(text, sizeof text,
             "endpoint_id: 11111111-2222-4333-8444-555555555555\n"
             "router: \"tcp://127.0.0.1:%d\"\nrouter_key: \"%s\"\n",
             scene->port, scene->service_keys.public_key);
    ff_folder_path(&scene->folder, path, "registration");
    assert_ok(ff_file_write(path, ff_span_of(text), 0600, &error), error);
}

void scene_open(struct scene *scene)
{
    struct ff_error error;
    struct ff_config config;
    memset(scene, 0, sizeof *scene);
    scene->home = make_folder();
    setenv("FARFIELD_HOME", scene->home, 1);
    ff_config_defaults(&config);
    assert_ok(ff_folder_locate(&scene->folder, "scene", &error), error);
    assert_ok(ff_init_endpoint(&scene->folder, &config, "", &scene->endpoint_keys, &error), error);
    leave_block(scene);
    scene->loop = ff_loop_create(&error);
    scene->limit = ff_timer_create(scene->loop, out_of_time, scene, &error);
    assert_non_null(ff_prepare_create(scene->loop, check_goal, scene, &error));
    assert_ok(ff_curve_generate(&scene->service_keys, &error), error);
    scene->manager_context = zmq_ctx_new();
    scene_start_service(scene);
    write_registration(scene);
}

void scene_close(struct scene *scene)
{
    struct ff_error error;
    if (scene->block > 0) {
        kill(scene->block, SIGKILL);
        waitpid(scene->block, NULL, 0);
    }
    if (scene->agent > 0)
        scene_kill_agent(scene);
    ff_session_destroy(scene->manager, NULL);
    ff_session_destroy(scene->companion, NULL);
    if (scene->service != NULL)
        scene_stop_service(scene);
    zmq_ctx_term(scene->manager_context);
    ff_loop_destroy(scene->loop);
    assert_ok(ff_folder_remove(scene->home, &error), error);
    free(scene->home);
}

#include "tests/unit/service/rig.h"

#include "protocol/core/clock.h"
#include "protocol/core/file.h"
#include "protocol/core/log.h"
#include "service/http/request.h"

#include <sched.h>
#include <unistd.h>
#include <zmq.h>

/* ---- the service ---- */

static void *run(void *user)
{
    struct rig *rig = user;
    struct ff_error error;
    if (ff_service_run(rig->service, &error) < 0)
        print_error("the loop ended: %s\n", error.message);
    return NULL;
}

void rig_start(struct rig *rig)
{
    struct ff_error error;
    struct ff_service_options options = {NULL, -1, -1};
    char *text = NULL;
    size_t size;
    if (rig->home == NULL)
        rig->home = make_folder();
    assert_ok(ff_log_open("test", "/dev/null", FF_LOG_ERROR, &error), error);
    rig->service = ff_service_create(rig->home, &options, &error);
    if (rig->service == NULL)
        fail_msg("the service does not start: %s", error.message);
    ff_service_url(rig->service, rig->url, sizeof rig->url);
    char *path = ff_path_join(rig->home, "token");
    assert_ok(ff_file_read(path, 1000, &text, &size, &error), error);
    snprintf(rig->token, sizeof rig->token, "%.*s", FF_TOKEN_TEXT_SIZE - 1, text);
    free(text);
    free(path);
    snprintf(rig->certificate, sizeof rig->certificate, "%s/service.pem", rig->home);
    assert_int_equal(pthread_create(&rig->thread, NULL, run, rig), 0);
}

void rig_stop(struct rig *rig)
{
    ff_service_stop(rig->service);
    pthread_join(rig->thread, NULL);
    ff_service_destroy(rig->service);
    rig->service = NULL;
}

void rig_remove(struct rig *rig)
{
    struct ff_error error;
    if (rig->service != NULL)
        rig_stop(rig);
    assert_ok(ff_folder_remove(rig->home, &error), error);
    free(rig->home);
    rig->home = NULL;
}

/* ---- the client ---- */

static size_t keep(char *data, size_t size, size_t count, void *user)
{
    ff_buffer_append(user, data, size * count);
    return size * count;
}

json_t *rig_ask(struct rig *rig, const char *method, const char *path, const char *body,
                long *status)
{
    char url[2048];
    char header[200];
    struct ff_buffer reply;
    CURL *curl = curl_easy_init();
    struct curl_slist *headers = NULL;
    snprintf(url, sizeof url, "%s%s", rig->url, path);
    snprintf(header, sizeof header, "Authorization: Bearer %s", rig->token);
    headers = curl_slist_append(headers, header);
    ff_buffer_init(&reply, 64 << 20);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(curl, CURLOPT_CAINFO, rig->certificate);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &reply);
    if (body != NULL) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(body));
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    }
    CURLcode code = curl_easy_perform(curl);
    if (code != CURLE_OK)
        fail_msg("%s %s: %s", method, path, curl_easy_strerror(code));
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, status);
    json_t *json = json_loadb(ff_buffer_text(&reply), reply.size, 0, NULL);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    ff_buffer_dispose(&reply);
    return json;
}

json_t *rig_expect(struct rig *rig, long status, const char *method, const char *path,
                   const char *body)
{
    long got = 0;
    json_t *json = rig_ask(rig, method, path, body, &got);
    if (got != status)
        fail_msg("%s %s: status %ld instead of %ld: %s", method, path, got, status,
                 rig_text(json, "message"));
    assert_non_null(json);
    return json;
}

void rig_refuses(struct rig *rig, const char *code, const char *words, const char *method,
                 const char *path, const char *body)
{
    long status = 0;
    json_t *json = rig_ask(rig, method, path, body, &status);
    assert_true(status >= 400);
    assert_string_equal(rig_text(json, "code"), code);
    if (strstr(rig_text(json, "message"), words) == NULL &&
        strstr(rig_text(json, "hint"), words) == NULL)
        fail_msg("%s %s: \"%s\" (%s) does not say \"%s\"", method, path, rig_text(json, "message"),
                 rig_text(json, "hint"), words);
    json_decref(json);
}

const char *rig_text(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "";
}

void rig_function(struct rig *rig, const char *name)
{
    char body[256];
    snprintf(body, sizeof body,
             "{\"function_name\":\"%s\",\"kind\":\"shell\",\"function_code\":\"true\"}", name);
    json_decref(rig_expect(rig, 200, "POST", "/v3/functions", body));
}

json_t *rig_submit(struct rig *rig, const char *endpoint, const char *function,
                   const char *payloads)
{
    char path[256];
    size_t size = strlen(payloads) + 256;
    char *body = malloc(size);
    snprintf(path, sizeof path, "/v3/endpoints/%s/submit", endpoint);
    snprintf(body, size, "{\"tasks\":{\"%s\":%s}}", function, payloads);
    json_t *reply = rig_expect(rig, 200, "POST", path, body);
    free(body);
    return reply;
}

const char *rig_task(const json_t *reply, const char *function, size_t n)
{
    const char *id = json_string_value(
        json_array_get(json_object_get(json_object_get(reply, "tasks"), function), n));
    assert_non_null(id);
    return id;
}

json_t *rig_show(struct rig *rig, const char *task, const char *query)
{
    char path[256];
    snprintf(path, sizeof path, "/v2/tasks/%s%s", task, query);
    return rig_expect(rig, 200, "GET", path, NULL);
}

void rig_expect_end(struct rig *rig, const char *task, const char *state)
{
    json_t *shown = rig_show(rig, task, "?wait_ms=20000");
    assert_string_equal(rig_text(shown, "state"), state);
    json_decref(shown);
}

/* ---- standing still ---- */

static int write_hold(struct ff_job *job, struct ff_store *store, struct ff_error *error)
{
    struct hold *hold = (struct hold *)job;
    (void)store;
    (void)error;
    sem_post(&hold->begun);
    sem_wait(&hold->go);
    return 0;
}

static void hold_done(struct ff_job *job, const struct ff_error *error)
{
    struct hold *hold = (struct hold *)job;
    (void)error;
    sem_post(&hold->over);
}

void hold_submit(struct hold *hold, struct rig *rig, bool apart)
{
    hold->job =
        (struct ff_job){.rows = apart ? FF_COMMIT_ROWS : 1, .write = write_hold, .done = hold_done};
    sem_init(&hold->begun, 0, 0);
    sem_init(&hold->go, 0, 0);
    sem_init(&hold->over, 0, 0);
    ff_committer_submit(rig->service->committer, &hold->job);
}

void hold_wait(struct hold *hold)
{
    sem_wait(&hold->begun);
}

void hold_release(struct hold *hold)
{
    sem_post(&hold->go);
    sem_wait(&hold->over);
    sem_destroy(&hold->begun);
    sem_destroy(&hold->go);
    sem_destroy(&hold->over);
}

static void *ask_apart(void *user)
{
    struct asking *asking = user;
    asking->reply =
        rig_ask(asking->rig, asking->method, asking->path, asking->body, &asking->status);
    asking->answered = true;
    return NULL;
}

void asking_begin(struct asking *asking, struct rig *rig, const char *method, const char *path,
                  const char *body)
{
    asking->rig = rig;
    asking->method = method;
    asking->body = body;
    asking->answered = false;
    snprintf(asking->path, sizeof asking->path, "%s", path);
    assert_int_equal(pthread_create(&asking->thread, NULL, ask_apart, asking), 0);
}

json_t *asking_end(struct asking *asking)
{
    pthread_join(asking->thread, NULL);
    assert_non_null(asking->reply);
    return asking->reply;
}

void rig_wait_suspended(struct rig *rig, unsigned count)
{
    struct ff_http *http = rig->service->http;
    for (bool reached = false; !reached; sched_yield()) {
        pthread_mutex_lock(&http->lock);
        reached = http->suspended >= count;
        pthread_mutex_unlock(&http->lock);
    }
    /* The one thread of the server answers when it has handed over what it suspended. */
    json_decref(rig_expect(rig, 200, "GET", "/v2/version", NULL));
}

/* ---- the agent ---- */

void agent_register(struct agent *agent, struct rig *rig, const char *name)
{
    struct ff_error error;
    memset(agent, 0, sizeof *agent);
    agent->rig = rig;
    ff_buffer_init(&agent->part, 2 << 20);
    assert_ok(ff_curve_generate(&agent->keys, &error), error);
    json_t *body =
        json_pack("{s:s,s:s}", "endpoint_name", name, "public_key", agent->keys.public_key);
    char *text = json_dumps(body, 0);
    json_t *reply = rig_expect(rig, 200, "POST", "/v3/endpoints", text);
    const char *id = rig_text(reply, "endpoint_id");
    assert_int_equal(ff_id_parse(id, strlen(id), &agent->endpoint), 0);
    snprintf(agent->router_key, sizeof agent->router_key, "%s", rig_text(reply, "router_key"));
    free(text);
    json_decref(body);
    json_decref(reply);
}

static int target(void *user, struct ff_session_target *to, struct ff_error *error)
{
    struct agent *agent = user;
    (void)error;
    snprintf(to->address, sizeof to->address, "tcp://127.0.0.1:%d",
             agent->rig->service->router_port);
    snprintf(to->server_key, sizeof to->server_key, "%s", agent->router_key);
    return 0;
}

static void hello(void *user, struct ff_hello *to)
{
    struct agent *agent = user;
    to->endpoint = agent->endpoint;
    to->instance = agent->instance;
    to->previous = agent->previous;
    to->take_over = agent->take_over;
    to->host = ff_span_of("testhost");
    to->software = ff_span_of("test");
    to->pid = 4711;
    to->slots = 2;
    to->window = 3;
}

static void opened(void *user, const struct ff_welcome *welcome)
{
    struct agent *agent = user;
    (void)welcome;
    agent->open = true;
    ff_loop_stop(agent->loop);
}

static void lost(void *user, const struct ff_error *why)
{
    struct agent *agent = user;
    agent->open = false;
    agent->why = *why;
    ff_loop_stop(agent->loop);
}

static void was_refused(void *user, const struct ff_error *why)
{
    struct agent *agent = user;
    agent->refused = true;
    agent->open = false;
    agent->why = *why;
    ff_loop_stop(agent->loop);
}

static void take_item(struct agent *agent, enum ff_message_type type, const union ff_item *item)
{
    switch (type) {
    case FF_MSG_TASKS:
        assert_true(agent->order_count < AGENT_ITEMS);
        agent->orders[agent->order_count++] = item->order;
        break;
    case FF_MSG_RECEIPTS:
        assert_true(agent->receipt_count < AGENT_ITEMS);
        agent->receipts[agent->receipt_count++] = item->receipt;
        break;
    case FF_MSG_CONTROL:
        assert_true(agent->control_count < AGENT_ITEMS);
        agent->controls[agent->control_count++] = item->control;
        break;
    case FF_MSG_OBJECT_PART:
        ff_buffer_clear(&agent->part);
        ff_buffer_append(&agent->part, item->part.data.data, item->part.data.size);
        snprintf(agent->part_code, sizeof agent->part_code, "%.*s", (int)item->part.code.size,
                 (const char *)item->part.code.data);
        agent->has_part = true;
        break;
    case FF_MSG_OBJECT_STORED:
        agent->stored = item->part.offset;
        snprintf(agent->part_code, sizeof agent->part_code, "%.*s", (int)item->part.code.size,
                 (const char *)item->part.code.data);
        agent->has_stored = true;
        agent->store_failed = agent->store_failed || item->part.code.size > 0;
        break;
    default:
        break;
    }
}

static int message(void *user, struct ff_decoder *decoder, struct ff_error *error)
{
    struct agent *agent = user;
    union ff_item item;
    int got;
    while ((got = ff_decode_next(decoder, &item, error)) > 0)
        take_item(agent, decoder->type, &item);
    if (got < 0)
        fail_msg("the service sent what cannot be decoded: %s", error->message);
    ff_loop_stop(agent->loop);
    return got;
}

void agent_connect(struct agent *agent)
{
    struct ff_error error;
    struct ff_session_events events = {.user = agent,
                                       .target = target,
                                       .hello = hello,
                                       .open = opened,
                                       .message = message,
                                       .lost = lost,
                                       .refused = was_refused};
    ff_id_random(&agent->instance);
    agent->open = false;
    agent->refused = false;
    agent->context = zmq_ctx_new();
    agent->loop = ff_loop_create(&error);
    assert_non_null(agent->loop);
    agent->session = ff_session_create(agent->loop, agent->context, &agent->keys, &events, &error);
    if (agent->session == NULL)
        fail_msg("no session: %s", error.message);
    while (!agent->open && !agent->refused)
        assert_ok(ff_loop_run(agent->loop, &error), error);
}

void agent_leave(struct agent *agent, const char *farewell)
{
    ff_session_destroy(agent->session, farewell);
    ff_loop_destroy(agent->loop);
    zmq_ctx_term(agent->context);
    agent->session = NULL;
}

void agent_dispose(struct agent *agent)
{
    if (agent->session != NULL)
        agent_leave(agent, "the test is over");
    ff_buffer_dispose(&agent->part);
}

static void wait_count(struct agent *agent, const size_t *count, size_t wanted)
{
    struct ff_error error;
    while (*count < wanted)
        assert_ok(ff_loop_run(agent->loop, &error), error);
}

void agent_wait_orders(struct agent *agent, size_t count)
{
    wait_count(agent, &agent->order_count, count);
}

void agent_wait_receipts(struct agent *agent, size_t count)
{
    wait_count(agent, &agent->receipt_count, count);
}

void agent_wait_controls(struct agent *agent, size_t count)
{
    wait_count(agent, &agent->control_count, count);
}

void agent_wait(struct agent *agent, const bool *flag)
{
    struct ff_error error;
    while (!*flag)
        assert_ok(ff_loop_run(agent->loop, &error), error);
}

void agent_send(struct agent *agent, struct ff_encoder *encoder)
{
    struct ff_error error;
    assert_ok(ff_encode_end(encoder, &error), error);
    ff_session_send(agent->session, ff_buffer_span(encoder->buffer));
}

void agent_part(struct agent *agent, enum ff_message_type type, const struct ff_part *part)
{
    struct ff_encoder encoder;
    struct ff_buffer buffer;
    ff_buffer_init(&buffer, FF_MESSAGE_LIMIT);
    ff_encode_begin(&encoder, &buffer, type);
    ff_encode_part(&encoder, part);
    agent_send(agent, &encoder);
    ff_buffer_dispose(&buffer);
}

void agent_settle(struct agent *agent)
{
    struct ff_encoder encoder;
    struct ff_buffer buffer;
    struct ff_want want = {.length = 1};
    ff_buffer_init(&buffer, FF_MESSAGE_LIMIT);
    ff_encode_begin(&encoder, &buffer, FF_MSG_OBJECT_WANT);
    ff_encode_want(&encoder, &want);
    agent->has_part = false;
    agent_send(agent, &encoder);
    agent_wait(agent, &agent->has_part);
    ff_buffer_dispose(&buffer);
}

void agent_holding(struct agent *agent, const struct ff_order *orders, size_t count)
{
    struct ff_encoder encoder;
    struct ff_buffer buffer;
    struct ff_farewell end = {.reason = {"", 0}};
    ff_buffer_init(&buffer, FF_MESSAGE_LIMIT);
    ff_encode_begin(&encoder, &buffer, FF_MSG_HOLDING);
    for (size_t i = 0; i < count; i++) {
        struct ff_holding holding = {.task = orders[i].task,
                                     .attempt = orders[i].attempt,
                                     .number = orders[i].number,
                                     .state = FF_TASK_RUNNING};
        assert_true(ff_encode_holding(&encoder, &holding));
    }
    if (count > 0)
        agent_send(agent, &encoder);
    ff_encode_begin(&encoder, &buffer, FF_MSG_HOLDING_END);
    ff_encode_farewell(&encoder, &end);
    agent_send(agent, &encoder);
    ff_buffer_dispose(&buffer);
}

void agent_state(struct agent *agent, const struct ff_order *order, enum ff_task_state state,
                 const char *why)
{
    struct ff_encoder encoder;
    struct ff_buffer buffer;
    struct ff_report report = {.task = order->task,
                               .attempt = order->attempt,
                               .state = state,
                               .why = ff_span_of(why),
                               .node = ff_span_of("node1")};
    ff_buffer_init(&buffer, FF_MESSAGE_LIMIT);
    ff_encode_begin(&encoder, &buffer, FF_MSG_STATES);
    ff_encode_report(&encoder, &report);
    agent_send(agent, &encoder);
    ff_buffer_dispose(&buffer);
}

void agent_outcome(struct agent *agent, const struct ff_outcome *outcome)
{
    struct ff_encoder encoder;
    struct ff_buffer buffer;
    ff_buffer_init(&buffer, FF_MESSAGE_LIMIT);
    ff_encode_begin(&encoder, &buffer, FF_MSG_OUTCOMES);
    ff_encode_outcome(&encoder, outcome);
    agent_send(agent, &encoder);
    ff_buffer_dispose(&buffer);
}

void agent_succeed(struct agent *agent, const struct ff_order *order, const char *value)
{
    struct ff_outcome outcome = {.task = order->task,
                                 .attempt = order->attempt,
                                 .state = FF_TASK_SUCCESS,
                                 .value = ff_span_of(value),
                                 .log_tail = ff_span_of("first line\nlast line\n"),
                                 .run_us = 1500};
    agent_outcome(agent, &outcome);
}

void agent_connect_empty(struct agent *agent, struct rig *rig, const char *name)
{
    agent_register(agent, rig, name);
    agent_connect(agent);
    assert_true(agent->open);
    agent_holding(agent, NULL, 0);
}

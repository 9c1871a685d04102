/* Both ends of a link against each other, over loopback, in one loop. */
#include "tests/unit/check.h"

#include "protocol/core/clock.h"
#include "protocol/link.h"
#include "protocol/peers.h"
#include "protocol/session.h"

struct bench {
    struct ff_loop *loop;
    void *context;        /* of the server, with its ZAP handler */
    void *client_context; /* of the clients */
    struct ff_curve_keys server_keys;
    struct ff_curve_keys keys;
    struct ff_timer *limit;
    struct ff_peers *peers;
    int port;
    bool admit; /* what the server does with a HELLO */
    bool refuse_final;
    bool by_instance;
    struct ff_session *session;
    /* What happened: */
    int opened;
    int lost;
    int refused;
    int admitted;
    int gone;
    int at_server; /* messages */
    int at_client;
    int heartbeats;
    char why[FF_ERROR_MESSAGE_SIZE];
    struct ff_peer *peer;
    /* The loop ends when this counter has this value. */
    const int *until;
    int value;
};

static bool check_goal(void *user)
{
    struct bench *bench = user;
    if (bench->until != NULL && *bench->until >= bench->value)
        ff_loop_stop(bench->loop);
    return false;
}

static void out_of_time(void *user)
{
    (void)user;
    fail_msg("%s", "what was waited for did not happen");
}

static void wait_until(struct bench *bench, const int *counter, int value)
{
    struct ff_error error;
    bench->until = counter;
    bench->value = value;
    ff_timer_set_after(bench->limit, 20000);
    assert_ok(ff_loop_run(bench->loop, &error), error);
}

/* ---- the server ---- */

static bool allow_known(void *user, const char key[FF_CURVE_TEXT_SIZE])
{
    struct bench *bench = user;
    return strcmp(key, bench->keys.public_key) == 0;
}

static int take_hello(void *user, struct ff_peer *peer, const struct ff_hello *hello,
                      struct ff_peer *replaced, struct ff_welcome *welcome, void **peer_user,
                      bool *final, struct ff_error *error)
{
    struct bench *bench = user;
    assert_true(*final);
    *final = bench->refuse_final;
    if (!bench->admit)
        return ff_fail(error, FF_ENDPOINT_IN_USE, "pid 17 on host other runs it");
    assert_int_equal(hello->slots, 7);
    assert_ptr_equal(replaced, bench->by_instance ? NULL : bench->peer);
    *peer_user = bench;
    bench->peer = peer;
    bench->admitted++;
    welcome->epoch = 42;
    welcome->name = ff_span_of("bench");
    return 0;
}

static int take_at_server(void *user, struct ff_peer *peer, struct ff_decoder *decoder,
                          struct ff_error *error)
{
    struct bench *bench = user;
    union ff_item item;
    assert_ptr_equal(ff_peer_user(peer), bench);
    assert_string_equal(ff_peer_key(peer), bench->keys.public_key);
    int got = ff_decode_next(decoder, &item, error);
    if (decoder->type == FF_MSG_HEARTBEAT)
        bench->heartbeats++;
    else
        bench->at_server++;
    return got;
}

static void peer_gone(void *user, struct ff_peer *peer, const char *why)
{
    struct bench *bench = user;
    bench->gone++;
    snprintf(bench->why, sizeof bench->why, "%s", why);
    if (bench->peer == peer)
        bench->peer = NULL;
}

static void start_server(struct bench *bench)
{
    struct ff_error error;
    const struct ff_peers_events events = {
        .user = bench,
        .by_instance = bench->by_instance,
        .allows = allow_known,
        .hello = take_hello,
        .message = take_at_server,
        .gone = peer_gone,
    };
    bench->context = zmq_ctx_new();
    bench->peers = ff_peers_create(bench->loop, bench->context, "127.0.0.1", &bench->port,
                                   &bench->server_keys, &events, &error);
    if (bench->peers == NULL)
        fail_msg("%s", error.message);
}

static void stop_server(struct bench *bench, const char *farewell)
{
    ff_peers_destroy(bench->peers, farewell);
    zmq_ctx_term(bench->context);
    bench->peers = NULL;
    bench->peer = NULL;
}

/* ---- the client ---- */

static int give_target(void *user, struct ff_session_target *target, struct ff_error *error)
{
    struct bench *bench = user;
    (void)error;
    snprintf(target->address, sizeof target->address, "tcp://127.0.0.1:%d", bench->port);
    snprintf(target->server_key, sizeof target->server_key, "%s", bench->server_keys.public_key);
    return 0;
}

static void give_hello(void *user, struct ff_hello *hello)
{
    (void)user;
    hello->slots = 7;
    ff_id_random(&hello->instance);
}

static void session_open(void *user, const struct ff_welcome *welcome)
{
    struct bench *bench = user;
    assert_int_equal(welcome->version, FF_PROTOCOL_MAX);
    assert_int_equal(welcome->epoch, 42);
    assert_true(ff_span_equal(welcome->name, ff_span_of("bench")));
    bench->opened++;
}

static int take_at_client(void *user, struct ff_decoder *decoder, struct ff_error *error)
{
    struct bench *bench = user;
    union ff_item item;
    bench->at_client++;
    return ff_decode_next(decoder, &item, error);
}

static void session_lost(void *user, const struct ff_error *why)
{
    struct bench *bench = user;
    bench->lost++;
    snprintf(bench->why, sizeof bench->why, "%s", why->message);
}

static void session_refused(void *user, const struct ff_error *why)
{
    struct bench *bench = user;
    bench->refused++;
    snprintf(bench->why, sizeof bench->why, "%s", why->message);
    /* The owner may end the session here. */
    ff_session_destroy(bench->session, NULL);
    bench->session = NULL;
}

static struct ff_session *start_session(struct bench *bench, const struct ff_curve_keys *keys)
{
    struct ff_error error;
    const struct ff_session_events events = {
        .user = bench,
        .target = give_target,
        .hello = give_hello,
        .open = session_open,
        .message = take_at_client,
        .lost = session_lost,
        .refused = session_refused,
    };
    struct ff_session *session =
        ff_session_create(bench->loop, bench->client_context, keys, &events, &error);
    assert_non_null(session);
    return session;
}

static void open_bench(struct bench *bench)
{
    struct ff_error error;
    memset(bench, 0, sizeof *bench);
    bench->admit = true;
    bench->loop = ff_loop_create(&error);
    bench->client_context = zmq_ctx_new();
    bench->limit = ff_timer_create(bench->loop, out_of_time, bench, &error);
    assert_ok(ff_curve_generate(&bench->server_keys, &error), error);
    assert_ok(ff_curve_generate(&bench->keys, &error), error);
    start_server(bench);
    bench->session = start_session(bench, &bench->keys);
    assert_non_null(ff_prepare_create(bench->loop, check_goal, bench, &error));
}

static void close_bench(struct bench *bench)
{
    ff_session_destroy(bench->session, "the test ends");
    zmq_ctx_term(bench->client_context);
    if (bench->peers != NULL)
        stop_server(bench, NULL);
    ff_loop_destroy(bench->loop);
}

static void make_message(struct ff_buffer *buffer)
{
    struct ff_encoder encoder;
    struct ff_error error;
    struct ff_receipt receipt = {.attempt = {1, 2}};
    ff_id_random(&receipt.task);
    ff_buffer_init(buffer, 1000);
    ff_encode_begin(&encoder, buffer, FF_MSG_RECEIPTS);
    ff_encode_receipt(&encoder, &receipt);
    assert_ok(ff_encode_end(&encoder, &error), error);
}

/* ---- the tests ---- */

/* A message of about 1 MiB. */
static void make_preview(struct ff_buffer *buffer)
{
    static uint8_t image[1 << 20];
    struct ff_encoder encoder;
    struct ff_error error;
    struct ff_preview preview = {.attempt = {1, 2},
                                 .name = ff_span_of("image"),
                                 .media_type = ff_span_of("image/png"),
                                 .data = {image, sizeof image}};
    ff_buffer_init(buffer, FF_MESSAGE_LIMIT);
    ff_encode_begin(&encoder, buffer, FF_MSG_PREVIEW);
    ff_encode_preview(&encoder, &preview);
    assert_ok(ff_encode_end(&encoder, &error), error);
}

static void test_previews_are_dropped_under_pressure(void **state)
{
    (void)state;
    struct bench bench;
    struct ff_buffer preview;
    struct ff_buffer message;
    int taken = 0;
    open_bench(&bench);
    make_preview(&preview);
    make_message(&message);
    wait_until(&bench, &bench.opened, 1);
    /* The server does not read meanwhile, for it lives in the same loop. */
    while (taken < 100 && ff_session_offer(bench.session, FF_MSG_PREVIEW, ff_buffer_span(&preview)))
        taken++;
    assert_int_equal(taken, FF_LINK_CREDIT / (1 << 20));
    assert_false(ff_session_offer(bench.session, FF_MSG_LOG, ff_buffer_span(&message)));
    assert_true(ff_session_offer(bench.session, FF_MSG_PROGRESS, ff_buffer_span(&message)));
    ff_session_send(bench.session, ff_buffer_span(&message)); /* what must arrive does */
    wait_until(&bench, &bench.at_server, taken + 2);
    assert_true(ff_peer_send(bench.peer, ff_buffer_span(&message)));
    wait_until(&bench, &bench.at_client, 1); /* and the heartbeats before it */
    assert_true(ff_session_offer(bench.session, FF_MSG_PREVIEW, ff_buffer_span(&preview)));
    ff_buffer_dispose(&preview);
    ff_buffer_dispose(&message);
    close_bench(&bench);
}

static void test_messages_go_both_ways(void **state)
{
    (void)state;
    struct bench bench;
    struct ff_buffer message;
    open_bench(&bench);
    make_message(&message);
    ff_session_send(bench.session, ff_buffer_span(&message)); /* not open yet: dropped */
    wait_until(&bench, &bench.opened, 1);
    assert_true(ff_session_is_open(bench.session));
    for (int i = 0; i < 200; i++) {
        ff_session_send(bench.session, ff_buffer_span(&message));
        assert_true(ff_peer_send(bench.peer, ff_buffer_span(&message)));
    }
    wait_until(&bench, &bench.at_server, 200);
    wait_until(&bench, &bench.at_client, 200);
    assert_int_equal(bench.at_server, 200);
    ff_buffer_dispose(&message);
    close_bench(&bench);
}

static void test_farewells_end_links_at_once(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench);
    wait_until(&bench, &bench.opened, 1);
    ff_session_destroy(bench.session, "gone fishing");
    bench.session = NULL;
    wait_until(&bench, &bench.gone, 1);
    assert_non_null(strstr(bench.why, "gone fishing"));
    bench.session = start_session(&bench, &bench.keys);
    wait_until(&bench, &bench.opened, 2);
    stop_server(&bench, "maintenance");
    wait_until(&bench, &bench.lost, 1);
    if (strstr(bench.why, "maintenance") == NULL)
        fail_msg("%s", bench.why);
    close_bench(&bench);
}

static void test_foreign_key_is_refused(void **state)
{
    (void)state;
    struct bench bench;
    struct ff_curve_keys foreign;
    struct ff_error error;
    open_bench(&bench);
    wait_until(&bench, &bench.opened, 1);
    assert_ok(ff_curve_generate(&foreign, &error), error);
    struct ff_session *stranger = start_session(&bench, &foreign);
    wait_until(&bench, &bench.lost, 2);
    assert_non_null(strstr(bench.why, "does not know this key"));
    assert_int_equal(bench.admitted, 1);
    assert_true(ff_session_is_open(bench.session));
    ff_session_destroy(stranger, NULL);
    close_bench(&bench);
}

static void test_heartbeats_keep_a_silent_link(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench);
    ff_peers_set_times(bench.peers, 5, 10000);
    wait_until(&bench, &bench.heartbeats, 10);
    assert_int_equal(bench.opened, 1);
    assert_int_equal(bench.lost, 0);
    assert_int_equal(bench.gone, 0);
    close_bench(&bench);
}

static void test_client_notices_silence(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench);
    /* The server thinks that it need not say anything for an hour. */
    ff_peers_set_times(bench.peers, 3600000, 30);
    wait_until(&bench, &bench.lost, 1);
    assert_non_null(strstr(bench.why, "nothing was heard"));
    wait_until(&bench, &bench.opened, 2);
    close_bench(&bench);
}

static void test_server_notices_silence(void **state)
{
    (void)state;
    struct bench bench;
    struct ff_error error;
    open_bench(&bench);
    wait_until(&bench, &bench.opened, 1);
    ff_session_destroy(bench.session, "replaced by a mute one");
    wait_until(&bench, &bench.gone, 1);
    /* A client that says HELLO and then nothing, but keeps its connection. */
    char address[64];
    snprintf(address, sizeof address, "tcp://127.0.0.1:%d", bench.port);
    ff_peers_set_times(bench.peers, 10, 30);
    void *mute = ff_link_dealer_make(bench.client_context, bench.server_keys.public_key,
                                     &bench.keys, &error);
    assert_non_null(mute);
    assert_ok(ff_link_connect(mute, address, &error), error);
    struct ff_hello hello = {.version_min = 1, .version_max = 9, .slots = 7};
    struct ff_encoder encoder;
    struct ff_buffer buffer;
    ff_buffer_init(&buffer, 1000);
    ff_encode_begin(&encoder, &buffer, FF_MSG_HELLO);
    ff_encode_hello(&encoder, &hello);
    assert_ok(ff_encode_end(&encoder, &error), error);
    assert_ok(ff_link_send(mute, NULL, ff_buffer_span(&buffer), &error), error);
    wait_until(&bench, &bench.gone, 2);
    assert_non_null(strstr(bench.why, "nothing was heard"));
    ff_buffer_dispose(&buffer);
    ff_link_close(mute);
    bench.session = NULL;
    close_bench(&bench);
}

static void test_client_finds_a_restarted_server(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench);
    wait_until(&bench, &bench.opened, 1);
    stop_server(&bench, NULL); /* as if killed: no word */
    wait_until(&bench, &bench.lost, 3);
    start_server(&bench);
    wait_until(&bench, &bench.opened, 2);
    assert_int_equal(bench.admitted, 2);
    close_bench(&bench);
}

static void test_server_notices_a_killed_client(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench);
    wait_until(&bench, &bench.opened, 1);
    ff_session_destroy(bench.session, NULL); /* closes the connection without a word */
    bench.session = NULL;
    wait_until(&bench, &bench.gone, 1);
    assert_non_null(strstr(bench.why, "closed"));
    close_bench(&bench);
}

static void test_final_refusal_ends_the_session(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench);
    bench.admit = false;
    bench.refuse_final = true;
    wait_until(&bench, &bench.refused, 1);
    assert_non_null(strstr(bench.why, "pid 17"));
    assert_int_equal(bench.opened, 0);
    close_bench(&bench);
}

static void test_other_refusal_is_tried_again(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench);
    bench.admit = false;
    wait_until(&bench, &bench.lost, 3);
    bench.admit = true;
    wait_until(&bench, &bench.opened, 1);
    close_bench(&bench);
}

static void test_garbage_ends_one_link_only(void **state)
{
    (void)state;
    struct bench bench;
    static const char garbage[] = "\xdd\xff\x00\x00\x00garbage";
    struct ff_span frame = {garbage, sizeof garbage - 1};
    open_bench(&bench);
    wait_until(&bench, &bench.opened, 1);
    ff_session_send(bench.session, frame); /* the server refuses, the client comes back */
    wait_until(&bench, &bench.opened, 2);
    assert_int_equal(bench.gone, 1);
    assert_true(ff_peer_send(bench.peer, frame)); /* the client leaves and comes back */
    wait_until(&bench, &bench.opened, 3);
    assert_int_equal(bench.admitted, 3);
    close_bench(&bench);
}

static void test_newer_connection_replaces_the_older(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench);
    wait_until(&bench, &bench.opened, 1);
    struct ff_session *second = start_session(&bench, &bench.keys);
    wait_until(&bench, &bench.opened, 2);
    wait_until(&bench, &bench.gone, 1);
    assert_non_null(strstr(bench.why, "replaced"));
    assert_true(ff_session_is_open(second));
    ff_session_destroy(second, NULL);
    close_bench(&bench);
}

static void test_instances_can_share_a_key(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench);
    stop_server(&bench, NULL);
    bench.by_instance = true;
    start_server(&bench);
    wait_until(&bench, &bench.opened, 1);
    struct ff_session *second = start_session(&bench, &bench.keys);
    wait_until(&bench, &bench.opened, 2);
    assert_int_equal(bench.gone, 0);
    assert_true(ff_session_is_open(bench.session));
    ff_session_destroy(second, NULL);
    close_bench(&bench);
}

static void test_owner_can_refuse_a_peer(void **state)
{
    (void)state;
    struct bench bench;
    struct ff_error error;
    open_bench(&bench);
    wait_until(&bench, &bench.opened, 1);
    ff_fail(&error, FF_ENDPOINT_IN_USE, "it was moved to another host");
    ff_peer_refuse(bench.peer, &error, true);
    assert_int_equal(bench.gone, 0); /* not from inside the call */
    wait_until(&bench, &bench.refused, 1);
    assert_int_equal(bench.gone, 1);
    assert_non_null(strstr(bench.why, "another host"));
    close_bench(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages_go_both_ways),
        cmocka_unit_test(test_previews_are_dropped_under_pressure),
        cmocka_unit_test(test_farewells_end_links_at_once),
        cmocka_unit_test(test_foreign_key_is_refused),
        cmocka_unit_test(test_heartbeats_keep_a_silent_link),
        cmocka_unit_test(test_client_notices_silence),
        cmocka_unit_test(test_server_notices_silence),
        cmocka_unit_test(test_client_finds_a_restarted_server),
        cmocka_unit_test(test_server_notices_a_killed_client),
        cmocka_unit_test(test_final_refusal_ends_the_session),
        cmocka_unit_test(test_other_refusal_is_tried_again),
        cmocka_unit_test(test_garbage_ends_one_link_only),
        cmocka_unit_test(test_newer_connection_replaces_the_older),
        cmocka_unit_test(test_instances_can_share_a_key),
        cmocka_unit_test(test_owner_can_refuse_a_peer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

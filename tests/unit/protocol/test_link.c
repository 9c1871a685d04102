#include "tests/unit/check.h"

#include "protocol/core/file.h"
#include "protocol/link.h"
#include "protocol/zap.h"

#include <sys/stat.h>

static bool allow_one(void *user, const char public_key[FF_CURVE_TEXT_SIZE])
{
    return strcmp(user, public_key) == 0;
}

struct bench {
    void *context;
    struct ff_zap *zap;
    void *router;
    int port;
    struct ff_curve_keys server, known, stranger;
    char address[64];
};

static void open_bench(struct bench *bench)
{
    struct ff_error error;
    memset(bench, 0, sizeof *bench);
    assert_ok(ff_curve_generate(&bench->server, &error), error);
    assert_ok(ff_curve_generate(&bench->known, &error), error);
    assert_ok(ff_curve_generate(&bench->stranger, &error), error);
    bench->context = zmq_ctx_new();
    bench->zap = ff_zap_create(bench->context, allow_one, bench->known.public_key, &error);
    assert_non_null(bench->zap);
    bench->router =
        ff_link_router(bench->context, "127.0.0.1", &bench->port, &bench->server, &error);
    assert_non_null(bench->router);
    assert_true(bench->port > 0);
    snprintf(bench->address, sizeof bench->address, "tcp://127.0.0.1:%d", bench->port);
}

static void close_bench(struct bench *bench)
{
    ff_link_close(bench->router);
    ff_zap_destroy(bench->zap);
    zmq_ctx_term(bench->context);
}

/* Serves the handler until the router has a message, or `timeout_ms` passed in silence. */
static bool wait_for_message(struct bench *bench, long timeout_ms)
{
    for (;;) {
        zmq_pollitem_t items[2] = {{.socket = ff_zap_socket(bench->zap), .events = ZMQ_POLLIN},
                                   {.socket = bench->router, .events = ZMQ_POLLIN}};
        if (zmq_poll(items, 2, timeout_ms) <= 0)
            return false;
        if (items[0].revents != 0)
            ff_zap_handle(bench->zap);
        if (items[1].revents != 0)
            return true;
    }
}

/* A client's socket without a session behind it. */
static void *connect_dealer(void *context, const char *address, const char *server_key,
                            const struct ff_curve_keys *keys)
{
    struct ff_error error;
    void *dealer = ff_link_dealer_make(context, server_key, keys, &error);
    assert_non_null(dealer);
    assert_ok(ff_link_connect(dealer, address, &error), error);
    return dealer;
}

static void test_known_key_speaks_and_is_named(void **state)
{
    (void)state;
    struct bench bench;
    struct ff_error error;
    open_bench(&bench);
    void *dealer =
        connect_dealer(bench.context, bench.address, bench.server.public_key, &bench.known);
    assert_ok(ff_link_send(dealer, NULL, ff_span_of("hello"), &error), error);
    assert_true(wait_for_message(&bench, 5000));
    zmq_msg_t id;
    zmq_msg_t frame;
    assert_int_equal(ff_link_receive(bench.router, &id, &frame), 1);
    assert_true(ff_span_equal(ff_link_span(&frame), ff_span_of("hello")));
    assert_string_equal(ff_link_peer_key(&frame), bench.known.public_key);
    struct ff_span peer = ff_link_span(&id);
    assert_ok(ff_link_send(bench.router, &peer, ff_span_of("welcome"), &error), error);
    struct ff_span nobody = ff_span_of("nobody");
    assert_int_equal(ff_link_send(bench.router, &nobody, ff_span_of("x"), &error), 1);
    zmq_msg_close(&id);
    zmq_msg_close(&frame);
    zmq_pollitem_t item = {.socket = dealer, .events = ZMQ_POLLIN};
    assert_int_equal(zmq_poll(&item, 1, 5000), 1);
    assert_int_equal(ff_link_receive(dealer, NULL, &frame), 1);
    assert_true(ff_span_equal(ff_link_span(&frame), ff_span_of("welcome")));
    zmq_msg_close(&frame);
    ff_link_close(dealer);
    close_bench(&bench);
}

static void test_foreign_key_is_not_heard(void **state)
{
    (void)state;
    struct bench bench;
    struct ff_error error;
    open_bench(&bench);
    void *dealer =
        connect_dealer(bench.context, bench.address, bench.server.public_key, &bench.stranger);
    assert_ok(ff_link_send(dealer, NULL, ff_span_of("let me in"), &error), error);
    assert_false(wait_for_message(&bench, 200));
    ff_link_close(dealer);
    close_bench(&bench);
}

static void test_taken_port_is_named(void **state)
{
    (void)state;
    struct bench bench;
    struct ff_error error;
    open_bench(&bench);
    assert_null(ff_link_router(bench.context, "127.0.0.1", &bench.port, &bench.server, &error));
    assert_int_equal(error.code, FF_BUSY);
    close_bench(&bench);
}

static void test_keys_are_kept_private(void **state)
{
    (void)state;
    struct ff_error error;
    struct ff_curve_keys made;
    struct ff_curve_keys again;
    char *folder = make_folder();
    char *path = ff_path_join(folder, "key");
    assert_ok(ff_curve_load_or_make(path, &made, &error), error);
    assert_ok(ff_curve_load_or_make(path, &again, &error), error);
    assert_memory_equal(&made, &again, sizeof made);
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(ff_curve_load(path, &again, &error), -1);
    assert_non_null(strstr(error.hint, "chmod 600"));
    assert_ok(ff_file_write(path, ff_span_of("not a key"), 0600, &error), error);
    assert_int_equal(ff_curve_load_or_make(path, &again, &error), -1);
    assert_int_equal(error.code, FF_INPUT_INVALID);
    assert_ok(ff_folder_remove(folder, &error), error);
    free(path);
    free(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_key_speaks_and_is_named),
        cmocka_unit_test(test_foreign_key_is_not_heard),
        cmocka_unit_test(test_taken_port_is_named),
        cmocka_unit_test(test_keys_are_kept_private),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The connection: whom it trusts, what it repeats, what it makes of answers. Against an HTTPS server in this process. */
#include "tests/unit/check.h"

#include "client/farfield.h"
#include "protocol/core/bytes.h"
#include "protocol/core/file.h"

#include <microhttpd.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

enum { BODY_LIMIT = 1 << 20 };

/* What the server is to answer, and what it saw. Both sides take turns, so nothing is locked but by the exchange. */
static struct {
    struct MHD_Daemon *daemon;
    char *home;
    char *certificate;
    char *key;
    unsigned status;
    const char *answer;
    int break_first; /* so many requests are answered by closing the connection */
    int requests;
    int connections;
    char method[16];
    char path[256];
    char authorization[64];
    char idempotency_key[2][64];
    struct ff_buffer body;
} server;

static char *pem_of(BIO *bio)
{
    char *data = NULL;
    long size = BIO_get_mem_data(bio, &data);
    char *text = strndup(data, (size_t)size);
    BIO_free(bio);
    return text;
}

/* A certificate of its own for 127.0.0.1. */
static void make_certificate(char **certificate, char **key)
{
    EVP_PKEY *pair = EVP_EC_gen("P-256");
    X509 *made = X509_new();
    assert_non_null(pair);
    ASN1_INTEGER_set(X509_get_serialNumber(made), 1);
    X509_set_version(made, 2);
    X509_gmtime_adj(X509_getm_notBefore(made), -60);
    X509_gmtime_adj(X509_getm_notAfter(made), 3600);
    X509_set_pubkey(made, pair);
    X509_NAME *name = X509_get_subject_name(made);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"test", -1, -1, 0);
    X509_set_issuer_name(made, name);
    X509_EXTENSION *names = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "IP:127.0.0.1");
    assert_int_equal(X509_add_ext(made, names, -1), 1);
    X509_EXTENSION_free(names);
    assert_true(X509_sign(made, pair, EVP_sha256()) > 0);
    BIO *out = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(out, made);
    *certificate = pem_of(out);
    out = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(out, pair, NULL, NULL, 0, NULL, NULL);
    *key = pem_of(out);
    X509_free(made);
    EVP_PKEY_free(pair);
}

static void keep_header(struct MHD_Connection *connection, const char *name, char *to, size_t size)
{
    const char *value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
    snprintf(to, size, "%s", value != NULL ? value : "");
}

static enum MHD_Result handle(void *user, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data,
                              size_t *size, void **own)
{
    (void)user;
    (void)version;
    static int begun;
    if (*own == NULL) {
        *own = &begun;
        server.requests++;
        snprintf(server.method, sizeof server.method, "%s", method);
        snprintf(server.path, sizeof server.path, "%s", url);
        keep_header(connection, "Authorization", server.authorization, sizeof server.authorization);
        if (server.requests <= 2)
            keep_header(connection, "Idempotency-Key", server.idempotency_key[server.requests - 1],
                        sizeof server.idempotency_key[0]);
        ff_buffer_clear(&server.body);
        return MHD_YES;
    }
    if (*size > 0) {
        ff_buffer_append(&server.body, data, *size);
        *size = 0;
        return MHD_YES;
    }
    if (server.requests <= server.break_first)
        return MHD_NO;
    struct MHD_Response *response = MHD_create_response_from_buffer(
        strlen(server.answer), (void *)(uintptr_t)server.answer, MHD_RESPMEM_PERSISTENT);
    enum MHD_Result result = MHD_queue_response(connection, server.status, response);
    MHD_destroy_response(response);
    return result;
}

static void count_connection(void *user, struct MHD_Connection *connection, void **own,
                             enum MHD_ConnectionNotificationCode code)
{
    (void)user;
    (void)connection;
    (void)own;
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        server.connections++;
}

static void write_file(const char *name, const char *text)
{
    struct ff_error error;
    char *path = ff_path_join(server.home, name);
    assert_ok(ff_file_write(path, ff_span_of(text), 0600, &error), error);
    free(path);
}

static int start_server(void **state)
{
    (void)state;
    memset(&server, 0, sizeof server);
    ff_buffer_init(&server.body, BODY_LIMIT);
    server.status = 200;
    server.answer = "{\"version\": \"x\"}";
    server.home = make_folder();
    make_certificate(&server.certificate, &server.key);
    server.daemon = MHD_start_daemon(
        MHD_USE_TLS | MHD_USE_INTERNAL_POLLING_THREAD, 0, NULL, NULL, handle, NULL,
        MHD_OPTION_HTTPS_MEM_KEY, server.key, MHD_OPTION_HTTPS_MEM_CERT, server.certificate,
        MHD_OPTION_NOTIFY_CONNECTION, count_connection, NULL, MHD_OPTION_END);
    assert_non_null(server.daemon);
    char config[256];
    snprintf(config, sizeof config,
             "service:\n  url: https://127.0.0.1:%d\n  certificate: service.pem\n  token: token\n",
             (int)MHD_get_daemon_info(server.daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
    write_file("config.yaml", config);
    write_file("service.pem", server.certificate);
    write_file("token", "secret\n");
    return 0;
}

static int stop_server(void **state)
{
    (void)state;
    struct ff_error error;
    MHD_stop_daemon(server.daemon);
    ff_buffer_dispose(&server.body);
    assert_ok(ff_folder_remove(server.home, &error), error);
    free(server.home);
    free(server.certificate);
    free(server.key);
    return 0;
}

static struct ff_session *open_session(void)
{
    struct ff_error error;
    struct ff_session *session = ff_session_open(server.home, &error);
    if (session == NULL)
        fail_msg("%s", error.message);
    return session;
}

static void test_a_connection_is_kept_and_the_token_sent(void **state)
{
    (void)state;
    struct ff_error error;
    struct ff_session *session = open_session();
    for (int i = 0; i < 3; i++) {
        json_t *status = NULL;
        assert_ok(ff_service_status(session, &status, &error), error);
        assert_string_equal(json_string_value(json_object_get(status, "version")), "x");
        json_decref(status);
    }
    assert_string_equal(server.path, "/v3/status");
    assert_string_equal(server.authorization, "Bearer secret");
    assert_int_equal(server.requests, 3);
    assert_int_equal(server.connections, 1);
    ff_session_close(session);
}

static void test_another_certificate_is_not_spoken_with(void **state)
{
    (void)state;
    char *certificate;
    char *key;
    make_certificate(&certificate, &key);
    write_file("service.pem", certificate);
    struct ff_error error;
    struct ff_session *session = open_session();
    json_t *status = NULL;
    assert_int_equal(ff_service_status(session, &status, &error), -1);
    assert_int_equal(error.code, FF_UNREACHABLE);
    assert_non_null(strstr(error.message, "not the holder of"));
    assert_int_equal(server.requests, 0);
    ff_session_close(session);
    free(certificate);
    free(key);
}

static void test_a_certificate_that_is_none(void **state)
{
    (void)state;
    write_file("service.pem", "this is no certificate\n");
    struct ff_error error;
    struct ff_session *session = open_session();
    json_t *status = NULL;
    assert_int_equal(ff_service_status(session, &status, &error), -1);
    assert_int_equal(error.code, FF_INVALID_ARGUMENT);
    assert_non_null(strstr(error.message, "service.pem"));
    ff_session_close(session);
}

static void test_errors_keep_code_message_and_hint(void **state)
{
    (void)state;
    server.status = 404;
    server.answer = "{\"code\":\"FUNCTION_NOT_FOUND\",\"message\":\"no\",\"hint\":\"yes\"}";
    struct ff_error error;
    struct ff_session *session = open_session();
    json_t *entry = NULL;
    assert_int_equal(ff_function_show(session, "x", &entry, &error), -1);
    assert_int_equal(error.code, FF_FUNCTION_NOT_FOUND);
    assert_string_equal(error.message, "no");
    assert_string_equal(error.hint, "yes");
    server.answer = "<html>not found</html>";
    assert_int_equal(ff_function_show(session, "x", &entry, &error), -1);
    assert_int_equal(error.code, FF_PROTOCOL);
    server.status = 200;
    assert_int_equal(ff_function_show(session, "x", &entry, &error), -1);
    assert_int_equal(error.code, FF_PROTOCOL);
    assert_null(entry);
    ff_session_close(session);
}

static void test_a_reading_request_is_repeated_once(void **state)
{
    (void)state;
    struct ff_error error;
    struct ff_session *session = open_session();
    json_t *status = NULL;
    server.break_first = 1;
    assert_ok(ff_service_status(session, &status, &error), error);
    assert_int_equal(server.requests, 2);
    json_decref(status);
    server.break_first = 100;
    server.requests = 0;
    assert_int_equal(ff_service_status(session, &status, &error), -1);
    assert_int_equal(error.code, FF_UNREACHABLE);
    assert_true(server.requests >= 2);
    ff_session_close(session);
}

static void test_what_must_not_be_done_twice_is_sent_once(void **state)
{
    (void)state;
    struct ff_error error;
    struct ff_session *session = open_session();
    json_t *reply = NULL;
    assert_ok(ff_service_status(session, &reply, &error), error); /* a connection is kept */
    json_decref(reply);
    server.requests = 0;
    server.break_first = 1;
    assert_int_equal(ff_token_create(session, "x", 0, NULL, &reply, &error), -1);
    assert_int_equal(error.code, FF_UNREACHABLE);
    assert_int_equal(server.requests, 1);
    ff_session_close(session);
}

static void test_a_submission_is_repeated_under_its_key(void **state)
{
    (void)state;
    struct ff_error error;
    struct ff_session *session = open_session();
    server.break_first = 1;
    server.answer = "{\"task_group_id\":\"g\",\"tasks\":{\"echo\":[\"a\",\"b\"]}}";
    json_t *payloads = json_pack("[i, i]", 1, 2);
    struct ff_submission submission = {
        .endpoint = "local", .function = "echo", .payloads = payloads};
    json_t *accepted = NULL;
    assert_ok(ff_task_submit(session, &submission, &accepted, &error), error);
    assert_int_equal(server.requests, 2);
    assert_int_equal(strlen(server.idempotency_key[0]), 32);
    assert_string_equal(server.idempotency_key[0], server.idempotency_key[1]);
    assert_string_equal(ff_buffer_text(&server.body), "{\"tasks\":{\"echo\":[1,2]}}");
    assert_int_equal(json_array_size(json_object_get(accepted, "task_ids")), 2);
    json_decref(accepted);
    server.answer = "{\"tasks\":{\"echo\":[\"a\"]}}";
    assert_int_equal(ff_task_submit(session, &submission, &accepted, &error), -1);
    assert_int_equal(error.code, FF_PROTOCOL);
    json_decref(payloads);
    ff_session_close(session);
}

static const char abc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

static void test_objects_go_and_come_by_their_digest(void **state)
{
    (void)state;
    struct ff_error error;
    struct ff_session *session = open_session();
    write_file("abc", "abc");
    char *path = ff_path_join(server.home, "abc");
    char name[FF_OBJECT_NAME_SIZE];
    server.break_first = 1; /* the upload is sent again from its start */
    assert_ok(ff_object_upload(session, path, name, &error), error);
    assert_string_equal(name, abc);
    assert_string_equal(server.method, "PUT");
    assert_string_equal(ff_buffer_text(&server.body), "abc");
    server.answer = "abc";
    assert_ok(ff_object_download(session, abc, path, &error), error);
    char *data = NULL;
    size_t size = 0;
    assert_ok(ff_object_read(session, abc, 3, &data, &size, &error), error);
    assert_string_equal(data, "abc");
    free(data);
    assert_int_equal(ff_object_read(session, abc, 2, &data, &size, &error), -1);
    assert_int_equal(error.code, FF_TOO_LARGE);
    server.answer = "abd";
    assert_int_equal(ff_object_read(session, abc, 3, &data, &size, &error), -1);
    assert_int_equal(error.code, FF_PROTOCOL);
    char *other = ff_path_join(server.home, "other");
    assert_int_equal(ff_object_download(session, abc, other, &error), -1);
    assert_int_equal(access(other, F_OK), -1);
    free(other);
    free(path);
    ff_session_close(session);
}

static int take_event(void *user, const json_t *event)
{
    (void)event;
    int *count = user;
    (*count)++;
    return 0;
}

static void test_following_ends_with_the_result(void **state)
{
    (void)state;
    struct ff_error error;
    struct ff_session *session = open_session();
    int count = 0;
    struct ff_follower follower = {.event = take_event, .user = &count, .patience_ms = 0};
    server.answer = "{\"events\":[{\"type\":\"state\"},{\"type\":\"result\"},{\"type\":\"log\"}],"
                    "\"next\":3,\"epoch\":1}";
    assert_int_equal(ff_task_follow(session, "T", &follower, &error), 0);
    assert_int_equal(count, 2);
    server.answer = "{\"next\":3}";
    assert_int_equal(ff_task_follow(session, "T", &follower, &error), -1);
    assert_int_equal(error.code, FF_PROTOCOL);
    ff_session_close(session);
}

static void test_an_interrupt_ends_the_waiting(void **state)
{
    (void)state;
    struct ff_error error;
    struct ff_session *session = open_session();
    volatile sig_atomic_t flag = 1;
    ff_session_set_interrupt(session, &flag);
    json_t *status = NULL;
    assert_int_equal(ff_service_status(session, &status, &error), -1);
    assert_int_equal(error.code, FF_TIMED_OUT);
    assert_string_equal(error.message, "interrupted");
    flag = 0;
    assert_ok(ff_service_status(session, &status, &error), error);
    json_decref(status);
    ff_session_close(session);
}

#define WITH_SERVER(test) cmocka_unit_test_setup_teardown(test, start_server, stop_server)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SERVER(test_a_connection_is_kept_and_the_token_sent),
        WITH_SERVER(test_another_certificate_is_not_spoken_with),
        WITH_SERVER(test_a_certificate_that_is_none),
        WITH_SERVER(test_errors_keep_code_message_and_hint),
        WITH_SERVER(test_a_reading_request_is_repeated_once),
        WITH_SERVER(test_what_must_not_be_done_twice_is_sent_once),
        WITH_SERVER(test_a_submission_is_repeated_under_its_key),
        WITH_SERVER(test_objects_go_and_come_by_their_digest),
        WITH_SERVER(test_following_ends_with_the_result),
        WITH_SERVER(test_an_interrupt_ends_the_waiting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tests/unit/check.h"

#include "client/farfield.h"
#include "protocol/core/bytes.h"
#include "protocol/core/file.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

static char *home;

static int make_home(void **state)
{
    (void)state;
    home = make_folder();
    return 0;
}

static int remove_home(void **state)
{
    (void)state;
    struct ff_error error;
    assert_ok(ff_folder_remove(home, &error), error);
    free(home);
    return 0;
}

static void write_file(const char *name, const char *text)
{
    struct ff_error error;
    char *path = ff_path_join(home, name);
    assert_ok(ff_file_write(path, ff_span_of(text), 0600, &error), error);
    free(path);
}

static void refuses(enum ff_error_code code, const char *message)
{
    struct ff_error error = {.code = FF_OK};
    assert_null(ff_session_open(home, &error));
    if (error.code != code || strstr(error.message, message) == NULL)
        fail_msg("%s: %s", ff_session_error_name(&error), error.message);
    assert_string_not_equal(error.message, "");
}

static void test_no_service_is_set_up(void **state)
{
    (void)state;
    refuses(FF_UNREACHABLE, "config.yaml");
}

static void test_a_configuration_that_cannot_be_used(void **state)
{
    (void)state;
    write_file("token", "abc\n");
    write_file("config.yaml", "service:\n  url: https://127.0.0.1:1\n  certificate: c.pem\n");
    refuses(FF_INVALID_ARGUMENT, "service.token");
    write_file("config.yaml", "service:\n  url: http://127.0.0.1:1\n  certificate: c.pem\n"
                              "  token: token\n");
    refuses(FF_INVALID_ARGUMENT, "https://");
    write_file("config.yaml", "service:\n  ulr: https://127.0.0.1:1\n");
    refuses(FF_UNKNOWN_SETTING, "line 2");
    write_file("config.yaml", "service: [\n");
    refuses(FF_INVALID_ARGUMENT, "config.yaml");
}

static const char good[] =
    "service:\n  url: https://127.0.0.1:%d/\n  certificate: c.pem\n  token: token\n";

static void test_a_token_that_is_none(void **state)
{
    (void)state;
    char text[256];
    snprintf(text, sizeof text, good, 1);
    write_file("config.yaml", text);
    refuses(FF_UNAUTHENTICATED, "token");
    const char *const bad[] = {"", "\n", "two words\n", "tab\there\n", "\xc3\xa9\n"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        write_file("token", bad[i]);
        refuses(FF_UNAUTHENTICATED, "does not hold a token");
    }
}

/* A port of the loopback that nobody listens on: bound, and not listening. */
static int quiet_port(int *descriptor)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    *descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(*descriptor, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(getsockname(*descriptor, (struct sockaddr *)&address, &length), 0);
    return ntohs(address.sin_port);
}

static void test_a_service_that_does_not_run(void **state)
{
    (void)state;
    int descriptor;
    char text[256];
    snprintf(text, sizeof text, good, quiet_port(&descriptor));
    write_file("config.yaml", text);
    write_file("token", "abc\n");
    write_file("c.pem", "");
    struct ff_error error;
    struct ff_session *session = ff_session_open(home, &error);
    assert_non_null(session);
    assert_string_not_equal(ff_session_url(session) + strlen(ff_session_url(session)) - 1, "/");
    json_t *status = NULL;
    assert_int_equal(ff_service_status(session, &status, &error), -1);
    assert_null(status);
    assert_int_equal(ff_session_exit_status(&error), 3);
    assert_string_equal(ff_session_error_name(&error), "UNREACHABLE");
    assert_non_null(strstr(error.hint, "farfield service start"));
    ff_session_close(session);
    close(descriptor);
}

static void test_names_never_become_addresses(void **state)
{
    (void)state;
    char text[256];
    snprintf(text, sizeof text, good, 1);
    write_file("config.yaml", text);
    write_file("token", "abc\n");
    struct ff_error error;
    struct ff_session *session = ff_session_open(home, &error);
    assert_non_null(session);
    const char *const bad[] = {"", "../tokens", "a?b=c", "a/b", "a b", "-x"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        json_t *reply = NULL;
        assert_int_equal(ff_task_show(session, bad[i], 0, &reply, &error), -1);
        assert_int_equal(error.code, FF_INVALID_ARGUMENT);
        assert_int_equal(ff_function_delete(session, bad[i], &error), -1);
        assert_int_equal(error.code, FF_INVALID_ARGUMENT);
        assert_int_equal(ff_endpoint_show(session, bad[i], &reply, &error), -1);
        assert_int_equal(error.code, FF_INVALID_ARGUMENT);
    }
    ff_session_close(session);
}

static void test_what_has_ended(void **state)
{
    (void)state;
    const struct {
        const char *entry;
        bool ended;
    } entries[] = {{"{\"state\":\"success\"}", true},
                   {"{\"state\":\"cancelled\"}", true},
                   {"{\"state\":\"running\"}", false},
                   {"{\"state\":\"new word\"}", false},
                   {"{}", false},
                   {"{\"state\":7}", false}};
    for (size_t i = 0; i < sizeof entries / sizeof entries[0]; i++) {
        json_t *entry = json_loads(entries[i].entry, 0, NULL);
        assert_int_equal(ff_task_has_ended(entry), entries[i].ended);
        json_decref(entry);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_no_service_is_set_up, make_home, remove_home),
        cmocka_unit_test_setup_teardown(test_a_configuration_that_cannot_be_used, make_home,
                                        remove_home),
        cmocka_unit_test_setup_teardown(test_a_token_that_is_none, make_home, remove_home),
        cmocka_unit_test_setup_teardown(test_a_service_that_does_not_run, make_home, remove_home),
        cmocka_unit_test_setup_teardown(test_names_never_become_addresses, make_home, remove_home),
        cmocka_unit_test(test_what_has_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

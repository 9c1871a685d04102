/* The HTTPS API against a real service: main routes, and everything that a stranger may send. */
#include "tests/unit/service/rig.h"

#include "protocol/core/digest.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

static struct rig rig;

static int start(void **state)
{
    struct agent agent;
    (void)state;
    rig_start(&rig);
    rig_function(&rig, "echo");
    agent_register(&agent, &rig, "local");
    agent_dispose(&agent);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    rig_remove(&rig);
    return 0;
}

static void test_version_needs_no_token(void **state)
{
    (void)state;
    char token[FF_TOKEN_TEXT_SIZE];
    memcpy(token, rig.token, sizeof token);
    rig.token[0] = '\0';
    json_t *version = rig_expect(&rig, 200, "GET", "/v2/version", NULL);
    assert_string_equal(rig_text(version, "farfield"), FF_VERSION);
    json_decref(version);
    rig_refuses(&rig, "UNAUTHENTICATED", "token", "GET", "/v3/status", NULL);
    memcpy(rig.token, token, sizeof token);
    rig.token[10] = rig.token[10] == 'a' ? 'b' : 'a';
    rig_refuses(&rig, "UNAUTHENTICATED", "farfield token create", "GET", "/v3/status", NULL);
    memcpy(rig.token, token, sizeof token);
}

static void test_wrong_routes_and_methods(void **state)
{
    (void)state;
    rig_refuses(&rig, "NOT_FOUND", "/v2/tasks", "GET", "/v2/taks", NULL);
    rig_refuses(&rig, "NOT_FOUND", "no route", "GET", "/", NULL);
    rig_refuses(&rig, "METHOD_NOT_ALLOWED", "use GET", "POST", "/v3/status", "{}");
    rig_refuses(&rig, "METHOD_NOT_ALLOWED", "use GET or POST", "PATCH", "/v3/tokens", "{}");
    rig_refuses(&rig, "NOT_FOUND", "no route", "GET", "/v2/tasks/a/b", NULL);
    rig_refuses(&rig, "INVALID_ARGUMENT", "limit", "GET", "/v2/tasks?limit=many", NULL);
}

static void test_unknown_names_offer_the_nearest(void **state)
{
    (void)state;
    rig_refuses(&rig, "FUNCTION_NOT_FOUND", "\"echo\"", "GET", "/v2/functions/ehco", NULL);
    rig_refuses(&rig, "ENDPOINT_NOT_FOUND", "\"local\"", "GET", "/v2/endpoints/locla", NULL);
    rig_refuses(&rig, "FUNCTION_NOT_FOUND", "\"echo\"", "POST", "/v3/endpoints/local/submit",
                "{\"tasks\":{\"ecko\":[1]}}");
    rig_refuses(&rig, "TASK_NOT_FOUND", "no task", "GET",
                "/v2/tasks/00000000-0001-8000-8000-000000000000", NULL);
    rig_refuses(&rig, "TASK_NOT_FOUND", "no task", "GET", "/v2/tasks/7", NULL);
}

static void test_bad_bodies(void **state)
{
    static const struct {
        const char *body, *code, *words;
    } cases[] = {
        {"", "INVALID_JSON", "too early"},
        {"{", "INVALID_JSON", "too early"},
        {"[1]", "INVALID_JSON", "an object must stand here"},
        {"{\"tasks\":{\"echo\":[1,]}}", "INVALID_JSON", "byte 20"},
        {"{\"tasks\":{\"echo\":1}}", "INVALID_JSON", "an array must stand here"},
        {"{\"tasks\":{\"echo\":[1]}} x", "INVALID_JSON", "follows the value"},
        {"{\"tasks\":{\"echo\":[\"\xff\"]}}", "INVALID_JSON", "UTF-8"},
        {"{\"tasks\":{\"echo\":[99999999999999999999]}}", "INVALID_JSON", "64 bits"},
        {"{\"tasks\":{}}", "INVALID_ARGUMENT", "no tasks"},
        {"{}", "INVALID_ARGUMENT", "no tasks"},
        {"{\"tasks\":{\"echo\":[1]},\"task_group_id\":\"x\"}", "INVALID_ARGUMENT", "UUID"},
        {"{\"tasks\":{\"echo\":[1]},\"resource_specification\":{\"gpu\":1}}", "INVALID_ARGUMENT",
         "gpus"},
        {"{\"tasks\":{\"echo\":[1]},\"resource_specification\":{\"gpus\":-1}}", "INVALID_ARGUMENT",
         "from 0"},
        {"{\"tasks\":{\"echo\":[1]},\"resource_specification\":{\"time_limit_s\":0}}",
         "INVALID_ARGUMENT", "time_limit_s"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        rig_refuses(&rig, cases[i].code, cases[i].words, "POST", "/v3/endpoints/local/submit",
                    cases[i].body);
    rig_refuses(&rig, "INVALID_JSON", "line 1", "POST", "/v3/functions", "{\"a\":}");
    rig_refuses(&rig, "INVALID_ARGUMENT", "name of a function", "POST", "/v3/functions",
                "{\"function_name\":\"../x\",\"function_code\":\"y\"}");
    rig_refuses(
        &rig, "OBJECT_NOT_FOUND", "PUT /v3/objects", "POST", "/v3/functions",
        "{\"function_name\":\"x\",\"kind\":\"native\",\"digest\":\"00000000000000000000000000"
        "00000000000000000000000000000000000000\"}");
    rig_refuses(&rig, "INVALID_ARGUMENT", "Z85", "POST", "/v3/endpoints",
                "{\"endpoint_name\":\"x\",\"public_key\":\"short\"}");
}

/* Announces 1 GB and sends nothing of it: the refusal must not wait for the body. */
static void test_a_gigabyte_is_refused_by_its_head(void **state)
{
    (void)state;
    char url[1024];
    char header[200];
    long status = 0;
    struct curl_slist *headers = NULL;
    CURL *curl = curl_easy_init();
    snprintf(url, sizeof url, "%s/v3/endpoints/local/submit", rig.url);
    snprintf(header, sizeof header, "Authorization: Bearer %s", rig.token);
    headers = curl_slist_append(headers, header);
    headers = curl_slist_append(headers, "Content-Length: 1000000000");
    headers = curl_slist_append(headers, "Expect: 100-continue");
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_POST, 1L);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)1000000000);
    curl_easy_setopt(curl, CURLOPT_EXPECT_100_TIMEOUT_MS, 600000L);
    curl_easy_setopt(curl, CURLOPT_CAINFO, rig.certificate);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_NOBODY, 0L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, NULL);
    FILE *sink = fopen("/dev/null", "w");
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, sink);
    CURLcode code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (code != CURLE_OK)
        fail_msg("%s", curl_easy_strerror(code));
    assert_int_equal(status, 413);
    fclose(sink);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    json_decref(rig_expect(&rig, 200, "GET", "/v3/status", NULL));
}

static int connect_raw(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)rig.service->https_port)};
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void test_bytes_that_are_no_tls(void **state)
{
    (void)state;
    char answer[512];
    int fd = connect_raw();
    const char request[] = "GET /v2/version HTTP/1.1\r\n\r\n";
    assert_int_equal(write(fd, request, sizeof request - 1), sizeof request - 1);
    while (read(fd, answer, sizeof answer) > 0)
        ;
    close(fd);
    json_decref(rig_expect(&rig, 200, "GET", "/v3/status", NULL));
}

/* A body that ends before its length: the connection is closed in the middle. */
static size_t read_little(char *to, size_t size, size_t count, void *user)
{
    int *calls = user;
    if ((*calls)++ > 0)
        return CURL_READFUNC_ABORT;
    memset(to, ' ', size * count < 100 ? size * count : 100);
    return size * count < 100 ? size * count : 100;
}

static void test_a_truncated_body(void **state)
{
    (void)state;
    char url[1024];
    char header[200];
    int calls = 0;
    struct curl_slist *headers = NULL;
    CURL *curl = curl_easy_init();
    snprintf(url, sizeof url, "%s/v3/endpoints/local/submit", rig.url);
    snprintf(header, sizeof header, "Authorization: Bearer %s", rig.token);
    headers = curl_slist_append(headers, header);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_POST, 1L);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)100000);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, read_little);
    curl_easy_setopt(curl, CURLOPT_READDATA, &calls);
    curl_easy_setopt(curl, CURLOPT_CAINFO, rig.certificate);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    assert_int_equal(curl_easy_perform(curl), CURLE_ABORTED_BY_CALLBACK);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    json_decref(rig_expect(&rig, 200, "GET", "/v3/status", NULL));
}

static void test_objects_are_checked_against_their_name(void **state)
{
    (void)state;
    struct ff_digest digest;
    struct ff_error error;
    char path[128] = "/v3/objects/";
    assert_ok(ff_digest_of(ff_span_of("some bytes"), &digest, &error), error);
    ff_digest_text(&digest, path + strlen(path));
    rig_refuses(&rig, "OBJECT_NOT_FOUND", "no object", "GET", path, NULL);
    rig_refuses(&rig, "INVALID_ARGUMENT", "SHA-256", "PUT", path, "other bytes");
    json_decref(rig_expect(&rig, 201, "PUT", path, "some bytes"));
    json_decref(rig_expect(&rig, 200, "PUT", path, "some bytes"));
    rig_refuses(&rig, "INVALID_ARGUMENT", "64 hexadecimal", "PUT", "/v3/objects/abc", "x");
}

static void test_registering_and_deleting_a_function(void **state)
{
    (void)state;
    json_t *made = rig_expect(&rig, 200, "POST", "/v3/functions",
                              "{\"function_name\":\"again\",\"kind\":\"shell\",\"function_code\":"
                              "\"echo {x}\",\"meta\":{\"a\":[1]}}");
    json_t *newer = rig_expect(&rig, 200, "POST", "/v3/functions",
                               "{\"function_name\":\"again\",\"kind\":\"shell\",\"function_code\":"
                               "\"echo {y}\"}");
    json_t *shown = rig_expect(&rig, 200, "GET", "/v2/functions/again", NULL);
    assert_string_equal(rig_text(shown, "function_code"), "echo {y}");
    char path[100];
    snprintf(path, sizeof path, "/v2/functions/%s", rig_text(made, "function_uuid"));
    json_t *older = rig_expect(&rig, 200, "GET", path, NULL);
    assert_string_equal(rig_text(older, "function_code"), "echo {x}");
    assert_int_equal(json_array_size(json_object_get(json_object_get(older, "metadata"), "a")), 1);
    json_decref(rig_expect(&rig, 200, "DELETE", "/v2/functions/again", NULL));
    json_decref(rig_expect(&rig, 200, "DELETE", "/v2/functions/again", NULL));
    rig_refuses(&rig, "FUNCTION_NOT_FOUND", "again", "GET", "/v2/functions/again", NULL);
    json_decref(made);
    json_decref(newer);
    json_decref(shown);
    json_decref(older);
}

static void test_the_same_key_is_one_submission(void **state)
{
    (void)state;
    const char *path = "/v3/endpoints/local/submit";
    const char *body = "{\"tasks\":{\"echo\":[1,2]},\"idempotency_key\":\"once\"}";
    json_t *first = rig_expect(&rig, 200, "POST", path, body);
    json_t *second = rig_expect(&rig, 200, "POST", path, body);
    assert_true(json_equal(first, second));
    rig_refuses(&rig, "CONFLICT", "another body", "POST", path,
                "{\"tasks\":{\"echo\":[1,3]},\"idempotency_key\":\"once\"}");
    json_decref(first);
    json_decref(second);
}

static void test_a_waiting_task_says_why_and_can_be_cancelled(void **state)
{
    (void)state;
    char path[128];
    json_t *reply = rig_submit(&rig, "local", "echo", "[{\"x\":1}]");
    const char *task = rig_task(reply, "echo", 0);
    snprintf(path, sizeof path, "/v2/tasks/%s", task);
    json_t *shown = rig_expect(&rig, 200, "GET", path, NULL);
    assert_string_equal(rig_text(shown, "state"), "waiting-for-ep");
    assert_non_null(strstr(rig_text(shown, "waiting_because"), "not connected"));
    json_decref(shown);
    snprintf(path, sizeof path, "/v3/tasks/%s/cancel", task);
    json_t *cancelled = rig_expect(&rig, 200, "POST", path, "{}");
    assert_true(json_is_true(json_object_get(cancelled, "accepted")));
    json_decref(cancelled);
    cancelled = rig_expect(&rig, 200, "POST", path, "{}");
    assert_true(json_is_false(json_object_get(cancelled, "accepted")));
    json_decref(cancelled);
    snprintf(path, sizeof path, "/v2/tasks/%s", task);
    shown = rig_expect(&rig, 200, "GET", path, NULL);
    assert_string_equal(rig_text(shown, "status"), "failed");
    assert_string_equal(rig_text(shown, "state"), "cancelled");
    assert_string_equal(rig_text(shown, "exception"), "TASK_CANCELLED");
    json_decref(shown);
    json_decref(reply);
}

static void test_lists_go_on_where_they_ended(void **state)
{
    (void)state;
    char path[128];
    json_t *reply = rig_submit(&rig, "local", "echo", "[1,2]");
    json_t *page = rig_expect(&rig, 200, "GET", "/v2/tasks?limit=1", NULL);
    assert_true(json_is_true(json_object_get(page, "has_next_page")));
    snprintf(path, sizeof path, "/v2/tasks?limit=1&before=%s", rig_text(page, "next_before"));
    json_t *next = rig_expect(&rig, 200, "GET", path, NULL);
    assert_string_equal(rig_text(json_array_get(json_object_get(next, "tasks"), 0), "task_id"),
                        rig_task(reply, "echo", 0));
    json_decref(next);
    json_decref(page);
    json_decref(reply);
}

static void test_a_group_names_its_tasks(void **state)
{
    (void)state;
    char path[128];
    json_t *reply = rig_submit(&rig, "local", "echo", "[1,2]");
    snprintf(path, sizeof path, "/v2/taskgroup/%s", rig_text(reply, "task_group_id"));
    json_t *group = rig_expect(&rig, 200, "GET", path, NULL);
    const json_t *tasks = json_object_get(group, "tasks");
    assert_string_equal(rig_text(group, "taskgroup_id"), rig_text(reply, "task_group_id"));
    assert_int_equal(json_array_size(tasks), 2);
    assert_string_equal(rig_text(json_array_get(tasks, 1), "id"), rig_task(reply, "echo", 1));
    rig_refuses(&rig, "NOT_FOUND", "no task group", "GET",
                "/v2/taskgroup/11111111-2222-4333-8444-555555555555", NULL);
    json_decref(group);
    json_decref(reply);
}

static void test_tokens_have_scopes_and_are_told_once(void **state)
{
    (void)state;
    char owner[FF_TOKEN_TEXT_SIZE];
    char path[100];
    json_t *made =
        rig_expect(&rig, 200, "POST", "/v3/tokens", "{\"label\":\"looks\",\"scopes\":\"read\"}");
    memcpy(owner, rig.token, sizeof owner);
    snprintf(rig.token, sizeof rig.token, "%s", rig_text(made, "token"));
    json_decref(rig_expect(&rig, 200, "GET", "/v2/functions", NULL));
    rig_refuses(&rig, "FORBIDDEN", "scopes", "POST", "/v3/functions", "{}");
    rig_refuses(&rig, "FORBIDDEN", "scopes", "GET", "/v3/tokens", NULL);
    memcpy(rig.token, owner, sizeof owner);
    json_t *list = rig_expect(&rig, 200, "GET", "/v3/tokens", NULL);
    char *text = json_dumps(list, 0);
    assert_null(strstr(text, rig_text(made, "token")));
    free(text);
    json_decref(list);
    snprintf(path, sizeof path, "/v3/tokens/%s", rig_text(made, "token_id"));
    json_decref(rig_expect(&rig, 200, "DELETE", path, NULL));
    snprintf(rig.token, sizeof rig.token, "%s", rig_text(made, "token"));
    rig_refuses(&rig, "UNAUTHENTICATED", "revoked", "GET", "/v2/functions", NULL);
    memcpy(rig.token, owner, sizeof owner);
    rig_refuses(&rig, "INVALID_ARGUMENT", "scope", "POST", "/v3/tokens", "{\"scopes\":\"root\"}");
    json_decref(made);
}

static void test_large_arguments_become_objects(void **state)
{
    (void)state;
    size_t size = (size_t)FF_INLINE_LIMIT + 100;
    char *payloads = malloc(size + 8);
    char path[128];
    payloads[0] = '[';
    payloads[1] = '"';
    memset(payloads + 2, 'x', size);
    memcpy(payloads + 2 + size, "\"]", 3);
    json_t *reply = rig_submit(&rig, "local", "echo", payloads);
    struct ff_digest digest;
    struct ff_error error;
    struct ff_span argument = {payloads + 1, size + 2};
    assert_ok(ff_digest_of(argument, &digest, &error), error);
    uint64_t kept = 0;
    assert_true(ff_objects_size(rig.service->objects, &digest, &kept));
    assert_int_equal(kept, size + 2);
    snprintf(path, sizeof path, "/v3/tasks/%s/cancel", rig_task(reply, "echo", 0));
    json_decref(rig_expect(&rig, 200, "POST", path, "{}"));
    json_decref(reply);
    free(payloads);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_version_needs_no_token),
        cmocka_unit_test(test_wrong_routes_and_methods),
        cmocka_unit_test(test_unknown_names_offer_the_nearest),
        cmocka_unit_test(test_bad_bodies),
        cmocka_unit_test(test_a_gigabyte_is_refused_by_its_head),
        cmocka_unit_test(test_bytes_that_are_no_tls),
        cmocka_unit_test(test_a_truncated_body),
        cmocka_unit_test(test_objects_are_checked_against_their_name),
        cmocka_unit_test(test_registering_and_deleting_a_function),
        cmocka_unit_test(test_the_same_key_is_one_submission),
        cmocka_unit_test(test_a_waiting_task_says_why_and_can_be_cancelled),
        cmocka_unit_test(test_lists_go_on_where_they_ended),
        cmocka_unit_test(test_a_group_names_its_tasks),
        cmocka_unit_test(test_tokens_have_scopes_and_are_told_once),
        cmocka_unit_test(test_large_arguments_become_objects),
    };
    curl_global_init(CURL_GLOBAL_DEFAULT);
    int failed = cmocka_run_group_tests(tests, start, stop);
    curl_global_cleanup();
    return failed;
}

#include "tests/unit/check.h"

#include "client/command/events.h"

static void becomes(const char *event, const char *line)
{
    json_t *from = json_loads(event, 0, NULL);
    json_t *wanted = json_loads(line, 0, NULL);
    assert_non_null(from);
    assert_non_null(wanted);
    json_t *got = ff_event_line(from, "T");
    if (!json_equal(got, wanted)) {
        char *text = json_dumps(got, JSON_ENCODE_ANY);
        fail_msg("%s became %s", event, text);
    }
    json_decref(got);
    json_decref(wanted);
    json_decref(from);
}

static void test_progress_is_flat(void **state)
{
    (void)state;
    becomes(
        "{\"seq\":7,\"time\":\"now\",\"type\":\"progress\",\"fraction\":0.5,\"numbers\":"
        "{\"epoch\":20,\"epochs\":40,\"cost\":0.4,\"r\":0.1,\"seconds\":1.5}}",
        "{\"type\":\"epoch\",\"epoch\":20,\"epochs\":40,\"cost\":0.4,\"r\":0.1,\"seconds\":1.5}");
    becomes("{\"seq\":7,\"type\":\"progress\",\"fraction\":0.5,\"numbers\":{\"files\":3}}",
            "{\"type\":\"progress\",\"fraction\":0.5,\"files\":3}");
    becomes("{\"seq\":7,\"type\":\"progress\",\"fraction\":0.5}",
            "{\"type\":\"progress\",\"fraction\":0.5}");
}

static void test_a_function_cannot_forge_the_type(void **state)
{
    (void)state;
    becomes("{\"type\":\"progress\",\"fraction\":0.5,\"numbers\":{\"type\":\"result\"}}",
            "{\"type\":\"progress\",\"fraction\":0.5}");
    becomes("{\"type\":\"result\",\"state\":\"failed\",\"result\":{\"state\":\"success\"}}",
            "{\"type\":\"result\",\"task_id\":\"T\",\"state\":\"failed\","
            "\"result\":{\"state\":\"success\"}}");
}

static void test_a_result_is_flat_and_whole(void **state)
{
    (void)state;
    becomes("{\"seq\":9,\"type\":\"result\",\"state\":\"success\",\"attempt\":1,"
            "\"result\":{\"output\":\"o.h5\",\"cost\":0.3}}",
            "{\"type\":\"result\",\"task_id\":\"T\",\"state\":\"success\",\"attempt\":1,"
            "\"result\":{\"output\":\"o.h5\",\"cost\":0.3},\"output\":\"o.h5\",\"cost\":0.3}");
    becomes("{\"type\":\"result\",\"state\":\"success\",\"result\":[1,2]}",
            "{\"type\":\"result\",\"task_id\":\"T\",\"state\":\"success\",\"result\":[1,2]}");
}

static void test_the_rest_stays_as_it_came(void **state)
{
    (void)state;
    becomes("{\"seq\":1,\"time\":\"t\",\"type\":\"log\",\"level\":\"info\",\"text\":\"x\"}",
            "{\"time\":\"t\",\"type\":\"log\",\"level\":\"info\",\"text\":\"x\"}");
    becomes("{\"seq\":1,\"type\":\"something-new\",\"x\":1}",
            "{\"type\":\"something-new\",\"x\":1}");
}

static void reads(const char *progress, const char *wanted)
{
    json_t *from = json_loads(progress, 0, NULL);
    char text[512];
    ff_event_progress_text(from, true, text, sizeof text);
    assert_string_equal(text, wanted);
    json_decref(from);
}

static void test_progress_as_text(void **state)
{
    (void)state;
    reads("{\"fraction\":0.5,\"numbers\":{\"epoch\":20,\"epochs\":40,\"cost\":0.41234,\"r\":0.1,"
          "\"seconds\":1.5}}",
          "━━━━━━━━━━──────────  50 %  epoch 20/40  cost 0.4123  R 0.1000  1.5 s");
    reads("{\"fraction\":-1,\"step\":3}", "step 3");
    reads("{\"file\":2,\"files\":7,\"s\":1,\"passes\":3}", "file 2/7  s 1  passes 3");
    reads("{\"file\":\"a.h5\",\"files\":7}", "file a.h5  files 7");
    reads("{\"fraction\":7}", "━━━━━━━━━━━━━━━━━━━━ 700 %");
    reads("{}", "");
    reads("{\"numbers\":null,\"fraction\":null}", "");
}

static void test_progress_in_a_table_has_no_bar(void **state)
{
    (void)state;
    json_t *progress = json_pack("{s:f, s:{s:i}}", "fraction", 0.25, "numbers", "epoch", 3);
    char text[64];
    ff_event_progress_text(progress, false, text, sizeof text);
    assert_string_equal(text, "25 %  epoch 3");
    json_decref(progress);
}

static void test_long_progress_is_cut_not_overrun(void **state)
{
    (void)state;
    json_t *progress = json_object();
    for (int i = 0; i < 200; i++) {
        char key[80];
        snprintf(key, sizeof key, "%0*d", 60, i);
        json_object_set_new(progress, key, json_real(i));
    }
    char text[100];
    ff_event_progress_text(progress, true, text, sizeof text);
    assert_int_equal(strlen(text), 99);
    json_decref(progress);
}

static void test_states_as_text(void **state)
{
    (void)state;
    char text[128];
    json_t *event = json_loads("{\"state\":\"running\",\"attempt\":2,\"node\":\"n7\"}", 0, NULL);
    ff_event_state_text(event, text, sizeof text);
    assert_string_equal(text, "running on n7, attempt 2");
    json_decref(event);
    event =
        json_loads("{\"state\":\"waiting-for-ep\",\"why\":\"endpoint local is offline\"}", 0, NULL);
    ff_event_state_text(event, text, sizeof text);
    assert_string_equal(text, "waiting-for-ep: endpoint local is offline");
    json_decref(event);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_progress_is_flat),
        cmocka_unit_test(test_a_function_cannot_forge_the_type),
        cmocka_unit_test(test_a_result_is_flat_and_whole),
        cmocka_unit_test(test_the_rest_stays_as_it_came),
        cmocka_unit_test(test_progress_as_text),
        cmocka_unit_test(test_progress_in_a_table_has_no_bar),
        cmocka_unit_test(test_long_progress_is_cut_not_overrun),
        cmocka_unit_test(test_states_as_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tests/unit/check.h"

#include "client/command/endpoint_blocks.h"

static const int64_t now_ns = INT64_C(1795629600) * 1000000000; /* 2026-11-25T18:00:00Z */

static json_t *parse(const char *text)
{
    json_t *value = json_loads(text, 0, NULL);
    assert_non_null(value);
    return value;
}

static void test_each_state_says_what_a_person_wants_to_know(void **state)
{
    (void)state;
    static const struct {
        const char *block, *words;
    } cases[] = {
        {"{\"id\": \"1a2b\", \"state\": \"submitting\", \"since\": \"2026-11-25T17:59:58.5Z\"}",
         "1a2b is being submitted for 2 s"},
        {"{\"id\": \"1a2b\", \"state\": \"pending\", \"job\": \"117\", \"since\": "
         "\"2026-11-25T17:50:00Z\", \"why\": \"the nodes it needs are busy\", \"expected\": "
         "\"2026-11-25T18:12:00Z\", \"ends\": null}",
         "1a2b (job 117) waits in the queue for 10 min 0 s: the nodes it needs are busy; expected "
         "to "
         "start in 12 min 0 s"},
        {"{\"id\": \"1a2b\", \"state\": \"starting\", \"job\": \"117\", \"since\": "
         "\"2026-11-25T17:59:50Z\", \"late\": false}",
         "1a2b (job 117) is starting for 10 s: its workers have not called back yet"},
        {"{\"id\": \"1a2b\", \"state\": \"starting\", \"since\": null, \"late\": true}",
         "1a2b is starting: its workers have not called back, and should have long since"},
        {"{\"id\": \"1a2b\", \"state\": \"up\", \"job\": \"99 12345 host\", \"since\": "
         "\"2026-11-25T16:00:00Z\", \"nodes\": 2, \"managers\": 1, \"tasks\": 3, \"ends\": "
         "\"2026-11-25T20:00:00Z\"}",
         "1a2b (process 99) is up for 2 h 0 min: 3 tasks on 1 node of 2; ends in 2 h 0 min"},
        {"{\"id\": \"1a2b\", \"state\": \"up\", \"nodes\": 1, \"managers\": 1, \"tasks\": 1, "
         "\"unknown_since\": \"2026-11-25T17:59:00Z\"}",
         "1a2b is up: 1 task on 1 node; the scheduler has not told how it is for 1 min 0 s"},
        {"{\"id\": \"1a2b\", \"state\": \"up\", \"nodes\": 1, \"managers\": 1, \"tasks\": 0, "
         "\"why\": \"the scheduler has suspended it\"}",
         "1a2b is up: 0 tasks on 1 node; the scheduler has suspended it"},
        {"{\"id\": \"1a2b\", \"state\": \"leaving\"}", "1a2b is leaving"},
        {"{}", "? "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char line[1024];
        json_t *block = parse(cases[i].block);
        ff_endpoint_block_words(block, now_ns, line, sizeof line);
        assert_string_equal(line, cases[i].words);
        json_decref(block);
    }
}

static void test_the_summary_counts_by_state(void **state)
{
    (void)state;
    char line[256];
    json_t *some = parse("{\"blocks\": [{\"state\": \"pending\"}, {\"state\": \"up\"}, {\"state\": "
                         "\"pending\"}, {\"state\": \"new to this release\"}]}");
    json_t *none = parse("{\"blocks\": []}");
    ff_endpoint_blocks_summary(some, line, sizeof line);
    assert_string_equal(line, "1 up, 2 pending");
    ff_endpoint_blocks_summary(none, line, sizeof line);
    assert_string_equal(line, "none");
    json_decref(some);
    json_decref(none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_state_says_what_a_person_wants_to_know),
        cmocka_unit_test(test_the_summary_counts_by_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tests/unit/check.h"

#include "endpoint/never.h"

static void test_what_a_node_to_come_may_do(void **state)
{
    (void)state;
    const struct ff_fresh none = {.comes = false, .nodes = 1};
    const struct ff_fresh unknown = {.comes = true, .nodes = 2};
    const struct ff_fresh bare = {.comes = true, .is_counted = true, .cores = 8, .nodes = 4};
    const struct ff_fresh two = {.comes = true, .is_counted = true, .devices = 2, .nodes = 1};
    const struct {
        const struct ff_fresh *fresh;
        struct ff_needs needs;
        bool would_do;
    } rows[] = {
        {&none, {.nodes = 1}, false},
        {&unknown, {.devices = 8, .cores = 64, .nodes = 2}, true},
        {&unknown, {.nodes = 3}, false},
        {&bare, {.cores = 8, .nodes = 4}, true},
        {&bare, {.cores = 9, .nodes = 1}, false},
        {&bare, {.devices = 1, .nodes = 1}, false},
        {&two, {.devices = 2, .cores = 999, .nodes = 1}, true},
        {&two, {.devices = 3, .nodes = 1}, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(ff_fresh_would_do(rows[i].fresh, &rows[i].needs), rows[i].would_do);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_what_a_node_to_come_may_do)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

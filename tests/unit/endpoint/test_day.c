/*
 * Many days of an endpoint in simulated time (day.h). FF_DAYS=N runs N of them instead of ten thousand; FF_DAY=SEED
 * tells of one in figures.
 */
#include "tests/unit/check.h"
#include "tests/unit/endpoint/day.h"

#include <stdlib.h>
#include <time.h>

enum { DAYS = 10000 };

static void print_day(const struct day_pattern *pattern, const struct day_report *report)
{
    print_message("day %llu: %zu tasks, %zu of them gangs of 8; at most %u blocks, %u submissions "
                  "a minute\n",
                  (unsigned long long)pattern->seed, report->tasks, report->gangs,
                  pattern->limits.max_blocks, pattern->limits.submit_rate);
    print_message("  jobs: %u submitted, %u refused, %u did not come up, %u lost, %u given up; "
                  "most at a time %u, most in a minute %u\n",
                  report->submitted, report->refused, report->failed, report->lost,
                  report->given_up, report->most_jobs, report->most_a_minute);
    print_message("  worst wait %.0f s, of a gang %.0f s (%.2f of its bound); nodes worked %.0f h "
                  "of %.0f h; the last task ended after %.1f h; %zu events\n",
                  report->worst_wait_s, report->worst_gang_wait_s, report->worst_gang_share,
                  report->busy_s / 3600, report->had_s / 3600, report->last_end_s / 3600,
                  report->events);
}

static void add_up(struct day_report *sum, const struct day_report *one)
{
    sum->tasks += one->tasks;
    sum->gangs += one->gangs;
    sum->submitted += one->submitted;
    sum->refused += one->refused;
    sum->failed += one->failed;
    sum->lost += one->lost;
    sum->given_up += one->given_up;
    sum->events += one->events;
    sum->busy_s += one->busy_s;
    sum->had_s += one->had_s;
    for (int i = 0; i < DAY_WAITS; i++)
        sum->gang_waits[i] += one->gang_waits[i];
    if (one->worst_gang_wait_s > sum->worst_gang_wait_s)
        sum->worst_gang_wait_s = one->worst_gang_wait_s;
    if (one->worst_gang_share > sum->worst_gang_share)
        sum->worst_gang_share = one->worst_gang_share;
}

/* Within how many seconds so large a part of the gangs began, rounded up to a power of two. */
static double gang_wait_of(const struct day_report *sum, double part)
{
    size_t count = 0;
    for (int i = 0; i < DAY_WAITS; i++) {
        count += sum->gang_waits[i];
        if ((double)count >= part * (double)sum->gangs)
            return (double)(1u << i);
    }
    return 0;
}

/* Every promise is checked on the way: day.c. */
static void test_made_up_days_keep_what_is_promised(void **state)
{
    (void)state;
    const char *days = getenv("FF_DAYS");
    unsigned long count = days != NULL ? strtoul(days, NULL, 10) : DAYS;
    struct day_report sum = {0};
    for (unsigned long seed = 1; seed <= count; seed++) {
        struct day_pattern pattern;
        struct day_report report;
        day_make(&pattern, seed);
        day_run(&pattern, &report);
        add_up(&sum, &report);
        day_dispose(&pattern);
    }
    print_message(
        "%lu days: %zu tasks, %zu of them gangs of 8, %zu events; %u jobs, %u refused, %u "
        "did not come up, %u lost, %u given up\n",
        count, sum.tasks, sum.gangs, sum.events, sum.submitted, sum.refused, sum.failed, sum.lost,
        sum.given_up);
    print_message("half of the gangs began within %.0f s, 99 %% within %.1f h\n",
                  gang_wait_of(&sum, 0.5), gang_wait_of(&sum, 0.99) / 3600);
    print_message("worst wait of a gang %.1f h; largest share of its bound %.2f; nodes worked %.1f "
                  "%% of the time that they were there\n",
                  sum.worst_gang_wait_s / 3600, sum.worst_gang_share, 100 * sum.busy_s / sum.had_s);
    assert_true(sum.gangs > count / 10);
    assert_true(sum.refused > 0 && sum.failed > 0 && sum.lost > 0 && sum.given_up > 0);
}

static void test_one_day(void **state)
{
    (void)state;
    struct day_pattern pattern;
    struct day_report report;
    const char *seed = getenv("FF_DAY");
    day_make(&pattern, seed != NULL ? strtoull(seed, NULL, 10) : 1);
    day_run(&pattern, &report);
    print_day(&pattern, &report);
    day_dispose(&pattern);
}

/* Eight tasks of 20 s, every 50 s, all day long: the blocks of the first eight do them all. */
static void test_a_steady_pace_keeps_its_blocks(void **state)
{
    (void)state;
    struct day_report report;
    struct day_pattern pattern = {
        .limits = {.max_blocks = 8,
                   .nodes_per_block = 1,
                   .submit_rate = 10,
                   .idle_limit_ns = INT64_C(60000000000)},
        .node = {.slots = 2, .devices = 2, .cores = 8, .seen = true},
        .told = true,
        .kinds = {{.devices = 1, .cores = 1, .mean_s = 20, .steady = true}},
        .kind_count = 1,
        .queue_mean_s = 1,
        .boot_s = 1,
        .ending_s = 1,
    };
    for (int round = 0; round < 1000; round++)
        for (int i = 0; i < 8; i++)
            day_add(&pattern, 50 * round, 0, 20);
    day_run(&pattern, &report);
    assert_int_equal(report.submitted, 4);
    assert_int_equal(report.given_up, 4); /* at the end */
    /* Slower than the idle time, every round has its own. */
    for (size_t i = 0; i < pattern.arrival_count; i++)
        pattern.arrivals[i].at_ns *= 3;
    day_run(&pattern, &report);
    assert_int_equal(report.submitted, 4000);
    day_dispose(&pattern);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_day),
        cmocka_unit_test(test_a_steady_pace_keeps_its_blocks),
        cmocka_unit_test(test_made_up_days_keep_what_is_promised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Under the thread sanitizer: what is missing is reported where it happens, even where the result is right. */
#include "tests/cuda/fault.h"
#include "tests/cuda/programs.h"

static void begin(enum standin_order order)
{
    standin_begin(1, order, 0);
}

static void missing_barrier(void)
{
    begin(STANDIN_EAGER);
    wrong_sums(SUM_TREE_WITHOUT_BARRIER);
}

static void right_sums(void)
{
    begin(STANDIN_EAGER);
    wrong_sums(SUM_TREE);
    wrong_sums(SUM_DYNAMIC);
    wrong_sums(SUM_SHUFFLES);
}

static void missing_wait(void)
{
    begin(STANDIN_EAGER);
    wrong_after_chain(false);
}

static void missing_wait_for_overwrite(void)
{
    begin(STANDIN_EAGER);
    wrong_after_overwrite(false);
}

static void missing_wait_for_reuse(void)
{
    begin(STANDIN_EAGER);
    wrong_after_reuse(false);
}

static void missing_wait_for_read(void)
{
    begin(STANDIN_EAGER);
    wrong_after_read(false);
}

static void missing_atomic(void)
{
    begin(STANDIN_EAGER);
    wrong_histogram_bins(false);
}

static void apart(void)
{
    begin(STANDIN_EAGER);
    standin_set_blocks_apart(1);
}

/* Each block adds to bins that the others add to as well. */
static void missing_atomic_between_blocks(void)
{
    apart();
    wrong_histogram_bins(false);
}

static void right_blocks(void)
{
    apart();
    wrong_histogram_bins(true);
    wrong_sums(SUM_DYNAMIC);
    wrong_after_chain(true);
}

static void right_programs(void)
{
    for (enum standin_order order = STANDIN_LAZY; order <= STANDIN_EAGER; order++) {
        begin(order);
        wrong_after_chain(true);
        wrong_after_overwrite(true);
        wrong_after_reuse(true);
        wrong_after_read(true);
        wrong_histogram_bins(true);
        standin_end();
    }
}

static const struct program {
    const char *name;
    void (*run)(void);
} programs[] = {
    {"missing_barrier", missing_barrier},
    {"missing_atomic", missing_atomic},
    {"right_sums", right_sums},
    {"missing_wait", missing_wait},
    {"missing_wait_for_overwrite", missing_wait_for_overwrite},
    {"missing_wait_for_reuse", missing_wait_for_reuse},
    {"missing_wait_for_read", missing_wait_for_read},
    {"right_programs", right_programs},
    {"missing_atomic_between_blocks", missing_atomic_between_blocks},
    {"right_blocks", right_blocks},
};

static const char *self;

/* The sanitizer looks away in a forked process: this program is started again. */
static char *said_by(const char *name)
{
    enum { ROOM = 1 << 20 };
    char command[512], *said = malloc(ROOM);
    assert_non_null(said);
    snprintf(command, sizeof command, "%s %s 2>&1", self, name);
    FILE *stream = popen(command, "r");
    assert_non_null(stream);
    said[fread(said, 1, ROOM - 1, stream)] = '\0';
    pclose(stream);
    return said;
}

/* Fails the test unless a race is reported, and `where` is named after it. */
static void expect_race(const char *name, const char *where)
{
    char *said = said_by(name);
    const char *report = strstr(said, "WARNING: ThreadSanitizer: data race");
    if (report == NULL || strstr(report, where) == NULL)
        fail_msg("%s: a race should be reported in %s; it said: %s", name, where, said);
    free(said);
}

static void expect_no_race(const char *name)
{
    char *said = said_by(name);
    if (said[0] != '\0')
        fail_msg("%s: nothing should be reported: %s", name, said);
    free(said);
}

static void test_kernels(void **state)
{
    (void)state;
    expect_race("missing_barrier", "kernels.cu");
    expect_race("missing_atomic", "kernels.cu");
    expect_no_race("right_sums");
    expect_race("missing_atomic_between_blocks", "kernels.cu");
    expect_no_race("right_blocks");
}

static void test_streams(void **state)
{
    (void)state;
    expect_race("missing_wait", "kernels.cu");
    expect_race("missing_wait_for_overwrite", "kernels.cu");
    expect_race("missing_wait_for_reuse", "programs.c");
    expect_race("missing_wait_for_read", "programs.c");
    expect_no_race("right_programs");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_kernels),
                                       cmocka_unit_test(test_streams)};
    self = argv[0];
    for (size_t i = 0; argc == 2 && i < sizeof programs / sizeof *programs; i++) {
        if (strcmp(argv[1], programs[i].name) == 0) {
            programs[i].run();
            return 0;
        }
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}

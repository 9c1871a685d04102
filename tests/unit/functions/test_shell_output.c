/* Before cmocka, whose `fail` is a macro. */
#include "functions/shell/output.h"

#include "tests/unit/check.h"

#include "protocol/core/bytes.h"

/* A call that keeps what is logged. */
struct listener {
    struct ff_call call;
    struct ff_buffer said; /* every entry, and a newline behind it */
    size_t entries, longest;
};

static void hear(struct ff_call *call, int level, const char *text)
{
    struct listener *listener = (struct listener *)call;
    (void)level;
    ff_buffer_append_text(&listener->said, text);
    ff_buffer_append_text(&listener->said, "\n");
    listener->entries++;
    if (strlen(text) > listener->longest)
        listener->longest = strlen(text);
}

static const struct ff_call_host host = {.log = hear};

static int set_up(void **state)
{
    struct listener *listener = calloc(1, sizeof *listener);
    assert_non_null(listener);
    listener->call.host = &host;
    ff_buffer_init(&listener->said, 1 << 20);
    *state = listener;
    return 0;
}

static int tear_down(void **state)
{
    struct listener *listener = *state;
    ff_buffer_dispose(&listener->said);
    free(listener);
    return 0;
}

static void test_a_line_is_an_entry(void **state)
{
    struct listener *listener = *state;
    struct ff_shell_output *output = ff_shell_output_create(&listener->call, FF_CALL_INFO);
    ff_shell_output_add(output, "one\n\ntw", 7);
    ff_shell_output_add(output, "o\nthree", 7);
    assert_int_equal(listener->entries, 2);
    assert_string_equal(ff_shell_output_last_line(output), "two");
    ff_shell_output_end(output);
    assert_string_equal(ff_shell_output_last_line(output), "three");
    assert_string_equal(ff_buffer_text(&listener->said), "one\ntwo\nthree\n");
    assert_int_equal(listener->entries, 3);
    ff_shell_output_destroy(output);
}

static void test_many_lines_at_once_are_few_entries_and_none_is_lost(void **state)
{
    struct listener *listener = *state;
    struct ff_shell_output *output = ff_shell_output_create(&listener->call, FF_CALL_INFO);
    struct ff_buffer piece;
    ff_buffer_init(&piece, 1 << 20);
    for (int i = 0; i < 2000; i++)
        ff_buffer_printf(&piece, "line %d\n", i);
    ff_shell_output_add(output, ff_buffer_text(&piece), piece.size);
    assert_string_equal(ff_shell_output_last_line(output), "line 1999");
    ff_shell_output_destroy(output);
    assert_string_equal(ff_buffer_text(&listener->said), ff_buffer_text(&piece));
    assert_in_range(listener->entries, 1, 40);
    assert_in_range(listener->longest, 1, 2000);
    ff_buffer_dispose(&piece);
}

static void test_a_line_without_end_is_cut(void **state)
{
    struct listener *listener = *state;
    struct ff_shell_output *output = ff_shell_output_create(&listener->call, FF_CALL_INFO);
    char piece[5000];
    memset(piece, 'x', sizeof piece);
    ff_shell_output_add(output, piece, sizeof piece);
    ff_shell_output_end(output);
    ff_shell_output_destroy(output);
    assert_int_equal(listener->entries, 3);
    assert_int_equal(listener->longest, 2000);
    assert_int_equal(listener->said.size, sizeof piece + 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_line_is_an_entry, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_many_lines_at_once_are_few_entries_and_none_is_lost,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_line_without_end_is_cut, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

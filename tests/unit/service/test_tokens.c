#include "tests/unit/check.h"

#include "protocol/core/clock.h"
#include "service/tokens.h"

static void test_only_the_whole_text_of_a_token_opens(void **state)
{
    (void)state;
    struct ff_error error;
    char text[FF_TOKEN_TEXT_SIZE];
    struct ff_tokens *tokens = ff_tokens_create(&error);
    struct ff_token_row row = {.key = 1,
                               .user = ff_span_of("ada"),
                               .label = ff_span_of("x"),
                               .scopes = ff_span_of("read")};
    assert_ok(ff_token_make(text, &row.hash, &error), error);
    assert_ok(ff_tokens_add(tokens, &row, &error), error);
    const struct ff_token *found = ff_tokens_check(tokens, ff_span_of(text));
    assert_non_null(found);
    assert_string_equal(found->user, "ada");
    assert_int_equal(found->scopes, FF_SCOPE_READ);
    struct ff_span cut = {text, strlen(text) - 1};
    assert_null(ff_tokens_check(tokens, cut));
    text[20] = text[20] == '0' ? '1' : '0';
    assert_null(ff_tokens_check(tokens, ff_span_of(text)));
    assert_null(ff_tokens_check(tokens, ff_span_of("")));
    ff_tokens_destroy(tokens);
}

static void test_tokens_expire_and_are_removed(void **state)
{
    (void)state;
    struct ff_error error;
    char old[FF_TOKEN_TEXT_SIZE];
    char good[FF_TOKEN_TEXT_SIZE];
    struct ff_tokens *tokens = ff_tokens_create(&error);
    struct ff_token_row row = {.key = 1,
                               .user = ff_span_of("ada"),
                               .scopes = ff_span_of("all"),
                               .expires_ns = ff_wall_ns() - 1};
    assert_ok(ff_token_make(old, &row.hash, &error), error);
    assert_ok(ff_tokens_add(tokens, &row, &error), error);
    row.key = 2;
    row.expires_ns = ff_wall_ns() + 3600ll * 1000000000;
    assert_ok(ff_token_make(good, &row.hash, &error), error);
    assert_ok(ff_tokens_add(tokens, &row, &error), error);
    assert_string_not_equal(old, good);
    assert_null(ff_tokens_check(tokens, ff_span_of(old)));
    assert_non_null(ff_tokens_check(tokens, ff_span_of(good)));
    ff_tokens_remove(tokens, 2);
    assert_null(ff_tokens_check(tokens, ff_span_of(good)));
    assert_int_equal(ff_tokens_count(tokens), 1);
    ff_tokens_destroy(tokens);
}

static void test_scopes_as_words(void **state)
{
    (void)state;
    struct ff_error error;
    struct ff_buffer words;
    unsigned scopes = 0;
    assert_ok(ff_scopes_parse(ff_span_of("submit manage"), &scopes, &error), error);
    assert_int_equal(scopes, FF_SCOPE_READ | FF_SCOPE_SUBMIT | FF_SCOPE_MANAGE);
    assert_int_equal(ff_scopes_parse(ff_span_of("read root"), &scopes, &error), -1);
    assert_non_null(strstr(error.message, "root"));
    ff_buffer_init(&words, 100);
    ff_scopes_text(FF_SCOPE_READ | FF_SCOPE_SUBMIT | FF_SCOPE_MANAGE | FF_SCOPE_TOKENS, &words);
    assert_string_equal(ff_buffer_text(&words), "all");
    ff_buffer_clear(&words);
    ff_scopes_text(FF_SCOPE_READ | FF_SCOPE_SUBMIT, &words);
    assert_int_equal(ff_scopes_parse(ff_buffer_span(&words), &scopes, &error), 0);
    assert_int_equal(scopes, FF_SCOPE_READ | FF_SCOPE_SUBMIT);
    ff_buffer_dispose(&words);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_the_whole_text_of_a_token_opens),
        cmocka_unit_test(test_tokens_expire_and_are_removed),
        cmocka_unit_test(test_scopes_as_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tests/unit/check.h"

#include "protocol/gather.h"

struct sink {
    int frames;
    int items;
    size_t largest;
};

static void take(void *user, enum ff_message_type type, struct ff_span frame)
{
    struct sink *sink = user;
    struct ff_decoder decoder;
    union ff_item item;
    struct ff_error error;
    sink->frames++;
    sink->largest = frame.size > sink->largest ? frame.size : sink->largest;
    assert_ok(ff_decode_open(&decoder, frame, &error), error);
    assert_int_equal(decoder.type, type);
    while (ff_decode_next(&decoder, &item, &error) > 0)
        sink->items++;
    assert_int_equal(decoder.left, 0);
}

static void test_items_are_packed_by_count(void **state)
{
    (void)state;
    struct sink sink = {0};
    struct ff_gather gather;
    struct ff_receipt receipt = {.attempt = {1, 1}};
    ff_gather_init(&gather, FF_MSG_RECEIPTS, take, &sink);
    assert_false(ff_gather_flush(&gather));
    for (int i = 0; i < 2500; i++) {
        ff_id_random(&receipt.task);
        ff_gather_receipt(&gather, &receipt);
    }
    assert_true(ff_gather_flush(&gather));
    assert_false(ff_gather_flush(&gather));
    assert_int_equal(sink.frames, 3);
    assert_int_equal(sink.items, 2500);
    ff_gather_receipt(&gather, &receipt);
    ff_gather_drop(&gather);
    assert_false(ff_gather_flush(&gather));
    ff_gather_dispose(&gather);
}

static void test_items_are_packed_by_size(void **state)
{
    (void)state;
    struct sink sink = {0};
    struct ff_gather gather;
    struct ff_buffer made;
    char *value = malloc(FF_INLINE_LIMIT);
    memset(value, '1', FF_INLINE_LIMIT);
    struct ff_outcome outcome = {.attempt = {1, 1}, .value = {value, FF_INLINE_LIMIT}};
    ff_id_random(&outcome.task);
    ff_buffer_init(&made, FF_MESSAGE_LIMIT);
    struct ff_span raw = ff_gather_outcome_raw(&made, &outcome);
    assert_true(raw.size > FF_INLINE_LIMIT);
    ff_gather_init(&gather, FF_MSG_OUTCOMES, take, &sink);
    for (int i = 0; i < 40; i++)
        ff_gather_raw(&gather, raw);
    ff_gather_flush(&gather);
    assert_int_equal(sink.items, 40);
    assert_true(sink.frames >= 3);
    assert_true(sink.largest <= FF_MESSAGE_LIMIT);
    ff_gather_dispose(&gather);
    ff_buffer_dispose(&made);
    free(value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_items_are_packed_by_count),
        cmocka_unit_test(test_items_are_packed_by_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

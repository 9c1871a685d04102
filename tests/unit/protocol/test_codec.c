#include "tests/unit/check.h"

#include "protocol/codec.h"
#include "protocol/core/file.h"

static struct ff_order sample_order(void)
{
    struct ff_order order = {0};
    ff_id_random(&order.task);
    order.attempt = (struct ff_attempt){3, 1};
    order.number = 1;
    order.name = ff_span_of("reconstruct");
    order.arguments = ff_span_of("{\"input\": \"scan.cxi\"}");
    memset(order.digest.bytes, 7, FF_DIGEST_SIZE);
    order.submitted_ns = 1500000000000000000;
    return order;
}

static void encode_orders(struct ff_buffer *buffer, unsigned count)
{
    struct ff_encoder encoder;
    struct ff_error error;
    struct ff_order order = sample_order();
    ff_encode_begin(&encoder, buffer, FF_MSG_TASKS);
    for (unsigned i = 0; i < count; i++)
        ff_encode_order(&encoder, &order);
    assert_ok(ff_encode_end(&encoder, &error), error);
}

static void test_round_trip(void **state)
{
    (void)state;
    struct ff_buffer buffer;
    struct ff_decoder decoder;
    struct ff_error error;
    union ff_item item;
    ff_buffer_init(&buffer, FF_MESSAGE_LIMIT);
    encode_orders(&buffer, 3);
    assert_ok(ff_decode_open(&decoder, ff_buffer_span(&buffer), &error), error);
    assert_int_equal(decoder.type, FF_MSG_TASKS);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ff_decode_next(&decoder, &item, &error), 1);
        assert_int_equal(item.order.attempt.epoch, 3);
        assert_true(ff_span_equal(item.order.name, ff_span_of("reconstruct")));
        assert_int_equal(item.order.submitted_ns, 1500000000000000000);
        assert_int_equal(item.order.devices, 0);
        assert_int_equal(item.order.user.size, 0);
    }
    assert_int_equal(ff_decode_next(&decoder, &item, &error), 0);
    ff_buffer_dispose(&buffer);
}

static void test_encoder_keeps_the_limits(void **state)
{
    (void)state;
    struct ff_buffer buffer;
    struct ff_encoder encoder;
    struct ff_error error;
    static char bytes[FF_INLINE_LIMIT + 1];
    struct ff_order order = sample_order();
    struct ff_order large = order;
    large.arguments = (struct ff_span){bytes, sizeof bytes};
    ff_buffer_init(&buffer, FF_MESSAGE_LIMIT);
    ff_encode_begin(&encoder, &buffer, FF_MSG_TASKS);
    assert_false(ff_encode_order(&encoder, &large)); /* longer than its field allows */
    assert_int_equal(ff_encode_end(&encoder, &error), -1);
    ff_encode_begin(&encoder, &buffer, FF_MSG_FAREWELL);
    assert_false(ff_encode_order(&encoder, &order)); /* of another kind than the message */
    assert_int_equal(ff_encode_end(&encoder, &error), -1);
    ff_buffer_dispose(&buffer);
}

static void test_a_full_message_stays_good(void **state)
{
    (void)state;
    struct ff_buffer buffer;
    struct ff_encoder encoder;
    struct ff_error error;
    struct ff_order order = sample_order();
    ff_buffer_init(&buffer, FF_MESSAGE_LIMIT);
    ff_encode_begin(&encoder, &buffer, FF_MSG_TASKS);
    for (int i = 0; i < FF_MESSAGE_ITEMS; i++)
        assert_true(ff_encode_order(&encoder, &order));
    assert_false(ff_encode_order(&encoder, &order)); /* one too many */
    assert_ok(ff_encode_end(&encoder, &error), error);
    ff_buffer_dispose(&buffer);

    ff_buffer_init(&buffer, 1000);
    ff_encode_begin(&encoder, &buffer, FF_MSG_TASKS);
    unsigned taken = 0;
    while (ff_encode_order(&encoder, &order))
        taken++;
    assert_in_range(taken, 2, 20);
    assert_ok(ff_encode_end(&encoder, &error), error);
    struct ff_decoder decoder;
    union ff_item item;
    assert_ok(ff_decode_open(&decoder, ff_buffer_span(&buffer), &error), error);
    for (unsigned i = 0; i < taken; i++)
        assert_int_equal(ff_decode_next(&decoder, &item, &error), 1);
    assert_int_equal(ff_decode_next(&decoder, &item, &error), 0);
    ff_buffer_dispose(&buffer);

    ff_buffer_init(&buffer, 40); /* too small for even one */
    ff_encode_begin(&encoder, &buffer, FF_MSG_TASKS);
    assert_false(ff_encode_order(&encoder, &order));
    assert_int_equal(ff_encode_end(&encoder, &error), -1);
    ff_buffer_dispose(&buffer);
}

/* The reason of a farewell as it arrives on the other side. */
static struct ff_span sent_text(struct ff_buffer *buffer, struct ff_span text)
{
    struct ff_encoder encoder;
    struct ff_decoder decoder;
    struct ff_error error;
    union ff_item item;
    struct ff_farewell farewell = {.reason = text};
    ff_encode_begin(&encoder, buffer, FF_MSG_FAREWELL);
    assert_true(ff_encode_farewell(&encoder, &farewell));
    assert_ok(ff_encode_end(&encoder, &error), error);
    assert_ok(ff_decode_open(&decoder, ff_buffer_span(buffer), &error), error);
    assert_int_equal(ff_decode_next(&decoder, &item, &error), 1);
    return item.farewell.reason;
}

static void test_any_text_can_be_sent(void **state)
{
    (void)state;
    struct ff_buffer buffer;
    ff_buffer_init(&buffer, FF_MESSAGE_LIMIT);
    static const struct ff_span latin1 = {"caf\xe9 \0 ok\xc3", 10};
    assert_true(ff_span_equal(sent_text(&buffer, latin1),
                              ff_span_of("caf\xef\xbf\xbd \xef\xbf\xbd ok\xef\xbf\xbd")));
    char text[1030]; /* the limit of the field is 1024, in the middle of a character */
    memset(text, 'x', sizeof text);
    memcpy(text + 1023, "\xc3\xa9", 2);
    assert_int_equal(sent_text(&buffer, (struct ff_span){text, sizeof text}).size, 1023);
    memset(text, 0xff, sizeof text);
    struct ff_span replaced = sent_text(&buffer, (struct ff_span){text, sizeof text});
    assert_int_equal(replaced.size, 1023);
    ff_buffer_dispose(&buffer);
}

/* Reads all of a frame; whatever it holds, this ends without touching what it must not. */
static int decode_all(struct ff_span frame)
{
    struct ff_decoder decoder;
    union ff_item item;
    if (ff_decode_open(&decoder, frame, NULL) < 0)
        return -1;
    int got;
    while ((got = ff_decode_next(&decoder, &item, NULL)) > 0)
        continue;
    return got;
}

static void test_items_pass_through_unread(void **state)
{
    (void)state;
    struct ff_buffer first;
    struct ff_buffer second;
    struct ff_encoder encoder;
    struct ff_decoder decoder;
    union ff_item item;
    struct ff_error error;
    ff_buffer_init(&first, FF_MESSAGE_LIMIT);
    ff_buffer_init(&second, FF_MESSAGE_LIMIT);
    encode_orders(&first, 3);
    assert_ok(ff_decode_open(&decoder, ff_buffer_span(&first), &error), error);
    ff_encode_begin(&encoder, &second, FF_MSG_TASKS);
    while (ff_decode_next(&decoder, &item, &error) > 0)
        assert_true(ff_encode_raw(&encoder, decoder.raw));
    assert_ok(ff_encode_end(&encoder, &error), error);
    assert_true(ff_span_equal(ff_buffer_span(&first), ff_buffer_span(&second)));
    for (unsigned i = 3; i < FF_MESSAGE_ITEMS; i++)
        assert_true(ff_encode_raw(&encoder, decoder.raw));
    assert_false(ff_encode_raw(&encoder, decoder.raw));
    ff_buffer_dispose(&first);
    ff_buffer_dispose(&second);
}

static void test_unknown_keys_are_skipped(void **state)
{
    (void)state;
    /* [5, [{"new": [1, {"deep": nil}, 2.5], "why": "bye"}]] */
    static const char frame[] = "\x92\x05\x91\x82\xa3new\x93\x01\x81\xa4"
                                "deep\xc0\xcb\x40\x04\0\0\0\0\0\0\xa3why\xa3"
                                "bye";
    struct ff_decoder decoder;
    struct ff_error error;
    union ff_item item;
    struct ff_span span = {frame, sizeof frame - 1};
    assert_ok(ff_decode_open(&decoder, span, &error), error);
    assert_int_equal(ff_decode_next(&decoder, &item, &error), 1);
    assert_true(ff_span_equal(item.farewell.reason, ff_span_of("bye")));
    assert_int_equal(ff_decode_next(&decoder, &item, &error), 0);
}

static void test_malformed_messages_are_refused(void **state)
{
    (void)state;
#define FRAME(bytes)                                                                               \
    {                                                                                              \
        bytes, sizeof bytes - 1                                                                    \
    }
    static const struct ff_span bad[] = {
        FRAME(""),                                    /* nothing */
        FRAME("\xdd\xff\0\0\0"),                      /* 4 billion elements claimed in 5 bytes */
        FRAME("\xdf\xff\xff\xff\xff"),                /* the same as a map */
        FRAME("\x92\x05"),                            /* ends early */
        FRAME("\x93\x05\x90\x90"),                    /* three parts */
        FRAME("\x92\xa1x\x90"),                       /* type is text */
        FRAME("\x92\x05\x92\x80\x80"),                /* two farewells */
        FRAME("\x92\x05\x91\x81\xa3why\x05"),         /* text expected */
        FRAME("\x92\x05\x91\x81\xa3why\xa2\xc3\x28"), /* not UTF-8 */
        FRAME("\x92\x05\x91\x81\x01\x02"),            /* key is a number */
        FRAME("\x92\x05\x90\x00"),                    /* bytes left over */
        FRAME("\x92\x10\x91\x81\xa4task\xc4\x02xy"),  /* id of two bytes */
        FRAME("\x92\x05\x91\x81\xa1z\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91"
              "\x91\x91\x91\x91\x91\xc0"), /* nested too deep */
        FRAME("\xc1"),
    };
#undef FRAME
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char *exact = ff_span_copy(bad[i]); /* so that a sanitizer sees a read beyond the end */
        assert_non_null(exact);
        assert_int_equal(decode_all((struct ff_span){exact, bad[i].size}), -1);
        free(exact);
    }
    struct ff_decoder decoder;
    struct ff_error error;
    struct ff_span unknown = {"\x92\x63\x90", 3};
    assert_int_equal(ff_decode_open(&decoder, unknown, &error), -1);
    assert_int_equal(error.code, FF_UNSUPPORTED);
}

static void test_damaged_messages_never_harm(void **state)
{
    (void)state;
    struct ff_buffer buffer;
    ff_buffer_init(&buffer, FF_MESSAGE_LIMIT);
    encode_orders(&buffer, 2);
    uint64_t random = 88172645463325252u; /* xorshift64 */
    for (int round = 0; round < 20000; round++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        size_t size = random % 4 == 0 ? (random >> 8) % (buffer.size + 1) : buffer.size;
        uint8_t *copy = malloc(size > 0 ? size : 1);
        assert_non_null(copy);
        memcpy(copy, buffer.data, size);
        for (unsigned change = 0; size > 0 && change < 1 + (random >> 60); change++)
            copy[(random >> (change % 40)) % size] = (uint8_t)(random >> (8 * (change % 7)));
        decode_all((struct ff_span){copy, size});
        free(copy);
    }
    ff_buffer_dispose(&buffer);
}

static void test_specification_matches_the_tables(void **state)
{
    (void)state;
    const char *root = getenv("FF_SOURCE");
    assert_non_null(root);
    struct ff_error error;
    struct ff_buffer made;
    char *text = NULL;
    size_t size = 0;
    char *path = ff_path_join(root, "protocol/MESSAGES.md");
    assert_ok(ff_file_read(path, 1 << 20, &text, &size, &error), error);
    ff_buffer_init(&made, 1 << 20);
    ff_messages_describe(&made);
    const char *marker = "<!-- fields: made by `ff_messages_describe` -->\n";
    const char *tables = strstr(text, marker);
    assert_non_null(tables);
    assert_string_equal(tables + strlen(marker), ff_buffer_text(&made));
    ff_buffer_dispose(&made);
    free(text);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_encoder_keeps_the_limits),
        cmocka_unit_test(test_a_full_message_stays_good),
        cmocka_unit_test(test_any_text_can_be_sent),
        cmocka_unit_test(test_items_pass_through_unread),
        cmocka_unit_test(test_unknown_keys_are_skipped),
        cmocka_unit_test(test_malformed_messages_are_refused),
        cmocka_unit_test(test_damaged_messages_never_harm),
        cmocka_unit_test(test_specification_matches_the_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

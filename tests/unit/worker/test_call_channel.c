#include "tests/unit/check.h"

#include "protocol/limits.h"
#include "worker/call_channel.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

struct pair {
    struct ff_channel *a;
    struct ff_channel *b;
    int raw; /* a second descriptor of a's side, to write bytes that are no frames */
};

static struct pair open_pair(void)
{
    struct ff_error error;
    struct pair pair;
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    pair.raw = dup(fds[0]);
    pair.a = ff_channel_create(fds[0], &error);
    pair.b = ff_channel_create(fds[1], &error);
    assert_true(pair.a != NULL && pair.b != NULL);
    return pair;
}

static void close_pair(struct pair *pair)
{
    ff_channel_destroy(pair->a);
    ff_channel_destroy(pair->b);
    close(pair->raw);
}

static void test_frames_come_whole_and_in_order(void **state)
{
    (void)state;
    struct pair pair = open_pair();
    struct ff_error error;
    struct ff_span frame;
    assert_int_equal(ff_channel_fill(pair.b), 0);
    assert_ok(ff_channel_put(pair.a, ff_span_of("one"), &error), error);
    assert_ok(ff_channel_put(pair.a, ff_span_of(""), &error), error);
    assert_ok(ff_channel_put(pair.a, ff_span_of("three"), &error), error);
    assert_int_equal(ff_channel_flush(pair.a), 0);
    assert_int_equal(ff_channel_fill(pair.b), 1);
    assert_int_equal(ff_channel_next(pair.b, &frame, &error), 1);
    assert_true(ff_span_equal(frame, ff_span_of("one")));
    assert_int_equal(ff_channel_next(pair.b, &frame, &error), 1);
    assert_int_equal(frame.size, 0);
    assert_int_equal(ff_channel_next(pair.b, &frame, &error), 1);
    assert_true(ff_span_equal(frame, ff_span_of("three")));
    assert_int_equal(ff_channel_next(pair.b, &frame, &error), 0);
    close_pair(&pair);
}

static void test_large_frames_and_full_sockets(void **state)
{
    (void)state;
    enum { SIZE = 9 << 20 };
    struct pair pair = open_pair();
    struct ff_error error;
    struct ff_span frame;
    uint8_t *bytes = malloc(SIZE);
    for (size_t i = 0; i < SIZE; i++)
        bytes[i] = (uint8_t)(i * 31);
    assert_ok(ff_channel_put(pair.a, (struct ff_span){bytes, SIZE}, &error), error);
    int state_of_a = ff_channel_flush(pair.a);
    assert_int_equal(state_of_a, 1);
    assert_true(ff_channel_pending(pair.a) > 0);
    int got;
    while ((got = ff_channel_next(pair.b, &frame, &error)) == 0) {
        assert_int_equal(ff_channel_fill(pair.b), 1);
        assert_true(ff_channel_flush(pair.a) >= 0);
    }
    assert_int_equal(got, 1);
    assert_int_equal(frame.size, SIZE);
    assert_memory_equal(frame.data, bytes, SIZE);
    assert_int_equal(ff_channel_pending(pair.a), 0);
    free(bytes);
    close_pair(&pair);
}

static void test_both_directions_are_bounded(void **state)
{
    (void)state;
    struct pair pair = open_pair();
    struct ff_error error;
    struct ff_span frame;
    uint8_t *bytes = calloc(1, FF_MESSAGE_LIMIT + 1);
    struct ff_span largest = {bytes, FF_MESSAGE_LIMIT};
    assert_int_equal(ff_channel_put(pair.a, (struct ff_span){bytes, FF_MESSAGE_LIMIT + 1}, &error),
                     -1);
    assert_int_equal(error.code, FF_TOO_LARGE);
    assert_ok(ff_channel_put(pair.a, largest, &error), error);
    assert_int_equal(ff_channel_put(pair.a, largest, &error), -1); /* nobody reads */
    free(bytes);
    close_pair(&pair);
    pair = open_pair();
    assert_int_equal(write(pair.raw, "\xff\xff\xff\xffxxxx", 8), 8);
    assert_int_equal(ff_channel_fill(pair.b), 1);
    assert_int_equal(ff_channel_next(pair.b, &frame, &error), -1);
    assert_int_equal(error.code, FF_PROTOCOL);
    close_pair(&pair);
}

static void test_end_of_file_comes_after_the_frames(void **state)
{
    (void)state;
    struct pair pair = open_pair();
    struct ff_error error;
    struct ff_span frame;
    assert_ok(ff_channel_put(pair.a, ff_span_of("last words"), &error), error);
    assert_int_equal(ff_channel_flush(pair.a), 0);
    close(pair.raw);
    ff_channel_destroy(pair.a);
    assert_int_equal(ff_channel_fill(pair.b), 1);
    assert_int_equal(ff_channel_fill(pair.b), -1);
    assert_int_equal(ff_channel_next(pair.b, &frame, &error), 1);
    assert_true(ff_span_equal(frame, ff_span_of("last words")));
    assert_ok(ff_channel_put(pair.b, ff_span_of("nobody"), &error), error);
    assert_int_equal(ff_channel_flush(pair.b), -1);
    ff_channel_destroy(pair.b);
}

static void test_descriptors_travel(void **state)
{
    (void)state;
    struct pair pair = open_pair();
    struct ff_error error;
    int pipes[2];
    char byte = 0;
    assert_int_equal(pipe(pipes), 0);
    ff_channel_attach(pair.a, pipes[1]);
    assert_ok(ff_channel_put(pair.a, ff_span_of("here"), &error), error);
    assert_int_equal(ff_channel_flush(pair.a), 0);
    assert_int_equal(ff_channel_fill(pair.b), 1);
    int fd = ff_channel_take_fd(pair.b);
    assert_true(fd >= 0);
    assert_int_equal(ff_channel_take_fd(pair.b), -1);
    assert_int_equal(write(fd, "x", 1), 1);
    assert_int_equal(read(pipes[0], &byte, 1), 1);
    assert_int_equal(byte, 'x');
    close(fd);
    close(pipes[0]);
    close(pipes[1]);
    close_pair(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frames_come_whole_and_in_order),
        cmocka_unit_test(test_large_frames_and_full_sockets),
        cmocka_unit_test(test_both_directions_are_bounded),
        cmocka_unit_test(test_end_of_file_comes_after_the_frames),
        cmocka_unit_test(test_descriptors_travel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

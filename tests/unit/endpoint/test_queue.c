#include "tests/unit/check.h"

#include "endpoint/dispatch.h"
#include "endpoint/queue.h"

static struct ff_queue *make_queue(void)
{
    struct ff_error error;
    struct ff_queue *queue = ff_queue_create(&error);
    assert_non_null(queue);
    return queue;
}

static struct ff_order make_order(uint64_t counter, const char *priority, uint64_t devices,
                                  uint8_t function)
{
    struct ff_order order = {0};
    ff_id_random(&order.task);
    order.attempt = (struct ff_attempt){1, counter};
    order.priority = ff_span_of(priority);
    order.devices = devices;
    order.function.bytes[0] = function;
    return order;
}

static struct ff_held *add(struct ff_queue *queue, const struct ff_order *order, const char *raw)
{
    struct ff_held *held = ff_queue_add_order(queue, order, ff_span_of(raw));
    assert_non_null(held);
    return held;
}

static void test_attempts_are_found_by_task_and_attempt(void **state)
{
    (void)state;
    struct ff_queue *queue = make_queue();
    struct ff_order order = make_order(1, "", 0, 1);
    struct ff_held *first = add(queue, &order, "one");
    order.attempt.counter = 2;
    struct ff_held *second = add(queue, &order, "two");
    assert_ptr_equal(ff_queue_find(queue, &order.task, (struct ff_attempt){1, 1}), first);
    assert_ptr_equal(ff_queue_find(queue, &order.task, (struct ff_attempt){1, 2}), second);
    assert_null(ff_queue_find(queue, &order.task, (struct ff_attempt){2, 1}));
    ff_queue_remove(queue, first);
    assert_true(ff_queue_holds(queue, &order.task));
    ff_queue_remove(queue, second);
    assert_false(ff_queue_holds(queue, &order.task));
    ff_queue_destroy(queue);
}

static void test_table_grows_and_is_walked_whole(void **state)
{
    enum { MANY = 5000 };
    (void)state;
    struct ff_queue *queue = make_queue();
    struct ff_id ids[MANY];
    for (int i = 0; i < MANY; i++) {
        struct ff_order order = make_order(1, "", 0, (uint8_t)(i % 3));
        ids[i] = order.task;
        add(queue, &order, "x");
    }
    int walked = 0;
    for (struct ff_held *at = ff_queue_next(queue, NULL); at != NULL; at = ff_queue_next(queue, at))
        walked++;
    assert_int_equal(walked, MANY);
    assert_int_equal(ff_queue_count(queue, FF_HELD_WAITING), MANY);
    for (int i = 0; i < MANY; i++)
        assert_non_null(ff_queue_find(queue, &ids[i], (struct ff_attempt){1, 1}));
    ff_queue_destroy(queue);
}

static void test_life_of_an_attempt(void **state)
{
    (void)state;
    struct ff_queue *queue = make_queue();
    struct ff_held_list manager = {0};
    struct ff_order order = make_order(1, "", 2, 1);
    struct ff_held *held = add(queue, &order, "the order");
    assert_int_equal(held->order_size, 9);
    ff_queue_give(queue, held, &manager, &manager);
    assert_int_equal(held->place, FF_HELD_GIVEN);
    assert_ptr_equal(manager.first, held);
    assert_null(ff_queue_shapes(queue));
    assert_int_equal(ff_queue_take_back(queue, held), 0);
    assert_int_equal(manager.count, 0);
    assert_null(held->manager);
    assert_ptr_equal(ff_queue_shapes(queue)->list.first, held);
    ff_queue_give(queue, held, &manager, &manager);
    assert_int_equal(ff_queue_end(queue, held, ff_span_of("the outcome")), 0);
    assert_null(held->order);
    assert_memory_equal(held->outcome, "the outcome", 11);
    assert_ptr_equal(ff_queue_ended(queue)->first, held);
    assert_int_equal(manager.count, 0);
    assert_int_equal(ff_queue_count(queue, FF_HELD_ENDED), 1);
    ff_queue_remove(queue, held);
    assert_int_equal(ff_queue_count(queue, FF_HELD_ENDED), 0);
    ff_queue_destroy(queue);
}

static void test_announced_attempts_have_no_order_to_take_back(void **state)
{
    (void)state;
    struct ff_queue *queue = make_queue();
    struct ff_held_list manager = {0};
    struct ff_holding holding = {.attempt = {1, 1}, .devices = 3, .state = FF_TASK_RUNNING};
    ff_id_random(&holding.task);
    struct ff_held *held = ff_queue_add_holding(queue, &holding, &manager, &manager);
    assert_non_null(held);
    assert_int_equal(held->state, FF_TASK_RUNNING);
    assert_int_equal(held->devices, 3);
    assert_int_equal(ff_queue_take_back(queue, held), -1);
    assert_int_equal(manager.count, 1);
    assert_null(ff_queue_shapes(queue));
    ff_queue_destroy(queue);
}

static void test_priority_comes_before_age(void **state)
{
    (void)state;
    struct ff_queue *queue = make_queue();
    struct ff_order batch = make_order(1, "batch", 0, 1);
    struct ff_order normal = make_order(1, "normal", 0, 1);
    struct ff_order other = make_order(1, "", 1, 1); /* normal too, of another shape */
    struct ff_order live = make_order(1, "live", 0, 1);
    add(queue, &batch, "b");
    struct ff_held *second = add(queue, &normal, "n");
    struct ff_held *third = add(queue, &other, "o");
    struct ff_held *first = add(queue, &live, "l");
    ff_queue_begin_pass(queue);
    struct ff_shape *shape = ff_queue_next_shape(queue);
    assert_ptr_equal(shape->list.first, first);
    shape->blocked = true;
    shape = ff_queue_next_shape(queue);
    assert_ptr_equal(shape->list.first, second);
    shape->blocked = true;
    assert_ptr_equal(ff_queue_next_shape(queue)->list.first, third);
    ff_queue_next_shape(queue)->blocked = true;
    ff_queue_next_shape(queue)->blocked = true;
    assert_null(ff_queue_next_shape(queue));
    ff_queue_begin_pass(queue);
    assert_ptr_equal(ff_queue_next_shape(queue)->list.first, first);
    ff_queue_destroy(queue);
}

static void test_users_take_turns_by_their_use(void **state)
{
    (void)state;
    struct ff_queue *queue = make_queue();
    struct ff_order anna = make_order(1, "", 0, 1);
    struct ff_order again = make_order(1, "", 0, 1);
    struct ff_order bert = make_order(1, "", 0, 1);
    struct ff_order batch = make_order(1, "batch", 0, 1);
    anna.user = again.user = ff_span_of("anna");
    bert.user = ff_span_of("bert");
    batch.user = ff_span_of("carl");
    struct ff_held *first = add(queue, &anna, "a");
    struct ff_held *third = add(queue, &again, "a");
    struct ff_held *second = add(queue, &bert, "b");
    add(queue, &batch, "c");
    struct ff_held_list manager = {0};
    assert_ptr_equal(ff_queue_next_shape(queue)->list.first, first); /* nobody has used anything */
    ff_share_charge(ff_queue_share(queue), first->sharer, 1, 1);
    ff_queue_give(queue, first, &manager, &manager);
    assert_ptr_equal(ff_queue_next_shape(queue)->list.first, second);
    ff_share_charge(ff_queue_share(queue), second->sharer, 2, 1);
    assert_ptr_equal(ff_queue_next_shape(queue)->list.first, third);
    ff_queue_destroy(queue);
}

static void test_limits_of_about_the_same_make_one_shape(void **state)
{
    (void)state;
    struct ff_queue *queue = make_queue();
    const uint64_t limits[] = {0, 1, 100000, 100001, 101000, 130000};
    const uint64_t rounded[] = {0, 1, 106496, 106496, 106496, 131072};
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        struct ff_order order = make_order(1, "", 0, 1);
        order.time_limit_ms = limits[i];
        struct ff_held *held = add(queue, &order, "x");
        assert_int_equal(held->limit_ms, rounded[i]);
        assert_int_equal(held->shape->list.count, i == 3 ? 2 : i == 4 ? 3 : 1);
    }
    ff_queue_destroy(queue);
}

static void test_given_back_stands_by_its_age(void **state)
{
    (void)state;
    struct ff_queue *queue = make_queue();
    struct ff_held_list manager = {0};
    struct ff_held *held[4];
    for (int i = 0; i < 4; i++) {
        struct ff_order order = make_order(1, "", 0, 1);
        held[i] = add(queue, &order, "x");
    }
    for (int i = 0; i < 3; i++)
        ff_queue_give(queue, held[i], &manager, &manager);
    const int back[] = {0, 2, 1}; /* in whatever order they come */
    for (int i = 0; i < 3; i++)
        assert_int_equal(ff_queue_take_back(queue, held[back[i]]), 0);
    const struct ff_held_list *list = &ff_queue_shapes(queue)->list;
    const struct ff_held *at = list->first;
    for (int i = 0; i < 4; i++, at = at->next) {
        assert_ptr_equal(at, held[i]);
        assert_ptr_equal(at->previous, i > 0 ? held[i - 1] : NULL);
    }
    assert_ptr_equal(list->last, held[3]);
    assert_int_equal(list->count, 4);
    ff_queue_destroy(queue);
}

/* Exactly where few come before, and seldom on a long way. */
static void test_a_long_way_is_told_in_few_words(void **state)
{
    (void)state;
    uint32_t told = 100000;
    unsigned times = 0;
    for (uint32_t behind = told; behind-- > 0;) {
        if (!ff_dispatch_moved_on(told, behind)) {
            assert_true(behind >= 10 && behind > told / 2);
            continue;
        }
        told = behind;
        times++;
    }
    assert_int_equal(told, 0);
    assert_in_range(times, 10, 25);
    for (uint32_t behind = 0; behind < 100000; behind++)
        if (ff_dispatch_moved_on(told, behind))
            told = behind;
    assert_true(told > 50000 / 2);
    assert_false(ff_dispatch_moved_on(5, 5));
    assert_true(ff_dispatch_moved_on(1, 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_attempts_are_found_by_task_and_attempt),
        cmocka_unit_test(test_table_grows_and_is_walked_whole),
        cmocka_unit_test(test_life_of_an_attempt),
        cmocka_unit_test(test_announced_attempts_have_no_order_to_take_back),
        cmocka_unit_test(test_priority_comes_before_age),
        cmocka_unit_test(test_users_take_turns_by_their_use),
        cmocka_unit_test(test_limits_of_about_the_same_make_one_shape),
        cmocka_unit_test(test_given_back_stands_by_its_age),
        cmocka_unit_test(test_a_long_way_is_told_in_few_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

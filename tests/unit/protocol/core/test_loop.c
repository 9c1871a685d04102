#include "tests/unit/check.h"

#include "protocol/core/clock.h"
#include "protocol/core/loop.h"

#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { TIMERS = 100 };

/* What the callbacks of one test share. */
struct scene {
    struct ff_loop *loop;
    struct ff_timer *timers[TIMERS];
    struct ff_watch *watch;
    struct ff_watch *other;
    struct ff_prepare *prepare;
    int fired[TIMERS];
    int count;
    int signal_number;
    int pipe[2];
    int pipe_b[2];
};

static void open_scene(struct scene *scene)
{
    struct ff_error error;
    memset(scene, 0, sizeof *scene);
    scene->loop = ff_loop_create(&error);
    assert_non_null(scene->loop);
    assert_int_equal(pipe(scene->pipe), 0);
    assert_int_equal(pipe(scene->pipe_b), 0);
}

static void close_scene(struct scene *scene)
{
    ff_loop_destroy(scene->loop);
    for (int i = 0; i < 2; i++) {
        close(scene->pipe[i]);
        close(scene->pipe_b[i]);
    }
}

static void run(struct scene *scene)
{
    struct ff_error error;
    assert_ok(ff_loop_run(scene->loop, &error), error);
}

struct marked {
    struct scene *scene;
    int number;
};

static void note_fired(void *user)
{
    struct marked *marked = user;
    marked->scene->fired[marked->scene->count++] = marked->number;
    if (marked->scene->count == TIMERS)
        ff_loop_stop(marked->scene->loop);
}

static void test_timers_fire_in_order(void **state)
{
    (void)state;
    struct scene scene;
    struct marked marked[TIMERS];
    struct ff_error error;
    open_scene(&scene);
    int64_t now = ff_monotonic_ns();
    for (int i = 0; i < TIMERS; i++) {
        int order = (i * 37) % TIMERS;
        marked[i] = (struct marked){&scene, order};
        scene.timers[i] = ff_timer_create(scene.loop, note_fired, &marked[i], &error);
        assert_non_null(scene.timers[i]);
        ff_timer_set(scene.timers[i], now + 1000000000); /* set twice: the last one counts */
        ff_timer_set(scene.timers[i], now + order * 10000);
    }
    run(&scene);
    for (int i = 0; i < TIMERS; i++)
        assert_int_equal(scene.fired[i], i);
    close_scene(&scene);
}

static void stop_loop(void *user)
{
    struct scene *scene = user;
    scene->count++;
    ff_loop_stop(scene->loop);
}

static void must_not_fire(void *user)
{
    (void)user;
    fail_msg("%s", "a timer fired that was off or destroyed");
}

static void destroy_others(void *user)
{
    struct scene *scene = user;
    ff_timer_destroy(scene->timers[0]); /* itself */
    ff_timer_destroy(scene->timers[1]); /* due now too */
    ff_timer_set(scene->timers[2], FF_TIMER_OFF);
}

static void test_timers_end_inside_callbacks(void **state)
{
    (void)state;
    struct scene scene;
    struct ff_error error;
    open_scene(&scene);
    scene.timers[0] = ff_timer_create(scene.loop, destroy_others, &scene, &error);
    scene.timers[1] = ff_timer_create(scene.loop, must_not_fire, &scene, &error);
    scene.timers[2] = ff_timer_create(scene.loop, must_not_fire, &scene, &error);
    scene.timers[3] = ff_timer_create(scene.loop, stop_loop, &scene, &error);
    int64_t now = ff_monotonic_ns();
    for (int i = 0; i < 4; i++)
        ff_timer_set(scene.timers[i], now + i);
    run(&scene);
    assert_int_equal(scene.count, 1);
    close_scene(&scene);
}

static void set_again(void *user)
{
    struct scene *scene = user;
    if (++scene->count == 5)
        ff_loop_stop(scene->loop);
    ff_timer_set(scene->timers[0], ff_monotonic_ns());
}

static void test_timer_sets_itself_again(void **state)
{
    (void)state;
    struct scene scene;
    struct ff_error error;
    open_scene(&scene);
    scene.timers[0] = ff_timer_create(scene.loop, set_again, &scene, &error);
    ff_timer_set_after(scene.timers[0], 0);
    run(&scene);
    assert_true(scene.count >= 5);
    close_scene(&scene);
}

static void destroy_both_watches(void *user, uint32_t events)
{
    struct scene *scene = user;
    assert_true(events & EPOLLIN);
    scene->count++;
    ff_watch_destroy(scene->watch);
    ff_watch_destroy(scene->other);
    ff_loop_stop(scene->loop);
}

static void test_watches_end_inside_callbacks(void **state)
{
    (void)state;
    struct scene scene;
    struct ff_error error;
    open_scene(&scene);
    scene.watch =
        ff_watch_create(scene.loop, scene.pipe[0], EPOLLIN, destroy_both_watches, &scene, &error);
    scene.other =
        ff_watch_create(scene.loop, scene.pipe_b[0], EPOLLIN, destroy_both_watches, &scene, &error);
    assert_int_equal(write(scene.pipe[1], "x", 1), 1);
    assert_int_equal(write(scene.pipe_b[1], "x", 1), 1);
    run(&scene);
    assert_int_equal(scene.count, 1);
    close_scene(&scene);
}

static void take_and_switch_off(void *user, uint32_t events)
{
    struct scene *scene = user;
    (void)events;
    scene->count++;
    ff_watch_set(scene->watch, 0); /* the byte stays, but is not asked for any more */
    ff_timer_set_after(scene->timers[0], 1);
}

static void test_watch_is_level_triggered_and_can_be_set(void **state)
{
    (void)state;
    struct scene scene;
    struct ff_error error;
    open_scene(&scene);
    scene.watch =
        ff_watch_create(scene.loop, scene.pipe[0], EPOLLIN, take_and_switch_off, &scene, &error);
    scene.timers[0] = ff_timer_create(scene.loop, stop_loop, &scene, &error);
    assert_int_equal(write(scene.pipe[1], "x", 1), 1);
    run(&scene);
    assert_int_equal(scene.count, 2); /* once the watch, once the timer */
    assert_null(ff_watch_create(scene.loop, 9999, EPOLLIN, take_and_switch_off, &scene, &error));
    assert_non_null(strstr(error.message, "9999"));
    close_scene(&scene);
}

static bool work_thrice(void *user)
{
    struct scene *scene = user;
    scene->count++;
    if (scene->count == 4) {
        ff_prepare_destroy(scene->prepare);
        ff_loop_stop(scene->loop);
    }
    return scene->count < 4;
}

static void test_prepares_run_until_nothing_is_left(void **state)
{
    (void)state;
    struct scene scene;
    struct ff_error error;
    open_scene(&scene);
    scene.prepare = ff_prepare_create(scene.loop, work_thrice, &scene, &error);
    run(&scene);
    assert_int_equal(scene.count, 4);
    close_scene(&scene);
}

static bool always_busy(void *user)
{
    struct scene *scene = user;
    scene->fired[0]++;
    return true;
}

static void test_busy_prepare_starves_nobody(void **state)
{
    (void)state;
    struct scene scene;
    struct ff_error error;
    open_scene(&scene);
    scene.prepare = ff_prepare_create(scene.loop, always_busy, &scene, &error);
    scene.timers[0] = ff_timer_create(scene.loop, stop_loop, &scene, &error);
    ff_timer_set_after(scene.timers[0], 1);
    run(&scene);
    assert_int_equal(scene.count, 1);
    assert_true(scene.fired[0] > 0);
    close_scene(&scene);
}

static bool stop_at_second_wake(void *user)
{
    struct scene *scene = user;
    if (++scene->count == 2)
        ff_loop_stop(scene->loop);
    return false;
}

static void *wake_from_thread(void *user)
{
    ff_loop_wake(user);
    return NULL;
}

static void test_wake_from_another_thread(void **state)
{
    (void)state;
    struct scene scene;
    struct ff_error error;
    pthread_t thread;
    open_scene(&scene);
    scene.prepare = ff_prepare_create(scene.loop, stop_at_second_wake, &scene, &error);
    assert_int_equal(pthread_create(&thread, NULL, wake_from_thread, scene.loop), 0);
    run(&scene); /* ends by the wake alone: there is no timer and no descriptor */
    pthread_join(thread, NULL);
    assert_int_equal(scene.count, 2);
    close_scene(&scene);
}

static void note_signal(void *user, int signal_number)
{
    struct scene *scene = user;
    scene->signal_number = signal_number;
    ff_loop_stop(scene->loop);
}

static void test_signals_come_inside_the_loop(void **state)
{
    (void)state;
    struct scene scene;
    struct ff_error error;
    const int wanted[] = {SIGUSR1, SIGUSR2, 0};
    open_scene(&scene);
    assert_ok(ff_loop_signals(scene.loop, wanted, note_signal, &scene, &error), error);
    raise(SIGUSR2);
    assert_int_equal(scene.signal_number, 0);
    run(&scene);
    assert_int_equal(scene.signal_number, SIGUSR2);
    assert_int_equal(ff_loop_signals(scene.loop, wanted, note_signal, &scene, &error), -1);
    close_scene(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_timers_fire_in_order),
        cmocka_unit_test(test_timers_end_inside_callbacks),
        cmocka_unit_test(test_timer_sets_itself_again),
        cmocka_unit_test(test_watches_end_inside_callbacks),
        cmocka_unit_test(test_watch_is_level_triggered_and_can_be_set),
        cmocka_unit_test(test_prepares_run_until_nothing_is_left),
        cmocka_unit_test(test_busy_prepare_starves_nobody),
        cmocka_unit_test(test_wake_from_another_thread),
        cmocka_unit_test(test_signals_come_inside_the_loop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

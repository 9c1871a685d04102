/* Chores run in their order beside the loop, and each is told once. */
#include "tests/unit/check.h"

#include "protocol/core/chores.h"

#include <pthread.h>
#include <semaphore.h>

enum { CHORES = 100 };

struct job {
    struct ff_chore chore;
    struct scene *scene;
    int number;
    int ran_as; /* -1: it did not */
    int told;
    bool closing;
    bool waits; /* for the gate */
};

struct scene {
    struct ff_loop *loop;
    struct ff_chores *chores;
    struct job jobs[CHORES];
    pthread_t loop_thread;
    sem_t gate;
    sem_t entered;
    int ran;
    int told;
    bool other_thread;
};

static void run(struct ff_chore *chore)
{
    struct job *job = (struct job *)chore;
    if (job->waits) {
        sem_post(&job->scene->entered);
        while (sem_wait(&job->scene->gate) < 0)
            ;
    }
    job->ran_as = job->scene->ran++;
    job->scene->other_thread = !pthread_equal(pthread_self(), job->scene->loop_thread);
}

static void done(struct ff_chore *chore, bool closing)
{
    struct job *job = (struct job *)chore;
    job->told++;
    job->closing = closing;
    if (++job->scene->told == CHORES)
        ff_loop_stop(job->scene->loop);
}

static void open_scene(struct scene *scene)
{
    struct ff_error error;
    memset(scene, 0, sizeof *scene);
    scene->loop_thread = pthread_self();
    sem_init(&scene->gate, 0, 0);
    sem_init(&scene->entered, 0, 0);
    scene->loop = ff_loop_create(&error);
    assert_non_null(scene->loop);
    scene->chores = ff_chores_create(scene->loop, &error);
    assert_non_null(scene->chores);
    for (int i = 0; i < CHORES; i++)
        scene->jobs[i] = (struct job){
            .chore = {.run = run, .done = done}, .scene = scene, .number = i, .ran_as = -1};
}

static void close_scene(struct scene *scene)
{
    ff_loop_destroy(scene->loop);
    sem_destroy(&scene->gate);
    sem_destroy(&scene->entered);
}

static void test_all_run_in_order(void **state)
{
    (void)state;
    static struct scene scene;
    struct ff_error error;
    open_scene(&scene);
    for (int i = 0; i < CHORES; i++)
        ff_chores_give(scene.chores, &scene.jobs[i].chore);
    assert_ok(ff_loop_run(scene.loop, &error), error);
    for (int i = 0; i < CHORES; i++) {
        assert_int_equal(scene.jobs[i].ran_as, i);
        assert_int_equal(scene.jobs[i].told, 1);
        assert_false(scene.jobs[i].closing);
    }
    assert_true(scene.other_thread);
    ff_chores_destroy(scene.chores);
    close_scene(&scene);
}

static void test_the_end_drops_what_has_not_begun(void **state)
{
    (void)state;
    static struct scene scene;
    open_scene(&scene);
    scene.jobs[0].waits = true;
    for (int i = 0; i < 3; i++)
        ff_chores_give(scene.chores, &scene.jobs[i].chore);
    while (sem_wait(&scene.entered) < 0)
        ;
    sem_post(&scene.gate);
    ff_chores_destroy(scene.chores);
    assert_int_equal(scene.jobs[0].ran_as, 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(scene.jobs[i].told, 1);
        assert_true(scene.jobs[i].closing);
    }
    close_scene(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_run_in_order),
        cmocka_unit_test(test_the_end_drops_what_has_not_begun),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Which folders of tasks go, and which may still be wanted. */
#include "tests/unit/check.h"

#include "endpoint/sweeper.h"
#include "endpoint/uplink.h"
#include "protocol/core/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { LOOK_MS = 5, LIMIT_LOOKS = 4000, DAY_S = 86400 };

struct scene {
    struct ff_agent agent;
    struct ff_timer *timer;
    char gone[PATH_MAX]; /* what is waited for */
    int looks;
};

/* The link to the service, as far as the sweeper sees it. */
static bool is_announced;

bool ff_uplink_is_announced(const struct ff_uplink *uplink)
{
    (void)uplink;
    return is_announced;
}

static void look(void *user)
{
    struct scene *scene = user;
    if (access(scene->gone, F_OK) < 0)
        ff_loop_stop(scene->agent.loop);
    else if (++scene->looks == LIMIT_LOOKS)
        fail_msg("%s does not go", scene->gone);
    else
        ff_timer_set_after(scene->timer, LOOK_MS);
}

static void path_of(const struct scene *scene, const struct ff_id *task, const char *part,
                    char path[PATH_MAX])
{
    char id[FF_ID_TEXT_SIZE];
    ff_id_text(task, id);
    ff_folder_path(&scene->agent.folder, path, "tasks/%s%s", id, part);
}

static bool exists(const struct scene *scene, const struct ff_id *task)
{
    char path[PATH_MAX];
    path_of(scene, task, "", path);
    return access(path, F_OK) == 0;
}

static void wait_gone(struct scene *scene, const struct ff_id *task)
{
    struct ff_error error;
    path_of(scene, task, "", scene->gone);
    ff_timer_set_after(scene->timer, LOOK_MS);
    assert_ok(ff_loop_run(scene->agent.loop, &error), error);
}

static void set_age(const char *path, int days)
{
    const time_t then = time(NULL) - (time_t)days * DAY_S;
    const struct timespec times[2] = {{.tv_sec = then}, {.tv_sec = then}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

/* The folder of a task with a checkpoint, each written to so many days ago. */
static struct ff_id make_task(const struct scene *scene, int days, int checkpoint_days)
{
    struct ff_error error;
    struct ff_id task;
    char path[PATH_MAX];
    ff_id_random(&task);
    path_of(scene, &task, "", path);
    assert_ok(ff_folder_make(path, 0700, &error), error);
    path_of(scene, &task, "/checkpoint", path);
    assert_ok(ff_file_write(path, ff_span_of("state"), 0600, &error), error);
    set_age(path, checkpoint_days);
    path_of(scene, &task, "", path);
    set_age(path, days);
    return task;
}

static char *open_scene(struct scene *scene)
{
    struct ff_error error;
    char *home = make_folder();
    memset(scene, 0, sizeof *scene);
    setenv("FARFIELD_HOME", home, 1);
    assert_ok(ff_folder_locate(&scene->agent.folder, "scene", &error), error);
    scene->agent.loop = ff_loop_create(&error);
    scene->agent.queue = ff_queue_create(&error);
    scene->timer = ff_timer_create(scene->agent.loop, look, scene, &error);
    scene->agent.sweeper = ff_sweeper_create(&scene->agent, &error);
    assert_non_null(scene->agent.sweeper);
    return home;
}

static void close_scene(struct scene *scene, char *home)
{
    struct ff_error error;
    ff_sweeper_destroy(scene->agent.sweeper);
    ff_queue_destroy(scene->agent.queue);
    ff_loop_destroy(scene->agent.loop);
    assert_ok(ff_folder_remove(home, &error), error);
    free(home);
}

static void test_only_what_nobody_can_want_goes(void **state)
{
    (void)state;
    struct scene scene;
    struct ff_held_list given = {0};
    char *home = open_scene(&scene);
    struct ff_id old = make_task(&scene, FF_RESULT_DAYS + 1, FF_RESULT_DAYS + 1);
    struct ff_id held = make_task(&scene, FF_RESULT_DAYS + 1, FF_RESULT_DAYS + 1);
    struct ff_id waiting = make_task(&scene, 2, 2); /* at the service, for its next attempt */
    struct ff_id saved = make_task(&scene, FF_RESULT_DAYS + 1, 1);
    const struct ff_holding holding = {.task = held, .attempt = {1, 1}};
    assert_non_null(ff_queue_add_holding(scene.agent.queue, &holding, &given, NULL));
    is_announced = true;
    ff_sweeper_look(scene.agent.sweeper);
    wait_gone(&scene, &old);
    assert_true(exists(&scene, &held) && exists(&scene, &waiting) && exists(&scene, &saved));
    close_scene(&scene, home);
}

static void test_nothing_is_old_while_the_service_is_away(void **state)
{
    (void)state;
    struct scene scene;
    char *home = open_scene(&scene);
    struct ff_id old = make_task(&scene, FF_RESULT_DAYS + 1, FF_RESULT_DAYS + 1);
    struct ff_id over = make_task(&scene, 0, 0);
    is_announced = false;
    ff_sweeper_look(scene.agent.sweeper);
    ff_sweeper_add(scene.agent.sweeper, &over); /* a receipt said so */
    wait_gone(&scene, &over);
    assert_true(exists(&scene, &old));
    close_scene(&scene, home);
}

static void test_what_is_over_goes_with_the_sweeper(void **state)
{
    (void)state;
    struct scene scene;
    struct ff_error error;
    char *home = open_scene(&scene);
    struct ff_id over = make_task(&scene, 0, 0);
    struct ff_id waiting = make_task(&scene, 0, 0);
    ff_sweeper_add(scene.agent.sweeper, &over);
    ff_sweeper_destroy(scene.agent.sweeper);
    assert_false(exists(&scene, &over));
    assert_true(exists(&scene, &waiting));
    scene.agent.sweeper = ff_sweeper_create(&scene.agent, &error);
    assert_non_null(scene.agent.sweeper);
    close_scene(&scene, home);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_over_goes_with_the_sweeper),
        cmocka_unit_test(test_only_what_nobody_can_want_goes),
        cmocka_unit_test(test_nothing_is_old_while_the_service_is_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

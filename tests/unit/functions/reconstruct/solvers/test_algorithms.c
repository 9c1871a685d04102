/* The table of algorithms that users choose from is that of the solvers, and the settings' help
 * says what each does by itself. */
#include "tests/unit/check.h"

#include "functions/reconstruct/run_settings.h"
#include "functions/reconstruct/solvers/solvers.h"

#include <math.h>

static void test_every_name_has_a_solver(void **state)
{
    (void)state;
    size_t solvers = 0;
    while (ff_solvers[solvers] != NULL)
        solvers++;
    assert_int_equal(solvers, FF_ALGORITHMS);
    assert_null(ff_algorithm_names[FF_ALGORITHMS]);
    for (size_t i = 0; i < FF_ALGORITHMS; i++) {
        struct ff_error error = {0};
        assert_string_equal(ff_algorithms[i].name, ff_algorithm_names[i]);
        const struct ff_solver_operations *solver =
            ff_solver_by_name(ff_algorithm_names[i], &error);
        assert_non_null(solver);
        assert_string_equal(solver->name, ff_algorithm_names[i]);
    }
    struct ff_error error = {0};
    assert_null(ff_solver_by_name("magic", &error));
    assert_int_equal(error.code, FF_INVALID_SETTING);
}

static const char *help_of(const char *key)
{
    for (size_t i = 0; i < ff_settings_table.count; i++)
        if (strcmp(ff_settings_table.options[i].key, key) == 0)
            return ff_settings_table.options[i].help;
    fail_msg("no setting %s", key);
    return "";
}

static void assert_tells(const char *key, double value)
{
    char text[32];
    snprintf(text, sizeof text, "%g", value);
    if (strstr(help_of(key), text) == NULL)
        fail_msg("the help of %s does not tell of %s", key, text);
}

static void test_the_help_tells_every_default(void **state)
{
    (void)state;
    for (size_t i = 0; i < FF_ALGORITHMS; i++) {
        const struct ff_algorithm_facts *facts = &ff_algorithms[i];
        if (strstr(help_of("algorithm"), facts->name) == NULL)
            fail_msg("the help of algorithm does not tell of %s", facts->name);
        if (facts->has_alpha)
            assert_tells("alpha", facts->alpha);
        assert_tells("step_object", facts->step_object);
        assert_tells("probe_start", (double)facts->probe_start);
        assert_tells("step_probe", facts->step_probe);
        if (facts->batches > 0)
            assert_tells("batches", (double)facts->batches);
        if (facts->early_epochs > 0) {
            assert_tells("batches", (double)facts->early_batches);
            assert_tells("batches", (double)facts->early_epochs);
            assert_tells("alpha", facts->early_alpha);
        }
    }
}

static struct ff_settings *settings_with(const char *const *assignments)
{
    struct ff_error error = {0};
    struct ff_settings *settings = ff_settings_create(&error);
    assert_non_null(settings);
    assert_ok(ff_options_assign(&ff_settings_table, settings, "input=scan.cxi", &error), error);
    for (size_t i = 0; assignments[i] != NULL; i++)
        assert_ok(ff_options_assign(&ff_settings_table, settings, assignments[i], &error), error);
    return settings;
}

static void test_what_the_user_says_comes_first(void **state)
{
    (void)state;
    const struct ff_algorithm_facts *facts = &ff_algorithms[FF_ALGORITHM_LSTSQ];
    struct ff_settings *settings = settings_with((const char *const[]){NULL});
    struct ff_run_settings run = ff_run_settings_of(settings, 1000);
    assert_string_equal(run.algorithm, "lstsq");
    assert_int_equal(run.solver.batches, facts->batches);
    assert_int_equal(run.solver.early_batches, facts->early_batches);
    assert_int_equal(run.solver.early_epochs, facts->early_epochs);
    assert_true(run.solver.alpha == facts->alpha && run.solver.early_alpha == facts->early_alpha);
    assert_int_equal(ff_run_settings_of(settings, 3).solver.batches, 1);
    assert_int_equal(ff_run_settings_of(settings, 40).solver.early_batches, 10);
    settings->epochs = 10;
    assert_int_equal(ff_run_settings_of(settings, 40).solver.early_epochs, 8);
    ff_settings_destroy(settings);

    settings = settings_with(
        (const char *const[]){"batches=7", "alpha=0.2", "step_probe=0", "probe_start=4", NULL});
    run = ff_run_settings_of(settings, 1000);
    assert_int_equal(run.solver.batches, 7);
    assert_int_equal(run.solver.early_epochs, 0);
    assert_true(run.solver.alpha == 0.2 && run.solver.early_alpha == 0.2);
    assert_true(run.solver.step_object == facts->step_object && run.solver.step_probe == 0);
    assert_int_equal(run.solver.probe_start, 4);
    ff_settings_destroy(settings);
}

static void test_what_has_no_meaning_is_refused(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        {"cgrad", "momentum=0.5", "momentum"},
        {"dm", "batches=5", "batches"},
        {"epie", "alpha=0.5", "alpha"},
        {"rpie", "step=position", "step"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ff_error error = {0};
        char algorithm[32];
        snprintf(algorithm, sizeof algorithm, "algorithm=%s", cases[i][0]);
        struct ff_settings *settings =
            settings_with((const char *const[]){algorithm, cases[i][1], NULL});
        assert_int_equal(ff_settings_complete(settings, &error), -1);
        assert_int_equal(error.code, FF_INVALID_SETTING);
        assert_non_null(strstr(error.message, cases[i][2]));
        assert_non_null(strstr(error.message, cases[i][0]));
        ff_settings_destroy(settings);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_name_has_a_solver),
        cmocka_unit_test(test_the_help_tells_every_default),
        cmocka_unit_test(test_what_the_user_says_comes_first),
        cmocka_unit_test(test_what_has_no_meaning_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

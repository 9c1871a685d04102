/* The settings by all three ways of giving them, and what is said about those that are wrong. */
#include "tests/unit/check.h"

#include "functions/reconstruct/settings.h"
#include "protocol/core/file.h"

#include <math.h>

static struct ff_settings *make(void)
{
    struct ff_error error = {0};
    struct ff_settings *settings = ff_settings_create(&error);
    assert_non_null(settings);
    return settings;
}

static void assert_says(const char *text, const char *words)
{
    if (strstr(text, words) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", text, words);
}

static void test_values_are_taken_by_type(void **state)
{
    (void)state;
    struct ff_error error = {0};
    struct ff_settings *settings = make();
    const struct ff_option_table *table = &ff_settings_table;
    assert_int_equal(settings->epochs, 100);
    assert_ok(ff_options_assign(table, settings, "epochs=40", &error), error);
    assert_ok(ff_options_assign(table, settings, "input=a=b.cxi", &error), error);
    const char json[] = "{\"alpha\": 0.3, \"modes\": 5, \"devices\": \"cpu:4\", \"epochs\": 41}";
    assert_ok(ff_options_read_json(table, settings, json, strlen(json), &error), error);
    assert_int_equal(settings->epochs, 41);
    assert_int_equal(settings->modes, 5);
    assert_string_equal(settings->devices, "cpu:4");
    assert_true(settings->alpha > 0.29 && settings->alpha < 0.31);
    assert_string_equal(settings->input, "a=b.cxi");
    ff_settings_destroy(settings);
}

static void test_wrong_settings_are_refused_in_words(void **state)
{
    (void)state;
    static const struct {
        const char *assignment;
        enum ff_error_code code;
        const char *message, *hint;
    } cases[] = {
        {"epoch=4", FF_UNKNOWN_SETTING, "no setting 'epoch'", "epochs"},
        {"step-object=1", FF_UNKNOWN_SETTING, "step-object", "step_object"},
        {"step_object=many", FF_INVALID_SETTING, "auto | 0 … 2", ""},
        {"momentum=auto", FF_INVALID_SETTING, "0 … 0.99", ""},
        {"epochs=0", FF_INVALID_SETTING, "1 … 1000000", ""},
        {"epochs=4.5", FF_INVALID_SETTING, "'4.5'", ""},
        {"alpha=nan", FF_INVALID_SETTING, "alpha", ""},
        {"algorithm=rpi", FF_INVALID_SETTING, "rpie", "rpie"},
        {"epochs", FF_INVALID_SETTING, "'epochs'", "KEY=VALUE"},
        {"=3", FF_INVALID_SETTING, "'=3'", "KEY=VALUE"},
    };
    struct ff_settings *settings = make();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ff_error error = {0};
        assert_int_equal(
            ff_options_assign(&ff_settings_table, settings, cases[i].assignment, &error), -1);
        assert_int_equal(error.code, cases[i].code);
        assert_says(error.message, cases[i].message);
        assert_says(error.hint, cases[i].hint);
        assert_int_equal(ff_error_exit_status(error.code), 2);
    }
    assert_int_equal(settings->epochs, 100);
    ff_settings_destroy(settings);
}

static void test_bad_json_is_refused_with_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        enum ff_error_code code;
        const char *message;
    } cases[] = {
        {"{\"epochs\": 4", FF_INVALID_JSON, "line 1"},
        {"epochs: 4", FF_INVALID_JSON, "not JSON"},
        {"", FF_INVALID_JSON, "not JSON"},
        {"[1]", FF_INVALID_ARGUMENT, "object"},
        {"{\"epochs\": 1, \"epochs\": 2}", FF_INVALID_JSON, "duplicate"},
        {"{\"epochs\": [4]}", FF_INVALID_SETTING, "epochs"},
        {"{\"epochs\": null}", FF_INVALID_SETTING, "epochs"},
        {"{\"epochz\": 1}", FF_UNKNOWN_SETTING, "epochz"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ff_error error = {0};
        struct ff_settings *settings = make();
        assert_int_equal(ff_options_read_json(&ff_settings_table, settings, cases[i].json,
                                              strlen(cases[i].json), &error),
                         -1);
        assert_int_equal(error.code, cases[i].code);
        assert_says(error.message, cases[i].message);
        ff_settings_destroy(settings);
    }
}

static void test_yaml_errors_name_file_and_line(void **state)
{
    (void)state;
    struct ff_error error = {0};
    struct ff_settings *settings = make();
    char *folder = make_folder();
    char *path = ff_path_join(folder, "settings.yaml");
    assert_ok(ff_file_write(path, ff_span_of("epochs: 7\nmode: 2\n"), 0600, &error), error);
    assert_int_equal(ff_options_read_yaml(&ff_settings_table, settings, path, &error), -1);
    assert_says(error.message, path);
    assert_says(error.message, "line 2");
    assert_says(error.hint, "modes");
    assert_int_equal(settings->epochs, 7);
    assert_ok(ff_folder_remove(folder, &error), error);
    free(path);
    free(folder);
    ff_settings_destroy(settings);
}

static void test_the_output_is_named_after_the_input(void **state)
{
    (void)state;
    static const char *const names[][2] = {{"a/b/scan.cxi", "scan-recon.h5"},
                                           {"scan", "scan-recon.h5"},
                                           {".hidden", ".hidden-recon.h5"}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct ff_error error = {0};
        struct ff_settings *settings = make();
        assert_int_equal(ff_settings_complete(settings, &error), -1);
        assert_int_equal(error.code, FF_INVALID_SETTING);
        assert_ok(ff_options_set(&ff_settings_table, settings, "input", names[i][0], &error),
                  error);
        assert_ok(ff_settings_complete(settings, &error), error);
        assert_string_equal(settings->output, names[i][1]);
        ff_settings_destroy(settings);
    }
}

static void test_devices_are_counted(void **state)
{
    (void)state;
    enum { REFUSED = -1 };
    static const struct {
        const char *text;
        int kind;
        unsigned count;
    } cases[] = {
        {"auto", FF_DEVICES_AUTO, 0},
        {"cpu", FF_DEVICES_CPU, 1},
        {"cpu:1", FF_DEVICES_CPU, 1},
        {"cpu:8", FF_DEVICES_CPU, 8},
        {"cpu:64", FF_DEVICES_CPU, 64},
        {"cuda", FF_DEVICES_CUDA, 0},
        {"cuda:1", FF_DEVICES_CUDA, 1},
        {"cuda:16", FF_DEVICES_CUDA, 16},
        {"cuda:64", FF_DEVICES_CUDA, 64},
        {"cpu:0", REFUSED, 0},
        {"cpu:65", REFUSED, 0},
        {"cpu:-2", REFUSED, 0},
        {"cpu:2.5", REFUSED, 0},
        {"cpu:", REFUSED, 0},
        {"cuda:0", REFUSED, 0},
        {"cuda:65", REFUSED, 0},
        {"cuda:", REFUSED, 0},
        {"cuda:0,1", REFUSED, 0},
        {"CUDA", REFUSED, 0},
        {"cud", REFUSED, 0},
        {"auto:2", REFUSED, 0},
        {"auto:", REFUSED, 0},
        {"gpu", REFUSED, 0},
        {"", REFUSED, 0},
        {"cpu 2", REFUSED, 0},
        {"cpu:2x", REFUSED, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ff_error error = {0};
        struct ff_device_wish wish = {0};
        struct ff_settings *settings = make();
        assert_ok(ff_options_set(&ff_settings_table, settings, "input", "scan.cxi", &error), error);
        assert_ok(ff_options_set(&ff_settings_table, settings, "devices", cases[i].text, &error),
                  error);
        int wanted = cases[i].kind != REFUSED ? 0 : -1;
        assert_int_equal(ff_settings_devices(settings, &wish, &error), wanted);
        assert_int_equal(ff_settings_complete(settings, &error), wanted);
        if (wanted < 0) {
            assert_says(error.message, "cpu:N");
            assert_says(error.message, "cuda:N");
        } else {
            assert_int_equal(wish.kind, cases[i].kind);
            assert_int_equal(wish.count, cases[i].count);
        }
        ff_settings_destroy(settings);
    }
}

static void test_the_record_of_settings_reads_back(void **state)
{
    (void)state;
    struct ff_error error = {0};
    struct ff_settings *settings = make();
    struct ff_settings *again = make();
    assert_ok(ff_options_assign(&ff_settings_table, settings, "alpha=0.123456789", &error), error);
    assert_ok(ff_options_assign(&ff_settings_table, settings, "output=ä b.h5", &error), error);
    json_t *json = ff_options_to_json(&ff_settings_table, settings);
    char *text = json_dumps(json, JSON_COMPACT);
    assert_ok(ff_options_read_json(&ff_settings_table, again, text, strlen(text), &error), error);
    assert_memory_equal(&settings->alpha, &again->alpha, sizeof settings->alpha);
    assert_true(isnan(settings->step_probe) && isnan(again->step_probe)); /* auto */
    assert_string_equal(again->output, "ä b.h5");
    free(text);
    json_decref(json);
    ff_settings_destroy(settings);
    ff_settings_destroy(again);
}

/* Sets words such as "input=a affine=on" one after the other. */
static void assign_all(struct ff_settings *settings, const char *words)
{
    struct ff_error error = {0};
    char copy[256];
    char *rest = NULL;
    snprintf(copy, sizeof copy, "%s", words);
    for (char *word = strtok_r(copy, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest))
        assert_ok(ff_options_assign(&ff_settings_table, settings, word, &error), error);
}

/* Each is refused with what makes it idle, and taken beside what gives it an effect. */
static void test_settings_without_effect_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *idle, *message, *useful;
    } cases[] = {
        {"algorithm=dm momentum=0.1", "'momentum' has no meaning for algorithm dm", "momentum=0.1"},
        {"algorithm=ml batches=4", "'batches' has no meaning for algorithm ml",
         "algorithm=ml batches=1"},
        {"algorithm=rpie step=position", "'step'", "step=position"},
        {"probe_start=3 step_probe=0", "'probe_start' has no effect with step_probe=0",
         "probe_start=3"},
        {"affine=on", "'affine' has no effect without positions=on", "affine=on positions=on"},
        {"positions_search=3", "'positions_search'", "positions_search=3 positions=on"},
        {"positions_start=7", "'positions_start'", "positions_start=7 positions=on"},
        {"step_positions=1", "'step_positions'", "step_positions=1 positions=on"},
        {"stop_window=3", "'stop_window' has no effect without stop_when",
         "stop_window=3 stop_when=0.1"},
        {"positions_columns=1,2", "'positions_columns' has no effect without positions_file",
         "positions_columns=1,2 positions_file=p.csv"},
        {"mask_means=good", "'mask_means' has no effect without a file as mask",
         "mask_means=good mask=m.h5"},
        {"mask_means=good mask=none", "'mask_means'", "mask=none"},
        {"zone_plate_um=100 initial_probe=p.h5", "'zone_plate_um' has no effect with initial_probe",
         "zone_plate_um=100"},
        {"outer_zone_nm=30", "'outer_zone_nm'", "outer_zone_nm=30 zone_plate_um=100"},
        {"central_stop_um=30", "'central_stop_um'", "central_stop_um=30 zone_plate_um=100"},
        {"defocus_um=30", "'defocus_um'", "defocus_um=30 zone_plate_um=100"},
        {"object_pixel_nm=9 near_field=on", "'object_pixel_nm'", "object_pixel_nm=9"},
        {"transform=fftw devices=cuda:2", "'transform' has no effect on GPUs",
         "transform=fftw devices=cpu:2"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ff_error error = {0};
        struct ff_settings *settings = make();
        assign_all(settings, "input=scan.cxi");
        assign_all(settings, cases[i].idle);
        assert_int_equal(ff_settings_complete(settings, &error), -1);
        assert_int_equal(error.code, FF_INVALID_SETTING);
        assert_says(error.message, cases[i].message);
        ff_settings_destroy(settings);
        settings = make();
        assign_all(settings, "input=scan.cxi");
        assign_all(settings, cases[i].useful);
        assert_ok(ff_settings_complete(settings, &error), error);
        ff_settings_destroy(settings);
    }
}

static void test_every_setting_is_in_the_help(void **state)
{
    (void)state;
    struct ff_buffer help;
    struct ff_buffer manual;
    ff_buffer_init(&help, 1 << 16);
    ff_buffer_init(&manual, 1 << 16);
    ff_options_help(&ff_settings_table, &help);
    ff_options_manual(&ff_settings_table, &manual);
    for (size_t i = 0; i < ff_settings_table.count; i++) {
        assert_says(ff_buffer_text(&help), ff_settings_table.options[i].key);
        assert_says(ff_buffer_text(&manual), ff_settings_table.options[i].help);
    }
    ff_buffer_dispose(&help);
    ff_buffer_dispose(&manual);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_are_taken_by_type),
        cmocka_unit_test(test_wrong_settings_are_refused_in_words),
        cmocka_unit_test(test_bad_json_is_refused_with_its_place),
        cmocka_unit_test(test_yaml_errors_name_file_and_line),
        cmocka_unit_test(test_the_output_is_named_after_the_input),
        cmocka_unit_test(test_devices_are_counted),
        cmocka_unit_test(test_the_record_of_settings_reads_back),
        cmocka_unit_test(test_settings_without_effect_are_refused),
        cmocka_unit_test(test_every_setting_is_in_the_help),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

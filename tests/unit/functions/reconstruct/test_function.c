/* The native function behind its ABI, with a host that this test plays: results, errors with their
 * codes, stop, checkpoint and going on. */
#include "functions/function.h" /* first: cmocka makes a macro of `fail` */

#include "tests/unit/functions/reconstruct/scan_file.h"

#include "functions/reconstruct/result.h"

#include <jansson.h>
#include <math.h>
#include <unistd.h>

struct host {
    struct ff_call call;
    struct ff_call_facts facts;
    char *folder, *scan, *checkpoint, *output;
    enum ff_stop order; /* given after epoch `order_after` */
    size_t order_after, epochs, previews, checkpoint_notes;
    size_t first_epoch;
    char code[64], message[1024], hint[512];
    json_t *result;
};

static struct host *host_of(struct ff_call *call)
{
    return (struct host *)(void *)call;
}

static const struct ff_call_facts *facts(struct ff_call *call)
{
    return &host_of(call)->facts;
}

static int should_stop(struct ff_call *call)
{
    struct host *host = host_of(call);
    return host->epochs >= host->order_after ? (int)host->order : FF_GO_ON;
}

static void progress(struct ff_call *call, double fraction, const char *numbers)
{
    struct host *host = host_of(call);
    json_t *told = json_loads(numbers, 0, NULL);
    assert_non_null(told);
    host->epochs = (size_t)json_integer_value(json_object_get(told, "epoch"));
    if (host->first_epoch == 0)
        host->first_epoch = host->epochs;
    assert_true(json_number_value(json_object_get(told, "cost")) > 0);
    assert_true(fraction > 0 && fraction <= 1);
    json_decref(told);
}

static void preview(struct ff_call *call, const char *name, const char *type, const void *data,
                    size_t size)
{
    assert_string_equal(name, "phase.png");
    assert_string_equal(type, "image/png");
    assert_true(size > 8);
    assert_memory_equal(data, "\x89PNG", 4);
    host_of(call)->previews++;
}

static void log_line(struct ff_call *call, int level, const char *text)
{
    (void)level;
    host_of(call)->checkpoint_notes += strstr(text, "starting afresh") != NULL;
}

static int succeed(struct ff_call *call, const char *result, size_t size)
{
    host_of(call)->result = json_loadb(result, size, 0, NULL);
    return FF_OUTCOME_SUCCESS;
}

static int fail_call(struct ff_call *call, const char *code, const char *message, const char *hint)
{
    struct host *host = host_of(call);
    snprintf(host->code, sizeof host->code, "%s", code);
    snprintf(host->message, sizeof host->message, "%s", message);
    snprintf(host->hint, sizeof host->hint, "%s", hint);
    return FF_OUTCOME_FAILURE;
}

static int yield(struct ff_call *call)
{
    (void)call;
    return FF_OUTCOME_YIELD;
}

static const struct ff_call_host operations = {
    .abi = FF_FUNCTION_ABI,
    .size = sizeof(struct ff_call_host),
    .facts = facts,
    .should_stop = should_stop,
    .progress = progress,
    .preview = preview,
    .log = log_line,
    .succeed = succeed,
    .fail = fail_call,
    .yield = yield,
};

static int set_up(void **state)
{
    static const int cores[] = {0};
    struct host *host = calloc(1, sizeof *host);
    assert_non_null(host);
    host->call.host = &operations;
    host->folder = make_folder();
    host->scan = ff_path_join(host->folder, "scan.cxi");
    host->output = ff_path_join(host->folder, "scan-recon.h5");
    host->checkpoint = ff_path_join(host->folder, "checkpoint");
    host->facts = (struct ff_call_facts){
        .size = sizeof(struct ff_call_facts),
        .attempt = 1,
        .task_id = "6fa459ea-ee8a-3ca4-894e-db77e160355e",
        .scratch_folder = host->folder,
        .checkpoint_path = host->checkpoint,
        .cache_folder = host->folder,
        .cores = cores,
        .core_count = 1,
        .seconds_left = INFINITY,
    };
    scan_write(host->scan);
    *state = host;
    return 0;
}

static int tear_down(void **state)
{
    struct host *host = *state;
    struct ff_error error;
    int result = ff_folder_remove(host->folder, &error);
    json_decref(host->result);
    free(host->folder);
    free(host->scan);
    free(host->output);
    free(host->checkpoint);
    free(host);
    return result;
}

/* Calls with the input and what `more` says. */
static int call(struct host *host, const char *more)
{
    char arguments[8192];
    snprintf(arguments, sizeof arguments, "{\"input\": \"%s\"%s}", host->scan, more);
    host->facts.arguments = arguments;
    host->facts.arguments_size = strlen(arguments);
    host->epochs = host->previews = host->first_epoch = 0;
    json_decref(host->result);
    host->result = NULL;
    return farfield_function.invoke(&host->call);
}

static const char *text_of(const struct host *host, const char *key)
{
    return json_string_value(json_object_get(host->result, key));
}

static void test_a_result_beside_the_input_of_a_task(void **state)
{
    struct host *host = *state;
    assert_int_equal(call(host, ", \"epochs\": 6, \"preview_every\": 2"), FF_OUTCOME_SUCCESS);
    assert_int_equal(host->epochs, 6);
    assert_true(host->previews >= 1); /* no more than there is time for */
    assert_string_equal(text_of(host, "output"), host->output);
    assert_string_equal(text_of(host, "stopped"), "done");
    assert_int_equal(json_array_size(json_object_get(host->result, "pictures")), 4);
    assert_int_equal(json_integer_value(json_object_get(host->result, "resumed_at")), 0);
    json_t *timings = json_object_get(host->result, "timings");
    assert_true(json_number_value(json_object_get(timings, "iterate_s")) > 0);
    assert_int_equal(access(host->output, R_OK), 0);
}

static void test_errors_carry_their_code(void **state)
{
    struct host *host = *state;
    static const struct {
        const char *more, *code, *word, *hint;
    } cases[] = {
        {", \"epoch\": 6", "UNKNOWN_SETTING", "epoch", "epochs"},
        {", \"epochs\": -1", "INVALID_SETTING", "-1", ""},
        {", \"epochs\": 1", "INVALID_JSON", "line 1", ""}, /* cut short below */
        {", \"output\": \"/no/such/folder/x.h5\"", "OUTPUT_FAILED", "/no/such/folder", "output"},
        {", \"resume\": \"/no/such/checkpoint\"", "INPUT_MISSING", "/no/such/checkpoint", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        host->code[0] = '\0';
        if (strcmp(cases[i].code, "INVALID_JSON") == 0) {
            host->facts.arguments = "{\"input\": ";
            host->facts.arguments_size = strlen(host->facts.arguments);
            assert_int_equal(farfield_function.invoke(&host->call), FF_OUTCOME_FAILURE);
        } else {
            assert_int_equal(call(host, cases[i].more), FF_OUTCOME_FAILURE);
        }
        assert_string_equal(host->code, cases[i].code);
        if (strstr(host->message, cases[i].word) == NULL ||
            strstr(host->hint, cases[i].hint) == NULL)
            fail_msg("\"%s\" (%s) does not say \"%s\"", host->message, host->hint, cases[i].word);
    }
}

static void test_a_stop_keeps_the_result(void **state)
{
    struct host *host = *state;
    host->order = FF_STOP_AND_KEEP;
    host->order_after = 3;
    assert_int_equal(call(host, ", \"epochs\": 1000"), FF_OUTCOME_SUCCESS);
    assert_string_equal(text_of(host, "stopped"), "asked");
    assert_int_equal(json_integer_value(json_object_get(host->result, "epochs")), 3);
}

static void test_the_time_limit_of_the_task_is_kept(void **state)
{
    struct host *host = *state;
    host->facts.seconds_left = 0.001;
    assert_int_equal(call(host, ", \"epochs\": 1000000"), FF_OUTCOME_SUCCESS);
    assert_string_equal(text_of(host, "stopped"), "time");
}

/* Yields after some epochs, goes on in another call, and ends where an undisturbed call does. */
static void test_a_lost_node_costs_nothing(void **state)
{
    struct host *host = *state;
    struct ff_error error = {0};
    assert_int_equal(call(host, ", \"epochs\": 9"), FF_OUTCOME_SUCCESS);
    struct ff_product *whole = ff_product_read(host->output, &error);
    assert_non_null(whole);
    unlink(host->output);
    host->order = FF_CHECKPOINT;
    host->order_after = 4;
    assert_int_equal(call(host, ", \"epochs\": 9, \"checkpoint_every\": 0"), FF_OUTCOME_YIELD);
    assert_int_equal(access(host->output, F_OK), -1);
    host->order = FF_GO_ON;
    assert_int_equal(call(host, ", \"epochs\": 9"), FF_OUTCOME_SUCCESS);
    assert_int_equal(host->first_epoch, 5);
    assert_int_equal(json_integer_value(json_object_get(host->result, "resumed_at")), 4);
    struct ff_product *resumed = ff_product_read(host->output, &error);
    assert_non_null(resumed);
    assert_memory_equal(whole->object, resumed->object,
                        whole->rows * whole->columns * sizeof(ff_complex));
    ff_product_destroy(whole);
    ff_product_destroy(resumed);
}

/* The probe of a result is a better one to begin with, and a checkpoint of a run without it is another run's. */
static void test_the_probe_of_a_result_is_begun_with(void **state)
{
    struct host *host = *state;
    char more[4200];
    char *better = ff_path_join(host->folder, "better.h5");
    assert_int_equal(call(host, ", \"epochs\": 9, \"step_probe\": 0"), FF_OUTCOME_SUCCESS);
    double cost = json_number_value(json_object_get(host->result, "cost"));
    assert_int_equal(call(host, ", \"epochs\": 30, \"output\": \"better.h5\""), FF_OUTCOME_SUCCESS);
    unlink(host->checkpoint);
    host->order = FF_CHECKPOINT;
    host->order_after = 1;
    assert_int_equal(call(host, ", \"epochs\": 2, \"step_probe\": 0"), FF_OUTCOME_YIELD);
    host->order = FF_GO_ON;
    snprintf(more, sizeof more, ", \"epochs\": 2, \"step_probe\": 0, \"initial_probe\": \"%s\"",
             better);
    assert_int_equal(call(host, more), FF_OUTCOME_SUCCESS);
    assert_int_equal(host->first_epoch, 1);
    assert_int_equal(host->checkpoint_notes, 1);
    unlink(host->checkpoint);
    snprintf(more, sizeof more, ", \"epochs\": 9, \"step_probe\": 0, \"initial_probe\": \"%s\"",
             better);
    assert_int_equal(call(host, more), FF_OUTCOME_SUCCESS);
    double now = json_number_value(json_object_get(host->result, "cost"));
    if (!(now < 0.95 * cost))
        fail_msg("cost %g with the probe of the result, %g without", now, cost);
    free(better);
}

static void test_a_checkpoint_of_other_settings_is_not_used(void **state)
{
    struct host *host = *state;
    host->order = FF_CHECKPOINT;
    host->order_after = 2;
    assert_int_equal(call(host, ", \"epochs\": 6"), FF_OUTCOME_YIELD);
    host->order = FF_GO_ON;
    assert_int_equal(call(host, ", \"epochs\": 6, \"alpha\": 0.5"), FF_OUTCOME_SUCCESS);
    assert_int_equal(host->first_epoch, 1);
    assert_int_equal(host->checkpoint_notes, 1);
    char more[4200];
    snprintf(more, sizeof more, ", \"epochs\": 6, \"seed\": 9, \"resume\": \"%s\"",
             host->checkpoint);
    assert_int_equal(call(host, more), FF_OUTCOME_FAILURE); /* named, so it must fit */
    assert_string_equal(host->code, "INPUT_INVALID");
}

#define CALL_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CALL_TEST(test_a_result_beside_the_input_of_a_task),
        CALL_TEST(test_errors_carry_their_code),
        CALL_TEST(test_a_stop_keeps_the_result),
        CALL_TEST(test_the_time_limit_of_the_task_is_kept),
        CALL_TEST(test_a_lost_node_costs_nothing),
        CALL_TEST(test_the_probe_of_a_result_is_begun_with),
        CALL_TEST(test_a_checkpoint_of_other_settings_is_not_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

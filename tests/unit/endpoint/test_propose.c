/* What a scheduler has, and what is proposed from it. */
#include "tests/unit/check.h"

#include "endpoint/address.h"
#include "endpoint/doctor_scheduler.h"
#include "endpoint/propose.h"

#include <unistd.h>

/* sinfo --noheader --format=%P|%a|%l|%D|%c|%G of sites of different kinds */
static const char one_kind[] = "main*|up|infinite|4|8|gpu:2\nshort|up|10:00|4|8|gpu:2\n";
static const char mixed[] = "debug*|up|30:00|2|64|(null)\n"
                            "batch|up|1-00:00:00|100|128+|(null)\n"
                            "gpu|up|12:00:00|20|64|gpu:a100:4(S:0-1)\n"
                            "gpu|up|12:00:00|4|96|gpu:h100:8(S:0-1),shard:64\n"
                            "old|down|infinite|500|16|gpu:k80:2,gpu:k20:2\n";

static struct ff_survey survey;

static void read_survey(const char *out)
{
    struct ff_error error;
    memset(&survey, 0, sizeof survey);
    assert_ok(ff_slurm_read_partitions(out, &survey, &error), error);
}

static void test_partitions(void **state)
{
    (void)state;
    read_survey(mixed);
    assert_int_equal(survey.partition_count, 4);
    const struct ff_partition *gpu = ff_survey_find(&survey, "gpu");
    assert_int_equal(gpu->gpus, 8); /* the better of its nodes */
    assert_int_equal(gpu->cores, 96);
    assert_int_equal(gpu->nodes, 4);
    assert_int_equal(gpu->limit_s, 43200);
    assert_false(gpu->is_default);
    assert_int_equal(ff_survey_find(&survey, "debug")->limit_s, 1800);
    assert_true(ff_survey_find(&survey, "debug")->is_default);
    assert_int_equal(ff_survey_find(&survey, "batch")->limit_s, 86400);
    assert_int_equal(ff_survey_find(&survey, "batch")->cores, 128);
    assert_int_equal(ff_survey_find(&survey, "old")->gpus, 4);
    assert_int_equal(ff_survey_find(&survey, "old")->limit_s, 0);
    assert_false(ff_survey_find(&survey, "old")->up);
    assert_null(ff_survey_find(&survey, "none"));
}

static void test_nonsense_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "sinfo: broken\n",  "main*|up|infinite|4|8\n", "main*|up|infinite|4|8|gpu:2|more\n",
        "*|up|1|4|8|gpu\n", "main|up|1|many|8|gpu\n",  "|||||\n"};
    struct ff_error error;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (ff_slurm_read_partitions(bad[i], &survey, &error) != -1)
            fail_msg("taken for an answer: %s", bad[i]);
    read_survey("main|up|9999999999999999999:00:00|4|8|gpu:2\n");
    assert_int_equal(survey.partitions[0].limit_s, 0);
    char *flood = calloc(1, 100001);
    memset(flood, 'x', 100000);
    assert_int_equal(ff_slurm_read_partitions(flood, &survey, &error), -1);
    free(flood);
}

static struct ff_config propose(const struct ff_survey *from, const char *partition,
                                struct ff_buffer *notes)
{
    struct ff_config config;
    struct ff_error error;
    ff_config_defaults(&config);
    assert_ok(ff_config_set(&config, "provider", "slurm", &error), error);
    assert_ok(ff_config_set(&config, "partition", partition, &error), error);
    ff_buffer_init(notes, 65536);
    assert_ok(ff_propose(&config, from, notes, &error), error);
    assert_ok(ff_config_check(&config, &error), error);
    return config;
}

static void test_the_default_partition_is_taken_where_it_does(void **state)
{
    (void)state;
    struct ff_buffer notes;
    read_survey(one_kind);
    const struct ff_config config = propose(&survey, "", &notes);
    assert_string_equal(config.partition, "main");
    assert_int_equal(config.gpus_per_node, 2);
    assert_int_equal(config.cores_per_node, 8);
    assert_int_equal(config.max_blocks, 4);
    assert_int_equal(config.init_blocks, 0);
    assert_int_equal(config.walltime, 3600);
    assert_true(config.idle_block_s > 0);
    assert_non_null(strstr(ff_buffer_text(&notes), "partition: main: the default one\n"));
    ff_buffer_dispose(&notes);
}

/* The default one has no GPUs, the one with most is down. */
static void test_gpus_are_looked_for(void **state)
{
    (void)state;
    struct ff_buffer notes;
    read_survey(mixed);
    const struct ff_config config = propose(&survey, "", &notes);
    assert_string_equal(config.partition, "gpu");
    assert_int_equal(config.gpus_per_node, 8);
    assert_non_null(strstr(ff_buffer_text(&notes), "with most GPUs"));
    ff_buffer_dispose(&notes);
}

static void test_what_the_user_wants_stays(void **state)
{
    (void)state;
    struct ff_buffer notes;
    struct ff_config config;
    struct ff_error error;
    read_survey(mixed);
    config = propose(&survey, "debug", &notes);
    assert_string_equal(config.partition, "debug");
    assert_int_equal(config.gpus_per_node, 0);
    assert_int_equal(config.walltime, 1800);
    ff_buffer_dispose(&notes);
    config = propose(&survey, "old", &notes);
    assert_non_null(strstr(ff_buffer_text(&notes), "old is down"));
    assert_int_equal(ff_config_set(&config, "partition", "gpus", &error), 0);
    assert_int_equal(ff_propose(&config, &survey, &notes, &error), -1);
    assert_int_equal(error.code, FF_INVALID_SETTING);
    assert_non_null(strstr(error.message, "batch"));
    assert_non_null(strstr(error.hint, "\"gpu\""));
    ff_buffer_dispose(&notes);
}

static void test_accounts(void **state)
{
    (void)state;
    struct ff_buffer notes;
    read_survey(one_kind);
    ff_slurm_read_accounts("aps\naps\n", &survey);
    assert_int_equal(survey.account_count, 1);
    struct ff_config config = propose(&survey, "", &notes);
    assert_string_equal(config.account, "aps");
    ff_buffer_dispose(&notes);
    ff_slurm_read_accounts("aps\nmat\n", &survey);
    config = propose(&survey, "", &notes);
    assert_string_equal(config.account, "");
    assert_non_null(strstr(ff_buffer_text(&notes), "aps, mat"));
    ff_buffer_dispose(&notes);
}

static void test_nobody_to_ask(void **state)
{
    (void)state;
    struct ff_buffer notes;
    const struct ff_config config = propose(NULL, "gpu", &notes);
    assert_string_equal(config.partition, "gpu");
    assert_int_equal(config.gpus_per_node, 0);
    assert_int_equal(config.walltime, 3600);
    ff_buffer_dispose(&notes);
}

/* What the doctor says of the settings of an endpoint, as one line. */
static bool is_well(const char *partition, const char *gpus, const char *walltime)
{
    struct ff_diagnosis diagnosis = {.first = true};
    struct ff_config config;
    struct ff_error error;
    ff_config_defaults(&config);
    assert_ok(ff_config_set(&config, "partition", partition, &error), error);
    assert_ok(ff_config_set(&config, "gpus_per_node", gpus, &error), error);
    assert_ok(ff_config_set(&config, "walltime", walltime, &error), error);
    ff_doctor_partition(&config, &survey, &diagnosis);
    return !diagnosis.errors;
}

static void test_the_doctor_knows_what_a_partition_allows(void **state)
{
    (void)state;
    read_survey(mixed);
    assert_true(is_well("gpu", "8", "12h"));
    assert_true(is_well("", "0", "30m")); /* the default one */
    assert_false(is_well("", "1", "30m"));
    assert_false(is_well("gpu", "9", "1h"));
    assert_false(is_well("gpu", "1", "13h"));
    assert_false(is_well("gpus", "1", "1h"));
    assert_true(is_well("old", "4", "1000h")); /* down, which may pass */
}

static void test_addresses(void **state)
{
    (void)state;
    char address[FF_ADDRESS_SIZE];
    char other[FF_ADDRESS_SIZE];
    struct ff_error error;
    assert_ok(ff_address_find("auto", false, address, &error), error);
    assert_string_equal(address, "127.0.0.1");
    assert_ok(ff_address_find("lo", true, address, &error), error);
    assert_string_equal(address, "127.0.0.1");
    assert_ok(ff_address_find("localhost", true, address, &error), error);
    assert_string_equal(address, "127.0.0.1");
    assert_ok(ff_address_find("10.1.2.3", true, address, &error), error);
    assert_string_equal(address, "10.1.2.3");
    assert_ok(ff_address_find("auto", true, address, &error), error);
    assert_ok(ff_address_find(address, true, other, &error),
              error); /* whatever it is, an address */
    assert_string_equal(address, other);
    assert_int_equal(ff_address_find("no such host", true, address, &error), -1);
    assert_non_null(strstr(error.message, "agent_host"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_partitions),
        cmocka_unit_test(test_nonsense_is_refused),
        cmocka_unit_test(test_the_default_partition_is_taken_where_it_does),
        cmocka_unit_test(test_gpus_are_looked_for),
        cmocka_unit_test(test_what_the_user_wants_stays),
        cmocka_unit_test(test_accounts),
        cmocka_unit_test(test_nobody_to_ask),
        cmocka_unit_test(test_the_doctor_knows_what_a_partition_allows),
        cmocka_unit_test(test_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What schedulers print: whatever it is, their readers refuse it or give rows that hold together. */
#include "tests/fuzz/fuzz.h"

#include "endpoint/providers/scheduler.h"
#include "endpoint/providers/survey.h"

#include <stdlib.h>
#include <string.h>

static void read_one(const struct ff_scheduler *scheduler, const char *text, size_t size)
{
    char id[FF_JOB_ID_SIZE] = "";
    struct ff_job_rows rows = {0};
    struct ff_error error;
    struct ff_command_result result = {.out = text, .out_size = size, .error = ""};
    if (scheduler->read_id(text, id, &error) == 0 && (id[0] == '\0' || strchr(id, '\n') != NULL))
        abort();
    for (int failed = 0; failed < 2; failed++) {
        result.status = failed;
        if (scheduler->read_status(&result, &rows, &error) == 0)
            for (size_t i = 0; i < rows.count; i++)
                if (rows.items[i].state == FF_BLOCK_SUBMITTING ||
                    memchr(rows.items[i].name, '\0', sizeof rows.items[i].name) == NULL ||
                    memchr(rows.items[i].why, '\0', sizeof rows.items[i].why) == NULL)
                    abort();
        ff_job_rows_dispose(&rows);
        result.error = text; /* and the same as complaints */
        char words[64];
        ff_command_words(&result, scheduler->status_program, words, sizeof words);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct ff_survey survey;
    char *text = malloc(size + 1);
    const char *name;
    if (text == NULL)
        return 0;
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    for (size_t i = 0; (name = ff_provider_name(i)) != NULL; i++)
        if (ff_provider_find(name)->scheduler != NULL)
            read_one(ff_provider_find(name)->scheduler, text, size);
    if (ff_slurm_read_partitions(text, &survey, NULL) == 0)
        ff_slurm_read_accounts(text, &survey);
    free(text);
    return 0;
}

bool fuzz_seed(unsigned index, struct ff_buffer *buffer)
{
    static const char *const seeds[] = {
        "9|PENDING|1764087300|1764090900|ff-1-a|Resources\n"
        "10|RUNNING|1764083700|1764087300|ff-1-b|None\n12|TIMEOUT|1|2|ff-1-c|TimeLimit\n",
        "{\"timestamp\":1764087300,\"Jobs\":{\"9.pbs\":{\"Job_Name\":\"ff-1-a\",\"job_state\":"
        "\"Q\","
        "\"comment\":\"Not Running: \\\"no\\\"\",\"estimated\":{\"start_time\":1764087300}},"
        "\"10.pbs\":{\"Job_Name\":\"ff-1-b\",\"job_state\":\"R\",\"stime\":\"Tue Nov 25 16:15:00 "
        "2025\",\"Resource_List\":{\"walltime\":\"01:00:00\"}},\"11.pbs\":{\"job_state\":\"F\","
        "\"Exit_status\":-29}}}",
        "JobID     State    JobName\n==========================\n10014453  queued   ff-1-a\n"
        "10014454  running  ff-1-b\n",
        "debug*|up|30:00|2|64|(null)\ngpu|up|1-12:00:00|20|64|gpu:a100:4(S:0-1),gpu:h100:2\n",
        "Job routed to queue \"full-node\".\n10014454\n",
        "qstat: Unknown Job Id 12.pbs-01\nqstat: Unknown Job Id 13\n",
        "4711;cluster\n",
    };
    if (index >= sizeof seeds / sizeof seeds[0])
        return false;
    ff_buffer_append_text(buffer, seeds[index]);
    return true;
}

#include "functions/reconstruct/checkpoint.h"

#include <string.h>

enum { VERSION = 3, SOLVER_STATE_LIMIT = 1 << 26, TRANSFORMS_LIMIT = 1 << 24 };

struct head {
    char magic[8]; /* "FFCHECK" */
    uint64_t version;
    uint8_t digest[FF_DIGEST_SIZE];      /* of the input file */
    uint8_t first_probe[FF_DIGEST_SIZE]; /* of the file of initial_probe; zeros: none */
    char algorithm[16];
    char device[160];
    uint64_t patterns, rows, columns, object_rows, object_columns, modes;
    uint64_t epoch, batches, probe_start, seed, random;
    double alpha, step_object, step_probe;
    uint64_t solver_state, transforms; /* bytes */
    uint8_t content[FF_DIGEST_SIZE];   /* of everything behind the head */
};

static struct head head_of(const struct ff_problem *problem, const struct ff_run_settings *settings)
{
    struct head head = {.magic = "FFCHECK", .version = VERSION};
    memcpy(head.digest, problem->digest.bytes, FF_DIGEST_SIZE);
    memcpy(head.first_probe, problem->probe_digest.bytes, FF_DIGEST_SIZE);
    strncpy(head.algorithm, settings->algorithm, sizeof head.algorithm - 1);
    head.patterns = problem->patterns;
    head.rows = problem->rows;
    head.columns = problem->columns;
    head.object_rows = problem->object_rows;
    head.object_columns = problem->object_columns;
    head.modes = problem->modes;
    head.batches = settings->solver.batches;
    head.probe_start = settings->solver.probe_start;
    head.seed = settings->seed;
    head.alpha = settings->solver.alpha;
    head.step_object = settings->solver.step_object;
    head.step_probe = settings->solver.step_probe;
    return head;
}

static size_t object_bytes(const struct ff_problem *problem)
{
    return problem->object_rows * problem->object_columns * sizeof(ff_complex);
}

static size_t probe_bytes(const struct ff_problem *problem)
{
    return problem->modes * problem->rows * problem->columns * sizeof(ff_complex);
}

size_t ff_checkpoint_limit(const struct ff_problem *problem, const struct ff_run_settings *settings)
{
    return sizeof(struct head) + settings->solver.epochs * sizeof(double) + object_bytes(problem) +
           probe_bytes(problem) + SOLVER_STATE_LIMIT + TRANSFORMS_LIMIT;
}

int ff_checkpoint_write(const struct ff_problem *problem, const struct ff_run_settings *settings,
                        const struct ff_checkpoint *state, struct ff_buffer *bytes,
                        struct ff_error *error)
{
    struct head head = head_of(problem, settings);
    size_t start = bytes->size;
    memcpy(head.device, state->device, sizeof head.device);
    head.epoch = state->epoch;
    head.random = state->random.state;
    head.solver_state = state->solver_state.size;
    head.transforms = state->transforms.size;
    ff_buffer_append(bytes, &head, sizeof head);
    ff_buffer_append(bytes, state->costs, state->epoch * sizeof(double));
    ff_buffer_append(bytes, state->object, object_bytes(problem));
    ff_buffer_append(bytes, state->probe, probe_bytes(problem));
    ff_buffer_append(bytes, state->solver_state.data, state->solver_state.size);
    ff_buffer_append(bytes, state->transforms.data, state->transforms.size);
    if (ff_buffer_check(bytes, "the checkpoint", error) < 0)
        return -1;
    struct ff_span content = {bytes->data + start + sizeof head, bytes->size - start - sizeof head};
    struct ff_digest digest;
    if (ff_digest_of(content, &digest, error) < 0)
        return -1;
    memcpy(bytes->data + start + offsetof(struct head, content), digest.bytes, FF_DIGEST_SIZE);
    return 0;
}

static int refuse(struct ff_error *error, const char *what)
{
    ff_fail(error, FF_INPUT_INVALID, "the checkpoint is of another run: %s", what);
    return ff_hint(error, "set resume=never to begin anew, or give the settings it was made with");
}

static int refuse_number(struct ff_error *error, const char *what, double there, double here)
{
    ff_fail(error, FF_INPUT_INVALID,
            "the checkpoint is of another run: its %s is %g, here it is %g", what, there, here);
    return ff_hint(error, "set resume=never to begin anew, or give the settings it was made with");
}

static int compare(const struct head *there, const struct head *here, struct ff_error *error)
{
    if (memcmp(there->digest, here->digest, FF_DIGEST_SIZE) != 0)
        return refuse(error, "its input file had other content");
    if (memcmp(there->first_probe, here->first_probe, FF_DIGEST_SIZE) != 0)
        return refuse(error, "it began with another probe");
    if (strncmp(there->algorithm, here->algorithm, sizeof here->algorithm) != 0)
        return refuse(error, "its algorithm is another");
    const struct {
        const char *name;
        uint64_t there, here;
    } numbers[] = {
        {"number of patterns", there->patterns, here->patterns},
        {"number of rows", there->rows, here->rows},
        {"number of columns", there->columns, here->columns},
        {"object height", there->object_rows, here->object_rows},
        {"object width", there->object_columns, here->object_columns},
        {"modes", there->modes, here->modes},
        {"batches", there->batches, here->batches},
        {"probe_start", there->probe_start, here->probe_start},
        {"seed", there->seed, here->seed},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (numbers[i].there != numbers[i].here)
            return refuse_number(error, numbers[i].name, (double)numbers[i].there,
                                 (double)numbers[i].here);
    const struct {
        const char *name;
        double there, here;
    } values[] = {
        {"alpha", there->alpha, here->alpha},
        {"step_object", there->step_object, here->step_object},
        {"step_probe", there->step_probe, here->step_probe},
    };
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        if (values[i].there < values[i].here || values[i].there > values[i].here)
            return refuse_number(error, values[i].name, values[i].there, values[i].here);
    return 0;
}

int ff_checkpoint_read(struct ff_span bytes, const struct ff_problem *problem,
                       const struct ff_run_settings *settings, double *costs,
                       struct ff_checkpoint *state, struct ff_error *error)
{
    struct head head;
    struct head here = head_of(problem, settings);
    if (bytes.size < sizeof head)
        return ff_fail(error, FF_INPUT_INVALID, "the checkpoint is cut short");
    memcpy(&head, bytes.data, sizeof head);
    if (memcmp(head.magic, here.magic, sizeof head.magic) != 0 || head.version != VERSION)
        return ff_fail(error, FF_INPUT_INVALID,
                       "this is no checkpoint, or one of another version of Farfield");
    if (compare(&head, &here, error) < 0)
        return -1;
    if (head.epoch > settings->solver.epochs)
        return refuse_number(error, "number of epochs done", (double)head.epoch,
                             (double)settings->solver.epochs);
    size_t cost_size = (size_t)head.epoch * sizeof(double);
    size_t object_size = object_bytes(problem);
    size_t probe_size = probe_bytes(problem);
    size_t left = bytes.size - sizeof head;
    size_t fixed = cost_size + object_size + probe_size;
    if (left < fixed || head.solver_state > left - fixed ||
        head.transforms != left - fixed - head.solver_state)
        return ff_fail(error, FF_INPUT_INVALID, "the checkpoint is cut short");
    const uint8_t *at = (const uint8_t *)bytes.data + sizeof head;
    struct ff_digest digest;
    if (ff_digest_of((struct ff_span){at, left}, &digest, error) < 0)
        return -1;
    if (memcmp(digest.bytes, head.content, FF_DIGEST_SIZE) != 0)
        return ff_fail(error, FF_INPUT_INVALID, "the checkpoint is damaged");
    memcpy(costs, at, cost_size);
    memcpy(state->object, at + cost_size, object_size);
    memcpy(state->probe, at + cost_size + object_size, probe_size);
    at += fixed;
    state->solver_state = (struct ff_span){at, (size_t)head.solver_state};
    state->transforms = (struct ff_span){at + head.solver_state, (size_t)head.transforms};
    state->costs = costs;
    state->epoch = (size_t)head.epoch;
    state->random.state = head.random;
    memcpy(state->device, head.device, sizeof state->device);
    state->device[sizeof state->device - 1] = '\0';
    return 0;
}

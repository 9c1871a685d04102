#include "tests/unit/worker/fake_agent.h"

#include "protocol/core/clock.h"
#include "protocol/core/file.h"
#include "worker/gpu/registry.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zmq.h>

enum { GUARD_MS = 30000 };

static void copy(char *to, size_t size, struct ff_span from)
{
    snprintf(to, size, "%.*s", (int)from.size, from.size > 0 ? (const char *)from.data : "");
}

static struct heard *find(struct agent *agent, const struct ff_id *task)
{
    for (unsigned i = 0; i < agent->count; i++)
        if (ff_id_equal(&agent->tasks[i].task, task))
            return &agent->tasks[i];
    fail_msg("the manager speaks of a task that nobody gave it");
    return NULL;
}

static void send(struct agent *agent, struct ff_buffer *frame, struct ff_encoder *encoder)
{
    struct ff_error error;
    assert_ok(ff_encode_end(encoder, &error), error);
    assert_non_null(agent->peer);
    ff_peer_send(agent->peer, ff_buffer_span(frame));
    ff_buffer_dispose(frame);
}

static void send_receipt(struct agent *agent, const struct heard *heard)
{
    struct ff_buffer frame;
    struct ff_encoder encoder;
    struct ff_receipt receipt = {.task = heard->task, .attempt = heard->attempt, .ended = true};
    ff_buffer_init(&frame, FF_MESSAGE_LIMIT);
    ff_encode_begin(&encoder, &frame, FF_MSG_RECEIPTS);
    ff_encode_receipt(&encoder, &receipt);
    send(agent, &frame, &encoder);
}

static void take_outcome(struct agent *agent, const struct ff_outcome *outcome)
{
    struct heard *heard = find(agent, &outcome->task);
    heard->outcomes++;
    heard->outcome = *outcome;
    copy(heard->code, sizeof heard->code, outcome->code);
    copy(heard->message, sizeof heard->message, outcome->message);
    free(heard->value);
    free(heard->tail);
    heard->value = outcome->value.size > 0 ? ff_span_copy(outcome->value) : NULL;
    heard->tail = ff_span_copy(outcome->log_tail);
    if (!agent->withholds)
        send_receipt(agent, heard);
}

static void object_path(const struct agent *agent, const struct ff_digest *digest, char *path,
                        size_t size)
{
    char text[FF_DIGEST_TEXT_SIZE];
    ff_digest_text(digest, text);
    snprintf(path, size, "%s/hidden/%s", agent->folder, text);
}

static void take_want(struct agent *agent, const struct ff_want *want)
{
    char path[2048];
    uint8_t *bytes = malloc(FF_OBJECT_PART);
    struct stat info;
    object_path(agent, &want->digest, path, sizeof path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &info), 0);
    ssize_t got = pread(fd, bytes, want->length, (off_t)want->offset);
    close(fd);
    assert_int_equal(got, want->length);
    agent->wanted++;
    struct ff_buffer frame;
    struct ff_encoder encoder;
    struct ff_part part = {.digest = want->digest,
                           .offset = want->offset,
                           .total = (uint64_t)info.st_size,
                           .data = {bytes, (size_t)got}};
    ff_buffer_init(&frame, FF_MESSAGE_LIMIT);
    ff_encode_begin(&encoder, &frame, FF_MSG_OBJECT_PART);
    ff_encode_part(&encoder, &part);
    send(agent, &frame, &encoder);
    free(bytes);
}

void agent_answer_stored(struct agent *agent)
{
    struct ff_buffer frame;
    struct ff_encoder encoder;
    agent->keeps_stored = false;
    ff_buffer_init(&frame, FF_MESSAGE_LIMIT);
    ff_encode_begin(&encoder, &frame, FF_MSG_OBJECT_STORED);
    ff_encode_part(&encoder, &agent->kept_stored);
    send(agent, &frame, &encoder);
}

static void take_store(struct agent *agent, const struct ff_part *part)
{
    agent->stores += part->offset == 0;
    if (part->offset == 0) {
        free(agent->stored);
        agent->stored = malloc(part->total);
        agent->stored_size = 0;
    }
    assert_int_equal(part->offset, agent->stored_size);
    memcpy(agent->stored + part->offset, part->data.data, part->data.size);
    agent->stored_size += part->data.size;
    struct ff_part answer = {
        .digest = part->digest, .offset = agent->stored_size, .total = part->total};
    if (agent->stored_size == part->total && agent->refusals > 0) {
        agent->refusals--;
        answer.code = ff_span_of("DISK_FULL");
    }
    agent->kept_stored = answer;
    if (!agent->keeps_stored)
        agent_answer_stored(agent);
}

static void take_report(struct agent *agent, const struct ff_report *report)
{
    struct heard *heard = find(agent, &report->task);
    if (report->state == FF_TASK_RUNNING)
        heard->pid = (pid_t)report->pid;
    if (report->why.size > 0)
        copy(heard->why, sizeof heard->why, report->why);
}

static void take_item(struct agent *agent, enum ff_message_type type, const union ff_item *item)
{
    switch (type) {
    case FF_MSG_OUTCOMES:
        take_outcome(agent, &item->outcome);
        break;
    case FF_MSG_STATES:
        take_report(agent, &item->report);
        break;
    case FF_MSG_PROGRESS:
        find(agent, &item->progress.task)->progress++;
        break;
    case FF_MSG_LOG:
        find(agent, &item->line.task)->lines++;
        copy(find(agent, &item->line.task)->last_line, TEXT, item->line.text);
        break;
    case FF_MSG_PREVIEW:
        find(agent, &item->preview.task)->previews++;
        break;
    case FF_MSG_HOLDING:
        agent->held++;
        break;
    case FF_MSG_HOLDING_END:
        agent->announced = true;
        break;
    case FF_MSG_OBJECT_WANT:
        take_want(agent, &item->want);
        break;
    case FF_MSG_OBJECT_STORE:
        take_store(agent, &item->part);
        break;
    case FF_MSG_DRAIN:
        agent->says_draining = true;
        break;
    default:
        break;
    }
}

static void settle(struct agent *agent)
{
    if (agent->until != NULL && agent->until(agent, agent->index))
        ff_loop_stop(agent->loop);
}

static int peer_message(void *user, struct ff_peer *peer, struct ff_decoder *decoder,
                        struct ff_error *error)
{
    struct agent *agent = user;
    union ff_item item;
    int got;
    (void)peer;
    while ((got = ff_decode_next(decoder, &item, error)) > 0)
        take_item(agent, decoder->type, &item);
    settle(agent);
    return got;
}

static bool allows(void *user, const char public_key[FF_CURVE_TEXT_SIZE])
{
    const struct agent *agent = user;
    return strcmp(public_key, agent->block_keys.public_key) == 0;
}

static int peer_hello(void *user, struct ff_peer *peer, const struct ff_hello *hello,
                      struct ff_peer *replaced, struct ff_welcome *welcome, void **peer_user,
                      bool *final, struct ff_error *error)
{
    struct agent *agent = user;
    (void)replaced;
    (void)welcome;
    *final = false;
    (void)error;
    agent->hello = *hello;
    agent->peer = peer;
    agent->hellos++;
    agent->held = 0;
    agent->announced = false;
    *peer_user = agent;
    return 0;
}

static void peer_gone(void *user, struct ff_peer *peer, const char *why)
{
    struct agent *agent = user;
    (void)why;
    if (agent->peer == peer)
        agent->peer = NULL;
    agent->gone++;
    settle(agent);
}

static void guard_due(void *user)
{
    struct agent *agent = user;
    agent->until = NULL;
    ff_loop_stop(agent->loop);
}

static void caught_signal(void *user, int signal_number)
{
    struct agent *agent = user;
    (void)signal_number;
    if (agent->manager > 0 && waitpid(agent->manager, &agent->status, WNOHANG) == agent->manager)
        agent->manager = 0;
    settle(agent);
}

void agent_run(struct agent *agent, bool (*until)(struct agent *agent, unsigned index),
               unsigned index)
{
    struct ff_error error;
    if (until(agent, index))
        return;
    agent->until = until;
    agent->index = index;
    ff_timer_set_after(agent->guard, GUARD_MS);
    assert_ok(ff_loop_run(agent->loop, &error), error);
    ff_timer_set(agent->guard, FF_TIMER_OFF);
    if (agent->until == NULL)
        fail_msg("what was waited for did not come within %d s", GUARD_MS / 1000);
    agent->until = NULL;
}

/* ---- conditions ---- */

bool has_ended(struct agent *agent, unsigned index)
{
    return agent->tasks[index].outcomes > 0;
}

bool all_have_ended(struct agent *agent, unsigned index)
{
    for (unsigned i = index; i < agent->count; i++)
        if (agent->tasks[i].outcomes == 0)
            return false;
    return true;
}

bool is_running(struct agent *agent, unsigned index)
{
    return agent->tasks[index].pid > 0;
}

bool is_connected(struct agent *agent, unsigned index)
{
    (void)index;
    return agent->announced;
}

bool manager_has_ended(struct agent *agent, unsigned index)
{
    (void)index;
    return agent->manager == 0;
}

bool has_lines(struct agent *agent, unsigned index)
{
    return agent->tasks[index].lines > 0;
}

bool has_progress(struct agent *agent, unsigned index)
{
    return agent->tasks[index].progress > 0;
}

bool has_stores(struct agent *agent, unsigned index)
{
    return agent->stores > index;
}

bool has_why(struct agent *agent, unsigned index)
{
    return agent->tasks[index].why[0] != '\0';
}

/* ---- set-up ---- */

static void make_folder_in(struct agent *agent, const char *name)
{
    struct ff_error error;
    char path[2048];
    snprintf(path, sizeof path, "%s/%s", agent->folder, name);
    assert_ok(ff_folder_make(path, 0700, &error), error);
}

static void write_in(struct agent *agent, const char *name, const char *text)
{
    struct ff_error error;
    char path[2048];
    snprintf(path, sizeof path, "%s/%s", agent->folder, name);
    assert_ok(ff_file_write(path, ff_span_of(text), 0600, &error), error);
}

void agent_listen(struct agent *agent)
{
    struct ff_error error;
    char text[512];
    int port = 0;
    const struct ff_peers_events events = {
        .user = agent,
        .by_instance = true,
        .allows = allows,
        .hello = peer_hello,
        .message = peer_message,
        .gone = peer_gone,
    };
    agent->context = zmq_ctx_new();
    agent->peers = ff_peers_create(agent->loop, agent->context, "127.0.0.1", &port, &agent->keys,
                                   &events, &error);
    if (agent->peers == NULL)
        fail_msg("%s", error.message);
    snprintf(text, sizeof text, "address: \"tcp://127.0.0.1:%d\"\nkey: \"%s\"\n", port,
             agent->keys.public_key);
    write_in(agent, "run/agent", text);
}

void agent_stop_listening(struct agent *agent)
{
    ff_peers_destroy(agent->peers, NULL);
    zmq_ctx_term(agent->context);
    agent->peers = NULL;
    agent->peer = NULL;
    agent->announced = false;
}

void agent_open(struct agent *agent, unsigned slots, unsigned devices, unsigned lost_limit_ms)
{
    static const int signals[] = {SIGCHLD, 0};
    struct ff_error error;
    char text[1024];
    memset(agent, 0, sizeof *agent);
    char *folder = make_folder();
    snprintf(agent->folder, sizeof agent->folder, "%s", folder);
    free(folder);
    setenv("FARFIELD_HOME", agent->folder, 1);
    snprintf(agent->registry, sizeof agent->registry, "/dev/shm/farfield-test-%d-manager",
             (int)getpid());
    make_folder_in(agent, "run");
    make_folder_in(agent, "hidden");
    make_folder_in(agent, "blocks/b1");
    snprintf(text, sizeof text, "%s/blocks/b1/keys", agent->folder);
    assert_ok(ff_curve_load_or_make(text, &agent->block_keys, &error), error);
    assert_ok(ff_curve_generate(&agent->keys, &error), error);
    snprintf(text, sizeof text,
             "slots: %u\ncores: 0\ngpu_registry: \"%s\"\nagent_lost_limit_ms: %u\n"
             "endpoint_id: 00000000-0000-4000-8000-000000000001\n",
             slots, agent->registry, lost_limit_ms);
    write_in(agent, "blocks/b1/block.yaml", text);
    unsetenv("CUDA_VISIBLE_DEVICES");
    struct ff_gpus *gpus = ff_gpus_open(agent->registry, &error);
    assert_non_null(gpus);
    assert_ok(ff_gpus_pretend(gpus, devices, &error), error);
    ff_gpus_close(gpus);
    agent->loop = ff_loop_create(&error);
    assert_non_null(agent->loop);
    assert_ok(ff_loop_signals(agent->loop, signals, caught_signal, agent, &error), error);
    agent->guard = ff_timer_create(agent->loop, guard_due, agent, &error);
    assert_non_null(agent->guard);
    agent_listen(agent);
    agent_start_manager(agent);
    agent_run(agent, is_connected, 0);
}

void agent_start_manager(struct agent *agent)
{
    char program[512];
    snprintf(program, sizeof program, "%s/libexec/farfield/farfield-manager", getenv("FF_STAGE"));
    agent->manager = fork();
    if (agent->manager == 0) {
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        setenv("ASAN_OPTIONS", "exitcode=99", 0); /* no status that the manager itself ends with */
        execl(program, program, agent->folder, "b1", (char *)NULL);
        _exit(127);
    }
}

void agent_close(struct agent *agent)
{
    struct ff_error error;
    if (agent->manager > 0) {
        kill(agent->manager, SIGKILL);
        waitpid(agent->manager, NULL, 0);
    }
    if (agent->peers != NULL)
        agent_stop_listening(agent);
    ff_timer_destroy(agent->guard);
    ff_loop_destroy(agent->loop);
    for (unsigned i = 0; i < agent->count; i++) {
        free(agent->tasks[i].value);
        free(agent->tasks[i].tail);
    }
    free(agent->stored);
    unlink(agent->registry);
    assert_ok(ff_folder_remove(agent->folder, &error), error);
}

/* ---- tasks ---- */

/* Puts the bytes of a function where the manager finds them, or where only the agent does. */
static void publish(struct agent *agent, const struct wish *wish, struct ff_order *order)
{
    struct ff_error error;
    char path[1024];
    char *bytes = NULL;
    size_t size = 0;
    if (wish->shell != NULL) {
        bytes = strdup(wish->shell);
        size = strlen(bytes);
    } else {
        if (strchr(wish->function, '/') != NULL)
            snprintf(path, sizeof path, "%s", wish->function);
        else
            snprintf(path, sizeof path, "%s/lib/farfield/functions/%s.so", getenv("FF_STAGE"),
                     wish->function);
        assert_ok(ff_file_read(path, 1 << 28, &bytes, &size, &error), error);
    }
    struct ff_span span = {bytes, size};
    assert_ok(ff_digest_of(span, &order->digest, &error), error);
    order->size = size;
    if (wish->uncached) {
        object_path(agent, &order->digest, path, sizeof path);
    } else {
        char text[FF_DIGEST_TEXT_SIZE];
        ff_digest_text(&order->digest, text);
        snprintf(path, sizeof path, "cache/objects/%.2s", text);
        make_folder_in(agent, path);
        snprintf(path, sizeof path, "%s/cache/objects/%.2s/%s", agent->folder, text, text + 2);
    }
    if (access(path, F_OK) < 0)
        assert_ok(ff_file_write(path, span, 0600, &error), error);
    free(bytes);
}

static struct ff_order describe(struct agent *agent, const struct wish *wish)
{
    struct ff_order order = {
        .number = 1,
        .name = ff_span_of(wish->shell != NULL ? "shell" : wish->function),
        .kind = ff_span_of(wish->shell != NULL ? "shell" : "native"),
        .arguments = ff_span_of(wish->arguments != NULL ? wish->arguments : "null"),
        .user = ff_span_of(wish->user != NULL ? wish->user : "somebody"),
        .devices = wish->devices,
        .cores = wish->cores,
        .time_limit_ms = wish->time_limit_ms,
        .nodes = wish->node_list != NULL ? 2 : 1,
        .node_list = ff_span_of(wish->node_list),
    };
    publish(agent, wish, &order);
    return order;
}

void agent_retry(struct agent *agent, unsigned index, const struct wish *wish)
{
    struct ff_buffer frame;
    struct ff_encoder encoder;
    struct ff_order order = describe(agent, wish);
    struct heard *heard = &agent->tasks[index];
    heard->attempt.counter += MOST_TASKS;
    heard->outcomes = 0;
    heard->pid = 0;
    order.task = heard->task;
    order.attempt = heard->attempt;
    order.number = 2;
    ff_buffer_init(&frame, FF_MESSAGE_LIMIT);
    ff_encode_begin(&encoder, &frame, FF_MSG_TASKS);
    assert_true(ff_encode_order(&encoder, &order));
    send(agent, &frame, &encoder);
}

void agent_submit_many(struct agent *agent, const struct wish *wish, unsigned count)
{
    struct ff_buffer frame;
    struct ff_encoder encoder;
    struct ff_order order = describe(agent, wish);
    assert_true(agent->count + count <= MOST_TASKS);
    ff_buffer_init(&frame, FF_MESSAGE_LIMIT);
    ff_encode_begin(&encoder, &frame, FF_MSG_TASKS);
    for (unsigned i = 0; i < count; i++) {
        struct heard *heard = &agent->tasks[agent->count++];
        ff_id_random(&heard->task);
        heard->attempt = (struct ff_attempt){1, agent->count};
        order.task = heard->task;
        order.attempt = heard->attempt;
        assert_true(ff_encode_order(&encoder, &order));
    }
    send(agent, &frame, &encoder);
}

unsigned agent_submit(struct agent *agent, const struct wish *wish)
{
    agent_submit_many(agent, wish, 1);
    return agent->count - 1;
}

void agent_control(struct agent *agent, unsigned index, enum ff_control_action action)
{
    struct ff_buffer frame;
    struct ff_encoder encoder;
    struct ff_control control = {
        .task = agent->tasks[index].task, .attempt = agent->tasks[index].attempt, .action = action};
    ff_buffer_init(&frame, FF_MESSAGE_LIMIT);
    ff_encode_begin(&encoder, &frame, FF_MSG_CONTROL);
    ff_encode_control(&encoder, &control);
    send(agent, &frame, &encoder);
}

/*
 * tests/unit/service/rig.h: a whole service inside the test process, on a home of its own: a
 * client that speaks HTTPS to it, and an agent that speaks as an endpoint does and does what the
 * test tells it.
 */
#ifndef FF_TESTS_UNIT_SERVICE_RIG_H
#define FF_TESTS_UNIT_SERVICE_RIG_H

#include "tests/unit/check.h"

#include "protocol/codec.h"
#include "protocol/session.h"
#include "service/service.h"

#include <curl/curl.h>
#include <jansson.h>
#include <semaphore.h>
#include <stdatomic.h>

struct rig {
    char *home;
    struct ff_service *service;
    pthread_t thread;
    char url[512], token[FF_TOKEN_TEXT_SIZE], certificate[4200];
};

/* Begins on a new home, or on that of a rig that was stopped. */
void rig_start(struct rig *rig);
void rig_stop(struct rig *rig);   /* keeps the home */
void rig_remove(struct rig *rig); /* stops, and removes the home */

/* A request; the reply as JSON that the caller releases (NULL when it is none). *status is the
 * HTTP status. */
json_t *rig_ask(struct rig *rig, const char *method, const char *path, const char *body,
                long *status);
/* The same, which must give this status. */
json_t *rig_expect(struct rig *rig, long status, const char *method, const char *path,
                   const char *body);
/* The same, which must fail with this code and whose message or hint must hold these words. */
void rig_refuses(struct rig *rig, const char *code, const char *words, const char *method,
                 const char *path, const char *body);
/* A text member of a reply. */
const char *rig_text(const json_t *object, const char *name);

/* Registers the shell function `name`. */
void rig_function(struct rig *rig, const char *name);
/* Submits payloads (a JSON array as text) of a function to an endpoint; the reply. */
json_t *rig_submit(struct rig *rig, const char *endpoint, const char *function,
                   const char *payloads);
/* The id of the n-th task of a reply. */
const char *rig_task(const json_t *reply, const char *function, size_t n);
/* A task's document, which the caller releases; `query` is "" or "?wait_ms=…". */
json_t *rig_show(struct rig *rig, const char *task, const char *query);
/* Waits for the end of a task, which must be this state. */
void rig_expect_end(struct rig *rig, const char *task, const char *state);

/* The committer stands still between these two: what arrives meanwhile waits, in its order. What is
 * submitted before a second hold with `apart` is another transaction than what comes behind it. */
struct hold {
    struct ff_job job;
    sem_t begun, go, over;
};
void hold_submit(struct hold *hold, struct rig *rig, bool apart);
void hold_wait(struct hold *hold);
void hold_release(struct hold *hold);

/* A request in a thread of its own. */
struct asking {
    struct rig *rig;
    const char *method;
    char path[256];
    const char *body;
    pthread_t thread;
    atomic_bool answered;
    long status;
    json_t *reply;
};
void asking_begin(struct asking *asking, struct rig *rig, const char *method, const char *path,
                  const char *body);
/* Waits for the reply, which the caller releases. */
json_t *asking_end(struct asking *asking);
/* Waits until so many requests of the service are suspended, and what they wait for is on its way.
 * */
void rig_wait_suspended(struct rig *rig, unsigned count);

/* An agent. All messages that came are kept, in order. */
enum { AGENT_ITEMS = 64 };
struct agent {
    struct rig *rig;
    struct ff_curve_keys keys;
    struct ff_id endpoint, instance, previous;
    char router_key[FF_CURVE_TEXT_SIZE];
    bool take_over;
    struct ff_loop *loop;
    void *context;
    struct ff_session *session;
    bool open, refused;
    struct ff_error why;
    struct ff_order orders[AGENT_ITEMS];
    size_t order_count;
    struct ff_receipt receipts[AGENT_ITEMS];
    size_t receipt_count;
    struct ff_control controls[AGENT_ITEMS];
    size_t control_count;
    struct ff_buffer part; /* the last OBJECT_PART's data */
    char part_code[65];
    uint64_t stored; /* offset of the last OBJECT_STORED */
    bool has_part, has_stored;
    bool store_failed; /* some OBJECT_STORED had a code */
};

/* Registers an endpoint of this name with new keys. */
void agent_register(struct agent *agent, struct rig *rig, const char *name);
/* Connects as a new instance (agent->previous and take_over are told), until WELCOME or a final
 * refusal. */
void agent_connect(struct agent *agent);
/* Registers, connects, and announces that nothing is held. */
void agent_connect_empty(struct agent *agent, struct rig *rig, const char *name);
/* Goes; `farewell` NULL: without a word, as a process that is killed. */
void agent_leave(struct agent *agent, const char *farewell);
void agent_dispose(struct agent *agent);

/* A message that carries one part of an object. */
void agent_part(struct agent *agent, enum ff_message_type type, const struct ff_part *part);

/* Runs the agent's loop until the service has taken all that was sent before. */
void agent_settle(struct agent *agent);

/* Runs the agent's loop until so many have come in all. */
void agent_wait_orders(struct agent *agent, size_t count);
void agent_wait_receipts(struct agent *agent, size_t count);
void agent_wait_controls(struct agent *agent, size_t count);
void agent_wait(struct agent *agent, const bool *flag);

void agent_holding(struct agent *agent, const struct ff_order *orders, size_t count);
void agent_state(struct agent *agent, const struct ff_order *order, enum ff_task_state state,
                 const char *why);
/* An outcome success with this value. */
void agent_succeed(struct agent *agent, const struct ff_order *order, const char *value);
void agent_outcome(struct agent *agent, const struct ff_outcome *outcome);
/* A message of one type, from an encoder that the caller has filled in `buffer`. */
void agent_send(struct agent *agent, struct ff_encoder *encoder);

#endif

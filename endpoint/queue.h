/*
 * endpoint/queue.h: the attempts that this endpoint holds, from the service's order to its receipt.
 *
 *     waiting ──given to a manager──► given ──outcome──► ended ──receipt──► forgotten
 *        ▲            │                 │                  ▲
 *        └────────────┴──given back─────┘        cancelled, or never possible
 *
 * A table finds them by task and attempt; each stands in exactly one list. Those that wait are grouped by shape: what
 * placement has to know is the same for all of a shape, so a blocked one is judged once and not for each task. Shapes come
 * in the order of their class (live, normal, batch), inside a class by whose user has used least of late (share.h), and
 * for one user by age.
 * This room only keeps; what happens is decided in dispatch.c.
 */
#ifndef FF_ENDPOINT_QUEUE_H
#define FF_ENDPOINT_QUEUE_H

#include "endpoint/share.h"
#include "protocol/messages.h"

enum ff_held_place { FF_HELD_WAITING, FF_HELD_GIVEN, FF_HELD_ENDED };

struct ff_held;
struct ff_held_list {
    struct ff_held *first;
    struct ff_held *last;
    unsigned count;
};

enum { FF_PRIORITIES = 3 }; /* live, normal, batch */

/* Why tasks of a shape wait; texts are made when they are needed. */
enum ff_wait_reason {
    FF_WAIT_NONE,
    FF_WAIT_SLOT,
    FF_WAIT_DEVICES,
    FF_WAIT_CORES,
    FF_WAIT_PROMISED, /* an older task is to have the node */
    FF_WAIT_ENDS,     /* the block ends before the task would */
    FF_WAIT_GANG,     /* several nodes, wholly free */
    FF_WAIT_NODE,     /* no manager is connected */
    FF_WAIT_DRAINING, /* the endpoint is stopping */
};

struct ff_shape {
    struct ff_shape *next;
    struct ff_held_list list;
    struct ff_id function;
    struct ff_sharer *sharer; /* the user */
    unsigned priority;
    uint32_t devices;
    uint32_t cores;
    uint32_t nodes;    /* at least 1 */
    uint64_t limit_ms; /* none of its tasks runs longer; a little rounded up. 0: no limit */
    bool blocked;      /* in the present pass */
    enum ff_wait_reason reason;
};

struct ff_held {
    struct ff_held *next_in_bucket;
    struct ff_held *next;
    struct ff_held *previous;
    struct ff_held_list *list;
    struct ff_id task;
    struct ff_attempt attempt;
    struct ff_id function;
    uint64_t sequence;
    uint64_t number;
    int64_t since_ns; /* monotonic, when it came */
    struct ff_sharer *sharer;
    int64_t asked_ns; /* monotonic, when it was asked to step aside */
    int64_t given_ns; /* monotonic, when its manager got it */
    int64_t lasts_ns; /* how long it was expected to run then; 0: not known */
    double charged;   /* core-seconds that its user was charged ahead */
    uint64_t limit_ms;
    uint32_t devices;
    uint32_t cores;
    uint32_t nodes;
    char *node_list;  /* names of several nodes, comma between; NULL: none was given yet */
    uint32_t cost_us; /* what placement counted for it when it was given */
    uint8_t place;    /* enum ff_held_place */
    uint8_t state;    /* enum ff_task_state, as reported last */
    uint8_t priority;
    uint8_t given_back;     /* how often a manager gave it back */
    uint8_t reported;       /* enum ff_wait_reason that the service was told last */
    uint32_t told_behind;   /* and how many tasks it was said to wait behind */
    uint8_t asked;          /* enum ff_control_action that its manager was asked last; 0: none */
    bool slow;              /* counted as a task that keeps its slot */
    bool unwanted;          /* nobody waits for its outcome any more */
    bool can_checkpoint;    /* says its manager */
    bool announced;         /* by its manager, since that came back */
    void *manager;          /* that runs it, or must get the receipt; NULL: nobody */
    struct ff_shape *shape; /* while it waits */
    size_t order_size, outcome_size; /* of the items, as they came over the wire */
    uint8_t *order; /* kept until the outcome, for it may be given back; NULL: not known here */
    uint8_t *outcome;
};

struct ff_queue;

struct ff_queue *ff_queue_create(struct ff_error *error) FF_MUST_USE;
void ff_queue_destroy(struct ff_queue *queue);

struct ff_held *ff_queue_find(const struct ff_queue *queue, const struct ff_id *task,
                              struct ff_attempt attempt);

/* Whether any attempt of this task is held. */
bool ff_queue_holds(const struct ff_queue *queue, const struct ff_id *task);

/* Use of the endpoint by its users; whoever gives and ends attempts charges it. */
struct ff_share *ff_queue_share(struct ff_queue *queue);

/* A new one, waiting at the end of its shape. Copies the raw item. NULL: out of memory. */
struct ff_held *ff_queue_add_order(struct ff_queue *queue, const struct ff_order *order,
                                   struct ff_span raw) FF_MUST_USE;

/* One that a manager announced; it goes into the manager's list. */
struct ff_held *ff_queue_add_holding(struct ff_queue *queue, const struct ff_holding *holding,
                                     struct ff_held_list *list, void *manager) FF_MUST_USE;

/* Moves. Taking back puts it into its shape by its age and needs the order. Ending copies the raw outcome (-1: no memory). */
void ff_queue_give(struct ff_queue *queue, struct ff_held *held, struct ff_held_list *list,
                   void *manager);
int ff_queue_take_back(struct ff_queue *queue, struct ff_held *held) FF_MUST_USE;
int ff_queue_end(struct ff_queue *queue, struct ff_held *held, struct ff_span raw) FF_MUST_USE;
void ff_queue_remove(struct ff_queue *queue, struct ff_held *held);

/* Passes over what waits: begin unblocks all shapes; next gives the shape whose first task comes before those of all
 * others that are not blocked, or NULL. */
void ff_queue_begin_pass(struct ff_queue *queue);
struct ff_shape *ff_queue_next_shape(struct ff_queue *queue);
struct ff_shape *ff_queue_shapes(struct ff_queue *queue);

/* Whether the first task of one shape comes before that of another. */
bool ff_shape_comes_before(const struct ff_shape *a, const struct ff_shape *b);

/* All that is held, in no order: the one behind `held`, or the first. None may be removed or added between. */
struct ff_held *ff_queue_next(const struct ff_queue *queue, const struct ff_held *held);

/* Those that ended and have no receipt yet. */
struct ff_held_list *ff_queue_ended(struct ff_queue *queue);

unsigned ff_queue_count(const struct ff_queue *queue, enum ff_held_place place);

#endif

/*
 * endpoint/blocks.h: the jobs that run managers: their folders (blocks/ID/), their keys, and their life.
 *
 *     (none) ──start──► submitting ──► pending ──► running ──► ended ──► (none; the folder is removed)
 *
 * as the provider tells (provider.h). A block belongs to the endpoint, not to the agent: one that finds blocks/ID/ of an
 * earlier agent adopts it when it lives, and sweeps its folder away when it does not. A job that starts after its folder is
 * gone ends at once.
 */
#ifndef FF_ENDPOINT_BLOCKS_H
#define FF_ENDPOINT_BLOCKS_H

#include "endpoint/config.h"
#include "endpoint/folder.h"
#include "endpoint/providers/provider.h"
#include "protocol/curve.h"

struct ff_blocks;

enum { FF_BLOCK_ID_SIZE = 17 };

struct ff_block {
    struct ff_block *next;
    struct ff_blocks *blocks;
    struct ff_provider_job *job;
    char id[FF_BLOCK_ID_SIZE];
    char public_key[FF_CURVE_TEXT_SIZE];
    enum ff_block_state state;
    unsigned nodes;        /* asked for; each runs one manager */
    unsigned managers;     /* connected, or away but not given up */
    int64_t came_ns;       /* when the first of them did; monotonic */
    unsigned came;         /* most of them at a time since it runs */
    bool had_manager;      /* ever */
    bool adopted;          /* from an earlier agent */
    bool announced;        /* its manager has said all that it holds (of an adopted one) */
    bool draining;         /* its managers were asked to leave, and get nothing new */
    bool stopping;         /* by our order */
    bool late;             /* runs, and no manager has called back within block_start_limit_s */
    int64_t submitted_ns;  /* monotonic, as all where nothing is said */
    int64_t used_ns;       /* when a task of it ended last */
    int64_t idle_since_ns; /* since when nothing needs it, as scaling found; 0: something does */
    int64_t started_ns;    /* 0: it is not running */
    int64_t ends_ns;       /* wall clock at which the scheduler ends it; 0: never, or not known */
    int64_t expected_ns; /* wall clock at which it is expected to start; 0: not known, or started */
    int64_t unknown_since_ns;    /* nobody can tell how it is since then; 0: it is known */
    char handle[FF_HANDLE_SIZE]; /* the scheduler's id of the job; "" while it has none */
    char why[FF_WHY_SIZE];       /* what it waits for, or why it ended, in words */
};

struct ff_blocks_events {
    void *user;
    /* The job of the block is over (its state says so); the block goes when its last manager has gone, and may be destroyed
     * with ff_block_destroy from now on. */
    void (*ended)(void *user, struct ff_block *block);
    /* Anything else about its job has changed. */
    void (*changed)(void *user, struct ff_block *block);
};

/* `program` is the manager; it is called with the endpoint's folder and the block's id. */
struct ff_blocks *ff_blocks_create(struct ff_loop *loop, const struct ff_folder *folder,
                                   const struct ff_config *config,
                                   const struct ff_provider *provider, const char *program,
                                   const struct ff_blocks_events *events,
                                   struct ff_error *error) FF_MUST_USE;

/* Forgets the blocks without ending them. */
void ff_blocks_destroy(struct ff_blocks *blocks);

/* Takes in what lives of an earlier agent, and removes what does not. */
void ff_blocks_adopt(struct ff_blocks *blocks);

/* Makes the folder and submits a job of so many nodes. `endpoint_id` goes into block.yaml and the job's name. What fails
 * later, a scheduler's refusal included, is told as the end of the block. */
struct ff_block *ff_blocks_start(struct ff_blocks *blocks, unsigned nodes,
                                 const struct ff_id *endpoint_id,
                                 struct ff_error *error) FF_MUST_USE;

struct ff_block *ff_blocks_first(const struct ff_blocks *blocks);
struct ff_block *ff_blocks_find_key(const struct ff_blocks *blocks, const char *public_key);

/* Something has happened to it (its managers have gone): the provider looks soon how its job is. */
void ff_block_look(struct ff_block *block);

/* Asks the provider to end it. */
void ff_block_cancel(struct ff_block *block, bool at_once);

/* Removes the folder and forgets it. */
void ff_block_destroy(struct ff_block *block);

/* The last lines of its log as one line of printable text, for messages; "" when there are none. */
void ff_block_last_words(const struct ff_block *block, char *text, size_t size);

#endif

/*
 * endpoint/elastic.h: keeps as many blocks as there should be. It looks at the queue, the blocks and their managers, lets
 * scaling.h decide, carries out the orders, looks again when time alone may change them, and remembers which blocks did not
 * come up and why. It runs in the turn of the loop in which something arrived, so a block is asked for at once.
 */
#ifndef FF_ENDPOINT_ELASTIC_H
#define FF_ENDPOINT_ELASTIC_H

#include "endpoint/agent.h"

struct ff_elastic;
struct ff_manager;
struct ff_scaling_shape;
struct ff_warm;

struct ff_elastic *ff_elastic_create(struct ff_agent *agent, struct ff_error *error) FF_MUST_USE;
void ff_elastic_destroy(struct ff_elastic *elastic);

/* Looks, and does what is to be done; where the last look is only just over, soon. */
void ff_elastic_run(struct ff_elastic *elastic);

/* Reads the warm reserve (warm.h) anew. */
void ff_elastic_reload(struct ff_elastic *elastic);

/* The warm reserve; without blocks there is none. */
const struct ff_warm *ff_elastic_warm(const struct ff_elastic *elastic);

/* For the rooms: a manager has said HELLO; the job of a block is over (before the block may be destroyed). */
void ff_elastic_manager_came(struct ff_elastic *elastic, const struct ff_manager *manager);
void ff_elastic_block_ended(struct ff_elastic *elastic, const struct ff_block *block);

/* The most that a node had of a block that this agent asked for. */
const struct ff_scaling_shape *ff_elastic_seen(const struct ff_elastic *elastic);

/* Something about a block is to be told anew; how often that was, for whoever tells. */
void ff_elastic_note_news(struct ff_elastic *elastic);
unsigned ff_elastic_news(const struct ff_elastic *elastic);

/* How many nodes of a block have not come yet and still may. */
unsigned ff_elastic_nodes_to_come(const struct ff_elastic *elastic, const struct ff_block *block);

/* What there is to say to those who wait for a node: the block that is nearest to being up, how many more are on their way,
 * what stands against still more, and why the last one did not come up; "" when there is nothing. */
enum { FF_ELASTIC_WORDS = 1024 };
void ff_elastic_say(const struct ff_elastic *elastic, char *text, size_t size);

#endif

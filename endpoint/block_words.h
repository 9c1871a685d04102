/* endpoint/block_words.h: how a block is, in the words of a person. */
#ifndef FF_ENDPOINT_BLOCK_WORDS_H
#define FF_ENDPOINT_BLOCK_WORDS_H

#include "endpoint/blocks.h"

/* Its workers have called back; the scheduler may not have said yet that it runs. */
bool ff_block_is_up(const struct ff_block *block);

/* One word: "submitting", "pending", "starting" (it runs, and no worker has called back yet), "up", "leaving". */
const char *ff_block_word(const struct ff_block *block);

/* "block 1a2b3c4d (job 117) waits in the queue: the nodes it needs are busy; expected to start 2026-11-25 18:05Z".
 * Changes only when something has. */
void ff_block_say(const struct ff_block *block, char *text, size_t size);

#endif

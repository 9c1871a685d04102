/* client/command/endpoint_blocks.h: the blocks of an endpoint in words, from what its agent tells (protocol/STATE.md, run/state). */
#ifndef FF_CLIENT_COMMAND_ENDPOINT_BLOCKS_H
#define FF_CLIENT_COMMAND_ENDPOINT_BLOCKS_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/* "2 up, 1 pending"; "none". */
void ff_endpoint_blocks_summary(const json_t *state, char *line, size_t size);

/* "1a2b3c4d (job 117) waits in the queue for 3 min 12 s: the nodes it needs are busy; expected to start in 12 min 0 s". */
void ff_endpoint_block_words(const json_t *block, int64_t now_ns, char *line, size_t size);

/* Prints both, and the warm reserve of `document` (as of ff_endpoint_folder_warm) where there is one. */
void ff_endpoint_print_blocks(const json_t *state, const json_t *document);

#endif

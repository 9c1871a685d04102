/*
 * protocol/ids.h: 16-byte ids, written as UUIDs (RFC 9562).
 *
 * Functions, endpoints, task groups, instances: random (version 4). Tasks: version 8, with the row of the ledger
 * inside, so that the store needs no index over ids:
 *
 *     48 bits  row number, counted by the writer
 *      4 bits  version 8
 *     12 bits  writer (several services may share one ledger)
 *      2 bits  variant
 *     62 bits  truncated SipHash-2-4(service secret, row and writer): an id cannot be guessed, and a wrong one is
 *              recognised without looking it up
 */
#ifndef FF_PROTOCOL_IDS_H
#define FF_PROTOCOL_IDS_H

#include "protocol/core/bytes.h"

enum { FF_ID_SIZE = 16, FF_ID_TEXT_SIZE = 37, FF_ID_SECRET_SIZE = 32 };

struct ff_id {
    uint8_t bytes[FF_ID_SIZE];
};

/* Random, from the kernel. */
void ff_id_random(struct ff_id *id);
bool ff_id_equal(const struct ff_id *a, const struct ff_id *b);
bool ff_id_is_zero(const struct ff_id *id);

/* Lower case with hyphens; parsing takes either case and exactly 36 characters. */
void ff_id_text(const struct ff_id *id, char text[FF_ID_TEXT_SIZE]);
int ff_id_parse(const char *text, size_t size, struct ff_id *id) FF_MUST_USE;

/* The ledger's key of a task: 12 bits of writer above 48 bits of row; positive as a signed integer. */
int64_t ff_task_key(uint16_t writer, uint64_t row);

/* The id of a task by its key, and back. ff_task_id_key returns -1 for an id that was not made with this secret. */
void ff_task_id(const uint8_t secret[FF_ID_SECRET_SIZE], int64_t key, struct ff_id *id);
int64_t ff_task_id_key(const uint8_t secret[FF_ID_SECRET_SIZE], const struct ff_id *id);

/* The key that an id claims, unchecked: for looking a task up whose own id is then compared. */
int64_t ff_task_id_claimed_key(const struct ff_id *id);

/* An attempt: (service epoch, counter). Later attempts of a task compare greater. {0, 0} is none. */
struct ff_attempt {
    uint64_t epoch;
    uint64_t counter;
};

bool ff_attempt_equal(struct ff_attempt a, struct ff_attempt b);
bool ff_attempt_before(struct ff_attempt a, struct ff_attempt b);

#endif

/*
 * service/tokens.h: who calls. A token is 256 random bits as text ("ff_" and 64 hexadecimal
 * digits); only its SHA-256 is kept.
 *
 * Scopes say what a token allows; `all` allows everything:
 *     read     look at functions, endpoints, tasks and results
 *     submit   submit, cancel and stop tasks, upload objects
 *     manage   register and delete functions and endpoints
 *     tokens   make, list and revoke tokens
 *
 * Guarded by the lock of the service.
 */
#ifndef FF_SERVICE_TOKENS_H
#define FF_SERVICE_TOKENS_H

#include "service/store/store.h"

enum { FF_TOKEN_TEXT_SIZE = 3 + 64 + 1, FF_USER_LIMIT = 128, FF_LABEL_LIMIT = 128 };

enum ff_scope { FF_SCOPE_READ = 1, FF_SCOPE_SUBMIT = 2, FF_SCOPE_MANAGE = 4, FF_SCOPE_TOKENS = 8 };

struct ff_token {
    int64_t key;
    struct ff_id id;
    struct ff_digest hash;
    char *user, *label;
    unsigned scopes; /* of ff_scope */
    int64_t created_ns, expires_ns;
};

struct ff_tokens;

struct ff_tokens *ff_tokens_create(struct ff_error *error) FF_MUST_USE;
void ff_tokens_destroy(struct ff_tokens *tokens);

/* Takes over what the store holds, or what was just committed. */
int ff_tokens_add(struct ff_tokens *tokens, const struct ff_token_row *row,
                  struct ff_error *error) FF_MUST_USE;
void ff_tokens_remove(struct ff_tokens *tokens, int64_t key);

/* The token of this text, unless it has expired; NULL when there is none. */
const struct ff_token *ff_tokens_check(const struct ff_tokens *tokens, struct ff_span text);
const struct ff_token *ff_tokens_find(const struct ff_tokens *tokens, const struct ff_id *id);
size_t ff_tokens_count(const struct ff_tokens *tokens);
const struct ff_token *ff_tokens_at(const struct ff_tokens *tokens, size_t index);

/* A new token: its text, and the hash to keep. */
int ff_token_make(char text[FF_TOKEN_TEXT_SIZE], struct ff_digest *hash,
                  struct ff_error *error) FF_MUST_USE;

/* "read submit" → bits, and back. Unknown words are refused with the known ones. */
int ff_scopes_parse(struct ff_span words, unsigned *scopes, struct ff_error *error) FF_MUST_USE;
void ff_scopes_text(unsigned scopes, struct ff_buffer *words);

#endif

#include "service/tokens.h"

#include "protocol/core/clock.h"
#include "protocol/core/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct ff_tokens {
    struct ff_token **all; /* in the order of their keys */
    size_t count, capacity;
};

static const struct {
    const char *word;
    unsigned bits;
} scope_words[] = {
    {"all", FF_SCOPE_READ | FF_SCOPE_SUBMIT | FF_SCOPE_MANAGE | FF_SCOPE_TOKENS},
    {"read", FF_SCOPE_READ},
    {"submit", FF_SCOPE_READ | FF_SCOPE_SUBMIT},
    {"manage", FF_SCOPE_READ | FF_SCOPE_MANAGE},
    {"tokens", FF_SCOPE_TOKENS},
};
enum { WORD_COUNT = sizeof scope_words / sizeof scope_words[0], TOKEN_BYTES = 32 };

static void destroy_token(struct ff_token *token)
{
    if (token == NULL)
        return;
    free(token->user);
    free(token->label);
    free(token);
}

struct ff_tokens *ff_tokens_create(struct ff_error *error)
{
    struct ff_tokens *tokens = calloc(1, sizeof *tokens);
    if (tokens == NULL)
        ff_fail(error, FF_NO_MEMORY, "no memory for tokens");
    return tokens;
}

void ff_tokens_destroy(struct ff_tokens *tokens)
{
    if (tokens == NULL)
        return;
    for (size_t i = 0; i < tokens->count; i++)
        destroy_token(tokens->all[i]);
    free(tokens->all);
    free(tokens);
}

static struct ff_token *make_token(const struct ff_token_row *row)
{
    struct ff_token *token = calloc(1, sizeof *token);
    if (token == NULL)
        return NULL;
    token->key = row->key;
    token->id = row->id;
    token->hash = row->hash;
    token->created_ns = row->created_ns;
    token->expires_ns = row->expires_ns;
    token->user = ff_span_copy(row->user);
    token->label = ff_span_copy(row->label);
    if (token->user == NULL || token->label == NULL ||
        ff_scopes_parse(row->scopes, &token->scopes, NULL) < 0) {
        destroy_token(token);
        return NULL;
    }
    return token;
}

int ff_tokens_add(struct ff_tokens *tokens, const struct ff_token_row *row, struct ff_error *error)
{
    if (tokens->count == tokens->capacity) {
        size_t capacity = tokens->capacity == 0 ? 8 : 2 * tokens->capacity;
        struct ff_token **all = realloc(tokens->all, capacity * sizeof(struct ff_token *));
        if (all == NULL)
            return ff_fail(error, FF_NO_MEMORY, "no memory for another token");
        tokens->all = all;
        tokens->capacity = capacity;
    }
    struct ff_token *token = make_token(row);
    if (token == NULL)
        return ff_fail(error, FF_NO_MEMORY, "no memory for another token");
    tokens->all[tokens->count++] = token;
    return 0;
}

void ff_tokens_remove(struct ff_tokens *tokens, int64_t key)
{
    for (size_t i = 0; i < tokens->count; i++) {
        if (tokens->all[i]->key != key)
            continue;
        destroy_token(tokens->all[i]);
        memmove(&tokens->all[i], &tokens->all[i + 1],
                (tokens->count - i - 1) * sizeof(struct ff_token *));
        tokens->count--;
        return;
    }
}

const struct ff_token *ff_tokens_check(const struct ff_tokens *tokens, struct ff_span text)
{
    struct ff_digest hash;
    if (text.size != FF_TOKEN_TEXT_SIZE - 1 || ff_digest_of(text, &hash, NULL) < 0)
        return NULL;
    /* The hash of a guess tells nothing about a stored hash, so that an ordinary comparison will
     * do. */
    for (size_t i = 0; i < tokens->count; i++) {
        const struct ff_token *token = tokens->all[i];
        if (memcmp(token->hash.bytes, hash.bytes, FF_DIGEST_SIZE) == 0)
            return token->expires_ns == 0 || token->expires_ns > ff_wall_ns() ? token : NULL;
    }
    return NULL;
}

const struct ff_token *ff_tokens_find(const struct ff_tokens *tokens, const struct ff_id *id)
{
    for (size_t i = 0; i < tokens->count; i++)
        if (ff_id_equal(&tokens->all[i]->id, id))
            return tokens->all[i];
    return NULL;
}

size_t ff_tokens_count(const struct ff_tokens *tokens)
{
    return tokens->count;
}

const struct ff_token *ff_tokens_at(const struct ff_tokens *tokens, size_t index)
{
    return tokens->all[index];
}

int ff_token_make(char text[FF_TOKEN_TEXT_SIZE], struct ff_digest *hash, struct ff_error *error)
{
    uint8_t bytes[TOKEN_BYTES];
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return ff_fail_errno(error, FF_INTERNAL, errno, "the kernel gives no random numbers");
    snprintf(text, FF_TOKEN_TEXT_SIZE, "ff_");
    ff_text_hex(bytes, sizeof bytes, text + 3);
    return ff_digest_of(ff_span_of(text), hash, error);
}

int ff_scopes_parse(struct ff_span words, unsigned *scopes, struct ff_error *error)
{
    const char *at = words.data;
    const char *end = at + words.size;
    unsigned bits = 0;
    while (at < end) {
        const char *begin = at;
        while (at < end && *at != ' ')
            at++;
        size_t size = (size_t)(at - begin);
        size_t i = 0;
        while (i < WORD_COUNT && (strlen(scope_words[i].word) != size ||
                                  memcmp(scope_words[i].word, begin, size) != 0))
            i++;
        if (size > 0 && i == WORD_COUNT) {
            ff_fail(error, FF_INVALID_ARGUMENT, "there is no scope \"%.*s\"", (int)size, begin);
            return ff_hint(error, "the scopes are all, read, submit, manage and tokens");
        }
        if (size > 0)
            bits |= scope_words[i].bits;
        at += at < end;
    }
    *scopes = bits;
    return 0;
}

void ff_scopes_text(unsigned scopes, struct ff_buffer *words)
{
    unsigned told = 0;
    for (size_t i = 0; i < WORD_COUNT; i++) {
        unsigned bits = scope_words[i].bits;
        if ((scopes & bits) != bits || (told & bits) == bits)
            continue;
        if (told != 0)
            ff_buffer_append_text(words, " ");
        ff_buffer_append_text(words, scope_words[i].word);
        told |= bits;
    }
}

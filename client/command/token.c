/* farfield token create|list|revoke */
#include "client/command/listing.h"
#include "client/command/output.h"
#include "client/command/parse.h"
#include "client/farfield.h"

#include <string.h>

static json_t *scopes_of(const struct ff_invocation *invocation)
{
    json_t *scopes = NULL;
    for (size_t i = 0; i < invocation->given_count; i++) {
        if (strcmp(invocation->given[i].option->name, "scope") != 0)
            continue;
        if (scopes == NULL)
            scopes = json_array();
        json_array_append_new(scopes, json_string(invocation->given[i].value));
    }
    return scopes;
}

static int print_token(const json_t *token, bool json, struct ff_error *error)
{
    if (json)
        return ff_output_json(token, error);
    const char *clear = ff_output_text_of(token, "token");
    if (clear == NULL)
        return ff_fail(error, FF_PROTOCOL, "the service answered without a token");
    puts(clear);
    bool expires = ff_output_text_of(token, "expires") != NULL;
    char when[FF_SHORT_TIME_SIZE] = "";
    if (expires)
        ff_output_time(ff_output_text_of(token, "expires"), when);
    fprintf(stderr, "It is shown this once. Its id is %s; it %s%s.\n",
            ff_output_text_of(token, "token_id"), expires ? "expires " : "does not expire", when);
    return 0;
}

static int run_create(const struct ff_invocation *invocation, struct ff_error *error)
{
    double seconds = 0;
    const char *expires = ff_given_text(invocation, "expires");
    if (expires != NULL && ff_parse_seconds(expires, &seconds) < 0)
        return ff_fail(error, FF_INVALID_ARGUMENT,
                       "--expires takes a time such as 90s, 12h or 30d, not '%s'", expires);
    const char *label = invocation->operand_count > 0 ? invocation->operands[0] : "";
    struct ff_session *session = ff_session_open(NULL, error);
    if (session == NULL)
        return -1;
    json_t *scopes = scopes_of(invocation);
    json_t *token = NULL;
    int result = ff_token_create(session, label, (int64_t)seconds, scopes, &token, error);
    if (result == 0)
        result = print_token(token, invocation->json, error);
    json_decref(token);
    json_decref(scopes);
    ff_session_close(session);
    return result;
}

static int add_row(struct ff_table *table, const json_t *token, struct ff_error *error)
{
    char created[FF_SHORT_TIME_SIZE];
    char expires[FF_SHORT_TIME_SIZE];
    ff_output_time(ff_output_text_of(token, "created"), created);
    ff_output_time(ff_output_text_of(token, "expires"), expires);
    const char *const cells[] = {ff_output_text_of(token, "token_id"),
                                 ff_output_text_of(token, "label"),
                                 ff_output_text_of(token, "scopes"), created,
                                 ff_output_text_of(token, "expires") != NULL ? expires : "never"};
    return ff_table_add(table, cells, error);
}

static int run_list(const struct ff_invocation *invocation, struct ff_error *error)
{
    static const char *const titles[] = {"ID", "LABEL", "SCOPES", "CREATED", "EXPIRES"};
    static const struct ff_listing listing = {.fetch = ff_token_list,
                                              .entries = "tokens",
                                              .titles = titles,
                                              .columns = 5,
                                              .row = add_row,
                                              .nothing = "no tokens"};
    return ff_listing_run(&listing, invocation, error);
}

static int run_revoke(const struct ff_invocation *invocation, struct ff_error *error)
{
    static const struct ff_removal removal = {ff_token_revoke, "token", "token_id", "revoked"};
    return ff_removal_run(&removal, invocation, error);
}

static const struct ff_command_option create_options[] = {
    {"expires", '\0', "TIME", "how long it holds: 90s, 12h, 30d (for ever)"},
    {"scope", '\0', "SCOPE", "what it allows; may be given several times (all that yours does)"},
    {NULL, '\0', NULL, NULL},
};

const struct ff_command ff_token_commands[] = {
    {.group = "token",
     .name = "create",
     .operands = "[LABEL]",
     .most = 1,
     .summary = "make a token for another program or host",
     .details = "The label tells it from others. The token goes to standard output, and is not "
                "shown again.",
     .options = create_options,
     .examples = "  farfield token create beamline --expires 30d > token\n",
     .run = run_create},
    {.group = "token",
     .name = "list",
     .operands = "",
     .summary = "list your tokens, without what they are",
     .examples = "  farfield token list\n",
     .run = run_list},
    {.group = "token",
     .name = "revoke",
     .operands = "TOKEN_ID",
     .least = 1,
     .most = 1,
     .summary = "end a token now",
     .examples = "  farfield token revoke 7f6c1c1e-0d7e-4f7a-9a39-7a2d3c8f5b11\n",
     .run = run_revoke},
    {.name = NULL},
};

/*
 * client/command/listing.h: what the lists of functions, tokens, endpoints and tasks have in common, and how something is
 * taken away from the service by its name.
 */
#ifndef FF_CLIENT_COMMAND_LISTING_H
#define FF_CLIENT_COMMAND_LISTING_H

#include "client/command/command.h"
#include "client/command/output.h"
#include "client/farfield.h"

struct ff_listing {
    int (*fetch)(struct ff_session *session, json_t **reply, struct ff_error *error);
    const char *entries; /* the key of the array in the reply */
    const char *const *titles;
    size_t columns;
    int (*row)(struct ff_table *table, const json_t *entry, struct ff_error *error);
    const char *nothing; /* said in place of an empty table */
};

/* The table of a reply. */
int ff_listing_print(const struct ff_listing *listing, const json_t *reply,
                     struct ff_error *error) FF_MUST_USE;

/* Asks the service, and prints the table, or the reply with --json. */
int ff_listing_run(const struct ff_listing *listing, const struct ff_invocation *invocation,
                   struct ff_error *error);

struct ff_removal {
    int (*remove)(struct ff_session *session, const char *name, struct ff_error *error);
    const char *what; /* "function": for people */
    const char *key;  /* of the name in the JSON document */
    const char *done; /* "deleted": for both */
};

/* Removes what the first operand names, and says so. */
int ff_removal_run(const struct ff_removal *removal, const struct ff_invocation *invocation,
                   struct ff_error *error);

#endif

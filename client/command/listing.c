#include "client/command/listing.h"

int ff_listing_print(const struct ff_listing *listing, const json_t *reply, struct ff_error *error)
{
    const json_t *entries = json_object_get(reply, listing->entries);
    if (!json_is_array(entries))
        return ff_fail(error, FF_PROTOCOL, "the service answered without %s", listing->entries);
    if (json_array_size(entries) == 0) {
        puts(listing->nothing);
        return 0;
    }
    struct ff_table *table = ff_table_create(listing->titles, listing->columns, error);
    int result = table != NULL ? 0 : -1;
    for (size_t i = 0; result == 0 && i < json_array_size(entries); i++)
        result = listing->row(table, json_array_get(entries, i), error);
    if (result == 0)
        ff_table_print(table, stdout);
    ff_table_destroy(table);
    return result;
}

int ff_listing_run(const struct ff_listing *listing, const struct ff_invocation *invocation,
                   struct ff_error *error)
{
    struct ff_session *session = ff_session_open(NULL, error);
    if (session == NULL)
        return -1;
    json_t *reply = NULL;
    int result = listing->fetch(session, &reply, error);
    if (result == 0)
        result = invocation->json ? ff_output_json(reply, error)
                                  : ff_listing_print(listing, reply, error);
    json_decref(reply);
    ff_session_close(session);
    return result;
}

int ff_removal_run(const struct ff_removal *removal, const struct ff_invocation *invocation,
                   struct ff_error *error)
{
    struct ff_session *session = ff_session_open(NULL, error);
    if (session == NULL)
        return -1;
    const char *name = invocation->operands[0];
    int result = removal->remove(session, name, error);
    ff_session_close(session);
    if (result < 0)
        return -1;
    if (!invocation->json) {
        printf("%s %s is %s\n", removal->what, name, removal->done);
        return 0;
    }
    json_t *document = json_pack("{s:s, s:b}", removal->key, name, removal->done, 1);
    result = ff_output_json(document, error);
    json_decref(document);
    return result;
}

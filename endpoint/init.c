#include "endpoint/init.h"

#include "endpoint/address.h"
#include "endpoint/propose.h"
#include "endpoint/providers/scheduler.h"
#include "protocol/core/file.h"

#include <stdlib.h>
#include <unistd.h>

enum { CONFIG_LIMIT = 65536 };

static void note_address(const struct ff_config *config, struct ff_buffer *notes)
{
    char address[FF_ADDRESS_SIZE];
    if (ff_address_find(config->agent_host, true, address, NULL) == 0)
        ff_buffer_printf(notes,
                         "agent_host: %s: workers call back at %s; if nodes reach this machine by "
                         "another address or network interface, set that\n",
                         config->agent_host, address);
}

int ff_init_propose(struct ff_config *config, struct ff_buffer *notes, struct ff_error *error)
{
    const struct ff_scheduler *scheduler = ff_provider_find(config->provider)->scheduler;
    struct ff_error why;
    struct ff_survey *survey = calloc(1, sizeof *survey);
    if (survey == NULL)
        return ff_fail(error, FF_NO_MEMORY, "no memory for what the scheduler has");
    int asked = scheduler->survey != NULL
                    ? scheduler->survey(survey, &why)
                    : ff_fail(&why, FF_UNSUPPORTED, "its commands do not tell");
    if (asked < 0)
        ff_buffer_printf(notes, "%s could not be asked what it has: %s\n", scheduler->name,
                         why.message);
    int result = ff_propose(config, asked == 0 ? survey : NULL, notes, error);
    if (result == 0)
        note_address(config, notes);
    free(survey);
    return result == 0 ? ff_buffer_check(notes, "notes on the settings", error) : -1;
}

int ff_init_check_new(const struct ff_folder *folder, struct ff_error *error)
{
    char path[PATH_MAX];
    ff_folder_path(folder, path, "config.yaml");
    if (access(path, F_OK) != 0)
        return 0;
    ff_fail(error, FF_CONFLICT, "endpoint \"%s\" is configured already: %s", folder->name, path);
    return ff_hint(error,
                   "edit that file, or remove the endpoint first: farfield endpoint delete %s",
                   folder->name);
}

int ff_init_endpoint(const struct ff_folder *folder, const struct ff_config *config,
                     const char *notes, struct ff_curve_keys *keys, struct ff_error *error)
{
    char path[PATH_MAX];
    struct ff_buffer text;
    if (ff_folder_make(folder->root, 0700, error) < 0 || ff_init_check_new(folder, error) < 0)
        return -1;
    /* The keys first: a folder with config.yaml is a configured endpoint. */
    ff_folder_path(folder, path, "curve");
    if (ff_curve_load_or_make(path, keys, error) < 0)
        return -1;
    ff_buffer_init(&text, CONFIG_LIMIT);
    ff_config_write(config, notes, &text);
    ff_folder_path(folder, path, "config.yaml");
    int result = ff_buffer_check(&text, "config.yaml", error);
    if (result == 0)
        result = ff_file_write(path, ff_buffer_span(&text), 0600, error);
    ff_buffer_dispose(&text);
    return result;
}

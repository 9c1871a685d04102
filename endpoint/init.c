#include "endpoint/init.h"

#include "protocol/core/file.h"

#include <unistd.h>

enum { CONFIG_LIMIT = 65536 };

int ff_init_endpoint(const struct ff_folder *folder, const struct ff_config *config,
                     struct ff_curve_keys *keys, struct ff_error *error)
{
    char path[PATH_MAX];
    struct ff_buffer text;
    if (ff_folder_make(folder->root, 0700, error) < 0)
        return -1;
    ff_folder_path(folder, path, "config.yaml");
    if (access(path, F_OK) == 0) {
        ff_fail(error, FF_CONFLICT, "endpoint \"%s\" is configured already: %s", folder->name,
                path);
        return ff_hint(error,
                       "edit that file, or remove the endpoint first: farfield endpoint "
                       "delete %s",
                       folder->name);
    }
    /* The keys first: a folder with config.yaml is a configured endpoint. */
    ff_folder_path(folder, path, "curve");
    if (ff_curve_load_or_make(path, keys, error) < 0)
        return -1;
    ff_buffer_init(&text, CONFIG_LIMIT);
    ff_config_write(config, &text);
    ff_folder_path(folder, path, "config.yaml");
    int result = ff_buffer_check(&text, "config.yaml", error);
    if (result == 0)
        result = ff_file_write(path, ff_buffer_span(&text), 0600, error);
    ff_buffer_dispose(&text);
    return result;
}

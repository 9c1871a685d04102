#include "endpoint/registration.h"
#include "protocol/core/yaml.h"

#include <stdio.h>
#include <string.h>

static int take_pair(void *user, const char *key, const char *value, int line,
                     struct ff_error *error)
{
    struct ff_registration *registration = user;
    if (strcmp(key, "endpoint_id") == 0 &&
        ff_id_parse(value, strlen(value), &registration->endpoint_id) < 0)
        return ff_fail(error, FF_INPUT_INVALID, "line %d: endpoint_id is no id", line);
    if (strcmp(key, "router") == 0)
        snprintf(registration->router, sizeof registration->router, "%s", value);
    if (strcmp(key, "router_key") == 0 && ff_curve_is_key(value))
        snprintf(registration->router_key, sizeof registration->router_key, "%s", value);
    return 0;
}

int ff_registration_read(const struct ff_folder *folder, struct ff_registration *registration,
                         struct ff_error *error)
{
    struct ff_registration read;
    char path[PATH_MAX];
    memset(&read, 0, sizeof read);
    ff_folder_path(folder, path, "registration");
    if (ff_yaml_read(path, take_pair, &read, error) < 0) {
        ff_fail_prefix(error, "endpoint %s is not registered: ", folder->name);
        return ff_hint(error, "farfield endpoint start %s registers it", folder->name);
    }
    if (ff_id_is_zero(&read.endpoint_id) || strncmp(read.router, "tcp://", 6) != 0 ||
        read.router_key[0] == '\0') {
        ff_fail(error, FF_INPUT_INVALID, "%s lacks endpoint_id, router or router_key", path);
        return ff_hint(error, "farfield endpoint start %s writes it anew", folder->name);
    }
    *registration = read;
    return 0;
}

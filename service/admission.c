#include "service/admission.h"

#include "protocol/core/text.h"
#include "protocol/limits.h"

#include <stdio.h>
#include <string.h>

enum { CORES_LIMIT = 65536, NODES_LIMIT = 65536, RETRIES_LIMIT = 100, YEAR_S = 31536000 };

static const char *const members[] = {"gpus",         "cores",    "nodes",
                                      "time_limit_s", "priority", "max_retries"};
enum { MEMBER_COUNT = sizeof members / sizeof members[0] };

static const char *const priorities[] = {"live", "normal", "batch"};

void ff_resources_default(struct ff_resources *resources, const struct ff_config *config)
{
    memset(resources, 0, sizeof *resources);
    resources->cores = 1;
    resources->nodes = 1;
    resources->max_retries = (uint32_t)config->max_retries;
    snprintf(resources->priority, sizeof resources->priority, "normal");
}

static int take_count(const char *name, const json_t *value, uint32_t low, uint32_t high,
                      uint32_t *to, struct ff_error *error)
{
    json_int_t number = json_integer_value(value);
    if (!json_is_integer(value) || number < (json_int_t)low || number > (json_int_t)high)
        return ff_fail(error, FF_INVALID_ARGUMENT,
                       "resource_specification: \"%s\" must be a whole number from %u to %u", name,
                       low, high);
    *to = (uint32_t)number;
    return 0;
}

static int take_time(const json_t *value, uint64_t *to, struct ff_error *error)
{
    double seconds = json_number_value(value);
    if (!json_is_number(value) || !(seconds > 0) || seconds > YEAR_S)
        return ff_fail(
            error, FF_INVALID_ARGUMENT,
            "resource_specification: \"time_limit_s\" must be seconds, more than 0 and at "
            "most %d",
            YEAR_S);
    *to = (uint64_t)(seconds * 1000.0 + 0.5);
    if (*to == 0)
        *to = 1;
    return 0;
}

static int take_priority(const json_t *value, char priority[17], struct ff_error *error)
{
    const char *text = json_string_value(value);
    for (size_t i = 0; text != NULL && i < sizeof priorities / sizeof priorities[0]; i++) {
        if (strcmp(text, priorities[i]) != 0)
            continue;
        snprintf(priority, 17, "%s", text);
        return 0;
    }
    return ff_fail(error, FF_INVALID_ARGUMENT,
                   "resource_specification: \"priority\" must be live, normal or batch");
}

static int take_member(const char *name, const json_t *value, struct ff_resources *resources,
                       struct ff_error *error)
{
    if (json_is_null(value))
        return 0;
    if (strcmp(name, "gpus") == 0)
        return take_count(name, value, 0, FF_NODE_DEVICES, &resources->devices, error);
    if (strcmp(name, "cores") == 0)
        return take_count(name, value, 1, CORES_LIMIT, &resources->cores, error);
    if (strcmp(name, "nodes") == 0)
        return take_count(name, value, 1, NODES_LIMIT, &resources->nodes, error);
    if (strcmp(name, "max_retries") == 0)
        return take_count(name, value, 0, RETRIES_LIMIT, &resources->max_retries, error);
    if (strcmp(name, "time_limit_s") == 0)
        return take_time(value, &resources->time_limit_ms, error);
    if (strcmp(name, "priority") == 0)
        return take_priority(value, resources->priority, error);
    const char *nearest = ff_text_nearest(name, members, MEMBER_COUNT);
    ff_fail(error, FF_INVALID_ARGUMENT, "resource_specification has no \"%.40s\"", name);
    if (nearest != NULL)
        ff_hint(error, "did you mean \"%s\"?", nearest);
    return -1;
}

int ff_resources_read(const json_t *specification, struct ff_resources *resources,
                      struct ff_error *error)
{
    const char *name;
    json_t *value;
    if (json_is_null(specification))
        return 0;
    if (!json_is_object(specification))
        return ff_fail(error, FF_INVALID_ARGUMENT, "\"resource_specification\" must be an object");
    json_object_foreach((json_t *)(uintptr_t)specification, name,
                        value) if (take_member(name, value, resources, error) < 0) return -1;
    return 0;
}

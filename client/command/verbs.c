#include "client/command/command.h"

#include <stddef.h>

const struct ff_command *const ff_commands[] = {
    ff_service_commands,
    ff_endpoint_commands,
    ff_function_commands,
    ff_run_commands,
    ff_task_commands,
    ff_token_commands,
    NULL,
};

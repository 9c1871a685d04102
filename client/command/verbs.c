#include "client/command/command.h"

#include <stddef.h>

const struct ff_command *const ff_commands[] = {
    ff_service_commands,
    ff_token_commands,
    NULL,
};

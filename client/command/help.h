/*
 * client/command/help.h: the overview, the page of a group, and the page of a verb, made from the rows of the verbs.
 */
#ifndef FF_CLIENT_COMMAND_HELP_H
#define FF_CLIENT_COMMAND_HELP_H

#include "client/command/command.h"

#include <stdio.h>

void ff_help_overview(FILE *file);
void ff_help_group(FILE *file, const struct ff_command *group);
void ff_help_command(FILE *file, const struct ff_command *command);

#endif

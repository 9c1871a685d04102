#include "client/command/help.h"

#include "client/command/exec.h"
#include "client/command/parse.h"

#include <string.h>

enum { TITLE_SIZE = 64, LINE_SIZE = 160 };

/* "-f, --follow", "    --gpus N". */
static void option_left(const struct ff_command_option *option, char *text, size_t size)
{
    char letter[8] = "    ";
    if (option->letter != '\0')
        snprintf(letter, sizeof letter, "-%c, ", option->letter);
    snprintf(text, size, "%s--%s%s%s", letter, option->name, option->value != NULL ? " " : "",
             option->value != NULL ? option->value : "");
}

static void print_row(FILE *file, const char *left, const char *right, int width)
{
    if ((int)strlen(left) > width)
        fprintf(file, "  %s\n  %*s  %s\n", left, width, "", right);
    else
        fprintf(file, "  %-*s  %s\n", width, left, right);
}

static void command_left(const struct ff_command *command, char *text, size_t size)
{
    char title[TITLE_SIZE];
    ff_command_title(command, title, sizeof title);
    snprintf(text, size, "%s%s%s", title, command->operands[0] != '\0' ? " " : "",
             command->operands);
}

void ff_help_overview(FILE *file)
{
    fputs("Farfield: a function service for instruments and supercomputers.\n"
          "\n"
          "usage: farfield VERB … [--json]\n"
          "\n",
          file);
    for (size_t i = 0; ff_commands[i] != NULL; i++)
        for (const struct ff_command *command = ff_commands[i]; command->name != NULL; command++) {
            char left[LINE_SIZE];
            command_left(command, left, sizeof left);
            print_row(file, left, command->summary, 28);
        }
    for (const struct ff_external *verb = ff_externals; verb->name != NULL; verb++)
        print_row(file, verb->usage, verb->summary, 28);
    print_row(file, "version", "tell the version", 28);
    print_row(file, "help [VERB]", "tell about a verb; the same as VERB --help", 28);
    fputs(
        "\n"
        "The first steps:\n"
        "  farfield service start\n"
        "  farfield endpoint configure local\n"
        "  farfield endpoint start local\n"
        "  farfield function register echo --native echo\n"
        "  farfield run echo --endpoint local --args '{\"hello\": \"world\"}'\n"
        "\n"
        "--json prints JSON alone on standard output. State lies under $FARFIELD_HOME "
        "(~/.farfield).\n"
        "Exit status: 0 done, 1 the task failed, 2 wrong use, 3 service unreachable, 4 cancelled, "
        "5 refused.\n",
        file);
}

void ff_help_group(FILE *file, const struct ff_command *group)
{
    fprintf(file, "usage: farfield %s VERB …\n\n", group->group);
    for (const struct ff_command *command = group; command->name != NULL; command++) {
        char left[LINE_SIZE];
        snprintf(left, sizeof left, "%s %s", command->name, command->operands);
        print_row(file, left, command->summary, 20);
    }
    fprintf(file, "\nMore about each: farfield %s VERB --help\n", group->group);
}

void ff_help_command(FILE *file, const struct ff_command *command)
{
    char left[LINE_SIZE];
    command_left(command, left, sizeof left);
    fprintf(file, "usage: farfield %s [OPTION]…\n\nTo %s.\n", left, command->summary);
    if (command->details != NULL)
        fprintf(file, "%s\n", command->details);
    fputs("\nOptions:\n", file);
    for (const struct ff_command_option *option = command->options;
         option != NULL && option->name != NULL; option++) {
        option_left(option, left, sizeof left);
        print_row(file, left, option->help, 28);
    }
    print_row(file, "    --json",
              command->lines ? "print JSON lines on standard output and nothing else there"
                             : "print one JSON document on standard output and nothing else there",
              28);
    print_row(file, "-h, --help", "show this page", 28);
    fprintf(file, "\nExamples:\n%s", command->examples);
}

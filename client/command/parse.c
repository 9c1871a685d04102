#include "client/command/parse.h"

#include "protocol/core/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct ff_command_option common_options[] = {
    {"json", '\0', NULL, ""},
    {"help", 'h', NULL, ""},
    {NULL, '\0', NULL, NULL},
};

enum { OPTIONS_MAX = 32, NAME_SIZE = 64 };

void ff_command_title(const struct ff_command *command, char *text, size_t size)
{
    if (command->group != NULL)
        snprintf(text, size, "%s %s", command->group, command->name);
    else
        snprintf(text, size, "%s", command->name);
}

static int refuse(const struct ff_command *command, struct ff_error *error)
{
    char title[NAME_SIZE];
    ff_command_title(command, title, sizeof title);
    return ff_hint(error, "farfield %s --help", title);
}

static const struct ff_command_option *find_long(const struct ff_command *command, const char *name,
                                                 size_t length)
{
    const struct ff_command_option *const lists[] = {command->options, common_options};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        for (const struct ff_command_option *option = lists[i];
             option != NULL && option->name != NULL; option++)
            if (strlen(option->name) == length && memcmp(option->name, name, length) == 0)
                return option;
    return NULL;
}

static const struct ff_command_option *find_letter(const struct ff_command *command, char letter)
{
    const struct ff_command_option *const lists[] = {command->options, common_options};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        for (const struct ff_command_option *option = lists[i];
             option != NULL && option->name != NULL; option++)
            if (option->letter == letter)
                return option;
    return NULL;
}

static int unknown_option(const struct ff_command *command, const char *name, size_t length,
                          struct ff_error *error)
{
    char wanted[NAME_SIZE];
    snprintf(wanted, sizeof wanted, "%.*s", (int)(length < NAME_SIZE ? length : NAME_SIZE - 1),
             name);
    const char *names[OPTIONS_MAX];
    size_t count = 0;
    const struct ff_command_option *const lists[] = {command->options, common_options};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        for (const struct ff_command_option *option = lists[i];
             option != NULL && option->name != NULL && count < OPTIONS_MAX; option++)
            names[count++] = option->name;
    char title[NAME_SIZE];
    ff_command_title(command, title, sizeof title);
    ff_fail(error, FF_INVALID_ARGUMENT, "`farfield %s` has no option --%s", title, wanted);
    const char *nearest = ff_text_nearest(wanted, names, count);
    if (nearest != NULL)
        return ff_hint(error, "did you mean --%s? All of them: farfield %s --help", nearest, title);
    return refuse(command, error);
}

static void add_given(struct ff_invocation *invocation, const struct ff_command_option *option,
                      const char *value)
{
    if (strcmp(option->name, "json") == 0)
        invocation->json = true;
    else if (strcmp(option->name, "help") == 0)
        invocation->help = true;
    struct ff_given *given = &invocation->given[invocation->given_count++];
    given->option = option;
    given->value = value;
}

/* Takes `--name[=value]`, and the next argument where the value is there. Returns how many arguments were taken. */
static int take_long(struct ff_invocation *invocation, int left, char *const arguments[],
                     struct ff_error *error)
{
    const char *name = arguments[0] + 2;
    const char *equals = strchr(name, '=');
    size_t length = equals != NULL ? (size_t)(equals - name) : strlen(name);
    const struct ff_command_option *option = find_long(invocation->command, name, length);
    if (option == NULL)
        return unknown_option(invocation->command, name, length, error);
    if (option->value == NULL && equals != NULL) {
        ff_fail(error, FF_INVALID_ARGUMENT, "--%s takes no value", option->name);
        return refuse(invocation->command, error);
    }
    if (option->value == NULL || equals != NULL) {
        add_given(invocation, option, equals != NULL ? equals + 1 : NULL);
        return 1;
    }
    if (left < 2) {
        ff_fail(error, FF_INVALID_ARGUMENT, "--%s needs a value: --%s %s", option->name,
                option->name, option->value);
        return refuse(invocation->command, error);
    }
    add_given(invocation, option, arguments[1]);
    return 2;
}

/* As take_long, for `-f`, `-fq`, `-n5` and `-n 5`. */
static int take_short(struct ff_invocation *invocation, int left, char *const arguments[],
                      struct ff_error *error)
{
    for (const char *letter = arguments[0] + 1; *letter != '\0'; letter++) {
        const struct ff_command_option *option = find_letter(invocation->command, *letter);
        if (option == NULL) {
            char title[NAME_SIZE];
            ff_command_title(invocation->command, title, sizeof title);
            ff_fail(error, FF_INVALID_ARGUMENT, "`farfield %s` has no option -%c", title, *letter);
            return refuse(invocation->command, error);
        }
        if (option->value == NULL) {
            add_given(invocation, option, NULL);
            continue;
        }
        if (letter[1] != '\0') {
            add_given(invocation, option, letter + 1);
            return 1;
        }
        if (left < 2) {
            ff_fail(error, FF_INVALID_ARGUMENT, "-%c needs a value: -%c %s", *letter, *letter,
                    option->value);
            return refuse(invocation->command, error);
        }
        add_given(invocation, option, arguments[1]);
        return 2;
    }
    return 1;
}

static int check_operands(const struct ff_invocation *invocation, struct ff_error *error)
{
    const struct ff_command *command = invocation->command;
    char title[NAME_SIZE];
    ff_command_title(command, title, sizeof title);
    if (invocation->operand_count < command->least)
        ff_fail(error, FF_INVALID_ARGUMENT, "`farfield %s` needs %s", title, command->operands);
    else if (invocation->operand_count > command->most && command->most == 0)
        ff_fail(error, FF_INVALID_ARGUMENT, "`farfield %s` takes options alone: what is '%s'?",
                title, invocation->operands[0]);
    else if (invocation->operand_count > command->most)
        ff_fail(error, FF_INVALID_ARGUMENT, "`farfield %s` takes %s: what is '%s'?", title,
                command->operands, invocation->operands[command->most]);
    else
        return 0;
    return refuse(command, error);
}

int ff_parse(const struct ff_command *command, int count, char *const arguments[],
             struct ff_invocation *invocation, struct ff_error *error)
{
    memset(invocation, 0, sizeof *invocation);
    invocation->command = command;
    /* Every letter of an argument may be a switch. */
    size_t room = 1;
    for (int i = 0; i < count; i++)
        room += strlen(arguments[i]) + 1;
    invocation->given = calloc(room, sizeof *invocation->given);
    invocation->operands = calloc((size_t)count + 1, sizeof *invocation->operands);
    if (invocation->given == NULL || invocation->operands == NULL)
        return ff_fail(error, FF_NO_MEMORY, "no memory for the command line");
    for (int i = 0; i < count;) {
        const char *argument = arguments[i];
        int taken = 1;
        if (strcmp(argument, "--") == 0) {
            for (i++; i < count; i++)
                invocation->operands[invocation->operand_count++] = arguments[i];
            break;
        }
        if (strncmp(argument, "--", 2) == 0)
            taken = take_long(invocation, count - i, arguments + i, error);
        else if (argument[0] == '-' && argument[1] != '\0')
            taken = take_short(invocation, count - i, arguments + i, error);
        else
            invocation->operands[invocation->operand_count++] = argument;
        if (taken < 0)
            return -1;
        i += taken;
    }
    return invocation->help ? 0 : check_operands(invocation, error);
}

void ff_invocation_dispose(struct ff_invocation *invocation)
{
    free(invocation->given);
    free(invocation->operands);
    memset(invocation, 0, sizeof *invocation);
}

static const struct ff_given *find_given(const struct ff_invocation *invocation, const char *name)
{
    for (size_t i = invocation->given_count; i > 0; i--)
        if (strcmp(invocation->given[i - 1].option->name, name) == 0)
            return &invocation->given[i - 1];
    return NULL;
}

const char *ff_given_text(const struct ff_invocation *invocation, const char *name)
{
    const struct ff_given *given = find_given(invocation, name);
    return given != NULL ? given->value : NULL;
}

bool ff_given(const struct ff_invocation *invocation, const char *name)
{
    return find_given(invocation, name) != NULL;
}

int ff_given_integer(const struct ff_invocation *invocation, const char *name, int64_t low,
                     int64_t high, int64_t otherwise, int64_t *value, struct ff_error *error)
{
    const char *text = ff_given_text(invocation, name);
    if (text == NULL) {
        *value = otherwise;
        return 0;
    }
    if (ff_text_integer(text, low, high, value) < 0)
        return ff_fail(error, FF_INVALID_ARGUMENT,
                       "--%s takes a whole number of %lld…%lld, not '%s'", name, (long long)low,
                       (long long)high, text);
    return 0;
}

int ff_parse_seconds(const char *text, double *seconds)
{
    static const struct {
        char letter;
        double factor;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
    char number[32];
    size_t length = strlen(text);
    if (length == 0 || length >= sizeof number)
        return -1;
    memcpy(number, text, length + 1);
    double factor = 1;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (number[length - 1] == units[i].letter) {
            factor = units[i].factor;
            number[length - 1] = '\0';
            break;
        }
    double value;
    if (ff_text_number(number, &value) < 0 || value <= 0 || value * factor > 1e9)
        return -1;
    *seconds = value * factor;
    return 0;
}
